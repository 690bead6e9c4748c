//! `dsvmc plan`: what a deployment would change, and its effect on the people who use the machines.

use crate::cli::args::Format;
use crate::cli::deploy_args::{DeployInputArgs, DeployTargetArgs, SettingsArgs};
use crate::cli::exit::Exit;
use crate::cli::{Context, report};
use crate::deploy::compiled::CompiledProject;
use crate::deploy::confirmation::refused;
use crate::deploy::context::DeployContext;
use crate::deploy::error::{CommandError, FailureKind};
use crate::deploy::load::load;
use crate::deploy::plan::{self, Planned};
use crate::deploy::quota::{self, PlanQuota};
use crate::deploy::session::Session;
use crate::deploy::target::{DeployTarget, TargetKind};
use crate::deploy::{offline, saved_plan, session, what_if};
use crate::driver::{projects, shown};
use crate::render::plan::{Detail, clean};
use crate::render::plan_tree::{self, ProjectPlan};
use crate::render::{plan_markdown, plan_quota};
use arm_apply::StateDir;
use arm_plan::Plan;
use dsvm_diagnostics::Code;
use dsvm_impact::Impact;
use dsvm_quota::Growth;
use std::path::{Path, PathBuf};

/// The command line arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sources of values, weakest first: defaults, the env, --parameters files, DSVMC_PARAM_name variables, --set.\n\n\
                  Examples:\n  dsvmc plan examples/01-shared-pool\n  dsvmc plan --target azure --env prod -o prod.plan pools/team.dsvm\n  \
                  dsvmc plan --against main --format markdown"
)]
pub struct Args {
    /// File or folder of a project, or a folder of several projects, each of which is planned
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    #[command(flatten)]
    input: DeployInputArgs,
    #[command(flatten)]
    target: DeployTargetArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Compare with the resources in this file instead of an endpoint
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "output"])]
    live: Option<PathBuf>,
    /// Compare with another commit of the sources, to see what this branch would change. Needs no endpoint
    #[arg(long, value_name = "REV", conflicts_with = "output")]
    against: Option<String>,
    /// Save the plan, for `dsvmc apply FILE`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with code 2 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// List the differences that a rule suppressed
    #[arg(long)]
    show_suppressed: bool,
    /// List the resources that change
    #[arg(long)]
    resources: bool,
    /// List the resources with the properties that change
    #[arg(long)]
    raw: bool,
    /// List the resources with every property, those of new ones too
    #[arg(long)]
    full: bool,
    /// Compare with the limits in a file instead of those of the target: output of `az vm list-usage`, `az network list-usages`,
    /// `az ml compute list-usage` or `az batch account show`, or an answer of the REST API. Can be repeated
    #[arg(long, value_name = "[REGION=]FILE", num_args = 1..)]
    usages: Vec<String>,
    /// Also run the what-if of the service and show where it differs
    #[arg(long, conflicts_with_all = ["live", "against"])]
    what_if: bool,
}

/// Runs `dsvmc plan` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    report::finish(result, &mut cx.printer)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, CommandError> {
    let detail = Detail {
        suppressed: args.show_suppressed,
        resources: args.resources,
        properties: args.raw || args.full,
        new_properties: args.full,
        ..Detail::default()
    };
    let exit = |empty: bool| if args.detailed_exitcode && !empty { Exit::Changes } else { Exit::Done };
    if let Some(projects) = tree(args, cx)? {
        let mut demand = Demand::default();
        let Some(all) = plan_each(args, &projects, &mut demand, cx)? else { return Ok(Exit::Input) };
        let quota = demand.compared(args, cx)?;
        show_tree(&all, &quota, detail, cx)?;
        all.iter().try_for_each(|one| refused(&one.plan))?;
        return Ok(exit(all.iter().all(|one| one.plan.is_empty())));
    }
    if let Some(file) = &args.output {
        saved_plan::may_write(file)?;
    }
    let project = load(&args.path, &args.input.input(), cx.world.as_ref(), &mut cx.printer)?;
    let mut demand = Demand::default();
    let (plan, impact, title) = plan_project(args, &args.path, &project, &mut demand, cx)?;
    let quota = demand.compared(args, cx)?;
    show(&plan, impact.as_ref(), &quota, &title, detail, cx)?;
    refused(&plan)?;
    Ok(exit(plan.is_empty()))
}

