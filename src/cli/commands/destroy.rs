//! `dsvmc destroy`: deletes what a project made, and nothing else.

use crate::cli::Context;
use crate::cli::deploy::bundle::Bundle;
use crate::cli::deploy::observing::{mark, marks_of};
use crate::cli::deploy::progress::Progress;
use crate::cli::deploy::session::Session;
use crate::cli::deploy::{self, Halt, What, Where, consent, desired, last, planning, session, standing};
use crate::cli::exit::Exit;
use crate::render::plan::Detail;
use arm_apply::{Event, Observer, StateDir};
use arm_client::{AzureError, OperationStatus as Standing, Pending, ServiceError};
use arm_plan::{Desired, DiffOptions, Observed, Plan, diff};
use dsvm_diagnostics::Code;
use serde_json::Value;
use std::path::PathBuf;

/// Arguments of `destroy`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Resource groups stay, with everything in them that this project did not make.\n\n\
                  Examples:\n  dsvmc destroy --target local examples/01-shared-pool\n  \
                  dsvmc destroy --target azure --project team --env prod   (its sources are gone)")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Name of a project whose sources are gone; with --env when it had envs
    #[arg(long, value_name = "NAME", conflicts_with = "template")]
    project: Option<String>,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Where,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
    /// With --yes: the deletions are wanted
    #[arg(long)]
    allow_delete: bool,
    /// Forget the deployment stack, but leave its resources
    #[arg(long)]
    detach: bool,
    /// Wait for another apply of this project instead of giving up
    #[arg(long)]
    wait: bool,
}

/// Runs the command.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    deploy::finish(result, cx)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, Halt> {
    let bundle = match &args.project {
        Some(name) => Bundle {
            project: name.clone(),
            root: args.path.clone(),
            env: args.what.env.clone().unwrap_or_default(),
            ..Bundle::default()
        },
        None => last::load(&args.path, &args.what, cx)?,
    };
    let state = StateDir::new(&bundle.root, &bundle.project, &bundle.env);
    let _lock = state.lock(args.wait)?;
    let session = session::open(&args.place, &bundle.root)?;
    let group = planning::group_of(&bundle, &args.place);
    let (plan, stacks) = everything(&bundle, &group, &session, &state, args.detach)?;
    if plan.is_empty() && stacks.is_empty() {
        state.forget();
        cx.printer.note(&format!(
            "Nothing of `{}` is deployed to `{group}` on {}.\n",
            bundle.project,
            session.target.name()
        ));
        return Ok(Exit::Done);
    }
    let title = format!("{}: destroy what it made from {group} on {}", bundle.project, session.target.name());
    super::plan::show(&plan, &title, Detail::default(), cx)?;
    let protected = protected(&plan, &bundle, &args.what, &group, &stacks, &session, &state);
    consent::check(&plan, &protected, args.yes, args.allow_delete, cx)?;
    let mut progress = Progress::new(
        cx.printer.interactive(),
        cx.printer.is_quiet(),
        cx.printer.columns(),
        cx.printer.error_palette(),
    );
    progress.know(&plan);
    let result = remove(&plan, &stacks, &group, &session, args.detach, &mut progress);
    progress.close();
    result?;
    let (left, _) = everything(&bundle, &group, &session, &state, args.detach)?;
    if !args.detach && !left.is_empty() {
        let names: Vec<String> = left.effective().map(|c| format!("`{}`", c.shown())).collect();
        return Err(Halt {
            exit: Exit::Stopped,
            ..Halt::world(
                Code::ApplyStopped,
                format!("still there: {}", names.join(", ")),
                "run `dsvmc destroy` again; a lock may hold them (`az lock list`)",
            )
        });
    }
    state.forget();
    cx.printer.data("Done.\n")?;
    Ok(Exit::Done)
}

/// What the project made, as a plan that takes it away; with its stacks.
fn everything(
    bundle: &Bundle,
    group: &str,
    session: &Session,
    state: &StateDir,
    detach: bool,
) -> Result<(Plan, Vec<Value>), Halt> {
    let (observed, stacks) = standing::made(bundle, group, session, state)?;
    let unmanaged = if detach { arm_plan::Unmanaged::Detach } else { arm_plan::Unmanaged::Delete };
    Ok((diff(&Desired::default(), &observed, &DiffOptions { unmanaged, ..DiffOptions::default() }), stacks))
}

/// What the source marks now, and what the last apply recorded, here or in the stacks.
fn protected(
    plan: &Plan,
    bundle: &Bundle,
    what: &What,
    group: &str,
    stacks: &[Value],
    session: &Session,
    state: &StateDir,
) -> Vec<String> {
    let mut all = state.receipt().map(|r| r.protected).unwrap_or_default();
    let marks: Vec<String> = stacks.iter().flat_map(marks_of).collect();
    all.extend(plan.changes.iter().filter(|c| marks.contains(&mark(&c.id))).map(|c| c.id.clone()));
    let marked: Vec<(String, String)> = bundle.parts.iter().flat_map(|p| marked_names(&p.template.read())).collect();
    if marked.is_empty() {
        return all;
    }
    let names = worked_out(bundle, what, group, session);
    for (kind, name) in marked {
        let same_type = |one: &str| one.eq_ignore_ascii_case(&kind);
        let of_type = || plan.changes.iter().filter(|c| same_type(&c.resource_type));
        if !name.starts_with('[') {
            // In whichever group.
            all.extend(of_type().filter(|c| c.name.eq_ignore_ascii_case(&name)).map(|c| c.id.clone()));
        } else if let Some(names) = &names {
            all.extend(names.iter().filter(|(other, _)| same_type(other)).map(|(_, id)| id.clone()));
        } else {
            // A name that cannot be worked out here: whatever of that type exists is taken for the marked one.
            all.extend(of_type().map(|c| c.id.clone()));
        }
    }
    all
}

