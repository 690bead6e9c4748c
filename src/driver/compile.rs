//! One project through all stages; many projects in parallel.

use super::find::{Project, projects};
use super::given::GivenValue;
use super::lint::Advice;
use super::prices::{LazyPrices, prices_of};
use super::simulate::{Candidate, candidates};
use super::{LoadError, World, diags, load};
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use dsvm_diagnostics::{Code, Diagnostic, Severity, Sink};
use dsvm_emit::{Artifacts, Bodies};
use dsvm_prices::Prices;
use dsvm_sema::checked::{Checked, Clean, ExemptFinding};
use dsvm_sema::rules::TeamRule;
use dsvm_sema::testing::{Evaluated, Expectation, Expected, TestCase};
use dsvm_sema::{Choice, Program, report};
use dsvm_syntax::ast::Expr;
use jiff::civil::Date;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How far a compilation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After all checks; nothing is emitted.
    AfterChecks,
    /// After templates and parameter files are emitted.
    AfterEmission,
}

/// What sources are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Mistakes are looked for, and nothing is written; the sources may be a library.
    Check,
    /// To deploy them, now or later.
    Deploy,
}

/// What a compilation depends on besides the files.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The last stage to run.
    pub stop: Stop,
}

/// The results of one project.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// Path and files of the project.
    pub project: Project,
    /// Name as declared; without a declaration, the name of its folder or file.
    pub name: Arc<str>,
    /// Every file that was read.
    pub sources: SourceMap,
    /// Diagnostics of all stages, sorted by position.
    pub diagnostics: Vec<Diagnostic>,
    /// Names of its envs, in source order.
    pub envs: Vec<Arc<str>>,
    /// Whether its files declare a project, and whether they export something.
    pub declares: (bool, bool),
    /// The symbolic program; only when it was emitted.
    pub checked: Option<Checked>,
    /// Templates and parameter files; only when they were asked for and nothing was wrong.
    pub artifacts: Option<Artifacts>,
    /// What lint rules found, sorted by position; only when they were asked, and nothing was wrong.
    pub advice: Vec<Diagnostic>,
    /// The team's own rules that hold for it.
    pub team_rules: Vec<TeamRule>,
    /// What breaks one of them and is allowed by a comment.
    pub exempt: Vec<ExemptFinding>,
    /// Sizes that were chosen by price, in the order of the source.
    pub choices: Vec<Choice>,
}

/// The parsed sources and the program of each env: what a compilation computed on the way and its results no longer need.
type Intermediates = (Program, Vec<EnvRun>);

impl Compilation {
    /// Whether any diagnostic is an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// Reports sources without a `project`, and withdraws what was emitted for them: a file that is empty or was cut must
    /// never look like a project without resources. Files that are only checked may be a library of what they export.
    pub fn require_project(&mut self, purpose: Purpose) {
        let (project, exports) = self.declares;
        if project || self.failed() || exports && purpose == Purpose::Check {
            return;
        }
        self.artifacts = None;
        if let Some((source, file)) = self.sources.iter().next() {
            let line = file.text.lines().next().unwrap_or_default().len() as u32;
            self.diagnostics.push(diags::no_project(source, line, &self.project.path, exports));
        }
    }
}

/// Compiles every project at or below the given paths, in the order of their paths. `then` takes what it needs out of
/// each as soon as it is done and the rest is freed, so that a tree needs little more memory than its largest projects.
///
/// # Errors
/// A path cannot be read, or no project is below it.
pub fn compile_each<T: Send>(
    world: &dyn World,
    paths: &[PathBuf],
    options: Options,
    then: impl Fn(&mut Compilation) -> T + Sync,
) -> Result<Vec<T>, LoadError> {
    let found = projects(world, paths)?;
    match found.as_slice() {
        // Not worth a thread of its own.
        [one] => {
            let (mut done, intermediates) = compile_project(world, one, options, None)?;
            let taken = then(&mut done);
            leak((done, intermediates));
            Ok(vec![taken])
        }
        many => {
            many.par_iter().map(|project| Ok(then(&mut compile_project(world, project, options, None)?.0))).collect()
        }
    }
}

