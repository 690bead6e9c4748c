//! Strings with escapes and interpolations; quantities.

use super::Lower;
use crate::ast::{Expr, ExprKind};
use crate::diags;
use crate::text::{Piece, parts, unescape};
use dsvm_grammar::Rule;
use pest::iterators::Pair;

impl Lower<'_> {
    /// What a number is, by its form.
    pub(super) fn number(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let mut inner = pair.into_inner();
        let Some(digits) = inner.next() else { return ExprKind::Error };
        let text = digits.as_str();
        let dots = text.bytes().filter(|b| *b == b'.').count();
        if let Some(unit) = inner.next() {
            if dots < 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'_' | b'.')) {
                return ExprKind::Quantity(text.into(), self.name(&unit));
            }
            self.diagnostics.push(diags::unit_of_what(self.span(&unit), unit.as_str(), text));
            return ExprKind::Error;
        }
        let form = |b: u8| text.as_bytes().contains(&b);
        match dots {
            3 if form(b'/') => ExprKind::Cidr(text.into()),
            3 => ExprKind::Ip(text.into()),
            1 => ExprKind::Decimal(text.into()),
            _ if form(b':') => ExprKind::Time(text.into()),
            _ if form(b'-') => ExprKind::Date(text.into()),
            _ => ExprKind::Int(text.into()),
        }
    }

    /// A string and its depth.
    pub(super) fn string(&mut self, pair: Pair<'_, Rule>) -> (Expr, u32) {
        let span = self.span(&pair);
        let long = pair.as_str().starts_with("\"\"\"");
        let mut pieces = Vec::new();
        let mut depth = 0;
        for child in pair.into_inner() {
            match child.as_rule() {
                Rule::text => pieces.push(Piece::Raw(child.as_str().to_owned())),
                Rule::long_text => pieces.push(Piece::Raw(child.as_str().replace("\r\n", "\n"))),
                Rule::escape => match unescape(child.as_str()) {
                    Some(c) => pieces.push(Piece::Escaped(c)),
                    None => {
                        let at = self.span(&child);
                        self.diagnostics.push(diags::unknown_escape(at, child.as_str()));
                    }
                },
                _ => {
                    for expr in child.into_inner() {
                        let (expr, inside) = self.deep(expr);
                        depth = depth.max(inside);
                        pieces.push(Piece::Value(expr));
                    }
                }
            }
        }
        (Expr { kind: ExprKind::String(parts(pieces, long)), span }, depth + 1)
    }
}
