//! Runs a stack: its deployment, then what it no longer manages, then its record.

use std::collections::BTreeSet;
use std::sync::Arc;

use arm_template::Expansion;
use serde_json::{Map, Value, json};

use super::request::StackRequest;
use super::unmanage::unmanage;
use super::words::lower_first;
use crate::clock::elapsed;
use crate::core::{Core, Cx};
use crate::deploy::{self, RunResult};
use crate::documents::{
    DeploymentDocument, DeploymentState, FailedResource, ManagedResource, StackDocument, StackState, refs,
};
use crate::error::ArmError;
use crate::guards::stack_caller;
use crate::id::{Path, key};

/// Runs a stack that is part of a deployment to its end; the error is that of the stack.
///
/// # Errors
/// What the deployment or a deletion failed with.
pub fn run_inside(core: &Arc<Core>, id: &str) -> Result<(), ArmError> {
    run(core, id);
    let document = core.with("", |cx| Ok(cx.store.get::<StackDocument>(id)))?;
    let document = document.ok_or_else(|| ArmError::missing("DeploymentStackNotFound", ""))?;
    let properties = &document.record.properties;
    if properties.provisioning_state == StackState::Succeeded {
        return Ok(());
    }
    Err(properties.error.clone().unwrap_or_else(|| {
        let state = properties.provisioning_state.word();
        ArmError::conflict("DeploymentStackDeploymentFailed", format!("The deployment stack '{id}' is {state}."))
    }))
}

/// Runs an accepted stack to its end.
pub fn run(core: &Arc<Core>, id: &str) {
    let caller = stack_caller(id);
    let begun = core.aside(&caller, |cx| begin(cx, id)).and_then(|(request, expansion)| {
        core.with(&caller, |cx| {
            deploy::accept_inner(cx, &request.deployment, &expansion);
            cx.store.edit::<StackDocument>(id, |document| {
                document.record.properties.provisioning_state = StackState::Deploying;
            });
            Ok(())
        })?;
        Ok((request, expansion))
    });
    let (request, expansion) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            let _ = core.with("", |cx| {
                cx.store.edit::<StackDocument>(id, |document| {
                    document.fail(error);
                    document.pending = None;
                });
                Ok(())
            });
            return;
        }
    };
    let result = deploy::run::run_for_stack(core, &request.deployment, &expansion);
    let _ = core.with(&stack_caller(id), |cx| {
        if let Some(document) = cx.store.get::<StackDocument>(id) {
            let mut document = document.as_ref().clone();
            finish(cx, &mut document, &request, &result);
            cx.store.put(id, document);
        }
        Ok(())
    });
}

/// The request as it was kept and its template expanded, on a copy of the state.
fn begin(cx: &mut Cx<'_>, id: &str) -> Result<(StackRequest, Expansion), ArmError> {
    let document = cx.store.get::<StackDocument>(id);
    let pending = document.as_ref().and_then(|document| document.pending.as_ref());
    let pending = pending.ok_or_else(|| ArmError::missing("DeploymentStackNotFound", ""))?;
    let request = StackRequest::resumed(cx, &Path::of(id), pending)?;
    let expansion = request.deployment.expand(cx)?;
    Ok((request, expansion))
}

fn finish(cx: &mut Cx<'_>, document: &mut StackDocument, request: &StackRequest, result: &RunResult) {
    document.pending = None;
    document.record.properties.duration = Some(elapsed(cx.real_ms - document.start));
    let written: BTreeSet<String> = result.written.iter().map(|id| key(id)).collect();
    let gone: Vec<String> = document.before.iter().filter(|id| !written.contains(&key(id))).cloned().collect();
    let deployment = cx.store.get::<DeploymentDocument>(&request.deployment.path.id());
    let deployment = deployment.as_ref().map(|deployment| &deployment.record.properties);
    match deployment {
        Some(properties) if properties.provisioning_state == DeploymentState::Succeeded && !result.canceled => {
            finish_deployed(cx, document, request, &result.written, &gone);
            document.record.properties.outputs = Some(outputs(properties.outputs.as_ref()));
        }
        _ => {
            finish_failed(document, request, result, &gone, deployment.and_then(|properties| properties.error.clone()))
        }
    }
}

fn managed(request: &StackRequest, ids: &[String], status: &str) -> Vec<ManagedResource> {
    ids.iter()
        .map(|id| ManagedResource { id: id.clone(), status: status.to_owned(), deny_status: request.deny.mode })
        .collect()
}

fn failures(failed: &[(String, ArmError)]) -> Vec<FailedResource> {
    failed.iter().map(|(id, error)| FailedResource { id: id.clone(), error: error.clone() }).collect()
}

/// Records a failure: nothing is deleted or detached after one.
fn finish_failed(
    document: &mut StackDocument,
    request: &StackRequest,
    result: &RunResult,
    gone: &[String],
    error: Option<ArmError>,
) {
    let properties = &mut document.record.properties;
    let mut resources = managed(request, &result.written, "managed");
    resources.extend(managed(request, gone, "managed"));
    properties.resources = Some(resources);
    properties.provisioning_state = if result.canceled { StackState::Canceled } else { StackState::Failed };
    properties.failed_resources = Some(failures(&result.failed));
    properties.error = error.map(|error| {
        ArmError::conflict(
            "DeploymentStackDeploymentFailed",
            "One or more resources could not be deployed. See the deployment for details.",
        )
        .because(vec![error])
    });
}

fn finish_deployed(
    cx: &mut Cx<'_>,
    document: &mut StackDocument,
    request: &StackRequest,
    written: &[String],
    gone: &[String],
) {
    let ended = unmanage(cx, gone, &request.action);
    let failed: Vec<String> = ended.failed.iter().map(|(id, _)| id.clone()).collect();
    let properties = &mut document.record.properties;
    let mut resources = managed(request, written, "managed");
    resources.extend(managed(request, &failed, "deleteFailed"));
    properties.resources = Some(resources);
    properties.deleted_resources = Some(refs(&ended.deleted));
    properties.detached_resources = Some(refs(&ended.detached));
    properties.failed_resources = Some(failures(&ended.failed));
    properties.provisioning_state = StackState::Succeeded;
    if !ended.failed.is_empty() {
        let details = ended.failed.iter().map(|(id, error)| error.clone().at(id.clone())).collect();
        let error =
            ArmError::conflict("DeploymentStackDeleteResourcesFailed", "One or more resources could not be deleted.")
                .because(details);
        document.fail(error);
    }
}

/// Outputs of a finished deployment, as its record shows them, with the lower-case types of stacks.
fn outputs(of_deployment: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, output) in of_deployment.into_iter().flatten() {
        let mut shown = output.clone();
        if let Some(kind) = shown.get_mut("type") {
            *kind = json!(lower_first(kind.as_str().unwrap_or_default()));
        }
        out.insert(name.clone(), shown);
    }
    out
}
