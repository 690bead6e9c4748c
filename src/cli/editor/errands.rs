//! What an editor asks for and waits a moment for: templates, figures, plans and tests.

use crate::cli::commands::plan::title;
use crate::deploy::context::DeployContext;
use crate::deploy::error::{CommandError, FailureDetail};
use crate::deploy::frontend::Silent;
use crate::deploy::input::DeployInput;
use crate::deploy::load::from_compilation;
use crate::deploy::settings::Settings;
use crate::deploy::target::DeployTarget;
use crate::deploy::{plan as planning, session, snapshot, testing};
use crate::driver::{self, Compilation, LoadError, PoolFigures, Project, Purpose, World};
use crate::render::palette::Palette;
use crate::render::plan::Detail;
use crate::render::{plan as draw, snippet, source_map, tests as drawn};
use arm_apply::StateDir;
use dsvm_diagnostics::Severity;
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_lsp::{Deployed, Emitted, EmittedPart, Figure, Place, Told};
use std::path::{Path, PathBuf};

/// The types of deployments that stand for the resources in them.
const NESTED: &str = "Microsoft.Resources/deployments";

fn place(sources: &SourceMap, span: Span) -> Option<Place> {
    let path = PathBuf::from(&*sources.get(span.source)?.name);
    Some(Place { path, start: span.start, end: span.end })
}

fn failed(text: impl Into<String>) -> Told {
    Told { fine: false, text: text.into() }
}

/// Compiles a project to templates, and finds which line of them was made from what.
pub(super) fn emit(world: &dyn World, project: &Project) -> Emitted {
    let mut compiled = match driver::build(world, project) {
        Ok(compiled) => compiled,
        Err(error) => return Emitted { problem: Some(error.to_string()), ..Emitted::default() },
    };
    compiled.require_project(Purpose::Deploy);
    let envs = compiled.envs.iter().map(ToString::to_string).collect();
    let Some(artifacts) = compiled.artifacts.take() else {
        let errors = compiled.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
        let problem = Some(format!("the project has {}", dsvm_diagnostics::count(errors, "error")));
        return Emitted { sources: compiled.sources, envs, problem, parts: Vec::new() };
    };
    let sources = compiled.sources;
    let parts = artifacts.deployments.into_iter().map(|deployment| {
        let template = deployment.template.pretty();
        let lines = source_map::lines(&template);
        let mut map: Vec<(u32, u32, Place)> = deployment
            .provenance
            .iter()
            .filter_map(|(pointer, span)| {
                let (first, last) = *lines.get(pointer)?;
                Some((first, last, place(&sources, *span)?))
            })
            .collect();
        map.sort_by(|a, b| (a.0, b.1, &a.2).cmp(&(b.0, a.1, &b.2)));
        map.dedup();
        let parameters = deployment.parameters.iter().map(|(env, values)| (env.clone(), values.pretty())).collect();
        let value = deployment.template.into_value();
        let resources = deployment.provenance.iter().filter_map(|(pointer, span)| {
            let (list, index) = pointer.rsplit_once('/')?;
            let is_resource = list.ends_with("/resources") && index.bytes().all(|byte| byte.is_ascii_digit());
            let resource = value.pointer(pointer).filter(|_| is_resource)?;
            let text = |name: &str| resource.get(name)?.as_str().map(str::to_owned);
            let kind = text("type").filter(|kind| kind != NESTED)?;
            Some((kind, text("name").unwrap_or_default(), place(&sources, *span)?))
        });
        let resources = resources.collect();
        EmittedPart { name: deployment.name, template, parameters, map, resources }
    });
    let parts = parts.collect();
    Emitted { sources, parts, envs, problem: None }
}

/// The title of the section of a snapshot that lists parameters, which a deployment takes and does not make.
const PARAMETERS: &str = "Parameters";

/// What a project deploys with the values of each env, as text.
pub(super) fn deploys(world: &dyn World, project: &Project) -> Option<Deployed> {
    let mut compiled = driver::build(world, project).ok()?;
    compiled.require_project(Purpose::Deploy);
    let taken = snapshot::of_compilation(&compiled, None).ok()?;
    let mut resources = String::new();
    for mut one in taken {
        one.snapshot.sections.retain(|section| section.title != PARAMETERS);
        resources.push_str(&format!("{}\n{}", one.env, one.snapshot.text()));
    }
    let mut templates = String::new();
    for deployment in compiled.artifacts?.deployments {
        templates.push_str(&deployment.template.pretty());
        templates.extend(deployment.parameters.values().map(|values| values.pretty()));
    }
    Some(Deployed { templates, resources })
}

