//! Children that live inside their parent's body: subnets, security rules, routes, extensions of scale sets, …
//! A PUT of the child and a PUT of the parent see the same array.

use std::sync::Arc;

use serde_json::{Value, json};

use super::core::Cx;
use super::error::ArmError;
use super::id::Path;
use super::lro::{self, Outcome, Style};
use super::store::Row;
use super::types;
use super::types::shape::{self, Stage};
use super::write::{Deleted, Write, Written, not_found, set};

/// Where children of a type are kept.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    kind: &'static str,
    pointer: &'static str,
    /// A PUT keeps what it does not mention, and a deletion is done at once.
    at_once: bool,
}

const fn at(kind: &'static str, pointer: &'static str) -> Place {
    Place { kind, pointer, at_once: false }
}

const PLACES: &[Place] = &[
    at("Microsoft.Network/virtualNetworks/subnets", "/properties/subnets"),
    at("Microsoft.Network/virtualNetworks/virtualNetworkPeerings", "/properties/virtualNetworkPeerings"),
    at("Microsoft.Network/networkSecurityGroups/securityRules", "/properties/securityRules"),
    at("Microsoft.Network/networkSecurityGroups/defaultSecurityRules", "/properties/defaultSecurityRules"),
    at("Microsoft.Network/routeTables/routes", "/properties/routes"),
    at("Microsoft.Network/loadBalancers/backendAddressPools", "/properties/backendAddressPools"),
    at("Microsoft.Network/loadBalancers/inboundNatRules", "/properties/inboundNatRules"),
    at("Microsoft.Network/loadBalancers/frontendIPConfigurations", "/properties/frontendIPConfigurations"),
    at("Microsoft.Network/loadBalancers/probes", "/properties/probes"),
    at("Microsoft.Network/loadBalancers/loadBalancingRules", "/properties/loadBalancingRules"),
    at("Microsoft.Network/loadBalancers/outboundRules", "/properties/outboundRules"),
    at("Microsoft.Network/loadBalancers/inboundNatPools", "/properties/inboundNatPools"),
    at(
        "Microsoft.Compute/virtualMachineScaleSets/extensions",
        "/properties/virtualMachineProfile/extensionProfile/extensions",
    ),
    Place {
        kind: "Microsoft.Storage/storageAccounts/privateEndpointConnections",
        pointer: "/properties/privateEndpointConnections",
        at_once: true,
    },
];

/// The place of a child resource, if its type is kept inside the parent.
#[must_use]
pub fn place(path: &Path) -> Option<Place> {
    if !path.is_resource() {
        return None;
    }
    collection(path)
}

/// The same for a collection path.
#[must_use]
pub fn collection(path: &Path) -> Option<Place> {
    let kind = path.resource_type();
    PLACES.iter().copied().find(|place| place.kind.eq_ignore_ascii_case(&kind))
}

fn parent_row(cx: &Cx<'_>, path: &Path) -> Option<Arc<Row>> {
    cx.store.row(&path.parent()?.id())
}

fn named<'v>(row: &'v Row, place: &Place, name: &str) -> Option<&'v Value> {
    let list = row.body.pointer(place.pointer)?.as_array()?;
    list.iter()
        .find(|item| item.get("name").and_then(Value::as_str).is_some_and(|have| have.eq_ignore_ascii_case(name)))
}

/// One child.
#[must_use]
pub fn get(cx: &Cx<'_>, path: &Path, place: &Place) -> Option<Value> {
    let row = parent_row(cx, path)?;
    named(&row, place, path.name()).cloned()
}

/// All children, or `None` when the parent is not there.
#[must_use]
pub fn list(cx: &Cx<'_>, parent: &Path, place: &Place) -> Option<Vec<Value>> {
    let row = cx.store.row(&parent.id())?;
    Some(row.body.pointer(place.pointer).and_then(Value::as_array).cloned().unwrap_or_default())
}

