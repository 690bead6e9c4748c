//! Functions on arrays, and those that take arrays, objects or strings alike. Elements may be unknown.

use super::args::{array, at, int, wrong_type};
use super::{Function, Group, collate, plain, shape, text};
use crate::budget::Budget;
use crate::error::Fault;
use crate::value::{Kind, Val, canonical, same, same_name};
use std::collections::HashSet;

const G: Group = Group::Collection;

pub(super) static FUNCTIONS: &[Function] = &[
    shape(G, "array", 1, Some(1), |a, _| {
        let val = at(a, 0);
        Ok(match &val.kind {
            Kind::Expr(_) => None,
            Kind::Array(_) => Some(val.clone()),
            _ => Some(Val::array(vec![val.clone()])?),
        })
    }),
    shape(G, "createArray", 0, None, |a, _| Val::array(a.to_vec()).map(Some)),
    plain(G, "contains", 2, Some(2), contains),
    plain(G, "distinct", 1, Some(1), |a, budget| unique(array("distinct", a, 0)?.iter(), budget)),
    shape(G, "empty", 1, Some(1), |a, _| {
        let val = at(a, 0);
        Ok(Some(Val::bool(match &val.kind {
            Kind::Expr(_) => return Ok(None),
            Kind::Null => true,
            Kind::Str(s) => s.is_empty(),
            Kind::Array(array) => array.items.is_empty(),
            Kind::Object(object) => object.members.is_empty(),
            _ => return Err(wrong_type("empty", "Array", val)),
        })))
    }),
    shape(G, "length", 1, Some(1), |a, _| {
        let val = at(a, 0);
        Ok(Some(Val::int(match &val.kind {
            Kind::Expr(_) => return Ok(None),
            Kind::Str(s) => text::length(s) as i64,
            Kind::Array(array) => array.items.len() as i64,
            Kind::Object(object) => object.members.len() as i64,
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
            Fault::new("The language expression property array index is out of bounds.")
                .says("`indexFromEnd` counts past the start of the array")
        })
    }),
    shape(G, "tryIndexFromEnd", 2, Some(2), |a, _| Ok(from_end("tryIndexFromEnd", a)?.map(|v| v.unwrap_or(Val::NULL)))),
    plain(G, "intersection", 1, None, intersection),
];

enum Direction {
    Forward,
    Backward,
}

fn key_of(val: &Val, budget: &Budget) -> Result<String, Fault> {
    budget.spend(1 + val.inside().weight / 32)?;
    let mut key = String::new();
    canonical(val, &mut key);
    Ok(key)
}

/// The elements without later duplicates.
pub(super) fn unique<'a>(items: impl Iterator<Item = &'a Val>, budget: &Budget) -> Result<Val, Fault> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in items {
        if seen.insert(key_of(item, budget)?) {
            kept.push(item.clone());
        }
    }
    Val::array(kept)
}

fn contains(args: &[Val], budget: &Budget) -> Result<Val, Fault> {
    let (container, wanted) = (at(args, 0), at(args, 1));
    budget.spend(1 + container.inside().weight / 64)?;
    let found = match &container.kind {
        Kind::Str(text) => match &wanted.kind {
            Kind::Str(part) => text.contains(&**part),
            _ => text.contains(&super::args::scalar(wanted).ok_or_else(|| wrong_type("contains", "String", wanted))?),
        },
        Kind::Array(array) => array.items.iter().any(|item| same(item, wanted)),
        Kind::Object(object) => {
            let key = super::args::scalar(wanted).ok_or_else(|| wrong_type("contains", "String", wanted))?;
            object.members.contains_key(key.as_str()) || object.members.keys().any(|k| same_name(k, &key))
        }
        _ => return Err(wrong_type("contains", "Array", container)),
    };
    Ok(Val::bool(found))
}

fn end(
    function: &str,
    args: &[Val],
    item: fn(&[Val]) -> Option<&Val>,
    unit: fn(&str) -> String,
) -> Result<Option<Val>, Fault> {
    let val = at(args, 0);
    Ok(match &val.kind {
        Kind::Expr(_) => None,
        Kind::Array(array) => Some(item(&array.items).cloned().unwrap_or(Val::NULL)),
        Kind::Str(text) => Some(Val::str(unit(text))),
        _ => return Err(wrong_type(function, "Array", val)),
    })
}

fn flatten(args: &[Val], budget: &Budget) -> Result<Option<Val>, Fault> {
    let val = at(args, 0);
    if matches!(val.kind, Kind::Expr(_)) {
        return Ok(None);
    }
    let mut out = Vec::new();
    for part in array("flatten", args, 0)? {
        match &part.kind {
            Kind::Expr(_) => return Ok(None),
            Kind::Array(inner) => {
                budget.spend(inner.items.len())?;
                out.extend(inner.items.iter().cloned().map(|v| v.secret_if(part.secret)));
            }
            _ => return Err(wrong_type("flatten", "Array", part)),
        }
    }
    Val::array(out).map(Some)
}

