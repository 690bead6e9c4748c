//! Bundle and endpoint → plan: values, expansion, one look at what exists, comparison.

use super::bundle::{Bundle, Template};
use super::observing::{self, Seen};
use super::session::Session;
use super::{Halt, What, Where, desired, parameters};
use crate::cli::Context;
use arm_apply::StateDir;
use arm_client::DeployMode;
use arm_plan::{Desired, DiffOptions, Observed, Plan, RoleNames, Unmanaged};
use dsvm_diagnostics::Code;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A plan and all that it was made of.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What is wanted.
    pub desired: Desired,
    /// What exists.
    pub observed: Observed,
    /// Deployments as they would be sent.
    pub parts: Vec<ReadyPart>,
    /// Name of the project.
    pub project: String,
    /// As given on the command line.
    pub shown: String,
    /// The env.
    pub env: String,
    /// Resource group.
    pub group: String,
    /// Its region.
    pub location: String,
    /// Whether it exists.
    pub group_exists: bool,
    /// Stacks of this project and env that hold nothing of the source any more.
    pub leftovers: Vec<String>,
    /// Marks of what the last apply protected, whoever made it.
    pub marks: Vec<String>,
    /// Outputs as far as they are known now.
    pub outputs: Map<String, Value>,
}

/// One deployment as it would be sent.
#[derive(Clone, Debug, Default)]
pub struct ReadyPart {
    /// Name of the stack.
    pub name: String,
    /// The template.
    pub template: Arc<Template>,
    /// Its text.
    pub text: String,
    /// `{name: {"value": …}}`
    pub parameters: Value,
}

impl Planned {
    /// What exists of a project whose sources cannot be used: nothing is planned.
    #[must_use]
    pub fn unplanned(bundle: &Bundle, group: String, observed: Observed) -> Self {
        Self {
            plan: Plan { schema: arm_plan::SCHEMA, ..Plan::default() },
            leftovers: Vec::new(),
            marks: Vec::new(),
            desired: Desired::default(),
            observed,
            parts: Vec::new(),
            project: bundle.project.clone(),
            shown: bundle.shown.clone(),
            env: bundle.env.clone(),
            group,
            location: String::new(),
            group_exists: true,
            outputs: Map::new(),
        }
    }
}

/// How to plan.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Stack or plain deployment.
    pub mode: DeployMode,
    /// What happens to what is no longer in the source.
    pub unmanaged: Unmanaged,
    /// Narrow the plan to these.
    pub targets: Vec<String>,
    /// Leave these out.
    pub excludes: Vec<String>,
    /// List differences that a rule held back.
    pub list_suppressed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: DeployMode::Stack,
            unmanaged: Unmanaged::Delete,
            targets: Vec::new(),
            excludes: Vec::new(),
            list_suppressed: false,
        }
    }
}

/// The resource group that is used when none is named.
#[must_use]
pub fn default_group(bundle: &Bundle) -> String {
    let env = if bundle.env.is_empty() { String::new() } else { format!("-{}", bundle.env) };
    format!("rg-{}{env}", bundle.project)
}

/// Name of the stack of one deployment.
#[must_use]
pub fn stack_name(bundle: &Bundle, part: usize) -> String {
    let env = if bundle.env.is_empty() { String::new() } else { format!("-{}", bundle.env) };
    let more = if part == 0 { String::new() } else { format!("-{}", part + 1) };
    let name: String = format!("dsvmc-{}{env}{more}", bundle.project)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .take(90)
        .collect();
    name
}

/// The values of every deployment, asked for where they are missing.
pub fn ready(
    bundle: &Bundle,
    what: &What,
    state: &StateDir,
    local: bool,
    cx: &mut Context,
) -> Result<Vec<ReadyPart>, Halt> {
    let mut told = Vec::new();
    let salt = state.salt();
    let parts = values(bundle, what, &mut |declared, values| {
        let made_up = std::cell::RefCell::new(&mut told);
        let fallback = |name: &str, secret: bool| {
            (local && secret).then(|| {
                made_up.borrow_mut().push(name.to_owned());
                Value::from(format!(
                    "Local1-{}",
                    arm_plan::fingerprint(&Value::from(name), &salt).chars().take(20).collect::<String>()
                ))
            })
        };
        parameters::complete(declared, values, &fallback, cx)
    })?;
    super::project::check_values(bundle, what, &parts, cx)?;
    told.sort();
    told.dedup();
    for name in told {
        cx.printer.note(&format!("note: secret `{name}` has no value; the local endpoint gets a made-up one\n"));
    }
    Ok(parts)
}

/// The values that are known without asking, with a blank for each secret; `None` when another one is missing.
#[must_use]
pub fn known_values(bundle: &Bundle, what: &What) -> Option<Vec<ReadyPart>> {
    let missing = || Halt::told(crate::cli::exit::Exit::Input);
    let fill = &mut |declared: &[parameters::Declared], values: &mut Map<String, Value>| {
        let open: Vec<_> = declared.iter().filter(|d| !d.has_default && !values.contains_key(&d.name)).collect();
        for parameter in open {
            let blank = parameter.kind.starts_with("secure").then(|| json!({ "value": "" })).ok_or_else(missing)?;
            values.insert(parameter.name.clone(), blank);
        }
        Ok(())
    };
    values(bundle, what, fill).ok()
}

