//! Plans without an endpoint: against a file of resources, or against another commit of the sources.

use super::compiled::CompiledProject;
use super::cost::Pricing;
use super::desired;
use super::error::{CommandError, FailureKind};
use super::frontend::Frontend;
use super::git::Repository;
use super::impact;
use super::input::DeployInput;
use super::live::Answers;
use super::load::load;
use super::parameters::lenient;
use super::plan::DEFAULT_LOCATION;
use super::quota;
use super::settings::Settings;
use super::target::DeployTarget;
use super::values;
use crate::driver::World;
use arm_plan::{Desired, DiffOptions, Observed, ObservedResource, Plan};
use dsvm_diagnostics::Code;
use dsvm_impact::{Block, Impact, Situation};
use dsvm_quota::Growth;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Subscription id of comparisons without an endpoint.
const NO_SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// A comparison without an endpoint.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The changes that would be made.
    pub plan: Plan,
    /// What they mean; nothing for a template.
    pub impact: Option<Impact>,
    /// How they move the demand of each limit of the subscription.
    pub growth: Vec<Growth>,
}

/// Compares with the resources of a file, as `show --json` writes them.
///
/// # Errors
/// The file is not a list of resources, or the project cannot be expanded.
pub fn against_file(
    project: &CompiledProject,
    target: &DeployTarget,
    input: &DeployInput,
    file: &Path,
    settings: &Settings,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<Compared, CommandError> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        CommandError::environment(Code::FileUnreadable, format!("`{}` cannot be read: {e}", file.display()), "")
    })?;
    against_text(project, target, input, (file, &text), settings, world, frontend)
}

