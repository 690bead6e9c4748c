//! The steps of an apply, over a trait: resource group, deletions that come first, deployments in order, results.

use super::deleted_vault::DeletedVault;
use super::failure::ApplyError;
use super::follow::{deploy, live_pools, refused_by, wait_until_idle};
use super::state::{Journal, JournalStep, StateDir};
use arm_client::{AzureError, DeployMode, OperationStatus, Pending, Reply, ResourceRef};
use arm_plan::{Desired, NewGroup, Unmanaged};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The operations of Resource Manager that an apply needs; tests implement it in memory.
pub trait Arm {
    /// A resource group, if it exists.
    fn group(&self, name: &str) -> Result<Option<Value>, AzureError>;
    /// Creates a resource group, or updates its tags.
    fn put_group(&self, name: &str, location: &str, tags: &Value) -> Result<(), AzureError>;
    /// Brings a deleted vault back.
    fn recover(&self, vault: &DeletedVault) -> Result<(), AzureError>;
    /// Takes user-assigned identities off a resource.
    fn take_off(&self, from: &Reassigned) -> Result<(), AzureError>;
    /// Deletes a resource and waits until it is gone.
    fn delete(&self, id: &str, api_version: &str) -> Result<(), AzureError>;
    /// Reads resources; those that do not exist are left out.
    fn observe(&self, wanted: &[ResourceRef]) -> Result<Vec<Value>, AzureError>;
    /// Deletes a stack and detaches its resources, which stay.
    fn detach_stack(&self, group: &str, stack: &str) -> Result<(), AzureError>;
    /// Starts a stack or a deployment; the body is complete.
    fn start(&self, mode: DeployMode, group: &str, name: &str, body: &Value) -> Result<Reply, AzureError>;
    /// The stack or deployment in its current state; `None` when it does not exist.
    fn current(&self, mode: DeployMode, group: &str, name: &str) -> Result<Option<Value>, AzureError>;
    /// Polls the status of an operation once.
    fn poll(&self, pending: &Pending) -> Result<OperationStatus, AzureError>;
    /// What a deployment did so far.
    fn operations(&self, deployment_id: &str) -> Result<Vec<Value>, AzureError>;
    /// Waits; tests replace it by a fake clock.
    fn sleep(&self, wait: Duration);
}

/// What happens, while it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new step begins; in words.
    Phase(String),
    /// A resource came to a new state.
    Resource {
        /// Full ARM id of the resource.
        id: String,
        /// `Running`, `Succeeded`, `Failed`, `Deleted`.
        state: String,
    },
    /// Something that happened within the current step; in words.
    Detail(String),
    /// The status was polled again.
    Tick,
}

/// Receives the events of an apply and may ask it to stop.
pub trait Observer {
    /// Called for each event, in order.
    fn event(&mut self, event: &Event);
    /// Whether somebody asked to stop.
    fn stopped(&self) -> bool;
}

/// One deployment of an apply.
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

/// A resource that uses identities which are created again: their assignments keep the old principal until they are taken
/// off and made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassigned {
    /// What uses the identities: id and API version.
    pub resource: ResourceRef,
    /// ARM ids of the identities, as the resource spells them.
    pub identities: Vec<String>,
    /// The kind of identity that the resource has without them: `None`, `SystemAssigned`, `UserAssigned` or both.
    pub rest: String,
}

impl Reassigned {
    /// The body of the update that takes the identities off: a null for each, as `az vmss identity remove` sends it.
    #[must_use]
    pub fn request(&self) -> Value {
        if self.rest == "None" || self.rest == "SystemAssigned" {
            return json!({ "identity": { "type": self.rest } });
        }
        let ids: Map<String, Value> = self.identities.iter().map(|id| (id.clone(), Value::Null)).collect();
        json!({ "identity": { "type": self.rest, "userAssignedIdentities": ids } })
    }
}

