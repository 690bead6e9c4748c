//! Functions on arrays, and those that take arrays, objects or strings alike. Elements may be unknown.

use super::args::{array, at, int, wrong_type};
use super::{Function, Group, collate, plain, shape, text};
use crate::budget::Budget;
use crate::error::EvalError;
use crate::value::{Value, ValueKind, canonical, same, same_name};
use std::collections::HashSet;

const G: Group = Group::Collection;

pub(super) static FUNCTIONS: &[Function] = &[
    shape(G, "array", 1, Some(1), |a, _| {
        let val = at(a, 0);
        Ok(match &val.kind {
            ValueKind::Expr(_) => None,
            ValueKind::Array(_) => Some(val.clone()),
            _ => Some(Value::array(vec![val.clone()])?),
        })
    }),
    shape(G, "createArray", 0, None, |a, _| Value::array(a.to_vec()).map(Some)),
    plain(G, "contains", 2, Some(2), contains),
    plain(G, "distinct", 1, Some(1), |a, budget| unique(array("distinct", a, 0)?.iter(), budget)),
    shape(G, "empty", 1, Some(1), |a, _| {
        let val = at(a, 0);
        Ok(Some(Value::bool(match &val.kind {
            ValueKind::Expr(_) => return Ok(None),
            ValueKind::Null => true,
            ValueKind::Str(s) => s.is_empty(),
            ValueKind::Array(array) => array.items.is_empty(),
            ValueKind::Object(object) => object.members.is_empty(),
            _ => return Err(wrong_type("empty", "Array", val)),
        })))
    }),
    shape(G, "length", 1, Some(1), |a, _| {
        let val = at(a, 0);
        Ok(Some(Value::int(match &val.kind {
            ValueKind::Expr(_) => return Ok(None),
            ValueKind::Str(s) => text::length(s) as i64,
            ValueKind::Array(array) => array.items.len() as i64,
            ValueKind::Object(object) => object.members.len() as i64,
            _ => return Err(wrong_type("length", "Array", val)),
        })))
    }),
    shape(G, "first", 1, Some(1), |a, _| end("first", a, |items| items.first(), |s| text::slice(s, 0, 1))),
    shape(G, "last", 1, Some(1), |a, _| {
        end("last", a, |items| items.last(), |s| text::slice(s, text::length(s).saturating_sub(1), 1))
    }),
    shape(G, "flatten", 1, Some(1), flatten),
    plain(G, "indexOf", 2, Some(2), |a, _| position("indexOf", a, Direction::Forward)),
    plain(G, "lastIndexOf", 2, Some(2), |a, _| position("lastIndexOf", a, Direction::Backward)),
    shape(G, "skip", 2, Some(2), |a, _| part("skip", a, |n, _| (n, usize::MAX))),
    shape(G, "take", 2, Some(2), |a, _| part("take", a, |n, _| (0, n))),
    plain(G, "range", 2, Some(2), range),
    shape(G, "tryGet", 2, None, try_get),
    shape(G, "indexFromEnd", 2, Some(2), |a, _| {
        let Some(found) = from_end("indexFromEnd", a)? else { return Ok(None) };
        found.map(Some).ok_or_else(|| {
            EvalError::new("The language expression property array index is out of bounds.")
                .says("`indexFromEnd` counts past the start of the array")
        })
    }),
    shape(G, "tryIndexFromEnd", 2, Some(2), |a, _| {
        Ok(from_end("tryIndexFromEnd", a)?.map(|v| v.unwrap_or(Value::NULL)))
    }),
    plain(G, "intersection", 1, None, intersection),
];

enum Direction {
    Forward,
    Backward,
}

fn key_of(val: &Value, budget: &Budget) -> Result<String, EvalError> {
    budget.charge(1 + val.inside().weight / 32)?;
    let mut key = String::new();
    canonical(val, &mut key);
    Ok(key)
}

/// The elements without later duplicates.
pub(super) fn unique<'a>(items: impl Iterator<Item = &'a Value>, budget: &Budget) -> Result<Value, EvalError> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in items {
        if seen.insert(key_of(item, budget)?) {
            kept.push(item.clone());
        }
    }
    Value::array(kept)
}

