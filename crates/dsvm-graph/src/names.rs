//! Names and ids of everything in a fleet, and what a reference to a block reads.

use super::expr::Text;
use super::ids::{Named, camel, principal, reference, unique};
use super::node::Variable;
use super::versions as v;
use dsvm_model::ids::{IdentityId, NetworkId, ShareId, TiVec, VaultId};
use dsvm_sema::checked::Checked;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::BlockId;
use std::collections::BTreeMap;

/// A share: its account, and the share itself.
#[derive(Clone, Debug)]
pub(crate) struct ShareNames {
    pub(crate) account: Named,
    pub(crate) share: Named,
    /// Host name of the account's file service.
    pub(crate) host: Text,
}

/// An interactive pool and what is made for it.
#[derive(Clone, Debug)]
pub(crate) struct PoolNames {
    pub(crate) scale_set: Named,
    pub(crate) balancer: Named,
    pub(crate) public_ip: Named,
    pub(crate) security_group: Named,
    pub(crate) autoscale: Named,
    /// The identity of the machines, declared or own.
    pub(crate) identity: Option<Named>,
    pub(crate) address: Text,
    pub(crate) ssh: Option<Text>,
    pub(crate) jupyterhub: Option<Text>,
}

/// A blob container: its account, and itself.
#[derive(Clone, Debug)]
pub(crate) struct ContainerNames {
    pub(crate) account: Named,
    pub(crate) container: Named,
}

/// A Batch account and, where it has one, its own storage account.
#[derive(Clone, Debug)]
pub(crate) struct AccountNames {
    pub(crate) account: Named,
    pub(crate) storage: Option<Named>,
}

/// A workspace of Azure Machine Learning and what is made for it.
#[derive(Clone, Debug)]
pub(crate) struct WorkspaceNames {
    pub(crate) workspace: Named,
    /// Absent for workspaces that exist already.
    pub(crate) own: Option<WorkspaceParts>,
}

/// What a workspace that is deployed here needs beside it.
#[derive(Clone, Debug)]
pub(crate) struct WorkspaceParts {
    pub(crate) storage: Named,
    /// Absent when the workspace names a declared vault.
    pub(crate) vault: Option<Named>,
}

/// A batch pool: itself, its account or workspace, its identity.
#[derive(Clone, Debug)]
pub(crate) struct BatchPoolNames {
    pub(crate) pool: Named,
    pub(crate) home: Named,
    pub(crate) identity: Option<Named>,
}

/// Names for batch, by position in the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchNames {
    pub(crate) accounts: Vec<AccountNames>,
    pub(crate) workspaces: Vec<WorkspaceNames>,
    pub(crate) containers: Vec<ContainerNames>,
    pub(crate) pools: Vec<BatchPoolNames>,
    /// The account of pools that name none.
    pub(crate) own_account: Option<AccountNames>,
    /// The workspace of pools that name none.
    pub(crate) own_workspace: Option<WorkspaceNames>,
}

/// Names of everything, by position in the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) networks: TiVec<NetworkId, Named>,
    pub(crate) shares: TiVec<ShareId, ShareNames>,
    pub(crate) identities: TiVec<IdentityId, Named>,
    pub(crate) registries: Vec<Named>,
    pub(crate) vaults: TiVec<VaultId, Named>,
    pub(crate) resources: Vec<Named>,
    pub(crate) pools: Vec<PoolNames>,
    pub(crate) batch: BatchNames,
    /// Names that are generated at deployment, each as a variable of the template.
    pub(crate) variables: Vec<Variable>,
    by_block: BTreeMap<BlockId, (BlockKind, usize)>,
}

impl Names {
    /// Records the position of a block in its list.
    pub(crate) fn place(&mut self, id: BlockId, kind: BlockKind, index: usize) {
        self.by_block.insert(id, (kind, index));
    }

    /// A name that is unique in all of Azure, kept in a variable: `notebooksAccount`.
    pub(crate) fn generated(&mut self, what: &str, prefix: &str, key: &str) -> Text {
        let mut name = format!("{}{what}", camel(key));
        while self.variables.iter().any(|v| v.name == name) {
            name.push('_');
        }
        self.variables.push(Variable { name: name.clone(), text: unique(prefix, key) });
        Text::call("variables", &[Text::Literal(name)])
    }
}

