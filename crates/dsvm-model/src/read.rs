//! Reading fields of checked blocks. A field of another shape than its row says was reported before; reading it gives nothing.

use dsvm_diagnostics::source::Span;
use dsvm_sema::table::schema::FieldRef;
use dsvm_sema::ty::Ty;
use dsvm_sema::value::{Deferred, Deploy, RangeValue, Value};
use rust_decimal::prelude::ToPrimitive;
use std::sync::Arc;

/// Constant text of a value.
pub fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(s) => Some(s),
        _ => None,
    }
}

/// A constant integer of a value.
pub fn as_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) | Value::Size(i) | Value::Duration(i) => Some(*i),
        Value::Decimal(d) if d.is_integer() => d.to_i64(),
        _ => None,
    }
}

/// The value of a field that is there, known or not.
#[must_use]
pub fn present(field: FieldRef<'_>) -> Option<&Value> {
    field.value().filter(|value| !matches!(value, Value::Null | Value::Error))
}

/// The elements of a list, deferred ones included; a single value counts as a list of one.
#[must_use]
pub fn elements(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(list)) => list,
        Some(Value::Null | Value::Error) | None => &[],
        Some(single) => std::slice::from_ref(single),
    }
}

/// A number of machines: `0..10 initially 2`, or `3`.
#[derive(Clone, Debug)]
pub struct Machines {
    /// Smallest number. It may be deferred.
    pub min: Value,
    /// Largest number. It may be deferred.
    pub max: Value,
    /// At the beginning, if written.
    pub initial: Option<Value>,
    /// Written as a range.
    pub ranged: bool,
    /// Where the number was written.
    pub span: Span,
}

impl Machines {
    /// The number of machines in a field; nothing after a report only.
    #[must_use]
    pub fn of(field: FieldRef<'_>) -> Option<Self> {
        Self::from_value(field.value()?, field.span())
    }

    fn from_value(value: &Value, span: Span) -> Option<Self> {
        match value {
            Value::Range(range) => {
                let RangeValue { min, max, initial } = range.as_ref();
                Some(Self { min: min.clone(), max: max.clone(), initial: initial.clone(), ranged: true, span })
            }
            Value::Int(_) | Value::Deferred(_) => {
                Some(Self { min: value.clone(), max: value.clone(), initial: None, ranged: false, span })
            }
            _ => None,
        }
    }

    /// Smallest number, if it is known.
    #[must_use]
    pub fn least(&self) -> Option<i64> {
        as_int(&self.min)
    }

    /// Largest number, if it is known.
    #[must_use]
    pub fn most(&self) -> Option<i64> {
        as_int(&self.max)
    }

    /// The part of it that lies within `outer`; bounds that only the deployment knows become its `min` and `max`.
    pub fn cut_to(self, outer: &Self) -> Self {
        let cut = |value: &Value| bounded("max", &bounded("min", value, &outer.max), &outer.min);
        Self { min: cut(&self.min), max: cut(&self.max), initial: self.initial.as_ref().map(cut), ..self }
    }

    /// The number to begin with.
    #[must_use]
    pub fn start(&self) -> &Value {
        self.initial.as_ref().unwrap_or(&self.min)
    }
}

/// The smaller (`min`) or larger (`max`) of two numbers.
fn bounded(function: &'static str, value: &Value, bound: &Value) -> Value {
    let deploy = |value: &Value| match value {
        Value::Deferred(inner) => inner.expr.clone(),
        known => Deploy::Constant(known.clone()),
    };
    match (value, bound) {
        (Value::Int(a), Value::Int(b)) => Value::Int(if function == "min" { *a.min(b) } else { *a.max(b) }),
        (Value::Int(_) | Value::Deferred(_), Value::Int(_) | Value::Deferred(_)) if value != bound => {
            let expr = Deploy::Call(function, vec![deploy(value), deploy(bound)]);
            Value::Deferred(Arc::new(Deferred { ty: Ty::Int, expr, secret: Vec::new() }))
        }
        _ => value.clone(),
    }
}

/// A name as Azure sees it: of its field, else made of a prefix and the block's own name.
#[must_use]
pub fn name_in_azure(name: FieldRef<'_>, prefix: &str) -> Value {
    match present(name) {
        Some(value) => value.clone(),
        None => Value::String(Arc::from(format!("{prefix}{}", dashed(&name.block.name)))),
    }
}

/// `_` becomes `-`: Azure allows one of them in more places.
pub fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// The deferred value, if the value is one.
pub fn deferred(value: &Value) -> Option<&Deferred> {
    match value {
        Value::Deferred(d) => Some(d),
        _ => None,
    }
}
