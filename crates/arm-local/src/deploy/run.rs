//! Runs a deployment: resources in the order of their dependencies, each in one transaction; nested deployments inside;
//! outputs at the end; in complete mode what the template lacks is deleted.
//!
//! Several resources can be under way at once when operations take time; a failure stops what depends on it and nothing
//! else. A restarted endpoint starts over: every write can be repeated.

use std::sync::Arc;
use std::time::Duration;

use arm_template::{Context, Expansion, Resource};

use super::ending::{finish, sweep};
use super::history;
use super::live::StateRuntime;
use super::nested;
use super::outcome::{RunResult, caller, log, real_ms};
use super::record::{self, Operation};
use super::request::{DeploymentRequest, template_error};
use super::schedule::{Next, Schedule, Step};
use super::steps;
use crate::core::{Core, Cx};
use crate::documents::{DeploymentDocument, DeploymentState, LongRunning};
use crate::error::ArmError;
use crate::id::Path;

/// Longest wait before cancellation and the end of a stuck fault are looked for again, in milliseconds.
const LONGEST_WAIT: i64 = 50;

/// Runs an accepted deployment to its end.
pub fn run(core: &Arc<Core>, id: &str) {
    let begun = core.aside("", |cx| begin(cx, id)).and_then(|begun| {
        core.with("", |cx| {
            cx.store.edit::<DeploymentDocument>(id, |document| {
                document.record.properties.provisioning_state = DeploymentState::Running;
            });
            Ok(begun)
        })
    });
    let (request, expansion) = match begun {
        Ok(begun) => begun,
        Err(error) if error.code == "DeploymentNotFound" => return,
        Err(error) => return finish(core, id, None, &RunResult::failed(id, error), &Context::default()),
    };
    let mut result = write_resources(core, &request, &expansion, id);
    if request.mode == "Complete" && result.failed.is_empty() && !result.canceled {
        sweep(core, &request, id, &mut result);
    }
    finish(core, id, Some(&expansion), &result, &request.context);
}

/// The request as it was kept and its template expanded, on a copy of the state.
fn begin(cx: &mut Cx<'_>, id: &str) -> Result<(DeploymentRequest, Expansion), ArmError> {
    let document = cx.store.get::<DeploymentDocument>(id);
    let pending = document.as_ref().and_then(|document| document.pending.as_ref());
    let pending = pending.ok_or_else(|| ArmError::missing("DeploymentNotFound", ""))?;
    cx.caller = pending.caller.clone().unwrap_or_default();
    let request = DeploymentRequest::resumed(cx, &Path::of(id), pending)?;
    let expansion = request.expand(cx)?;
    Ok((request, expansion))
}

/// Runs the deployment of a stack, which the stack has stored, to its end.
pub fn run_for_stack(core: &Arc<Core>, request: &DeploymentRequest, expansion: &Expansion) -> RunResult {
    let id = request.path.id();
    let result = write_resources(core, request, expansion, &id);
    finish(core, &id, Some(expansion), &result, &request.context);
    let _ = core.with("", |cx| {
        cx.store.edit::<DeploymentDocument>(&id, |document| document.outputs = None);
        Ok(())
    });
    result
}

/// Writes the resources of a template. `root` is the deployment whose cancellation counts.
fn write_resources(core: &Arc<Core>, request: &DeploymentRequest, expansion: &Expansion, root: &str) -> RunResult {
    let mut run = Run {
        core,
        request,
        id: request.path.id(),
        root,
        resources: &expansion.resources,
        schedule: Schedule::of(expansion),
        running: Vec::new(),
        postponed: Vec::new(),
        written_then: 0,
        result: RunResult::default(),
    };
    loop {
        let started = run.start_ready();
        if run.result.canceled {
            break;
        }
        if started && run.running.is_empty() {
            continue;
        }
        let ended = run.end_due();
        if !started && !ended && !run.wait() && !run.retry() {
            break;
        }
    }
    run.result
}

/// A resource whose operation takes time.
struct Running {
    at: usize,
    /// Machine time of the end; `i64::MAX` never.
    ends: i64,
    started: i64,
    status: u16,
    failure: Option<ArmError>,
}

/// One template on its way.
struct Run<'a> {
    core: &'a Arc<Core>,
    request: &'a DeploymentRequest,
    /// The deployment's own id.
    id: String,
    root: &'a str,
    resources: &'a [Resource],
    schedule: Schedule,
    running: Vec<Running>,
    /// Resources that wait for something missing, with the error of each.
    postponed: Vec<(usize, ArmError)>,
    /// How many resources were written when they were tried last.
    written_then: usize,
    result: RunResult,
}

