//! Private endpoints with their DNS: the way from a network to a storage account or vault that the internet cannot reach.

use super::expr::Text;
use super::ids::{Home, Named, resource_id};
use super::input::{Input, Site};
use super::internal::{Broken, Built};
use super::json::{Json, Map, json};
use super::naming::home_of;
use super::nested;
use super::network::{NetworkNodes, NetworkPlans, key};
use super::node::{Node, NodeId};
use super::nodes::Nodes;
use super::versions as v;
use dsvm_diagnostics::source::Span;
use dsvm_model::dns::Zone;
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
    /// Who keeps that zone.
    pub(crate) keeper: Zone<'t>,
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
) -> Built<Vec<NodeId>> {
    let (network, network_name) = input.network(network, target.span)?;
    // An endpoint is in the region of its network, and kept with it unless somebody else manages the network.
    let mut site = input.site(network.block.map(|(_, block)| block));
    if network.existing.is_some() {
        site.group.clone_from(&target.site.group);
    }
    let suffix = key(input, network);
    let linked = Linked { id: &network_name.id, node: network_node, suffix: &suffix };
    // An entry of a group cannot change its zone, but one can be exchanged for another: they have different names.
    let zone = match keeper(input, target)? {
        Keeper::Policy => None,
        Keeper::Own => {
            let (zone, node) = own_zone(input, &site, target, nodes);
            let link = own_link((input, &site), (target, node), &linked, nodes);
            Some((zone, Some(node), target.group.to_owned(), Some(link)))
        }
        Keeper::Existing(zone, home) => {
            // Somebody else's network is linked by its owner, and servers of its own resolve by rules of their own.
            let resolves = network.existing.is_none() && network.dns.is_empty();
            let link = resolves.then(|| link_to_existing((&zone, &home), target, &linked, nodes));
            Some((zone, None, format!("{}-existing", target.group), link))
        }
    };
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
    // What Azure Policy adds to the endpoint is not part of the template.
    let Some((zone, zone_node, config, link)) = zone else { return Ok(vec![endpoint_node]) };
    let group = Named::child(v::PRIVATE_ENDPOINT_ZONES, std::slice::from_ref(&endpoint.name), "default");
    let configs =
        json!({ "privateDnsZoneConfigs": [{ "name": config, "properties": { "privateDnsZoneId": zone.id.json() } }] });
    let mut body = Map::new();
    body.insert("properties".into(), configs);
    let mut node = site.hold(Node::new(v::PRIVATE_ENDPOINT_ZONES, &group, body, target.span));
    node.needs.insert(endpoint_node);
    node.needs.extend(zone_node);
    Ok(std::iter::once(nodes.add(node)).chain(link).collect())
}

/// A network as its links name it.
struct Linked<'l> {
    id: &'l Text,
    /// Its node, if it is deployed here.
    node: Option<NodeId>,
    /// Its key in names.
    suffix: &'l str,
}

/// Who keeps the zone, with its name, its id and where it is.
enum Keeper {
    Own,
    Policy,
    Existing(Named, Home),
}

fn keeper(input: &Input<'_, '_>, target: &Target<'_>) -> Built<Keeper> {
    Ok(match target.keeper {
        Zone::Own => Keeper::Own,
        Zone::Policy => Keeper::Policy,
        Zone::Id(zone) => {
            let home = Home { group: Some(zone.group.into()), subscription: Some(zone.subscription.into()) };
            Keeper::Existing(Named::elsewhere(v::DNS_ZONE, zone.name, Some(&home)), home)
        }
        Zone::Resource(block) => {
            let lost = Broken { what: "a private DNS zone that is not in the fleet", span: target.span };
            let mut resources = input.fleet.resources.iter().zip(&input.names.resources);
            let (resource, named) = resources.find(|(resource, _)| resource.id == block).ok_or(lost)?;
            let home = resource.existing.map(|place| home_of(place, &input.resolver())).unwrap_or_default();
            Keeper::Existing(named.clone(), home)
        }
    })
}

/// The private DNS zone that is deployed here: once for all endpoints of a kind.
fn own_zone(input: &Input<'_, '_>, site: &Site, target: &Target<'_>, nodes: &mut Nodes) -> (Named, NodeId) {
    let zone = Named::new(v::DNS_ZONE, target.zone.clone());
    let node = nodes.with_id(&zone.id).unwrap_or_else(|| {
        let mut body = Map::new();
        body.insert("location".into(), json!("global"));
        tag(&mut body, input);
        nodes.add(site.hold(Node::new(v::DNS_ZONE, &zone, body, target.span)))
    });
    (zone, node)
}

/// The tags of the project: zones and links serve more than one block.
fn tag(body: &mut Map, input: &Input<'_, '_>) {
    let tags = input.tags(None);
    if !tags.is_empty() {
        body.insert("tags".into(), Json::Object(tags));
    }
}

fn own_link(
    (input, site): (&Input<'_, '_>, &Site),
    (target, zone): (&Target<'_>, NodeId),
    network: &Linked<'_>,
    nodes: &mut Nodes,
) -> NodeId {
    let link = Named::child(v::DNS_LINK, std::slice::from_ref(&target.zone), network.suffix);
    nodes.with_id(&link.id).unwrap_or_else(|| {
        let mut body = link_body(&network.id.json());
        tag(&mut body, input);
        let mut node = site.hold(Node::new(v::DNS_LINK, &link, body, target.span));
        node.needs.insert(zone);
        node.needs.extend(network.node);
        nodes.add(node)
    })
}

fn link_body(network: &str) -> Map {
    let mut body = Map::new();
    body.insert("location".into(), json!("global"));
    let properties = json!({ "registrationEnabled": false, "virtualNetwork": { "id": network } });
    body.insert("properties".into(), properties);
    body
}

/// A link of a network that is deployed here to a zone that exists: beside the zone, in a nested deployment when that is
/// another group.
fn link_to_existing(
    (zone, home): (&Named, &Home),
    target: &Target<'_>,
    network: &Linked<'_>,
    nodes: &mut Nodes,
) -> NodeId {
    let name = Text::concat(&[zone.name.clone(), "/".into(), network.suffix.into()]);
    let mut node = if home.is_elsewhere() {
        let mut resource = Map::new();
        resource.insert("type".into(), json!(v::DNS_LINK.name));
        resource.insert("apiVersion".into(), json!(v::DNS_LINK.version));
        resource.insert("name".into(), json!("[parameters('name')]"));
        resource.extend(link_body("[parameters('network')]"));
        let tail = Text::call("uniqueString", &[zone.id.clone(), network.id.clone()]);
        let deployment = Text::concat(&["link-dns-".into(), tail]);
        let parameters = [("name", &name), ("network", network.id)];
        nested::deployment(deployment, home, resource, &parameters, target.span)
    } else {
        let id = resource_id(v::DNS_LINK, &[zone.name.clone(), network.suffix.into()], None);
        Node::new(v::DNS_LINK, &Named { id, name }, link_body(&network.id.json()), target.span)
    };
    node.needs.extend(network.node);
    nodes.with_id(&node.id).unwrap_or_else(|| nodes.add(node))
}
