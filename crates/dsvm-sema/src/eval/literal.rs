//! Literals → values: numbers with units, times, dates, addresses, texts with values in them.

use super::Eval;
use crate::diags;
use crate::fit::secret_path;
use crate::ty::Ty;
use crate::value::{Deploy, Money, RangeValue, Value};
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{BinaryOp, Expr, ExprKind, Name, StringPart};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::str::FromStr;
use std::sync::Arc;

const SIZES: &[(&str, i64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

const DURATIONS: &[(&str, i64)] = &[
    ("s", 1),
    ("sec", 1),
    ("min", 60),
    ("h", 3600),
    ("d", 86_400),
    ("day", 86_400),
    ("days", 86_400),
    ("week", 604_800),
    ("weeks", 604_800),
];

/// A month is 730 hours, as in Azure's prices.
const RATES: &[(&str, i64)] = &[("h", 3600), ("day", 86_400), ("week", 604_800), ("month", 2_628_000)];

impl<'p> Eval<'p> {
    pub(super) fn literal(&mut self, expr: &Expr) -> Value {
        let span = expr.span;
        let result = match &expr.kind {
            ExprKind::Int(text) => text
                .replace('_', "")
                .parse()
                .map(Value::Int)
                .map_err(|_| ("an int has 64 bits", "write at most 9223372036854775807")),
            ExprKind::Decimal(text) => number(text).map(Value::Decimal).map_err(|why| (why, "write fewer digits")),
            ExprKind::Quantity(text, unit) => return self.quantity(text, unit, span),
            ExprKind::Time(text) => {
                time(text).ok_or(("a time is between 00:00 and 24:00", "write, for instance, `08:30`"))
            }
            ExprKind::Date(text) => text
                .parse()
                .map(Value::Date)
                .map_err(|_| ("not a day in the calendar", "write year, month and day, as in `2026-11-30`")),
            ExprKind::Ip(text) => text
                .parse()
                .map(Value::Ip)
                .map_err(|_| ("each part is between 0 and 255", "write, for instance, `10.0.0.4`")),
            ExprKind::Cidr(text) => return self.cidr(text, span),
            _ => return Value::Error,
        };
        result.unwrap_or_else(|(why, help)| self.report(diags::bad_literal(span, why, help)))
    }

    pub(crate) fn cidr(&mut self, text: &str, span: Span) -> Value {
        match ipnet::IpNet::from_str(text) {
            Ok(net) if net.trunc() == net => Value::Cidr(net),
            Ok(net) => self.report(diags::host_bits(text, &net.trunc().to_string(), span)),
            Err(_) => self.report(diags::bad_literal(
                span,
                "parts of an address are between 0 and 255, and the bits at most 32",
                "write, for instance, `10.1.0.0/24`",
            )),
        }
    }

    fn quantity(&mut self, text: &str, unit: &Name, span: Span) -> Value {
        let Ok(amount) = number(text) else {
            return self.report(diags::bad_literal(
                span,
                "the number has more digits than can be represented exactly",
                "write fewer digits",
            ));
        };
        let word = &*unit.value;
        let find = |units: &[(&str, i64)]| units.iter().find(|(name, _)| *name == word).map(|(_, worth)| *worth);
        let whole = |worth: i64| {
            amount
                .checked_mul(Decimal::from(worth))
                .filter(|product| product.fract().is_zero())
                .and_then(|p| p.to_i64())
        };
        if word == "%" {
            return Value::Percent(amount);
        }
        if let Some(worth) = find(SIZES) {
            return match whole(worth) {
                Some(bytes) => Value::Size(bytes),
                None => self.report(diags::bad_literal(
                    span,
                    "a size is a whole number of bytes, below 8 EiB",
                    "write a whole number of a smaller unit, as in `512 MiB`",
                )),
            };
        }
        if let Some(worth) = find(DURATIONS) {
            return match whole(worth) {
                Some(seconds) => Value::Duration(seconds),
                None => self.report(diags::bad_literal(
                    span,
                    "a duration is a whole number of seconds",
                    "write a whole number of a smaller unit, as in `90 s`",
                )),
            };
        }
        let (currency, rate) = word.split_once('/').map_or((word, None), |(currency, rate)| (currency, Some(rate)));
        let per_seconds = match rate.map(str::trim) {
            None => None,
            Some(rate) => match RATES.iter().find(|(name, _)| *name == rate) {
                Some((_, seconds)) => Some(*seconds),
                None => {
                    return self.report(diags::unknown_unit(
                        word,
                        unit.span,
                        &["USD/h", "USD/day", "USD/week", "USD/month"],
                    ));
                }
            },
        };
        let currency = currency.trim();
        if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Value::Money(Box::new(Money { amount, currency: currency.into(), per_seconds }));
        }
        let known: Vec<&str> = SIZES.iter().chain(DURATIONS).map(|(name, _)| *name).collect();
        self.report(diags::unknown_unit(word, unit.span, &known))
    }

    /// Reports a secret that is written in a text: whoever reads the file, the template or a log has it.
    pub(super) fn look_for_secrets(&mut self, parts: &[StringPart], span: Span) {
        let texts = parts.iter().filter_map(|part| if let StringPart::Text(text) = part { Some(text) } else { None });
        if let Some(found) = texts.filter_map(|text| super::secret_text::find(text)).max_by_key(|found| found.certain) {
            self.report(diags::secret_in_text(found.what, found.certain, span));
        }
    }

    /// A text with values in it.
    pub(super) fn text(&mut self, parts: &'p [StringPart], span: Span) -> Value {
        match parts {
            [] => return Value::String("".into()),
            [StringPart::Text(text)] => return Value::String(text.clone()),
            _ => {}
        }
        let mut known = String::new();
        let mut pieces: Vec<Deploy> = Vec::new();
        let mut secret = Vec::new();
        let mut broken = false;
        for part in parts {
            let (value, at) = match part {
                StringPart::Text(text) => {
                    known.push_str(text);
                    continue;
                }
                StringPart::Value(expr) => (self.eval(expr), expr.span),
            };
            match &value {
                Value::Error => broken = true,
                Value::Deferred(deferred) => {
                    if !known.is_empty() {
                        pieces.push(Deploy::Constant(Value::String(std::mem::take(&mut known).into())));
                    }
                    if let Some(path) = secret_path(&value) {
                        secret = super::defer::extend(path, at, "becomes part of this text");
                    }
                    match self.as_text(deferred, at) {
                        Some(piece) => super::defer::push_piece(&mut pieces, piece),
                        None => broken = true,
                    }
                }
                other => match plain(other) {
                    Some(text) => known.push_str(&text),
                    None => {
                        let found = self.type_of(other);
                        self.report(diags::not_in_text(&found, at));
                        broken = true;
                    }
                },
            }
        }
        if broken {
            return Value::Error;
        }
        if pieces.is_empty() {
            return self.string(known, span);
        }
        if !known.is_empty() {
            super::defer::push_piece(&mut pieces, Deploy::Constant(Value::String(known.into())));
        }
        let expr = match (pieces.len(), pieces.pop()) {
            (1, Some(only)) => only,
            (_, Some(last)) => {
                pieces.push(last);
                Deploy::Call("concat", pieces)
            }
            (_, None) => return Value::Error,
        };
        super::defer::deferred(Ty::String, expr, secret)
    }

    pub(super) fn range(&mut self, min: &'p Expr, max: &'p Expr, span: Span) -> Value {
        if let (ExprKind::Name(from), ExprKind::Name(to)) = (&min.kind, &max.kind)
            && let (Some(from), Some(to)) = (long_day(from), long_day(to))
            && !self.in_scope(from)
        {
            return self.report(diags::long_days(from, to, span));
        }
        let (low, high) = (self.eval(min), self.eval(max));
        match (&low, &high) {
            (Value::Error, _) | (_, Value::Error) => Value::Error,
            (Value::Days(from), Value::Days(to)) => match days_between(from.0, to.0) {
                Some(days) => Value::Days(days),
                // `mon..tue + fri` means `mon..(tue + fri)`.
                None => match &max.kind {
                    ExprKind::Binary(op, first, rest) if matches!(op.value, BinaryOp::Add | BinaryOp::Subtract) => {
                        let last = leftmost(first);
                        let (days, rest) = (min.span.to(last.span), op.span.to(rest.span));
                        self.report(diags::days_without_parentheses(span, days, rest))
                    }
                    _ => self.report(diags::bad_literal(
                        span,
                        "a span of days goes from one day to another",
                        "write, for instance, `mon..fri`",
                    )),
                },
            },
            _ => {
                let (a, b) = (self.type_of(&low), self.type_of(&high));
                let whole = |ty: &Ty| matches!(ty.base(), Ty::Int | Ty::Any | Ty::Error | Ty::Port);
                if a.base() != b.base() && !(whole(&a) && whole(&b)) {
                    return self.report(diags::range_of_two(&a, &b, span));
                }
                let ordered = crate::fit::compare(&low, &high);
                if ordered.is_none() && !matches!((&low, &high), (Value::Deferred(_), _) | (_, Value::Deferred(_))) {
                    return self.report(diags::mismatch(&a, "a number or a quantity", min.span));
                }
                Value::Range(Arc::new(RangeValue { min: low, max: high, initial: None }))
            }
        }
    }
}

/// The first operand of a sum.
fn leftmost(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Binary(_, left, _) => leftmost(left),
        _ => expr,
    }
}

