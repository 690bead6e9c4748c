//! Diagnostics of the pool model: one constructor for each fact, by subject.

mod access;
mod hardware;
mod scale;
mod storage;

pub(crate) use access::*;
pub(crate) use hardware::*;
pub(crate) use scale::*;
pub(crate) use storage::*;

use super::read;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Sink};
use dsvm_sema::checked::Block;

/// A diagnostic with code, title, place and what the place is.
pub(crate) fn new(code: Code, title: impl Into<String>, span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(code, title, span, label)
}

/// The number in a field if it was written and lies between two bounds; reports one that does not.
pub(crate) fn within(block: &Block, field: &str, least: i64, most: i64, rule: &str, sink: &mut Sink) -> Option<i64> {
    let value = read::int(block, field)?;
    if (least..=most).contains(&value) {
        return Some(value);
    }
    sink.push(outside(block, field, rule));
    None
}

/// A setting outside of its bounds.
pub(crate) fn outside(block: &Block, field: &str, rule: &str) -> Diagnostic {
    new(
        Code::OutOfBounds,
        format!("`{field}` is outside of what Azure allows"),
        block.span_of(field),
        "outside of the bounds",
    )
    .note(rule)
    .help(format!("choose a value of `{field}` within these bounds"))
}

/// Seconds in words: `90 s`, `15 min`, `2 h`.
pub(crate) fn duration(seconds: i64) -> String {
    match seconds {
        s if s % read::HOUR == 0 => format!("{} h", s / read::HOUR),
        s if s % read::MINUTE == 0 => format!("{} min", s / read::MINUTE),
        s => format!("{s} s"),
    }
}

/// Bytes in words.
pub(crate) fn size(bytes: i64) -> String {
    format!("{} GiB", bytes / read::GIB)
}

/// `use X instead`, when there is an X.
pub(crate) fn successor(diagnostic: Diagnostic, what: &str, successor: Option<String>) -> Diagnostic {
    match successor {
        Some(name) => diagnostic.help(format!("use `{name}` instead")),
        None => diagnostic.help(format!("choose another {what}")),
    }
}
