//! Expressions: a flat row of operands and operators → a tree by precedence.

use super::Lower;
use crate::ast::{Argument, Comprehension, Expr, ExprKind, Name, UnaryOp};
use crate::diags;
use crate::operators::{Deep, Operator, Row};
use crate::parser::MAX_TREE;
use dsvm_diagnostics::source::{Span, Spanned};
use dsvm_grammar::Rule;
use dsvm_grammar::words::is_reserved;
use pest::iterators::Pair;

impl Lower<'_> {
    /// The expression of a pair of rule `expr` or `wide`.
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Expr {
        self.deep(pair).0
    }

    /// An expression and its depth, at most [`MAX_TREE`]: what is deeper is reported once and replaced.
    pub(super) fn deep(&mut self, pair: Pair<'_, Rule>) -> Deep {
        let whole = self.span(&pair);
        let mut row: Option<Row> = None;
        let mut prefixes: Vec<(UnaryOp, Span)> = Vec::new();
        let mut current: Option<Deep> = None;
        for child in pair.into_inner() {
            match child.as_rule() {
                Rule::prefix => {
                    let op = if child.as_str() == "!" { UnaryOp::Not } else { UnaryOp::Negate };
                    prefixes.push((op, self.span(&child)));
                }
                Rule::binary => {
                    if let Some(operand) = current.take() {
                        let operand = prefixed(operand, &mut prefixes);
                        row.get_or_insert_default().push(operand, Operator::of(child.as_str()), self.span(&child));
                    }
                }
                Rule::suffix => current = current.take().map(|operand| self.suffix(operand, child)),
                _ => current = Some(self.primary(child)),
            }
            if current.as_ref().is_some_and(|(_, depth)| *depth > MAX_TREE) || prefixes.len() > MAX_TREE as usize {
                self.diagnostics.push(diags::nesting_too_deep(whole));
                return (Expr::error(whole), 1);
            }
        }
        let Some(last) = current else { return (Expr::error(whole), 1) };
        let last = prefixed(last, &mut prefixes);
        let deep = match row {
            None => last,
            Some(row) => row.finish(last).unwrap_or_else(|| (Expr::error(whole), 1)),
        };
        if deep.1 > MAX_TREE {
            self.diagnostics.push(diags::nesting_too_deep(whole));
            return (Expr::error(whole), 1);
        }
        deep
    }

    fn suffix(&mut self, (operand, depth): Deep, pair: Pair<'_, Rule>) -> Deep {
        let span = operand.span.to(self.span(&pair));
        let operand = Box::new(operand);
        let mut arguments = Vec::new();
        let mut deepest = depth;
        for child in pair.into_inner() {
            match child.as_rule() {
                Rule::word => {
                    return (Expr { kind: ExprKind::Member(operand, self.name(&child)), span }, depth + 1);
                }
                Rule::argument => {
                    let (argument, inside) = self.argument(child);
                    deepest = deepest.max(inside);
                    arguments.push(argument);
                }
                _ => {
                    let (index, inside) = self.deep(child);
                    return (Expr { kind: ExprKind::Index(operand, Box::new(index)), span }, depth.max(inside) + 1);
                }
            }
        }
        (Expr { kind: ExprKind::Call(operand, arguments), span }, deepest + 1)
    }

    fn argument(&mut self, pair: Pair<'_, Rule>) -> (Argument, u32) {
        let span = self.span(&pair);
        let mut name: Option<Name> = None;
        let mut value = (Expr::error(span), 1);
        for child in pair.into_inner() {
            if child.as_rule() == Rule::word {
                name = Some(self.name(&child));
            } else {
                value = self.deep(child);
            }
        }
        (Argument { name, value: value.0 }, value.1)
    }

    pub(super) fn primary(&mut self, pair: Pair<'_, Rule>) -> Deep {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::name => match pair.as_str() {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                "null" => ExprKind::Null,
                name => {
                    if is_reserved(name) {
                        self.diagnostics.push(diags::reserved_word(span, name));
                        return (Expr::error(span), 1);
                    }
                    ExprKind::Name(name.into())
                }
            },
            Rule::number => self.number(pair),
            Rule::string => return self.string(pair),
            Rule::list => return self.list(pair),
            Rule::record => return self.record(pair),
            Rule::group => {
                let Some(inner) = pair.into_inner().next() else { return (Expr::error(span), 1) };
                let (mut inner, depth) = self.deep(inner);
                // The parentheses belong to the expression, so that a label underlines them too.
                inner.span = span;
                return (inner, depth + 1);
            }
            Rule::condition => {
                let mut arms = pair.into_inner().map(|part| self.deep(part)).collect::<Vec<_>>().into_iter();
                let (Some((c, x)), Some((a, y)), Some((b, z))) = (arms.next(), arms.next(), arms.next()) else {
                    return (Expr::error(span), 1);
                };
                let kind = ExprKind::If(Box::new(c), Box::new(a), Box::new(b));
                return (Expr { kind, span }, x.max(y).max(z) + 1);
            }
            _ => ExprKind::Error,
        };
        (Expr { kind, span }, 1)
    }

    fn list(&mut self, pair: Pair<'_, Rule>) -> Deep {
        let span = self.span(&pair);
        let mut deepest = 0;
        let mut values = Vec::new();
        for child in pair.into_inner() {
            if child.as_rule() == Rule::comprehension {
                let Some(value) = values.pop() else { return (Expr::error(span), 1) };
                let (comprehension, inside) = self.comprehension(value, child);
                let kind = ExprKind::Comprehension(Box::new(comprehension));
                return (Expr { kind, span }, deepest.max(inside) + 1);
            }
            let (value, inside) = self.deep(child);
            deepest = deepest.max(inside);
            values.push(value);
        }
        (Expr { kind: ExprKind::List(values), span }, deepest + 1)
    }

    fn comprehension(&mut self, value: Expr, pair: Pair<'_, Rule>) -> (Comprehension, u32) {
        let span = self.span(&pair);
        let mut variable = Spanned { value: "_".into(), span };
        let (mut list, mut condition) = (None, None);
        let mut deepest = 0;
        for child in pair.into_inner() {
            if child.as_rule() == Rule::word {
                variable = self.name(&child);
                continue;
            }
            let (expr, inside) = self.deep(child);
            deepest = deepest.max(inside);
            if list.is_none() { list = Some(expr) } else { condition = Some(expr) }
        }
        let list = list.unwrap_or_else(|| Expr::error(span));
        (Comprehension { value, variable, list, condition }, deepest)
    }

    fn record(&mut self, pair: Pair<'_, Rule>) -> Deep {
        let span = self.span(&pair);
        let mut deepest = 0;
        let mut fields = Vec::new();
        for field in pair.into_inner() {
            let mut inner = field.into_inner();
            if let (Some(name), Some(value)) = (inner.next(), inner.next().and_then(|v| v.into_inner().next())) {
                let name = self.name(&name);
                let (value, inside) = self.deep(value);
                deepest = deepest.max(inside);
                fields.push((name, value));
            }
        }
        (Expr { kind: ExprKind::Record(fields), span }, deepest + 1)
    }
}

/// Puts the collected `!` and `-` before an operand, innermost last.
fn prefixed((mut expr, mut depth): Deep, prefixes: &mut Vec<(UnaryOp, Span)>) -> Deep {
    while let Some((op, span)) = prefixes.pop() {
        let whole = span.to(expr.span);
        expr = Expr { kind: ExprKind::Unary(op, Box::new(expr)), span: whole };
        depth += 1;
    }
    (expr, depth)
}
