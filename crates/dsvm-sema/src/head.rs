//! What follows a block's keyword: a name, or values and words that become fields.

use super::table::{BlockSpec, Head, kind_of, spec};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{self, Block, ExprKind, HeadPart};
use std::sync::Arc;

/// The name in a block's head, if it has one.
pub(crate) fn block_name(block: &Block) -> Option<ast::Name> {
    match kind_of(&block.keyword.value) {
        Some(kind) => name_of(block, spec(kind)),
        None => first_name(block),
    }
}

/// `s[n in 1..3]` as the head of a nested block, where the grammar reads it as an element of a list.
pub(crate) fn repetition(block: &Block) -> Option<Span> {
    let HeadPart::Expr(expr) = block.head.first()? else { return None };
    let ExprKind::Index(_, index) = &expr.kind else { return None };
    matches!(&index.kind, ExprKind::Binary(op, ..) if op.value == ast::BinaryOp::In).then_some(expr.span)
}

/// The name in the head of a block of that kind, if it has one.
pub(crate) fn name_of(block: &Block, row: &BlockSpec) -> Option<ast::Name> {
    match row.head {
        Head::None | Head::Phrase(_) => None,
        Head::Name => first_name(block),
        // `autoscale every 5 min`: a word that is a field, and its value.
        Head::OptionalName => {
            first_name(block).filter(|name| block.head.len() == 1 || row.field(&name.value).is_none())
        }
    }
}

fn first_name(block: &Block) -> Option<ast::Name> {
    let HeadPart::Expr(expr) = block.head.first()? else { return None };
    let name = match &expr.kind {
        ExprKind::Name(name) => name,
        _ => quoted_name(block)?,
    };
    Some(ast::Name { value: name.clone(), span: expr.span })
}

/// `pool "team"`: a name in quotes, which is reported and understood.
pub(crate) fn quoted_name(block: &Block) -> Option<&Arc<str>> {
    let HeadPart::Expr(expr) = block.head.first()? else { return None };
    let ExprKind::String(parts) = &expr.kind else { return None };
    let [ast::StringPart::Text(text)] = parts.as_slice() else { return None };
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (letters && text.starts_with(|first: char| first.is_ascii_alphabetic())).then_some(text)
}

/// The word of a part, whether it was read as a word or as a bare name.
pub(crate) fn word(part: &HeadPart) -> Option<&str> {
    match part {
        HeadPart::Word(word) => Some(&word.value),
        HeadPart::Expr(expr) => match &expr.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        },
    }
}

/// Where a part was written.
pub(crate) fn span(part: &HeadPart) -> dsvm_diagnostics::source::Span {
    match part {
        HeadPart::Word(word) => word.span,
        HeadPart::Expr(expr) => expr.span,
    }
}