/// Fills in what nobody gave of the declared parameters, or says that it cannot.
type Complete<'a> = &'a mut dyn FnMut(&[parameters::Declared], &mut Map<String, Value>) -> Result<(), Halt>;

/// Values of every deployment; `complete` fills in what nobody gave.
fn values(bundle: &Bundle, what: &What, complete: Complete<'_>) -> Result<Vec<ReadyPart>, Halt> {
    let files = what.parameters.iter().map(|a| parameters::read_file(a)).collect::<Result<Vec<_>, _>>()?;
    let mut parts = Vec::new();
    let several = bundle.parts.len() > 1;
    for (index, part) in bundle.parts.iter().enumerate() {
        let declared = parameters::declared(part.template.parameters());
        let mut given = part.given.clone();
        // Of several deployments each has only the parameters that it uses.
        let mine = |(origin, map): &(String, Map<String, Value>)| {
            let kept = map
                .iter()
                .filter(|(k, _)| !several || parameters::has(&declared, k))
                .map(|(k, v)| (k.clone(), v.clone()));
            (origin.clone(), kept.collect::<Map<_, _>>())
        };
        given.extend(files.iter().map(mine));
        let sets: Vec<String> = what
            .set
            .iter()
            .filter(|s| !several || parameters::has(&declared, s.split('=').next().unwrap_or_default()))
            .cloned()
            .collect();
        let mut values = parameters::gather(&declared, &given, &sets, &|name| std::env::var(name).ok())?;
        complete(&declared, &mut values)?;
        parts.push(ReadyPart {
            name: stack_name(bundle, index),
            template: Arc::clone(&part.template),
            text: part.text.clone(),
            parameters: Value::Object(values),
        });
    }
    Ok(parts)
}

/// Makes a plan against an endpoint.
pub fn make(
    bundle: &Bundle,
    place: &Where,
    what: &What,
    settings: &Settings,
    session: &Session,
    state: &StateDir,
    cx: &mut Context,
) -> Result<Planned, Halt> {
    let local = session.target == super::Target::Local;
    let parts = ready(bundle, what, state, local, cx)?;
    let group = group_of(bundle, place);
    let client = &session.client;
    let found_group = client.resource_group(&group)?;
    let existing = found_group.as_ref().and_then(|g| g.get("location")).and_then(Value::as_str).map(str::to_owned);
    let location = existing
        .or_else(|| place.location.clone())
        .or_else(|| bundle.location.clone())
        .or_else(|| location_parameter(&parts))
        .or_else(|| desired::location(bundle, &parts, &session.subscription, &group));
    let location = match location {
        Some(location) => location,
        None if local => "westeurope".to_owned(),
        None => {
            return Err(Halt::input(
                Code::ClientSetup,
                format!("the resource group `{group}` does not exist and has no region"),
                "give one with `--location`",
            ));
        }
    };
    let scope = desired::Scope {
        subscription: session.subscription.clone(),
        tenant: session.tenant.clone(),
        group: group.clone(),
        location: location.clone(),
        tags: found_group.as_ref().and_then(|g| g.get("tags")).cloned().unwrap_or(json!({})),
        cloud: Some(session.environment.clone()),
    };
    let seen = observing::look(bundle, &parts, &scope, session, settings.mode, state)?;
    let options = DiffOptions {
        baseline: baseline(state, &seen),
        unmanaged: settings.unmanaged,
        forget_suppressed: !settings.list_suppressed,
        roles: RoleNames(dsvm_sema::library::role_name),
        ..DiffOptions::default()
    };
    let plan = arm_plan::diff_from(&seen.desired, &seen.observed, &options, bundle);
    let mut plan = super::narrowing::narrow(plan, &seen.desired, settings)?;
    plan.groups = if plan.is_empty() { Vec::new() } else { seen.groups };
    Ok(Planned {
        plan,
        leftovers: seen.leftovers,
        marks: seen.marks,
        desired: seen.desired,
        observed: seen.observed,
        parts,
        project: bundle.project.clone(),
        shown: bundle.shown.clone(),
        env: bundle.env.clone(),
        group,
        location,
        group_exists: found_group.is_some(),
        outputs: seen.outputs,
    })
}

/// What the last apply left: what this machine knows of it, completed by what the stacks carry. Whoever applied last
/// wrote the stacks, so that their word counts where the two differ.
fn baseline(state: &StateDir, seen: &Seen) -> Option<arm_plan::Baseline> {
    let mut known = state.baseline();
    for note in seen.notes.iter().filter_map(|n| arm_plan::Baseline::from_note(n, &seen.desired)) {
        known = Some(match known {
            Some(own) => note.or(own),
            None => note,
        });
    }
    known
}

/// The resource group that a command speaks of.
#[must_use]
pub fn group_of(bundle: &Bundle, place: &Where) -> String {
    place.resource_group.clone().or_else(|| bundle.group.clone()).unwrap_or_else(|| default_group(bundle))
}

/// A parameter called `location` says where.
fn location_parameter(parts: &[ReadyPart]) -> Option<String> {
    parts.iter().find_map(|p| {
        let given = p
            .parameters
            .pointer("/location/value")
            .or_else(|| p.template.parameters().pointer("/location/defaultValue"));
        given.and_then(Value::as_str).filter(|l| !l.starts_with('[')).map(str::to_owned)
    })
}
