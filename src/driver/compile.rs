//! One project through all stages; many projects in parallel.

use super::find::{Project, projects};
use super::{LoadError, World, diags, load};
use crate::diagnostics::{Code, Diagnostic, Severity, Sink};
use crate::emit::{self, Artifacts};
use crate::sema::checked::{Checked, Clean};
use crate::sema::{self, report};
use crate::source::{SourceFile, SourceMap};
use crate::{graph, model};
use jiff::civil::Date;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After all checks; nothing is emitted.
    AfterChecks,
    /// After templates and parameter files are made.
    AfterEmission,
}

/// What a compilation depends on besides the files.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How far to go.
    pub stop: Stop,
}

/// The results of one project.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// Where it is.
    pub project: Project,
    /// Its name as declared; the name of its folder or file when it declares none.
    pub name: Arc<str>,
    /// Every file that was read.
    pub sources: SourceMap,
    /// Sorted findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Names of its envs, in source order.
    pub envs: Vec<Arc<str>>,
    /// The symbolic program; only when it was emitted.
    pub checked: Option<Checked>,
    /// Templates and parameter files; only when they were asked for and nothing was wrong.
    pub artifacts: Option<Artifacts>,
}

impl Compilation {
    /// Whether an error was found.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Compiles every project at or below the given paths, in the order of their paths.
pub fn compile_all(world: &dyn World, paths: &[PathBuf], options: Options) -> Result<Vec<Compilation>, LoadError> {
    let found = projects(world, paths)?;
    match found.as_slice() {
        // Worth no thread of its own.
        [one] => Ok(vec![compile_project(world, one, options)?]),
        many => many.par_iter().map(|project| compile_project(world, project, options)).collect(),
    }
}

/// Compiles the one project at a path: a file, or the folder of a project.
pub fn compile(world: &dyn World, path: &Path, options: Options) -> Result<Compilation, LoadError> {
    let found = projects(world, &[path.to_owned()])?;
    match found.as_slice() {
        [one] => compile_project(world, one, options),
        _ => Err(LoadError::SeveralProjects {
            path: path.to_owned(),
            projects: found.iter().map(|p| load::shown(&p.path)).collect(),
        }),
    }
}

fn compile_project(world: &dyn World, project: &Project, options: Options) -> Result<Compilation, LoadError> {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let mut roots = Vec::with_capacity(project.files.len());
    for path in &project.files {
        let (text, broken) = load::decode(world.read(path)?);
        let source = sources.add(SourceFile::new(load::shown(path), text));
        if let Some(at) = broken {
            sink.push(diags::not_utf8(source, at));
        }
        roots.push(source);
    }
    let mut read = |path: &str| world.read(Path::new(path)).ok().map(|bytes| load::decode(bytes).0);
    let program = sema::load(&roots, &mut sources, &mut read, &mut sink);
    let imported: Vec<String> = sources.iter().map(|(_, file)| file.name.to_string()).collect();
    for path in project.beside.iter().filter(|path| !imported.contains(&load::shown(path))) {
        let text = load::decode(world.read(path)?).0;
        let first = text.lines().next().unwrap_or_default().len() as u32;
        let source = sources.add(SourceFile::new(load::shown(path), text));
        sink.push(diags::file_ignored(source, first, path));
    }
    let mut results = sema::check_all(&program, &mut sink);
    let artifacts = if sink.has_errors() { None } else { stages(&results, world.today(), options, &mut sink) };
    let envs = program.envs().cloned().collect();
    let symbolic = if results.is_empty() { Checked::default() } else { results.swap_remove(0) };
    let declared = symbolic.project.map(|id| symbolic[id].name.clone()).filter(|name| !name.is_empty());
    let mut diagnostics = without_doubtful(sink.finish());
    super::formula::narrow(&sources, &mut diagnostics);
    Ok(Compilation {
        name: declared.unwrap_or_else(|| project.fallback_name().into()),
        project: project.clone(),
        sources,
        diagnostics,
        envs,
        checked: (options.stop == Stop::AfterEmission).then_some(symbolic),
        artifacts,
    })
}

/// After a syntax error only errors are told: what seems unused may be used in the part that could not be read. After
/// any error nothing is called unused, and a number of machines that contradicts itself is not judged further.
fn without_doubtful(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        diagnostics.retain(|d| d.code != Code::Unused);
    }
    let refused: Vec<_> =
        diagnostics.iter().filter(|d| d.code == Code::MachinesRangeRefused).filter_map(Diagnostic::primary).collect();
    diagnostics.retain(|d| {
        d.code == Code::MachinesRangeRefused || !d.labels.iter().any(|label| refused.contains(&label.span))
    });
    if diagnostics.iter().any(|d| d.code < Code::UnknownName && d.severity == Severity::Error) {
        diagnostics.retain(|d| d.severity == Severity::Error);
    }
    diagnostics
}

/// Model, graph and limits, symbolically and for each env; then, if nothing is wrong and it is wanted, emission.
fn stages(results: &[Checked], as_of: Date, options: Options, sink: &mut Sink) -> Option<Artifacts> {
    let (symbolic, envs) = results.split_first()?;
    let mut own = Sink::default();
    let fleet = model::build(symbolic, as_of, &mut own);
    let graph = graph::build(&fleet, symbolic, &mut own);
    emit::check(&graph, symbolic, &mut own);
    // What the graph's checks look at seldom depends on a parameter; the rules of the model nearly always do.
    let graphs = emit::depends_on_values(&graph, symbolic);
    let found = envs
        .par_iter()
        .map(|checked| {
            let mut own = Sink::default();
            let fleet = model::build(checked, as_of, &mut own);
            if graphs {
                let graph = graph::build(&fleet, checked, &mut own);
                emit::check(&graph, checked, &mut own);
            }
            (checked.env.clone().unwrap_or_default(), own.finish())
        })
        .collect();
    sink.extend(report::merge(own.finish(), found));
    if options.stop == Stop::AfterChecks {
        return None;
    }
    let clean = Clean::new(graph, sink)?;
    let mut artifacts = emit::emit(&clean, symbolic, sink);
    let names: Vec<&str> =
        envs.iter().filter_map(|checked| checked.env.as_deref()).filter(|env| !env.is_empty()).collect();
    artifacts.files = emit::jobs::files(&fleet, &names);
    (!sink.has_errors()).then_some(artifacts)
}
