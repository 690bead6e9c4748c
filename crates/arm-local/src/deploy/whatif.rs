//! What a deployment would do: a rehearsal on the endpoint's state, compared with what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use arm_template::{Context, Expansion, Limits, Resource};

use crate::core::Cx;
use crate::deploy::export::strip_read_only;
use crate::deploy::links::Links;
use crate::deploy::live::StateRuntime;
use crate::deploy::record::sent_body;
use crate::deploy::request::{DeploymentRequest, template_error};
use crate::deploy::{diff, ending, steps};
use crate::error::ArmError;
use crate::id::{Path, key};
use crate::lookup;
use crate::value;
use crate::value::set;

/// What is shown in place of a secret.
const MASK: &str = "*******";

/// One resource of the template with what is known of it before the deployment.
struct Wanted {
    id: String,
    kind: String,
    api_version: String,
    symbol: Option<String>,
    /// As it will be sent; unknown parts are expressions.
    sent: Value,
    /// Pointers of the unknown parts.
    unknown: Vec<String>,
    before: Option<Value>,
    after: Option<Value>,
}

/// `properties` of the result.
///
/// # Errors
/// What the engine or preflight says.
pub fn run(cx: &mut Cx<'_>, deployment: &DeploymentRequest) -> Result<Value, ArmError> {
    let expansion = deployment.expand(cx)?;
    let mut wanted = Vec::new();
    let new: Vec<String> =
        steps::ids(&expansion).into_iter().filter(|id| !lookup::exists(cx, id)).map(|id| key(&id)).collect();
    collect(cx, &deployment.context, &expansion, &new, &mut wanted)?;
    let mut finished: BTreeMap<String, Value> = BTreeMap::new();
    let mut errors = Vec::new();
    steps::rehearse(cx, |cx| {
        steps::walk(cx, &deployment.context, &expansion, &mut |cx, resource, result| match result {
            Ok(_) => {
                if let Some(body) = lookup::find(cx, &resource.id) {
                    finished.insert(key(&resource.id), body);
                }
            }
            Err(error) if !steps::RUNTIME_CODES.contains(&error.code.as_str()) => errors.push(error),
            Err(_) => {}
        });
    });
    if !errors.is_empty() {
        return Err(ArmError::bad(
            "InvalidTemplateDeployment",
            format!("The template deployment '{}' is not valid according to the validation procedure. The tracking id is '{}'. See inner errors for details.", deployment.path.name(), deployment.correlation),
        )
        .because(errors));
    }
    for one in &mut wanted {
        one.after = finished.remove(&key(&one.id));
    }
    let mut changes: Vec<Value> = wanted.iter().map(|one| change(one, deployment.ids_only)).collect();
    if deployment.path.group().is_some() {
        let kept: BTreeSet<String> = wanted.iter().map(|one| key(&one.id)).collect();
        let verb = if deployment.mode == "Complete" { "Delete" } else { "Ignore" };
        for id in ending::unmentioned(cx, &deployment.path.scope, &kept) {
            let Some(body) = lookup::find(cx, &id) else { continue };
            let mut entry = json!({ "resourceId": id, "changeType": verb });
            if !deployment.ids_only {
                let kind = Path::of(&id).resource_type();
                let shown = shown(&kind, &version(&kind), body);
                set(&mut entry, "/before", shown.clone());
                if verb == "Ignore" {
                    set(&mut entry, "/after", shown);
                }
            }
            changes.push(entry);
        }
    }
    changes.sort_by_key(|entry| entry.get("resourceId").and_then(Value::as_str).unwrap_or_default().to_lowercase());
    Ok(
        json!({ "correlationId": deployment.correlation, "changes": changes, "potentialChanges": [], "diagnostics": [] }),
    )
}

fn version(kind: &str) -> String {
    arm_catalog::latest_version(kind).unwrap_or("2025-04-01").to_owned()
}

