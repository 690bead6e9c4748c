//! `dsvmc spot`: pools with spot machines: whether they can be had, what they cost, and what evictions cost.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy_args::DeployTargetArgs;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::deploy::error::CommandError;
use crate::deploy::{placement, session};
use crate::driver;
use crate::render::Found;
use crate::render::spot::{self as draw, Question, Row};
use dsvm_simulate::eviction::{LONGEST, Rate};
use std::path::{Path, PathBuf};

/// The command line arguments of `spot`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dsvmc spot pools/ --region westeurope                       prices, and a maximum price that is too low\n  \
                  dsvmc spot --evictions 5%/h --job 8h --deadline 12h         what is lost, and whether it ends in time\n  \
                  dsvmc spot --placement --in northeurope --target azure      where Azure would place the machines"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Show only this env
    #[arg(long, short = 'e', value_name = "ENV")]
    env: Option<String>,
    /// Region of resources whose region only the deployment knows
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Chance of an eviction of a machine in an hour, such as `5%/h`: what Azure shows, or what you measured
    #[arg(long, value_name = "RATE")]
    evictions: Option<Rate>,
    /// Time of work between checkpoints, such as `30min`. Can be repeated
    #[arg(long, value_name = "TIME", value_parser = minutes, requires = "evictions")]
    checkpoint: Vec<u32>,
    /// Length of a job on a machine that is not evicted, such as `8h`
    #[arg(long, value_name = "TIME", value_parser = minutes, requires = "evictions")]
    job: Option<u32>,
    /// Time for the job, such as `12h`: how likely it ends by then
    #[arg(long, value_name = "TIME", value_parser = minutes, requires = "job")]
    deadline: Option<u32>,
    /// Ask the target how likely the machines of each scale set are placed now
    #[arg(long)]
    placement: bool,
    /// Ask for this region, too. Can be repeated
    #[arg(long = "in", value_name = "REGION", requires = "placement")]
    more: Vec<String>,
    #[command(flatten)]
    target: DeployTargetArgs,
}

/// Intervals between checkpoints that are compared when nobody names one.
const USUAL: [u32; 4] = [10, 30, 60, 240];

pub(super) fn minutes(text: &str) -> Result<u32, String> {
    let refused = || "write a time from 1 minute to 7 days, such as `30min`, `8h` or `2d`".to_owned();
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
    let (number, unit) = text.split_at(end);
    let each = match unit.trim() {
        "min" => 1,
        "h" => 60,
        "d" => 1440,
        _ => return Err(refused()),
    };
    let minutes = number.parse::<u32>().ok().and_then(|number| number.checked_mul(each));
    minutes.filter(|minutes| (1..=LONGEST).contains(minutes)).ok_or_else(refused)
}

/// Runs `dsvmc spot` and returns how the process exits.
///
/// # Errors
/// A file cannot be read.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let region = args.region.as_deref().or(args.target.location.as_deref());
    let studied = driver::study_priced(cx.world.as_ref(), &args.paths, |subject, prices| {
        driver::spot_pools(subject, prices, region)
    })?;
    let studied = match studied {
        Ok(studied) => studied,
        Err(unusable) => return Ok(cx.report(&unusable.0, &unusable.1)?),
    };
    if studied.iter().any(|one| one.compilation.failed()) {
        let found: Vec<Found<'_>> =
            studied.iter().map(|one| (&one.compilation.sources, one.compilation.diagnostics.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    let mut rows = Vec::new();
    for one in studied {
        let project = one.compilation.name.to_string();
        for (env, pools) in one.found {
            if args.env.as_deref().is_some_and(|wanted| wanted != &*env) {
                continue;
            }
            let row = |pool| Row { project: project.clone(), env: env.to_string(), pool, placement: None };
            rows.extend(pools.into_iter().map(row));
        }
    }
    if args.placement
        && let Err(error) = place(args, &mut rows, cx)
    {
        return report::finish(Err(error), &mut cx.printer);
    }
    let question = args.evictions.map(|rate| {
        let mut checkpoints = if args.checkpoint.is_empty() { USUAL.to_vec() } else { args.checkpoint.clone() };
        checkpoints.sort_unstable();
        checkpoints.dedup();
        Question { rate, checkpoints, job: args.job, deadline: args.deadline }
    });
    match cx.format {
        Format::Human | Format::Markdown => {
            let palette = cx.printer.output_palette();
            cx.printer.data(&draw::text(&rows, question.as_ref(), palette))?;
        }
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&rows, question.as_ref())))?,
    }
    Ok(Exit::Done)
}

/// Asks the target for the scores of every scale set.
fn place(args: &Args, rows: &mut [Row], cx: &Context) -> Result<(), CommandError> {
    let root = args.paths.first().map_or(Path::new("."), PathBuf::as_path);
    let target = args.target.target(root, cx.world.as_ref(), cx.printer.is_quiet())?;
    let session = session::open(&target, root)?;
    for row in rows.iter_mut().filter(|row| row.pool.service == "scale set") {
        row.placement = placement::scores(&session, &row.pool, &args.more)?;
    }
    Ok(())
}
