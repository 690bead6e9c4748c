//! Types.

use super::Parser;
use crate::ast::{Expr, ExprKind, Name, Type, TypeKind, UnaryOp};
use crate::text::pattern;
use dsvm_diagnostics::source::Spanned;

/// A type with more refinements than this is a mistake.
pub(crate) const MAX_REFINEMENTS: usize = 16;

impl Parser<'_, '_> {
    /// Rule `type`: one type, or a union of several.
    pub(super) fn ty(&mut self) -> Option<Type> {
        let start = self.at;
        let first = self.one_type()?;
        let mut members = Vec::new();
        let next = |p: &mut Self| {
            p.space(false);
            p.eat(b'|')?;
            p.space(false);
            p.one_type()
        };
        let Some(second) = self.attempt(next) else { return Some(first) };
        members.extend([first, second]);
        while let Some(member) = self.attempt(next) {
            members.push(member);
        }
        Some(Type { kind: TypeKind::Union(members), span: self.span(start) })
    }

    /// Rule `one_type`: `[secret] ATOM` and its refinements.
    fn one_type(&mut self) -> Option<Type> {
        let start = self.at;
        let secret = self.secret();
        let atom = self.at;
        let mut ty = self.type_atom()?;
        let mut refinements = 0;
        loop {
            let mark = self.mark();
            let Some(kind) = self.refinement(&mut ty) else {
                self.rewind(mark);
                break;
            };
            refinements += 1;
            if refinements > MAX_REFINEMENTS {
                return self.refuse_depth(mark.at);
            }
            ty = Type { kind, span: self.span(atom) };
        }
        if secret.is_some() {
            ty = Type { kind: TypeKind::Secret(Box::new(ty)), span: self.span(start) };
        }
        Some(ty)
    }

    /// Rule `refinement`, put around `ty`, which is left as it is on `None`.
    fn refinement(&mut self, ty: &mut Type) -> Option<TypeKind> {
        let mut inner = || Box::new(std::mem::replace(ty, Type { kind: TypeKind::Error, span: ty.span }));
        if self.byte() == b'?' {
            let alone = self.ahead(1) != b'?';
            return alone.then(|| {
                self.at += 1;
                TypeKind::Nullable(inner())
            });
        }
        self.blank();
        if self.keyword("in").is_some() {
            self.space(false);
            let (range, _) = self.expr(false)?;
            return Some(TypeKind::In(inner(), Box::new(range)));
        }
        self.keyword("matching")?;
        self.blank();
        let pattern = self.regex()?;
        Some(TypeKind::Matching(inner(), pattern))
    }

    /// Rule `regex`: between slashes, on one line; `\/` does not end it.
    fn regex(&mut self) -> Option<Name> {
        let start = self.at;
        self.eat(b'/')?;
        let first = self.at;
        while !self.is_at_end() {
            match self.byte() {
                b'/' if self.at > first => {
                    self.at += 1;
                    return Some(Spanned { value: pattern(self.slice(start)), span: self.span(start) });
                }
                b'\\' if self.at + 1 < self.bytes.len() && self.ahead(1) != b'\n' => self.at += 2,
                b'/' | b'\\' | b'\n' => return None,
                _ => self.at += 1,
            }
        }
        None
    }

    /// Rule `type_atom`: a list, record, group, literal or name.
    fn type_atom(&mut self) -> Option<Type> {
        let start = self.at;
        let kind = match self.byte() {
            b'[' => TypeKind::List(Box::new(self.bracketed_type(b']')?)),
            b'(' => self.bracketed_type(b')')?.kind,
            b'{' => TypeKind::Record(self.nested(Self::type_record)?),
            b'"' => TypeKind::Literal(Box::new(self.string()?.0)),
            b'0'..=b'9' => TypeKind::Literal(Box::new(self.number()?)),
            b'-' => {
                self.at += 1;
                self.blank();
                let value = self.number()?;
                let kind = ExprKind::Unary(UnaryOp::Negate, Box::new(value));
                TypeKind::Literal(Box::new(Expr { kind, span: self.span(start) }))
            }
            _ => TypeKind::Name(self.dotted_words()?),
        };
        Some(Type { kind, span: self.span(start) })
    }

    /// Rules `type_list` and `type_group`.
    fn bracketed_type(&mut self, closer: u8) -> Option<Type> {
        self.nested(|p| {
            p.at += 1;
            p.space(false);
            let ty = p.ty()?;
            p.space(false);
            p.eat(closer)?;
            Some(ty)
        })
    }

    /// Rule `type_record`: `{ a: T, b: T = VALUE }`, separated by commas or lines.
    fn type_record(&mut self) -> Option<Vec<(Name, Type, Option<Expr>)>> {
        self.eat(b'{')?;
        self.space(true);
        let mut fields = Vec::new();
        while self.byte() != b'}' {
            fields.push(self.fn_param()?);
            self.separator()?;
        }
        self.at += 1;
        Some(fields)
    }
}
