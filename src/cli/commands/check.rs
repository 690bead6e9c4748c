//! `dsvmc check`: all mistakes of a file, a folder or a tree of projects, in one run.

use super::fixes::{self, FixArgs};
use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::driver::{self, Options, Purpose, Stop};
use crate::render::{Exempt, Found};
use std::path::PathBuf;

/// The command line arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: dsvmc check pools/, dsvmc check --fix --diff")]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Changes that findings offer
    #[command(flatten)]
    pub fixes: FixArgs,
}

/// Runs `dsvmc check` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let options = Options { stop: Stop::AfterChecks };
    fixes::apply(&args.fixes, cx, |world| {
        driver::compile_each(world, &args.paths, options, |one| {
            one.require_project(Purpose::Check);
            (std::mem::take(&mut one.sources), std::mem::take(&mut one.diagnostics))
        })
    })?;
    let all = driver::compile_each(cx.world.as_ref(), &args.paths, options, |one| {
        one.require_project(Purpose::Check);
        let (sources, found) = (std::mem::take(&mut one.sources), std::mem::take(&mut one.diagnostics));
        (one.name.clone(), sources, found, std::mem::take(&mut one.exempt))
    })?;
    let found: Vec<Found<'_>> = all.iter().map(|(_, sources, found, _)| (sources, found.as_slice())).collect();
    let exempt: Vec<Exempt<'_>> = all.iter().map(|(_, sources, _, exempt)| (sources, exempt.as_slice())).collect();
    let exit = cx.report_with(&found, &exempt)?;
    if found.iter().all(|(_, diagnostics)| diagnostics.is_empty()) && cx.format == Format::Human {
        let what = match all.as_slice() {
            [(name, ..)] => format!("`{name}`"),
            many => format!("{} projects", many.len()),
        };
        cx.printer.note(&format!("{what}: no mistakes found\n"));
    }
    Ok(exit)
}
