//! Autoscale settings, evaluated against the endpoint's clock, minute by minute. The evaluation itself is `arm-autoscale`; here
//! are the minutes at which something can happen, and what a decision does to the target.
//!
//! Nothing runs in the background: before a request is answered, every setting is brought up to the present.

mod metrics;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::autoscale::metrics::{Fed, KIND, MINUTE, fed};
pub use crate::autoscale::metrics::{feed, forget_metrics, metrics_body};
use crate::core::Cx;
use crate::documents::Row;
use crate::types::instances;
use crate::value::set;
use arm_autoscale::{Decision, LastAction, Reason, Record, Setting, State, Trigger, Undocumented, evaluate};

/// A jump of the clock beyond this is evaluated for its last part only.
const MOST_MINUTES: i64 = 32 * 24 * 60;

/// Most events that a setting remembers.
const MOST_EVENTS: usize = 100;

/// Brings every autoscale setting up to the present.
pub fn catch_up(cx: &mut Cx<'_>) {
    let now = cx.now_ms();
    for row in cx.store.of_kind(KIND) {
        let seen = row.hidden.get("seen").and_then(Value::as_i64).unwrap_or(now);
        // after the clock was set back, evaluation starts from the new time
        let from = if seen > now { now } else { seen };
        let (first, last) = (from.div_euclid(MINUTE) + 1, now.div_euclid(MINUTE));
        if last < first && seen <= now {
            continue;
        }
        let enabled = row.at("/properties/enabled") == Some(&json!(true));
        let first = first.max(last - MOST_MINUTES);
        let mut memory = ScaleMemory::of(&row);
        if let (true, Some(properties)) = (enabled, row.at("/properties")) {
            let setting = Setting::of(properties);
            for minute in minutes(cx, &setting, first, last) {
                if let Ok(at) = Timestamp::from_millisecond(minute * MINUTE) {
                    run(cx, &row, &setting, at, &mut memory);
                }
            }
        }
        let mut row = row.as_ref().clone();
        row.hidden = memory.into_hidden(now);
        cx.store.put_row(row);
    }
}

/// What a setting remembers between evaluations.
struct ScaleMemory {
    last: Option<LastAction>,
    events: Vec<Value>,
}

impl ScaleMemory {
    fn of(row: &Row) -> Self {
        let last = row.hidden.get("lastScale").and_then(|last| {
            let number = |key: &str| last.get(key).and_then(Value::as_i64);
            let time = Timestamp::from_millisecond(number("time")?).ok()?;
            Some(LastAction { time, cooldown: number("cooldown")? })
        });
        Self { last, events: row.hidden.get("events").and_then(Value::as_array).cloned().unwrap_or_default() }
    }

    fn into_hidden(self, seen: i64) -> Value {
        let last = self.last.map(|last| json!({ "time": last.time.as_millisecond(), "cooldown": last.cooldown }));
        json!({ "seen": seen, "lastScale": last, "events": self.events })
    }

    fn remember(&mut self, event: Value) {
        self.events.push(event);
        let excess = self.events.len().saturating_sub(MOST_EVENTS);
        self.events.drain(..excess);
    }
}

/// The minutes at which something can happen: the first, where a profile begins or ends, and those that have
/// samples in their window.
fn minutes(cx: &Cx<'_>, setting: &Setting, first: i64, last: i64) -> BTreeSet<i64> {
    let mut out: BTreeSet<i64> = (first <= last).then_some(first).into_iter().collect();
    let (Ok(from), Ok(to)) = (Timestamp::from_millisecond(first * MINUTE), Timestamp::from_millisecond(last * MINUTE))
    else {
        return out;
    };
    for profile in &setting.profiles {
        for turn in profile.when.turns(from, to) {
            // a profile that begins within a minute is in force at the end of it; a fixed date ends after its last
            let minute = turn.as_millisecond().div_euclid(MINUTE);
            out.extend([minute, minute + 1]);
        }
        for rule in &profile.rules {
            let window = rule.trigger.window / MINUTE;
            let Some(metric) = fed(cx.store, &rule.trigger) else { continue };
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

/// Evaluates a setting at one minute and does what comes out.
fn run(cx: &mut Cx<'_>, row: &Row, setting: &Setting, at: Timestamp, memory: &mut ScaleMemory) {
    let Some(target) = row.text("/properties/targetResourceUri").and_then(|id| cx.store.row(id)) else { return };
    let Some(machines) = target.at("/sku/capacity").and_then(Value::as_i64) else { return };
    let state = State { machines, last: memory.last, in_progress: false };
    let decision = evaluate(setting, &Fed { store: cx.store }, state, at, Undocumented::ASSUMED);
    let triggers = || setting.profiles.iter().flat_map(|profile| &profile.rules).map(|rule| &rule.trigger);
    // a metric that nobody ever fed does not exist here: it cannot be missing
    if decision.reason == Reason::MetricFailure && !triggers().any(|trigger: &Trigger| fed(cx.store, trigger).is_some())
    {
        return;
    }
    memory.last = decision.last;
    if let Some(to) = decision.machines {
        scale(cx, &target, to, at);
    }
    if let Some(event) = event(&decision, machines, at)
        && !repeated(&memory.events, &event)
    {
        memory.remember(event);
    }
}

/// A decision as an event: changes, and removals that flapping prevents.
fn event(decision: &Decision, from: i64, at: Timestamp) -> Option<Value> {
    let to = match (decision.machines, decision.reason) {
        (Some(to), _) => to,
        (None, Reason::Flapping) => from,
        _ => return None,
    };
    let mut event = json!({ "time": at.to_string(), "from": from, "to": to,
        "profile": decision.profile, "reason": decision.reason.words() });
    if let Some(
        Record::FlappingOccurred { intended_instance_count, .. } | Record::Flapping { intended_instance_count, .. },
    ) = decision
        .records
        .iter()
        .find(|record| matches!(record, Record::FlappingOccurred { .. } | Record::Flapping { .. }))
    {
        let kind = if decision.machines.is_some() { "FlappingOccurred" } else { "Flapping" };
        set(&mut event, "/event", json!(kind));
        set(&mut event, "/intended", json!(intended_instance_count));
    }
    Some(event)
}

/// Whether a prevented removal was the last event already: it is tried again in every run.
fn repeated(events: &[Value], event: &Value) -> bool {
    let same = |last: &Value, key: &str| last.get(key) == event.get(key);
    event.get("from") == event.get("to")
        && events
            .last()
            .is_some_and(|last| ["from", "to", "profile", "reason", "intended"].iter().all(|key| same(last, key)))
}

/// Gives the target a new number of machines, at a time that may be in the past.
fn scale(cx: &mut Cx<'_>, target: &Row, to: i64, at: Timestamp) {
    let mut row = target.clone();
    set(&mut row.body, "/sku/capacity", json!(to));
    row.changed = at.as_millisecond();
    row.etag = cx.unique();
    let row = cx.store.put_row(row);
    let present = cx.now;
    // instances that appear in a past minute are as old as that minute
    cx.now = at;
    instances::follow(cx, &row);
    cx.now = present;
}
