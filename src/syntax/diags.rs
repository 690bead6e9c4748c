//! The diagnostics of the parser, in the words of people who write `.dsvm`.

use super::scan::MAX_DEPTH;
use crate::diagnostics::{Code, Diagnostic, Safety};
use crate::source::Span;

/// Brackets or operators nested too deep.
pub(super) fn nesting_too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NestingTooDeep, "this is nested too deep", span, "too many levels here")
        .help("give parts of it names with `let` and use the names")
        .note(format!("brackets may be nested {MAX_DEPTH} levels deep, expressions 256"))
}

/// `\q`
pub(super) fn unknown_escape(span: Span, escape: &str) -> Diagnostic {
    let doubled = format!("\\{escape}");
    Diagnostic::new(Code::UnknownEscape, format!("`{escape}` is no escape"), span, "unknown escape")
        .help(format!("write `{doubled}` for a backslash; the escapes are \\n \\t \\r \\\" \\\\ \\$ and \\u{{1F600}}"))
        .fix("Double the backslash", vec![(span, doubled)], Safety::NeedsReview)
}

/// A phrase in an `env`.
pub(super) fn not_a_value(span: Span, keyword: &str) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, format!("`{keyword}` cannot stand in an `env`"), span, "not a value")
        .help("an `env` holds values of parameters: `name = value`")
}

/// `env` without a plain name and a body.
pub(super) fn bad_env(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::UnexpectedToken,
        "this `env` is not of the form `env NAME { … }`",
        span,
        "one name and a body",
    )
    .help("write for example `env prod { max_machines = 40 }`")
}

/// `import "${x}.dsvm"`
pub(super) fn interpolated_path(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "the path of an import is not fixed", span, "contains `${…}`")
        .help("write the path out")
}

/// `size: sizes.A` in place of `size = sizes.A`; `span` starts at the colon.
pub(super) fn colon_in_field(span: Span, name: &str) -> Diagnostic {
    let colon = Span { end: span.start + 1, ..span };
    Diagnostic::new(Code::ForeignSign, "a field is written with `=`, not `:`", colon, "`=` is expected here")
        .help(format!("write `{name} = …`"))
        .fix("Replace `:` by `=`", vec![(colon, " =".to_owned())], Safety::Safe)
}

/// Something that fits nowhere.
pub(super) fn not_understood(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "this cannot stand here", span, "not understood from here on")
}
