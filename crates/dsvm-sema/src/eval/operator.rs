//! Operators. One table of types for values that are known and for values that only the deployment knows.

use super::Eval;
use super::arithmetic::{ArithmeticError, divide, multiply, plus, remainder, subtract};
use super::defer::{deferred, push_piece, taint};
use crate::diags;
use crate::fit::compare;
use crate::ty::Ty;
use crate::value::{Deploy, Money, RangeValue, Value};
use dsvm_diagnostics::source::{Span, Spanned};
use dsvm_syntax::ast::{BinaryOp, Expr, UnaryOp};
use std::cmp::Ordering;
use std::sync::Arc;

impl<'p> Eval<'p> {
    pub(super) fn unary(&mut self, op: UnaryOp, value: Value, span: Span) -> Value {
        match (op, &value) {
            (_, Value::Error) => Value::Error,
            (UnaryOp::Not, Value::Bool(value)) => Value::Bool(!value),
            (UnaryOp::Negate, Value::Int(value)) => match value.checked_neg() {
                Some(value) => Value::Int(value),
                None => self.report_value(diags::overflow(span)),
            },
            (UnaryOp::Negate, Value::Decimal(value)) => Value::Decimal(-*value),
            (UnaryOp::Negate, Value::Percent(value)) => Value::Percent(-*value),
            (UnaryOp::Negate, Value::Duration(value)) => {
                value.checked_neg().map_or_else(|| self.report_value(diags::overflow(span)), Value::Duration)
            }
            (UnaryOp::Negate, Value::Money(money)) => {
                Value::Money(Box::new(Money { amount: -money.amount, ..Money::clone(money) }))
            }
            (_, Value::Deferred(inner)) => {
                let secret = taint(&[&value], span, "is part of this expression");
                match (op, inner.ty.base()) {
                    (UnaryOp::Not, Ty::Bool | Ty::Any) => {
                        deferred(Ty::Bool, Deploy::Call("not", vec![inner.expr.clone()]), secret)
                    }
                    (UnaryOp::Negate, Ty::Int | Ty::Any | Ty::Duration | Ty::Percent) => {
                        let parts = vec![Deploy::Constant(Value::Int(0)), inner.expr.clone()];
                        deferred(inner.ty.base().clone(), Deploy::Call("sub", parts), secret)
                    }
                    _ => self.report(diags::unary_types(op, &inner.ty, span)),
                }
            }
            _ => {
                let ty = self.type_of(&value);
                self.report(diags::unary_types(op, &ty, span))
            }
        }
    }

    pub(super) fn binary(&mut self, op: &Spanned<BinaryOp>, left: &'p Expr, right: &'p Expr, span: Span) -> Value {
        match op.value {
            BinaryOp::And | BinaryOp::Or => return self.logic(op.value, left, right, span),
            BinaryOp::Coalesce => return self.coalesce(left, right, None, span),
            BinaryOp::Initially => return self.initially(left, right, span),
            BinaryOp::Of => {
                return match super::preferred::is_first(left) {
                    true => self.first_of(right, None, span),
                    false => self.report(diags::misplaced_of(op.span)),
                };
            }
            _ => {}
        }
        let (a, b) = (self.eval(left), self.eval(right));
        self.operate(op, &a, &b, (left.span, right.span), span)
    }