fn contains(args: &[Value], budget: &Budget) -> Result<Value, EvalError> {
    let (container, wanted) = (at(args, 0), at(args, 1));
    budget.charge(1 + container.inside().weight / 64)?;
    let found = match &container.kind {
        ValueKind::Str(text) => match &wanted.kind {
            ValueKind::Str(part) => text.contains(&**part),
            _ => text.contains(&super::args::scalar(wanted).ok_or_else(|| wrong_type("contains", "String", wanted))?),
        },
        ValueKind::Array(array) => array.items.iter().any(|item| same(item, wanted)),
        ValueKind::Object(object) => {
            let key = super::args::scalar(wanted).ok_or_else(|| wrong_type("contains", "String", wanted))?;
            object.members.contains_key(key.as_str()) || object.members.keys().any(|k| same_name(k, &key))
        }
        _ => return Err(wrong_type("contains", "Array", container)),
    };
    Ok(Value::bool(found))
}

fn end(
    function: &str,
    args: &[Value],
    item: fn(&[Value]) -> Option<&Value>,
    unit: fn(&str) -> String,
) -> Result<Option<Value>, EvalError> {
    let val = at(args, 0);
    Ok(match &val.kind {
        ValueKind::Expr(_) => None,
        ValueKind::Array(array) => Some(item(&array.items).cloned().unwrap_or(Value::NULL)),
        ValueKind::Str(text) => Some(Value::str(unit(text))),
        _ => return Err(wrong_type(function, "Array", val)),
    })
}

fn flatten(args: &[Value], budget: &Budget) -> Result<Option<Value>, EvalError> {
    let val = at(args, 0);
    if matches!(val.kind, ValueKind::Expr(_)) {
        return Ok(None);
    }
    let mut out = Vec::new();
    for part in array("flatten", args, 0)? {
        match &part.kind {
            ValueKind::Expr(_) => return Ok(None),
            ValueKind::Array(inner) => {
                budget.charge(inner.items.len())?;
                out.extend(inner.items.iter().cloned().map(|v| v.secret_if(part.secret)));
            }
            _ => return Err(wrong_type("flatten", "Array", part)),
        }
    }
    Value::array(out).map(Some)
}

fn position(function: &str, args: &[Value], direction: Direction) -> Result<Value, EvalError> {
    let (container, wanted) = (at(args, 0), at(args, 1));
    let index = match &container.kind {
        ValueKind::Array(array) => match direction {
            Direction::Forward => array.items.iter().position(|item| same(item, wanted)),
            Direction::Backward => array.items.iter().rposition(|item| same(item, wanted)),
        },
        ValueKind::Str(input) => {
            let part = wanted.as_str().ok_or_else(|| wrong_type(function, "String", wanted))?;
            let (input, part) = (text::folded(input), text::folded(part));
            let byte = match direction {
                Direction::Forward => input.find(&part),
                Direction::Backward => input.rfind(&part),
            };
            byte.map(|b| text::units_before(&input, b))
        }
        _ => return Err(wrong_type(function, "Array", container)),
    };
    Ok(Value::int(index.map_or(-1, |i| i as i64)))
}

fn part(
    function: &str,
    args: &[Value],
    bounds: fn(usize, usize) -> (usize, usize),
) -> Result<Option<Value>, EvalError> {
    let container = at(args, 0);
    if matches!(container.kind, ValueKind::Expr(_)) || matches!(at(args, 1).kind, ValueKind::Expr(_)) {
        return Ok(None);
    }
    let number = usize::try_from(int(function, args, 1)?.max(0)).unwrap_or(usize::MAX);
    Ok(Some(match &container.kind {
        ValueKind::Array(array) => {
            let (from, count) = bounds(number, array.items.len());
            Value::array(array.items.iter().skip(from).take(count).cloned().collect())?
        }
        ValueKind::Str(input) => {
            let (from, count) = bounds(number, text::length(input));
            Value::str(text::slice(input, from, count))
        }
        _ => return Err(wrong_type(function, "Array", container)),
    }))
}

