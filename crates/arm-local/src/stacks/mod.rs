//! Deployment stacks: a deployment that remembers what it made, deletes or detaches what the next template lacks, and
//! can forbid others to touch it.
//!
//! `request` reads what a client sent, `unmanage` deletes or detaches resources, `run` runs a stack, `whatif` says what an
//! update would do.

mod request;
mod run;
mod unmanage;
mod whatif;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::{Core, Cx, Job, Rest};
use crate::deploy;
use crate::documents::{
    ActionOnUnmanage, Outcome, StackDocument, StackRecord, StackState, Undeletable, Unmanage, refs, to_value,
};
use crate::error::ArmError;
use crate::guards::{LockScope, check_locks, stack_caller};
use crate::http::{Reply, Request, not_served, page};
use crate::id::{Path, key};
use crate::lookup::group_not_found;
use crate::lro;
use request::{StackRequest, poll_url};

pub use run::{run, run_inside};

fn missing(path: &Path) -> ArmError {
    ArmError::missing(
        "DeploymentStackNotFound",
        format!("The deployment stack '{}' could not be found in scope '{}'.", path.name(), path.scope),
    )
}

fn stored(cx: &Cx<'_>, own: &Path) -> Result<Arc<StackDocument>, ArmError> {
    cx.store.get(&own.id()).ok_or_else(|| missing(own))
}

/// Evaluates the template of a PUT or a validation on a copy of the state; gives what is left to do under the lock.
///
/// # Errors
/// The error envelope's content.
pub fn evaluate<'r>(cx: &mut Cx<'_>, request: &'r Request, path: &Path) -> Result<Rest<'r>, ArmError> {
    check_scope(cx, path)?;
    let own = path.first();
    if path.types.first().is_some_and(|kind| kind.eq_ignore_ascii_case("deploymentStacksWhatIfResults")) {
        return whatif::evaluate(cx, request, own);
    }
    if request.method == "PUT" {
        return create(cx, request, own);
    }
    let stack = StackRequest::read(cx, request, &own)?;
    let expansion = preflight(cx, &stack)?;
    cx.caller = stack_caller(&own.id());
    let mut record = stack.record(cx, &expansion, StackState::Succeeded);
    record.properties.validated_resources = Some(refs(deploy::steps::ids(&expansion)));
    Ok(Box::new(move |_| Ok(Reply::ok(to_value(&record)))))
}

fn check_scope(cx: &Cx<'_>, path: &Path) -> Result<(), ArmError> {
    match path.group() {
        Some(group) if cx.store.row(&path.scope).is_none() => Err(group_not_found(group)),
        _ => Ok(()),
    }
}

/// Verbs on stacks and on their what-if results that evaluate no template.
///
/// # Errors
/// The error envelope's content.
pub fn route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    check_scope(cx, path)?;
    if path.types.first().is_some_and(|kind| kind.eq_ignore_ascii_case("deploymentStacksWhatIfResults")) {
        return whatif::route(cx, request, path);
    }
    let own = path.first();
    let id = own.id();
    let word = path.types.get(1).map(|word| word.to_lowercase()).unwrap_or_default();
    match (request.method.as_str(), word.as_str()) {
        ("GET", "") if path.names.is_empty() => {
            let prefix = format!("{}/providers/Microsoft.Resources/deploymentStacks/", path.scope);
            let all = cx.store.all::<StackDocument>(&prefix);
            Ok(page(request, all.iter().map(|stack| to_value(&stack.record)).collect()))
        }
        ("GET", "") => Ok(Reply::ok(to_value(&stored(cx, &own)?.record))),
        ("HEAD", "") => Ok(Reply::empty(if cx.store.has::<StackDocument>(&id) { 204 } else { 404 })),
        ("DELETE", "") => delete(cx, request, &own),
        ("POST", "exporttemplate") => Ok(Reply::ok(json!({ "template": stored(cx, &own)?.template }))),
        _ => Err(not_served(request)),
    }
}

