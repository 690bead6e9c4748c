//! States that cannot be: a reference inside of the fleet or the graph that leads nowhere.
//!
//! Whoever finds one stops and returns it. It becomes an internal-error diagnostic, which keeps the graph from being
//! emitted: a wrong dependency that is deployed is worse than a stop.

use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::Span;

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
        Diagnostic::internal(self.what, self.span)
    }
}