/// Leaves a value to the end of the process, which follows at once, instead of freeing its nodes one by one
/// (`docs/decisions/020-speed.md`): `check` of one project of 1,000 pools takes 37 ms instead of 45. The only place that
/// leaks on purpose.
fn leak<T>(value: T) {
    std::mem::forget(value);
}

/// Compiles the one project at a path: a file, or the folder of a project.
///
/// # Errors
/// The path cannot be read, or there is not exactly one project.
pub fn compile(world: &dyn World, path: &Path, options: Options) -> Result<Compilation, LoadError> {
    Ok(compile_project(world, &the_one(world, path)?, options, None)?.0)
}

/// Checks a project that was found before.
///
/// # Errors
/// A file cannot be read.
pub fn check(world: &dyn World, project: &Project) -> Result<Compilation, LoadError> {
    Ok(compile_project(world, project, Options { stop: Stop::AfterChecks }, None)?.0)
}

/// Compiles a project that was found before to templates.
///
/// # Errors
/// A file cannot be read.
pub fn build(world: &dyn World, project: &Project) -> Result<Compilation, LoadError> {
    Ok(compile_project(world, project, Options { stop: Stop::AfterEmission }, None)?.0)
}

/// Checks the one project at a path with values given at deployment, as if its env had set them; `""` is
/// the env of projects that declare none. Nothing is emitted.
pub fn check_given(world: &dyn World, path: &Path, env: &str, values: &[GivenValue]) -> Result<Compilation, LoadError> {
    let project = the_one(world, path)?;
    Ok(compile_project(world, &project, Options { stop: Stop::AfterChecks }, Some((env, values)))?.0)
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

/// The program of a project, its sources, and what was wrong with them.
pub(super) struct Loaded {
    pub(super) program: Program,
    pub(super) sources: SourceMap,
    pub(super) sink: Sink,
}

/// Reads a project; its own files are `files`.
pub(super) fn load_project(world: &dyn World, project: &Project, files: &[PathBuf]) -> Result<Loaded, LoadError> {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let mut roots = Vec::with_capacity(files.len());
    for path in files {
        let (text, broken) = load::decode(world.read_own(path)?);
        let source = sources.add(SourceFile::new(load::shown(path), text));
        if let Some(at) = broken {
            sink.push(diags::not_utf8(source, at));
        }
        roots.push(source);
    }
    let mut read = |path: &str| world.read_import(Path::new(path), project.folder()).map(|bytes| load::decode(bytes).0);
    let mut program = dsvm_sema::load(&roots, &mut sources, &mut read, &mut sink);
    // Most projects choose no size by price: their price file is not read.
    if sources.iter().any(|(_, file)| file.text.contains("cheapest")) {
        program.set_prices(prices_of(world, project.folder()).ok());
    }
    let imported: Vec<String> = sources.iter().map(|(_, file)| file.name.to_string()).collect();
    for path in
        project.beside.iter().filter(|path| !imported.contains(&dsvm_sema::load::plain_path(&load::shown(path))))
    {
        let text = load::decode(world.read_own(path)?).0;
        let first = text.lines().next().unwrap_or_default().len() as u32;
        let source = sources.add(SourceFile::new(load::shown(path), text));
        sink.push(diags::file_ignored(source, first, path));
    }
    Ok(Loaded { program, sources, sink })
}

fn compile_project(
    world: &dyn World,
    project: &Project,
    options: Options,
    given: Option<(&str, &[GivenValue])>,
) -> Result<(Compilation, Intermediates), LoadError> {
    let Loaded { mut program, mut sources, sink } = load_project(world, project, &project.files)?;
    if let Some((env, values)) = given {
        super::given::give(&mut program, &mut sources, env, values);
    }
    Ok(compile_loaded(Loaded { program, sources, sink }, project, world, world.today(), options, Guests::default()))
}

/// What looks at each run of a project, symbolic or of an env, as long as no error was found in it.
pub(super) type Look<'l> = dyn Fn(&dsvm_lint::Subject<'_, '_>) + Sync + 'l;

/// Who is shown the fleets and graphs of a project besides its own checks.
#[derive(Clone, Copy, Default)]
struct Guests<'g> {
    advice: Option<&'g Advice<'g>>,
    look: Option<&'g Look<'g>>,
}

