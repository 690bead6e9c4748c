//! What `--workload` names → tasks.

use crate::deploy::error::CommandError;
use crate::driver::{World, shown};
use dsvm_diagnostics::Code;
use dsvm_simulate::metric::{self, Machines};
use dsvm_simulate::words::{FORMS, Words, WordsError};
use dsvm_simulate::{Span, Workload, trace};
use jiff::tz::TimeZone;
use std::path::Path;

/// An error about a workload.
pub fn refused(title: String, help: &str) -> CommandError {
    CommandError::input(Code::WorkloadRefused, title, help)
}

/// Tasks, and what is to be known of them.
pub struct Read {
    /// What people and jobs ask for.
    pub workload: Workload,
    /// Sentences for whoever reads the result.
    pub notes: Vec<String>,
}

impl From<Workload> for Read {
    fn from(workload: Workload) -> Self {
        Self { workload, notes: Vec::new() }
    }
}

/// Reads a workload: a file when it ends like one, else words. `cores`: of a machine that a metric was recorded of, when it does
/// not say.
pub fn read(
    text: &str,
    (span, zone): (Span, &TimeZone),
    cores: u32,
    seed: u64,
    world: &dyn World,
) -> Result<Read, CommandError> {
    if let Some((file, of)) = text.split_once(".json") {
        return recorded(&format!("{file}.json"), of.trim(), (span, cores), world);
    }
    let path = Path::new(text);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !["csv", "swf"].contains(&ending) {
        let words: Words = text.parse().map_err(|error: WordsError| refused(error.message, FORMS))?;
        let tasks = words.tasks(span, zone, seed).map_err(|error| refused(error.message, FORMS));
        return tasks.map(Read::from);
    }
    let text = file(text, world)?;
    let read = if ending == "csv" { trace::csv(&text, span) } else { trace::swf(&text, span) };
    read.map(Read::from).map_err(|error| {
        let help = "a CSV file has the columns `arrival` and `duration`, and may have `cores`, `gpus`, `load` and `kind`; one of \
                    sessions has `login` and `logout`. `--from` and `--days` say what is simulated";
        refused(format!("`{}`, {error}", shown(path)), help)
    })
}

fn file(path: &str, world: &dyn World) -> Result<String, CommandError> {
    let bytes = world.read(Path::new(path)).map_err(|_| {
        let title = format!("`{}` cannot be read", shown(Path::new(path)));
        refused(title, "give the path of a file, or words such as `office of 40`")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A metric that was recorded of `of 4 machines`, or `of machines.csv`; then perhaps `with 8 cores`.
fn recorded(path: &str, of: &str, (span, cores): (Span, u32), world: &dyn World) -> Result<Read, CommandError> {
    let help = "write `cpu.json of 4 machines`, or `cpu.json of machines.csv` with the columns `time` and `machines`; then `with 8 \
                cores` when machines had others than the pool has";
    let unclear =
        || refused(format!("how many machines `{}` was recorded of is not clear", shown(Path::new(path))), help);
    let (of, cores) = match of.strip_suffix(" cores").and_then(|of| of.rsplit_once(" with ")) {
        Some((of, cores)) => (of, cores.parse::<u32>().ok().filter(|c| (1..=10_000).contains(c)).ok_or_else(unclear)?),
        None => (of, cores),
    };
    let of = of.strip_prefix("of ").ok_or_else(unclear)?.trim();
    let machines = match of.strip_suffix(" machines").or_else(|| of.strip_suffix(" machine")) {
        Some(count) => {
            let count = count.trim().parse::<u32>().ok().filter(|count| (1..=10_000).contains(count));
            Machines::all_the_time(count.ok_or_else(unclear)?, cores)
        }
        None if of.ends_with(".csv") => Machines::csv(&file(of, world)?, cores)
            .map_err(|error| refused(format!("`{}`, {error}", shown(Path::new(of))), help))?,
        None => return Err(unclear()),
    };
    let found = metric::recorded(&file(path, world)?, &machines, span).map_err(|error| {
        let help = "record it with `az monitor metrics list --resource ID --metrics \"Percentage CPU\" --aggregation Average \
                    --interval PT1M -o json`";
        refused(format!("`{}`, {error}", shown(Path::new(path))), help)
    })?;
    let mut notes = Vec::new();
    if found.full > 0 {
        let (minutes, file) = (found.full, shown(Path::new(path)));
        notes
            .push(format!("in {minutes} minutes of `{file}` the machines were full: more may have been asked of them"));
    }
    Ok(Read { workload: found.workload, notes })
}
