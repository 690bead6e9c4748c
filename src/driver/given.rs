//! Values given at deployment → a program with these values, and texts that messages about them can point into.

use dsvm_diagnostics::source::{SourceFile, SourceMap, Span};
use dsvm_sema::value::Value;
use dsvm_sema::{Program, ProvidedValue};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use std::sync::Arc;

/// A value that does not stand in the sources. Never a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenValue {
    /// Name of the parameter, as it is declared.
    pub name: String,
    /// As templates carry it.
    pub value: Json,
    /// Where it came from, for messages: `--set`, `values.json`.
    pub origin: String,
}

/// Gives the program values for one env. Each origin is shown as a text of lines `name = value`.
pub(super) fn give(program: &mut Program, sources: &mut SourceMap, env: &str, values: &[GivenValue]) {
    let mut origins: Vec<&str> = values.iter().map(|given| given.origin.as_str()).collect();
    origins.dedup();
    let mut all = Vec::with_capacity(values.len());
    for origin in origins {
        let mut text = String::new();
        let mut places = Vec::new();
        for given in values.iter().filter(|given| given.origin == origin) {
            let start = text.len() + given.name.len() + " = ".len();
            text.push_str(&format!("{} = {}\n", given.name, given.value));
            places.push((given, start as u32, text.len() as u32 - 1));
        }
        let source = sources.add(SourceFile::new(origin, text));
        all.extend(places.into_iter().map(|(given, start, end)| ProvidedValue {
            name: Arc::from(given.name.as_str()),
            value: value(&given.value),
            span: Span::new(source, start, end),
        }));
    }
    program.give(env, all);
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => number.to_string().parse::<Decimal>().map_or(Value::Error, Value::Decimal),
        },
        Json::String(text) => Value::String(Arc::from(text.as_str())),
        Json::Array(items) => Value::List(Arc::new(items.iter().map(value).collect())),
        Json::Object(fields) => Value::Record(Arc::new(
            fields.iter().map(|(name, field)| (Arc::from(name.as_str()), value(field))).collect(),
        )),
    }
}
