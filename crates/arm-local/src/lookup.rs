//! Finding a resource: in a row of its own, or inside the body of its parent (subnets, security rules, routes, extensions
//! of scale sets, …).

use std::sync::Arc;

use serde_json::Value;

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::id::Path;

/// Type of a resource group.
pub const GROUP: &str = "Microsoft.Resources/resourceGroups";

/// Where children of a type are kept.
#[derive(Clone, Copy, Debug)]
pub struct ChildPlace {
    pub kind: &'static str,
    pub pointer: &'static str,
    /// A PUT keeps what it does not mention, and a deletion is done at once.
    pub at_once: bool,
}

const fn at(kind: &'static str, pointer: &'static str) -> ChildPlace {
    ChildPlace { kind, pointer, at_once: false }
}

const PLACES: &[ChildPlace] = &[
    at("Microsoft.Network/virtualNetworks/subnets", "/properties/subnets"),
    at("Microsoft.Network/virtualNetworks/virtualNetworkPeerings", "/properties/virtualNetworkPeerings"),
    at("Microsoft.Network/networkSecurityGroups/securityRules", "/properties/securityRules"),
    at("Microsoft.Network/networkSecurityGroups/defaultSecurityRules", "/properties/defaultSecurityRules"),
    at("Microsoft.Network/routeTables/routes", "/properties/routes"),
    ChildPlace {
        kind: "Microsoft.Network/networkInterfaces/ipConfigurations",
        pointer: "/properties/ipConfigurations",
        at_once: true,
    },
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
    ChildPlace {
        kind: "Microsoft.Storage/storageAccounts/privateEndpointConnections",
        pointer: "/properties/privateEndpointConnections",
        at_once: true,
    },
    ChildPlace {
        kind: "Microsoft.Batch/batchAccounts/privateEndpointConnections",
        pointer: "/properties/privateEndpointConnections",
        at_once: true,
    },
];

/// The place of a child resource, if its type is kept inside the parent.
#[must_use]
pub fn place(path: &Path) -> Option<ChildPlace> {
    if !path.is_resource() {
        return None;
    }
    collection(path)
}

/// The same for a collection path.
#[must_use]
pub fn collection(path: &Path) -> Option<ChildPlace> {
    let kind = path.resource_type();
    PLACES.iter().copied().find(|place| place.kind.eq_ignore_ascii_case(&kind))
}

pub fn parent_row(cx: &Cx<'_>, path: &Path) -> Option<Arc<Row>> {
    cx.store.row(&path.parent()?.id())
}

pub fn named<'v>(row: &'v Row, place: &ChildPlace, name: &str) -> Option<&'v Value> {
    let list = row.body.pointer(place.pointer)?.as_array()?;
    list.iter()
        .find(|item| item.get("name").and_then(Value::as_str).is_some_and(|have| have.eq_ignore_ascii_case(name)))
}

#[must_use]
pub fn get(cx: &Cx<'_>, path: &Path, place: &ChildPlace) -> Option<Value> {
    let row = parent_row(cx, path)?;
    named(&row, place, path.name()).map(|child| shown(child, &row.id, place))
}

/// A child as a resource of its own: with its id and type, also where the parent's list leaves them out.
fn shown(child: &Value, parent: &str, place: &ChildPlace) -> Value {
    let mut child = child.clone();
    let name = child.get("name").and_then(Value::as_str).unwrap_or_default();
    let segment = place.kind.rsplit('/').next().unwrap_or_default();
    let id = format!("{parent}/{segment}/{name}");
    crate::value::set_default(&mut child, "/id", id.into());
    crate::value::set_default(&mut child, "/type", place.kind.into());
    child
}

/// All children, or `None` when the parent is not there.
#[must_use]
pub fn list(cx: &Cx<'_>, parent: &Path, place: &ChildPlace) -> Option<Vec<Value>> {
    let row = cx.store.row(&parent.id())?;
    let children = row.body.pointer(place.pointer).and_then(Value::as_array).into_iter().flatten();
    Some(children.map(|child| shown(child, &row.id, place)).collect())
}

/// Whether a resource is there, as a row or inside its parent.
#[must_use]
pub fn exists(cx: &Cx<'_>, id: &str) -> bool {
    find(cx, id).is_some()
}

/// A resource's body, from its row or from inside its parent.
#[must_use]
pub fn find(cx: &Cx<'_>, id: &str) -> Option<Value> {
    if let Some(row) = cx.store.row(id) {
        return Some(cx.view(&row));
    }
    let path = Path::of(id);
    let place = place(&path)?;
    get(cx, &path, &place)
}

/// `ResourceNotFound`, 404, in ARM's words.
#[must_use]
pub fn not_found(path: &Path) -> ArmError {
    let kind = path.resource_type();
    match (path.group(), path.parent()) {
        (Some(group), _) => ArmError::missing(
            "ResourceNotFound",
            format!(
                "The Resource '{kind}/{}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
                path.names.join("/")
            ),
        ),
        _ => ArmError::missing("ResourceNotFound", format!("The Resource '{}' was not found.", path.id())),
    }
}

/// Refuses a path inside a resource group that is not there.
///
/// # Errors
/// The error code `ResourceGroupNotFound` of Azure.
pub fn group_of_exists(cx: &Cx<'_>, path: &Path) -> Result<(), ArmError> {
    match path.group() {
        Some(group) if cx.store.row(&crate::id::group_of(&path.scope).unwrap_or_default()).is_none() => {
            Err(group_not_found(group))
        }
        _ => Ok(()),
    }
}

/// `ResourceGroupNotFound`, 404, in ARM's words.
#[must_use]
pub fn group_not_found(name: &str) -> ArmError {
    ArmError::missing("ResourceGroupNotFound", format!("Resource group '{name}' could not be found."))
}
