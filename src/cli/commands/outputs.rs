//! `dsvmc outputs`: the outputs of the last deployment.

use super::apply::print_outputs;
use crate::cli::args::Format;
use crate::cli::deploy_args::{DeployInputArgs, DeployTargetArgs};
use crate::cli::exit::Exit;
use crate::cli::{Context, report};
use crate::deploy::deployed::{collect_outputs, deployments};
use crate::deploy::error::CommandError;
use crate::deploy::offline_record::load_or_recall;
use crate::deploy::session;
use dsvm_diagnostics::Code;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// The command line arguments of `outputs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: ssh $(dsvmc outputs --name address examples/01-shared-pool)")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Print only this output, without its name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    input: DeployInputArgs,
    #[command(flatten)]
    target: DeployTargetArgs,
}

/// Runs `dsvmc outputs` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let result = body(args, cx);
    report::finish(result, &mut cx.printer)
}

fn body(args: &Args, cx: &mut Context) -> Result<Exit, CommandError> {
    let (input, target) =
        (args.input.input(), args.target.target(&args.path, cx.world.as_ref(), cx.printer.is_quiet())?);
    let project = load_or_recall(&args.path, &input, cx.world.as_ref(), &mut cx.printer)?;
    let session = session::open(&target, project.endpoint_root(&input))?;
    let group = project.group_for(&target);
    let deployed = deployments(&session, &group, &project)?;
    let mut outputs = Map::new();
    deployed.iter().for_each(|d| collect_outputs(&d.body, &mut outputs));
    if deployed.is_empty() {
        return Err(CommandError::input(
            Code::NotDeployed,
            format!("nothing of `{}` is deployed to `{group}`", project.name),
            "deploy it with `dsvmc apply`",
        ));
    }
    if let Some(name) = &args.name {
        let Some(value) = outputs.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v) else {
            let known: Vec<String> = outputs.keys().map(|k| format!("`{k}`")).collect();
            return Err(CommandError::input(
                Code::NotDeployed,
                format!("there is no output `{name}`"),
                format!("outputs: {}", known.join(", ")),
            ));
        };
        match value.as_str() {
            Some(text) => cx.printer.data(&format!("{text}\n"))?,
            None => cx.printer.json(&format!("{value}\n"))?,
        }
        return Ok(Exit::Done);
    }
    if cx.format == Format::Json {
        cx.printer.json(&format!("{:#}\n", Value::Object(outputs)))?;
    } else {
        print_outputs(&outputs, cx)?;
    }
    Ok(Exit::Done)
}
