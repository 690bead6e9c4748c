//! Limits that a plan would break or come near → text for a terminal, markdown, JSON. Nothing to tell is no text at all.

use super::layout::wrap;
use super::palette::{Palette, Role};
use super::plan_markdown::{code, escape};
use super::plan_text::clean;
use super::quota::{how_to_ask, place, scope_data};
use crate::deploy::quota::{PlanQuota, Told};
use dsvm_quota::Verdict;
use serde_json::{Value, json};

/// What asks for the most is named; more names say nothing more.
const MOST_PARTS: usize = 3;

/// One sentence: `Total Regional vCPUs in westus: 125 needed, limit 100, 9 used now: 25 too few`.
fn sentence(one: &Told) -> String {
    let growth = &one.growth;
    let head = format!("{} in {}", growth.quota.title(), place(&growth.scope));
    let used = |used: Option<u64>| used.map(|used| format!(", {used} used now")).unwrap_or_default();
    let others = |used: Option<u64>| used.unwrap_or(0).saturating_sub(growth.now);
    match &one.verdict {
        Verdict::Breaks { used: now, limit, by, ask, .. } => {
            format!("{head}: {ask} needed, the limit is {limit}{}: {by} too few", used(*now))
        }
        Verdict::Fits { used: now, limit } | Verdict::Unknown { used: now, limit, .. } => {
            let ask = others(*now).saturating_add(growth.after);
            let limit = limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
            format!("{head}: {ask}{limit} needed{}", used(*now))
        }
    }
}

/// The resources that ask for the most.
fn parts(one: &Told) -> String {
    let mut parts = one.growth.parts.clone();
    parts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = parts.len().saturating_sub(MOST_PARTS);
    let mut text: Vec<String> =
        parts.iter().take(MOST_PARTS).map(|(what, number)| format!("{number} of {}", clean(what))).collect();
    if more > 0 {
        text.push(format!("{more} more"));
    }
    text.extend(one.growth.unknown.iter().map(|what| format!("not known before the deployment: {}", clean(what))));
    text.join(", ")
}

fn command(one: &Told, subscription: Option<&str>) -> Option<String> {
    match &one.verdict {
        Verdict::Breaks { ask, name, .. } => {
            Some(clean(&how_to_ask(&one.growth.scope, &one.growth.quota, name, *ask, subscription)))
        }
        Verdict::Fits { .. } | Verdict::Unknown { .. } => None,
    }
}

/// Most bytes of the section in a comment.
pub(super) const ROOM: usize = 12_000;

const TITLE: &str = "Quotas, with every pool at its maximum";

/// For a terminal of that many columns.
#[must_use]
pub fn terminal(quota: &PlanQuota, room: usize, palette: Palette) -> String {
    if quota.told.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", palette.paint(Role::Title, TITLE));
    for one in &quota.told {
        let command = command(one, quota.subscription.as_deref());
        let (sign, role) = if command.is_some() { ("!", Role::Error) } else { ("~", Role::Warning) };
        let text = wrap(&format!("    {}", sentence(one)), room, "    ");
        out.push_str(&format!("  {} {}\n", palette.paint(role, sign), text.trim_start()));
        out.push_str(&format!(
            "{}\n",
            palette.paint(Role::Dim, &wrap(&format!("      {}", parts(one)), room, "      "))
        ));
        // A command is copied: it stays on one line.
        if let Some(command) = command {
            out.push_str(&format!("      {command}\n"));
        }
    }
    out
}

/// A section for a comment of a forge.
#[must_use]
pub fn markdown(quota: &PlanQuota) -> String {
    if quota.told.is_empty() {
        return String::new();
    }
    let mut out = format!("\n**{TITLE}**\n\n");
    for (at, one) in quota.told.iter().enumerate() {
        let before = out.len();
        let command = command(one, quota.subscription.as_deref());
        let text = escape(&sentence(one));
        let text = if command.is_some() { format!("**{text}**") } else { text };
        out.push_str(&format!("- {text} ({})\n", escape(&parts(one))));
        if let Some(command) = command {
            out.push_str(&format!("  {}\n", code(&command)));
        }
        if out.len() > ROOM - 100 {
            out.truncate(before);
            out.push_str(&format!("- … and {} more\n", quota.told.len() - at));
            break;
        }
    }
    out
}

/// As data: `quota` of `docs/plan.schema.json`. Nothing when there is nothing to tell.
#[must_use]
pub fn data(quota: &PlanQuota) -> Option<Value> {
    if quota.told.is_empty() {
        return None;
    }
    let lines: Vec<Value> = quota
        .told
        .iter()
        .map(|one| {
            let growth = &one.growth;
            let (kind, at) = scope_data(&growth.scope);
            let parts: Vec<Value> =
                growth.parts.iter().map(|(what, number)| json!({ "what": what, "demand": number })).collect();
            let mut line = json!({
                "scope": kind, "place": at, "service": growth.quota.service.namespace(), "quota": growth.quota.name,
                "title": growth.quota.title(), "deployed": growth.now, "before": growth.before, "after": growth.after,
                "unknown": growth.unknown, "from": parts,
            });
            let more = match &one.verdict {
                Verdict::Breaks { used, limit, by, ask, name } => json!({
                    "verdict": "breaks", "used": used, "limit": limit, "by": by, "ask": ask,
                    "how": how_to_ask(&growth.scope, &growth.quota, name, *ask, quota.subscription.as_deref()),
                }),
                Verdict::Fits { used, limit } | Verdict::Unknown { used, limit, .. } => {
                    json!({ "verdict": "near", "used": used, "limit": limit })
                }
            };
            if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
                line.extend(more);
            }
            line
        })
        .collect();
    Some(Value::Array(lines))
}
