//! `dsvmc show`: the resources of a project as the service returns them.

use crate::cli::args::Format;
use crate::cli::deploy_args::{DeployInputArgs, DeployTargetArgs};
use crate::cli::exit::Exit;
use crate::cli::{Context, report};
use crate::deploy::deployed::{DeployedProject, inspect};
use crate::deploy::error::CommandError;
use crate::render::layout::columns;
use crate::render::plan::clean;
use arm_plan::{Principals, RoleNames, masked, titled, type_of_id};
use dsvm_diagnostics::count;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The command line arguments of `show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dsvmc show examples/01-shared-pool\n  dsvmc show --json > observed.json\n\n\
                        `dsvmc plan --live observed.json` compares with such a file.")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Print complete resources as JSON, without secrets
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: DeployInputArgs,
    #[command(flatten)]
    target: DeployTargetArgs,
}

/// Runs `dsvmc show` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    report::finish(result, &mut cx.printer)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, CommandError> {
    let (input, target) =
        (args.input.input(), args.target.target(&args.path, cx.world.as_ref(), cx.printer.is_quiet())?);
    let DeployedProject { session, planned, .. } =
        inspect(&args.path, &input, &target, cx.world.as_ref(), &mut cx.printer)?;
    let resources: Vec<Value> = planned.observed.resources.iter().map(|r| masked(&r.body.read())).collect();
    let principals = Principals::of(&planned.desired, &planned.observed, RoleNames(dsvm_sema::library::role_name));
    if args.json || cx.format == Format::Json {
        let json = json!({
            "schema": 1, "project": planned.project, "env": planned.env, "target": session.target.name(),
            "resourceGroup": planned.group, "resources": resources, "managed": planned.observed.managed,
        });
        cx.printer.json(&format!("{json:#}\n"))?;
        return Ok(Exit::Done);
    }
    let text = table(&resources, &principals, cx.printer.columns());
    if resources.is_empty() {
        cx.printer.note(&format!("Nothing of `{}` exists in `{}`.\n", clean(&planned.project), clean(&planned.group)));
    }
    cx.printer.data(&text)?;
    Ok(Exit::Done)
}

/// One line for each resource: type and name, then region, state and machines; the latter below the name when the
/// terminal is narrow. `width` is 0 when there is no terminal.
fn table(resources: &[Value], principals: &Principals, width: usize) -> String {
    const INDENT: &str = "    ";
    let mut rows: Vec<(String, [String; 3])> = Vec::with_capacity(resources.len());
    for resource in resources {
        let of = |pointer: &str| clean(resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
        let id = of("/id");
        let (kind, name) = type_of_id(&id);
        let machines = resource.pointer("/sku/capacity").and_then(Value::as_u64);
        let machines = machines.map(|n| count(n, "machine")).unwrap_or_default();
        let name = clean(&titled(&kind, &name, principals.label(&id, resource).as_deref()));
        rows.push((name, [of("/location"), of("/properties/provisioningState").to_lowercase(), machines]));
    }
    let cells =
        |cell: usize| rows.iter().filter_map(|(_, cells)| cells.get(cell)).map(|c| columns(c)).max().unwrap_or(0);
    let widths = [cells(0), cells(1), 0];
    let joined = |row: &[String; 3]| {
        let all: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        all.join("  ").trim_end().to_owned()
    };
    let rest = rows.iter().map(|(_, row)| columns(&joined(row))).max().unwrap_or(0);
    let room = if width == 0 { usize::MAX } else { width.saturating_sub(rest + 2) };
    let at = rows.iter().map(|(name, _)| columns(name)).filter(|name| *name <= room).max().unwrap_or(0);
    let mut text = String::new();
    for (name, row) in &rows {
        let row = joined(row);
        if columns(name) <= at || row.is_empty() {
            text.push_str(format!("{name:<at$}  {row}").trim_end());
        } else {
            text.push_str(&format!("{name}\n{INDENT}{row}"));
        }
        text.push('\n');
    }
    text
}
