//! `dsvmc apply`: shows the plan, asks, deploys, follows it to the end, and says what exists now.

use super::plan::{Narrow, show, title};
use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy::bundle::Bundle;
use crate::cli::deploy::narrowing::is_narrow;
use crate::cli::deploy::observing::{Seen, look_again, mark, mark_tags};
use crate::cli::deploy::planning::{self, Planned, Settings};
use crate::cli::deploy::progress::Progress;
use crate::cli::deploy::session::Session;
use crate::cli::deploy::{self, Halt, What, Where, bundle, consent, desired, refusal, saved, session, standing};
use crate::cli::exit::Exit;
use crate::render::palette::Role;
use crate::render::plan::{Detail, clean};
use arm_apply::{ApplyError, Event, Job, Observer, Receipt, ReceiptItem, StateDir, Step};
use arm_client::DeployMode;
use arm_plan::{Action, Baseline, SavedPlan};
use dsvm_diagnostics::count;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Interrupted? Run it again: it looks at what exists and does the rest.\n\n\
                  Examples:\n  dsvmc apply --target local examples/01-shared-pool\n  dsvmc apply prod.plan --target azure")]
pub struct Args {
    /// File or folder of the project, or a plan saved with `dsvmc plan -o FILE`
    #[arg(value_name = "PATH|PLAN", default_value = ".")]
    pub path: PathBuf,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    narrow: Narrow,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
    /// With --yes: deletions and replacements are wanted too
    #[arg(long)]
    allow_delete: bool,
    /// Wait for another apply of this project instead of giving up
    #[arg(long)]
    wait: bool,
    /// Let the deployment stack go on although it lost track of its resources
    #[arg(long)]
    out_of_sync: bool,
    /// Deploy although nothing differs: sends secrets again, whose values cannot be compared
    #[arg(long)]
    force: bool,
    /// List every property of new resources
    #[arg(long)]
    full: bool,
}

/// Runs the command.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    deploy::finish(result, cx)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, Halt> {
    let plan_file = if saved::is_saved(&args.path) { Some(saved::read(&args.path)?) } else { None };
    let (path, what) = match &plan_file {
        Some(plan) if args.what.template.is_none() => (PathBuf::from(&plan.project), saved::what_of(plan, &args.what)),
        _ => (args.path.clone(), args.what.clone()),
    };
    let bundle = load(&path, &what, cx)?;
    let settings = match &plan_file {
        Some(plan) => saved::settings_of(plan),
        None => args.narrow.settings(),
    };
    let state = StateDir::new(&bundle.root, &bundle.project, &bundle.env);
    let _lock = state.lock(args.wait)?;
    let session = session::open(&args.place, &bundle.root)?;
    let mut progress = Progress::new(
        cx.printer.interactive(),
        cx.printer.is_quiet(),
        cx.printer.columns(),
        cx.printer.error_palette(),
    );
    resume(&bundle, args, &settings, &session, &state, &mut progress, cx)?;
    let planned = planning::make(&bundle, &args.place, &what, &settings, &session, &state, cx)?;
    if let Some(plan) = &plan_file {
        hold_against(plan, &planned, &session, &settings)?;
    }
    if cx.format != Format::Json {
        let detail = Detail { suppressed: false, new_properties: args.full, ..Detail::default() };
        show(&planned.plan, &title(&planned, session.target.name()), detail, cx)?;
    }
    if planned.plan.is_empty() && !args.force && !marks_changed(&planned, &settings) {
        for name in &planned.leftovers {
            cx.printer.note(&format!(
                "The stack `{}` holds nothing of the sources; it is forgotten, its resources stay.\n",
                clean(name)
            ));
            arm_apply::Arm::detach_stack(&session.client, &planned.group, name)?;
        }
        return unchanged(&planned, &bundle, &settings, &session, &state, cx);
    }
    progress.know(&planned.plan);
    let protected = consent::protected(&planned, state.receipt().as_ref());
    if planned.plan.is_empty() {
        // What is the same already needs nobody's consent.
        return carry_out(args, &bundle, planned, &settings, &session, &state, &mut progress, cx);
    }
    consent::check(&planned.plan, &protected, plan_file.is_some() || args.yes, args.allow_delete, cx)?;
    carry_out(args, &bundle, planned, &settings, &session, &state, &mut progress, cx)
}

