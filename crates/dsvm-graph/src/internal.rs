//! States that cannot be: a reference inside of the fleet or the graph that leads nowhere.
//!
//! Whoever finds one stops and returns it. It becomes an internal-error diagnostic, which keeps the graph from being
//! emitted: a wrong dependency that is deployed is worse than a stop.

use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};

/// A state that the compiler must never be in, with what it was building.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    /// What leads nowhere, in the words of the compiler.
    pub what: &'static str,
    /// The block that was being built.
    pub span: Span,
}

/// The result of building a part of the graph or of a template.
pub type Built<T> = Result<T, Broken>;

impl Broken {
    /// The internal error, with how to report it.
    #[must_use]
    pub fn report(self) -> Diagnostic {
        Diagnostic::new(
            Code::Internal,
            format!("dsvmc lost track of its own resources: {}", self.what),
            self.span,
            "while building this block",
        )
        .help("report it with this message and, if you may share it, the file")
        .note("this is a bug in dsvmc, not in the file; nothing was written")
    }
}
