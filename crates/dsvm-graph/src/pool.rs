//! Interactive pools: identity, roles, security group, address, load balancer, scale set, autoscale setting. Each pool is
//! built by itself, many at once, in a list of its own; then the lists are joined in source order.

use super::expr::Text;
use super::ids::{Named, capacity_parameter, resource_id, size_parameter};
use super::input::Input;
use super::internal::{Broken, Built};
use super::json::Map;
use super::names::PoolNames;
use super::naming::home_of;
use super::network::{NetworkNodes, NetworkPlans};
use super::node::{Node, NodeId, Owned, Sized, Variable};
use super::nodes::Nodes;
use super::roles::{SECRETS_USER, SMB_MI_ADMIN, Scope, assignment, pull, scope_of};
use super::vault::VaultNodes;
use super::versions::{self as v, ResourceType};
use super::visitor::{NodeVisitor, visit};
use super::{autoscale, balancer, causes, diags, outline, overlay, protect, scale_set, setup, storage, values};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::ids::{IdentityId, ShareId, TiSlice, VaultId};
use dsvm_model::pool::{Pool, PoolIdentity};
use dsvm_model::read;
use dsvm_model::share::{Auth, Share};
use dsvm_model::sizes::Fallback;
use dsvm_sema::table::BlockKind;
use dsvm_sema::table::words::PoolResource;
use dsvm_sema::value::BlockId;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What was built before the pools, for pools to refer to.
pub(crate) struct Shared<'s> {
    pub(crate) plans: &'s NetworkPlans,
    pub(crate) networks: &'s NetworkNodes,
    pub(crate) identities: &'s TiSlice<IdentityId, Option<NodeId>>,
    pub(crate) vaults: &'s TiSlice<VaultId, VaultNodes>,
    /// Nodes of each share that those who mount it wait for.
    pub(crate) shares: &'s TiSlice<ShareId, Vec<NodeId>>,
}

impl Shared<'_> {
    /// The node of a declared identity; `None` when it exists already.
    pub(crate) fn identity(&self, id: IdentityId) -> Option<NodeId> {
        self.identities.get(id).copied().flatten()
    }

    /// Nodes of a share; none when it exists already.
    pub(crate) fn share(&self, id: ShareId) -> impl Iterator<Item = NodeId> {
        self.shares.get(id).into_iter().flatten().copied()
    }

    fn vault(&self, id: VaultId) -> impl Iterator<Item = NodeId> {
        self.vaults.get(id).into_iter().flat_map(VaultNodes::ready)
    }
}

/// Position of a node in the list of its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LocalId(usize);

/// Something that a node of a pool waits for.
#[derive(Clone, Copy, Debug)]
enum Need {
    /// In the list of the pool.
    Own(LocalId),
    /// In the list of all.
    Shared(NodeId),
}

/// A node of a pool, and which nodes of the same pool it waits for.
struct Draft {
    node: Node,
    own: Vec<LocalId>,
}

/// The nodes of one pool.
#[derive(Default)]
struct Drafts(Vec<Draft>);

impl Drafts {
    fn add(&mut self, mut node: Node, needs: impl IntoIterator<Item = Need>) -> LocalId {
        let mut own = Vec::new();
        for need in needs {
            match need {
                Need::Own(id) => own.push(id),
                Need::Shared(id) => {
                    node.needs.insert(id);
                }
            }
        }
        self.0.push(Draft { node, own });
        LocalId(self.0.len() - 1)
    }

    fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.0.iter_mut().map(|draft| &mut draft.node)
    }
}

/// A pool that is built but not yet joined to the graph.
struct PoolParts {
    drafts: Drafts,
    scale_set: LocalId,
    /// The public address, or the load balancer of a pool without one.
    address: LocalId,
    /// Under autoscale: parameter of the number of machines.
    parameter: Option<String>,
    /// Long parts of the setup.
    variables: Vec<Variable>,
    sink: Sink,
}

