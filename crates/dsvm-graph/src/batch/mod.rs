//! Batch pools and what they need: accounts of Azure Batch with pools, workspaces of Azure Machine Learning with
//! clusters, blob containers.

mod account;
mod container;
mod ml;
mod pool;
mod registry;
mod start;

use super::expr::Text;
use super::ids::{Named, size_parameter};
use super::input::{Input, Site};
use super::internal::{Broken, Built};
use super::json::{Json, Map, json};
use super::node::{NodeId, Sized};
use super::nodes::Nodes;
use super::pool::Shared;
use super::reach::Reach;
use super::{diags, overlay, versions as v};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::batch::{BatchPool, Service};
use dsvm_model::pool::PoolIdentity;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::table::words::BatchResource;

/// Builds everything for batch; returns the pools whose size is one of several.
pub(crate) fn build(
    input: &Input<'_, '_>,
    shared: &Shared<'_>,
    reach: &Reach,
    nodes: &mut Nodes,
    sink: &mut Sink,
) -> Built<Vec<Sized>> {
    let mut sized = Vec::new();
    let fleet = input.fleet;
    let containers = container::build(input, shared, reach, nodes)?;
    let accounts = account::build(input, nodes)?;
    let workspaces = ml::workspaces(input, nodes)?;
    for (pool, names) in fleet.batch.iter().zip(&input.names.batch.pools) {
        let span = pool.block.name_span;
        let identity = match (pool.identity, &names.identity) {
            (PoolIdentity::None, _) | (PoolIdentity::Own, None) => None,
            (PoolIdentity::Declared(declared), _) => shared.identity(declared),
            (PoolIdentity::Own, Some(named)) => {
                let site = input.site(None);
                Some(nodes.add(input.node(&site, v::IDENTITY, named, Some(pool.block), Map::new(), span)))
            }
        };
        let home = match pool.service {
            Service::AzureBatch => accounts.of(pool.home, span)?,
            Service::AzureMl => workspaces.of(pool.home, span)?,
        };
        let context = PoolContext { shared, containers: &containers, identity, home };
        let id = match pool.service {
            Service::AzureBatch => pool::build(input, (pool, names), &context, nodes)?,
            Service::AzureMl => ml::cluster(input, (pool, names), &context, nodes)?,
        };
        if !pool.others.is_empty() {
            sized.push(Sized {
                node: id,
                parameter: size_parameter(&pool.block.name),
                sizes: pool.sizes().map(|size| size.name().to_owned()).collect(),
                pool: pool.block.name.to_string(),
                span: pool.view.fields().size().span(),
            });
        }
        overrides(input, pool, (id, identity), nodes, sink);
    }
    Ok(sized)
}

/// The size of a pool's machines: a parameter where there are several to try.
fn size(pool: &BatchPool<'_>) -> Json {
    match pool.others.is_empty() {
        true => json!(pool.size.name()),
        false => Text::call("parameters", &[size_parameter(&pool.block.name).as_str().into()]).into(),
    }
}

/// What a batch pool refers to.
struct PoolContext<'r> {
    shared: &'r Shared<'r>,
    /// Node of each container; none for those that exist already.
    containers: &'r [Option<NodeId>],
    identity: Option<NodeId>,
    /// The account or workspace, unless it exists already.
    home: Option<NodeId>,
}

impl PoolContext<'_> {
    /// The node of a container; `None` when it exists already.
    fn container(&self, index: usize) -> Option<NodeId> {
        self.containers.get(index).copied().flatten()
    }

    /// Nodes that the pool waits for whatever it mounts.
    fn first(&self, pool: &BatchPool<'_>) -> impl Iterator<Item = NodeId> {
        let network = pool.network.and_then(|(network, _)| self.shared.networks.of(network));
        self.identity.into_iter().chain(self.home).chain(network)
    }
}

/// Lays the overrides of a pool over its resources: the pool (or cluster) itself, and an identity of its own.
fn overrides(
    input: &Input<'_, '_>,
    pool: &BatchPool<'_>,
    (id, identity): (NodeId, Option<NodeId>),
    nodes: &mut Nodes,
    sink: &mut Sink,
) {
    let itself = match pool.service {
        Service::AzureBatch => BatchResource::Pool,
        Service::AzureMl => BatchResource::Cluster,
    };
    for block in pool.block.children(BlockKind::Override) {
        let target = BatchResource::from_word(&block.name).and_then(|resource| match resource {
            BatchResource::Pool | BatchResource::Cluster => (resource == itself).then_some(id),
            BatchResource::Identity => identity.filter(|_| matches!(pool.identity, PoolIdentity::Own)),
        });
        match target {
            Some(id) => overlay::apply(&mut nodes[id], block, &input.resolver(), sink),
            None => {
                let known = [itself.word(), BatchResource::Identity.word()];
                sink.push(diags::unknown_override(&block.name, block.name_span, &known));
            }
        }
    }
}

/// Nodes of accounts or workspaces: declared ones by position, and the one of pools that name none.
#[derive(Default)]
struct Homes {
    declared: Vec<Option<NodeId>>,
    own: Option<NodeId>,
}

impl Homes {
    fn of(&self, home: Option<usize>, span: Span) -> Built<Option<NodeId>> {
        match home {
            None => Ok(self.own),
            Some(home) => {
                let node = self.declared.get(home).copied();
                node.ok_or(Broken { what: "an account or workspace that is not in the fleet", span })
            }
        }
    }
}

/// Whether a storage account takes its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// The default datastores of a workspace use them.
    Allowed,
    /// Only identities with a role reach the data.
    Refused,
}

/// The body of a storage account for a service's own data: no anonymous reading.
fn own_storage(
    input: &Input<'_, '_>,
    site: &Site,
    (named, keys): (&Named, Keys),
    block: Option<&Block>,
    span: Span,
) -> super::node::Node {
    let mut body = Map::new();
    body.insert("kind".into(), json!("StorageV2"));
    body.insert("sku".into(), json!({ "name": "Standard_ZRS" }));
    body.insert(
        "properties".into(),
        json!({
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": true,
            "allowBlobPublicAccess": false,
            "allowSharedKeyAccess": keys == Keys::Allowed,
            "allowCrossTenantReplication": false,
            // Machines of the service read packages and files from networks that are not ours.
            "publicNetworkAccess": "Enabled",
            "networkAcls": { "bypass": "AzureServices", "defaultAction": "Allow" },
        }),
    );
    input.node(site, v::STORAGE, named, block, body, span)
}

/// The `identity` of a service that takes user-assigned identities only.
fn user_assigned(identity: Option<&Named>) -> Option<Json> {
    let mut ids = Map::new();
    ids.insert(identity?.id.json().into(), json!({}));
    Some(json!({ "type": "UserAssigned", "userAssignedIdentities": ids }))
}
