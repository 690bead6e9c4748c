//! A complete plan → the part that `--only` and `--exclude` select, with its dependencies: a plan lists all that is sent.

use super::error::CommandError;
use super::settings::Settings;
use arm_plan::{Action, Desired, DesiredResource, DiffOptions, Plan, Summary};
use dsvm_diagnostics::Code;
use std::collections::{BTreeMap, BTreeSet};

/// Narrows a complete plan. A changed dependency of a selected resource is included.
///
/// # Errors
/// A changed dependency of a selected resource is excluded.
pub fn narrow(mut plan: Plan, desired: &Desired, settings: &Settings) -> Result<Plan, CommandError> {
    if !settings.is_narrow() {
        return Ok(plan);
    }
    let only = DiffOptions { targets: settings.targets.clone(), ..DiffOptions::default() };
    let left_out = DiffOptions { targets: settings.excludes.clone(), ..DiffOptions::default() };
    let changed: BTreeMap<String, Action> = plan.effective().map(|c| (c.id.to_ascii_lowercase(), c.action)).collect();
    let excluded = |name: &str, kind: &str, id: &str| !settings.excludes.is_empty() && left_out.selects(name, kind, id);
    let chosen = |name: &str, kind: &str, id: &str| only.selects(name, kind, id) && !excluded(name, kind, id);
    let by_id: BTreeMap<String, &DesiredResource> =
        desired.resources.iter().map(|r| (r.id.to_ascii_lowercase(), r)).collect();
    let mut next: Vec<&DesiredResource> = plan
        .effective()
        .filter(|c| chosen(&c.name, &c.resource_type, &c.id))
        .filter_map(|c| by_id.get(&c.id.to_ascii_lowercase()).copied())
        .collect();
    let mut along = BTreeSet::new();
    while let Some(resource) = next.pop() {
        for id in resource.depends_on.iter().map(|id| id.to_ascii_lowercase()) {
            let Some(&needed) = by_id.get(&id) else { continue };
            let Some(action) = changed.get(&id) else { continue };
            if excluded(&needed.name, &needed.resource_type, &needed.id) {
                return Err(CommandError::input(
                    Code::ExcludedButNeeded,
                    format!(
                        "`{}` is excluded, but `{}` depends on it and the plan would {} it",
                        needed.name,
                        resource.name,
                        action.word()
                    ),
                    format!("exclude `{}` too, or leave `{}` in", resource.name, needed.name),
                ));
            }
            if along.insert(id) {
                next.push(needed);
            }
        }
    }
    plan.changes.retain(|c| chosen(&c.name, &c.resource_type, &c.id) || along.contains(&c.id.to_ascii_lowercase()));
    let kept: BTreeSet<&str> = plan.changes.iter().map(|c| c.id.as_str()).collect();
    plan.suppressed.retain(|s| kept.contains(s.id.as_str()));
    plan.warnings.retain(|w| kept.contains(w.id.as_str()));
    plan.summary = Summary::of(&plan.changes);
    Ok(plan)
}
