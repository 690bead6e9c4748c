//! What goes with a resource that is recreated: its children, the roles that were given to its principal, and the assignment
//! of an identity to what uses it.

use super::{Action, Change, Desired, DesiredResource, Live, Observed, Plan, effect, normal, reassign};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ROLE_ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

/// Marks everything that goes with what is recreated, until nothing more goes. Refused changes recreate nothing.
pub(super) fn spread(desired: &Desired, observed: &Observed, live: &Live<'_>, plan: &mut Plan) {
    let wanted: BTreeMap<String, &DesiredResource> =
        desired.resources.iter().map(|r| (normal::fold_id(&r.id), r)).collect();
    loop {
        let ids = |actions: &[Action]| -> BTreeSet<String> {
            plan.changes.iter().filter(|c| actions.contains(&c.action)).map(|c| normal::fold_id(&c.id)).collect()
        };
        let recreated = ids(&[Action::Replace]);
        // A principal is new with whatever is created, also when the old one was deleted elsewhere.
        let new = ids(&[Action::Replace, Action::Create]);
        let mut more = false;
        for change in plan.changes.iter_mut().filter(|c| matches!(c.action, Action::NoChange | Action::Update)) {
            let Some(reason) = cause(change, &wanted, &recreated, &new) else { continue };
            let found = live.get(&normal::fold_id(&change.id)).map(|found| found.body.read());
            let machines = found.and_then(|found| effect::running(&change.resource_type, &found, live));
            effect::follow(change, reason, observed, machines);
            more = true;
        }
        if !more {
            break;
        }
    }
    let new: BTreeSet<String> = plan
        .changes
        .iter()
        .filter(|c| matches!(c.action, Action::Replace | Action::Create) && reassign::is_identity(&c.resource_type))
        .map(|c| normal::fold_id(&c.id))
        .collect();
    for change in plan.changes.iter_mut().filter(|c| matches!(c.action, Action::NoChange | Action::Update)) {
        let id = normal::fold_id(&change.id);
        let (Some(wanted), Some(found)) = (wanted.get(&id), live.get(&id)) else { continue };
        if new.is_empty() && !found.body.text().contains("serAssignedIdentities") {
            continue;
        }
        let (body, found) = (wanted.body.read(), found.body.read());
        let again = reassign::stale(&body, &found, live, &new);
        let other: BTreeSet<String> = new.iter().cloned().chain(again.iter().map(|id| normal::fold_id(id))).collect();
        let computed = if other.is_empty() { Vec::new() } else { reassign::computed(&wanted.written().read(), &other) };
        if again.is_empty() && computed.is_empty() {
            continue;
        }
        let machines = effect::running(&change.resource_type, &found, live);
        reassign::note(change, &found, (again.clone(), computed));
        effect::of_update(change, &body, &found, observed, machines);
        reassign::say(change, &again);
    }
}

fn cause(
    change: &Change,
    wanted: &BTreeMap<String, &DesiredResource>,
    recreated: &BTreeSet<String>,
    new: &BTreeSet<String>,
) -> Option<String> {
    let id = normal::fold_id(&change.id);
    let name = |id: &str| wanted.get(id).map_or_else(|| normal::type_of_id(id).1, |r| r.name.clone());
    if let Some(parent) =
        recreated.iter().find(|r| id.strip_prefix(r.as_str()).is_some_and(|rest| rest.starts_with('/')))
    {
        return Some(format!("goes with `{}`, which is deleted and recreated", name(parent)));
    }
    if !change.resource_type.eq_ignore_ascii_case(ROLE_ASSIGNMENT) {
        return None;
    }
    let body = wanted.get(&id)?.written().read();
    let principal = body.pointer("/properties/principalId").and_then(Value::as_str)?.to_ascii_lowercase();
    let whose = principal.split('\'').find(|part| new.contains(&normal::fold_id(part)))?;
    Some(format!("`{}` gets a new principal, and a role assignment cannot be moved to another one", name(whose)))
}
