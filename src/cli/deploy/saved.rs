//! Writes and reads saved plans, and says with which commit a plan was made.

use super::planning::{Planned, Settings};
use super::{Halt, What};
use arm_client::DeployMode;
use arm_plan::{SCHEMA, SavedPlan, Unmanaged, digest};
use dsvm_diagnostics::Code;
use serde_json::Value;
use std::path::Path;

/// The saved form of a plan made just now.
#[must_use]
pub fn saved(planned: &Planned, place: &str, salt: &str, settings: &Settings) -> SavedPlan {
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

/// How a saved plan was made, and so how it is carried out.
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

/// Whether a path is a saved plan rather than sources.
#[must_use]
pub fn is_saved(path: &Path) -> bool {
    let not_sources = path.extension().is_none_or(|e| e != "dsvm");
    not_sources && path.is_file() && std::fs::read_to_string(path).is_ok_and(|t| t.trim_start().starts_with('{'))
}

/// Reads a saved plan.
pub fn read(path: &Path) -> Result<SavedPlan, Halt> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Halt::world(Code::FileUnreadable, format!("`{}` cannot be read: {e}", path.display()), ""))?;
    SavedPlan::read(&text).map_err(|refusal| refused(&refusal))
}

/// A refusal as a message.
#[must_use]
pub fn refused(refusal: &arm_plan::SavedPlanError) -> Halt {
    Halt::input(
        Code::PlanRefused,
        refusal.to_string(),
        "make the plan again with `dsvmc plan -o FILE`, read it, and apply the new file",
    )
}

/// What the saved plan was made with.
#[must_use]
pub fn what_of(saved: &SavedPlan, what: &What) -> What {
    let env = (!saved.env.is_empty()).then(|| saved.env.clone());
    What { env: what.env.clone().or(env), ..what.clone() }
}

/// The commit that is checked out around `folder`, with `+` when files differ from it; empty outside of a repository.
#[must_use]
pub fn commit(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else { return String::new() };
    let dirty = git(&["status", "--porcelain", "--untracked-files=no", "--", "."]).is_some_and(|s| !s.is_empty());
    if dirty { format!("{head}+") } else { head }
}
