//! `dsvmc formula`: checks an Azure Batch autoscale formula, or evaluates it with given samples.

use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::driver::LoadError;
use batch_formula::{Evaluation, PoolLimits, PoolState};
use dsvm_diagnostics::Severity;
use dsvm_diagnostics::source::{SourceFile, SourceMap, Span};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The command line arguments of `formula`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dsvmc formula check scale.txt\n  dsvmc formula eval scale.txt --samples pool.json"
)]
pub struct Args {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, clap::Subcommand)]
enum Sub {
    /// Find the errors that Azure would reject, and likely mistakes
    #[command(after_help = "Example: dsvmc formula check scale.txt")]
    Check {
        /// File with the formula; `-` reads it from the standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Compute what Azure would set, from the samples in a file
    #[command(after_help = "Example: dsvmc formula eval scale.txt --samples pool.json")]
    Eval {
        /// File with the formula; `-` reads it from the standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// State of the pool as JSON; without it, a pool without machines or samples
        #[arg(long, value_name = "FILE")]
        samples: Option<PathBuf>,
        /// Time of the evaluation (UTC), instead of `now` in the samples
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Also write the result as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs `dsvmc formula` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    match &args.command {
        Sub::Check { file } => {
            let (exit, _) = check(file, cx)?;
            if exit == Exit::Done {
                cx.printer.note("no mistakes found in the formula\n");
            }
            Ok(exit)
        }
        Sub::Eval { file, samples, at, json } => eval(file, samples.as_deref(), at.as_deref(), *json, cx),
    }
}

/// The formula of a file, reported on; the tree when it can be evaluated.
fn check(file: &Path, cx: &mut Context) -> Result<(Exit, Option<(String, batch_formula::Formula)>), miette::Report> {
    let text = read(file, cx)?;
    let mut sources = SourceMap::default();
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let source = sources.add(SourceFile::new(name.as_str(), text.as_str()));
    let (tree, findings) = batch_formula::check(&text, &PoolLimits::default());
    let locate = |place: batch_formula::FormulaSpan| Span::new(source, place.start, place.end);
    let diagnostics: Vec<_> = findings.iter().map(|f| batch_formula::diags::diagnostic(f, &locate)).collect();
    let exit = cx.report(&sources, &diagnostics)?;
    let usable = !findings.iter().any(|f| f.severity == Severity::Error && f.rule.is_error());
    // A formula that ignores running tasks is a mistake and can be evaluated all the same.
    let evaluable =
        usable || findings.iter().all(|f| f.rule == batch_formula::FormulaRule::RunningIgnored || !f.rule.is_error());
    Ok((exit, tree.filter(|_| evaluable).map(|tree| (text, tree))))
}

fn eval(
    file: &Path,
    samples: Option<&Path>,
    at: Option<&str>,
    json: bool,
    cx: &mut Context,
) -> Result<Exit, miette::Report> {
    let (exit, checked) = check(file, cx)?;
    let Some((text, tree)) = checked else { return Ok(exit) };
    let pool = match pool_state(samples, at, cx)? {
        Ok(pool) => pool,
        Err(problem) => {
            cx.printer.say(&format!("error: {problem}\n"));
            return Ok(Exit::Input);
        }
    };
    match batch_formula::evaluate(&tree, &pool) {
        Ok(result) => {
            let shown = if json { as_json(&result) } else { result.results().replace(";", ";\n") + "\n" };
            if json {
                cx.printer.json(&shown)?
            } else {
                cx.printer.data(&shown)?
            }
            Ok(Exit::Done)
        }
        Err(error) => {
            cx.printer.say(&format!(
                "error: the evaluation fails, and the pool keeps its size ({})\n  = {}\n",
                error.code,
                error.with_position(&text)
            ));
            Ok(Exit::Input)
        }
    }
}

/// The state of the pool, or what is wrong with the file or the time.
fn pool_state(
    samples: Option<&Path>,
    at: Option<&str>,
    cx: &Context,
) -> Result<Result<PoolState, String>, miette::Report> {
    let at = match at.map(|text| batch_formula::read_timestamp(text).ok_or(text)) {
        None => None,
        Some(Ok(time)) => Some(time),
        Some(Err(text)) => {
            return Ok(Err(format!("`{text}` is not a time; write it as in `2026-12-01T08:00:00Z`")));
        }
    };
    let json = match samples {
        None => serde_json::json!({}),
        Some(path) => {
            let bytes = cx.world.read(path)?;
            match serde_json::from_slice(&bytes) {
                Ok(json) => json,
                Err(error) => return Ok(Err(format!("`{}` is not JSON: {error}", path.display()))),
            }
        }
    };
    Ok(PoolState::from_json(&json, at))
}

fn as_json(result: &Evaluation) -> String {
    let variables: serde_json::Map<String, serde_json::Value> =
        result.variables.iter().map(|(name, value)| (name.clone(), value.to_string().into())).collect();
    let json = serde_json::json!({
        "targetDedicatedNodes": result.dedicated,
        "targetLowPriorityNodes": result.spot,
        "nodeDeallocationOption": result.deallocation,
        "variables": variables,
    });
    format!("{json:#}\n")
}

fn read(file: &Path, cx: &Context) -> Result<String, LoadError> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(|cause| LoadError::unreadable(file, cause))?;
        bytes
    } else {
        cx.world.read(file)?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
