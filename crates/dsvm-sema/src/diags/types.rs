//! Types.

use super::{article, listed};
use crate::fit::Misfit;
use crate::table::BlockKind;
use crate::ty::Ty;
use crate::value::Value;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};

pub(crate) fn misfit(value: &Value, found: &Ty, wanted: &Ty, misfit: &Misfit, span: Span) -> Diagnostic {
    match misfit {
        Misfit::Type => wrong_type(value, found, wanted, span),
        Misfit::Null => match value {
            Value::Null => Diagnostic::new(
                Code::MayBeNull,
                format!("there is no value, and a `{wanted}` is needed"),
                span,
                "`null`",
            )
            .help("write a value, leave the field out, or choose one with `??`"),
            _ => may_be_null(found, span),
        },
        Misfit::Bounds { min, max, length } => {
            let (what, label) = match (length, value) {
                (Some(length), Value::List(_)) => (format!("this list has {length} elements"), "its length"),
                (Some(length), _) => (format!("this text has {length} characters"), "its length"),
                (None, value) => (format!("{value} is outside {min}..{max}"), "out of bounds"),
            };
            let title = if length.is_some() { format!("{what}, and {min} to {max} are allowed") } else { what };
            Diagnostic::new(Code::OutOfRange, title, span, label).help(format!("write between {min} and {max}"))
        }
        Misfit::Pattern(pattern) => {
            Diagnostic::new(Code::OutOfRange, format!("{value} does not match /{pattern}/"), span, "another pattern")
                .help(format!("write text that matches /{pattern}/"))
        }
        Misfit::SshKey(why) => {
            Diagnostic::new(Code::OutOfRange, "this is no OpenSSH public key", span, "not a public key")
                .note(*why)
                .help("copy the whole line of a file that ends in `.pub`")
        }
        Misfit::Word(words) => {
            let shown = match value {
                Value::String(text) => format!("`{text}`"),
                other => other.to_string(),
            };
            let known: Vec<&str> = words.iter().map(|word| word.trim_matches('"')).collect();
            Diagnostic::new(
                Code::NotOneOf,
                format!("{shown} is none of {}", listed(known.iter().copied(), 8)),
                span,
                "not one of them",
            )
            .help(format!("write one of {}", listed(known.iter().copied(), 12)))
        }
        Misfit::Secret(path) => super::secret_exposed(path, span, "a place that is not kept secret"),
        Misfit::Plain(param) => super::secret_wanted(*param, span),
        Misfit::At(place, inner, part) => {
            let inner = self::misfit(&part.0, found, &part.1, inner, span);
            Diagnostic { title: format!("{place}: {}", inner.title), ..inner }
        }
        Misfit::Missing(name) => Diagnostic::new(
            Code::MissingField,
            format!("this record has no `{name}`"),
            span,
            format!("`{name}` is missing"),
        )
        .help(format!("add `{name} = …`"))
        .note(format!("a `{wanted}` is needed here")),
        Misfit::Unknown(name, known) => {
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            let diagnostic = Diagnostic::new(
                Code::UnknownField,
                format!("this record has a field `{name}` too many"),
                span,
                format!("`{name}` is not wanted here"),
            );
            match crate::table::suggest(name, known.iter().copied()) {
                Some(meant) => diagnostic.help(format!("write `{meant}`")),
                None => diagnostic.help(format!("its fields are {}", listed(known, 12))),
            }
        }
    }
}

/// A number of bytes and a kind of machine are both called `size`.
fn two_sizes(found: &Ty, wanted: &Ty, span: Span) -> Option<Diagnostic> {
    let (label, help) = match (found.base(), wanted.not_null().base()) {
        (Ty::Ref(BlockKind::Size), Ty::Size) => (
            "a kind of machine, not a number of bytes",
            "write the type of a kind of machine as `sizes.size`, with `import std.sizes`",
        ),
        (Ty::Size, Ty::Ref(BlockKind::Size)) => {
            ("a number of bytes, not a kind of machine", "name a kind of machine, such as `sizes.Standard_D4s_v5`")
        }
        _ => return None,
    };
    Some(Diagnostic::new(Code::TypeMismatch, "another sort of `size` is expected here", span, label).help(help))
}