/// A template file that a saved plan was made of is named in it like a project.
fn load(path: &std::path::Path, what: &What, cx: &mut Context) -> Result<Bundle, Halt> {
    let is_template = what.template.is_none() && path.extension().is_some_and(|e| e == "json") && path.is_file();
    if is_template {
        let what = What { template: Some(path.to_owned()), ..what.clone() };
        return bundle::load(path, &what, cx);
    }
    bundle::load(path, what, cx)
}

/// What an apply that was cut off left running is waited for before anything is compared.
fn resume(
    bundle: &Bundle,
    args: &Args,
    settings: &Settings,
    session: &Session,
    state: &StateDir,
    watch: &mut Progress,
    cx: &mut Context,
) -> Result<(), Halt> {
    let Some(journal) = state.journal() else { return Ok(()) };
    cx.printer.note(&format!(
        "The apply that began at {} did not end; going on from what exists.\n",
        standing::when(&journal.started)
    ));
    let group = planning::group_of(bundle, &args.place);
    if session.client.resource_group(&group)?.is_none() {
        return Ok(());
    }
    for step in journal.steps.iter().filter(|s| s.kind == "deploy" && s.state == "begun") {
        match arm_apply::wait_until_idle(&session.client, settings.mode, &group, &step.name, watch) {
            Ok(()) => {}
            Err(ApplyError::Stopped) => return Err(Halt { exit: Exit::Stopped, ..ApplyError::Stopped.into() }),
            Err(ApplyError::Azure(error)) => return Err(error.into()),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// A saved plan is applied exactly, or not at all.
fn hold_against(plan: &SavedPlan, planned: &Planned, session: &Session, settings: &Settings) -> Result<(), Halt> {
    let place = session.place(&planned.group);
    let now = saved::saved(planned, &place, &plan.salt, settings);
    arm_plan::verify(plan, &now).map_err(|refusal| saved::refused(&refusal))
}

fn unchanged(
    planned: &Planned,
    bundle: &Bundle,
    settings: &Settings,
    session: &Session,
    state: &StateDir,
    cx: &mut Context,
) -> Result<Exit, Halt> {
    state.clear_journal();
    // A mark is no property: that it came or went is no change, but counts from now on.
    if let (Some(mut receipt), true) = (state.receipt(), !is_narrow(settings)) {
        let marked = consent::marked(planned);
        if receipt.protected != marked {
            receipt.protected = marked;
            state.write_receipt(&receipt)?;
        }
    }
    let mut outputs = planned.outputs.clone();
    for deployed in standing::deployed(session, &planned.group, bundle)? {
        standing::collect_outputs(&deployed.body, &mut outputs);
    }
    if cx.format == Format::Json {
        let receipt = state.receipt().unwrap_or_default();
        let json = json!({ "schema": 1, "outcome": "unchanged", "summary": planned.plan.summary, "outputs": outputs, "last": receipt });
        cx.printer.data(&format!("{json:#}\n"))?;
    } else {
        say_outputs(&outputs, cx)?;
    }
    Ok(Exit::Done)
}

/// A mark is no property: that one came or went is no change of a resource, but the stack must know of it.
fn marks_changed(planned: &Planned, settings: &Settings) -> bool {
    if settings.mode != DeployMode::Stack || is_narrow(settings) {
        return false;
    }
    let set = |marks: Vec<String>| marks.into_iter().collect::<std::collections::BTreeSet<_>>();
    set(consent::marked(planned).iter().map(|id| mark(id)).collect()) != set(planned.marks.clone())
}

/// Objects are shown member by member, two levels deep.
fn flatten(name: &str, value: &Value, depth: u8, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if depth < 2 && !map.is_empty() => {
            map.iter().for_each(|(key, inner)| flatten(&format!("{name}.{key}"), inner, depth + 1, lines));
        }
        Value::String(text) => lines.push((name.to_owned(), text.clone())),
        other => lines.push((name.to_owned(), other.to_string())),
    }
}

/// Writes outputs for people.
pub fn say_outputs(outputs: &Map<String, Value>, cx: &mut Context) -> Result<(), Halt> {
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

#[expect(clippy::too_many_arguments, reason = "the parts of one run; bundling them would only name the list")]
fn carry_out(
    args: &Args,
    bundle: &Bundle,
    planned: Planned,
    settings: &Settings,
    session: &Session,
    state: &StateDir,
    progress: &mut Progress,
    cx: &mut Context,
) -> Result<Exit, Halt> {
    let started = jiff::Timestamp::now();
    let commit = saved::commit(&bundle.root);
    let job = job(args, &planned, settings, &commit, &state.salt());
    let result = arm_apply::run(&job, &session.client, state, &started.to_string(), progress);
    progress.close();
    let ended = jiff::Timestamp::now();
    let mut receipt = Receipt {
        schema: 1,
        project: planned.project.clone(),
        env: planned.env.clone(),
        target: session.target.name().to_owned(),
        subscription: session.subscription.clone(),
        resource_group: planned.group.clone(),
        commit,
        started: started.to_string(),
        ended: ended.to_string(),
        outcome: "succeeded".to_owned(),
        templates: planned.parts.iter().map(|p| arm_plan::digest(&p.template.read())).collect(),
        summary: planned.plan.summary,
        protected: consent::marked(&planned),
        ..Receipt::default()
    };
    match result {
        Ok(done) => {
            let states: std::collections::BTreeMap<String, &String> =
                done.states.iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect();
            receipt.resources = planned
                .plan
                .effective()
                .map(|c| item(c, states.get(&c.id.to_ascii_lowercase()).map(|s| s.as_str())))
                .collect();
            receipt.outputs = done.outputs;
            receipt.managed = done.managed;
            if settings.mode == DeployMode::Plain {
                keep_known(&mut receipt, state.receipt(), is_narrow(settings));
            }
            remember(&planned, settings, session, state, bundle, cx)?;
            state.write_receipt(&receipt)?;
            state.clear_journal();
            let seconds = (ended - started).as_secs();
            told(&receipt, seconds, cx)?;
            Ok(Exit::Done)
        }
        Err(error) => {
            receipt.outcome = if matches!(error, ApplyError::Stopped) { "stopped".into() } else { "failed".into() };
            // The receipt of the last apply that ended well stays: `status` and `outputs` tell of it.
            if cx.format == Format::Json {
                cx.printer.data(&format!("{}\n", serde_json::to_string_pretty(&receipt).unwrap_or_default()))?;
            }
            refusal::tell(&error, bundle, &planned.desired, cx);
            progress.event(&Event::Tick);
            Err(Halt::told(Exit::Stopped))
        }
    }
}

fn item(change: &arm_plan::Change, state: Option<&str>) -> ReceiptItem {
    let end = match change.action {
        Action::Delete => "Deleted",
        Action::Detach => "Detached",
        _ => "Succeeded",
    };
    ReceiptItem {
        id: change.id.clone(),
        action: change.action.word().to_owned(),
        state: state.unwrap_or(end).to_owned(),
    }
}

/// A plain deployment deletes nothing: what earlier ones made is still the project's, and a narrowed one has no outputs.
fn keep_known(receipt: &mut Receipt, last: Option<Receipt>, narrowed: bool) {
    let Some(last) = last else { return };
    for id in last.managed {
        if !receipt.managed.iter().any(|known| arm_plan::same_id(known, &id)) {
            receipt.managed.push(id);
        }
    }
    if narrowed {
        receipt.outputs = last.outputs;
    }
}

/// Azure takes names of deployments of up to 64 characters.
const LONGEST_NAME: usize = 55;

/// Azure keeps so much of a stack's description.
const NOTE_LIMIT: usize = 4096;

fn job(args: &Args, planned: &Planned, settings: &Settings, commit: &str, salt: &str) -> Job {
    let replaced = planned.plan.changes.iter().filter(|c| c.action == Action::Replace);
    let version = |id: &str| {
        planned.desired.resources.iter().find(|r| arm_plan::same_id(&r.id, id)).map(|r| r.api_version.clone())
    };
    let removed = planned.plan.changes.iter().filter(|c| c.action == Action::Delete).map(|c| arm_client::ResourceRef {
        id: c.id.clone(),
        api_version: arm_catalog::latest_version(&c.resource_type).unwrap_or_default().to_owned(),
    });
    let narrowed = is_narrow(settings);
    // What is as wanted is not sent again, unless that was asked for.
    let sent = planned.plan.changes.iter().filter(|c| args.force || c.action != Action::NoChange);
    let selected: Vec<String> = sent.map(|c| c.id.clone()).collect();
    let mut tags = mark_tags(&consent::marked(planned));
    for (name, value) in [
        ("version", env!("CARGO_PKG_VERSION")),
        ("project", &planned.project),
        ("env", &planned.env),
        ("commit", commit),
    ] {
        tags.insert(format!("dsvmc-{name}"), Value::from(value));
    }
    // Every stack carries the whole record: each is read by itself.
    let note = Baseline::hidden(&planned.desired, salt).to_note(NOTE_LIMIT);
    let steps = planned.parts.iter().enumerate().map(|(index, part)| {
        let template = part.template.read();
        let template = if narrowed { desired::narrow(template, &planned.desired, index, &selected) } else { template };
        // The whole deployment, with its outputs, stays to be seen under its own name.
        let name = if narrowed {
            part.name.chars().take(LONGEST_NAME).collect::<String>() + "-narrowed"
        } else {
            part.name.clone()
        };
        Step { name, template, parameters: part.parameters.clone(), note: note.clone() }
    });
    Job {
        group: planned.group.clone(),
        groups: planned.plan.groups.clone(),
        group_tags: json!({}),
        mode: settings.mode,
        unmanaged: settings.unmanaged,
        stack_tags: Value::Object(tags),
        out_of_sync: args.out_of_sync,
        replaced: replaced
            .map(|c| arm_client::ResourceRef { id: c.id.clone(), api_version: version(&c.id).unwrap_or_default() })
            .collect(),
        removed: removed.collect(),
        leftovers: planned.leftovers.clone(),
        steps: steps.collect(),
        desired: planned.desired.clone(),
    }
}

/// Looks once more: what the service filled in now is no difference later.
fn remember(
    planned: &Planned,
    settings: &Settings,
    session: &Session,
    state: &StateDir,
    bundle: &Bundle,
    cx: &mut Context,
) -> Result<(), Halt> {
    if is_narrow(settings) {
        return Ok(());
    }
    let Seen { desired, observed, .. } = look_again(planned, bundle, session, settings.mode, state)?;
    let baseline = Baseline::record(&desired, &observed, &state.salt());
    let options = arm_plan::DiffOptions { baseline: Some(baseline.clone()), ..arm_plan::DiffOptions::default() };
    let left = arm_plan::diff(&desired, &observed, &options);
    state.write_baseline(&baseline)?;
    let left: Vec<String> = left.effective().map(|c| format!("`{}`", clean(c.shown()))).collect();
    if !left.is_empty() {
        let are = if left.len() == 1 { "is" } else { "are" };
        cx.printer.note(&format!("note: {} {are} not as the source says although Azure took the deployment; `dsvmc plan` shows the difference\n", left.join(", ")));
    }
    Ok(())
}

fn told(receipt: &Receipt, seconds: i64, cx: &mut Context) -> Result<(), Halt> {
    if cx.format == Format::Json {
        cx.printer.data(&format!("{}\n", serde_json::to_string_pretty(receipt).unwrap_or_default()))?;
        return Ok(());
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
    let time = if seconds == 0 { String::new() } else { format!(" in {}", count(seconds, "second")) };
    cx.printer.data(&format!("\n{} {what}{time}.\n", palette.paint(Role::Good, "Done:")))?;
    say_outputs(&receipt.outputs, cx)
}
