//! Documents of JSON, strict: no comments, no trailing commas.

use super::{DEPTH, Node, NodeKind, Reading};
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions};
use std::sync::Arc;

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The value of a document.
pub(super) fn read(reading: &mut Reading<'_>, text: &str) -> Option<Node> {
    match jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => node(reading, parsed.value.as_ref()?, 0),
        Err(error) => {
            let range = error.range();
            let title = format!("this is not JSON: {}", sentence(&error.kind().to_string()));
            reading.wrong(range.start..range.end, title, "not JSON", "correct the file, or write the data as YAML");
            None
        }
    }
}

/// The words of a library, as the second half of a sentence.
pub(super) fn sentence(words: &str) -> String {
    let words = words.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    let mut letters = words.chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
}

fn node(reading: &mut Reading<'_>, value: &Value<'_>, depth: usize) -> Option<Node> {
    let range = value.range();
    let range = range.start..range.end;
    if depth > DEPTH {
        reading.too_deep(range);
        return None;
    }
    if depth > 0 {
        reading.count(range.clone())?;
    }
    let kind = match value {
        Value::NullKeyword(_) => NodeKind::Null,
        Value::BooleanLit(literal) => NodeKind::Bool(literal.value),
        Value::NumberLit(literal) => NodeKind::Number(Arc::from(literal.value)),
        Value::StringLit(literal) => NodeKind::Text(Arc::from(&*literal.value)),
        Value::Array(array) => {
            if depth == 0 {
                reading.rows(array.elements.len(), range.clone())?;
            }
            let mut list = Vec::with_capacity(array.elements.len());
            for element in &array.elements {
                list.push(node(reading, element, depth + 1)?);
            }
            NodeKind::List(list)
        }
        Value::Object(object) => {
            let mut record = Vec::with_capacity(object.properties.len());
            for property in &object.properties {
                let value = node(reading, &property.value, depth + 1)?;
                let place = property.name.range();
                reading.add(&mut record, property.name.as_str(), place.start..place.end, value);
            }
            NodeKind::Record(record)
        }
    };
    Some(reading.node(kind, range))
}
