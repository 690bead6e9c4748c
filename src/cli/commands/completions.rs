//! `dsvmc completions`: a script that teaches a shell to complete the command line.

use crate::cli::Context;
use crate::cli::args::Cli;
use crate::cli::exit::Exit;
use clap::CommandFactory;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dsvmc completions bash > ~/.bash_completion")]
pub struct Args {
    /// Which shell
    pub shell: clap_complete::Shell,
}

/// Runs the command.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dsvmc", &mut script);
    cx.printer.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
