//! Deletes what a project deployed, and nothing else.

use super::confirmation::PREVENT_DESTROY;
use super::context::DeployContext;
use super::desired;
use super::error::CommandError;
use super::impact;
use super::live::Answers;
use super::session::Session;
use super::soft_delete;
use super::stacks::{deployed_resources, mark, marks_of};
use super::values;
use arm_apply::{Event, Observer};
use arm_client::{AzureError, OperationStatus, Pending, ServiceError};
use arm_plan::{Desired, DesiredResource, DiffOptions, Observed, Plan, diff};
use dsvm_diagnostics::Code;
use dsvm_impact::{Block, Impact, Situation};
use serde_json::Value;
use std::time::Duration;

const SECRET: &str = "Microsoft.KeyVault/vaults/secrets";

/// Everything that a project deployed.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// The deletions, or the detachments.
    pub plan: Plan,
    /// The existing resources of the project.
    pub observed: Observed,
    /// The resources that the source declares, as far as their names are known here.
    pub declared: Desired,
    /// Stacks of the project as the service returns them; empty for plain deployments.
    pub stacks: Vec<Value>,
    /// What Azure keeps of the resources for a time, in sentences.
    pub kept: Vec<String>,
    /// Leave the resources, and delete only the stacks.
    pub detach: bool,
}

impl Deletion {
    /// The deletions in the words of the source; nothing for a template.
    #[must_use]
    pub fn impact(&self, blocks: &[Block]) -> Option<Impact> {
        let nothing = Desired::default();
        let Self { plan, observed, declared, .. } = self;
        impact::describe(&Situation { plan, desired: &nothing, observed, declared, sent: &nothing, live: true, blocks })
    }

    /// Whether nothing of the project is deployed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty() && self.stacks.is_empty()
    }
}

/// Plans the deletion of everything that the project deployed to `group`.
///
/// # Errors
/// A call to Resource Manager failed.
pub fn plan(context: &DeployContext<'_>, group: &str, detach: bool) -> Result<Deletion, CommandError> {
    let (observed, stacks) = deployed_resources(context.project, group, context.session, context.state)?;
    let unmanaged = if detach { arm_plan::Unmanaged::Detach } else { arm_plan::Unmanaged::Delete };
    let plan = diff(&Desired::default(), &observed, &DiffOptions { unmanaged, ..DiffOptions::default() });
    let kept = soft_delete::kept_after(&plan, &observed);
    let declared = declared(context, group).unwrap_or_default();
    Ok(Deletion { plan, observed, declared, stacks, kept, detach })
}

/// Ids that must not be deleted: marked in the source now, or protected at the last apply,
/// as recorded here or in the stacks.
#[must_use]
pub fn protected(context: &DeployContext<'_>, group: &str, deletion: &Deletion) -> Vec<String> {
    let plan = &deletion.plan;
    let mut all = context.state.receipt().map(|r| r.protected).unwrap_or_default();
    let marks: Vec<String> = deletion.stacks.iter().flat_map(marks_of).collect();
    all.extend(plan.changes.iter().filter(|c| marks.contains(&mark(&c.id))).map(|c| c.id.clone()));
    let marked: Vec<(String, String)> =
        context.project.parts.iter().flat_map(|p| marked_names(&p.template.read())).collect();
    if marked.is_empty() {
        return all;
    }
    let resolved = resolved_marks(context, group);
    for (kind, name) in marked {
        let same_type = |one: &str| one.eq_ignore_ascii_case(&kind);
        let of_type = || plan.changes.iter().filter(|c| same_type(&c.resource_type));
        if !name.starts_with('[') {
            // In any resource group.
            all.extend(of_type().filter(|c| c.name.eq_ignore_ascii_case(&name)).map(|c| c.id.clone()));
        } else if let Some(resolved) = &resolved {
            all.extend(resolved.iter().filter(|(other, _)| same_type(other)).map(|(_, id)| id.clone()));
        } else {
            // The name cannot be computed here: every resource of that type may be the marked one.
            all.extend(of_type().map(|c| c.id.clone()));
        }
    }
    all
}

/// Type and id of the resources that the source marks, with computed names. A resource of a nested template counts as
/// marked, since its mark cannot be found. `None` when a value that a name needs is not known here.
fn resolved_marks(context: &DeployContext<'_>, group: &str) -> Option<Vec<(String, String)>> {
    let desired = declared(context, group)?;
    let templates: Vec<Value> = context.project.parts.iter().map(|p| p.template.read()).collect();
    let marked = |r: &&DesiredResource| {
        let mark = format!("{}{PREVENT_DESTROY}", r.pointer);
        r.pointer.is_empty() || templates.get(r.part).is_some_and(|t| t.pointer(&mark) == Some(&Value::Bool(true)))
    };
    let marked: Vec<_> =
        desired.resources.iter().filter(marked).map(|r| (r.resource_type.clone(), r.id.clone())).collect();
    marked.iter().all(|(_, id)| id.starts_with('/')).then_some(marked)
}

