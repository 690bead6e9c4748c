//! Runs the pipeline for projects: loads files through [`World`], keeps the results of all stages.
//!
//! Knows no terminal, no clock and no disk: whoever calls brings a [`World`].

mod load;

pub use load::LoadError;

use crate::diagnostics::{Diagnostic, Sink};
use crate::source::{SourceFile, SourceMap};
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

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    /// Every file that was read.
    pub sources: SourceMap,
    /// Sorted findings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks files, folders or trees of projects.
pub fn check(world: &dyn World, paths: &[PathBuf]) -> Result<Compilation, LoadError> {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    for path in load::files(world, paths)? {
        let bytes = world.read(&path)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let source = sources.add(SourceFile::new(load::shown(&path), text.as_str()));
        crate::syntax::parse(source, &text, &mut sink);
    }
    Ok(Compilation { sources, diagnostics: sink.finish() })
}
