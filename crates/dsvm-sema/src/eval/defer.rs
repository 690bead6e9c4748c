//! Values of deployment time: how known values are put into expressions of the deployment, and how those are folded.

use super::Eval;
use crate::diags;
use crate::fit::{Facts, secret_path};
use crate::table::BlockKind;
use crate::ty::Ty;
use crate::value::{Deferred, Deploy, SecretStep, Value};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::Expr;
use rust_decimal::prelude::ToPrimitive;
use std::sync::Arc;

/// Most steps of a secret's path that are kept.
const PATH: usize = 12;

/// Whether a branch is evaluated only to find mistakes of type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dead {
    Yes,
    No,
}

/// A value of deployment time.
pub(crate) fn deferred(ty: Ty, expr: Deploy, secret: Vec<SecretStep>) -> Value {
    Value::Deferred(Arc::new(Deferred { ty, expr, secret }))
}

/// A secret's path with one more step.
pub(crate) fn extend(path: &[SecretStep], span: Span, text: &str) -> Vec<SecretStep> {
    let mut path = path.to_vec();
    if path.len() < PATH && path.last().is_none_or(|last| last.span != span) {
        path.push(SecretStep { span, text: text.into() });
    }
    path
}

/// The path of the first secret in these values, with one more step.
pub(crate) fn taint(values: &[&Value], span: Span, text: &str) -> Vec<SecretStep> {
    values.iter().find_map(|value| secret_path(value)).map(|path| extend(path, span, text)).unwrap_or_default()
}

/// Adds a piece of text, merged with what is before it where both are constant.
pub(crate) fn push_piece(pieces: &mut Vec<Deploy>, piece: Deploy) {
    match piece {
        Deploy::Call("concat", inner) => inner.into_iter().for_each(|piece| push_piece(pieces, piece)),
        Deploy::Constant(Value::String(text)) => match pieces.last_mut() {
            Some(Deploy::Constant(Value::String(before))) => *before = format!("{before}{text}").into(),
            _ if text.is_empty() => {}
            _ => pieces.push(Deploy::Constant(Value::String(text))),
        },
        other => pieces.push(other),
    }
}

/// Whether the deployment holds values of this type as text.
pub(crate) fn is_text(ty: &Ty) -> bool {
    match ty.base() {
        Ty::String | Ty::SshKey | Ty::OneOf(_) | Ty::Cidr | Ty::Ip | Ty::Date | Ty::Time | Ty::Any | Ty::Error => true,
        Ty::Literal(value) => matches!(value.as_ref(), Value::String(_)),
        Ty::Union(parts) => parts.iter().all(is_text),
        Ty::Nullable(inner) => is_text(inner),
        Ty::Ref(kind) => *kind == BlockKind::Region,
        _ => false,
    }
}

impl<'p> Eval<'p> {
    /// A deferred value as a piece of text.
    pub(super) fn as_text(&mut self, value: &Deferred, span: Span) -> Option<Deploy> {
        if value.ty.nullable() && !matches!(value.ty.base(), Ty::Any | Ty::Error) {
            self.report(diags::may_be_null(&value.ty, span));
            return None;
        }
        match value.ty.base() {
            _ if is_text(&value.ty) => Some(value.expr.clone()),
            Ty::Int | Ty::Port | Ty::Bool | Ty::Union(_) | Ty::Literal(_) => {
                Some(Deploy::Call("string", vec![value.expr.clone()]))
            }
            Ty::Size | Ty::Duration | Ty::Percent if self.unbound == 0 => {
                self.report(diags::not_at_deployment(
                    &format!("a `{}` cannot become text", value.ty),
                    "the deployment knows plain numbers only; divide it by a unit first, as in `div(quota, 1 GiB)`",
                    span,
                ));
                None
            }
            _ if self.unbound > 0 => Some(value.expr.clone()),
            _ => {
                self.report(diags::not_in_text(&value.ty, span));
                None
            }
        }
    }

