//! Carries a deployment out: resources in the order of their dependencies, each in one transaction; nested deployments
//! inside; outputs at the end; in complete mode what the template lacks is deleted.
//!
//! Several resources can be under way at once when operations take time; a failure stops what depends on it and nothing
//! else. A restarted endpoint starts over: every write can be repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::local::clock::elapsed;
use crate::local::core::{Core, Cx};
use crate::local::error::ArmError;
use crate::local::groups;
use crate::local::http::Request;
use crate::local::id::{Path, key};
use crate::local::resources;
use crate::local::write::{self, Write, set};
use crate::template::{Context, Expansion, Limits, NestedDeployment, NoLinks, Resource};

use super::live::Live;
use super::record::{self, Operation};
use super::request::{Order, template_error};

/// What came of the resources of a template.
#[derive(Default)]
pub struct Done {
    /// Ids that were written, nested ones included, without the deployments that carry them.
    pub written: Vec<String>,
    /// What failed.
    pub failed: Vec<(String, ArmError)>,
    /// Somebody asked to stop.
    pub canceled: bool,
}

/// Errors that only the deployment itself meets: the service's preflight does not look at other resources.
pub const RUNTIME_CODES: &[&str] = &[
    "InvalidResourceReference",
    "SubnetIsFull",
    "ParentResourceNotFound",
    "FailedIdentityOperation",
    "ResourceNotFound",
    "DeploymentFailed",
    "InUseSubnetCannotBeDeleted",
    "StorageAccountNotFound",
    "Conflict",
    "RoleAssignmentExists",
];

/// Ids of everything that a template deploys, nested templates included.
#[must_use]
pub fn ids(expansion: &Expansion) -> Vec<String> {
    expansion
        .flat()
        .into_iter()
        .filter(|resource| !resource.existing && !resource.id.starts_with('['))
        .map(|resource| resource.id.clone())
        .collect()
}

/// Positions of the resources in an order in which dependencies come first.
#[must_use]
pub fn in_order(expansion: &Expansion) -> Vec<usize> {
    let at: BTreeMap<String, Vec<usize>> =
        expansion.resources.iter().enumerate().fold(BTreeMap::new(), |mut map, (at, resource)| {
            map.entry(key(&resource.id)).or_insert_with(Vec::new).push(at);
            map
        });
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for first in 0..expansion.resources.len() {
        let mut stack = vec![(first, false)];
        while let Some((at_now, ready)) = stack.pop() {
            if ready {
                out.push(at_now);
                continue;
            }
            if !seen.insert(at_now) {
                continue;
            }
            stack.push((at_now, true));
            let Some(resource) = expansion.resources.get(at_now) else { continue };
            for id in resource.depends_on.iter().rev() {
                stack.extend(at.get(&key(id)).into_iter().flatten().map(|before| (*before, false)));
            }
        }
    }
    out
}

/// Tries a deployment without keeping anything, as the service's preflight does.
///
/// # Errors
/// `InvalidTemplateDeployment` with what the providers say.
pub fn preflight(cx: &mut Cx<'_>, order: &Order, expansion: &Expansion) -> Result<(), ArmError> {
    let mut errors = Vec::new();
    rehearse(cx, |cx| {
        let mut found = |_: &mut Cx<'_>, _: &Resource, result: Result<Option<write::Written>, ArmError>| {
            if let Err(error) = result
                && !RUNTIME_CODES.contains(&error.code.as_str())
            {
                errors.push(error);
            }
        };
        walk(cx, &order.context, expansion, &mut found);
    });
    if errors.is_empty() {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidTemplateDeployment",
        format!(
            "The template deployment '{}' is not valid according to the validation procedure. The tracking id is '{}'. See inner errors for details.",
            order.path.name(),
            order.correlation
        ),
    )
    .because(errors))
}

