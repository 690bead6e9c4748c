//! Networks, NAT gateways, private endpoints and their DNS.

use super::context::{Builder, Named, plain_node, resource_id};
use super::expr::Text;
use super::versions as v;
use super::{NodeId, values};
use crate::json::{Json, Map, json};
use dsvm_diagnostics::source::Span;
use dsvm_model::network::Outbound;
use dsvm_model::share::Auth;
use dsvm_model::support::Access;
use std::collections::{BTreeMap, BTreeSet};

/// What a network must have, found out from the pools on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkPlan {
    /// Pools are on it, or it was declared.
    pub(crate) used: bool,
    /// Ids of its subnets.
    pub(crate) subnets: Vec<Text>,
    /// Services that each subnet has an endpoint for.
    pub(crate) endpoints: Vec<BTreeSet<&'static str>>,
    /// Shares and vaults that are reached by private endpoint.
    pub(crate) private_shares: BTreeSet<usize>,
    /// Vaults that are reached by private endpoint.
    pub(crate) private_vaults: BTreeSet<usize>,
    /// Subnet for private endpoints: its id, and its range when it is made for them.
    pub(crate) private_subnet: Option<(Text, Option<String>)>,
}

impl NetworkPlan {
    fn has_private(&self) -> bool {
        !self.private_shares.is_empty() || !self.private_vaults.is_empty()
    }
}

/// The subnets from which a share or a vault is reached: network and subnet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    pub(crate) shares: BTreeMap<usize, BTreeSet<(usize, usize)>>,
    pub(crate) vaults: BTreeMap<usize, BTreeSet<(usize, usize)>>,
    pub(crate) containers: BTreeMap<usize, BTreeSet<(usize, usize)>>,
}

/// Which pool uses what, from where.
pub(crate) fn reach(builder: &Builder<'_, '_>) -> Reach {
    let mut reach = Reach::default();
    let fleet = builder.fleet;
    let vault_index = |id| fleet.vaults.iter().position(|vault| vault.id == id);
    for pool in &fleet.pools {
        let place = (pool.network, pool.subnet);
        if let Some(vault) = pool.vault {
            reach.vaults.entry(vault).or_default().insert(place);
        }
        for share in &pool.shares {
            reach.shares.entry(*share).or_default().insert(place);
            let Some(share) = fleet.shares.get(*share).filter(|s| s.auth == Auth::KeyVault) else { continue };
            if let Some(vault) = share.vault.and_then(vault_index) {
                reach.vaults.entry(vault).or_default().insert(place);
            }
        }
    }
    for pool in &fleet.batch {
        let Some(place) = pool.network else { continue };
        for share in &pool.shares {
            reach.shares.entry(*share).or_default().insert(place);
        }
        for container in &pool.containers {
            reach.containers.entry(*container).or_default().insert(place);
        }
    }
    reach
}

