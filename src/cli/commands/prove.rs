//! `dsvmc prove`: what the autoscale settings of pools do under every load and on every day.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::deploy::error::CommandError;
use crate::driver;
use crate::render::Found;
use crate::render::proof::{self as draw, Shown};
use dsvm_diagnostics::Code;
use jiff::SignedDuration;
use jiff::civil::Date;
use std::path::PathBuf;

/// The command line arguments of `prove`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For every constant load and from every number of machines it is shown that the number settles, or the\n\
                  load under which it goes up and down for ever, step by step. A pool that is at zero must wake.\n\
                  docs/prove.md says how, and what is assumed.\n\n\
                  Examples:\n  dsvmc prove pools/\n  dsvmc prove --env prod --longest-wait 30min\n\n\
                  The exit code is 1 when something does not hold."
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Judge only pools with the values of this env
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Judge only the pool with this name
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// Nobody may wait longer for a pool at zero, such as `30min` or `12h`; without it, it must wake at some time
    #[arg(long, value_name = "TIME", value_parser = time)]
    longest_wait: Option<SignedDuration>,
    /// Minutes from the order of a machine to its first user, such as `5` or `3..8`; without it what was measured
    #[arg(long, value_name = "MINUTES", value_parser = super::simulate::minutes)]
    startup: Option<dsvm_simulate::Startup>,
    /// First day of the year that is looked at; without it today
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
}

fn time(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(time) if !time.is_negative() => Ok(time),
        _ => Err("write a time such as `30min` or `12h`".to_owned()),
    }
}

/// Runs `dsvmc prove` and returns how the process exits.
///
/// # Errors
/// A file cannot be read.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let from = args.from.unwrap_or_else(|| cx.world.today());
    let studied = driver::study_priced(cx.world.as_ref(), &args.paths, |subject, prices| {
        driver::proofs(subject, prices, args.startup.as_ref(), args.pool.as_deref(), from)
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
    let mut all = Vec::new();
    for one in studied {
        let project = one.compilation.name.to_string();
        let wanted = |env: &str| args.env.as_deref().is_none_or(|wanted| wanted == env);
        for (env, proofs) in one.found.into_iter().filter(|(env, _)| wanted(env)) {
            all.push(Shown { project: project.clone(), env: env.to_string(), proofs });
        }
    }
    all.retain(|one| !one.proofs.pools.is_empty() || !one.proofs.budgets.is_empty());
    if all.is_empty() {
        let title = "no pool with a policy and no budget here".to_owned();
        let help = "name a project with a pool that has `autoscale`, and with `--pool` and `--env` what it has";
        return report::finish(Err(CommandError::input(Code::WorkloadRefused, title, help)), &mut cx.printer);
    }
    match cx.format {
        Format::Human | Format::Markdown => {
            let palette = cx.printer.output_palette();
            cx.printer.data(&draw::text(&all, args.longest_wait, palette))?;
        }
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&all, args.longest_wait)))?,
    }
    let holds = all.iter().all(|one| draw::holds(&one.proofs, args.longest_wait));
    Ok(if holds { Exit::Done } else { Exit::Input })
}
