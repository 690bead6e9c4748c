//! Deployments: validate, what-if, create, cancel, delete, export, list and operations, at every scope.
//!
//! In the order in which they use each other: `links` finds the templates that are elsewhere, `live` answers `reference()`
//! and `list*()`, `request` reads what a client sent and expands it, `record` is what a GET shows, `history` keeps it,
//! `steps` writes the resources one by one, `outcome` and `schedule` say how far they are, `ending` closes a deployment,
//! `nested` prepares the inner ones, `run` runs it all; `diff`, `export` and `whatif` compare and write templates.

pub mod diff;
mod ending;
pub mod export;
mod history;
pub mod links;
mod live;
mod nested;
mod outcome;
pub mod record;
pub mod request;
pub mod run;
mod schedule;
pub mod steps;
pub mod whatif;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::{Cx, Job, Rest};
use crate::documents::{DeploymentDocument, DeploymentState, OperationDocument, Outcome, refs, to_value};
use crate::error::ArmError;
use crate::filter::Filter;
use crate::guards::{LockScope, check_locks};
use crate::http::{Reply, Request, not_served, page};
use crate::id::Path;
use crate::lookup::group_not_found;
use crate::lro;
use request::DeploymentRequest;

pub use history::accept_inner;
pub use outcome::RunResult;

fn missing(path: &Path) -> ArmError {
    ArmError::missing("DeploymentNotFound", format!("Deployment '{}' could not be found.", path.name()))
}

fn stored(cx: &Cx<'_>, own: &Path) -> Result<Arc<DeploymentDocument>, ArmError> {
    cx.store.get(&own.id()).ok_or_else(|| missing(own))
}

fn check_scope(cx: &Cx<'_>, path: &Path) -> Result<(), ArmError> {
    match path.group() {
        Some(group) if cx.store.row(&path.scope).is_none() => Err(group_not_found(group)),
        _ => Ok(()),
    }
}

/// Evaluates the template of a PUT, a validation or a what-if on a copy of the state; gives what is left to do under the
/// lock.
///
/// # Errors
/// The error envelope's content.
pub fn evaluate<'r>(cx: &mut Cx<'_>, request: &'r Request, path: &Path) -> Result<Rest<'r>, ArmError> {
    check_scope(cx, path)?;
    let own = path.first();
    if request.method == "PUT" {
        return create(cx, request, own);
    }
    let deployment = DeploymentRequest::read(cx, request, &own)?;
    if path.types.get(1).is_some_and(|word| word.eq_ignore_ascii_case("validate")) {
        let expansion = deployment.expand(cx)?;
        steps::preflight(cx, &deployment, &expansion)?;
        let mut record = record::fresh(cx, &deployment, &expansion, DeploymentState::Succeeded);
        record.properties.validated_resources = Some(refs(steps::ids(&expansion)));
        return Ok(Box::new(move |_| Ok(Reply::ok(to_value(&record)))));
    }
    let body = match whatif::run(cx, &deployment) {
        Ok(properties) => json!({ "status": "Succeeded", "properties": properties }),
        Err(error) => json!({ "status": "Failed", "error": error }),
    };
    let path = path.clone();
    Ok(Box::new(move |cx| {
        let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::ok(body));
        Ok(Reply::empty(202).header("Location", results(request, &path, &operation)).header("Retry-After", "1"))
    }))
}

/// Answers every verb on deployments that evaluates no template.
///
/// # Errors
/// The error envelope's content.
pub fn route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let words: Vec<String> = path.types.iter().skip(1).map(|word| word.to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let own = path.first();
    let method = request.method.as_str();
    match (method, words.as_slice()) {
        ("HEAD", []) => {
            let there = check_scope(cx, path).is_ok() && cx.store.has::<DeploymentDocument>(&own.id());
            return Ok(Reply::empty(if there { 204 } else { 404 }));
        }
        ("GET", []) if path.names.is_empty() => return list(cx, request, path),
        _ => {}
    }
    check_scope(cx, path)?;
    match (method, words.as_slice()) {
        ("GET", []) => Ok(Reply::ok(to_value(&stored(cx, &own)?.record))),
        ("DELETE", []) => delete(cx, request, &own),
        ("POST", ["cancel"]) => cancel(cx, &own),
        ("POST", ["exporttemplate"]) => Ok(Reply::ok(json!({ "template": stored(cx, &own)?.template }))),
        ("GET", ["operationstatuses"]) => {
            let properties = &stored(cx, &own)?.record.properties;
            let state = properties.provisioning_state;
            let body = match &properties.error {
                None => json!({ "status": state }),
                Some(error) => json!({ "status": state, "error": error }),
            };
            let reply = Reply::ok(body);
            Ok(if state.is_final() { reply } else { reply.header("Retry-After", "1") })
        }
        ("GET", ["operations"]) => operations(cx, request, &own, path.names.get(1).map(String::as_str)),
        _ => Err(not_served(request)),
    }
}

