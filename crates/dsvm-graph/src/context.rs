//! The workshop in which the graph is put together: names and ids of everything, nodes, and what resolves references.

use super::expr::Text;
use super::values::{self};
use super::versions as v;
use super::{Node, NodeId, Output, Owned, ResourceGraph, Variable, diags};
use crate::json::{Json, Map};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::network::Elsewhere;
use dsvm_model::pool::PoolIdentity;
use dsvm_model::services::{JUPYTERHUB, SSH};
use dsvm_model::{Fleet, read};
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Deploy, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Name and id of a thing that others refer to.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: Text,
    pub(crate) id: Text,
}

impl Named {
    /// A resource with a name that is known, in the group that is deployed to.
    pub(crate) fn here(kind: &str, name: String) -> Self {
        let name = Text::literal(name);
        Self { id: resource_id(kind, std::slice::from_ref(&name), None), name }
    }
}

/// A share: its account, and the share itself.
#[derive(Clone, Debug)]
pub(crate) struct ShareNames {
    pub(crate) account: Named,
    pub(crate) share: Named,
    pub(crate) host: Text,
}

/// A pool: its scale set, address and identity.
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

/// Names of everything, by position in the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) networks: Vec<Named>,
    pub(crate) shares: Vec<ShareNames>,
    pub(crate) identities: Vec<Named>,
    pub(crate) vaults: Vec<Named>,
    pub(crate) resources: Vec<Named>,
    pub(crate) pools: Vec<PoolNames>,
    pub(crate) batch: super::batch::BatchNames,
    /// Names that are made at deployment, each as a variable of the template.
    pub(crate) variables: Vec<Variable>,
    by_block: BTreeMap<BlockId, (BlockKind, usize)>,
}

impl Names {
    /// Says where a block is.
    pub(crate) fn place(&mut self, id: BlockId, kind: BlockKind, index: usize) {
        self.by_block.insert(id, (kind, index));
    }

    /// A name that is unique in all of Azure, kept in a variable: `notebooksAccount`.
    pub(crate) fn made_up(&mut self, what: &str, prefix: &str, key: &str) -> Text {
        let mut name = format!("{}{what}", super::scale_set::camel(key));
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
        let block = &self.checked[id];
        match block.kind {
            BlockKind::Region => Text::literal(block.name.as_ref()),
            _ => self.find(id, "id").unwrap_or_else(|| Text::literal(block.name.as_ref())),
        }
    }

    /// An attribute; `null()` when the block has none of that name, which was reported.
    pub(crate) fn attribute(&self, id: BlockId, name: &str) -> Text {
        self.find(id, name).unwrap_or_else(|| Text::Expression("null()".into()))
    }

    pub(crate) fn find(&self, id: BlockId, name: &str) -> Option<Text> {
        let (kind, index) = *self.names.by_block.get(&id)?;
        let of = |named: &Named, kind: &str| match name {
            "id" => Some(named.id.clone()),
            "name" => Some(named.name.clone()),
            "principal_id" => Some(reference(&named.id, kind).member("principalId")),
            "client_id" => Some(reference(&named.id, kind).member("clientId")),
            _ => None,
        };
        match kind {
            BlockKind::Network => of(self.names.networks.get(index)?, v::NETWORK),
            BlockKind::Identity => of(self.names.identities.get(index)?, v::IDENTITY),
            BlockKind::Resource => of(self.names.resources.get(index)?, ""),
            BlockKind::Vault => {
                let vault = self.names.vaults.get(index)?;
                match name {
                    "uri" => Some(reference(&vault.id, v::VAULT).member("vaultUri")),
                    _ => of(vault, v::VAULT),
                }
            }
            BlockKind::Share => {
                let share = self.names.shares.get(index)?;
                match name {
                    "account" => Some(share.account.name.clone()),
                    "host" => Some(share.host.clone()),
                    "url" => Some(Text::concat(&[
                        "https://".into(),
                        share.host.clone(),
                        "/".into(),
                        share.share.name.clone(),
                    ])),
                    _ => of(&share.share, v::FILE_SHARE),
                }
            }
            BlockKind::Pool => {
                let pool = self.names.pools.get(index)?;
                match name {
                    "address" => Some(pool.address.clone()),
                    "ssh" => pool.ssh.clone(),
                    "jupyterhub" => pool.jupyterhub.clone(),
                    "principal_id" | "client_id" => of(pool.identity.as_ref()?, v::IDENTITY),
                    _ => of(&pool.scale_set, v::SCALE_SET),
                }
            }
            _ => super::batch::find(&self.names.batch, kind, index, name),
        }
    }
}

/// `reference(id, version)`
pub(crate) fn reference(id: &Text, kind: &str) -> Text {
    Text::call("reference", &[id.clone(), Text::literal(v::version(kind))])
}

