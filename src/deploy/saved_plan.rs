//! Saved plans: a plan in a file, and the check that it still applies.

use super::error::CommandError;
use super::input::DeployInput;
use super::plan::Planned;
use super::session::Session;
use super::settings::Settings;
use arm_apply::StateDir;
use arm_client::DeployMode;
use arm_plan::{SCHEMA, SavedPlan, SavedPlanError, Unmanaged, digest};
use dsvm_diagnostics::Code;
use dsvm_files::Readers;
use serde_json::Value;
use std::path::Path;

/// What `kind` says in a saved plan.
const KIND: &str = "dsvmc-plan";

/// The saved form of a plan. `place` is [`Session::place`]; `salt` goes into the hash of the parameter values: a new one for each plan.
#[must_use]
pub fn to_saved(planned: &Planned, place: &str, salt: &str, settings: &Settings) -> SavedPlan {
    let observed = planned.plan.changes.iter().map(|c| {
        let mark = c.etag.clone().or_else(|| c.hash.clone()).unwrap_or_else(|| "absent".to_owned());
        (c.id.clone(), mark)
    });
    let parameters: Value = planned.parts.iter().map(|p| p.parameters.clone()).collect();
    SavedPlan {
        kind: KIND.to_owned(),
        schema: SCHEMA,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        project: planned.shown.clone(),
        env: planned.env.clone(),
        target: place.to_owned(),
        plain: settings.mode == DeployMode::Plain,
        detach: settings.unmanaged == Unmanaged::Detach,
        targets: settings.targets.clone(),
        excludes: settings.excludes.clone(),
        first_choice: settings.first_choice,
        templates: planned.parts.iter().map(|p| digest(&p.template.read())).collect(),
        parameters: arm_plan::slow_hash(&parameters, salt),
        salt: salt.to_owned(),
        observed: observed.collect(),
        plan: planned.plan.clone(),
        seal: String::new(),
    }
    .seal()
}

/// The settings that a saved plan was made with; it is executed with the same.
#[must_use]
pub fn settings_of(saved: &SavedPlan) -> Settings {
    Settings {
        mode: if saved.plain { DeployMode::Plain } else { DeployMode::Stack },
        unmanaged: if saved.detach { Unmanaged::Detach } else { Unmanaged::Delete },
        targets: saved.targets.clone(),
        excludes: saved.excludes.clone(),
        list_suppressed: false,
        first_choice: saved.first_choice,
    }
}

/// Whether a path can only be a saved plan: neither a folder nor a file whose name ends in `.dsvm`. What is in the file
/// does not matter: one that is empty or cut must not pass for the sources of a project without resources.
#[must_use]
pub fn is_saved(path: &Path) -> bool {
    path.extension().is_none_or(|e| e != "dsvm") && path.exists() && !path.is_dir()
}

/// Most bytes of a saved plan: one of 5,000 resources has about 20 MB.
const LARGEST: u64 = 1 << 30;

/// The text of a regular file of bounded size.
fn text_of(path: &Path) -> std::io::Result<String> {
    use std::io::{Error, Read};
    // Asked before it is opened: opening a pipe waits for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    if std::fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)? as u64 == LARGEST {
        return Err(Error::other("it is too large"));
    }
    Ok(text)
}

/// Whether a plan may be written there: a saved plan may be overwritten, and nothing else.
///
/// # Errors
/// Something else is there, or the name is one of sources, which `apply` would take for a project.
pub fn may_write(path: &Path) -> Result<(), CommandError> {
    let refused = |why: &str| {
        CommandError::input(
            Code::OutputUnwritable,
            format!("the plan is not written to `{}`: {why}", path.display()),
            "choose another name, as in `-o team.plan`",
        )
    };
    if path.extension().is_some_and(|e| e == "dsvm") {
        return Err(refused("files whose names end in `.dsvm` are sources"));
    }
    dsvm_files::expect_regular(path).map_err(|why| refused(&why.to_string()))?;
    if !path.exists() {
        return Ok(());
    }
    let text = text_of(path).map_err(|why| refused(&why.to_string()))?;
    let kind = serde_json::from_str::<Value>(&text).ok().and_then(|json| Some(json.get("kind")?.as_str()? == KIND));
    if kind == Some(true) { Ok(()) } else { Err(refused("the file there is not a saved plan")) }
}

/// Writes a saved plan; see [`may_write`].
///
/// # Errors
/// Something else is there, or the disk refuses.
pub fn write(path: &Path, plan: &SavedPlan) -> Result<(), CommandError> {
    may_write(path)?;
    let mut text = serde_json::to_string_pretty(plan).unwrap_or_default();
    text.push('\n');
    dsvm_files::replace(path, text.as_bytes(), Readers::Usual).map_err(|e| {
        CommandError::environment(
            Code::OutputUnwritable,
            format!("`{}` cannot be written: {e}", path.display()),
            "choose another place, or make room on the disk",
        )
    })
}

/// Reads a saved plan.
///
/// # Errors
/// The file cannot be read, is not a saved plan, or was changed.
pub fn read(path: &Path) -> Result<SavedPlan, CommandError> {
    let text = text_of(path).map_err(|e| {
        CommandError::environment(
            Code::FileUnreadable,
            format!("`{}` cannot be read: {e}", path.display()),
            "name a plan saved with `dsvmc plan -o FILE`, or the folder of a project",
        )
    })?;
    SavedPlan::read(&text).map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &arm_plan::SavedPlanError) -> CommandError {
    CommandError::input(
        Code::PlanRefused,
        refusal.to_string(),
        "make the plan again with `dsvmc plan -o FILE`, read it, and apply the new file",
    )
}

/// The input with the env of the saved plan, unless one was given.
#[must_use]
pub fn input_of(saved: &SavedPlan, input: &DeployInput) -> DeployInput {
    let env = (!saved.env.is_empty()).then(|| saved.env.clone());
    DeployInput { env: input.env.clone().or(env), ..input.clone() }
}

/// Refuses a saved plan that was applied here before. The same changes may be right a second time, after somebody undid
/// them; but then somebody should see them again.
///
/// # Errors
/// It was applied.
pub fn verify_first(saved: &SavedPlan, state: &StateDir) -> Result<(), CommandError> {
    match state.applied(&saved.seal) {
        Some(when) => Err(refused(&SavedPlanError::Applied(when))),
        None => Ok(()),
    }
}

/// Verifies that a new plan is exactly the saved one, for the same place, sources and values.
///
/// # Errors
/// Anything differs: a saved plan is applied exactly, or not at all.
pub fn verify_saved_plan(
    saved: &SavedPlan,
    planned: &Planned,
    session: &Session,
    settings: &Settings,
) -> Result<(), CommandError> {
    let now = to_saved(planned, &session.place(&planned.group), &saved.salt, settings);
    arm_plan::verify(saved, &now).map_err(|refusal| refused(&refusal))
}