/// The resources that the source declares, with computed names. `None` when a value that a name needs is not known here.
fn declared(context: &DeployContext<'_>, group: &str) -> Option<Desired> {
    let project = context.project;
    let parts = values::known(project, context.input)?;
    let scope = desired::Scope {
        subscription: context.session.subscription.clone(),
        tenant: context.session.tenant.clone(),
        group: group.to_owned(),
        ..desired::Scope::default()
    };
    let mut pending = desired::expand_all(project, &parts, &scope).ok()?;
    pending.resolve(&Observed::default(), &Answers::default());
    Some(pending.finish(&Observed::default(), &Answers::default()).0)
}

/// Type and name of the marked resources of a template and of the templates nested in it.
fn marked_names(template: &Value) -> Vec<(String, String)> {
    let list: Vec<&Value> = match template.get("resources") {
        Some(Value::Array(list)) => list.iter().collect(),
        // Keyed by symbolic name.
        Some(Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for resource in list {
        let text = |key: &str| resource.get(key).and_then(Value::as_str);
        let marked = resource.pointer(PREVENT_DESTROY) == Some(&Value::Bool(true));
        if let (true, Some(kind), Some(name)) = (marked, text("type"), text("name")) {
            all.push((kind.to_owned(), name.to_owned()));
        }
        all.extend(resource.pointer("/properties/template").into_iter().flat_map(marked_names));
    }
    all
}

/// Deletes the stacks with their resources or, for plain deployments, each resource.
///
/// # Errors
/// The service refused, a call failed, or `watch` stopped the deletion.
pub fn execute(
    deletion: &Deletion,
    group: &str,
    session: &Session,
    watch: &mut dyn Observer,
) -> Result<(), CommandError> {
    for change in deletion.plan.effective() {
        watch.event(&Event::Resource { id: change.id.clone(), state: "Deleting".into() });
    }
    let action = if deletion.detach { "detach" } else { "delete" };
    for name in deletion.stacks.iter().rev().filter_map(|s| s.get("name").and_then(Value::as_str)) {
        let reply = session.client.delete_stack(group, name, action)?;
        if let Some(pending) = Pending::of(&reply) {
            follow(pending, session, watch)?;
        }
    }
    if deletion.stacks.is_empty() && !deletion.detach {
        delete_each(&deletion.plan, session, watch)?;
    }
    for change in deletion.plan.effective() {
        watch.event(&Event::Resource { id: change.id.clone(), state: "Deleted".into() });
    }
    Ok(())
}

/// Polls the deletion of a stack until it ends.
fn follow(mut pending: Pending, session: &Session, watch: &dyn Observer) -> Result<(), CommandError> {
    loop {
        if watch.stopped() {
            return Err(CommandError::stopped(
                Code::ApplyStopped,
                "stopped on request; the deletion continues",
                "run `dsvmc destroy` again to follow it",
            ));
        }
        let longest = Duration::from_millis(200u64 << u64::from(pending.asked.min(5)));
        session.client.sleep(pending.wait.min(longest));
        match session.client.poll(&pending) {
            Ok(OperationStatus::Running(next)) => pending = next,
            Ok(OperationStatus::Done(_)) => return Ok(()),
            Ok(OperationStatus::Failed(error)) => {
                return Err(CommandError::from(AzureError::Service(error)).after_start());
            }
            // The stack is gone, and its polling address with it.
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Deletes the resources of plain deployments in rounds. A resource that another one still uses is tried again in the next
/// round; a round that deletes nothing ends with the first error. Only the service knows the order for every type.
fn delete_each(plan: &Plan, session: &Session, watch: &dyn Observer) -> Result<(), CommandError> {
    // Secrets of a vault have no deletion in Resource Manager; they go with the vault.
    let mut left: Vec<_> =
        plan.effective().filter(|change| !change.resource_type.eq_ignore_ascii_case(SECRET)).collect();
    // Children before their parents.
    left.sort_by_key(|change| std::cmp::Reverse(change.id.matches('/').count()));
    while !left.is_empty() {
        let before = left.len();
        let mut refused = None;
        let mut waiting = Vec::new();
        for change in left {
            if watch.stopped() {
                return Err(CommandError::stopped(
                    Code::ApplyStopped,
                    "stopped on request; the resources not yet deleted still exist",
                    "run `dsvmc destroy` again to delete the rest",
                ));
            }
            let version = arm_catalog::latest_version(&change.resource_type).unwrap_or_default();
            match session.client.delete_resource(&change.id, version) {
                Ok(()) => {}
                Err(AzureError::Service(error)) if may_be_in_use(&error) => {
                    waiting.push(change);
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if let (Some(error), true) = (refused, waiting.len() == before) {
            return Err(CommandError::from(AzureError::Service(error)).after_start());
        }
        left = waiting;
    }
    Ok(())
}

/// Whether a later attempt may succeed: rejected because of the state of other resources, not because of a lock.
fn may_be_in_use(error: &ServiceError) -> bool {
    matches!(error.status, 400 | 409)
        && !error.innermost().iter().any(|cause| cause.code.eq_ignore_ascii_case("ScopeLocked"))
}
