//! Gives everything in a fleet its name and id, in the order in which later names build on earlier ones.

use super::expr::Text;
use super::ids::{Home, Named, reference, resource_id};
use super::internal::{Broken, Built};
use super::names::{
    AccountNames, BatchPoolNames, ContainerNames, Names, Placed, PoolNames, Resolver, ShareNames, WorkspaceNames,
    WorkspaceParts,
};
use super::{values, versions as v};
use dsvm_model::batch::Service;
use dsvm_model::ids::IdentityId;
use dsvm_model::network::Elsewhere;
use dsvm_model::pool::{Pool, PoolIdentity};
use dsvm_model::services::{JUPYTERHUB, SSH};
use dsvm_model::{Fleet, read};
use dsvm_sema::checked::Checked;
use dsvm_sema::value::{BlockId, Value};

/// Names of everything in the fleet.
pub(crate) fn name_all(fleet: &Fleet<'_>, checked: &Checked) -> Built<Names> {
    let mut namer = Namer { checked, names: Names::default() };
    namer.shared(fleet);
    for (index, pool) in fleet.pools.iter().enumerate() {
        let names = namer.pool(pool)?;
        namer.names.pools.push(names);
        namer.names.place(pool.id, Placed::Pool(index));
    }
    namer.batch(fleet)?;
    namer.storage_of_services(fleet);
    namer.resources(fleet, |names, read| read.iter().all(|(block, _)| names.is_placed(*block)));
    // Those that read each other's names, or blocks without one: `waits` and the order of the nodes tell.
    namer.resources(fleet, |_, _| true);
    Ok(namer.names)
}

/// Group and subscription of an existing thing.
pub(crate) fn home_of(place: Elsewhere<'_>, resolver: &Resolver<'_, '_>) -> Home {
    Home {
        group: place.resource_group.map(|v| values::text(v, resolver)),
        subscription: place.subscription.map(|v| values::text(v, resolver)),
    }
}

/// Id of a share or container, which is inside of the service `default` of its storage account, and of the account.
fn in_account(kind: v::ResourceType, account: Text, name: Text, home: Option<&Home>) -> (Named, Named) {
    let path = [account.clone(), "default".into(), name.clone()];
    (Named { id: resource_id(kind, &path, home), name }, Named::elsewhere(v::STORAGE, account, home))
}

struct Namer<'a> {
    checked: &'a Checked,
    names: Names,
}

