//! Batch pools and what they need: accounts of Azure Batch with pools, workspaces of Azure Machine Learning with
//! clusters, blob containers.

mod account;
mod container;
mod ml;
mod pool;
mod start;

use super::context::{Builder, Named, Names, Resolver, resource_id};
use super::expr::Text;
use super::{NodeId, diags, free, known, secrets, values, versions as v};
use dsvm_diagnostics::Sink;
use dsvm_model::batch::{BatchPool, Service};
use dsvm_model::pool::PoolIdentity;
use dsvm_model::{Fleet, read};
use dsvm_sema::checked::Checked;
use dsvm_sema::table::BlockKind;

/// A blob container: its account, and itself.
#[derive(Clone, Debug)]
pub(crate) struct ContainerNames {
    pub(crate) account: Named,
    pub(crate) container: Named,
}

/// A batch pool: itself, its account or workspace, its identity.
#[derive(Clone, Debug)]
pub(crate) struct BatchPoolNames {
    pub(crate) pool: Named,
    pub(crate) home: Named,
    pub(crate) identity: Option<Named>,
}

/// Names of everything for batch, by position in the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchNames {
    pub(crate) accounts: Vec<Named>,
    pub(crate) workspaces: Vec<Named>,
    pub(crate) containers: Vec<ContainerNames>,
    pub(crate) pools: Vec<BatchPoolNames>,
    /// The account and the workspace of pools that name none.
    pub(crate) own_account: Option<Named>,
    pub(crate) own_workspace: Option<Named>,
}

fn named(kind: &str, name: Text) -> Named {
    Named { id: resource_id(kind, std::slice::from_ref(&name), None), name }
}

fn child(kind: &str, parent: &Named, name: Text) -> Named {
    Named {
        id: resource_id(kind, &[parent.name.clone(), name.clone()], None),
        name: Text::concat(&[parent.name.clone(), "/".into(), name]),
    }
}

/// Gives everything its name.
pub(crate) fn name(fleet: &Fleet<'_>, checked: &Checked, names: &mut Names) {
    for (index, account) in fleet.around.accounts.iter().enumerate() {
        let name = match account.name {
            Some(value) => values::text(value, &Resolver { checked, names }),
            None => names.made_up("Batch", "ba", &account.block.name),
        };
        names.batch.accounts.push(named(v::BATCH_ACCOUNT, name));
        names.place(account.id, BlockKind::BatchAccount, index);
    }
    for (index, workspace) in fleet.around.workspaces.iter().enumerate() {
        names.batch.workspaces.push(named(v::WORKSPACE, Text::literal(workspace.name.clone())));
        names.place(workspace.id, BlockKind::Workspace, index);
    }
    for (index, container) in fleet.around.containers.iter().enumerate() {
        let account = match container.account {
            Some(value) => values::text(value, &Resolver { checked, names }),
            None => names.made_up("Account", "st", &container.block.name),
        };
        let resolver = Resolver { checked, names };
        let place = container.existing.map(|e| {
            (e.resource_group.map(|g| values::text(g, &resolver)), e.subscription.map(|s| values::text(s, &resolver)))
        });
        let name = values::text(&container.name, &resolver);
        let path = [account.clone(), "default".into(), name.clone()];
        names.batch.containers.push(ContainerNames {
            container: Named { id: resource_id(v::BLOB_CONTAINER, &path, place.clone()), name },
            account: Named { id: resource_id(v::STORAGE, std::slice::from_ref(&account), place), name: account },
        });
        names.place(container.id, BlockKind::Container, index);
    }
    let homeless = |service| fleet.batch.iter().any(|p| p.service == service && p.home.is_none());
    if homeless(Service::AzureBatch) {
        let name = names.made_up("Batch", "ba", fleet.name);
        names.batch.own_account = Some(named(v::BATCH_ACCOUNT, name));
    }
    if homeless(Service::AzureMl) {
        let name = Text::literal(format!("mlw-{}", read::dashed(fleet.name)));
        names.batch.own_workspace = Some(named(v::WORKSPACE, name));
    }
    for (index, pool) in fleet.batch.iter().enumerate() {
        let batch = &names.batch;
        let (kind, home) = match pool.service {
            Service::AzureBatch => {
                (v::BATCH_POOL, pool.home.map_or(batch.own_account.as_ref(), |h| batch.accounts.get(h)))
            }
            Service::AzureMl => {
                (v::COMPUTE, pool.home.map_or(batch.own_workspace.as_ref(), |h| batch.workspaces.get(h)))
            }
        };
        let home = home.cloned().unwrap_or_else(|| named(v::BATCH_ACCOUNT, "".into()));
        let identity = match pool.identity {
            PoolIdentity::None => None,
            PoolIdentity::Own => Some(named(v::IDENTITY, Text::literal(format!("id-{}", pool.dashed())))),
            PoolIdentity::Declared(index) => names.identities.get(index).cloned(),
        };
        let names_of_pool =
            BatchPoolNames { pool: child(kind, &home, Text::literal(pool.name.clone())), home, identity };
        names.batch.pools.push(names_of_pool);
        names.place(pool.id, BlockKind::BatchPool, index);
    }
}

