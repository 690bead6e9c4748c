//! `dsvmc simulate`: what happens to the pools of a project under a workload, minute by minute.

mod beside;
mod choices;
mod pools;
mod sizes;
mod workload;

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::{own_file, report};
use crate::deploy::error::CommandError;
use crate::driver::{self, Studied, fix};
use crate::render::Found;
use crate::render::simulation::{self as draw, Simulated};
use crate::render::simulation_pair::Pair;
use dsvm_simulate::Startup;
use dsvm_simulate::eviction::Rate;
use jiff::civil::Date;
use pools::{Case, Scene, cases, study};
use rayon::prelude::*;
use std::path::PathBuf;
use workload::refused;

/// Most days of a simulation.
const DAYS: u32 = 366 * 3;

/// The command line arguments of `simulate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Workloads, one or more:\n  \"class of 30 at 09:00 mon..fri for 2 h\"      people who come at once\n  \
                  \"office of 40 from 08:00 to 18:00\"            people who come and go\n  \
                  \"batch of 200 at 02:00 daily for 30 min\"      jobs\n  \
                  jobs.csv, jobs.swf                            a file with arrivals and durations, or log-ins\n  \
                  \"cpu.json of 4 machines\"                      processor use as Azure Monitor recorded it\n  \
                  Then `with 2 cores`, `with 0.5 gpu`, `50% busy`.\n\n\
                  Examples:\n  dsvmc simulate --env prod --workload \"class of 30 at 09:00 mon..fri for 2 h\"\n  \
                  dsvmc simulate --pool team --workload jobs.csv --days 30 --svg week.svg\n  \
                  dsvmc simulate --workload \"office of 40\" --against main\n  \
                  dsvmc simulate --pool sweeps --workload jobs.csv --evictions 5%/h --checkpoint 30min\n  \
                  dsvmc simulate --workload \"office of 40\" --sweep high=50..90:10,low=20..40:10 --choose 2 --fix\n  \
                  dsvmc simulate --pool gpus --env prod --workload jobs.csv --sizes"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// What people and jobs ask for: words, a file in CSV or the Standard Workload Format, or a recorded metric
    #[arg(long, value_name = "WORKLOAD", required = true)]
    workload: Vec<String>,
    /// Simulate only this pool; two of them are shown side by side
    #[arg(long = "pool", value_name = "NAME")]
    pools: Vec<String>,
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
    /// Chance of an eviction of a spot machine in an hour, such as `5%/h`; without it none is evicted
    #[arg(long, value_name = "RATE")]
    evictions: Option<Rate>,
    /// Time of work between checkpoints of a job, such as `30min`: what is done until the last one is not lost
    #[arg(long, value_name = "TIME", value_parser = super::spot::minutes)]
    checkpoint: Option<u32>,
    /// Region of the prices where only the deployment knows it
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Another number makes other arrivals, durations and starts
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Show also how other sources do under the same workload: those of a commit, or at another path
    #[arg(long, value_name = "COMMIT|PATH")]
    against: Option<String>,
    /// Try other numbers in the rules: `high=50..90:10,low=20..40:10,cooldown=5..30:5,window=5..20:5`
    #[arg(long, value_name = "RANGES", group = "tries")]
    sweep: Option<String>,
    /// Try other sizes for the machines, with a quarter to all of the processors or GPUs that the pool has
    #[arg(long, group = "tries")]
    sizes: bool,
    /// Show the change of the sources that row N of the table needs
    #[arg(long, value_name = "N", requires = "tries")]
    choose: Option<usize>,
    /// With `--choose`: make that change
    #[arg(long, requires = "choose")]
    fix: bool,
    /// Also draw machines, demand and waiting into a file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Also write every change of the pools, minute by minute
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

pub(super) fn minutes(text: &str) -> Result<Startup, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
        (Ok(first), Ok(last)) if first <= last && last <= 240 => Ok(Startup::new((first..=last).collect())),
        _ => Err("write minutes up to 240, such as `5` or `3..8`".to_owned()),
    }
}

/// What was found out: the pools, how they do beside others, and the change that was asked for.
struct Outcome {
    simulated: Vec<Simulated>,
    pairs: Vec<Pair>,
    change: Option<fix::Files>,
}

/// Runs `dsvmc simulate` and returns how the process exits.
///
/// # Errors
/// A file cannot be read or written.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    if let Err(unusable) = driver::usable_prices(cx.world.as_ref(), &args.paths)? {
        return Ok(cx.report(&unusable.0, &unusable.1)?);
    }
    let studied = study(args, cx.world.as_ref(), &args.paths)?;
    if studied.iter().any(|one| one.compilation.failed()) {
        return Ok(cx.report_all(&found(&studied))?);
    }
    let outcome = match outcome(args, &studied, cx) {
        Ok(outcome) => outcome,
        Err(error) => return report::finish(Err(error), &mut cx.printer),
    };
    let Outcome { simulated, pairs, change } = outcome;
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
            let text = draw::text(&simulated, columns, palette);
            let beside: String = pairs.iter().map(|pair| pair.text(palette)).collect();
            cx.printer.data(&format!("{text}{beside}"))?;
            if let Some(files) = &change {
                choices::put(files, args, cx)?;
            }
        }
        _ => {
            let mut data = draw::data(&simulated);
            if !pairs.is_empty()
                && let Some(data) = data.as_object_mut()
            {
                data.insert("compared".to_owned(), pairs.iter().map(Pair::data).collect());
            }
            cx.printer.json(&format!("{data:#}\n"))?;
            if let Some(files) = change.as_ref().filter(|_| args.fix) {
                choices::put(files, args, cx)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn found<T>(studied: &[Studied<T>]) -> Vec<Found<'_>> {
    studied.iter().map(|one| (&one.compilation.sources, one.compilation.diagnostics.as_slice())).collect()
}

fn outcome(
    args: &Args,
    studied: &[Studied<Vec<crate::driver::Candidate>>],
    cx: &Context,
) -> Result<Outcome, CommandError> {
    let world = cx.world.as_ref();
    let cases = cases(args, studied)?;
    if (args.sizes || args.choose.is_some()) && cases.len() > 1 {
        let option = if args.sizes { "--sizes" } else { "--choose" };
        let title = format!("`{option}` is for one pool, and {} are simulated", cases.len());
        return Err(refused(title, "name one with `--pool` and `--env`"));
    }
    let one = |case: &Case<'_>| {
        let scene = Scene::of(case, args, world)?;
        let mut simulated = scene.simulated(case, args);
        if let Some(text) = &args.sweep {
            let (tried, note) = choices::sweep(text, case, &scene, args, world)?;
            simulated.tried = tried;
            simulated.notes.extend(note);
        }
        if args.sizes {
            let (tried, note) = sizes::sizes(case, &scene, args, world)?;
            simulated.tried = tried;
            simulated.notes.extend(note);
        }
        Ok(simulated)
    };
    let simulated: Result<Vec<Simulated>, CommandError> = cases.par_iter().map(one).collect();
    let simulated = simulated?;
    let mut pairs = beside::pools(args, &simulated);
    if let Some(other) = &args.against {
        pairs.extend(beside::sources(other, &simulated, args, world)?);
    }
    let change = match (args.choose, cases.as_slice(), simulated.as_slice()) {
        (Some(number), [case], [one]) => Some(choices::patch(number, case, &one.tried, args, world)?),
        _ => None,
    };
    Ok(Outcome { simulated, pairs, change })
}
