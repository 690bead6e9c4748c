//! Diagnostics of what comes from other languages: signs, characters, keywords, names.

use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use dsvm_grammar::words::{SIZE_UNITS, TIME_UNITS};

fn foreign(title: impl Into<String>, span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::ForeignSign, title, span, label)
}

/// `size: sizes.A` in place of `size = sizes.A`; `span` starts at the colon.
pub(in super::super) fn colon_in_field(span: Span, name: &str) -> Diagnostic {
    let colon = Span { end: span.start + 1, ..span };
    foreign("a field is written with `=`, not `:`", colon, "`=` is expected here")
        .help(format!("write `{name} = …`"))
        .fix("Replace `:` by `=`", vec![(colon, " =".to_owned())], Safety::Safe)
}

/// A field written as `a := b`
pub(in super::super) fn colon_equals(span: Span) -> Diagnostic {
    foreign("a field is written with `=`, not `:=`", span, "`=` is expected here").help("write `=`").fix(
        "Replace `:=` by `=`",
        vec![(span, "=".to_owned())],
        Safety::Safe,
    )
}

/// A field written with two signs: `size == sizes.A`
pub(in super::super) fn double_equals(span: Span, name: &str) -> Diagnostic {
    foreign("a field is written with one `=`; `==` compares", span, "`=` is expected here")
        .help(format!("write `{name} = …`"))
        .fix("Replace `==` by `=`", vec![(span, "=".to_owned())], Safety::Safe)
}

/// `check a = b`
pub(in super::super) fn single_equals(span: Span) -> Diagnostic {
    foreign("values are compared with `==`; `=` sets a field", span, "`==` is expected here").help("write `==`").fix(
        "Replace `=` by `==`",
        vec![(span, "==".to_owned())],
        Safety::Safe,
    )
}

/// A comparison written as `a === b`
pub(in super::super) fn triple_equals(span: Span) -> Diagnostic {
    foreign("values are compared with `==`", span, "`==` is expected here").help("write `==`").fix(
        "Replace by `==`",
        vec![(span, "==".to_owned())],
        Safety::Safe,
    )
}

/// A compound assignment such as `a += 1`
pub(in super::super) fn no_assignment(span: Span) -> Diagnostic {
    foreign("values cannot be changed", span, "compound assignment is not supported")
        .help("write `=` and the full value")
}

/// A semicolon, as in `a = 1;`
pub(in super::super) fn semicolon(span: Span) -> Diagnostic {
    foreign("`;` has no meaning here", span, "not needed")
        .help("remove it; the end of the line ends a field, and `,` separates fields on one line")
        .fix("Remove `;`", vec![(span, String::new())], Safety::NeedsReview)
}

/// A comment that begins with `#`
pub(in super::super) fn hash_comment(span: Span) -> Diagnostic {
    foreign("comments start with `//`, not `#`", span, "`//` is expected here").help("write `//`").fix(
        "Replace `#` by `//`",
        vec![(span, "//".to_owned())],
        Safety::Safe,
    )
}

/// A comment between `/*` and `*/`
pub(in super::super) fn block_comment(span: Span) -> Diagnostic {
    foreign("comments start with `//` and end with the line", span, "there are no `/* … */` comments")
        .help("write `//` before each line of the comment")
}

/// A string in single quotes; `inner` is its text, if the closing quote was found.
pub(in super::super) fn single_quotes(span: Span, inner: Option<&str>) -> Diagnostic {
    let diagnostic = foreign("strings are written with double quotes", span, "`\"` is expected here");
    match inner {
        Some(inner) => {
            let quoted = format!("\"{}\"", inner.replace('"', "\\\""));
            diagnostic.help(format!("write `{quoted}`")).fix("Use double quotes", vec![(span, quoted)], Safety::Safe)
        }
        None => diagnostic.help("write `\"`"),
    }
}

/// `and`, `or`, `not`, `&`, `|`
pub(in super::super) fn written_as(span: Span, word: &str, sign: &str) -> Diagnostic {
    foreign(format!("`{word}` is written `{sign}`"), span, "not an operator").help(format!("write `{sign}`")).fix(
        format!("Replace `{word}` by `{sign}`"),
        vec![(span, sign.to_owned())],
        Safety::Safe,
    )
}

/// `a ? b : c`
pub(in super::super) fn ternary(span: Span) -> Diagnostic {
    foreign("a choice is written `if … then … else …`", span, "there is no `? :`")
        .help("write `if condition then a else b`")
}

/// `${x}` outside a string
pub(in super::super) fn interpolation_outside(span: Span) -> Diagnostic {
    foreign("`${…}` is allowed only inside strings", span, "not inside a string")
        .help("write only the name, or put quotes around the whole text")
}