/// Every resource with its body as far as it can be known before.
fn collect(
    cx: &mut Cx<'_>,
    context: &Context,
    expansion: &Expansion,
    new: &[String],
    out: &mut Vec<Wanted>,
) -> Result<(), ArmError> {
    for resource in expansion.resources.iter().filter(|resource| !resource.existing) {
        if let Some(nested) = &resource.nested {
            let links = Links::of(cx);
            let inner = nested
                .expand(context, &Limits::default(), &links, &StateRuntime::lenient(cx, new.to_vec()))
                .map_err(|errors| template_error(&errors))?;
            if let Some(inner) = inner {
                let context = steps::context_inside(cx, nested, context, &resource.id);
                collect(cx, &context, &inner, new, out)?;
            }
            continue;
        }
        let resolved = resource
            .resolve(context, &StateRuntime::lenient(cx, new.to_vec()))
            .map_err(|error| template_error(&[error]))?;
        if !resolved.present {
            continue;
        }
        let mut sent = sent_body(resource, &resolved.body.value);
        mask(resource, &resolved.body.secret_pointers, &mut sent);
        let id = real_id(resource, &resolved.id);
        let before = lookup::find(cx, &id);
        out.push(Wanted {
            kind: Path::of(&id).resource_type(),
            api_version: resource.api_version.clone(),
            symbol: resource.symbolic_name.clone(),
            sent,
            unknown: resolved.body.unknown,
            before,
            after: None,
            id,
        });
    }
    Ok(())
}

/// Groups go by their own id, whatever function a template names them with.
fn real_id(resource: &Resource, id: &str) -> String {
    if !resource.resource_type.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups") {
        return Path::of(id).id();
    }
    let sub = Path::of(id).subscription().unwrap_or_default().to_owned();
    format!("/subscriptions/{sub}/resourceGroups/{}", resource.name)
}

fn mask(resource: &Resource, secret: &[String], body: &mut Value) {
    for pointer in secret {
        if let Some(slot) = body.pointer_mut(pointer) {
            *slot = json!(MASK);
        }
    }
    let kind = resource.resource_type.clone();
    mask_known(&kind, body, "");
}

/// Masks what the types or the facts call secret, though the template gave it as plain text.
fn mask_known(kind: &str, value: &mut Value, pointer: &str) {
    if !pointer.is_empty() && (arm_catalog::is_sensitive(kind, pointer) || arm_catalog::never_returned(kind, pointer)) {
        *value = json!(MASK);
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                mask_known(kind, inner, &format!("{pointer}/{key}"));
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter_mut().enumerate() {
                mask_known(kind, inner, &format!("{pointer}/{at}"));
            }
        }
        _ => {}
    }
}

/// A body as what-if shows it: nothing that only the service writes, no empty objects, keys in deployment.
fn shown(kind: &str, api_version: &str, mut body: Value) -> Value {
    strip_read_only(kind, &mut body, "");
    mask_known(kind, &mut body, "");
    set(&mut body, "/apiVersion", json!(api_version));
    diff::tidy(&body)
}

/// A resource that is there, as what-if shows it.
#[must_use]
pub fn shown_now(id: &str, body: Value) -> Value {
    let kind = Path::of(id).resource_type();
    shown(&kind, &version(&kind), body)
}

fn change(one: &Wanted, ids_only: bool) -> Value {
    let mut entry = json!({ "resourceId": one.id });
    if let Some(symbol) = &one.symbol {
        set(&mut entry, "/symbolicName", json!(symbol));
    }
    let envelope = |body: &mut Value| {
        let path = Path::of(&one.id);
        set(body, "/id", json!(one.id));
        set(body, "/name", json!(one.id.rsplit('/').next()));
        set(
            body,
            "/type",
            json!(if path.group().is_some() && path.namespace.is_none() {
                "Microsoft.Resources/resourceGroups".to_owned()
            } else {
                one.kind.clone()
            }),
        );
    };
    let Some(before) = &one.before else {
        set(&mut entry, "/changeType", json!("Create"));
        if !ids_only {
            let mut body = one.sent.clone();
            envelope(&mut body);
            set(&mut body, "/apiVersion", json!(one.api_version));
            set(&mut entry, "/after", diff::tidy(&body));
        }
        return entry;
    };
    if ids_only {
        set(&mut entry, "/changeType", json!("Deploy"));
        return entry;
    }
    let mut after = one.after.clone().unwrap_or_else(|| {
        let mut merged = before.clone();
        value::merge(&mut merged, &one.sent);
        merged
    });
    for pointer in &one.unknown {
        if let Some(text) = one.sent.pointer(pointer) {
            set(&mut after, pointer, text.clone());
        }
    }
    let (before, after) =
        (shown(&one.kind, &one.api_version, before.clone()), shown(&one.kind, &one.api_version, after));
    let delta = diff::delta(&one.kind, &before, &after);
    set(&mut entry, "/changeType", json!(if delta.is_empty() { "NoChange" } else { "Modify" }));
    set(&mut entry, "/before", before);
    set(&mut entry, "/after", after);
    if !delta.is_empty() {
        set(&mut entry, "/delta", Value::Array(delta));
    }
    entry
}