/// `resourceId('type', names…)`, with group and subscription of things elsewhere.
pub(crate) fn resource_id(kind: &str, names: &[Text], elsewhere: Option<(Option<Text>, Option<Text>)>) -> Text {
    let mut arguments = Vec::with_capacity(names.len() + 3);
    if let Some((group, subscription)) = elsewhere {
        let needs_group = group.is_some() || subscription.is_some();
        arguments.extend(subscription);
        if needs_group {
            arguments.push(group.unwrap_or_else(|| Text::Expression("resourceGroup().name".into())));
        }
    }
    arguments.push(kind.into());
    arguments.extend_from_slice(names);
    Text::call("resourceId", &arguments)
}

/// A name that is unique in all of Azure: a prefix and thirteen letters made of the resource group and a key.
pub(crate) fn unique(prefix: &str, key: &str) -> Text {
    let hash = Text::call("uniqueString", &[Text::Expression("resourceGroup().id".into()), key.into()]);
    Text::concat(&[prefix.into(), hash])
}

/// Puts the graph together.
pub(crate) struct Builder<'a, 'f> {
    pub(crate) fleet: &'f Fleet<'a>,
    pub(crate) checked: &'a Checked,
    pub(crate) names: Names,
    pub(crate) location: Json,
    /// Where what is added now goes.
    pub(crate) place: Place,
    pub(crate) tags: Map,
    pub(crate) nodes: Vec<Node>,
    /// Which nodes were shown to who watches; the rest was not.
    pub(crate) seen: Vec<bool>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) owned: Vec<Owned>,
    pub(crate) outputs: Vec<Output>,
    /// Node of each block that has one; shares: the share itself.
    pub(crate) by_block: BTreeMap<BlockId, NodeId>,
    /// Node of each pool's scale set.
    pub(crate) scale_sets: BTreeMap<BlockId, NodeId>,
    /// What a pool on this network, with this share or vault, has to wait for.
    pub(crate) network_nodes: BTreeMap<usize, Vec<NodeId>>,
    pub(crate) share_nodes: BTreeMap<usize, Vec<NodeId>>,
    pub(crate) vault_nodes: BTreeMap<usize, Vec<NodeId>>,
    pub(crate) identity_nodes: BTreeMap<usize, NodeId>,
    pub(crate) network_plans: Vec<super::network::NetworkPlan>,
    pub(crate) project_span: Span,
}

impl<'a, 'f> Builder<'a, 'f> {
    pub(crate) fn new(fleet: &'f Fleet<'a>, checked: &'a Checked) -> Self {
        let project_span = checked
            .project
            .map(|p| checked[p].name_span)
            .or_else(|| fleet.pools.first().map(|p| p.block.name_span))
            .unwrap_or(Span::new(dsvm_diagnostics::source::SourceId(0), 0, 0));
        let names = name_everything(fleet, checked);
        let resolver = Resolver { checked, names: &names };
        let location = match fleet.location {
            Some(value) => values::json(value, &resolver),
            None => Json::String("[resourceGroup().location]".into()),
        };
        let tags = tag_map(fleet.tags, &resolver);
        Self {
            fleet,
            checked,
            names,
            place: Place { group: None, location: location.clone() },
            location,
            tags,
            nodes: Vec::new(),
            seen: Vec::new(),
            variables: Vec::new(),
            owned: Vec::new(),
            outputs: Vec::new(),
            by_block: BTreeMap::new(),
            scale_sets: BTreeMap::new(),
            network_nodes: BTreeMap::new(),
            share_nodes: BTreeMap::new(),
            vault_nodes: BTreeMap::new(),
            identity_nodes: BTreeMap::new(),
            network_plans: Vec::new(),
            project_span,
        }
    }

    pub(crate) fn resolver(&self) -> Resolver<'a, '_> {
        Resolver { checked: self.checked, names: &self.names }
    }

    /// Adds a node.
    pub(crate) fn add(&mut self, mut node: Node) -> NodeId {
        node.group = node.group.or_else(|| self.place.group.clone());
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        id
    }

    /// Where a block says that it is; the project's place without a block.
    pub(crate) fn place_of(&self, block: Option<&Block>) -> Place {
        place_of(block, &self.location, &self.resolver())
    }

    /// The project's tags and those of a block.
    pub(crate) fn tags_of(&self, block: Option<&Block>) -> Map {
        merged_tags(&self.tags, block, &self.resolver())
    }

