//! Names and ids of everything in a fleet, and what a reference to a block reads.

use super::expr::Text;
use super::ids::{Named, camel, principal, reference, unique};
use super::node::Variable;
use super::versions as v;
use dsvm_model::ids::{IdentityId, NetworkId, ShareId, TiVec, VaultId};
use dsvm_sema::checked::Checked;
use dsvm_sema::table::batch::{BatchAccountAttribute, BatchPoolAttribute, ContainerAttribute, WorkspaceAttribute};
use dsvm_sema::table::identity::IdentityAttribute;
use dsvm_sema::table::network::NetworkAttribute;
use dsvm_sema::table::pool::PoolAttribute;
use dsvm_sema::table::registry::RegistryAttribute;
use dsvm_sema::table::resource::ResourceAttribute;
use dsvm_sema::table::share::ShareAttribute;
use dsvm_sema::table::vault::VaultAttribute;
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

/// A block that has a name in Azure, by its position in the list of its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Placed {
    Network(usize),
    Identity(usize),
    Registry(usize),
    Vault(usize),
    Share(usize),
    Resource(usize),
    Pool(usize),
    BatchAccount(usize),
    Workspace(usize),
    Container(usize),
    BatchPool(usize),
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
    by_block: BTreeMap<BlockId, Placed>,
}

impl Names {
    /// Records the position of a block in its list.
    pub(crate) fn place(&mut self, id: BlockId, placed: Placed) {
        self.by_block.insert(id, placed);
    }

    /// Whether a block has its name.
    pub(crate) fn is_placed(&self, id: BlockId) -> bool {
        self.by_block.contains_key(&id)
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
        let names = self.names;
        match *names.by_block.get(&id)? {
            Placed::Network(index) => {
                let network = names.networks.get(NetworkId::from(index))?;
                Some(match NetworkAttribute::named(name)? {
                    NetworkAttribute::id => network.id.clone(),
                    NetworkAttribute::name => network.name.clone(),
                })
            }
            Placed::Resource(index) => {
                let resource = names.resources.get(index)?;
                Some(match ResourceAttribute::named(name)? {
                    ResourceAttribute::id => resource.id.clone(),
                    ResourceAttribute::name => resource.name.clone(),
                })
            }
            Placed::Identity(index) => {
                let identity = names.identities.get(IdentityId::from(index))?;
                Some(match IdentityAttribute::named(name)? {
                    IdentityAttribute::id => identity.id.clone(),
                    IdentityAttribute::principal_id => principal_of(identity),
                    IdentityAttribute::client_id => client_of(identity),
                })
            }
            Placed::Registry(index) => {
                let registry = names.registries.get(index)?;
                Some(match RegistryAttribute::named(name)? {
                    RegistryAttribute::id => registry.id.clone(),
                    RegistryAttribute::name => registry.name.clone(),
                    RegistryAttribute::server => reference(&registry.id, v::REGISTRY).member("loginServer"),
                })
            }
            Placed::Vault(index) => {
                let vault = names.vaults.get(VaultId::from(index))?;
                Some(match VaultAttribute::named(name)? {
                    VaultAttribute::id => vault.id.clone(),
                    VaultAttribute::name => vault.name.clone(),
                    VaultAttribute::uri => reference(&vault.id, v::VAULT).member("vaultUri"),
                })
            }
            Placed::Share(index) => {
                Some(of_share(names.shares.get(ShareId::from(index))?, ShareAttribute::named(name)?))
            }
            Placed::Pool(index) => of_pool(names.pools.get(index)?, PoolAttribute::named(name)?),
            Placed::BatchAccount(index) => {
                let account = &names.batch.accounts.get(index)?.account;
                Some(match BatchAccountAttribute::named(name)? {
                    BatchAccountAttribute::id => account.id.clone(),
                    BatchAccountAttribute::name => account.name.clone(),
                    BatchAccountAttribute::endpoint => {
                        reference(&account.id, v::BATCH_ACCOUNT).member("accountEndpoint")
                    }
                })
            }
            Placed::Workspace(index) => {
                let workspace = &names.batch.workspaces.get(index)?.workspace;
                Some(match WorkspaceAttribute::named(name)? {
                    WorkspaceAttribute::id => workspace.id.clone(),
                    WorkspaceAttribute::name => workspace.name.clone(),
                    WorkspaceAttribute::principal_id => principal(&workspace.id, v::WORKSPACE),
                })
            }
            Placed::Container(index) => {
                let container = names.batch.containers.get(index)?;
                Some(match ContainerAttribute::named(name)? {
                    ContainerAttribute::id => container.container.id.clone(),
                    ContainerAttribute::name => container.container.name.clone(),
                    ContainerAttribute::account => container.account.name.clone(),
                })
            }
            Placed::BatchPool(index) => {
                let pool = &names.batch.pools.get(index)?.pool;
                Some(match BatchPoolAttribute::named(name)? {
                    BatchPoolAttribute::id => pool.id.clone(),
                    BatchPoolAttribute::name => pool.name.clone(),
                })
            }
        }
    }
}

fn principal_of(identity: &Named) -> Text {
    reference(&identity.id, v::IDENTITY).member("principalId")
}

fn client_of(identity: &Named) -> Text {
    reference(&identity.id, v::IDENTITY).member("clientId")
}

fn of_share(share: &ShareNames, attribute: ShareAttribute) -> Text {
    match attribute {
        ShareAttribute::id => share.share.id.clone(),
        ShareAttribute::name => share.share.name.clone(),
        ShareAttribute::account => share.account.name.clone(),
        ShareAttribute::host => share.host.clone(),
        ShareAttribute::url => {
            Text::concat(&["https://".into(), share.host.clone(), "/".into(), share.share.name.clone()])
        }
    }
}

/// `None` for a door that the pool does not open, and for the identity of a pool without one.
fn of_pool(pool: &PoolNames, attribute: PoolAttribute) -> Option<Text> {
    match attribute {
        PoolAttribute::id => Some(pool.scale_set.id.clone()),
        PoolAttribute::name => Some(pool.scale_set.name.clone()),
        PoolAttribute::address => Some(pool.address.clone()),
        PoolAttribute::ssh => pool.ssh.clone(),
        PoolAttribute::jupyterhub => pool.jupyterhub.clone(),
        PoolAttribute::principal_id => pool.identity.as_ref().map(principal_of),
        PoolAttribute::client_id => pool.identity.as_ref().map(client_of),
    }
}
