//! Paths → something about each project with the values of each of its envs: costs, demand, simulations.

use super::compile::{Compilation, Purpose, check_shown};
use super::find::{Project, projects};
use super::prices::{Unusable, prices_of};
use super::{LoadError, World};
use dsvm_lint::Subject;
use dsvm_prices::Prices;
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

/// Whether what the settings of these projects say about prices can be used.
///
/// # Errors
/// A path cannot be read, or no project is below it.
pub fn usable_prices(world: &dyn World, paths: &[PathBuf]) -> Result<Result<(), Unusable>, LoadError> {
    let found = projects(world, paths)?;
    Ok(found.iter().try_for_each(|project| prices_of(world, project.folder()).map(drop)))
}

/// The same with the prices that hold for each project.
///
/// # Errors
/// A path cannot be read, or no project is below it; or, inside, the settings of a project cannot be used.
pub fn study_priced<T: Send>(
    world: &dyn World,
    paths: &[PathBuf],
    look: impl Fn(&Subject<'_, '_>, &Prices) -> T + Sync,
) -> Result<Result<Vec<Studied<T>>, Unusable>, LoadError> {
    let found = projects(world, paths)?;
    let prices: Result<Vec<Prices>, Unusable> =
        found.iter().map(|project| prices_of(world, project.folder())).collect();
    let prices = match prices {
        Ok(prices) => prices,
        Err(unusable) => return Ok(Err(unusable)),
    };
    let studied: Result<_, LoadError> = found
        .par_iter()
        .zip(&prices)
        .map(|(one, prices)| study_one(world, one, &|subject| look(subject, prices)))
        .collect();
    Ok(Ok(studied?))
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
    projects(world, paths)?.par_iter().map(|project| study_one(world, project, &look)).collect()
}

fn study_one<T: Send>(
    world: &dyn World,
    project: &Project,
    look: &(impl Fn(&Subject<'_, '_>) -> T + Sync),
) -> Result<Studied<T>, LoadError> {
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
}
