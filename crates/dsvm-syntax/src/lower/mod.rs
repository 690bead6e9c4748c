//! Pairs of pest → owned syntax tree with spans in the file. Nothing of pest is left afterwards.
//!
//! Promises: the tree is never deeper than [`MAX_TREE`]; spans of children lie within their parents. What the grammar
//! accepts but the language does not (a bad escape, a class without a name) is reported here.

mod expr;
mod item;
mod literal;
mod types;

pub(super) use expr::{Operator, Row, is_reserved};
pub(super) use item::{Head, assemble, is_connector};

use super::ast::{Expr, ExprKind, Name};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{SourceId, Span, Spanned};
use dsvm_grammar::Rule;
use pest::iterators::Pair;

/// Expressions and types may be nested this deep, counting every operator of a chain.
const MAX_TREE: u32 = 256;

/// Lowers pairs whose positions are relative to byte `base` of the file `text`.
pub(super) struct Lower<'t> {
    pub(super) source: SourceId,
    pub(super) text: &'t str,
    pub(super) base: u32,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'t> Lower<'t> {
    pub(super) fn new(source: SourceId, text: &'t str, base: usize) -> Self {
        Self { source, text, base: base as u32, diagnostics: Vec::new() }
    }

    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(self.source, self.base + span.start() as u32, self.base + span.end() as u32)
    }

    fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        if pair.as_rule() == Rule::quoted {
            let inner = pair.as_str().trim_matches('"');
            return Spanned { value: inner.into(), span: self.span(pair) };
        }
        Spanned { value: pair.as_str().into(), span: self.span(pair) }
    }

    /// An expression that was or will be reported.
    pub(super) fn error(span: Span) -> Expr {
        Expr { kind: ExprKind::Error, span }
    }

    /// The `///` lines directly before byte `start` of the file, without the marks.
    pub(super) fn doc(&self, start: u32) -> Option<std::sync::Arc<str>> {
        let mut before = self.text.get(..start as usize)?;
        before = before.trim_end_matches([' ', '\t']);
        let mut lines: Vec<&str> = Vec::new();
        while let Some(rest) = before.strip_suffix('\n') {
            let line_start = rest.rfind('\n').map_or(0, |at| at + 1);
            let line = rest.get(line_start..)?.trim();
            let Some(text) = line.strip_prefix("///") else { break };
            lines.push(text.strip_prefix(' ').unwrap_or(text));
            before = rest.get(..line_start)?;
        }
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join("\n").into())
    }
}
