//! `dsvmc lint`: advice about projects that have no mistakes.

use super::fixes::{self, FixArgs};
use crate::cli::Context;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::driver;
use crate::render::{Exempt, Found, explain};
use dsvm_diagnostics::Severity;
use std::path::PathBuf;

/// The command line arguments of `lint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dsvmc lint pools/ --deny warnings\n\n\
                        Levels and options of rules are set in `dsvmc.toml`; `// dsvmc-allow RULE: why` in a source allows a \
                        finding. `dsvmc explain RULE` shows the page of a rule.")]
pub struct Args {
    /// Files, project folders, or folders with projects below them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Ask this rule only, even if it is off; may be repeated
    #[arg(long = "rule", value_name = "RULE")]
    pub rules: Vec<String>,
    /// Findings of this level count as errors
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub deny: Option<Deny>,
    /// List all rules with their levels, also those of the projects at PATH
    #[arg(long)]
    pub list: bool,
    /// Changes that findings offer
    #[command(flatten)]
    pub fixes: FixArgs,
}

/// What fails besides errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Deny {
    /// Findings of level `warn`
    Warnings,
}

/// Why a name is none of a rule.
fn unknown(name: &str, team: &[&str]) -> clap::Error {
    let own = || dsvm_sema::table::suggest(name, team.iter().copied());
    let why = match dsvm_lint::similar_rule(name).map(|meant| meant.id).or_else(own) {
        Some(meant) => format!("no rule has this name; did you mean `{meant}`?"),
        None => "no rule has this name; `dsvmc lint --list` lists them".to_owned(),
    };
    let message = format!("invalid value '{name}' for '--rule <RULE>': {why}\n\nFor more information, try '--help'.\n");
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, message)
}

/// Runs `dsvmc lint` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    if args.list {
        // Where there is no project, there are the rules of the catalogue.
        let all = driver::lint_each(cx.world.as_ref(), &args.paths, &[]).unwrap_or_default();
        let team = all.iter().flat_map(|one| one.team.iter().map(|rule| (&one.sources, rule)));
        cx.printer.data(&explain::rules(team, cx.printer.output_palette()))?;
        return Ok(Exit::Done);
    }
    let named = |name: &String| dsvm_lint::rule_named(name).map_or_else(|| name.clone(), |rule| rule.id.to_owned());
    let wanted: Vec<String> = args.rules.iter().map(named).collect();
    fixes::apply(&args.fixes, cx, |world| {
        let all = driver::lint_each(world, &args.paths, &wanted)?;
        Ok(all.into_iter().map(|one| (one.sources, one.findings)).collect())
    })?;
    let all = driver::lint_each(cx.world.as_ref(), &args.paths, &wanted)?;
    let team: Vec<&str> = all.iter().flat_map(|one| &one.team).map(|rule| &*rule.name).collect();
    let known = |name: &str| dsvm_lint::rule_named(name).is_some() || team.contains(&name);
    if let Some(name) = wanted.iter().find(|name| !known(name)) {
        return Ok(report::usage(&unknown(name, &team)));
    }
    let found: Vec<Found<'_>> = all.iter().map(|one| (&one.sources, one.findings.as_slice())).collect();
    let exempt: Vec<Exempt<'_>> = all.iter().map(|one| (&one.sources, one.allowed.as_slice())).collect();
    let exit = cx.report_with(&found, &exempt)?;
    let allowed: usize = all.iter().map(|one| one.allowed.len()).sum();
    if cx.format == Format::Human {
        let names: Vec<&str> = all.iter().filter_map(|one| one.name.as_deref()).collect();
        let what = match names.as_slice() {
            [name] => format!("`{name}`"),
            many => format!("{} projects", many.len()),
        };
        let by_comments = match allowed {
            0 => String::new(),
            count => format!("; {} allowed by comments", dsvm_diagnostics::count(count, "finding")),
        };
        if found.iter().all(|(_, findings)| findings.is_empty()) {
            cx.printer.note(&format!("{what}: no findings{by_comments}\n"));
        } else if allowed > 0 {
            cx.printer.note(&format!("{what}{by_comments}\n"));
        }
    }
    let warned = all.iter().flat_map(|one| &one.findings).any(|finding| finding.severity == Severity::Warning);
    Ok(if args.deny == Some(Deny::Warnings) && warned { Exit::Input } else { exit })
}
