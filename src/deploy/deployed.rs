//! What is deployed of a project, compared with its sources where they can be used: the view of `show` and `status`.

use super::compiled::CompiledProject;
use super::context::DeployContext;
use super::error::CommandError;
use super::frontend::Frontend;
use super::input::DeployInput;
use super::offline_record::{load_or_recall, warn};
use super::plan::{self, Planned};
use super::session::{self, Session};
use super::settings::Settings;
use super::stacks::{deployed_resources, stacks};
use super::target::DeployTarget;
use crate::driver::World;
use arm_apply::StateDir;
use dsvm_diagnostics::Code;
use serde_json::{Map, Value};
use std::path::Path;

/// A project and what exists of it.
pub struct DeployedProject {
    /// The project; without parts when its sources have errors.
    pub project: CompiledProject,
    /// The project's files in `.dsvmc`.
    pub state: StateDir,
    /// An open session with the target.
    pub session: Session,
    /// The existing resources and, when `compared`, the plan.
    pub planned: Planned,
    /// Whether the existing resources were compared with the sources.
    pub compared: bool,
}

/// Reads what exists of a project and compares it with the sources. When they have errors or a parameter has no value,
/// the records of the last apply are used and nothing is compared.
///
/// # Errors
/// A file cannot be read, no env was chosen among several, or a call to Resource Manager failed.
pub fn inspect(
    path: &Path,
    input: &DeployInput,
    target: &DeployTarget,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<DeployedProject, CommandError> {
    let project = load_or_recall(path, input, world, frontend)?;
    let state = StateDir::new(project.state_root(), &project.name, &project.env);
    let session = session::open(target, project.endpoint_root(input))?;
    if !project.parts.is_empty() {
        let context = DeployContext { project: &project, input, target, session: &session, state: &state };
        match plan::make(&context, &Settings::default(), world, frontend) {
            Ok(planned) => return Ok(DeployedProject { project, state, session, planned, compared: true }),
            Err(error) if error.has_code(Code::ParameterMissing) => warn(&error.title(), frontend),
            Err(error) => return Err(error),
        }
    }
    let group = project.group_for(target);
    let (observed, _) = deployed_resources(&project, &group, &session, &state)?;
    let planned = Planned::observed_only(&project, group, observed);
    Ok(DeployedProject { project, state, session, planned, compared: false })
}

/// A stack of the project, or a plain deployment of it.
pub struct Deployed {
    /// Kind of the resource: `stack` or `deployment`.
    pub kind: &'static str,
    /// Name in the resource group.
    pub name: String,
    /// The resource as the service returns it.
    pub body: Value,
}

impl Deployed {
    /// The text at a JSON pointer; empty when there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// The stacks and plain deployments of a project.
///
/// # Errors
/// A call to Resource Manager failed.
pub fn deployments(session: &Session, group: &str, project: &CompiledProject) -> Result<Vec<Deployed>, CommandError> {
    let name = |body: &Value| body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut all: Vec<Deployed> = stacks(session, group, project)?
        .into_iter()
        .map(|body| Deployed { kind: "stack", name: name(&body), body })
        .collect();
    // A project without usable sources had at least one deployment.
    for index in 0..project.parts.len().max(1) {
        let wanted = project.stack_name(index);
        if all.iter().any(|d| d.name.eq_ignore_ascii_case(&wanted)) {
            continue;
        }
        let found = session.client.deployment(group, &wanted)?;
        all.extend(found.map(|body| Deployed { kind: "deployment", name: wanted, body }));
    }
    Ok(all)
}

/// Adds the outputs of a stack or deployment, without the secret ones.
pub fn collect_outputs(deployment: &Value, outputs: &mut Map<String, Value>) {
    let all = deployment.pointer("/properties/outputs").and_then(Value::as_object);
    for (name, output) in all.into_iter().flatten() {
        let kind = output.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        match output.get("value") {
            Some(value) if !kind.starts_with("secure") => arm_apply::join_output(outputs, name, value),
            _ => {
                outputs.shift_remove(name);
            }
        }
    }
}