fn create<'r>(cx: &mut Cx<'_>, request: &'r Request, own: Path) -> Result<Rest<'r>, ArmError> {
    check_locks(cx, &own.scope, LockScope::Write)?;
    let stack = StackRequest::read(cx, request, &own)?;
    check_accepted(cx, &stack, false)?;
    let expansion = preflight(cx, &stack)?;
    Ok(Box::new(move |cx| {
        check_scope(cx, &own)?;
        check_locks(cx, &own.scope, LockScope::Write)?;
        let id = own.id();
        let there = cx.store.has::<StackDocument>(&id);
        let (record, operation) = accept(cx, &stack, &expansion, false)?;
        cx.jobs.push(Job::Stack(id));
        let status = if there { 200 } else { 201 };
        let poll = poll_url(request, &own, stack.location.as_deref(), &operation);
        Ok(Reply::with(status, to_value(&record)).header("Azure-AsyncOperation", poll).header("Retry-After", "1"))
    }))
}

/// Expands the template of a stack and tries it without keeping anything, as the stack itself would write it.
fn preflight(cx: &mut Cx<'_>, stack: &StackRequest) -> Result<arm_template::Expansion, ArmError> {
    let expansion = stack.deployment.expand(cx)?;
    let user = std::mem::replace(&mut cx.caller, stack_caller(&stack.path.id()));
    let checked = deploy::steps::preflight(cx, &stack.deployment, &expansion);
    cx.caller = user;
    checked.map(|()| expansion)
}

/// Checks a stack that is a resource of a template, without keeping anything.
///
/// # Errors
/// As a PUT of the stack.
pub fn check_inside(cx: &mut Cx<'_>, path: &Path, body: &Value) -> Result<(), ArmError> {
    let stack = StackRequest::build(cx, path, body)?;
    preflight(cx, &stack).map(|_| ())
}

/// Stores a stack that is a resource of a template, whose deployment runs it and resumes it after a restart.
///
/// # Errors
/// As a PUT of the stack.
pub fn accept_inside(core: &Arc<Core>, caller: &str, path: &Path, body: &Value) -> Result<(), ArmError> {
    let (stack, expansion) = core.aside(caller, |cx| {
        let stack = StackRequest::build(cx, path, body)?;
        check_accepted(cx, &stack, true)?;
        let expansion = preflight(cx, &stack)?;
        Ok((stack, expansion))
    })?;
    core.with(caller, |cx| accept(cx, &stack, &expansion, true).map(|_| ()))
}

/// Refuses a stack that is under way, or whose list of resources is not trusted.
fn check_accepted(cx: &Cx<'_>, stack: &StackRequest, inside: bool) -> Result<(), ArmError> {
    let Some(old) = cx.store.get::<StackDocument>(&stack.path.id()) else { return Ok(()) };
    // one that its deployment left half done is begun again by that deployment
    check_ended(&stack.path, &old, inside)?;
    check_sync(cx, &stack.path, stack.other.get("bypassStackOutOfSyncError") == Some(&json!(true)), "PUT")
}

/// Stores a stack as accepted; gives its record and its operation.
///
/// # Errors
/// Another update is under way, `DeploymentStackOutOfSync`.
fn accept(
    cx: &mut Cx<'_>,
    stack: &StackRequest,
    expansion: &arm_template::Expansion,
    inside: bool,
) -> Result<(StackRecord, String), ArmError> {
    let id = stack.path.id();
    check_accepted(cx, stack, inside)?;
    let old = cx.store.get::<StackDocument>(&id);
    let mut record = stack.record(cx, expansion, StackState::Creating);
    // what is managed stays so until the deployment has ended
    record.properties.resources = old.as_ref().and_then(|old| old.record.properties.resources.clone());
    let operation = lro::start(cx, 0, Outcome::Stack { stack: id.clone() });
    let document = StackDocument {
        id: id.clone(),
        record: record.clone(),
        template: stack.deployment.template.to_value(),
        before: old.iter().flat_map(|old| old.managed()).map(str::to_owned).collect(),
        start: cx.real_ms,
        pending: Some(stack.pending()),
        inside,
    };
    cx.store.put(&id, document);
    Ok((record, operation))
}

