//! An autoscale setting on both sides → lines: ranges of machines, rules by their number, schedules.

use super::path;
use super::types::Draft;
use super::units::{self, iso, number, seconds};
use arm_plan::{AttributeChange, EffectKind};
use serde_json::Value;
use std::collections::BTreeSet;

/// The profile that holds when no other does.
const DEFAULT: &str = "Auto created default scale condition";

/// One profile: its name and body.
struct Profile<'v> {
    name: &'v str,
    /// The schedule that ends where this profile begins.
    ends: Option<String>,
    body: &'v Value,
}

fn profiles(body: &Value) -> Vec<Profile<'_>> {
    let all = body.pointer("/properties/profiles").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|body| {
        let name = body.get("name")?.as_str()?;
        let twin: Option<Value> = name.starts_with('{').then(|| serde_json::from_str(name).ok()).flatten();
        let ends = twin.and_then(|twin| Some(twin.get("for")?.as_str()?.to_owned()));
        Some(Profile { name, ends, body })
    })
    .collect()
}

/// What is different in the profiles; `attributes` are the differences that the plan found there.
pub(crate) fn lines(before: &Value, after: &Value, attributes: &[&AttributeChange]) -> Vec<Draft> {
    let (old, new) = (profiles(before), profiles(after));
    let mut lines: Vec<Draft> = Vec::new();
    let mut said: BTreeSet<(String, String)> = BTreeSet::new();
    let mut push =
        |subject: String, known: String, change: String, kind: EffectKind, attribute: Option<&AttributeChange>| {
            // The rules and the range of the pool are repeated in every profile.
            if said.insert((known, change.clone())) {
                let source = attribute.and_then(|a| a.source.clone());
                lines.push(Draft { subject, change, kind, source, ..Draft::default() });
            }
        };
    let within = |name: &str, part: &str| {
        let found: Vec<&AttributeChange> = attributes
            .iter()
            .filter(|a| path::keys(&a.path).first().is_none_or(|key| *key == name))
            .filter(|a| part.is_empty() || path::pattern(&a.path).contains(part))
            .copied()
            .collect();
        let kind = found.iter().map(|a| a.effect).max().unwrap_or(EffectKind::InPlace);
        (kind, found.into_iter().max_by_key(|a| a.effect))
    };
    for profile in &new {
        let known = old.iter().find(|other| other.name == profile.name);
        let subject = |part: &str| match (profile.name, &profile.ends) {
            (DEFAULT, _) | (_, Some(_)) => part.to_owned(),
            (name, None) => format!("schedule {name} {part}"),
        };
        let Some(known) = known else {
            if profile.ends.is_none() {
                let (kind, attribute) = within(profile.name, "");
                let change = format!("added: {}, machines {}", times(profile.body), range(profile.body));
                push(format!("schedule {}", profile.name), profile.name.to_owned(), change, kind, attribute);
            }
            continue;
        };
        let (was, is) = (range(known.body), range(profile.body));
        if was != is {
            let (kind, attribute) = within(profile.name, "capacity");
            push(
                subject("machines"),
                format!("machines {}", profile.ends.is_none()),
                format!("{was} → {is}"),
                kind,
                attribute,
            );
        }
        let (was, is) = (times(known.body), times(profile.body));
        if was != is {
            let (kind, attribute) = within(profile.name, "");
            let (name, word) = profile.ends.as_deref().map_or((profile.name, ""), |name| (name, "ends "));
            push(format!("schedule {name}"), format!("{name} {word}"), format!("{word}{was} → {is}"), kind, attribute);
        }
        for (number, (was, is)) in rules(known.body).into_iter().zip(rules(profile.body)).enumerate() {
            if was == is {
                continue;
            }
            let (kind, attribute) = within(profile.name, "rules");
            let number = number + 1;
            push(
                subject(&format!("autoscale when #{number}")),
                format!("when {number}"),
                rule_change(was, is),
                kind,
                attribute,
            );
        }
        let (was, is) = (rules(known.body), rules(profile.body));
        for (number, rule) in is.iter().enumerate().skip(was.len()) {
            let (kind, attribute) = within(profile.name, "rules");
            let number = number + 1;
            push(
                subject(&format!("autoscale when #{number}")),
                format!("when {number}"),
                format!("added: {}", rule_text(rule)),
                kind,
                attribute,
            );
        }
        for (number, rule) in was.iter().enumerate().skip(is.len()) {
            let (kind, attribute) = within(profile.name, "rules");
            let number = number + 1;
            push(
                subject(&format!("autoscale when #{number}")),
                format!("when {number}"),
                format!("removed: {}", rule_text(rule)),
                kind,
                attribute,
            );
        }
    }
    for gone in old.iter().filter(|old| old.ends.is_none() && !new.iter().any(|new| new.name == old.name)) {
        let (kind, attribute) = within(gone.name, "");
        push(format!("schedule {}", gone.name), gone.name.to_owned(), "removed".to_owned(), kind, attribute);
    }
    lines
}

fn range(profile: &Value) -> String {
    let at = |key: &str| profile.pointer(&format!("/capacity/{key}")).map(units::plain).unwrap_or_default();
    let (least, most) = (at("minimum"), at("maximum"));
    if least == most { least } else { format!("{least}..{most}") }
}

fn rules(profile: &Value) -> Vec<&Value> {
    profile.get("rules").and_then(Value::as_array).into_iter().flatten().collect()
}

