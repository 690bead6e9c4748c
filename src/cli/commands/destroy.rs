//! `dsvmc destroy`: deletes what a project deployed, and nothing else.

use crate::cli::deploy_args::{DeployInputArgs, DeployTargetArgs};
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::{Context, report};
use crate::deploy::compiled::CompiledProject;
use crate::deploy::confirmation::{Approval, confirm};
use crate::deploy::context::DeployContext;
use crate::deploy::error::CommandError;
use crate::deploy::offline_record::load_or_recall;
use crate::deploy::quota::PlanQuota;
use crate::deploy::{destroy, session};
use crate::render::plan::Detail;
use arm_apply::StateDir;
use dsvm_diagnostics::Code;
use std::path::PathBuf;

/// The command line arguments of `destroy`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Resource groups are kept, with everything in them that this project did not deploy.\n\n\
                  Examples:\n  dsvmc destroy --target local examples/01-shared-pool\n  \
                  dsvmc destroy --target azure --project team --env prod   (when its sources no longer exist)")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Name of a project whose sources no longer exist; with --env if it had envs
    #[arg(long, value_name = "NAME", conflicts_with = "template")]
    project: Option<String>,
    #[command(flatten)]
    input: DeployInputArgs,
    #[command(flatten)]
    target: DeployTargetArgs,
    /// Do not ask for confirmation
    #[arg(long, short = 'y')]
    yes: bool,
    /// With --yes: confirm the deletions
    #[arg(long)]
    allow_delete: bool,
    /// List the resources that are deleted
    #[arg(long)]
    resources: bool,
    /// Delete the deployment stack but keep its resources
    #[arg(long)]
    detach: bool,
    /// Wait for another apply of this project instead of giving up
    #[arg(long)]
    wait: bool,
}

/// Runs `dsvmc destroy` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    report::finish(result, &mut cx.printer)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, CommandError> {
    let (input, target) =
        (args.input.input(), args.target.target(&args.path, cx.world.as_ref(), cx.printer.is_quiet())?);
    let project = match &args.project {
        Some(name) => CompiledProject {
            name: name.clone(),
            root: args.path.clone(),
            state: input.state_dir.clone(),
            env: input.env.clone().unwrap_or_default(),
            ..CompiledProject::default()
        },
        None => load_or_recall(&args.path, &input, cx.world.as_ref(), &mut cx.printer)?,
    };
    let state = StateDir::new(project.state_root(), &project.name, &project.env);
    let _lock = state.lock(args.wait)?;
    let session = session::open(&target, project.endpoint_root(&input))?;
    let context = DeployContext { project: &project, input: &input, target: &target, session: &session, state: &state };
    let group = project.group_for(&target);
    let endpoint = session.target.name();
    let deletion = destroy::plan(&context, &group, args.detach)?;
    if deletion.is_empty() {
        state.forget();
        cx.printer.note(&format!("Nothing of `{}` is deployed to `{group}` on {endpoint}.\n", project.name));
        return Ok(Exit::Done);
    }
    let title = format!("{}: destroy what it deployed to {group} on {endpoint}", project.name);
    let detail = Detail { resources: args.resources, ..Detail::default() };
    let (impact, quota) = (deletion.impact(&project.blocks), PlanQuota::default());
    super::plan::show(&deletion.plan, impact.as_ref(), &quota, &title, detail, cx)?;
    for sentence in &deletion.kept {
        cx.printer.note(&format!("note: {sentence}\n"));
    }
    let protected = destroy::protected(&context, &group, &deletion);
    let approval = Approval { given: args.yes, deletions: args.allow_delete };
    confirm(&deletion.plan, &protected, approval, &mut cx.printer)?;
    let mut progress = Progress::for_printer(&cx.printer);
    progress.know(&deletion.plan);
    let result = destroy::execute(&deletion, &group, &session, &mut progress);
    progress.close();
    result?;
    let left = destroy::plan(&context, &group, args.detach)?.plan;
    if !args.detach && !left.is_empty() {
        let names: Vec<String> = left.effective().map(|c| format!("`{}`", c.shown())).collect();
        return Err(CommandError::stopped(
            Code::ApplyStopped,
            format!("these resources still exist: {}", names.join(", ")),
            "run `dsvmc destroy` again; a lock may prevent their deletion (`az lock list`)",
        ));
    }
    state.forget();
    cx.printer.data("Done.\n")?;
    Ok(Exit::Done)
}
