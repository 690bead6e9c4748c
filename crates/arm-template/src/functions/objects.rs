//! Functions on objects. Members may be unknown.

use super::args::{array, at, scalar, wrong_type};
use super::arrays::{sorted_keys, unique};
use super::{Function, Group, shape};
use crate::budget::Budget;
use crate::error::EvalError;
use crate::value::{Value, ValueKind};
use indexmap::IndexMap;
use std::sync::Arc;

const G: Group = Group::Collection;

pub(super) static FUNCTIONS: &[Function] = &[
    shape(G, "createObject", 0, None, create_object),
    shape(G, "union", 1, None, union),
    shape(G, "shallowMerge", 1, Some(1), shallow_merge),
    shape(G, "items", 1, Some(1), |a, budget| {
        let Some(object) = known_object("items", at(a, 0))? else { return Ok(None) };
        budget.charge(object.members.len())?;
        let mut out = Vec::with_capacity(object.members.len());
        for key in sorted_keys(object.members.keys()) {
            let value = object.members.get(key).cloned().unwrap_or(Value::NULL);
            out.push(Value::record([("key", Value::str(Arc::clone(key))), ("value", value)])?);
        }
        Value::array(out).map(Some)
    }),
    shape(G, "objectKeys", 1, Some(1), |a, budget| {
        let Some(object) = known_object("objectKeys", at(a, 0))? else { return Ok(None) };
        budget.charge(object.members.len())?;
        let keys = sorted_keys(object.members.keys());
        Value::array(keys.into_iter().map(|k| Value::str(Arc::clone(k))).collect()).map(Some)
    }),
];

fn known_object<'a>(function: &str, val: &'a Value) -> Result<Option<&'a crate::value::Object>, EvalError> {
    match &val.kind {
        ValueKind::Expr(_) => Ok(None),
        ValueKind::Object(object) => Ok(Some(object)),
        _ => Err(wrong_type(function, "Object", val)),
    }
}

fn create_object(args: &[Value], _: &Budget) -> Result<Option<Value>, EvalError> {
    if args.len() % 2 == 1 {
        return Err(EvalError::new(
            "Unable to evaluate template language function 'createObject'. The number of parameters must be even.",
        )
        .says("`createObject` takes pairs of a key and a value; the last key has no value"));
    }
    let mut members = IndexMap::with_capacity(args.len() / 2);
    for pair in args.chunks_exact(2) {
        let (key, value) = (at(pair, 0), at(pair, 1));
        if matches!(key.kind, ValueKind::Expr(_)) {
            return Ok(None);
        }
        let key = key.as_str().ok_or_else(|| wrong_type("createObject", "String", key))?;
        members.insert(Arc::clone(key), value.clone());
    }
    Value::object(members).map(Some)
}

fn union(args: &[Value], budget: &Budget) -> Result<Option<Value>, EvalError> {
    if args.iter().any(|a| matches!(a.kind, ValueKind::Expr(_))) {
        return Ok(None);
    }
    // A null argument counts as absent.
    let given: Vec<&Value> = args.iter().filter(|a| !a.is_null()).collect();
    let Some(first) = given.first() else { return Ok(Some(Value::NULL)) };
    if matches!(first.kind, ValueKind::Array(_)) {
        if given.iter().any(|a| !a.is_known()) {
            return Ok(None);
        }
        let mut items: Vec<&Value> = Vec::new();
        for arg in &given {
            items.extend(arg.as_array().ok_or_else(|| wrong_type("union", "Array", arg))?);
        }
        return unique(items.into_iter(), budget).map(Some);
    }
    let mut merged = (*first).clone();
    if merged.as_object().is_none() {
        return Err(wrong_type("union", "Array", first));
    }
    for arg in given.iter().skip(1) {
        if arg.as_object().is_none() {
            return Err(wrong_type("union", "Object", arg));
        }
        budget.charge(1 + (merged.inside().weight + arg.inside().weight) / 64)?;
        merged = merge(&merged, arg)?;
    }
    Ok(Some(merged))
}

/// Merges objects deeply; anything else is replaced by the right one.
pub(crate) fn merge(left: &Value, right: &Value) -> Result<Value, EvalError> {
    match (&left.kind, &right.kind) {
        (ValueKind::Object(a), ValueKind::Object(b)) => {
            let mut members = a.members.clone();
            for (key, value) in &b.members {
                match members.get_mut(key) {
                    Some(slot) => *slot = merge(slot, value)?,
                    None => {
                        members.insert(Arc::clone(key), value.clone());
                    }
                }
            }
            Ok(Value::object(members)?.secret_if(left.secret || right.secret))
        }
        _ => Ok(right.clone()),
    }
}

fn shallow_merge(args: &[Value], budget: &Budget) -> Result<Option<Value>, EvalError> {
    if matches!(at(args, 0).kind, ValueKind::Expr(_)) {
        return Ok(None);
    }
    let mut members: IndexMap<Arc<str>, Value> = IndexMap::new();
    let mut secret = false;
    for part in array("shallowMerge", args, 0)? {
        match &part.kind {
            ValueKind::Expr(_) => return Ok(None),
            ValueKind::Null => {}
            ValueKind::Object(object) => {
                budget.charge(object.members.len())?;
                secret |= part.secret;
                members.extend(object.members.iter().map(|(k, v)| (Arc::clone(k), v.clone())));
            }
            _ => return Err(wrong_type("shallowMerge", "Object", part)),
        }
    }
    Ok(Some(Value::object(members)?.secret_if(secret)))
}

/// The text of an object key made by a lambda.
pub(crate) fn key_text(function: &str, val: &Value) -> Result<Arc<str>, EvalError> {
    match &val.kind {
        ValueKind::Str(text) => Ok(Arc::clone(text)),
        ValueKind::Int(_) => Ok(Arc::from(scalar(val).unwrap_or_default())),
        _ => Err(wrong_type(function, "String", val)),
    }
}
