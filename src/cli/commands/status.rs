//! `dsvmc status`: what is deployed, from which commit, and what differs since.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy::{self, Halt, What, Where, bundle, planning, saved, session};
use crate::cli::exit::Exit;
use crate::render::plan::{clean, summary};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
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
    let bundle = bundle::load(&args.path, &args.what, cx)?;
    let state = crate::apply::State::new(&bundle.root, &bundle.project, &bundle.env);
    let session = session::open(&args.place, &bundle.root)?;
    let planned = planning::make(&bundle, &args.place, &args.what, &planning::Settings::default(), &session, &state, cx)?;
    let mut deployments = Vec::new();
    for part in &planned.parts {
        let found = match session.client.stack(&planned.group, &part.name)? {
            Some(stack) => Some(("stack", stack)),
            None => session.client.deployment(&planned.group, &part.name)?.map(|d| ("deployment", d)),
        };
        let Some((kind, body)) = found else { continue };
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        deployments.push(json!({
            "kind": kind, "name": part.name, "state": text("/properties/provisioningState"), "commit": text("/tags/dsvmc-commit"),
        }));
    }
    let here = saved::commit(&bundle.root);
    let receipt = state.receipt();
    let interrupted = state.journal().map(|j| j.started);
    if cx.format == Format::Json {
        let json = json!({
            "schema": 1, "project": planned.project, "env": planned.env, "target": session.target.name(), "resourceGroup": planned.group,
            "deployments": deployments, "commitHere": here, "last": receipt, "interrupted": interrupted,
            "resources": planned.observed.resources.len(), "drift": planned.plan.summary, "warnings": planned.plan.warnings,
        });
        cx.printer.data(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let mut text = format!("{}\n", clean(&super::plan::title(&planned, session.target.name())));
    if deployments.is_empty() {
        text.push_str("  not deployed\n");
    }
    for one in &deployments {
        let of = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let from = if of("commit").is_empty() { String::new() } else { format!(", from commit {}", clean(&of("commit"))) };
        text.push_str(&format!("  {} `{}`: {}{from}\n", of("kind"), clean(&of("name")), of("state").to_lowercase()));
    }
    if !here.is_empty() {
        text.push_str(&format!("  sources here: commit {here}\n"));
    }
    if let Some(receipt) = &receipt {
        text.push_str(&format!("  last apply from this machine: {}, {}\n", clean(&receipt.ended), clean(&receipt.outcome)));
    }
    if let Some(started) = &interrupted {
        text.push_str(&format!("  the apply that began at {} did not end; run `dsvmc apply` to go on\n", clean(started)));
    }
    text.push_str(&format!("  {} resources exist\n", planned.observed.resources.len()));
    for warning in &planned.plan.warnings {
        text.push_str(&format!("  warning: `{}`: {}\n", clean(&crate::plan::type_of_id(&warning.id).1), clean(&warning.text)));
    }
    text.push_str(&format!("  against the source: {}\n", summary(&planned.plan.summary)));
    cx.printer.data(&text)?;
    Ok(Exit::Done)
}
