//! Resources that use a user-assigned identity which is created again: they refer to it by an id that stays the same, but the
//! principal behind it is a new one, and what they hold is worth nothing until the identity is taken off and assigned again.
//!
//! Sources: Microsoft Learn, "Manage user-assigned managed identities" ("Deleting a user-assigned managed identity won't
//! remove the reference from any resource it was assigned to. Remove those from a VM or virtual machine scale set by using
//! the `az vm/vmss identity remove` command"):
//! <https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/manage-user-assigned-managed-identities-azure-cli>.
//! That machines and scale sets do not follow an identity of the same name, and show neither principal nor client id for
//! it: a maintainer of Microsoft in <https://github.com/Azure/aad-pod-identity/issues/725> and
//! <https://github.com/Azure/aad-pod-identity/issues/880> (2020).

use super::{Action, AttributeChange, AttributeKind, Basis, Change, EffectKind, Live, effect, normal};
use arm_catalog::{Direction, PropertyChange};
use serde_json::Value;
use std::collections::BTreeSet;

const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
/// Types for which the way is documented: the reference is removed by an update, then written again.
const REASSIGNED: [&str; 2] = ["Microsoft.Compute/virtualMachineScaleSets", "Microsoft.Compute/virtualMachines"];

/// Ids of the identities that a resource uses and must be given again: those in `new`, and those that were created again
/// since they were assigned.
pub(super) fn stale(wanted: &Value, found: &Value, live: &Live<'_>, new: &BTreeSet<String>) -> Vec<String> {
    let Some(used) = wanted.pointer("/identity/userAssignedIdentities").and_then(Value::as_object) else {
        return Vec::new();
    };
    let Some(held) = found.pointer("/identity/userAssignedIdentities").and_then(Value::as_object) else {
        return Vec::new();
    };
    let entry = |id: &str| held.iter().find(|(have, _)| normal::same_id(have, id)).map(|(_, entry)| entry);
    let again = |id: &&String| {
        let Some(entry) = entry(id) else { return false };
        let folded = normal::fold_id(id);
        new.contains(&folded) || live.get(&folded).is_some_and(|identity| other_principal(entry, &identity.body.read()))
    };
    used.keys().filter(again).cloned().collect()
}

/// Whether what a resource shows of an identity is not that identity's principal. What shows nothing says nothing.
fn other_principal(entry: &Value, identity: &Value) -> bool {
    let Some(held) = entry.get("principalId") else { return false };
    let Some(is) = identity.pointer("/properties/principalId").and_then(Value::as_str) else { return false };
    held.as_str().map_or(held.is_null(), |held| !held.eq_ignore_ascii_case(is))
}

/// Properties whose value is computed from an identity that is created again: what was written for them names it. They hold
/// the ids of the old principal, also where the service never returns them (the setup of a machine).
pub(super) fn computed(written: &Value, new: &BTreeSet<String>) -> Vec<String> {
    let identity = |part: &str| {
        let id = normal::fold_id(part);
        new.contains(&id) && is_identity(&normal::type_of_id(&id).0)
    };
    let mut found = Vec::new();
    let mut open = vec![(String::new(), written)];
    while let Some((path, value)) = open.pop() {
        let inside = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Value::Object(map) => open.extend(map.iter().map(|(key, value)| (inside(key), value))),
            Value::Array(list) => {
                // As other lines of a change name elements: by their name where they have one.
                let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
                let elements = list.iter().enumerate();
                open.extend(
                    elements.map(|(at, value)| {
                        (format!("{path}[{}]", name(value).unwrap_or_else(|| at.to_string())), value)
                    }),
                );
            }
            Value::String(text) if text.contains("reference(") && text.split('\'').any(identity) => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

/// Adds to the change of a resource that it is given these identities again, and that these properties get other values.
/// The caller computes the effect.
pub(super) fn note(change: &mut Change, found: &Value, (ids, computed): (Vec<String>, Vec<String>)) {
    let known = is_reassigned(&change.resource_type);
    let basis = Basis {
        note: "it keeps the principal of the identity that was deleted, and gets no tokens until the identity is taken off and assigned again".to_owned(),
        confirmed: known,
        code: None,
        way_out: None,
    };
    let unknown = |path: String, effect: EffectKind, basis: Option<Basis>| AttributeChange {
        path,
        kind: AttributeKind::Unknown,
        before: None,
        after: None,
        secret: false,
        effect,
        basis,
        cause: None,
        source: None,
    };
    let assigned = if known { EffectKind::InPlace } else { EffectKind::NotKnown };
    for id in &ids {
        let path = format!("identity.userAssignedIdentities[{}].principalId", normal::type_of_id(id).1);
        change.attributes.push(unknown(path, assigned, Some(basis.clone())));
    }
    for path in computed {
        if change.attributes.iter().any(|one| one.path == path) {
            continue;
        }
        let pattern: String = path
            .split('[')
            .map(|part| part.split_once(']').map_or(part, |(_, rest)| rest))
            .collect::<Vec<_>>()
            .join("[]");
        let row = arm_catalog::change(&PropertyChange {
            resource_type: &change.resource_type,
            path: &pattern,
            direction: Direction::Replace,
            before: None,
            after: None,
            resource: found,
            element: None,
            machines: None,
        });
        let effect = effect::kind_of(row, AttributeKind::Unknown);
        change.attributes.push(unknown(path, effect, row.map(Basis::of)));
    }
    if known {
        change.reassigned = ids;
    }
}

/// Says in the effect what happens to the assignments.
pub(super) fn say(change: &mut Change, ids: &[String]) {
    let names: Vec<String> = ids.iter().map(|id| format!("`{}`", normal::type_of_id(id).1)).collect();
    let names = names.join(", ");
    if names.is_empty() || change.action != Action::Update {
        return;
    }
    change.depends_on_unknown = false;
    let text = if is_reassigned(&change.resource_type) {
        format!("{names} is taken off and assigned again: no tokens until then")
    } else {
        format!("{names} gets a new principal: whether this resource follows is not known")
    };
    change.effect.text = match change.effect.text.as_str() {
        "changed in place" | "effect not known" => text,
        other => format!("{other}; {text}"),
    };
    change.reason = format!("{names} gets a new principal");
}

/// Whether a type is that of user-assigned identities.
pub(super) fn is_identity(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(IDENTITY)
}

fn is_reassigned(kind: &str) -> bool {
    REASSIGNED.iter().any(|one| one.eq_ignore_ascii_case(kind))
}