/// Finds out what each network must have.
pub(crate) fn plan(builder: &mut Builder<'_, '_>) {
    let fleet = builder.fleet;
    let reach = reach(builder);
    let mut plans: Vec<NetworkPlan> = Vec::with_capacity(fleet.networks.len());
    for (index, network) in fleet.networks.iter().enumerate() {
        let mut plan = NetworkPlan { used: network.block.is_some(), ..NetworkPlan::default() };
        let resolver = builder.resolver();
        let name = builder.names.networks.get(index).map(|n| n.name.clone()).unwrap_or_else(|| "".into());
        let place = network.existing.map(|e| {
            (e.resource_group.map(|g| values::text(g, &resolver)), e.subscription.map(|s| values::text(s, &resolver)))
        });
        for subnet in &network.subnets {
            let path = [name.clone(), values::text(&subnet.name, &resolver)];
            plan.subnets.push(resource_id(v::SUBNET, &path, place.clone()));
            plan.endpoints.push(BTreeSet::new());
        }
        plans.push(plan);
    }
    for pool in &fleet.pools {
        if let Some(plan) = plans.get_mut(pool.network) {
            plan.used = true;
        }
    }
    for network in fleet.batch.iter().filter_map(|pool| pool.network) {
        if let Some(plan) = plans.get_mut(network.0) {
            plan.used = true;
        }
    }
    let mut endpoint = |(network, subnet): (usize, usize), service: &'static str| {
        if let Some(set) = plans.get_mut(network).and_then(|p| p.endpoints.get_mut(subnet)) {
            set.insert(service);
        }
    };
    for (share, places) in &reach.shares {
        let Some(found) = fleet.shares.get(*share) else { continue };
        for place in places {
            if found.access == Access::ServiceEndpoint {
                let network = fleet.networks.get(place.0).and_then(|n| n.block).map(|(_, block)| block);
                let near = builder.place_of(network).location == builder.place_of(Some(found.block)).location;
                endpoint(*place, if near { "Microsoft.Storage" } else { "Microsoft.Storage.Global" });
            }
        }
    }
    for places in reach.containers.values() {
        places.iter().for_each(|place| endpoint(*place, "Microsoft.Storage"));
    }
    for (vault, places) in &reach.vaults {
        if fleet.vaults.get(*vault).is_some_and(|v| v.access == Access::ServiceEndpoint) {
            places.iter().for_each(|place| endpoint(*place, "Microsoft.KeyVault"));
        }
    }
    for (share, places) in &reach.shares {
        let private =
            fleet.shares.get(*share).is_some_and(|s| s.access == Access::PrivateEndpoint && s.existing.is_none());
        for (network, _) in places.iter().filter(|_| private) {
            if let Some(plan) = plans.get_mut(*network) {
                plan.private_shares.insert(*share);
            }
        }
    }
    for (vault, places) in &reach.vaults {
        let private =
            fleet.vaults.get(*vault).is_some_and(|v| v.access == Access::PrivateEndpoint && v.existing.is_none());
        for (network, _) in places.iter().filter(|_| private) {
            if let Some(plan) = plans.get_mut(*network) {
                plan.private_vaults.insert(*vault);
            }
        }
    }
    for (index, network) in fleet.networks.iter().enumerate() {
        let Some(plan) = plans.get_mut(index).filter(|p| p.has_private()) else { continue };
        let made = network.existing.is_none().then(|| network.endpoint_range()).flatten();
        plan.private_subnet = match (made, builder.names.networks.get(index)) {
            (Some(range), Some(name)) => {
                let id = resource_id(v::SUBNET, &[name.name.clone(), "endpoints".into()], None);
                Some((id, Some(range.to_string())))
            }
            _ => plan.subnets.first().map(|id| (id.clone(), None)),
        };
    }
    // The endpoint to all regions holds for one's own too; Azure takes one of them for a subnet.
    for set in plans.iter_mut().flat_map(|p| &mut p.endpoints).filter(|s| s.contains("Microsoft.Storage.Global")) {
        set.remove("Microsoft.Storage");
    }
    builder.network_plans = plans;
}