/// Attributes of what is named here.
pub(crate) fn find(names: &BatchNames, kind: BlockKind, index: usize, attribute: &str) -> Option<Text> {
    let of = |named: &Named| match attribute {
        "id" => Some(named.id.clone()),
        "name" => Some(named.name.clone()),
        _ => None,
    };
    match (kind, attribute) {
        (BlockKind::BatchAccount, "endpoint") => {
            Some(super::context::reference(&names.accounts.get(index)?.id, v::BATCH_ACCOUNT).member("accountEndpoint"))
        }
        (BlockKind::BatchAccount, _) => of(names.accounts.get(index)?),
        (BlockKind::Workspace, "principal_id") => Some(principal(&names.workspaces.get(index)?.id, v::WORKSPACE)),
        (BlockKind::Workspace, _) => of(names.workspaces.get(index)?),
        (BlockKind::Container, "account") => Some(names.containers.get(index)?.account.name.clone()),
        (BlockKind::Container, _) => of(&names.containers.get(index)?.container),
        (BlockKind::BatchPool, _) => of(&names.pools.get(index)?.pool),
        _ => None,
    }
}

/// Object id of a resource's own identity.
fn principal(id: &Text, kind: &str) -> Text {
    Text::call("reference", &[id.clone(), Text::literal(v::version(kind)), "full".into()])
        .member("identity.principalId")
}

/// Everything for batch.
pub(crate) fn emit(builder: &mut Builder<'_, '_>, sink: &mut Sink) {
    if builder.fleet.batch.is_empty()
        && builder.fleet.around.accounts.is_empty()
        && builder.fleet.around.workspaces.is_empty()
    {
        container::emit(builder);
        return;
    }
    container::emit(builder);
    let accounts = account::emit(builder);
    let workspaces = ml::workspaces(builder);
    let fleet = builder.fleet;
    for (index, pool) in fleet.batch.iter().enumerate() {
        let Some(names) = builder.names.batch.pools.get(index).cloned() else { continue };
        let identity = match pool.identity {
            PoolIdentity::None => None,
            PoolIdentity::Declared(declared) => builder.identity_nodes.get(&declared).copied(),
            PoolIdentity::Own => names.identity.as_ref().map(|named| {
                let node =
                    builder.node(v::IDENTITY, named, Some(pool.block), crate::json::Map::new(), pool.block.name_span);
                builder.add(node)
            }),
        };
        let home = match pool.service {
            Service::AzureBatch => accounts.of(pool.home),
            Service::AzureMl => workspaces.of(pool.home),
        };
        match pool.service {
            Service::AzureBatch => pool::emit(builder, pool, &names, identity, home),
            Service::AzureMl => ml::cluster(builder, pool, &names, identity, home),
        }
        overrides(builder, pool, identity, sink);
    }
}

/// Lays the overrides of a pool over its resources: the pool (or cluster) itself, and an identity of its own.
fn overrides(builder: &mut Builder<'_, '_>, pool: &BatchPool<'_>, identity: Option<NodeId>, sink: &mut Sink) {
    for block in pool.block.children(BlockKind::Override) {
        let itself = builder.by_block.get(&pool.id).copied();
        let target = match (pool.service, block.name.as_ref()) {
            (Service::AzureBatch, "pool") | (Service::AzureMl, "cluster") => itself,
            (_, "identity") => identity.filter(|_| matches!(pool.identity, PoolIdentity::Own)),
            _ => None,
        };
        let at = target.and_then(|id| usize::try_from(id.0).ok());
        let Some(mut node) = at.and_then(|at| builder.nodes.get(at)).cloned() else {
            let own = if pool.service == Service::AzureBatch { "pool" } else { "cluster" };
            sink.push(diags::unknown_override(&block.name, block.name_span, &[own, "identity"]));
            continue;
        };
        let Some(body) = &block.free else { continue };
        secrets::check(&node.kind, body, block.name_span, sink);
        let laid = free::lay_over(&mut node.body, body, &builder.resolver());
        known::check_override(&node, &laid, block, sink);
        node.places.extend(free::places(body));
        if let Some(place) = at.and_then(|at| builder.nodes.get_mut(at)) {
            *place = node;
        }
    }
}

/// Nodes of accounts or workspaces: declared ones by position, and the one of pools that name none.
#[derive(Default)]
struct Homes {
    declared: Vec<Option<super::NodeId>>,
    own: Option<super::NodeId>,
}

impl Homes {
    fn of(&self, home: Option<usize>) -> Option<super::NodeId> {
        home.map_or(self.own, |h| self.declared.get(h).copied().flatten())
    }
}
