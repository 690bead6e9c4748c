//! Autoscale settings, evaluated against the endpoint's clock, minute by minute: schedules choose the profile, metrics
//! that a user feeds move the capacity inside its limits, cooldowns hold.
//!
//! Nothing runs in the background: before a request is answered, every setting is brought up to the present.

mod metrics;

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::autoscale::metrics::reading;
use crate::autoscale::metrics::{KIND, MINUTE};
pub use crate::autoscale::metrics::{feed, forget_metrics, metrics_body};
use crate::clock::duration;
use crate::core::Cx;
use crate::documents::Metric;
use crate::documents::Row;

use crate::facts::time_zone;
use crate::types::insights::whole;
use crate::types::instances;
use crate::value::set;

/// A jump of the clock beyond this is evaluated for its last part only.
const MOST_MINUTES: i64 = 32 * 24 * 60;

/// Brings every autoscale setting up to the present.
pub fn catch_up(cx: &mut Cx<'_>) {
    let now = cx.now_ms();
    for setting in cx.store.of_kind(KIND) {
        let seen = setting.hidden.get("seen").and_then(Value::as_i64).unwrap_or(now);
        // after the clock was set back, evaluation starts from the new time
        let from = if seen > now { now } else { seen };
        let (first, last) = (from.div_euclid(MINUTE) + 1, now.div_euclid(MINUTE));
        if last < first && seen <= now {
            continue;
        }
        let enabled = setting.at("/properties/enabled") == Some(&json!(true));
        let first = first.max(last - MOST_MINUTES);
        let mut memory = ScaleMemory::of(&setting);
        if enabled {
            let profiles: Vec<Profile<'_>> = setting
                .at("/properties/profiles")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(Profile::of)
                .collect();
            for minute in minutes(cx, &profiles, first, last) {
                if let Ok(at) = Timestamp::from_millisecond(minute * MINUTE) {
                    evaluate(cx, &setting, &profiles, at, &mut memory);
                }
            }
        }
        let mut row = setting.as_ref().clone();
        row.hidden = json!({ "seen": now, "lastScale": memory.last_scale, "events": memory.events });
        cx.store.put_row(row);
    }
}

/// What a setting remembers between evaluations.
struct ScaleMemory {
    last_scale: Option<i64>,
    events: Vec<Value>,
}

impl ScaleMemory {
    fn of(row: &Row) -> Self {
        Self {
            last_scale: row.hidden.get("lastScale").and_then(Value::as_i64),
            events: row.hidden.get("events").and_then(Value::as_array).cloned().unwrap_or_default(),
        }
    }
}

/// A profile with its times read.
struct Profile<'p> {
    value: &'p Value,
    when: When,
}

enum When {
    Always,
    Between(Timestamp, Timestamp),
    Weekly { zone: TimeZone, days: Vec<Weekday>, times: Vec<Time> },
    Never,
}

impl<'p> Profile<'p> {
    fn of(value: &'p Value) -> Self {
        let given = |key: &str| value.get(key).filter(|inner| !inner.is_null());
        let when = match (given("fixedDate"), given("recurrence")) {
            (Some(fixed), _) => between(fixed).map_or(When::Never, |(start, end)| When::Between(start, end)),
            (_, Some(recurrence)) => weekly(recurrence).unwrap_or(When::Never),
            _ => When::Always,
        };
        Self { value, when }
    }