    /// A value as part of an expression of the deployment; `None` was reported.
    pub(crate) fn lower(&mut self, value: &Value, span: Span) -> Option<Deploy> {
        let constant = |value| Some(Deploy::Constant(value));
        match value {
            Value::Error => None,
            Value::Deferred(deferred) => self.walk(value, span).then(|| deferred.expr.clone()),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::String(_) => constant(value.clone()),
            Value::Size(number) | Value::Duration(number) => constant(Value::Int(*number)),
            Value::Percent(number) | Value::Decimal(number) if number.fract().is_zero() => match number.to_i64() {
                Some(number) => constant(Value::Int(number)),
                None => self.cannot_lower(value, span),
            },
            Value::Time(_) | Value::Date(_) | Value::Cidr(_) | Value::Ip(_) => {
                constant(Value::String(value.to_string().into()))
            }
            Value::List(items) => {
                let mut parts = Vec::with_capacity(items.len());
                for item in items.iter() {
                    parts.push(self.lower(item, span)?);
                }
                Some(fold_list(parts))
            }
            Value::Record(fields) => {
                let mut parts = Vec::with_capacity(fields.len());
                for (name, field) in fields.iter() {
                    parts.push((name.clone(), self.lower(field, span)?));
                }
                Some(fold_record(parts))
            }
            Value::Ref(id) if self.kind(*id) == Some(BlockKind::Region) => {
                let name = self.slots.get(id.0 as usize).map(|slot| slot.name.clone())?;
                constant(Value::String(name))
            }
            _ => self.cannot_lower(value, span),
        }
    }

    fn cannot_lower(&mut self, value: &Value, span: Span) -> Option<Deploy> {
        if self.unbound > 0 {
            return Some(Deploy::Constant(Value::Null));
        }
        let ty = self.type_of(value);
        self.report(diags::not_at_deployment(
            &format!("a `{ty}` cannot be part of a value that only the deployment knows"),
            "decide it while compiling: with a `let`, or with one project file for each case",
            span,
        ));
        None
    }

    /// One of two branches by a condition; both are checked, also when one of them is certain not to be taken.
    pub(super) fn choose(
        &mut self,
        condition: Value,
        yes: &'p Expr,
        no: &'p Expr,
        ty: Option<&Ty>,
        span: Span,
    ) -> Value {
        match condition {
            Value::Bool(taken) => {
                let (live, other) = if taken { (yes, no) } else { (no, yes) };
                if self.lazy || !self.calls.is_empty() {
                    return self.branch(live, ty, Dead::No);
                }
                let unused = self.branch(other, ty, Dead::Yes);
                let value = self.branch(live, ty, Dead::No);
                if ty.is_none() && !matches!((&value, &unused), (Value::Error, _) | (_, Value::Error)) {
                    let (a, b) = if taken { (&value, &unused) } else { (&unused, &value) };
                    if self.common(a, b).is_none() {
                        let (first, second) = (self.type_of(a), self.type_of(b));
                        return self.report(diags::branches_differ(&first, &second, yes.span, no.span));
                    }
                }
                value
            }
            Value::Deferred(deferred) => {
                let condition = Value::Deferred(deferred.clone());
                let (a, b) = (self.branch(yes, ty, Dead::No), self.branch(no, ty, Dead::No));
                if matches!(a, Value::Error) || matches!(b, Value::Error) {
                    return Value::Error;
                }
                let Some(common) = self.common(&a, &b) else {
                    let (first, second) = (self.type_of(&a), self.type_of(&b));
                    return self.report(diags::branches_differ(&first, &second, yes.span, no.span));
                };
                if let (Value::Range(x), Value::Range(y)) = (&a, &b) {
                    return self.choose_range(&deferred, x, y, span);
                }
                let (Some(then), Some(otherwise)) = (self.lower(&a, yes.span), self.lower(&b, no.span)) else {
                    return Value::Error;
                };
                let secret = taint(&[&a, &b, &condition], span, "is one of the branches here");
                if then == otherwise {
                    return self::deferred(common, then, secret);
                }
                self::deferred(common, Deploy::Call("if", vec![deferred.expr.clone(), then, otherwise]), secret)
            }
            _ => {
                self.branch(yes, ty, Dead::Yes);
                self.branch(no, ty, Dead::Yes);
                Value::Error
            }
        }
    }

