//! Project and endpoint → plan: parameter values, expansion, observation, comparison.

use super::alternatives::{self, SizeChoice};
use super::compiled::{CompiledProject, Template};
use super::context::DeployContext;
use super::cost::Pricing;
use super::desired;
use super::dns_zones;
use super::error::CommandError;
use super::existing;
use super::frontend::Frontend;
use super::impact;
use super::machines;
use super::narrowing;
use super::observation::{self, Observation};
use super::previews;
use super::quota;
use super::registration::{self, Registration};
use super::settings::Settings;
use super::soft_delete;
use super::target::TargetKind;
use super::values::{self, ReadyPart};
use crate::driver::World;
use arm_apply::{DeletedVault, StateDir};
use arm_client::DeployMode;
use arm_plan::{Desired, Observed, Plan};
use dsvm_diagnostics::Code;
use dsvm_impact::{Impact, Situation};
use dsvm_quota::Growth;
use serde_json::{Map, Value};

/// Region of the local endpoint, and of comparisons without an endpoint, when nothing names one.
pub(super) const DEFAULT_LOCATION: &str = "westeurope";

/// A plan and everything that it was computed from.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The changes that a deployment would make.
    pub plan: Plan,
    /// The desired resources, completed from the existing ones.
    pub desired: Desired,
    /// The existing resources that were read.
    pub observed: Observed,
    /// Deployments as they would be sent.
    pub parts: Vec<ReadyPart>,
    /// Name of the project.
    pub project: String,
    /// The path as given on the command line.
    pub shown: String,
    /// The env; empty when there are none.
    pub env: String,
    /// Resource group that the project is deployed to.
    pub group: String,
    /// Region of the resource group.
    pub location: String,
    /// Whether the resource group exists already.
    pub group_exists: bool,
    /// Stacks of this project and env that no part of the source uses any more.
    pub leftovers: Vec<String>,
    /// Marks of the resources that the last apply protected, from whichever machine it ran.
    pub marks: Vec<String>,
    /// Deleted vaults that the apply recovers before it deploys.
    pub recovered: Vec<DeletedVault>,
    /// Outputs that are known before the deployment.
    pub outputs: Map<String, Value>,
    /// The resources as the last deployment sent them, where something is compared that no service returns.
    pub sent: Desired,
    /// The blocks of the source; none of a template.
    pub blocks: Vec<dsvm_impact::Block>,
    /// Features and providers that the subscription has not registered, although the deployment needs them.
    pub unregistered: Vec<Registration>,
    /// What the resources are paid with.
    pub pricing: Pricing,
    /// How the plan moves the demand of each limit of the subscription.
    pub growth: Vec<Growth>,
    /// Pools whose size is one of several.
    pub sizes: Vec<SizeChoice>,
}

impl Planned {
    /// The plan in the words of the source; nothing for a template.
    #[must_use]
    pub fn impact(&self) -> Option<Impact> {
        let Self { plan, desired, observed, sent, blocks, .. } = self;
        let situation = Situation { plan, desired, observed, declared: desired, sent, live: true, blocks };
        impact::describe_priced(&situation, &self.pricing)
    }

    /// The existing resources of a project whose sources cannot be used, with an empty plan.
    #[must_use]
    pub fn observed_only(project: &CompiledProject, group: String, observed: Observed) -> Self {
        Self {
            plan: Plan { schema: arm_plan::SCHEMA, ..Plan::default() },
            observed,
            project: project.name.clone(),
            shown: project.shown.clone(),
            env: project.env.clone(),
            group,
            group_exists: true,
            ..Self::default()
        }
    }
}

