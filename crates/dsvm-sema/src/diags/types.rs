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
            Value::Null => {
                Diagnostic::new(Code::MayBeNull, format!("expected `{wanted}`, found `null`"), span, "`null`")
                    .help("write a value, omit the field, or provide a default with `??`")
            }
            _ => may_be_null(found, span),
        },
        Misfit::Bounds { min, max, length } => {
            let (what, label) = match (length, value) {
                (Some(length), Value::List(_)) => (format!("this list has {length} elements"), "its length"),
                (Some(length), _) => (format!("this text has {length} characters"), "its length"),
                (None, value) => (format!("{value} is outside {min}..{max}"), "out of bounds"),
            };
            let title = if length.is_some() { format!("{what}; {min} to {max} are allowed") } else { what };
            Diagnostic::new(Code::OutOfRange, title, span, label).help(format!("write between {min} and {max}"))
        }
        Misfit::Pattern(pattern) => {
            Diagnostic::new(Code::OutOfRange, format!("{value} does not match /{pattern}/"), span, "does not match")
                .help(format!("write a string that matches /{pattern}/"))
        }
        Misfit::SshKey(why) => {
            Diagnostic::new(Code::OutOfRange, "this is not an OpenSSH public key", span, "not a public key")
                .note(*why)
                .help("copy the entire line from a `.pub` file")
        }
        Misfit::Word(_) if let (Value::String(text), true) = (value, crate::eval::takes_ranges(wanted)) => {
            Diagnostic::new(Code::NotOneOf, format!("`{text}` is not an address range"), span, "not an address range")
                .help("write the addresses that may connect, without quotes: `[203.0.113.0/24]`")
        }
        Misfit::Word(words) => {
            let shown = match value {
                Value::String(text) => format!("`{text}`"),
                other => other.to_string(),
            };
            let known: Vec<&str> = words.iter().map(|word| word.trim_matches('"')).collect();
            Diagnostic::new(
                Code::NotOneOf,
                format!("{shown} is not one of {}", listed(known.iter().copied(), 8)),
                span,
                "not an allowed word",
            )
            .help(format!("write one of {}", listed(known.iter().copied(), 12)))
        }
        Misfit::Secret(path) => super::secret_exposed(path, span, "a place that is not secret"),
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
        .note(format!("a `{wanted}` is expected here")),
        Misfit::Unknown(name, known) => {
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            let diagnostic = Diagnostic::new(
                Code::UnknownField,
                format!("unknown field `{name}` in this record"),
                span,
                format!("`{name}` is not a field of this record"),
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
            "a machine size, not a number of bytes",
            "the type of a machine size is written `sizes.size`, after `import std.sizes`",
        ),
        (Ty::Size, Ty::Ref(BlockKind::Size)) => {
            ("a number of bytes, not a machine size", "name a machine size, such as `sizes.Standard_D4s_v5`")
        }
        _ => return None,
    };
    Some(Diagnostic::new(Code::TypeMismatch, "expected the other kind of `size`", span, label).help(help))
}

fn wrong_type(value: &Value, found: &Ty, wanted: &Ty, span: Span) -> Diagnostic {
    if let Some(diagnostic) = two_sizes(found, wanted, span) {
        return diagnostic;
    }
    let wanted_text = wanted.to_string();
    let diagnostic = Diagnostic::new(
        Code::TypeMismatch,
        format!("expected `{wanted}`, found `{found}`"),
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
            "round it with `floor`, `ceil` or `round`, or divide with `div(a, b)`".to_owned()
        }
        (_, Ty::Union(_)) if wanted_text == "range | int" => "write a number, or a range such as `1..10`".to_owned(),
        (Value::Int(n @ 0..), Ty::Range) => format!("write a range: `{n}..{n}`"),
        (Value::Int(_), Ty::Range) => "a range is written with two dots: `1..10`".to_owned(),
        (Value::Int(n @ 0..=24), Ty::Time) => format!("write `{n:02}:00`"),
        (Value::List(_), Ty::Ref(BlockKind::Size)) => {
            "write `first of` before the list: the sizes are tried in this order".to_owned()
        }
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
        (_, wanted) => written(wanted, &wanted_text),
    };
    diagnostic.help(help)
}

