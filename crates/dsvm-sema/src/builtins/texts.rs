//! Functions of text.

use super::{Builtin, CallError, Kind, at, int, list, string, text, ty_bool, ty_int, ty_text, ty_texts};
use crate::eval::plain;
use crate::ty::Ty;
use crate::value::Value;
use base64::Engine as _;
use std::sync::Arc;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "concat",
        signature: "concat(a: string, …): string · concat(a: [T], …): [T]",
        doc: "The concatenation of strings or lists.",
        example: ("concat(\"gpu\", \"-\", \"a\")", "\"gpu-a\""),
        arguments: &[Kind::TextOrList],
        least: 1,
        many: true,
        compute: concat,
        arm: Some("concat"),
        result: |types| match types.first().map(Ty::base) {
            Some(list @ Ty::List(_)) => list.clone(),
            _ => Ty::String,
        },
    },
    Builtin {
        name: "join",
        signature: "join(list: [string], separator: string): string",
        doc: "The strings of a list, joined with a separator.",
        example: ("join([\"a\", \"b\"], \"-\")", "\"a-b\""),
        arguments: &[Kind::List, Kind::Text],
        least: 2,
        many: false,
        compute: join,
        arm: Some("join"),
        result: ty_text,
    },
    Builtin {
        name: "split",
        signature: "split(text: string, separator: string): [string]",
        doc: "The parts of a string between separators.",
        example: ("split(\"a-b\", \"-\")", "[\"a\", \"b\"]"),
        arguments: &[Kind::Text, Kind::Text],
        least: 2,
        many: false,
        compute: split,
        arm: Some("split"),
        result: ty_texts,
    },
    Builtin {
        name: "lower",
        signature: "lower(text: string): string",
        doc: "The text in lower case.",
        example: ("lower(\"GPU\")", "\"gpu\""),
        arguments: &[Kind::Text],
        least: 1,
        many: false,
        compute: |values| string(text(at(values, 0)?)?.to_lowercase()),
        arm: Some("toLower"),
        result: ty_text,
    },
    Builtin {
        name: "upper",
        signature: "upper(text: string): string",
        doc: "The text in upper case.",
        example: ("upper(\"gpu\")", "\"GPU\""),
        arguments: &[Kind::Text],
        least: 1,
        many: false,
        compute: |values| string(text(at(values, 0)?)?.to_uppercase()),
        arm: Some("toUpper"),
        result: ty_text,
    },
    Builtin {
        name: "trim",
        signature: "trim(text: string): string",
        doc: "The text without leading and trailing whitespace.",
        example: ("trim(\" a \")", "\"a\""),
        arguments: &[Kind::Text],
        least: 1,
        many: false,
        compute: |values| string(text(at(values, 0)?)?.trim()),
        arm: Some("trim"),
        result: ty_text,
    },
    Builtin {
        name: "replace",
        signature: "replace(text: string, old: string, new: string): string",
        doc: "The text with every `old` replaced.",
        example: ("replace(\"a_b\", \"_\", \"-\")", "\"a-b\""),
        arguments: &[Kind::Text, Kind::Text, Kind::Text],
        least: 3,
        many: false,
        compute: |values| {
            let (text, old, new) = (text(at(values, 0)?)?, text(at(values, 1)?)?, text(at(values, 2)?)?);
            match old.is_empty() {
                true => Err(CallError::Value("there is nothing to replace: `old` is empty".to_owned())),
                false if text.len().saturating_mul(new.len().max(1)) > 64 << 20 => {
                    Err(CallError::Value("the result would be longer than 1 MiB".to_owned()))
                }
                false => string(text.replace(&**old, new)),
            }
        },
        arm: Some("replace"),
        result: ty_text,
    },
    Builtin {
        name: "starts_with",
        signature: "starts_with(text: string, start: string): bool",
        doc: "Whether a string starts with another.",
        example: ("starts_with(\"gpu-a\", \"gpu\")", "true"),
        arguments: &[Kind::Text, Kind::Text],
        least: 2,
        many: false,
        compute: |values| Ok(Value::Bool(text(at(values, 0)?)?.starts_with(&**text(at(values, 1)?)?))),
        arm: Some("startsWith"),
        result: ty_bool,
    },
    Builtin {
        name: "ends_with",
        signature: "ends_with(text: string, end: string): bool",
        doc: "Whether a string ends with another.",
        example: ("ends_with(\"gpu-a\", \"-a\")", "true"),
        arguments: &[Kind::Text, Kind::Text],
        least: 2,
        many: false,
        compute: |values| Ok(Value::Bool(text(at(values, 0)?)?.ends_with(&**text(at(values, 1)?)?))),
        arm: Some("endsWith"),
        result: ty_bool,
    },
    Builtin {
        name: "pad",
        signature: "pad(text: string | int, width: int, with: string): string",
        doc: "The text, padded on the left with a character (a space by default) to the given width.",
        example: ("pad(7, 3, \"0\")", "\"007\""),
        arguments: &[Kind::Any, Kind::Int, Kind::Text],
        least: 2,
        many: false,
        compute: pad,
        arm: Some("padLeft"),
        result: ty_text,
    },
    Builtin {
        name: "text",
        signature: "text(value: any): string",
        doc: "A number, a quantity or another plain value as a string. Interpolation, as in `\"${n} machines\"`, does the same.",
        example: ("text(15 min)", "\"15 min\""),
        arguments: &[Kind::Any],
        least: 1,
        many: false,
        compute: |values| match plain(at(values, 0)?) {
            Some(text) => string(text),
            None => Err(CallError::Argument(0, "a plain value".to_owned())),
        },
        arm: Some("string"),
        result: ty_text,
    },
    Builtin {
        name: "int",
        signature: "int(text: string): int",
        doc: "The integer that a string contains.",
        example: ("int(\"42\")", "42"),
        arguments: &[Kind::Text],
        least: 1,
        many: false,
        compute: |values| {
            let digits = text(at(values, 0)?)?;
            digits
                .trim()
                .parse()
                .map(Value::Int)
                .map_err(|_| CallError::Value(format!("`{digits}` is not a whole number")))
        },
        arm: Some("int"),
        result: ty_int,
    },
    Builtin {
        name: "base64",
        signature: "base64(text: string): string",
        doc: "The text in Base64.",
        example: ("base64(\"hi\")", "\"aGk=\""),
        arguments: &[Kind::Text],
        least: 1,
        many: false,
        compute: |values| string(base64::engine::general_purpose::STANDARD.encode(text(at(values, 0)?)?.as_bytes())),
        arm: Some("base64"),
        result: ty_text,
    },
    Builtin {
        name: "unique_string",
        signature: "unique_string(text: string, …): string",
        doc: "Thirteen letters and digits that are always the same for the same strings. The deployment computes them.",
        example: ("length([unique_string(\"a\")])", "1"),
        arguments: &[Kind::Text],
        least: 1,
        many: true,
        compute: |_| Err(CallError::Later),
        arm: Some("uniqueString"),
        result: ty_text,
    },
    Builtin {
        name: "guid",
        signature: "guid(text: string, …): string",
        doc: "A GUID that is always the same for the same strings. The deployment computes it.",
        example: ("length([guid(\"a\")])", "1"),
        arguments: &[Kind::Text],
        least: 1,
        many: true,
        compute: |_| Err(CallError::Later),
        arm: Some("guid"),
        result: ty_text,
    },
];

