//! The common forms of blocks, straight from bytes to the tree.
//!
//! Most of a big project is plain blocks: fields, phrases, lists, calls. This reads those a good ten times faster than
//! the generated parser. It decides nothing: whatever it does not know, or finds at all strange, it leaves to the
//! grammar by giving `None`, so no message ever comes from here. What it does accept, the grammar accepts with the same
//! tree, places included; tests hold it to that on every file of the repository and on random changes of them.

mod values;

use super::ast::{Argument, Block, Body, Entry, Expr, ExprKind, Field, HeadPart, Item, ItemKind, Name};
use super::lower::{Lower, is_connector};
use super::scan::is_word_byte;
use dsvm_diagnostics::source::{SourceId, Span, Spanned};
use std::sync::Arc;

/// Deeper trees are left to the grammar.
const MAX_DEPTH: u32 = 48;

/// Reads the block that stands at bytes `start..end` of a file.
pub(super) fn item(source: SourceId, text: &str, start: usize, end: usize, desk: &mut Desk) -> Option<Item> {
    desk.clear();
    let mut fast = Fast { source, text, bytes: text.as_bytes().get(..end)?, at: start, depth: 0, desk };
    let export = (fast.peek_word() == "export").then(|| fast.word()).flatten().map(|word| word.span);
    fast.blank();
    let own_form = ["import", "param", "secret", "let", "fn", "type", "check", "output", "export", "existing", "env"];
    if own_form.contains(&fast.peek_word()) {
        return None;
    }
    let keyword = fast.word()?;
    let block = fast.block(keyword, true)?;
    if fast.at != end {
        return None;
    }
    let span = export.map_or(block.span, |word| word.to(block.span));
    let doc = Lower::new(source, text, 0).doc(start as u32);
    Some(Item { doc, export, span, kind: ItemKind::Block(Box::new(block)) })
}

/// What is used for one item after the other. Parts of what is being read lie here until their number is known, so that
/// the tree has no room to spare.
#[derive(Default)]
pub(super) struct Desk {
    words: Words,
    parts: Vec<HeadPart>,
    entries: Vec<Entry>,
    arguments: Vec<Argument>,
    values: Vec<Expr>,
    fields: Vec<(Name, Expr)>,
}

impl Desk {
    /// Puts away what an item left that could not be read.
    fn clear(&mut self) {
        self.parts.clear();
        self.entries.clear();
        self.arguments.clear();
        self.values.clear();
        self.fields.clear();
    }
}

/// Words that were seen lately: a project of many pools says the same few again and again.
#[derive(Default)]
struct Words(Vec<Option<Arc<str>>>);

impl Words {
    const SLOTS: usize = 256;

    fn get(&mut self, word: &str) -> Arc<str> {
        if word.len() > 32 {
            return word.into();
        }
        if self.0.is_empty() {
            self.0.resize(Self::SLOTS, None);
        }
        let hash = word.bytes().fold(word.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let Some(slot) = self.0.get_mut(hash % Self::SLOTS) else { return word.into() };
        match slot {
            Some(known) if **known == *word => known.clone(),
            _ => slot.insert(word.into()).clone(),
        }
    }
}

struct Fast<'t, 'd> {
    source: SourceId,
    text: &'t str,
    /// The bytes up to the end of the item.
    bytes: &'t [u8],
    at: usize,
    depth: u32,
    desk: &'d mut Desk,
}

impl<'t> Fast<'t, '_> {
    #[inline]
    fn byte(&self) -> u8 {
        self.ahead(0)
    }

