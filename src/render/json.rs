//! Diagnostics → one JSON document with a schema number, for programs.

use super::Found;
use super::snippet::word;
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_diagnostics::{Diagnostic, LabelStyle, Safety, Severity};
use serde_json::{Value, json};

/// Raised when a reader of the old form would misread the new one.
const SCHEMA: u32 = 1;

/// The document, with a newline at its end. No cap, because a program reads it.
#[must_use]
pub fn all(found: &[Found<'_>]) -> String {
    let each = || found.iter().flat_map(|(sources, diagnostics)| diagnostics.iter().map(move |d| (*sources, d)));
    let count = |severity| each().filter(|(_, d)| d.severity == severity).count();
    let document = json!({
        "schema": SCHEMA,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "diagnostics": each().map(|(sources, d)| one(sources, d)).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn one(sources: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let labels = diagnostic.labels.iter().map(|label| {
        json!({ "primary": label.style == LabelStyle::Primary, "text": label.text, "at": place(sources, label.span) })
    });
    let fixes = diagnostic.fixes.iter().map(|fix| {
        let edits = fix.edits.iter().map(|(span, text)| json!({ "at": place(sources, *span), "text": text }));
        json!({ "title": fix.title, "safe": fix.safety == Safety::Safe, "edits": edits.collect::<Vec<_>>() })
    });
    json!({
        "code": diagnostic.id(),
        "name": diagnostic.rule.as_deref().unwrap_or(diagnostic.code.slug()),
        "severity": word(diagnostic.severity),
        "title": diagnostic.title,
        "labels": labels.collect::<Vec<_>>(),
        "help": diagnostic.help,
        "notes": diagnostic.notes,
        "fixes": fixes.collect::<Vec<_>>(),
    })
}

/// File, byte range, and lines and columns from 1 (columns count characters).
fn place(sources: &SourceMap, span: Span) -> Value {
    let Some(file) = sources.get(span.source) else { return Value::Null };
    let (line, column) = file.line_column(span.start);
    let (end_line, end_column) = file.line_column(span.end);
    json!({
        "file": &*file.name, "start": span.start, "end": span.end,
        "line": line, "column": column, "end_line": end_line, "end_column": end_column,
    })
}
