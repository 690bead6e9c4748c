//! Diagnostics → one line each, `file:line:column: severity[CODE]: title`, for editors.

use super::Found;
use super::snippet::word;
use super::visible::clean;
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::SourceMap;

/// All of them, in order; no cap, because a program reads it.
#[must_use]
pub fn all(found: &[Found<'_>]) -> String {
    found.iter().flat_map(|(sources, diagnostics)| diagnostics.iter().map(|d| one(sources, d))).collect()
}

fn one(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let place = diagnostic
        .primary()
        .and_then(|span| {
            let file = sources.get(span.source)?;
            let (line, column) = file.line_column(span.start);
            Some(format!("{}:{line}:{column}: ", clean(&file.name)))
        })
        .unwrap_or_default();
    let help =
        diagnostic.help.first().map(|help| format!(" (help: {})", clean(&help.replace('\n', " ")))).unwrap_or_default();
    format!("{place}{}[{}]: {}{help}\n", word(diagnostic.severity), diagnostic.id(), clean(&diagnostic.title))
}