    pub(super) fn operate(
        &mut self,
        op: &Spanned<BinaryOp>,
        a: &Value,
        b: &Value,
        spans: (Span, Span),
        span: Span,
    ) -> Value {
        if matches!(a, Value::Error) || matches!(b, Value::Error) {
            return Value::Error;
        }
        if !(self.walk(a, spans.0) && self.walk(b, spans.1)) {
            return Value::Error;
        }
        match op.value {
            BinaryOp::Equal | BinaryOp::NotEqual => return self.equality(op.value, a, b, spans, span),
            BinaryOp::In => return self.membership(a, b, spans, span),
            _ => {}
        }
        let (x, y) = (self.type_of(a), self.type_of(b));
        for (value, ty, at) in [(a, &x, spans.0), (b, &y, spans.1)] {
            let unsure = matches!(value, Value::Null)
                || matches!(value, Value::Deferred(_)) && ty.nullable() && !matches!(ty.base(), Ty::Any | Ty::Error);
            if unsure {
                return self.report(diags::may_be_null(ty, at));
            }
        }
        let Some(ty) = result_type(op.value, x.base(), y.base()) else {
            return self.report(diags::operator_types(op.value, &x, &y, op.span, spans));
        };
        if matches!(a, Value::Deferred(_)) || matches!(b, Value::Deferred(_)) {
            return self.deferred_binary(op.value, (a, b), (&x, &y), ty, spans, span);
        }
        let result = match op.value {
            BinaryOp::Less => compare(a, b).map(|o| Value::Bool(o == Ordering::Less)).ok_or(ArithmeticError::Types),
            BinaryOp::LessOrEqual => {
                compare(a, b).map(|o| Value::Bool(o != Ordering::Greater)).ok_or(ArithmeticError::Types)
            }
            BinaryOp::Greater => {
                compare(a, b).map(|o| Value::Bool(o == Ordering::Greater)).ok_or(ArithmeticError::Types)
            }
            BinaryOp::GreaterOrEqual => {
                compare(a, b).map(|o| Value::Bool(o != Ordering::Less)).ok_or(ArithmeticError::Types)
            }
            BinaryOp::Add => return self.add(a, b, (op, &x, &y), spans, span),
            BinaryOp::Subtract => subtract(a, b),
            BinaryOp::Multiply => multiply(a, b),
            BinaryOp::Divide => divide(a, b),
            BinaryOp::Remainder => remainder(a, b),
            _ => Err(ArithmeticError::Types),
        };
        self.told(result, (op, &x, &y), spans, span)
    }

    fn told(
        &mut self,
        result: Result<Value, ArithmeticError>,
        types: (&Spanned<BinaryOp>, &Ty, &Ty),
        spans: (Span, Span),
        span: Span,
    ) -> Value {
        match result {
            Ok(value) => value,
            Err(ArithmeticError::Overflow) => self.report_value(diags::overflow(span)),
            Err(ArithmeticError::Zero) => self.report_value(diags::division_by_zero(spans.1)),
            Err(ArithmeticError::Money(why)) => self.report(diags::units_differ(&why, types.0.span, spans)),
            Err(ArithmeticError::Types) => {
                self.report(diags::operator_types(types.0.value, types.1, types.2, types.0.span, spans))
            }
        }
    }

    fn add(
        &mut self,
        a: &Value,
        b: &Value,
        types: (&Spanned<BinaryOp>, &Ty, &Ty),
        spans: (Span, Span),
        span: Span,
    ) -> Value {
        match (a, b) {
            (Value::String(x), Value::String(y)) => self.string(format!("{x}{y}"), span),
            (Value::List(x), Value::List(y)) => {
                let all = x.iter().chain(y.iter()).cloned().collect();
                self.list(all, span)
            }
            _ => self.told(plus(a, b), types, spans, span),
        }
    }