/// The input of an apply.
#[derive(Clone, Debug)]
pub struct Job {
    /// Name of the resource group that is deployed to.
    pub group: String,
    /// Resource groups to create first.
    pub groups: Vec<NewGroup>,
    /// Tags of the groups that are created.
    pub group_tags: Value,
    /// Deleted vaults that hold names of the deployment: they come back first, then the deployment changes them.
    pub recovered: Vec<DeletedVault>,
    /// Whether to use deployment stacks or plain deployments.
    pub mode: DeployMode,
    /// What a stack does with what is no longer in the template.
    pub unmanaged: Unmanaged,
    /// Tags of the stack: where it came from.
    pub stack_tags: Value,
    /// Let the stack continue although it is out of sync with its resources.
    pub out_of_sync: bool,
    /// Resources from which identities are taken off before anything is deleted; the deployment assigns them again.
    pub reassigned: Vec<Reassigned>,
    /// Resources to delete before they are recreated: id and API version.
    pub replaced: Vec<ResourceRef>,
    /// Resources no longer in the source, children first. A single stack deletes them itself. Several stacks detach them
    /// instead, since a resource may move from one stack to another, and they are deleted at the end.
    pub removed: Vec<ResourceRef>,
    /// Stacks that no longer hold a resource of the source; detached at the end.
    pub leftovers: Vec<String>,
    /// Deployments in the order in which they run.
    pub steps: Vec<Step>,
    /// What is deployed: to find a refused resource, and pools whose capacity is carried.
    pub desired: Desired,
}

impl Job {
    /// Whether stacks detach what they lose and the executor deletes it at the end.
    pub(super) fn deletes_in_the_end(&self) -> bool {
        self.mode == DeployMode::Stack
            && self.unmanaged == Unmanaged::Delete
            && (self.steps.len() > 1 || !self.leftovers.is_empty())
    }
}

/// The result of an apply.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Last known state of each resource, by ARM id.
    pub states: BTreeMap<String, String>,
    /// Outputs as `{name: value}`; secret ones are left out.
    pub outputs: Map<String, Value>,
    /// Ids that the stacks manage.
    pub managed: Vec<String>,
}

/// Executes a job.
///
/// # Errors
/// See [`ApplyError`]; the journal then says what was begun.
pub fn run(
    job: &Job,
    arm: &dyn Arm,
    state: &StateDir,
    started: &str,
    observer: &mut dyn Observer,
) -> Result<Outcome, ApplyError> {
    let removing =
        if job.deletes_in_the_end() { job.removed.iter().map(|w| w.id.clone()).collect() } else { Vec::new() };
    let mut journal = Journal { started: started.to_owned(), steps: Vec::new(), removing };
    state.write_journal(&journal)?;
    for group in &job.groups {
        if arm.group(&group.name)?.is_none() {
            observer
                .event(&Event::Phase(format!("creating the resource group `{}` in {}", group.name, group.location)));
            arm.put_group(&group.name, &group.location, &job.group_tags)?;
        }
    }
    for step in &job.steps {
        wait_until_idle(arm, job.mode, &job.group, &step.name, observer)?;
    }
    let mut done = Outcome::default();
    for vault in &job.recovered {
        check_stopped(observer)?;
        observer.event(&Event::Phase(format!("recovering the deleted vault `{}`", vault.name())));
        arm.recover(vault).map_err(|e| refused_by(e, Some(&vault.id)))?;
    }
    for from in &job.reassigned {
        take_off(from, arm, &mut journal, state, observer)?;
    }
    let before = if job.replaced.is_empty() { Vec::new() } else { live_pools(job, arm)? };
    for gone in job.replaced.iter().rev() {
        delete(gone, arm, &mut journal, state, observer)?;
    }
    for (index, step) in job.steps.iter().enumerate() {
        check_stopped(observer)?;
        let entry = journal.steps.len();
        journal.steps.push(JournalStep { kind: "deploy".into(), name: step.name.clone(), state: "begun".into() });
        state.write_journal(&journal)?;
        let result = deploy(job, (index, step), &before, arm, observer, &mut done);
        mark(&mut journal, entry, result.is_ok(), state)?;
        result?;
    }
    if job.deletes_in_the_end() {
        for gone in &job.removed {
            delete(gone, arm, &mut journal, state, observer)?;
            done.states.insert(gone.id.clone(), "Deleted".into());
        }
        for name in &job.leftovers {
            check_stopped(observer)?;
            observer.event(&Event::Phase(format!(
                "detaching the stack `{name}`, which no longer holds resources of this project"
            )));
            arm.detach_stack(&job.group, name)?;
        }
    }
    Ok(done)
}