fn wrong_type(value: &Value, found: &Ty, wanted: &Ty, span: Span) -> Diagnostic {
    if let Some(diagnostic) = two_sizes(found, wanted, span) {
        return diagnostic;
    }
    let wanted_text = wanted.to_string();
    let diagnostic = Diagnostic::new(
        Code::TypeMismatch,
        format!("a value of type `{wanted}` is expected, and this is {} `{found}`", article(&found.to_string())),
        span,
        format!("{} `{found}`", article(&found.to_string())),
    );
    let help = match (value, wanted.not_null().base()) {
        (Value::Int(n), Ty::Percent) => format!("write `{n}%`"),
        (Value::Int(n), Ty::Size) => format!("write the unit: `{n} GiB`"),
        (Value::Int(n), Ty::Duration) => format!("write the unit: `{n} min`"),
        (Value::Int(n), Ty::Money) => format!("write the currency: `{n} USD/h`"),
        (Value::Decimal(n), Ty::Money) => format!("write the currency: `{n} USD/h`"),
        (Value::Decimal(n), Ty::Percent) => format!("write `{}%`", n.normalize()),
        (Value::Decimal(_), Ty::Int) => {
            "make it whole with `floor`, `ceil` or `round`, or divide with `div(a, b)`".to_owned()
        }
        (_, Ty::Union(_)) if wanted_text == "range | int" => "write a number, or a range such as `1..10`".to_owned(),
        (Value::Int(n @ 0..), Ty::Range) => format!("write a range: `{n}..{n}`"),
        (Value::Int(_), Ty::Range) => "a range is written with two dots: `1..10`".to_owned(),
        (Value::Int(n @ 0..=24), Ty::Time) => format!("write `{n:02}:00`"),
        (Value::List(_), Ty::Map(_)) => "write a record: `{ team = \"research\" }`".to_owned(),
        (_, Ty::Ref(kind)) => format!("write the name of {} `{wanted_text}`{}", article(&wanted_text), example(*kind)),
        (Value::String(text), wanted) if in_quotes(text, wanted) => {
            format!("write it without quotes: `{text}`")
        }
        (_, Ty::Date) => "write it as year, month and day: `2026-12-24`".to_owned(),
        (Value::Ip(ip), Ty::Cidr) => {
            format!("write `{ip}/{}` for this one address", if ip.is_ipv4() { 32 } else { 128 })
        }
        (
            Value::Int(_)
            | Value::Bool(_)
            | Value::Decimal(_)
            | Value::Cidr(_)
            | Value::Ip(_)
            | Value::Date(_)
            | Value::Time(_),
            Ty::String,
        ) => {
            format!("put quotes around it: `\"{value}\"`")
        }
        (Value::List(_), _) if !matches!(wanted.base(), Ty::List(_)) => "write one value instead of a list".to_owned(),
        (other, Ty::List(_)) if !matches!(other, Value::List(_)) => "put brackets around it: `[…]`".to_owned(),
        _ => format!("write {} `{wanted_text}`", article(&wanted_text)),
    };
    diagnostic.help(help)
}

/// Whether a text is a value of the type in quotes that should not be there.
fn in_quotes(text: &str, wanted: &Ty) -> bool {
    let quantity = |units: &[&str]| {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, '%' | '/')).trim_end();
        let unit = text.get(number.len()..).unwrap_or_default().trim_start();
        number.parse::<f64>().is_ok() && units.contains(&unit)
    };
    let clock = |c: char| c.is_ascii_digit() || c == ':';
    match wanted.not_null().base() {
        Ty::Union(parts) => parts.iter().any(|part| in_quotes(text, part)),
        Ty::Cidr => text.parse::<ipnet::IpNet>().is_ok(),
        Ty::Ip => text.parse::<std::net::IpAddr>().is_ok(),
        Ty::Int | Ty::Port => text.parse::<i64>().is_ok(),
        Ty::Decimal => text.parse::<f64>().is_ok(),
        Ty::Bool => matches!(text, "true" | "false"),
        Ty::Date => text.parse::<jiff::civil::Date>().is_ok(),
        Ty::Time => text.len() == 5 && text.contains(':') && text.chars().all(clock),
        Ty::Percent => quantity(&["%"]),
        Ty::Size => quantity(&["B", "KiB", "MiB", "GiB", "TiB", "PiB", "KB", "MB", "GB", "TB"]),
        Ty::Duration => quantity(&["s", "sec", "min", "h", "d", "day", "days", "week", "weeks"]),
        Ty::Range => text.split_once("..").is_some_and(|(a, b)| a.parse::<i64>().is_ok() && b.parse::<i64>().is_ok()),
        _ => false,
    }
}