/// Runs `work` on a state that is as before afterwards.
pub fn rehearse<T>(cx: &mut Cx<'_>, work: impl FnOnce(&mut Cx<'_>) -> T) -> T {
    let mark = cx.store.mark();
    let before = cx.dry;
    cx.dry = true;
    let result = work(cx);
    cx.dry = before;
    cx.store.rollback_to(mark);
    result
}

/// Is told of each resource of a rehearsal.
pub type Seen<'s> = dyn FnMut(&mut Cx<'_>, &Resource, Result<Option<write::Written>, ArmError>) + 's;

/// Writes every resource of a template in order, nested ones too, telling `seen` of each; for rehearsals.
pub fn walk(cx: &mut Cx<'_>, context: &Context, expansion: &Expansion, seen: &mut Seen<'_>) {
    for at in in_order(expansion) {
        let Some(resource) = expansion.resources.get(at).filter(|resource| !resource.existing) else { continue };
        let Some(nested) = &resource.nested else {
            let result = execute(cx, context, resource);
            seen(cx, resource, result);
            continue;
        };
        let inner = nested.expand(context, &Limits::default(), &NoLinks, &Live::lenient(cx, Vec::new()));
        match inner {
            Ok(Some(inner)) => {
                let context = context_inside(cx, nested, context, &resource.id);
                walk(cx, &context, &inner, seen);
            }
            Ok(None) => seen(cx, resource, Err(no_link(resource))),
            Err(errors) => seen(cx, resource, Err(template_error(&errors))),
        }
    }
}

/// The context of a nested deployment's expressions, with what is known by now of its resource group.
pub fn context_inside(cx: &Cx<'_>, nested: &NestedDeployment, outer: &Context, id: &str) -> Context {
    if nested.outer {
        return outer.clone();
    }
    let path = Path::of(id);
    let mut context = nested.context.clone();
    if cx.store.row(&path.scope).is_some() {
        let fresh = super::request::context_of(cx, &path.scope, path.name(), nested.context.location.as_deref());
        context.resource_group = fresh.resource_group;
    }
    context
}

fn no_link(resource: &Resource) -> ArmError {
    ArmError::bad(
        "InvalidContentLink",
        format!("The deployment '{}' links a template; the local endpoint follows no links.", resource.name),
    )
}

/// Writes one resource. `None`: its condition turned out false.
///
/// # Errors
/// The provider's.
pub fn execute(cx: &mut Cx<'_>, context: &Context, resource: &Resource) -> Result<Option<write::Written>, ArmError> {
    let resolved = resource.resolve(context, &Live::new(cx)).map_err(|error| template_error(&[error]))?;
    if !resolved.present {
        return Ok(None);
    }
    if let Some(left) = resolved.body.unknown.first() {
        let text = resolved.body.value.pointer(left).and_then(Value::as_str).unwrap_or_default().to_owned();
        return Err(ArmError::bad(
            "InvalidTemplate",
            format!("The expression '{text}' of resource '{}' cannot be evaluated.", resolved.id),
        ));
    }
    let body = record::sent_body(resource, &resolved.body.value);
    let path = Path::of(&resolved.id);
    match resource.resource_type.to_lowercase().as_str() {
        "microsoft.resources/resourcegroups" => {
            let name = resource.name.rsplit('/').next().unwrap_or_default();
            let sub =
                Path::of(&context.scope_id()).subscription().or(path.subscription()).unwrap_or_default().to_owned();
            let id = format!("/subscriptions/{sub}/resourceGroups/{name}");
            let (row, created) = groups::put(cx, &id, &body)?;
            Ok(Some(write::Written { row, created, operation: None, duration_ms: 0, failure: None }))
        }
        "microsoft.resources/tags" => {
            let request = Request { method: "PUT".into(), body: body.to_string().into_bytes(), ..Request::default() };
            resources::tags(cx, &request, &path)?;
            Ok(None)
        }
        "microsoft.resources/deploymentstacks" => Err(ArmError::bad(
            "InvalidTemplate",
            "A deployment stack inside a template is not served by the local endpoint.",
        )),
        _ => write::put(cx, &Write { path, body, patch: false, if_match: None, if_none_match: None }).map(Some),
    }
}

