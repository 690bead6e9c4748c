//! `dsvmc apply`: shows the plan, asks for confirmation, deploys, follows the deployment to its end, and reports.

use super::plan::{show, title};
use crate::cli::args::Format;
use crate::cli::deploy_args::{DeployInputArgs, DeployTargetArgs, SettingsArgs};
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::rollout::{self, Rolled, RolloutArgs};
use crate::cli::{Context, apply_errors, report, when};
use crate::deploy::confirmation::{self, Approval, confirm};
use crate::deploy::context::DeployContext;
use crate::deploy::deployed::{collect_outputs, deployments};
use crate::deploy::error::CommandError;
use crate::deploy::execute::{self, ExecuteOptions};
use crate::deploy::input::DeployInput;
use crate::deploy::load::load;
use crate::deploy::plan::{self, Planned};
use crate::deploy::report::{ApplyOutcome, ApplyReport};
use crate::deploy::rollout::can_continue;
use crate::deploy::settings::Settings;
use crate::deploy::{quota, registration, saved_plan, session};
use crate::render::palette::Role;
use crate::render::plan::{Detail, clean};
use crate::render::plan_quota;
use arm_apply::StateDir;
use dsvm_diagnostics::count;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// The command line arguments of `apply`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Interrupted? Run it again: it reads what exists and deploys the rest.\n\n\
                  Examples:\n  dsvmc apply --target local examples/01-shared-pool\n  dsvmc apply prod.plan --target azure")]
pub struct Args {
    /// File or folder of the project, or a plan saved with `dsvmc plan -o FILE`
    #[arg(value_name = "PATH|PLAN", default_value = ".")]
    pub path: PathBuf,
    #[command(flatten)]
    input: DeployInputArgs,
    #[command(flatten)]
    target: DeployTargetArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Do not ask for confirmation
    #[arg(long, short = 'y')]
    yes: bool,
    /// With --yes: confirm deletions and replacements too
    #[arg(long)]
    allow_delete: bool,
    /// Wait for another apply of this project instead of giving up
    #[arg(long)]
    wait: bool,
    /// Continue even if the deployment stack is out of sync with its resources
    #[arg(long)]
    out_of_sync: bool,
    /// Deploy even if nothing differs: sends secrets again, whose values cannot be compared
    #[arg(long)]
    force: bool,
    /// Register features and resource providers that the subscription lacks
    #[arg(long)]
    register_features: bool,
    /// List the resources that change
    #[arg(long)]
    resources: bool,
    /// List the resources with every property, those of new ones too
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    rollout: RolloutArgs,
}

