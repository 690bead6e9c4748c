//! A `.dsvm` project → what is deployed, with the values of one env.

use super::bundle::{Bundle, Part, Template};
use super::planning::ReadyPart;
use super::provenance::Provenance;
use super::{Halt, What, parameters};
use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::driver::{self, Compilation, GivenValue, Options, Stop};
use crate::render::snippet;
use dsvm_diagnostics::{Code, Severity};
use dsvm_graph::json::Json;
use dsvm_sema::value::Value as Term;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Compiles the project and takes the values of one env.
pub fn load(path: &Path, what: &What, cx: &mut Context) -> Result<Bundle, Halt> {
    let compiled = driver::compile(cx.world.as_ref(), path, Options { stop: Stop::AfterEmission })?;
    bundle_of(compiled, path, what, cx)
}

/// The folder of a project.
#[must_use]
pub fn root_of(compiled: &Compilation) -> PathBuf {
    let path = &compiled.project.path;
    if path.is_dir() { path.clone() } else { path.parent().map(Path::to_owned).unwrap_or_default() }
}

/// What was compiled, with the values of one env; tells what was found.
pub fn bundle_of(compiled: Compilation, path: &Path, what: &What, cx: &mut Context) -> Result<Bundle, Halt> {
    // Hints are for `check`; whoever deploys wants to know what is wrong.
    let told: Vec<_> = compiled.diagnostics.iter().filter(|d| d.severity != Severity::Info).cloned().collect();
    if !told.is_empty() {
        let text = snippet::all(&[(&compiled.sources, told.as_slice())], cx.printer.error_palette());
        // Warnings give way to `-q`; errors do not.
        if compiled.failed() { cx.printer.say(&text) } else { cx.printer.note(&text) }
    }
    let root = root_of(&compiled);
    let Some(artifacts) = compiled.artifacts else { return Err(Halt::told(Exit::Input)) };
    let names: Vec<&str> = compiled.envs.iter().map(AsRef::as_ref).collect();
    let env = choose(&names, what.env.as_deref(), &compiled.name)?;
    let group = compiled.checked.as_ref().and_then(|c| match c[c.project?].get("resource_group")? {
        Term::String(name) => Some(name.to_string()),
        _ => None,
    });
    // The program has done its work: what follows needs the room.
    drop(compiled.checked);
    let parts = artifacts.deployments.into_iter().map(|deployment| {
        let values = deployment.parameters.get(env.as_str()).cloned().map(Json::into_value);
        let values = values.as_ref().and_then(parameters::entries);
        let given =
            values.map(|v| vec![(if env.is_empty() { "the sources".to_owned() } else { format!("env {env}") }, v)]);
        Part {
            name: deployment.name,
            template: std::sync::Arc::new(Template::from(deployment.template)),
            text: String::new(),
            given: given.unwrap_or_default(),
            provenance: Provenance::new(deployment.provenance),
            written: None,
        }
    });
    let parts = parts.collect();
    Ok(Bundle {
        project: compiled.name.to_string(),
        root,
        shown: path.display().to_string(),
        env,
        group,
        location: None,
        path: Some(path.to_owned()),
        parts,
        sources: compiled.sources,
    })
}

/// Holds the values that do not come from the sources against the parameters' types and all checks, as if the env had set
/// them: what `check` would refuse is not deployed because it stands on a command line.
pub fn check_values(bundle: &Bundle, what: &What, parts: &[ReadyPart], cx: &mut Context) -> Result<(), Halt> {
    let Some(path) = &bundle.path else { return Ok(()) };
    let mut given: BTreeMap<(String, String), GivenValue> = BTreeMap::new();
    for (part, ready) in bundle.parts.iter().zip(parts) {
        let set = |name: &str| part.given.iter().rev().find_map(|(_, values)| values.get(name));
        for parameter in parameters::declared(part.template.parameters()).iter().filter(|p| !p.is_secret()) {
            let name = parameter.name.as_str();
            let entry = ready.parameters.get(name).filter(|entry| set(name) != Some(*entry));
            if let Some(value) = entry.and_then(|entry| entry.get("value")) {
                let origin = parameters::origin(name, what)?;
                let key = (origin.clone(), name.to_owned());
                given.insert(key, GivenValue { name: name.to_owned(), value: value.clone(), origin });
            }
        }
    }
    if given.is_empty() {
        return Ok(());
    }
    let given: Vec<GivenValue> = given.into_values().collect();
    let checked = driver::check_given(cx.world.as_ref(), path, &bundle.env, &given)?;
    let told: Vec<_> = checked.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    if told.is_empty() {
        return Ok(());
    }
    cx.printer.say(&snippet::all(&[(&checked.sources, told.as_slice())], cx.printer.error_palette()));
    Err(Halt::told(Exit::Input))
}

fn choose(known: &[&str], wanted: Option<&str>, project: &str) -> Result<String, Halt> {
    let list = known.iter().map(|e| format!("`{e}`")).collect::<Vec<_>>().join(", ");
    match (known, wanted) {
        ([], None) => Ok(String::new()),
        ([], Some(env)) => Err(Halt::input(
            Code::EnvNeeded,
            format!("`{project}` has no envs, and so no `{env}`"),
            "leave `--env` out",
        )),
        ([only], None) => Ok((*only).to_owned()),
        (many, Some(env)) if many.contains(&env) => Ok(env.to_owned()),
        (_, Some(env)) => {
            Err(Halt::input(Code::EnvNeeded, format!("`{project}` has no env `{env}`"), format!("its envs: {list}")))
        }
        (_, None) => Err(Halt::input(
            Code::EnvNeeded,
            format!("`{project}` has the envs {list}; none was chosen"),
            "name one with `--env`",
        )),
    }
}
