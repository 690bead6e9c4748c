//! What values may cost. Names share values, so a few lines can describe one that is larger than any memory: whatever is
//! copied, walked or written out is counted as steps, and a single value has a largest size.

use super::{DEPTH, ELEMENTS, Eval};
use crate::diags;
use crate::value::{Deploy, Value};
use dsvm_diagnostics::source::Span;

/// Most parts of an expression that the deployment evaluates. Azure refuses one of more than 24,576 characters.
/// <https://learn.microsoft.com/en-us/azure/azure-resource-manager/templates/best-practices#template-limits>
const PARTS: usize = 20_000;
/// Sizes below this are not counted: every value of a real project.
const SMALL: usize = 64;
/// Bytes of text that count as one part.
const TEXT_PART: usize = 16;

/// Measures values until there is more than it has room for.
struct Scale {
    room: usize,
    deep: bool,
}

impl Scale {
    /// Takes so many parts off; `false` when there is no more room.
    fn take(&mut self, parts: usize) -> bool {
        let enough = self.room >= parts;
        self.room = self.room.saturating_sub(parts);
        enough
    }

    /// `false` as soon as the value is too deep or has more parts than there is room for.
    fn value(&mut self, value: &Value, depth: u32) -> bool {
        if depth > DEPTH {
            self.deep = true;
            return false;
        }
        self.take(1)
            && match value {
                Value::String(text) => self.take(text.len() / TEXT_PART),
                Value::List(items) => items.iter().all(|item| self.value(item, depth + 1)),
                Value::Record(fields) => fields.values().all(|field| self.value(field, depth + 1)),
                Value::Range(range) => [&range.min, &range.max].into_iter().all(|end| self.value(end, depth + 1)),
                Value::Deferred(deferred) => self.expression(&deferred.expr, depth + 1),
                _ => true,
            }
    }

    fn expression(&mut self, expr: &Deploy, depth: u32) -> bool {
        if depth > DEPTH {
            self.deep = true;
            return false;
        }
        self.take(1)
            && match expr {
                Deploy::Constant(value) => self.value(value, depth + 1),
                Deploy::Parameter(_) | Deploy::Attribute(..) => true,
                Deploy::Call(_, parts) => parts.iter().all(|part| self.expression(part, depth + 1)),
                Deploy::Member(of, _) => self.expression(of, depth + 1),
                Deploy::Index(of, at) => self.expression(of, depth + 1) && self.expression(at, depth + 1),
            }
    }
}

impl Eval<'_> {
    /// A value that was just made, unless it is too large. Counts what it took to make it.
    pub(super) fn affordable(&mut self, value: Value, span: Span) -> Value {
        let (most, each, why) = match &value {
            // Each part is copied whenever the value becomes part of another one.
            Value::Deferred(_) => (PARTS, 2, "this expression has more than 20,000 parts at deployment"),
            Value::List(_) => (2 * ELEMENTS, 1, "this list has more than 100,000 elements"),
            Value::Record(_) => (2 * ELEMENTS, 1, "this record has more than 100,000 fields"),
            _ => return value,
        };
        let mut scale = Scale { room: most, deep: false };
        if !scale.value(&value, 0) {
            let why = if scale.deep { "this value is nested more than 400 deep" } else { why };
            return self.report(diags::too_large(span, why));
        }
        let parts = most - scale.room;
        if parts > SMALL && !self.step(parts * each, span) {
            return Value::Error;
        }
        value
    }

    /// Counts a walk over a value, as its type or its text need it; `false` when the budget is used up.
    pub(crate) fn walk(&mut self, value: &Value, span: Span) -> bool {
        if !matches!(value, Value::List(_) | Value::Record(_) | Value::Deferred(_)) {
            return true;
        }
        let mut scale = Scale { room: 2 * ELEMENTS, deep: false };
        scale.value(value, 0);
        let parts = 2 * ELEMENTS - scale.room;
        parts <= SMALL || self.step(parts, span)
    }

    /// A value that is written into the template, perhaps once more: what is shared here is a copy there.
    pub(crate) fn written(&mut self, value: Value, span: Span) -> Value {
        let fits = match &value {
            Value::String(text) => text.len() <= 1024 || self.step(text.len() / 8, span),
            other => self.walk(other, span),
        };
        if fits { value } else { Value::Error }
    }
}
