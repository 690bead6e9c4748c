//! `dsvmc quota`: what a tree of projects asks of Azure's quotas at its largest, and which limits that breaks.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy_args::DeployTargetArgs;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::deploy::compiled::CompiledProject;
use crate::deploy::error::CommandError;
use crate::deploy::quota::{self, Place};
use crate::deploy::session::{self, Session};
use crate::deploy::target::DeployTarget;
use crate::driver::{self, World};
use crate::render::Found;
use crate::render::quota::{self as draw, Judged};
use dsvm_diagnostics::Code;
use dsvm_lint::Subject;
use dsvm_quota::{Line, Project, Usages, judge, needs, sum};
use dsvm_sema::table::project::Project as ProjectBlock;
use dsvm_sema::table::schema::View;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The command line arguments of `quota`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dsvmc quota pools/                                   what every project asks for, added up\n  \
                  dsvmc quota pools/ --target azure                    compared with the subscription\n  \
                  az vm list-usage --location westeurope -o json > compute.json\n  \
                  dsvmc quota pools/ --usages westeurope=compute.json  compared with a file"
)]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Take this env of each project; without it the one that asks for the most, limit by limit
    #[arg(long, short = 'e', value_name = "ENV")]
    env: Option<String>,
    /// Compare with the limits in a file: output of `az vm list-usage`, `az network list-usages`, `az ml compute
    /// list-usage` or `az batch account show`, or an answer of the REST API. Can be repeated
    #[arg(long, value_name = "[REGION=]FILE", num_args = 1..)]
    usages: Vec<String>,
    #[command(flatten)]
    target: DeployTargetArgs,
}