/// Checks a project, and shows each of its runs. Nothing is emitted.
pub(super) fn check_shown(world: &dyn World, project: &Project, look: &Look<'_>) -> Result<Compilation, LoadError> {
    let loaded = load_project(world, project, &project.files)?;
    let guests = Guests { look: Some(look), ..Guests::default() };
    Ok(compile_loaded(loaded, project, world, world.today(), Options { stop: Stop::AfterChecks }, guests).0)
}

/// Checks a project, and asks lint rules about it when nothing is wrong. Nothing is emitted.
pub(super) fn check_with(world: &dyn World, project: &Project, advice: &Advice<'_>) -> Result<Compilation, LoadError> {
    let loaded = load_project(world, project, &project.files)?;
    let options = Options { stop: Stop::AfterChecks };
    let guests = Guests { advice: Some(advice), ..Guests::default() };
    Ok(compile_loaded(loaded, project, world, world.today(), options, guests).0)
}

/// All stages after the sources were read; lint rules are asked when nothing is wrong.
fn compile_loaded(
    loaded: Loaded,
    project: &Project,
    world: &dyn World,
    as_of: Date,
    options: Options,
    guests: Guests<'_>,
) -> (Compilation, Intermediates) {
    let Loaded { program, sources, mut sink } = loaded;
    let team_rules = dsvm_sema::rules::declared(&program);
    let taken = team_rules.iter().filter(|rule| dsvm_lint::rule_named(&rule.name).is_some());
    sink.extend(taken.map(|rule| diags::name_of_lint_rule(&rule.name, rule.span)));
    let kept = options.stop == Stop::AfterEmission || guests.advice.is_some() || guests.look.is_some();
    let bodies = if kept { Bodies::Kept } else { Bodies::Freed };
    let prices = LazyPrices::new(world, project.folder());
    let mut runs = dsvm_sema::check_each(&program, &mut sink, |checked, fine| {
        EnvRun::new(checked, fine.then_some((bodies, as_of)), guests, &prices)
    });
    let artifacts = if sink.has_errors() { None } else { finish(&mut runs, as_of, options, &mut sink) };
    let advice = if sink.has_errors() { Vec::new() } else { advice(&mut runs) };
    let mut exempt: Vec<ExemptFinding> = Vec::new();
    for one in runs.iter_mut().flat_map(|run| std::mem::take(&mut run.checked.exempt)) {
        let place = |one: &ExemptFinding| (one.diagnostic.rule.clone(), one.diagnostic.primary());
        if !exempt.iter().any(|known| place(known) == place(&one)) {
            exempt.push(one);
        }
    }
    let mut choices: Vec<Choice> = Vec::new();
    for one in runs.iter_mut().flat_map(|run| std::mem::take(&mut run.checked.choices)) {
        if !choices.contains(&one) {
            choices.push(one);
        }
    }
    choices.sort_by_key(|one| (one.span.source, one.span.start));
    let envs = program.envs().cloned().collect();
    let declared = runs.first().and_then(|run| run.checked.project.map(|id| run.checked[id].name.clone()));
    let declared = declared.filter(|name| !name.is_empty());
    let symbolic = runs.first_mut().filter(|_| options.stop == Stop::AfterEmission);
    let checked = symbolic.map(|run| std::mem::take(&mut run.checked));
    let mut diagnostics = without_doubtful(sink.finish());
    super::formula::narrow(&sources, &mut diagnostics);
    let compilation = Compilation {
        name: declared.unwrap_or_else(|| project.fallback_name().into()),
        project: project.clone(),
        sources,
        diagnostics,
        envs,
        declares: (program.declares_project(), program.exports()),
        checked,
        artifacts,
        advice,
        team_rules,
        exempt,
        choices,
    };
    (compilation, (program, runs))
}

/// What one group of tests needs: the project as it is with the values that they give, and their expressions evaluated.
pub struct TestGround {
    /// The project with these values.
    pub compilation: Compilation,
    /// The env whose values count; empty when the project has none.
    pub env: String,
    /// The envs that the project declares; one that is made for given values is not among them.
    pub declared: Vec<String>,
    /// A value for each expression.
    pub values: Vec<Evaluated>,
    /// What is wrong with the expressions.
    pub findings: Vec<Diagnostic>,
    /// Its pools as the simulator takes them; none when no test simulates, or when the project has errors.
    pub pools: Vec<Candidate>,
}

