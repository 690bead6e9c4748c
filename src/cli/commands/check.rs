//! `dsvmc check`: every mistake of a file, a folder or a tree of projects, in one run.

use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::cli::args::Format;
use crate::driver::{self, Options, Stop};
use crate::render::Found;
use std::path::PathBuf;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dsvmc check pools/")]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let all = driver::compile_all(cx.world.as_ref(), &args.paths, Options { stop: Stop::AfterChecks })?;
    let found: Vec<Found<'_>> = all.iter().map(|one| (&one.sources, one.diagnostics.as_slice())).collect();
    let exit = cx.report_all(&found)?;
    if found.iter().all(|(_, diagnostics)| diagnostics.is_empty()) && cx.format == Format::Human {
        let what = match all.as_slice() {
            [one] => format!("`{}`", one.name),
            many => format!("{} projects", many.len()),
        };
        cx.printer.note(&format!("{what}: no mistakes found\n"));
    }
    // The process ends here: giving back the memory of thousands of pools piece by piece would only cost time.
    std::mem::forget(all);
    Ok(exit)
}
