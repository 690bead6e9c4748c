//! `dsvmc test`: runs the tests that stand in the sources and in `*.test.dsvm` files.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::{own_file, report};
use crate::deploy::testing::{self, Report};
use crate::driver;
use crate::render::{Found, tests as draw};
use rayon::prelude::*;
use std::path::PathBuf;

/// The command line arguments of `test`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dsvmc test pools/\n  dsvmc test --filter \"at night\"\n  dsvmc test --junit report.xml --coverage"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Run only tests whose names contain this text
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    filter: String,
    /// Also write the outcomes as JUnit's XML, for build servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Name the blocks, envs and team rules that no test looked at
    #[arg(long)]
    coverage: bool,
}

/// Runs `dsvmc test` and returns how the process exits.
///
/// # Errors
/// A file cannot be read or written.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let world = cx.world.as_ref();
    let projects = driver::projects(world, &args.paths)?;
    let done: Result<Vec<Report>, driver::LoadError> =
        projects.par_iter().map(|project| testing::run(world, project, &args.filter)).collect();
    let reports = done?;
    if reports.iter().any(|report| !report.broken.is_empty()) {
        let found: Vec<Found<'_>> = reports.iter().map(|r| (&r.sources, r.broken.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    if let Some(path) = &args.junit
        && let Err(error) = own_file::write(path, &draw::junit(&reports), draw::JUNIT_BEGIN)
    {
        return report::finish(Err(error), &mut cx.printer);
    }
    match cx.format {
        Format::Human | Format::Markdown => cx.printer.data(&draw::text(&reports, cx.printer.output_palette()))?,
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&reports)))?,
    }
    if args.coverage {
        cx.printer.say(&draw::coverage(&reports));
    }
    if reports.iter().all(|report| report.outcomes.is_empty()) {
        if args.filter.is_empty() {
            cx.printer.say("no tests here; `test \"…\" { expect … }` in the sources or a `.test.dsvm` file is one\n");
            return Ok(Exit::Done);
        }
        cx.printer.say("no test has such a name; without `--filter` all tests run\n");
        return Ok(Exit::Input);
    }
    cx.printer.note(&draw::summary(&reports));
    let failed = reports.iter().flat_map(|report| &report.outcomes).any(|outcome| !outcome.failures.is_empty());
    Ok(if failed { Exit::Input } else { Exit::Done })
}
