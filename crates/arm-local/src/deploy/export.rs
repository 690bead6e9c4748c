//! Templates out of what is there.

use serde_json::{Map, Value, json};

use crate::core::Cx;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::Path;
use crate::lookup;
use crate::{names, resources};

/// `POST {group}/exportTemplate`: a template of resources of the group.
///
/// # Errors
/// The error code `ResourceGroupNotFound` of Azure.
pub fn group(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    if cx.store.row(&path.scope).is_none() {
        return Err(lookup::group_not_found(path.group().unwrap_or_default()));
    }
    let sent = request.json()?;
    let wanted: Vec<String> = sent
        .get("resources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_lowercase)
        .collect();
    let every = wanted.is_empty() || wanted.iter().any(|id| id == "*");
    let mut list = Vec::new();
    for row in cx.store.below(&path.scope) {
        if !resources::is_listed(&row) || !(every || wanted.contains(&row.id.to_lowercase())) {
            continue;
        }
        let version = names::TYPES
            .iter()
            .find(|(namespace, kind, _)| format!("{namespace}/{kind}").eq_ignore_ascii_case(&row.kind))
            .and_then(|(_, _, versions)| versions.first())
            .copied()
            .unwrap_or("2025-04-01");
        let mut resource = Map::new();
        resource.insert("type".into(), json!(row.kind));
        resource.insert("apiVersion".into(), json!(version));
        resource.insert("name".into(), json!(row.name));
        let mut body = row.body.clone();
        strip_read_only(&row.kind, &mut body, "");
        for (key, value) in body.as_object().into_iter().flatten() {
            if !["id", "name", "type", "etag"].contains(&key.as_str()) {
                resource.insert(key.clone(), value.clone());
            }
        }
        list.push(Value::Object(resource));
    }
    Ok(Reply::ok(json!({ "template": {
        "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "parameters": {}, "variables": {}, "resources": list,
    } })))
}

/// What the service fills in for itself, beside what the types mark as such.
const OWN: &[&str] = &[
    "provisioningState",
    "etag",
    "resourceGuid",
    "uniqueId",
    "timeCreated",
    "creationTime",
    "lastModified",
    "lastModifiedTime",
    "ipConfiguration",
    "lastEnabledTime",
    "createdOn",
    "updatedOn",
    "primaryLocation",
    "statusOfPrimary",
    "primaryEndpoints",
];

/// Removes what only the service writes.
pub fn strip_read_only(kind: &str, value: &mut Value, pointer: &str) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| {
                let inner = format!("{pointer}/{key}");
                let envelope = pointer.is_empty() && ["id", "name", "type"].contains(&key.as_str());
                envelope
                    || !(arm_catalog::is_read_only(kind, &inner)
                        || (!pointer.is_empty() && pointer != "/tags" && OWN.contains(&key.as_str())))
            });
            for (key, inner) in map.iter_mut() {
                if key != "tags" {
                    strip_read_only(kind, inner, &format!("{pointer}/{key}"));
                }
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter_mut().enumerate() {
                strip_read_only(kind, inner, &format!("{pointer}/{at}"));
            }
        }
        _ => {}
    }
}
