//! Functions on strings.

use super::args::{array, at, int, scalar, string, wrong_type};
use super::{Function, Group, composite, hash, plain, shape, text};
use crate::budget::Budget;
use crate::error::EvalError;
use crate::value::{Value, ValueKind};
use std::sync::Arc;

const G: Group = Group::String;

pub(super) static FUNCTIONS: &[Function] = &[
    shape(G, "concat", 0, None, concat),
    plain(G, "startsWith", 2, Some(2), |a, _| {
        let (text, part) = (text::folded(string("startsWith", a, 0)?), text::folded(string("startsWith", a, 1)?));
        Ok(Value::bool(text.starts_with(&part)))
    }),
    plain(G, "endsWith", 2, Some(2), |a, _| {
        let (text, part) = (text::folded(string("endsWith", a, 0)?), text::folded(string("endsWith", a, 1)?));
        Ok(Value::bool(text.ends_with(&part)))
    }),
    plain(G, "format", 1, None, |a, budget| composite::format(a, budget).map(Value::str)),
    plain(G, "guid", 1, None, |a, _| Ok(Value::str(hash::guid(&joined("guid", a)?)))),
    plain(G, "uniqueString", 1, None, |a, _| Ok(Value::str(hash::unique_string(&joined("uniqueString", a)?)))),
    plain(G, "join", 2, Some(2), join),
    plain(G, "padLeft", 2, Some(3), pad_left),
    plain(G, "replace", 3, Some(3), |a, budget| {
        let (text, old, new) = (string("replace", a, 0)?, string("replace", a, 1)?, string("replace", a, 2)?);
        if old.is_empty() {
            return Err(EvalError::new(
                "The template language function 'replace' expects a value that is not empty to replace.",
            )
            .says("`replace` cannot look for an empty string"));
        }
        let grown = text.matches(&**old).count().saturating_mul(new.len()).saturating_add(text.len());
        bounded(grown, budget)?;
        Ok(Value::str(text.replace(&**old, new)))
    }),
    plain(G, "split", 2, Some(2), split),
    plain(G, "string", 1, Some(1), |a, _| Ok(Value::str(stringify(at(a, 0))))),
    plain(G, "substring", 1, Some(3), substring),
    plain(G, "toLower", 1, Some(1), |a, _| Ok(Value::str(text::lower(string("toLower", a, 0)?)))),
    plain(G, "toUpper", 1, Some(1), |a, _| Ok(Value::str(text::upper(string("toUpper", a, 0)?)))),
    plain(G, "trim", 1, Some(1), |a, _| Ok(Value::str(string("trim", a, 0)?.trim()))),
    plain(G, "like", 2, Some(2), |a, budget| {
        let (text, pattern) = (string("like", a, 0)?, string("like", a, 1)?);
        budget.charge(text.len().saturating_mul(pattern.len().max(1)) / 64)?;
        let (text, pattern) = (text::folded(text), text::folded(pattern));
        Ok(Value::bool(wildcard(&text.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>())))
    }),
    plain(G, "fail", 1, Some(1), |a, _| {
        let message = string("fail", a, 0)?;
        Err(EvalError::new(message.to_string()).says(format!("the template stops here with `fail`: {message}")))
    }),
];

/// Refuses a result that would pass the bound of one value before it is made.
pub(super) fn bounded(bytes: usize, budget: &Budget) -> Result<(), EvalError> {
    let most = crate::value::MAX_WEIGHT;
    if bytes > most {
        return Err(EvalError::limit(format!("a value has more than {most} bytes")));
    }
    budget.charge(bytes / 64)
}

fn concat(args: &[Value], budget: &Budget) -> Result<Option<Value>, EvalError> {
    if args.iter().any(|a| matches!(a.kind, ValueKind::Expr(_))) {
        return Ok(None);
    }
    if args.iter().any(|a| matches!(a.kind, ValueKind::Array(_))) {
        let mut items = Vec::new();
        for (index, _) in args.iter().enumerate() {
            let part = array("concat", args, index)?;
            budget.charge(part.len())?;
            items.extend_from_slice(part);
        }
        return Value::array(items).map(Some);
    }
    let mut out = String::new();
    for arg in args {
        match &arg.kind {
            ValueKind::Str(text) => out.push_str(text),
            _ => out.push_str(&scalar(arg).ok_or_else(|| wrong_type("concat", "String", arg))?),
        }
        bounded(out.len(), budget)?;
    }
    Ok(Some(Value::str(out)))
}

