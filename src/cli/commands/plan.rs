//! `dsvmc plan`: what a deployment would change, and what that means for people.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy::bundle::Bundle;
use crate::cli::deploy::planning::{self, Settings};
use crate::cli::deploy::{self, Halt, What, Where, bundle, offline, saved, session, whatif};
use crate::cli::exit::Exit;
use crate::driver::{projects, shown};
use crate::render::plan::Detail;
use crate::render::plan_tree::{self, Planned};
use arm_client::DeployMode;
use arm_plan::{Plan, Unmanaged};
use dsvm_diagnostics::Code;
use std::path::PathBuf;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Values come from, weakest first: defaults, the env, --parameters files, DSVMC_PARAM_name variables, --set.\n\n\
                  Examples:\n  dsvmc plan examples/01-shared-pool\n  dsvmc plan --target azure --env prod -o prod.plan pools/team.dsvm\n  \
                  dsvmc plan --against main --format markdown"
)]
pub struct Args {
    /// File or folder of the project, or a folder of several: each is planned
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    narrow: Narrow,
    /// Compare with the resources in this file instead of an endpoint
    #[arg(long, value_name = "FILE", conflicts_with_all = ["against", "output"])]
    live: Option<PathBuf>,
    /// Compare with another commit of the sources: what this branch would change. Needs no endpoint
    #[arg(long, value_name = "REV", conflicts_with = "output")]
    against: Option<String>,
    /// Save the plan, for `dsvmc apply FILE`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// List differences that a rule held back
    #[arg(long)]
    show_suppressed: bool,
    /// List every property of new resources
    #[arg(long)]
    full: bool,
    /// Also ask the service, and show where its answer differs
    #[arg(long, conflicts_with_all = ["live", "against"])]
    what_if: bool,
}

/// What a plan is narrowed to, and how orphans are treated.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Narrow {
    /// Only resources whose name, type/name or id matches (`*` matches anything). Can be repeated
    #[arg(long, value_name = "PATTERN")]
    pub only: Vec<String>,
    /// Leave out resources that match. Can be repeated
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Use a plain deployment instead of a deployment stack: nothing is ever deleted
    #[arg(long)]
    pub plain: bool,
    /// Leave resources that the source no longer holds as they are, instead of deleting them
    #[arg(long)]
    pub detach: bool,
}

