//! Errors of the world → the same face as diagnostics; wrong usage; panics.

use super::exit::Exit;
use super::printer::{PrintError, Printer};
use crate::render::palette::Palette;
use crate::render::world;
use std::fmt;
use std::io::Write;

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
        let failure = world::Failure {
            code: error.code().map(|code| code.to_string()),
            title: error.to_string(),
            causes,
            help: error.help().map(|help| help.to_string()),
        };
        f.write_str(&world::draw(&failure, self.palette))
    }
}

/// Makes [`Handler`] the handler of this process.
pub fn install(palette: Palette) {
    // A second call in one process (tests) keeps the first handler.
    let _ = miette::set_hook(Box::new(move |_| Box::new(Handler { palette })));
}

/// Prints a report and gives its exit code. A reader that went away is no error.
pub fn failed(error: &miette::Report, printer: &mut Printer) -> Exit {
    if let Some(PrintError(cause)) = error.downcast_ref::<PrintError>()
        && cause.kind() == std::io::ErrorKind::BrokenPipe
    {
        return Exit::Done;
    }
    printer.say(&format!("{error:?}"));
    Exit::World
}

/// Prints what clap has to say: help and version to stdout, wrong usage to stderr.
pub fn usage(error: &clap::Error) -> Exit {
    // A reader that went away is no error.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
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
        let _ = writeln!(
            std::io::stderr(),
            "error[{code}]: this is a bug in dsvmc, not in your file\n  = {reason}{place}\n  \
             = dsvmc {version} on {os}/{arch}, command `{command}`\n  \
             = help: please report it with the lines above and, if you may share it, the .dsvm file: {home}/issues",
            code = dsvm_diagnostics::Code::Internal,
            version = env!("CARGO_PKG_VERSION"),
            os = std::env::consts::OS,
            arch = std::env::consts::ARCH,
            home = env!("CARGO_PKG_REPOSITORY"),
        );
    }));
}
