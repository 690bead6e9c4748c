//! Arguments → a command → exit code. The only module that knows clap, streams, colour and the disk.
//!
//! Stdout carries only data that a program may read; everything for people goes to stderr. A command is
//! one file in `commands/` and one variant in [`commands::Command`]. It does no work of its own: it calls the pipeline and prints.

pub mod apply_errors;
pub mod args;
pub mod commands;
pub mod deploy_args;
pub mod disk;
mod editor;
pub mod exit;
mod frontend;
pub mod interrupt;
pub mod machines;
pub mod own_file;
pub mod printer;
pub mod progress;
pub mod report;
pub mod rollout;
pub mod when;

use crate::driver::World;
use crate::render;
use args::{Cli, Format};
use clap::Parser;
use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Diagnostic, Severity};
use exit::Exit;
use printer::{PrintError, Printer};
use std::ffi::OsString;

/// What every command gets: files, streams and the format of messages.
pub struct Context {
    /// Access to files and the date.
    pub world: Box<dyn World>,
    /// Standard output and standard error.
    pub printer: Printer,
    /// Output format of diagnostics.
    pub format: Format,
    /// The day that stands for today, if one was named.
    pub as_of: Option<jiff::civil::Date>,
}

impl Context {
    /// Writes the diagnostics of a run in the chosen format; [`Exit::Input`] when there is an error.
    ///
    /// Human text goes to stderr; `short` and `json` are data and go to stdout.
    pub fn report(&mut self, sources: &SourceMap, diagnostics: &[Diagnostic]) -> Result<Exit, PrintError> {
        self.report_all(&[(sources, diagnostics)])
    }

    /// The same for several projects in one document.
    pub fn report_all(&mut self, found: &[render::Found<'_>]) -> Result<Exit, PrintError> {
        self.report_with(found, &[])
    }

    /// The same, with what comments allow: SARIF tells of it.
    pub fn report_with(
        &mut self,
        found: &[render::Found<'_>],
        exempt: &[render::Exempt<'_>],
    ) -> Result<Exit, PrintError> {
        match self.format {
            Format::Human | Format::Markdown => {
                self.printer.say(&render::snippet::all(found, self.printer.error_palette()))
            }
            Format::Short => self.printer.data(&render::short::all(found))?,
            Format::Json => self.printer.json(&render::json::all(found))?,
            Format::Sarif => self.printer.json(&render::sarif::all(found, exempt))?,
            // Each line is a command of ours: what others wrote in it cannot begin one.
            Format::Github => self.printer.exact(&render::github::all(found))?,
        }
        let mut all = found.iter().flat_map(|(_, diagnostics)| *diagnostics);
        Ok(if all.any(|d| d.severity == Severity::Error) { Exit::Input } else { Exit::Done })
    }
}

/// Runs one command line, whose first argument is the program's name, and returns how the process exits.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    report::install_panic_hook();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return report::usage(&error),
    };
    let printer = Printer::new(cli.global.color, cli.global.quiet);
    report::install(printer.error_palette());
    let mut context = Context {
        world: Box::new(disk::Disk::new(cli.global.as_of)),
        printer,
        format: cli.global.format,
        as_of: cli.global.as_of,
    };
    match commands::run(&cli.command, &mut context) {
        Ok(exit) => exit,
        Err(error) => report::failed(&error, &mut context.printer),
    }
}
