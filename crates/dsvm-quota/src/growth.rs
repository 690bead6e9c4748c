//! Resources before and after a change → what it adds to the demand of which limit.

use super::count::{Counter, Sizes, most_of, sizes_of, times, whole, with_surge};
use super::names::{Quota, Scope, Service};
use super::needs::Need;
use dsvm_graph::versions as v;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A resource as a template or the service has it.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Id in Resource Manager, from `/subscriptions/` on.
    pub id: String,
    /// Resource type with its namespace, `Microsoft.Compute/virtualMachineScaleSets`.
    pub kind: String,
    /// A child has its parent before it: `account/pool`.
    pub name: String,
    /// The whole of it, in the shape of a template or of an answer.
    pub body: Value,
}

/// Resources of a project before and after a change.
#[derive(Clone, Copy, Debug)]
pub struct Change<'r> {
    /// Read from the service; empty for something new.
    pub before: &'r [Resource],
    /// What is there afterwards.
    pub after: &'r [Resource],
    /// The region of the resource group, which is that of what names none.
    pub near: Option<&'r str>,
}

/// How a change moves the demand of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Where the limit holds.
    pub scope: Scope,
    /// What of the services it counts against.
    pub quota: Quota,
    /// What is deployed now, with the machines that run now: Azure counts it as used.
    pub now: u64,
    /// What was deployed could reach, every pool at its maximum.
    pub before: u64,
    /// What is there afterwards can reach.
    pub after: u64,
    /// What asks for a number that only the deployment knows, afterwards.
    pub unknown: BTreeSet<String>,
    /// What asks afterwards, and how much.
    pub parts: Vec<(String, u64)>,
}

impl Growth {
    /// Whether the change asks for more than before.
    #[must_use]
    pub fn grows(&self) -> bool {
        self.after > self.before
    }
}

/// Parts of the model of machines that say nothing about quotas; with scripts and settings they are most of it.
const HEAVY: &[&str] = &["osProfile", "extensionProfile", "userData", "diagnosticsProfile", "securityProfile"];

/// Whether resources of a type count against any limit, or say how many machines others have.
#[must_use]
pub fn counts(kind: &str) -> bool {
    let of_machines = [v::SCALE_SET, v::AUTOSCALE, v::COMPUTE, v::BATCH_POOL].map(|kind| kind.name);
    of_machines.iter().chain(super::count::COUNTED).any(|one| one.eq_ignore_ascii_case(kind))
}

impl Resource {
    /// Without what says nothing about quotas: a plan may hold thousands.
    #[must_use]
    pub fn slim(mut self) -> Self {
        let model = self.body.pointer_mut("/properties/virtualMachineProfile").and_then(Value::as_object_mut);
        if let Some(model) = model {
            model.retain(|key, _| !HEAVY.contains(&key.as_str()));
        }
        self
    }
}

/// Which number of machines counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Now,
    Most,
}

/// How a change moves the demand of each limit that it touches. `sizes`: the facts of sizes.
#[must_use]
pub fn growth(change: &Change<'_>, sizes: &Sizes<'_>) -> Vec<Growth> {
    let mut all: BTreeMap<(Scope, Quota), Growth> = BTreeMap::new();
    let mut add = |needs: Vec<Need>, to: &dyn Fn(&mut Growth, &Need)| {
        for need in needs {
            let entry = all.entry((need.scope.clone(), need.quota.clone())).or_insert_with(|| Growth {
                scope: need.scope.clone(),
                quota: need.quota.clone(),
                now: 0,
                before: 0,
                after: 0,
                unknown: BTreeSet::new(),
                parts: Vec::new(),
            });
            to(entry, &need);
        }
    };
    let count = |resources, at| needs_of(resources, change.near, sizes, at);
    add(count(change.before, At::Now), &|entry, need| {
        entry.now = entry.now.saturating_add(need.number.unwrap_or(0));
    });
    add(count(change.before, At::Most), &|entry, need| {
        entry.before = entry.before.saturating_add(need.number.unwrap_or(0));
    });
    add(count(change.after, At::Most), &|entry, need| match need.number {
        Some(number) => {
            entry.after = entry.after.saturating_add(number);
            entry.parts.push((need.what.clone(), number));
        }
        None => {
            entry.unknown.insert(need.what.clone());
        }
    });
    all.into_values().collect()
}

/// What resources use now, as Azure counts it: scale sets and clusters with the machines that they have.
#[must_use]
pub fn deployed(resources: &[Resource], near: Option<&str>, sizes: &Sizes<'_>) -> Vec<Need> {
    needs_of(resources, near, sizes, At::Now)
}