/// Runs an accepted deployment to its end.
pub fn run(core: &Arc<Core>, id: &str) {
    let path = Path::of(id);
    let begun = core.with("", |cx| {
        let doc = cx.store.doc(&super::key(id)).ok_or_else(|| ArmError::missing("DeploymentNotFound", ""))?;
        let pending = doc.get("pending").cloned().unwrap_or_default();
        cx.caller = pending.get("caller").and_then(Value::as_str).unwrap_or_default().to_owned();
        let order = Order::resumed(cx, &path, &pending)?;
        let expansion = order.expand(cx)?;
        let mut doc = doc.as_ref().clone();
        set(&mut doc, "/record/properties/provisioningState", json!("Running"));
        cx.store.put_doc(&super::key(id), doc);
        Ok((order, expansion))
    });
    let (order, expansion) = match begun {
        Ok(begun) => begun,
        Err(error) if error.code == "DeploymentNotFound" => return,
        Err(error) => {
            finish(core, id, None, &Done { failed: vec![(id.to_owned(), error)], ..Done::default() }, &order_less());
            return;
        }
    };
    let mut done = carry(core, &order, &expansion, id);
    if order.mode == "Complete" && done.failed.is_empty() && !done.canceled {
        sweep(core, &order, id, &mut done);
    }
    finish(core, id, Some((&order, &expansion)), &done, &order.context);
}

fn order_less() -> Context {
    Context::default()
}

/// Runs the deployment of a stack, accepted and adopted, to its end.
pub fn carry_and_finish(core: &Arc<Core>, order: &Order, expansion: &Expansion) -> Done {
    let id = order.path.id();
    let done = carry(core, order, expansion, &id);
    finish(core, &id, Some((order, expansion)), &done, &order.context);
    let _ = core.with("", |cx| {
        if let Some(doc) = cx.store.doc(&super::key(&id)) {
            let mut doc = doc.as_ref().clone();
            if let Some(map) = doc.as_object_mut() {
                map.shift_remove("outputs");
            }
            cx.store.put_doc(&super::key(&id), doc);
        }
        Ok(())
    });
    done
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Good,
    Bad,
}

struct Running {
    at: usize,
    ends: i64,
    started: i64,
    status: u16,
    failure: Option<ArmError>,
}

fn real_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn is_canceled(core: &Arc<Core>, root: &str) -> bool {
    core.with("", |cx| Ok(cx.store.doc(&super::key(root)).is_none_or(|doc| doc.get("cancel") == Some(&json!(true)))))
        .unwrap_or(true)
}