/// The tests of a project: those in its own files and those in its files of tests.
///
/// # Errors
/// A file cannot be read.
pub fn test_cases(
    world: &dyn World,
    project: &Project,
) -> Result<(SourceMap, Vec<TestCase>, Vec<Diagnostic>), LoadError> {
    let mut loaded = load_project(world, project, &with_tests(world, project))?;
    let cases = dsvm_sema::testing::cases(&loaded.program, &mut loaded.sink);
    Ok((loaded.sources, cases, loaded.sink.finish()))
}

fn with_tests(world: &dyn World, project: &Project) -> Vec<PathBuf> {
    let there = project.tests.iter().filter(|path| world.kind(path).is_ok());
    project.files.iter().chain(there).cloned().collect()
}

/// Compiles a project for tests that share an env, given values and a day. `cases` are such tests; the expressions of all
/// their expectations are evaluated, in order.
///
/// # Errors
/// A file cannot be read.
pub fn test_ground(world: &dyn World, project: &Project, cases: &[&TestCase]) -> Result<TestGround, LoadError> {
    let mut loaded = load_project(world, project, &with_tests(world, project))?;
    let first = cases.first();
    let wanted = first.and_then(|case| case.env.as_ref()).map(|env| env.value.to_string());
    let declared: Vec<String> = loaded.program.envs().map(ToString::to_string).collect();
    let only = declared.first().filter(|_| declared.len() == 1).cloned();
    let mut env = wanted.or(only).unwrap_or_default();
    let given = first.map(|case| case.given.as_slice()).unwrap_or_default();
    // Whoever runs the tests tells which env is missing.
    if !given.is_empty() && (declared.contains(&env) || declared.is_empty() && env.is_empty()) {
        env = loaded.program.override_env(&env, given).to_string();
    }
    let as_of = first.and_then(|case| case.as_of).unwrap_or_else(|| world.today());
    let simulates = |case: &&TestCase| {
        case.expectations.iter().any(|expectation| matches!(expectation.kind, Expected::Simulation { .. }))
    };
    let pools: Mutex<Vec<Candidate>> = Mutex::default();
    let keep = |subject: &dsvm_lint::Subject<'_, '_>| {
        if subject.checked.env.as_deref() == Some(&env) {
            *pools.lock().unwrap_or_else(PoisonError::into_inner) =
                candidates(subject, &Prices::default(), None, None, None);
        }
    };
    let look: &Look<'_> = &keep;
    let guests = Guests { look: cases.iter().any(simulates).then_some(look), ..Guests::default() };
    let (compilation, (program, _)) =
        compile_loaded(loaded, project, world, as_of, Options { stop: Stop::AfterEmission }, guests);
    let expressions: Vec<&Expr> =
        cases.iter().flat_map(|case| case.expectations.iter().flat_map(expressions)).collect();
    let mut sink = Sink::default();
    let values = dsvm_sema::testing::evaluate(&program, &env, &expressions, &mut sink);
    let pools = pools.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(TestGround { compilation, env, declared, values, findings: sink.finish(), pools })
}

/// The expressions of an expectation, in order.
pub fn expressions(expectation: &Expectation) -> impl Iterator<Item = &Expr> {
    let (one, many): (Option<&Expr>, &[(_, Expr)]) = match &expectation.kind {
        Expected::Value(expr) => (Some(expr), &[]),
        Expected::Resources { properties, .. } => (None, properties),
        Expected::Outputs(fields) | Expected::Plan(fields) | Expected::Simulation { numbers: fields, .. } => {
            (None, fields)
        }
        Expected::Diagnostic { .. } => (None, &[]),
    };
    one.into_iter().chain(many.iter().map(|(_, expr)| expr))
}

/// After a syntax error only errors are reported: what seems unused may be used in the part that could not be parsed.
/// After any error nothing is reported as unused, and an invalid range of machines causes no further diagnostics.
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

