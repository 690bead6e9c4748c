//! One deployment from start to end: what is sent, its status, what was refused and why.

use super::executor::{Arm, Event, Job, Observer, Outcome, Step, check_stopped};
use super::failure::{ApplyError, RefusedResource};
use arm_client::{AzureError, DeployMode, OperationStatus, Pending, Reply, ResourceRef, ServiceError};
use arm_plan::{Desired, Unmanaged};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Waits until a stack or deployment of this name is in a terminal state: an interrupted apply may have left it running.
///
/// # Errors
/// A call to the service failed, or the observer asked to stop.
pub fn wait_until_idle(
    arm: &dyn Arm,
    mode: DeployMode,
    group: &str,
    name: &str,
    observer: &mut dyn Observer,
) -> Result<(), ApplyError> {
    let mut reported = false;
    for _ in 0..MOST_QUESTIONS {
        let Some(current) = arm.current(mode, group, name)? else { return Ok(()) };
        if is_at_rest(&current) {
            return Ok(());
        }
        if !reported {
            observer.event(&Event::Phase(format!("waiting for the deployment `{name}` that is still running")));
            reported = true;
        }
        observer.event(&Event::Tick);
        check_stopped(observer)?;
        arm.sleep(Duration::from_secs(2));
    }
    Err(AzureError::endless("Resource Manager", format!("the deployment `{name}` is not over after a day")).into())
}

/// Questions about a deployment that is still running: one each two seconds for a day.
const MOST_QUESTIONS: u32 = 43_200;

fn is_at_rest(current: &Value) -> bool {
    let state = current.pointer("/properties/provisioningState").and_then(Value::as_str).unwrap_or_default();
    matches!(state.to_ascii_lowercase().as_str(), "succeeded" | "failed" | "canceled" | "cancelled" | "")
}

fn body_of(job: &Job, step: &Step, template: Value) -> Value {
    let parameters = &step.parameters;
    if job.mode == DeployMode::Plain {
        return json!({ "properties": { "mode": "Incremental", "template": template, "parameters": parameters } });
    }
    let action = if job.unmanaged == Unmanaged::Delete && !job.deletes_in_the_end() { "delete" } else { "detach" };
    json!({
        "tags": job.stack_tags,
        "properties": {
            // Secrets of vaults have no deletion in Resource Manager: without the last word, a stack that loses one fails.
            "actionOnUnmanage": { "resources": action, "resourceGroups": "detach", "managementGroups": "detach",
                "resourcesWithoutDeleteSupport": "detach" },
            "denySettings": { "mode": "none", "applyToChildScopes": false },
            "description": step.note,
            "bypassStackOutOfSyncError": job.out_of_sync,
            "template": template,
            "parameters": parameters,
        }
    })
}

/// The pools of a job whose number of machines autoscale owns, as they are now.
pub(super) fn live_pools(job: &Job, arm: &dyn Arm) -> Result<Vec<Value>, AzureError> {
    let owned = arm_plan::autoscaled(&job.desired);
    let pools = job.desired.resources.iter().filter(|r| owned.contains_key(&r.id.to_ascii_lowercase()));
    let pools: Vec<ResourceRef> =
        pools.map(|r| ResourceRef { id: r.id.clone(), api_version: r.api_version.clone() }).collect();
    if pools.is_empty() { Ok(Vec::new()) } else { arm.observe(&pools) }
}

