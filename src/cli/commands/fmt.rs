//! `dsvmc fmt`: formats files, or shows what would change.

use super::build::WriteError;
use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::driver::{self, shown};
use crate::render::palette::{Palette, Role};
use dsvm_diagnostics::source::{SourceFile, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, Sink};
use dsvm_files::Readers;
use dsvm_syntax::format::{self, Refused};
use similar::{ChangeTag, TextDiff};
use std::path::{Path, PathBuf};

/// The command line arguments of `fmt`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: dsvmc fmt, dsvmc fmt --check pools/")]
pub struct Args {
    /// Files, or folders with files below them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Write nothing; show what would change, and exit with code 1 if anything would
    #[arg(long)]
    pub check: bool,
}

/// Runs `dsvmc fmt` and returns how the process exits.
pub fn run(args: &Args, cx: &mut Context) -> Result<Exit, miette::Report> {
    let mut exit = Exit::Done;
    let mut changed = 0;
    let files = driver::files(cx.world.as_ref(), &args.paths)?;
    for path in &files {
        let Ok(text) = String::from_utf8(cx.world.read_own(path)?) else {
            cx.printer.say(&format!("error: `{}` is not UTF-8 text\n  = help: save it as UTF-8\n", shown(path)));
            exit = Exit::Input;
            continue;
        };
        match one(path, &text, cx)? {
            None => exit = Exit::Input,
            Some(formatted) if formatted == text => {}
            Some(formatted) if args.check => {
                cx.printer.data(&difference(path, &text, &formatted, "formatted", cx.printer.output_palette()))?;
                changed += 1;
            }
            Some(formatted) => {
                let written = dsvm_files::replace(path, formatted.as_bytes(), Readers::Usual);
                written.map_err(|cause| WriteError::new(path, cause))?;
                cx.printer.note(&format!("formatted `{}`\n", shown(path)));
                changed += 1;
            }
        }
    }
    if args.check && changed > 0 {
        let files = if changed == 1 { "1 file".to_owned() } else { format!("{changed} files") };
        cx.printer.say(&format!("{files} would change; run `dsvmc fmt`\n"));
        return Ok(Exit::Input);
    }
    Ok(exit)
}

/// The formatted text; nothing when the file is broken, which is reported.
fn one(path: &Path, text: &str, cx: &mut Context) -> Result<Option<String>, miette::Report> {
    let mut sources = SourceMap::default();
    let source = sources.add(SourceFile::new(shown(path), text));
    let mut sink = Sink::default();
    match format::format(source, text, &mut sink) {
        Ok(formatted) => return Ok(Some(formatted)),
        Err(Refused::Broken) => {}
        Err(Refused::Different) => sink.push(
            Diagnostic::new(
                Code::Internal,
                "the formatter would change the meaning of this file, so it was left unchanged",
                Span::new(source, 0, 0),
                "this file",
            )
            .help("please report it with this file"),
        ),
    }
    cx.report(&sources, &sink.finish())?;
    Ok(None)
}

/// The difference between two texts in unified format; `made` says what the new one is.
pub(super) fn difference(path: &Path, old: &str, new: &str, made: &str, palette: Palette) -> String {
    let mut text = palette.paint(Role::Title, &format!("--- {0}\n+++ {0}, {made}\n", shown(path)));
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(2).iter_hunks() {
        text.push_str(&palette.paint(Role::Dim, &format!("{}\n", hunk.header())));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            text.push_str(&match change.tag() {
                ChangeTag::Delete => palette.paint(Role::Delete, &format!("-{line}")),
                ChangeTag::Insert => palette.paint(Role::Create, &format!("+{line}")),
                ChangeTag::Equal => format!(" {line}"),
            });
            text.push('\n');
        }
    }
    text
}