/// The projects at the path if there are several; some options are rejected then.
fn tree(args: &Args, cx: &Context) -> Result<Option<Vec<PathBuf>>, CommandError> {
    // With a template the path means nothing, unless somebody gave one.
    if args.input.template.is_some() && args.path == Path::new(".") {
        return Ok(None);
    }
    let Ok(found) = projects(cx.world.as_ref(), std::slice::from_ref(&args.path)) else { return Ok(None) };
    if found.len() < 2 {
        return Ok(None);
    }
    let given = [
        ("-o", "saves the plan of one project", args.output.is_some()),
        ("--template", "replaces one project", args.input.template.is_some()),
        ("--live", "contains the resources of one project", args.live.is_some()),
    ];
    if let Some((option, what, _)) = given.iter().find(|(_, _, given)| *given) {
        let names: Vec<String> = found.iter().take(5).map(|p| format!("`{}`", shown(&p.path))).collect();
        let more = if found.len() > names.len() { ", …" } else { "" };
        return Err(CommandError::input(
            Code::SeveralProjects,
            format!("`{option}` {what}, and there are {} in `{}`", found.len(), shown(&args.path)),
            format!("leave it out, or name one of them: {}{more}", names.join(", ")),
        ));
    }
    Ok(Some(found.into_iter().map(|p| p.path).collect()))
}

/// Plans project after project. The errors of all of them are printed before the first is compared with anything; `None`
/// when there are any.
fn plan_each(
    args: &Args,
    paths: &[PathBuf],
    demand: &mut Demand,
    cx: &mut Context,
) -> Result<Option<Vec<ProjectPlan>>, CommandError> {
    let input = args.input.input();
    let mut compiled = Vec::with_capacity(paths.len());
    let mut failed = false;
    for path in paths {
        match load(path, &input, cx.world.as_ref(), &mut cx.printer) {
            Ok(project) => compiled.push((path, project)),
            Err(error) if error.kind == FailureKind::Input => {
                drop(report::finish(Err(error), &mut cx.printer));
                failed = true;
            }
            Err(other) => return Err(other),
        }
    }
    if failed {
        return Ok(None);
    }
    let mut all = Vec::with_capacity(compiled.len());
    for (path, project) in compiled {
        let (plan, impact, title) = plan_project(args, path, &project, demand, cx)?;
        all.push(ProjectPlan { path: shown(path), project: project.name, env: project.env, title, plan, impact });
    }
    Ok(Some(all))
}

/// The plan of one project, what it means, and a title that says what is compared with what.
fn plan_project(
    args: &Args,
    path: &Path,
    project: &CompiledProject,
    demand: &mut Demand,
    cx: &mut Context,
) -> Result<(Plan, Option<Impact>, String), CommandError> {
    let (input, target) = (args.input.input(), args.target.target(path, cx.world.as_ref(), cx.printer.is_quiet())?);
    let mut settings = args.settings.settings(&args.input);
    settings.list_suppressed = args.show_suppressed;
    let env = if project.env.is_empty() { String::new() } else { format!(", env {}", project.env) };
    let (world, frontend) = (cx.world.as_ref(), &mut cx.printer);
    if let Some(revision) = &args.against {
        let made = offline::against_commit(project, path, &input, revision, &settings, world, frontend)?;
        demand.growth.extend(made.growth);
        return Ok((made.plan, made.impact, format!("{}{env}: the working tree against {revision}", project.name)));
    }
    if let Some(file) = &args.live {
        let made = offline::against_file(project, &target, &input, file, &settings, world, frontend)?;
        demand.growth.extend(made.growth);
        return Ok((made.plan, made.impact, format!("{}{env}: the source against {}", project.name, file.display())));
    }
    let state = StateDir::new(project.state_root(), &project.name, &project.env);
    let session = session::open(&target, project.endpoint_root(&input))?;
    let context = DeployContext { project, input: &input, target: &target, session: &session, state: &state };
    let planned = plan::make(&context, &settings, world, frontend)?;
    let title = title(&planned, session.target.name(), &target);
    if let Some(file) = &args.output {
        let place = session.place(&planned.group);
        saved_plan::write(file, &saved_plan::to_saved(&planned, &place, &arm_apply::random_id(), &settings))?;
    }
    if args.what_if {
        let comparison = what_if::compare(&planned, &session)?;
        cx.printer.say(&what_if_text(comparison.as_ref()));
    }
    let impact = planned.impact();
    demand.growth.extend(planned.growth);
    match session.target {
        TargetKind::Azure => demand.session = Some(session),
        // Each project may have an endpoint of its own, with limits of its own.
        TargetKind::Local => demand.ask(&session, args, cx)?,
    }
    Ok((planned.plan, impact, title))
}

/// What the planned projects ask of quotas. Projects that go to one subscription are compared with its limits together.
#[derive(Default)]
struct Demand {
    growth: Vec<Growth>,
    session: Option<Session>,
    told: PlanQuota,
}

