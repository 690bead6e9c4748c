//! Names, imports, functions, envs.

use super::listed;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use std::sync::Arc;

pub(crate) fn unknown_name(
    name: &str,
    span: Span,
    meant: Option<&str>,
    declared: Option<Span>,
    module: Option<&str>,
    inside: Option<&str>,
) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(Code::UnknownName, format!("`{name}` is not declared"), span, "not declared in this file");
    if let Some(meant) = meant {
        if let Some(declared) = declared {
            diagnostic = diagnostic.also(declared, format!("`{meant}` is declared here"));
        }
        return diagnostic.write_instead(meant, span);
    }
    match (module, inside) {
        (Some(module), _) => diagnostic.help(format!("write `import std.{module}` at the start of the file")),
        (None, Some(inside)) => {
            let home = inside.split('.').next().unwrap_or(inside);
            diagnostic.help(format!("write `import std.{home}` at the start of the file, and `{inside}` here"))
        }
        (None, None) => diagnostic.help(format!("declare `{name}`, or put quotes around it if it is a string")),
    }
}

pub(crate) fn unknown_region(text: &str, near: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownRegion, format!("unknown region `{text}`"), span, "not a known Azure region")
        .help(format!("write `{near}`"))
        .fix(format!("Write `{near}`"), vec![(span, near.to_owned())], Safety::NeedsReview)
        .note("a region that is newer than this compiler, or in another cloud, can be written in quotes and is not checked")
}

/// `avg(gpu, 10 min)`: the metrics that Azure itself measures for scale sets are CPU, network, disks and credits.
///
/// Source: <https://learn.microsoft.com/en-us/azure/azure-monitor/reference/supported-metrics/microsoft-compute-virtualmachinescalesets-metrics>
pub(crate) fn no_gpu_metric(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, format!("there is no metric called `{name}`"), span, "not measured by Azure")
        .note("Azure measures the CPU, the network and the disks of a scale set from outside, not its GPUs")
        .help(format!(
            "scale by a schedule or by the length of a queue; if your own agent publishes the metric, declare it with `metric {name} {{ … }}` and name its resource in the rule: `of = …`"
        ))
}

/// A size whose name is well formed and that the standard library does not have.
pub(crate) fn unknown_size(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NotExported, format!("`std.sizes` has no `{name}`"), span, "not in this module")
        .note("the library has only some of Azure's sizes; `az vm list-skus --size NAME --all` prints the facts of a size")
        .help(format!(
            "if Azure offers it, declare it and write `size = {name}`: `size {name} {{ series = \"…\", vcpu = …, memory = … GiB, generations = [2] }}`"
        ))
}

/// `allow ssh from office` without a declaration of `office`.
pub(crate) fn unknown_source(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, format!("`{name}` is not declared"), span, "not declared in this file")
        .help(format!("declare the network with its address ranges: `let {name} = [203.0.113.0/24]`"))
}

/// `PT10M`, the spelling of templates; `written` is the same duration as the language writes it.
pub(crate) fn iso_duration(text: &str, written: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, format!("`{text}` is written `{written}`"), span, "a duration of templates")
        .help(format!("write `{written}`"))
        .fix(format!("Write `{written}`"), vec![(span, written.to_owned())], Safety::Safe)
}

pub(crate) fn env_as_value(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::UnknownName,
        format!("`{name}` is an env, not a value"),
        span,
        "values of an env cannot be read",
    )
    .help("declare a `param`, let each env set it, and write its name here")
}

/// A name that is not declared where a block of one kind is wanted; `facts` are those of the standard library.
pub(crate) fn unknown_of_kind(keyword: &str, name: &str, facts: &[&str], span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::UnknownName,
        format!("there is no {keyword} called `{name}`"),
        span,
        "not declared in this file",
    );
    match facts {
        [] => diagnostic.help(format!("declare it: `{keyword} {name} {{ … }}`")),
        facts => diagnostic.help(format!("write one of {}", super::listed(facts.iter().copied(), 12))),
    }
}

