//! `dsvmc cost`: what pools cost in a month, from the fewest machines to the most.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::deploy::error::CommandError;
use crate::driver;
use crate::render::Found;
use crate::render::cost::{self as draw, Priced};
use dsvm_diagnostics::Code;
use std::path::PathBuf;

/// The command line arguments of `cost`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Three cases stand beside each other: floor (the fewest machines), expected (the fewest that the\nschedules \
                  keep, by time) and ceiling (the most machines). What has no price is named, and the\ntrue cost is \
                  higher by it. docs/cost.md has the sources.\n\n\
                  Examples:\n  dsvmc cost examples/01-shared-pool --region westeurope\n  \
                  dsvmc cost --env prod --format markdown"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Show only this env
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Region of resources whose region only the deployment knows
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

/// Runs `dsvmc cost` and returns how the process exits.
///
/// # Errors
/// A file cannot be read.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let region = args.region.as_deref();
    let studied =
        driver::study_priced(cx.world.as_ref(), &args.paths, |subject, prices| driver::costs(subject, prices, region))?;
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
    let mut envs: Vec<String> = Vec::new();
    for one in studied {
        let project = one.compilation.name.to_string();
        for (env, costs) in one.found {
            envs.push(env.to_string());
            if args.env.as_deref().is_none_or(|wanted| wanted == &*env) {
                all.push(Priced { project: project.clone(), env: env.to_string(), costs });
            }
        }
    }
    if let Some(wanted) = args.env.as_deref().filter(|_| all.is_empty()) {
        envs.sort();
        envs.dedup();
        envs.retain(|env| !env.is_empty());
        let help = match envs.as_slice() {
            [] => "leave `--env` out: no project here has envs".to_owned(),
            known => format!("the envs are {}", known.join(", ")),
        };
        let error = CommandError::input(Code::EnvNeeded, format!("there is no env `{wanted}`"), &help);
        return report::finish(Err(error), &mut cx.printer);
    }
    match cx.format {
        Format::Markdown => cx.printer.data(&draw::markdown(&all))?,
        Format::Human => {
            let palette = cx.printer.output_palette();
            cx.printer.data(&draw::text(&all, palette))?;
        }
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&all)))?,
    }
    Ok(Exit::Done)
}