/// The journal names it, so that an apply which stops here is known to have begun; the next plan finds what is missing.
fn take_off(
    from: &Reassigned,
    arm: &dyn Arm,
    journal: &mut Journal,
    state: &StateDir,
    observer: &mut dyn Observer,
) -> Result<(), ApplyError> {
    check_stopped(observer)?;
    let entry = journal.steps.len();
    let id = &from.resource.id;
    journal.steps.push(JournalStep { kind: "take-off".into(), name: id.clone(), state: "begun".into() });
    state.write_journal(journal)?;
    let name = arm_plan::type_of_id(id).1;
    observer.event(&Event::Phase(format!("taking the identities off `{name}` that are created again")));
    let result = arm.take_off(from);
    mark(journal, entry, result.is_ok(), state)?;
    result.map_err(|e| refused_by(e, Some(id)))
}

fn delete(
    gone: &ResourceRef,
    arm: &dyn Arm,
    journal: &mut Journal,
    state: &StateDir,
    observer: &mut dyn Observer,
) -> Result<(), ApplyError> {
    check_stopped(observer)?;
    let entry = journal.steps.len();
    journal.steps.push(JournalStep { kind: "delete".into(), name: gone.id.clone(), state: "begun".into() });
    state.write_journal(journal)?;
    observer.event(&Event::Resource { id: gone.id.clone(), state: "Deleting".into() });
    let result = arm.delete(&gone.id, &gone.api_version);
    mark(journal, entry, result.is_ok(), state)?;
    result.map_err(|e| refused_by(e, Some(&gone.id)))?;
    observer.event(&Event::Resource { id: gone.id.clone(), state: "Deleted".into() });
    Ok(())
}

fn mark(journal: &mut Journal, entry: usize, well: bool, state: &StateDir) -> Result<(), ApplyError> {
    if let Some(step) = journal.steps.get_mut(entry) {
        step.state = if well { "done".into() } else { "failed".into() };
    }
    state.write_journal(journal)?;
    Ok(())
}

pub(crate) fn check_stopped(observer: &dyn Observer) -> Result<(), ApplyError> {
    if observer.stopped() { Err(ApplyError::Stopped) } else { Ok(()) }
}

impl Arm for arm_client::Client {
    fn group(&self, name: &str) -> Result<Option<Value>, AzureError> {
        self.resource_group(name)
    }

    fn put_group(&self, name: &str, location: &str, tags: &Value) -> Result<(), AzureError> {
        self.put_resource_group(name, location, tags).map(|_| ())
    }

    fn recover(&self, vault: &DeletedVault) -> Result<(), AzureError> {
        let tenant = self.subscription()?.get("tenantId").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.put_resource(&vault.id, arm_client::VAULTS_API, &vault.request(&tenant))
    }

    fn take_off(&self, from: &Reassigned) -> Result<(), AzureError> {
        self.patch_resource(&from.resource.id, &from.resource.api_version, &from.request())
    }

    fn delete(&self, id: &str, api_version: &str) -> Result<(), AzureError> {
        self.delete_resource(id, api_version)
    }

    fn observe(&self, wanted: &[ResourceRef]) -> Result<Vec<Value>, AzureError> {
        arm_client::Client::observe(self, wanted)
    }

    fn detach_stack(&self, group: &str, stack: &str) -> Result<(), AzureError> {
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

    fn poll(&self, pending: &Pending) -> Result<OperationStatus, AzureError> {
        arm_client::Client::poll(self, pending)
    }

    fn operations(&self, deployment_id: &str) -> Result<Vec<Value>, AzureError> {
        self.operations_of(deployment_id)
    }

    fn sleep(&self, wait: Duration) {
        arm_client::Client::sleep(self, wait);
    }
}