impl Narrow {
    /// As settings of a plan.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let narrowed = !self.only.is_empty() || !self.exclude.is_empty();
        Settings {
            // A stack would take what is left out for removed.
            mode: if self.plain || narrowed { DeployMode::Plain } else { DeployMode::Stack },
            unmanaged: if self.detach { Unmanaged::Detach } else { Unmanaged::Delete },
            targets: self.only.clone(),
            excludes: self.exclude.clone(),
            list_suppressed: false,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    deploy::finish(result, cx)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, Halt> {
    let detail = Detail { suppressed: args.show_suppressed, new_properties: args.full, ..Detail::default() };
    let exit = |empty: bool| if args.detailed_exitcode && !empty { Exit::Changes } else { Exit::Done };
    if let Some(projects) = tree(args, cx)? {
        let all = each(args, &projects, cx)?;
        show_tree(&all, detail, cx)?;
        return Ok(exit(all.iter().all(|one| one.plan.is_empty())));
    }
    let bundle = bundle::load(&args.path, &args.what, cx)?;
    let (plan, title) = of_bundle(args, &args.path, &bundle, cx)?;
    show(&plan, &title, detail, cx)?;
    Ok(exit(plan.is_empty()))
}

/// The projects at the path when there are several; then some options make no sense.
fn tree(args: &Args, cx: &Context) -> Result<Option<Vec<PathBuf>>, Halt> {
    // A template stands for itself: the path says nothing then, unless somebody gave one.
    if args.what.template.is_some() && args.path == std::path::Path::new(".") {
        return Ok(None);
    }
    let Ok(found) = projects(cx.world.as_ref(), std::slice::from_ref(&args.path)) else { return Ok(None) };
    if found.len() < 2 {
        return Ok(None);
    }
    let given = [
        ("-o", "saves the plan of one project", args.output.is_some()),
        ("--template", "takes the place of a project", args.what.template.is_some()),
        ("--live", "holds what exists of one project", args.live.is_some()),
    ];
    if let Some((option, what, _)) = given.iter().find(|(_, _, given)| *given) {
        let names: Vec<String> = found.iter().take(5).map(|p| format!("`{}`", shown(&p.path))).collect();
        let more = if found.len() > names.len() { ", …" } else { "" };
        return Err(Halt::input(
            Code::SeveralProjects,
            format!("`{option}` {what}, and there are {} in `{}`", found.len(), shown(&args.path)),
            format!("leave it out, or name one of them: {}{more}", names.join(", ")),
        ));
    }
    Ok(Some(found.into_iter().map(|p| p.path).collect()))
}

/// Plans project after project. What is wrong in any of them is told before the first is compared with anything.
fn each(args: &Args, paths: &[PathBuf], cx: &mut Context) -> Result<Vec<Planned>, Halt> {
    let mut bundles = Vec::with_capacity(paths.len());
    let mut failed = false;
    for path in paths {
        match bundle::load(path, &args.what, cx) {
            Ok(bundle) => bundles.push((path, bundle)),
            Err(halt) if halt.exit == Exit::Input => {
                // Told as a command of its own would tell it.
                drop(deploy::finish(Err(halt), cx));
                failed = true;
            }
            Err(other) => return Err(other),
        }
    }
    if failed {
        return Err(Halt::told(Exit::Input));
    }
    let mut all = Vec::with_capacity(bundles.len());
    for (path, bundle) in bundles {
        let (plan, title) = of_bundle(args, path, &bundle, cx)?;
        all.push(Planned { path: shown(path), project: bundle.project, env: bundle.env, title, plan });
    }
    Ok(all)
}

/// The plan of one project, and what is compared with what.
fn of_bundle(args: &Args, path: &std::path::Path, bundle: &Bundle, cx: &mut Context) -> Result<(Plan, String), Halt> {
    let mut settings = args.narrow.settings();
    settings.list_suppressed = args.show_suppressed;
    let env = if bundle.env.is_empty() { String::new() } else { format!(", env {}", bundle.env) };
    if let Some(revision) = &args.against {
        let plan = offline::against(bundle, path, &args.what, revision, &settings, cx)?;
        return Ok((plan, format!("{}{env}: the working tree against {revision}", bundle.project)));
    }
    if let Some(file) = &args.live {
        let plan = offline::live(bundle, &args.place, &args.what, file, &settings, cx)?;
        return Ok((plan, format!("{}{env}: the source against {}", bundle.project, file.display())));
    }
    let state = arm_apply::StateDir::new(&bundle.root, &bundle.project, &bundle.env);
    let session = session::open(&args.place, &bundle.root)?;
    let planned = planning::make(bundle, &args.place, &args.what, &settings, &session, &state, cx)?;
    let title = title(&planned, session.target.name());
    if let Some(file) = &args.output {
        let place = session.place(&planned.group);
        let plan = saved::saved(&planned, &place, &state.salt(), &settings);
        write(file, &plan)?;
    }
    if args.what_if {
        let text = whatif::compare(&planned, &session)?;
        cx.printer.say(&text);
    }
    Ok((planned.plan, title))
}

/// Writes the plans of a tree to stdout in the chosen format.
fn show_tree(all: &[Planned], detail: Detail, cx: &mut Context) -> Result<(), Halt> {
    let detail = Detail { width: cx.printer.columns(), ..detail };
    let text = match cx.format {
        Format::Json => plan_tree::json(all),
        Format::Sarif => plan_tree::sarif(all),
        Format::Markdown => plan_tree::markdown(all),
        Format::Human | Format::Short => plan_tree::human(all, detail, cx.printer.output_palette()),
    };
    cx.printer.data(&text)?;
    Ok(())
}

/// What is compared with what.
#[must_use]
pub fn title(planned: &planning::Planned, target: &str) -> String {
    let env = if planned.env.is_empty() { String::new() } else { format!(", env {}", planned.env) };
    format!("{}{env} on {target}, resource group {}", planned.project, planned.group)
}

/// Writes a plan to stdout in the chosen format.
pub fn show(plan: &Plan, title: &str, detail: Detail, cx: &mut Context) -> Result<(), Halt> {
    let detail = Detail { width: cx.printer.columns(), ..detail };
    let text = match cx.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(plan).unwrap_or_default()),
        Format::Sarif => crate::render::sarif::plan(plan),
        Format::Markdown => crate::render::plan_markdown::markdown(plan, title),
        Format::Human | Format::Short => {
            crate::render::plan::terminal(plan, title, detail, cx.printer.output_palette())
        }
    };
    cx.printer.data(&text)?;
    Ok(())
}

fn write(file: &std::path::Path, plan: &arm_plan::SavedPlan) -> Result<(), Halt> {
    let mut text = serde_json::to_string_pretty(plan).unwrap_or_default();
    text.push('\n');
    std::fs::write(file, text)
        .map_err(|e| Halt::world(Code::FileUnreadable, format!("`{}` cannot be written: {e}", file.display()), ""))
}
