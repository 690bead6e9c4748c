//! The autoscale setting of a pool: profiles, twins that return to the default, rules.

use super::expr::Text;
use super::json::{Json, Literal, Map, json};
use super::names::{PoolNames, Resolver};
use super::values::{self, iso};
use super::words;
use dsvm_diagnostics::source::Span;
use dsvm_model::autoscale::{Action, Autoscale, Rule, Schedule, Time};
use dsvm_model::calendar::{day_names, returns};
use dsvm_model::{Machines, read};
use dsvm_sema::table::types::Late;
use dsvm_sema::value::{Days, Value};

/// An object of a fixed number of properties.
fn object<const N: usize>(entries: [(&'static str, Json); N]) -> Json {
    Json::Object(Map::from(entries.map(|(key, value)| (key.into(), value))))
}

/// A word of the API.
fn word(word: &'static str) -> Json {
    Literal::into_json(word)
}

/// Name of the profile that holds when no other does, as the portal calls it.
pub const DEFAULT: &str = "Auto created default scale condition";

/// The body of the setting.
pub(crate) fn body(policy: &Autoscale<'_>, machines: &Machines, names: &PoolNames, resolver: &Resolver<'_, '_>) -> Map {
    let without = policy.without_metrics.unwrap_or(&machines.min);
    let default = capacity(machines, without, resolver);
    let rules = |own: &[Rule<'_>]| -> Json { own.iter().map(|r| rule(r, names, resolver)).collect() };
    let mut profiles =
        vec![object([("name", DEFAULT.into()), ("capacity", default.clone()), ("rules", rules(&policy.rules))])];
    for schedule in &policy.schedules {
        let own = if schedule.rules.is_empty() { &policy.rules } else { &schedule.rules };
        let mut profile = Map::new();
        profile.insert("name".into(), json!(schedule.block.name.as_ref()));
        profile.insert("capacity".into(), capacity(&schedule.machines, schedule.machines.start(), resolver));
        profile.insert("rules".into(), rules(own));
        match schedule.time {
            Time::Weekly { days, from, .. } => {
                profile.insert("recurrence".into(), recurrence(policy.timezone, days, from));
            }
            Time::Dates(from, until) => {
                let dates = json!({
                    "timeZone": policy.timezone,
                    "start": format!("{from}T00:00:00"),
                    "end": format!("{until}T23:59:00"),
                });
                profile.insert("fixedDate".into(), dates);
            }
        }
        profiles.push(Json::Object(profile));
    }
    for schedule in &policy.schedules {
        if let Some((days, minute)) = returns(&policy.schedules, schedule) {
            profiles.push(object([
                ("name", twin_name(schedule).into()),
                ("capacity", default.clone()),
                ("rules", rules(&policy.rules)),
                ("recurrence", recurrence(policy.timezone, days, minute)),
            ]));
        }
    }
    let mut properties = Map::new();
    properties.insert("enabled".into(), json!(policy.enabled));
    properties.insert("targetResourceUri".into(), names.scale_set.id.json().into());
    properties.insert("profiles".into(), Json::Array(profiles));
    if let Some((mode, ahead)) = policy.predict {
        let mode = words::predict_mode(mode);
        properties
            .insert("predictiveAutoscalePolicy".into(), json!({ "scaleMode": mode, "scaleLookAheadTime": iso(ahead) }));
    }
    if let Some(notify) = policy.notify {
        let emails = read::elements(notify.emails().map(Late::value));
        let emails: Vec<Json> = emails.iter().map(|v| Json::from(values::text(v, resolver))).collect();
        let notification = json!({
            "operation": "Scale",
            "email": {
                "sendToSubscriptionAdministrator": notify.subscription_admins(),
                "customEmails": emails,
            }
        });
        properties.insert("notifications".into(), Json::Array(vec![notification]));
    }
    let mut body = Map::new();
    body.insert("properties".into(), Json::Object(properties));
    body
}

/// Where the parts of a setting were written: schedules and rules, as [`body`] lays them out.
pub(crate) fn places(policy: &Autoscale<'_>, machines: Span) -> Vec<(String, Span)> {
    let mut places = vec![("/properties/profiles/0/capacity".to_owned(), machines)];
    let rules = |profile: usize, own: &[Rule<'_>], places: &mut Vec<(String, Span)>| {
        let each = own.iter().enumerate();
        places.extend(each.map(|(i, r)| (format!("/properties/profiles/{profile}/rules/{i}"), r.block.name_span)));
    };
    rules(0, &policy.rules, &mut places);
    for (index, schedule) in policy.schedules.iter().enumerate() {
        places.push((format!("/properties/profiles/{}", index + 1), schedule.block.name_span));
        let own = if schedule.rules.is_empty() { &policy.rules } else { &schedule.rules };
        rules(index + 1, own, &mut places);
    }
    let twins = policy.schedules.iter().filter(|s| returns(&policy.schedules, s).is_some());
    for (index, schedule) in twins.enumerate() {
        let profile = policy.schedules.len() + 1 + index;
        places.push((format!("/properties/profiles/{profile}"), schedule.block.name_span));
        places.push((format!("/properties/profiles/{profile}/capacity"), machines));
        rules(profile, &policy.rules, &mut places);
    }
    places
}

/// The name that makes Azure take a profile for the return to the default after a schedule: a JSON text in a string.
fn twin_name(schedule: &Schedule<'_>) -> String {
    // A text in brackets or braces is not an expression: those begin with `[`.
    json!({ "name": DEFAULT, "for": schedule.block.name.as_ref() }).compact()
}

/// Numbers as the texts that the API wants.
fn capacity(machines: &Machines, default: &Value, resolver: &Resolver<'_, '_>) -> Json {
    let text = |value: &Value| match value {
        Value::Deferred(_) => Text::call("string", &[values::text(value, resolver)]).json(),
        known => values::plain(known),
    };
    object([
        ("minimum", text(&machines.min).into()),
        ("maximum", text(&machines.max).into()),
        ("default", text(default).into()),
    ])
}

fn recurrence(timezone: &str, days: Days, minute: u16) -> Json {
    let days = day_names(days).into_iter().map(word).collect();
    let schedule = object([
        ("timeZone", timezone.into()),
        ("days", Json::Array(days)),
        ("hours", Json::Array(vec![(minute / 60 % 24).into()])),
        ("minutes", Json::Array(vec![(minute % 60).into()])),
    ]);
    object([("frequency", word("Week")), ("schedule", schedule)])
}

fn rule(rule: &Rule<'_>, names: &PoolNames, resolver: &Resolver<'_, '_>) -> Json {
    let resource = match rule.of {
        Some(value) => values::text(value, resolver),
        None => names.scale_set.id.clone(),
    };
    let mut trigger = Map::new();
    trigger.insert("metricName".into(), json!(rule.metric.name));
    if let Some(namespace) = rule.metric.namespace {
        trigger.insert("metricNamespace".into(), json!(namespace));
    }
    trigger.insert("metricResourceUri".into(), resource.into());
    trigger.insert("timeGrain".into(), json!(iso(rule.grain)));
    trigger.insert("statistic".into(), word(words::statistic(rule.across)));
    trigger.insert("timeWindow".into(), json!(iso(rule.window)));
    trigger.insert("timeAggregation".into(), word(words::aggregation(rule.condition.aggregate)));
    trigger.insert("operator".into(), word(words::operator(rule.condition.operator)));
    trigger.insert("threshold".into(), values::decimal(&rule.threshold));
    if rule.per_machine {
        trigger.insert("dividePerInstance".into(), json!(true));
    }
    let (direction, kind, value) = match rule.action {
        Action::Add(n) => ("Increase", "ChangeCount", n),
        Action::AddPercent(n) => ("Increase", "PercentChangeCount", n.get()),
        Action::Remove(n) => ("Decrease", "ChangeCount", n),
        Action::RemovePercent(n) => ("Decrease", "PercentChangeCount", n.get()),
        // The direction of an exact number is the side on which the rule looks.
        Action::Set(n) => (if rule.condition.operator.downward() { "Decrease" } else { "Increase" }, "ExactCount", n),
    };
    let action = object([
        ("direction", word(direction)),
        ("type", word(kind)),
        ("value", value.to_string().into()),
        ("cooldown", iso(rule.cooldown).into()),
    ]);
    object([("metricTrigger", Json::Object(trigger)), ("scaleAction", action)])
}
