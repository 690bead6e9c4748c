//! Resources in ARM's own words: `resource` blocks.

use super::expr::Text;
use super::ids::resource_id;
use super::input::Input;
use super::json::{Json, Map};
use super::laid::Laid;
use super::node::{Node, NodeId};
use super::nodes::Nodes;
use super::{guards, known, overlay, secrets, waits};
use dsvm_diagnostics::Sink;
use dsvm_model::support::Resource;
use dsvm_sema::table::resource as rows;
use dsvm_sema::table::schema::View;
use std::collections::BTreeSet;

/// Whether resources of a type have a location and tags of their own, in that version.
fn has_location(kind: &str, version: &str) -> bool {
    if let Some(known) = arm_catalog::lookup(kind, Some(version)) {
        return known.root.child("location").is_some();
    }
    let lower = kind.to_ascii_lowercase();
    let child = lower.matches('/').count() > 1;
    !child && !lower.starts_with("microsoft.authorization/") && !lower.starts_with("microsoft.resources/")
}

/// Nodes of all `resource` blocks. They come last: what a body refers to, it waits for.
pub(crate) fn build(input: &Input<'_, '_>, nodes: &mut Nodes, sink: &mut Sink) {
    let named = input.fleet.resources.iter().zip(&input.names.resources);
    let built: Vec<(&Resource<'_>, NodeId)> = named
        .filter(|(resource, _)| !resource.block.existing)
        .map(|(resource, named)| {
            let node = node(input, resource, named, sink);
            (resource, nodes.add_for(resource.id, node))
        })
        .collect();
    for (resource, id) in built {
        let mut needs = BTreeSet::new();
        let body = resource.block.free.iter().map(|free| &free.value);
        let after = View::<rows::Resource>::new(resource.block).and_then(|view| view.after());
        let body = body.chain([&resource.name]);
        for value in body.chain(after.into_iter().flat_map(|after| after.values())) {
            needs.extend(waits::waits_for(input, nodes, value, resource.block.span, sink));
        }
        needs.extend(parent(&nodes[id]).and_then(|parent| nodes.with_id(&parent)));
        needs.remove(&id);
        nodes[id].needs.extend(needs);
    }
}

/// The id of the resource that a child resource is inside of, which must exist first.
fn parent(node: &Node) -> Option<Text> {
    let (kind, _) = node.kind.rsplit_once('/').filter(|(kind, _)| kind.contains('/'))?;
    let (path, _) = node.name.known()?.rsplit_once('/')?;
    let parts: Vec<Text> = path.split('/').map(Text::from).collect();
    Some(resource_id(kind, &parts, None))
}

fn node(input: &Input<'_, '_>, resource: &Resource<'_>, named: &super::ids::Named, sink: &mut Sink) -> Node {
    let block = resource.block;
    let resolver = input.resolver();
    let site = input.site(Some(block));
    let mut body = Map::new();
    let takes_location = has_location(resource.kind, resource.api_version);
    let written = View::<rows::Resource>::new(block).and_then(|view| view.location()).is_some();
    // Secrets of a vault have a location that only the service sets.
    let writable = !arm_catalog::is_read_only(resource.kind, "/location");
    if written || (takes_location && writable) {
        body.insert("location".into(), site.location.clone());
    }
    let tags = input.tags(Some(block));
    if !tags.is_empty() && takes_location {
        body.insert("tags".into(), Json::Object(tags));
    }
    let mut laid = Laid::default();
    if let Some(free) = &block.free {
        laid = overlay::lay_over(&mut body, free, &resolver);
        secrets::check(resource.kind, free, block.name_span, sink);
    }
    let mut node = site.hold(Node::of_type(resource.kind, resource.api_version, named, body, block.span));
    node.places = block.free.as_deref().map(overlay::places).unwrap_or_default();
    known::check_resource(&node, block, sink);
    if let Some(free) = &block.free {
        guards::check(&node, free, &laid, sink);
    }
    node
}
