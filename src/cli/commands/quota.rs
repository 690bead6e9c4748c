//! `dsvmc quota`: what a tree of projects asks of Azure's quotas at its largest, and which limits that breaks.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy_args::DeployTargetArgs;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::deploy::error::CommandError;
use crate::deploy::quota::{self, Place};
use crate::deploy::session;
use crate::driver::{self, World};
use crate::render::Found;
use crate::render::quota::{self as draw, Judged};
use dsvm_diagnostics::Code;
use dsvm_quota::{Line, Project, Usages, judge, needs, sum};
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
    let studied = driver::study(cx.world.as_ref(), &args.paths, |subject| needs(subject.fleet, subject.graph, near))?;
    if studied.iter().any(|one| one.compilation.failed()) {
        let found: Vec<Found<'_>> =
            studied.iter().map(|one| (&one.compilation.sources, one.compilation.diagnostics.as_slice())).collect();
        return Ok(cx.report_all(&found)?);
    }
    let mut projects: Vec<Project> = studied
        .into_iter()
        .map(|one| Project {
            name: one.compilation.name.to_string(),
            envs: one.found.into_iter().map(|(env, needs)| (env.to_string(), needs)).collect(),
        })
        .collect();
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
    let lines = sum(&projects);
    let read = match limits(args, &lines, cx.world.as_ref(), cx.printer.is_quiet()) {
        Ok(read) => read,
        Err(error) => return report::finish(Err(error), &mut cx.printer),
    };
    let (usages, subscription) = read;
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

/// What was asked to compare with, and of which subscription it is when that is known.
fn limits(
    args: &Args,
    lines: &[Line],
    world: &dyn World,
    quiet: bool,
) -> Result<(Option<Usages>, Option<String>), CommandError> {
    let places: BTreeSet<Place> = lines.iter().map(|line| (line.scope.clone(), line.quota.service)).collect();
    let mut usages = Usages::default();
    let live = args.target.target.is_some();
    let mut subscription = args.target.subscription.clone();
    if live {
        let root = args.paths.first().map_or(Path::new("."), PathBuf::as_path);
        let target = args.target.target(root, world, quiet)?;
        let session = session::open(&target, root)?;
        let (read, refused) = quota::live(&session, &places, true);
        if let Some(one) = refused.into_iter().next() {
            let title = format!("the limits of {} cannot be read: {}", one.what, one.why);
            let help = "give them as files with `--usages`";
            return Err(CommandError::environment(Code::UsagesUnusable, title, help));
        }
        usages = read;
        subscription = Some(session.subscription.clone());
    }
    quota::from_files(&mut usages, &args.usages, &places, world)?;
    Ok(((live || !args.usages.is_empty()).then_some(usages), subscription))
}
