//! `dsvmc simulate`: what happens to the pools of a project under a workload, minute by minute.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::{own_file, report};
use crate::deploy::error::CommandError;
use crate::driver::{self, World, shown};
use crate::render::Found;
use crate::render::simulation::{self as draw, Simulated, Tried};
use arm_autoscale::{Setting, time_zone};
use dsvm_diagnostics::Code;
use dsvm_simulate::words::{FORMS, Words};
use dsvm_simulate::{Pace, Policy, Pool, Span, Startup, Workload, simulate, sweep, trace};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Most days of a simulation.
const DAYS: u32 = 366 * 3;
/// Most combinations of `--sweep`.
const COMBINATIONS: usize = 10_000;

/// The command line arguments of `simulate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Workloads, one or more:\n  \"class of 30 at 09:00 mon..fri for 2 h\"      people who come at once\n  \
                  \"office of 40 from 08:00 to 18:00\"            people who come and go\n  \
                  \"batch of 200 at 02:00 daily for 30 min\"      jobs\n  \
                  jobs.csv, jobs.swf                            a file with arrivals and durations\n  \
                  Then `with 2 cores`, `with 0.5 gpu`, `50% busy`.\n\n\
                  Examples:\n  dsvmc simulate --env prod --workload \"class of 30 at 09:00 mon..fri for 2 h\"\n  \
                  dsvmc simulate --pool team --workload jobs.csv --days 30 --svg week.svg\n  \
                  dsvmc simulate --workload \"office of 40\" --sweep high=50..90:10,low=20..40:10"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// What people and jobs ask for: words, or a file in CSV or the Standard Workload Format
    #[arg(long, value_name = "WORKLOAD", required = true)]
    workload: Vec<String>,
    /// Simulate only this pool
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// Simulate only this env
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// First day; without it the Monday of this week
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// How many days are simulated
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS)))]
    days: u32,
    /// Minutes from the order of a machine to its first user, such as `5` or `3..8`; without it what was measured
    #[arg(long, value_name = "MINUTES", value_parser = minutes)]
    startup: Option<Startup>,
    /// Most people on a machine at once; without it everyone is let in
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seats: Option<u32>,
    /// Region of the prices where only the deployment knows it
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Another number makes other arrivals, durations and starts
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Try other numbers in the rules: `high=50..90:10,low=20..40:10,cooldown=5..30:5,window=5..20:5`
    #[arg(long, value_name = "RANGES")]
    sweep: Option<String>,
    /// Also draw machines, demand and waiting into a file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Also write every change of the pools, minute by minute
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

fn minutes(text: &str) -> Result<Startup, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
        (Ok(first), Ok(last)) if first <= last && last <= 240 => Ok(Startup::new((first..=last).collect())),
        _ => Err("write minutes up to 240, such as `5` or `3..8`".to_owned()),
    }
}

/// Runs `dsvmc simulate` and returns how the process exits.
///
/// # Errors
/// A file cannot be read or written.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let studied = driver::study(cx.world.as_ref(), &args.paths, |subject| {
        driver::candidates(subject, args.seats, args.startup.as_ref(), args.region.as_deref())
    })?;
    if studied.iter().any(|one| one.compilation.failed()) {
        let found: Vec<Found<'_>> =
            studied.iter().map(|one| (&one.compilation.sources, one.compilation.diagnostics.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    let done = (|| {
        let mut pools = Vec::new();
        for one in studied {
            for (env, found) in one.found {
                if args.env.as_deref().is_some_and(|wanted| wanted != &*env) {
                    continue;
                }
                let project = one.compilation.name.to_string();
                pools.extend(found.into_iter().map(|candidate| (project.clone(), env.to_string(), candidate)));
            }
        }
        pools.retain(|(_, _, candidate)| args.pool.as_deref().is_none_or(|wanted| wanted == candidate.name));
        if pools.is_empty() {
            let title = "no pool to simulate here".to_owned();
            let help = "name a project with a pool, and with `--pool` and `--env` what it has";
            return Err(CommandError::input(Code::WorkloadRefused, title, help));
        }
        let simulated: Result<Vec<Simulated>, CommandError> = pools
            .into_par_iter()
            .map(|(project, env, one)| one_pool(project, env, one, args, cx.world.as_ref()))
            .collect();
        simulated
    })();
    let simulated = match done {
        Ok(simulated) => simulated,
        Err(error) => return report::finish(Err(error), &mut cx.printer),
    };
    for (path, text, begin) in
        [(&args.svg, draw::svg as fn(&[Simulated]) -> String, draw::SVG_BEGIN), (&args.csv, draw::csv, draw::CSV_BEGIN)]
    {
        if let Some(path) = path
            && let Err(error) = own_file::write(path, &text(&simulated), begin)
        {
            return report::finish(Err(error), &mut cx.printer);
        }
    }
    match cx.format {
        Format::Human | Format::Markdown => {
            let (columns, palette) = (cx.printer.columns(), cx.printer.output_palette());
            cx.printer.data(&draw::text(&simulated, columns, palette))?;
        }
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&simulated)))?,
    }
    Ok(Exit::Done)
}