/// The arguments of a hash joined by `-`.
fn joined(function: &str, args: &[Value]) -> Result<String, EvalError> {
    let mut parts = Vec::with_capacity(args.len());
    for arg in args {
        match &arg.kind {
            ValueKind::Null => return Err(wrong_type(function, "String", arg)),
            _ => parts.push(scalar(arg).ok_or_else(|| wrong_type(function, "String", arg))?),
        }
    }
    Ok(parts.join("-"))
}

fn join(args: &[Value], budget: &Budget) -> Result<Value, EvalError> {
    let (items, delimiter) = (array("join", args, 0)?, string("join", args, 1)?);
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(delimiter);
        }
        out.push_str(&scalar(item).ok_or_else(|| wrong_type("join", "String", item))?);
        bounded(out.len(), budget)?;
    }
    Ok(Value::str(out))
}

fn pad_left(args: &[Value], budget: &Budget) -> Result<Value, EvalError> {
    let value = match &at(args, 0).kind {
        ValueKind::Str(_) | ValueKind::Int(_) => scalar(at(args, 0)).unwrap_or_default(),
        _ => return Err(wrong_type("padLeft", "String", at(args, 0))),
    };
    let total = int("padLeft", args, 1)?;
    let pad = if args.len() > 2 { Arc::clone(string("padLeft", args, 2)?) } else { Arc::from(" ") };
    let mut chars = pad.chars();
    let (Some(pad), None) = (chars.next(), chars.next()) else {
        return Err(EvalError::new(
            "The template language function 'padLeft' expects its third parameter to be a single character.",
        )
        .says("`padLeft` fills with one character"));
    };
    let Ok(total) = usize::try_from(total) else {
        return Err(EvalError::new(
            "The template language function 'padLeft' expects a total length that is not negative.",
        )
        .says("the length given to `padLeft` is negative"));
    };
    bounded(total.saturating_mul(pad.len_utf8()), budget)?;
    let missing = total.saturating_sub(text::length(&value));
    let mut out: String = std::iter::repeat_n(pad, missing).collect();
    out.push_str(&value);
    Ok(Value::str(out))
}

fn split(args: &[Value], budget: &Budget) -> Result<Value, EvalError> {
    let input = string("split", args, 0)?;
    let delimiters: Vec<Arc<str>> = match &at(args, 1).kind {
        ValueKind::Str(one) => vec![Arc::clone(one)],
        ValueKind::Array(_) => {
            let items = array("split", args, 1)?;
            (0..items.len()).map(|i| string("split", items, i).cloned()).collect::<Result<_, _>>()?
        }
        _ => return Err(wrong_type("split", "String", at(args, 1))),
    };
    let delimiters: Vec<_> = delimiters.into_iter().filter(|d| !d.is_empty()).collect();
    budget.charge(input.len().saturating_mul(delimiters.len()) / 64)?;
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < input.len() {
        let rest = input.get(at..).unwrap_or("");
        match delimiters.iter().find(|d| rest.starts_with(&***d)) {
            Some(delimiter) => {
                parts.push(Value::str(input.get(start..at).unwrap_or("")));
                at += delimiter.len();
                start = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push(Value::str(input.get(start..).unwrap_or("")));
    Value::array(parts)
}

fn substring(args: &[Value], _: &Budget) -> Result<Value, EvalError> {
    let input = string("substring", args, 0)?;
    let length = text::length(input) as i64;
    let start = if args.len() > 1 && !at(args, 1).is_null() { int("substring", args, 1)? } else { 0 };
    let count = if args.len() > 2 && !at(args, 2).is_null() {
        int("substring", args, 2)?
    } else {
        length.saturating_sub(start)
    };
    if start < 0 || count < 0 || start.saturating_add(count) > length {
        return Err(EvalError::new(format!(
            "The index and length parameters must refer to a location within the string. The index parameter: '{start}', \
             the length parameter: '{count}', the length of the string parameter: '{length}'."
        ))
        .says(format!("`substring` asks for {count} characters from position {start} of a string of {length}")));
    }
    Ok(Value::str(text::slice(input, start as usize, count as usize)))
}

/// What `string()` gives: JSON for arrays and objects, plain text for scalars.
pub(crate) fn stringify(val: &Value) -> String {
    scalar(val).unwrap_or_else(|| val.to_json().to_string())
}

fn wildcard(text: &[char], pattern: &[char]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if text.get(t) == Some(c) => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|c| *c == '*'))
}
