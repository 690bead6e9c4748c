//! Diagnostics of the pool model: one constructor for each fact, by subject.

mod access;
mod hardware;
mod scale;
mod storage;

pub(crate) use access::*;
pub(crate) use hardware::*;
pub(crate) use scale::*;
pub(crate) use storage::*;

use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};

/// A diagnostic with code, title, place and what the place is.
pub(crate) fn new(code: Code, title: impl Into<String>, span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(code, title, span, label)
}

/// `use X instead`, when there is an X.
pub(crate) fn successor(diagnostic: Diagnostic, what: &str, successor: Option<String>) -> Diagnostic {
    match successor {
        Some(name) => diagnostic.help(format!("use `{name}` instead")),
        None => diagnostic.help(format!("choose another {what}")),
    }
}