    fn logic(&mut self, op: BinaryOp, left: &'p Expr, right: &'p Expr, span: Span) -> Value {
        let a = self.eval_as(left, &Ty::Bool);
        // The right side is checked in any case, but its values do not matter when the left one decides.
        let decided = matches!((op, &a), (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)));
        if decided && self.lazy {
            return a;
        }
        self.dead += u32::from(decided);
        let b = self.eval_as(right, &Ty::Bool);
        self.dead -= u32::from(decided);
        match (op, &a, &b) {
            _ if decided => a,
            (_, Value::Error, _) | (_, _, Value::Error) => Value::Error,
            (BinaryOp::And, Value::Bool(true), _) | (BinaryOp::Or, Value::Bool(false), _) => b,
            (BinaryOp::And, _, Value::Bool(false)) | (BinaryOp::Or, _, Value::Bool(true)) => b,
            (BinaryOp::And, _, Value::Bool(true)) | (BinaryOp::Or, _, Value::Bool(false)) => a,
            _ => {
                let name = if op == BinaryOp::And { "and" } else { "or" };
                let secret = taint(&[&a, &b], span, "decides here");
                match (self.lower(&a, left.span), self.lower(&b, right.span)) {
                    (Some(x), Some(y)) => deferred(Ty::Bool, Deploy::Call(name, vec![x, y]), secret),
                    _ => Value::Error,
                }
            }
        }
    }

    pub(super) fn coalesce(&mut self, left: &'p Expr, right: &'p Expr, ty: Option<&Ty>, span: Span) -> Value {
        let loose = ty.map(|ty| Ty::Nullable(Arc::new(ty.clone())));
        let a = match &loose {
            Some(ty) => self.hinted(left, ty),
            None => self.eval(left),
        };
        let b = match ty {
            Some(ty) => self.hinted(right, ty),
            None => self.eval(right),
        };
        match (&a, &b) {
            (Value::Error, _) | (_, Value::Error) => Value::Error,
            (Value::Null, _) => b,
            (Value::Deferred(inner), _) if inner.ty.nullable() => {
                let Some(common) = self.common(&a, &b) else {
                    let (x, y) = (self.type_of(&a), self.type_of(&b));
                    return self.report(diags::branches_differ(&x, &y, left.span, right.span));
                };
                let nullable = self.type_of(&b).nullable();
                let result = match (&common, nullable) {
                    (Ty::Nullable(inner), false) => Ty::clone(inner),
                    _ => common,
                };
                let secret = taint(&[&a, &b], span, "is one of the values here");
                match self.lower(&b, right.span) {
                    Some(other) => deferred(result, Deploy::Call("coalesce", vec![inner.expr.clone(), other]), secret),
                    None => Value::Error,
                }
            }
            _ => a,
        }
    }

    fn initially(&mut self, left: &'p Expr, right: &'p Expr, _span: Span) -> Value {
        let range = self.eval_as(left, &Ty::Range);
        let initial = self.eval_as(right, &Ty::Int);
        match range {
            Value::Range(range) => {
                let with = RangeValue { initial: Some(initial), ..RangeValue::clone(&range) };
                Value::Range(Arc::new(with))
            }
            _ => Value::Error,
        }
    }

    fn equality(&mut self, op: BinaryOp, a: &Value, b: &Value, spans: (Span, Span), span: Span) -> Value {
        let (x, y) = (self.type_of(a), self.type_of(b));
        let null = matches!(a, Value::Null) || matches!(b, Value::Null);
        if !null && self.common(a, b).is_none() && compare(a, b).is_none() {
            return self.report(diags::never_equal(&x, &y, span, spans));
        }
        let either_deferred = crate::fit::deferred_part(a).is_some() || crate::fit::deferred_part(b).is_some();
        if !either_deferred {
            let equal = compare(a, b).map_or_else(|| a == b, Ordering::is_eq);
            return Value::Bool(equal == (op == BinaryOp::Equal));
        }
        if a == b {
            return Value::Bool(op == BinaryOp::Equal);
        }
        let secret = taint(&[a, b], span, "is compared here");
        match (self.lower(a, spans.0), self.lower(b, spans.1)) {
            (Some(left), Some(right)) => {
                let equals = Deploy::Call("equals", vec![left, right]);
                let expr = if op == BinaryOp::Equal { equals } else { Deploy::Call("not", vec![equals]) };
                deferred(Ty::Bool, expr, secret)
            }
            _ => Value::Error,
        }
    }

    fn membership(&mut self, a: &Value, b: &Value, spans: (Span, Span), span: Span) -> Value {
        let wrong = |eval: &mut Self| {
            let (x, y) = (eval.type_of(a), eval.type_of(b));
            eval.report(diags::not_in(&x, &y, span, spans))
        };
        match (a, b) {
            (Value::String(part), Value::String(whole)) => Value::Bool(whole.contains(&**part)),
            (Value::String(key), Value::Record(fields)) => Value::Bool(fields.contains_key(key)),
            (Value::Ip(ip), Value::Cidr(net)) => Value::Bool(net.contains(ip)),
            (Value::Cidr(inner), Value::Cidr(net)) => Value::Bool(net.contains(inner)),
            (Value::Days(inner), Value::Days(outer)) => Value::Bool(inner.0 & !outer.0 == 0),
            (Value::Int(_) | Value::Decimal(_) | Value::Size(_) | Value::Duration(_), Value::Range(range)) => {
                match (compare(a, &range.min), compare(a, &range.max)) {
                    (Some(low), Some(high)) => Value::Bool(low.is_ge() && high.is_le()),
                    _ if matches!(&range.min, Value::Deferred(_)) || matches!(&range.max, Value::Deferred(_)) => {
                        self.in_range(a, range, spans, span)
                    }
                    _ => wrong(self),
                }
            }
            (Value::Deferred(_), Value::Range(range)) => self.in_range(a, range, spans, span),
            (_, Value::List(items)) => {
                let fits = items.first().is_none_or(|first| {
                    self.common(a, first).is_some() || compare(a, first).is_some() || matches!(a, Value::Null)
                });
                if !fits {
                    return wrong(self);
                }
                let unknown = crate::fit::deferred_part(a).is_some()
                    || items.iter().any(|item| crate::fit::deferred_part(item).is_some());
                let found = items.iter().any(|item| item == a || compare(item, a).is_some_and(Ordering::is_eq));
                if found || !unknown {
                    return Value::Bool(found);
                }
                self.contains(b, a, spans, span)
            }
            (_, Value::Deferred(inner)) => match inner.ty.base() {
                Ty::List(_) | Ty::Any | Ty::Map(_) | Ty::Record(_) => self.contains(b, a, spans, span),
                ty if super::defer::is_text(ty) => self.contains(b, a, spans, span),
                _ => wrong(self),
            },
            (Value::Deferred(inner), Value::String(_) | Value::Record(_)) if super::defer::is_text(&inner.ty) => {
                self.contains(b, a, spans, span)
            }
            _ => wrong(self),
        }
    }

    fn contains(&mut self, whole: &Value, part: &Value, spans: (Span, Span), span: Span) -> Value {
        let secret = taint(&[whole, part], span, "is looked for here");
        match (self.lower(whole, spans.1), self.lower(part, spans.0)) {
            (Some(whole), Some(part)) => deferred(Ty::Bool, Deploy::Call("contains", vec![whole, part]), secret),
            _ => Value::Error,
        }
    }

    fn in_range(&mut self, a: &Value, range: &RangeValue, spans: (Span, Span), span: Span) -> Value {
        let op = |value| Spanned { value, span };
        let low = self.operate(&op(BinaryOp::GreaterOrEqual), a, &range.min, spans, span);
        let high = self.operate(&op(BinaryOp::LessOrEqual), a, &range.max, spans, span);
        match (&low, &high) {
            (Value::Bool(true), other) | (other, Value::Bool(true)) => other.clone(),
            (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
            _ => match (self.lower(&low, span), self.lower(&high, span)) {
                (Some(x), Some(y)) => {
                    deferred(Ty::Bool, Deploy::Call("and", vec![x, y]), taint(&[&low, &high], span, "is compared here"))
                }
                _ => Value::Error,
            },
        }
    }

    fn deferred_binary(
        &mut self,
        op: BinaryOp,
        (a, b): (&Value, &Value),
        (x, y): (&Ty, &Ty),
        ty: Ty,
        spans: (Span, Span),
        span: Span,
    ) -> Value {
        let secret = taint(&[a, b], span, "is part of this expression");
        let whole = |ty: &Ty| {
            matches!(ty.base(), Ty::Int | Ty::Port | Ty::Size | Ty::Duration | Ty::Percent | Ty::Any | Ty::Error)
                || matches!(ty.base(), Ty::Union(_) | Ty::Literal(_))
        };
        let name = match op {
            BinaryOp::Add if matches!(ty, Ty::String) => {
                let (Some(left), Some(right)) = (self.lower(a, spans.0), self.lower(b, spans.1)) else {
                    return Value::Error;
                };
                let mut pieces = Vec::new();
                push_piece(&mut pieces, left);
                push_piece(&mut pieces, right);
                return deferred(ty, Deploy::Call("concat", pieces), secret);
            }
            BinaryOp::Add if matches!(ty, Ty::List(_)) => Some("concat"),
            BinaryOp::Add => Some("add"),
            BinaryOp::Subtract => Some("sub"),
            BinaryOp::Multiply if !(matches!(x.base(), Ty::Percent) || matches!(y.base(), Ty::Percent)) => Some("mul"),
            BinaryOp::Remainder => Some("mod"),
            BinaryOp::Less => Some("less"),
            BinaryOp::LessOrEqual => Some("lessOrEquals"),
            BinaryOp::Greater => Some("greater"),
            BinaryOp::GreaterOrEqual => Some("greaterOrEquals"),
            _ => None,
        };
        let possible = name.filter(|_| matches!(ty, Ty::List(_)) || whole(x) && whole(y));
        let Some(name) = possible else {
            if self.unbound > 0 {
                return deferred(ty, Deploy::Constant(Value::Null), secret);
            }
            return self.report(diags::not_at_deployment(
                &format!("`{}` of `{x}` and `{y}` cannot be computed by the deployment", diags::operator(op)),
                "templates know whole numbers only: use `div(a, b)`, or decide the value while compiling",
                span,
            ));
        };
        if let Some(same) = neutral(op, a, b) {
            return same.clone();
        }
        match (self.lower(a, spans.0), self.lower(b, spans.1)) {
            (Some(left), Some(right)) => deferred(ty, Deploy::Call(name, vec![left, right]), secret),
            _ => Value::Error,
        }
    }
}

