//! Paths → something about each project with the values of each of its envs: costs, demand, simulations.

use super::compile::{Compilation, Purpose, check_shown};
use super::find::projects;
use super::{LoadError, World};
use dsvm_lint::Subject;
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What was found in one project.
pub struct Studied<T> {
    /// Sources and diagnostics; nothing is emitted.
    pub compilation: Compilation,
    /// With the values of each env, in the order of the source; `""` stands for the defaults of a project without envs. Empty
    /// when the project has errors.
    pub found: Vec<(Arc<str>, T)>,
}

/// Looks at every project at or below the given paths, with the values of each env.
///
/// # Errors
/// A path cannot be read, or no project is below it.
pub fn study<T: Send>(
    world: &dyn World,
    paths: &[PathBuf],
    look: impl Fn(&Subject<'_, '_>) -> T + Sync,
) -> Result<Vec<Studied<T>>, LoadError> {
    let found = projects(world, paths)?;
    found
        .par_iter()
        .map(|project| {
            let all: Mutex<Vec<(Arc<str>, T)>> = Mutex::default();
            let mut compilation = check_shown(world, project, &|subject| {
                let Some(env) = subject.checked.env.clone() else { return };
                let found = look(subject);
                all.lock().unwrap_or_else(PoisonError::into_inner).push((env, found));
            })?;
            compilation.require_project(Purpose::Check);
            let mut found = all.into_inner().unwrap_or_else(PoisonError::into_inner);
            if compilation.failed() {
                found.clear();
            }
            // Envs are evaluated side by side.
            found.sort_by_key(|(env, _)| compilation.envs.iter().position(|name| name == env));
            Ok(Studied { compilation, found })
        })
        .collect()
}
