//! Reading arguments, with the messages that a wrong one gets.

use crate::error::EvalError;
use crate::value::{Value, ValueKind};
use std::sync::Arc;

/// The fault of an argument of the wrong kind.
pub(crate) fn wrong_type(function: &str, wanted: &str, val: &Value) -> EvalError {
    EvalError::new(format!(
        "The template language function '{function}' expects its parameter to be of type '{wanted}'. The provided value \
         is of type '{}'. Please see https://aka.ms/arm-functions#{function} for usage details.",
        val.type_name()
    ))
    .says(format!("`{function}` needs {}, and {} is given", article(wanted), article(val.type_name())))
}

fn article(kind: &str) -> String {
    let word = kind.to_lowercase();
    match word.as_str() {
        "null" => word,
        _ if word.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {word}"),
        _ => format!("a {word}"),
    }
}

/// Argument `index`; null when absent.
pub(crate) fn at(args: &[Value], index: usize) -> &Value {
    static NULL: Value = Value::NULL;
    args.get(index).unwrap_or(&NULL)
}

/// Argument `index` as a string.
pub(crate) fn string<'a>(function: &str, args: &'a [Value], index: usize) -> Result<&'a Arc<str>, EvalError> {
    let val = at(args, index);
    val.as_str().ok_or_else(|| wrong_type(function, "String", val))
}

/// Argument `index` as an integer.
pub(crate) fn int(function: &str, args: &[Value], index: usize) -> Result<i64, EvalError> {
    let val = at(args, index);
    val.as_int().ok_or_else(|| wrong_type(function, "Integer", val))
}

/// Argument `index` as an array.
pub(crate) fn array<'a>(function: &str, args: &'a [Value], index: usize) -> Result<&'a [Value], EvalError> {
    let val = at(args, index);
    val.as_array().ok_or_else(|| wrong_type(function, "Array", val))
}

/// A scalar as text: `True`, `12`, the string itself; `None` for arrays and objects.
pub(crate) fn scalar(val: &Value) -> Option<String> {
    Some(match &val.kind {
        ValueKind::Null => String::new(),
        ValueKind::Bool(true) => "True".to_string(),
        ValueKind::Bool(false) => "False".to_string(),
        ValueKind::Int(value) => value.to_string(),
        ValueKind::Float(value) => float(*value),
        ValueKind::Str(text) => text.to_string(),
        _ => return None,
    })
}

/// A fraction as .NET prints it: shortest form that reads back.
pub(crate) fn float(value: f64) -> String {
    if value != 0.0 && (value.abs() >= 1e15 || value.abs() < 1e-5) {
        let text = format!("{value:E}");
        let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}E{sign}{:02}", exponent.abs());
    }
    value.to_string()
}
