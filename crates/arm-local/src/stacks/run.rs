//! Carries a stack out: its deployment, then what it no longer manages, then its record.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Ask, key, outputs};
use crate::clock::elapsed;
use crate::core::{Core, Cx};
use crate::deploy;
use crate::deploy::request::Order;
use crate::error::ArmError;
use crate::groups;
use crate::id::{Path, key as id_key};
use crate::write::{self, set};

/// What became of resources that a stack lets go.
#[derive(Default)]
pub struct Unmanaged {
    /// Gone.
    pub deleted: Vec<String>,
    /// Still there, on their own.
    pub detached: Vec<String>,
    /// Still there, because their deletion failed.
    pub failed: Vec<(String, ArmError)>,
}

/// Deletes or detaches resources, users before what they use, as far as trying finds out.
pub fn unmanage(cx: &mut Cx<'_>, ids: &[String], action: &Value) -> Unmanaged {
    let word = |name: &str| action.get(name).and_then(Value::as_str).unwrap_or("detach").eq_ignore_ascii_case("delete");
    let (resources, resource_groups) = (word("resources"), word("resourceGroups"));
    let mut out = Unmanaged::default();
    let mut doomed = Vec::new();
    for id in ids {
        let group = Path::of(id).namespace.is_none();
        match if group { resource_groups } else { resources } {
            true => doomed.push(id.clone()),
            false => out.detached.push(id.clone()),
        }
    }
    let lasting = |id: &str| crate::types::implied(&Path::of(id).resource_type());
    let tolerant = action.get("resourcesWithoutDeleteSupport").and_then(Value::as_str) == Some("detach");
    // what cannot be deleted goes with its parent, or not at all
    let all: BTreeSet<String> = doomed.iter().map(|id| id_key(id)).collect();
    doomed.retain(|id| {
        let parent = Path::of(id).parent();
        let goes = parent.is_some_and(|parent| all.contains(&id_key(&parent.id())) || !write::exists(cx, &parent.id()));
        if !lasting(id) {
            return true;
        }
        if goes {
            out.deleted.push(id.clone());
        } else if tolerant {
            out.detached.push(id.clone());
        } else {
            let kind = Path::of(id).resource_type();
            let error = ArmError::new(
                405,
                "DeploymentStackResourceDeleteNotSupported",
                format!("Resources of type '{kind}' cannot be deleted by themselves."),
            );
            out.failed.push((id.clone(), error));
        }
        false
    });
    // groups last, what is inside goes first
    doomed.sort_by_key(|id| (Path::of(id).namespace.is_none(), std::cmp::Reverse(id.matches('/').count())));
    loop {
        let mut errors = Vec::new();
        let before = doomed.len();
        for id in std::mem::take(&mut doomed) {
            let mark = cx.store.mark();
            let result = match cx.store.row(&id) {
                Some(row) if Path::of(&id).namespace.is_none() => groups::delete(cx, &row),
                _ => match write::delete(cx, &Path::of(&id), None) {
                    Err(error) if error.status == 404 => Ok(()),
                    other => other.map(|_| ()),
                },
            };
            match result {
                Ok(()) => out.deleted.push(id),
                Err(error) => {
                    cx.store.rollback_to(mark);
                    errors.push((id, error));
                }
            }
        }
        if errors.is_empty() || errors.len() == before {
            out.failed.extend(errors);
            return out;
        }
        doomed = errors.into_iter().map(|(id, _)| id).collect();
    }
}

/// Runs a stack that is part of a deployment to its end; the error is that of the stack.
///
/// # Errors
/// What stopped it.
pub fn inside(core: &Arc<Core>, id: &str) -> Result<(), ArmError> {
    run(core, id);
    let doc = core.with("", |cx| Ok(cx.store.doc(&key(id))))?;
    let doc = doc.ok_or_else(|| ArmError::missing("DeploymentStackNotFound", ""))?;
    match deploy::state(&doc) {
        "succeeded" => Ok(()),
        state => Err(doc.pointer("/record/properties/error").map_or_else(
            || {
                ArmError::conflict(
                    "DeploymentStackDeploymentFailed",
                    format!("The deployment stack '{id}' is {state}."),
                )
            },
            |error| ArmError::from_value(409, error),
        )),
    }
}

