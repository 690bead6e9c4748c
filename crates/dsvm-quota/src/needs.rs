//! One project with the values of one env → what it asks of which limit.

use super::names::{Quota, Scope, Service};
use dsvm_graph::json::Json;
use dsvm_graph::{Node, ResourceGraph, versions as v};
use dsvm_model::batch::scale::Scale;
use dsvm_model::batch::{BatchPool, Service as Runs};
use dsvm_model::facts::Size;
use dsvm_model::{Fleet, Machines, read};
use serde_json::Value;

/// Nodes of a Batch pool in a network for which the service makes a security group, a public address and a load balancer each
/// time (<https://learn.microsoft.com/azure/batch/batch-quota-limit>, azure-docs at 07293679, 2020-06-03).
const BATCH_NODES: u64 = 50;

/// What one thing asks of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Where the limit holds.
    pub scope: Scope,
    /// What of the services it counts against.
    pub quota: Quota,
    /// How much; nothing when only the deployment knows.
    pub number: Option<u64>,
    /// What asks, such as ``pool `team` ``.
    pub what: String,
}

/// What a project asks of each limit, every pool at the largest number of machines that it may reach. `near`: the region of
/// the resource group, which is that of what names none.
#[must_use]
pub fn needs(fleet: &Fleet<'_>, graph: &ResourceGraph, near: Option<&str>) -> Vec<Need> {
    let mut reader = Reader { fleet, graph, near, all: Vec::new() };
    for node in &graph.nodes {
        reader.node(node);
    }
    for pool in &fleet.batch {
        reader.batch(pool);
    }
    reader.all
}

struct Reader<'s, 'a> {
    fleet: &'s Fleet<'a>,
    graph: &'s ResourceGraph,
    near: Option<&'s str>,
    all: Vec<Need>,
}

/// The cores of a machine as quota counts them, and their family.
struct Cores<'a> {
    each: Option<u64>,
    family: Option<&'a str>,
}

