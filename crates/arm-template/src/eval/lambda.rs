//! Functions that take lambdas.

use super::{Evaluator, Frame, defer};
use crate::error::EvalError;
use crate::expr::{Call, Expr, ExprKind};
use crate::functions::{Special, key_text};
use crate::value::{Value, ValueKind};
use indexmap::IndexMap;
use std::cmp::Ordering;
use std::sync::Arc;

/// A parsed lambda: `lambda('x', …, body)`.
struct Lambda<'e> {
    names: Vec<Arc<str>>,
    body: &'e Arc<Expr>,
}

impl<'e> Lambda<'e> {
    fn read(
        function: &str,
        call: &'e Call,
        at: usize,
        allowed: std::ops::RangeInclusive<usize>,
    ) -> Result<Self, EvalError> {
        let wrong = |why: &str| {
            EvalError::new(format!(
                "The template language function '{function}' expects its parameter to be a lambda expression."
            ))
            .says(format!("`{function}` {why}"))
        };
        let arg = call.args.get(at).ok_or_else(|| wrong("needs a `lambda(…)` here"))?;
        let ExprKind::Call(lambda) = arg.kind() else { return Err(wrong("needs a `lambda(…)` here")) };
        if !lambda.name.eq_ignore_ascii_case("lambda") || lambda.namespace.is_some() {
            return Err(wrong("needs a `lambda(…)` here"));
        }
        let (body, names) = lambda.args.split_last().ok_or_else(|| wrong("has a lambda without a body"))?;
        let names = names
            .iter()
            .map(|n| {
                if let ExprKind::Str(name) = n.kind() {
                    Ok(Arc::clone(name))
                } else {
                    Err(wrong("has a lambda whose parameter is not a quoted name"))
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !allowed.contains(&names.len()) {
            return Err(wrong(&format!(
                "has a lambda of {} parameters; {} to {} are allowed",
                names.len(),
                allowed.start(),
                allowed.end()
            )));
        }
        Ok(Self { names, body })
    }
}

impl Evaluator<'_> {
    fn run(&self, lambda: &Lambda<'_>, values: &[Value], frame: &Frame<'_>) -> Result<Value, EvalError> {
        self.budget.charge(4)?;
        self.eval(lambda.body, &frame.lambda(&lambda.names, values))
    }

    /// The lambda with everything known put in, for a call that must wait.
    fn closed(&self, lambda: &Lambda<'_>, frame: &Frame<'_>) -> Result<Arc<Expr>, EvalError> {
        let mut args = Vec::with_capacity(lambda.names.len() + 1);
        let mut values = Vec::with_capacity(lambda.names.len());
        for name in &lambda.names {
            let quoted = Expr::string(Arc::clone(name))?;
            args.push(Arc::clone(&quoted));
            values.push(Value::expr(Expr::call("lambdaVariables", vec![quoted])?));
        }
        args.push(self.guarded(lambda.body, &frame.lambda(&lambda.names, &values))?);
        Ok(Expr::call("lambda", args)?)
    }

    /// The expression as far as it can be evaluated; one that fails becomes a `fail` that only counts when reached.
    pub(super) fn guarded(&self, expr: &Arc<Expr>, frame: &Frame<'_>) -> Result<Arc<Expr>, EvalError> {
        match self.eval(expr, frame) {
            Ok(val) => Ok(Expr::from_val(&val)?),
            Err(fault) if fault.code == crate::error::codes::QUOTA => Err(fault),
            Err(fault) => Ok(Expr::call("fail", vec![Expr::string(fault.reason)?])?),
        }
    }

    /// The whole call with its lambdas closed, because something it needs is unknown.
    fn wait(
        &self,
        call: &Call,
        known: &[Value],
        lambdas: &[&Lambda<'_>],
        frame: &Frame<'_>,
    ) -> Result<Value, EvalError> {
        let secret = known.iter().any(|v| v.inside().secret);
        let mut args = known.iter().map(Expr::from_val).collect::<Result<Vec<_>, _>>()?;
        for lambda in lambdas {
            args.push(self.closed(lambda, frame)?);
        }
        Ok(Value::expr(Expr::call(&call.name, args)?).secret_if(secret))
    }

    pub(super) fn with_lambda(&self, what: Special, call: &Call, frame: &Frame<'_>) -> Result<Value, EvalError> {
        let first = call.args.first().ok_or_else(|| EvalError::new("a parameter is missing"))?;
        let input = self.eval(first, frame)?;
        let unknown = matches!(input.kind, ValueKind::Expr(_));
        let name = &*call.name;
        let wrong =
            || crate::functions::wrong_type(name, if what == Special::MapValues { "Object" } else { "Array" }, &input);
        let items = || input.as_array().ok_or_else(wrong);
        let secret = input.secret;
        match what {
            Special::Filter | Special::Map => {
                let lambda = Lambda::read(name, call, 1, 1..=2)?;
                if unknown {
                    return self.wait(call, &[input], &[&lambda], frame);
                }
                let mut out = Vec::new();
                for (index, item) in items()?.iter().enumerate() {
                    let result = self.run(&lambda, &[item.clone(), Value::int(index as i64)], frame)?;
                    match (what, &result.kind) {
                        (Special::Map, _) => out.push(result),
                        (_, ValueKind::Bool(true)) => out.push(item.clone()),
                        (_, ValueKind::Bool(false)) => {}
                        (_, ValueKind::Expr(_)) => {
                            return self.wait(call, std::slice::from_ref(&input), &[&lambda], frame);
                        }
                        _ => return Err(crate::functions::wrong_type(name, "Boolean", &result)),
                    }
                }
                Ok(Value::array(out)?.secret_if(secret))
            }
            Special::MapValues => {
                let lambda = Lambda::read(name, call, 1, 1..=1)?;
                if unknown {
                    return self.wait(call, &[input], &[&lambda], frame);
                }
                let mut out = IndexMap::new();
                for (key, value) in &input.as_object().ok_or_else(wrong)?.members {
                    out.insert(Arc::clone(key), self.run(&lambda, std::slice::from_ref(value), frame)?);
                }
                Ok(Value::object(out)?.secret_if(secret))
            }
            Special::Reduce => {
                let start = call.args.get(1).ok_or_else(|| EvalError::new("a parameter is missing"))?;
                let start = self.eval(start, frame)?;
                let lambda = Lambda::read(name, call, 2, 2..=3)?;
                if unknown {
                    return self.wait(call, &[input, start], &[&lambda], frame);
                }
                let mut current = start;
                for (index, item) in items()?.iter().enumerate() {
                    current = self.run(&lambda, &[current, item.clone(), Value::int(index as i64)], frame)?;
                }
                Ok(current.secret_if(secret))
            }
            Special::Sort => {
                let lambda = Lambda::read(name, call, 1, 2..=2)?;
                if unknown {
                    return self.wait(call, &[input], &[&lambda], frame);
                }
                match self.sorted(items()?.to_vec(), &lambda, frame)? {
                    Some(sorted) => Ok(Value::array(sorted)?.secret_if(secret)),
                    None => self.wait(call, std::slice::from_ref(&input), &[&lambda], frame),
                }
            }
            Special::ToObject | Special::GroupBy => {
                let key = Lambda::read(name, call, 1, 1..=2)?;
                let value = if call.args.len() > 2 { Some(Lambda::read(name, call, 2, 1..=2)?) } else { None };
                let lambdas: Vec<&Lambda<'_>> = std::iter::once(&key).chain(value.as_ref()).collect();
                if unknown {
                    return self.wait(call, &[input], &lambdas, frame);
                }
                let mut out: IndexMap<Arc<str>, Vec<Value>> = IndexMap::new();
                for (index, item) in items()?.iter().enumerate() {
                    let turn = [item.clone(), Value::int(index as i64)];
                    let found = self.run(&key, &turn, frame)?;
                    if matches!(found.kind, ValueKind::Expr(_)) {
                        return self.wait(call, std::slice::from_ref(&input), &lambdas, frame);
                    }
                    let found = key_text(name, &found)?;
                    let mapped = match &value {
                        Some(lambda) => self.run(lambda, &turn, frame)?,
                        None => item.clone(),
                    };
                    let slot = out.entry(Arc::clone(&found)).or_default();
                    if what == Special::ToObject && !slot.is_empty() {
                        return Err(EvalError::new(format!(
                            "The template language function 'toObject' was invoked with the duplicate key '{found}'."
                        ))
                        .says(format!("`toObject` makes the key `{found}` twice")));
                    }
                    slot.push(mapped);
                }
                let mut members = IndexMap::new();
                for (key, mut values) in out {
                    let value = match what {
                        Special::GroupBy => Value::array(values)?,
                        _ => values.pop().unwrap_or(Value::NULL),
                    };
                    members.insert(key, value);
                }
                Ok(Value::object(members)?.secret_if(secret))
            }
            _ => defer(name, &[input]),
        }
    }

    /// Sorts by a lambda that says "comes before"; `None` when an answer is unknown. Stable.
    fn sorted(
        &self,
        items: Vec<Value>,
        lambda: &Lambda<'_>,
        frame: &Frame<'_>,
    ) -> Result<Option<Vec<Value>>, EvalError> {
        let mut trouble: Option<Result<(), EvalError>> = None;
        let mut before = |a: &Value, b: &Value| -> bool {
            if trouble.is_some() {
                return false;
            }
            match self.run(lambda, &[a.clone(), b.clone()], frame) {
                Ok(Value { kind: ValueKind::Bool(answer), .. }) => answer,
                Ok(Value { kind: ValueKind::Expr(_), .. }) => {
                    trouble = Some(Ok(()));
                    false
                }
                Ok(other) => {
                    trouble = Some(Err(crate::functions::wrong_type("sort", "Boolean", &other)));
                    false
                }
                Err(fault) => {
                    trouble = Some(Err(fault));
                    false
                }
            }
        };
        let sorted = merge_sort(items, &mut before);
        match trouble {
            Some(Err(fault)) => Err(fault),
            Some(Ok(())) => Ok(None),
            None => Ok(Some(sorted)),
        }
    }
}

/// A merge sort of our own: the library's may panic when a template's lambda is no order at all.
fn merge_sort(items: Vec<Value>, before: &mut dyn FnMut(&Value, &Value) -> bool) -> Vec<Value> {
    if items.len() < 2 {
        return items;
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let left = merge_sort(left, before);
    let right = merge_sort(right, before);
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) => {
                if before(b, a) {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return out,
        };
        out.extend(if order.is_lt() { left.next() } else { right.next() });
    }
}
