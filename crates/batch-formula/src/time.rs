//! Points in time as ticks of 100 nanoseconds since 1970, the resolution of the service.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::names::SECOND;

/// Reads W3C-DTF (a year, a month, a day, or down to seven digits of a second with a zone) or RFC 1123.
#[must_use]
pub fn read_timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.contains(',') {
        return jiff::fmt::rfc2822::parse(text).ok().map(|z| ticks(z.timestamp()));
    }
    let (date, rest) = text.split_once('T').map_or((text, None), |(d, r)| (d, Some(r)));
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |p| number(p, 2))?;
    let day = parts.next().map_or(Some(1), |p| number(p, 2))?;
    if parts.next().is_some() || (rest.is_some() && date.len() != 10) {
        return None;
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (time, fraction, offset) = rest.map_or(Some((Time::midnight(), 0, 0)), read_time)?;
    let stamp = TimeZone::UTC.to_timestamp(DateTime::from_parts(date, time)).ok()?;
    Some(ticks(stamp) + fraction - offset * SECOND)
}

/// `hh:mm[:ss[.fffffff]]` and `Z` or `±hh:mm`: the time, the fraction in ticks, the offset in seconds.
fn read_time(text: &str) -> Option<(Time, i64, i64)> {
    let zone_at = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let offset = match zone {
        "Z" => 0,
        _ => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            sign * (i64::from(number(hours, 2)?) * 3600 + i64::from(number(minutes, 2)?) * 60)
        }
    };
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(c, f)| (c, Some(f)));
    let mut parts = clock.split(':');
    let mut part = |absent: Option<i16>| parts.next().map_or(absent, |p| number(p, 2));
    let (hour, minute, second) = (part(None)?, part(None)?, part(Some(0))?);
    if parts.next().is_some() {
        return None;
    }
    let ticks = match fraction {
        None => 0,
        Some(f) if (1..=7).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{f:0<7}").parse().ok()?
        }
        Some(_) => return None,
    };
    let clip = |n: i16| i8::try_from(n).ok();
    let time = Time::new(clip(hour)?, clip(minute)?, clip(second)?, 0).ok()?;
    Some((time, ticks, offset))
}

fn number(text: &str, digits: usize) -> Option<i16> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn ticks(stamp: Timestamp) -> i64 {
    i64::try_from(stamp.as_nanosecond() / 100).unwrap_or(i64::MAX)
}

/// The civil time (UTC) of a point in time; `None` outside the years 0001 to 9999.
#[must_use]
pub fn civil(ticks: i64) -> Option<DateTime> {
    let stamp = Timestamp::from_nanosecond(i128::from(ticks) * 100).ok()?;
    let civil = TimeZone::UTC.to_datetime(stamp);
    (civil.year() >= 1).then_some(civil)
}

/// A member of a timestamp.
#[must_use]
pub fn member(ticks: i64, name: &str) -> Option<f64> {
    let civil = civil(ticks)?;
    Some(match name {
        "year" => f64::from(civil.year()),
        "month" => f64::from(civil.month()),
        "day" => f64::from(civil.day()),
        // Sunday is 0, Monday 1.
        "weekday" => f64::from(civil.weekday().to_sunday_zero_offset()),
        "hour" => f64::from(civil.hour()),
        "minute" => f64::from(civil.minute()),
        "second" => f64::from(civil.second()),
        _ => return None,
    })
}

/// As the service prints it: `2016-10-13T19:18:47.805Z`.
#[must_use]
pub(crate) fn print_timestamp(ticks: i64) -> String {
    let Some(c) = civil(ticks) else { return "out of range".to_owned() };
    let milliseconds = c.subsec_nanosecond() / 1_000_000;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{milliseconds:03}Z",
        c.year(),
        c.month(),
        c.day(),
        c.hour(),
        c.minute(),
        c.second()
    )
}

/// Prints an interval as `[-][days.]hh:mm:ss[.fffffff]`.
#[must_use]
pub(crate) fn print_interval(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let all = ticks.unsigned_abs();
    let (seconds, fraction) = (all / SECOND.unsigned_abs(), all % SECOND.unsigned_abs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let days = if days == 0 { String::new() } else { format!("{days}.") };
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:07}") };
    format!("{sign}{days}{:02}:{:02}:{:02}{fraction}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_formats() {
        let rfc = read_timestamp("Mon, 06 Oct 2014 10:20:00 GMT").unwrap();
        assert_eq!(read_timestamp("2014-10-06T10:20:00Z"), Some(rfc));
        assert_eq!(read_timestamp("2014-10-06T12:20+02:00"), Some(rfc));
        assert_eq!(print_timestamp(rfc), "2014-10-06T10:20:00.000Z");
        assert_eq!(
            read_timestamp("2016-10-13T19:18:47.8050000Z").map(print_timestamp).unwrap(),
            "2016-10-13T19:18:47.805Z"
        );
    }

    #[test]
    fn nanoseconds_are_refused_as_the_service_refuses_them() {
        assert_eq!(read_timestamp("2023-04-14T09:12:55.123456789Z"), None);
        assert!(read_timestamp("2023-04-14T09:12:55.1234567Z").is_some());
    }

    #[test]
    fn monday_is_one_and_sunday_zero() {
        let monday = read_timestamp("2026-11-23").unwrap();
        assert_eq!(member(monday, "weekday"), Some(1.0));
        assert_eq!(member(monday - 86_400 * SECOND, "weekday"), Some(0.0));
    }

    #[test]
    fn intervals_print_as_time_spans() {
        assert_eq!(print_interval(15 * 60 * SECOND), "00:15:00");
        assert_eq!(print_interval(-(90_061 * SECOND + 5)), "-1.01:01:01.0000005");
    }
}
