//! `avg(cpu, 10 min) > 75%`: when an autoscale rule applies.

use super::Eval;
use crate::diags;
use crate::table::words::Aggregate;
use crate::table::{BlockKind, suggest};
use crate::ty::Ty;
use crate::value::{Comparison, Condition, Value};
use dsvm_syntax::ast::{Argument, BinaryOp, Expr, ExprKind};
use std::sync::{Arc, LazyLock};

static METRIC: LazyLock<Ty> =
    LazyLock::new(|| Ty::Union([Ty::Ref(BlockKind::Metric), Ty::String].into_iter().collect()));

static THRESHOLD: LazyLock<Ty> =
    LazyLock::new(|| Ty::Union([Ty::Int, Ty::Decimal, Ty::Percent, Ty::Size, Ty::Duration].into_iter().collect()));

impl<'p> Eval<'p> {
    pub(super) fn condition(&mut self, expr: &'p Expr) -> Value {
        let ExprKind::Binary(op, left, right) = &expr.kind else {
            return self.report(diags::not_a_condition(expr.span));
        };
        let (call, threshold, flipped) = match (&left.kind, &right.kind) {
            (ExprKind::Call(..), _) => (left, right, false),
            (_, ExprKind::Call(..)) => (right, left, true),
            _ => return self.report(diags::not_a_condition(expr.span)),
        };
        let operator = match (op.value, flipped) {
            (BinaryOp::Greater, false) | (BinaryOp::Less, true) => Comparison::Greater,
            (BinaryOp::Less, false) | (BinaryOp::Greater, true) => Comparison::Less,
            (BinaryOp::GreaterOrEqual, false) | (BinaryOp::LessOrEqual, true) => Comparison::GreaterOrEqual,
            (BinaryOp::LessOrEqual, false) | (BinaryOp::GreaterOrEqual, true) => Comparison::LessOrEqual,
            (BinaryOp::Equal, _) => Comparison::Equal,
            (BinaryOp::NotEqual, _) => Comparison::NotEqual,
            _ => return self.report(diags::not_a_condition(expr.span)),
        };
        let ExprKind::Call(callee, arguments) = &call.kind else {
            return self.report(diags::not_a_condition(expr.span));
        };
        let aggregate = match &callee.kind {
            ExprKind::Name(name) => match Aggregate::from_word(name) {
                Some(aggregate) => aggregate,
                None => {
                    let meant = suggest(name, Aggregate::WORDS.iter().copied());
                    return self.report(diags::not_one_of(name, Aggregate::WORDS, meant, callee.span));
                }
            },
            _ => return self.report(diags::not_a_condition(expr.span)),
        };
        let (metric, window) = match arguments.as_slice() {
            [Argument { value: metric, .. }, Argument { value: window, .. }] => (metric, window),
            _ => return self.report(diags::condition_arguments(aggregate.word(), call.span)),
        };
        let metric = self.eval_as(metric, &METRIC);
        let window_value = self.eval_as(window, &Ty::Duration);
        let threshold = self.eval_as(threshold, &THRESHOLD);
        match (&metric, window_value, &threshold) {
            (Value::Error, ..) | (_, Value::Error, _) | (.., Value::Error) => Value::Error,
            (_, Value::Duration(window_seconds), _) => Value::Condition(Arc::new(Condition {
                aggregate,
                metric,
                window_seconds,
                operator,
                threshold,
                span: expr.span,
            })),
            (_, Value::Deferred(inner), _) => {
                self.report(diags::not_early(&inner, "the time window of an autoscale rule", window.span))
            }
            _ => Value::Error,
        }
    }
}
