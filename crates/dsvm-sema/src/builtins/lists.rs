//! Functions of lists and records.

use super::{Builtin, CallError, Kind, at, int, list, text, ty_bool, ty_element, ty_first, ty_int, ty_texts};
use crate::fit::{compare, deferred_part};
use crate::ty::Ty;
use crate::value::Value;
use indexmap::IndexMap;
use std::cmp::Ordering;
use std::sync::Arc;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "length",
        signature: "length(of: [T] | string | record): int",
        doc: "Number of elements of a list, of characters of a string, or of fields of a record.",
        example: ("length([1, 2, 3])", "3"),
        arguments: &[Kind::Countable],
        least: 1,
        many: false,
        compute: |values| match at(values, 0)? {
            Value::List(items) => Ok(Value::Int(items.len() as i64)),
            Value::Record(fields) => Ok(Value::Int(fields.len() as i64)),
            other => Ok(Value::Int(text(other)?.chars().count() as i64)),
        },
        arm: Some("length"),
        result: ty_int,
    },
    Builtin {
        name: "contains",
        signature: "contains(in: [T] | string | record, what: T | string): bool",
        doc: "Whether a list contains an element, a string a substring, or a record a field. `what in list` does the same.",
        example: ("contains([1, 2], 2)", "true"),
        arguments: &[Kind::Countable, Kind::Any],
        least: 2,
        many: false,
        compute: contains,
        arm: Some("contains"),
        result: ty_bool,
    },
    Builtin {
        name: "first",
        signature: "first(list: [T]): T",
        doc: "The first element of a list.",
        example: ("first([1, 2])", "1"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: |values| list(at(values, 0)?)?.first().cloned().ok_or_else(empty),
        arm: Some("first"),
        result: ty_element,
    },
    Builtin {
        name: "last",
        signature: "last(list: [T]): T",
        doc: "The last element of a list.",
        example: ("last([1, 2])", "2"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: |values| list(at(values, 0)?)?.last().cloned().ok_or_else(empty),
        arm: Some("last"),
        result: ty_element,
    },
    Builtin {
        name: "sequence",
        signature: "sequence(from: int, to: int): [int]",
        doc: "The whole numbers from one to another, both included. `[n for n in 1..3]` does the same.",
        example: ("sequence(1, 3)", "[1, 2, 3]"),
        arguments: &[Kind::Int, Kind::Int],
        least: 2,
        many: false,
        compute: |values| {
            let (from, to) = (int(at(values, 0)?)?, int(at(values, 1)?)?);
            if to.saturating_sub(from) >= 100_000 {
                return Err(CallError::Value("it would have more than 100,000 elements".to_owned()));
            }
            Ok(Value::List(Arc::new((from..=to).map(Value::Int).collect())))
        },
        arm: None,
        result: |_| Ty::List(Arc::new(Ty::Int)),
    },
    Builtin {
        name: "reverse",
        signature: "reverse(list: [T]): [T]",
        doc: "The list from its end to its start.",
        example: ("reverse([1, 2])", "[2, 1]"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: |values| Ok(Value::List(Arc::new(list(at(values, 0)?)?.iter().rev().cloned().collect()))),
        arm: None,
        result: ty_first,
    },
    Builtin {
        name: "sort",
        signature: "sort(list: [T]): [T]",
        doc: "The list in ascending order: numbers, quantities, times, or texts by their characters.",
        example: ("sort([3, 1, 2])", "[1, 2, 3]"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: sort,
        arm: None,
        result: ty_first,
    },
    Builtin {
        name: "unique",
        signature: "unique(list: [T]): [T]",
        doc: "The list without duplicates; the first occurrence is kept.",
        example: ("unique([1, 2, 1])", "[1, 2]"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: unique,
        arm: None,
        result: ty_first,
    },
    Builtin {
        name: "flatten",
        signature: "flatten(lists: [[T]]): [T]",
        doc: "The elements of all lists in a list.",
        example: ("flatten([[1], [2, 3]])", "[1, 2, 3]"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: |values| {
            let mut all = Vec::new();
            for item in list(at(values, 0)?)?.iter() {
                match item {
                    Value::List(items) => all.extend(items.iter().cloned()),
                    Value::Deferred(_) => return Err(CallError::Later),
                    _ => return Err(CallError::Argument(0, "a list of lists".to_owned())),
                }
            }
            Ok(Value::List(Arc::new(all)))
        },
        arm: Some("flatten"),
        result: ty_element,
    },
    Builtin {
        name: "keys",
        signature: "keys(record: record): [string]",
        doc: "The names of a record's fields.",
        example: ("keys({ a = 1, b = 2 })", "[\"a\", \"b\"]"),
        arguments: &[Kind::Record],
        least: 1,
        many: false,
        compute: |values| match at(values, 0)? {
            Value::Record(fields) => {
                Ok(Value::List(Arc::new(fields.keys().map(|name| Value::String(name.clone())).collect())))
            }
            _ => Err(CallError::Later),
        },
        arm: Some("objectKeys"),
        result: ty_texts,
    },
    Builtin {
        name: "values",
        signature: "values(record: record): [T]",
        doc: "The values of a record's fields.",
        example: ("values({ a = 1, b = 2 })", "[1, 2]"),
        arguments: &[Kind::Record],
        least: 1,
        many: false,
        compute: |values| match at(values, 0)? {
            Value::Record(fields) => Ok(Value::List(Arc::new(fields.values().cloned().collect()))),
            _ => Err(CallError::Later),
        },
        arm: None,
        result: |_| Ty::List(Arc::new(Ty::Any)),
    },
    Builtin {
        name: "merge",
        signature: "merge(a: record, b: record, …): record",
        doc: "The fields of all records; if a name is repeated, the last value is used.",
        example: ("merge({ a = 1 }, { a = 2, b = 3 })", "{ a = 2, b = 3 }"),
        arguments: &[Kind::Record],
        least: 1,
        many: true,
        compute: |values| {
            let mut all = IndexMap::new();
            for value in values {
                match value {
                    Value::Record(fields) => {
                        fields.iter().for_each(|(name, value)| {
                            all.insert(name.clone(), value.clone());
                        });
                    }
                    _ => return Err(CallError::Later),
                }
            }
            Ok(Value::Record(Arc::new(all)))
        },
        arm: Some("union"),
        result: |_| Ty::Map(Arc::new(Ty::Any)),
    },
    Builtin {
        name: "lookup",
        signature: "lookup(record: record, name: string, otherwise: T): T",
        doc: "A field of a record, or another value when there is no such field.",
        example: ("lookup({ a = 1 }, \"b\", 0)", "0"),
        arguments: &[Kind::Record, Kind::Text, Kind::Any],
        least: 3,
        many: false,
        compute: |values| match (at(values, 0)?, at(values, 1)?) {
            (Value::Record(fields), Value::String(name)) => Ok(fields.get(name).unwrap_or(at(values, 2)?).clone()),
            _ => Err(CallError::Later),
        },
        arm: None,
        result: |types| types.get(2).cloned().unwrap_or(Ty::Any),
    },
    Builtin {
        name: "all",
        signature: "all(list: [bool]): bool",
        doc: "Whether every element is true.",
        example: ("all([true, false])", "false"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: |values| truth(at(values, 0)?, false),
        arm: Some("and"),
        result: ty_bool,
    },
    Builtin {
        name: "any",
        signature: "any(list: [bool]): bool",
        doc: "Whether at least one element is true.",
        example: ("any([true, false])", "true"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: |values| truth(at(values, 0)?, true),
        arm: Some("or"),
        result: ty_bool,
    },
];

fn empty() -> CallError {
    CallError::Value("the list is empty".to_owned())
}

fn contains(values: &[Value]) -> Result<Value, CallError> {
    let what = at(values, 1)?;
    match at(values, 0)? {
        Value::List(items) => {
            let found = items.iter().any(|item| item == what || compare(item, what).is_some_and(Ordering::is_eq));
            match found || !items.iter().any(|item| deferred_part(item).is_some()) {
                true => Ok(Value::Bool(found)),
                false => Err(CallError::Later),
            }
        }
        Value::Record(fields) => match what {
            Value::String(name) => Ok(Value::Bool(fields.contains_key(name))),
            _ => Err(CallError::Argument(1, "string".to_owned())),
        },
        other => match what {
            Value::String(part) => Ok(Value::Bool(text(other)?.contains(&**part))),
            _ => Err(CallError::Argument(1, "string".to_owned())),
        },
    }
}

fn sort(values: &[Value]) -> Result<Value, CallError> {
    let items = list(at(values, 0)?)?;
    if items.iter().any(|item| deferred_part(item).is_some()) {
        return Err(CallError::Later);
    }
    let order = |a: &Value, b: &Value| match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => compare(a, b),
    };
    let first = items.first();
    if items.iter().any(|item| first.is_some_and(|first| order(first, item).is_none())) {
        return Err(CallError::Argument(0, "a list of texts or of things with an order".to_owned()));
    }
    let mut sorted = items.to_vec();
    sorted.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
    Ok(Value::List(Arc::new(sorted)))
}

fn unique(values: &[Value]) -> Result<Value, CallError> {
    let items = list(at(values, 0)?)?;
    if items.len() > 5000 {
        return Err(CallError::Value("it takes lists of at most 5,000 elements".to_owned()));
    }
    let mut kept: Vec<Value> = Vec::new();
    for item in items.iter() {
        if deferred_part(item).is_some() {
            return Err(CallError::Later);
        }
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    Ok(Value::List(Arc::new(kept)))
}

fn truth(value: &Value, wanted: bool) -> Result<Value, CallError> {
    let mut unknown = false;
    for item in list(value)?.iter() {
        match item {
            Value::Bool(item) if *item == wanted => return Ok(Value::Bool(wanted)),
            Value::Bool(_) => {}
            Value::Deferred(_) => unknown = true,
            _ => return Err(CallError::Argument(0, "a list of bool".to_owned())),
        }
    }
    if unknown { Err(CallError::Later) } else { Ok(Value::Bool(!wanted)) }
}
