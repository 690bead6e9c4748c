//! `dsvmc build`: projects → templates, parameter files and source maps on disk.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::diagnostics::Code;
use crate::driver::{self, Compilation, Options, Stop, shown};
use crate::emit::Deployment;
use crate::render::{Found, source_map};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Arguments of `build`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dsvmc build pools/ --out build\n\n\
    Writes, for each project, `OUT/PROJECT/template.json`, one `parameters.ENV.json` for each env, and `sourcemap.json`.\n\
    They also work with `az deployment group create --template-file … --parameters @…`.")]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Folder to write to
    #[arg(short, long, value_name = "FOLDER", default_value = "build")]
    pub out: PathBuf,
    /// Print the template of the one project instead of writing files
    #[arg(long, conflicts_with = "out")]
    pub stdout: bool,
}

/// Runs the command.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let options = Options { stop: Stop::AfterEmission };
    let all = driver::compile_all(cx.world.as_ref(), &args.paths, options)?;
    let found: Vec<Found<'_>> = all.iter().map(|one| (&one.sources, one.diagnostics.as_slice())).collect();
    let exit = cx.report_all(&found)?;
    if exit != Exit::Done {
        return Ok(exit);
    }
    if args.stdout {
        for deployment in all.iter().filter_map(|one| one.artifacts.as_ref()).flat_map(|a| &a.deployments) {
            cx.printer.data(&pretty(&deployment.template))?;
        }
    } else {
        let folders = folders(&all, &args.out);
        let written: Vec<usize> =
            all.par_iter().zip(&folders).map(|(one, folder)| write(one, folder)).collect::<Result<_, _>>()?;
        if cx.format == Format::Human {
            for (folder, files) in folders.iter().zip(written) {
                cx.printer.note(&format!("{}: {files} files\n", shown(folder)));
            }
        }
    }
    // The process ends here: giving back the memory of thousands of pools piece by piece would only cost time.
    std::mem::forget(all);
    Ok(Exit::Done)
}

/// A folder for each project: by its name, or by its path where two projects have the same name.
fn folders(all: &[Compilation], out: &Path) -> Vec<PathBuf> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for one in all {
        *names.entry(one.name.to_lowercase()).or_default() += 1;
    }
    let folder = |one: &Compilation| {
        let unique = names.get(&one.name.to_lowercase()) == Some(&1);
        let path = one.project.path.with_extension("");
        let plain: PathBuf = path.components().filter(|c| matches!(c, std::path::Component::Normal(_))).collect();
        out.join(if unique { PathBuf::from(&*one.name) } else { plain })
    };
    all.iter().map(folder).collect()
}

/// Writes the files of a project; says how many.
fn write(one: &Compilation, folder: &Path) -> Result<usize, WriteError> {
    let Some(artifacts) = &one.artifacts else { return Ok(0) };
    let alone = artifacts.deployments.len() == 1;
    let mut files = 0;
    for (index, deployment) in artifacts.deployments.iter().enumerate() {
        // The number tells in which order several are deployed.
        let name = format!("{:02}-{}", index + 1, deployment.name);
        files += write_deployment(one, deployment, &if alone { folder.to_owned() } else { folder.join(name) })?;
    }
    for (path, text) in &artifacts.files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|cause| WriteError { path: parent.to_owned(), cause })?;
        }
        put(&path, text)?;
        files += 1;
    }
    Ok(files)
}

fn write_deployment(one: &Compilation, deployment: &Deployment, folder: &Path) -> Result<usize, WriteError> {
    std::fs::create_dir_all(folder).map_err(|cause| WriteError { path: folder.to_owned(), cause })?;
    put(&folder.join("template.json"), &pretty(&deployment.template))?;
    for (env, parameters) in &deployment.parameters {
        let name = if env.is_empty() { "parameters.json".to_owned() } else { format!("parameters.{env}.json") };
        put(&folder.join(name), &pretty(parameters))?;
    }
    put(&folder.join("sourcemap.json"), &source_map::write(&one.sources, &deployment.provenance))?;
    Ok(2 + deployment.parameters.len())
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn put(path: &Path, text: &str) -> Result<(), WriteError> {
    std::fs::write(path, text).map_err(|cause| WriteError { path: path.to_owned(), cause })
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", shown(.path))]
pub struct WriteError {
    path: PathBuf,
    #[source]
    cause: std::io::Error,
}

impl WriteError {
    /// Writing `path` failed.
    #[must_use]
    pub fn new(path: &Path, cause: std::io::Error) -> Self {
        Self { path: path.to_owned(), cause }
    }
}

impl miette::Diagnostic for WriteError {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(Code::OutputUnwritable))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new("choose another place, or make the folder writable for your user"))
    }
}
