//! Diagnostics of loading: what is wrong with a file before it is parsed.

use crate::diagnostics::{Code, Diagnostic};
use crate::source::{SourceId, Span};

/// A byte that is not UTF-8; `at` is its place in the text as decoded.
pub(super) fn not_utf8(source: SourceId, at: u32) -> Diagnostic {
    // The character that stands for broken bytes is three bytes long.
    let span = Span::new(source, at, at + 3);
    Diagnostic::new(Code::NotUtf8, "this file is not UTF-8 text", span, "the first broken character")
        .help("save the file as UTF-8 (not UTF-16 or Latin-1)")
}