    /// A node with location and tags.
    pub(crate) fn node(&self, kind: &str, named: &Named, block: Option<&Block>, rest: Map, span: Span) -> Node {
        let mut body = Map::new();
        body.insert("location".into(), self.place.location.clone());
        let tags = self.tags_of(block);
        if !tags.is_empty() {
            body.insert("tags".into(), Json::Object(tags));
        }
        body.extend(rest);
        plain_node(kind, named, body, span)
    }
}

/// Resource group and region of what is deployed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// `None`: the group deployed to.
    pub(crate) group: Option<Text>,
    pub(crate) location: Json,
}

/// Where a block says that it is.
pub(crate) fn place_of(block: Option<&Block>, location: &Json, resolver: &Resolver<'_, '_>) -> Place {
    let written = |field: &str| block.and_then(|b| read::late(b, field));
    Place {
        group: written("resource_group").map(|v| values::text(v, resolver)),
        location: written("location").map_or_else(|| location.clone(), |v| values::json(v, resolver)),
    }
}

/// A node without location and tags.
pub(crate) fn plain_node(kind: &str, named: &Named, body: Map, span: Span) -> Node {
    Node {
        kind: Arc::from(kind),
        api_version: Arc::from(v::version(kind)),
        name: named.name.clone(),
        id: named.id.clone(),
        body,
        needs: BTreeSet::new(),
        span,
        places: Vec::new(),
        pool: None,
        group: None,
    }
}

/// The project's tags and those of a block.
pub(crate) fn merged_tags(tags: &Map, block: Option<&Block>, resolver: &Resolver<'_, '_>) -> Map {
    let mut all = tags.clone();
    all.extend(tag_map(block.and_then(|b| read::late(b, "tags")), resolver));
    all
}

fn tag_map(tags: Option<&Value>, resolver: &Resolver<'_, '_>) -> Map {
    match tags {
        Some(Value::Record(record)) => {
            record.iter().map(|(k, v)| (k.to_string().into(), Json::from(values::text(v, resolver)))).collect()
        }
        _ => Map::new(),
    }
}

fn elsewhere(place: Option<Elsewhere<'_>>, resolver: &Resolver<'_, '_>) -> Option<(Option<Text>, Option<Text>)> {
    place.map(|p| {
        (p.resource_group.map(|v| values::text(v, resolver)), p.subscription.map(|v| values::text(v, resolver)))
    })
}

fn name_everything(fleet: &Fleet<'_>, checked: &Checked) -> Names {
    let mut names = Names::default();
    let text = |value: &Value, names: &Names| values::text(value, &Resolver { checked, names });
    for (index, network) in fleet.networks.iter().enumerate() {
        let name = match &network.name {
            Some(name) => text(name, &names),
            None => Text::literal(format!("vnet-{}", read::dashed(fleet.name))),
        };
        let place = elsewhere(network.existing, &Resolver { checked, names: &names });
        names.networks.push(Named { id: resource_id(v::NETWORK, std::slice::from_ref(&name), place), name });
        if let Some((block, _)) = network.block {
            names.by_block.insert(block, (BlockKind::Network, index));
        }
    }
    for (index, identity) in fleet.identities.iter().enumerate() {
        let name = text(&identity.name, &names);
        let place = elsewhere(identity.existing, &Resolver { checked, names: &names });
        names.identities.push(Named { id: resource_id(v::IDENTITY, std::slice::from_ref(&name), place), name });
        names.by_block.insert(identity.id, (BlockKind::Identity, index));
    }
    for (index, vault) in fleet.vaults.iter().enumerate() {
        let name = match vault.name {
            Some(value) => text(value, &names),
            None => names.made_up("Vault", "kv-", &vault.block.name),
        };
        let place = elsewhere(vault.existing, &Resolver { checked, names: &names });
        names.vaults.push(Named { id: resource_id(v::VAULT, std::slice::from_ref(&name), place), name });
        names.by_block.insert(vault.id, (BlockKind::Vault, index));
    }
    for (index, share) in fleet.shares.iter().enumerate() {
        let account = match share.account {
            Some(value) => text(value, &names),
            None => names.made_up("Account", "st", &share.block.name),
        };
        let name = text(&share.name, &names);
        let place = elsewhere(share.existing, &Resolver { checked, names: &names });
        let path = [account.clone(), "default".into(), name.clone()];
        names.shares.push(ShareNames {
            host: Text::concat(&[
                account.clone(),
                ".file.".into(),
                Text::Expression("environment().suffixes.storage".into()),
            ]),
            share: Named { id: resource_id(v::FILE_SHARE, &path, place.clone()), name },
            account: Named { id: resource_id(v::STORAGE, std::slice::from_ref(&account), place), name: account },
        });
        names.by_block.insert(share.id, (BlockKind::Share, index));
    }
    for (index, resource) in fleet.resources.iter().enumerate() {
        let name = text(&resource.name, &names);
        let parts: Vec<Text> = match &name {
            Text::Literal(path) => path.split('/').map(Text::from).collect(),
            Text::Expression(_) => vec![name.clone()],
        };
        names.resources.push(Named { id: resource_id(resource.kind, &parts, None), name });
        names.by_block.insert(resource.id, (BlockKind::Resource, index));
    }
    for (index, pool) in fleet.pools.iter().enumerate() {
        let key = pool.dashed();
        let named = |kind: &str, name: Text| Named { id: resource_id(kind, std::slice::from_ref(&name), None), name };
        let prefixed = |kind: &str, prefix: &str| named(kind, Text::literal(format!("{prefix}{key}")));
        let public_ip = prefixed(v::PUBLIC_IP, "pip-");
        let balancer = prefixed(v::LOAD_BALANCER, "lb-");
        let address = if pool.public {
            reference(&public_ip.id, v::PUBLIC_IP).member("dnsSettings.fqdn")
        } else {
            reference(&balancer.id, v::LOAD_BALANCER).member("frontendIPConfigurations[0].properties.privateIPAddress")
        };
        let admin = text(&pool.admin.name, &names);
        let ssh = pool.serves(SSH).then(|| Text::concat(&["ssh ".into(), admin, "@".into(), address.clone()]));
        let jupyterhub = pool
            .serves(JUPYTERHUB)
            .then(|| Text::concat(&["https://".into(), address.clone(), format!(":{JUPYTERHUB}").into()]));
        let identity = match pool.identity {
            PoolIdentity::None => None,
            PoolIdentity::Own => Some(prefixed(v::IDENTITY, "id-")),
            PoolIdentity::Declared(index) => names.identities.get(index).cloned(),
        };
        let scale_set = named(v::SCALE_SET, text(&read::azure_name(pool.block, "vmss-"), &names));
        let names_of_pool = PoolNames {
            scale_set,
            security_group: prefixed(v::SECURITY_GROUP, "nsg-"),
            autoscale: prefixed(v::AUTOSCALE, "autoscale-"),
            balancer,
            public_ip,
            identity,
            address,
            ssh,
            jupyterhub,
        };
        names.pools.push(names_of_pool);
        names.by_block.insert(pool.id, (BlockKind::Pool, index));
    }
    super::batch::name(fleet, checked, &mut names);
    names
}