/// A fact of the library, for those who have not met one.
fn example(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::Image => ": `images.ubuntu_2204`",
        BlockKind::Size => ": `sizes.Standard_D4s_v5`",
        BlockKind::Role => ": `roles.storage_blob_data_reader`",
        BlockKind::Region => ": `westeurope`",
        _ => "",
    }
}

/// `"Standard_D8s_v5"` where a size is wanted.
pub(crate) fn fact_in_quotes(found: &Ty, wanted: &Ty, fact: Option<&str>, span: Span) -> Diagnostic {
    let diagnostic = mismatch(found, &wanted.to_string(), span);
    let Some(fact) = fact else {
        let Ty::Ref(kind) = wanted.not_null().base() else { return diagnostic };
        let declare = match example(*kind) {
            "" => format!("write the name of a declared `{wanted}`, without quotes"),
            example => {
                format!("write the name of {} `{wanted}`, without quotes{example}", article(&wanted.to_string()))
            }
        };
        return Diagnostic { help: Vec::new(), ..diagnostic }.help(declare);
    };
    Diagnostic { help: Vec::new(), ..diagnostic }.help(format!("write it without quotes: `{fact}`")).fix(
        format!("Write `{fact}`"),
        vec![(span, fact.to_owned())],
        Safety::NeedsReview,
    )
}

pub(crate) fn mismatch(found: &Ty, wanted: &str, span: Span) -> Diagnostic {
    let found = found.to_string();
    Diagnostic::new(
        Code::TypeMismatch,
        format!("a value of type `{wanted}` is expected, and this is {} `{found}`", article(&found)),
        span,
        format!("{} `{found}`", article(&found)),
    )
    .help(format!("write {} `{wanted}`", article(wanted)))
}

pub(crate) fn no_range(found: &Ty, span: Span) -> Diagnostic {
    Diagnostic { help: Vec::new(), ..mismatch(found, "range", span) }.help("a range is written with two dots: `1..10`")
}

pub(crate) fn may_be_null(ty: &Ty, span: Span) -> Diagnostic {
    let title = match ty {
        Ty::Null => "there is no value here".to_owned(),
        ty => format!("this `{ty}` may have no value"),
    };
    Diagnostic::new(Code::MayBeNull, title, span, "may be `null`").help("say what counts then: `… ?? otherwise`")
}

pub(crate) fn not_one_of(name: &str, known: &[&str], meant: Option<&str>, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::NotOneOf,
        format!("`{name}` is none of {}", listed(known.iter().copied(), 8)),
        span,
        "not one of them",
    );
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help(format!("write one of {}", listed(known.iter().copied(), 12))),
    }
}

pub(crate) fn no_parts(ty: &Ty, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{ty}` has no parts, so there is no `{name}` in it", article(&ty.to_string())),
        span,
        format!("{} `{ty}`", article(&ty.to_string())),
    )
    .help("read a field of a record or of a block")
}

pub(crate) fn no_elements(ty: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{ty}` has no elements", article(&ty.to_string())),
        span,
        format!("{} `{ty}`", article(&ty.to_string())),
    )
    .help("read an element of a list or a record")
}

