//! Values, secrets, the two times, sizes by need.

use super::listed;
use crate::value::{Deferred, Deploy, SecretStep};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};

pub(crate) fn bad_literal(span: Span, why: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BadLiteral, "this value cannot be read", span, why).help(help)
}

pub(crate) fn host_bits(written: &str, meant: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadLiteral,
        format!("`{written}` is an address inside a range, not a range"),
        span,
        "bits are set after the prefix",
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
    Diagnostic::new(Code::Overflow, "the result is too large or too small to be kept", span, "out of bounds")
        .note("whole numbers have 64 bits, decimals 28 digits; a size is never negative, a time of day ends at 24:00")
        .help("compute with smaller numbers")
}

pub(crate) fn division_by_zero(span: Span) -> Diagnostic {
    Diagnostic::new(Code::DivisionByZero, "a division by zero", span, "this is zero")
        .help("make sure that it is not zero")
}

pub(crate) fn too_large(span: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Code::TooLarge, why, span, "too much")
        .help("make it smaller")
        .note("the limit keeps every check short")
}

pub(crate) fn index_out_of_range(index: i64, length: usize, span: Span) -> Diagnostic {
    let elements = if length == 1 { "element" } else { "elements" };
    let help = match length {
        0 => "look at whether the list has elements: `length(list) > 0`".to_owned(),
        1 => "write `0`: the first element".to_owned(),
        length => format!("write a number between 0 and {}", length - 1),
    };
    Diagnostic::new(
        Code::IndexOutOfRange,
        format!("there is no element {index} in a list of {length} {elements}"),
        span,
        "outside the list",
    )
    .help(help)
}

pub(crate) fn bad_argument(function: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadArgument, format!("`{function}` cannot be computed: {why}"), span, "with these values")
        .help("call it with other values")
}

pub(crate) fn check_failed(message: Option<&str>, span: Span) -> Diagnostic {
    let title = match message {
        Some(message) => message.to_owned(),
        None => "a rule of the project does not hold".to_owned(),
    };
    Diagnostic::new(Code::CheckFailed, title, span, "does not hold").help("change the project so that the rule holds")
}

/// What a deferred value comes from, as told to people.
fn origin(expr: &Deploy) -> Option<String> {
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
    let from = origin(&value.expr).unwrap_or_else(|| "a value of the deployment".to_owned());
    Diagnostic::new(
        Code::NotEarly,
        format!("{what} must be known while compiling, and {from} is known only at deployment"),
        span,
        "known only at deployment",
    )
    .help("write a constant, or a `let`; for what differs between environments, one project file for each")
    .note("one template is made for all envs, and its resources depend on this value")
}

pub(crate) fn not_at_deployment(title: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NotAtDeployment, title, span, "needs a value of the deployment").help(why)
}

pub(crate) fn builtin_not_at_deployment(function: &str, part: &Deferred, span: Span) -> Diagnostic {
    let from = origin(&part.expr).unwrap_or_else(|| "a value of the deployment".to_owned());
    Diagnostic::new(
        Code::NotAtDeployment,
        format!("`{function}` cannot be computed by the deployment, and {from} is known only there"),
        span,
        "needs a value of the deployment",
    )
    .help("compute it from constants, or use a function that templates have too")
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
        .help("use the secret only where Azure keeps it: a password field, a `secret` of a vault, protected settings")
        .note("names, tags, outputs and plain settings are shown again to everybody who can read the deployment")
}

pub(crate) fn secret_output(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecretExposed, format!("the output `{name}` would be secret"), span, "outputs are public")
        .help("put the secret into a vault, and give out where it is")
        .note("Azure shows outputs to everybody who can read the deployment")
}

pub(crate) fn secret_in_plain_text(name: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SecretInPlainText,
        format!("the secret `{name}` is written in plain text"),
        span,
        "anybody who reads the file sees it",
    )
    .also(declared, "declared secret here")
    .help(format!(
        "leave it out and give it at deployment, or say where it is kept: `{name} = {{ vault = keys, secret = \"{}\" }}`",
        name.replace('_', "-")
    ))
}

pub(crate) fn secret_wanted(param: bool, span: Span) -> Diagnostic {
    if param {
        let title = "a secret is wanted, and this parameter is none";
        return Diagnostic::new(Code::TypeMismatch, title, span, "in every parameter file, and shown by Azure")
            .help("declare it as a `secret param`");
    }
    let title = "a secret is written in plain text";
    Diagnostic::new(Code::SecretInPlainText, title, span, "anybody who reads the file sees it")
        .help("declare `secret param password: string` and write `password` here: it is given at deployment")
}

pub(crate) fn secret_with_default(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SecretInPlainText,
        format!("the secret `{name}` has a default in plain text"),
        span,
        "anybody who reads the file sees it",
    )
    .help("remove the default")
}

pub(crate) fn size_chosen(chosen: &str, others: &[String], count: usize, span: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::SizeChosen, format!("the smallest size that fits is {chosen}"), span, "chosen by need");
    match others {
        [] => diagnostic.note("no other size fits"),
        some => {
            let more = count.saturating_sub(some.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            diagnostic.note(format!("these fit too: {}{more}", some.join(", ")))
        }
    }
}

pub(crate) fn no_size_fits(nearest: Option<(String, Vec<Span>)>, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NoSizeFits, "no size meets all of these needs", span, "nothing fits");
    let Some((name, missed)) = nearest else { return diagnostic.help("ask for less") };
    let mut diagnostic = diagnostic.help(format!("ask for less: the nearest is {name}"));
    for need in missed {
        diagnostic = diagnostic.also(need, "the nearest size does not meet this");
    }
    diagnostic.note("sizes whose end is announced are not offered")
}