/// Runs an accepted stack to its end.
pub fn run(core: &Arc<Core>, id: &str) {
    let path = Path::of(id);
    let begun = core.with(&super::caller(id), |cx| {
        let doc = cx.store.doc(&key(id)).ok_or_else(|| ArmError::missing("DeploymentStackNotFound", ""))?;
        let pending = doc.get("pending").cloned().unwrap_or_default();
        let mut ask = Ask::build(cx, &path, pending.get("body").unwrap_or(&Value::Null))?;
        let deployment = pending.get("deployment").and_then(Value::as_str).unwrap_or_default();
        ask.order = Order::resumed(cx, &Path::of(deployment), pending.get("order").unwrap_or(&Value::Null))?;
        ask.order.stack = Some(id.to_owned());
        let expansion = ask.order.expand(cx)?;
        deploy::accept(cx, &ask.order, &expansion)?;
        deploy::adopt(cx, &ask.order.path.id());
        let mut doc = doc.as_ref().clone();
        set(&mut doc, "/record/properties/provisioningState", json!("deploying"));
        cx.store.put_doc(&key(id), doc);
        Ok((ask, expansion))
    });
    let (ask, expansion) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            let _ = core.with("", |cx| {
                if let Some(doc) = cx.store.doc(&key(id)) {
                    let mut doc = doc.as_ref().clone();
                    set(&mut doc, "/record/properties/provisioningState", json!("failed"));
                    set(&mut doc, "/record/properties/error", error.value());
                    set(&mut doc, "/pending", Value::Null);
                    cx.store.put_doc(&key(id), doc);
                }
                Ok(())
            });
            return;
        }
    };
    let done = deploy::run::carry_and_finish(core, &ask.order, &expansion);
    let _ = core.with(&super::caller(id), |cx| {
        let Some(doc) = cx.store.doc(&key(id)) else { return Ok(()) };
        let mut doc = doc.as_ref().clone();
        finish(cx, &mut doc, &ask, &done);
        cx.store.put_doc(&key(id), doc);
        Ok(())
    });
}

fn finish(cx: &mut Cx<'_>, doc: &mut Value, ask: &Ask, done: &deploy::run::Done) {
    let deny = ask
        .properties
        .get("denySettings")
        .and_then(|deny| deny.get("mode"))
        .and_then(Value::as_str)
        .unwrap_or("none")
        .to_owned();
    let before: Vec<String> = doc
        .get("before")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let took = cx.real_ms - doc.get("start").and_then(Value::as_i64).unwrap_or(cx.real_ms);
    set(doc, "/record/properties/duration", json!(elapsed(took)));
    set(doc, "/pending", Value::Null);
    let entry = |id: &String| json!({ "id": id, "status": "managed", "denyStatus": deny });
    let now: BTreeSet<String> = done.written.iter().map(|id| id_key(id)).collect();
    let record =
        cx.store.doc(&deploy::key(&ask.order.path.id())).and_then(|doc| doc.get("record").cloned()).unwrap_or_default();
    let deployment_failed =
        record.pointer("/properties/provisioningState").and_then(Value::as_str) != Some("Succeeded");
    let mut resources: Vec<Value> = done.written.iter().map(entry).collect();
    let gone: Vec<String> = before.iter().filter(|id| !now.contains(&id_key(id))).cloned().collect();
    if deployment_failed || done.canceled {
        // nothing is let go after a failure
        resources.extend(gone.iter().map(entry));
        let error = record.pointer("/properties/error").cloned();
        set(doc, "/record/properties/resources", Value::Array(resources));
        set(doc, "/record/properties/provisioningState", json!(if done.canceled { "canceled" } else { "failed" }));
        let failed: Vec<Value> =
            done.failed.iter().map(|(id, error)| json!({ "id": id, "error": error.value() })).collect();
        set(doc, "/record/properties/failedResources", Value::Array(failed));
        if let Some(error) = error {
            let outer = ArmError::conflict(
                "DeploymentStackDeploymentFailed",
                "One or more resources could not be deployed. See the deployment for details.",
            );
            set(doc, "/record/properties/error", outer.because(vec![ArmError::from_value(409, &error)]).value());
        }
        return;
    }
    let action = ask.properties.get("actionOnUnmanage").cloned().unwrap_or_default();
    let ended = unmanage(cx, &gone, &action);
    for (id, _) in &ended.failed {
        resources.push(json!({ "id": id, "status": "deleteFailed", "denyStatus": deny }));
    }
    let plain = |ids: &[String]| ids.iter().map(|id| json!({ "id": id })).collect::<Value>();
    set(doc, "/record/properties/resources", Value::Array(resources));
    set(doc, "/record/properties/deletedResources", plain(&ended.deleted));
    set(doc, "/record/properties/detachedResources", plain(&ended.detached));
    let failed: Vec<Value> =
        ended.failed.iter().map(|(id, error)| json!({ "id": id, "error": error.value() })).collect();
    set(doc, "/record/properties/failedResources", Value::Array(failed));
    set(doc, "/record/properties/outputs", outputs(&record));
    if ended.failed.is_empty() {
        set(doc, "/record/properties/provisioningState", json!("succeeded"));
    } else {
        let details = ended.failed.iter().map(|(id, error)| error.clone().at(id.clone())).collect();
        let error =
            ArmError::conflict("DeploymentStackDeleteResourcesFailed", "One or more resources could not be deleted.")
                .because(details);
        set(doc, "/record/properties/provisioningState", json!("failed"));
        set(doc, "/record/properties/error", error.value());
    }
}