    /// Moments at which this profile begins (and a fixed date ends) on the days of a span.
    fn turns(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        match &self.when {
            When::Between(start, end) => vec![*start, *end],
            When::Weekly { zone, .. } => {
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
            When::Always | When::Never => Vec::new(),
        }
    }

    fn begins(&self, date: Date) -> Vec<Timestamp> {
        let When::Weekly { zone, days, times } = &self.when else { return Vec::new() };
        if !days.contains(&date.weekday()) {
            return Vec::new();
        }
        times.iter().filter_map(|time| zone.to_timestamp(date.to_datetime(*time)).ok()).collect()
    }

    /// When a weekly profile last began, looking back a week.
    fn last_begin(&self, at: Timestamp) -> Option<Timestamp> {
        let When::Weekly { zone, .. } = &self.when else { return None };
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

/// The minutes at which something can happen: the first, where a profile begins or ends, and those that have
/// samples in their window.
fn minutes(cx: &Cx<'_>, profiles: &[Profile<'_>], first: i64, last: i64) -> BTreeSet<i64> {
    let mut out: BTreeSet<i64> = (first <= last).then_some(first).into_iter().collect();
    let (Ok(from), Ok(to)) = (Timestamp::from_millisecond(first * MINUTE), Timestamp::from_millisecond(last * MINUTE))
    else {
        return out;
    };
    for profile in profiles {
        // a profile that begins within a minute is in force at the end of it
        out.extend(profile.turns(from, to).iter().map(|turn| turn.as_millisecond().div_euclid(MINUTE)));
        for rule in profile.value.get("rules").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| rule.pointer(&format!("/metricTrigger/{key}")).and_then(Value::as_str);
            let key = format!(
                "{}|{}",
                crate::id::key(text("metricResourceUri").unwrap_or_default()),
                text("metricName").unwrap_or_default()
            );
            let window = text("timeWindow").and_then(duration).map_or(0, |span| span.as_secs() / 60);
            let Some(metric) = cx.store.get::<Metric>(&key) else { continue };
            for (time, _) in &metric.samples {
                let minute = time.div_euclid(MINUTE);
                // one beyond the window: there the metric is missing
                if minute + window + 1 >= first && minute <= last {
                    out.extend(minute.max(first)..=(minute + window + 1).min(last));
                }
            }
        }
    }
    out.into_iter().filter(|minute| (first..=last).contains(minute)).collect()
}

fn evaluate(cx: &mut Cx<'_>, setting: &Row, profiles: &[Profile<'_>], at: Timestamp, memory: &mut ScaleMemory) {
    let Some(target) = setting.text("/properties/targetResourceUri").and_then(|id| cx.store.row(id)) else { return };
    let Some(have) = target.at("/sku/capacity").and_then(Value::as_i64) else { return };
    let Some(profile) = active(profiles, at) else { return };
    let limit = |key: &str| whole(profile.pointer(&format!("/capacity/{key}")));
    let (Some(least), Some(most), Some(default)) = (limit("minimum"), limit("maximum"), limit("default")) else {
        return;
    };
    let name = profile.get("name").and_then(Value::as_str).unwrap_or_default();
    // outside the limits: back inside, whatever the metrics and cooldowns say
    if have < least || have > most {
        scale(cx, &target, have, have.clamp(least, most), at, name, "limits of the profile", memory);
        return;
    }
    let rules: Vec<&Value> = profile.get("rules").and_then(Value::as_array).into_iter().flatten().collect();
    if rules.is_empty() {
        return;
    }
    let readings: Vec<(&Value, Option<bool>)> = rules.iter().map(|rule| (*rule, holds(cx, rule, at, have))).collect();
    let blind = readings.iter().all(|(_, reading)| reading.is_none());
    if blind {
        // no metric at all: up to the default, never down
        if have < default && !cx.store.all::<Metric>("").is_empty() {
            scale(cx, &target, have, default, at, name, "no metric: default of the profile", memory);
        }
        return;
    }
    let is = |rule: &Value, wanted: &str| {
        rule.pointer("/scaleAction/direction")
            .and_then(Value::as_str)
            .is_some_and(|word| word.eq_ignore_ascii_case(wanted))
    };
    let cool = |rule: &Value| {
        let wait = rule
            .pointer("/scaleAction/cooldown")
            .and_then(Value::as_str)
            .and_then(duration)
            .unwrap_or(SignedDuration::ZERO);
        memory
            .last_scale
            .is_none_or(|last| at.as_millisecond() - last >= i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
    };
    let wanted = |rule: &Value| goal(rule, have).clamp(least, most);
    // out when any rule asks for it, the farthest one; in when all agree, the most careful one
    let out = readings
        .iter()
        .filter(|(rule, reading)| is(rule, "Increase") && *reading == Some(true) && cool(rule))
        .map(|(rule, _)| wanted(rule))
        .max();
    if let Some(to) = out.filter(|to| *to > have) {
        scale(cx, &target, have, to, at, name, "scale out", memory);
        return;
    }
    if readings.iter().any(|(rule, reading)| is(rule, "Increase") && *reading == Some(true)) {
        return;
    }
    let ins: Vec<&(&Value, Option<bool>)> = readings.iter().filter(|(rule, _)| is(rule, "Decrease")).collect();
    if ins.is_empty() || !ins.iter().all(|(rule, reading)| *reading == Some(true) && cool(rule)) {
        return;
    }
    let Some(to) = ins.iter().map(|(rule, _)| wanted(rule)).max().filter(|to| *to < have) else { return };
    if flaps(cx, &rules, at, have, to) {
        return;
    }
    scale(cx, &target, have, to, at, name, "scale in", memory);
}

/// Where a rule wants to go from `have`.
fn goal(rule: &Value, have: i64) -> i64 {
    let value = whole(rule.pointer("/scaleAction/value")).unwrap_or(1);
    let text = |key: &str| {
        rule.pointer(&format!("/scaleAction/{key}")).and_then(Value::as_str).unwrap_or_default().to_lowercase()
    };
    let up = text("direction") == "increase";
    match text("type").as_str() {
        "exactcount" => value,
        "percentchangecount" => {
            // at least one instance either way
            let step = (have.saturating_mul(value) / 100).max(1);
            if up { have + step } else { have - step }
        }
        _ => {
            if up {
                have + value
            } else {
                have - value
            }
        }
    }
}

/// Whether going in to `to` would make an out rule true at once: the estimate of the documentation.
fn flaps(cx: &Cx<'_>, rules: &[&Value], at: Timestamp, have: i64, to: i64) -> bool {
    if to <= 0 {
        return false;
    }
    rules.iter().any(|rule| {
        let out = rule
            .pointer("/scaleAction/direction")
            .and_then(Value::as_str)
            .is_some_and(|word| word.eq_ignore_ascii_case("Increase"));
        let Some(value) = out.then(|| reading(cx, rule, at)).flatten() else { return false };
        #[expect(clippy::cast_precision_loss, reason = "capacities are small numbers")]
        let projected = value * have as f64 / to as f64;
        compare(rule, projected)
    })
}

fn compare(rule: &Value, value: f64) -> bool {
    let threshold = rule.pointer("/metricTrigger/threshold").and_then(Value::as_f64).unwrap_or(f64::NAN);
    match rule.pointer("/metricTrigger/operator").and_then(Value::as_str).unwrap_or_default().to_lowercase().as_str() {
        "equals" => (value - threshold).abs() < f64::EPSILON,
        "notequals" => (value - threshold).abs() >= f64::EPSILON,
        "greaterthan" => value > threshold,
        "greaterthanorequal" => value >= threshold,
        "lessthan" => value < threshold,
        "lessthanorequal" => value <= threshold,
        _ => false,
    }
}

fn holds(cx: &Cx<'_>, rule: &Value, at: Timestamp, have: i64) -> Option<bool> {
    let mut value = reading(cx, rule, at)?;
    if rule.pointer("/metricTrigger/dividePerInstance") == Some(&json!(true)) && have > 0 {
        #[expect(clippy::cast_precision_loss, reason = "capacities are small numbers")]
        let instances = have as f64;
        value /= instances;
    }
    Some(compare(rule, value))
}

#[expect(clippy::too_many_arguments, reason = "one event has this many parts")]
fn scale(
    cx: &mut Cx<'_>,
    target: &Row,
    from: i64,
    to: i64,
    at: Timestamp,
    profile: &str,
    why: &str,
    memory: &mut ScaleMemory,
) {
    let old = target.clone();
    let mut row = target.clone();
    set(&mut row.body, "/sku/capacity", json!(to));
    row.changed = at.as_millisecond();
    row.etag = cx.unique();
    let row = cx.store.put_row(row);
    let present = cx.now;
    // instances that appear in a past minute are as old as that minute
    cx.now = at;
    instances::follow(cx, &row, Some(&old));
    cx.now = present;
    memory.last_scale = Some(at.as_millisecond());
    memory.events.push(json!({ "time": at.to_string(), "from": from, "to": to, "profile": profile, "reason": why }));
    let excess = memory.events.len().saturating_sub(100);
    memory.events.drain(..excess);
}

/// The profile in force: a fixed date first, then the recurrence that began last, then the default.
fn active<'p>(profiles: &[Profile<'p>], at: Timestamp) -> Option<&'p Value> {
    let fixed =
        profiles.iter().find(|profile| matches!(profile.when, When::Between(start, end) if start <= at && at < end));
    let begun = || {
        profiles.iter().filter_map(|profile| Some((profile.last_begin(at)?, profile))).max_by_key(|(begin, _)| *begin)
    };
    let always = || profiles.iter().find(|profile| matches!(profile.when, When::Always));
    fixed.or_else(|| begun().map(|(_, profile)| profile)).or_else(always).map(|profile| profile.value)
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