/// The networks themselves.
pub(crate) fn emit(builder: &mut Builder<'_, '_>) {
    let fleet = builder.fleet;
    for (index, network) in fleet.networks.iter().enumerate() {
        let Some(plan) = builder.network_plans.get(index).cloned().filter(|p| p.used) else { continue };
        if network.existing.is_some() {
            continue;
        }
        let Some(named) = builder.names.networks.get(index).cloned() else { continue };
        let span = network.span().unwrap_or(builder.project_span);
        let block = network.block.map(|(_, block)| block);
        builder.place = builder.place_of(block);
        let key = block.map_or_else(|| dsvm_model::read::dashed(fleet.name), |b| dsvm_model::read::dashed(&b.name));
        let nat = (network.outbound == Outbound::NatGateway).then(|| nat_gateway(builder, &key, block, span));
        let mut subnets: Vec<Json> = Vec::new();
        for (subnet, services) in network.subnets.iter().zip(&plan.endpoints) {
            let resolver = builder.resolver();
            let mut properties = Map::new();
            if let Some(address) = subnet.address {
                properties.insert("addressPrefix".into(), json!(address.to_string()));
            }
            if let Some((nat, _)) = &nat {
                properties.insert("natGateway".into(), json!({ "id": nat.id.json() }));
            }
            if !services.is_empty() {
                let list: Vec<Json> = services.iter().map(|s| json!({ "service": s })).collect();
                properties.insert("serviceEndpoints".into(), Json::Array(list));
            }
            properties.insert("defaultOutboundAccess".into(), json!(false));
            let name = values::text(&subnet.name, &resolver);
            subnets.push(json!({ "name": name.json(), "properties": properties }));
        }
        if let Some((_, Some(range))) = &plan.private_subnet {
            subnets.push(json!({ "name": "endpoints", "properties": { "addressPrefix": range, "defaultOutboundAccess": false } }));
        }
        let space: Vec<String> = network.address.iter().map(ToString::to_string).collect();
        let mut properties = Map::new();
        properties.insert("addressSpace".into(), json!({ "addressPrefixes": space }));
        if !network.dns.is_empty() {
            let servers: Vec<String> = network.dns.iter().map(ToString::to_string).collect();
            properties.insert("dhcpOptions".into(), json!({ "dnsServers": servers }));
        }
        properties.insert("subnets".into(), Json::Array(subnets));
        let mut body = Map::new();
        body.insert("properties".into(), Json::Object(properties));
        let mut node = builder.node(v::NETWORK, &named, block, body, span);
        node.needs.extend(nat.map(|(_, node)| node));
        let id = builder.add(node);
        if let Some((block, _)) = network.block {
            builder.by_block.insert(block, id);
        }
        builder.network_nodes.insert(index, vec![id]);
    }
    builder.place = builder.place_of(None);
}

fn nat_gateway(
    builder: &mut Builder<'_, '_>,
    key: &str,
    block: Option<&dsvm_sema::checked::Block>,
    span: Span,
) -> (Named, NodeId) {
    let address = Named::here(v::PUBLIC_IP, format!("pip-nat-{key}"));
    let mut body = Map::new();
    body.insert("sku".into(), json!({ "name": "Standard" }));
    body.insert("properties".into(), json!({ "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4" }));
    let node = builder.node(v::PUBLIC_IP, &address, block, body, span);
    let address_node = builder.add(node);
    let gateway = Named::here(v::NAT_GATEWAY, format!("nat-{key}"));
    let mut body = Map::new();
    body.insert("sku".into(), json!({ "name": "Standard" }));
    let properties = json!({ "idleTimeoutInMinutes": 10, "publicIpAddresses": [{ "id": address.id.json() }] });
    body.insert("properties".into(), properties);
    let mut node = builder.node(v::NAT_GATEWAY, &gateway, block, body, span);
    node.needs.insert(address_node);
    let gateway_node = builder.add(node);
    (gateway, gateway_node)
}

/// What a private endpoint leads to.
pub(crate) struct Target<'t> {
    /// Id of the account or vault.
    pub(crate) id: &'t Text,
    /// Its node.
    pub(crate) node: NodeId,
    /// `file` or `vault`.
    pub(crate) group: &'static str,
    /// Private DNS zone.
    pub(crate) zone: Text,
    /// Short key for names.
    pub(crate) key: String,
    /// Where it was written.
    pub(crate) span: Span,
}

