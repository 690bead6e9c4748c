//! The user's folder for state that belongs to no project.

use super::error::CommandError;
use dsvm_diagnostics::Code;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Folder for what is remembered of deployments of a template. Its own folder may be somebody else's, and a file is no
/// project: nothing is left beside it.
///
/// # Errors
/// The user has no folder for state.
pub fn of_template(template: &Path) -> Result<PathBuf, CommandError> {
    let Some(home) = arm_apply::user_folder() else {
        return Err(CommandError::environment(
            Code::StateUnusable,
            "there is no folder for what is remembered of this deployment",
            "name one with `--state-dir`, or set XDG_STATE_HOME or HOME",
        ));
    };
    let place = std::fs::canonicalize(template).unwrap_or_else(|_| template.to_owned());
    let hash = arm_plan::digest(&Value::from(place.to_string_lossy()));
    let stem = template.file_stem().unwrap_or_default().to_string_lossy();
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(40).collect();
    Ok(home.join("templates").join(format!("{plain}-{}", hash.get(..16).unwrap_or(&hash))))
}
