//! Errors of the engine → diagnostics, for those who have the template's text in a source map.

use super::error::TemplateError;
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_diagnostics::{Code, Diagnostic, Label, LabelStyle};

/// The error as a diagnostic in the file of the template.
#[must_use]
pub fn diagnostic(error: &TemplateError, source: SourceId) -> Diagnostic {
    let code = Code::TemplateUnusable;
    // A place, not a letter: at the end of the text there is none, and some have several bytes.
    let labels = error.position.map(|position| Label {
        span: Span::new(source, position.offset, position.offset),
        style: LabelStyle::Primary,
        text: String::from("here"),
    });
    let mut notes = Vec::new();
    if let Some(resource) = &error.resource {
        notes.push(format!("the resource is `{resource}`"));
    }
    notes.push(format!("Azure says {}: {}", error.code, error.message));
    Diagnostic {
        code,
        rule: None,
        severity: code.severity(),
        title: error.sentence.clone(),
        labels: labels.into_iter().collect(),
        help: error.help.iter().cloned().collect(),
        notes,
        fixes: Vec::new(),
    }
}
