//! What the rules of several network types share.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::error::ArmError;
use crate::rule::WriteContext;
use crate::types::refs;
use crate::value::set;

/// Gives the elements of an array their id, type, etag and state.
pub fn children(put: &mut WriteContext<'_, '_>, segment: &str, state: bool) {
    let own = put.path.id();
    let kind = put.path.resource_type();
    let etag = put.cx.unique();
    let pointer = format!("/properties/{segment}");
    put.default(&pointer, json!([]));
    for item in put.body.pointer_mut(&pointer).and_then(Value::as_array_mut).into_iter().flatten() {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        set(item, "/id", json!(format!("{own}/{segment}/{name}")));
        set(item, "/type", json!(format!("{kind}/{segment}")));
        set(item, "/etag", json!(format!("W/\"{etag}\"")));
        if state {
            set(item, "/properties/provisioningState", json!("Succeeded"));
        }
    }
}

pub fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

pub fn edit<'v>(value: &'v mut Value, pointer: &str) -> impl Iterator<Item = &'v mut Value> {
    value.pointer_mut(pointer).and_then(Value::as_array_mut).into_iter().flatten()
}

pub fn named(item: &Value) -> &str {
    item.get("name").and_then(Value::as_str).unwrap_or_default()
}

pub fn nets(value: &Value, one: &str, many: &str) -> Vec<String> {
    let mut out: Vec<String> = value.pointer(one).and_then(Value::as_str).map(str::to_owned).into_iter().collect();
    out.extend(list(value, many).filter_map(Value::as_str).map(str::to_owned));
    out
}

/// Refuses to remove a subnet that something is in.
///
/// # Errors
/// The error code `InUseSubnetCannotBeDeleted` of Azure.
pub fn subnet_free(cx: &Cx<'_>, id: &str) -> Result<(), ArmError> {
    let vnet = id.rsplit_once("/subnets/").map_or(id, |(vnet, _)| vnet).to_lowercase();
    let user = refs::user(cx, id, |kind| !kind.eq_ignore_ascii_case("Microsoft.Network/virtualNetworks"));
    match user {
        Some(user) if !user.to_lowercase().starts_with(&vnet) => Err(ArmError::bad(
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
                id.rsplit('/').next().unwrap_or_default()
            ),
        )),
        _ => Ok(()),
    }
}
