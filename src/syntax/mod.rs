//! `.dsvm` text → syntax tree and trivia. Recovers at every item and field; never fails. pest stays inside.

pub mod ast;
mod diags;
mod grammar;
mod index;
mod lower;
mod scan;

pub use index::{IndexItem, index};

use crate::diagnostics::Sink;
use crate::source::{SourceId, Span};
use grammar::{Grammar, Rule};
use lower::Lower;
use pest::Parser;

/// Parses a file. What cannot be understood is reported to `sink` and left out.
pub fn parse(source: SourceId, text: &str, sink: &mut Sink) -> ast::File {
    let mut file = ast::File::default();
    for item in index(text) {
        parse_item(source, text, &item, &mut file, sink);
    }
    file
}

/// Parses one item of a file that was found by [`index`].
pub fn parse_item(source: SourceId, text: &str, item: &IndexItem<'_>, file: &mut ast::File, sink: &mut Sink) {
    let Some(slice) = text.get(item.start..item.end) else { return };
    let mut lower = Lower::new(source, text, item.start);
    match Grammar::parse(Rule::one_item, slice) {
        Ok(pairs) => {
            for pair in pairs.filter(|p| p.as_rule() == Rule::item) {
                lower.item(pair, file);
            }
        }
        Err(error) => {
            let at = match error.location {
                pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => item.start + at,
            } as u32;
            sink.push(diags::not_understood(Span::new(source, at, at)));
            file.incomplete = true;
        }
    }
    sink.extend(lower.diagnostics);
}

#[cfg(test)]
mod tests;
