//! Everything of one pool: identity, roles, the way in, the scale set, its autoscale setting. Pools are built in parallel.

use super::context::{Builder, Names, PoolNames, Resolver, merged_tags, place_of, plain_node};
use super::expr::Text;
use super::support::{SECRETS_USER, SMB_MI_ADMIN, Scope, assignment, scope_of};
use super::values::{self, iso};
use super::versions as v;
use super::watch::{Variables, Watch, show};
use super::{Node, NodeId, Owned, Variable, autoscale, balancer, cloud_init, diags, free, profile, words};
use crate::json::{Json, Map, json};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::Fleet;
use dsvm_model::pool::{Orchestration, Pool, PoolIdentity};
use dsvm_model::share::Auth;
use dsvm_sema::checked::Checked;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Value};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Marks a node id that counts from the pool's own first node.
const LOCAL: u32 = 1 << 31;

/// What the pools read of the workshop.
struct Shared<'a, 'b> {
    fleet: &'b Fleet<'a>,
    checked: &'a Checked,
    names: &'b Names,
    location: &'b Json,
    tags: &'b Map,
    subnets: Vec<Vec<Text>>,
    network_nodes: &'b BTreeMap<usize, Vec<NodeId>>,
    share_nodes: &'b BTreeMap<usize, Vec<NodeId>>,
    vault_nodes: &'b BTreeMap<usize, Vec<NodeId>>,
    identity_nodes: &'b BTreeMap<usize, NodeId>,
    scopes: BTreeMap<BlockId, Scope>,
}

/// The resources of one pool.
#[derive(Default)]
struct Parts {
    nodes: Vec<Node>,
    /// Which of them is the scale set.
    scale_set: usize,
    owned: Option<Owned>,
    /// Node of the address, public or not.
    address: usize,
    identity: Option<NodeId>,
    /// Long parts of its setup.
    variables: Vec<Variable>,
    sink: Sink,
}

impl Parts {
    fn add(&mut self, node: Node) -> NodeId {
        let id = NodeId(LOCAL | u32::try_from(self.nodes.len()).unwrap_or(0));
        self.nodes.push(node);
        id
    }

    /// Shows the resources to somebody, but those that other pools may ask for too.
    fn show(&mut self, watch: &dyn Watch, shared: &[Variable]) {
        let variables = Variables { own: &self.variables, shared };
        for node in self.nodes.iter_mut().filter(|node| !may_be_shared(node)) {
            show(watch, node, variables, &mut self.sink);
        }
    }
}

