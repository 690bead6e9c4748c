//! Private endpoints with their DNS: the way from a network to a storage account or vault that the internet cannot reach.

use super::expr::Text;
use super::ids::Named;
use super::input::{Input, Site};
use super::internal::Built;
use super::json::{Map, json};
use super::network::{NetworkNodes, NetworkPlans, key};
use super::node::{Node, NodeId};
use super::nodes::Nodes;
use super::versions as v;
use dsvm_diagnostics::source::Span;
use dsvm_model::ids::{NetworkId, SubnetPlace};
use std::collections::BTreeSet;

/// What a private endpoint leads to.
pub(crate) struct Target<'t> {
    /// Id of the account or vault.
    pub(crate) id: &'t Text,
    /// Node of the account or vault.
    pub(crate) node: NodeId,
    /// Group and region of the account or vault.
    pub(crate) site: &'t Site,
    /// Azure's name for the part that is reached: `file` or `vault`.
    pub(crate) group: &'static str,
    /// Private DNS zone that resolves the target's name.
    pub(crate) zone: Text,
    /// Key of the target in names of endpoints.
    pub(crate) key: String,
    pub(crate) span: Span,
}

/// Builds an endpoint in each network of these subnets; returns the nodes that make them usable.
pub(crate) fn build_all(
    input: &Input<'_, '_>,
    (plans, networks): (&NetworkPlans, &NetworkNodes),
    target: &Target<'_>,
    places: &BTreeSet<SubnetPlace>,
    nodes: &mut Nodes,
) -> Built<Vec<NodeId>> {
    let mut ready = Vec::new();
    for network in places.iter().map(|(network, _)| *network).collect::<BTreeSet<_>>() {
        if let Some(subnet) = plans.private_subnet(network) {
            ready.extend(one(input, (network, subnet, networks.of(network)), target, nodes)?);
        }
    }
    Ok(ready)
}

fn one(
    input: &Input<'_, '_>,
    (network, subnet, network_node): (NetworkId, &Text, Option<NodeId>),
    target: &Target<'_>,
    nodes: &mut Nodes,
) -> Built<[NodeId; 2]> {
    let (network, network_name) = input.network(network, target.span)?;
    // An endpoint is in the region of its network, and kept with it unless somebody else manages the network.
    let mut site = input.site(network.block.map(|(_, block)| block));
    if network.existing.is_some() {
        site.group.clone_from(&target.site.group);
    }
    let suffix = key(input, network);
    let (zone, zone_node) = zone(&site, target, nodes);
    let link = Named::child(v::DNS_LINK, std::slice::from_ref(&target.zone), suffix.clone());
    let link_node = nodes.with_id(&link.id).unwrap_or_else(|| {
        let mut body = Map::new();
        body.insert("location".into(), json!("global"));
        let properties = json!({ "registrationEnabled": false, "virtualNetwork": { "id": network_name.id.json() } });
        body.insert("properties".into(), properties);
        let mut node = site.hold(Node::new(v::DNS_LINK, &link, body, target.span));
        node.needs.insert(zone_node);
        node.needs.extend(network_node);
        nodes.add(node)
    });
    let endpoint = Named::new(v::PRIVATE_ENDPOINT, format!("pe-{}-{suffix}", target.key));
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
    let mut node = input.node(&site, v::PRIVATE_ENDPOINT, &endpoint, None, body, target.span);
    node.needs.insert(target.node);
    node.needs.extend(network_node);
    let endpoint_node = nodes.add(node);
    let group = Named::child(v::PRIVATE_ENDPOINT_ZONES, std::slice::from_ref(&endpoint.name), "default");
    let configs = json!({ "privateDnsZoneConfigs": [{ "name": target.group, "properties": { "privateDnsZoneId": zone.id.json() } }] });
    let mut body = Map::new();
    body.insert("properties".into(), configs);
    let mut node = site.hold(Node::new(v::PRIVATE_ENDPOINT_ZONES, &group, body, target.span));
    node.needs.extend([endpoint_node, zone_node]);
    Ok([nodes.add(node), link_node])
}

/// The private DNS zone, which exists once for all endpoints of a kind.
fn zone(site: &Site, target: &Target<'_>, nodes: &mut Nodes) -> (Named, NodeId) {
    let zone = Named::new(v::DNS_ZONE, target.zone.clone());
    let node = nodes.with_id(&zone.id).unwrap_or_else(|| {
        let mut body = Map::new();
        body.insert("location".into(), json!("global"));
        nodes.add(site.hold(Node::new(v::DNS_ZONE, &zone, body, target.span)))
    });
    (zone, node)
}