fn range(args: &[Value], budget: &Budget) -> Result<Value, EvalError> {
    const MAX_COUNT: i64 = 10_000;
    let (start, count) = (int("range", args, 0)?, int("range", args, 1)?);
    let end = start.saturating_add(count);
    if !(0..=MAX_COUNT).contains(&count) || end > i64::from(i32::MAX) || start < i64::from(i32::MIN) {
        return Err(EvalError::new(format!(
            "The template language function 'range' is not valid. The count must be from 0 to {MAX_COUNT} and the sum of \
             start and count at most {}.",
            i32::MAX
        ))
        .says(format!("`range({start}, {count})` is out of bounds; Azure allows counts from 0 to {MAX_COUNT}")));
    }
    budget.charge(count as usize)?;
    Value::array((start..end).map(Value::int).collect())
}

fn try_get(args: &[Value], _: &Budget) -> Result<Option<Value>, EvalError> {
    let mut current = at(args, 0).clone();
    for step in args.iter().skip(1) {
        if current.is_null() {
            return Ok(Some(Value::NULL));
        }
        let found = match (&current.kind, &step.kind) {
            (ValueKind::Expr(_), _) | (_, ValueKind::Expr(_)) => return Ok(None),
            (ValueKind::Object(object), ValueKind::Str(key)) => object.get(key),
            (ValueKind::Array(array), ValueKind::Int(index)) => {
                usize::try_from(*index).ok().and_then(|i| array.items.get(i))
            }
            (ValueKind::Array(_), ValueKind::Str(_)) => return Err(wrong_type("tryGet", "Integer", step)),
            (ValueKind::Object(_), _) => return Err(wrong_type("tryGet", "String", step)),
            _ => None,
        };
        current = found.cloned().unwrap_or(Value::NULL).secret_if(current.secret);
    }
    Ok(Some(current))
}

fn from_end(function: &str, args: &[Value]) -> Result<Option<Option<Value>>, EvalError> {
    let container = at(args, 0);
    if container.is_null() && function == "tryIndexFromEnd" {
        return Ok(Some(None));
    }
    if matches!(container.kind, ValueKind::Expr(_)) || matches!(at(args, 1).kind, ValueKind::Expr(_)) {
        return Ok(None);
    }
    let items = array(function, args, 0)?;
    let back = int(function, args, 1)?;
    let index = usize::try_from(back).ok().filter(|b| *b > 0).and_then(|b| items.len().checked_sub(b));
    Ok(Some(index.and_then(|i| items.get(i)).cloned()))
}

fn intersection(args: &[Value], budget: &Budget) -> Result<Value, EvalError> {
    if let ValueKind::Object(first) = &at(args, 0).kind {
        let mut kept = first.members.clone();
        for arg in args.iter().skip(1) {
            let object = arg.as_object().ok_or_else(|| wrong_type("intersection", "Object", arg))?;
            budget.charge(1 + arg.inside().weight / 32)?;
            kept.retain(|key, value| object.members.get(key).is_some_and(|other| same(value, other)));
        }
        return Value::object(kept);
    }
    let mut kept: Vec<Value> = array("intersection", args, 0)?.to_vec();
    for index in 1..args.len() {
        let other = array("intersection", args, index)?;
        let keys = other.iter().map(|v| key_of(v, budget)).collect::<Result<HashSet<_>, _>>()?;
        let mut left = Vec::with_capacity(kept.len());
        for item in kept {
            if keys.contains(&key_of(&item, budget)?) {
                left.push(item);
            }
        }
        kept = left;
    }
    unique(kept.iter(), budget)
}

/// Sorted keys of an object, as `items` and `objectKeys` list them: without regard to case, then by case.
pub(super) fn sorted_keys<'a>(keys: impl Iterator<Item = &'a std::sync::Arc<str>>) -> Vec<&'a std::sync::Arc<str>> {
    let mut keys: Vec<_> = keys.collect();
    keys.sort_by(|a, b| text::folded(a).cmp(&text::folded(b)).then_with(|| collate::compare(a, b)));
    keys
}
