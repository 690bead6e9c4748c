//! Sources with errors → what earlier applies recorded of the project: enough to show what it deployed, and to delete it.

use super::compiled::CompiledProject;
use super::error::CommandError;
use super::frontend::Frontend;
use super::input::DeployInput;
use super::load::{from_compilation, load, root_of, several_envs};
use crate::driver::{Compilation, Options, Purpose, Stop, World, compile};
use arm_apply::{Receipt, StateDir};
use dsvm_diagnostics::{Severity, count};
use std::path::Path;

/// Loads what a command names. If the sources have errors, the receipts of earlier applies identify the project and env,
/// and the result has no parts.
///
/// # Errors
/// A file cannot be read, or no env was chosen among several.
pub fn load_or_recall(
    path: &Path,
    input: &DeployInput,
    world: &dyn World,
    frontend: &mut dyn Frontend,
) -> Result<CompiledProject, CommandError> {
    if input.template.is_some() {
        return load(path, input, world, frontend);
    }
    let mut compiled = compile(world, path, Options { stop: Stop::AfterEmission })?;
    compiled.require_project(Purpose::Deploy);
    if compiled.artifacts.is_some() {
        return from_compilation(compiled, path, input, frontend);
    }
    let errors = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    warn(&format!("the sources have {}; `dsvmc check` lists them", count(errors, "error")), frontend);
    recalled(&compiled, path, input)
}

/// One line that says why nothing is compared with the sources.
pub(super) fn warn(why: &str, frontend: &mut dyn Frontend) {
    frontend.warn(&format!("{why}; using what was deployed instead"));
}

fn recalled(compiled: &Compilation, path: &Path, input: &DeployInput) -> Result<CompiledProject, CommandError> {
    let root = root_of(compiled);
    let all = StateDir::receipts(input.state_dir.as_deref().unwrap_or(&root));
    let mine = |r: &&Receipt| r.project == *compiled.name;
    // The error may be in the line that names the project.
    let mut known: Vec<&Receipt> = all.iter().filter(mine).collect();
    if known.is_empty() {
        let mut names: Vec<&str> = all.iter().map(|r| r.project.as_str()).collect();
        names.dedup();
        if names.len() == 1 {
            known = all.iter().collect();
        }
    }
    let name = known.first().map_or_else(|| compiled.name.to_string(), |r| r.project.clone());
    let env = match &input.env {
        Some(env) => env.clone(),
        None => {
            let envs: Vec<&str> = match known.as_slice() {
                [] => compiled.envs.iter().map(AsRef::as_ref).collect(),
                applied => applied.iter().map(|r| r.env.as_str()).collect(),
            };
            match envs.as_slice() {
                [] => String::new(),
                [one] => (*one).to_owned(),
                many => {
                    let list = many.iter().map(|e| format!("`{e}`")).collect::<Vec<_>>().join(", ");
                    return Err(several_envs(&name, &list));
                }
            }
        }
    };
    let group = known.iter().find(|r| r.env == env).map(|r| r.resource_group.clone());
    let shown = path.display().to_string();
    let state = input.state_dir.clone();
    Ok(CompiledProject {
        name,
        root,
        state,
        shown,
        env,
        group: group.filter(|g| !g.is_empty()),
        ..CompiledProject::default()
    })
}
