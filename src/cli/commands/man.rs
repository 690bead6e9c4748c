//! `dsvmc man`: the manual pages, made from the same declarations as `--help`.

use crate::cli::Context;
use crate::cli::args::Cli;
use crate::cli::exit::Exit;
use clap::CommandFactory;
use clap_mangen::Man;
use miette::{IntoDiagnostic, WrapErr};
use std::path::PathBuf;

/// The command line arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dsvmc man --dir ~/.local/share/man/man1")]
pub struct Args {
    /// Folder for the pages; it is created
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}

/// Runs `dsvmc man` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    std::fs::create_dir_all(&args.dir).into_diagnostic().wrap_err("the folder cannot be created")?;
    let pages = pages();
    for (name, text) in &pages {
        let path = args.dir.join(name);
        dsvm_files::replace(&path, text, dsvm_files::Readers::Usual)
            .into_diagnostic()
            .wrap_err_with(|| format!("{} cannot be written", path.display()))?;
    }
    cx.printer.exact(&format!("wrote {} pages to {}\n", pages.len(), args.dir.display()))?;
    Ok(Exit::Done)
}

/// A page for the program and one for each command that `--help` shows: the file's name and its text.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut program = Cli::command();
    program.build();
    let mut pages = Vec::new();
    add(&program, &mut pages);
    pages
}

fn add(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = man.render(&mut text);
    pages.push((man.get_filename(), text));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        add(below, pages);
    }
}
