//! What of an observed resource a saved plan holds on to: all of it, or what autoscale leaves alone.
//!
//! A busy pool moves between `plan -o` and `apply`: the number of its machines, what the service reports about them, and the
//! lists of machines in the networks around it. None of that is a change, and with each the ETag is another one.

use super::facts::{TypeFacts, facts_of};
use super::{CapacityRange, Change, Desired, DesiredResource, normal};
use indexmap::IndexMap;
use serde_json::Value;

/// Types that list the machines of pools, in properties that only the service writes.
const LISTS_MACHINES: [&str; 5] = [
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/virtualNetworks/subnets",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/applicationGateways",
];

/// Which resources change by themselves.
pub(super) struct Volatile<'a> {
    owned: &'a IndexMap<String, CapacityRange>,
    any: bool,
}

impl<'a> Volatile<'a> {
    /// `owned`: pools whose number of machines an autoscale setting owns.
    pub(super) fn of(desired: &Desired, owned: &'a IndexMap<String, CapacityRange>) -> Self {
        Self {
            owned,
            any: !owned.is_empty()
                || desired.resources.iter().any(|r| may_scale_itself(r) && scales_itself(r, &r.body.read())),
        }
    }

    /// The range that autoscale keeps the number of machines of a pool in.
    pub(super) fn range(&self, id: &str) -> Option<&CapacityRange> {
        self.owned.get(&normal::fold_id(id))
    }

    /// Notes how the resource was observed: its hash and ETag, of a moving one the hash of what stays.
    pub(super) fn note(&self, resource: &DesiredResource, wanted: &Value, found: &Value, change: &mut Change) {
        let pool = self.owned.contains_key(&normal::fold_id(&resource.id));
        let around = self.any && LISTS_MACHINES.iter().any(|t| t.eq_ignore_ascii_case(&resource.resource_type));
        if pool || around || scales_itself(resource, wanted) {
            let facts = facts_of(&resource.resource_type);
            change.hash = Some(super::digest(&without_volatile(found, "", &facts, pool)));
            return;
        }
        change.hash = Some(super::digest(found));
        change.etag = found.get("etag").and_then(Value::as_str).map(str::to_owned);
    }
}

const BATCH_POOL: &str = "Microsoft.Batch/batchAccounts/pools";
const COMPUTE: &str = "Microsoft.MachineLearningServices/workspaces/computes";

fn may_scale_itself(resource: &DesiredResource) -> bool {
    [BATCH_POOL, COMPUTE].iter().any(|t| t.eq_ignore_ascii_case(&resource.resource_type))
}

/// Pools whose service follows a formula or a range.
fn scales_itself(resource: &DesiredResource, wanted: &Value) -> bool {
    let is = |name: &str| resource.resource_type.eq_ignore_ascii_case(name);
    let has = |pointer: &str| wanted.pointer(pointer).is_some();
    is(BATCH_POOL) && has("/properties/scaleSettings/autoScale")
        || is(COMPUTE) && has("/properties/properties/scaleSettings")
}

/// Without what the service alone writes. How its last write ended stays: a plan depends on it.
fn without_volatile(value: &Value, at: &str, facts: &TypeFacts, pool: bool) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter_map(|(key, inner)| {
                let lower = key.to_ascii_lowercase();
                let path = if at.is_empty() { lower.clone() } else { format!("{at}.{lower}") };
                let ended = path == "properties.provisioningstate";
                let moves = lower == "etag" || pool && path == "sku.capacity" || facts.at(&path).read_only && !ended;
                (!moves).then(|| (key.clone(), without_volatile(inner, &path, facts, pool)))
            });
            kept.collect()
        }
        Value::Array(list) => {
            let path = format!("{at}[]");
            list.iter().map(|inner| without_volatile(inner, &path, facts, pool)).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Desired, DiffOptions, Observed, diff};
    use serde_json::{Value, json};

    const GROUP: &str = "/subscriptions/s/resourceGroups/rg/providers";

    /// Marks of the pool, its network and its identity with this many machines.
    fn marks(machines: u64, rest: &Value) -> Vec<(Option<String>, Option<String>)> {
        let pool = format!("{GROUP}/Microsoft.Compute/virtualMachineScaleSets/team");
        let network = format!("{GROUP}/Microsoft.Network/virtualNetworks/net");
        let account = format!("{GROUP}/Microsoft.Batch/batchAccounts/b/pools/p");
        let store = format!("{GROUP}/Microsoft.Storage/storageAccounts/st");
        let setting = json!({ "id": format!("{GROUP}/Microsoft.Insights/autoscaleSettings/a"), "properties": { "enabled": true,
            "targetResourceUri": pool, "profiles": [{ "name": "p", "capacity": { "minimum": "0", "maximum": "9", "default": "1" } }] } });
        let formula = json!({ "id": account, "properties": { "scaleSettings": { "autoScale": { "formula": "$x" } } } });
        let desired = Desired::from_resources(&[
            json!({ "id": pool }),
            json!({ "id": network }),
            json!({ "id": store }),
            formula,
            setting,
        ]);
        let nics: Vec<Value> = (0..machines).map(|n| json!({ "id": format!("{pool}/virtualMachines/{n}") })).collect();
        let subnet = json!({ "name": "a", "etag": machines, "properties": { "ipConfigurations": nics, "addressPrefix": "10.0.0.0/24" } });
        let live = vec![
            json!({ "id": pool, "etag": format!("e{machines}"), "sku": { "name": "S", "capacity": machines }, "properties": { "provisioningState": "Succeeded" }, "tags": rest }),
            json!({ "id": network, "etag": format!("e{machines}"), "properties": { "subnets": [subnet] }, "tags": rest }),
            json!({ "id": store, "etag": "e", "tags": rest }),
            json!({ "id": account, "etag": format!("e{machines}"), "properties": { "currentDedicatedNodes": machines, "displayName": rest } }),
        ];
        let plan = diff(&desired, &Observed::of(&live, vec![]), &DiffOptions::default());
        let mut all: Vec<_> = plan.changes.iter().filter(|c| c.hash.is_some()).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.into_iter().map(|c| (c.hash.clone(), c.etag.clone())).collect()
    }

    #[test]
    fn machines_that_come_and_go_are_no_change_and_everything_else_is() {
        let before = marks(2, &json!("a"));
        assert_eq!(before.len(), 4);
        assert_eq!(marks(7, &json!("a")), before);
        assert!(marks(2, &json!("b")).iter().zip(&before).all(|(now, then)| now != then));
        // What does not move keeps its ETag.
        assert_eq!(before.iter().filter(|(_, etag)| etag.is_some()).count(), 1);
    }
}
