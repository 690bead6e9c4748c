//! Functions on truth values and comparisons.

use super::args::{at, wrong_type};
use super::{Function, Group, collate, plain};
use crate::error::EvalError;
use crate::value::{Value, ValueKind, same};
use std::cmp::Ordering;

const G: Group = Group::Logic;

pub(super) static FUNCTIONS: &[Function] = &[
    plain(G, "true", 0, Some(0), |_, _| Ok(Value::bool(true))),
    plain(G, "false", 0, Some(0), |_, _| Ok(Value::bool(false))),
    plain(G, "null", 0, Some(0), |_, _| Ok(Value::NULL)),
    plain(G, "not", 1, Some(1), |a, _| {
        at(a, 0).as_bool().map(|b| Value::bool(!b)).ok_or_else(|| wrong_type("not", "Boolean", at(a, 0)))
    }),
    plain(G, "bool", 1, Some(1), |a, _| {
        let val = at(a, 0);
        let truth = match &val.kind {
            ValueKind::Bool(b) => Some(*b),
            ValueKind::Int(i) => Some(*i != 0),
            ValueKind::Str(s) if s.trim().eq_ignore_ascii_case("true") => Some(true),
            ValueKind::Str(s) if s.trim().eq_ignore_ascii_case("false") => Some(false),
            ValueKind::Str(s) => match s.trim() {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        truth.map(Value::bool).ok_or_else(|| {
            EvalError::new("The template language function 'bool' was invoked with a parameter that is not valid. The value cannot be converted to the target type.")
                .says("`bool` takes `true`, `false`, 1 or 0")
        })
    }),
    plain(G, "equals", 2, Some(2), |a, _| Ok(Value::bool(same(at(a, 0), at(a, 1))))),
    plain(G, "less", 2, Some(2), |a, _| Ok(Value::bool(order("less", a)?.is_lt()))),
    plain(G, "lessOrEquals", 2, Some(2), |a, _| Ok(Value::bool(order("lessOrEquals", a)?.is_le()))),
    plain(G, "greater", 2, Some(2), |a, _| Ok(Value::bool(order("greater", a)?.is_gt()))),
    plain(G, "greaterOrEquals", 2, Some(2), |a, _| Ok(Value::bool(order("greaterOrEquals", a)?.is_ge()))),
];

fn order(function: &str, args: &[Value]) -> Result<Ordering, EvalError> {
    let (left, right) = (at(args, 0), at(args, 1));
    let number = |val: &Value| match &val.kind {
        ValueKind::Int(i) => Some(*i as f64),
        ValueKind::Float(f) => Some(*f),
        _ => None,
    };
    match (&left.kind, &right.kind) {
        (ValueKind::Int(x), ValueKind::Int(y)) => Ok(x.cmp(y)),
        (ValueKind::Str(x), ValueKind::Str(y)) => Ok(collate::compare(x, y)),
        _ => match (number(left), number(right)) {
            (Some(x), Some(y)) => Ok(x.partial_cmp(&y).unwrap_or(Ordering::Equal)),
            _ => Err(EvalError::new(format!(
                "The template language function '{function}' expects two parameters of matching types. The function was \
                 invoked with values of type '{}' and '{}' that do not match.",
                left.type_name(),
                right.type_name()
            ))
            .says(format!("`{function}` compares two numbers or two strings"))),
        },
    }
}