/// `fn f() -> int`
pub(in super::super) fn arrow_result(span: Span) -> Diagnostic {
    foreign("the type of the result is written after `:`", span, "`:` is expected here")
        .help("write `fn name(…): type = value`")
        .fix("Replace `->` by `:`", vec![(span, ":".to_owned())], Safety::NeedsReview)
}

/// An arrow instead of `=`: `a => b`
pub(in super::super) fn arrow(span: Span) -> Diagnostic {
    foreign("`=>` has no meaning here", span, "`=` is expected here").help("write `=`").fix(
        "Replace `=>` by `=`",
        vec![(span, "=".to_owned())],
        Safety::Safe,
    )
}

/// `import "./x.dsvm" { a }`
pub(in super::super) fn names_after_path(span: Span, names: &str, file: &str) -> Diagnostic {
    foreign("the names of an import come before its file", span, "in the wrong position")
        .help(format!("write `import {names} from {file}`"))
}

/// `when … then { … }`
pub(in super::super) fn no_then(span: Span) -> Diagnostic {
    foreign("there is no `then` before the braces of a block", span, "not needed").help("remove `then`").fix(
        "Remove `then`",
        vec![(span, String::new())],
        Safety::Safe,
    )
}

/// `pool team = interactive {`
pub(in super::super) fn equals_for_class(span: Span, keyword: &str, name: &str, class: &str) -> Diagnostic {
    foreign(format!("the class of a {keyword} is written after `:`, not `=`"), span, "`:` is expected here")
        .help(format!("write `{keyword} {name}: {class}`"))
        .fix("Replace `=` by `:`", vec![(span, ":".to_owned())], Safety::NeedsReview)
}

/// `var x = 1`
pub(in super::super) fn other_keyword(span: Span, word: &str, keyword: &str) -> Diagnostic {
    foreign(format!("`{word}` is written `{keyword}`"), span, "no such declaration")
        .help(format!("write `{keyword}`"))
        .fix(format!("Replace `{word}` by `{keyword}`"), vec![(span, keyword.to_owned())], Safety::NeedsReview)
}

/// `@description("…")`: a decorator of Bicep; `text` is its only argument, if that is a string.
///
/// The decorators: <https://learn.microsoft.com/en-us/azure/azure-resource-manager/bicep/parameters#use-decorators>
pub(in super::super) fn decorator(span: Span, name: &str, text: &str) -> Diagnostic {
    let diagnostic = foreign("there are no decorators", span, "not a declaration");
    match name {
        "description" | "doc" if !text.is_empty() => diagnostic.help(format!("write a doc comment: `/// {text}`")).fix(
            "Write a doc comment",
            vec![(span, format!("/// {text}"))],
            Safety::NeedsReview,
        ),
        "description" | "doc" => diagnostic.help("write a doc comment: `/// …` on the line before"),
        "secure" => diagnostic.help("write `secret param NAME: string`"),
        "allowed" => diagnostic.help("list the words in the type: `param NAME: \"a\" | \"b\" = \"a\"`"),
        "minValue" | "maxValue" | "minLength" | "maxLength" => {
            diagnostic.help("write the limits in the type: `param NAME: int in 1..10`")
        }
        _ => diagnostic.help("remove it"),
    }
}

/// `+1` in place of `add 1`.
pub(in super::super) fn signed_count(span: Span, sign: &str, number: &str) -> Diagnostic {
    let written = format!("{} {number}", if sign == "+" { "add" } else { "remove" });
    foreign(format!("`{sign}{number}` is written `{written}`"), span, "not a field")
        .help(format!("write `{written}`"))
        .fix(format!("Write `{written}`"), vec![(span, written.clone())], Safety::NeedsReview)
}

/// `1 to 10`, a range with a word.
pub(in super::super) fn range_with_to(span: Span, from: &str, to: &str) -> Diagnostic {
    let written = format!("{from}..{to}");
    foreign("a range is written with two dots", span, "not a range").help(format!("write `{written}`")).fix(
        format!("Write `{written}`"),
        vec![(span, written.clone())],
        Safety::Safe,
    )
}

/// A line that git left in the file where two versions of it meet; `span` is the line.
pub(in super::super) fn conflict_marker(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ForeignSign,
        "this file has an unresolved merge conflict",
        span,
        "the versions that differ begin here",
    )
    .help("keep one version or combine them, and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`")
    .note("the rest of the file is checked once the conflict is resolved")
}