/// Runs `dsvmc apply` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    report::finish(result, &mut cx.printer)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, CommandError> {
    let saved = if saved_plan::is_saved(&args.path) { Some(saved_plan::read(&args.path)?) } else { None };
    let input = args.input.input();
    let (path, input) = match &saved {
        Some(plan) if input.template.is_none() => (PathBuf::from(&plan.project), saved_plan::input_of(plan, &input)),
        _ => (args.path.clone(), input),
    };
    let target = args.target.target(&path, cx.world.as_ref(), cx.printer.is_quiet())?;
    let input = with_template(&path, input);
    let project = load(&path, &input, cx.world.as_ref(), &mut cx.printer)?;
    let settings = saved.as_ref().map_or_else(|| args.settings.settings(&args.input), saved_plan::settings_of);
    let state = StateDir::new(project.state_root(), &project.name, &project.env);
    let _lock = state.lock(args.wait)?;
    let session = session::open(&target, project.endpoint_root(&input))?;
    let context = DeployContext { project: &project, input: &input, target: &target, session: &session, state: &state };
    let mut progress = Progress::for_printer(&cx.printer);
    if let Some(journal) = state.journal() {
        let started = when::to_the_second(&journal.started);
        cx.printer.note(&format!("The apply started at {started} did not finish; continuing from what exists.\n"));
        execute::settle_interrupted(&context, &settings, &mut progress)?;
    }
    let planned = plan::make(&context, &settings, cx.world.as_ref(), &mut cx.printer)?;
    if let Some(saved) = &saved {
        saved_plan::verify_first(saved, &state)?;
        saved_plan::verify_saved_plan(saved, &planned, &session, &settings)?;
    }
    let source = quota::Source { session: Some(&session), files: &[] };
    let (limits, remark) = quota::compare(planned.growth.clone(), &source, cx.world.as_ref())?;
    if let Some(remark) = remark {
        cx.printer.note(&format!("note: {remark}\n"));
    }
    if cx.format == Format::Json {
        let text = plan_quota::terminal(&limits, usize::MAX, cx.printer.error_palette());
        cx.printer.note(text.trim_start());
    } else {
        let detail =
            Detail { resources: args.resources, properties: args.full, new_properties: args.full, ..Detail::default() };
        let title = title(&planned, session.target.name(), &target);
        show(&planned.plan, planned.impact().as_ref(), &limits, &title, detail, cx)?;
    }
    let unchanged = planned.plan.is_empty();
    if unchanged && !args.force && !execute::protection_changed(&planned, &settings) {
        for name in &planned.leftovers {
            cx.printer.note(&format!(
                "The stack `{}` has no resources of the sources; it is deleted, its resources stay.\n",
                clean(name)
            ));
            arm_apply::Arm::detach_stack(&session.client, &planned.group, name)?;
        }
        let rolled = rollout::run(args.rollout, &session, &planned, &mut progress);
        return finish_unchanged(&context, &planned, (&settings, rolled), cx);
    }
    progress.know(&planned.plan);
    // Sending unchanged resources again needs no confirmation.
    if !unchanged {
        let protected = confirmation::protected(&planned, state.receipt().as_ref());
        let approval = Approval { given: saved.is_some() || args.yes, deletions: args.allow_delete };
        confirm(&planned.plan, &protected, approval, &mut cx.printer)?;
    }
    registration::consent(&planned.unregistered, args.register_features, &mut cx.printer)?;
    registration::register_all(&session, &planned.unregistered)?;
    if let Some(saved) = &saved {
        state.record_applied(&saved.seal, &when::to_the_second(&when::now()))?;
    }
    let options = ExecuteOptions { out_of_sync: args.out_of_sync, force: args.force };
    let outcome = execute::execute(&context, &planned, &settings, options, &mut progress);
    progress.close();
    let mut outcome = outcome?;
    if let ApplyOutcome::Failed { error, .. } = &outcome
        && !args.rollout.no_rollout
        && can_continue(error)
    {
        cx.printer.note("Machines were unhealthy before the rolling upgrade; they are upgraded first.\n");
        let rolled = rollout::run(args.rollout, &session, &planned, &mut progress);
        if !rolled.is_complete() {
            return rolled.finish(cx);
        }
        let again = execute::execute(&context, &planned, &settings, options, &mut progress);
        progress.close();
        outcome = again?;
    }
    match outcome {
        ApplyOutcome::Succeeded(done) => {
            let rolled = rollout::run(args.rollout, &session, &planned, &mut progress);
            report(&done, rolled, cx)
        }
        ApplyOutcome::Failed { receipt, error } => {
            if cx.format == Format::Json {
                cx.printer.json(&pretty(&json!(*receipt)))?;
            }
            apply_errors::print(&error, &project, &planned.desired, &mut cx.printer);
            rollout::explain_refusal(&error, &session, &planned, cx);
            Ok(Exit::Stopped)
        }
    }
}

/// A saved plan of a template names the template's file in place of a project.
fn with_template(path: &std::path::Path, input: DeployInput) -> DeployInput {
    let is_template = input.template.is_none() && path.extension().is_some_and(|e| e == "json") && path.is_file();
    if is_template { DeployInput { template: Some(path.to_owned()), ..input } } else { input }
}