/// When a profile begins: `mon, tue from 08:00`, or its dates.
fn times(profile: &Value) -> String {
    if let Some(dates) = profile.get("fixedDate") {
        let day = |key: &str| {
            let text = dates.get(key).and_then(Value::as_str).unwrap_or_default();
            text.split('T').next().unwrap_or_default().to_owned()
        };
        return format!("from {} until {}", day("start"), day("end"));
    }
    let Some(schedule) = profile.pointer("/recurrence/schedule") else { return String::new() };
    let list = |key: &str| schedule.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let days: Vec<String> = list("days")
        .iter()
        .filter_map(Value::as_str)
        .map(|day| day.chars().take(3).collect::<String>().to_lowercase())
        .collect();
    let part = |key: &str| list(key).first().and_then(number).unwrap_or_default();
    let zone = schedule.get("timeZone").and_then(Value::as_str).filter(|zone| *zone != "UTC");
    let zone = zone.map(|zone| format!(" {zone}")).unwrap_or_default();
    format!("{} at {:02}:{:02}{zone}", span(&days), part("hours"), part("minutes"))
}

/// Days as the source writes them: `mon..fri`, `all days`.
fn span(days: &[String]) -> String {
    const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let at: Vec<usize> =
        WEEK.iter().enumerate().filter(|(_, day)| days.iter().any(|d| d == *day)).map(|(n, _)| n).collect();
    match at.as_slice() {
        all if all.len() == WEEK.len() => "all days".to_owned(),
        [first, .., last] if last - first + 1 == at.len() && at.len() > 2 => {
            let name = |n: &usize| WEEK.get(*n).copied().unwrap_or_default();
            format!("{}..{}", name(first), name(last))
        }
        _ => days.join(", "),
    }
}

/// A rule in the words of the source, in its parts: aggregate, metric, window, operator, threshold, action, cooldown.
struct Words {
    aggregate: String,
    metric: String,
    window: String,
    operator: String,
    threshold: String,
    action: String,
    cooldown: String,
    /// What has no words here.
    rest: Value,
}

fn words(rule: &Value) -> Words {
    let text = |pointer: &str| rule.pointer(pointer).map(units::plain).unwrap_or_default();
    let time = |pointer: &str| {
        let value = text(pointer);
        iso(&value).map_or(value, seconds)
    };
    let name = text("/metricTrigger/metricName");
    let (metric, unit) = if name == "Percentage CPU" { ("cpu".to_owned(), " %") } else { (name, "") };
    let aggregate = match text("/metricTrigger/timeAggregation").as_str() {
        "Average" => "avg".to_owned(),
        "Minimum" => "min".to_owned(),
        "Maximum" => "max".to_owned(),
        "Total" => "sum".to_owned(),
        other => other.to_lowercase(),
    };
    let operator = match text("/metricTrigger/operator").as_str() {
        "GreaterThan" => ">",
        "GreaterThanOrEqual" => ">=",
        "LessThan" => "<",
        "LessThanOrEqual" => "<=",
        "Equals" => "==",
        _ => "!=",
    };
    let value = text("/scaleAction/value");
    let percent = if text("/scaleAction/type") == "PercentChangeCount" { "%" } else { "" };
    let action = match (text("/scaleAction/type").as_str(), text("/scaleAction/direction").as_str()) {
        ("ExactCount", _) => format!("set {value}"),
        (_, "Decrease") => format!("remove {value}{percent}"),
        _ => format!("add {value}{percent}"),
    };
    let mut rest = rule.clone();
    for (part, keys) in [
        ("metricTrigger", &["metricName", "timeWindow", "timeAggregation", "operator", "threshold"][..]),
        ("scaleAction", &["value", "type", "direction", "cooldown"][..]),
    ] {
        if let Some(map) = rest.get_mut(part).and_then(Value::as_object_mut) {
            map.retain(|key, _| !keys.contains(&key.as_str()));
        }
    }
    Words {
        aggregate,
        metric,
        window: time("/metricTrigger/timeWindow"),
        operator: operator.to_owned(),
        threshold: format!("{}{unit}", text("/metricTrigger/threshold").trim_end_matches(".0")),
        action,
        cooldown: time("/scaleAction/cooldown"),
        rest,
    }
}

fn rule_text(rule: &Value) -> String {
    let w = words(rule);
    format!(
        "{}({}, {}) {} {}: {}, cooldown {}",
        w.aggregate, w.metric, w.window, w.operator, w.threshold, w.action, w.cooldown
    )
}

/// Only what is different: `cpu > 75 % → 70 %`.
fn rule_change(old: &Value, new: &Value) -> String {
    let (was, is) = (words(old), words(new));
    let mut parts = Vec::new();
    let same_metric = (&was.aggregate, &was.metric, &was.operator) == (&is.aggregate, &is.metric, &is.operator);
    if !same_metric {
        let condition =
            |w: &Words| format!("{}({}, {}) {} {}", w.aggregate, w.metric, w.window, w.operator, w.threshold);
        parts.push(format!("{} → {}", condition(&was), condition(&is)));
    } else {
        if was.threshold != is.threshold {
            parts.push(format!("{} {} {} → {}", is.metric, is.operator, was.threshold, is.threshold));
        }
        if was.window != is.window {
            parts.push(format!("over {} → {}", was.window, is.window));
        }
    }
    if was.action != is.action {
        parts.push(format!("{} → {}", was.action, is.action));
    }
    if was.cooldown != is.cooldown {
        parts.push(format!("cooldown {} → {}", was.cooldown, is.cooldown));
    }
    if parts.is_empty() || (was.rest != is.rest && parts.is_empty()) {
        parts.push("how the metric is read".to_owned());
    }
    parts.join(", ")
}
