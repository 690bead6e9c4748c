//! Failures → text that looks like a diagnostic; usage errors; panics.

use super::exit::Exit;
use super::printer::{PrintError, Printer, to_stderr};
use crate::deploy::error::{CommandError, FailureDetail, FailureKind};
use crate::render::palette::Palette;
use crate::render::{failure, snippet};
use std::fmt;

/// Draws every miette report the way diagnostics are drawn.
struct Handler {
    palette: Palette,
}

impl miette::ReportHandler for Handler {
    fn debug(&self, error: &dyn miette::Diagnostic, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        let failure = failure::Failure {
            code: error.code().map(|code| code.to_string()),
            title: error.to_string(),
            causes,
            help: error.help().map(|help| help.to_string()),
        };
        f.write_str(&failure::draw(&failure, self.palette))
    }
}

/// Makes the handler of this module that of the process, so that reports look like diagnostics.
pub fn install(palette: Palette) {
    // A second call in one process (tests) keeps the first handler.
    let _ = miette::set_hook(Box::new(move |_| Box::new(Handler { palette })));
}

/// Prints why a deployment command cannot continue; failures of the environment are left to [`failed`].
///
/// # Errors
/// The failure is one of the environment.
pub fn finish(result: Result<Exit, CommandError>, printer: &mut Printer) -> Result<Exit, miette::Report> {
    let error = match result {
        Ok(exit) => return Ok(exit),
        Err(error) => error,
    };
    match error.detail {
        FailureDetail::Message(report) if error.kind == FailureKind::Environment => return Err(report),
        FailureDetail::Message(report) => printer.say(&format!("{report:?}")),
        FailureDetail::Diagnostics(found) => {
            printer.say(&snippet::all(&[(&found.0, found.1.as_slice())], printer.error_palette()));
        }
    }
    Ok(error.kind.into())
}

/// Prints a report and returns its exit code. A closed pipe is not an error.
pub fn failed(error: &miette::Report, printer: &mut Printer) -> Exit {
    if let Some(PrintError(cause)) = error.downcast_ref::<PrintError>()
        && cause.kind() == std::io::ErrorKind::BrokenPipe
    {
        return Exit::Done;
    }
    printer.say(&format!("{error:?}"));
    Exit::Environment
}

/// Prints what clap reports: help and version to stdout, usage errors to stderr.
pub fn usage(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        // It repeats what was typed.
        to_stderr(&error.to_string());
        return Exit::Usage;
    }
    // A closed pipe is not an error.
    let _ = error.print();
    Exit::Done
}

/// A panic is a bug in dsvmc: says so, and how to report it.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        let reason = info
            .payload()
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| info.payload().downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let command = std::env::args().nth(1).unwrap_or_default();
        to_stderr(&format!(
            "error[{code}]: this is a bug in dsvmc, not in your file\n  = {reason}{place}\n  \
             = dsvmc {version} on {os}/{arch}, command `{command}`\n  \
             = help: please report it with the lines above and, if you may share it, the .dsvm file: {home}/issues\n",
            code = dsvm_diagnostics::Code::Internal,
            version = env!("CARGO_PKG_VERSION"),
            os = std::env::consts::OS,
            arch = std::env::consts::ARCH,
            home = env!("CARGO_PKG_REPOSITORY"),
        ));
    }));
}