/// What evaluation says about pools, where it cannot be read in the sources.
pub(super) fn figures(world: &dyn World, project: &Project) -> Vec<Figure> {
    let Ok((sources, all)) = driver::figures(world, project) else { return Vec::new() };
    let mut found = Vec::new();
    for pool in all.chunk_by(|(one, _), (other, _)| one == other) {
        let each: Vec<&PoolFigures> = pool.iter().map(|(_, figures)| figures).collect();
        let mut put = |span: Option<Span>, label: String, detail: String| {
            if let Some(place) = span.and_then(|span| place(&sources, span)).filter(|_| !label.is_empty()) {
                found.push(Figure { place, label, detail });
            }
        };
        let Some(first) = each.first() else { continue };
        put(first.size_at, by_env(&each, |one| Some(one.size.clone())), String::new());
        put(
            first.machines_at,
            by_env(&each, most),
            "Over all machines, when the pool is as large as it can be.".to_owned(),
        );
        if let Some((at, kind, reason)) = first.derived {
            let detail = if reason.is_empty() { "Nothing asks for another kind of scale set." } else { reason };
            put(Some(at), format!("{kind} scale set"), detail.to_owned());
        }
    }
    found.sort();
    found.dedup();
    found
}

/// One text if all envs agree, else one for each: `prod: at most 40 machines · dev: at most 2 machines`.
fn by_env(each: &[&PoolFigures], text: impl Fn(&PoolFigures) -> Option<String>) -> String {
    let all: Vec<(&str, String)> = each.iter().filter_map(|one| Some((one.env.as_str(), text(one)?))).collect();
    match all.first() {
        Some((_, same)) if all.iter().all(|(_, other)| other == same) && all.len() == each.len() => same.clone(),
        _ => all.iter().map(|(env, text)| format!("{env}: {text}")).collect::<Vec<_>>().join(" · "),
    }
}

/// `at most 10 machines, 80 vCPU`
fn most(pool: &PoolFigures) -> Option<String> {
    let most = pool.machines.1?;
    let machines = dsvm_diagnostics::count(usize::try_from(most).ok()?, "machine");
    let vcpu = pool.vcpu.and_then(|vcpu| vcpu.checked_mul(most)).map(|all| format!(", {all} vCPU"));
    Some(format!("at most {machines}{}", vcpu.unwrap_or_default()))
}

/// The plan of a deployment to the endpoint of this machine, with the values of the sources.
pub(super) fn plan(world: &dyn World, project: &Project, env: Option<&str>) -> Told {
    let made = driver::build(world, project).map_err(CommandError::from);
    match made.and_then(|compiled| planned(world, compiled, &project.path, env)) {
        Ok(text) => Told { fine: true, text },
        Err(error) => failed(told(&error)),
    }
}

fn planned(world: &dyn World, compiled: Compilation, path: &Path, env: Option<&str>) -> Result<String, CommandError> {
    let input = DeployInput { env: env.map(str::to_owned), ..DeployInput::default() };
    let project = from_compilation(compiled, path, &input, &mut Silent)?;
    let target = DeployTarget::default();
    let state = StateDir::new(project.state_root(), &project.name, &project.env);
    let session = session::open(&target, project.endpoint_root(&input))?;
    let context = DeployContext { project: &project, input: &input, target: &target, session: &session, state: &state };
    let planned = planning::make(&context, &Settings::default(), world, &mut Silent)?;
    let (impact, title) = (planned.impact(), title(&planned, session.target.name(), &target));
    Ok(draw::terminal(&planned.plan, impact.as_ref(), &title, Detail::default(), Palette::plain()))
}

/// Why a command cannot go on, as the command line says it.
fn told(error: &CommandError) -> String {
    match &error.detail {
        FailureDetail::Diagnostics(found) => snippet::all(&[(&found.0, found.1.as_slice())], Palette::plain()),
        FailureDetail::Message(report) => {
            let help = report.help().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
            let causes: Vec<String> = report.chain().map(ToString::to_string).collect();
            format!("{}{help}\n", causes.join(": "))
        }
    }
}

/// The outcomes of the tests that have exactly this name, or of all.
pub(super) fn run_tests(world: &dyn World, project: &Project, name: Option<&str>) -> Told {
    let done: Result<testing::Report, LoadError> = testing::run(world, project, name.unwrap_or_default());
    let mut report = match done {
        Ok(report) => report,
        Err(error) => return failed(format!("{error}\n")),
    };
    if !report.broken.is_empty() {
        return failed(snippet::all(&[(&report.sources, report.broken.as_slice())], Palette::plain()));
    }
    // `run` selects by parts of names.
    report.outcomes.retain(|outcome| name.is_none_or(|name| outcome.name == name));
    if report.outcomes.is_empty() {
        return failed("there is no such test\n");
    }
    let fine = report.outcomes.iter().all(|outcome| outcome.failures.is_empty());
    let reports = [report];
    Told { fine, text: drawn::text(&reports, Palette::plain()) + &drawn::summary(&reports) }
}