pub(super) fn deploy(
    job: &Job,
    (index, step): (usize, &Step),
    replaced: &[Value],
    arm: &dyn Arm,
    observer: &mut dyn Observer,
    done: &mut Outcome,
) -> Result<(), ApplyError> {
    // The number of machines is read at the last moment, so that what autoscale did since the plan is kept.
    let mut live = live_pools(job, arm)?;
    // Pools that were deleted to be recreated start with as many machines as they had.
    let id = |body: &Value| body.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let gone = replaced.iter().filter(|old| !live.iter().any(|now| arm_plan::same_id(&id(now), &id(old))));
    let gone: Vec<Value> = gone.cloned().collect();
    live.extend(gone);
    let mut template = step.template.clone();
    super::live_capacity::keep_live_capacity(&mut template, index, &job.desired, &live);
    let body = body_of(job, step, template);
    observer.event(&Event::Phase(format!("deploying `{}`", step.name)));
    let mut tries = 0;
    let reply = loop {
        match arm.start(job.mode, &job.group, &step.name, &body) {
            Ok(reply) => break reply,
            // Started by someone else, or by us with the response lost: wait for its end, then resubmit the request.
            Err(error) if tries < 3 && is_busy(&error) => {
                tries += 1;
                wait_until_idle(arm, job.mode, &job.group, &step.name, observer)?;
                arm.sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(located(refused_by(error, None), &job.desired)),
        }
    };
    let outcome = follow(job, step, reply, arm, observer, done);
    let end = arm.current(job.mode, &job.group, &step.name);
    let id = deployment_id(job, end.as_ref().ok().and_then(Option::as_ref));
    report_operations(&id, arm, observer, &mut BTreeMap::new(), done, &mut BTreeSet::new());
    outcome.map_err(|error| located(error, &job.desired))?;
    let Some(end) = end? else { return Ok(()) };
    collect(&end, job, done);
    Ok(())
}

fn is_busy(error: &AzureError) -> bool {
    error.service().is_some_and(|e| {
        ["DeploymentActive", "DeploymentStackInNonTerminalState", "AnotherOperationInProgress"]
            .iter()
            .any(|c| e.has_code(c))
    })
}

/// The deployment that a stack runs, or the deployment itself.
fn deployment_id(job: &Job, current: Option<&Value>) -> Option<String> {
    let current = current?;
    if job.mode == DeployMode::Plain {
        return current.get("id").and_then(Value::as_str).map(str::to_owned);
    }
    current.pointer("/properties/deploymentId").and_then(Value::as_str).map(str::to_owned)
}

fn follow(
    job: &Job,
    step: &Step,
    reply: Reply,
    arm: &dyn Arm,
    observer: &mut dyn Observer,
    done: &mut Outcome,
) -> Result<(), ApplyError> {
    let Some(mut pending) = Pending::of(&reply) else {
        if is_at_rest(&reply.body) {
            return at_rest_or_failed(&reply.body);
        }
        // Accepted without a polling URL: poll the deployment by its name.
        wait_until_idle(arm, job.mode, &job.group, &step.name, observer)?;
        let end = arm.current(job.mode, &job.group, &step.name)?;
        return end.map_or(Ok(()), |end| at_rest_or_failed(&end));
    };
    let mut seen = BTreeMap::new();
    let mut lost = 0;
    let mut deployment = deployment_id(job, Some(&reply.body));
    loop {
        if deployment.is_none() {
            deployment =
                arm.current(job.mode, &job.group, &step.name).ok().flatten().and_then(|c| deployment_id(job, Some(&c)));
        }
        report_operations(&deployment, arm, observer, &mut seen, done, &mut BTreeSet::new());
        observer.event(&Event::Tick);
        check_stopped(observer)?;
        arm.sleep(pace(pending.wait, pending.asked));
        match arm.poll(&pending) {
            Ok(OperationStatus::Running(next)) => {
                pending = next;
                lost = 0;
            }
            Ok(OperationStatus::Done(_)) => return Ok(()),
            Ok(OperationStatus::Failed(error)) => return Err(refusals(job, step, *error, arm)),
            // Nobody but the service can know how it goes on.
            Err(error @ (AzureError::Address { .. } | AzureError::Endless { .. })) => return Err(error.into()),
            // The polling URL expired or the network failed for longer than the budget: poll by name instead.
            Err(error) if lost < 3 => {
                lost += 1;
                let Some(current) = arm.current(job.mode, &job.group, &step.name).ok().flatten() else {
                    if lost == 3 {
                        return Err(error.into());
                    }
                    continue;
                };
                if is_at_rest(&current) {
                    return match at_rest_or_failed(&current) {
                        Err(ApplyError::Refused(list)) => {
                            let error = list.into_iter().next().map(|r| r.error).unwrap_or_default();
                            Err(refusals(job, step, error, arm))
                        }
                        other => other,
                    };
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Poll quickly at first, then as often as the service asks, but at least every ten seconds so that progress is seen.
fn pace(wanted: Duration, asked: u32) -> Duration {
    let early = Duration::from_millis(200 << u64::from(asked.min(5)));
    wanted.min(early).min(Duration::from_secs(10))
}

fn at_rest_or_failed(body: &Value) -> Result<(), ApplyError> {
    let state = body.pointer("/properties/provisioningState").and_then(Value::as_str).unwrap_or("Succeeded");
    if state.eq_ignore_ascii_case("failed") || state.eq_ignore_ascii_case("canceled") {
        let error = ServiceError::of(body.pointer("/properties/error").unwrap_or(&Value::Null));
        return Err(ApplyError::Refused(vec![RefusedResource { id: None, error }]));
    }
    Ok(())
}

/// Nested deployments that one look follows: a template has at most 800 resources.
const MOST_NESTED: usize = 800;

fn report_operations(
    deployment: &Option<String>,
    arm: &dyn Arm,
    observer: &mut dyn Observer,
    seen: &mut BTreeMap<String, String>,
    done: &mut Outcome,
    visited: &mut BTreeSet<String>,
) {
    let Some(id) = deployment else { return };
    // Two deployments that name each other would never end.
    if visited.len() > MOST_NESTED || !visited.insert(id.to_ascii_lowercase()) {
        return;
    }
    // For display only: the deployment's own state decides whether it succeeded.
    for operation in arm.operations(id).unwrap_or_default() {
        let text = |pointer: &str| operation.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (Some(target), Some(state)) =
            (text("/properties/targetResource/id"), text("/properties/provisioningState"))
        else {
            continue;
        };
        if is_deployment(&target) {
            // What it did is shown, not itself; one that is over is looked at once more.
            let over = seen.get(&target).is_some_and(|s| s == "Succeeded");
            if !over && !target.eq_ignore_ascii_case(id) {
                seen.insert(target.clone(), state);
                report_operations(&Some(target), arm, observer, seen, done, visited);
            }
            continue;
        }
        done.states.insert(target.clone(), state.clone());
        if seen.get(&target) != Some(&state) {
            observer.event(&Event::Resource { id: target.clone(), state: state.clone() });
            seen.insert(target, state);
        }
    }
}

/// Every refused resource of a failed deployment, nested ones too; else the deployment's own error.
fn refusals(job: &Job, step: &Step, error: ServiceError, arm: &dyn Arm) -> ApplyError {
    let current = arm.current(job.mode, &job.group, &step.name).ok().flatten();
    let mut found = Vec::new();
    let mut visited = BTreeSet::new();
    if let Some(id) = deployment_id(job, current.as_ref()) {
        failed_operations(&id, arm, &mut visited, &mut found);
    }
    if found.is_empty() {
        found = error
            .chains()
            .into_iter()
            .map(|e| RefusedResource { id: about(&e).or_else(|| named_in(&e, &job.desired)), error: e })
            .collect();
    }
    if found.is_empty() {
        found.push(RefusedResource { id: None, error });
    }
    ApplyError::Refused(found)
}

fn failed_operations(
    deployment: &str,
    arm: &dyn Arm,
    visited: &mut BTreeSet<String>,
    found: &mut Vec<RefusedResource>,
) {
    const DEEPEST: usize = 64;
    if visited.len() > DEEPEST || !visited.insert(deployment.to_ascii_lowercase()) {
        return;
    }
    for operation in arm.operations(deployment).unwrap_or_default() {
        let properties = operation.get("properties").unwrap_or(&Value::Null);
        if properties.get("provisioningState").and_then(Value::as_str).is_none_or(|s| !s.eq_ignore_ascii_case("failed"))
        {
            continue;
        }
        let id = properties.pointer("/targetResource/id").and_then(Value::as_str);
        if let Some(id) = id.filter(|i| is_deployment(i)) {
            failed_operations(id, arm, visited, found);
            continue;
        }
        let message = properties.get("statusMessage").unwrap_or(&Value::Null);
        let error = match message {
            Value::String(text) => ServiceError::read(0, text, None),
            other => ServiceError::of(other),
        };
        let chains = error.chains();
        let own = |error: ServiceError| RefusedResource { id: id.map(str::to_owned), error };
        found.extend(chains.into_iter().map(own));
    }
}

fn is_deployment(id: &str) -> bool {
    id.to_ascii_lowercase().contains("/microsoft.resources/deployments/")
}

/// The resource that the innermost cause points at: an id, not the name of a property.
fn about(error: &ServiceError) -> Option<String> {
    error.innermost().first()?.target.clone().filter(|t| t.starts_with('/'))
}

/// A refusal before the start may name the resource in its words only.
fn named_in(error: &ServiceError, desired: &Desired) -> Option<String> {
    let hit = desired.resources.iter().filter(|r| error.mentions(&format!("'{}'", r.name)) || error.mentions(&r.id));
    hit.max_by_key(|r| r.name.len()).map(|r| r.id.clone())
}

/// Finds the resources of refusals that name them in their words only, as a validation before the start does.
fn located(error: ApplyError, desired: &Desired) -> ApplyError {
    let ApplyError::Refused(list) = error else { return error };
    let each = list.into_iter().map(|refused| RefusedResource {
        id: refused.id.or_else(|| named_in(&refused.error, desired)),
        error: refused.error,
    });
    ApplyError::Refused(each.collect())
}

pub(super) fn refused_by(error: AzureError, id: Option<&str>) -> ApplyError {
    match error {
        AzureError::Service(error) if matches!(error.status, 400 | 403 | 404 | 409 | 412 | 422) => {
            let parts = error.chains().into_iter();
            let list = parts.map(|e| RefusedResource { id: id.map(str::to_owned).or_else(|| about(&e)), error: e });
            ApplyError::Refused(list.collect())
        }
        other => other.into(),
    }
}

/// Adds an output; objects of the same name from several deployments of one project become one.
pub fn join_output(outputs: &mut Map<String, Value>, name: &str, value: &Value) {
    match (outputs.get_mut(name), value) {
        (Some(Value::Object(have)), Value::Object(more)) => have.extend(more.clone()),
        _ => {
            outputs.insert(name.to_owned(), value.clone());
        }
    }
}

fn collect(end: &Value, job: &Job, done: &mut Outcome) {
    let outputs = end.pointer("/properties/outputs").and_then(Value::as_object);
    for (name, output) in outputs.into_iter().flatten() {
        let secret =
            output.get("type").and_then(Value::as_str).is_some_and(|t| t.to_ascii_lowercase().starts_with("secure"));
        if let (Some(value), false) = (output.get("value"), secret) {
            join_output(&mut done.outputs, name, value);
        }
    }
    let list = if job.mode == DeployMode::Stack { "/properties/resources" } else { "/properties/outputResources" };
    let ids = end.pointer(list).and_then(Value::as_array).into_iter().flatten();
    done.managed.extend(ids.filter_map(|r| r.get("id").and_then(Value::as_str)).map(str::to_owned));
    for kind in ["deletedResources", "detachedResources"] {
        let ids = end.pointer(&format!("/properties/{kind}")).and_then(Value::as_array).into_iter().flatten();
        for id in ids.filter_map(|r| r.get("id").and_then(Value::as_str)) {
            done.states
                .insert(id.to_owned(), if kind == "deletedResources" { "Deleted".into() } else { "Detached".into() });
        }
    }
}
