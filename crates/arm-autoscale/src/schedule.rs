//! When a profile is in force: fixed dates, weekly recurrences, the default.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::setting::whole;
use super::zones::time_zone;

/// When a profile is in force.
#[derive(Clone, Debug)]
pub enum When {
    /// No schedule: the default.
    Always,
    /// A fixed date: from its start to its end, both inclusive.
    Between(Timestamp, Timestamp),
    /// A recurrence. It has a beginning only, and is in force until the next recurrence of any profile begins.
    Weekly {
        /// The zone of the times.
        zone: TimeZone,
        /// Days of the week on which it begins.
        days: Vec<Weekday>,
        /// Times of day at which it begins.
        times: Vec<Time>,
    },
    /// A schedule that cannot be read.
    Never,
}

impl When {
    /// Reads `fixedDate` and `recurrence` of a profile.
    #[must_use]
    pub fn of(profile: &Value) -> Self {
        let given = |key: &str| profile.get(key).filter(|inner| !inner.is_null());
        match (given("fixedDate"), given("recurrence")) {
            (Some(fixed), _) => between(fixed).map_or(Self::Never, |(start, end)| Self::Between(start, end)),
            (_, Some(recurrence)) => weekly(recurrence).unwrap_or(Self::Never),
            _ => Self::Always,
        }
    }

    /// Moments at which the profile begins (and a fixed date ends) on the days of a span.
    #[must_use]
    pub fn turns(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        match self {
            Self::Between(start, end) => vec![*start, *end],
            Self::Weekly { zone, .. } => {
                let mut out = Vec::new();
                let mut date = zone.to_datetime(from).date();
                let last = zone.to_datetime(to).date();
                while date <= last {
                    out.extend(self.begins(date));
                    let Ok(next) = date.tomorrow() else { break };
                    date = next;
                }
                out
            }
            Self::Always | Self::Never => Vec::new(),
        }
    }

    fn begins(&self, date: Date) -> Vec<Timestamp> {
        let Self::Weekly { zone, days, times } = self else { return Vec::new() };
        if !days.contains(&date.weekday()) {
            return Vec::new();
        }
        times.iter().filter_map(|time| zone.to_timestamp(date.to_datetime(*time)).ok()).collect()
    }

    /// When a recurrence last began, looking back a week.
    pub(crate) fn last_begin(&self, at: Timestamp) -> Option<Timestamp> {
        let Self::Weekly { zone, .. } = self else { return None };
        let today = zone.to_datetime(at).date();
        (0..=7)
            .filter_map(|back| today.checked_sub(back.days()).ok())
            .find_map(|date| self.begins(date).into_iter().filter(|begin| *begin <= at).max())
    }
}

fn between(fixed: &Value) -> Option<(Timestamp, Timestamp)> {
    let text = |key: &str| fixed.get(key).and_then(Value::as_str);
    let zone = text("timeZone").and_then(time_zone).unwrap_or(TimeZone::UTC);
    let moment = |text: &str| -> Option<Timestamp> {
        text.parse::<Timestamp>().ok().or_else(|| zone.to_timestamp(text.parse::<DateTime>().ok()?).ok())
    };
    Some((moment(text("start")?)?, moment(text("end")?)?))
}

fn weekly(recurrence: &Value) -> Option<When> {
    let schedule = recurrence.get("schedule")?;
    let zone = time_zone(schedule.get("timeZone").and_then(Value::as_str).unwrap_or("UTC")).unwrap_or(TimeZone::UTC);
    let list = |key: &str| schedule.get(key).and_then(Value::as_array).into_iter().flatten();
    let numbers = |key: &str| -> Vec<i8> { list(key).filter_map(|n| i8::try_from(whole(Some(n))?).ok()).collect() };
    let days = list("days").filter_map(|day| weekday(day.as_str()?)).collect();
    let mut times = Vec::new();
    for hour in numbers("hours") {
        times.extend(numbers("minutes").into_iter().filter_map(|minute| Time::new(hour, minute, 0, 0).ok()));
    }
    Some(When::Weekly { zone, days, times })
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.to_lowercase().as_str() {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}