/// All pools.
pub(crate) fn pools(builder: &mut Builder<'_, '_>, watch: &dyn Watch, sink: &mut Sink) {
    let fleet = builder.fleet;
    if fleet.pools.is_empty() {
        return;
    }
    let text = Text::Literal(cloud_init::DOCUMENT.clone());
    let document = Variable { name: cloud_init::VARIABLE.into(), text };
    let marked = super::protected(builder.checked);
    let mut scopes = BTreeMap::new();
    for id in fleet.shares.iter().map(|s| s.id).chain(fleet.vaults.iter().map(|v| v.id)) {
        scopes.extend(scope_of(builder, id).map(|scope| (id, scope)));
    }
    let shared = Shared {
        fleet,
        checked: builder.checked,
        names: &builder.names,
        location: &builder.location,
        tags: &builder.tags,
        subnets: builder.network_plans.iter().map(|p| p.subnets.clone()).collect(),
        network_nodes: &builder.network_nodes,
        share_nodes: &builder.share_nodes,
        vault_nodes: &builder.vault_nodes,
        identity_nodes: &builder.identity_nodes,
        scopes,
    };
    let made = fleet.pools.par_iter().enumerate().map(|(index, pool)| {
        let mut parts = shared.build(index, pool);
        super::protect(&mut parts.nodes, &marked);
        parts.show(watch, std::slice::from_ref(&document));
        parts
    });
    let built: Vec<Parts> = made.collect();
    let mut assigned: BTreeMap<Text, NodeId> = BTreeMap::new();
    for (pool, parts) in fleet.pools.iter().zip(built) {
        sink.extend(parts.sink.finish());
        builder.variables.extend(parts.variables);
        let mut places = Vec::with_capacity(parts.nodes.len());
        for mut node in parts.nodes {
            // Two pools with one identity ask for the same role: it is there once.
            let shared_role = may_be_shared(&node);
            if let Some(existing) = assigned.get(&node.id).filter(|_| shared_role) {
                places.push(*existing);
                continue;
            }
            node.needs = node.needs.iter().map(|need| resolve(*need, &places)).collect();
            let id = builder.add(node);
            builder.seen.resize(builder.nodes.len() - 1, false);
            builder.seen.push(!shared_role);
            if shared_role {
                let key = builder.nodes.last().map(|n| n.id.clone());
                assigned.extend(key.map(|key| (key, id)));
            }
            places.push(id);
        }
        let scale_set = places.get(parts.scale_set).copied().unwrap_or(NodeId(0));
        builder.scale_sets.insert(pool.id, scale_set);
        builder.by_block.insert(pool.id, places.get(parts.address).copied().unwrap_or(scale_set));
        if let Some(mut owned) = parts.owned {
            owned.node = scale_set;
            builder.owned.push(owned);
        }
    }
    builder.variables.push(document);
}

/// Whether several pools may ask for the same resource: roles of one identity.
fn may_be_shared(node: &Node) -> bool {
    node.kind.as_ref() == v::ROLE_ASSIGNMENT || node.kind.as_ref() == v::DEPLOYMENT
}

fn resolve(need: NodeId, places: &[NodeId]) -> NodeId {
    if need.0 & LOCAL == 0 {
        return need;
    }
    places.get((need.0 & !LOCAL) as usize).copied().unwrap_or(need)
}

impl Shared<'_, '_> {
    fn node(&self, pool: &Pool<'_>, index: usize, kind: &str, named: &super::context::Named, rest: Map) -> Node {
        let resolver = Resolver { checked: self.checked, names: self.names };
        let mut body = Map::new();
        let place = place_of(Some(pool.block), self.location, &resolver);
        body.insert("location".into(), place.location);
        let tags = merged_tags(self.tags, Some(pool.block), &resolver);
        if !tags.is_empty() {
            body.insert("tags".into(), Json::Object(tags));
        }
        body.extend(rest);
        let mut node = plain_node(kind, named, body, pool.block.name_span);
        node.pool = u32::try_from(index).ok();
        node.group = place.group;
        node
    }

