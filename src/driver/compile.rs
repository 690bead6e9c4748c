//! One project through all stages; many projects in parallel.

use super::find::{Project, projects};
use super::given::GivenValue;
use super::{LoadError, World, diags, load};
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use dsvm_diagnostics::{Code, Diagnostic, Severity, Sink};
use dsvm_emit::{Artifacts, Bodies};
use dsvm_sema::checked::{Checked, Clean};
use dsvm_sema::report;
use jiff::civil::Date;
use rayon::prelude::*;
use std::any::Any;
use std::fmt;
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
    /// What was made on the way and nobody needs any more.
    remains: Remains,
}

/// Syntax trees and evaluated programs, kept only so that they need not be given back one by one.
#[derive(Clone, Default)]
struct Remains(#[expect(dead_code, reason = "held, never read")] Option<Arc<dyn Any + Send + Sync>>);

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remains")
    }
}

impl Compilation {
    /// Whether an error was found.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Compiles every project at or below the given paths, in the order of their paths. `then` takes what it needs out of
/// each as soon as it is done; what it leaves is given back, so that a tree needs little more memory than its largest
/// projects. What is left of one single project stays until the process ends: it is about to, and giving a large
/// project back piece by piece takes longer than compiling a small one.
pub fn compile_each<T: Send>(
    world: &dyn World,
    paths: &[PathBuf],
    options: Options,
    then: impl Fn(&mut Compilation) -> T + Sync,
) -> Result<Vec<T>, LoadError> {
    let found = projects(world, paths)?;
    match found.as_slice() {
        // Worth no thread of its own.
        [one] => {
            let mut done = compile_project(world, one, options, None)?;
            let taken = then(&mut done);
            std::mem::forget(done);
            Ok(vec![taken])
        }
        many => many.par_iter().map(|project| Ok(then(&mut compile_project(world, project, options, None)?))).collect(),
    }
}

/// Compiles the one project at a path: a file, or the folder of a project.
pub fn compile(world: &dyn World, path: &Path, options: Options) -> Result<Compilation, LoadError> {
    let mut done = compile_project(world, &the_one(world, path)?, options, None)?;
    done.remains = Remains::default();
    Ok(done)
}

/// Checks the one project at a path with values that somebody gives at deployment, as if its env had set them; `""` is
/// the env of projects that declare none. Nothing is emitted.
pub fn check_given(world: &dyn World, path: &Path, env: &str, values: &[GivenValue]) -> Result<Compilation, LoadError> {
    let project = the_one(world, path)?;
    compile_project(world, &project, Options { stop: Stop::AfterChecks }, Some((env, values)))
}

fn the_one(world: &dyn World, path: &Path) -> Result<Project, LoadError> {
    let mut found = projects(world, &[path.to_owned()])?;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (last, _) => Err(LoadError::SeveralProjects {
            path: path.to_owned(),
            projects: found.iter().chain(&last).map(|p| load::shown(&p.path)).collect(),
        }),
    }
}

