//! Arithmetic on values that are known, with their units: exact, or refused.

use crate::value::{Money, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// What went wrong in arithmetic on known values.
pub(super) enum ArithmeticError {
    /// The result has no place in its type.
    Overflow,
    /// Something was divided by zero.
    Zero,
    /// Money of two currencies, or per time and not.
    Money(String),
    /// The operator has no meaning for these types.
    Types,
}

/// The sum of two known values, for functions of lists.
pub(crate) fn plus_values(a: &Value, b: &Value) -> Result<Value, crate::builtins::CallError> {
    use crate::builtins::CallError;
    plus(a, b).map_err(|error| match error {
        ArithmeticError::Overflow => CallError::Overflow,
        ArithmeticError::Zero => CallError::Zero,
        ArithmeticError::Money(why) => CallError::Value(why),
        ArithmeticError::Types => CallError::Argument(0, "a list of numbers or of quantities of one kind".to_owned()),
    })
}

pub(super) fn plus(a: &Value, b: &Value) -> Result<Value, ArithmeticError> {
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => Value::Int(x.checked_add(*y).ok_or(ArithmeticError::Overflow)?),
        (Value::Size(x), Value::Size(y)) => Value::Size(x.checked_add(*y).ok_or(ArithmeticError::Overflow)?),
        (Value::Duration(x), Value::Duration(y)) => {
            Value::Duration(x.checked_add(*y).ok_or(ArithmeticError::Overflow)?)
        }
        (Value::Percent(x), Value::Percent(y)) => Value::Percent(x.checked_add(*y).ok_or(ArithmeticError::Overflow)?),
        (Value::Days(x), Value::Days(y)) => Value::Days(crate::value::Days(x.0 | y.0)),
        (Value::Date(x), Value::Duration(y)) => Value::Date(shift(*x, *y)?),
        (Value::Time(x), Value::Duration(y)) => Value::Time(clock(i64::from(*x), *y)?),
        (Value::Money(x), Value::Money(y)) => Value::Money(Box::new(money_sum(x, y, Decimal::ONE)?)),
        _ => {
            let (x, y) = decimals(a, b).ok_or(ArithmeticError::Types)?;
            Value::Decimal(x.checked_add(y).ok_or(ArithmeticError::Overflow)?)
        }
    })
}

pub(super) fn subtract(a: &Value, b: &Value) -> Result<Value, ArithmeticError> {
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => Value::Int(x.checked_sub(*y).ok_or(ArithmeticError::Overflow)?),
        (Value::Size(x), Value::Size(y)) => {
            Value::Size(x.checked_sub(*y).filter(|size| *size >= 0).ok_or(ArithmeticError::Overflow)?)
        }
        (Value::Duration(x), Value::Duration(y)) => {
            Value::Duration(x.checked_sub(*y).ok_or(ArithmeticError::Overflow)?)
        }
        (Value::Percent(x), Value::Percent(y)) => Value::Percent(x.checked_sub(*y).ok_or(ArithmeticError::Overflow)?),
        (Value::Days(x), Value::Days(y)) => Value::Days(crate::value::Days(x.0 & !y.0)),
        (Value::Date(x), Value::Duration(y)) => {
            Value::Date(shift(*x, y.checked_neg().ok_or(ArithmeticError::Overflow)?)?)
        }
        (Value::Time(x), Value::Duration(y)) => {
            Value::Time(clock(i64::from(*x), y.checked_neg().ok_or(ArithmeticError::Overflow)?)?)
        }
        (Value::Date(x), Value::Date(y)) => {
            let days = x.since(*y).map_err(|_| ArithmeticError::Overflow)?.get_days();
            Value::Duration(i64::from(days) * 86_400)
        }
        (Value::Time(x), Value::Time(y)) => Value::Duration((i64::from(*x) - i64::from(*y)) * 60),
        (Value::Money(x), Value::Money(y)) => Value::Money(Box::new(money_sum(x, y, -Decimal::ONE)?)),
        _ => {
            let (x, y) = decimals(a, b).ok_or(ArithmeticError::Types)?;
            Value::Decimal(x.checked_sub(y).ok_or(ArithmeticError::Overflow)?)
        }
    })
}