/// Type and id of what the source marks, computed names worked out; inside of nested templates, of all that could be
/// meant. `None` when a value that a name needs is not known here.
fn worked_out(bundle: &Bundle, what: &What, group: &str, session: &Session) -> Option<Vec<(String, String)>> {
    let parts = planning::known_values(bundle, what)?;
    let scope = desired::Scope {
        subscription: session.subscription.clone(),
        tenant: session.tenant.clone(),
        group: group.to_owned(),
        ..desired::Scope::default()
    };
    let mut wants = desired::expand_all(bundle, &parts, &scope).ok()?;
    wants.look_at(&Observed::default());
    let (desired, _) = wants.finish(&Observed::default());
    let templates: Vec<Value> = bundle.parts.iter().map(|p| p.template.read()).collect();
    let meant = |r: &&arm_plan::DesiredResource| {
        let mark = format!("{}/metadata/dsvmc/preventDestroy", r.pointer);
        r.pointer.is_empty() || templates.get(r.part).is_some_and(|t| t.pointer(&mark) == Some(&Value::Bool(true)))
    };
    let meant: Vec<_> =
        desired.resources.iter().filter(meant).map(|r| (r.resource_type.clone(), r.id.clone())).collect();
    meant.iter().all(|(_, id)| id.starts_with('/')).then_some(meant)
}

/// Type and name of what a template marks, with the templates inside of it.
fn marked_names(template: &Value) -> Vec<(String, String)> {
    let list: Vec<&Value> = match template.get("resources") {
        Some(Value::Array(list)) => list.iter().collect(),
        // By symbolic name.
        Some(Value::Object(map)) => map.values().collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for resource in list {
        let text = |key: &str| resource.get(key).and_then(Value::as_str);
        let marked = resource.pointer("/metadata/dsvmc/preventDestroy") == Some(&Value::Bool(true));
        if let (true, Some(kind), Some(name)) = (marked, text("type"), text("name")) {
            all.push((kind.to_owned(), name.to_owned()));
        }
        all.extend(resource.pointer("/properties/template").into_iter().flat_map(marked_names));
    }
    all
}

fn remove(
    plan: &Plan,
    stacks: &[Value],
    group: &str,
    session: &Session,
    detach: bool,
    watch: &mut Progress,
) -> Result<(), Halt> {
    let action = if detach { "detach" } else { "delete" };
    for change in plan.effective() {
        watch.event(&Event::Resource { id: change.id.clone(), state: "Deleting".into() });
    }
    for name in stacks.iter().rev().filter_map(|s| s.get("name").and_then(Value::as_str)) {
        let reply = session.client.delete_stack(group, name, action)?;
        let Some(mut pending) = Pending::of(&reply) else { continue };
        loop {
            if watch.stopped() {
                return Err(Halt {
                    exit: Exit::Stopped,
                    ..Halt::world(
                        Code::ApplyStopped,
                        "stopped on request; the deletion goes on",
                        "run `dsvmc destroy` again to follow it",
                    )
                });
            }
            session
                .client
                .sleep(pending.wait.min(std::time::Duration::from_millis(200u64 << u64::from(pending.asked.min(5)))));
            match session.client.poll(&pending) {
                Ok(Standing::Running(next)) => pending = next,
                Ok(Standing::Done(_)) => break,
                Ok(Standing::Failed(error)) => {
                    return Err(Halt { exit: Exit::Stopped, ..arm_client::AzureError::Service(error).into() });
                }
                // The stack is gone, and its polling address with it.
                Err(error) if error.is_not_found() => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    if stacks.is_empty() && !detach {
        remove_each(plan, session, watch)?;
    }
    for change in plan.effective() {
        watch.event(&Event::Resource { id: change.id.clone(), state: "Deleted".into() });
    }
    Ok(())
}

/// Deletes one resource after another, for plain deployments. What another one still uses waits for the next round; a round
/// that deletes nothing ends it with the first refusal. So no order has to be known: only the service knows it for every type.
fn remove_each(plan: &Plan, session: &Session, watch: &Progress) -> Result<(), Halt> {
    let mut left: Vec<_> = plan.effective().collect();
    // Children before their parents.
    left.sort_by_key(|change| std::cmp::Reverse(change.id.matches('/').count()));
    while !left.is_empty() {
        let before = left.len();
        let mut refused = None;
        let mut waiting = Vec::new();
        for change in left {
            if watch.stopped() {
                let words = "stopped on request; what was not yet deleted is still there";
                return Err(Halt {
                    exit: Exit::Stopped,
                    ..Halt::world(Code::ApplyStopped, words, "run `dsvmc destroy` again to delete the rest")
                });
            }
            let version = arm_catalog::latest_version(&change.resource_type).unwrap_or_default();
            match session.client.delete_resource(&change.id, version) {
                Ok(()) => {}
                Err(AzureError::Service(error)) if may_be_in_use(&error) => {
                    waiting.push(change);
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if let (Some(error), true) = (refused, waiting.len() == before) {
            return Err(Halt { exit: Exit::Stopped, ..AzureError::Service(error).into() });
        }
        left = waiting;
    }
    Ok(())
}

/// Whether a later try may do: refused for the state that other resources are in, and not for a lock.
fn may_be_in_use(error: &ServiceError) -> bool {
    matches!(error.status, 400 | 409)
        && !error.innermost().iter().any(|cause| cause.code.eq_ignore_ascii_case("ScopeLocked"))
}