fn compile_project(
    world: &dyn World,
    project: &Project,
    options: Options,
    given: Option<(&str, &[GivenValue])>,
) -> Result<Compilation, LoadError> {
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
    let mut program = dsvm_sema::load(&roots, &mut sources, &mut read, &mut sink);
    let imported: Vec<String> = sources.iter().map(|(_, file)| file.name.to_string()).collect();
    for path in
        project.beside.iter().filter(|path| !imported.contains(&dsvm_sema::load::plain_path(&load::shown(path))))
    {
        let text = load::decode(world.read(path)?).0;
        let first = text.lines().next().unwrap_or_default().len() as u32;
        let source = sources.add(SourceFile::new(load::shown(path), text));
        sink.push(diags::file_ignored(source, first, path));
    }
    if let Some((env, values)) = given {
        super::given::give(&mut program, &mut sources, env, values);
    }
    let as_of = world.today();
    let bodies = if options.stop == Stop::AfterEmission { Bodies::Kept } else { Bodies::Freed };
    let mut made =
        dsvm_sema::check_each(&program, &mut sink, |checked, fine| Made::new(checked, fine.then_some((bodies, as_of))));
    let artifacts = if sink.has_errors() { None } else { finish(&mut made, as_of, options, &mut sink) };
    let envs = program.envs().cloned().collect();
    let declared = made.first().and_then(|made| made.checked.project.map(|id| made.checked[id].name.clone()));
    let declared = declared.filter(|name| !name.is_empty());
    let symbolic = made.first_mut().filter(|_| options.stop == Stop::AfterEmission);
    let checked = symbolic.map(|made| std::mem::take(&mut made.checked));
    let mut diagnostics = without_doubtful(sink.finish());
    super::formula::narrow(&sources, &mut diagnostics);
    Ok(Compilation {
        name: declared.unwrap_or_else(|| project.fallback_name().into()),
        project: project.clone(),
        sources,
        diagnostics,
        envs,
        checked,
        artifacts,
        remains: Remains(Some(Arc::new((program, made)))),
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

/// One run: its program, and what model, graph and limits say of it.
struct Made {
    checked: Checked,
    /// Nothing was wrong with the program.
    fine: bool,
    sink: Sink,
    /// Of the symbolic run only; and whether its checks could find something else once parameters have values.
    graph: Option<(dsvm_graph::ResourceGraph, bool)>,
    /// First jobs, of the symbolic run.
    jobs: Vec<(String, String)>,
}

impl Made {
    /// The rules of the model look at every run. What the graph's checks look at seldom depends on a parameter, so that
    /// the envs' graphs wait for the symbolic one.
    fn new(checked: Checked, go_on: Option<(Bodies, Date)>) -> Self {
        let mut made = Self { checked, fine: go_on.is_some(), sink: Sink::default(), graph: None, jobs: Vec::new() };
        let Some((bodies, as_of)) = go_on else { return made };
        let checked = &made.checked;
        let fleet = dsvm_model::build(checked, as_of, &mut made.sink);
        if checked.env.is_none() {
            made.graph = Some(dsvm_emit::check(&fleet, checked, bodies, &mut made.sink));
            let names: Vec<&str> = checked.envs.iter().map(|env| env.name.as_ref()).collect();
            made.jobs = dsvm_emit::jobs::files(&fleet, &names);
        }
        made
    }

    /// Adds the checks of the graph of an env; what its model finds was found before.
    fn check_graph(&mut self, as_of: Date) {
        let fleet = dsvm_model::build(&self.checked, as_of, &mut Sink::default());
        let _ = dsvm_emit::check(&fleet, &self.checked, Bodies::Freed, &mut self.sink);
    }
}

/// Merges what all runs found; then, if nothing is wrong and it is wanted, emits.
fn finish(made: &mut [Made], as_of: Date, options: Options, sink: &mut Sink) -> Option<Artifacts> {
    if made.iter().any(|made| !made.fine) {
        return None;
    }
    let (symbolic, envs) = made.split_first_mut()?;
    if symbolic.graph.as_ref()?.1 {
        envs.par_iter_mut().for_each(|made| made.check_graph(as_of));
    }
    let found = |made: &mut Made| std::mem::take(&mut made.sink).finish();
    let own = found(symbolic);
    let of_envs = envs.iter_mut().map(|made| (made.checked.env.clone().unwrap_or_default(), found(made))).collect();
    sink.extend(report::merge(own, of_envs));
    if options.stop == Stop::AfterChecks {
        return None;
    }
    let (graph, _) = symbolic.graph.take()?;
    let mut artifacts = dsvm_emit::emit(Clean::new(graph, sink)?, &symbolic.checked, sink);
    artifacts.files = std::mem::take(&mut symbolic.jobs);
    (!sink.has_errors()).then_some(artifacts)
}
