//! Blocks, bodies, fields, phrases.

use super::Parser;
use crate::ast::{Body, Entry, Expr, ExprKind, Field, HeadPart, Name, Repeat};
use crate::diags;
use crate::head::{Head, head_part};
use crate::text::doc_before;
use dsvm_diagnostics::source::Span;

impl Parser<'_, '_> {
    /// Rule `head` of a declaration.
    pub(super) fn head(&mut self) -> Option<Head> {
        let start = self.at;
        let existing = self.attempt(Self::existing);
        if existing.is_some() {
            self.blank();
        }
        let mut head = Head::new(self.word()?);
        head.existing = existing;
        if self.is_repeated()
            && let Some((name, repeat)) = self.attempt(Self::repeated)
        {
            head.parts.push(HeadPart::Expr(Expr { kind: ExprKind::Name(name.value), span: name.span }));
            head.repeat = Some(repeat);
        }
        self.parts(&mut head);
        head.span = self.span(start);
        Some(head)
    }

    /// Rule `existing`: the word, but only if another word follows.
    fn existing(&mut self) -> Option<Span> {
        let start = self.at;
        self.keyword("existing")?;
        let span = self.span(start);
        let after = self.at;
        self.blank();
        let word_follows = !self.peek_word().is_empty();
        self.at = after;
        word_follows.then_some(span)
    }

    /// Whether a word and then `[` follow.
    fn is_repeated(&mut self) -> bool {
        let start = self.at;
        self.blank();
        let word = self.at;
        self.at = self.word_end();
        let named = self.at > word;
        self.blank();
        let found = named && self.byte() == b'[';
        self.at = start;
        found
    }

    /// Rule `repeated`: the name of the block and what repeats it.
    fn repeated(&mut self) -> Option<(Name, Repeat)> {
        self.blank();
        let name = self.word()?;
        let start = self.at;
        self.blank();
        self.eat(b'[')?;
        self.space(false);
        let variable = self.word()?;
        self.space(false);
        self.keyword("in")?;
        self.space(false);
        let (list, _) = self.nested(|p| p.expr(true))?;
        self.space(false);
        self.eat(b']')?;
        let span = self.span(start);
        Some((name, Repeat { variable, list, span }))
    }

    /// Rule `parts`, which cannot fail: it ends where no further part can be read.
    fn parts(&mut self, head: &mut Head) {
        loop {
            let mark = self.mark();
            self.blank();
            let found = match self.byte() {
                b':' if head.class.is_none() => self.class(head),
                b'!'..=b'z' => self.part(head),
                _ => None,
            };
            if found.is_none() {
                self.rewind(mark);
                return;
            }
        }
    }

    /// Rule `class`: `: interactive` or `: "Microsoft.X/y@…"`.
    fn class(&mut self, head: &mut Head) -> Option<()> {
        let start = self.at;
        self.eat(b':')?;
        self.blank();
        let (class, _) = if self.byte() == b'"' { self.string()? } else { self.name()? };
        if head.parts.is_empty() {
            self.diagnostics.push(diags::colon_in_field(self.span(start), &head.keyword.value));
            head.broken = true;
        }
        head.class = Some(class);
        Some(())
    }

    /// Rule `part`: a value or connecting word of a head.
    fn part(&mut self, head: &mut Head) -> Option<()> {
        let mark = self.mark();
        // What `else` leads to is read behind the parts.
        if self.peek_word() == "else" {
            return None;
        }
        if self.keyword("for").is_some() {
            let span = self.span(mark.at);
            head.parts.push(HeadPart::Word(Name { value: self.words.get("for"), span }));
            return Some(());
        }
        let (expr, _) = self.expr(false)?;
        if self.slice(mark.at) == "then" {
            self.diagnostics.truncate(mark.diagnostics);
            self.diagnostics.push(diags::no_then(expr.span));
            return Some(());
        }
        let part = head_part(expr, head.parts.last(), &mut head.broken, &mut self.diagnostics);
        head.parts.push(part);
        Some(())
    }

    /// Rule `otherwise`: `else` and a value, perhaps on a line of their own.
    fn otherwise(&mut self) -> Option<[HeadPart; 2]> {
        self.space(false);
        let start = self.at;
        self.keyword("else")?;
        let word = Name { value: self.words.get("else"), span: self.span(start) };
        self.space(false);
        let (expr, _) = self.expr(false)?;
        Some([HeadPart::Word(word), HeadPart::Expr(expr)])
    }

    /// Rule `body`: braces and the entries between them.
    pub(super) fn body(&mut self) -> Option<Body> {
        let start = self.at;
        self.eat(b'{')?;
        let (entries, complete) = self.nested(Self::entries)?;
        Some(Body { entries, incomplete: !complete, span: self.span(start) })
    }

    /// The entries of a body and its `}`; also `false` when one had to be left out.
    fn entries(&mut self) -> Option<(Vec<Entry>, bool)> {
        let mut entries = Vec::new();
        let mut complete = true;
        self.space(true);
        while self.byte() != b'}' {
            match self.entry()? {
                Some(entry) => entries.push(entry),
                None => complete = false,
            }
            self.separator()?;
        }
        self.at += 1;
        Some((entries, complete))
    }

    /// Rule `separator`, or the `}` that makes it unnecessary.
    pub(super) fn separator(&mut self) -> Option<()> {
        self.blank();
        let here = self.byte();
        let ends = matches!(here, b'\n' | b',' | b'}') || (here == b'/' && self.ahead(1) == b'/');
        self.space(true);
        ends.then_some(())
    }

    /// A word, or rule `quoted`: the name of a field.
    pub(super) fn key(&mut self) -> Option<Name> {
        if self.byte() != b'"' {
            return self.word();
        }
        self.plain_string().filter(|name| !name.value.is_empty())
    }

    /// Rule `entry`; `Some(None)` when it is broken, which is reported.
    pub(super) fn entry(&mut self) -> Option<Option<Entry>> {
        let start = self.at;
        let quoted = self.byte() == b'"';
        let name = self.key()?;
        let mark = self.mark();
        self.blank();
        if self.equals().is_some()
            && let Some((value, _)) = self.expr(false)
        {
            let doc = doc_before(self.text, start);
            return Some(Some(Entry::Field(Box::new(Field { doc, name, value, span: self.span(start) }))));
        }
        self.rewind(mark);
        let mut head = Head::new(name);
        self.parts(&mut head);
        if let Some(parts) = self.attempt(Self::otherwise) {
            head.parts.extend(parts);
        }
        head.span = self.span(start);
        let body = self.attempt(|p| {
            p.blank();
            p.body()
        });
        if quoted && !head.broken {
            self.diagnostics.push(diags::lonely_string(head.keyword.span));
            head.broken = true;
        }
        let whole = self.span(start);
        Some(head.entry(body, whole))
    }
}
