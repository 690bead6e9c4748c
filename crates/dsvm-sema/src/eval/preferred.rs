//! `first of [a, b]`: alternatives in order of preference, of which Azure gives the first that it has.

use super::Eval;
use crate::diags;
use crate::ty::Ty;
use crate::value::Value;
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{Expr, ExprKind};
use std::sync::Arc;

/// Most alternatives: each is a deployment of its own in the worst case, and none takes less than minutes.
const MOST: usize = 10;

/// Whether this is the word before `of` that begins alternatives.
pub(super) fn is_first(left: &Expr) -> bool {
    matches!(&left.kind, ExprKind::Name(name) if &**name == "first")
}

impl<'p> Eval<'p> {
    /// The alternatives of a list; `element` is the type of each where the place tells.
    pub(super) fn first_of(&mut self, list: &'p Expr, element: Option<&Ty>, span: Span) -> Value {
        let value = match element {
            Some(element) => self.eval_as(list, &Ty::List(Arc::new(element.clone()))),
            None => self.eval(list),
        };
        match value {
            Value::Error => Value::Error,
            Value::List(items) if items.is_empty() => self.report(diags::no_alternative(span)),
            Value::List(items) if items.len() > MOST => {
                self.report(diags::too_many_alternatives(items.len(), MOST, span))
            }
            Value::List(items) if items.iter().any(|item| matches!(item, Value::Error)) => Value::Error,
            Value::List(items) => Value::First(items),
            other => {
                let ty = self.type_of(&other);
                self.report(diags::alternatives_of_no_list(&ty, list.span))
            }
        }
    }
}
