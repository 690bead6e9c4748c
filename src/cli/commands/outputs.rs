//! `dsvmc outputs`: what the last deployment gave out.

use super::apply::say_outputs;
use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::deploy::{self, Halt, What, Where, last, planning, session, standing};
use crate::cli::exit::Exit;
use dsvm_diagnostics::Code;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Arguments of `outputs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: ssh $(dsvmc outputs --name address examples/01-shared-pool)")]
pub struct Args {
    /// File or folder of the project
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Only this output, as it is
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
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
    let bundle = last::load(&args.path, &args.what, cx)?;
    let session = session::open(&args.place, &bundle.root)?;
    let group = planning::group_of(&bundle, &args.place);
    let deployed = standing::deployed(&session, &group, &bundle)?;
    let mut outputs = Map::new();
    deployed.iter().for_each(|d| standing::collect_outputs(&d.body, &mut outputs));
    if deployed.is_empty() {
        return Err(Halt::input(
            Code::NotDeployed,
            format!("nothing of `{}` is deployed to `{group}`", bundle.project),
            "deploy it with `dsvmc apply`",
        ));
    }
    if let Some(name) = &args.name {
        let Some(value) = outputs.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v) else {
            let known: Vec<String> = outputs.keys().map(|k| format!("`{k}`")).collect();
            return Err(Halt::input(
                Code::NotDeployed,
                format!("there is no output `{name}`"),
                format!("outputs: {}", known.join(", ")),
            ));
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        cx.printer.data(&format!("{text}\n"))?;
        return Ok(Exit::Done);
    }
    if cx.format == Format::Json {
        cx.printer.data(&format!("{:#}\n", Value::Object(outputs)))?;
    } else {
        say_outputs(&outputs, cx)?;
    }
    Ok(Exit::Done)
}
