//! What `--workload` names → tasks.

use crate::deploy::error::CommandError;
use crate::driver::{World, shown};
use dsvm_diagnostics::Code;
use dsvm_simulate::words::{FORMS, Words, WordsError};
use dsvm_simulate::{Span, Workload, trace};
use jiff::tz::TimeZone;
use std::path::Path;

/// An error about a workload.
pub fn refused(title: String, help: &str) -> CommandError {
    CommandError::input(Code::WorkloadRefused, title, help)
}

/// Reads a workload: a file when it ends like one, else words.
pub fn read(text: &str, span: Span, zone: &TimeZone, seed: u64, world: &dyn World) -> Result<Workload, CommandError> {
    let path = Path::new(text);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !["csv", "swf"].contains(&ending) {
        let words: Words = text.parse().map_err(|error: WordsError| refused(error.message, FORMS))?;
        return words.tasks(span, zone, seed).map_err(|error| refused(error.message, FORMS));
    }
    let bytes = world.read(path).map_err(|_| {
        refused(format!("`{}` cannot be read", shown(path)), "give the path of a file, or words such as `office of 40`")
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let read = if ending == "csv" { trace::csv(&text, span) } else { trace::swf(&text, span) };
    read.map_err(|error| {
        let help =
            "a CSV file has the columns `arrival` and `duration`, and may have `cores`, `gpus`, `load` and `kind`";
        refused(format!("`{}`, {error}", shown(path)), help)
    })
}
