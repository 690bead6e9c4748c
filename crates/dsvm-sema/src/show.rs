//! Values → text as one would write them, for messages and for strings that values are put into.

use super::value::{Days, FormulaKind, Money, RangeValue, Value};
use rust_decimal::Decimal;
use std::fmt;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const SIZES: [(&str, i64); 5] =
    [("PiB", 1 << 50), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
const DECIMAL_SIZES: [(&str, i64); 4] =
    [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000)];
const DURATIONS: [(&str, i64); 4] = [("week", 604_800), ("day", 86_400), ("h", 3600), ("min", 60)];

/// The amount in the largest unit in which it is whole.
fn largest<'u>(amount: i64, units: &[(&'u str, i64)], smallest: &'u str) -> (i64, &'u str) {
    let found = units.iter().find(|(_, worth)| amount != 0 && amount % worth == 0);
    found.map_or((amount, smallest), |(unit, worth)| (amount / worth, unit))
}

fn duration(seconds: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (amount, unit) = largest(seconds, &DURATIONS, "s");
    let plural = if matches!(unit, "day" | "week") && amount != 1 { "s" } else { "" };
    write!(f, "{amount} {unit}{plural}")
}

fn size(bytes: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (binary, decimal) = (largest(bytes, &SIZES, "B"), largest(bytes, &DECIMAL_SIZES, "B"));
    let (amount, unit) = if decimal.0.abs() < binary.0.abs() { decimal } else { binary };
    write!(f, "{amount} {unit}")
}

fn decimal(value: Decimal) -> Decimal {
    value.normalize()
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has = |day: usize| self.0 & (1 << day) != 0;
        let mut first = true;
        let mut day = 0;
        while day < 7 {
            if !has(day) {
                day += 1;
                continue;
            }
            let start = day;
            while day < 7 && has(day) {
                day += 1;
            }
            let name = |d: usize| DAYS.get(d).copied().unwrap_or("");
            let separator = if first { "" } else { ", " };
            first = false;
            match day - start {
                1 => write!(f, "{separator}{}", name(start))?,
                _ => write!(f, "{separator}{}..{}", name(start), name(day - 1))?,
            }
        }
        if first { f.write_str("no days") } else { Ok(()) }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", decimal(self.amount), self.currency)?;
        match self.per_seconds {
            None => Ok(()),
            Some(3600) => f.write_str("/h"),
            Some(86_400) => f.write_str("/day"),
            Some(604_800) => f.write_str("/week"),
            Some(2_628_000) => f.write_str("/month"),
            Some(seconds) => write!(f, "/{seconds} s"),
        }
    }
}

impl fmt::Display for RangeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.min, self.max)?;
        match &self.initial {
            Some(initial) => write!(f, " initially {initial}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Decimal(value) => write!(f, "{}", decimal(*value)),
            Value::Percent(value) => write!(f, "{}%", decimal(*value)),
            Value::Size(bytes) => size(*bytes, f),
            Value::Duration(seconds) => duration(*seconds, f),
            Value::Money(money) => write!(f, "{money}"),
            Value::Time(minutes) => write!(f, "{:02}:{:02}", minutes / 60, minutes % 60),
            Value::Days(days) => write!(f, "{days}"),
            Value::Date(date) => write!(f, "{date}"),
            Value::Range(range) => write!(f, "{range}"),
            Value::Cidr(cidr) => write!(f, "{cidr}"),
            Value::Ip(ip) => write!(f, "{ip}"),
            Value::String(text) => write!(f, "\"{}\"", text.escape_debug()),
            Value::First(items) => write!(f, "first of {}", Value::List(items.clone())),
            Value::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate().take(9) {
                    match i {
                        0 => write!(f, "{item}")?,
                        8 => f.write_str(", …")?,
                        _ => write!(f, ", {item}")?,
                    }
                }
                f.write_str("]")
            }
            Value::Record(fields) => {
                f.write_str("{ ")?;
                for (i, (name, value)) in fields.iter().enumerate().take(9) {
                    match i {
                        0 => write!(f, "{name} = {value}")?,
                        8 => f.write_str(", …")?,
                        _ => write!(f, ", {name} = {value}")?,
                    }
                }
                f.write_str(" }")
            }
            Value::Ref(_) => f.write_str("a block"),
            Value::Condition(condition) => {
                write!(f, "{}(…) {} {}", condition.aggregate, condition.operator, condition.threshold)
            }
            Value::Formula(formula) => match &formula.kind {
                FormulaKind::Value(value) => write!(f, "{value}"),
                FormulaKind::Name(name) => f.write_str(name),
                _ => f.write_str("a formula"),
            },
            Value::Deferred(deferred) if deferred.secret.is_empty() => {
                write!(f, "a `{}` known at deployment", deferred.ty)
            }
            Value::Deferred(_) => f.write_str("(secret)"),
            Value::Error => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_shown_in_the_largest_unit_that_is_exact() {
        let shown: Vec<String> = [
            Value::Size(1 << 40),
            Value::Size(1536 << 20),
            Value::Size(2_000_000_000),
            Value::Size(0),
            Value::Duration(900),
            Value::Duration(86_400),
            Value::Duration(61),
            Value::Percent(Decimal::new(700, 1)),
            Value::Time(8 * 60),
            Value::Days(Days(0b1_1111)),
            Value::Days(Days(0b100_0101)),
        ]
        .iter()
        .map(ToString::to_string)
        .collect();
        assert_eq!(
            shown,
            [
                "1 TiB",
                "1536 MiB",
                "2 GB",
                "0 B",
                "15 min",
                "1 day",
                "61 s",
                "70%",
                "08:00",
                "mon..fri",
                "mon, wed, sun"
            ]
        );
    }
}
