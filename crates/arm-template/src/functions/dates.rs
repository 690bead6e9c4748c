//! Functions on dates and times.

use super::args::{int, string};
use super::{Function, Group, date_format, plain};
use crate::error::EvalError;
use crate::value::Value;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};

const G: Group = Group::Date;
const ISO: &str = "yyyy'-'MM'-'dd'T'HH':'mm':'ss'Z'";

pub(super) static FUNCTIONS: &[Function] = &[
    plain(G, "dateTimeAdd", 2, Some(3), date_time_add),
    plain(G, "dateTimeFromEpoch", 1, Some(1), |a, _| {
        let seconds = int("dateTimeFromEpoch", a, 0)?;
        let time = Timestamp::from_second(seconds).map_err(|_| out_of_range("dateTimeFromEpoch"))?;
        Ok(Value::str(date_format::format(utc(time), ISO)?))
    }),
    plain(G, "dateTimeToEpoch", 1, Some(1), |a, _| {
        let text = string("dateTimeToEpoch", a, 0)?;
        let base = parse(text).ok_or_else(|| not_a_date("dateTimeToEpoch", text))?;
        let instant = Offset::UTC.to_timestamp(base.time).map_err(|_| out_of_range("dateTimeToEpoch"))?;
        Ok(Value::int(instant.as_second()))
    }),
];

fn out_of_range(function: &str) -> EvalError {
    EvalError::new(format!(
        "The template language function '{function}' was invoked with a value that is out of range."
    ))
    .says(format!("the result of `{function}` is no date of the calendar"))
}

fn not_a_date(function: &str, text: &str) -> EvalError {
    let shown: String = text.chars().take(60).collect();
    EvalError::new(format!("The template language function '{function}' was invoked with a date that is not valid."))
        .says(format!("`{shown}` is not a date and time"))
}

fn utc(time: Timestamp) -> DateTime {
    Offset::UTC.to_datetime(time)
}

/// `utcNow(format)` at a given time.
pub(crate) fn format_utc(now: Timestamp, spec: &str) -> Result<String, EvalError> {
    date_format::format(utc(now), spec)
}

struct Base {
    time: DateTime,
    iso: bool,
}

fn date_time_add(args: &[Value], _: &crate::budget::Budget) -> Result<Value, EvalError> {
    let (text, duration) = (string("dateTimeAdd", args, 0)?, string("dateTimeAdd", args, 1)?);
    let base = parse(text).ok_or_else(|| not_a_date("dateTimeAdd", text))?;
    let moved = add(base.time, duration)?;
    let spec = match (args.len() > 2, base.iso) {
        (true, _) => string("dateTimeAdd", args, 2)?,
        (false, true) => ISO,
        // What the service answers for a base that is not ISO 8601: the general form of the United States.
        (false, false) => "M'/'d'/'yyyy h':'mm':'ss tt",
    };
    Ok(Value::str(date_format::format(moved, spec)?))
}

/// Reads a date as people write it to the service.
fn parse(text: &str) -> Option<Base> {
    let text = text.trim();
    if let Ok(compact) = DateTime::strptime("%Y%m%dT%H%M%S", text.strip_suffix('Z').unwrap_or(text)) {
        return Some(Base { time: compact, iso: false });
    }
    for format in ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%a, %d %b %Y %H:%M:%S GMT"] {
        if let Ok(time) = DateTime::strptime(format, text) {
            return Some(Base { time, iso: false });
        }
    }
    if let Ok(day) = Date::strptime("%m/%d/%Y", text) {
        return Some(Base { time: day.to_datetime(Time::midnight()), iso: false });
    }
    let separator = text.find(['T', 't', ' ']);
    let (day, rest) = match separator {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    let iso = separator.is_some_and(|at| text.get(at..=at).is_some_and(|s| s.eq_ignore_ascii_case("t")));
    let day: Date = day.parse().ok()?;
    if rest.is_empty() {
        return separator.is_none().then(|| Base { time: day.to_datetime(Time::midnight()), iso: false });
    }
    let (clock, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => (rest.get(..at)?, rest.get(at..)?),
        None => (rest, "Z"),
    };
    let clock: Time = clock.trim().parse().ok()?;
    let minutes = if offset.eq_ignore_ascii_case("z") { 0 } else { offset_minutes(offset)? };
    let time = day.to_datetime(clock).checked_sub(SignedDuration::from_mins(minutes)).ok()?;
    Some(Base { time, iso })
}

