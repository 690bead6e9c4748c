//! The parser: bytes → tree, by recursive descent, without tokens.
//!
//! It follows the written grammar (`grammar/dsvm.pest`) rule by rule, with the same order of alternatives and the same
//! places to go back to, and is the only one that decides what a program is. A piece that it refuses is explained with
//! the help of the grammar ([`crate::explain`]). Tests and the fuzz target `grammar` hold the two against each other:
//! the same verdict, the same tree, the same diagnostics.
//!
//! What the grammar accepts but the language does not (an unknown escape, a class without a name) is reported here and
//! leaves [`ExprKind::Error`](crate::ast::ExprKind::Error) behind.

mod blocks;
mod declarations;
mod literals;
mod words;
pub(crate) mod types;
mod values;

pub(crate) use words::Words;

use crate::ast::{Body, Item, Name};
use crate::head::Head;
use crate::scan::{MAX_DEPTH, is_word_byte};
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{SourceId, Span, Spanned};

/// Expressions can have this many levels, counting every operator of a chain.
pub(crate) const MAX_TREE: u32 = 256;

/// A piece that was parsed, and what is wrong in it all the same.
pub(crate) struct Parsed<T> {
    pub(crate) value: T,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Why a piece was not parsed. Positions are bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It does not follow the grammar; it was understood up to `furthest`.
    Form { furthest: usize, glued: Option<Glued> },
    /// Too many levels at this byte.
    TooDeep(usize),
}

/// A number with letters or digits directly behind it that do not belong to it: `5x`, `2026-12-011`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glued {
    pub(crate) start: usize,
    /// Where the number ends, and what is too much begins.
    pub(crate) number_end: usize,
    pub(crate) end: usize,
}

/// A position to go back to, and how many diagnostics there were.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    diagnostics: usize,
}

/// Parses one piece of a file: a declaration, an entry of a body, or a head.
///
/// A method that returns `None` has failed and may have moved; a caller that can go on calls [`Parser::rewind`].
pub(crate) struct Parser<'t, 's> {
    source: SourceId,
    text: &'t str,
    /// The bytes up to the end of the piece.
    bytes: &'t [u8],
    at: usize,
    /// Brackets and `if`s around this position.
    depth: usize,
    furthest: usize,
    glued: Option<Glued>,
    too_deep: Option<usize>,
    diagnostics: Vec<Diagnostic>,
    words: &'s mut Words,
}

impl<'t, 's> Parser<'t, 's> {
    /// A parser of the bytes `start..end` of a file. Both lie on character boundaries.
    pub(crate) fn new(source: SourceId, text: &'t str, start: usize, end: usize, words: &'s mut Words) -> Self {
        let bytes = text.as_bytes().get(..end).unwrap_or_default();
        let (furthest, glued, too_deep) = (start, None, None);
        Self { source, text, bytes, at: start, depth: 0, furthest, glued, too_deep, diagnostics: Vec::new(), words }
    }

    /// The whole piece as a declaration; its value is `None` when what names it is wrong.
    pub(crate) fn one_item(mut self) -> Result<Parsed<Option<Item>>, Refusal> {
        let item = self.item();
        self.finish(item)
    }

    /// The whole piece as an entry, added to `body`.
    pub(crate) fn one_entry(mut self, body: &mut Body) -> Result<Vec<Diagnostic>, Refusal> {
        let entry = self.entry();
        let parsed = self.finish(entry)?;
        body.incomplete |= parsed.value.is_none();
        body.entries.extend(parsed.value);
        Ok(parsed.diagnostics)
    }

    /// The whole piece as what precedes the braces of a declaration: the place of `export` and the head.
    pub(crate) fn one_head(mut self) -> Result<Parsed<(Option<Span>, Head)>, Refusal> {
        let head = self.export().and_then(|export| {
            self.blank();
            Some((export, self.head()?))
        });
        self.finish(head)
    }

    fn finish<T>(self, value: Option<T>) -> Result<Parsed<T>, Refusal> {
        if let Some(at) = self.too_deep {
            return Err(Refusal::TooDeep(at));
        }
        match value {
            Some(value) if self.at == self.bytes.len() => Ok(Parsed { value, diagnostics: self.diagnostics }),
            _ => Err(Refusal::Form { furthest: self.furthest.max(self.at), glued: self.glued }),
        }
    }

    fn mark(&self) -> Mark {
        Mark { at: self.at, diagnostics: self.diagnostics.len() }
    }

    /// Forgets what was read and reported since the mark.
    fn rewind(&mut self, mark: Mark) {
        self.furthest = self.furthest.max(self.at);
        self.at = mark.at;
        self.diagnostics.truncate(mark.diagnostics);
    }

    /// What `read` gives; on `None` nothing was read.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mark = self.mark();
        let value = read(self);
        if value.is_none() {
            self.rewind(mark);
        }
        value
    }

    /// Reads something that contains a piece of its own kind; there is an end to that.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            return self.refuse_depth(self.at);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn refuse_depth<T>(&mut self, at: usize) -> Option<T> {
        self.too_deep.get_or_insert(at);
        None
    }

    /// The byte here; zero at the end. No form begins with a zero, and in strings [`Parser::is_at_end`] tells the two apart.
    #[inline]
    fn byte(&self) -> u8 {
        self.ahead(0)
    }

    #[inline]
    fn ahead(&self, by: usize) -> u8 {
        self.bytes.get(self.at + by).copied().unwrap_or(0)
    }

    #[inline]
    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    #[inline]
    fn starts_with(&self, text: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.byte() == byte).then(|| self.at += 1)
    }

    #[inline]
    fn span(&self, start: usize) -> Span {
        Span::new(self.source, start as u32, self.at as u32)
    }

    #[inline]
    fn slice(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Rule `blank`: skips space within a line.
    #[inline]
    fn blank(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// Rule `space`; with `commas` rule `gap`.
    #[inline]
    fn space(&mut self, commas: bool) {
        loop {
            match self.byte() {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b',' if commas => self.at += 1,
                b'/' if self.ahead(1) == b'/' => {
                    while !self.is_at_end() && self.byte() != b'\n' {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    #[inline]
    fn word_end(&self) -> usize {
        let mut end = self.at;
        if self.byte().is_ascii_digit() {
            return end;
        }
        while self.bytes.get(end).is_some_and(|b| is_word_byte(*b)) {
            end += 1;
        }
        end
    }

    /// The word here; empty when there is none.
    #[inline]
    fn peek_word(&self) -> &'t str {
        self.text.get(self.at..self.word_end()).unwrap_or_default()
    }

    /// Rule `word`: a name or keyword, `None` and no progress if there is none.
    fn word(&mut self) -> Option<Name> {
        let start = self.at;
        self.at = self.word_end();
        (self.at > start).then(|| Spanned { value: self.words.get(self.slice(start)), span: self.span(start) })
    }

    /// Reads `word` if it is next and does not go on: `in`, not `into`.
    fn keyword(&mut self, word: &str) -> Option<()> {
        (self.peek_word() == word).then(|| self.at += word.len())
    }

    /// Rule `equals`: `=`, not `==`, and the space after it.
    #[inline]
    fn equals(&mut self) -> Option<()> {
        if self.byte() != b'=' || self.ahead(1) == b'=' {
            return None;
        }
        self.at += 1;
        self.space(false);
        Some(())
    }

    /// Rule `comma`: a comma with space and line breaks around it.
    fn comma(&mut self) -> Option<()> {
        self.space(false);
        self.eat(b',')?;
        self.space(false);
        Some(())
    }
}