/// Characters that make a reader see another order of letters than the compiler; `first` is the first of them.
pub(in super::super) fn direction_override(c: char, first: Span, others: &[Span]) -> Diagnostic {
    let code = u32::from(c);
    let mut diagnostic = Diagnostic::new(
        Code::DirectionOverride,
        "a hidden character changes the order in which this text is shown",
        first,
        format!("U+{code:04X} is here"),
    );
    for span in others {
        diagnostic = diagnostic.also(*span, "another one is here");
    }
    diagnostic
        .help(format!("delete it; inside a string it can be written as `\\u{{{code:x}}}`"))
        .note("what such a file shows to a reader is not what it does")
}

/// A block whose content begins without its `{`; `head` is the text before it.
pub(in super::super) fn missing_open_brace(head: Span) -> Diagnostic {
    let at = Span { start: head.end, ..head };
    Diagnostic::new(Code::UnclosedBracket, "the `{` of this block is missing", head, "`{` is expected after this")
        .help("add `{` at the end of the line")
        .fix("Add `{`", vec![(at, " {".to_owned())], Safety::NeedsReview)
}

/// A path without quotes: `import ./x.dsvm`
pub(in super::super) fn unquoted_path(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnexpectedToken, "the path of an import must be in quotes", span, "`\"` is expected here")
        .help("write for example `import \"./common.dsvm\"`; only modules such as `std.images` are written without quotes")
}

/// `location = westus2` at the top of a file
pub(in super::super) fn field_outside(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnexpectedToken,
        format!("the field `{name}` is outside any block"),
        span,
        "not in a block",
    )
    .help(format!("move it into the block that it belongs to, such as `project NAME {{ … }}`, or name a constant with `let {name} = …`"))
}

/// `pool 3d`, `let 2x`
pub(in super::super) fn number_as_name(span: Span, word: &str) -> Diagnostic {
    Diagnostic::new(Code::BadName, format!("`{word}` cannot be a name"), span, "starts with a digit")
        .help(format!("start it with a letter: `_{word}` or `n{word}`"))
        .note("names consist of the letters a-z and A-Z, digits and `_`, and do not start with a digit")
}

/// A name with hyphens, as `my-pool`; the key of a `field` may be quoted instead.
pub(in super::super) fn hyphen(span: Span, name: &str, field: bool) -> Diagnostic {
    let with = name.replace('-', "_");
    let diagnostic = Diagnostic::new(Code::BadName, format!("`{name}` cannot be a name"), span, "contains `-`")
        .note("names consist of the letters a-z and A-Z, digits and `_`");
    if field {
        let quoted = format!("\"{name}\"");
        diagnostic.help(format!("put the key of a tag in quotes: `{quoted} = …`")).fix(
            "Put it in quotes",
            vec![(span, quoted)],
            Safety::NeedsReview,
        )
    } else {
        diagnostic.help(format!("write `{with}`")).fix(
            format!("Rename it to `{with}`"),
            vec![(span, with)],
            Safety::NeedsReview,
        )
    }
}

/// `param x = 3`
pub(in super::super) fn missing_type(at: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::MissingValue, format!("the parameter `{name}` has no type"), at, "`: type` is expected here")
        .help(format!("write for example `param {name}: string`"))
}

/// `then` where a value is expected.
pub(in super::super) fn reserved_word(span: Span, word: &str) -> Diagnostic {
    Diagnostic::new(Code::BadName, format!("`{word}` is a reserved word, not a name"), span, "a value is expected here")
        .help("use another name")
}

/// `min (1, 2)`; `gap` is the blank.
pub(in super::super) fn blank_before_bracket(span: Span, gap: Span, name: &str, bracket: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnexpectedToken,
        format!("unexpected space between `{name}` and `{bracket}`"),
        span,
        "must follow directly",
    )
    .help(format!("write `{name}{bracket}`"))
    .fix("Remove the space", vec![(gap, String::new())], Safety::NeedsReview)
}

/// Whether it is a quotation mark of typography.
pub(in super::super) fn is_quote(text: &str) -> bool {
    matches!(text, "“" | "”" | "„" | "‟" | "«" | "»" | "‘" | "’" | "＂")
}

