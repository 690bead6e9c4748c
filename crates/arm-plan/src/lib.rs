//! Compares desired with observed Azure resources and returns a [`Plan`]: plain, ordered, serialisable data.
//!
//! In: [`Desired`] and [`Observed`] resources, [`DiffOptions`] (record of the last apply, patterns, role names). Out: one
//! [`Change`] per resource with its effect on users, suppressed differences and warnings.
//!
//! Promises: pure and total (no file, clock, network); the same input gives the same bytes; a property that the service
//! would act on is never hidden. Every difference that is *not* reported was suppressed by a named [`SuppressionRule`] and
//! is listed in [`Plan::suppressed`]. No secret value is ever part of a plan.
//! Does not: fetch anything, execute anything, or print anything (`azure`, `apply` and `render` do).

mod types;
mod json_text;
mod input;
mod facts;
mod path;
mod normal;
mod compare;
mod lists;
mod label;
mod mask;
mod effect;
mod effect_kind;
mod reassign;
mod cascade;
mod capacity;
mod baseline;
mod saved;
mod volatile;
#[cfg(test)]
mod quiet_tests;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;

pub use baseline::{Baseline, ResourceBaseline, fingerprint};
pub use capacity::{CapacityRange, autoscaled};
pub use effect_kind::EffectKind;
pub use facts::{Fact, TypeFacts, facts_of};
pub use input::{Desired, DesiredResource, Observed, Origins, observed_from_json};
pub use json_text::{JsonText, ObservedResource};
pub use label::{Principals, RoleNames, titled};
pub use mask::masked;
pub use normal::{resource_id, same_id, type_of_id};
pub use saved::{SavedPlan, SavedPlanError, digest, slow_hash, verify};
pub use types::*;

use indexmap::IndexMap;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// What exists by folded id.
type Live<'a> = IndexMap<String, &'a ObservedResource>;

/// Settings of a comparison.
#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    /// What the last apply left: values the service filled in, fingerprints of what it never shows again.
    pub baseline: Option<Baseline>,
    /// Only changes whose name, type/name or id matches one of these (`*` matches anything); empty: all.
    pub targets: Vec<String>,
    /// No change whose name, type/name or id matches one of these.
    pub excludes: Vec<String>,
    /// What happens to a resource that is no longer in the source.
    pub unmanaged: Unmanaged,
    /// Leave [`Plan::suppressed`] empty: thousands of resources have a hundred thousand of them.
    pub forget_suppressed: bool,
    /// What people call the roles that are assigned.
    pub roles: RoleNames,
}

/// Compares the desired with the observed resources.
#[must_use]
pub fn diff(desired: &Desired, observed: &Observed, options: &DiffOptions) -> Plan {
    diff_from(desired, observed, options, &())
}

/// Compares the two sides, with the source location of each property that differs.
#[must_use]
pub fn diff_from(desired: &Desired, observed: &Observed, options: &DiffOptions, origins: &dyn Origins) -> Plan {
    let live: Live<'_> = observed.resources.iter().map(|r| (normal::fold_id(&r.id), r)).collect();
    let owned = capacity::autoscaled(desired);
    let volatile = volatile::Volatile::of(desired, &owned);
    let mut plan = Plan { schema: SCHEMA, ..Plan::default() };
    let principals = Principals::of(desired, observed, options.roles);
    let wanted: BTreeSet<String> = desired.resources.iter().map(|r| normal::fold_id(&r.id)).collect();
    let selected = |r: &&DesiredResource| !r.existing && options.selects(&r.name, &r.resource_type, &r.id);
    let selected: Vec<&DesiredResource> = desired.resources.iter().filter(selected).collect();
    let compared = selected.par_iter().map(|resource| {
        // Both sides are parsed here and freed at once.
        let found = live.get(&normal::fold_id(&resource.id)).map(|found| found.body.read());
        change_of(resource, found.as_ref(), (observed, &live), (&volatile, &principals), options, origins)
    });
    for (change, suppressed, warnings) in compared.collect::<Vec<_>>() {
        plan.changes.push(change);
        plan.suppressed.extend(suppressed);
        plan.warnings.extend(warnings);
    }
    deletions(&wanted, &live, observed, options, &principals, &mut plan);
    cascade::spread(desired, observed, &live, &mut plan);
    plan.changes.sort_by_key(|c| c.action.rank());
    plan.suppressed.sort_by(|a, b| (&a.id, &a.path).cmp(&(&b.id, &b.path)));
    plan.summary = Summary::of(&plan.changes);
    plan
}

impl DiffOptions {
    /// Whether a resource is part of the plan.
    #[must_use]
    pub fn selects(&self, name: &str, resource_type: &str, id: &str) -> bool {
        let hit = |pattern: &String| {
            let typed = format!("{resource_type}/{name}");
            [name, typed.as_str(), id].iter().any(|text| normal::matches_pattern(pattern, text))
        };
        (self.targets.is_empty() || self.targets.iter().any(hit)) && !self.excludes.iter().any(hit)
    }
}

