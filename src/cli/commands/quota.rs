//! `dsvmc quota`: what a tree of projects asks of Azure's quotas at its largest, and which limits that breaks.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy_args::DeployTargetArgs;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::deploy::error::CommandError;
use crate::deploy::session;
use crate::driver::{self, World, shown};
use crate::render::Found;
use crate::render::quota::{self as draw, Judged};
use dsvm_diagnostics::Code;
use dsvm_graph::versions;
use dsvm_quota::{Line, Project, Scope, Usages, judge, needs, sum};
use serde_json::Value;
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
    /// Compare with the limits in a file: output of `az vm list-usage`, `az network list-usages` or `az batch account show`, or
    /// an answer of the REST API. Can be repeated
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

/// The regions that a demand goes to.
fn regions(lines: &[Line]) -> BTreeSet<&str> {
    lines
        .iter()
        .filter_map(|line| match &line.scope {
            Scope::Region(region) => region.as_deref(),
            Scope::Batch(_) | Scope::MachineLearning(_) => None,
        })
        .collect()
}

/// What was asked to compare with, and of which subscription it is when that is known.
fn limits(
    args: &Args,
    lines: &[Line],
    world: &dyn World,
    quiet: bool,
) -> Result<(Option<Usages>, Option<String>), CommandError> {
    let mut usages = Usages::default();
    let regions = regions(lines);
    let live = args.target.target.is_some();
    let mut subscription = args.target.subscription.clone();
    if live {
        let root = args.paths.first().map_or(Path::new("."), PathBuf::as_path);
        let target = args.target.target(root, world, quiet)?;
        let session = session::open(&target, root)?;
        for region in &regions {
            for kind in [versions::SCALE_SET, versions::NETWORK] {
                let provider = kind.name.split('/').next().unwrap_or_default();
                let path = format!(
                    "/subscriptions/{}/providers/{provider}/locations/{region}/usages?api-version={}",
                    session.subscription, kind.version
                );
                let list = Value::Array(session.client.pages(&path)?);
                usages.add(&list, Some(region)).map_err(|error| {
                    let title = format!("the limits of {provider} in {region} cannot be used: {error}");
                    CommandError::environment(Code::UsagesUnusable, title, "give them as files with `--usages`")
                })?;
            }
        }
        if lines.iter().any(|line| matches!(line.scope, Scope::Batch(_))) {
            let kind = versions::BATCH_ACCOUNT;
            let path =
                format!("/subscriptions/{}/providers/{}?api-version={}", session.subscription, kind.name, kind.version);
            for account in session.client.pages(&path)? {
                // An account whose quotas cannot be read keeps them unknown.
                let _ = usages.add(&account, None);
            }
        }
        subscription = Some(session.subscription.clone());
    }
    // With one region there is no doubt of which a file is.
    let only = regions.iter().next().copied().filter(|_| regions.len() == 1);
    for given in &args.usages {
        let (region, path) = match given.split_once('=') {
            Some((region, path)) if region.chars().all(|c| c.is_ascii_alphanumeric()) => (Some(region), path),
            _ => (only, given.as_str()),
        };
        let path = Path::new(path);
        let refused = |why: String| {
            let title = format!("`{}` cannot be used: {why}", shown(path));
            let help = "give what `az vm list-usage -o json` printed, with its region: `--usages westeurope=FILE`";
            CommandError::input(Code::UsagesUnusable, title, help)
        };
        let bytes = world.read(path).map_err(|_| {
            let title = format!("`{}` cannot be read", shown(path));
            CommandError::input(Code::FileUnreadable, title, "give the path of a file")
        })?;
        let body: Value = serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
        usages.add(&body, region).map_err(|error| refused(error.to_string()))?;
    }
    Ok(((live || !args.usages.is_empty()).then_some(usages), subscription))
}
