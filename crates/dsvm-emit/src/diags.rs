//! Diagnostics of emission: what Resource Manager cannot take.

use arm_catalog::NameProblem;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Severity};

/// A generated or written name that Azure refuses.
#[must_use]
pub fn name_refused(kind: &str, name: &str, problem: &NameProblem, span: Span) -> Diagnostic {
    let mut found =
        Diagnostic::new(Code::NameRefused, format!("Azure refuses the name `{name}`"), span, "produces this name")
            .note(format!("it {}; the name of a `{kind}` must consist of {}", problem.what, problem.rule))
            .help(match &problem.suggestion {
                Some(other) => {
                    format!("choose another name for the block, or give the Azure name: `name = \"{other}\"`")
                }
                None => "choose another name for the block, or give the Azure name with `name = \"…\"`".to_owned(),
            });
    if problem.unsure {
        found.severity = Severity::Warning;
    }
    found
}

/// A `dns_label` that Azure refuses.
#[must_use]
pub fn label_refused(label: &str, problem: &NameProblem, span: Span) -> Diagnostic {
    let title = format!("Azure refuses the DNS label `{label}`");
    Diagnostic::new(Code::NameRefused, title, span, "has this `dns_label`")
        .note(format!("it {}; a DNS label must consist of {}", problem.what, problem.rule))
        .help("write another `dns_label`, or omit it")
}

/// A resource group whose name Azure refuses.
#[must_use]
pub fn group_refused(group: &str, problem: &NameProblem, span: Span) -> Diagnostic {
    let title = format!("Azure refuses the resource group name `{group}`");
    let found = Diagnostic::new(Code::NameRefused, title, span, "not a resource group name that Azure accepts")
        .note(format!("it {}; the name of a resource group must consist of {}", problem.what, problem.rule));
    found.help(match &problem.suggestion {
        Some(other) => format!("write `resource_group = \"{other}\"`"),
        None => "choose another name".to_owned(),
    })
}

/// More parameters than a template can have.
#[must_use]
pub fn too_many_parameters(count: usize, most: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyParameters,
        format!("{count} parameters are more than a template can have"),
        span,
        "one too many",
    )
    .note(format!("Resource Manager allows {most}; each autoscaled pool adds one"))
    .help("combine related values in one parameter with a record type")
}

/// More outputs than a template can have.
#[must_use]
pub fn too_many_outputs(count: usize, most: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyOutputs,
        format!("{count} outputs are more than a template can have"),
        span,
        "one too many",
    )
    .note(format!("Resource Manager allows {most}"))
    .help("combine several values in one output with a record type")
}

/// A resource larger than a template can hold.
#[must_use]
pub fn resource_too_large(name: &str, bytes: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ResourceTooLarge,
        format!("resource `{name}` is {} KiB large", bytes >> 10),
        span,
        "too large",
    )
    .note("Resource Manager accepts resources of at most 1 MB")
    .help("make the block smaller: fewer users, rules or steps")
}

/// An expression longer than a template can hold.
#[must_use]
pub fn expression_too_long(length: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ExpressionTooLong,
        format!("an expression of {length} characters"),
        span,
        "becomes one expression",
    )
    .note("Resource Manager accepts expressions of at most 24,576 characters")
    .help("shorten the strings that are combined here, or pass them as one parameter")
}

/// A parameter with the name of one that dsvmc adds.
#[must_use]
pub fn parameter_taken(name: &str, span: Span, pool: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ParameterTaken,
        format!("`{name}` is the name of a parameter that dsvmc adds"),
        span,
        "already in use",
    )
    .also(pool, "the value of that parameter comes from here")
    .note("parameter names are not case-sensitive")
    .help("rename your parameter")
}

/// Tags that Azure refuses.
#[must_use]
pub fn tags_refused(why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::TagsRefused, "Azure rejects these tags", span, "rejected")
        .note(why.to_owned())
        .help("shorten or rename them")
}
