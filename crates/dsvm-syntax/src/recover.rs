//! A broken item → as much of its tree as can be understood, and a diagnostic for each mistake.
//!
//! The item is cut at its brackets and lines into a head and entries, each of which is parsed on its own; an entry that
//! is itself a block is cut again. What cannot be understood becomes [`ExprKind::Error`] where its name is known, and
//! marks its body or file as incomplete where it is not.

use super::ast::{
    Body, Check, Entry, Expr, ExprKind, Field, File, Fn, Item, ItemKind, Let, Name, Output, Param, Type, TypeDecl,
    TypeKind,
};
use super::brackets::{Brackets, Partner, matched};
use super::diags;
use super::explain::{Piece, Place, explain};
use super::head::{Head, block_item};
use super::index::IndexItem;
use super::parser::{Parser, Refusal, Words};
use super::scan::{Kind, Scanner, Token, continues};
use super::text::doc_before;
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{SourceId, Span, Spanned};
use dsvm_grammar::Rule;
use std::ops::Range;

/// Adds to `file` what can be understood of one item, and returns what is wrong with it.
pub(super) fn item(source: SourceId, text: &str, item: &IndexItem<'_>, file: &mut File) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if let Some(at) = item.too_deep {
        diagnostics.push(diags::nesting_too_deep(Span::new(source, at as u32, at as u32 + 1)));
        file.incomplete = true;
        return diagnostics;
    }
    let within = text.get(..item.end).unwrap_or_default();
    let mut tokens: Vec<Token> =
        Scanner::new(within, item.start).filter(|t| !matches!(t.kind, Kind::Comment(_))).collect();
    if let Some(end) = item.missing_brace {
        diagnostics.push(diags::missing_open_brace(Span::new(source, item.start as u32, end as u32)));
        let behind = tokens.iter().position(|t| t.start >= end).unwrap_or(tokens.len());
        tokens.insert(behind, Token { kind: Kind::Open(b'{'), start: end, end });
    }
    let brackets = matched(source, within, &tokens, &mut diagnostics);
    let words = Words::default();
    let mut recovery = Recovery { source, text: within, tokens: &tokens, brackets: &brackets, words, diagnostics };
    recovery.item(item, file);
    recovery.diagnostics
}

