//! Types.

use super::Lower;
use crate::ast::{Expr, ExprKind, Name, Type, TypeKind, UnaryOp};
use crate::diags;
use crate::parser::types::MAX_REFINEMENTS;
use crate::text::pattern;
use dsvm_diagnostics::source::Spanned;
use dsvm_grammar::Rule;
use pest::iterators::Pair;

impl Lower<'_> {
    /// The type of a pair of rule `type`; more than one member is a union.
    pub(super) fn ty(&mut self, pair: Pair<'_, Rule>) -> Type {
        let span = self.span(&pair);
        let mut members: Vec<Type> = pair.into_inner().map(|one| self.one_type(one)).collect();
        match members.len() {
            1 => members.pop().unwrap_or(Type { kind: TypeKind::Error, span }),
            _ => {
                let span = members.first().zip(members.last()).map_or(span, |(a, b)| a.span.to(b.span));
                Type { kind: TypeKind::Union(members), span }
            }
        }
    }

    fn one_type(&mut self, pair: Pair<'_, Rule>) -> Type {
        let mut span = self.span(&pair);
        let mut secret = None;
        let mut ty = Type { kind: TypeKind::Error, span };
        let mut refinements = 0;
        for child in pair.into_inner() {
            let end = self.span(&child);
            refinements += usize::from(matches!(child.as_rule(), Rule::nullable | Rule::expr | Rule::regex));
            if refinements > MAX_REFINEMENTS {
                self.diagnostics.push(diags::nesting_too_deep(end));
                return Type { kind: TypeKind::Error, span };
            }
            let kind = match child.as_rule() {
                Rule::secret => {
                    secret = Some(end);
                    continue;
                }
                Rule::nullable => {
                    span = ty.span.to(end);
                    TypeKind::Nullable(Box::new(ty))
                }
                Rule::expr => {
                    let range = self.expr(child);
                    span = ty.span.to(range.span);
                    TypeKind::In(Box::new(ty), Box::new(range))
                }
                Rule::regex => {
                    let pattern = self.regex(&child);
                    span = ty.span.to(pattern.span);
                    TypeKind::Matching(Box::new(ty), pattern)
                }
                _ => {
                    ty = self.type_atom(child);
                    continue;
                }
            };
            ty = Type { kind, span };
        }
        match secret {
            Some(word) => {
                let span = word.to(ty.span);
                Type { kind: TypeKind::Secret(Box::new(ty)), span }
            }
            None => ty,
        }
    }

    /// The pattern without its slashes; `\/` is a slash.
    fn regex(&self, pair: &Pair<'_, Rule>) -> Name {
        Spanned { value: pattern(pair.as_str()), span: self.span(pair) }
    }

    fn type_atom(&mut self, pair: Pair<'_, Rule>) -> Type {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::type_name => TypeKind::Name(pair.into_inner().map(|word| self.name(&word)).collect()),
            Rule::type_list => match pair.into_inner().next() {
                Some(inner) => TypeKind::List(Box::new(self.ty(inner))),
                None => TypeKind::Error,
            },
            Rule::type_record => TypeKind::Record(pair.into_inner().map(|field| self.fn_param(field)).collect()),
            Rule::type_group => match pair.into_inner().next() {
                Some(inner) => self.ty(inner).kind,
                None => TypeKind::Error,
            },
            Rule::type_literal => self.type_literal(pair),
            _ => TypeKind::Error,
        };
        Type { kind, span }
    }

    fn type_literal(&mut self, pair: Pair<'_, Rule>) -> TypeKind {
        let mut minus = None;
        for child in pair.into_inner() {
            if child.as_rule() == Rule::minus {
                minus = Some(self.span(&child));
                continue;
            }
            let value = self.primary(child).0;
            let value = match minus {
                Some(sign) => {
                    let span = sign.to(value.span);
                    Expr { kind: ExprKind::Unary(UnaryOp::Negate, Box::new(value)), span }
                }
                None => value,
            };
            return TypeKind::Literal(Box::new(value));
        }
        TypeKind::Error
    }

    /// `name: type = default`
    pub(super) fn fn_param(&mut self, pair: Pair<'_, Rule>) -> (Name, Type, Option<Expr>) {
        let span = self.span(&pair);
        let mut name = Spanned { value: "_".into(), span };
        let mut ty = Type { kind: TypeKind::Error, span };
        let mut default = None;
        for child in pair.into_inner() {
            match child.as_rule() {
                Rule::word => name = self.name(&child),
                Rule::r#type => ty = self.ty(child),
                _ => default = Some(self.expr(child)),
            }
        }
        (name, ty, default)
    }
}