/// Lists operations or shows one: `{scope}/deployments/{name}/operations[/{id}]`.
///
/// # Errors
/// The error codes `DeploymentNotFound`, `ResourceGroupNotFound` of Azure.
pub fn operations_route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let (Some(name), Some(word)) = (path.rest.get(1), path.rest.get(2)) else { return Err(not_served(request)) };
    if request.method != "GET" || !word.eq_ignore_ascii_case("operations") {
        return Err(not_served(request));
    }
    check_scope(cx, path)?;
    let own = Path::of(&format!("{}/providers/Microsoft.Resources/deployments/{name}", path.scope));
    operations(cx, request, &own, path.rest.get(3).map(String::as_str))
}

fn operations(cx: &mut Cx<'_>, request: &Request, own: &Path, one: Option<&str>) -> Result<Reply, ArmError> {
    stored(cx, own)?;
    let all = cx.store.all::<OperationDocument>(&format!("{}|", own.id()));
    match one {
        None => Ok(page(request, all.iter().map(|operation| to_value(operation.as_ref())).collect())),
        Some(one) => all
            .iter()
            .find(|operation| operation.operation_id == one)
            .map(|operation| Reply::ok(to_value(operation.as_ref())))
            .ok_or_else(|| {
                ArmError::missing(
                    "DeploymentOperationNotFound",
                    format!("The deployment operation '{one}' could not be found."),
                )
            }),
    }
}

fn list(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    check_scope(cx, path)?;
    let filter = Filter::of(request)?;
    let mut records: Vec<(String, Value)> = history::of_scope(cx, &path.scope)
        .iter()
        .map(|deployment| (deployment.record.properties.timestamp.clone(), to_value(&deployment.record)))
        .filter(|(_, record)| filter.passes(record))
        .collect();
    // newest first
    records.sort_by(|(a, _), (b, _)| b.cmp(a));
    Ok(page(request, records.into_iter().map(|(_, record)| record).collect()))
}

fn results(request: &Request, path: &Path, operation: &str) -> String {
    let scope = match path.subscription() {
        Some(sub) => format!("/subscriptions/{sub}/operationresults"),
        None => "/providers/Microsoft.Resources/operationResults".to_owned(),
    };
    format!("{}{scope}/{operation}?api-version={}", request.base, request.api_version())
}

/// Refuses a write while the scope is locked or the deployment of that name is under way.
fn check_create(cx: &Cx<'_>, own: &Path) -> Result<(), ArmError> {
    check_scope(cx, own)?;
    check_locks(cx, &own.scope, LockScope::Write)?;
    let Some(old) = cx.store.get::<DeploymentDocument>(&own.id()) else { return Ok(()) };
    if old.record.properties.provisioning_state.is_final() {
        return Ok(());
    }
    Err(ArmError::conflict(
        "DeploymentActive",
        format!(
            "Unable to edit or replace deployment '{}': previous deployment from '{}' is still active (expiration time is '{}'). Please see https://aka.ms/arm-deployment-operations for usage details.",
            own.name(),
            old.record.properties.timestamp,
            ""
        ),
    ))
}

fn create<'r>(cx: &mut Cx<'_>, request: &'r Request, own: Path) -> Result<Rest<'r>, ArmError> {
    check_create(cx, &own)?;
    let deployment = DeploymentRequest::read(cx, request, &own)?;
    let expansion = deployment.expand(cx)?;
    steps::preflight(cx, &deployment, &expansion)?;
    Ok(Box::new(move |cx| {
        // another request may have been faster
        check_create(cx, &own)?;
        let id = own.id();
        let there = cx.store.has::<DeploymentDocument>(&id);
        if !there {
            history::prune(cx, &own);
        }
        let record = history::accept(cx, &deployment, &expansion);
        let operation = stored(cx, &own)?.operation.clone();
        cx.jobs.push(Job::Deploy(id.clone()));
        let poll = format!("{}{id}/operationStatuses/{operation}?api-version={}", request.base, request.api_version());
        let status = if there { 200 } else { 201 };
        Ok(Reply::with(status, to_value(&record)).header("Azure-AsyncOperation", poll).header("Retry-After", "1"))
    }))
}

fn delete(cx: &mut Cx<'_>, request: &Request, own: &Path) -> Result<Reply, ArmError> {
    let id = own.id();
    let Some(document) = cx.store.get::<DeploymentDocument>(&id) else { return Ok(Reply::empty(204)) };
    if !document.record.properties.provisioning_state.is_final() {
        return Err(ArmError::conflict(
            "DeploymentActive",
            format!("Unable to edit or replace deployment '{}': it is still active.", own.name()),
        ));
    }
    history::remove(cx, &id);
    let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::empty(204));
    Ok(Reply::empty(202).header("Location", results(request, own, &operation)).header("Retry-After", "1"))
}

fn cancel(cx: &mut Cx<'_>, own: &Path) -> Result<Reply, ArmError> {
    let now = stored(cx, own)?.record.properties.provisioning_state;
    if now.is_final() {
        return Err(ArmError::conflict(
            "DeploymentCannotBeCancelled",
            format!(
                "The deployment '{}' cannot be cancelled because it has provisioning state '{}' or it has already expired.",
                own.name(),
                now.word()
            ),
        ));
    }
    cx.store.edit::<DeploymentDocument>(&own.id(), |document| document.cancel = true);
    Ok(Reply::empty(204))
}
