//! Networks: what each must have, found out from the pools on it; and their nodes with their NAT gateways.

use super::expr::Text;
use super::ids::{Named, resource_id};
use super::input::{Input, Site};
use super::internal::{Broken, Built};
use super::json::{Json, Map, json};
use super::naming::home_of;
use super::node::NodeId;
use super::nodes::Nodes;
use super::reach::Reach;
use super::versions as v;
use dsvm_diagnostics::source::Span;
use dsvm_model::ids::{NetworkId, SubnetId, SubnetPlace, TiVec};
use dsvm_model::network::{Network, Outbound};
use dsvm_model::read;
use dsvm_model::support::Access;
use dsvm_sema::checked::Block;
use std::collections::BTreeSet;

/// What a network must have.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkPlan {
    /// Pools are on it, or it was declared.
    used: bool,
    /// Its subnets, in the order of the fleet.
    subnets: TiVec<SubnetId, SubnetPlan>,
    /// A share or a vault is reached by private endpoint.
    private: bool,
    /// Subnet for private endpoints: its id, and its range when it is made for them.
    private_subnet: Option<(Text, Option<String>)>,
}

/// What a subnet must have.
#[derive(Clone, Debug)]
struct SubnetPlan {
    id: Text,
    /// Azure's services that it has an endpoint for.
    services: BTreeSet<&'static str>,
}

/// Plans of all networks, by position in the fleet.
#[derive(Clone, Debug)]
pub(crate) struct NetworkPlans(TiVec<NetworkId, NetworkPlan>);

impl NetworkPlans {
    /// Id of a subnet that a pool is on.
    pub(crate) fn subnet(&self, (network, subnet): SubnetPlace, span: Span) -> Built<&Text> {
        let found = self.0.get(network).and_then(|plan| plan.subnets.get(subnet));
        found.map(|subnet| &subnet.id).ok_or(Broken { what: "a subnet that is not in the fleet", span })
    }

    /// Subnet for private endpoints of a network, if it needs one.
    pub(crate) fn private_subnet(&self, network: NetworkId) -> Option<&Text> {
        self.0.get(network)?.private_subnet.as_ref().map(|(id, _)| id)
    }

    /// Network rules that let subnets reach an account or vault.
    pub(crate) fn rules(&self, places: &BTreeSet<SubnetPlace>, span: Span) -> Built<Vec<Json>> {
        places.iter().map(|place| Ok(json!({ "id": self.subnet(*place, span)?.json() }))).collect()
    }

    fn subnet_mut(&mut self, (network, subnet): SubnetPlace) -> Option<&mut SubnetPlan> {
        self.0.get_mut(network)?.subnets.get_mut(subnet)
    }
}

/// Finds out what each network must have.
pub(crate) fn plan(input: &Input<'_, '_>, reach: &Reach) -> NetworkPlans {
    let fleet = input.fleet;
    let on_it: BTreeSet<NetworkId> =
        fleet.pools.iter().map(|p| p.network).chain(fleet.batch.iter().filter_map(|p| Some(p.network?.0))).collect();
    let mut plans = NetworkPlans(TiVec::with_capacity(fleet.networks.len()));
    for ((id, network), named) in fleet.networks.iter_enumerated().zip(&input.names.networks) {
        let home = network.existing.map(|place| home_of(place, &input.resolver()));
        let subnet = |name| resource_id(v::SUBNET, &[named.name.clone(), input.text(name)], home.as_ref());
        let subnets = network.subnets.iter();
        plans.0.push(NetworkPlan {
            used: network.block.is_some() || on_it.contains(&id),
            subnets: subnets.map(|s| SubnetPlan { id: subnet(&s.name), services: BTreeSet::new() }).collect(),
            ..NetworkPlan::default()
        });
    }
    service_endpoints(input, reach, &mut plans);
    private_endpoints(input, reach, &mut plans);
    plans
}

fn service_endpoints(input: &Input<'_, '_>, reach: &Reach, plans: &mut NetworkPlans) {
    let fleet = input.fleet;
    let mut endpoint = |place: &SubnetPlace, service: &'static str| {
        plans.subnet_mut(*place).into_iter().for_each(|subnet| {
            subnet.services.insert(service);
        });
    };
    for (share, places) in &reach.shares {
        let Some(share) = fleet.shares.get(*share).filter(|s| s.access == Access::ServiceEndpoint) else { continue };
        for place in places {
            let network = fleet.networks.get(place.0).and_then(|n| n.block).map(|(_, block)| block);
            let near = input.site(network).location == input.site(Some(share.block)).location;
            endpoint(place, if near { "Microsoft.Storage" } else { "Microsoft.Storage.Global" });
        }
    }
    for places in reach.containers.values() {
        places.iter().for_each(|place| endpoint(place, "Microsoft.Storage"));
    }
    for (vault, places) in &reach.vaults {
        if fleet.vaults.get(*vault).is_some_and(|v| v.access == Access::ServiceEndpoint) {
            places.iter().for_each(|place| endpoint(place, "Microsoft.KeyVault"));
        }
    }
    // The endpoint to all regions serves the subnet's own region too; Azure takes one of them for a subnet.
    let subnets = plans.0.iter_mut().flat_map(|plan| &mut plan.subnets);
    for subnet in subnets.filter(|subnet| subnet.services.contains("Microsoft.Storage.Global")) {
        subnet.services.remove("Microsoft.Storage");
    }
}