/// What all pools add to the graph besides nodes.
#[derive(Default)]
pub(crate) struct PoolResults {
    pub(crate) owned: Vec<Owned>,
    pub(crate) sized: Vec<Sized>,
    pub(crate) variables: Vec<Variable>,
}

/// Builds all pools in parallel and joins them in source order.
pub(crate) fn build_all(
    input: &Input<'_, '_>,
    shared: &Shared<'_>,
    nodes: &mut Nodes,
    visitor: &dyn NodeVisitor,
    sink: &mut Sink,
) -> Built<PoolResults> {
    let fleet = input.fleet;
    let mut results = PoolResults::default();
    if fleet.pools.is_empty() {
        return Ok(results);
    }
    let program = Variable { name: setup::VARIABLE.into(), text: Text::literal(dsvm_machine::script()) };
    let protected = protect::spans(input.checked);
    let scoped = fleet.shares.iter().map(|s| s.id).chain(fleet.vaults.iter().map(|v| v.id));
    let scoped = scoped.chain(fleet.registries.iter().map(|registry| registry.id));
    let scopes: BTreeMap<BlockId, Scope> =
        scoped.filter_map(|id| scope_of(input, nodes, id).map(|scope| (id, scope))).collect();
    let written: BTreeMap<Text, NodeId> = nodes.of_type(v::VAULT_SECRET).collect();
    let pools = fleet.pools.par_iter().zip(&input.names.pools).enumerate();
    let built: Vec<Built<PoolParts>> = pools
        .map(|(index, (pool, names))| {
            let detail = match visitor.keeps_bodies() || !outline::suffices(pool, input.checked) {
                true => Detail::Whole,
                false => Detail::Outline,
            };
            let mut parts =
                Builder { input, shared, scopes: &scopes, written: &written, index, pool, names, detail }.build()?;
            protect::mark(parts.drafts.nodes_mut(), &protected);
            let PoolParts { drafts, sink, .. } = &mut parts;
            for node in drafts.nodes_mut().filter(|node| !may_be_shared(node)) {
                visit(visitor, node, sink);
            }
            Ok(parts)
        })
        .collect();
    let mut roles = BTreeMap::new();
    for (pool, parts) in fleet.pools.iter().zip(built) {
        join(input, pool, parts?, nodes, &mut roles, &mut results, sink)?;
    }
    results.variables.push(program);
    Ok(results)
}

/// Whether several pools may ask for the same resource: roles of one identity.
fn may_be_shared(node: &Node) -> bool {
    node.is(v::ROLE_ASSIGNMENT) || node.is(v::DEPLOYMENT)
}

/// Appends the nodes of a pool to those of all.
fn join(
    input: &Input<'_, '_>,
    pool: &Pool<'_>,
    parts: PoolParts,
    nodes: &mut Nodes,
    roles: &mut BTreeMap<Text, NodeId>,
    results: &mut PoolResults,
    sink: &mut Sink,
) -> Built<()> {
    sink.extend(parts.sink.finish());
    results.variables.extend(parts.variables);
    let mut joined: Vec<NodeId> = Vec::with_capacity(parts.drafts.0.len());
    let lost = Broken { what: "a node of a pool that was not built before", span: pool.block.name_span };
    for Draft { mut node, own } in parts.drafts.0 {
        // Two pools with one identity ask for the same role: it exists once.
        let shared_role = may_be_shared(&node);
        if let Some(existing) = roles.get(&node.id).filter(|_| shared_role) {
            joined.push(*existing);
            continue;
        }
        for id in own {
            node.needs.insert(*joined.get(id.0).ok_or(lost)?);
        }
        let key = shared_role.then(|| node.id.clone());
        let id = nodes.push(node, !shared_role);
        roles.extend(key.map(|key| (key, id)));
        joined.push(id);
    }
    let scale_set = *joined.get(parts.scale_set.0).ok_or(lost)?;
    nodes.set_pool(pool.id, scale_set, *joined.get(parts.address.0).ok_or(lost)?);
    if let Fallback::Apply(_) = pool.fallback {
        results.sized.push(Sized {
            node: scale_set,
            parameter: size_parameter(&pool.block.name),
            sizes: pool.sizes().map(|size| size.name().to_owned()).collect(),
            pool: pool.block.name.to_string(),
            span: pool.view.fields().size().span(),
        });
    }
    results.owned.extend(parts.parameter.map(|parameter| Owned {
        node: scale_set,
        parameter,
        initial: values::json(pool.machines.start(), &input.resolver()),
        bounds: (pool.machines.least(), pool.machines.most()),
        pool: pool.block.name.to_string(),
        span: pool.machines.span,
    }));
    Ok(())
}

