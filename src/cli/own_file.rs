//! Reports, pictures and tables that an option writes beside the output: over an earlier one, and over nothing else.

use super::commands::build::WriteError;
use crate::deploy::error::CommandError;
use crate::driver::shown;
use dsvm_diagnostics::Code;
use dsvm_files::Readers;
use std::path::Path;

/// Writes a file. `begin`: how all files of its kind begin, by which an earlier one is known.
///
/// # Errors
/// Another file is there, or the file cannot be written.
pub fn write(path: &Path, text: &str, begin: &str) -> Result<(), CommandError> {
    match std::fs::read(path) {
        Ok(old) if old.starts_with(begin.as_bytes()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        _ => {
            let title = format!("`{}` is there and was not written by dsvmc", shown(path));
            return Err(CommandError::input(Code::OutputUnwritable, title, "give another path, or move the file away"));
        }
    }
    dsvm_files::replace(path, text.as_bytes(), Readers::Usual).map_err(|cause| {
        CommandError::environment(Code::OutputUnwritable, WriteError::new(path, cause).to_string(), "")
    })
}