fn one_pool(
    project: String,
    env: String,
    candidate: driver::Candidate,
    args: &Args,
    world: &dyn World,
) -> Result<Simulated, CommandError> {
    let refused = |title: String, help: &str| CommandError::input(Code::WorkloadRefused, title, help);
    let zone_name = candidate.zone.unwrap_or_else(|| "UTC".to_owned());
    let zone = time_zone(&zone_name).unwrap_or(TimeZone::UTC);
    let monday = |today: Date| {
        let back = i32::from(today.weekday().to_monday_zero_offset());
        today.checked_sub(jiff::Span::new().days(back)).unwrap_or(today)
    };
    let first = args.from.unwrap_or_else(|| monday(world.today()));
    let start = zone.to_timestamp(first.to_datetime(jiff::civil::Time::midnight()));
    let start = start.map_err(|_| refused(format!("the day {first} is out of reach"), "give a year up to 9999"))?;
    let span = Span { start, minutes: args.days * 1440 };
    let mut workload = Workload::default();
    for (at, text) in args.workload.iter().enumerate() {
        workload = workload.and(read(text, span, &zone, args.seed.wrapping_add(at as u64), world)?);
    }
    let pool = match candidate.pool {
        Ok(pool) => pool,
        Err(why) => {
            return Err(refused(
                format!("the pool `{}` cannot be simulated: {why}", candidate.name),
                "name another pool with `--pool`",
            ));
        }
    };
    let report = simulate(&pool, &workload, span, args.seed, Pace::Events);
    let tried = match &args.sweep {
        None => Vec::new(),
        Some(text) => {
            let axes = sweep::axes(text).ok_or_else(|| {
                let help = "write `high=50..90:10,low=20..40:10,cooldown=5..30:5,window=5..20:5`, or some of these";
                refused(format!("`--sweep {text}` cannot be read"), help)
            })?;
            let choices = sweep::combinations(&axes);
            if choices.len() > COMBINATIONS {
                let title = format!("`--sweep` has {} combinations", choices.len());
                return Err(refused(title, "write larger steps: at most 10,000 are simulated"));
            }
            let Policy::Setting(setting) = &pool.policy else {
                let title = format!("the pool `{}` has no rules that `--sweep` could vary", candidate.name);
                return Err(refused(title, "give the pool an `autoscale` block, or name another pool with `--pool`"));
            };
            tries(&pool, setting, &choices, &workload, span, args.seed)
        }
    };
    let workload = args.workload.join("; ");
    let (pool, size) = (candidate.name, candidate.size);
    let (price, spot_price) = (candidate.price, candidate.spot_price);
    Ok(Simulated { project, env, pool, size, zone: zone_name, workload, price, spot_price, report, tried })
}

/// Simulates every choice; those that cross are left out.
fn tries(
    pool: &Pool,
    setting: &Setting,
    choices: &[Vec<(sweep::Knob, u32)>],
    workload: &Workload,
    span: Span,
    seed: u64,
) -> Vec<Tried> {
    let mut tried: Vec<Tried> = choices
        .par_iter()
        .filter_map(|choice| {
            let other = Pool { policy: Policy::Setting(sweep::vary(setting, choice)?), ..pool.clone() };
            let report = simulate(&other, workload, span, seed, Pace::Events);
            Some(Tried { choice: choice.clone(), report, best: false })
        })
        .collect();
    let results: Vec<[u64; 4]> = tried
        .iter()
        .map(|one| {
            let hit = one.report.people_hit + one.report.jobs_hit.0;
            [one.report.machine_minutes, u64::from(one.report.wait(95)), u64::from(hit), one.report.crowded_minutes]
        })
        .collect();
    for (one, best) in tried.iter_mut().zip(sweep::frontier(&results)) {
        one.best = best;
    }
    tried
}

/// Reads a workload: a file if there is one of this name, else words.
fn read(text: &str, span: Span, zone: &TimeZone, seed: u64, world: &dyn World) -> Result<Workload, CommandError> {
    let refused = |title: String, help: &str| CommandError::input(Code::WorkloadRefused, title, help);
    let path = Path::new(text);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !["csv", "swf"].contains(&ending) {
        let words: Words =
            text.parse().map_err(|error: dsvm_simulate::words::WordsError| refused(error.message, FORMS))?;
        return words.tasks(span, zone, seed).map_err(|error| refused(error.message, FORMS));
    }
    let bytes = world.read(path).map_err(|_| {
        refused(format!("`{}` cannot be read", shown(path)), "give the path of a file, or words such as `office of 40`")
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let read = if ending == "csv" { trace::csv(&text, span) } else { trace::swf(&text, span) };
    read.map_err(|error| {
        let help =
            "a CSV file has the columns `arrival` and `duration`, and may have `cores`, `gpus`, `load` and `kind`";
        refused(format!("`{}`, {error}", shown(path)), help)
    })
}
