//! A plan → text for a terminal. Deletions and replacements first; every line leads back to the source.

use super::palette::{Palette, Role};
use crate::plan::{Action, AttributeChange, AttributeKind, Change, EffectKind, Plan, Summary};
use serde_json::Value;

/// What is shown besides the changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Every difference that a rule held back.
    pub suppressed: bool,
    /// Every property of new resources.
    pub new_properties: bool,
}

/// Draws a plan. `title` says what is compared with what.
#[must_use]
pub fn terminal(plan: &Plan, title: &str, detail: Detail, palette: Palette) -> String {
    let mut out = String::new();
    if !title.is_empty() {
        out.push_str(&format!("{}\n\n", palette.paint(Role::Title, &clean(title))));
    }
    let width = plan.effective().map(|c| clean(&label(c)).chars().count()).max().unwrap_or(0).min(72);
    for change in plan.effective() {
        draw_change(change, width, detail, palette, &mut out);
    }
    if !plan.is_empty() {
        out.push('\n');
    }
    for warning in &plan.warnings {
        let name = crate::plan::type_of_id(&warning.id).1;
        out.push_str(&format!(
            "{} `{}`: {}\n",
            palette.paint(Role::Warning, "warning:"),
            clean(&name),
            clean(&warning.text)
        ));
    }
    if detail.suppressed {
        draw_suppressed(plan, palette, &mut out);
    }
    out.push_str(&format!("{}\n", summary(&plan.summary)));
    out
}

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

fn role(action: Action) -> Role {
    match action {
        Action::Delete => Role::Delete,
        Action::Replace => Role::Replace,
        Action::Update => Role::Update,
        Action::Create => Role::Create,
        Action::Detach | Action::NoChange => Role::Dim,
    }
}

/// `virtualMachineScaleSets team`: the type without its provider, and the name.
#[must_use]
pub fn label(change: &Change) -> String {
    let short = change.resource_type.split_once('/').map_or(change.resource_type.as_str(), |(_, rest)| rest);
    format!("{short} {}", change.name)
}

fn draw_change(change: &Change, width: usize, detail: Detail, palette: Palette, out: &mut String) {
    let label = clean(&label(change));
    let pad = " ".repeat(width.saturating_sub(label.chars().count()));
    let word = format!("{} {:<7}", sign(change.action), change.action.word());
    let place = change.source.as_ref().map(|s| format!("{pad}  {}:{}", clean(&s.file), s.line)).unwrap_or_default();
    let place = if place.is_empty() { place } else { palette.paint(Role::Dim, &place) };
    out.push_str(&format!("  {} {label}{place}\n", palette.paint(role(change.action), &word)));
    let effect = effect_line(change);
    if !effect.is_empty() {
        let role = if change.effect.kind >= EffectKind::Reimage { Role::Delete } else { Role::Dim };
        out.push_str(&format!("      {}\n", palette.paint(role, &clean(&effect))));
    }
    if change.action == Action::Create && !detail.new_properties {
        return;
    }
    for attribute in &change.attributes {
        draw_attribute(attribute, palette, out);
    }
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

fn draw_attribute(attribute: &AttributeChange, palette: Palette, out: &mut String) {
    let (sign, role) = match attribute.kind {
        AttributeKind::Add => ("+", Role::Create),
        AttributeKind::Remove => ("-", Role::Delete),
        AttributeKind::Change | AttributeKind::Unknown => ("~", Role::Update),
    };
    let path = clean(&attribute.path);
    let forces = if attribute.effect == EffectKind::Replaces {
        palette.paint(Role::Replace, "  (forces replacement)")
    } else {
        String::new()
    };
    if let (Some(Value::String(before)), Some(Value::String(after))) = (&attribute.before, &attribute.after)
        && (before.contains('\n') || after.contains('\n'))
    {
        out.push_str(&format!("      {} {path}{forces}\n", palette.paint(role, sign)));
        draw_text(before, after, palette, out);
        return;
    }
    out.push_str(&format!("      {} {path}: {}{forces}\n", palette.paint(role, sign), values(attribute)));
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

fn draw_text(before: &str, after: &str, palette: Palette, out: &mut String) {
    const MOST: usize = 24;
    let diff = similar::TextDiff::from_lines(before, after);
    let mut lines = 0;
    for change in diff.iter_all_changes() {
        let (sign, role) = match change.tag() {
            similar::ChangeTag::Delete => ("-", Role::Delete),
            similar::ChangeTag::Insert => ("+", Role::Create),
            similar::ChangeTag::Equal => continue,
        };
        lines += 1;
        if lines <= MOST {
            let text = clean(change.value().trim_end_matches('\n'));
            out.push_str(&format!("          {}\n", palette.paint(role, &format!("{sign} {text}"))));
        }
    }
    if lines > MOST {
        out.push_str(&format!("          … {} more lines\n", lines - MOST));
    }
}

fn draw_suppressed(plan: &Plan, palette: Palette, out: &mut String) {
    if plan.suppressed.is_empty() {
        out.push_str("No difference was held back.\n\n");
        return;
    }
    out.push_str(&format!("{}\n", palette.paint(Role::Title, "Differences held back:")));
    for entry in &plan.suppressed {
        let name = crate::plan::type_of_id(&entry.id).1;
        let side = |v: &Option<Value>| v.as_ref().map_or_else(|| "nothing".to_owned(), shown);
        out.push_str(&format!(
            "  {:<18} {} {}: {} / {}\n",
            entry.rule.name(),
            clean(&name),
            clean(&entry.path),
            side(&entry.before),
            side(&entry.after)
        ));
    }
    let mut rules: Vec<_> = plan.suppressed.iter().map(|s| s.rule).collect();
    rules.sort();
    rules.dedup();
    for rule in rules {
        out.push_str(&palette.paint(Role::Dim, &format!("  {}: {}\n", rule.name(), rule.reason())));
    }
    out.push('\n');
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
