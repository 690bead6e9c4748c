//! Overrides: a record in ARM's own words, laid over the body of a resource.

use super::json::{Json, Map};
use super::known;
use super::laid::Laid;
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
    let before = node.body.clone();
    let laid = lay_over(&mut node.body, free, resolver);
    known::check_override(node, &laid, block, sink);
    guards::check(node, free, &laid, sink);
    guards::kept(node, &before, free, &laid, sink);
    node.places.extend(places(free).into_iter().map(|(pointer, span)| (laid.in_body(&pointer), span)));
}

/// Where each property of a body was written, for the source map.
pub(crate) fn places(free: &Free) -> Vec<(String, Span)> {
    free.places.iter().map(|place| (place.pointer.clone(), place.name.to(place.value))).collect()
}

/// Lays a record over a body: records merge, lists merge element by element where their elements can be told apart, and
/// everything else is replaced.
pub(crate) fn lay_over(body: &mut Map, free: &Free, resolver: &Resolver<'_, '_>) -> Laid {
    let mut laid = Laid::default();
    if let Json::Object(top) = values::json(&free.value, resolver) {
        merge(body, top, ("", ""), &mut laid);
    }
    laid
}

/// `at`: the pointers into the body and into the override.
fn merge(into: &mut Map, from: Map, at: (&str, &str), laid: &mut Laid) {
    for (key, value) in from {
        let step = key.replace('~', "~0").replace('/', "~1");
        let (here, own) = (format!("{}/{step}", at.0), format!("{}/{step}", at.1));
        match into.get_mut(&key) {
            Some(old) => merge_value(old, value, (&here, &own), laid),
            None => {
                laid.pointers.push(here);
                into.insert(key, value);
            }
        }
    }
}

fn merge_value(old: &mut Json, new: Json, at: (&str, &str), laid: &mut Laid) {
    match (old, new) {
        (Json::Object(old), Json::Object(new)) => merge(old, new, at, laid),
        (Json::Array(old), Json::Array(new)) if told_apart(old, &new) => {
            for (number, element) in new.into_iter().enumerate() {
                let known = old.iter().position(|known| is_same(known, &element));
                let place = known.unwrap_or(old.len());
                let (here, own) = (format!("{}/{place}", at.0), format!("{}/{number}", at.1));
                if place != number || at.0 != at.1 {
                    laid.moved.push((own.clone(), here.clone()));
                }
                match old.get_mut(place) {
                    Some(known) => merge_value(known, element, (&here, &own), laid),
                    None => {
                        laid.pointers.push(here);
                        old.push(element);
                    }
                }
            }
        }
        (old, new) => {
            laid.pointers.push(at.0.to_owned());
            *old = new;
        }
    }
}

/// The properties by which Azure tells the elements of a list apart: names of extensions, rules, cards, addresses; numbers of
/// data disks.
const KEYS: [&str; 2] = ["name", "lun"];

fn key(element: &Json) -> Option<(&'static str, &Json)> {
    let Json::Object(map) = element else { return None };
    KEYS.iter().find_map(|key| Some((*key, map.get(key)?)))
}

/// Whether the elements of two lists can be matched: each has a key, or one that has none meets one alone.
fn told_apart(old: &[Json], new: &[Json]) -> bool {
    let keyed = |list: &[Json]| list.iter().all(|element| key(element).is_some());
    if let ([Json::Object(_)], [alone @ Json::Object(_)]) = (old, new)
        && key(alone).is_none()
    {
        return true;
    }
    !old.is_empty() && keyed(old) && keyed(new)
}

fn is_same(old: &Json, new: &Json) -> bool {
    match (key(old), key(new)) {
        // Azure compares names without case.
        (Some((_, Json::String(a))), Some((_, Json::String(b)))) => a.eq_ignore_ascii_case(b),
        (Some(a), Some(b)) => a == b,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}
