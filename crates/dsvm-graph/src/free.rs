//! Resources in ARM's own words, and overrides laid over resources of a pool.

use super::Node;
use super::context::{Builder, Resolver, plain_node};
use super::{secrets, values};
use crate::json::{Json, Map};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::read;
use dsvm_sema::checked::Free;
use std::sync::Arc;

/// Whether resources of a type have a location and tags of their own, in that version.
fn has_location(kind: &str, version: &str) -> bool {
    if let Some(known) = arm_catalog::lookup(kind, Some(version)) {
        return known.root.child("location").is_some();
    }
    let lower = kind.to_ascii_lowercase();
    let child = lower.matches('/').count() > 1;
    !child && !lower.starts_with("microsoft.authorization/") && !lower.starts_with("microsoft.resources/")
}

/// All resources that the fleet has in ARM's own words.
pub(crate) fn emit(builder: &mut Builder<'_, '_>, sink: &mut Sink) {
    for (index, resource) in builder.fleet.resources.iter().enumerate() {
        if resource.block.existing {
            continue;
        }
        let Some(named) = builder.names.resources.get(index).cloned() else { continue };
        let resolver = builder.resolver();
        let mut body = Map::new();
        let written = read::late(resource.block, "location");
        if let Some(location) = written {
            body.insert("location".into(), values::json(location, &resolver));
        } else if has_location(resource.kind, resource.api_version) {
            body.insert("location".into(), builder.location.clone());
        }
        let tags = builder.tags_of(Some(resource.block));
        if !tags.is_empty() && has_location(resource.kind, resource.api_version) {
            body.insert("tags".into(), Json::Object(tags));
        }
        if let Some(free) = &resource.block.free {
            lay_over(&mut body, free, &resolver);
            secrets::check(resource.kind, free, resource.block.name_span, sink);
        }
        let mut node: Node = plain_node(resource.kind, &named, body, resource.block.span);
        node.api_version = Arc::from(resource.api_version);
        node.places = resource.block.free.as_deref().map(places).unwrap_or_default();
        node.group = builder.place_of(Some(resource.block)).group;
        super::known::check_resource(&node, resource.block, sink);
        let id = builder.add(node);
        builder.by_block.insert(resource.id, id);
    }
    // Only now all blocks have their nodes: what a body refers to, it waits for.
    for resource in &builder.fleet.resources {
        let Some(id) = builder.by_block.get(&resource.id).copied() else { continue };
        let mut needs = std::collections::BTreeSet::new();
        let body = resource.block.free.iter().map(|free| &free.value);
        for value in body.chain(read::late(resource.block, "after")) {
            needs.extend(builder.waits_for(value, resource.block.span, sink));
        }
        needs.remove(&id);
        if let Some(node) = builder.nodes.get_mut(id.0 as usize) {
            node.needs.extend(needs);
        }
    }
}

/// Where each property of a body was written, for the source map.
pub(crate) fn places(free: &Free) -> Vec<(String, Span)> {
    free.places.iter().map(|place| (place.pointer.clone(), place.name.to(place.value))).collect()
}

/// Lays a record over a body: records merge, everything else is replaced. Returns the pointers of what was replaced.
pub(crate) fn lay_over(body: &mut Map, free: &Free, resolver: &Resolver<'_, '_>) -> Vec<String> {
    let mut laid = Vec::new();
    if let Json::Object(top) = values::json(&free.value, resolver) {
        merge(body, top, "", &mut laid);
    }
    laid
}

fn merge(into: &mut Map, from: Map, pointer: &str, laid: &mut Vec<String>) {
    for (key, value) in from {
        let here = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        match (into.get_mut(&key), value) {
            (Some(Json::Object(old)), Json::Object(new)) => merge(old, new, &here, laid),
            (_, value) => {
                laid.push(here);
                into.insert(key, value);
            }
        }
    }
}
