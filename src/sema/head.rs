//! What follows a block's keyword: a name, or values and words that become fields.

use super::table::{Head, kind_of, spec};
use crate::syntax::ast::{self, Block, ExprKind, HeadPart};

/// The name in a block's head, if it has one.
pub(crate) fn block_name(block: &Block) -> Option<ast::Name> {
    let first = block.head.first()?;
    let HeadPart::Expr(expr) = first else { return None };
    let ExprKind::Name(name) = &expr.kind else { return None };
    let row = kind_of(&block.keyword.value).map(spec);
    let named = match row {
        None => true,
        Some(row) => match row.head {
            Head::Name => true,
            // `autoscale every 5 min`: a word that is a field, and its value.
            Head::OptionalName => block.head.len() == 1 || row.field(name).is_none(),
            Head::None | Head::Phrase(_) => false,
        },
    };
    named.then(|| ast::Name { value: name.clone(), span: expr.span })
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
pub(crate) fn span(part: &HeadPart) -> crate::source::Span {
    match part {
        HeadPart::Word(word) => word.span,
        HeadPart::Expr(expr) => expr.span,
    }
}
