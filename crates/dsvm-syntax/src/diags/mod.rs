//! The diagnostics of the parser, in the words of people who write `.dsvm`.

mod foreign;

pub(super) use foreign::*;

use super::scan::MAX_DEPTH;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};

/// Brackets or operators nested too deep.
pub(super) fn nesting_too_deep(span: Span) -> Diagnostic {
    // The whole may be long; its beginning is enough to find it.
    let span = Span { end: span.end.min(span.start + 1), ..span };
    Diagnostic::new(Code::NestingTooDeep, "this is nested too deeply", span, "too many levels here")
        .help("give parts of it names with `let` and use the names")
        .note(format!("brackets may be nested {MAX_DEPTH} levels deep, expressions 256"))
}

/// An unknown escape in a string; `escape` is backslash and letter: `\q`
pub(super) fn unknown_escape(span: Span, escape: &str) -> Diagnostic {
    let doubled = format!("\\{escape}");
    Diagnostic::new(Code::UnknownEscape, format!("`{escape}` is not an escape sequence"), span, "unknown escape")
        .help(format!("write `{doubled}` for a backslash; the escapes are \\n \\t \\r \\\" \\\\ \\$ and \\u{{1F600}}"))
        .fix("Double the backslash", vec![(span, doubled)], Safety::NeedsReview)
}

/// A phrase in an `env`.
pub(super) fn not_a_value(span: Span, keyword: &str) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, format!("`{keyword}` is not allowed in an `env`"), span, "not a value")
        .help("an `env` contains values of parameters: write `name = value`")
}

/// A phrase in a record.
pub(super) fn phrase_in_record(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "a record contains only fields", span, "not a field")
        .help("write `name = value`")
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

/// A path that would have to be computed: `import "${x}.dsvm"`
pub(super) fn interpolated_path(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "the path of an import must be fixed", span, "contains `${…}`")
        .help("write the full path")
}

/// A string on its own in a body.
pub(super) fn lonely_string(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "unexpected string", span, "neither a field nor a phrase")
        .help("write `name = value`")
}

/// What is found where a line ends.
pub(super) const END_OF_LINE: &str = "the end of the line";

/// The message for what no other function here recognises: found and expected.
pub(super) fn unexpected(span: Span, found: &str, expected: &[&str], way_out: Option<String>) -> Diagnostic {
    let title = match expected.split_last() {
        None if found == END_OF_LINE => "this line ends too early".to_owned(),
        None => format!("unexpected {found}"),
        Some((last, [])) => format!("expected {last}, found {found}"),
        Some((last, before)) => format!("expected {} or {last}, found {found}", before.join(", ")),
    };
    let expected: Vec<&str> = expected.iter().copied().filter(|word| *word != "the end of the line").collect();
    let help = way_out.unwrap_or_else(|| match (expected.split_last(), found.starts_with('`')) {
        (Some((last, [])), true) => format!("write {last} before {found}, or remove {found}"),
        (Some((last, before)), true) => format!("write {} or {last} here, or remove {found}", before.join(", ")),
        (Some((last, before)), false) if !before.is_empty() => format!("continue with {} or {last}", before.join(", ")),
        (Some((last, _)), false) => format!("continue with {last}"),
        (None, _) if found == END_OF_LINE => "write what is missing, or remove the line".to_owned(),
        (None, _) => format!("remove {found}"),
    });
    Diagnostic::new(Code::UnexpectedToken, title, span, "not expected here").help(help)
}

/// How a token is named in a message.
pub(super) fn shown(token: &str) -> String {
    let short: String = token.chars().take(24).collect();
    if short.len() < token.len() { format!("`{short}…`") } else { format!("`{token}`") }
}

/// The bracket that closes `opener`.
pub(super) fn closer(opener: u8) -> &'static str {
    match opener {
        b'(' => "`)`",
        b'[' => "`]`",
        _ => "`}`",
    }
}

/// A bracket without its partner; `missed` is where it was expected.
pub(super) fn unclosed_bracket(span: Span, opener: u8, missed: Span) -> Diagnostic {
    let closer = closer(opener);
    Diagnostic::new(Code::UnclosedBracket, format!("`{}` is never closed", opener as char), span, "opened here")
        .also(missed, format!("{closer} expected here"))
        .help(format!("add {closer}"))
        .fix(format!("Add {closer}"), vec![(missed, fix_closer(opener))], Safety::NeedsReview)
}

fn fix_closer(opener: u8) -> String {
    match opener {
        b'{' => "\n}".to_owned(),
        other => closer(other).trim_matches('`').to_owned(),
    }
}