fn offset_minutes(offset: &str) -> Option<i64> {
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().skip(1).filter(|c| *c != ':').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits.get(..2)?.parse::<i64>().ok()?, digits.get(2..)?.parse::<i64>().ok()?),
        _ => return None,
    };
    (hours < 15 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// Adds an ISO 8601 duration by the calendar: a month ends where the shorter month ends.
fn add(base: DateTime, text: &str) -> Result<DateTime, EvalError> {
    let bad = || {
        EvalError::new("The template language function 'dateTimeAdd' was invoked with a duration that is not valid.")
            .says(format!(
                "`{}` is not an ISO 8601 duration such as `P1D` or `-PT90M`",
                text.chars().take(40).collect::<String>()
            ))
    };
    let (negative, body) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim().trim_start_matches('+')),
    };
    let body = body.strip_prefix(['P', 'p']).ok_or_else(bad)?;
    let mut span = Span::new();
    let mut in_time = false;
    let mut number = String::new();
    let mut any = false;
    for c in body.chars() {
        match c.to_ascii_uppercase() {
            'T' if !in_time && number.is_empty() => in_time = true,
            digit @ ('0'..='9' | '.') => number.push(digit),
            unit => {
                let fraction: f64 = number.parse().map_err(|_| bad())?;
                let whole = fraction.trunc() as i64;
                if fraction.fract() != 0.0 && unit != 'S' {
                    return Err(bad());
                }
                span = match (in_time, unit) {
                    (false, 'Y') => span.try_years(whole),
                    (false, 'M') => span.try_months(whole),
                    (false, 'W') => span.try_weeks(whole),
                    (false, 'D') => span.try_days(whole),
                    (true, 'H') => span.try_hours(whole),
                    (true, 'M') => span.try_minutes(whole),
                    (true, 'S') => {
                        span.try_seconds(whole).and_then(|s| s.try_nanoseconds((fraction.fract() * 1e9).round() as i64))
                    }
                    _ => return Err(bad()),
                }
                .map_err(|_| out_of_range("dateTimeAdd"))?;
                number.clear();
                any = true;
            }
        }
    }
    if !any || !number.is_empty() {
        return Err(bad());
    }
    let span = if negative { span.negate() } else { span };
    let moved = base.checked_add(span).map_err(|_| out_of_range("dateTimeAdd"))?;
    if (1..=9999).contains(&moved.year()) { Ok(moved) } else { Err(out_of_range("dateTimeAdd")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_the_calendar() {
        let base = |text: &str| parse(text).unwrap().time;
        let added = |text: &str, duration: &str| add(base(text), duration).unwrap().to_string();
        assert_eq!(added("2024-01-31T00:00:00Z", "P1M"), "2024-02-29T00:00:00");
        assert_eq!(added("2024-02-29T00:00:00Z", "P1Y"), "2025-02-28T00:00:00");
        assert_eq!(added("2024-02-29T10:00:00+02:00", "-PT30M"), "2024-02-29T07:30:00");
        assert_eq!(added("2024-02-29", "P1Y2M3DT4H5M6S"), "2025-05-02T04:05:06");
        for bad in ["", "P", "1D", "PT", "P1", "P1.5D", "PD", "P1H"] {
            assert!(add(base("2024-01-01"), bad).is_err(), "{bad}");
        }
        assert!(add(base("9999-01-01"), "P1Y").is_err());
    }

    #[test]
    fn dates_are_read_in_many_forms() {
        for text in [
            "2020-04-07T14:53:14Z",
            "2020-04-07 14:53:14Z",
            "20200407T145314Z",
            "04/07/2020 14:53:14",
            "4/7/2020 2:53:14 PM",
            "2020-04-07T16:53:14.000+0200",
        ] {
            assert_eq!(parse(text).unwrap().time.to_string(), "2020-04-07T14:53:14", "{text}");
        }
        for text in ["", "x", "2020-13-01", "2020-01-01T", "2020-01-01T25:00:00Z"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
