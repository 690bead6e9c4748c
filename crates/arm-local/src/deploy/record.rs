//! What a GET of a deployment and of its operations shows.

use arm_template::{EffectiveParameter, Expansion, Resource};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

use super::request::DeploymentRequest;
use crate::clock::elapsed;
use crate::core::Cx;
use crate::documents::{
    DeploymentProperties, DeploymentRecord, DeploymentState, OperationDocument, OperationProperties, ParameterShown,
    StatusMessage, TargetResource, to_value,
};
use crate::error::ArmError;
use crate::id::Path;
use crate::names;

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

/// Parameters as records show them: `kind` spells the type, secure parameters are without their value.
#[must_use]
pub fn parameters(expansion: &Expansion, kind: impl Fn(&str) -> String) -> IndexMap<String, ParameterShown> {
    let shown = |parameter: &EffectiveParameter| ParameterShown {
        kind: kind(&parameter.kind),
        value: (!parameter.secure && parameter.secret_pointers.is_empty()).then(|| parameter.value.clone()),
    };
    expansion.parameters.iter().map(|(name, parameter)| (name.clone(), shown(parameter))).collect()
}

/// The record of a deployment that has not begun.
#[must_use]
pub fn fresh(
    cx: &Cx<'_>,
    request: &DeploymentRequest,
    expansion: &Expansion,
    state: DeploymentState,
) -> DeploymentRecord {
    DeploymentRecord {
        id: request.path.id(),
        name: request.path.name().to_owned(),
        kind: "Microsoft.Resources/deployments".to_owned(),
        location: request.location.clone(),
        tags: request.tags.clone(),
        properties: DeploymentProperties {
            template_hash: request.template.hash(),
            parameters: parameters(expansion, type_word),
            mode: request.mode.clone(),
            provisioning_state: state,
            timestamp: cx.now.to_string(),
            duration: "PT0S".to_owned(),
            correlation_id: request.correlation.clone(),
            providers: providers(expansion),
            dependencies: dependencies(expansion),
            links: request.links.clone(),
            validated_resources: None,
            error: None,
            outputs: None,
            output_resources: None,
        },
    }
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

fn target(id: &str) -> TargetResource {
    let path = Path::of(id);
    TargetResource {
        id: id.to_owned(),
        resource_type: path.resource_type(),
        resource_name: path.names.join("/"),
        symbolic_name: None,
    }
}

/// A resource of a template with what it depends on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    depends_on: Vec<TargetResource>,
    #[serde(flatten)]
    resource: TargetResource,
}

fn dependencies(expansion: &Expansion) -> Value {
    let with = expansion.resources.iter().filter(|resource| !resource.depends_on.is_empty() && !resource.existing);
    let all: Vec<Dependency> = with
        .map(|resource| Dependency {
            depends_on: resource.depends_on.iter().map(|id| target(id)).collect(),
            resource: target(&resource.id),
        })
        .collect();
    to_value(&all)
}

/// What an operation of a deployment did.
pub struct Operation<'a> {
    /// What was done: `Create`, `Delete` or `EvaluateDeploymentOutput`.
    pub verb: &'a str,
    /// Id and symbolic name of the resource that was written or deleted.
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
    let properties = OperationProperties {
        provisioning_operation: operation.verb.to_owned(),
        provisioning_state: state.to_owned(),
        timestamp: cx.now.to_string(),
        duration: elapsed(operation.took_ms),
        tracking_id: cx.unique(),
        status_code: code.to_owned(),
        service_request_id: operation.target.map(|_| cx.unique()),
        target_resource: operation
            .target
            .map(|(id, symbol)| TargetResource { symbolic_name: symbol.map(str::to_owned), ..target(id) }),
        status_message: operation
            .result
            .as_ref()
            .err()
            .map(|error| StatusMessage { status: "Failed".to_owned(), error: error.clone() }),
    };
    let document = OperationDocument { id: format!("{deployment}/operations/{id}"), operation_id: id, properties };
    cx.store.put(&format!("{deployment}|{at:06}"), document);
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
