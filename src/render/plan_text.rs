//! The words of a plan that every format for people shares: signs, names, values on one line, the summary.

use crate::plan::{Action, AttributeChange, AttributeKind, Change, EffectKind, Plan, Summary};
use serde_json::Value;

/// One sentence: how many of what.
#[must_use]
pub fn summary(sum: &Summary) -> String {
    let total = sum.create + sum.update + sum.replace + sum.delete + sum.detach;
    if total == 0 {
        return match sum.no_change {
            0 => "Nothing to do: the source holds no resources.".to_owned(),
            1 => "Nothing to do: the resource is as the source says.".to_owned(),
            n => format!("Nothing to do: all {n} resources are as the source says."),
        };
    }
    let parts = [
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

/// What people lose, in one sentence; empty when nobody loses anything: `Takes away 6 machines and the data of share `notebooks`.`
#[must_use]
pub fn touched(plan: &Plan) -> String {
    let machines = |kinds: &[EffectKind]| -> u64 {
        plan.effective().filter(|c| kinds.contains(&c.effect.kind)).filter_map(|c| c.effect.machines).sum()
    };
    let count = |n: u64| if n == 1 { "1 machine".to_owned() } else { format!("{n} machines") };
    let gone = machines(&[EffectKind::Removes, EffectKind::Replaces, EffectKind::ScalesIn]);
    let disturbed = machines(&[EffectKind::Reimage, EffectKind::Restart, EffectKind::Rolling]);
    let lossy: Vec<&Change> = plan.effective().filter(|c| c.effect.kind == EffectKind::DeletesData).collect();
    let mut shares: Vec<&str> = lossy.iter().flat_map(|c| c.effect.shares.iter().map(String::as_str)).collect();
    shares.sort_unstable();
    shares.dedup();
    let mut parts = Vec::new();
    match shares.as_slice() {
        [] => match lossy.len() {
            0 => {}
            1 => parts.push("deletes the data of 1 resource".to_owned()),
            n => parts.push(format!("deletes the data of {n} resources")),
        },
        [one] => parts.push(format!("deletes share `{one}` with everything on it")),
        many => {
            let first: Vec<String> = many.iter().take(3).map(|s| format!("`{s}`")).collect();
            let more = if many.len() > 3 { format!(" and {} more", many.len() - 3) } else { String::new() };
            parts.push(format!("deletes {} shares with everything on them ({}{more})", many.len(), first.join(", ")));
        }
    }
    if gone > 0 {
        parts.push(format!("takes away {}", count(gone)));
    }
    if disturbed > 0 {
        parts.push(format!("restarts or remakes {}", count(disturbed)));
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
        Action::Delete => "-",
        Action::Replace => "±",
        Action::Detach => "o",
        Action::Update => "~",
        Action::Create => "+",
        Action::NoChange => "=",
    }
}

/// `virtualMachineScaleSets team`, `shares stteam/default/notebooks`: the last part of the type, which names are told
/// apart by, and the name.
#[must_use]
pub fn label(change: &Change) -> String {
    let short = change.resource_type.rsplit('/').next().unwrap_or(&change.resource_type);
    format!("{short} {}", change.name)
}

/// What the change means, in one line.
#[must_use]
pub fn effect_line(change: &Change) -> String {
    match (change.action, change.effect.text.as_str()) {
        (Action::Create, "new") => String::new(),
        (Action::Replace, text) => format!("{text}: {}", change.reason),
        (_, text) => text.to_owned(),
    }
}

/// `1 → 2`
#[must_use]
pub fn values(attribute: &AttributeChange) -> String {
    if attribute.secret {
        return match attribute.kind {
            AttributeKind::Add => "(secret)".to_owned(),
            AttributeKind::Remove => "(secret) is removed".to_owned(),
            _ => "(secret) changes".to_owned(),
        };
    }
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
    let text = clean(&value.to_string());
    if text.chars().count() <= LONGEST {
        return text;
    }
    let head: String = text.chars().take(LONGEST - 20).collect();
    format!("{head}… ({} characters)", text.chars().count())
}

/// Text that cannot move the cursor, change colours or break the line.
#[must_use]
pub fn clean(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    if !text.contains(hostile) {
        return text.to_owned();
    }
    text.chars().map(|c| if hostile(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}
