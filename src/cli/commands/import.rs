//! `dsvmc import`: Batch AI definitions → `.dsvm` for their successor.

use crate::cli::Context;
use crate::cli::exit::Exit;
use dsvm_import::Successor;
use std::path::PathBuf;

/// The command line arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dsvmc import cluster.json job.json > main.dsvm")]
pub struct Args {
    /// Batch AI clusters, file servers and jobs: JSON of its command line, or templates with `Microsoft.BatchAI/*`
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Successor service to convert for
    #[arg(long, value_enum, default_value_t = Service::AzureBatch)]
    pub service: Service,
    /// Name of the project
    #[arg(long, value_name = "NAME", default_value = "migrated")]
    pub project: String,
}

/// The successors of Batch AI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Service {
    /// A pool of Azure Batch
    AzureBatch,
    /// A compute cluster of Azure Machine Learning
    AzureMl,
}

/// Runs `dsvmc import` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let mut files = Vec::new();
    for path in &args.files {
        let bytes = cx.world.read(path)?;
        match serde_json::from_slice(&bytes) {
            Ok(json) => files.push((path.display().to_string(), json)),
            Err(error) => {
                cx.printer.say(&format!("error: `{}` is not JSON: {error}\n", path.display()));
                return Ok(Exit::Input);
            }
        }
    }
    let successor = match args.service {
        Service::AzureBatch => Successor::AzureBatch,
        Service::AzureMl => Successor::AzureMl,
    };
    match dsvm_import::import(&files, &args.project, successor) {
        Ok(imported) => {
            cx.printer.data(&imported.text)?;
            for warning in &imported.warnings {
                cx.printer.say(&format!("warning: {warning}\n"));
            }
            cx.printer
                .note(&format!("{} properties carried over, {} named in comments\n", imported.carried, imported.named));
            Ok(Exit::Done)
        }
        Err(problem) => {
            cx.printer.say(&format!("error: {problem}\n"));
            Ok(Exit::Input)
        }
    }
}
