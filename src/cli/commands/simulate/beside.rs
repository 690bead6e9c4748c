//! Pools beside others under the same workload: those of other sources, or two of one project.

use super::pools::{Scene, cases, study};
use super::workload::refused;
use super::{Args, found};
use crate::deploy::error::CommandError;
use crate::deploy::git::Repository;
use crate::driver::{LoadError, World};
use crate::render::simulation::Simulated;
use crate::render::simulation_pair::Pair;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The two pools that `--pool` names, env by env.
pub fn pools(args: &Args, simulated: &[Simulated]) -> Vec<Pair> {
    let [first, second] = args.pools.as_slice() else { return Vec::new() };
    let of = |name: &str| simulated.iter().filter(move |one| one.pool == name).collect::<Vec<_>>();
    let pairs = of(first).into_iter().filter_map(|left| {
        let right = of(second).into_iter().find(|right| (&right.project, &right.env) == (&left.project, &left.env))?;
        Some(Pair::new((first, left), (second, right), format!("{first} and {second} of {}", left.project)))
    });
    pairs.collect()
}

/// The same pools in other sources: those of a commit, or of another path when there is one.
pub fn sources(
    other: &str,
    simulated: &[Simulated],
    args: &Args,
    world: &dyn World,
) -> Result<Vec<Pair>, CommandError> {
    let path = Path::new(other);
    let before = if world.kind(path).is_ok() {
        elsewhere(other, args, world, &[path.to_owned()])?
    } else {
        let around = args.paths.first().map_or(Path::new("."), PathBuf::as_path);
        elsewhere(other, args, &Repository::open(around, other)?, &args.paths)?
    };
    let pair = |now: &Simulated| {
        let same = |before: &&Simulated| (&before.env, &before.pool) == (&now.env, &now.pool);
        let named = before.iter().filter(same).find(|before| before.project == now.project);
        let alone = (before.iter().filter(same).count() == 1).then(|| before.iter().find(same)).flatten();
        let before = named.or(alone)?;
        Some(Pair::new((other, before), ("here", now), format!("{} of {}", now.pool, now.project)))
    };
    let pairs: Vec<Pair> = simulated.iter().filter_map(pair).collect();
    if pairs.is_empty() {
        let title = format!("no pool that is simulated here is in `{other}`");
        return Err(refused(title, "pools are compared by name and env"));
    }
    Ok(pairs)
}

fn elsewhere(name: &str, args: &Args, world: &dyn World, paths: &[PathBuf]) -> Result<Vec<Simulated>, CommandError> {
    let unreadable = |error: LoadError| {
        refused(format!("the sources of `{name}` cannot be read: {error}"), "name a commit or a path that has them")
    };
    let studied = study(args, world, paths).map_err(unreadable)?;
    if let Some((_, first)) = found(&studied).into_iter().find_map(|(sources, all)| {
        let error = all.iter().find(|one| one.severity == dsvm_diagnostics::Severity::Error)?;
        Some((sources, error.title.clone()))
    }) {
        let title = format!("the sources of `{name}` do not compile: {first}");
        return Err(refused(title, "compare with a commit or a path that does"));
    }
    cases(args, &studied)?.par_iter().map(|case| Ok(Scene::of(case, args, world)?.simulated(case, args))).collect()
}