    fn build(&self, index: usize, pool: &Pool<'_>) -> Parts {
        let mut parts = Parts::default();
        let resolver = Resolver { checked: self.checked, names: self.names };
        let (Some(names), Some(network)) = (self.names.pools.get(index), self.fleet.networks.get(pool.network)) else {
            return parts;
        };
        let subnet =
            self.subnets.get(pool.network).and_then(|s| s.get(pool.subnet)).cloned().unwrap_or_else(|| "".into());
        let mut before: BTreeSet<NodeId> = BTreeSet::new();
        let network_nodes = self.network_nodes.get(&pool.network).cloned().unwrap_or_default();
        before.extend(network_nodes.iter().copied());
        parts.identity = match pool.identity {
            PoolIdentity::None => None,
            PoolIdentity::Declared(declared) => self.identity_nodes.get(&declared).copied(),
            PoolIdentity::Own => names.identity.as_ref().map(|named| {
                let node = self.node(pool, index, v::IDENTITY, named, Map::new());
                parts.add(node)
            }),
        };
        before.extend(parts.identity);
        self.roles(index, pool, names, &mut parts, &mut before);
        let group =
            self.node(pool, index, v::SECURITY_GROUP, &names.security_group, balancer::security_group(pool, &resolver));
        let group = parts.add(with_places(group, pool, "/properties/securityRules"));
        before.insert(group);
        let mut address = None;
        if pool.public {
            let node = self.node(pool, index, v::PUBLIC_IP, &names.public_ip, balancer::public_ip(pool, &resolver));
            address = Some(parts.add(node));
        }
        let mut node = self.node(
            pool,
            index,
            v::LOAD_BALANCER,
            &names.balancer,
            balancer::load_balancer(pool, names, network, &subnet),
        );
        node.needs.extend(address);
        if !pool.public {
            node.needs.extend(network_nodes.iter().copied());
        }
        let balancer_node = parts.add(node);
        before.insert(balancer_node);
        parts.address = (address.unwrap_or(balancer_node).0 & !LOCAL) as usize;
        for share in &pool.shares {
            before.extend(self.share_nodes.get(share).into_iter().flatten().copied());
        }
        before.extend(pool.vault.and_then(|vault| self.vault_nodes.get(&vault)).into_iter().flatten().copied());
        let parameter = parameter_name(&pool.block.name);
        let (custom, variables) = cloud_init::custom_data(self.fleet, self.names, index, pool, &resolver);
        parts.variables = variables;
        let mut node = self.node(
            pool,
            index,
            v::SCALE_SET,
            &names.scale_set,
            self.scale_set(pool, names, &subnet, &custom, &parameter),
        );
        node.needs = before;
        let scale_set = parts.add(node);
        parts.scale_set = (scale_set.0 & !LOCAL) as usize;
        if let Some(policy) = &pool.autoscale {
            let body = autoscale::body(policy, &pool.machines, names, &resolver);
            let mut node = self.node(pool, index, v::AUTOSCALE, &names.autoscale, body);
            node.span = policy.block.span;
            node.places = autoscale::places(policy, pool.machines.span);
            node.needs.insert(scale_set);
            parts.add(node);
            parts.owned = Some(Owned {
                node: scale_set,
                parameter,
                initial: values::json(pool.machines.start(), &resolver),
                bounds: (pool.machines.least(), pool.machines.most()),
                pool: pool.block.name.to_string(),
                span: pool.machines.span,
            });
        }
        self.overrides(pool, names, &mut parts, &resolver);
        parts
    }

    /// Least roles for what the machines read: shares by identity, secrets of a vault.
    fn roles(
        &self,
        index: usize,
        pool: &Pool<'_>,
        names: &PoolNames,
        parts: &mut Parts,
        before: &mut BTreeSet<NodeId>,
    ) {
        let Some(identity) = &names.identity else { return };
        let mut wanted: Vec<(BlockId, &str, Span)> = Vec::new();
        let span = pool.block.span_of("shares");
        for share in pool.shares.iter().filter_map(|s| self.fleet.shares.get(*s)) {
            match (share.auth, share.vault) {
                (Auth::ManagedIdentity, _) => wanted.push((share.id, SMB_MI_ADMIN, span)),
                (Auth::KeyVault, Some(vault)) => wanted.push((vault, SECRETS_USER, span)),
                _ => {}
            }
        }
        if let Some(vault) = pool.vault.and_then(|v| self.fleet.vaults.get(v)) {
            wanted.push((vault.id, SECRETS_USER, pool.block.span_of("vault")));
        }
        let mut seen = BTreeSet::new();
        for (id, role, span) in wanted {
            let Some(scope) = self.scopes.get(&id) else { continue };
            let mut node = assignment(identity, parts.identity, scope, role, span);
            if seen.insert(node.id.clone()) {
                node.pool = u32::try_from(index).ok();
                before.insert(parts.add(node));
            }
        }
    }

