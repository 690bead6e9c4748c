//! Texts of a plan that all formats for people share: signs, names, values on one line, the summary.

use arm_plan::{Action, AttributeChange, AttributeKind, Change, EffectKind, Plan, Summary};
use dsvm_diagnostics::count;
use serde_json::Value;

/// How many resources each action affects, in one sentence.
#[must_use]
pub fn summary(sum: &Summary) -> String {
    let total = sum.create + sum.update + sum.replace + sum.delete + sum.detach + sum.refuse;
    if total == 0 {
        return match sum.no_change {
            0 => "Nothing to do: the source has no resources.".to_owned(),
            1 => "Nothing to do: the resource matches the source.".to_owned(),
            n => format!("Nothing to do: all {n} resources match the source."),
        };
    }
    let parts = [
        (sum.refuse, "refused"),
        (sum.delete, "to delete"),
        (sum.replace, "to replace"),
        (sum.detach, "to detach"),
        (sum.update, "to update"),
        (sum.create, "to create"),
        (sum.no_change, "unchanged"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    format!("Plan: {}.", parts.join(", "))
}

/// What people lose, in one sentence: `It deletes share `notebooks` with everything on it and removes 6 machines.`
/// Empty when nothing is lost.
#[must_use]
pub fn touched(plan: &Plan) -> String {
    let machines = |kinds: &[EffectKind]| -> u64 {
        plan.effective().filter(|c| kinds.contains(&c.effect.kind)).filter_map(|c| c.effect.machines).sum()
    };
    let gone =
        machines(&[EffectKind::Removes, EffectKind::Replaces, EffectKind::ScalesIn, EffectKind::AutoscaleRemoves]);
    let disturbed = machines(&[EffectKind::OsDisksReplaced, EffectKind::Restart]);
    let lossy: Vec<&Change> = plan.effective().filter(|c| c.effect.kind == EffectKind::DeletesData).collect();
    let mut shares: Vec<&str> = lossy.iter().flat_map(|c| c.effect.shares.iter().map(String::as_str)).collect();
    shares.sort_unstable();
    shares.dedup();
    let mut parts = Vec::new();
    match shares.as_slice() {
        [] => match lossy.len() {
            0 => {}
            n => parts.push(format!("deletes the data of {}", count(n, "resource"))),
        },
        [one] => parts.push(format!("deletes share `{one}` with everything on it")),
        many => {
            let first: Vec<String> = many.iter().take(3).map(|s| format!("`{s}`")).collect();
            let more = if many.len() > 3 { format!(" and {} more", many.len() - 3) } else { String::new() };
            parts.push(format!("deletes {} shares with everything on them ({}{more})", many.len(), first.join(", ")));
        }
    }
    if gone > 0 {
        parts.push(format!("removes {}", count(gone, "machine")));
    }
    if disturbed > 0 {
        parts.push(format!("restarts or reimages {}", count(disturbed, "machine")));
    }
    match parts.as_slice() {
        [] => String::new(),
        [one] => format!("It {one}."),
        [all @ .., last] => format!("It {} and {last}.", all.join(", ")),
    }
}

/// The sign before a change.
#[must_use]
pub fn sign(action: Action) -> &'static str {
    match action {
        Action::Refuse => "!",
        Action::Delete => "-",
        Action::Replace => "±",
        Action::Detach => "o",
        Action::Update => "~",
        Action::Create => "+",
        Action::NoChange => "=",
    }
}

/// `virtualMachineScaleSets team`, `shares stteam/default/notebooks`: the last part of the type, which
/// distinguishes equal names, and the name.
#[must_use]
pub fn label(change: &Change) -> String {
    change.titled()
}

/// The effect of an update that disturbs nobody, in at most two words; `None` for any other change.
#[must_use]
pub fn quiet_effect(change: &Change) -> Option<&'static str> {
    match (change.action, change.effect.text.as_str()) {
        (Action::Update, "not noticeable") => Some("not noticeable"),
        (Action::Update, "changed in place") => Some("in place"),
        _ => None,
    }
}

/// The effect of a change, in one line; empty when the action says it already.
#[must_use]
pub fn effect_line(change: &Change) -> String {
    let because = change.effect.cause.as_ref().map(|cause| format!(", because {cause}")).unwrap_or_default();
    match (change.action, change.effect.text.as_str()) {
        // The action before it says so already.
        (Action::Create, "new") | (Action::Delete, "removed") => String::new(),
        (Action::Refuse, text) => match &change.effect.way_out {
            Some(way_out) => format!("{text}{because}. Instead: {way_out}"),
            None => format!("{text}{because}"),
        },
        (Action::Replace, text) => format!("{text}: {}{because}", change.reason),
        (_, text) => text.to_owned(),
    }
}

