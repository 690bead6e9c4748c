//! `dsvmc completions`: shell completions.

use crate::cli::Context;
use crate::cli::args::Cli;
use crate::cli::exit::Exit;
use clap::CommandFactory;

/// The command line arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dsvmc completions bash > ~/.bash_completion")]
pub struct Args {
    /// Shell to generate completions for
    pub shell: clap_complete::Shell,
}

/// Runs `dsvmc completions` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dsvmc", &mut script);
    cx.printer.exact(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