/// Writes the resources of a template. `root` is the deployment whose cancellation counts.
fn carry(core: &Arc<Core>, order: &Order, expansion: &Expansion, root: &str) -> Done {
    let own = order.path.id();
    let mut done = Done::default();
    let all = &expansion.resources;
    let at: BTreeMap<String, Vec<usize>> = all.iter().enumerate().fold(BTreeMap::new(), |mut map, (at, resource)| {
        map.entry(key(&resource.id)).or_insert_with(Vec::new).push(at);
        map
    });
    let before: Vec<Vec<usize>> = all
        .iter()
        .map(|resource| {
            resource.depends_on.iter().flat_map(|id| at.get(&key(id)).cloned().unwrap_or_default()).collect()
        })
        .collect();
    let mut states: Vec<State> =
        all.iter().map(|resource| if resource.existing { State::Good } else { State::Waiting }).collect();
    let mut running: Vec<Running> = Vec::new();
    loop {
        let mut progress = false;
        for position in 0..all.len() {
            if states.get(position) != Some(&State::Waiting) {
                continue;
            }
            let needs: Vec<State> =
                before.get(position).into_iter().flatten().filter_map(|need| states.get(*need).copied()).collect();
            if needs.contains(&State::Bad) {
                mark(&mut states, position, State::Bad);
                progress = true;
                continue;
            }
            if needs.iter().any(|state| *state != State::Good) {
                continue;
            }
            if is_canceled(core, root) {
                done.canceled = true;
                break;
            }
            let Some(resource) = all.get(position) else { continue };
            progress = true;
            let begun = match &resource.nested {
                Some(_) => nested(core, order, resource, position, root, &mut done),
                None => single(core, order, resource, position),
            };
            match begun {
                Ok(None) => mark(&mut states, position, State::Good),
                Ok(Some(mut job)) => {
                    job.at = position;
                    mark(&mut states, position, State::Running);
                    running.push(job);
                }
                Err(error) => {
                    mark(&mut states, position, State::Bad);
                    done.failed.push((resource.id.clone(), error));
                }
            }
            if resource.nested.is_none() && states.get(position) != Some(&State::Bad) {
                done.written.push(resource.id.clone());
            }
        }
        if done.canceled {
            break;
        }
        if progress && running.is_empty() {
            continue;
        }
        let now = real_ms();
        let (over, still): (Vec<Running>, Vec<Running>) = running.into_iter().partition(|job| job.ends <= now);
        running = still;
        for job in &over {
            let Some(resource) = all.get(job.at) else { continue };
            let result = match &job.failure {
                None => Ok(job.status),
                Some(error) => Err(error.clone()),
            };
            let operation = Operation {
                verb: "Create",
                target: Some((&resource.id, resource.symbolic_name.as_deref())),
                result,
                took_ms: now - job.started,
            };
            let _ = core.with("", |cx| {
                record::operation(cx, &own, job.at, &operation);
                Ok(())
            });
            match &job.failure {
                None => mark(&mut states, job.at, State::Good),
                Some(error) => {
                    mark(&mut states, job.at, State::Bad);
                    done.failed.push((resource.id.clone(), error.clone()));
                    done.written.retain(|id| id != &resource.id);
                }
            }
        }
        if progress || !over.is_empty() {
            continue;
        }
        let Some(next) = running.iter().map(|job| job.ends).min() else { break };
        if is_canceled(core, root) {
            done.canceled = true;
            break;
        }
        // short naps, so that a cancellation or the end of a stuck fault is seen
        let nap = next.saturating_sub(now).clamp(1, 50);
        std::thread::sleep(Duration::from_millis(nap.unsigned_abs()));
        if next == i64::MAX
            && crate::local::core::lock(&core.faults).list().is_empty()
            && core.with("", |cx| Ok(released(cx))).unwrap_or(false)
        {
            for job in &mut running {
                job.ends = job.ends.min(now);
            }
        }
    }
    done
}

/// Whether nothing is stuck any more: `DELETE /_local/faults` ends what hangs.
fn released(cx: &Cx<'_>) -> bool {
    cx.store.docs("lro|").iter().all(|(_, doc)| doc.get("ready").and_then(Value::as_i64) != Some(i64::MAX))
}

fn mark(states: &mut [State], at: usize, to: State) {
    if let Some(slot) = states.get_mut(at) {
        *slot = to;
    }
}

/// Writes one resource with its operation; `Some` when it takes time.
fn single(core: &Arc<Core>, order: &Order, resource: &Resource, at: usize) -> Result<Option<Running>, ArmError> {
    let own = order.path.id();
    let caller = caller(order);
    let started = real_ms();
    let target = Some((resource.id.as_str(), resource.symbolic_name.as_deref()));
    let written = core.with(&caller, |cx| {
        let written = execute(cx, &order.context, resource)?;
        let Some(written) = written else { return Ok(None) };
        let status = if written.created { 201 } else { 200 };
        let slow = written.operation.is_some() && (written.duration_ms > 0);
        let waits = slow || written.failure.is_some();
        let result = if waits { Ok(202) } else { Ok(status) };
        record::operation(cx, &own, at, &Operation { verb: "Create", target, result, took_ms: real_ms() - started });
        let ends = if written.duration_ms == i64::MAX { i64::MAX } else { started.saturating_add(written.duration_ms) };
        Ok(waits.then_some(Running { at, ends, started, status, failure: written.failure }))
    });
    written.inspect_err(|error| {
        let operation = Operation { verb: "Create", target, result: Err(error.clone()), took_ms: real_ms() - started };
        let _ = core.with("", |cx| {
            record::operation(cx, &own, at, &operation);
            Ok(())
        });
    })
}

