//! `dsvmc check`: every mistake of a file, a folder or a tree of projects, in one run.

use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::driver;
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
    let compilation = driver::check(cx.world.as_ref(), &args.paths)?;
    Ok(cx.report(&compilation.sources, &compilation.diagnostics)?)
}