/// Days in full words, such as `monday..friday`.
pub(crate) fn long_days(from: &str, to: &str, span: Span) -> Diagnostic {
    let short = format!("{from}..{to}");
    Diagnostic::new(Code::UnknownName, "days of the week are written with three letters", span, "not a day")
        .help(format!("write `{short}`"))
        .fix(format!("Write `{short}`"), vec![(span, short)], Safety::Safe)
}

pub(crate) fn duplicate_name(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateName, format!("`{name}` is declared twice"), span, "declared again here")
        .also(first, "first declared here")
        .help("rename one of them")
}

pub(crate) fn import_cycle(steps: &[(Arc<str>, Span)], path: &str, span: Span) -> Diagnostic {
    let mut names: Vec<String> = steps.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.push(format!("`{path}`"));
    let mut diagnostic =
        Diagnostic::new(Code::ImportCycle, format!("import cycle: {}", names.join(" → ")), span, "closes the cycle");
    for (name, at) in steps.iter().skip(1) {
        diagnostic = diagnostic.also(*at, format!("imports `{name}`"));
    }
    diagnostic.help("move the shared declarations into a third file")
}

pub(crate) fn unknown_module(path: &str, span: Span, meant: Option<&str>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::UnknownModule, format!("there is no module `{path}`"), span, "no such module");
    match meant {
        Some(meant) => diagnostic.help(format!("write `std.{meant}`")).fix(
            format!("Write `std.{meant}`"),
            vec![(span, format!("std.{meant}"))],
            Safety::NeedsReview,
        ),
        None => diagnostic.help(format!(
            "the standard library has {}; a file of your own is imported by its path, as in `import \"./common.dsvm\"`",
            listed(crate::library::names(), 10)
        )),
    }
}

pub(crate) fn module_in_quotes(module: &str, span: Span) -> Diagnostic {
    let title = format!("`std.{module}` is a module of the standard library, not a file");
    Diagnostic::new(Code::UnknownModule, title, span, "a module, not a file")
        .help(format!("write it without quotes: `import std.{module}`"))
        .fix("Write it without quotes", vec![(span, format!("std.{module}"))], Safety::NeedsReview)
}

pub(crate) fn unknown_file(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownModule, format!("there is no file `{path}`"), span, "file not found")
        .help("check the path: it is relative to the folder of this file")
}

/// An import of a file whose name does not end in `.dsvm`.
pub(crate) fn import_of_other_file(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ImportRefused,
        format!("`{path}` is neither a `.dsvm` file nor a data file"),
        span,
        "not a source file",
    )
    .help("import a file whose name ends in `.dsvm`, or a data file: `.csv`, `.json`, `.yaml`, `.yml` or `.toml`")
}

/// An import that leads out of the project, perhaps through a link.
pub(crate) fn import_outside(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ImportRefused, format!("`{path}` is outside the project"), span, "not imported")
        .note(
            "a project imports from its git repository; without one, from the current folder if the project is in it, \
             else from its own folder. Links count as what they lead to",
        )
        .help("move the file into the project, or run dsvmc in a folder that contains both")
}

/// An import of a device, a pipe or a folder.
pub(crate) fn import_of_special_file(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ImportRefused, format!("`{path}` is not a regular file"), span, "not imported")
        .help("import a regular file")
}

/// An import that is too large for a source file.
pub(crate) fn import_too_large(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ImportRefused, format!("`{path}` is larger than 16 MiB"), span, "not imported")
        .help("split the file into several")
}

pub(crate) fn not_exported(name: &str, span: Span, home: &str, declared: Span, library: bool) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::NotExported, format!("`{home}` does not export `{name}`"), span, "not exported");
    if library {
        return diagnostic;
    }
    let start = Span::new(declared.source, declared.start, declared.start);
    diagnostic.also(declared, "declared here without `export`").help("write `export` before its declaration").fix(
        "Export it",
        vec![(start, "export ".to_owned())],
        Safety::NeedsReview,
    )
}