fn position(function: &str, args: &[Val], direction: Direction) -> Result<Val, Fault> {
    let (container, wanted) = (at(args, 0), at(args, 1));
    let index = match &container.kind {
        Kind::Array(array) => match direction {
            Direction::Forward => array.items.iter().position(|item| same(item, wanted)),
            Direction::Backward => array.items.iter().rposition(|item| same(item, wanted)),
        },
        Kind::Str(input) => {
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
    Ok(Val::int(index.map_or(-1, |i| i as i64)))
}

fn part(function: &str, args: &[Val], bounds: fn(usize, usize) -> (usize, usize)) -> Result<Option<Val>, Fault> {
    let container = at(args, 0);
    if matches!(container.kind, Kind::Expr(_)) || matches!(at(args, 1).kind, Kind::Expr(_)) {
        return Ok(None);
    }
    let number = usize::try_from(int(function, args, 1)?.max(0)).unwrap_or(usize::MAX);
    Ok(Some(match &container.kind {
        Kind::Array(array) => {
            let (from, count) = bounds(number, array.items.len());
            Val::array(array.items.iter().skip(from).take(count).cloned().collect())?
        }
        Kind::Str(input) => {
            let (from, count) = bounds(number, text::length(input));
            Val::str(text::slice(input, from, count))
        }
        _ => return Err(wrong_type(function, "Array", container)),
    }))
}

fn range(args: &[Val], budget: &Budget) -> Result<Val, Fault> {
    const MAX_COUNT: i64 = 10_000;
    let (start, count) = (int("range", args, 0)?, int("range", args, 1)?);
    let end = start.saturating_add(count);
    if !(0..=MAX_COUNT).contains(&count) || end > i64::from(i32::MAX) || start < i64::from(i32::MIN) {
        return Err(Fault::new(format!(
            "The template language function 'range' is not valid. The count must be from 0 to {MAX_COUNT} and the sum of \
             start and count at most {}.",
            i32::MAX
        ))
        .says(format!("`range({start}, {count})` is out of bounds; Azure allows counts from 0 to {MAX_COUNT}")));
    }
    budget.spend(count as usize)?;
    Val::array((start..end).map(Val::int).collect())
}

fn try_get(args: &[Val], _: &Budget) -> Result<Option<Val>, Fault> {
    let mut current = at(args, 0).clone();
    for step in args.iter().skip(1) {
        if current.is_null() {
            return Ok(Some(Val::NULL));
        }
        let found = match (&current.kind, &step.kind) {
            (Kind::Expr(_), _) | (_, Kind::Expr(_)) => return Ok(None),
            (Kind::Object(object), Kind::Str(key)) => object.get(key),
            (Kind::Array(array), Kind::Int(index)) => usize::try_from(*index).ok().and_then(|i| array.items.get(i)),
            (Kind::Array(_), Kind::Str(_)) => return Err(wrong_type("tryGet", "Integer", step)),
            (Kind::Object(_), _) => return Err(wrong_type("tryGet", "String", step)),
            _ => None,
        };
        current = found.cloned().unwrap_or(Val::NULL).secret_if(current.secret);
    }
    Ok(Some(current))
}

fn from_end(function: &str, args: &[Val]) -> Result<Option<Option<Val>>, Fault> {
    let container = at(args, 0);
    if container.is_null() && function == "tryIndexFromEnd" {
        return Ok(Some(None));
    }
    if matches!(container.kind, Kind::Expr(_)) || matches!(at(args, 1).kind, Kind::Expr(_)) {
        return Ok(None);
    }
    let items = array(function, args, 0)?;
    let back = int(function, args, 1)?;
    let index = usize::try_from(back).ok().filter(|b| *b > 0).and_then(|b| items.len().checked_sub(b));
    Ok(Some(index.and_then(|i| items.get(i)).cloned()))
}

fn intersection(args: &[Val], budget: &Budget) -> Result<Val, Fault> {
    if let Kind::Object(first) = &at(args, 0).kind {
        let mut kept = first.members.clone();
        for arg in args.iter().skip(1) {
            let object = arg.as_object().ok_or_else(|| wrong_type("intersection", "Object", arg))?;
            budget.spend(1 + arg.inside().weight / 32)?;
            kept.retain(|key, value| object.members.get(key).is_some_and(|other| same(value, other)));
        }
        return Val::object(kept);
    }
    let mut kept: Vec<Val> = array("intersection", args, 0)?.to_vec();
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