/// All days from one to another, around the end of the week if need be.
pub(super) fn days_between(from: u8, to: u8) -> Option<crate::value::Days> {
    if from.count_ones() != 1 || to.count_ones() != 1 {
        return None;
    }
    let (mut day, last) = (from.trailing_zeros(), to.trailing_zeros());
    let mut days = from;
    while day != last {
        day = (day + 1) % 7;
        days |= 1 << day;
    }
    Some(crate::value::Days(days))
}

fn number(text: &str) -> Result<Decimal, &'static str> {
    Decimal::from_str_exact(&text.replace('_', ""))
        .map_err(|_| "the number has more digits than can be represented exactly")
}

fn time(text: &str) -> Option<Value> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && all <= 1440).then_some(Value::Time(all))
}

/// How a known value looks inside a text; `None` when it does not belong there.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Percent(_)
        | Value::Size(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Days(_)
        | Value::Date(_)
        | Value::Cidr(_)
        | Value::Ip(_) => Some(value.to_string()),
        _ => None,
    }
}

/// `mon` for `monday`, `Mon`, `mo`.
fn long_day(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    if lower.len() == 2 {
        return super::name::DAYS.iter().copied().find(|day| day.starts_with(&lower));
    }
    let day = super::name::DAYS.iter().copied().find(|day| lower.starts_with(*day))?;
    let rest = lower.get(day.len()..)?;
    (word != day && (rest.is_empty() || rest.ends_with("day") || matches!(rest, "s" | "rs" | "nes"))).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_around_the_end_of_the_week() {
        assert_eq!(days_between(1, 16).map(|d| d.0), Some(0b001_1111));
        assert_eq!(days_between(64, 2).map(|d| d.0), Some(0b100_0011));
        assert_eq!(days_between(4, 4).map(|d| d.0), Some(4));
        assert_eq!(days_between(3, 4).map(|d| d.0), None);
    }

    #[test]
    fn the_day_ends_at_24_00() {
        assert_eq!(time("24:00"), Some(Value::Time(1440)));
        assert_eq!(time("24:01"), None);
        assert_eq!(time("12:60"), None);
    }
}
