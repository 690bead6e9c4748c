//! `dsvmc show`: what exists of a project, as the service shows it.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy::{self, Halt, What, Where, bundle, planning, session};
use crate::cli::exit::Exit;
use crate::plan::{masked, type_of_id};
use crate::render::plan::clean;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "`dsvmc show --json > observed.json` writes a file for `dsvmc plan --live observed.json`.")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Whole resources as JSON; secrets are left out
    #[arg(long)]
    json: bool,
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
    let resources: Vec<Value> = planned.observed.resources.iter().map(masked).collect();
    if args.json || cx.format == Format::Json {
        let json = json!({
            "schema": 1, "project": planned.project, "env": planned.env, "target": session.target.name(),
            "resourceGroup": planned.group, "resources": resources, "managed": planned.observed.managed,
        });
        cx.printer.data(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for resource in &resources {
        let of = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, name) = type_of_id(&of("/id"));
        let machines = resource.pointer("/sku/capacity").and_then(Value::as_u64).map(|n| format!("{n} machines")).unwrap_or_default();
        let state = of("/properties/provisioningState");
        let line = format!("{:<58} {:<36} {:<12} {state:<10} {machines}", clean(&kind), clean(&name), of("/location"));
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    if resources.is_empty() {
        cx.printer.note(&format!("Nothing of `{}` exists in `{}`.\n", clean(&planned.project), clean(&planned.group)));
    }
    cx.printer.data(&text)?;
    Ok(Exit::Done)
}