/// Runs `dsvmc quota` and returns how the process exits.
///
/// # Errors
/// A file cannot be read, or Resource Manager does not answer.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let near = args.target.location.as_deref();
    let studied = driver::study(cx.world.as_ref(), &args.paths, |subject| {
        (needs(subject.fleet, subject.graph, near), written(subject))
    })?;
    if studied.iter().any(|one| one.compilation.failed()) {
        let found: Vec<Found<'_>> =
            studied.iter().map(|one| (&one.compilation.sources, one.compilation.diagnostics.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    let mut projects = Vec::with_capacity(studied.len());
    let mut all_written = Vec::with_capacity(studied.len());
    for one in studied {
        let name = one.compilation.name.to_string();
        let (mut envs, mut names) = (Vec::new(), Vec::new());
        for (env, (needs, written)) in one.found {
            envs.push((env.to_string(), needs));
            names.push((env.to_string(), written));
        }
        projects.push(Project { name, envs, deployed: Vec::new() });
        all_written.push(names);
    }
    let mut left_out = Vec::new();
    if let Some(wanted) = &args.env {
        let any = projects.iter().any(|project| project.envs.iter().any(|(env, _)| env == wanted));
        if !any {
            let title = format!("no project here has an env `{wanted}`");
            let error = CommandError::input(Code::EnvNeeded, title, "leave `--env` out, or name an env of a project");
            return report::finish(Err(error), &mut cx.printer);
        }
        for project in &mut projects {
            // A project without envs is the same in every one.
            project.envs.retain(|(env, _)| env == wanted || env.is_empty());
            if project.envs.is_empty() {
                left_out.push(project.name.clone());
            }
        }
    }
    let read = compared(args, &mut projects, &all_written, cx.world.as_ref(), cx.printer.is_quiet());
    let (lines, usages, subscription) = match read {
        Ok(read) => read,
        Err(error) => return report::finish(Err(error), &mut cx.printer),
    };
    let judged: Vec<Judged> = lines
        .into_iter()
        .map(|line| Judged { verdict: usages.as_ref().map(|usages| judge(&line, usages)), line })
        .collect();
    for name in left_out {
        cx.printer
            .note(&format!("`{name}` has no env `{}` and does not count", args.env.as_deref().unwrap_or_default()));
    }
    let subscription = subscription.as_deref();
    match cx.format {
        Format::Human | Format::Markdown => {
            let palette = cx.printer.output_palette();
            cx.printer.data(&draw::text(&judged, subscription, palette))?;
        }
        _ => cx.printer.json(&format!("{:#}\n", draw::data(&judged, subscription)))?,
    }
    Ok(if judged.iter().any(Judged::breaks) { Exit::Input } else { Exit::Done })
}

/// Names of the resources of a project with the values of one env, and the resource group that it names.
struct Written {
    group: Option<String>,
    /// Type and name; the group of one that is not in the project's.
    resources: Vec<(String, String, Option<String>)>,
}

fn written(subject: &Subject<'_, '_>) -> Written {
    let checked = subject.checked;
    let project = checked.project.and_then(|id| View::<ProjectBlock>::new(&checked[id]));
    let resources = subject.graph.nodes.iter().filter_map(|node| {
        let group = match &node.group {
            None => None,
            Some(group) => Some(group.known()?.to_owned()),
        };
        Some((node.kind.to_string(), node.name.known()?.to_owned(), group))
    });
    Written {
        group: project.and_then(|project| project.resource_group()).map(str::to_owned),
        resources: resources.collect(),
    }
}

/// The demand, what was asked to compare it with, and of which subscription that is when it is known.
type Compared = (Vec<Line>, Option<Usages>, Option<String>);

fn compared(
    args: &Args,
    projects: &mut [Project],
    written: &[Vec<(String, Written)>],
    world: &dyn World,
    quiet: bool,
) -> Result<Compared, CommandError> {
    let places = |lines: &[Line]| -> BTreeSet<Place> {
        lines.iter().map(|line| (line.scope.clone(), line.quota.service)).collect()
    };
    let mut usages = Usages::default();
    if args.target.target.is_none() {
        let lines = sum(projects);
        quota::from_files(&mut usages, &args.usages, &places(&lines), world)?;
        return Ok((lines, (!args.usages.is_empty()).then_some(usages), args.target.subscription.clone()));
    }
    let root = args.paths.first().map_or(Path::new("."), PathBuf::as_path);
    let target = args.target.target(root, world, quiet)?;
    let session = session::open(&target, root)?;
    deployed(&session, &target, projects, written)?;
    let lines = sum(projects);
    let (read, refused) = quota::live(&session, &places(&lines), true);
    if let Some(one) = refused.into_iter().next() {
        let title = format!("the limits of {} cannot be read: {}", one.what, one.why);
        let help = "give them as files with `--usages`";
        return Err(CommandError::environment(Code::UsagesUnusable, title, help));
    }
    usages = read;
    quota::from_files(&mut usages, &args.usages, &places(&lines), world)?;
    Ok((lines, Some(usages), Some(session.subscription.clone())))
}

/// Reads what is deployed of each env of each project.
fn deployed(
    session: &Session,
    target: &DeployTarget,
    projects: &mut [Project],
    written: &[Vec<(String, Written)>],
) -> Result<(), CommandError> {
    let mut asked = Vec::new();
    for (project, envs) in projects.iter().zip(written) {
        for (env, one) in envs {
            let project = CompiledProject {
                name: project.name.clone(),
                env: env.clone(),
                group: one.group.clone(),
                ..CompiledProject::default()
            };
            let usual = project.group_for(target);
            let place = |group: &Option<String>| group.clone().unwrap_or_else(|| usual.clone());
            let resources = one.resources.iter().map(|(kind, name, group)| (place(group), kind.clone(), name.clone()));
            asked.push(resources.collect());
        }
    }
    let mut found = quota::deployed(session, &asked)?.into_iter();
    let library = quota::library();
    let sizes = |name: &str| library.get(&name.to_ascii_lowercase()).cloned();
    for (project, envs) in projects.iter_mut().zip(written) {
        for (env, _) in envs {
            let resources = found.next().unwrap_or_default();
            project.deployed.push((env.clone(), dsvm_quota::deployed(&resources, target.location.as_deref(), &sizes)));
        }
    }
    Ok(())
}