/// How a value of the type is written, with an example where there is a literal.
pub(super) fn written(wanted: &Ty, shown: &str) -> String {
    let literal = match wanted {
        Ty::Bool => return "write `true` or `false`".to_owned(),
        Ty::Int => "a whole number, such as `4`",
        Ty::Decimal => "a number, such as `0.5`",
        Ty::Percent => "a percentage, such as `75%`",
        Ty::Size => "a size, such as `64 GiB`",
        Ty::Duration => "a duration, such as `10 min`",
        Ty::Money => "a price, such as `1.20 USD/h`",
        Ty::Time => "a time of day, such as `08:00`",
        Ty::Days => "a set of days, such as `mon..fri`",
        Ty::Range => "a range, such as `1..10`",
        Ty::Cidr => "an address range, such as `10.0.0.0/16`",
        Ty::Ip => "an IP address, such as `10.0.0.4`",
        Ty::Port => "a port number, such as `8000`",
        Ty::SshKey => "a parameter of type `ssh_key`",
        Ty::String => "text in quotes",
        _ => return format!("write a value of type `{shown}`"),
    };
    format!("write {literal}")
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
pub(super) fn example(kind: BlockKind) -> &'static str {
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

/// `wanted` is the name of a type, or what is wanted in words (`a number`).
pub(crate) fn mismatch(found: &Ty, wanted: &str, span: Span) -> Diagnostic {
    let found = found.to_string();
    let (shown, help) = match wanted.starts_with("a ") {
        true => (wanted.to_owned(), format!("write {wanted}")),
        false => (format!("`{wanted}`"), format!("write a value of type `{wanted}`")),
    };
    let label = format!("{} `{found}`", article(&found));
    Diagnostic::new(Code::TypeMismatch, format!("expected {shown}, found `{found}`"), span, label).help(help)
}

pub(crate) fn no_range(found: &Ty, span: Span) -> Diagnostic {
    Diagnostic { help: Vec::new(), ..mismatch(found, "range", span) }.help("a range is written with two dots: `1..10`")
}

pub(crate) fn may_be_null(ty: &Ty, span: Span) -> Diagnostic {
    let title = match ty {
        Ty::Null => "this is `null`".to_owned(),
        ty => format!("this `{ty}` may be `null`"),
    };
    Diagnostic::new(Code::MayBeNull, title, span, "may be `null`").help("provide a default: `… ?? default`")
}

pub(crate) fn not_one_of(name: &str, known: &[&str], meant: Option<&str>, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::NotOneOf,
        format!("`{name}` is not one of {}", listed(known.iter().copied(), 8)),
        span,
        "not an allowed word",
    );
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help(format!("write one of {}", listed(known.iter().copied(), 12))),
    }
}

pub(crate) fn no_parts(ty: &Ty, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{ty}` has no fields, so it has no `{name}`", article(&ty.to_string())),
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
    .help("read an element of a list or of a record")
}

pub(crate) fn not_a_list(ty: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{ty}` cannot be iterated over", article(&ty.to_string())),
        span,
        format!("{} `{ty}`", article(&ty.to_string())),
    )
    .help("use a list, a range of numbers, or a record, whose values are used")
}