fn needs_of(resources: &[Resource], near: Option<&str>, sizes: &Sizes<'_>, at: At) -> Vec<Need> {
    let mut counter = Counter { near, sizes, all: Vec::new() };
    let is = |resource: &Resource, kind: v::ResourceType| resource.kind.eq_ignore_ascii_case(kind.name);
    let settings: BTreeMap<String, &Value> = resources
        .iter()
        .filter(|one| is(one, v::AUTOSCALE) && one.body.pointer("/properties/enabled") != Some(&Value::Bool(false)))
        .filter_map(|one| {
            let target = one.body.pointer("/properties/targetResourceUri").and_then(Value::as_str)?;
            Some((target.to_ascii_lowercase(), &one.body))
        })
        .collect();
    for one in resources {
        let what = || format!("`{}`", one.name);
        if is(one, v::SCALE_SET) {
            let own = whole(one.body.pointer("/sku/capacity"));
            let machines = match (at, settings.get(&one.id.to_ascii_lowercase())) {
                (At::Now, _) => own,
                (At::Most, None) => with_surge(&one.body, own),
                (At::Most, Some(setting)) => {
                    with_surge(&one.body, most_of(setting).map(|most| most.max(own.unwrap_or(0))))
                }
            };
            counter.scale_set(&one.body, &sizes_of(&one.body), machines, &what());
        } else if is(one, v::COMPUTE) {
            cluster(&mut counter, &one.body, at, &what());
        } else if is(one, v::BATCH_POOL) {
            nodes(&mut counter, one, at, &what());
        } else {
            counter.resource(&one.kind, &one.name, &one.body);
        }
    }
    counter.all
}

/// A cluster of Azure Machine Learning. Its nodes count while they are there: `az ml compute list-usage` of an idle cluster
/// shows none.
fn cluster(counter: &mut Counter<'_>, body: &Value, at: At, what: &str) {
    let text = |path: &str| body.pointer(path).and_then(Value::as_str);
    if !text("/properties/computeType").is_some_and(|kind| kind.eq_ignore_ascii_case("AmlCompute")) {
        return;
    }
    let scope = Scope::MachineLearning(counter.region(body));
    let nodes = match at {
        At::Now => whole(body.pointer("/properties/properties/currentNodeCount")).or(Some(0)),
        At::Most => whole(body.pointer("/properties/properties/scaleSettings/maxNodeCount")),
    };
    let spot = text("/properties/properties/vmPriority").is_some_and(|word| word.eq_ignore_ascii_case("LowPriority"));
    counter.push(&scope, Quota::new(Service::MachineLearning, "Total Clusters"), Some(1), what);
    let size = text("/properties/properties/vmSize").unwrap_or("a size made at deployment");
    counter.cores(&scope, Service::MachineLearning, &[size], nodes, spot, what);
}

/// A pool of a Batch account. What a formula decides is not known here.
fn nodes(counter: &mut Counter<'_>, pool: &Resource, at: At, what: &str) {
    let account = pool.name.split('/').next().filter(|name| !name.is_empty() && !name.starts_with('['));
    let scope = Scope::Batch(account.map(str::to_owned));
    counter.push(&scope, Quota::new(Service::Batch, "poolQuota"), Some(1), what);
    let number = |live: &str, wanted: &str| match at {
        At::Now => whole(pool.body.pointer(live)).or(Some(0)),
        At::Most => match pool.body.pointer("/properties/scaleSettings/autoScale") {
            Some(_) => None,
            None => whole(pool.body.pointer(wanted)).or(Some(0)),
        },
    };
    let fixed = "/properties/scaleSettings/fixedScale";
    let size = pool.body.pointer("/properties/vmSize").and_then(Value::as_str).unwrap_or("a size made at deployment");
    let dedicated = number("/properties/currentDedicatedNodes", &format!("{fixed}/targetDedicatedNodes"));
    let spot = number("/properties/currentLowPriorityNodes", &format!("{fixed}/targetLowPriorityNodes"));
    counter.cores(&scope, Service::Batch, &[size], times(dedicated, Some(1)), false, what);
    counter.cores(&scope, Service::Batch, &[size], times(spot, Some(1)), true, what);
}