pub(crate) fn unknown_export(name: &str, span: Span, home: &str, meant: Option<&str>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::NotExported, format!("`{home}` has no `{name}`"), span, "not in this module");
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help(format!("check what `{home}` exports, or declare `{name}` yourself")),
    }
}

pub(crate) fn not_a_value(name: &str, what: &str, span: Span) -> Diagnostic {
    let help = match what {
        "a module" => format!("refer to a member: `{name}.…`"),
        "a function" => format!("call it: `{name}(…)`"),
        _ => "write a value of that type".to_owned(),
    };
    Diagnostic::new(
        Code::TypeMismatch,
        format!("`{name}` is {what}, not a value"),
        span,
        format!("{what}, not a value"),
    )
    .help(help)
}

pub(crate) fn definition_cycle(steps: &[(Arc<str>, Span)], span: Span) -> Diagnostic {
    let mut names: Vec<String> = steps.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.extend(names.first().cloned());
    let mut diagnostic = Diagnostic::new(
        Code::DefinitionCycle,
        format!("a definition depends on itself: {}", names.join(" → ")),
        span,
        "closes the cycle",
    );
    for (name, at) in steps {
        diagnostic = diagnostic.also(*at, format!("`{name}` is defined here"));
    }
    diagnostic.help("define one of them without the others")
}

pub(crate) fn block_cycle(steps: &[(Arc<str>, Span)], span: Span) -> Diagnostic {
    let mut names: Vec<String> = steps.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.extend(names.first().cloned());
    let mut diagnostic = Diagnostic::new(
        Code::BlockCycle,
        format!("blocks refer to each other in a cycle: {}", names.join(" → ")),
        span,
        "part of the cycle",
    );
    for (name, at) in steps.iter().skip(1) {
        diagnostic = diagnostic.also(*at, format!("`{name}` is part of it"));
    }
    diagnostic.help("remove one of the references").note("Azure deploys a resource after the resources it refers to")
}

pub(crate) fn recursive_function(steps: &[(Arc<str>, Span)], span: Span) -> Diagnostic {
    let mut names: Vec<String> = steps.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.extend(names.first().cloned());
    let mut diagnostic = Diagnostic::new(
        Code::RecursiveFunction,
        format!("a function calls itself: {}", names.join(" → ")),
        span,
        "calls it again",
    );
    for (name, at) in steps {
        diagnostic = diagnostic.also(*at, format!("`{name}` is declared here"));
    }
    diagnostic
        .help("iterate over a list instead: `[f(x) for x in xs]`")
        .note("recursion is not supported, so that evaluation always terminates")
}

pub(crate) fn unknown_function(name: &str, span: Span, meant: Option<&str>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::UnknownFunction, format!("there is no function `{name}`"), span, "no such function");
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help(format!("declare it: `fn {name}(…) = …`")),
    }
}

pub(crate) fn not_a_function(name: &str, span: Span) -> Diagnostic {
    let shown = if name == "this" { "this value".to_owned() } else { format!("`{name}`") };
    Diagnostic::new(Code::UnknownFunction, format!("{shown} is not a function"), span, "cannot be called")
        .help("call a function declared with `fn`, or a built-in function")
}

pub(crate) fn no_methods(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::UnknownFunction, "values have no methods", span, "called on a value")
        .help(format!("pass the value as an argument: `{name}(…)`"))
}

pub(crate) fn argument_count(function: &str, counts: (usize, usize), span: Span, declared: Span) -> Diagnostic {
    let (wanted, given) = counts;
    Diagnostic::new(
        Code::WrongArguments,
        format!("`{function}` takes {wanted} {}, not {given}", arguments(wanted)),
        span,
        format!("{given} given"),
    )
    .also(declared, format!("takes {wanted}"))
    .help(format!("pass {wanted} {}", arguments(wanted)))
}