/// What the functions that build one pool read.
struct Builder<'b, 'a, 'f> {
    input: &'b Input<'a, 'f>,
    shared: &'b Shared<'b>,
    scopes: &'b BTreeMap<BlockId, Scope>,
    /// Secrets that this deployment writes into vaults, by id.
    written: &'b BTreeMap<Text, NodeId>,
    /// Position in the fleet.
    index: usize,
    pool: &'f Pool<'a>,
    names: &'f PoolNames,
    detail: Detail,
}

/// How much of the resources of a pool is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Whole,
    /// Names, tags and dependencies.
    Outline,
}

impl Builder<'_, '_, '_> {
    /// A body that an outline does not need.
    fn body(&self, make: impl FnOnce() -> Map) -> Map {
        if self.detail == Detail::Whole { make() } else { Map::new() }
    }

    fn node(&self, kind: ResourceType, named: &Named, rest: Map) -> Node {
        let block = self.pool.block;
        // All resources of a pool have the same tags: those of one are looked at.
        if self.detail == Detail::Outline && kind != v::SCALE_SET {
            let mut node = Node::new(kind, named, rest, block.name_span);
            node.group = self.input.site(Some(block)).group;
            node.pool = u32::try_from(self.index).ok();
            return node;
        }
        let mut node = self.input.node(&self.input.site(Some(block)), kind, named, Some(block), rest, block.name_span);
        node.pool = u32::try_from(self.index).ok();
        node
    }

    fn build(&self) -> Built<PoolParts> {
        let (pool, names, resolver) = (self.pool, self.names, self.input.resolver());
        let span = pool.block.name_span;
        let (network, _) = self.input.network(pool.network, span)?;
        let subnet = self.shared.plans.subnet((pool.network, pool.subnet), span)?;
        let network_node = self.shared.networks.of(pool.network).map(Need::Shared);
        let mut drafts = Drafts::default();
        let mut before: Vec<Need> = network_node.into_iter().collect();
        let identity = match (pool.identity, &names.identity) {
            (PoolIdentity::None, _) | (PoolIdentity::Own, None) => None,
            (PoolIdentity::Declared(declared), _) => self.shared.identity(declared).map(Need::Shared),
            (PoolIdentity::Own, Some(named)) => {
                Some(Need::Own(drafts.add(self.node(v::IDENTITY, named, Map::new()), [])))
            }
        };
        before.extend(identity);
        let mut sink = Sink::default();
        self.roles(identity, &mut drafts, &mut before, &mut sink);
        let body = self.body(|| balancer::security_group(pool, &resolver));
        let mut group = self.node(v::SECURITY_GROUP, &names.security_group, body);
        let services = pool.services.iter().enumerate();
        group.places = services.map(|(i, s)| (format!("/properties/securityRules/{i}"), s.span)).collect();
        before.push(Need::Own(drafts.add(group, [])));
        let address = pool
            .public
            .then(|| drafts.add(self.node(v::PUBLIC_IP, &names.public_ip, balancer::public_ip(pool, &resolver)), []));
        let body = self.body(|| balancer::load_balancer(pool, names, network, subnet));
        let node = self.node(v::LOAD_BALANCER, &names.balancer, body);
        let way_in = address.map(Need::Own).or(network_node);
        let balancer = drafts.add(node, way_in);
        before.push(Need::Own(balancer));
        for share in &pool.shares {
            before.extend(self.shared.share(*share).map(Need::Shared));
        }
        before.extend(pool.vault.into_iter().flat_map(|vault| self.shared.vault(vault)).map(Need::Shared));
        let parameter = capacity_parameter(&pool.block.name);
        let (scale_set, variables) = match self.detail {
            Detail::Outline => (drafts.add(self.node(v::SCALE_SET, &names.scale_set, Map::new()), before), Vec::new()),
            Detail::Whole => {
                let setup::Setup { extension, variables } = setup::extension(self.input, pool, names, &mut sink)?;
                let body = scale_set::body(pool, names, (subnet, extension, &parameter), &resolver);
                let mut node = self.node(v::SCALE_SET, &names.scale_set, body);
                node.causes = causes::of_scale_set(pool);
                node.places
                    .extend(pool.uniform_for.map(|need| ("/properties/orchestrationMode".to_owned(), need.span)));
                (drafts.add(node, before), variables)
            }
        };
        if let Some(policy) = &pool.autoscale {
            let body = self.body(|| autoscale::body(policy, &pool.machines, names, &resolver));
            let mut node = self.node(v::AUTOSCALE, &names.autoscale, body);
            node.span = policy.block.span;
            node.places = match self.detail {
                Detail::Whole => autoscale::places(policy, pool.machines.span),
                Detail::Outline => Vec::new(),
            };
            drafts.add(node, [Need::Own(scale_set)]);
        }
        self.overrides(&mut drafts, &mut sink);
        Ok(PoolParts {
            drafts,
            scale_set,
            address: address.unwrap_or(balancer),
            parameter: pool.autoscale.is_some().then_some(parameter),
            variables,
            sink,
        })
    }

    /// Least roles for what the machines read: shares by identity, each secret that they are told to read, and images of
    /// registries.
    fn roles(&self, identity: Option<Need>, drafts: &mut Drafts, before: &mut Vec<Need>, sink: &mut Sink) {
        let Some(named) = &self.names.identity else { return };
        let mut seen = BTreeSet::new();
        let mut add = |scope: &Scope, role: &str, span: Span| {
            let mut node = assignment((named, None), scope, role, span);
            if seen.insert(node.id.clone()) {
                node.pool = u32::try_from(self.index).ok();
                before.push(Need::Own(drafts.add(node, identity)));
            }
        };
        let by_identity = |share: &&Share<'_>| share.auth == Auth::ManagedIdentity;
        for share in self.pool.shares.iter().filter_map(|s| self.input.fleet.shares.get(*s)).filter(by_identity) {
            if let Some(scope) = self.scopes.get(&share.id) {
                add(scope, SMB_MI_ADMIN, self.pool.view.fields().shares().span());
            }
        }
        for registry in self.pool.view.registries().into_iter().flatten() {
            if let Some(scope) = self.scopes.get(&registry.id) {
                let permissions = self.input.checked.view(registry).permissions();
                add(scope, pull(permissions), self.pool.view.fields().registries().span());
            }
        }
        let mut told = BTreeSet::new();
        for (vault, secret, span) in self.secrets() {
            let Some((declared, name)) = self.input.fleet.vaults.get(vault).zip(self.input.names.vaults.get(vault))
            else {
                continue;
            };
            let home = declared.existing.map(|place| home_of(place, &self.input.resolver()));
            let id = resource_id(v::VAULT_SECRET, &[name.name.clone(), secret], home.as_ref());
            let key = read::dashed(&declared.block.name);
            match (self.written.get(&id), declared.existing.is_some()) {
                (node, true) => add(&Scope { id: Some(id), node: node.copied(), home, key }, SECRETS_USER, span),
                (Some(node), false) => add(&Scope { id: Some(id), node: Some(*node), home, key }, SECRETS_USER, span),
                // A new vault cannot have the secret yet, and no source says that Azure grants a role on a secret that does
                // not exist.
                (None, false) => {
                    if let Some(scope) = self.scopes.get(&declared.id) {
                        add(scope, SECRETS_USER, span);
                    }
                    if told.insert(vault) {
                        sink.push(diags::role_on_whole_vault(self.pool.block, declared.block, span));
                    }
                }
            }
        }
    }

    /// The secrets that the machines read, with the places where they are named: keys of shares, passwords, the host key.
    fn secrets(&self) -> Vec<(VaultId, Text, Span)> {
        let (pool, resolver) = (self.pool, self.input.resolver());
        let mut secrets = Vec::new();
        let at = pool.view.fields().shares().span();
        let by_key = |share: &&Share<'_>| share.auth == Auth::KeyVault;
        for share in pool.shares.iter().filter_map(|s| self.input.fleet.shares.get(*s)).filter(by_key) {
            if let Some(vault) = share.vault.and_then(|vault| self.input.vault_position(vault)) {
                secrets.push((vault, storage::secret_name(share, &resolver), at));
            }
        }
        let Some(vault) = pool.vault else { return secrets };
        let admin = pool.admin.password_secret.map(|s| (s, pool.admin.view.fields().password_secret().span()));
        let users = pool.users.iter();
        let users = users.filter_map(|u| Some((u.password_secret?, u.view.fields().password_secret().span())));
        let host_key = pool.host_key.map(|s| (s, pool.view.fields().host_key().span()));
        secrets.extend(
            admin.into_iter().chain(users).chain(host_key).map(|(s, at)| (vault, values::text(s, &resolver), at)),
        );
        secrets
    }

    /// Lays the overrides of the pool over its resources.
    fn overrides(&self, drafts: &mut Drafts, sink: &mut Sink) {
        let (pool, names) = (self.pool, self.names);
        for block in pool.block.children(BlockKind::Override) {
            let target = PoolResource::from_word(&block.name).and_then(|resource| match resource {
                PoolResource::ScaleSet => Some(&names.scale_set),
                PoolResource::LoadBalancer => Some(&names.balancer),
                PoolResource::PublicIp => Some(&names.public_ip),
                PoolResource::SecurityGroup => Some(&names.security_group),
                PoolResource::Autoscale => Some(&names.autoscale),
                PoolResource::Identity => names.identity.as_ref(),
            });
            // A pool without a public address, a policy or an identity of its own has no such node.
            match target.and_then(|named| drafts.nodes_mut().find(|node| node.id == named.id)) {
                Some(node) => overlay::apply(node, block, &self.input.resolver(), sink),
                None => {
                    let absent = PoolResource::from_word(&block.name);
                    let here = |word: &&str| PoolResource::from_word(word) != absent;
                    let known: Vec<&str> = PoolResource::WORDS.iter().copied().filter(here).collect();
                    let found = diags::unknown_override(&block.name, block.name_span, &known);
                    sink.push(match absent.and_then(what_to_add) {
                        Some(help) => diags::override_of_nothing(&block.name, block.name_span, help),
                        None => found,
                    });
                }
            }
        }
    }
}

/// What a pool needs to get a resource that it does not have.
fn what_to_add(resource: PoolResource) -> Option<&'static str> {
    Some(match resource {
        PoolResource::Autoscale => {
            "give the pool a range and rules, as in `machines = 1..10` and `autoscale { … }`, or remove the override"
        }
        PoolResource::PublicIp => "write `public = true` in the pool, or remove the override",
        PoolResource::Identity => "remove the override: the pool uses an identity that is declared elsewhere",
        PoolResource::LoadBalancer | PoolResource::SecurityGroup | PoolResource::ScaleSet => return None,
    })
}