    fn choose_range(
        &mut self,
        condition: &Deferred,
        a: &crate::value::RangeValue,
        b: &crate::value::RangeValue,
        span: Span,
    ) -> Value {
        let mut part = |x: &Value, y: &Value| -> Option<Value> {
            if x == y {
                return Some(x.clone());
            }
            let arms = vec![condition.expr.clone(), self.lower(x, span)?, self.lower(y, span)?];
            Some(deferred(Ty::Int, Deploy::Call("if", arms), condition.secret.clone()))
        };
        let (Some(min), Some(max)) = (part(&a.min, &b.min), part(&a.max, &b.max)) else { return Value::Error };
        let initial = match (&a.initial, &b.initial) {
            (None, None) => None,
            (x, y) => part(x.as_ref().unwrap_or(&a.min), y.as_ref().unwrap_or(&b.min)),
        };
        Value::Range(Arc::new(crate::value::RangeValue { min, max, initial }))
    }

    fn branch(&mut self, expr: &'p Expr, ty: Option<&Ty>, dead: Dead) -> Value {
        let more = u32::from(dead == Dead::Yes);
        self.dead += more;
        let value = match ty {
            Some(ty) => self.eval_as(expr, ty),
            None => self.eval(expr),
        };
        self.dead -= more;
        value
    }

    /// The type that two values have in common.
    pub(super) fn common(&self, a: &Value, b: &Value) -> Option<Ty> {
        let (x, y) = (self.type_of(a), self.type_of(b));
        match (&x, &y) {
            (Ty::Null, Ty::Null) => Some(Ty::Null),
            (Ty::Null, other) | (other, Ty::Null) => Some(match other.nullable() {
                true => other.clone(),
                false => Ty::Nullable(Arc::new(other.clone())),
            }),
            _ if crate::fit::type_fits(&x, &y, self) => Some(y),
            _ if crate::fit::type_fits(&y, &x, self) => Some(x),
            (x, y) if is_text(x) && is_text(y) => Some(Ty::String),
            (Ty::List(_), Ty::List(_)) => Some(Ty::List(Arc::new(Ty::Any))),
            (Ty::Record(_) | Ty::Map(_), Ty::Record(_) | Ty::Map(_)) => Some(Ty::Map(Arc::new(Ty::Any))),
            _ => None,
        }
    }
}

/// A list whose parts are all constant is a constant.
pub(crate) fn fold_list(parts: Vec<Deploy>) -> Deploy {
    let constants: Option<Vec<Value>> = parts.iter().map(constant).collect();
    match constants {
        Some(values) => Deploy::Constant(Value::List(Arc::new(values))),
        None => Deploy::Call("createArray", parts),
    }
}

fn fold_record(parts: Vec<(Arc<str>, Deploy)>) -> Deploy {
    let constants: Option<Vec<Value>> = parts.iter().map(|(_, part)| constant(part)).collect();
    match constants {
        Some(values) => {
            let names = parts.iter().map(|(name, _)| name.clone());
            Deploy::Constant(Value::Record(Arc::new(names.zip(values).collect())))
        }
        None => Deploy::Call(
            "createObject",
            parts.into_iter().flat_map(|(name, part)| [Deploy::Constant(Value::String(name)), part]).collect(),
        ),
    }
}

fn constant(part: &Deploy) -> Option<Value> {
    match part {
        Deploy::Constant(value) => Some(value.clone()),
        _ => None,
    }
}
