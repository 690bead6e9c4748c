//! The steps of an apply, over a trait: group, what must go first, deployments in order, what they did.

use super::failure::{ApplyError, Refused};
use super::state::{Journal, JournalStep, State};
use crate::azure::{AzureError, DeployMode, Pending, Progress, Reply, ServiceError, Wanted};
use crate::plan::{Desired, NewGroup, Unmanaged};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the executor needs of Resource Manager.
pub trait Arm {
    /// A resource group, if it exists.
    fn group(&self, name: &str) -> Result<Option<Value>, AzureError>;
    /// Makes a resource group.
    fn put_group(&self, name: &str, location: &str, tags: &Value) -> Result<(), AzureError>;
    /// Deletes a resource and waits until it is gone.
    fn delete(&self, id: &str, api_version: &str) -> Result<(), AzureError>;
    /// Reads resources.
    fn observe(&self, wanted: &[Wanted]) -> Result<Vec<Value>, AzureError>;
    /// Forgets a stack; its resources stay.
    fn forget(&self, group: &str, stack: &str) -> Result<(), AzureError>;
    /// Starts a stack or a deployment; the body is complete.
    fn start(&self, mode: DeployMode, group: &str, name: &str, body: &Value) -> Result<Reply, AzureError>;
    /// The stack or deployment as it stands.
    fn current(&self, mode: DeployMode, group: &str, name: &str) -> Result<Option<Value>, AzureError>;
    /// Asks once how an operation stands.
    fn ask(&self, pending: &Pending) -> Result<Progress, AzureError>;
    /// What a deployment did so far.
    fn operations(&self, deployment_id: &str) -> Result<Vec<Value>, AzureError>;
    /// Waits.
    fn sleep(&self, wait: Duration);
}

/// What happens, while it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new step.
    Phase(String),
    /// A resource came to a new state.
    Resource {
        /// ARM id.
        id: String,
        /// `Running`, `Succeeded`, `Failed`, `Deleted`.
        state: String,
    },
    /// Another look at what is under way.
    Tick,
}

/// Whoever watches.
pub trait Watch {
    /// Something happened.
    fn event(&mut self, event: &Event);
    /// Whether somebody asked to stop.
    fn stopped(&self) -> bool;
}

/// One deployment.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name of the stack or deployment.
    pub name: String,
    /// The template as it is sent.
    pub template: Value,
    /// Parameter values as they are sent.
    pub parameters: Value,
    /// What the stack keeps as its description.
    pub note: String,
}

/// All that an apply needs.
#[derive(Clone, Debug)]
pub struct Job {
    /// Resource group.
    pub group: String,
    /// Groups that must be made.
    pub groups: Vec<NewGroup>,
    /// Tags of groups that are made.
    pub group_tags: Value,
    /// Stack or plain.
    pub mode: DeployMode,
    /// What a stack does with what is no longer in the template.
    pub unmanaged: Unmanaged,
    /// Tags of the stack: where it came from.
    pub stack_tags: Value,
    /// Tell the stack to go on although it lost track.
    pub out_of_sync: bool,
    /// Resources that must go before they are made anew: id and API version.
    pub replaced: Vec<Wanted>,
    /// What the source no longer holds, children first. With one stack the stack deletes it; with several, what moves
    /// from one to another must not be deleted on the way: they let go of everything, and this is deleted in the end.
    pub removed: Vec<Wanted>,
    /// Stacks that hold nothing of the source any more: forgotten in the end.
    pub leftovers: Vec<String>,
    /// Deployments in order.
    pub steps: Vec<Step>,
    /// What is deployed: to find a refused resource, and pools whose capacity is carried.
    pub desired: Desired,
}

