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

/// A part of a file: first byte, and one past the last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the compiler names it.
    pub path: PathBuf,
    /// Offset in bytes where the part begins.
    pub start: u32,
    /// Offset behind its last byte.
    pub end: u32,
}

/// What a project becomes: its templates, for an editor to show.
#[derive(Clone, Debug, Default)]
pub struct Emitted {
    /// Every file that was read, for places in them.
    pub sources: SourceMap,
    /// The templates, in the order of deployment; none when the project has errors.
    pub parts: Vec<EmittedPart>,
    /// Names of the envs, in source order.
    pub envs: Vec<String>,
    /// Why there is no template, in one sentence.
    pub problem: Option<String>,
}

/// One template, and where its lines were written.
#[derive(Clone, Debug, Default)]
pub struct EmittedPart {
    /// `main`, or the name of one of several deployments.
    pub name: String,
    /// The template as `build` writes it.
    pub template: String,
    /// The parameter files by env, as `build` writes them; the name is empty without envs.
    pub parameters: Vec<(String, String)>,
    /// Lines of the template from 0, first and last, and what they were made from; an outer part before those in it.
    pub map: Vec<(u32, u32, Place)>,
    /// Type and name of each resource, with the place of what makes it.
    pub resources: Vec<(String, String, Place)>,
}

/// What evaluation says about a place in the sources, for an editor to show behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure {
    /// What it is about: it is shown behind its end.
    pub place: Place,
    /// The text of the hint, a few words without a full stop.
    pub label: String,
    /// What more there is to know; may be empty.
    pub detail: String,
}

/// What a project deploys, as text to compare: with the defaults and with the values of each env.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Templates and parameter files.
    pub templates: String,
    /// The resources that they expand to.
    pub resources: String,
}

/// What became of a request that takes a while and gives text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether it went well: the plan was made, the tests passed.
    pub fine: bool,
    /// Lines for people, without colours.
    pub text: String,
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
    /// Compiles a project to templates.
    fn emit(&self, texts: &Texts, project: &Project) -> Emitted;
    /// What a project deploys; nothing when it has errors.
    fn deploys(&self, texts: &Texts, project: &Project) -> Option<Deployed>;
    /// What evaluation says about the pools of a project; nothing when it has errors.
    fn figures(&self, texts: &Texts, project: &Project) -> Vec<Figure>;
    /// Plans a deployment of a project to the endpoint of this machine.
    fn plan(&self, texts: &Texts, project: &Project, env: Option<&str>) -> Told;
    /// Runs the tests of a project that have this name, or all.
    fn run_tests(&self, texts: &Texts, project: &Project, name: Option<&str>) -> Told;
    /// A file with the text of a module of the standard library, for editors to open; nothing when it cannot be written.
    fn library_file(&self, module: &str, text: &str) -> Option<PathBuf>;
}
