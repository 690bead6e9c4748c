//! `dsvmc show`: what exists of a project, as the service shows it.

use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy::standing::{self, Standing};
use crate::cli::deploy::{self, Halt, What, Where};
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
    let Standing { session, planned, .. } = standing::look(&args.path, &args.what, &args.place, cx)?;
    let resources: Vec<Value> = planned.observed.resources.iter().map(masked).collect();
    if args.json || cx.format == Format::Json {
        let json = json!({
            "schema": 1, "project": planned.project, "env": planned.env, "target": session.target.name(),
            "resourceGroup": planned.group, "resources": resources, "managed": planned.observed.managed,
        });
        cx.printer.data(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let mut rows: Vec<[String; 5]> = Vec::with_capacity(resources.len());
    for resource in &resources {
        let of = |pointer: &str| clean(resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
        let (kind, name) = type_of_id(&of("/id"));
        let machines = resource.pointer("/sku/capacity").and_then(Value::as_u64);
        let machines = machines.map(|n| format!("{n} {}", if n == 1 { "machine" } else { "machines" })).unwrap_or_default();
        rows.push([kind, name, of("/location"), of("/properties/provisioningState").to_lowercase(), machines]);
    }
    let width = |at: usize| rows.iter().filter_map(|r| r.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3), 0];
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(&format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end()));
    }
    if resources.is_empty() {
        cx.printer.note(&format!("Nothing of `{}` exists in `{}`.\n", clean(&planned.project), clean(&planned.group)));
    }
    cx.printer.data(&text)?;
    Ok(Exit::Done)
}
