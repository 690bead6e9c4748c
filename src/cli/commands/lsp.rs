//! `dsvmc lsp`: answers an editor over standard input and output, in the Language Server Protocol.

use crate::cli::Context;
use crate::cli::editor::Editor;
use crate::cli::exit::Exit;
use crate::cli::printer::PrintError;
use dsvm_lsp::Ended;
use std::sync::Arc;

/// The command line arguments of `lsp`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Editors start it; docs/editors.md says how")]
pub struct Args {
    /// Talk over standard input and output, which is the only way
    #[arg(long, hide = true)]
    pub stdio: bool,
}

/// Runs `dsvmc lsp` and returns how the process exits.
pub fn run(_: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let host = Arc::new(Editor::new(cx.as_of));
    let input = std::io::BufReader::new(std::io::stdin());
    let ended = dsvm_lsp::serve(host, input, std::io::stdout().lock()).map_err(PrintError)?;
    Ok(match ended {
        Ended::Orderly => Exit::Done,
        // The protocol wants this number.
        Ended::Abruptly => Exit::Input,
    })
}