fn check_ended(own: &Path, stack: &StackDocument, inside: bool) -> Result<(), ArmError> {
    if stack.pending.is_none() || (inside && stack.inside) {
        return Ok(());
    }
    Err(ArmError::conflict(
        "DeploymentStackInNonTerminalState",
        format!("The deployment stack '{}' is in a non-terminal state; wait for it to end.", own.name()),
    ))
}

/// A list that may be wrong must not decide what is deleted, unless the caller says that it may. The endpoint's own lists
/// are never wrong: a fault makes one so.
fn check_sync(cx: &Cx<'_>, own: &Path, bypass: bool, method: &str) -> Result<(), ArmError> {
    let id = own.id();
    if bypass || !cx.out_of_sync(&id, method) {
        return Ok(());
    }
    Err(ArmError::conflict(
        "DeploymentStackOutOfSync",
        format!(
            "The deployment stack '{id}' may not have an accurate list of managed resources. Check that the list of managed resources has no additional entries, or deploy the stack again as it is. To go on regardless, set bypassStackOutOfSyncError to true."
        ),
    ))
}

/// The `unmanageAction.*` parameters of a DELETE. Words that are not known detach.
fn action_of_query(request: &Request) -> ActionOnUnmanage {
    let word = |name: &str| request.query(&format!("unmanageAction.{name}")).unwrap_or_default().to_lowercase();
    let unmanage = |name: &str| if word(name) == "delete" { Unmanage::Delete } else { Unmanage::Detach };
    let tolerant = word("ResourcesWithoutDeleteSupport") == "detach";
    ActionOnUnmanage {
        resources: unmanage("Resources"),
        resource_groups: unmanage("ResourceGroups"),
        management_groups: unmanage("ManagementGroups"),
        resources_without_delete_support: if tolerant { Undeletable::Detach } else { Undeletable::Fail },
        other: serde_json::Map::new(),
    }
}

fn delete(cx: &mut Cx<'_>, request: &Request, own: &Path) -> Result<Reply, ArmError> {
    let id = own.id();
    let Some(stack) = cx.store.get::<StackDocument>(&id) else { return Ok(Reply::empty(204)) };
    check_ended(own, &stack, false)?;
    let bypass = request.query("bypassStackOutOfSyncError").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    check_sync(cx, own, bypass, "DELETE")?;
    cx.caller = stack_caller(&id);
    let managed: Vec<String> = stack.managed().map(str::to_owned).collect();
    let ended = unmanage::unmanage(cx, &managed, &action_of_query(request));
    if !ended.failed.is_empty() {
        let details: Vec<ArmError> = ended.failed.iter().map(|(id, error)| error.clone().at(id.clone())).collect();
        let error = ArmError::conflict(
            "DeploymentStackDeleteResourcesFailed",
            "One or more resources could not be deleted. Correlation id: see details.",
        )
        .because(details);
        // what could be deleted is gone: the record says what is left
        let gone: BTreeSet<String> = ended.deleted.iter().map(|id| key(id)).collect();
        cx.store.edit::<StackDocument>(&id, |stack| {
            stack.fail(error.clone());
            if let Some(resources) = &mut stack.record.properties.resources {
                resources.retain(|resource| !gone.contains(&key(&resource.id)));
            }
        });
        let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::Error { error });
        return Ok(Reply::empty(202)
            .header("Azure-AsyncOperation", poll_url(request, own, None, &operation))
            .header("Retry-After", "1"));
    }
    cx.store.remove::<StackDocument>(&id);
    let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::empty(200));
    Ok(Reply::empty(202)
        .header("Location", format!("{}&monitor=true", poll_url(request, own, None, &operation)))
        .header("Retry-After", "1"))
}