fn cores(size: Size<'_>) -> Cores<'_> {
    let each = size.0.quota_vcpu().or(size.vcpu()).and_then(|cores| u64::try_from(cores).ok());
    Cores { each, family: size.0.family() }
}

fn times(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    // None of something unknown is none.
    if a == Some(0) || b == Some(0) {
        return Some(0);
    }
    Some(a?.saturating_mul(b?))
}

/// A whole number, also as the text that autoscale settings have.
fn whole(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn body(node: &Node) -> Value {
    Json::Object(node.body.clone()).into_value()
}

/// How the API counts disks of a kind.
fn disk_quota(kind: &str) -> Option<&'static str> {
    let family = kind.split('_').next().unwrap_or(kind);
    match family.to_ascii_lowercase().as_str() {
        "premium" => Some("PremiumDiskCount"),
        "standardssd" => Some("StandardSSDDiskCount"),
        "standard" => Some("StandardDiskCount"),
        "premiumv2" => Some("PremiumV2DiskCount"),
        "ultrassd" => Some("UltraSSDDiskCount"),
        _ => None,
    }
}

impl<'a> Reader<'_, 'a> {
    /// The region of a resource as Azure names it; nothing for one that only the deployment knows.
    fn region(&self, body: &Value) -> Option<String> {
        let text = body.get("location")?.as_str()?;
        let text = if text == "[resourceGroup().location]" { self.near? } else { text };
        let literal = !text.starts_with('[') && !text.is_empty();
        literal.then(|| super::names::folded(text))
    }

    fn push(&mut self, scope: &Scope, quota: Quota, number: Option<u64>, what: &str) {
        if number != Some(0) {
            self.all.push(Need { scope: scope.clone(), quota, number, what: what.to_owned() });
        }
    }

    fn node(&mut self, node: &Node) {
        let kind = |of: v::ResourceType| node.kind.eq_ignore_ascii_case(of.name);
        let named = || format!("{} `{}`", node.kind, node.name.known().unwrap_or("with a name made at deployment"));
        let network = |name: &str| Quota::new(Service::Network, name);
        let place = |reader: &Self, body: &Value| Scope::Region(reader.region(body));
        let standard = |body: &Value| {
            body.pointer("/sku/name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case("Standard"))
        };
        if kind(v::SCALE_SET) {
            self.scale_set(node, &body(node));
        } else if node.kind.eq_ignore_ascii_case("Microsoft.Compute/virtualMachines") {
            let body = body(node);
            let (what, scope) = (named(), place(self, &body));
            let profile = body.get("properties").unwrap_or(&Value::Null);
            let size = profile.pointer("/hardwareProfile/vmSize").and_then(Value::as_str);
            self.machines(&scope, size, profile, Some(1), &what);
        } else if node.kind.eq_ignore_ascii_case("Microsoft.Compute/disks") {
            let body = body(node);
            let quota = body.pointer("/sku/name").and_then(Value::as_str).and_then(disk_quota);
            let number = quota.map(|_| 1);
            let quota = Quota::new(Service::Compute, quota.unwrap_or("StandardDiskCount"));
            self.push(&place(self, &body), quota, number, &named());
        } else if kind(v::PUBLIC_IP) {
            let body = body(node);
            let quota = if standard(&body) { "StandardSkuPublicIpAddresses" } else { "PublicIPAddresses" };
            self.push(&place(self, &body), network(quota), Some(1), &named());
        } else if kind(v::LOAD_BALANCER) {
            let body = body(node);
            let quota = if standard(&body) { "StandardSkuLoadBalancers" } else { "LoadBalancers" };
            self.push(&place(self, &body), network(quota), Some(1), &named());
        } else if kind(v::PRIVATE_ENDPOINT) {
            // An endpoint has a network card of its own.
            let scope = place(self, &body(node));
            self.push(&scope, network("PrivateEndpoints"), Some(1), &named());
            self.push(&scope, network("NetworkInterfaces"), Some(1), &named());
        } else {
            let counted = [
                ("Microsoft.Network/networkInterfaces", "NetworkInterfaces"),
                (v::NETWORK.name, "VirtualNetworks"),
                (v::SECURITY_GROUP.name, "NetworkSecurityGroups"),
                (v::NAT_GATEWAY.name, "NatGateways"),
            ];
            if let Some((_, quota)) = counted.iter().find(|(kind, _)| node.kind.eq_ignore_ascii_case(kind)) {
                self.push(&place(self, &body(node)), network(quota), Some(1), &named());
            }
        }
    }

    /// A size by its name, where the project tells of it.
    fn size(&self, name: &str) -> Option<Size<'a>> {
        let pools = self.fleet.pools.iter().map(|pool| pool.size);
        let mut all = pools.chain(self.fleet.batch.iter().map(|pool| pool.size));
        all.find(|size| size.name().eq_ignore_ascii_case(name))
    }

    fn scale_set(&mut self, node: &Node, body: &Value) {
        let scope = Scope::Region(self.region(body));
        let pool = node.pool.and_then(|at| self.fleet.pools.get(at as usize));
        let what = match pool {
            Some(pool) => format!("pool `{}`", pool.block.name),
            None => format!("scale set `{}`", node.name.known().unwrap_or("with a name made at deployment")),
        };
        let most = self.most(node, body);
        // A rolling upgrade with surge makes the machines of a batch anew before it deletes the old ones.
        let policy = body.pointer("/properties/upgradePolicy/rollingUpgradePolicy");
        let surge = policy.and_then(|policy| policy.get("maxSurge")) == Some(&Value::Bool(true));
        let share = whole(policy.and_then(|policy| policy.get("maxBatchInstancePercent"))).unwrap_or(20);
        let most = most.map(|most| match surge {
            true => most.saturating_add(most.saturating_mul(share).div_ceil(100)),
            false => most,
        });
        self.push(&scope, Quota::new(Service::Compute, "virtualMachineScaleSets"), Some(1), &what);
        let size = body.pointer("/sku/name").and_then(Value::as_str);
        let profile = body.pointer("/properties/virtualMachineProfile").unwrap_or(&Value::Null);
        self.machines(&scope, size, profile, most, &what);
        let cards = profile.pointer("/networkProfile/networkInterfaceConfigurations").and_then(Value::as_array);
        let cards = cards.map_or(&[][..], Vec::as_slice);
        let (mut addresses, mut number) = (0, 0);
        for card in cards {
            number += 1;
            let configurations = card.pointer("/properties/ipConfigurations").and_then(Value::as_array);
            let public = |one: &&Value| one.pointer("/properties/publicIPAddressConfiguration").is_some();
            addresses += configurations.into_iter().flatten().filter(public).count() as u64;
        }
        let network = |name: &str| Quota::new(Service::Network, name);
        self.push(&scope, network("NetworkInterfaces"), times(most, Some(number)), &what);
        self.push(&scope, network("StandardSkuPublicIpAddresses"), times(most, Some(addresses)), &what);
    }

    /// Most machines that a scale set can get: of its autoscale profiles, of the pool, and its own number.
    fn most(&self, node: &Node, body: &Value) -> Option<u64> {
        let pool = node.pool.and_then(|at| self.fleet.pools.get(at as usize));
        let id = node.id.json();
        let mut settings = self.graph.nodes.iter().filter(|one| one.is(v::AUTOSCALE)).map(self::body);
        let target =
            |body: &Value| body.pointer("/properties/targetResourceUri").and_then(Value::as_str) == Some(id.as_str());
        let Some(setting) = settings.find(target) else {
            let own = whole(body.pointer("/sku/capacity"));
            let range = pool.map(|pool| pool.machines.most().and_then(|most| u64::try_from(most).ok()));
            return match range {
                Some(range) => Some(range?.max(own?)),
                None => own,
            };
        };
        let profiles = setting.pointer("/properties/profiles").and_then(Value::as_array)?;
        let mut most = whole(body.pointer("/sku/capacity")).unwrap_or(0);
        for profile in profiles {
            most = most.max(whole(profile.pointer("/capacity/maximum"))?);
        }
        Some(most)
    }

    /// Cores, machines and disks of machines with one profile.
    fn machines(&mut self, scope: &Scope, size: Option<&str>, profile: &Value, number: Option<u64>, what: &str) {
        let compute = |name: &str| Quota::new(Service::Compute, name);
        let priority = profile.get("priority").and_then(Value::as_str).unwrap_or("Regular");
        let spot = ["spot", "low"].iter().any(|word| priority.eq_ignore_ascii_case(word));
        self.cores(scope, Service::Compute, size.unwrap_or("a size made at deployment"), number, spot, what);
        self.push(scope, compute("virtualMachines"), number, what);
        let system = profile.pointer("/storageProfile/osDisk");
        let ephemeral = system.is_some_and(|disk| disk.get("diffDiskSettings").is_some());
        let data = profile.pointer("/storageProfile/dataDisks").and_then(Value::as_array);
        for disk in system.filter(|_| !ephemeral).into_iter().chain(data.into_iter().flatten()) {
            let kind = disk.pointer("/managedDisk/storageAccountType").and_then(Value::as_str);
            if let Some(quota) = kind.and_then(disk_quota) {
                self.push(scope, compute(quota), number, what);
            } else {
                let what = format!("a disk of unknown kind of {what}");
                self.push(scope, compute("StandardDiskCount"), times(number, None), &what);
            }
        }
    }

    /// The cores of machines of a size: spot machines count in one number for all families, others in the total and their
    /// family's.
    fn cores(&mut self, scope: &Scope, service: Service, size: &str, number: Option<u64>, spot: bool, what: &str) {
        let facts = self.size(size).map(cores);
        let each = facts.as_ref().and_then(|facts| facts.each);
        let (total, low) = match service {
            Service::Compute | Service::Network => ("cores", "lowPriorityCores"),
            Service::Batch => ("dedicatedCoreQuota", "lowPriorityCoreQuota"),
            Service::MachineLearning => {
                ("Total Cluster Dedicated Regional vCPUs", "Total Cluster Low Priority Regional vCPUs")
            }
        };
        let all = times(number, each);
        if spot {
            return self.push(scope, Quota::new(service, low), all, what);
        }
        self.push(scope, Quota::new(service, total), all, what);
        match facts.and_then(|facts| facts.family) {
            Some(family) => self.push(scope, Quota::of_family(service, family), all, what),
            None => self.push(scope, Quota::of_family(service, &format!("family of {size},")), times(all, None), what),
        }
    }

    /// A pool that runs jobs. Its machines belong to the service, so that only the service's limits count, unless its account
    /// makes them in the subscription.
    fn batch(&mut self, pool: &BatchPool<'a>) {
        let what = format!("pool `{}`", pool.block.name);
        let size = pool.size.name();
        let node = self
            .graph
            .nodes
            .iter()
            .find(|node| node.span == pool.block.name_span && (node.is(v::BATCH_POOL) || node.is(v::COMPUTE)));
        let (dedicated, spot) = both(pool);
        if pool.service == Runs::AzureMl {
            let scope = Scope::MachineLearning(node.and_then(|node| self.region(&body(node))));
            self.push(&scope, Quota::new(Service::MachineLearning, "Total Clusters"), Some(1), &what);
            self.cores(&scope, Service::MachineLearning, size, dedicated, false, &what);
            self.cores(&scope, Service::MachineLearning, size, spot, true, &what);
            return;
        }
        let account = pool.home.and_then(|home| self.fleet.batch_support.accounts.get(home));
        let made = node.and_then(|node| {
            let mut needed = node.needs.iter().filter_map(|id| self.graph.nodes.get(id.index()));
            needed.find(|needed| needed.is(v::BATCH_ACCOUNT))
        });
        let name = match (made, account) {
            (Some(made), _) => made.name.known().map(str::to_owned),
            (None, account) => account.and_then(|account| account.name).and_then(read::as_text).map(str::to_owned),
        };
        let near = Scope::Region(made.and_then(|made| self.region(&body(made))));
        let scope = Scope::Batch(name.filter(|name| !name.starts_with('[')));
        self.push(&scope, Quota::new(Service::Batch, "poolQuota"), Some(1), &what);
        let own = account.is_some_and(|account| account.user_subscription);
        let (scope, service) = if own { (near.clone(), Service::Compute) } else { (scope, Service::Batch) };
        self.cores(&scope, service, size, dedicated, false, &what);
        self.cores(&scope, service, size, spot, true, &what);
        if own {
            for number in [dedicated, spot] {
                self.push(&scope, Quota::new(Service::Compute, "virtualMachines"), number, &what);
            }
        }
        if pool.network.is_some() {
            let nodes = dedicated.and_then(|dedicated| dedicated.checked_add(spot?));
            let parts = nodes.map(|nodes| nodes.div_ceil(BATCH_NODES));
            for quota in ["NetworkSecurityGroups", "StandardSkuPublicIpAddresses", "StandardSkuLoadBalancers"] {
                self.push(&near, Quota::new(Service::Network, quota), parts, &what);
            }
        }
    }
}

/// Most regular and most spot machines of a pool that runs jobs.
fn both(pool: &BatchPool<'_>) -> (Option<u64>, Option<u64>) {
    let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let by_kind = |all: Option<u64>| if pool.spot { (Some(0), all) } else { (all, Some(0)) };
    match &pool.scale {
        Scale::Fixed { dedicated, spot, .. } => (number(read::as_int(dedicated)), number(read::as_int(spot))),
        Scale::Range { most, .. } => by_kind(number(read::as_int(most))),
        Scale::Formula { .. } => {
            let fields = pool.view.fields();
            // A formula by hand without a range may ask for any number.
            if fields.formula().written() && !fields.machines().written() {
                return (None, None);
            }
            let machines = Machines::of(fields.machines()).and_then(|machines| number(machines.most()));
            let extra = Machines::of(fields.spot_machines()).filter(|_| fields.spot_machines().written());
            match extra {
                Some(extra) => (machines, number(extra.most())),
                None => by_kind(machines),
            }
        }
    }
}