impl Job {
    /// Whether stacks let go of what they lose, to be deleted here.
    fn lets_go(&self) -> bool {
        self.mode == DeployMode::Stack
            && self.unmanaged == Unmanaged::Delete
            && (self.steps.len() > 1 || !self.leftovers.is_empty())
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// State by id.
    pub states: BTreeMap<String, String>,
    /// Outputs as `{name: value}`; secret ones are left out.
    pub outputs: Map<String, Value>,
    /// Ids that the stacks manage.
    pub managed: Vec<String>,
}

/// Carries a job out.
///
/// # Errors
/// See [`ApplyError`]; the journal then says what was begun.
pub fn run(job: &Job, arm: &dyn Arm, state: &State, started: &str, watch: &mut dyn Watch) -> Result<Done, ApplyError> {
    let removing = if job.lets_go() { job.removed.iter().map(|w| w.id.clone()).collect() } else { Vec::new() };
    let mut journal = Journal { started: started.to_owned(), steps: Vec::new(), removing };
    state.write_journal(&journal)?;
    for group in &job.groups {
        if arm.group(&group.name)?.is_none() {
            watch.event(&Event::Phase(format!("making the resource group `{}` in {}", group.name, group.location)));
            arm.put_group(&group.name, &group.location, &job.group_tags)?;
        }
    }
    for step in &job.steps {
        settle(arm, job.mode, &job.group, &step.name, watch)?;
    }
    let mut done = Done::default();
    for gone in job.replaced.iter().rev() {
        delete(gone, arm, &mut journal, state, watch)?;
    }
    for (index, step) in job.steps.iter().enumerate() {
        stop_if_asked(watch)?;
        let entry = journal.steps.len();
        journal.steps.push(JournalStep { kind: "deploy".into(), name: step.name.clone(), state: "begun".into() });
        state.write_journal(&journal)?;
        let result = deploy(job, index, step, arm, watch, &mut done);
        mark(&mut journal, entry, result.is_ok(), state)?;
        result?;
    }
    if job.lets_go() {
        for gone in &job.removed {
            delete(gone, arm, &mut journal, state, watch)?;
            done.states.insert(gone.id.clone(), "Deleted".into());
        }
        for name in &job.leftovers {
            stop_if_asked(watch)?;
            watch.event(&Event::Phase(format!("forgetting the stack `{name}`, which holds nothing of the sources")));
            arm.forget(&job.group, name)?;
        }
    }
    Ok(done)
}

fn delete(
    gone: &Wanted,
    arm: &dyn Arm,
    journal: &mut Journal,
    state: &State,
    watch: &mut dyn Watch,
) -> Result<(), ApplyError> {
    stop_if_asked(watch)?;
    let entry = journal.steps.len();
    journal.steps.push(JournalStep { kind: "delete".into(), name: gone.id.clone(), state: "begun".into() });
    state.write_journal(journal)?;
    watch.event(&Event::Resource { id: gone.id.clone(), state: "Deleting".into() });
    let result = arm.delete(&gone.id, &gone.api_version);
    mark(journal, entry, result.is_ok(), state)?;
    result.map_err(|e| refused_by(e, Some(&gone.id)))?;
    watch.event(&Event::Resource { id: gone.id.clone(), state: "Deleted".into() });
    Ok(())
}

fn mark(journal: &mut Journal, entry: usize, well: bool, state: &State) -> Result<(), ApplyError> {
    if let Some(step) = journal.steps.get_mut(entry) {
        step.state = if well { "done".into() } else { "failed".into() };
    }
    state.write_journal(journal)?;
    Ok(())
}

fn stop_if_asked(watch: &dyn Watch) -> Result<(), ApplyError> {
    if watch.stopped() { Err(ApplyError::Stopped) } else { Ok(()) }
}

/// Waits until a stack or deployment of this name is at rest: an apply that was cut off may have left it running.
///
/// # Errors
/// The service cannot be spoken to, or somebody asked to stop.
pub fn settle(
    arm: &dyn Arm,
    mode: DeployMode,
    group: &str,
    name: &str,
    watch: &mut dyn Watch,
) -> Result<(), ApplyError> {
    let mut told = false;
    loop {
        let Some(current) = arm.current(mode, group, name)? else { return Ok(()) };
        if is_at_rest(&current) {
            return Ok(());
        }
        if !told {
            watch.event(&Event::Phase(format!("waiting for the deployment `{name}` that is still running")));
            told = true;
        }
        watch.event(&Event::Tick);
        stop_if_asked(watch)?;
        arm.sleep(Duration::from_secs(2));
    }
}

fn is_at_rest(current: &Value) -> bool {
    let state = current.pointer("/properties/provisioningState").and_then(Value::as_str).unwrap_or_default();
    matches!(state.to_ascii_lowercase().as_str(), "succeeded" | "failed" | "canceled" | "cancelled" | "")
}

fn body_of(job: &Job, step: &Step, template: Value) -> Value {
    let parameters = &step.parameters;
    if job.mode == DeployMode::Plain {
        return json!({ "properties": { "mode": "Incremental", "template": template, "parameters": parameters } });
    }
    let action = if job.unmanaged == Unmanaged::Delete && !job.lets_go() { "delete" } else { "detach" };
    json!({
        "tags": job.stack_tags,
        "properties": {
            "actionOnUnmanage": { "resources": action, "resourceGroups": "detach", "managementGroups": "detach" },
            "denySettings": { "mode": "none", "applyToChildScopes": false },
            "description": step.note,
            "bypassStackOutOfSyncError": job.out_of_sync,
            "template": template,
            "parameters": parameters,
        }
    })
}

fn deploy(
    job: &Job,
    index: usize,
    step: &Step,
    arm: &dyn Arm,
    watch: &mut dyn Watch,
    done: &mut Done,
) -> Result<(), ApplyError> {
    // The number of machines is read at the last moment, so that what autoscale did since the plan is kept.
    let owned = crate::plan::autoscaled(&job.desired);
    let pools = job.desired.resources.iter().filter(|r| owned.contains_key(&r.id.to_ascii_lowercase()));
    let pools: Vec<Wanted> = pools.map(|r| Wanted { id: r.id.clone(), api_version: r.api_version.clone() }).collect();
    let live = if pools.is_empty() { Vec::new() } else { arm.observe(&pools)? };
    let mut template = step.template.clone();
    super::carry_live_capacity(&mut template, index, &job.desired, &live);
    let body = body_of(job, step, template);
    watch.event(&Event::Phase(format!("deploying `{}`", step.name)));
    let mut tries = 0;
    let reply = loop {
        match arm.start(job.mode, &job.group, &step.name, &body) {
            Ok(reply) => break reply,
            // Somebody else's, or ours whose answer was lost: wait for its end, then say again what is wanted.
            Err(error) if tries < 3 && is_busy(&error) => {
                tries += 1;
                settle(arm, job.mode, &job.group, &step.name, watch)?;
                arm.sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(refused_by(error, None)),
        }
    };
    let outcome = follow(job, step, reply, arm, watch, done);
    let end = arm.current(job.mode, &job.group, &step.name);
    report_operations(
        &deployment_id(job, step, end.as_ref().ok().and_then(Option::as_ref)),
        arm,
        watch,
        &mut BTreeMap::new(),
        done,
    );
    outcome?;
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

/// The deployment that a stack works through, or the deployment itself.
fn deployment_id(job: &Job, step: &Step, current: Option<&Value>) -> Option<String> {
    let current = current?;
    if job.mode == DeployMode::Plain {
        return current.get("id").and_then(Value::as_str).map(str::to_owned);
    }
    let _ = step;
    current.pointer("/properties/deploymentId").and_then(Value::as_str).map(str::to_owned)
}

fn follow(
    job: &Job,
    step: &Step,
    reply: Reply,
    arm: &dyn Arm,
    watch: &mut dyn Watch,
    done: &mut Done,
) -> Result<(), ApplyError> {
    let Some(mut pending) = Pending::of(&reply) else {
        return at_rest_or_failed(&reply.body);
    };
    let mut seen = BTreeMap::new();
    let mut lost = 0;
    let mut deployment = deployment_id(job, step, Some(&reply.body));
    loop {
        if deployment.is_none() {
            deployment = arm
                .current(job.mode, &job.group, &step.name)
                .ok()
                .flatten()
                .and_then(|c| deployment_id(job, step, Some(&c)));
        }
        report_operations(&deployment, arm, watch, &mut seen, done);
        watch.event(&Event::Tick);
        stop_if_asked(watch)?;
        arm.sleep(pace(pending.wait, pending.asked));
        match arm.ask(&pending) {
            Ok(Progress::Running(next)) => {
                pending = next;
                lost = 0;
            }
            Ok(Progress::Done(_)) => return Ok(()),
            Ok(Progress::Failed(error)) => return Err(refusals(job, step, *error, arm)),
            // The address ran out or the network went away for longer than the budget: the name still tells.
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

/// A short look first, then as often as the service wants, but at least every ten seconds so that progress is seen.
fn pace(wanted: Duration, asked: u32) -> Duration {
    let early = Duration::from_millis(200 << u64::from(asked.min(5)));
    wanted.min(early).min(Duration::from_secs(10))
}

fn at_rest_or_failed(body: &Value) -> Result<(), ApplyError> {
    let state = body.pointer("/properties/provisioningState").and_then(Value::as_str).unwrap_or("Succeeded");
    if state.eq_ignore_ascii_case("failed") || state.eq_ignore_ascii_case("canceled") {
        let error = ServiceError::of(body.pointer("/properties/error").unwrap_or(&Value::Null));
        return Err(ApplyError::Refused(vec![Refused { id: None, error }]));
    }
    Ok(())
}

fn report_operations(
    deployment: &Option<String>,
    arm: &dyn Arm,
    watch: &mut dyn Watch,
    seen: &mut BTreeMap<String, String>,
    done: &mut Done,
) {
    let Some(id) = deployment else { return };
    // Only for show: whether the deployment went well is told by its own state.
    for operation in arm.operations(id).unwrap_or_default() {
        let text = |pointer: &str| operation.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (Some(target), Some(state)) =
            (text("/properties/targetResource/id"), text("/properties/provisioningState"))
        else {
            continue;
        };
        done.states.insert(target.clone(), state.clone());
        if seen.get(&target) != Some(&state) {
            watch.event(&Event::Resource { id: target.clone(), state: state.clone() });
            seen.insert(target, state);
        }
    }
}

/// Every refused resource of a failed deployment, nested ones too; else the deployment's own error.
fn refusals(job: &Job, step: &Step, error: ServiceError, arm: &dyn Arm) -> ApplyError {
    let current = arm.current(job.mode, &job.group, &step.name).ok().flatten();
    let mut found = Vec::new();
    let mut visited = BTreeSet::new();
    if let Some(id) = deployment_id(job, step, current.as_ref()) {
        failed_operations(&id, arm, &mut visited, &mut found);
    }
    if found.is_empty() {
        found = error
            .innermost()
            .into_iter()
            .map(|e| Refused { id: e.target.clone().or_else(|| named_in(e, &job.desired)), error: e.clone() })
            .collect();
    }
    if found.is_empty() {
        found.push(Refused { id: None, error });
    }
    ApplyError::Refused(found)
}

fn failed_operations(deployment: &str, arm: &dyn Arm, visited: &mut BTreeSet<String>, found: &mut Vec<Refused>) {
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
        if let Some(id) = id.filter(|i| i.to_ascii_lowercase().contains("/microsoft.resources/deployments/")) {
            failed_operations(id, arm, visited, found);
            continue;
        }
        let message = properties.get("statusMessage").unwrap_or(&Value::Null);
        let error = match message {
            Value::String(text) => ServiceError::read(0, text, None),
            other => ServiceError::of(other),
        };
        found.push(Refused { id: id.map(str::to_owned), error });
    }
}

/// A refusal before the start may name the resource in its words only.
fn named_in(error: &ServiceError, desired: &Desired) -> Option<String> {
    let hit = desired
        .resources
        .iter()
        .filter(|r| error.message.contains(&format!("'{}'", r.name)) || error.message.contains(&r.id));
    hit.max_by_key(|r| r.name.len()).map(|r| r.id.clone())
}

fn refused_by(error: AzureError, id: Option<&str>) -> ApplyError {
    match error {
        AzureError::Service(error) if matches!(error.status, 400 | 403 | 404 | 409 | 412 | 422) => {
            let parts = error.innermost();
            let list = parts.into_iter().map(|e| {
                let mut inner = e.clone();
                inner.correlation = inner.correlation.or_else(|| error.correlation.clone());
                Refused { id: id.map(str::to_owned).or_else(|| e.target.clone()), error: inner }
            });
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

fn collect(end: &Value, job: &Job, done: &mut Done) {
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

impl Arm for crate::azure::Client {
    fn group(&self, name: &str) -> Result<Option<Value>, AzureError> {
        self.resource_group(name)
    }

    fn put_group(&self, name: &str, location: &str, tags: &Value) -> Result<(), AzureError> {
        self.put_resource_group(name, location, tags).map(|_| ())
    }

    fn delete(&self, id: &str, api_version: &str) -> Result<(), AzureError> {
        self.delete_resource(id, api_version)
    }

    fn observe(&self, wanted: &[Wanted]) -> Result<Vec<Value>, AzureError> {
        crate::azure::Client::observe(self, wanted)
    }

    fn forget(&self, group: &str, stack: &str) -> Result<(), AzureError> {
        match self.delete_stack(group, stack, "detach").and_then(|reply| self.finish(reply)) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    fn start(&self, mode: DeployMode, group: &str, name: &str, body: &Value) -> Result<Reply, AzureError> {
        match mode {
            DeployMode::Stack => self.put_stack(group, name, body),
            DeployMode::Plain => {
                let part = |key: &str| body.pointer(&format!("/properties/{key}")).cloned().unwrap_or_default();
                self.put_deployment(group, name, &part("template"), &part("parameters"))
            }
        }
    }

    fn current(&self, mode: DeployMode, group: &str, name: &str) -> Result<Option<Value>, AzureError> {
        match mode {
            DeployMode::Stack => self.stack(group, name),
            DeployMode::Plain => self.deployment(group, name),
        }
    }

    fn ask(&self, pending: &Pending) -> Result<Progress, AzureError> {
        crate::azure::Client::ask(self, pending)
    }

    fn operations(&self, deployment_id: &str) -> Result<Vec<Value>, AzureError> {
        self.operations_of(deployment_id)
    }

    fn sleep(&self, wait: Duration) {
        crate::azure::Client::sleep(self, wait);
    }
}
