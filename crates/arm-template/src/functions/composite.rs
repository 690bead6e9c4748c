//! `format()`: .NET composite format strings, `{index,alignment:format}`, with invariant culture.

use super::args::{at, scalar, string};
use super::{numeric_format, strings, text};
use crate::budget::Budget;
use crate::error::EvalError;
use crate::value::{Value, ValueKind};

/// Maximum alignment width of a format item.
const MAX_WIDTH: usize = 1_000_000;

fn bad(detail: &str) -> EvalError {
    EvalError::new("Unable to evaluate the template language function 'format'; the format is invalid: 'Input string was not in a correct format.'. Please see https://aka.ms/arm-functions#format for usage details.")
        .says(format!("the format string given to `format` is not valid: {detail}"))
}

/// Evaluates `format`: .NET composite formatting.
pub(super) fn format(args: &[Value], budget: &Budget) -> Result<String, EvalError> {
    let pattern = string("format", args, 0)?;
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => out.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => out.push('}'),
            '}' => return Err(bad("a `}` has no `{`; write `}}` for the character")),
            '{' => {
                let mut item = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => item.push(c),
                        None => return Err(bad("a `{` is not closed; write `{{` for the character")),
                    }
                }
                one(&item, args, &mut out)?;
            }
            c => out.push(c),
        }
        if out.len() > 4096 {
            strings::bounded(out.len(), budget)?;
        }
    }
    Ok(out)
}

fn one(item: &str, args: &[Value], out: &mut String) -> Result<(), EvalError> {
    let (head, spec) = item.split_once(':').map_or((item, ""), |(head, spec)| (head, spec));
    let (index, width) = head.split_once(',').map_or((head, None), |(index, width)| (index, Some(width)));
    let index: usize = index.trim().parse().map_err(|_| bad(&format!("`{{{item}}}` has no number")))?;
    if index + 1 >= args.len() {
        return Err(bad(&format!("`{{{index}}}` has no argument; {} are given", args.len().saturating_sub(1))));
    }
    let shown = shown(at(args, index + 1), spec)?;
    let width = match width {
        Some(width) => width.trim().parse::<i64>().map_err(|_| bad(&format!("`{width}` is not a width")))?,
        None => 0,
    };
    let total = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    if total > MAX_WIDTH {
        return Err(bad(&format!("a width is at most {MAX_WIDTH}")));
    }
    let fill = " ".repeat(total.saturating_sub(text::length(&shown)));
    if width > 0 {
        out.push_str(&fill);
    }
    out.push_str(&shown);
    if width < 0 {
        out.push_str(&fill);
    }
    Ok(())
}

fn shown(val: &Value, spec: &str) -> Result<String, EvalError> {
    Ok(match &val.kind {
        ValueKind::Int(value) if !spec.is_empty() => {
            numeric_format::format(numeric_format::Number::from(*value), spec)?
        }
        ValueKind::Float(value) if !spec.is_empty() => {
            numeric_format::format(numeric_format::Number::from(*value), spec)?
        }
        ValueKind::Array(_) | ValueKind::Object(_) => {
            let mut out = String::new();
            quoted(val, &mut out);
            out
        }
        _ => scalar(val).unwrap_or_default(),
    })
}

/// Minified JSON with single quotes.
fn quoted(val: &Value, out: &mut String) {
    match &val.kind {
        ValueKind::Str(text) => quote(text, out),
        ValueKind::Array(array) => {
            out.push('[');
            for (index, item) in array.items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                quoted(item, out);
            }
            out.push(']');
        }
        ValueKind::Object(object) => {
            out.push('{');
            for (index, (key, value)) in object.members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                quote(key, out);
                out.push(':');
                quoted(value, out);
            }
            out.push('}');
        }
        _ => out.push_str(&val.to_json().to_string()),
    }
}

fn quote(text: &str, out: &mut String) {
    let json = serde_json::Value::from(text).to_string();
    let inner = json.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or("");
    out.push('\'');
    out.push_str(&inner.replace("\\\"", "\"").replace('\'', "\\'"));
    out.push('\'');
}