fn private_endpoints(input: &Input<'_, '_>, reach: &Reach, plans: &mut NetworkPlans) {
    let fleet = input.fleet;
    let private_shares = reach.shares.iter().filter(|(share, _)| {
        fleet.shares.get(**share).is_some_and(|s| s.access == Access::PrivateEndpoint && s.existing.is_none())
    });
    let private_shares = private_shares.map(|(_, places)| places);
    let private_vaults = reach.vaults.iter().filter(|(vault, _)| {
        fleet.vaults.get(**vault).is_some_and(|v| v.access == Access::PrivateEndpoint && v.existing.is_none())
    });
    let private_vaults = private_vaults.map(|(_, places)| places);
    for (network, _) in private_shares.chain(private_vaults).flatten() {
        plans.0.get_mut(*network).into_iter().for_each(|plan| plan.private = true);
    }
    let networks = fleet.networks.iter().zip(&input.names.networks).zip(&mut plans.0);
    for ((network, named), plan) in networks.filter(|(_, plan)| plan.private) {
        plan.private_subnet = match network.existing.is_none().then(|| network.endpoint_range()).flatten() {
            Some(range) => {
                let id = resource_id(v::SUBNET, &[named.name.clone(), "endpoints".into()], None);
                Some((id, Some(range.to_string())))
            }
            None => plan.subnets.first().map(|subnet| (subnet.id.clone(), None)),
        };
    }
}

/// Nodes of the networks that are used and deployed here, by position in the fleet.
#[derive(Clone, Debug)]
pub(crate) struct NetworkNodes(TiVec<NetworkId, Option<NodeId>>);

impl NetworkNodes {
    /// The node of a network; `None` when it exists already.
    pub(crate) fn of(&self, network: NetworkId) -> Option<NodeId> {
        self.0.get(network).copied().flatten()
    }

    /// Nodes of the networks of these subnets.
    pub(crate) fn of_places(&self, places: &BTreeSet<SubnetPlace>) -> Vec<NodeId> {
        places.iter().filter_map(|(network, _)| self.of(*network)).collect()
    }
}

/// Builds the networks, each behind its NAT gateway.
pub(crate) fn build(input: &Input<'_, '_>, plans: &NetworkPlans, nodes: &mut Nodes) -> NetworkNodes {
    let networks = input.fleet.networks.iter().zip(&input.names.networks).zip(&plans.0);
    let built = networks.map(|((network, named), plan)| {
        (plan.used && network.existing.is_none()).then(|| one(input, (network, named), plan, nodes))
    });
    NetworkNodes(built.collect())
}

fn one(
    input: &Input<'_, '_>,
    (network, named): (&Network<'_>, &Named),
    plan: &NetworkPlan,
    nodes: &mut Nodes,
) -> NodeId {
    let span = network.span().unwrap_or(input.project_span);
    let block = network.block.map(|(_, block)| block);
    let site = input.site(block);
    let nat = (network.outbound == Outbound::NatGateway)
        .then(|| nat_gateway(input, &site, &key(input, network), block, span, nodes));
    let mut subnets: Vec<Json> = Vec::new();
    for (subnet, plan) in network.subnets.iter().zip(&plan.subnets) {
        let mut properties = Map::new();
        if let Some(address) = subnet.address {
            properties.insert("addressPrefix".into(), json!(address.to_string()));
        }
        if let Some((nat, _)) = &nat {
            properties.insert("natGateway".into(), json!({ "id": nat.id.json() }));
        }
        if !plan.services.is_empty() {
            let list: Vec<Json> = plan.services.iter().map(|s| json!({ "service": s })).collect();
            properties.insert("serviceEndpoints".into(), Json::Array(list));
        }
        properties.insert("defaultOutboundAccess".into(), json!(false));
        subnets.push(json!({ "name": input.text(&subnet.name).json(), "properties": properties }));
    }
    if let Some((_, Some(range))) = &plan.private_subnet {
        subnets.push(
            json!({ "name": "endpoints", "properties": { "addressPrefix": range, "defaultOutboundAccess": false } }),
        );
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
    let mut node = input.node(&site, v::NETWORK, named, block, body, span);
    node.needs.extend(nat.map(|(_, node)| node));
    match network.block {
        Some((block, _)) => nodes.add_for(block, node),
        None => nodes.add(node),
    }
}

/// Key of a network in the names of what belongs to it.
pub(crate) fn key(input: &Input<'_, '_>, network: &Network<'_>) -> String {
    network.block.map_or_else(|| read::dashed(input.fleet.name), |(_, block)| read::dashed(&block.name))
}

fn nat_gateway(
    input: &Input<'_, '_>,
    site: &Site,
    key: &str,
    block: Option<&Block>,
    span: Span,
    nodes: &mut Nodes,
) -> (Named, NodeId) {
    let address = Named::new(v::PUBLIC_IP, format!("pip-nat-{key}"));
    let mut body = Map::new();
    body.insert("sku".into(), json!({ "name": "Standard" }));
    body.insert("properties".into(), json!({ "publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4" }));
    let address_node = nodes.add(input.node(site, v::PUBLIC_IP, &address, block, body, span));
    let gateway = Named::new(v::NAT_GATEWAY, format!("nat-{key}"));
    let mut body = Map::new();
    body.insert("sku".into(), json!({ "name": "Standard" }));
    let properties = json!({ "idleTimeoutInMinutes": 10, "publicIpAddresses": [{ "id": address.id.json() }] });
    body.insert("properties".into(), properties);
    let mut node = input.node(site, v::NAT_GATEWAY, &gateway, block, body, span);
    node.needs.insert(address_node);
    (gateway, nodes.add(node))
}
