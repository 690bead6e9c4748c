//! `.dsvm` text → syntax tree and trivia. Recovers at every item and field; never fails.

pub mod allow;
pub mod ast;
pub mod format;
mod brackets;
#[cfg(any(test, feature = "oracle"))]
mod compare;
mod diags;
mod expected;
mod explain;
mod head;
mod index;
mod operators;
#[cfg(any(test, feature = "oracle"))]
mod oracle;
mod parser;
mod recover;
mod scan;
mod text;

#[cfg(any(test, feature = "oracle"))]
pub use compare::{Agreement, compare};
pub use index::{IndexItem, index};

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceId, Span};
use parser::{Parser, Words};
use rayon::prelude::*;
use std::ops::Range;

/// Files longer than this are parsed on several cores.
const PARALLEL_BYTES: usize = 64 * 1024;

/// Parses a file. What cannot be understood is reported to `sink` and left out.
pub fn parse(source: SourceId, text: &str, sink: &mut Sink) -> ast::File {
    if let Some(marker) = conflict_marker(text) {
        sink.push(diags::conflict_marker(Span::new(source, marker.start as u32, marker.end as u32)));
        return ast::File { items: Vec::new(), incomplete: true };
    }
    if let Some(found) = direction_overrides(source, text) {
        sink.push(found);
        return ast::File { items: Vec::new(), incomplete: true };
    }
    let items = index(text);
    if text.len() < PARALLEL_BYTES {
        return parse_items(source, text, &items, sink);
    }
    let size = items.len().div_ceil(rayon::current_num_threads() * 4).max(1);
    let parts: Vec<(ast::File, Sink)> = items
        .par_chunks(size)
        .map(|items| {
            let mut sink = Sink::default();
            (parse_items(source, text, items, &mut sink), sink)
        })
        .collect();
    let mut file = ast::File::default();
    for (part, found) in parts {
        file.items.extend(part.items);
        file.incomplete |= part.incomplete;
        sink.extend(found.finish());
    }
    file
}

/// The first line that git writes around versions that it could not merge, outside strings and comments.
fn conflict_marker(text: &str) -> Option<Range<usize>> {
    // Almost no file has such a line, so that the scan of the tokens costs nothing.
    if !text.contains("<<<<<<< ") || !text.contains("\n>>>>>>>") || !text.contains("\n=======") {
        return None;
    }
    let starts_line = |at: usize| at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
    let marker = |token: &scan::Token| {
        starts_line(token.start) && text.get(token.start..).is_some_and(|rest| rest.starts_with("<<<<<<< "))
    };
    let first = scan::Scanner::new(text, 0).find(marker)?;
    let line = text.get(first.start..)?.lines().next()?;
    Some(first.start..first.start + line.len())
}

/// Overrides, embeddings and isolates of the bidirectional algorithm, wherever they are: in a comment or a string they make
/// code look like a comment (<https://trojansource.codes>, CVE-2021-42574).
fn direction_overrides(source: SourceId, text: &str) -> Option<dsvm_diagnostics::Diagnostic> {
    const SHOWN: usize = 5;
    let override_or_isolate = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut all = text
        .match_indices(override_or_isolate)
        .take(SHOWN)
        .map(|(at, c)| (c.chars().next().unwrap_or_default(), Span::new(source, at as u32, (at + c.len()) as u32)));
    let (c, first) = all.next()?;
    let others: Vec<Span> = all.map(|(_, span)| span).collect();
    Some(diags::direction_override(c, first, &others))
}

/// Parses some items of a file that were found by [`index()`].
pub fn parse_items(source: SourceId, text: &str, items: &[IndexItem<'_>], sink: &mut Sink) -> ast::File {
    let mut file = ast::File { items: Vec::with_capacity(items.len()), incomplete: false };
    let mut words = Words::default();
    for item in items {
        parse_at(source, text, item, &mut words, &mut file, sink);
    }
    file
}

/// Parses one item of a file that was found by [`index()`].
pub fn parse_item(source: SourceId, text: &str, item: &IndexItem<'_>, file: &mut ast::File, sink: &mut Sink) {
    parse_at(source, text, item, &mut Words::default(), file, sink);
}

fn parse_at(
    source: SourceId,
    text: &str,
    item: &IndexItem<'_>,
    words: &mut Words,
    file: &mut ast::File,
    sink: &mut Sink,
) {
    if item.balanced
        && item.too_deep.is_none()
        && let Ok(parsed) = Parser::new(source, text, item.start, item.end, words).one_item()
    {
        file.incomplete |= parsed.value.is_none();
        file.items.extend(parsed.value);
        sink.extend(parsed.diagnostics);
        return;
    }
    sink.extend(recover::item(source, text, item, file));
}

/// A lexical token as the formatter needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lexeme {
    /// End of a line.
    Newline,
    /// From `//` to the end of the line; also doc comments.
    Comment,
    /// An opening bracket: `(`, `[`, `{`
    Open,
    /// A closing bracket: `)`, `]`, `}`
    Close,
    /// A name or keyword: letters, digits and `_`.
    Word,
    /// Digits and the letters directly after them.
    Number,
    /// A string, with all that is in it.
    String,
    /// A regular expression, `/…/`, directly after the word `matching`.
    Regex,
    /// An operator or any other sign.
    Sign,
}

/// The lexical tokens of a text: kind, first byte, one past the last byte.
pub fn lexemes(text: &str) -> impl Iterator<Item = (Lexeme, usize, usize)> {
    scan::Scanner::new(text, 0).map(|token| {
        let kind = match token.kind {
            scan::Kind::Newline => Lexeme::Newline,
            scan::Kind::Comment(_) => Lexeme::Comment,
            scan::Kind::Open(_) => Lexeme::Open,
            scan::Kind::Close(_) => Lexeme::Close,
            scan::Kind::Word => Lexeme::Word,
            scan::Kind::Number => Lexeme::Number,
            scan::Kind::String(_) => Lexeme::String,
            scan::Kind::Regex(_) => Lexeme::Regex,
            scan::Kind::Sign | scan::Kind::Junk => Lexeme::Sign,
        };
        (kind, token.start, token.end)
    })
}

/// The tree of a file as text, without places: equal for programs that differ only in layout.
#[must_use]
pub fn shape(file: &ast::File) -> String {
    let full = format!("{file:?}");
    let mut shape = String::with_capacity(full.len() / 2);
    let mut rest = full.as_str();
    while let Some((before, after)) = rest.split_once("Span {") {
        shape.push_str(before);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    shape.push_str(rest);
    shape
}

#[cfg(test)]
mod tests;