pub(crate) fn not_in_text(ty: &Ty, span: Span) -> Diagnostic {
    let help = match ty.base() {
        Ty::Ref(_) => "interpolate its name: `${block.name}`".to_owned(),
        Ty::List(_) => "join its elements: `${join(list, \", \")}`".to_owned(),
        Ty::Null => "provide a default: `${… ?? \"\"}`".to_owned(),
        _ => "interpolate a plain value".to_owned(),
    };
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{ty}` cannot be interpolated into a string", article(&ty.to_string())),
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
    let diagnostic = Diagnostic::new(Code::UnknownField, format!("{of} has no `{name}`"), span, "no such field");
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None if known.is_empty() => diagnostic.help("it has no fields"),
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
    Diagnostic::new(Code::BadType, "this type cannot be used", span, "not a usable type")
        .note(why)
        .help("use another type")
}

pub(crate) fn bad_pattern(why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadType, "this pattern is malformed", span, "not a regular expression")
        .note(why)
        .help("write a regular expression, as in `/^[a-z]+$/`")
}

pub(crate) fn bad_parameter_type(name: &str, ty: &Ty, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadType,
        format!("the parameter `{name}` cannot be a `{ty}`"),
        span,
        "not a type that template parameters support",
    )
    .note(why)
    .help("make it a constant with `let`, or choose another type")
}

pub(crate) fn bad_output_type(name: &str, ty: &Ty, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadType,
        format!("the output `{name}` cannot be a `{ty}`"),
        span,
        "not a type that template outputs support",
    )
    .note(why)
    .help("convert it to a string, or output a part of it")
}

pub(crate) fn argument_type(function: &str, signature: &str, found: &Ty, wanted: &str, span: Span) -> Diagnostic {
    let found = found.to_string();
    Diagnostic::new(
        Code::TypeMismatch,
        format!("`{function}` expects {wanted} here, found `{found}`"),
        span,
        format!("{} `{found}`", article(&found)),
    )
    .help(format!("call it as `{signature}`"))
}

pub(crate) fn not_a_condition(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadCondition, "this is not an autoscale condition", span, "not a comparison of a metric")
        .help("compare an aggregated metric with a threshold: `avg(cpu, 10 min) > 75%`")
}

pub(crate) fn condition_arguments(aggregate: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadCondition,
        format!("`{aggregate}` needs a metric and a time window"),
        span,
        "not a metric and a duration",
    )
    .help(format!("write `{aggregate}(cpu, 10 min)`"))
}

pub(crate) fn misplaced_of(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadNeed, "`of` is not allowed here", span, "not allowed here").help(
        "use it to name a GPU model, as in `smallest(gpu >= 1 of A100)`, or alternatives, as in `first of [a, b]`",
    )
}

pub(crate) fn no_alternative(span: Span) -> Diagnostic {
    Diagnostic::new(Code::AlternativesRefused, "`first of` has no alternatives", span, "the list is empty")
        .help("list what to use, in order of preference: `first of [Standard_D8s_v5, Standard_E8s_v5]`")
}

pub(crate) fn too_many_alternatives(count: usize, most: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::AlternativesRefused,
        format!("`first of` has {count} alternatives, more than {most}"),
        span,
        "too many alternatives",
    )
    .help(format!("keep the {most} that are worth a try: each one that is refused costs a deployment"))
}

pub(crate) fn alternatives_of_no_list(found: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(Code::AlternativesRefused, format!("`first of` needs a list, not `{found}`"), span, "not a list")
        .help(
            "write the alternatives in brackets, in order of preference: `first of [Standard_D8s_v5, Standard_E8s_v5]`",
        )
}

/// `first of` where a field takes one value. Regions get an explanation: what is deployed cannot move.
pub(crate) fn no_alternatives(kind: &str, field: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::AlternativesRefused,
        format!("`{field}` of a {kind} takes no alternatives"),
        span,
        "one value is needed here",
    );
    match field {
        "location" => diagnostic
            .note("a resource never moves to another region, and what a pool needs (network, shares, balancer) is created there before Azure says whether it has machines")
            .help("write the first region; for the second one declare an `env` with another value of a parameter, and deploy that"),
        _ => diagnostic.help("write one value; `first of` is for the `size` of a pool"),
    }
}

pub(crate) fn need_without_operator(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadNeed, "this is not a requirement", span, "not a comparison of a property")
        .help("compare a property of the size: `memory >= 200 GiB`, `gpu >= 1 of A100`")
}

pub(crate) fn need_nothing(function: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::BadNeed, format!("`{function}` has no requirements"), span, "no requirements given")
        .help(format!("list the requirements: `{function}(vcpu >= 8, memory >= 32 GiB)`"))
}

pub(crate) fn unknown_term(name: &str, known: &[&str], meant: Option<&str>, span: Span) -> Diagnostic {
    let title = format!("`cheapest` has no `{name}`");
    let diagnostic = Diagnostic::new(Code::BadNeed, title, span, "neither a requirement nor a term of the price");
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help(format!(
            "compare a property of the size, as in `vcpu >= 8`, or say whose price counts: {}",
            known.iter().map(|name| format!("`{name} = …`")).collect::<Vec<_>>().join(", ")
        )),
    }
}

pub(crate) fn unknown_need(name: &str, span: Span, meant: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::BadNeed, format!("a size has no `{name}`"), span, "not a property of sizes");
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
