//! Overrides: a record in ARM's own words, laid over the body of a resource.

use super::json::{Json, Map};
use super::known;
use super::names::Resolver;
use super::node::Node;
use super::{guards, secrets, values};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::{Block, Free};

/// Lays an override over a resource and checks what it changed.
pub(crate) fn apply(node: &mut Node, block: &Block, resolver: &Resolver<'_, '_>, sink: &mut Sink) {
    let Some(free) = &block.free else { return };
    secrets::check(&node.kind, free, block.name_span, sink);
    let laid = lay_over(&mut node.body, free, resolver);
    known::check_override(node, &laid, block, sink);
    guards::check(node, free, sink);
    node.places.extend(places(free));
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