/// The parent's body with the child written into it.
///
/// # Errors
/// When the parent is not there.
pub fn with_child(cx: &Cx<'_>, write: &Write, place: &Place) -> Result<(Write, bool), ArmError> {
    let parent = write.path.parent().unwrap_or_default();
    let row = cx.store.row(&parent.id()).ok_or_else(|| not_found(&parent))?;
    let mut child = json!({ "name": write.path.name() });
    let old = named(&row, place, write.path.name()).cloned();
    if place.at_once && old.is_none() {
        return Err(not_found(&write.path)); // others make these
    }
    if (write.patch || place.at_once)
        && let Some(old) = &old
    {
        child = old.clone();
    }
    if let (Some(map), Some(sent)) = (child.as_object_mut(), write.body.as_object()) {
        for (key, value) in sent {
            if ["id", "name", "type", "apiVersion", "dependsOn", "location"].contains(&key.as_str()) {
                continue;
            }
            match map.get_mut(key).filter(|_| place.at_once) {
                Some(slot) => super::write::merge(slot, value),
                None => drop(map.insert(key.clone(), value.clone())),
            }
        }
    }
    let mut list = row.body.pointer(place.pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let at = list.iter().position(|item| {
        item.get("name").and_then(Value::as_str).is_some_and(|have| have.eq_ignore_ascii_case(write.path.name()))
    });
    match at.and_then(|at| list.get_mut(at)) {
        Some(slot) => *slot = child,
        None => list.push(child),
    }
    let mut body = row.body.clone();
    set(&mut body, place.pointer, Value::Array(list));
    // the parent's own part was checked when it was written: only the child is new
    let inner = Write { path: parent, body, api_version: write.api_version.clone(), checked: true, ..Write::default() };
    Ok((inner, old.is_none()))
}

/// Writes a child through its parent.
///
/// # Errors
/// The parent's own rules; a parent that is not there.
pub fn put(cx: &mut Cx<'_>, write: &Write, place: &Place) -> Result<Written, ArmError> {
    shape::envelope(&write.body)?;
    for stage in [Stage::Reading, Stage::Meaning] {
        shape::check(stage, place.kind, &write.api_version, &write.body, write.patch)?;
    }
    let (inner, created) = with_child(cx, write, place)?;
    let mut written = super::write::put(cx, &inner)?;
    let child = named(&written.row, place, write.path.name()).cloned().unwrap_or_default();
    let id = write.path.id();
    let etag = written.row.etag.clone();
    let row = Row {
        id: id.clone(),
        kind: place.kind.into(),
        name: write.path.name().into(),
        body: child,
        etag,
        ..written.row.as_ref().clone()
    };
    // the polling URL of a child ends in the child
    if let Some((operation, _)) = &written.operation {
        let key = format!("lro|{operation}");
        if let Some(doc) = cx.store.doc(&key) {
            let mut doc = doc.as_ref().clone();
            if doc.pointer("/outcome/resource").is_some() {
                set(&mut doc, "/outcome", json!({ "status": 200, "body": row.body.clone() }));
            }
            cx.store.put_doc(&key, doc);
        }
    }
    written.row = Arc::new(row);
    written.created = created;
    Ok(written)
}

/// Removes a child from its parent.
///
/// # Errors
/// What the parent's type says about use by others.
pub fn delete(cx: &mut Cx<'_>, path: &Path, place: &Place) -> Result<Option<Deleted>, ArmError> {
    let Some(row) = parent_row(cx, path) else { return Ok(None) };
    let Some(child) = named(&row, place, path.name()).cloned() else { return Ok(None) };
    super::resources::check_locks(cx, &path.id(), super::resources::Touch::Delete)?;
    types::check_child_delete(cx, &path.id(), &child)?;
    let mut new = row.as_ref().clone();
    if let Some(list) = new.body.pointer_mut(place.pointer).and_then(Value::as_array_mut) {
        list.retain(|item| {
            item.get("name").and_then(Value::as_str).is_none_or(|have| !have.eq_ignore_ascii_case(path.name()))
        });
    }
    new.etag = cx.unique();
    new.changed = cx.now_ms();
    let location = new.location();
    cx.store.put_row(new);
    let operation = (!place.at_once)
        .then(|| (lro::start(cx, cx.core.settings.latency_ms, Outcome::Body(200, None)), Style::AsyncOperation));
    Ok(Some(Deleted { operation, location, answer: None }))
}