/// A closing bracket without an opening one.
pub(super) fn stray_bracket(span: Span, bracket: &str, open: Option<(Span, &str)>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::StrayBracket, format!("unmatched `{bracket}`"), span, "no matching opening bracket");
    match open {
        Some((opener, closer)) => {
            diagnostic.also(opener, format!("this is closed by {closer}")).help(format!("write {closer} or remove it"))
        }
        None => diagnostic.help("remove it").fix(
            format!("Remove `{bracket}`"),
            vec![(span, String::new())],
            Safety::NeedsReview,
        ),
    }
}

/// A string or pattern without its end.
pub(super) fn unterminated(span: Span, text: &str) -> Diagnostic {
    let (title, closer) = match text {
        t if t.starts_with("\"\"\"") => ("this string has no closing quotes", "\"\"\""),
        t if t.starts_with('"') => ("this string has no closing quote", "\""),
        _ => ("this pattern has no closing slash", "/"),
    };
    let end = Span { start: span.end, ..span };
    let opening = Span { end: span.start + closer.len() as u32, ..span };
    if closer != "\"\"\"" && text.contains('\n') {
        return broken_string(span, opening, text);
    }
    Diagnostic::new(Code::UnterminatedString, title, opening, "it starts here")
        .also(end, format!("`{closer}` expected here at the latest"))
        .help(format!("add `{closer}`; a multi-line string is written between `\"\"\"`"))
        .fix(format!("Add `{closer}`"), vec![(end, closer.to_owned())], Safety::NeedsReview)
}

/// A string between `"` that goes on in a later line, whose end was found there.
fn broken_string(span: Span, opening: Span, text: &str) -> Diagnostic {
    let closing = Span { start: span.end.saturating_sub(1), ..span };
    let mut joined = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    if joined.ends_with(" \"") {
        joined.truncate(joined.len() - 2);
        joined.push('"');
    }
    let title = "this string does not end on the line where it starts";
    Diagnostic::new(Code::UnterminatedString, title, opening, "it starts here")
        .also(closing, "and ends here, on another line")
        .help("write it on one line, with `\\n` for a new line in the text; a multi-line string is written between `\"\"\"`")
        .fix("Join the lines", vec![(span, joined)], Safety::NeedsReview)
}

/// `24.12.2026`; `written` is the same date as the language writes it.
pub(super) fn dotted_date(span: Span, written: &str) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "dates are written as year-month-day", span, "wrong order")
        .help(format!("write `{written}`"))
        .fix(format!("Write `{written}`"), vec![(span, written.to_owned())], Safety::NeedsReview)
}

/// Three numbers with dots, such as `10.0.0`
pub(super) fn three_numbers(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "three numbers with dots are not a value", span, "not a value")
        .help("write four for an address (`10.0.0.0`), `2026-12-24` for a date, or quotes around a version")
}

/// Something behind the end of a block on the same line; `end` is where the block ends.
pub(super) fn missing_newline(span: Span, found: &str, end: u32) -> Diagnostic {
    let at = Span { start: end, end, ..span };
    Diagnostic::new(
        Code::MissingSeparator,
        format!("missing newline before {}", shown(found)),
        span,
        "must start on a new line",
    )
    .help("start a new line here")
    .fix("Start a new line", vec![(at, "\n".to_owned())], Safety::NeedsReview)
}

/// `a b` where `a, b` is meant.
pub(super) fn missing_comma(between: Span, next: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::MissingSeparator, format!("{what} is missing"), next, "expected before this")
        .help("add a comma")
        .fix("Add a comma", vec![(between, ",".to_owned())], Safety::Safe)
}

/// Two commas in a row: `a,, b`
pub(super) fn double_comma(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MissingValue,
        "a value is missing between two commas",
        span,
        "a value is expected before this",
    )
    .help("remove one comma")
    .fix("Remove the comma", vec![(span, String::new())], Safety::NeedsReview)
}

/// A field without a value: `size =`
pub(super) fn missing_value(at: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::MissingValue, format!("`{name}` has no value"), at, "a value is expected here")
        .help("write a value after `=`, or remove the line")
}

/// An operator without its right operand: `a +`
pub(super) fn missing_operand(span: Span, sign: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MissingValue,
        format!("missing operand after `{sign}`"),
        span,
        "a value is expected after this",
    )
    .help(format!("write a value after `{sign}`, or remove `{sign}`"))
}

/// A mistake in `${…}`; the span is of `${`.
pub(super) fn bad_interpolation(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::UnexpectedToken,
        "no complete value between `${` and `}`",
        span,
        "a value is expected in here",
    )
    .help("write one value, as in `${name}`; write `\\${` for a literal `${`")
}

/// `foo bar = 3`
pub(super) fn name_of_two_words(span: Span, first: &str, second: &str) -> Diagnostic {
    let joined = format!("{first}_{second}");
    Diagnostic::new(Code::BadName, "the name of a field is one word", span, "two words")
        .help(format!("write `{joined} = …`, or put `{second} = …` on a line of its own"))
        .fix(format!("Rename it to `{joined}`"), vec![(span, joined)], Safety::NeedsReview)
}
