//! Provenance → the source map as JSON: for each part of a template, the lines that it came from.

use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_graph::json::{number, quote};
use std::fmt::Write as _;

/// Raised when a reader of the old form would misread the new one.
const SCHEMA: u32 = 1;

/// The document, with a newline at its end. Pointers are JSON pointers into the template.
#[must_use]
pub fn write(sources: &SourceMap, provenance: &[(String, Span)]) -> String {
    let mut out = String::with_capacity(64 + provenance.len() * 260);
    // Writing to a string cannot fail.
    let _ = write!(out, "{{\n  \"schema\": {SCHEMA},\n  \"parts\": [");
    for (index, (pointer, span)) in provenance.iter().enumerate() {
        out.push_str(if index > 0 { ",\n    {\n      \"pointer\": " } else { "\n    {\n      \"pointer\": " });
        quote(pointer, &mut out);
        if let Some(file) = sources.get(span.source) {
            out.push_str(",\n      \"file\": ");
            quote(&file.name, &mut out);
            let (line, column) = file.line_column(span.start);
            let (end_line, end_column) = file.line_column(span.end);
            for (name, value) in [
                (",\n      \"line\": ", line),
                (",\n      \"column\": ", column),
                (",\n      \"end_line\": ", end_line),
                (",\n      \"end_column\": ", end_column),
            ] {
                out.push_str(name);
                number(value.into(), &mut out);
            }
        }
        out.push_str("\n    }");
    }
    out.push_str(if provenance.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
    out
}