impl Demand {
    /// Compares what was collected, and forgets it.
    fn compare(&mut self, session: Option<&Session>, args: &Args, cx: &mut Context) -> Result<(), CommandError> {
        let growth = dsvm_quota::added_up(std::mem::take(&mut self.growth));
        let source = quota::Source { session, files: &args.usages };
        let (mut found, remark) = quota::compare(growth, &source, cx.world.as_ref())?;
        if let Some(remark) = remark {
            cx.printer.note(&format!("note: {remark}\n"));
        }
        self.told.told.append(&mut found.told);
        self.told.subscription = self.told.subscription.take().or(found.subscription);
        Ok(())
    }

    /// Compares with the limits of an endpoint. Files are of one subscription: with them, everything is compared at the end.
    fn ask(&mut self, session: &Session, args: &Args, cx: &mut Context) -> Result<(), CommandError> {
        if args.usages.is_empty() { self.compare(Some(session), args, cx) } else { Ok(()) }
    }

    fn compared(mut self, args: &Args, cx: &mut Context) -> Result<PlanQuota, CommandError> {
        let session = self.session.take();
        self.compare(session.as_ref(), args, cx)?;
        Ok(self.told)
    }
}

fn what_if_text(comparison: Option<&what_if::WhatIf>) -> String {
    let Some(comparison) = comparison else {
        return "what-if: the resource group does not exist yet, so the service cannot be asked\n".to_owned();
    };
    let differing = comparison.disagreements.len();
    if differing == 0 {
        return format!("what-if: the service agrees on all {} resources\n", comparison.listed);
    }
    let mut text = format!("what-if: the service differs on {differing} of {} resources\n", comparison.listed);
    for one in &comparison.disagreements {
        let (plan, service) = (one.plan.unwrap_or("nothing"), one.service.as_deref().unwrap_or("nothing"));
        text.push_str(&format!("  `{}`: this plan says {plan}, the service says {service}\n", clean(&one.name)));
    }
    text
}

/// Writes the plans of a tree to stdout in the chosen format.
fn show_tree(all: &[ProjectPlan], quota: &PlanQuota, detail: Detail, cx: &mut Context) -> Result<(), CommandError> {
    let detail = Detail { width: cx.printer.columns(), ..detail };
    let text = match cx.format {
        Format::Json => plan_tree::json(all, plan_quota::data(quota)),
        Format::Sarif => plan_tree::sarif(all),
        Format::Markdown => plan_tree::markdown(all) + &plan_quota::markdown(quota),
        Format::Human | Format::Short | Format::Github => {
            let palette = cx.printer.output_palette();
            plan_tree::human(all, detail, palette) + &plan_quota::terminal(quota, detail.columns(), palette)
        }
    };
    written(&text, cx)
}

/// Writes to stdout what is in the chosen format.
fn written(text: &str, cx: &mut Context) -> Result<(), CommandError> {
    match cx.format {
        Format::Json | Format::Sarif => cx.printer.json(text)?,
        Format::Markdown | Format::Human | Format::Short | Format::Github => cx.printer.data(text)?,
    }
    Ok(())
}

/// Project, env, endpoint and resource group: says what is compared with what, and what `dsvmc.toml` decided of it.
#[must_use]
pub fn title(planned: &Planned, endpoint: &str, target: &DeployTarget) -> String {
    let env = if planned.env.is_empty() { String::new() } else { format!(", env {}", planned.env) };
    let group = target.usual_group.as_ref().filter(|(name, _)| *name == planned.group);
    let group = group.map(|(_, file)| format!("resource group from `{file}`"));
    let origin = Some(target.origin.clone()).filter(|origin| !origin.is_empty());
    let origin: Vec<String> = origin.into_iter().chain(group).collect();
    let origin = if origin.is_empty() { String::new() } else { format!(" ({})", origin.join(", ")) };
    format!("{}{env} on {endpoint}, resource group {}{origin}", planned.project, planned.group)
}

/// Writes a plan to stdout in the chosen format.
pub fn show(
    plan: &Plan,
    impact: Option<&Impact>,
    quota: &PlanQuota,
    title: &str,
    detail: Detail,
    cx: &mut Context,
) -> Result<(), CommandError> {
    let detail = Detail { width: cx.printer.columns(), ..detail };
    let text = match cx.format {
        Format::Json => {
            let mut document = crate::render::plan::data(plan, impact);
            if let (Some(quota), Some(map)) = (plan_quota::data(quota), document.as_object_mut()) {
                map.insert("quota".to_owned(), quota);
            }
            format!("{document:#}\n")
        }
        Format::Sarif => crate::render::sarif::plan(plan),
        Format::Markdown => {
            let section = plan_quota::markdown(quota);
            let room = plan_markdown::LIMIT - section.len();
            plan_markdown::within(plan, impact, title, room) + &section
        }
        Format::Human | Format::Short | Format::Github => {
            let palette = cx.printer.output_palette();
            crate::render::plan::terminal(plan, impact, title, detail, palette)
                + &plan_quota::terminal(quota, detail.columns(), palette)
        }
    };
    written(&text, cx)
}
