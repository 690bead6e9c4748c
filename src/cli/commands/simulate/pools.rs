//! The pools that the arguments name, and what the simulator says of each.

use super::Args;
use super::workload::{read, refused};
use crate::deploy::error::CommandError;
use crate::driver::{self, Candidate, Studied, World};
use crate::render::simulation::Simulated;
use arm_autoscale::time_zone;
use dsvm_simulate::{Pace, Policy, Pool, Report, Span, Workload, simulate};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::PathBuf;

/// A pool of a project with the values of one env.
pub struct Case<'s> {
    /// Sources of its project.
    pub studied: &'s Studied<Vec<Candidate>>,
    /// The env; empty for the defaults of a project without envs.
    pub env: &'s str,
    /// As the simulator takes it.
    pub candidate: &'s Candidate,
}

/// The pools of the projects, with the values of each env.
///
/// # Errors
/// A path cannot be read, or no project is below it.
pub fn study(
    args: &Args,
    world: &dyn World,
    paths: &[PathBuf],
) -> Result<Vec<Studied<Vec<Candidate>>>, driver::LoadError> {
    let studied = driver::study_priced(world, paths, |subject, prices| {
        let mut found = driver::candidates(subject, prices, args.seats, args.startup.as_ref(), args.region.as_deref());
        for pool in found.iter_mut().filter_map(|candidate| candidate.pool.as_mut().ok()) {
            pool.evictions.rate = args.evictions;
            pool.checkpoint = args.checkpoint;
        }
        found
    })?;
    studied.map_err(|unusable| {
        let title = unusable.1.first().map(|found| found.title.to_string()).unwrap_or_default();
        driver::LoadError::Prices { title }
    })
}

/// Those that `--pool` and `--env` name.
pub fn cases<'s>(args: &Args, studied: &'s [Studied<Vec<Candidate>>]) -> Result<Vec<Case<'s>>, CommandError> {
    let envs = studied.iter().flat_map(|one| one.found.iter().map(move |(env, found)| (one, &**env, found)));
    let envs = envs.filter(|(_, env, _)| args.env.as_deref().is_none_or(|wanted| wanted == *env));
    let all =
        envs.flat_map(|(studied, env, found)| found.iter().map(move |candidate| Case { studied, env, candidate }));
    let wanted = |case: &Case<'_>| args.pools.is_empty() || args.pools.contains(&case.candidate.name);
    let found: Vec<Case<'_>> = all.filter(wanted).collect();
    if found.is_empty() {
        let help = "name a project with a pool, and with `--pool` and `--env` what it has";
        return Err(refused("no pool to simulate here".to_owned(), help));
    }
    Ok(found)
}

/// A pool with its workload, ready to be simulated.
pub struct Scene {
    /// The pool as it is written.
    pub pool: Pool,
    /// What people and jobs ask of it.
    pub workload: Workload,
    /// What is to be known of the workload.
    notes: Vec<String>,
    /// The days that are simulated.
    pub span: Span,
    seed: u64,
    zone: String,
}

impl Scene {
    /// Reads the workload for the time zone of a pool.
    pub fn of(case: &Case<'_>, args: &Args, world: &dyn World) -> Result<Self, CommandError> {
        let candidate = case.candidate;
        let name = candidate.zone.clone().unwrap_or_else(|| "UTC".to_owned());
        let zone = time_zone(&name).unwrap_or(TimeZone::UTC);
        let monday = |today: Date| {
            let back = i32::from(today.weekday().to_monday_zero_offset());
            today.checked_sub(jiff::Span::new().days(back)).unwrap_or(today)
        };
        let first = args.from.unwrap_or_else(|| monday(world.today()));
        let start = zone.to_timestamp(first.to_datetime(jiff::civil::Time::midnight()));
        let start = start.map_err(|_| refused(format!("the day {first} is out of reach"), "give a year up to 9999"))?;
        let span = Span { start, minutes: args.days * 1440 };
        let pool = candidate.pool.clone().map_err(|why| {
            let title = format!("the pool `{}` cannot be simulated: {why}", candidate.name);
            refused(title, "name another pool with `--pool`")
        })?;
        let (mut workload, mut notes) = (Workload::default(), Vec::new());
        if candidate.bursts {
            let size = &candidate.size;
            notes.push(format!("{size} is burstable: it is simulated as if its credits never ran out"));
        }
        for (at, text) in args.workload.iter().enumerate() {
            let found = read(text, (span, &zone), pool.cores, args.seed.wrapping_add(at as u64), world)?;
            workload = workload.and(found.workload);
            notes.extend(found.notes);
        }
        Ok(Self { pool, workload, notes, span, seed: args.seed, zone: name })
    }

    /// What happens to another pool under the same workload, with the same random numbers.
    pub fn play(&self, pool: &Pool) -> Report {
        simulate(pool, &self.workload, self.span, self.seed, Pace::Events)
    }

    /// What happens to the pool as it is written.
    pub fn simulated(&self, case: &Case<'_>, args: &Args) -> Simulated {
        let report = self.play(&self.pool);
        let mut notes = self.notes.clone();
        if args.evictions.is_some() {
            let evictions = self.pool.evictions;
            if !evictions.all && report.spot_minutes == 0 {
                notes.push("it has no spot machines: none is evicted".to_owned());
            } else if report.evicted.0 > 0 && !evictions.replaced && matches!(self.pool.policy, Policy::Fixed) {
                notes.push(
                    "nothing orders a machine for one that is evicted: write `restore` into `spot`, or an `autoscale` block"
                        .to_owned(),
                );
            }
        }
        Simulated {
            project: case.studied.compilation.name.to_string(),
            env: case.env.to_owned(),
            pool: case.candidate.name.clone(),
            size: case.candidate.size.clone(),
            zone: self.zone.clone(),
            workload: args.workload.join("; "),
            notes,
            evictions: args.evictions,
            price: case.candidate.price.clone(),
            spot_price: case.candidate.spot_price.clone(),
            report,
            tried: Vec::new(),
        }
    }
}