/// The same with the content of a file, whose path is for messages.
///
/// # Errors
/// It is not a list of resources, or the project cannot be expanded.
pub fn against_text(
    project: &CompiledProject,
    target: &DeployTarget,
    input: &DeployInput,
    (file, text): (&Path, &str),
    settings: &Settings,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<Compared, CommandError> {
    let unusable = |why: String| {
        CommandError::input(
            Code::ObservedUnusable,
            format!("`{}` is not a list of resources{why}", file.display()),
            "write one with `dsvmc show --json > observed.json`, or `az resource show`",
        )
    };
    let json = lenient(text).map_err(|e| unusable(format!(": {e}")))?;
    let observed = arm_plan::observed_from_json(&json).ok_or_else(|| unusable(String::new()))?;
    // The ids in the file name the place of its resources: the sources are expanded for the same place.
    let first = observed.resources.first().map(|r| r.id.clone()).unwrap_or_default();
    let segment = |name: &str| {
        let mut parts = first.split('/');
        parts.find(|p| p.eq_ignore_ascii_case(name)).and_then(|_| parts.next()).map(str::to_owned)
    };
    let group =
        target.resource_group.clone().or_else(|| segment("resourceGroups")).unwrap_or_else(|| project.default_group());
    let subscription =
        target.subscription.clone().or_else(|| segment("subscriptions")).unwrap_or_else(|| NO_SUBSCRIPTION.to_owned());
    let state = arm_apply::StateDir::new(project.state_root(), &project.name, &project.env);
    let parts = values::complete(project, input, &state, true, world, frontend)?;
    let location = target
        .location
        .clone()
        .or_else(|| project.location.clone())
        .or_else(|| location_of(&observed))
        .unwrap_or_else(|| DEFAULT_LOCATION.to_owned());
    let tenant = observed
        .resources
        .iter()
        .find_map(|r| r.body.read().pointer("/properties/tenantId").and_then(Value::as_str).map(str::to_owned));
    let scope = desired::Scope { subscription, tenant, group, location, tags: json!({}), ..desired::Scope::default() };
    let mut pending = desired::expand_all(project, &parts, &scope)?;
    pending.resolve(&observed, &Answers::default());
    let (desired, _) = pending.finish(&observed, &Answers::default());
    let plan = arm_plan::diff_from(&desired, &observed, &options(settings, state.baseline()), project);
    Ok(described(
        plan,
        (&desired, &observed, true),
        &project.blocks,
        &Pricing::of(project, world),
        (project, &scope.location),
    ))
}

fn location_of(observed: &Observed) -> Option<String> {
    observed
        .resources
        .iter()
        .find_map(|r| r.body.read().get("location").and_then(Value::as_str).map(str::to_owned))
        .filter(|l| l != "global")
}

fn options(settings: &Settings, baseline: Option<arm_plan::Baseline>) -> DiffOptions {
    DiffOptions { targets: settings.targets.clone(), excludes: settings.excludes.clone(), ..settings.options(baseline) }
}

/// Compares the working tree with another commit.
///
/// # Errors
/// There is no such commit, or the sources of one of the two sides cannot be expanded.
pub fn against_commit(
    project: &CompiledProject,
    path: &Path,
    input: &DeployInput,
    revision: &str,
    settings: &Settings,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<Compared, CommandError> {
    let repository = Repository::open(path, revision)?;
    let scope = desired::Scope {
        subscription: NO_SUBSCRIPTION.to_owned(),
        group: project.default_group(),
        location: project.location.clone().unwrap_or_else(|| DEFAULT_LOCATION.to_owned()),
        tags: json!({}),
        ..desired::Scope::default()
    };
    let before = match load(path, input, &repository, frontend) {
        // The given values are for the current sources: the old ones are not checked with them.
        Ok(old) => CompiledProject { path: None, ..old },
        Err(error) if error.kind == FailureKind::Environment => {
            // The sources did not exist then: everything is new.
            let new = expanded(project, input, &scope, world, frontend)?;
            let plan = arm_plan::diff_from(&new, &Observed::default(), &options(settings, None), project);
            let sides = (&new, &Observed::default(), false);
            return Ok(described(
                plan,
                sides,
                &project.blocks,
                &Pricing::of(project, world),
                (project, &scope.location),
            ));
        }
        Err(error) => return Err(error),
    };
    let old = expanded(&before, input, &scope, world, frontend)?;
    let new = expanded(project, input, &scope, world, frontend)?;
    let resources: Vec<ObservedResource> = old.resources.iter().filter(|r| !r.existing).map(with_id).collect();
    let managed = old.resources.iter().filter(|r| !r.existing).map(|r| r.id.clone()).collect();
    let observed = Observed { resources, managed };
    let mut plan = arm_plan::diff_from(&new, &observed, &options(settings, None), project);
    // A removed resource points to the line that declared it in that commit.
    let declared: BTreeMap<&str, &arm_plan::Source> =
        old.resources.iter().filter_map(|r| Some((r.id.as_str(), r.source.as_ref()?))).collect();
    for change in plan.changes.iter_mut().filter(|c| c.source.is_none()) {
        let before = declared.get(change.id.as_str()).copied().cloned();
        change.source = before.map(|s| arm_plan::Source { file: format!("{revision}:{}", s.file), ..s });
    }
    // Neither side was deployed, so no service has hidden a secret.
    plan.warnings.retain(|w| w.kind != arm_plan::WarningKind::SecretNotCompared);
    let elsewhere =
        |source: &arm_plan::Source| arm_plan::Source { file: format!("{revision}:{}", source.file), ..source.clone() };
    let removed = before.blocks.iter().map(|block| Block {
        place: block.place.as_ref().map(elsewhere),
        places: block.places.iter().map(|(key, source)| (key.clone(), elsewhere(source))).collect(),
        ..block.clone()
    });
    let blocks: Vec<Block> = project.blocks.iter().cloned().chain(removed).collect();
    Ok(described(plan, (&new, &observed, false), &blocks, &Pricing::of(project, world), (project, &scope.location)))
}

/// The plan, and what it means where the sources have blocks. Nothing was sent that is not observed here.
fn described(
    plan: Plan,
    (desired, observed, live): (&Desired, &Observed, bool),
    blocks: &[Block],
    pricing: &Pricing,
    (project, location): (&CompiledProject, &str),
) -> Compared {
    let growth = quota::of_plan(&plan, (desired, observed), &project.sizes, location);
    let sent = Desired::default();
    let situation = Situation { plan: &plan, desired, observed, declared: desired, sent: &sent, live, blocks };
    let impact = impact::describe_priced(&situation, pricing);
    Compared { plan, impact, growth }
}

fn with_id(resource: &arm_plan::DesiredResource) -> ObservedResource {
    let mut body = resource.body.read();
    if let Some(map) = body.as_object_mut() {
        map.insert("id".to_owned(), Value::from(resource.id.clone()));
    }
    ObservedResource { id: resource.id.clone(), body: body.into() }
}

/// The desired resources of one side. Both sides come from sources: expressions with the same text count as equal.
fn expanded(
    project: &CompiledProject,
    input: &DeployInput,
    scope: &desired::Scope,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<Desired, CommandError> {
    let state = arm_apply::StateDir::new(project.state_root(), &project.name, &project.env);
    let parts = values::complete(project, input, &state, true, world, frontend)?;
    let mut pending = desired::expand_all(project, &parts, scope)?;
    pending.resolve(&Observed::default(), &Answers::default());
    let (mut desired, _) = pending.finish(&Observed::default(), &Answers::default());
    for resource in &mut desired.resources {
        resource.unknown.clear();
        // A name known only at deployment must still distinguish two resources.
        if !resource.id.starts_with('/') {
            resource.id = format!("/providers/{}/{}", resource.resource_type, resource.name.replace('/', "|"));
        }
    }
    Ok(desired)
}
