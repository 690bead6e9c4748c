//! Saved plans: a plan in a file, and the check that it still applies.

use super::error::CommandError;
use super::input::DeployInput;
use super::plan::Planned;
use super::session::Session;
use super::settings::Settings;
use arm_client::DeployMode;
use arm_plan::{SCHEMA, SavedPlan, Unmanaged, digest};
use dsvm_diagnostics::Code;
use serde_json::Value;
use std::path::Path;

/// The saved form of a plan. `place` is [`Session::place`]; `salt` is used to fingerprint parameter values.
#[must_use]
pub fn to_saved(planned: &Planned, place: &str, salt: &str, settings: &Settings) -> SavedPlan {
    let observed = planned.plan.changes.iter().map(|c| {
        let mark = c.etag.clone().or_else(|| c.hash.clone()).unwrap_or_else(|| "absent".to_owned());
        (c.id.clone(), mark)
    });
    let parameters: Value = planned.parts.iter().map(|p| p.parameters.clone()).collect();
    SavedPlan {
        kind: "dsvmc-plan".to_owned(),
        schema: SCHEMA,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        project: planned.shown.clone(),
        env: planned.env.clone(),
        target: place.to_owned(),
        plain: settings.mode == DeployMode::Plain,
        detach: settings.unmanaged == Unmanaged::Detach,
        targets: settings.targets.clone(),
        excludes: settings.excludes.clone(),
        templates: planned.parts.iter().map(|p| digest(&p.template.read())).collect(),
        parameters: arm_plan::fingerprint(&parameters, salt),
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
    }
}

/// Whether a path is a saved plan rather than sources: a file with JSON whose name does not end in `.dsvm`.
#[must_use]
pub fn is_saved(path: &Path) -> bool {
    let not_sources = path.extension().is_none_or(|e| e != "dsvm");
    not_sources && path.is_file() && std::fs::read_to_string(path).is_ok_and(|t| t.trim_start().starts_with('{'))
}

/// Reads a saved plan.
///
/// # Errors
/// The file cannot be read, is not a saved plan, or was changed.
pub fn read(path: &Path) -> Result<SavedPlan, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        CommandError::environment(Code::FileUnreadable, format!("`{}` cannot be read: {e}", path.display()), "")
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