fn arguments(count: usize) -> &'static str {
    if count == 1 { "argument" } else { "arguments" }
}

pub(crate) fn builtin_count(function: &str, signature: &str, given: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::WrongArguments,
        format!("`{function}` cannot be called with {given} {}", arguments(given)),
        span,
        format!("{given} given"),
    )
    .help(format!("call it as `{signature}`"))
}

pub(crate) fn unknown_argument(function: &str, name: &str, span: Span, meant: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::WrongArguments,
        format!("`{function}` has no parameter `{name}`"),
        span,
        "no such parameter",
    );
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help("remove it"),
    }
}

pub(crate) fn missing_argument(function: &str, name: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::WrongArguments, format!("`{function}` needs a value for `{name}`"), span, "missing argument")
        .also(declared, format!("`{name}` has no default"))
        .help(format!("add `{name} = …`"))
}

pub(crate) fn argument_twice(span: Span) -> Diagnostic {
    Diagnostic::new(Code::WrongArguments, "an argument is passed twice", span, "already passed")
        .help("remove one of them")
}

pub(crate) fn named_builtin(function: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::WrongArguments, format!("`{function}` does not take named arguments"), span, "named argument")
        .help("pass the values in order, without names")
}

pub(crate) fn named_in_formula(span: Span) -> Diagnostic {
    Diagnostic::new(Code::WrongArguments, "functions in a formula do not take named arguments", span, "named argument")
        .help("pass the values in order, without names")
}

pub(crate) fn unknown_param(name: &str, span: Span, env: &str, meant: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::UnknownParam,
        format!("the env `{env}` sets `{name}`, which is not a parameter"),
        span,
        "no such parameter",
    );
    match meant {
        Some(meant) => diagnostic.write_instead(meant, span),
        None => diagnostic.help(format!("declare it: `param {name}: …`")),
    }
}

pub(crate) fn missing_env_value(name: &str, span: Span, env: &str, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MissingEnvValue,
        format!("the env `{env}` sets no value for `{name}`"),
        span,
        format!("`{name}` is missing"),
    )
    .also(declared, "has no default")
    .note("other envs set one; without it, every deployment of this env asks for it")
    .help(format!("write `{name} = …` in the env, or give the parameter a default"))
}

/// `pool team { … }`, which nothing builds on.
pub(crate) fn base_unused(name: &str, span: Span) -> Diagnostic {
    let at = Span { start: span.end, ..span };
    Diagnostic::new(Code::Unused, format!("nothing uses the pool `{name}`"), span, "only a base for other pools")
        .note("a pool without `: interactive` or `: batch` only holds settings that other pools inherit with `from`")
        .help(format!(
            "write `pool {name}: interactive {{ … }}`, or inherit from it: `pool NAME: interactive from {name} {{ … }}`"
        ))
        .fix("Make it interactive", vec![(at, ": interactive".to_owned())], Safety::NeedsReview)
}

/// `alone`: nothing else happens when the declaration is removed.
pub(crate) fn unused(what: &str, name: &str, span: Span, whole: Span, alone: bool) -> Diagnostic {
    let (title, help) = match what {
        "import" => (format!("the import `{name}` is not used"), "remove it"),
        "param" => (format!("the parameter `{name}` is not used"), "remove it, or use it"),
        "fn" => (format!("the function `{name}` is not used"), "remove it, or write `export` before it"),
        "type" => (format!("the type `{name}` is not used"), "remove it, or write `export` before it"),
        _ => (format!("`{name}` is not used"), "remove it, or write `export` before it"),
    };
    Diagnostic::new(Code::Unused, title, span, "never used").help(help).fix(
        "Remove it",
        vec![(whole, String::new())],
        if alone { Safety::Safe } else { Safety::NeedsReview },
    )
}
