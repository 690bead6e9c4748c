//! Runs the pipeline for projects: finds and loads files through [`World`], keeps the results of all stages.
//!
//! Promises: the projects of a tree are compiled in parallel and told in the order of their paths; the same files give
//! the same results. Knows no terminal, no clock and no disk: whoever calls brings a [`World`].

mod compile;
mod diags;
mod find;
mod formula;
mod given;
mod load;

pub use compile::{Compilation, Options, Stop, check_given, compile, compile_each};
pub use find::{Project, files, projects};
pub use given::GivenValue;
pub use load::{LoadError, shown};

use jiff::civil::Date;
use std::path::{Path, PathBuf};

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// The world outside: files and the date. Tests, the command line and editors bring their own.
pub trait World: Sync {
    /// The bytes of a file.
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError>;
    /// What a path is.
    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError>;
    /// What is in a folder, sorted by path.
    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError>;
    /// The date that retirements are judged by.
    fn today(&self) -> Date;
}