/// A private endpoint in a network, with its DNS; returns the nodes that make it usable.
pub(crate) fn private_endpoint(builder: &mut Builder<'_, '_>, network: usize, target: &Target<'_>) -> Vec<NodeId> {
    let Some((subnet, _)) = builder.network_plans.get(network).and_then(|p| p.private_subnet.clone()) else {
        return Vec::new();
    };
    let Some(network_name) = builder.names.networks.get(network).cloned() else { return Vec::new() };
    let suffix = builder.fleet.networks.get(network).and_then(|n| n.block).map_or_else(
        || dsvm_model::read::dashed(builder.fleet.name),
        |(_, block)| dsvm_model::read::dashed(&block.name),
    );
    let network_nodes = builder.network_nodes.get(&network).cloned().unwrap_or_default();
    // An endpoint is in the region of its network, and kept with it unless the network is somebody else's.
    let found = builder.fleet.networks.get(network);
    let mut place = builder.place_of(found.and_then(|n| n.block).map(|(_, block)| block));
    if found.is_some_and(|n| n.existing.is_some()) {
        place.group.clone_from(&builder.place.group);
    }
    let outside = std::mem::replace(&mut builder.place, place);
    let zone =
        Named { id: resource_id(v::DNS_ZONE, std::slice::from_ref(&target.zone), None), name: target.zone.clone() };
    let zone_node = match builder.nodes.iter().position(|n| n.id == zone.id) {
        Some(index) => NodeId(u32::try_from(index).unwrap_or(u32::MAX)),
        None => {
            let mut body = Map::new();
            body.insert("location".into(), json!("global"));
            builder.add(plain_node(v::DNS_ZONE, &zone, body, target.span))
        }
    };
    let link_path = [target.zone.clone(), Text::literal(suffix.clone())];
    let link = Named {
        id: resource_id(v::DNS_LINK, &link_path, None),
        name: Text::concat(&[target.zone.clone(), "/".into(), Text::literal(suffix.clone())]),
    };
    let link_node = match builder.nodes.iter().position(|n| n.id == link.id) {
        Some(index) => NodeId(u32::try_from(index).unwrap_or(u32::MAX)),
        None => {
            let mut body = Map::new();
            body.insert("location".into(), json!("global"));
            let properties =
                json!({ "registrationEnabled": false, "virtualNetwork": { "id": network_name.id.json() } });
            body.insert("properties".into(), properties);
            let mut node = plain_node(v::DNS_LINK, &link, body, target.span);
            node.needs.insert(zone_node);
            node.needs.extend(network_nodes.iter().copied());
            builder.add(node)
        }
    };
    let name = Text::literal(format!("pe-{}-{suffix}", target.key));
    let endpoint =
        Named { id: resource_id(v::PRIVATE_ENDPOINT, std::slice::from_ref(&name), None), name: name.clone() };
    let mut body = Map::new();
    body.insert(
        "properties".into(),
        json!({
            "subnet": { "id": subnet.json() },
            "privateLinkServiceConnections": [{
                "name": target.group,
                "properties": { "privateLinkServiceId": target.id.json(), "groupIds": [target.group] }
            }]
        }),
    );
    let mut node = builder.node(v::PRIVATE_ENDPOINT, &endpoint, None, body, target.span);
    node.needs.insert(target.node);
    node.needs.extend(network_nodes);
    let endpoint_node = builder.add(node);
    let group_path = [name.clone(), "default".into()];
    let group = Named {
        id: resource_id(v::PRIVATE_ENDPOINT_ZONES, &group_path, None),
        name: Text::concat(&[name, "/default".into()]),
    };
    let configs = json!({ "privateDnsZoneConfigs": [{ "name": target.group, "properties": { "privateDnsZoneId": zone.id.json() } }] });
    let mut body = Map::new();
    body.insert("properties".into(), configs);
    let mut node = plain_node(v::PRIVATE_ENDPOINT_ZONES, &group, body, target.span);
    node.needs.extend([endpoint_node, zone_node]);
    let group_node = builder.add(node);
    builder.place = outside;
    vec![group_node, link_node]
}

/// Subnets that may reach an account or vault.
pub(crate) fn allowed_subnets(builder: &Builder<'_, '_>, places: &BTreeSet<(usize, usize)>) -> Vec<Json> {
    places
        .iter()
        .filter_map(|(network, subnet)| builder.network_plans.get(*network)?.subnets.get(*subnet))
        .map(|id| json!({ "id": id.json() }))
        .collect()
}

/// Nodes of the networks of these places.
pub(crate) fn nodes_of(builder: &Builder<'_, '_>, places: &BTreeSet<(usize, usize)>) -> Vec<NodeId> {
    places.iter().filter_map(|(network, _)| builder.network_nodes.get(network)).flatten().copied().collect()
}