/// A character without a meaning in the language; `quotes` are the typographic quotes of the line.
pub(in super::super) fn foreign_character(span: Span, text: &str, quotes: Vec<(Span, String)>) -> Diagnostic {
    let c = text.chars().next().unwrap_or(' ');
    if is_quote(text) {
        return Diagnostic::new(
            Code::ForeignCharacter,
            format!("`{text}` is a typographic quote"),
            span,
            "not a plain quote",
        )
        .help("write `\"`")
        .fix("Replace typographic quotes by plain ones", quotes, Safety::Safe);
    }
    let code = format!("U+{:04X}", c as u32);
    if c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{2060}') {
        return Diagnostic::new(
            Code::ForeignCharacter,
            format!("unexpected invisible character {code}"),
            span,
            "not a regular space",
        )
        .help("replace it with a space")
        .fix("Replace it with a space", vec![(span, " ".to_owned())], Safety::Safe);
    }
    if c.is_control() {
        return Diagnostic::new(
            Code::ForeignCharacter,
            format!("unexpected control character {code}"),
            span,
            "not text",
        )
        .help("remove it")
        .fix("Remove it", vec![(span, String::new())], Safety::NeedsReview);
    }
    Diagnostic::new(
        Code::ForeignCharacter,
        format!("`{c}` has no meaning outside strings"),
        span,
        "not part of the language",
    )
    .help("put text in quotes; names consist of the letters a-z and A-Z, digits and `_`")
}

/// The units of the language in a sentence.
fn units() -> String {
    let named = [TIME_UNITS, SIZE_UNITS].concat().join(", ");
    format!("{named}, % and money such as USD or USD/h")
}

/// A word behind a number that is not a unit: `15 minutes`
pub(in super::super) fn unknown_unit(span: Span, unit: &str) -> Diagnostic {
    let known = match unit.to_ascii_lowercase().as_str() {
        "second" | "seconds" | "secs" => Some("s"),
        "m" | "minute" | "minutes" | "mins" => Some("min"),
        "hour" | "hours" | "hr" | "hrs" => Some("h"),
        "percent" | "pct" => Some("%"),
        "k" | "ki" | "kib" => Some("KiB"),
        "mi" | "mib" => Some("MiB"),
        "g" | "gi" | "gib" | "gig" => Some("GiB"),
        "t" | "ti" | "tib" => Some("TiB"),
        "kb" | "kilobyte" | "kilobytes" => Some("KB"),
        "mb" | "megabyte" | "megabytes" => Some("MB"),
        "gb" | "gigabyte" | "gigabytes" => Some("GB"),
        "tb" | "terabyte" | "terabytes" => Some("TB"),
        _ => None,
    };
    let diagnostic = Diagnostic::new(Code::UnknownUnit, format!("`{unit}` is not a unit"), span, "unknown unit")
        .note(format!("units are {}", units()));
    match known {
        Some(known) => diagnostic.help(format!("write `{known}`")).fix(
            format!("Replace `{unit}` by `{known}`"),
            vec![(span, known.to_owned())],
            Safety::NeedsReview,
        ),
        None => diagnostic.help("write one of the units, or remove the word"),
    }
}

/// A unit behind something else than a plain number: `10.0.0.4 GiB`
pub(in super::super) fn unit_of_what(span: Span, unit: &str, number: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnknownUnit,
        format!("`{number}` cannot have the unit `{unit}`"),
        span,
        "not preceded by a plain number",
    )
    .help("write a plain number before the unit, as in `15 min`")
}

/// `2026-12-011`, `8:00pm`, `75%x`: `rest` follows directly on the number `number` and does not belong to it.
pub(in super::super) fn glued(whole: Span, rest_span: Span, number: &str, rest: &str) -> Diagnostic {
    let (what, help) = if number.ends_with('%') {
        ("a percentage", format!("write a blank between `%` and `{rest}`"))
    } else if number.contains(':') {
        ("a time", "write hours and minutes, such as `08:00` or `20:00`".to_owned())
    } else if number.contains('-') {
        ("a date", "write a date as year, month and day, such as `2026-12-01`".to_owned())
    } else if number.contains('/') {
        ("an address range", "write an address range such as `10.0.0.0/16`".to_owned())
    } else if number.matches('.').count() == 3 {
        ("an address", "write an address such as `10.0.0.4`".to_owned())
    } else {
        return unknown_unit(rest_span, rest);
    };
    Diagnostic::new(
        Code::UnexpectedToken,
        format!("`{number}{rest}` is not {what}"),
        whole,
        format!("`{rest}` follows directly on `{number}`"),
    )
    .help(help)
}

/// A body whose `{` is on the next line.
pub(in super::super) fn brace_on_next_line(span: Span, end_of_head: Span) -> Diagnostic {
    let gap = Span { start: end_of_head.end, end: span.end, ..span };
    Diagnostic::new(
        Code::UnexpectedToken,
        "the `{` of a body must be on the same line as its head",
        span,
        "on a line of its own",
    )
    .also(Span { start: end_of_head.end, ..end_of_head }, "expected here")
    .help("move `{` to the end of the line before")
    .fix("Move `{` to the line before", vec![(gap, " {".to_owned())], Safety::Safe)
}