    /// Zero at the end: no form begins with it.
    #[inline]
    fn ahead(&self, by: usize) -> u8 {
        self.bytes.get(self.at + by).copied().unwrap_or(0)
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

    #[inline]
    fn blank(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// Blanks, newlines and comments; commas too between entries.
    #[inline]
    fn space(&mut self, commas: bool) {
        loop {
            match self.byte() {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b',' if commas => self.at += 1,
                b'/' if self.ahead(1) == b'/' => {
                    while self.at < self.bytes.len() && self.byte() != b'\n' {
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

    #[inline]
    fn peek_word(&self) -> &'t str {
        self.text.get(self.at..self.word_end()).unwrap_or_default()
    }

    fn word(&mut self) -> Option<Name> {
        let start = self.at;
        self.at = self.word_end();
        (self.at > start).then(|| Spanned { value: self.desk.words.get(self.slice(start)), span: self.span(start) })
    }

    /// A string without escapes and interpolation, on one line: its text.
    fn plain_string(&mut self) -> Option<Name> {
        let start = self.at;
        self.eat(b'"')?;
        loop {
            match self.byte() {
                b'"' => break,
                b'\\' | b'\n' | 0 => return None,
                b'$' if self.ahead(1) == b'{' => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        // `"""` begins a long string.
        if self.at == start + 2 && self.byte() == b'"' {
            return None;
        }
        let value = self.desk.words.get(self.text.get(start + 1..self.at - 1)?);
        Some(Spanned { value, span: self.span(start) })
    }

    /// What follows the keyword.
    fn block(&mut self, keyword: Name, top: bool) -> Option<Block> {
        let mut block = Block {
            existing: None,
            span: keyword.span,
            keyword,
            head: Vec::new(),
            repeat: None,
            class: None,
            base: None,
            body: None,
        };
        let first = self.desk.parts.len();
        loop {
            let here = self.at;
            let begins = self.desk.parts.len() == first;
            self.blank();
            match self.byte() {
                b'{' => {
                    let body = self.body()?;
                    block.span = block.span.to(body.span);
                    block.body = Some(body);
                    break;
                }
                b':' if block.class.is_none() && !begins => {
                    self.at += 1;
                    self.blank();
                    let class = if self.byte() == b'"' { self.string()? } else { self.name()? };
                    block.span = block.span.to(class.span);
                    block.class = Some(Box::new(class));
                }
                b'\n' | b',' | b'}' | 0 => {
                    self.at = here;
                    break;
                }
                b'/' if self.ahead(1) == b'/' => {
                    self.at = here;
                    break;
                }
                // `name[x in xs]`
                _ if top && begins && self.is_repeated() => return None,
                _ => {
                    let part = self.head_part(begins)?;
                    let (HeadPart::Word(Spanned { span, .. }) | HeadPart::Expr(Expr { span, .. })) = &part;
                    block.span = block.span.to(*span);
                    self.desk.parts.push(part);
                }
            }
        }
        block.head = self.desk.parts.drain(first..).collect();
        if top {
            self.base(&mut block)?;
        }
        Some(block)
    }

    /// Whether a word and then `[` stand here.
    fn is_repeated(&self) -> bool {
        let rest = self.bytes.get(self.word_end()..).unwrap_or_default();
        rest.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r')) == Some(&b'[')
    }

    /// `from BASE` at the end of the head; a name that is a subtraction is left to the grammar.
    fn base(&self, block: &mut Block) -> Option<()> {
        if matches!(block.head.first(), Some(HeadPart::Expr(Expr { kind: ExprKind::Binary(..), .. }))) {
            return None;
        }
        if let [.., HeadPart::Word(word), HeadPart::Expr(_)] = block.head.as_slice()
            && &*word.value == "from"
            && let Some(HeadPart::Expr(base)) = block.head.pop()
        {
            block.base = Some(Box::new(base));
            block.head.pop();
        }
        Some(())
    }

    fn head_part(&mut self, begins: bool) -> Option<HeadPart> {
        let (expr, _) = self.expr(false)?;
        if let ExprKind::Name(word) = &expr.kind {
            if is_connector(word) {
                return Some(HeadPart::Word(Spanned { value: word.clone(), span: expr.span }));
            }
            // `5 minutes`: an unknown unit, which the grammar's side tells.
            let number = |e: &Expr| matches!(e.kind, ExprKind::Int(_) | ExprKind::Decimal(_));
            if matches!(self.desk.parts.last(), Some(HeadPart::Expr(last)) if !begins && number(last)) {
                return None;
            }
        }
        Some(HeadPart::Expr(expr))
    }

    /// Enters a bracket; too deep is left to the grammar.
    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth < MAX_DEPTH).then_some(())
    }

    fn body(&mut self) -> Option<Body> {
        let start = self.at;
        self.deeper()?;
        self.eat(b'{')?;
        let first = self.desk.entries.len();
        self.space(true);
        while self.byte() != b'}' {
            let entry = self.entry()?;
            self.desk.entries.push(entry);
            self.separator()?;
        }
        self.at += 1;
        self.depth -= 1;
        let entries = self.desk.entries.drain(first..).collect();
        Some(Body { entries, incomplete: false, span: self.span(start) })
    }

    /// Between entries: a newline, a comma or a comment, or the end.
    fn separator(&mut self) -> Option<()> {
        self.blank();
        let ends = matches!(self.byte(), b'\n' | b',' | b'}') || (self.byte() == b'/' && self.ahead(1) == b'/');
        self.space(true);
        ends.then_some(())
    }

    fn key(&mut self) -> Option<Name> {
        if self.byte() != b'"' {
            return self.word();
        }
        // An empty key is left to the grammar.
        self.plain_string().filter(|name| !name.value.is_empty())
    }

    /// `=`, not `==`, and the space after it.
    #[inline]
    fn equals(&mut self) -> bool {
        let found = self.byte() == b'=' && self.ahead(1) != b'=';
        if found {
            self.at += 1;
            self.space(false);
        }
        found
    }

    fn entry(&mut self) -> Option<Entry> {
        let start = self.at;
        let quoted = self.byte() == b'"';
        let name = self.key()?;
        let after = self.at;
        self.blank();
        if self.equals() {
            let (value, _) = self.expr(false)?;
            let doc = Lower::new(self.source, self.text, 0).doc(start as u32);
            return Some(Entry::Field(Box::new(Field { doc, name, value, span: self.span(start) })));
        }
        self.at = after;
        // Parts are separated from the keyword by a blank or a brace; anything else is strange.
        if quoted {
            return None;
        }
        Some(Entry::Block(Box::new(self.block(name, false)?)))
    }
}
