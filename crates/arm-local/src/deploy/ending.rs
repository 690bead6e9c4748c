//! The end of a deployment: what a complete one deletes, outputs, and the finished record.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::clock::elapsed;
use crate::core::{Core, Cx};
use crate::error::ArmError;
use crate::id::{Path, key};
use crate::resources;
use crate::write::{self, set};
use arm_template::{Context, Expansion};

use super::live::Live;
use super::record::{self, Operation};
use super::request::{Order, template_error};
use super::run::{Done, caller, real_ms};

/// Deletes what a complete deployment does not mention.
pub(super) fn sweep(core: &Arc<Core>, order: &Order, id: &str, done: &mut Done) {
    let kept: BTreeSet<String> = done.written.iter().map(|id| key(id)).collect();
    let scope = order.path.scope.clone();
    let caller = caller(order);
    let doomed = core.with("", |cx| Ok(unmentioned(cx, &scope, &kept)));
    let mut left = doomed.unwrap_or_default();
    let mut at = 900_000;
    loop {
        let mut errors = Vec::new();
        let before = left.len();
        for target in std::mem::take(&mut left) {
            let started = real_ms();
            let result = core.with(&caller, |cx| write::delete(cx, &Path::of(&target), None).map(|_| ()));
            match result {
                Ok(()) => {
                    at += 1;
                    let operation = Operation {
                        verb: "Delete",
                        target: Some((&target, None)),
                        result: Ok(200),
                        took_ms: real_ms() - started,
                    };
                    let _ = core.with("", |cx| {
                        record::operation(cx, id, at, &operation);
                        Ok(())
                    });
                }
                Err(error) => errors.push((target, error)),
            }
        }
        if errors.is_empty() {
            return;
        }
        // what was in use may be free once its users are gone
        if errors.len() == before {
            for (target, error) in errors {
                at += 1;
                let operation =
                    Operation { verb: "Delete", target: Some((&target, None)), result: Err(error.clone()), took_ms: 0 };
                let _ = core.with("", |cx| {
                    record::operation(cx, id, at, &operation);
                    Ok(())
                });
                done.failed.push((target, error));
            }
            return;
        }
        left = errors.into_iter().map(|(target, _)| target).collect();
    }
}

/// Resources of a group that a template does not mention, dependents first as far as ids tell.
#[must_use]
pub fn unmentioned(cx: &Cx<'_>, scope: &str, kept: &BTreeSet<String>) -> Vec<String> {
    let mut out: Vec<String> = cx
        .store
        .below(scope)
        .into_iter()
        .filter(|row| resources::is_listed(row) && row.at("/properties/virtualMachineScaleSet").is_none())
        .filter(|row| !kept.contains(&key(&row.id)))
        .map(|row| row.id.clone())
        .collect();
    out.sort();
    out
}

/// Writes the end of a deployment into its record.
pub(super) fn finish(core: &Arc<Core>, id: &str, parts: Option<(&Order, &Expansion)>, done: &Done, context: &Context) {
    let _ = core.with("", |cx| {
        let Some(doc) = cx.store.doc(&super::key(id)) else { return Ok(()) };
        let mut doc = doc.as_ref().clone();
        let mut error = (!done.failed.is_empty()).then(|| record::failure(&done.failed));
        let (mut shown, mut whole) = (Map::new(), Map::new());
        if error.is_none()
            && !done.canceled
            && let Some((_, expansion)) = parts
        {
            for (name, output) in &expansion.outputs {
                let kind = record::type_word(&output.kind);
                match output.resolve(context, &Live::new(cx)) {
                    Ok(resolved) => {
                        whole.insert(name.clone(), json!({ "type": kind, "value": resolved.value }));
                        let secret = output.secure || !resolved.secret_pointers.is_empty();
                        shown.insert(name.clone(), if secret { json!({ "type": kind }) } else { json!({ "type": kind, "value": resolved.value }) });
                    }
                    Err(problem) => {
                        let inner = template_error(&[problem]).at(name.clone());
                        error = Some(ArmError::bad("DeploymentOutputEvaluationFailed", format!("Unable to evaluate template outputs: '{name}'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details.")).because(vec![inner]));
                        break;
                    }
                }
            }
        }
        let state = match (&error, done.canceled) {
            (_, true) => "Canceled",
            (Some(_), _) => "Failed",
            _ => "Succeeded",
        };
        let took = cx.real_ms - doc.get("start").and_then(Value::as_i64).unwrap_or(cx.real_ms);
        set(&mut doc, "/record/properties/provisioningState", json!(state));
        set(&mut doc, "/record/properties/timestamp", json!(cx.now.to_string()));
        set(&mut doc, "/record/properties/duration", json!(elapsed(took)));
        match &error {
            Some(error) => set(&mut doc, "/record/properties/error", error.value()),
            None => {
                if !shown.is_empty() {
                    set(&mut doc, "/record/properties/outputs", Value::Object(shown));
                }
                let written: Vec<Value> = done.written.iter().map(|id| json!({ "id": id })).collect();
                set(&mut doc, "/record/properties/outputResources", Value::Array(written));
            }
        }
        let nested = doc.get("pending").is_some_and(Value::is_null);
        if nested {
            set(&mut doc, "/outputs", Value::Object(whole));
        } else {
            // the values of secure outputs were for the deployments around; nobody else needs them
            for (key, other) in cx.store.docs("deployment|") {
                let correlation = |doc: &Value| doc.pointer("/record/properties/correlationId").cloned();
                if other.get("outputs").is_some() && correlation(&other) == correlation(&doc) {
                    let mut other = other.as_ref().clone();
                    if let Some(map) = other.as_object_mut() {
                        map.shift_remove("outputs");
                    }
                    cx.store.put_doc(&key, other);
                }
            }
        }
        set(&mut doc, "/pending", Value::Null);
        cx.store.put_doc(&super::key(id), doc);
        if error.is_none() && !done.canceled {
            record::operation(cx, id, 999_999, &Operation { verb: "EvaluateDeploymentOutput", target: None, result: Ok(200), took_ms: 0 });
        }
        Ok(())
    });
}
