//! Sources with errors → what is known of the project without them: enough to look at what it made, and to take it away.

use super::bundle::{self, Bundle};
use super::project::{self, root_of};
use super::{Halt, What};
use crate::cli::Context;
use crate::driver::{Compilation, Options, Stop, compile};
use arm_apply::{Receipt, StateDir};
use dsvm_diagnostics::{Code, Severity, count};
use std::path::Path;

/// Loads what the command line names. Where the sources have errors, what the last apply left here says which project and
/// env are meant, and the result has no parts.
pub fn load(path: &Path, what: &What, cx: &mut Context) -> Result<Bundle, Halt> {
    if what.template.is_some() {
        return bundle::load(path, what, cx);
    }
    let compiled = compile(cx.world.as_ref(), path, Options { stop: Stop::AfterEmission })?;
    if compiled.artifacts.is_some() {
        return project::bundle_of(compiled, path, what, cx);
    }
    let errors = compiled.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    warn(&format!("the sources have {}; `dsvmc check` shows what is wrong", count(errors, "error")), cx);
    remembered(&compiled, path, what)
}

/// One line that says why nothing is compared with the sources.
pub fn warn(why: &str, cx: &mut Context) {
    use crate::render::palette::Role;
    let head = cx.printer.error_palette().paint(Role::Warning, "warning:");
    cx.printer.say(&format!("{head} {why}; going by what was deployed\n"));
}

fn remembered(compiled: &Compilation, path: &Path, what: &What) -> Result<Bundle, Halt> {
    let root = root_of(compiled);
    let all = StateDir::receipts(&root);
    let mine = |r: &&Receipt| r.project == *compiled.name;
    // The line that names the project may be what is wrong.
    let mut known: Vec<&Receipt> = all.iter().filter(mine).collect();
    if known.is_empty() {
        let mut names: Vec<&str> = all.iter().map(|r| r.project.as_str()).collect();
        names.dedup();
        if names.len() == 1 {
            known = all.iter().collect();
        }
    }
    let project = known.first().map_or_else(|| compiled.name.to_string(), |r| r.project.clone());
    let env = match &what.env {
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
                    let title = format!("`{project}` has the envs {list}; none was chosen");
                    return Err(Halt::input(Code::EnvNeeded, title, "name one with `--env`"));
                }
            }
        }
    };
    let group = known.iter().find(|r| r.env == env).map(|r| r.resource_group.clone());
    let shown = path.display().to_string();
    Ok(Bundle { project, root, shown, env, group: group.filter(|g| !g.is_empty()), ..Bundle::default() })
}
