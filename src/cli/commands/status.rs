//! `dsvmc status`: what is deployed, from which commit, and what differs from the sources.

use crate::cli::args::Format;
use crate::cli::deploy_args::{DeployInputArgs, DeployTargetArgs};
use crate::cli::exit::Exit;
use crate::cli::{Context, machines, report, when};
use crate::deploy::deployed::{Deployed, DeployedProject, deployments, inspect};
use crate::deploy::error::CommandError;
use crate::deploy::git;
use crate::render::layout::wrap;
use crate::render::plan::{clean, summary};
use arm_plan::{Plan, WarningKind};
use dsvm_diagnostics::count;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The command line arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dsvmc status --target azure --env prod")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    input: DeployInputArgs,
    #[command(flatten)]
    target: DeployTargetArgs,
}

/// Runs `dsvmc status` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    report::finish(result, &mut cx.printer)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, CommandError> {
    let (input, target) =
        (args.input.input(), args.target.target(&args.path, cx.world.as_ref(), cx.printer.is_quiet())?);
    let DeployedProject { project, state, session, planned, compared } =
        inspect(&args.path, &input, &target, cx.world.as_ref(), &mut cx.printer)?;
    let found = deployments(&session, &planned.group, &project)?;
    let as_json = |d: &Deployed| {
        json!({
            "kind": d.kind, "name": d.name, "state": d.text("/properties/provisioningState"), "commit": d.text("/tags/dsvmc-commit"),
        })
    };
    let listed: Vec<Value> = found.iter().map(as_json).collect();
    let here = git::commit(&project.root);
    let receipt = state.receipt();
    let interrupted = state.journal().map(|j| j.started);
    let pools = machines::of(&session, &planned, cx);
    if cx.format == Format::Json {
        let json = json!({
            "schema": 1, "project": planned.project, "env": planned.env, "target": session.target.name(), "resourceGroup": planned.group,
            "deployments": listed, "commitHere": here, "last": receipt, "interrupted": interrupted,
            "pools": pools, "resources": planned.observed.resources.len(), "drift": compared.then_some(planned.plan.summary), "warnings": planned.plan.warnings,
        });
        cx.printer.json(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let width = match cx.printer.columns() {
        0 => usize::MAX,
        width => width,
    };
    let mut text = format!("{}\n", clean(&super::plan::title(&planned, session.target.name(), &target)));
    if listed.is_empty() {
        text.push_str("  not deployed\n");
    }
    for one in &found {
        let commit = one.text("/tags/dsvmc-commit");
        let from = if commit.is_empty() { String::new() } else { format!(", from commit {}", clean(&commit)) };
        let left =
            if planned.leftovers.contains(&one.name) { "; has no resources of the sources any more" } else { "" };
        let state = one.text("/properties/provisioningState").to_lowercase();
        text.push_str(&format!("  {} `{}`: {}{from}{left}\n", one.kind, clean(&one.name), clean(&state)));
    }
    if !here.is_empty() {
        text.push_str(&format!("  sources here: commit {here}\n"));
    }
    if let Some(receipt) = &receipt {
        text.push_str(&format!(
            "  last apply from this machine: {}, {}\n",
            when::to_the_second(&receipt.ended),
            clean(&receipt.outcome)
        ));
    }
    if let Some(started) = &interrupted {
        text.push_str(&format!(
            "  the apply started at {} did not finish; run `dsvmc apply` to continue\n",
            when::to_the_second(started)
        ));
    }
    let number = planned.observed.resources.len();
    let verb = if number == 1 { "exists" } else { "exist" };
    text.push_str(&format!("  {} {verb}\n", count(number, "resource")));
    text.push_str(&machines::text(&pools));
    for warning in planned.plan.warnings.iter().filter(|w| w.kind != WarningKind::MachinesBehind) {
        let word = warning.kind.word();
        text.push_str(&format!(
            "  {word}: `{}`: {}\n",
            clean(&arm_plan::type_of_id(&warning.id).1),
            clean(&warning.text)
        ));
    }
    // Before the first apply everything is missing, which is not drift.
    if !compared {
        text.push_str("  not compared with the sources\n");
    } else if !listed.is_empty() || number > 0 {
        text.push_str(&drift(&planned.plan));
    }
    let lines = text.lines().map(|line| wrap(line, width, "    "));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    cx.printer.data(&text)?;
    Ok(Exit::Done)
}

/// How the deployed resources differ from the sources: one line with the first names.
fn drift(plan: &Plan) -> String {
    const FEW: usize = 10;
    if plan.is_empty() {
        return "  matches the sources\n".to_owned();
    }
    let names: Vec<String> = plan.effective().take(FEW).map(|c| format!("`{}`", clean(c.shown()))).collect();
    let more = plan.effective().count().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sum = summary(&plan.summary);
    let sum = sum.strip_prefix("Plan: ").unwrap_or(&sum).trim_end_matches('.');
    format!("  differs from the sources ({sum}): {}{more}; `dsvmc plan` shows how\n", names.join(", "))
}
