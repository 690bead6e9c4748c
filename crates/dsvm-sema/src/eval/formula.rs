//! Expressions of the autoscale formula language: names of the program become values, the rest is kept as written.

use super::Eval;
use crate::diags;
use crate::value::{Formula, FormulaKind, Value};
use dsvm_syntax::ast::{Expr, ExprKind};
use std::sync::Arc;

impl<'p> Eval<'p> {
    pub(super) fn formula_value(&mut self, expr: &'p Expr) -> Value {
        match self.formula(expr) {
            Some(formula) => Value::Formula(Arc::new(formula)),
            None => Value::Error,
        }
    }

    fn formula(&mut self, expr: &'p Expr) -> Option<Formula> {
        if !self.step(1, expr.span) {
            return None;
        }
        let kind = match &expr.kind {
            ExprKind::Name(name) if !self.in_scope(name) => FormulaKind::Name(name.clone()),
            ExprKind::Call(callee, arguments) => {
                let ExprKind::Name(name) = &callee.kind else { return self.formula_constant(expr) };
                if self.in_scope(name) {
                    return self.formula_constant(expr);
                }
                let mut parts = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    if let Some(name) = &argument.name {
                        self.report(diags::named_in_formula(name.span));
                        return None;
                    }
                    parts.push(self.formula(&argument.value)?);
                }
                FormulaKind::Call(name.clone(), parts)
            }
            ExprKind::Unary(op, operand) => FormulaKind::Unary(*op, Box::new(self.formula(operand)?)),
            ExprKind::Binary(op, left, right) => {
                FormulaKind::Binary(op.value, Box::new(self.formula(left)?), Box::new(self.formula(right)?))
            }
            ExprKind::If(condition, yes, no) => FormulaKind::If(
                Box::new(self.formula(condition)?),
                Box::new(self.formula(yes)?),
                Box::new(self.formula(no)?),
            ),
            ExprKind::Error => return None,
            _ => return self.formula_constant(expr),
        };
        Some(Formula { kind, span: expr.span })
    }

    fn formula_constant(&mut self, expr: &'p Expr) -> Option<Formula> {
        let value = self.eval(expr);
        if matches!(value, Value::Error) || self.refuse_secret(&value, expr.span, "a formula, which Azure shows") {
            return None;
        }
        Some(Formula { kind: FormulaKind::Value(value), span: expr.span })
    }
}