pub(super) fn multiply(a: &Value, b: &Value) -> Result<Value, ArithmeticError> {
    let percent = |p: &Decimal| p.checked_div(Decimal::ONE_HUNDRED).ok_or(ArithmeticError::Overflow);
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => Value::Int(x.checked_mul(*y).ok_or(ArithmeticError::Overflow)?),
        (Value::Size(x), Value::Int(y)) | (Value::Int(y), Value::Size(x)) => {
            Value::Size(x.checked_mul(*y).filter(|size| *size >= 0).ok_or(ArithmeticError::Overflow)?)
        }
        (Value::Duration(x), Value::Int(y)) | (Value::Int(y), Value::Duration(x)) => {
            Value::Duration(x.checked_mul(*y).ok_or(ArithmeticError::Overflow)?)
        }
        (Value::Size(x), Value::Decimal(y)) | (Value::Decimal(y), Value::Size(x)) => Value::Size(scale(*x, *y)?),
        (Value::Duration(x), Value::Decimal(y)) | (Value::Decimal(y), Value::Duration(x)) => {
            Value::Duration(scale(*x, *y)?)
        }
        (Value::Size(x), Value::Percent(p)) | (Value::Percent(p), Value::Size(x)) => {
            Value::Size(scale(*x, percent(p)?)?)
        }
        (Value::Duration(x), Value::Percent(p)) | (Value::Percent(p), Value::Duration(x)) => {
            Value::Duration(scale(*x, percent(p)?)?)
        }
        (Value::Percent(x), Value::Percent(p)) => {
            Value::Percent(x.checked_mul(percent(p)?).ok_or(ArithmeticError::Overflow)?)
        }
        (Value::Money(money), Value::Percent(p)) | (Value::Percent(p), Value::Money(money)) => {
            let amount = money.amount.checked_mul(percent(p)?).ok_or(ArithmeticError::Overflow)?;
            Value::Money(Box::new(Money { amount, ..Money::clone(money) }))
        }
        (Value::Money(money), Value::Duration(time)) | (Value::Duration(time), Value::Money(money)) => {
            let Some(per) = money.per_seconds else {
                return Err(ArithmeticError::Money("an amount without `/h` does not grow with time".to_owned()));
            };
            let product = money.amount.checked_mul(Decimal::from(*time)).ok_or(ArithmeticError::Overflow)?;
            let amount = product.checked_div(Decimal::from(per)).ok_or(ArithmeticError::Overflow)?;
            Value::Money(Box::new(Money { amount, currency: money.currency.clone(), per_seconds: None }))
        }
        (Value::Money(money), by) | (by, Value::Money(money)) => {
            let by = decimal(by).ok_or(ArithmeticError::Types)?;
            let amount = money.amount.checked_mul(by).ok_or(ArithmeticError::Overflow)?;
            Value::Money(Box::new(Money { amount, ..Money::clone(money) }))
        }
        (Value::Percent(p), by) | (by, Value::Percent(p)) => {
            let by = decimal(by).ok_or(ArithmeticError::Types)?;
            Value::Decimal(by.checked_mul(percent(p)?).ok_or(ArithmeticError::Overflow)?)
        }
        _ => {
            let (x, y) = decimals(a, b).ok_or(ArithmeticError::Types)?;
            Value::Decimal(x.checked_mul(y).ok_or(ArithmeticError::Overflow)?)
        }
    })
}

