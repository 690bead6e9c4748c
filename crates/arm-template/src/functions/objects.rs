//! Functions on objects. Members may be unknown.

use super::args::{array, at, scalar, wrong_type};
use super::arrays::{sorted_keys, unique};
use super::{Function, Group, shape};
use crate::budget::Budget;
use crate::error::Fault;
use crate::value::{Kind, Val};
use indexmap::IndexMap;
use std::sync::Arc;

const G: Group = Group::Collection;

pub(super) static FUNCTIONS: &[Function] = &[
    shape(G, "createObject", 0, None, create_object),
    shape(G, "union", 1, None, union),
    shape(G, "shallowMerge", 1, Some(1), shallow_merge),
    shape(G, "items", 1, Some(1), |a, budget| {
        let Some(object) = known_object("items", at(a, 0))? else { return Ok(None) };
        budget.spend(object.members.len())?;
        let mut out = Vec::with_capacity(object.members.len());
        for key in sorted_keys(object.members.keys()) {
            let value = object.members.get(key).cloned().unwrap_or(Val::NULL);
            out.push(Val::record([("key", Val::str(Arc::clone(key))), ("value", value)])?);
        }
        Val::array(out).map(Some)
    }),
    shape(G, "objectKeys", 1, Some(1), |a, budget| {
        let Some(object) = known_object("objectKeys", at(a, 0))? else { return Ok(None) };
        budget.spend(object.members.len())?;
        let keys = sorted_keys(object.members.keys());
        Val::array(keys.into_iter().map(|k| Val::str(Arc::clone(k))).collect()).map(Some)
    }),
];

fn known_object<'a>(function: &str, val: &'a Val) -> Result<Option<&'a crate::value::Object>, Fault> {
    match &val.kind {
        Kind::Expr(_) => Ok(None),
        Kind::Object(object) => Ok(Some(object)),
        _ => Err(wrong_type(function, "Object", val)),
    }
}

fn create_object(args: &[Val], _: &Budget) -> Result<Option<Val>, Fault> {
    if args.len() % 2 == 1 {
        return Err(Fault::new(
            "Unable to evaluate template language function 'createObject'. The number of parameters must be even.",
        )
        .says("`createObject` takes pairs of a key and a value; the last key has no value"));
    }
    let mut members = IndexMap::with_capacity(args.len() / 2);
    for pair in args.chunks_exact(2) {
        let (key, value) = (at(pair, 0), at(pair, 1));
        if matches!(key.kind, Kind::Expr(_)) {
            return Ok(None);
        }
        let key = key.as_str().ok_or_else(|| wrong_type("createObject", "String", key))?;
        members.insert(Arc::clone(key), value.clone());
    }
    Val::object(members).map(Some)
}

fn union(args: &[Val], budget: &Budget) -> Result<Option<Val>, Fault> {
    if args.iter().any(|a| matches!(a.kind, Kind::Expr(_))) {
        return Ok(None);
    }
    // A null argument counts as absent.
    let given: Vec<&Val> = args.iter().filter(|a| !a.is_null()).collect();
    let Some(first) = given.first() else { return Ok(Some(Val::NULL)) };
    if matches!(first.kind, Kind::Array(_)) {
        if given.iter().any(|a| !a.is_known()) {
            return Ok(None);
        }
        let mut items: Vec<&Val> = Vec::new();
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
        budget.spend(1 + (merged.inside().weight + arg.inside().weight) / 64)?;
        merged = merge(&merged, arg)?;
    }
    Ok(Some(merged))
}

/// Merges objects deeply; anything else is replaced by the right one.
pub(crate) fn merge(left: &Val, right: &Val) -> Result<Val, Fault> {
    match (&left.kind, &right.kind) {
        (Kind::Object(a), Kind::Object(b)) => {
            let mut members = a.members.clone();
            for (key, value) in &b.members {
                match members.get_mut(key) {
                    Some(slot) => *slot = merge(slot, value)?,
                    None => {
                        members.insert(Arc::clone(key), value.clone());
                    }
                }
            }
            Ok(Val::object(members)?.secret_if(left.secret || right.secret))
        }
        _ => Ok(right.clone()),
    }
}

fn shallow_merge(args: &[Val], budget: &Budget) -> Result<Option<Val>, Fault> {
    if matches!(at(args, 0).kind, Kind::Expr(_)) {
        return Ok(None);
    }
    let mut members: IndexMap<Arc<str>, Val> = IndexMap::new();
    let mut secret = false;
    for part in array("shallowMerge", args, 0)? {
        match &part.kind {
            Kind::Expr(_) => return Ok(None),
            Kind::Null => {}
            Kind::Object(object) => {
                budget.spend(object.members.len())?;
                secret |= part.secret;
                members.extend(object.members.iter().map(|(k, v)| (Arc::clone(k), v.clone())));
            }
            _ => return Err(wrong_type("shallowMerge", "Object", part)),
        }
    }
    Ok(Some(Val::object(members)?.secret_if(secret)))
}

/// The text of an object key made by a lambda.
pub(crate) fn key_text(function: &str, val: &Val) -> Result<Arc<str>, Fault> {
    match &val.kind {
        Kind::Str(text) => Ok(Arc::clone(text)),
        Kind::Int(_) => Ok(Arc::from(scalar(val).unwrap_or_default())),
        _ => Err(wrong_type(function, "String", val)),
    }
}
