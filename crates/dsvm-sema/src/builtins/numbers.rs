//! Functions of numbers and quantities.

use super::{Builtin, CallError, Kind, at, int, ty_int};
use crate::fit::compare;
use crate::ty::Ty;
use crate::value::{Money, Value};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use std::cmp::Ordering;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "min",
        signature: "min(a: T, b: T, …): T · min(list: [T]): T",
        doc: "The smallest of numbers or of quantities of one kind.",
        example: ("min(2 GiB, 1 TiB)", "2 GiB"),
        arguments: &[Kind::Any],
        least: 1,
        many: true,
        compute: |values| extreme(values, Ordering::Less),
        arm: Some("min"),
        result: ty_extreme,
    },
    Builtin {
        name: "max",
        signature: "max(a: T, b: T, …): T · max(list: [T]): T",
        doc: "The largest of numbers or of quantities of one kind.",
        example: ("max([3, 8, 5])", "8"),
        arguments: &[Kind::Any],
        least: 1,
        many: true,
        compute: |values| extreme(values, Ordering::Greater),
        arm: Some("max"),
        result: ty_extreme,
    },
    Builtin {
        name: "sum",
        signature: "sum(list: [T]): T",
        doc: "The sum of numbers or of quantities of one kind; 0 for an empty list.",
        example: ("sum([1, 2, 3])", "6"),
        arguments: &[Kind::List],
        least: 1,
        many: false,
        compute: sum,
        arm: None,
        result: super::ty_element,
    },
    Builtin {
        name: "div",
        signature: "div(a: int, b: int): int · div(a: size, b: size): int · div(a: duration, b: duration): int",
        doc: "The integer quotient of `a` and `b`, also for two sizes or two durations. `a / b` is exact and yields a decimal.",
        example: ("div(7, 2)", "3"),
        arguments: &[Kind::Whole, Kind::Whole],
        least: 2,
        many: false,
        compute: |values| match (at(values, 0)?, at(values, 1)?) {
            (Value::Int(a), Value::Int(b))
            | (Value::Size(a), Value::Size(b))
            | (Value::Duration(a), Value::Duration(b)) => match b {
                0 => Err(CallError::Zero),
                b => a.checked_div(*b).map(Value::Int).ok_or(CallError::Overflow),
            },
            _ => Err(CallError::Argument(1, "the same kind as the first".to_owned())),
        },
        arm: Some("div"),
        result: ty_int,
    },
    Builtin {
        name: "ceil",
        signature: "ceil(number: decimal): int",
        doc: "The smallest integer that is not below it.",
        example: ("ceil(7 / 2)", "4"),
        arguments: &[Kind::Number],
        least: 1,
        many: false,
        compute: |values| whole(at(values, 0)?, |number| number.ceil()),
        arm: None,
        result: ty_int,
    },
    Builtin {
        name: "floor",
        signature: "floor(number: decimal): int",
        doc: "The largest integer that is not above it.",
        example: ("floor(7 / 2)", "3"),
        arguments: &[Kind::Number],
        least: 1,
        many: false,
        compute: |values| whole(at(values, 0)?, |number| number.floor()),
        arm: None,
        result: ty_int,
    },
    Builtin {
        name: "round",
        signature: "round(number: decimal): int · round(money: money, digits: int): money",
        doc: "The nearest integer, with halves rounded away from zero; for money, rounded to the given number of digits.",
        example: ("round(5 / 2)", "3"),
        arguments: &[Kind::Any, Kind::Int],
        least: 1,
        many: false,
        compute: round,
        arm: None,
        result: ty_int,
    },
    Builtin {
        name: "abs",
        signature: "abs(number: T): T",
        doc: "The number without its sign.",
        example: ("abs(-3)", "3"),
        arguments: &[Kind::Number],
        least: 1,
        many: false,
        compute: |values| match at(values, 0)? {
            Value::Int(number) => number.checked_abs().map(Value::Int).ok_or(CallError::Overflow),
            Value::Decimal(number) => Ok(Value::Decimal(number.abs())),
            _ => Err(CallError::Later),
        },
        arm: None,
        result: super::ty_first,
    },
];

fn ty_extreme(types: &[Ty]) -> Ty {
    let first = super::ty_first(types);
    match first.element() {
        Some(element) => element.clone(),
        None if types.iter().any(|ty| matches!(ty.base(), Ty::Decimal)) => Ty::Decimal,
        None => first,
    }
}

fn extreme(values: &[Value], wanted: Ordering) -> Result<Value, CallError> {
    let items = match values {
        [Value::List(items)] => items.as_slice(),
        all => all,
    };
    if items.iter().any(|item| matches!(item, Value::Deferred(_))) {
        return Err(CallError::Later);
    }
    let mut best: Option<&Value> = None;
    for (index, item) in items.iter().enumerate() {
        let against = best.unwrap_or(item);
        match compare(item, against) {
            Some(order) if order == wanted || best.is_none() => best = Some(item),
            Some(_) => {}
            None => {
                return Err(CallError::Argument(
                    index.min(values.len() - 1),
                    "something with an order, of one kind".to_owned(),
                ));
            }
        }
    }
    best.cloned().ok_or_else(|| CallError::Value("the list is empty".to_owned()))
}

fn sum(values: &[Value]) -> Result<Value, CallError> {
    let mut total: Option<Value> = None;
    for item in super::list(at(values, 0)?)?.iter() {
        if matches!(item, Value::Deferred(_)) {
            return Err(CallError::Later);
        }
        let next = match &total {
            None => match item {
                Value::Int(_)
                | Value::Decimal(_)
                | Value::Size(_)
                | Value::Duration(_)
                | Value::Money(_)
                | Value::Percent(_) => item.clone(),
                _ => return Err(CallError::Argument(0, "a list of numbers or quantities".to_owned())),
            },
            Some(total) => crate::eval::plus_values(total, item)?,
        };
        total = Some(next);
    }
    Ok(total.unwrap_or(Value::Int(0)))
}

fn whole(value: &Value, round: fn(&Decimal) -> Decimal) -> Result<Value, CallError> {
    match value {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Decimal(number) => round(number).to_i64().map(Value::Int).ok_or(CallError::Overflow),
        _ => Err(CallError::Later),
    }
}

fn round(values: &[Value]) -> Result<Value, CallError> {
    let nearest = RoundingStrategy::MidpointAwayFromZero;
    let digits = match values.get(1) {
        Some(value) => int(value)?,
        None => 0,
    };
    if !(0..=10).contains(&digits) {
        return Err(CallError::Value("it rounds to between 0 and 10 digits".to_owned()));
    }
    match at(values, 0)? {
        Value::Money(money) => {
            let amount = money.amount.round_dp_with_strategy(digits as u32, nearest);
            Ok(Value::Money(Box::new(Money { amount, ..Money::clone(money) })))
        }
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Decimal(number) if values.len() == 1 => {
            number.round_dp_with_strategy(0, nearest).to_i64().map(Value::Int).ok_or(CallError::Overflow)
        }
        Value::Decimal(number) => Ok(Value::Decimal(number.round_dp_with_strategy(digits as u32, nearest))),
        Value::Deferred(_) => Err(CallError::Later),
        _ => Err(CallError::Argument(0, "a number or money".to_owned())),
    }
}
