//! `dsvmc status`: what is deployed, from which commit, and what differs since.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy::standing::{self, Deployed, Standing};
use crate::cli::deploy::{self, Halt, What, Where, saved};
use crate::cli::exit::Exit;
use crate::render::layout::wrap;
use crate::render::plan::{clean, summary};
use arm_plan::Plan;
use dsvm_diagnostics::count;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dsvmc status --target azure --env prod")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Where,
}

/// Runs the command.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    deploy::finish(result, cx)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, Halt> {
    let Standing { bundle, state, session, planned, compared } =
        standing::look(&args.path, &args.what, &args.place, cx)?;
    let found = standing::deployed(&session, &planned.group, &bundle)?;
    let as_json = |d: &Deployed| {
        json!({
            "kind": d.kind, "name": d.name, "state": d.text("/properties/provisioningState"), "commit": d.text("/tags/dsvmc-commit"),
        })
    };
    let deployments: Vec<Value> = found.iter().map(as_json).collect();
    let here = saved::commit(&bundle.root);
    let receipt = state.receipt();
    let interrupted = state.journal().map(|j| j.started);
    if cx.format == Format::Json {
        let json = json!({
            "schema": 1, "project": planned.project, "env": planned.env, "target": session.target.name(), "resourceGroup": planned.group,
            "deployments": deployments, "commitHere": here, "last": receipt, "interrupted": interrupted,
            "resources": planned.observed.resources.len(), "drift": compared.then_some(planned.plan.summary), "warnings": planned.plan.warnings,
        });
        cx.printer.data(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let width = match cx.printer.columns() {
        0 => usize::MAX,
        width => width,
    };
    let mut text = format!("{}\n", clean(&super::plan::title(&planned, session.target.name())));
    if deployments.is_empty() {
        text.push_str("  not deployed\n");
    }
    for one in &found {
        let commit = one.text("/tags/dsvmc-commit");
        let from = if commit.is_empty() { String::new() } else { format!(", from commit {}", clean(&commit)) };
        let left = if planned.leftovers.contains(&one.name) { "; holds nothing of the sources any more" } else { "" };
        let state = one.text("/properties/provisioningState").to_lowercase();
        text.push_str(&format!("  {} `{}`: {}{from}{left}\n", one.kind, clean(&one.name), clean(&state)));
    }
    if !here.is_empty() {
        text.push_str(&format!("  sources here: commit {here}\n"));
    }
    if let Some(receipt) = &receipt {
        text.push_str(&format!(
            "  last apply from this machine: {}, {}\n",
            standing::when(&receipt.ended),
            clean(&receipt.outcome)
        ));
    }
    if let Some(started) = &interrupted {
        text.push_str(&format!(
            "  the apply that began at {} did not end; run `dsvmc apply` to go on\n",
            standing::when(started)
        ));
    }
    let number = planned.observed.resources.len();
    let verb = if number == 1 { "exists" } else { "exist" };
    text.push_str(&format!("  {} {verb}\n", count(number, "resource")));
    for warning in &planned.plan.warnings {
        text.push_str(&format!(
            "  warning: `{}`: {}\n",
            clean(&arm_plan::type_of_id(&warning.id).1),
            clean(&warning.text)
        ));
    }
    // Before the first apply everything is missing: that is no drift.
    if !compared {
        text.push_str("  not compared with the sources\n");
    } else if !deployments.is_empty() || number > 0 {
        text.push_str(&drift(&planned.plan));
    }
    let lines = text.lines().map(|line| wrap(line, width, "    "));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    cx.printer.data(&text)?;
    Ok(Exit::Done)
}

/// How what is deployed differs from the sources: in one line, with the first names.
fn drift(plan: &Plan) -> String {
    const FEW: usize = 10;
    if plan.is_empty() {
        return "  as the sources say\n".to_owned();
    }
    let names: Vec<String> = plan.effective().take(FEW).map(|c| format!("`{}`", clean(c.shown()))).collect();
    let more = plan.effective().count().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sum = summary(&plan.summary);
    let sum = sum.strip_prefix("Plan: ").unwrap_or(&sum).trim_end_matches('.');
    format!("  differs from the sources ({sum}): {}{more}; `dsvmc plan` shows how\n", names.join(", "))
}
