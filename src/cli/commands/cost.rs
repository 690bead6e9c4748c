//! `dsvmc cost`: what pools cost in a month, from the fewest machines to the most.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::{own_file, report};
use crate::deploy::error::CommandError;
use crate::driver;
use crate::render::Found;
use crate::render::cost::{self as draw, By, Priced};
use crate::render::palette::Palette;
use dsvm_diagnostics::Code;
use std::path::PathBuf;

/// The command line arguments of `cost`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Three cases stand beside each other: floor (the fewest machines), expected (the fewest that the\nschedules \
                  keep, by time) and ceiling (the most machines). What has no price is named, and the\ntrue cost is \
                  higher by it. docs/cost.md has the sources.\n\n\
                  Examples:\n  dsvmc cost examples/01-shared-pool --region westeurope\n  \
                  dsvmc cost --env prod --format markdown\n  dsvmc cost --by tag:team --csv costs.csv"
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
    /// Add up all projects by this instead of listing them: `pool`, `env`, `region`, or `tag:NAME`
    #[arg(long, value_name = "WHAT", value_parser = by)]
    by: Option<By>,
    /// Also write every item as a line of a table
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

fn by(text: &str) -> Result<By, String> {
    match (text, text.strip_prefix("tag:").map(str::trim)) {
        ("pool", _) => Ok(By::Pool),
        ("env", _) => Ok(By::Env),
        ("region", _) => Ok(By::Region),
        (_, Some(name)) if !name.is_empty() => Ok(By::Tag(name.to_owned())),
        _ => Err("write `pool`, `env`, `region`, or `tag:` and the name of a tag".to_owned()),
    }
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
    let (mut all, mut choices) = (Vec::new(), Vec::new());
    let mut envs: Vec<String> = Vec::new();
    for one in studied {
        let project = one.compilation.name.to_string();
        choices.extend(one.compilation.choices.into_iter().map(|choice| (project.clone(), choice)));
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
    if let Some(path) = &args.csv
        && let Err(error) = own_file::write(path, &draw::csv(&all), draw::CSV_BEGIN)
    {
        return report::finish(Err(error), &mut cx.printer);
    }
    match (cx.format, &args.by) {
        (Format::Markdown, Some(by)) => cx.printer.data(&draw::groups(&all, by, true, Palette::plain()))?,
        (Format::Human, Some(by)) => {
            let palette = cx.printer.output_palette();
            cx.printer.data(&draw::groups(&all, by, false, palette))?;
        }
        (Format::Markdown, None) => cx.printer.data(&draw::markdown(&all, &choices))?,
        (Format::Human, None) => {
            let palette = cx.printer.output_palette();
            cx.printer.data(&draw::text(&all, &choices, palette))?;
        }
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&all, &choices, args.by.as_ref())))?,
    }
    Ok(Exit::Done)
}
