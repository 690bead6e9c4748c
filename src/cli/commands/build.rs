//! `dsvmc build`: projects → templates, parameter files and source maps on disk.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::report::finish;
use crate::deploy::error::CommandError;
use crate::driver::{self, Compilation, Options, Project, Purpose, Stop, shown};
use crate::render::{Found, source_map};
use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_emit::Artifacts;
use dsvm_files::Readers;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file with the template.
const TEMPLATE: &str = "template.json";

/// The command line arguments of `build`.
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
    /// Rejected with the reason: a build contains only the values of the envs
    #[arg(long, hide = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Rejected for the same reason as `set`
    #[arg(long, short = 'p', hide = true, value_name = "@FILE")]
    parameters: Vec<String>,
    /// Rejected with the reason: a build is for all envs
    #[arg(long, short = 'e', hide = true, value_name = "ENV")]
    env: Vec<String>,
    /// Print the template of a single project instead of writing files
    #[arg(long, conflicts_with = "out")]
    pub stdout: bool,
}

/// The files of a project that are written.
struct Built {
    project: Project,
    name: Arc<str>,
    sources: SourceMap,
    diagnostics: Vec<Diagnostic>,
    /// Path below the project's folder, text.
    files: Vec<(PathBuf, String)>,
}

/// Runs `dsvmc build` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    if !args.set.is_empty() || !args.parameters.is_empty() {
        let option = if args.set.is_empty() { "--parameters" } else { "--set" };
        let error = CommandError::input(
            Code::ParameterUnusable,
            format!(
                "`build` takes no `{option}`: it writes a parameter file for each env, with the env's values alone"
            ),
            "give the value when you deploy, to `plan` and `apply` or to `az deployment group create --parameters`",
        );
        return finish(Err(error), &mut cx.printer);
    }
    if let Some(env) = args.env.first() {
        let error = CommandError::input(
            Code::ParameterUnusable,
            "`build` takes no `--env`: it writes a parameter file for each env".to_owned(),
            format!("leave it out, and deploy with `parameters.{env}.json`"),
        );
        return finish(Err(error), &mut cx.printer);
    }
    let options = Options { stop: Stop::AfterEmission };
    let all = driver::compile_each(cx.world.as_ref(), &args.paths, options, built)?;
    let found: Vec<Found<'_>> = all.iter().map(|one| (&one.sources, one.diagnostics.as_slice())).collect();
    let exit = cx.report_all(&found)?;
    if exit != Exit::Done {
        return Ok(exit);
    }
    if args.stdout {
        for (path, text) in all.iter().flat_map(|one| &one.files) {
            if path.file_name().is_some_and(|name| name == TEMPLATE) {
                cx.printer.json(text)?;
            }
        }
    } else {
        let folders = folders(&all);
        all.par_iter().zip(&folders).try_for_each(|(one, folder)| write(&one.files, (&args.out, folder)))?;
        if cx.format == Format::Human {
            for (one, folder) in all.iter().zip(&folders) {
                cx.printer.note(&format!("{}: {} files\n", shown(&args.out.join(folder)), one.files.len()));
            }
        }
    }
    Ok(Exit::Done)
}

/// A folder for each project: by its name, or by its path where two projects have the same name.
fn folders(all: &[Built]) -> Vec<PathBuf> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for one in all {
        *names.entry(one.name.to_lowercase()).or_default() += 1;
    }
    let folder = |one: &Built| {
        let unique = names.get(&one.name.to_lowercase()) == Some(&1);
        let path = one.project.path.with_extension("");
        let plain: PathBuf = path.components().filter(|c| matches!(c, std::path::Component::Normal(_))).collect();
        if unique { PathBuf::from(&*one.name) } else { plain }
    };
    all.iter().map(folder).collect()
}

