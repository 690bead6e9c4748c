//! `dsvmc explain`: the page of a code, or the list of all codes.

use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::render::explain;
use dsvm_diagnostics::Code;

/// The command line arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: dsvmc explain DSVM0101, dsvmc explain unknown-name, dsvmc explain storage-lrs")]
pub struct Args {
    /// Code or name of a diagnostic, or name of a lint rule; without it, all codes are listed
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// Runs `dsvmc explain` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let palette = cx.printer.output_palette();
    let Some(wanted) = &args.code else {
        cx.printer.data(&explain::list(palette))?;
        return Ok(Exit::Done);
    };
    if let Some(code) = find(wanted) {
        cx.printer.data(&explain::page(code, palette))?;
        return Ok(Exit::Done);
    }
    if let Some(rule) = dsvm_lint::rule_named(wanted) {
        cx.printer.data(&explain::rule(rule.id, palette))?;
        return Ok(Exit::Done);
    }
    cx.printer.say(&format!(
        "error: no diagnostic has the code `{wanted}`\n  = help: run `dsvmc explain` to list all codes, and `dsvmc lint --list` for lint rules\n"
    ));
    Ok(Exit::Usage)
}

/// By `DSVM0101`, `dsvm101`, `0101`, `101` or `unknown-name`.
fn find(wanted: &str) -> Option<Code> {
    let lower = wanted.to_ascii_lowercase();
    let digits = lower.strip_prefix("dsvm").unwrap_or(&lower);
    let number = digits.parse::<u16>().ok();
    Code::ALL.iter().copied().find(|code| Some(code.number()) == number || code.slug() == lower.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_number_and_by_name() {
        for wanted in ["DSVM0101", "dsvm0101", "101", "unknown-name", "unknown_name"] {
            assert_eq!(find(wanted), Some(Code::UnknownName), "{wanted}");
        }
        assert_eq!(find("nonsense"), None);
    }
}
