//! The second opinion of tests and fuzz targets: the tree that the written grammar gives.
//!
//! pest parses the text with the rules of `grammar/dsvm.pest`, and its pairs become the same tree that [`crate::parser`]
//! builds. Whatever is decided by the form of the text is decided here by pest; only what follows from a finished part
//! (precedence, the text of a string, what a head may hold) is shared with the parser.

mod expr;
mod item;
mod literal;
mod types;

use crate::ast::{Body, File, Name};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{SourceId, Span, Spanned};
use dsvm_grammar::{Grammar, Rule};
use pest::Parser;
use pest::iterators::Pair;

/// One declaration by the grammar, added to `file`; `None` when the grammar refuses it.
pub(crate) fn item(source: SourceId, text: &str, start: usize, end: usize, file: &mut File) -> Option<Vec<Diagnostic>> {
    let pairs = Grammar::parse(Rule::one_item, text.get(start..end)?).ok()?;
    let mut lower = Lower::new(source, text, start);
    for pair in pairs.filter(|pair| pair.as_rule() == Rule::item) {
        lower.item(pair, file);
    }
    Some(lower.diagnostics)
}

/// One entry of a body by the grammar, added to `body`; `None` when the grammar refuses it.
pub(crate) fn entry(
    source: SourceId,
    text: &str,
    start: usize,
    end: usize,
    body: &mut Body,
) -> Option<Vec<Diagnostic>> {
    let pairs = Grammar::parse(Rule::one_entry, text.get(start..end)?).ok()?;
    let mut lower = Lower::new(source, text, start);
    for pair in pairs.filter(|pair| pair.as_rule() != Rule::EOI) {
        lower.entry(pair, body);
    }
    Some(lower.diagnostics)
}

/// Pairs whose positions are relative to byte `base` of the file `text` → tree.
struct Lower<'t> {
    source: SourceId,
    text: &'t str,
    base: u32,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Lower<'t> {
    fn new(source: SourceId, text: &'t str, base: usize) -> Self {
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
}