/// Adds up what several projects add to one subscription.
#[must_use]
pub fn added_up(all: impl IntoIterator<Item = Growth>) -> Vec<Growth> {
    let mut sums: BTreeMap<(Scope, Quota), Growth> = BTreeMap::new();
    for one in all {
        match sums.entry((one.scope.clone(), one.quota.clone())) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(one);
            }
            std::collections::btree_map::Entry::Occupied(taken) => {
                let sum = taken.into_mut();
                sum.now = sum.now.saturating_add(one.now);
                sum.before = sum.before.saturating_add(one.before);
                sum.after = sum.after.saturating_add(one.after);
                sum.unknown.extend(one.unknown);
                sum.parts.extend(one.parts);
            }
        }
    }
    sums.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Cores;
    use serde_json::json;

    fn sizes(name: &str) -> Option<Cores> {
        (name == "Standard_D4s_v3").then(|| Cores { each: Some(4), family: Some("standardDSv3Family".to_owned()) })
    }

    fn set(capacity: u64) -> Resource {
        Resource {
            id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/vmss-a"
                .to_owned(),
            kind: "Microsoft.Compute/virtualMachineScaleSets".to_owned(),
            name: "vmss-a".to_owned(),
            body: json!({ "location": "West US", "sku": { "name": "Standard_D4s_v3", "capacity": capacity } }),
        }
    }

    fn setting(most: u64) -> Resource {
        Resource {
            id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscaleSettings/as-a".to_owned(),
            kind: "Microsoft.Insights/autoscaleSettings".to_owned(),
            name: "as-a".to_owned(),
            body: json!({ "properties": { "targetResourceUri": set(0).id.to_uppercase(),
                "profiles": [{ "capacity": { "maximum": most.to_string() } }] } }),
        }
    }

    fn cores(before: &[Resource], after: &[Resource]) -> (u64, u64, u64) {
        let change = Change { before, after, near: None };
        let all = growth(&change, &sizes);
        let found = all.iter().find(|one| one.quota == Quota::new(Service::Compute, "cores"));
        found.map(|one| (one.now, one.before, one.after)).unwrap_or_default()
    }

    #[test]
    fn what_is_left_out_of_a_body_counts_nowhere() {
        let mut whole = set(2);
        if let Some(body) = whole.body.as_object_mut() {
            body.insert(
                "properties".to_owned(),
                json!({ "virtualMachineProfile": { "osProfile": { "customData": "x" }, "priority": "Spot",
                    "networkProfile": { "networkInterfaceConfigurations": [{}] },
                    "storageProfile": { "osDisk": { "managedDisk": { "storageAccountType": "Premium_LRS" } } } } }),
            );
        }
        let slim = whole.clone().slim();
        assert!(!slim.body.to_string().contains("customData"));
        let needs = |one: Resource| deployed(&[one], None, &sizes);
        assert_eq!(needs(slim), needs(whole));
        assert!(counts("microsoft.compute/virtualmachinescalesets") && !counts("Microsoft.KeyVault/vaults"));
    }

    #[test]
    fn a_new_pool_is_all_growth() {
        assert_eq!(cores(&[], &[set(2), setting(10)]), (0, 0, 40));
    }

    #[test]
    fn a_higher_maximum_grows_although_the_scale_set_stays() {
        assert_eq!(cores(&[set(3), setting(5)], &[set(3), setting(8)]), (12, 20, 32));
    }

    #[test]
    fn what_is_deleted_asks_for_nothing_more() {
        assert_eq!(cores(&[set(3), setting(5)], &[]), (12, 20, 0));
    }

    #[test]
    fn clusters_count_their_nodes() {
        let cluster = |more: Value| Resource {
            id: "/x".to_owned(),
            kind: "Microsoft.MachineLearningServices/workspaces/computes".to_owned(),
            name: "ws/nodes".to_owned(),
            body: json!({ "location": "westus", "properties": { "computeType": "AmlCompute", "properties": more } }),
        };
        let live = cluster(json!({ "vmSize": "Standard_D4s_v3", "vmPriority": "Dedicated", "currentNodeCount": 1,
            "scaleSettings": { "maxNodeCount": 2 } }));
        let wanted = cluster(json!({ "vmSize": "Standard_D4s_v3", "scaleSettings": { "maxNodeCount": 5 } }));
        let change = Change { before: &[live], after: &[wanted], near: None };
        let all = growth(&change, &sizes);
        let total = Quota::new(Service::MachineLearning, "Total Cluster Dedicated Regional vCPUs");
        let found = all.iter().find(|one| one.quota == total);
        assert_eq!(found.map(|one| (one.now, one.before, one.after)), Some((4, 8, 20)));
    }

    #[test]
    fn projects_add_up() {
        let change = Change { before: &[], after: &[set(2)], near: None };
        let twice = growth(&change, &sizes).into_iter().chain(growth(&change, &sizes));
        let sum = added_up(twice);
        let found = sum.iter().find(|one| one.quota == Quota::new(Service::Compute, "cores"));
        assert_eq!(found.map(|one| (one.after, one.parts.len())), Some((16, 2)));
    }
}