/// A change of a property on one line: `1 → 2`.
#[must_use]
pub fn values(attribute: &AttributeChange) -> String {
    if attribute.secret {
        return match attribute.kind {
            AttributeKind::Add => "(secret)".to_owned(),
            AttributeKind::Remove => "(secret) is removed".to_owned(),
            _ => "(secret) changes".to_owned(),
        };
    }
    between(attribute, &shown)
}

/// The same where there is room for several lines.
#[must_use]
pub fn values_at_length(attribute: &AttributeChange) -> String {
    const ONE_LINE: usize = 60;
    /// Four lines of a wide terminal; more is never shown.
    const LONGEST: usize = 1000;
    let long = |v: &Option<Value>| v.as_ref().is_some_and(|v| brief(v).chars().count() > ONE_LINE);
    let text = |v: &Value| v.is_string();
    if attribute.secret {
        return values(attribute);
    }
    match (attribute.kind, &attribute.before, &attribute.after) {
        // The service never returns the old value, and a long new one says nothing alone.
        (AttributeKind::Change, None, after) if long(after) && after.as_ref().is_some_and(text) => {
            "a different value; the service does not return the current one".to_owned()
        }
        // The name says what is removed.
        (AttributeKind::Remove, before, _) if long(before) => String::new(),
        _ => between(attribute, &|value| cut(&own_members(attribute, value), LONGEST)),
    }
}

/// An element of a list that is known by its name does not say it twice.
fn own_members(attribute: &AttributeChange, value: &Value) -> String {
    let named = |map: &serde_json::Map<String, Value>| {
        let name = map.get("name").and_then(Value::as_str)?;
        let known = attribute.path.ends_with(&format!("[{name}]")) || name.starts_with('{');
        (known && map.len() > 1).then(|| {
            let rest = map.iter().filter(|(key, _)| *key != "name");
            brief(&Value::Object(rest.map(|(k, v)| (k.clone(), v.clone())).collect()))
        })
    };
    value.as_object().and_then(named).unwrap_or_else(|| brief(value))
}

/// A value for reading: names without quotes, spaces where a line may break.
fn brief(value: &Value) -> String {
    let inner = |value: &Value| match value.as_str().and_then(short_id) {
        Some(id) => clean(&Value::from(id).to_string()),
        None => brief(value),
    };
    match value {
        Value::Array(list) => format!("[{}]", list.iter().map(inner).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let plain = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let key = |key: &String| if plain(key) { key.clone() } else { Value::from(key.as_str()).to_string() };
            let each = map.iter().map(|(k, v)| format!("{}: {}", key(k), inner(v)));
            format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
        }
        other => clean(&other.to_string()),
    }
}

/// An id within a value, shortened to its last type and name.
fn short_id(text: &str) -> Option<String> {
    let id = text.starts_with("/subscriptions/") && text.contains("/providers/");
    let mut parts = text.rsplit('/');
    let (name, kind) = (parts.next()?, parts.next()?);
    (id && !name.is_empty()).then(|| format!("…/{kind}/{name}"))
}

fn between(attribute: &AttributeChange, shown: &dyn Fn(&Value) -> String) -> String {
    let show = |v: &Option<Value>| v.as_ref().map(shown);
    match (attribute.kind, show(&attribute.before), show(&attribute.after)) {
        (AttributeKind::Unknown, Some(before), _) => format!("{before} → (known after the deployment)"),
        (AttributeKind::Unknown, None, _) => "(known after the deployment)".to_owned(),
        (_, Some(before), Some(after)) => format!("{before} → {after}"),
        (_, None, Some(after)) => after,
        (_, Some(before), None) => before,
        (_, None, None) => String::new(),
    }
}

/// A value on one line, cut where it gets long.
#[must_use]
pub fn shown(value: &Value) -> String {
    const LONGEST: usize = 100;
    cut(&brief(value), LONGEST)
}

fn cut(text: &str, longest: usize) -> String {
    let length = text.chars().count();
    if length <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest.saturating_sub(20)).collect();
    format!("{head}… ({length} characters)")
}

pub use super::visible::clean;