/// The other side of `x + 0` and `x * 1`.
fn neutral<'v>(op: BinaryOp, a: &'v Value, b: &'v Value) -> Option<&'v Value> {
    let zero = |value: &Value| matches!(value, Value::Int(0) | Value::Size(0) | Value::Duration(0));
    let one = |value: &Value| matches!(value, Value::Int(1));
    match op {
        BinaryOp::Add if zero(a) => Some(b),
        BinaryOp::Add | BinaryOp::Subtract if zero(b) => Some(a),
        BinaryOp::Multiply if one(a) => Some(b),
        BinaryOp::Multiply if one(b) => Some(a),
        _ => None,
    }
}

/// The type of `a op b`; `None` when the operator has no meaning for these types.
pub(crate) fn result_type(op: BinaryOp, a: &Ty, b: &Ty) -> Option<Ty> {
    use BinaryOp as B;
    let text = super::defer::is_text;
    let number = |ty: &Ty| matches!(ty, Ty::Int | Ty::Decimal | Ty::Port);
    let both = |ty: Ty| (*a == ty && *b == ty).then_some(ty);
    let simplify = |ty: &Ty| match ty {
        Ty::Union(parts) => parts.first().map(literal_base).unwrap_or(Ty::Any),
        Ty::Literal(_) => literal_base(ty),
        Ty::Port => Ty::Int,
        other => other.clone(),
    };
    if matches!(a, Ty::Union(_) | Ty::Literal(_) | Ty::Port) || matches!(b, Ty::Union(_) | Ty::Literal(_) | Ty::Port) {
        let (x, y) = (simplify(a), simplify(b));
        if (&x, &y) != (a, b) {
            return result_type(op, &x, &y);
        }
    }
    if matches!(a, Ty::Any | Ty::Error) || matches!(b, Ty::Any | Ty::Error) {
        return Some(match op {
            B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual => Ty::Bool,
            _ if matches!(a, Ty::Any | Ty::Error) => b.clone(),
            _ => a.clone(),
        });
    }
    match op {
        B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual => {
            let ordered = number(a) && number(b)
                || a == b
                    && matches!(a, Ty::Percent | Ty::Size | Ty::Duration | Ty::Money | Ty::Time | Ty::Date | Ty::Ip);
            ordered.then_some(Ty::Bool)
        }
        B::Add if text(a) && text(b) && !matches!(a, Ty::Date | Ty::Time) && !matches!(b, Ty::Date | Ty::Time) => {
            Some(Ty::String)
        }
        B::Add if matches!((a, b), (Ty::List(_), Ty::List(_))) => {
            Some(if a == b { a.clone() } else { Ty::List(Arc::new(Ty::Any)) })
        }
        B::Add | B::Subtract => match (a, b) {
            (Ty::Int, Ty::Int) => Some(Ty::Int),
            _ if number(a) && number(b) => Some(Ty::Decimal),
            (Ty::Date | Ty::Time, Ty::Duration) => Some(a.clone()),
            (Ty::Date, Ty::Date) | (Ty::Time, Ty::Time) if op == B::Subtract => Some(Ty::Duration),
            (Ty::Days, Ty::Days) => Some(Ty::Days),
            _ => both(Ty::Size).or(both(Ty::Duration)).or(both(Ty::Percent)).or(both(Ty::Money)),
        },
        B::Multiply => match (a, b) {
            (Ty::Int, Ty::Int) => Some(Ty::Int),
            _ if number(a) && number(b) => Some(Ty::Decimal),
            (scaled @ (Ty::Size | Ty::Duration | Ty::Percent | Ty::Money), by)
            | (by, scaled @ (Ty::Size | Ty::Duration | Ty::Money | Ty::Percent))
                if number(by) =>
            {
                Some(if *scaled == Ty::Percent { Ty::Decimal } else { scaled.clone() })
            }
            (Ty::Percent, scaled @ (Ty::Size | Ty::Duration | Ty::Money | Ty::Percent))
            | (scaled @ (Ty::Size | Ty::Duration | Ty::Money), Ty::Percent) => Some(scaled.clone()),
            (Ty::Money, Ty::Duration) | (Ty::Duration, Ty::Money) => Some(Ty::Money),
            _ => None,
        },
        B::Divide => match (a, b) {
            _ if number(a) && number(b) => Some(Ty::Decimal),
            (Ty::Size | Ty::Duration | Ty::Percent | Ty::Money, by) if number(by) => Some(a.clone()),
            (Ty::Size, Ty::Size)
            | (Ty::Duration, Ty::Duration)
            | (Ty::Percent, Ty::Percent)
            | (Ty::Money, Ty::Money) => Some(Ty::Decimal),
            _ => None,
        },
        B::Remainder => match (a, b) {
            (Ty::Int, Ty::Int) => Some(Ty::Int),
            (Ty::Size, Ty::Size) | (Ty::Duration, Ty::Duration) => Some(a.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn literal_base(ty: &Ty) -> Ty {
    match ty.base() {
        Ty::Literal(value) => match value.as_ref() {
            Value::Int(_) => Ty::Int,
            Value::String(_) => Ty::String,
            Value::Bool(_) => Ty::Bool,
            Value::Size(_) => Ty::Size,
            Value::Duration(_) => Ty::Duration,
            Value::Percent(_) => Ty::Percent,
            _ => Ty::Any,
        },
        Ty::Union(_) => Ty::Any,
        other => other.clone(),
    }
}
