//! Functions on whole numbers.

use super::args::{at, int, wrong_type};
use super::{Function, Group, plain};
use crate::error::EvalError;
use crate::value::{Value, ValueKind};

const G: Group = Group::Number;

pub(super) static FUNCTIONS: &[Function] = &[
    plain(G, "add", 2, Some(2), |a, _| both("add", a, i64::checked_add)),
    plain(G, "sub", 2, Some(2), |a, _| both("sub", a, i64::checked_sub)),
    plain(G, "mul", 2, Some(2), |a, _| both("mul", a, i64::checked_mul)),
    plain(G, "div", 2, Some(2), |a, _| both("div", a, i64::checked_div)),
    plain(G, "mod", 2, Some(2), |a, _| both("mod", a, i64::checked_rem)),
    plain(G, "max", 1, None, |a, _| extreme("max", a, i64::max)),
    plain(G, "min", 1, None, |a, _| extreme("min", a, i64::min)),
    plain(G, "int", 1, Some(1), |a, _| {
        let val = at(a, 0);
        let number = match &val.kind {
            ValueKind::Int(i) => Some(*i),
            ValueKind::Float(f) if f.abs() < 9.2e18 => Some(f.round_ties_even() as i64),
            ValueKind::Str(s) => s.trim().parse::<i64>().ok(),
            _ => None,
        };
        number.map(Value::int).ok_or_else(|| not_a_number("int", val))
    }),
    plain(G, "float", 1, Some(1), |a, _| {
        let val = at(a, 0);
        let number = match &val.kind {
            ValueKind::Int(i) => Some(*i as f64),
            ValueKind::Float(f) => Some(*f),
            ValueKind::Str(s) => s.trim().parse::<f64>().ok().filter(|f| f.is_finite()),
            _ => None,
        };
        number.map(|f| ValueKind::Float(f).into()).ok_or_else(|| not_a_number("float", val))
    }),
];

fn not_a_number(function: &str, val: &Value) -> EvalError {
    let kind = if function == "int" { "a whole number" } else { "a number" };
    EvalError::new(format!(
        "The template language function '{function}' was invoked with a parameter that is not valid. The value cannot be \
         converted to the target type."
    ))
    .says(match val.as_str() {
        Some(text) if !val.secret => format!("`{}` is not {kind}", text.chars().take(60).collect::<String>()),
        _ => format!("the value given to `{function}` is not {kind}"),
    })
}

fn both(function: &str, args: &[Value], run: fn(i64, i64) -> Option<i64>) -> Result<Value, EvalError> {
    let (left, right) = (int(function, args, 0)?, int(function, args, 1)?);
    run(left, right).map(Value::int).ok_or_else(|| {
        if right == 0 && matches!(function, "div" | "mod") {
            return EvalError::new(format!(
                "The template language function '{function}' was invoked with a divisor of zero."
            ))
            .says(format!("`{function}` divides {left} by zero"));
        }
        EvalError::new(format!(
            "The template language function '{function}' was invoked with values whose result is out of range."
        ))
        .says(format!("`{function}` of {left} and {right} does not fit 64 bits"))
    })
}

fn extreme(function: &str, args: &[Value], run: fn(i64, i64) -> i64) -> Result<Value, EvalError> {
    let items = match args {
        [only] if only.as_array().is_some() => only.as_array().unwrap_or(&[]),
        _ => args,
    };
    let mut best: Option<i64> = None;
    for item in items {
        let number = item.as_int().ok_or_else(|| wrong_type(function, "Integer", item))?;
        best = Some(best.map_or(number, |b| run(b, number)));
    }
    best.map(Value::int).ok_or_else(|| {
        EvalError::new(format!("The template language function '{function}' expects an array that is not empty."))
            .says(format!("`{function}` of no numbers has no value"))
    })
}
