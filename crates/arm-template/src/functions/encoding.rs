//! Functions that encode and decode.

use super::args::string;
use super::{Function, Group, plain};
use crate::budget::Budget;
use crate::error::EvalError;
use crate::json;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const G: Group = Group::String;
/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) static FUNCTIONS: &[Function] = &[
    plain(G, "base64", 1, Some(1), |a, _| Ok(Value::str(STANDARD.encode(string("base64", a, 0)?.as_bytes())))),
    plain(G, "base64ToString", 1, Some(1), |a, _| {
        decode("base64ToString", string("base64ToString", a, 0)?).map(Value::str)
    }),
    plain(G, "base64ToJson", 1, Some(1), |a, budget| {
        let text = decode("base64ToJson", string("base64ToJson", a, 0)?)?;
        parse("base64ToJson", &text, budget)
    }),
    plain(G, "dataUri", 1, Some(1), |a, _| {
        let encoded = STANDARD.encode(string("dataUri", a, 0)?.as_bytes());
        Ok(Value::str(format!("data:text/plain;charset=utf-8;base64,{encoded}")))
    }),
    plain(G, "dataUriToString", 1, Some(1), |a, _| data_uri_to_string(string("dataUriToString", a, 0)?)),
    plain(G, "uriComponent", 1, Some(1), |a, _| {
        Ok(Value::str(utf8_percent_encode(string("uriComponent", a, 0)?, RESERVED).to_string()))
    }),
    plain(G, "uriComponentToString", 1, Some(1), |a, _| {
        Ok(Value::str(percent_decode_str(string("uriComponentToString", a, 0)?).decode_utf8_lossy().into_owned()))
    }),
    plain(G, "json", 1, Some(1), |a, budget| parse("json", string("json", a, 0)?, budget)),
];

fn decode(function: &str, text: &str) -> Result<String, EvalError> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(compact.as_bytes()).map_err(|_| {
        EvalError::new(format!(
            "The template language function '{function}' was invoked with a parameter that is not valid base64."
        ))
        .says(format!("the text given to `{function}` is not base64"))
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse(function: &str, text: &str, budget: &Budget) -> Result<Value, EvalError> {
    budget.charge(text.len() / 16)?;
    budget.charge_memory(text.len().saturating_mul(16))?;
    let node = json::read(text).map_err(|error| {
        EvalError::new(format!(
            "The template language function '{function}' parameter is not valid. The provided value cannot be converted \
             to JSON. Please see https://aka.ms/arm-functions#{function} for usage details."
        ))
        .says(format!("the text given to `{function}` is not JSON: {}", error.message))
    })?;
    Value::from_node(&node)
}

fn data_uri_to_string(text: &str) -> Result<Value, EvalError> {
    let bad = || {
        EvalError::new("The template language function 'dataUriToString' expects a data URI as its parameter.")
            .says("the text given to `dataUriToString` is not a data URI")
    };
    let (scheme, rest) = text.split_once(':').ok_or_else(bad)?;
    let (head, data) = rest.split_once(',').ok_or_else(bad)?;
    if !scheme.eq_ignore_ascii_case("data") {
        return Err(bad());
    }
    if head.to_ascii_lowercase().ends_with(";base64") {
        return decode("dataUriToString", data).map(Value::str);
    }
    Ok(Value::str(percent_decode_str(data).decode_utf8_lossy().into_owned()))
}