fn finish_unchanged(
    context: &DeployContext<'_>,
    planned: &Planned,
    (settings, rolled): (&Settings, Rolled),
    cx: &mut Context,
) -> Result<Exit, CommandError> {
    execute::record_unchanged(context, planned, settings)?;
    let mut outputs = planned.outputs.clone();
    for deployed in deployments(context.session, &planned.group, context.project)? {
        collect_outputs(&deployed.body, &mut outputs);
    }
    if cx.format == Format::Json {
        let receipt = context.state.receipt().unwrap_or_default();
        let json = json!({ "schema": 1, "outcome": "unchanged", "summary": planned.plan.summary, "outputs": outputs, "last": receipt, "rollout": rolled.json() });
        cx.printer.json(&format!("{json:#}\n"))?;
    } else {
        print_outputs(&outputs, cx)?;
    }
    rolled.finish(cx)
}

/// Flattens an object into one line for each member, two levels deep.
fn flatten(name: &str, value: &Value, depth: u8, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if depth < 2 && !map.is_empty() => {
            map.iter().for_each(|(key, inner)| flatten(&format!("{name}.{key}"), inner, depth + 1, lines));
        }
        Value::String(text) => lines.push((name.to_owned(), text.clone())),
        other => lines.push((name.to_owned(), other.to_string())),
    }
}

/// Prints outputs for people: a heading, then one aligned line for each; nothing when there are none.
pub fn print_outputs(outputs: &Map<String, Value>, cx: &mut Context) -> Result<(), CommandError> {
    if outputs.is_empty() {
        return Ok(());
    }
    let palette = cx.printer.output_palette();
    let mut lines = Vec::new();
    outputs.iter().for_each(|(name, value)| flatten(name, value, 0, &mut lines));
    let width = lines.iter().map(|(k, _)| k.chars().count()).max().unwrap_or(0);
    let mut text = format!("\n{}\n", palette.paint(Role::Title, "Outputs"));
    for (name, shown) in &lines {
        text.push_str(&format!("  {:<width$}  {}\n", clean(name), palette.paint(Role::Name, &clean(shown))));
    }
    cx.printer.data(&text)?;
    Ok(())
}

fn pretty(receipt: &Value) -> String {
    format!("{receipt:#}\n")
}

/// Prints how a successful deployment and the rollout after it ended.
fn report(done: &ApplyReport, rolled: Rolled, cx: &mut Context) -> Result<Exit, CommandError> {
    if !done.still_different.is_empty() {
        let names: Vec<String> = done.still_different.iter().map(|name| format!("`{}`", clean(name))).collect();
        let differ = if names.len() == 1 { "differs" } else { "differ" };
        cx.printer.note(&format!(
            "note: {} still {differ} from the source although Azure accepted the deployment; `dsvmc plan` shows how\n",
            names.join(", ")
        ));
    }
    let receipt = &done.receipt;
    if cx.format == Format::Json {
        let mut json = json!(receipt);
        if let Some(map) = json.as_object_mut() {
            map.insert("rollout".to_owned(), rolled.json());
        }
        cx.printer.json(&pretty(&json))?;
        return rolled.finish(cx);
    }
    let sum = &receipt.summary;
    let parts = [
        (sum.create, "created"),
        (sum.update, "updated"),
        (sum.replace, "replaced"),
        (sum.delete, "deleted"),
        (sum.detach, "detached"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let what = if parts.is_empty() { "sent again, nothing differed".to_owned() } else { parts.join(", ") };
    let palette = cx.printer.output_palette();
    let time = if done.seconds == 0 { String::new() } else { format!(" in {}", count(done.seconds, "second")) };
    cx.printer.data(&format!("\n{} {what}{time}.\n", palette.paint(Role::Good, "Done:")))?;
    print_outputs(&receipt.outputs, cx)?;
    rolled.finish(cx)
}