/// Turns what was compiled into text; nothing else of it is kept.
fn built(one: &mut Compilation) -> Built {
    one.require_project(Purpose::Deploy);
    let files = one.artifacts.take().map(|artifacts| texts(artifacts, &one.sources)).unwrap_or_default();
    Built {
        project: one.project.clone(),
        name: one.name.clone(),
        sources: std::mem::take(&mut one.sources),
        diagnostics: std::mem::take(&mut one.diagnostics),
        files,
    }
}

fn texts(artifacts: Artifacts, sources: &SourceMap) -> Vec<(PathBuf, String)> {
    let alone = artifacts.deployments.len() == 1;
    let deployments: Vec<Vec<(PathBuf, String)>> = artifacts
        .deployments
        .into_par_iter()
        .enumerate()
        .map(|(index, deployment)| {
            // The number gives the order of deployment.
            let numbered = || PathBuf::from(format!("{:02}-{}", index + 1, deployment.name));
            let folder = if alone { PathBuf::new() } else { numbered() };
            let mut files = vec![(folder.join(TEMPLATE), deployment.template.pretty())];
            for (env, parameters) in &deployment.parameters {
                let name = if env.is_empty() { "parameters.json".to_owned() } else { format!("parameters.{env}.json") };
                files.push((folder.join(name), parameters.pretty()));
            }
            files.push((folder.join("sourcemap.json"), source_map::write(sources, &deployment.provenance)));
            files
        })
        .collect();
    let others = artifacts.files.into_iter().map(|(path, text)| (PathBuf::from(path), text));
    deployments.into_iter().flatten().chain(others).collect()
}

/// Writes the files of a project. The folder may be new, or hold what an earlier build wrote; files that something else
/// made are left as they are, and nothing is written then.
fn write(files: &[(PathBuf, String)], (out, below): (&Path, &Path)) -> Result<(), WriteError> {
    let mut ours = true;
    let mut there = Vec::new();
    for (path, text) in files {
        let place = out.join(below).join(path);
        dsvm_files::expect_regular(&place).map_err(|cause| WriteError::new(&place, cause))?;
        if let Ok(before) = std::fs::read(&place) {
            ours &= path.file_name().is_none_or(|name| name != TEMPLATE) || is_built(&before);
            if before != text.as_bytes() {
                there.push((place, path));
            }
        }
    }
    // A folder is known by its templates; the other files say nothing about who wrote them.
    let templates = files.iter().filter(|(path, _)| path.file_name().is_some_and(|name| name == TEMPLATE));
    let known = ours && templates.clone().any(|(path, _)| out.join(below).join(path).exists());
    if let (false, Some((foreign, _))) = (known, there.first()) {
        return Err(WriteError::foreign(foreign));
    }
    let folders: BTreeSet<PathBuf> =
        files.iter().filter_map(|(path, _)| Some(below.join(path).parent()?.to_owned())).collect();
    for folder in folders {
        dsvm_files::folder(out, &folder).map_err(|cause| WriteError::new(&out.join(&folder), cause))?;
    }
    files.par_iter().try_for_each(|(path, text)| {
        let path = out.join(below).join(path);
        dsvm_files::replace(&path, text.as_bytes(), Readers::Usual).map_err(|cause| WriteError::new(&path, cause))
    })
}

/// Whether a template was written by `build`.
fn is_built(template: &[u8]) -> bool {
    let json: Option<Value> = serde_json::from_slice(template).ok();
    json.is_some_and(|json| json.pointer("/metadata/dsvmc").is_some())
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
    /// The error for a file of somebody else where one is to be written.
    fn foreign(path: &Path) -> Self {
        let why = "a file is there that `dsvmc build` did not write";
        Self::new(path, std::io::Error::new(std::io::ErrorKind::AlreadyExists, why))
    }

    /// The error for a `path` that cannot be written because of `cause`.
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
        Some(Box::new(match self.cause.kind() {
            std::io::ErrorKind::AlreadyExists => "choose another place with `--out`, or move the file away",
            std::io::ErrorKind::InvalidInput => "choose another place, or remove what is there",
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "make room on the disk",
            _ => "choose another place, or make the folder writable for your user",
        }))
    }
}