fn change_of(
    resource: &DesiredResource,
    found: Option<&Value>,
    (observed, live): (&Observed, &Live<'_>),
    (volatile, principals): (&volatile::Volatile<'_>, &Principals),
    options: &DiffOptions,
    origins: &dyn Origins,
) -> (Change, Vec<Suppressed>, Vec<Warning>) {
    let origin = |pointer: &str| {
        // What a nested deployment holds is placed as a whole.
        if resource.pointer.is_empty() {
            None
        } else {
            origins.origin(resource.part, &format!("{}{pointer}", resource.pointer))
        }
    };
    let mut change = Change {
        id: resource.id.clone(),
        resource_type: resource.resource_type.clone(),
        name: resource.name.clone(),
        label: None,
        action: Action::NoChange,
        attributes: Vec::new(),
        effect: Effect::default(),
        source: resource.source.clone(),
        reason: String::new(),
        reassigned: Vec::new(),
        depends_on_unknown: false,
        hash: None,
        etag: None,
    };
    let wanted = resource.body.read();
    change.label = principals.label(&resource.id, &wanted);
    let Some(found) = found else {
        change.action = Action::Create;
        change.reason = "does not exist yet".to_owned();
        change.attributes = compare::all_new(resource, &wanted, &origin);
        effect::of_create(&mut change, &wanted, effect::running(&resource.resource_type, &wanted, live));
        return (change, Vec::new(), Vec::new());
    };
    volatile.note(resource, &wanted, found, &mut change);
    let machines = effect::running(&resource.resource_type, found, live);
    let setting = compare::Setting {
        autoscaled: volatile.range(&resource.id),
        baseline: options.baseline.as_ref(),
        origin: &origin,
        cause: &|pointer: &str| {
            let here = Some(&resource.pointer).filter(|pointer| !pointer.is_empty());
            here.and_then(|here| origins.cause(resource.part, &format!("{here}{pointer}")))
        },
        machines,
        forget_suppressed: options.forget_suppressed,
    };
    let outcome = compare::compare(resource, &wanted, found, setting);
    if !outcome.changes.is_empty() {
        change.attributes = outcome.changes;
        effect::of_update(&mut change, &wanted, found, observed, machines);
    } else if let Some(state) = bad_end(found) {
        change.action = Action::Update;
        change.effect = Effect { kind: EffectKind::InPlace, text: "deployed again".to_owned(), ..Effect::default() };
        change.reason = format!("its last deployment ended as {state}");
    }
    let mut warnings = outcome.warnings;
    warnings.extend(busy(&resource.id, found));
    (change, outcome.suppressed, warnings)
}

/// A resource whose last write did not end well is written again, even when its properties look right.
fn bad_end(found: &Value) -> Option<&str> {
    let state = found.pointer("/properties/provisioningState").and_then(Value::as_str)?;
    ["Failed", "Canceled"].iter().any(|bad| bad.eq_ignore_ascii_case(state)).then_some(state)
}

/// A note on a resource that somebody, or the service itself (a pool that scales, upgrades or repairs), is changing right
/// now. It has not failed, so it is not deployed again for that.
/// <https://learn.microsoft.com/azure/virtual-machines/states-billing#provisioning-states>
fn busy(id: &str, found: &Value) -> Option<Warning> {
    const BUSY: [&str; 7] = ["Creating", "Updating", "Accepted", "Running", "Migrating", "ResolvingDNS", "Deleting"];
    let state = found.pointer("/properties/provisioningState").and_then(Value::as_str)?;
    let state = BUSY.iter().find(|busy| busy.eq_ignore_ascii_case(state))?;
    let text = match *state {
        "Deleting" => "is being deleted right now; plan again when it is gone".to_owned(),
        state => format!("is being changed right now, by somebody else or by the service ({state})"),
    };
    Some(Warning { kind: WarningKind::Busy, id: id.to_owned(), text })
}

fn deletions(
    wanted: &BTreeSet<String>,
    live: &Live<'_>,
    observed: &Observed,
    options: &DiffOptions,
    principals: &Principals,
    plan: &mut Plan,
) {
    let mut gone: Vec<&String> = observed.managed.iter().filter(|id| !wanted.contains(&normal::fold_id(id))).collect();
    gone.sort();
    gone.dedup();
    // Children before parents: the longest id first.
    gone.sort_by_key(|id| std::cmp::Reverse(id.matches('/').count()));
    for id in gone {
        let Some(found) = live.get(&normal::fold_id(id)) else { continue };
        let found = &found.body.read();
        let (resource_type, name) = type_of_id(id);
        if !options.selects(&name, &resource_type, id) {
            continue;
        }
        let action = match options.unmanaged {
            Unmanaged::Delete => Action::Delete,
            Unmanaged::Detach => Action::Detach,
        };
        let mut change = Change {
            id: id.clone(),
            resource_type,
            label: principals.label(id, found),
            name,
            action,
            attributes: Vec::new(),
            effect: Effect::default(),
            source: None,
            reason: "no longer in the source".to_owned(),
            reassigned: Vec::new(),
            depends_on_unknown: false,
            hash: Some(digest(found)),
            etag: found.get("etag").and_then(Value::as_str).map(str::to_owned),
        };
        effect::of_delete(&mut change, found, observed);
        plan.changes.push(change);
    }
}