/// Plans a deployment against the session's endpoint. Nothing is changed there.
///
/// # Errors
/// A parameter has no value, a template cannot be expanded, an excluded resource is needed, the resource group does not
/// exist and has no region, or a call to Resource Manager failed.
pub fn make(
    context: &DeployContext<'_>,
    settings: &Settings,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<Planned, CommandError> {
    let DeployContext { project, input, target, session, state } = *context;
    let local = session.target == TargetKind::Local;
    let mut parts = values::complete(project, input, state, local, world, frontend)?;
    let group = project.group_for(target);
    let found_group = session.client.resource_group(&group)?;
    let existing = found_group.as_ref().and_then(|g| g.get("location")).and_then(Value::as_str).map(str::to_owned);
    let location = existing
        .or_else(|| target.location.clone())
        .or_else(|| project.location.clone())
        .or_else(|| location_parameter(&parts))
        .or_else(|| desired::location(project, &parts, &session.subscription, &group));
    let location = match location {
        Some(location) => location,
        None if local => DEFAULT_LOCATION.to_owned(),
        None => {
            return Err(CommandError::input(
                Code::ClientSetup,
                format!("the resource group `{group}` does not exist and has no region"),
                "give one with `--location`",
            ));
        }
    };
    let scope = observation::scope_of(session, &group, &location, found_group.as_ref());
    let mut seen = observation::observe(project, &parts, &scope, session, settings.mode, state)?;
    let sizes = alternatives::choices(&parts, &seen.desired, &seen.observed, &seen.sizes, settings.first_choice);
    // What exists is known now; what is wanted differs by the sizes that pools keep.
    if alternatives::put(&sizes, &mut parts) {
        seen = observation::observe(project, &parts, &scope, session, settings.mode, state)?;
    }
    if settings.mode == DeployMode::Stack && parts.iter().any(|part| reads_deployment_name(&part.template)) {
        frontend.note(
            "the template reads `deployment().name`, which a stack makes anew each time: give one with `--deployment-name`",
        );
    }
    let options = settings.options(baseline(state, &seen));
    let plan = arm_plan::diff_from(&seen.desired, &seen.observed, &options, project);
    let mut plan = narrowing::narrow(plan, &seen.desired, settings)?;
    let recovered = soft_delete::recover(&mut plan, &seen.desired, session)?;
    for vault in &recovered {
        frontend.note(&format!(
            "the deleted vault `{}` is recovered before the deployment, with its secrets",
            vault.name()
        ));
    }
    let sent = impact::sent(context, &plan, &scope, &seen.observed, settings);
    plan.groups = if plan.is_empty() { Vec::new() } else { seen.groups };
    let unregistered = match plan.is_empty() {
        true => Vec::new(),
        false => {
            existing::check(project, &seen.desired, session)?;
            for remark in dns_zones::taken_over(&seen.desired, &seen.observed) {
                frontend.warn(&remark);
            }
            registration::missing(session, registration::needed(&seen.desired))
        }
    };
    plan.warnings.extend(machines::warnings(session, &seen.observed, &plan));
    plan.warnings.extend(alternatives::remarks(&sizes, &plan));
    if !local && !plan.is_empty() {
        for line in previews::in_use(&seen.desired) {
            frontend.note(&line);
        }
    }
    if let Some(note) = registration::note(&unregistered) {
        frontend.warn(&note);
    }
    let growth = quota::of_plan(&plan, (&seen.desired, &seen.observed), &project.sizes, &location);
    Ok(Planned {
        plan,
        leftovers: seen.leftovers,
        marks: seen.marks,
        desired: seen.desired,
        observed: seen.observed,
        parts,
        project: project.name.clone(),
        shown: project.shown.clone(),
        env: project.env.clone(),
        group,
        location,
        group_exists: found_group.is_some(),
        recovered,
        outputs: seen.outputs,
        sent,
        blocks: project.blocks.clone(),
        unregistered,
        pricing: Pricing::of(project, world),
        growth,
        sizes,
    })
}

/// The record of the last apply: what this machine knows, completed by what the stacks carry. The last apply wrote the
/// stacks, so they win where the two differ.
fn baseline(state: &StateDir, seen: &Observation) -> Option<arm_plan::Baseline> {
    let mut known = state.baseline();
    for note in seen.notes.iter().filter_map(|n| arm_plan::Baseline::from_note(n, &seen.desired)) {
        known = Some(match known {
            Some(own) => note.or(own),
            None => note,
        });
    }
    known
}

/// Whether a template reads the name of its own deployment. Those that it nests have names that it gives.
fn reads_deployment_name(template: &Template) -> bool {
    fn reads(value: &Value) -> bool {
        match value {
            Value::String(text) => {
                text.starts_with('[') && text.to_ascii_lowercase().replace(' ', "").contains("deployment().name")
            }
            Value::Array(list) => list.iter().any(reads),
            Value::Object(map) => map.iter().any(|(key, value)| !key.eq_ignore_ascii_case("template") && reads(value)),
            _ => false,
        }
    }
    let text = template.text();
    text.contains("deployment(") && reads(&template.read())
}

/// The value of a parameter called `location`.
fn location_parameter(parts: &[ReadyPart]) -> Option<String> {
    parts.iter().find_map(|p| {
        let given = p
            .parameters
            .pointer("/location/value")
            .or_else(|| p.template.parameters().pointer("/location/defaultValue"));
        given.and_then(Value::as_str).filter(|l| !l.starts_with('[')).map(str::to_owned)
    })
}
