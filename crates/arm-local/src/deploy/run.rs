//! Carries a deployment out: resources in the order of their dependencies, each in one transaction; nested deployments
//! inside; outputs at the end; in complete mode what the template lacks is deleted.
//!
//! Several resources can be under way at once when operations take time; a failure stops what depends on it and nothing
//! else. A restarted endpoint starts over: every write can be repeated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::core::{Core, Cx};
use crate::error::ArmError;
use crate::groups;
use crate::id::{Path, key};
use crate::stacks::{self, Ask};
use crate::write::set;
use arm_template::{Context, Expansion, Limits, Resource};

use super::ending::{finish, sweep};
use super::links::Links;
use super::live::Live;
use super::record::{self, Operation};
use super::request::{Order, template_error};
use super::steps::{context_inside, execute, no_link};

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

pub(super) fn real_ms() -> i64 {
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
            let stacked = resource.resource_type.eq_ignore_ascii_case("Microsoft.Resources/deploymentStacks");
            let begun = match &resource.nested {
                Some(_) => nested(core, order, resource, position, root, &mut done),
                None if stacked => stack(core, order, resource, position),
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
            && crate::core::lock(&core.faults).list().is_empty()
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
        let quiet = crate::types::rule(&written.row.kind).always_200();
        let status = if written.created && !quiet { 201 } else { 200 };
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

pub(super) fn caller(order: &Order) -> String {
    if let Some(stack) = &order.stack {
        return crate::stacks::caller(stack);
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
        let links = Links::of(cx);
        let mut inner = inner.as_ref().clone();
        if inner.template.is_none()
            && let Some(link) = resolved.body.value.pointer("/properties/templateLink")
        {
            let (template, base) = links.named(link, order.context.template_link.as_deref())?;
            inner.template = Some(template);
            inner.context.template_link = base;
        }
        let expansion = inner
            .expand(&order.context, &Limits::default(), &links, &Live::new(cx))
            .map_err(|errors| template_error(&errors))?
            .ok_or_else(|| no_link(resource))?;
        let Some(template) = inner.template.clone() else { return Err(no_link(resource)) };
        let context = context_inside(cx, &inner, &order.context, &resolved.id);
        let linked = |name: &str| resolved.body.value.pointer(&format!("/properties/{name}")).cloned();
        let child = Order {
            path,
            template,
            parameters: json!({}),
            mode: "Incremental".into(),
            location: inner.context.location.clone(),
            tags: None,
            links: json!({ "templateLink": linked("templateLink"), "parametersLink": linked("parametersLink") }),
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
    noted(core, &own, resource, at, started, result)
}

/// Runs a deployment stack that stands in the template to its end.
fn stack(core: &Arc<Core>, order: &Order, resource: &Resource, at: usize) -> Result<Option<Running>, ArmError> {
    let own = order.path.id();
    let started = real_ms();
    let accepted = core.with(&caller(order), |cx| {
        let resolved = resource.resolve(&order.context, &Live::new(cx)).map_err(|error| template_error(&[error]))?;
        if !resolved.present {
            return Ok(None);
        }
        let path = Path::of(&resolved.id);
        let ask = Ask::build(cx, &path, &record::sent_body(resource, &resolved.body.value))?;
        stacks::accept(cx, &ask, true)?;
        Ok(Some(path.id()))
    });
    let result = match accepted {
        Ok(None) => return Ok(None),
        Ok(Some(id)) => stacks::run::inside(core, &id).map(|()| 200),
        Err(error) => Err(error),
    };
    noted(core, &own, resource, at, started, result)
}

/// The error that a finished nested deployment shows, if its outputs failed.
fn outputs_failed(core: &Arc<Core>, id: &str) -> Option<ArmError> {
    let doc = core.with("", |cx| Ok(cx.store.doc(&super::key(id)))).ok()??;
    (super::state(&doc) == "Failed")
        .then(|| ArmError::from_value(409, doc.pointer("/record/properties/error").unwrap_or(&Value::Null)))
}

/// Records how a creation ended, and hands its failure on.
fn noted(
    core: &Arc<Core>,
    own: &str,
    resource: &Resource,
    at: usize,
    started: i64,
    result: Result<u16, ArmError>,
) -> Result<Option<Running>, ArmError> {
    let failure = result.as_ref().err().cloned();
    let operation = Operation {
        verb: "Create",
        target: Some((&resource.id, resource.symbolic_name.as_deref())),
        result,
        took_ms: real_ms() - started,
    };
    let _ = core.with("", |cx| {
        record::operation(cx, own, at, &operation);
        Ok(())
    });
    failure.map_or(Ok(None), Err)
}
