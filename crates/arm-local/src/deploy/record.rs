//! What a GET of a deployment and of its operations shows.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::clock::elapsed;
use crate::core::Cx;
use crate::error::ArmError;
use crate::id::Path;
use crate::names;
use crate::write::set;
use arm_template::{Expansion, Resource};

use super::request::Order;

/// `securestring` as records write it: `SecureString`.
#[must_use]
pub fn type_word(kind: &str) -> String {
    match kind.to_lowercase().as_str() {
        "securestring" => "SecureString".to_owned(),
        "secureobject" => "SecureObject".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// The record of a deployment that has not begun.
#[must_use]
pub fn fresh(cx: &Cx<'_>, order: &Order, expansion: &Expansion, state: &str) -> Value {
    let mut parameters = Map::new();
    for (name, parameter) in &expansion.parameters {
        let mut shown = json!({ "type": type_word(&parameter.kind) });
        if !parameter.secure && parameter.secret_pointers.is_empty() {
            set(&mut shown, "/value", parameter.value.clone());
        }
        parameters.insert(name.clone(), shown);
    }
    let mut record = json!({
        "id": order.path.id(), "name": order.path.name(), "type": "Microsoft.Resources/deployments",
    });
    if let Some(location) = &order.location {
        set(&mut record, "/location", json!(location));
    }
    if let Some(tags) = &order.tags {
        set(&mut record, "/tags", tags.clone());
    }
    set(
        &mut record,
        "/properties",
        json!({
            "templateHash": order.template.hash(), "parameters": parameters, "mode": order.mode, "provisioningState": state,
            "timestamp": cx.now.to_string(), "duration": "PT0S", "correlationId": order.correlation,
            "providers": providers(expansion), "dependencies": dependencies(expansion),
        }),
    );
    for (name, link) in order.links.as_object().into_iter().flatten().filter(|(_, link)| !link.is_null()) {
        set(&mut record, &format!("/properties/{name}"), link.clone());
    }
    record
}

fn providers(expansion: &Expansion) -> Value {
    let mut seen: IndexMap<String, IndexMap<String, Vec<String>>> = IndexMap::new();
    for resource in &expansion.resources {
        if resource.existing {
            continue;
        }
        let Some((namespace, kind)) = resource.resource_type.split_once('/') else { continue };
        let places = seen.entry(namespace.to_owned()).or_default().entry(kind.to_owned()).or_default();
        if let Some(location) = resource.body.get("location").and_then(Value::as_str) {
            let location = names::location(location);
            if !places.contains(&location) {
                places.push(location);
            }
        }
    }
    seen.into_iter()
        .map(|(namespace, kinds)| {
            let kinds: Vec<Value> = kinds
                .into_iter()
                .map(|(kind, places)| {
                    let places = if places.is_empty() { json!([null]) } else { json!(places) };
                    json!({ "resourceType": kind, "locations": places })
                })
                .collect();
            json!({ "namespace": namespace, "resourceTypes": kinds })
        })
        .collect()
}

fn entry(id: &str) -> Value {
    let path = Path::of(id);
    json!({ "id": id, "resourceType": path.resource_type(), "resourceName": path.names.join("/") })
}

fn dependencies(expansion: &Expansion) -> Value {
    let with = expansion.resources.iter().filter(|resource| !resource.depends_on.is_empty() && !resource.existing);
    with.map(|resource| {
        let mut one = json!({ "dependsOn": resource.depends_on.iter().map(|id| entry(id)).collect::<Vec<_>>() });
        if let (Some(map), Value::Object(own)) = (one.as_object_mut(), entry(&resource.id)) {
            map.extend(own);
        }
        one
    })
    .collect()
}

/// What an operation of a deployment did.
pub struct Operation<'a> {
    /// `Create`, `Delete`, `EvaluateDeploymentOutput`.
    pub verb: &'a str,
    /// What it was about.
    pub target: Option<(&'a str, Option<&'a str>)>,
    /// How it ended: HTTP status, or the failure.
    pub result: Result<u16, ArmError>,
    /// Machine milliseconds that it took.
    pub took_ms: i64,
}

/// Stores an operation of a deployment.
pub fn operation(cx: &mut Cx<'_>, deployment: &str, at: usize, operation: &Operation<'_>) {
    let id = format!("{:016X}", u64::from(crc(deployment, at)) << 32 | at as u64 & 0xffff_ffff);
    let (state, code) = match &operation.result {
        Ok(200) => ("Succeeded", "OK"),
        Ok(201) => ("Succeeded", "Created"),
        Ok(202) => ("Running", "Accepted"),
        Ok(_) => ("Succeeded", "OK"),
        Err(error) => ("Failed", status_word(error.status)),
    };
    let mut properties = json!({
        "provisioningOperation": operation.verb, "provisioningState": state, "timestamp": cx.now.to_string(),
        "duration": elapsed(operation.took_ms), "trackingId": cx.unique(), "statusCode": code,
    });
    if let Some((target, symbol)) = operation.target {
        set(&mut properties, "/serviceRequestId", json!(cx.unique()));
        let mut shown = entry(target);
        if let Some(symbol) = symbol {
            set(&mut shown, "/symbolicName", json!(symbol));
        }
        set(&mut properties, "/targetResource", shown);
    }
    if let Err(error) = &operation.result {
        set(&mut properties, "/statusMessage", json!({ "status": "Failed", "error": error.value() }));
    }
    let doc = json!({ "id": format!("{deployment}/operations/{id}"), "operationId": id, "properties": properties });
    cx.store.put_doc(&format!("depop|{}|{at:06}", crate::id::key(deployment)), doc);
}

fn crc(text: &str, at: usize) -> u32 {
    // FNV-1a: only to tell the operations of one deployment from those of another
    text.bytes()
        .chain(at.to_le_bytes())
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn status_word(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        412 => "PreconditionFailed",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalServerError",
    }
}

/// The error of a deployment whose resources failed.
#[must_use]
pub fn failure(failed: &[(String, ArmError)]) -> ArmError {
    let details = failed
        .iter()
        .map(|(id, error)| ArmError { target: error.target.clone().or_else(|| Some(id.clone())), ..error.clone() })
        .collect();
    ArmError::conflict(
        "DeploymentFailed",
        "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.",
    )
    .because(details)
}

/// The body of a resource as it is sent: without what only templates have.
#[must_use]
pub fn sent_body(resource: &Resource, body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(map) = body.as_object_mut() {
        for key in [
            "apiVersion",
            "type",
            "name",
            "dependsOn",
            "condition",
            "copy",
            "comments",
            "scope",
            "existing",
            "resources",
        ] {
            map.shift_remove(key);
        }
        if resource.resource_type.eq_ignore_ascii_case("Microsoft.Resources/deployments") {
            map.shift_remove("resourceGroup");
            map.shift_remove("subscriptionId");
        }
    }
    body
}
