//! Values, secrets, the two times, sizes by need.

use super::listed;
use crate::value::{Deferred, Deploy, SecretStep};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};

/// `mon..tue + fri`; `days` is the span of days, `rest` what is added or taken away.
pub(crate) fn days_without_parentheses(span: Span, days: Span, rest: Span) -> Diagnostic {
    let at = |at: u32| Span { start: at, end: at, ..span };
    Diagnostic::new(Code::BadLiteral, "`+` and `-` bind more tightly than `..`", rest, "belongs to the last day")
        .help("put the span of days in parentheses: `(mon..tue) + fri`")
        .fix(
            "Add parentheses",
            vec![(at(days.start), "(".to_owned()), (at(days.end), ")".to_owned())],
            Safety::NeedsReview,
        )
}

pub(crate) fn bad_literal(span: Span, why: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BadLiteral, "this literal is malformed", span, why).help(help)
}

pub(crate) fn host_bits(written: &str, meant: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadLiteral,
        format!("`{written}` is an address inside a range, not a range"),
        span,
        "has bits set beyond the prefix",
    )
    .write_instead(meant, span)
}

pub(crate) fn unknown_unit(unit: &str, span: Span, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::BadLiteral, format!("there is no unit `{unit}`"), span, "no such unit");
    match crate::table::suggest(unit, known.iter().copied()) {
        Some(meant) => diagnostic.help(format!("write `{meant}`")),
        None => diagnostic.help(format!("use one of {}", listed(known.iter().copied(), 20))),
    }
}

pub(crate) fn overflow(span: Span) -> Diagnostic {
    Diagnostic::new(Code::Overflow, "the result is too large or too small to represent", span, "out of bounds")
        .note("integers have 64 bits and decimals 28 digits; a size is never negative, and a time of day ends at 24:00")
        .help("use smaller numbers")
}

pub(crate) fn division_by_zero(span: Span) -> Diagnostic {
    Diagnostic::new(Code::DivisionByZero, "division by zero", span, "this is zero")
        .help("make sure that the divisor is not zero")
}

pub(crate) fn too_large(span: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Code::TooLarge, why, span, "exceeds the limit")
        .help("make it smaller")
        .note("the limit keeps compilation fast")
}

pub(crate) fn index_out_of_range(index: i64, length: usize, span: Span) -> Diagnostic {
    let elements = if length == 1 { "element" } else { "elements" };
    let help = match length {
        0 => "check that the list has elements first: `length(list) > 0`".to_owned(),
        1 => "write `0`: the first element".to_owned(),
        length => format!("write a number between 0 and {}", length - 1),
    };
    Diagnostic::new(
        Code::IndexOutOfRange,
        format!("index {index} is out of range for a list of {length} {elements}"),
        span,
        "out of range",
    )
    .help(help)
}

pub(crate) fn bad_argument(function: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadArgument, format!("cannot compute `{function}`: {why}"), span, "for these arguments")
        .help("call it with different arguments")
}

pub(crate) fn check_failed(message: Option<&str>, span: Span) -> Diagnostic {
    let title = match message {
        Some(message) => message.to_owned(),
        None => "a check of the project is false".to_owned(),
    };
    Diagnostic::new(Code::CheckFailed, title, span, "evaluates to false")
        .help("change the project so that the condition is true")
}

/// The origin of a deferred value, as named in messages.
pub(super) fn origin(expr: &Deploy) -> Option<String> {
    match expr {
        Deploy::Parameter(name) => Some(format!("the parameter `{name}`")),
        Deploy::Attribute(_, name) => Some(format!("the attribute `{name}`")),
        Deploy::Call(_, parts) => parts.iter().find_map(origin),
        Deploy::Member(of, _) => origin(of),
        Deploy::Index(of, at) => origin(of).or_else(|| origin(at)),
        Deploy::Constant(_) => None,
    }
}

pub(crate) fn not_early(value: &Deferred, what: &str, span: Span) -> Diagnostic {
    let from = origin(&value.expr).unwrap_or_else(|| "a deployment-time value".to_owned());
    Diagnostic::new(
        Code::NotEarly,
        format!("{what} must be known at compile time, but {from} is known only at deployment"),
        span,
        "known only at deployment",
    )
    .help("use a constant or a `let`; for settings that differ between environments, use one project file for each environment")
    .note("one template is generated for all envs, and its resources depend on this value")
}

