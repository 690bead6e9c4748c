//! Diagnostics of the resource graph.

use crate::diagnostics::{Code, Diagnostic};
use crate::sema::checked::Block;
use crate::source::Span;

/// Resources that wait for each other.
#[must_use]
pub fn cycle(names: &[String], spans: &[Span]) -> Diagnostic {
    let primary = spans.first().copied().unwrap_or(Span::new(crate::source::SourceId(0), 0, 0));
    let mut found = Diagnostic::new(
        Code::BlockCycle,
        format!("resources wait for each other: {}", names.join(" → ")),
        primary,
        "waits for the next",
    );
    for span in spans.iter().skip(1) {
        found = found.also(*span, "part of the circle");
    }
    found.help("take one of the references out")
}

/// Two resources with one name.
#[must_use]
pub fn same_name(kind: &str, name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::ResourceNamedTwice, format!("two resources are called `{name}`"), span, "the same name again")
        .also(first, "called so here")
        .note(format!("Azure knows a `{kind}` by its name alone, whatever the case of its letters"))
        .help("give one of them another name")
}

/// An attribute that this block does not have.
#[must_use]
pub fn attribute_unavailable(block: &Block, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::AttributeUnavailable,
        format!("{} `{}` has no `{name}`", block.kind.keyword(), block.name),
        span,
        "nothing to read",
    )
    .also(block.name_span, "declared here")
    .help(match name {
        "ssh" | "jupyterhub" => format!("add `{name}` to `serve` of the pool"),
        "principal_id" | "client_id" => "give the pool an identity: `identity = …`".to_string(),
        _ => "read another attribute".to_string(),
    })
}

/// A property that Azure does not have.
#[must_use]
pub fn unknown_override(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::UnknownOverride, format!("a pool has no resource `{name}`"), span, "nothing to lay this over")
        .help(format!("choose one of: {}", known.join(", ")))
}
