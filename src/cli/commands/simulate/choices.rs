//! Other numbers for the rules of a pool: what each gives, which are worth a look, and the one that is chosen as a change of the
//! sources.

use super::Args;
use super::pools::{Case, Scene, study};
use super::workload::refused;
use crate::cli::Context;
use crate::cli::commands::fixes;
use crate::deploy::error::CommandError;
use crate::driver::{self, Edits, World, fix};
use crate::render::simulation::{Choice, Tried, cost, shown};
use arm_autoscale::Setting;
use dsvm_diagnostics::Severity;
use dsvm_prices::Price;
use dsvm_simulate::{Policy, Pool, Report, sweep};
use rayon::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Most combinations of `--sweep`.
const COMBINATIONS: usize = 10_000;

/// Most rows of a sweep that are compiled.
const COMPILED: usize = 500;

/// Simulates every combination of `--sweep`; those in which rules cross are left out, and rows with which the project would not
/// compile. A sentence tells of the latter.
pub fn sweep(
    text: &str,
    case: &Case<'_>,
    scene: &Scene,
    args: &Args,
    world: &dyn World,
) -> Result<(Vec<Tried>, Option<String>), CommandError> {
    let axes = sweep::axes(text).ok_or_else(|| {
        let help = "write `high=50..90:10,low=20..40:10,cooldown=5..30:5,window=5..20:5`, or some of these";
        refused(format!("`--sweep {text}` cannot be read"), help)
    })?;
    let choices = sweep::combinations(&axes);
    if choices.len() > COMBINATIONS {
        let title = format!("`--sweep` has {} combinations", choices.len());
        return Err(refused(title, "write larger steps: at most 10,000 are simulated"));
    }
    let Policy::Setting(setting) = &scene.pool.policy else {
        let title = format!("the pool `{}` has no rules that `--sweep` could vary", case.candidate.name);
        return Err(refused(title, "give the pool an `autoscale` block, or name another pool with `--pool`"));
    };
    let with = |setting: Setting| Pool { policy: Policy::Setting(setting), ..scene.pool.clone() };
    let mut tried: Vec<Tried> = choices
        .par_iter()
        .filter_map(|choice| {
            let report = scene.play(&with(sweep::vary(setting, choice)?));
            let choice = Choice::Knobs(choice.clone());
            let (price, spot_price) = (case.candidate.price.clone(), case.candidate.spot_price.clone());
            Some(Tried { choice, report, price, spot_price, best: false })
        })
        .collect();
    let note = leave_out(&mut tried, case, args, world);
    Ok((tried, note))
}

/// Leaves out what the compiler refuses of what the table would show, until it shows nothing that is refused. Each row is tried as
/// a change of the sources; what cannot be written there, because a number comes from elsewhere, stays.
fn leave_out(tried: &mut Vec<Tried>, case: &Case<'_>, args: &Args, world: &dyn World) -> Option<String> {
    let (mut count, mut why, mut passed) = (0, None, Vec::new());
    while passed.len() + count < COMPILED {
        judge(tried);
        let words = |one: &Tried| if let Choice::Knobs(knobs) = &one.choice { knobs.clone() } else { Vec::new() };
        let open: Vec<_> = shown(tried).into_iter().map(words).filter(|knobs| !passed.contains(knobs)).collect();
        let refused = |knobs: &Vec<(sweep::Knob, u32)>| {
            let edits = case.candidate.places.rules(&case.studied.compilation.sources, knobs).ok()?;
            let files = fix::edited(&case.studied.compilation.sources, &edits)?;
            refusal(&files, case, args, world)
        };
        let found: Vec<Option<String>> = open.par_iter().map(refused).collect();
        let mut gone = Vec::new();
        for (knobs, refusal) in open.into_iter().zip(found) {
            match refusal {
                Some(title) => {
                    why = why.or(Some(title));
                    gone.push(knobs);
                }
                None => passed.push(knobs),
            }
        }
        if gone.is_empty() {
            break;
        }
        count += gone.len();
        tried.retain(|one| !gone.contains(&words(one)));
    }
    judge(tried);
    let s = if count == 1 { "one choice is left out: with it" } else { "choices are left out: with them" };
    let number = if count == 1 { String::new() } else { format!("{count} ") };
    why.map(|why| format!("{number}{s} the project does not compile: {why}"))
}

/// Why a project does not compile with some changes of its files; nothing when it does.
fn refusal(files: &fix::Files, case: &Case<'_>, args: &Args, world: &dyn World) -> Option<String> {
    let changed = fix::changed(world, files);
    let studied = study(args, &changed, std::slice::from_ref(&case.studied.compilation.project.path)).ok()?;
    let mut found = studied.iter().flat_map(|one| &one.compilation.diagnostics);
    found.find(|d| d.severity == Severity::Error).map(|error| error.title.to_string())
}