pub(crate) fn not_at_deployment(title: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NotAtDeployment, title, span, "depends on a deployment-time value").help(why)
}

pub(crate) fn builtin_not_at_deployment(function: &str, part: &Deferred, span: Span) -> Diagnostic {
    let from = origin(&part.expr).unwrap_or_else(|| "a deployment-time value".to_owned());
    Diagnostic::new(
        Code::NotAtDeployment,
        format!("`{function}` is not available at deployment time, but {from} is known only then"),
        span,
        "depends on a deployment-time value",
    )
    .help("call it with constants, or use a function that ARM templates support")
}

pub(crate) fn secret_exposed(path: &[SecretStep], span: Span, place: &str) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(Code::SecretExposed, format!("a secret reaches {place}"), span, "the secret arrives here");
    for step in path {
        if step.span != span {
            diagnostic = diagnostic.also(step.span, step.text.to_string());
        }
    }
    diagnostic
        .help(
            "use the secret only where Azure protects it: a password field, a `secret` of a vault, protected settings",
        )
        .note("names, tags, outputs and plain settings are visible to everyone who can read the deployment")
}

pub(crate) fn secret_output(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SecretExposed,
        format!("the output `{name}` would expose a secret"),
        span,
        "outputs are public",
    )
    .help("store the secret in a vault, and output its location")
    .note("Azure shows outputs to everyone who can read the deployment")
}

pub(crate) fn secret_in_plain_text(name: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SecretInPlainText,
        format!("the secret `{name}` is written in plain text"),
        span,
        "visible to anyone who can read the file",
    )
    .also(declared, "declared secret here")
    .help(format!(
        "omit it and pass it at deployment, or name the vault that stores it: `{name} = {{ vault = keys, secret = \"{}\" }}`",
        name.replace('_', "-")
    ))
}

/// A secret inside a longer text, such as a command or the value of a variable.
pub(crate) fn secret_in_text(what: &str, certain: bool, span: Span) -> Diagnostic {
    let help = "take it out and make it invalid where it was issued; let the machines read secrets from a vault with their identity";
    if certain {
        let title = format!("{what} is written in plain text");
        return Diagnostic::new(Code::SecretInPlainText, title, span, "visible to anyone who can read the file")
            .help(help);
    }
    let title = format!("this text looks as if it contained {what}");
    Diagnostic::new(Code::SecretSuspected, title, span, "visible to anyone who can read the file")
        .note("if it is a checksum or an example, nothing has to be done")
        .help(help)
}

pub(crate) fn secret_wanted(param: bool, span: Span) -> Diagnostic {
    if param {
        let title = "expected a secret, but this parameter is not secret";
        return Diagnostic::new(Code::TypeMismatch, title, span, "written to every parameter file and shown by Azure")
            .help("declare it as a `secret param`");
    }
    let title = "a secret is written in plain text";
    Diagnostic::new(Code::SecretInPlainText, title, span, "visible to anyone who can read the file")
        .help("declare `secret param password: string` and write `password` here; its value is passed at deployment")
}

pub(crate) fn secret_with_default(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SecretInPlainText,
        format!("the secret `{name}` has a default in plain text"),
        span,
        "visible to anyone who can read the file",
    )
    .help("remove the default")
}

pub(crate) fn size_chosen(chosen: &str, others: &[String], count: usize, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::SizeChosen,
        format!("the smallest size that fits is {chosen}"),
        span,
        "chosen by these requirements",
    );
    match others {
        [] => diagnostic.note("no other size fits"),
        some => {
            let more = count.saturating_sub(some.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            diagnostic.note(format!("these sizes also fit: {}{more}", some.join(", ")))
        }
    }
}

pub(crate) fn no_size_fits(nearest: Option<(String, Vec<Span>)>, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NoSizeFits, "no size meets all of these requirements", span, "no match");
    let Some((name, missed)) = nearest else { return diagnostic.help("relax the requirements") };
    let mut diagnostic = diagnostic.help(format!("relax the requirements: the nearest size is {name}"));
    for need in missed {
        diagnostic = diagnostic.also(need, "the nearest size does not meet this");
    }
    diagnostic.note("sizes with an announced retirement are not considered")
}