/// Turns references into names and expressions.
#[derive(Clone, Copy)]
pub(crate) struct Resolver<'a, 'b> {
    pub(crate) checked: &'a Checked,
    pub(crate) names: &'b Names,
}

impl Resolver<'_, '_> {
    /// A block mentioned as a value: its id, or the name of a fact.
    pub(crate) fn reference_text(&self, id: BlockId) -> Text {
        self.find(id, "id").unwrap_or_else(|| Text::literal(self.checked[id].name.as_ref()))
    }

    /// An attribute; `null()` when the block has none of that name, which was reported.
    pub(crate) fn attribute(&self, id: BlockId, name: &str) -> Text {
        self.find(id, name).unwrap_or_else(|| Text::Expression("null()".into()))
    }

    /// An attribute, if the block has one of that name.
    pub(crate) fn find(&self, id: BlockId, name: &str) -> Option<Text> {
        let (kind, index) = *self.names.by_block.get(&id)?;
        let names = self.names;
        match (kind, name) {
            (BlockKind::Network, _) => id_or_name(names.networks.get(NetworkId::from(index))?, name),
            (BlockKind::Resource, _) => id_or_name(names.resources.get(index)?, name),
            (BlockKind::Identity, _) => of_identity(names.identities.get(IdentityId::from(index))?, name),
            (BlockKind::Registry, "server") => {
                Some(reference(&names.registries.get(index)?.id, v::REGISTRY).member("loginServer"))
            }
            (BlockKind::Registry, _) => id_or_name(names.registries.get(index)?, name),
            (BlockKind::Vault, "uri") => {
                Some(reference(&names.vaults.get(VaultId::from(index))?.id, v::VAULT).member("vaultUri"))
            }
            (BlockKind::Vault, _) => id_or_name(names.vaults.get(VaultId::from(index))?, name),
            (BlockKind::Share, _) => of_share(names.shares.get(ShareId::from(index))?, name),
            (BlockKind::Pool, _) => of_pool(names.pools.get(index)?, name),
            (BlockKind::BatchAccount, "endpoint") => Some(
                reference(&names.batch.accounts.get(index)?.account.id, v::BATCH_ACCOUNT).member("accountEndpoint"),
            ),
            (BlockKind::BatchAccount, _) => id_or_name(&names.batch.accounts.get(index)?.account, name),
            (BlockKind::Workspace, "principal_id") => {
                Some(principal(&names.batch.workspaces.get(index)?.workspace.id, v::WORKSPACE))
            }
            (BlockKind::Workspace, _) => id_or_name(&names.batch.workspaces.get(index)?.workspace, name),
            (BlockKind::Container, "account") => Some(names.batch.containers.get(index)?.account.name.clone()),
            (BlockKind::Container, _) => id_or_name(&names.batch.containers.get(index)?.container, name),
            (BlockKind::BatchPool, _) => id_or_name(&names.batch.pools.get(index)?.pool, name),
            // No other block has a name in Azure: `place` is called for these only.
            _ => None,
        }
    }
}

fn id_or_name(named: &Named, attribute: &str) -> Option<Text> {
    match attribute {
        "id" => Some(named.id.clone()),
        "name" => Some(named.name.clone()),
        _ => None,
    }
}

fn of_identity(identity: &Named, attribute: &str) -> Option<Text> {
    match attribute {
        "principal_id" => Some(reference(&identity.id, v::IDENTITY).member("principalId")),
        "client_id" => Some(reference(&identity.id, v::IDENTITY).member("clientId")),
        _ => id_or_name(identity, attribute),
    }
}

fn of_share(share: &ShareNames, attribute: &str) -> Option<Text> {
    match attribute {
        "account" => Some(share.account.name.clone()),
        "host" => Some(share.host.clone()),
        "url" => Some(Text::concat(&["https://".into(), share.host.clone(), "/".into(), share.share.name.clone()])),
        _ => id_or_name(&share.share, attribute),
    }
}

fn of_pool(pool: &PoolNames, attribute: &str) -> Option<Text> {
    match attribute {
        "address" => Some(pool.address.clone()),
        "ssh" => pool.ssh.clone(),
        "jupyterhub" => pool.jupyterhub.clone(),
        "principal_id" | "client_id" => of_identity(pool.identity.as_ref()?, attribute),
        _ => id_or_name(&pool.scale_set, attribute),
    }
}