/// Whether an error says that something is missing, which another resource of the template may be.
fn is_absence(error: &ArmError) -> bool {
    ["ResourceNotFound", "NotFound", "InvalidResourceReference", "ParentResourceNotFound"]
        .contains(&error.code.as_str())
}

impl Run<'_> {
    /// Starts every resource that can be written now; says whether anything changed.
    fn start_ready(&mut self) -> bool {
        let mut changed = false;
        for (at, resource) in self.resources.iter().enumerate() {
            match self.schedule.next(at) {
                Next::Nothing => continue,
                Next::GiveUp => self.schedule.set(at, Step::Failed),
                Next::Start if self.is_canceled() => {
                    self.result.canceled = true;
                    return changed;
                }
                Next::Start => self.start(at, resource),
            }
            changed = true;
        }
        changed
    }

    fn start(&mut self, at: usize, resource: &Resource) {
        let stack = resource.resource_type.eq_ignore_ascii_case("Microsoft.Resources/deploymentStacks");
        let begun = if resource.nested.is_some() {
            self.nested(at, resource)
        } else if stack {
            self.stack(at, resource)
        } else {
            self.single(at, resource)
        };
        match begun {
            Ok(running) => {
                self.schedule.set(at, if running.is_some() { Step::Running } else { Step::Succeeded });
                self.running.extend(running);
                if resource.nested.is_none() {
                    self.result.written.push(resource.id.clone());
                }
            }
            // Resources without dependencies on one another start in any order: one in which all succeed is one that can
            // happen.
            Err(error) if is_absence(&error) && resource.nested.is_none() && self.schedule.goes_on(at) => {
                self.schedule.set(at, Step::Postponed);
                self.postponed.push((at, error));
            }
            Err(error) => {
                self.schedule.set(at, Step::Failed);
                self.result.failed.push((resource.id.clone(), error));
            }
        }
    }

    /// Tries again what was postponed once everything else has ended, as long as each time more is there; else it has failed.
    /// Says whether there was any.
    fn retry(&mut self) -> bool {
        let postponed = std::mem::take(&mut self.postponed);
        let any = !postponed.is_empty();
        let more = self.result.written.len() > self.written_then;
        self.written_then = self.result.written.len();
        for (at, error) in postponed {
            if more {
                self.schedule.set(at, Step::Waiting);
                continue;
            }
            self.schedule.set(at, Step::Failed);
            let id = self.resources.get(at).map(|resource| resource.id.clone()).unwrap_or_default();
            self.result.failed.push((id, error));
        }
        any
    }

    /// Ends the operations whose time has come; says whether there were any.
    fn end_due(&mut self) -> bool {
        let now = real_ms();
        let (due, running): (Vec<Running>, Vec<Running>) =
            std::mem::take(&mut self.running).into_iter().partition(|job| job.ends <= now);
        self.running = running;
        for job in &due {
            let Some(resource) = self.resources.get(job.at) else { continue };
            let result = job.failure.clone().map_or(Ok(job.status), Err);
            self.log(job.at, resource, job.started, result);
            match &job.failure {
                None => self.schedule.set(job.at, Step::Succeeded),
                Some(error) => {
                    self.schedule.set(job.at, Step::Failed);
                    self.result.failed.push((resource.id.clone(), error.clone()));
                    self.result.written.retain(|id| id != &resource.id);
                }
            }
        }
        !due.is_empty()
    }

    /// Waits for the next end of an operation, in short steps; `false` when there is nothing to wait for.
    fn wait(&mut self) -> bool {
        let Some(next) = self.running.iter().map(|job| job.ends).min() else { return false };
        if self.is_canceled() {
            self.result.canceled = true;
            return false;
        }
        let now = real_ms();
        let wait = next.saturating_sub(now).clamp(1, LONGEST_WAIT);
        std::thread::sleep(Duration::from_millis(wait.unsigned_abs()));
        if next == i64::MAX && self.is_released() {
            for job in &mut self.running {
                job.ends = job.ends.min(now);
            }
        }
        true
    }

    fn is_canceled(&self) -> bool {
        let document = self.core.with("", |cx| Ok(cx.store.get::<DeploymentDocument>(self.root)));
        document.ok().flatten().is_none_or(|document| document.cancel)
    }

    /// Whether nothing is stuck any more: `DELETE /_local/faults` ends what hangs.
    fn is_released(&self) -> bool {
        let stuck = |cx: &mut Cx<'_>| Ok(cx.store.all::<LongRunning>("").iter().any(|one| one.ready == i64::MAX));
        crate::core::lock(&self.core.faults).list().is_empty() && !self.core.with("", stuck).unwrap_or(true)
    }

    fn log(&self, at: usize, resource: &Resource, started: i64, result: Result<u16, ArmError>) {
        log(self.core, &self.id, at, &creation(resource, started, result));
    }

    /// Writes one resource with its operation; `Some` when it takes time.
    fn single(&self, at: usize, resource: &Resource) -> Result<Option<Running>, ArmError> {
        let started = real_ms();
        let (caller, context) = (caller(self.request), &self.request.context);
        let write = |cx: &mut Cx<'_>, ready| {
            let Some(written) = steps::apply(cx, context, resource, ready)? else { return Ok(None) };
            let quiet = crate::types::rule(&written.row.kind).write_status() == Some(200);
            let status = if written.created && !quiet { 201 } else { 200 };
            let slow = written.operation.is_some() && (written.duration_ms > 0);
            let waits = slow || written.failure.is_some();
            let operation = creation(resource, started, Ok(if waits { 202 } else { status }));
            record::operation(cx, &self.id, at, &operation);
            let ends = started.saturating_add(written.duration_ms);
            Ok(waits.then_some(Running { at, ends, started, status, failure: written.failure }))
        };
        let written = match self.core.aside(&caller, |cx| steps::resolve(cx, context, resource)) {
            Ok(Some(ready)) => self.core.with(&caller, |cx| write(cx, ready)),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        written.inspect_err(|error| self.log(at, resource, started, Err(error.clone())))
    }

    /// Runs a nested deployment to its end.
    fn nested(&mut self, at: usize, resource: &Resource) -> Result<Option<Running>, ArmError> {
        let started = real_ms();
        let caller = caller(self.request);
        let result = match self.core.aside(&caller, |cx| nested::evaluate(cx, self.request, resource)) {
            Ok(None) => return Ok(None),
            Ok(Some((inner, expansion))) => {
                let accept = |cx: &mut Cx<'_>| {
                    history::accept_inner(cx, &inner, &expansion);
                    Ok(())
                };
                self.core.with(&caller, accept).and_then(|()| self.run_nested(&inner, &expansion))
            }
            Err(error) => Err(error),
        };
        self.log(at, resource, started, result.clone().map(|()| 200));
        result.map(|()| None)
    }

    fn run_nested(&mut self, request: &DeploymentRequest, expansion: &Expansion) -> Result<(), ArmError> {
        let id = request.path.id();
        let inner = write_resources(self.core, request, expansion, self.root);
        finish(self.core, &id, Some(expansion), &inner, &request.context);
        let failure = (!inner.failed.is_empty()).then(|| record::failure(&inner.failed));
        self.result.written.extend(inner.written);
        self.result.canceled |= inner.canceled;
        // without a failed resource it may still be the outputs that failed
        failure.or_else(|| nested::recorded_failure(self.core, &id)).map_or(Ok(()), Err)
    }

    /// Runs a deployment stack that is a resource of the template to its end.
    fn stack(&self, at: usize, resource: &Resource) -> Result<Option<Running>, ArmError> {
        let started = real_ms();
        let caller = caller(self.request);
        let evaluated = self.core.aside(&caller, |cx| {
            let context = &self.request.context;
            let resolved =
                resource.resolve(context, &StateRuntime::new(cx)).map_err(|error| template_error(&[error]))?;
            let body = record::sent_body(resource, &resolved.body.value);
            Ok(resolved.present.then(|| (Path::of(&resolved.id), body)))
        });
        let upper = self.core.upper;
        let result = match evaluated {
            Ok(None) => return Ok(None),
            Ok(Some((path, body))) => upper
                .accept_stack(self.core, &caller, &path, &body)
                .and_then(|()| upper.run_stack(self.core, &path.id())),
            Err(error) => Err(error),
        };
        self.log(at, resource, started, result.clone().map(|()| 200));
        result.map(|()| None)
    }
}

fn creation(resource: &Resource, started: i64, result: Result<u16, ArmError>) -> Operation<'_> {
    Operation {
        verb: "Create",
        target: Some((&resource.id, resource.symbolic_name.as_deref())),
        result,
        took_ms: real_ms() - started,
    }
}