    fn scale_set(&self, pool: &Pool<'_>, names: &PoolNames, subnet: &Text, custom: &Text, parameter: &str) -> Map {
        let resolver = Resolver { checked: self.checked, names: self.names };
        let flexible = pool.orchestration == Orchestration::Flexible;
        let mut body = Map::new();
        let capacity = match &pool.autoscale {
            Some(_) => Json::from(Text::call("parameters", &[parameter.into()])),
            None => values::json(pool.machines.start(), &resolver),
        };
        body.insert("sku".into(), json!({ "name": pool.size.name(), "tier": "Standard", "capacity": capacity }));
        if let Some((name, publisher, product)) = pool.image.plan() {
            body.insert("plan".into(), json!({ "name": name, "publisher": publisher, "product": product }));
        }
        if let Some(identity) = profile::identity(pool, names) {
            body.insert("identity".into(), identity);
        }
        if !pool.zones.is_empty() {
            let zones: Vec<String> = pool.zones.iter().map(i64::to_string).collect();
            body.insert("zones".into(), json!(zones));
        }
        let mut properties = Map::new();
        properties.insert("orchestrationMode".into(), json!(if flexible { "Flexible" } else { "Uniform" }));
        if !flexible {
            properties.insert("overprovision".into(), json!(false));
            properties.insert("singlePlacementGroup".into(), json!(!pool.large));
        }
        properties.insert(
            "platformFaultDomainCount".into(),
            json!(if flexible || pool.large || !pool.zones.is_empty() { 1 } else { 5 }),
        );
        if pool.zones.len() > 1 {
            properties.insert("zoneBalance".into(), json!(false));
        }
        properties.insert("upgradePolicy".into(), profile::upgrade(pool));
        if let Some((action, grace)) = pool.repair {
            properties.insert(
                "automaticRepairsPolicy".into(),
                json!({ "enabled": true, "gracePeriod": iso(grace), "repairAction": words::repair(action) }),
            );
        }
        properties.insert(
            "scaleInPolicy".into(),
            json!({ "rules": [words::scale_in(pool.scale_in)], "forceDeletion": false }),
        );
        if let Some(seconds) = pool.spot.as_ref().and_then(|s| s.restore) {
            properties.insert("spotRestorePolicy".into(), json!({ "enabled": true, "restoreTimeout": iso(seconds) }));
        }
        let profile = self.machine(pool, names, subnet, custom, &resolver);
        properties.insert("virtualMachineProfile".into(), Json::Object(profile));
        body.insert("properties".into(), Json::Object(properties));
        body
    }

    fn machine(
        &self,
        pool: &Pool<'_>,
        names: &PoolNames,
        subnet: &Text,
        custom: &Text,
        resolver: &Resolver<'_, '_>,
    ) -> Map {
        let mut profile = Map::new();
        if let Some(spot) = &pool.spot {
            profile.insert("priority".into(), json!("Spot"));
            profile.insert("evictionPolicy".into(), json!(words::eviction(spot.on_eviction)));
            let price = match spot.max_price {
                Some(Value::Money(money)) => values::decimal(&money.amount),
                Some(value) => values::json(value, resolver),
                None => json!(-1),
            };
            profile.insert("billingProfile".into(), json!({ "maxPrice": price }));
        }
        profile.insert("osProfile".into(), Self::os_profile(pool, custom, resolver));
        profile.insert("storageProfile".into(), profile::storage_profile(pool, resolver));
        profile.insert("networkProfile".into(), profile::network_profile(pool, names, subnet));
        let mut security = Map::new();
        if let Some(secure_boot) = pool.trusted_launch {
            security.insert("securityType".into(), json!("TrustedLaunch"));
            security.insert("uefiSettings".into(), json!({ "secureBootEnabled": secure_boot, "vTpmEnabled": true }));
        }
        security.insert("encryptionAtHost".into(), json!(pool.encryption_at_host));
        profile.insert("securityProfile".into(), Json::Object(security));
        profile.insert("diagnosticsProfile".into(), json!({ "bootDiagnostics": { "enabled": pool.boot_diagnostics } }));
        if let Some(seconds) = pool.notice {
            let notification = json!({ "enable": true, "notBeforeTimeout": iso(seconds) });
            profile.insert("scheduledEventsProfile".into(), json!({ "terminateNotificationProfile": notification }));
        }
        let extensions = profile::extensions(pool);
        if !extensions.is_empty() {
            profile.insert("extensionProfile".into(), json!({ "extensions": extensions }));
        }
        profile
    }

