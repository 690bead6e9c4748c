//! Provenance → the source map as JSON: for each part of a template, the lines that it came from.

use crate::source::{SourceMap, Span};
use serde_json::{Value, json};

/// Raised when a reader of the old form would misread the new one.
const SCHEMA: u32 = 1;

/// The document, with a newline at its end. Pointers are JSON pointers into the template.
#[must_use]
pub fn write(sources: &SourceMap, provenance: &[(String, Span)]) -> String {
    let parts: Vec<Value> = provenance.iter().map(|(pointer, span)| part(sources, pointer, *span)).collect();
    format!("{:#}\n", json!({ "schema": SCHEMA, "parts": parts }))
}

fn part(sources: &SourceMap, pointer: &str, span: Span) -> Value {
    let Some(file) = sources.get(span.source) else { return json!({ "pointer": pointer }) };
    let (line, column) = file.line_column(span.start);
    let (end_line, end_column) = file.line_column(span.end);
    json!({
        "pointer": pointer, "file": &*file.name,
        "line": line, "column": column, "end_line": end_line, "end_column": end_column,
    })
}