impl Namer<'_> {
    fn text(&self, value: &Value) -> Text {
        values::text(value, &Resolver { checked: self.checked, names: &self.names })
    }

    fn home(&self, place: Option<Elsewhere<'_>>) -> Option<Home> {
        place.map(|place| home_of(place, &Resolver { checked: self.checked, names: &self.names }))
    }

    /// Names of networks, identities, vaults, shares and resources.
    fn shared(&mut self, fleet: &Fleet<'_>) {
        for (index, network) in fleet.networks.iter().enumerate() {
            let name = match &network.name {
                Some(name) => self.text(name),
                None => Text::literal(format!("vnet-{}", read::dashed(fleet.name))),
            };
            let home = self.home(network.existing);
            self.names.networks.push(Named::elsewhere(v::NETWORK, name, home.as_ref()));
            if let Some((block, _)) = network.block {
                self.names.place(block, Placed::Network(index));
            }
        }
        for (index, identity) in fleet.identities.iter().enumerate() {
            let home = self.home(identity.existing);
            let named = Named::elsewhere(v::IDENTITY, self.text(&identity.name), home.as_ref());
            self.names.identities.push(named);
            self.names.place(identity.id, Placed::Identity(index));
        }
        for (index, registry) in fleet.registries.iter().enumerate() {
            let home = self.home(registry.existing);
            let named = Named::elsewhere(v::REGISTRY, self.text(&registry.name), home.as_ref());
            self.names.registries.push(named);
            self.names.place(registry.id, Placed::Registry(index));
        }
        for (index, vault) in fleet.vaults.iter().enumerate() {
            let name = match vault.name {
                Some(value) => self.text(value),
                None => self.names.generated("Vault", "kv-", &vault.block.name),
            };
            let home = self.home(vault.existing);
            self.names.vaults.push(Named::elsewhere(v::VAULT, name, home.as_ref()));
            self.names.place(vault.id, Placed::Vault(index));
        }
        for (index, share) in fleet.shares.iter().enumerate() {
            let account = match share.account {
                Some(value) => self.text(value),
                None => self.names.generated("Account", "st", &share.block.name),
            };
            let suffix = Text::Expression("environment().suffixes.storage".into());
            let host = Text::concat(&[account.clone(), ".file.".into(), suffix]);
            let home = self.home(share.existing);
            let (named, account) = in_account(v::FILE_SHARE, account, self.text(&share.name), home.as_ref());
            self.names.shares.push(ShareNames { host, share: named, account });
            self.names.place(share.id, Placed::Share(index));
        }
        let unnamed = fleet
            .resources
            .iter()
            .map(|resource| Named { id: resource_id(resource.kind, &[], None), name: Text::literal(String::new()) });
        self.names.resources = unnamed.collect();
        self.resources(fleet, |_, read| read.is_empty());
    }

    /// Names the resources whose names read only blocks that have a name: `name = "${team.name}/monitor"`.
    fn resources(&mut self, fleet: &Fleet<'_>, ready: impl Fn(&Names, &[(BlockId, &str)]) -> bool) {
        loop {
            let mut named = false;
            for (index, resource) in fleet.resources.iter().enumerate() {
                let mut read = Vec::new();
                values::attributes(&resource.name, &mut read);
                if self.names.is_placed(resource.id) || !ready(&self.names, &read) {
                    continue;
                }
                let name = self.text(&resource.name);
                let parts: Vec<Text> = match &name {
                    Text::Literal(path) => path.split('/').map(Text::from).collect(),
                    Text::Expression(_) => vec![name.clone()],
                };
                let home = self.home(resource.existing);
                if let Some(slot) = self.names.resources.get_mut(index) {
                    *slot = Named { id: resource_id(resource.kind, &parts, home.as_ref()), name };
                }
                self.names.place(resource.id, Placed::Resource(index));
                named = true;
            }
            if !named {
                return;
            }
        }
    }

    fn pool(&self, pool: &Pool<'_>) -> Built<PoolNames> {
        let key = pool.dashed();
        let prefixed = |kind, prefix: &str| Named::new(kind, format!("{prefix}{key}"));
        let public_ip = prefixed(v::PUBLIC_IP, "pip-");
        let balancer = prefixed(v::LOAD_BALANCER, "lb-");
        let address = if pool.public {
            reference(&public_ip.id, v::PUBLIC_IP).member("dnsSettings.fqdn")
        } else {
            reference(&balancer.id, v::LOAD_BALANCER).member("frontendIPConfigurations[0].properties.privateIPAddress")
        };
        let admin = self.text(&pool.admin.name);
        let ssh = pool.serves(SSH).then(|| Text::concat(&["ssh ".into(), admin, "@".into(), address.clone()]));
        let jupyterhub = pool
            .serves(JUPYTERHUB)
            .then(|| Text::concat(&["https://".into(), address.clone(), format!(":{JUPYTERHUB}").into()]));
        let identity = match pool.identity {
            PoolIdentity::None => None,
            PoolIdentity::Own => Some(prefixed(v::IDENTITY, "id-")),
            PoolIdentity::Declared(index) => Some(self.identity(index, pool.block.name_span)?),
        };
        Ok(PoolNames {
            scale_set: Named::new(v::SCALE_SET, self.text(&read::name_in_azure(pool.view.fields().name(), "vmss-"))),
            security_group: prefixed(v::SECURITY_GROUP, "nsg-"),
            autoscale: prefixed(v::AUTOSCALE, "autoscale-"),
            balancer,
            public_ip,
            identity,
            address,
            ssh,
            jupyterhub,
        })
    }

    fn identity(&self, id: IdentityId, span: dsvm_diagnostics::source::Span) -> Built<Named> {
        self.names.identities.get(id).cloned().ok_or(Broken { what: "an identity without a name", span })
    }

    fn batch(&mut self, fleet: &Fleet<'_>) -> Built<()> {
        for (index, account) in fleet.batch_support.accounts.iter().enumerate() {
            let name = match account.name {
                Some(value) => self.text(value),
                None => self.names.generated("Batch", "ba", &account.block.name),
            };
            let account_names = AccountNames { account: Named::new(v::BATCH_ACCOUNT, name), storage: None };
            self.names.batch.accounts.push(account_names);
            self.names.place(account.id, Placed::BatchAccount(index));
        }
        for (index, workspace) in fleet.batch_support.workspaces.iter().enumerate() {
            let named = Named::new(v::WORKSPACE, workspace.name.clone());
            self.names.batch.workspaces.push(WorkspaceNames { workspace: named, own: None });
            self.names.place(workspace.id, Placed::Workspace(index));
        }
        for (index, container) in fleet.batch_support.containers.iter().enumerate() {
            let account = match container.account {
                Some(value) => self.text(value),
                None => self.names.generated("Account", "st", &container.block.name),
            };
            let home = self.home(container.existing);
            let (named, account) = in_account(v::BLOB_CONTAINER, account, self.text(&container.name), home.as_ref());
            self.names.batch.containers.push(ContainerNames { container: named, account });
            self.names.place(container.id, Placed::Container(index));
        }
        let homeless = |service| fleet.batch.iter().any(|p| p.service == service && p.home.is_none());
        if homeless(Service::AzureBatch) {
            let name = self.names.generated("Batch", "ba", fleet.name);
            let account = Named::new(v::BATCH_ACCOUNT, name);
            self.names.batch.own_account = Some(AccountNames { account, storage: None });
        }
        if homeless(Service::AzureMl) {
            let workspace = Named::new(v::WORKSPACE, format!("mlw-{}", read::dashed(fleet.name)));
            self.names.batch.own_workspace = Some(WorkspaceNames { workspace, own: None });
        }
        for (index, pool) in fleet.batch.iter().enumerate() {
            let batch = &self.names.batch;
            let span = pool.block.name_span;
            let (kind, home) = match pool.service {
                Service::AzureBatch => {
                    let names = pool.home.map_or(batch.own_account.as_ref(), |h| batch.accounts.get(h));
                    (v::BATCH_POOL, names.map(|n| n.account.clone()))
                }
                Service::AzureMl => {
                    let names = pool.home.map_or(batch.own_workspace.as_ref(), |h| batch.workspaces.get(h));
                    (v::COMPUTE, names.map(|n| n.workspace.clone()))
                }
            };
            let home = home.ok_or(Broken { what: "a batch pool without an account or workspace", span })?;
            let identity = match pool.identity {
                PoolIdentity::None => None,
                PoolIdentity::Own => Some(Named::new(v::IDENTITY, format!("id-{}", pool.dashed()))),
                PoolIdentity::Declared(index) => Some(self.identity(index, span)?),
            };
            let named = Named::child(kind, std::slice::from_ref(&home.name), pool.name.clone());
            self.names.batch.pools.push(BatchPoolNames { pool: named, home, identity });
            self.names.place(pool.id, Placed::BatchPool(index));
        }
        Ok(())
    }

    /// Storage accounts and vaults that Batch accounts and workspaces need for themselves.
    fn storage_of_services(&mut self, fleet: &Fleet<'_>) {
        let names = &mut self.names;
        let storage = |names: &mut Names, key: &str| Named::new(v::STORAGE, names.generated("Storage", "st", key));
        let accounts = fleet.batch_support.accounts.iter();
        let own: Vec<Option<Named>> = accounts
            .map(|account| {
                (account.storage && !account.existing).then(|| storage(names, &format!("{}-own", account.block.name)))
            })
            .collect();
        for (account, own) in names.batch.accounts.iter_mut().zip(own) {
            account.storage = own;
        }
        if names.batch.own_account.is_some() {
            let own = storage(names, &format!("{}-own", fleet.name));
            if let Some(account) = &mut names.batch.own_account {
                account.storage = Some(own);
            }
        }
        let parts = |names: &mut Names, key: &str, vault: bool| {
            let storage = storage(names, &format!("{key}-workspace-own"));
            let vault =
                vault.then(|| Named::new(v::VAULT, names.generated("Vault", "kv-", &format!("{key}-workspace"))));
            WorkspaceParts { storage, vault }
        };
        let workspaces = fleet.batch_support.workspaces.iter();
        let own: Vec<Option<WorkspaceParts>> = workspaces
            .map(|workspace| {
                let key = read::dashed(&workspace.block.name);
                (!workspace.existing).then(|| parts(names, &key, workspace.vault.is_none()))
            })
            .collect();
        for (workspace, own) in names.batch.workspaces.iter_mut().zip(own) {
            workspace.own = own;
        }
        if names.batch.own_workspace.is_some() {
            let own = parts(names, &read::dashed(fleet.name), true);
            if let Some(workspace) = &mut names.batch.own_workspace {
                workspace.own = Some(own);
            }
        }
    }
}
