//! Demands and limits → a table for people, JSON.

use super::palette::{Palette, Role};
use super::plan_text::clean;
use dsvm_quota::{Line, Quota, Scope, Service, Verdict, folded};
use serde_json::{Value, json};

/// A demand, and how it compares with its limit; nothing when no limits were asked for.
pub struct Judged {
    /// What the projects ask of one limit.
    pub line: Line,
    /// What came of it.
    pub verdict: Option<Verdict>,
}

impl Judged {
    /// Whether it breaks its limit.
    #[must_use]
    pub fn breaks(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Breaks { .. }))
    }
}

/// A place in words.
pub(super) fn place(scope: &Scope) -> String {
    let or = |name: &Option<String>, other: &str| name.as_deref().map_or_else(|| other.to_owned(), clean);
    match scope {
        Scope::Region(region) => or(region, "the region of the resource group (say it with --location)"),
        Scope::Batch(account) => format!("Batch account {}", or(account, "with a name made at deployment")),
        Scope::MachineLearning(region) => {
            format!("Azure Machine Learning in {}", or(region, "the region of the resource group"))
        }
    }
}

/// The demand in a column: `≥ 40` when a part of it is unknown.
fn demand(line: &Line) -> String {
    match (line.unknown.is_empty(), line.number) {
        (true, number) => number.to_string(),
        (false, 0) => "unknown".to_owned(),
        (false, number) => format!("≥ {number}"),
    }
}

/// The kind of a place and its name, as JSON has them.
pub(super) fn scope_data(scope: &Scope) -> (&'static str, &Option<String>) {
    match scope {
        Scope::Region(region) => ("region", region),
        Scope::Batch(account) => ("batchAccount", account),
        Scope::MachineLearning(region) => ("machineLearning", region),
    }
}

/// How the larger limit is asked for: the command of the Azure CLI's extension `quota`, or where the portal has it.
///
/// Arguments as in the extension's examples (<https://github.com/Azure/azure-cli-extensions>, `src/quota`, `aaz/latest/quota` at
/// 7380c3b6): `--resource-type dedicated` for cores of compute, `lowPriority` for low-priority cores, of Azure Machine Learning
/// too, whose total of them is the only one that the extension's examples ask for. Other resources need no type.
#[must_use]
pub fn how_to_ask(scope: &Scope, quota: &Quota, name: &str, ask: u64, subscription: Option<&str>) -> String {
    let low = folded(name).contains("lowpriority");
    let (region, name, kind) = match (scope, quota.service) {
        (Scope::Region(Some(region)), Service::Compute) if low => (region, name, " --resource-type lowPriority"),
        (Scope::Region(Some(region)), Service::Compute) if quota.family || name.eq_ignore_ascii_case("cores") => {
            (region, name, " --resource-type dedicated")
        }
        (Scope::Region(Some(region)), _) => (region, name, ""),
        (Scope::MachineLearning(Some(region)), _) if low => {
            (region, "TotalLowPriorityCores", " --resource-type lowPriority")
        }
        (Scope::Batch(_), _) => {
            return format!("portal: the Batch account, Quotas, Request quota increase: {name} to {ask}");
        }
        _ => return format!("portal: Quotas, Machine learning, Request increase: {name} to {ask}"),
    };
    let subscription = subscription.unwrap_or("SUBSCRIPTION");
    format!(
        "az quota update --resource-name \"{name}\" --limit-object value={ask}{kind} \
         --scope /subscriptions/{subscription}/providers/{}/locations/{region}",
        quota.service.namespace()
    )
}

/// A table for each place.
#[must_use]
pub fn text(all: &[Judged], subscription: Option<&str>, palette: Palette) -> String {
    let mut out = String::new();
    let compared = all.iter().any(|one| one.verdict.is_some());
    let mut last: Option<&Scope> = None;
    let wide = all.iter().map(|one| clean(&one.line.quota.title()).chars().count()).max().unwrap_or(0).max(24);
    for one in all {
        let line = &one.line;
        if last != Some(&line.scope) {
            if last.is_some() {
                out.push('\n');
            }
            last = Some(&line.scope);
            out.push_str(&palette.paint(Role::Title, &place(&line.scope)));
            let head = if compared {
                format!("\n  {:<wide$}  {:>8}  {:>8}  {:>8}\n", "quota", "used", "demand", "limit")
            } else {
                format!("\n  {:<wide$}  {:>8}\n", "quota", "demand")
            };
            out.push_str(&palette.paint(Role::Dim, &head));
        }
        let title = clean(&line.quota.title());
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let row =
            |used, limit| format!("  {title:<wide$}  {:>8}  {:>8}  {:>8}", number(used), demand(line), number(limit));
        match &one.verdict {
            None => out.push_str(&format!("  {title:<wide$}  {:>8}\n", demand(line))),
            Some(Verdict::Fits { used, limit }) => out.push_str(&format!("{}  fits\n", row(*used, *limit))),
            Some(Verdict::Unknown { used, limit, why }) => {
                out.push_str(&row(*used, *limit));
                out.push_str(&palette.paint(Role::Warning, &format!("  unknown: {why}\n")));
            }
            Some(Verdict::Breaks { used, limit, by, ask, name }) => {
                out.push_str(&row(*used, Some(*limit)));
                out.push_str(&palette.paint(Role::Error, &format!("  breaks by {by}: ask for {ask}\n")));
                for part in line.parts.iter().filter(|part| part.number > 0) {
                    let env = if part.env.is_empty() { String::new() } else { format!(", env {}", clean(&part.env)) };
                    let there = match part.deployed {
                        0 => String::new(),
                        number => format!(" ({number} deployed)"),
                    };
                    out.push_str(&format!("      {} of {}{env}{there}\n", part.number, clean(&part.project)));
                }
                out.push_str(&format!(
                    "      {}\n",
                    clean(&how_to_ask(&line.scope, &line.quota, name, *ask, subscription))
                ));
            }
        }
        for what in &line.unknown {
            let note = format!("      not known before the deployment: {}\n", clean(what));
            out.push_str(&palette.paint(Role::Warning, &note));
        }
    }
    out
}

/// The same as JSON.
#[must_use]
pub fn data(all: &[Judged], subscription: Option<&str>) -> Value {
    let lines: Vec<Value> = all
        .iter()
        .map(|one| {
            let line = &one.line;
            let (kind, at) = scope_data(&line.scope);
            let parts: Vec<Value> = line
                .parts
                .iter()
                .map(|part| {
                    json!({ "project": part.project, "env": part.env, "demand": part.number, "deployed": part.deployed })
                })
                .collect();
            let mut entry = json!({
                "scope": kind, "place": at, "service": line.quota.service.namespace(), "quota": line.quota.name,
                "title": line.quota.title(), "demand": line.number, "unknown": line.unknown, "from": parts, "deployed": line.deployed,
            });
            let more = match &one.verdict {
                None => json!({}),
                Some(Verdict::Fits { used, limit }) => json!({ "verdict": "fits", "used": used, "limit": limit }),
                Some(Verdict::Unknown { used, limit, why }) => {
                    json!({ "verdict": "unknown", "used": used, "limit": limit, "why": why })
                }
                Some(Verdict::Breaks { used, limit, by, ask, name }) => json!({
                    "verdict": "breaks", "used": used, "limit": limit, "by": by, "ask": ask,
                    "how": how_to_ask(&line.scope, &line.quota, name, *ask, subscription),
                }),
            };
            if let (Some(entry), Value::Object(more)) = (entry.as_object_mut(), more) {
                entry.extend(more);
            }
            entry
        })
        .collect();
    json!({ "schema": 1, "lines": lines })
}