/// One evaluation of the program, symbolic or for one env, with the findings of model, graph and limits.
struct EnvRun {
    checked: Checked,
    /// Whether the program has no errors.
    fine: bool,
    sink: Sink,
    /// Of the symbolic run only; and whether the checks could find more once parameters have values.
    graph: Option<(dsvm_graph::ResourceGraph, bool)>,
    /// Files of first jobs; of the symbolic run only.
    jobs: Vec<(String, String)>,
    /// What lint rules found.
    advice: Vec<Diagnostic>,
}

impl EnvRun {
    /// The rules of the model are checked in every run. The checks of the graph seldom depend on a parameter, so the
    /// graphs of the envs wait for the result of the symbolic one.
    fn new(checked: Checked, go_on: Option<(Bodies, Date)>, guests: Guests<'_>, prices: &LazyPrices<'_>) -> Self {
        let fine = go_on.is_some();
        let mut run = Self { checked, fine, sink: Sink::default(), graph: None, jobs: Vec::new(), advice: Vec::new() };
        let Some((bodies, as_of)) = go_on else { return run };
        let checked = &run.checked;
        let budget = super::cost::has_budget(checked) || prices.limits_tags();
        let bodies = if budget { Bodies::Kept } else { bodies };
        let fleet = dsvm_model::build(checked, as_of, &mut run.sink);
        if checked.env.is_none() {
            run.graph = Some(dsvm_emit::check(&fleet, checked, bodies, &mut run.sink));
            let names: Vec<&str> = checked.envs.iter().map(|env| env.name.as_ref()).collect();
            run.jobs = dsvm_emit::jobs::files(&fleet, &names);
        }
        if (guests.advice.is_some() || guests.look.is_some() || budget) && !run.sink.has_errors() {
            // What is wrong with the graph of an env is told elsewhere.
            let own = match &run.graph {
                Some(_) => None,
                None => Some(dsvm_emit::check(&fleet, checked, bodies, &mut Sink::default()).0),
            };
            if let Some(graph) = own.as_ref().or(run.graph.as_ref().map(|(graph, _)| graph)) {
                let subject = dsvm_lint::Subject { fleet: &fleet, graph, checked, as_of };
                run.advice = guests.advice.map(|advice| advice.ask(&subject)).unwrap_or_default();
                if let Some(look) = guests.look {
                    look(&subject);
                }
                if budget {
                    run.sink.extend(super::cost::budget(&subject, prices));
                }
            }
        }
        run
    }

    /// Adds the findings of the graph of an env; those of its model are known already.
    fn check_graph(&mut self, as_of: Date) {
        let fleet = dsvm_model::build(&self.checked, as_of, &mut Sink::default());
        let _ = dsvm_emit::check(&fleet, &self.checked, Bodies::Freed, &mut self.sink);
    }
}

/// Merges what lint rules found in all runs.
fn advice(runs: &mut [EnvRun]) -> Vec<Diagnostic> {
    let Some((symbolic, envs)) = runs.split_first_mut() else { return Vec::new() };
    let of_envs =
        envs.iter_mut().map(|run| (run.checked.env.clone().unwrap_or_default(), std::mem::take(&mut run.advice)));
    let mut sink = Sink::default();
    sink.extend(report::merge(std::mem::take(&mut symbolic.advice), of_envs.collect()));
    sink.finish()
}

/// Merges the findings of all runs; then, if there are no errors and it is requested, emits.
fn finish(runs: &mut [EnvRun], as_of: Date, options: Options, sink: &mut Sink) -> Option<Artifacts> {
    if runs.iter().any(|run| !run.fine) {
        return None;
    }
    let (symbolic, envs) = runs.split_first_mut()?;
    if symbolic.graph.as_ref()?.1 {
        envs.par_iter_mut().for_each(|run| run.check_graph(as_of));
    }
    let found = |run: &mut EnvRun| std::mem::take(&mut run.sink).finish();
    let own = found(symbolic);
    let of_envs = envs.iter_mut().map(|run| (run.checked.env.clone().unwrap_or_default(), found(run))).collect();
    sink.extend(report::merge(own, of_envs));
    if options.stop == Stop::AfterChecks {
        return None;
    }
    let (graph, _) = symbolic.graph.take()?;
    let mut artifacts = dsvm_emit::emit(Clean::new(graph, sink)?, &symbolic.checked, sink);
    artifacts.files = std::mem::take(&mut symbolic.jobs);
    (!sink.has_errors()).then_some(artifacts)
}
