//! Executes a plan: the job that is sent, the receipt, and the record that later plans compare with.

use super::alternatives::{self, SizeChoice};
use super::confirmation;
use super::context::DeployContext;
use super::desired;
use super::error::CommandError;
use super::git::commit;
use super::observation::{self, Observation};
use super::plan::Planned;
use super::report::{ApplyOutcome, ApplyReport, receipt_items};
use super::settings::Settings;
use super::stacks::{mark, mark_tags};
use arm_apply::{ApplyError, Event, Job, Observer, Reassigned, Receipt, Step};
use arm_client::DeployMode;
use arm_plan::{Action, Baseline};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Longest name of a plain deployment to which `-narrowed` is added; Azure allows 64 characters.
const LONGEST_NAME: usize = 55;

/// Azure's limit on the characters of a stack's description.
const NOTE_LIMIT: usize = 4096;

/// How to execute a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecuteOptions {
    /// Continue although the deployment stack is out of sync with its resources.
    pub out_of_sync: bool,
    /// Send resources that do not differ, too.
    pub force: bool,
}

/// Waits for the deployments that an interrupted apply left running, so that nothing is compared while it changes.
///
/// # Errors
/// A call to Resource Manager failed, or `watch` stopped the wait.
pub fn settle_interrupted(
    context: &DeployContext<'_>,
    settings: &Settings,
    watch: &mut dyn Observer,
) -> Result<(), CommandError> {
    let DeployContext { project, target, session, state, .. } = *context;
    let Some(journal) = state.journal() else { return Ok(()) };
    let group = project.group_for(target);
    if session.client.resource_group(&group)?.is_none() {
        return Ok(());
    }
    for step in journal.steps.iter().filter(|s| s.kind == "deploy" && s.state == "begun") {
        match arm_apply::wait_until_idle(&session.client, settings.mode, &group, &step.name, watch) {
            Ok(()) => {}
            Err(ApplyError::Stopped) => return Err(CommandError::from(ApplyError::Stopped).after_start()),
            Err(ApplyError::Azure(error)) => return Err(error.into()),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// Whether the set of protected resources changed since the last apply. No resource changes by that,
/// but the stack has to record it.
#[must_use]
pub fn protection_changed(planned: &Planned, settings: &Settings) -> bool {
    if settings.mode != DeployMode::Stack || settings.is_narrow() {
        return false;
    }
    let now: BTreeSet<String> = confirmation::marked(planned).iter().map(|id| mark(id)).collect();
    now != planned.marks.iter().cloned().collect()
}

/// Updates the records on this machine when nothing has to be deployed: the journal is done, and the receipt names the
/// resources that are protected now.
///
/// # Errors
/// The receipt cannot be written.
pub fn record_unchanged(
    context: &DeployContext<'_>,
    planned: &Planned,
    settings: &Settings,
) -> Result<(), CommandError> {
    context.state.clear_journal();
    if let (Some(mut receipt), false) = (context.state.receipt(), settings.is_narrow()) {
        let marked = confirmation::marked(planned);
        if receipt.protected != marked {
            receipt.protected = marked;
            context.state.write_receipt(&receipt)?;
        }
    }
    Ok(())
}

/// Deploys, follows the deployment to its end and records the result.
///
/// # Errors
/// The records cannot be written, or reading the result failed. A deployment that stops is [`ApplyOutcome::Failed`].
pub fn execute(
    context: &DeployContext<'_>,
    planned: &Planned,
    settings: &Settings,
    options: ExecuteOptions,
    watch: &mut dyn Observer,
) -> Result<ApplyOutcome, CommandError> {
    let DeployContext { project, session, state, .. } = *context;
    let started = jiff::Timestamp::now();
    let commit = commit(&project.root);
    let mut now = std::borrow::Cow::Borrowed(planned);
    let result = loop {
        let job = job(&now, settings, options, &commit, &state.salt());
        let result = arm_apply::run(&job, &session.client, state, &started.to_string(), watch);
        let Err(ApplyError::Refused(refusals)) = &result else { break result };
        let today = started.strftime("%F").to_string();
        let Some(sizes) = alternatives::next(&now.sizes, refusals, &now.plan, &today) else { break result };
        for line in alternatives::told(&sizes, &now.sizes) {
            watch.event(&Event::Phase(line));
        }
        now = std::borrow::Cow::Owned(again(context, &now, sizes, settings)?);
    };
    let planned = now.as_ref();
    let ended = jiff::Timestamp::now();
    let mut receipt = Receipt {
        schema: 1,
        project: planned.project.clone(),
        env: planned.env.clone(),
        target: session.target.name().to_owned(),
        subscription: session.subscription.clone(),
        resource_group: planned.group.clone(),
        commit,
        started: started.to_string(),
        ended: ended.to_string(),
        outcome: "succeeded".to_owned(),
        templates: planned.parts.iter().map(|p| arm_plan::digest(&p.template.read())).collect(),
        summary: planned.plan.summary,
        protected: confirmation::marked(planned),
        ..Receipt::default()
    };
    let done = match result {
        Ok(done) => done,
        Err(error) => {
            receipt.outcome = if matches!(error, ApplyError::Stopped) { "stopped".into() } else { "failed".into() };
            return Ok(ApplyOutcome::Failed { receipt: Box::new(receipt), error: Box::new(error) });
        }
    };
    let states: BTreeMap<String, &String> =
        done.states.iter().map(|(id, state)| (id.to_ascii_lowercase(), state)).collect();
    receipt.resources = receipt_items(planned.plan.effective(), &states);
    receipt.outputs = done.outputs;
    receipt.managed = done.managed;
    if settings.mode == DeployMode::Plain {
        keep_known(&mut receipt, state.receipt(), settings.is_narrow());
    }
    let still_different = record_baseline(context, planned, settings)?;
    state.write_receipt(&receipt)?;
    state.clear_journal();
    let seconds = (ended - started).as_secs();
    let report = ApplyReport { receipt, seconds, still_different };
    Ok(ApplyOutcome::Succeeded(Box::new(report)))
}

/// The same plan with other sizes: what exists is read again, because a part of the deployment may be done.
fn again(
    context: &DeployContext<'_>,
    planned: &Planned,
    sizes: Vec<SizeChoice>,
    settings: &Settings,
) -> Result<Planned, CommandError> {
    let DeployContext { project, session, state, .. } = *context;
    let mut parts = planned.parts.clone();
    alternatives::put(&sizes, &mut parts);
    let place = (planned.group.as_str(), planned.location.as_str());
    let Observation { desired, .. } = observation::refresh(project, &parts, place, session, settings.mode, state)?;
    Ok(Planned { desired, parts, sizes, ..planned.clone() })
}

/// A plain deployment deletes nothing, so what earlier ones deployed still belongs to the project.
/// A narrowed one has no outputs.
fn keep_known(receipt: &mut Receipt, last: Option<Receipt>, narrowed: bool) {
    let Some(last) = last else { return };
    for id in last.managed {
        if !receipt.managed.iter().any(|known| arm_plan::same_id(known, &id)) {
            receipt.managed.push(id);
        }
    }
    if narrowed {
        receipt.outputs = last.outputs;
    }
}

/// Deleted by themselves also when what they are given on is deleted.
const ROLE_ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

fn job(planned: &Planned, settings: &Settings, options: ExecuteOptions, commit: &str, salt: &str) -> Job {
    let replaced = planned.plan.changes.iter().filter(|c| c.action == Action::Replace);
    // Children go with their parents; roles go first, while what they are given on is still there.
    let below = |id: &str| {
        let id = id.to_ascii_lowercase();
        replaced.clone().any(|c| id.strip_prefix(&c.id.to_ascii_lowercase()).is_some_and(|rest| rest.starts_with('/')))
    };
    let deleted: Vec<_> =
        replaced.clone().filter(|c| c.resource_type.eq_ignore_ascii_case(ROLE_ASSIGNMENT) || !below(&c.id)).collect();
    let version = |id: &str| {
        planned.desired.resources.iter().find(|r| arm_plan::same_id(&r.id, id)).map(|r| r.api_version.clone())
    };
    let removed = planned.plan.changes.iter().filter(|c| c.action == Action::Delete).map(|c| arm_client::ResourceRef {
        id: c.id.clone(),
        api_version: arm_catalog::latest_version(&c.resource_type).unwrap_or_default().to_owned(),
    });
    let narrowed = settings.is_narrow();
    // Unchanged resources are not sent again unless that was requested.
    let sent = planned.plan.changes.iter().filter(|c| options.force || c.action != Action::NoChange);
    let selected: Vec<String> = sent.map(|c| c.id.clone()).collect();
    let mut tags = mark_tags(&confirmation::marked(planned));
    tags.extend(alternatives::tags(&planned.sizes));
    for (name, value) in [
        ("version", env!("CARGO_PKG_VERSION")),
        ("project", &planned.project),
        ("env", &planned.env),
        ("commit", commit),
    ] {
        tags.insert(format!("dsvmc-{name}"), Value::from(value));
    }
    // Each stack carries the whole record, because each may be read alone.
    let note = Baseline::hidden(&planned.desired, salt).to_note(NOTE_LIMIT);
    let steps = planned.parts.iter().enumerate().map(|(index, part)| {
        let template = part.template.read();
        let template = if narrowed { desired::narrow(template, &planned.desired, index, &selected) } else { template };
        // The complete deployment, with its outputs, stays readable under its own name.
        let name = if narrowed {
            part.name.chars().take(LONGEST_NAME).collect::<String>() + "-narrowed"
        } else {
            part.name.clone()
        };
        Step { name, template, parameters: part.parameters.clone(), note: note.clone() }
    });
    Job {
        group: planned.group.clone(),
        groups: planned.plan.groups.clone(),
        group_tags: json!({}),
        recovered: planned.recovered.clone(),
        mode: settings.mode,
        unmanaged: settings.unmanaged,
        stack_tags: Value::Object(tags),
        out_of_sync: options.out_of_sync,
        reassigned: reassigned(planned),
        replaced: deleted
            .iter()
            .map(|c| arm_client::ResourceRef { id: c.id.clone(), api_version: version(&c.id).unwrap_or_default() })
            .collect(),
        removed: removed.collect(),
        leftovers: planned.leftovers.clone(),
        steps: steps.collect(),
        desired: planned.desired.clone(),
    }
}

/// The identities that are taken off resources, and the kind of identity that each is left with.
fn reassigned(planned: &Planned) -> Vec<Reassigned> {
    let each = planned.plan.changes.iter().filter(|c| !c.reassigned.is_empty() && c.action == Action::Update);
    each.filter_map(|change| {
        let same = |id: &&str| change.reassigned.iter().any(|one| arm_plan::same_id(one, id));
        let found = planned.observed.resources.iter().find(|r| arm_plan::same_id(&r.id, &change.id))?.body.read();
        let held = found.pointer("/identity/userAssignedIdentities").and_then(Value::as_object)?;
        let identities: Vec<String> = held.keys().filter(|id| same(&id.as_str())).cloned().collect();
        let system = found
            .pointer("/identity/type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("systemassigned"));
        let rest = match (system, held.len() > identities.len()) {
            (true, true) => "SystemAssigned, UserAssigned",
            (true, false) => "SystemAssigned",
            (false, true) => "UserAssigned",
            (false, false) => "None",
        };
        let api_version = arm_catalog::latest_version(&change.resource_type).unwrap_or_default().to_owned();
        let resource = arm_client::ResourceRef { id: change.id.clone(), api_version };
        Some(Reassigned { resource, identities, rest: rest.to_owned() })
    })
    .collect()
}

/// Observes again and records the result, so that what the service filled in does not look like a change later. Returns
/// the resources that still differ.
fn record_baseline(
    context: &DeployContext<'_>,
    planned: &Planned,
    settings: &Settings,
) -> Result<Vec<String>, CommandError> {
    if settings.is_narrow() {
        return Ok(Vec::new());
    }
    let DeployContext { project, session, state, .. } = *context;
    let place = (planned.group.as_str(), planned.location.as_str());
    let Observation { desired, observed, .. } =
        observation::refresh(project, &planned.parts, place, session, settings.mode, state)?;
    let baseline = Baseline::record(&desired, &observed, &state.salt());
    let options = arm_plan::DiffOptions { baseline: Some(baseline.clone()), ..arm_plan::DiffOptions::default() };
    let left = arm_plan::diff(&desired, &observed, &options);
    state.write_baseline(&baseline)?;
    Ok(left.effective().map(|c| c.shown().to_owned()).collect())
}
