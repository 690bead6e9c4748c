//! One project with the values of one env → what it asks of which limit.

use super::count::{Cores, Counter, most_of, sizes_of, whole, with_surge};
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
    let sizes = |name: &str| {
        let pools = fleet.pools.iter().flat_map(|pool| pool.sizes());
        let mut all = pools.chain(fleet.batch.iter().flat_map(|pool| pool.sizes()));
        all.find(|size| size.name().eq_ignore_ascii_case(name)).map(cores)
    };
    let counter = Counter { near, sizes: &sizes, all: Vec::new() };
    let mut reader = Reader { fleet, graph, counter };
    for node in &graph.nodes {
        reader.node(node);
    }
    for pool in &fleet.batch {
        reader.batch(pool);
    }
    reader.counter.all
}

struct Reader<'s, 'a> {
    fleet: &'s Fleet<'a>,
    graph: &'s ResourceGraph,
    counter: Counter<'s>,
}

fn cores(size: Size<'_>) -> Cores {
    let each = size.0.quota_vcpu().or(size.vcpu()).and_then(|cores| u64::try_from(cores).ok());
    Cores { each, family: size.0.family().map(str::to_owned) }
}

fn body(node: &Node) -> Value {
    Json::Object(node.body.clone()).into_value()
}

fn name(node: &Node) -> &str {
    node.name.known().unwrap_or("with a name made at deployment")
}

impl<'a> Reader<'_, 'a> {
    fn node(&mut self, node: &Node) {
        if !node.kind.eq_ignore_ascii_case(v::SCALE_SET.name) {
            return self.counter.resource(&node.kind, name(node), &body(node));
        }
        let body = body(node);
        let pool = node.pool.and_then(|at| self.fleet.pools.get(at as usize));
        let what = match pool {
            Some(pool) => format!("pool `{}`", pool.block.name),
            None => format!("scale set `{}`", name(node)),
        };
        let most = with_surge(&body, self.most(node, &body));
        // A parameter names no size: any of the alternatives may be the one that is used.
        let deferred = body.pointer("/sku/name").and_then(Value::as_str).is_some_and(|name| name.starts_with('['));
        let sizes: Vec<&str> = match pool.filter(|_| deferred) {
            Some(pool) => pool.sizes().map(Size::name).collect(),
            None => sizes_of(&body),
        };
        self.counter.scale_set(&body, &sizes, most, &what);
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
        let own = whole(body.pointer("/sku/capacity")).unwrap_or(0);
        Some(most_of(&setting)?.max(own))
    }

    /// A pool that runs jobs. Its machines belong to the service, so that only the service's limits count, unless its account
    /// makes them in the subscription.
    fn batch(&mut self, pool: &BatchPool<'a>) {
        let what = format!("pool `{}`", pool.block.name);
        let sizes: Vec<&str> = pool.sizes().map(Size::name).collect();
        let sizes = sizes.as_slice();
        let node = self
            .graph
            .nodes
            .iter()
            .find(|node| node.span == pool.block.name_span && (node.is(v::BATCH_POOL) || node.is(v::COMPUTE)));
        let (dedicated, spot) = both(pool);
        if pool.service == Runs::AzureMl {
            let scope = Scope::MachineLearning(node.and_then(|node| self.counter.region(&body(node))));
            self.counter.push(&scope, Quota::new(Service::MachineLearning, "Total Clusters"), Some(1), &what);
            self.counter.cores(&scope, Service::MachineLearning, sizes, dedicated, false, &what);
            self.counter.cores(&scope, Service::MachineLearning, sizes, spot, true, &what);
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
        let near = Scope::Region(made.and_then(|made| self.counter.region(&body(made))));
        let scope = Scope::Batch(name.filter(|name| !name.starts_with('[')));
        self.counter.push(&scope, Quota::new(Service::Batch, "poolQuota"), Some(1), &what);
        let own = account.is_some_and(|account| account.user_subscription);
        let (scope, service) = if own { (near.clone(), Service::Compute) } else { (scope, Service::Batch) };
        self.counter.cores(&scope, service, sizes, dedicated, false, &what);
        self.counter.cores(&scope, service, sizes, spot, true, &what);
        if own {
            for number in [dedicated, spot] {
                self.counter.push(&scope, Quota::new(Service::Compute, "virtualMachines"), number, &what);
            }
        }
        if pool.network.is_some() {
            let nodes = dedicated.and_then(|dedicated| dedicated.checked_add(spot?));
            let parts = nodes.map(|nodes| nodes.div_ceil(BATCH_NODES));
            for quota in ["NetworkSecurityGroups", "StandardSkuPublicIpAddresses", "StandardSkuLoadBalancers"] {
                self.counter.push(&near, Quota::new(Service::Network, quota), parts, &what);
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