struct Recovery<'t> {
    source: SourceId,
    /// The file up to the end of the item.
    text: &'t str,
    tokens: &'t [Token],
    brackets: &'t Brackets,
    words: Words,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Recovery<'t> {
    fn item(&mut self, item: &IndexItem<'_>, file: &mut File) {
        let all = 0..self.tokens.len();
        let span = self.span(&all);
        let own_form =
            matches!(item.keyword, "import" | "param" | "let" | "fn" | "type" | "check" | "output" | "secret");
        let open = if own_form { None } else { self.body_of(&all) };
        let Some((open, end)) = open else {
            self.declaration(&all, if own_form { Place::Own(item.keyword) } else { Place::Top });
            match self.poisoned(item, span) {
                Some(kind) => {
                    let doc = doc_before(self.text, span.start as usize);
                    let export = item.exported.then(|| Span { end: span.start + 6, ..span });
                    file.items.push(Item { doc, export, span, kind });
                }
                None => file.incomplete = true,
            }
            return;
        };
        let head = self.head(&(0..open), Place::Top);
        self.brace_on_line(&(0..open), open);
        let body = self.body(open, end);
        self.nothing_after(end, &all);
        match head {
            Some((head, export)) => {
                let kind = block_item(head.block(Some(body), true), &mut self.diagnostics);
                let doc = doc_before(self.text, span.start as usize);
                file.items.push(Item { doc, export, span, kind });
            }
            None => file.incomplete = true,
        }
    }

    /// An item with its name and nothing else that could be understood.
    fn poisoned(&self, item: &IndexItem<'_>, span: Span) -> Option<ItemKind> {
        let at =
            self.tokens.iter().find(|t| t.kind == Kind::Word && self.slice(t) == item.name && !item.name.is_empty());
        let name = at.map(|t| Spanned { value: item.name.into(), span: self.token_span(t) });
        let value = Expr::error(span);
        let ty = Type { kind: TypeKind::Error, span };
        let is_secret = |t: &&Token| t.kind == Kind::Word && self.slice(t) == "secret";
        Some(match item.keyword {
            "check" => ItemKind::Check(Check { condition: value, message: None }),
            "param" => {
                let secret = self.tokens.iter().take(2).find(is_secret).map(|t| self.token_span(t));
                ItemKind::Param(Param { secret, name: name?, ty, default: None })
            }
            "let" => ItemKind::Let(Let { name: name?, ty: None, value }),
            "fn" => ItemKind::Fn(Fn { name: name?, params: Vec::new(), result: Some(ty), body: value }),
            "type" => ItemKind::Type(TypeDecl { name: name?, ty }),
            "output" => ItemKind::Output(Output { name: name?, ty: None, value }),
            _ => return None,
        })
    }

    fn slice(&self, token: &Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    fn token_span(&self, token: &Token) -> Span {
        Span::new(self.source, token.start as u32, token.end as u32)
    }

    /// The bytes from the first to the last significant token of a range.
    fn bytes(&self, range: &Range<usize>) -> Range<usize> {
        let tokens = self.tokens.get(range.clone()).unwrap_or_default();
        let mut significant = tokens.iter().filter(|t| t.kind != Kind::Newline);
        let Some(first) = significant.next() else { return 0..0 };
        let last = significant.next_back().unwrap_or(first);
        first.start..last.end
    }

    fn span(&self, range: &Range<usize>) -> Span {
        let bytes = self.bytes(range);
        Span::new(self.source, bytes.start as u32, bytes.end as u32)
    }

    fn reported(&self, range: &Range<usize>) -> bool {
        self.brackets.reported.get(range.clone()).unwrap_or_default().contains(&true)
    }

    /// The `{` that opens the body of a block, and the token after its content.
    fn body_of(&self, range: &Range<usize>) -> Option<(usize, usize)> {
        let mut at = range.start;
        while at < range.end {
            let token = self.tokens.get(at)?;
            let partner = self.brackets.partners.get(at).copied().unwrap_or(Partner::None);
            match (token.kind, partner) {
                (Kind::Open(b'{'), Partner::Closer(end) | Partner::Missing(end)) => return Some((at, end)),
                (Kind::Sign, _) if self.slice(token) == "=" => return None,
                (Kind::Open(_), Partner::Closer(end)) => at = end + 1,
                _ => at += 1,
            }
        }
        None
    }

    /// A parser of a range of tokens.
    fn parser(&mut self, range: &Range<usize>) -> Parser<'t, '_> {
        let bytes = self.bytes(range);
        Parser::new(self.source, self.text, bytes.start, bytes.end, &mut self.words)
    }

    /// Reports why a piece was refused, unless something in it was reported before.
    fn refused(&mut self, range: &Range<usize>, rule: Rule, place: Place<'_>, refusal: Refusal) {
        if self.reported(range) {
            return;
        }
        let piece = Piece { source: self.source, file: self.text, bytes: self.bytes(range), rule, place };
        self.diagnostics.push(explain(&piece, refusal));
    }

    /// A declaration that cannot be cut into smaller pieces.
    fn declaration(&mut self, range: &Range<usize>, place: Place<'_>) {
        match self.parser(range).one_item() {
            Ok(mut parsed) => self.diagnostics.append(&mut parsed.diagnostics),
            Err(refusal) => self.refused(range, Rule::one_item, place, refusal),
        }
    }

    fn head(&mut self, range: &Range<usize>, place: Place<'_>) -> Option<(Head, Option<Span>)> {
        let mut parsed = match self.parser(range).one_head() {
            Ok(parsed) => parsed,
            Err(refusal) => {
                self.refused(range, Rule::one_head, place, refusal);
                return None;
            }
        };
        let (export, mut head) = parsed.value;
        if place == Place::Top {
            head.refuse_hyphen(self.text, &mut parsed.diagnostics);
        }
        self.diagnostics.append(&mut parsed.diagnostics);
        (!head.broken).then_some((head, export))
    }

    /// The `{` of a body is on the line of its head.
    fn brace_on_line(&mut self, head: &Range<usize>, open: usize) {
        let apart = open > 0 && self.tokens.get(open - 1).is_some_and(|t| t.kind == Kind::Newline);
        if let Some(brace) = self.tokens.get(open).filter(|_| apart) {
            self.diagnostics.push(diags::brace_on_next_line(self.token_span(brace), self.span(head)));
        }
    }

    /// Nothing may follow a body on its line.
    fn nothing_after(&mut self, end: usize, range: &Range<usize>) {
        let mut after = self.tokens.iter().enumerate().take(range.end).skip(end);
        let Some((_, closer)) = after.next().filter(|(_, t)| matches!(t.kind, Kind::Close(_))) else { return };
        let Some((at, next)) = after.find(|(_, t)| t.kind != Kind::Newline) else { return };
        if !self.reported(&(at..range.end)) {
            self.diagnostics.push(diags::missing_newline(self.token_span(next), self.slice(next), closer.end as u32));
        }
    }

    /// The content of `{ … }`; `end` is the token after the content.
    fn body(&mut self, open: usize, end: usize) -> Body {
        let last = self.tokens.get(end).filter(|t| matches!(t.kind, Kind::Close(_)));
        let start = self.tokens.get(open).map_or(0, |t| t.start) as u32;
        let close = last.map_or_else(|| self.bytes(&(open..end)).end, |t| t.end) as u32;
        let mut body =
            Body { entries: Vec::new(), incomplete: false, span: Span::new(self.source, start, close.max(start + 1)) };
        for chunk in self.chunks(open + 1..end) {
            self.entry(&chunk, &mut body);
        }
        body
    }

    /// Cuts a body at commas and at newlines that end something.
    fn chunks(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut chunks = Vec::new();
        let mut start = range.start;
        let mut at = range.start;
        let (mut before_last, mut last): (Option<Token>, Option<Token>) = (None, None);
        while let Some(token) = self.tokens.get(at).filter(|_| at < range.end) {
            let comma = token.kind == Kind::Sign && self.slice(token) == ",";
            let ends = match last {
                _ if comma => true,
                Some(last) if token.kind == Kind::Newline => {
                    !continues(self.text, before_last, last, Scanner::new(self.text, token.end))
                }
                _ => false,
            };
            if ends {
                chunks.push(start..at);
                (before_last, last) = (None, None);
                at += 1;
                start = at;
                continue;
            }
            if token.kind != Kind::Newline {
                (before_last, last) = (last, Some(*token));
            }
            at = match self.brackets.partners.get(at) {
                Some(Partner::Closer(end)) => {
                    last = self.tokens.get(*end).copied();
                    end + 1
                }
                Some(Partner::Missing(end)) if token.kind == Kind::Open(b'{') => {
                    // A block that was never closed ends its chunk where it is implicitly closed.
                    chunks.push(start..*end);
                    (before_last, last) = (None, None);
                    start = *end;
                    *end
                }
                // A parenthesis that was never closed keeps together what it would hold.
                Some(Partner::Missing(end)) => {
                    let end = (*end).clamp(at + 1, range.end);
                    last = self.tokens.get(end - 1).copied();
                    end
                }
                _ => at + 1,
            };
        }
        chunks.push(start..range.end.min(self.tokens.len()));
        chunks.retain(|chunk| !self.bytes(chunk).is_empty());
        chunks
    }

    fn entry(&mut self, chunk: &Range<usize>, body: &mut Body) {
        let refusal = match self.parser(chunk).one_entry(body) {
            Ok(mut diagnostics) => return self.diagnostics.append(&mut diagnostics),
            Err(refusal) => refusal,
        };
        if let Some((open, end)) = self.body_of(chunk) {
            self.nested(chunk, open, end, body);
            return;
        }
        match self.field_name(chunk) {
            Some((name, value)) => {
                let value = self.field_value(chunk, value, refusal);
                let span = self.span(chunk);
                let doc = doc_before(self.text, span.start as usize);
                body.entries.push(Entry::Field(Box::new(Field { doc, name, value, span })));
            }
            None => {
                self.refused(chunk, Rule::one_entry, Place::Body, refusal);
                body.incomplete = true;
            }
        }
    }

    /// A block inside a body.
    fn nested(&mut self, chunk: &Range<usize>, open: usize, end: usize, body: &mut Body) {
        let head = self.head(&(chunk.start..open), Place::Body);
        self.brace_on_line(&(chunk.start..open), open);
        let inner = self.body(open, end);
        self.nothing_after(end, chunk);
        match head {
            Some((head, _)) => {
                body.entries.push(Entry::Block(Box::new(head.block(Some(inner), false))));
            }
            None => body.incomplete = true,
        }
    }

    /// The name before `=`, and the token after `=`.
    fn field_name(&self, chunk: &Range<usize>) -> Option<(Name, usize)> {
        let mut tokens =
            self.tokens.iter().enumerate().take(chunk.end).skip(chunk.start).filter(|(_, t)| t.kind != Kind::Newline);
        let (_, name) = tokens.next()?;
        let (at, equals) = tokens.next()?;
        if !matches!(name.kind, Kind::Word | Kind::String(true)) || !matches!(self.slice(equals), "=" | "==" | ":") {
            return None;
        }
        let value = self.slice(name).trim_matches('"').into();
        Some((Spanned { value, span: self.token_span(name) }, at + 1))
    }

    /// The value of a broken field: a record is looked into, anything else is explained and given up.
    fn field_value(&mut self, chunk: &Range<usize>, value: usize, refusal: Refusal) -> Expr {
        let span = self.span(chunk);
        let first = (value..chunk.end).find(|i| self.tokens.get(*i).is_some_and(|t| t.kind != Kind::Newline));
        let record = first.and_then(|at| {
            let token = self.tokens.get(at).filter(|t| t.kind == Kind::Open(b'{'))?;
            match self.brackets.partners.get(at)? {
                Partner::Closer(end) if self.bytes(&(end + 1..chunk.end)).is_empty() => Some((token, at, *end)),
                Partner::Missing(end) => Some((token, at, *end)),
                _ => None,
            }
        });
        let Some((_, open, end)) = record else {
            self.refused(chunk, Rule::one_entry, Place::Body, refusal);
            return Expr::error(span);
        };
        let before = self.diagnostics.len();
        let inner = self.body(open, end);
        let mut fields = Vec::new();
        for entry in inner.entries {
            match entry {
                Entry::Field(field) => fields.push((field.name, field.value)),
                Entry::Block(block) => self.diagnostics.push(diags::phrase_in_record(block.span)),
            }
        }
        if inner.incomplete || self.diagnostics.len() > before {
            return Expr::error(inner.span);
        }
        Expr { kind: ExprKind::Record(fields), span: inner.span }
    }
}