pub(crate) fn not_a_list(ty: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{ty}` cannot be gone through", article(&ty.to_string())),
        span,
        format!("{} `{ty}`", article(&ty.to_string())),
    )
    .help("write a list, a range of numbers, or a record, whose values are taken")
}

pub(crate) fn not_in_text(ty: &Ty, span: Span) -> Diagnostic {
    let help = match ty.base() {
        Ty::Ref(_) => "put its name into the text: `${block.name}`".to_owned(),
        Ty::List(_) => "put its elements into the text: `${join(list, \", \")}`".to_owned(),
        Ty::Null => "say what counts instead: `${… ?? \"\"}`".to_owned(),
        _ => "put a plain value into the text".to_owned(),
    };
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{ty}` cannot be put into text", article(&ty.to_string())),
        span,
        format!("{} `{ty}`", article(&ty.to_string())),
    )
    .help(help)
}

/// `sizes.Standard_D8s_v5` without `import std.sizes`, in a project that declares no size of its own.
pub(crate) fn not_imported(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, format!("`{name}` is not imported"), span, "not imported in this file")
        .help(format!("write `import std.{name}` at the start of the file"))
}

pub(crate) fn unknown_part(of: &str, name: &str, span: Span, meant: Option<&str>, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownField, format!("{of} has no `{name}`"), span, "not in it");
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None if known.is_empty() => diagnostic.help("it has nothing in it"),
        None => diagnostic.help(format!("it has {}", listed(known.iter().map(String::as_str), 12))),
    }
}

pub(crate) fn unknown_type(name: &str, span: Span, meant: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::BadType, format!("there is no type `{name}`"), span, "no such type");
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => {
            let own = listed(["string", "int", "decimal", "bool"], 4);
            diagnostic.help(format!("declare it with `type {name} = …`, or use {own}"))
        }
    }
}

pub(crate) fn bad_type(why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadType, "this type has no values", span, "no type that makes sense")
        .note(why)
        .help("write another type")
}

pub(crate) fn bad_pattern(why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadType, "this pattern cannot be read", span, "not a pattern")
        .note(why)
        .help("write a regular expression, as in `/^[a-z]+$/`")
}

pub(crate) fn bad_parameter_type(name: &str, ty: &Ty, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadType,
        format!("the parameter `{name}` cannot be a `{ty}`"),
        span,
        "no parameter of a template",
    )
    .note(why)
    .help("make it a constant with `let`, or choose another type")
}

pub(crate) fn bad_output_type(name: &str, ty: &Ty, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadType, format!("the output `{name}` cannot be a `{ty}`"), span, "no output of a template")
        .note(why)
        .help("put it into text, or give out a part of it")
}

pub(crate) fn argument_type(function: &str, signature: &str, found: &Ty, wanted: &str, span: Span) -> Diagnostic {
    let found = found.to_string();
    Diagnostic::new(
        Code::TypeMismatch,
        format!("`{function}` takes {wanted} here, and this is {} `{found}`", article(&found)),
        span,
        format!("{} `{found}`", article(&found)),
    )
    .help(format!("call it as `{signature}`"))
}

pub(crate) fn not_a_condition(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadCondition, "this is not a condition of autoscale", span, "not a metric compared")
        .help("write a metric over time, compared: `avg(cpu, 10 min) > 75%`")
}

pub(crate) fn condition_arguments(aggregate: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadCondition,
        format!("`{aggregate}` needs a metric and how long it looks back"),
        span,
        "not a metric and a duration",
    )
    .help(format!("write `{aggregate}(cpu, 10 min)`"))
}

pub(crate) fn misplaced_of(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadNeed, "`of` has no meaning here", span, "not here")
        .help("use it for GPUs, in a choice by need: `smallest(gpu >= 1 of A100)`")
}

pub(crate) fn need_without_operator(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadNeed, "this is not a need", span, "not a property compared")
        .help("compare a property of sizes: `memory >= 200 GiB`, `gpu >= 1 of A100`")
}

pub(crate) fn need_nothing(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadNeed, "`smallest` was told no need", span, "needs nothing")
        .help("say what is needed: `smallest(vcpu >= 8, memory >= 32 GiB)`")
}

pub(crate) fn unknown_need(name: &str, span: Span, meant: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::BadNeed, format!("a size has no `{name}`"), span, "no property of sizes");
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help(format!(
            "use {}",
            listed(
                ["vcpu", "memory", "gpu", "gpu_memory", "temp_disk", "network", "spot", "series", "architecture"],
                9
            )
        )),
    }
}