/// Bytes of a text, and elements of a list, after which nothing is added: the caller refuses it.
const TEXT: usize = 1 << 20;
const LIST: usize = 100_000;

fn concat(values: &[Value]) -> Result<Value, CallError> {
    match values.first() {
        Some(Value::List(_)) => {
            let mut all = Vec::new();
            for (index, value) in values.iter().enumerate() {
                match value {
                    // What is too long in the end need not be made.
                    Value::List(_) if all.len() > LIST => {}
                    Value::List(items) => all.extend(items.iter().cloned()),
                    _ => return Err(CallError::Argument(index, "a list, like the first".to_owned())),
                }
            }
            Ok(Value::List(Arc::new(all)))
        }
        _ => {
            let mut all = String::new();
            for (index, value) in values.iter().enumerate() {
                match value {
                    Value::String(_) if all.len() > TEXT => {}
                    Value::String(text) => all.push_str(text),
                    _ => return Err(CallError::Argument(index, "string, like the first".to_owned())),
                }
            }
            string(all)
        }
    }
}

fn join(values: &[Value]) -> Result<Value, CallError> {
    let separator = text(at(values, 1)?)?;
    let mut all = String::new();
    for (index, item) in list(at(values, 0)?)?.iter().enumerate() {
        if all.len() > TEXT {
            break;
        }
        if index > 0 {
            all.push_str(separator);
        }
        match item {
            Value::Deferred(_) => return Err(CallError::Later),
            item => match plain(item) {
                Some(text) => all.push_str(&text),
                None => return Err(CallError::Argument(0, "a list of texts".to_owned())),
            },
        }
    }
    string(all)
}

fn split(values: &[Value]) -> Result<Value, CallError> {
    let (whole, separator) = (text(at(values, 0)?)?, text(at(values, 1)?)?);
    if separator.is_empty() {
        return Err(CallError::Value("the separator is empty".to_owned()));
    }
    Ok(Value::List(Arc::new(whole.split(&**separator).map(|part| Value::String(part.into())).collect())))
}

fn pad(values: &[Value]) -> Result<Value, CallError> {
    let Some(start) = plain(at(values, 0)?) else { return Err(CallError::Argument(0, "string | int".to_owned())) };
    let width = int(at(values, 1)?)?;
    let fill = match values.get(2) {
        Some(value) => text(value)?.to_string(),
        None => " ".to_owned(),
    };
    let mut characters = fill.chars();
    let (Some(fill), None) = (characters.next(), characters.next()) else {
        return Err(CallError::Value("it is filled with one character".to_owned()));
    };
    if !(0..=1000).contains(&width) {
        return Err(CallError::Value("the width is between 0 and 1000".to_owned()));
    }
    let missing = (width as usize).saturating_sub(start.chars().count());
    string(std::iter::repeat_n(fill, missing).chain(start.chars()).collect::<String>())
}