    fn os_profile(pool: &Pool<'_>, custom: &Text, resolver: &Resolver<'_, '_>) -> Json {
        let admin = values::text(&pool.admin.name, resolver);
        let mut profile = Map::new();
        profile.insert("computerNamePrefix".into(), json!(profile::computer_name(pool)));
        profile.insert("adminUsername".into(), Json::from(&admin));
        if let Some(password) = pool.admin.password {
            profile.insert("adminPassword".into(), values::text(password, resolver).into());
        }
        profile.insert("customData".into(), custom.into());
        let mut linux = Map::new();
        linux.insert("disablePasswordAuthentication".into(), json!(pool.admin.password.is_none()));
        if !pool.admin.keys.is_empty() {
            let path = Text::concat(&["/home/".into(), admin, "/.ssh/authorized_keys".into()]);
            linux.insert("ssh".into(), json!({ "publicKeys": keys(&pool.admin.keys, &path, resolver) }));
        }
        linux.insert("provisionVMAgent".into(), json!(true));
        profile.insert("linuxConfiguration".into(), Json::Object(linux));
        Json::Object(profile)
    }

    /// Lays the overrides of the pool over its resources.
    fn overrides(&self, pool: &Pool<'_>, names: &PoolNames, parts: &mut Parts, resolver: &Resolver<'_, '_>) {
        for block in pool.block.children(BlockKind::Override) {
            let target = match block.name.as_ref() {
                "scale_set" => Some(&names.scale_set),
                "load_balancer" => Some(&names.balancer),
                "public_ip" => Some(&names.public_ip).filter(|_| pool.public),
                "security_group" => Some(&names.security_group),
                "autoscale" => Some(&names.autoscale).filter(|_| pool.autoscale.is_some()),
                "identity" => names.identity.as_ref(),
                _ => None,
            };
            let node = target.and_then(|named| parts.nodes.iter_mut().find(|n| n.id == named.id));
            let Some(node) = node else {
                let known = ["scale_set", "load_balancer", "public_ip", "security_group", "autoscale", "identity"];
                parts.sink.push(diags::unknown_override(&block.name, block.name_span, &known));
                continue;
            };
            if let Some(body) = &block.free {
                super::secrets::check(&node.kind, body, block.name_span, &mut parts.sink);
                let laid = free::lay_over(&mut node.body, body, resolver);
                super::known::check_override(node, &laid, block, &mut parts.sink);
                node.places.extend(free::places(body));
            }
        }
    }
}

/// Azure takes a list of keys, or one expression for a list that a parameter holds.
fn keys(keys: &[&Value], path: &Text, resolver: &Resolver<'_, '_>) -> Json {
    keys.iter().map(|key| json!({ "path": path.json(), "keyData": values::text(key, resolver).json() })).collect()
}

fn with_places(mut node: Node, pool: &Pool<'_>, pointer: &str) -> Node {
    for (index, service) in pool.services.iter().enumerate() {
        node.places.push((format!("{pointer}/{index}"), service.span));
    }
    node
}

/// Name of the parameter with the number of machines: `gpu-night` becomes `gpuNightMachines`.
pub(crate) fn parameter_name(pool: &str) -> String {
    format!("{}Machines", camel(pool))
}

/// `gpu-night` becomes `gpuNight`.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        } else {
            upper = !out.is_empty();
        }
    }
    out
}
