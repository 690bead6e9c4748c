//! Heads of blocks, and what becomes of a head and a body: the same for the parser, the recovery and the oracle.

use crate::ast::{BinaryOp, Block, Body, Entry, Env, Expr, ExprKind, Field, HeadPart, ItemKind, Name, Repeat};
use crate::diags;
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{Span, Spanned};
use dsvm_grammar::words::CONNECTORS;

/// What precedes the braces of a block.
pub(crate) struct Head {
    pub(crate) existing: Option<Span>,
    pub(crate) keyword: Name,
    pub(crate) parts: Vec<HeadPart>,
    pub(crate) repeat: Option<Repeat>,
    pub(crate) class: Option<Expr>,
    /// From the first word to the end of the last part.
    pub(crate) span: Span,
    /// Something in it is wrong and reported.
    pub(crate) broken: bool,
}

impl Head {
    pub(crate) fn new(keyword: Name) -> Head {
        let span = keyword.span;
        Head { existing: None, keyword, parts: Vec::new(), repeat: None, class: None, span, broken: false }
    }

    /// `pool my-pool`: a subtraction where a name belongs.
    pub(crate) fn refuse_hyphen(&mut self, text: &str, diagnostics: &mut Vec<Diagnostic>) {
        let Some(HeadPart::Expr(Expr { kind: ExprKind::Binary(op, left, right), span })) = self.parts.first() else {
            return;
        };
        let named = |e: &Expr| matches!(e.kind, ExprKind::Name(_) | ExprKind::Int(_) | ExprKind::Binary(..));
        if op.value == BinaryOp::Subtract && named(left) && named(right) {
            let text = text.get(span.start as usize..span.end as usize).unwrap_or_default();
            diagnostics.push(diags::hyphen(*span, text, false));
            self.broken = true;
        }
    }

    /// The block with this head; `top` when it is a declaration and can have a base (`from BASE`).
    pub(crate) fn block(mut self, body: Option<Body>, top: bool) -> Block {
        let mut base = None;
        if top
            && let [.., HeadPart::Word(word), HeadPart::Expr(_)] = self.parts.as_slice()
            && &*word.value == "from"
            && let Some(HeadPart::Expr(expr)) = self.parts.pop()
        {
            base = Some(expr);
            self.parts.pop();
        }
        let span = body.as_ref().map_or(self.span, |b| self.span.to(b.span));
        Block {
            existing: self.existing,
            keyword: self.keyword,
            head: self.parts,
            repeat: self.repeat.map(Box::new),
            class: self.class.map(Box::new),
            base: base.map(Box::new),
            body,
            span,
        }
    }

    /// The entry with this head; `None` when the head is broken and nothing of it can be kept.
    pub(crate) fn entry(self, body: Option<Body>, whole: Span) -> Option<Entry> {
        if self.broken && self.parts.is_empty() && !self.keyword.value.is_empty() {
            // `size: sizes.A`: a field all the same.
            let value = Expr::error(whole);
            return Some(Entry::Field(Box::new(Field { doc: None, name: self.keyword, value, span: whole })));
        }
        (!self.broken).then(|| Entry::Block(Box::new(self.block(body, false))))
    }
}

/// What one expression of a head is, given the part before it.
pub(crate) fn head_part(
    expr: Expr,
    before: Option<&HeadPart>,
    broken: &mut bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> HeadPart {
    if let ExprKind::Name(word) = &expr.kind {
        if CONNECTORS.contains(&&**word) {
            return HeadPart::Word(Spanned { value: word.clone(), span: expr.span });
        }
        // `5 minutes`
        let number = |e: &Expr| matches!(e.kind, ExprKind::Int(_) | ExprKind::Decimal(_));
        if matches!(before, Some(HeadPart::Expr(last)) if number(last)) {
            diagnostics.push(diags::unknown_unit(expr.span, word));
            *broken = true;
        }
    }
    HeadPart::Expr(expr)
}

/// A block at the top of a file: `env` has a form of its own in the tree.
pub(crate) fn block_item(block: Block, diagnostics: &mut Vec<Diagnostic>) -> ItemKind {
    if &*block.keyword.value != "env" {
        return ItemKind::Block(Box::new(block));
    }
    let (name, body) = env_head(block, diagnostics);
    let mut values = Vec::new();
    let mut incomplete = body.incomplete;
    for entry in body.entries {
        match entry {
            Entry::Field(field) => values.push((field.name, field.value)),
            Entry::Block(inner) => {
                diagnostics.push(diags::not_a_value(inner.span, &inner.keyword.value));
                incomplete = true;
            }
        }
    }
    ItemKind::Env(Env { name, values, incomplete })
}

/// `env NAME { … }` exactly; anything else is reported and gives an env that is incomplete.
fn env_head(block: Block, diagnostics: &mut Vec<Diagnostic>) -> (Name, Body) {
    let plain = block.class.is_none() && block.repeat.is_none() && block.base.is_none() && block.existing.is_none();
    match (block.head.as_slice(), block.body) {
        ([HeadPart::Expr(Expr { kind: ExprKind::Name(name), span })], Some(body)) if plain => {
            (Spanned { value: name.clone(), span: *span }, body)
        }
        (_, body) => {
            diagnostics.push(diags::bad_env(block.keyword.span));
            let empty = Body { entries: Vec::new(), incomplete: true, span: block.span };
            let name = Spanned { value: "".into(), span: block.keyword.span };
            (name, Body { incomplete: true, ..body.unwrap_or(empty) })
        }
    }
}