/// Marks those that no other one beats.
pub fn judge(tried: &mut [Tried]) {
    let results: Vec<[u64; 4]> = tried
        .iter()
        .map(|one| {
            let hit = one.report.people_hit + one.report.jobs_hit.0;
            let paid = match &one.choice {
                Choice::Knobs(_) => one.report.machine_minutes,
                // Hours of different sizes cannot be compared, what they cost can.
                Choice::Size { .. } => cents(one).unwrap_or(u64::MAX),
            };
            [paid, u64::from(one.report.wait(95)), u64::from(hit), one.report.crowded_minutes]
        })
        .collect();
    for (one, best) in tried.iter_mut().zip(sweep::frontier(&results)) {
        one.best = best;
    }
}

fn cents(one: &Tried) -> Option<u64> {
    (cost(&one.report, one.price.as_ref(), one.spot_price.as_ref())? * Decimal::from(100)).round().to_u64()
}

/// The row of the table that `--choose` names.
fn chosen(number: usize, tried: &[Tried]) -> Result<&Tried, CommandError> {
    let rows = shown(tried);
    let found = number.checked_sub(1).and_then(|at| rows.get(at)).copied();
    found.ok_or_else(|| {
        refused(format!("the table has no row {number}"), &format!("choose one of its {} rows", rows.len()))
    })
}

/// The change of the sources that makes a choice. The changed project is compiled and simulated, and the outcome must be the one
/// that the table shows.
pub fn patch(
    number: usize,
    case: &Case<'_>,
    tried: &[Tried],
    args: &Args,
    world: &dyn World,
) -> Result<fix::Files, CommandError> {
    let tried = chosen(number, tried)?;
    let sources = &case.studied.compilation.sources;
    let edits = match &tried.choice {
        Choice::Knobs(knobs) => case.candidate.places.rules(sources, knobs),
        Choice::Size { size, ratio, .. } => case.candidate.places.size(sources, size, *ratio),
    };
    let title = |why: &str| format!("the choice cannot be written into the sources: {why}");
    let edits = edits.map_err(|why| refused(title(&why), "change the value where it comes from"))?;
    let edited = with_edits(&edits, case, args, world).map_err(|why| {
        let help = "change the sources by hand, and simulate them again";
        refused(title(&why), help)
    })?;
    if edited.report != tried.report {
        let why = "with the change, the outcome is another one than that of the choice";
        return Err(refused(title(why), "change the sources by hand, and simulate them again"));
    }
    Ok(edited.files)
}

/// A project with some edits.
pub struct Edited {
    /// Its files before and after.
    pub files: fix::Files,
    /// The pool as it then is.
    pub pool: Pool,
    /// What happens to it.
    pub report: Report,
    /// What one of its machines costs in an hour, when it is known.
    pub price: Option<Price>,
    /// The same for a spot machine.
    pub spot_price: Option<Price>,
}

/// Compiles a project with some edits, and simulates the pool of a case; or why it cannot be, in one clause.
pub fn with_edits(edits: &Edits, case: &Case<'_>, args: &Args, world: &dyn World) -> Result<Edited, String> {
    let files = fix::edited(&case.studied.compilation.sources, edits).ok_or("it is not in a file of the project")?;
    let (scene, price, spot_price) = {
        let changed = fix::changed(world, &files);
        let paths = [case.studied.compilation.project.path.clone()];
        let studied = study(args, &changed, &paths).map_err(|_| "the project cannot be read")?;
        let error = studied.iter().flat_map(|one| &one.compilation.diagnostics).find(|d| d.severity == Severity::Error);
        if let Some(error) = error {
            return Err(format!("then it does not compile: {}", error.title));
        }
        let envs = studied.iter().flat_map(|one| one.found.iter().map(move |(env, found)| (one, env, found)));
        let same = envs
            .filter(|(_, env, _)| &***env == case.env)
            .flat_map(|(studied, env, found)| found.iter().map(move |candidate| Case { studied, env, candidate }));
        let same = same.into_iter().find(|other| other.candidate.name == case.candidate.name);
        let other = same.ok_or("then the project has no such pool")?;
        let scene = Scene::of(&other, args, &changed).map_err(|error| error.title())?;
        (scene, other.candidate.price.clone(), other.candidate.spot_price.clone())
    };
    let report = scene.play(&scene.pool);
    Ok(Edited { files, pool: scene.pool, report, price, spot_price })
}

/// Writes the change, or shows it.
pub fn put(files: &fix::Files, args: &Args, cx: &mut Context) -> Result<(), miette::Report> {
    let left = fixes::put(files, !args.fix, "with the choice", cx)?;
    for (path, (old, new)) in files {
        let path = driver::shown(path);
        if old == new {
            cx.printer.note(&format!("`{path}` says so already\n"));
        } else if args.fix && !left.contains(&path) {
            cx.printer.note(&format!("changed {path}\n"));
        }
    }
    Ok(())
}
