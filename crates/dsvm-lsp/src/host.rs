//! What the server needs of the program around it: finding, reading and compiling projects.

use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::SourceMap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The texts of the documents that are open in the editor: they count instead of what is on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub BTreeMap<PathBuf, Arc<str>>);

/// A project: where it is and the files that it starts from, by the rules of the command line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Project {
    /// The folder or file that identifies the project.
    pub path: PathBuf,
    /// Its own files; those that they import come on top.
    pub files: Vec<PathBuf>,
    /// Files beside its main file, which belong to it only when something imports them.
    pub beside: Vec<PathBuf>,
    /// Files of tests, also those that do not exist.
    pub tests: Vec<PathBuf>,
}

/// What a compilation found.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// Every file that was read.
    pub sources: SourceMap,
    /// The findings, with places in these files.
    pub diagnostics: Vec<Diagnostic>,
}

/// The program around the server. All paths are absolute.
pub trait Host: Send + Sync + 'static {
    /// The projects at or below a folder; none when it cannot be read.
    fn projects(&self, texts: &Texts, folder: &Path) -> Vec<Project>;
    /// The project that a file is by itself.
    fn alone(&self, path: &Path) -> Project;
    /// The text of a file that the project imports, or that is its own; nothing when it may not be read.
    fn read(&self, texts: &Texts, project: &Project, path: &Path) -> Option<String>;
    /// Checks a project: its own files, and on their own those of its tests. No finding is in two results.
    fn compile(&self, texts: &Texts, project: &Project) -> Vec<Compiled>;
    /// A file with the text of a module of the standard library, for editors to open; nothing when it cannot be written.
    fn library_file(&self, module: &str, text: &str) -> Option<PathBuf>;
}