/// Attributes that a value reads, at any depth.
pub(crate) fn attributes(value: &Value, found: &mut Vec<(BlockId, String)>) {
    match value {
        Value::List(list) => list.iter().for_each(|v| attributes(v, found)),
        Value::Record(record) => record.values().for_each(|v| attributes(v, found)),
        Value::Deferred(deferred) => deploy_attributes(&deferred.expr, found),
        Value::Ref(id) => found.push((*id, "id".into())),
        _ => {}
    }
}

fn deploy_attributes(expr: &Deploy, found: &mut Vec<(BlockId, String)>) {
    match expr {
        Deploy::Constant(value) => attributes(value, found),
        Deploy::Parameter(_) => {}
        Deploy::Attribute(id, name) => found.push((*id, (*name).to_string())),
        Deploy::Call(_, arguments) => arguments.iter().for_each(|a| deploy_attributes(a, found)),
        Deploy::Member(of, _) => deploy_attributes(of, found),
        Deploy::Index(of, index) => {
            deploy_attributes(of, found);
            deploy_attributes(index, found);
        }
    }
}

impl Builder<'_, '_> {
    /// Nodes that a value waits for; reports attributes that do not exist.
    pub(crate) fn waits_for(&self, value: &Value, span: Span, sink: &mut Sink) -> BTreeSet<NodeId> {
        let mut found = Vec::new();
        attributes(value, &mut found);
        let mut nodes = BTreeSet::new();
        for (id, name) in found {
            // What tells of the scale set waits for it; the address is there before.
            let of_scale_set = matches!(name.as_str(), "id" | "name" | "principal_id" | "client_id");
            let scale_set = self.scale_sets.get(&id).filter(|_| of_scale_set);
            nodes.extend(scale_set.or_else(|| self.by_block.get(&id)));
            let block = &self.checked[id];
            let known = !self.fleet.refused.contains(&id);
            if known && name != "id" && self.resolver().find(id, &name).is_none() && block.kind != BlockKind::Project {
                sink.push(diags::attribute_unavailable(block, &name, span));
            }
        }
        nodes
    }

    /// Orders the nodes and adds the outputs.
    pub(crate) fn finish(mut self, sink: &mut Sink) -> ResourceGraph {
        super::output::pools(&mut self);
        super::output::declared(&mut self, sink);
        super::order::check_names(&self.nodes, sink);
        super::order::sort(self, sink)
    }
}