fn caller(order: &Order) -> String {
    if let Some(stack) = &order.stack {
        return crate::local::stacks::caller(stack);
    }
    order.context.deployer.as_ref().map(|deployer| deployer.object_id.clone()).unwrap_or_default()
}

/// Runs a nested deployment to its end.
fn nested(
    core: &Arc<Core>,
    order: &Order,
    resource: &Resource,
    at: usize,
    root: &str,
    done: &mut Done,
) -> Result<Option<Running>, ArmError> {
    let Some(inner) = &resource.nested else { return Ok(None) };
    let own = order.path.id();
    let started = real_ms();
    let caller = caller(order);
    let prepared = core.with(&caller, |cx| {
        let resolved = resource.resolve(&order.context, &Live::new(cx)).map_err(|error| template_error(&[error]))?;
        if !resolved.present {
            return Ok(None);
        }
        let path = Path::of(&resolved.id);
        if let Some(group) = path.group()
            && cx.store.row(&path.scope).is_none()
        {
            return Err(groups::not_found(group));
        }
        let expansion = inner
            .expand(&order.context, &Limits::default(), &NoLinks, &Live::new(cx))
            .map_err(|errors| template_error(&errors))?
            .ok_or_else(|| no_link(resource))?;
        let Some(template) = inner.template.clone() else { return Err(no_link(resource)) };
        let context = context_inside(cx, inner, &order.context, &resolved.id);
        let child = Order {
            path,
            template,
            parameters: json!({}),
            mode: "Incremental".into(),
            location: inner.context.location.clone(),
            tags: None,
            ids_only: false,
            stack: order.stack.clone(),
            context,
            correlation: order.correlation.clone(),
        };
        super::accept(cx, &child, &expansion)?;
        super::adopt(cx, &child.path.id());
        Ok(Some((child, expansion)))
    });
    let result = match prepared {
        Ok(None) => return Ok(None),
        Err(error) => Err(error),
        Ok(Some((child, expansion))) => {
            let id = child.path.id();
            let inside = carry(core, &child, &expansion, root);
            let error = (!inside.failed.is_empty()).then(|| record::failure(&inside.failed));
            finish(core, &id, Some((&child, &expansion)), &inside, &child.context);
            done.written.extend(inside.written);
            done.canceled |= inside.canceled;
            match error {
                None => match outputs_failed(core, &id) {
                    None => Ok(200),
                    Some(error) => Err(error),
                },
                Some(error) => Err(error),
            }
        }
    };
    let failure = result.as_ref().err().cloned();
    let operation = Operation {
        verb: "Create",
        target: Some((&resource.id, resource.symbolic_name.as_deref())),
        result,
        took_ms: real_ms() - started,
    };
    let _ = core.with("", |cx| {
        record::operation(cx, &own, at, &operation);
        Ok(())
    });
    failure.map_or(Ok(None), Err)
}

/// The error that a finished nested deployment shows, if its outputs failed.
fn outputs_failed(core: &Arc<Core>, id: &str) -> Option<ArmError> {
    let doc = core.with("", |cx| Ok(cx.store.doc(&super::key(id)))).ok()??;
    (super::state(&doc) == "Failed")
        .then(|| ArmError::from_value(409, doc.pointer("/record/properties/error").unwrap_or(&Value::Null)))
}

/// Deletes what a complete deployment does not mention.
fn sweep(core: &Arc<Core>, order: &Order, id: &str, done: &mut Done) {
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
fn finish(core: &Arc<Core>, id: &str, parts: Option<(&Order, &Expansion)>, done: &Done, context: &Context) {
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