pub(super) fn divide(a: &Value, b: &Value) -> Result<Value, ArithmeticError> {
    let by = |x: Decimal, y: Decimal| match y.is_zero() {
        true => Err(ArithmeticError::Zero),
        false => x.checked_div(y).ok_or(ArithmeticError::Overflow),
    };
    Ok(match (a, b) {
        (Value::Size(x), Value::Size(y)) | (Value::Duration(x), Value::Duration(y)) => {
            Value::Decimal(by(Decimal::from(*x), Decimal::from(*y))?)
        }
        (Value::Percent(x), Value::Percent(y)) => Value::Decimal(by(*x, *y)?),
        (Value::Money(x), Value::Money(y)) => {
            if x.currency != y.currency || x.per_seconds.is_some() != y.per_seconds.is_some() {
                return Err(ArithmeticError::Money(format!("`{x}` and `{y}` cannot be compared")));
            }
            let (p, q) = (Decimal::from(x.per_seconds.unwrap_or(1)), Decimal::from(y.per_seconds.unwrap_or(1)));
            let left = x.amount.checked_mul(q).ok_or(ArithmeticError::Overflow)?;
            Value::Decimal(by(left, y.amount.checked_mul(p).ok_or(ArithmeticError::Overflow)?)?)
        }
        (Value::Size(x), n) => Value::Size(whole(by(Decimal::from(*x), decimal(n).ok_or(ArithmeticError::Types)?)?)?),
        (Value::Duration(x), n) => {
            Value::Duration(whole(by(Decimal::from(*x), decimal(n).ok_or(ArithmeticError::Types)?)?)?)
        }
        (Value::Percent(x), n) => Value::Percent(by(*x, decimal(n).ok_or(ArithmeticError::Types)?)?),
        (Value::Money(x), n) => {
            let amount = by(x.amount, decimal(n).ok_or(ArithmeticError::Types)?)?;
            Value::Money(Box::new(Money { amount, ..Money::clone(x) }))
        }
        _ => {
            let (x, y) = decimals(a, b).ok_or(ArithmeticError::Types)?;
            Value::Decimal(by(x, y)?)
        }
    })
}

pub(super) fn remainder(a: &Value, b: &Value) -> Result<Value, ArithmeticError> {
    let rest = |x: i64, y: i64| match y {
        0 => Err(ArithmeticError::Zero),
        _ => x.checked_rem(y).ok_or(ArithmeticError::Overflow),
    };
    Ok(match (a, b) {
        (Value::Int(x), Value::Int(y)) => Value::Int(rest(*x, *y)?),
        (Value::Size(x), Value::Size(y)) => Value::Size(rest(*x, *y)?),
        (Value::Duration(x), Value::Duration(y)) => Value::Duration(rest(*x, *y)?),
        _ => return Err(ArithmeticError::Types),
    })
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        _ => None,
    }
}

fn decimals(a: &Value, b: &Value) -> Option<(Decimal, Decimal)> {
    decimal(a).zip(decimal(b))
}

/// Bytes and seconds are whole: what is left over is cut off.
fn whole(value: Decimal) -> Result<i64, ArithmeticError> {
    value.trunc().to_i64().ok_or(ArithmeticError::Overflow)
}

fn scale(value: i64, by: Decimal) -> Result<i64, ArithmeticError> {
    whole(Decimal::from(value).checked_mul(by).ok_or(ArithmeticError::Overflow)?)
}

fn shift(date: jiff::civil::Date, seconds: i64) -> Result<jiff::civil::Date, ArithmeticError> {
    if seconds % 86_400 != 0 {
        return Err(ArithmeticError::Money("a date moves by whole days only".to_owned()));
    }
    let days = seconds / 86_400;
    if days.abs() > 4_000_000 {
        return Err(ArithmeticError::Overflow);
    }
    date.checked_add(jiff::Span::new().days(days)).map_err(|_| ArithmeticError::Overflow)
}

fn clock(minutes: i64, seconds: i64) -> Result<u16, ArithmeticError> {
    if seconds % 60 != 0 {
        return Err(ArithmeticError::Money("a time of day has whole minutes only".to_owned()));
    }
    let sum = minutes.checked_add(seconds / 60).ok_or(ArithmeticError::Overflow)?;
    u16::try_from(sum).ok().filter(|sum| *sum <= 1440).ok_or(ArithmeticError::Overflow)
}

fn money_sum(x: &Money, y: &Money, sign: Decimal) -> Result<Money, ArithmeticError> {
    if x.currency != y.currency {
        return Err(ArithmeticError::Money(format!(
            "`{}` and `{}` are two currencies, and exchange rates change",
            x.currency, y.currency
        )));
    }
    let other = match (x.per_seconds, y.per_seconds) {
        (a, b) if a == b => y.amount,
        (Some(a), Some(b)) => {
            let scaled = y.amount.checked_mul(Decimal::from(a)).ok_or(ArithmeticError::Overflow)?;
            scaled.checked_div(Decimal::from(b)).ok_or(ArithmeticError::Overflow)?
        }
        _ => {
            return Err(ArithmeticError::Money(format!(
                "`{x}` and `{y}`: one is an amount, the other an amount per time"
            )));
        }
    };
    let amount = x.amount.checked_add(other * sign).ok_or(ArithmeticError::Overflow)?;
    Ok(Money { amount, ..Money::clone(x) })
}
