//! The thread that compiles: the newest texts → the findings of every project that has an open document.
//!
//! A job that waits is replaced by a newer one. Results of projects that a change does not touch are kept.

use crate::host::{Compiled, Host, Project, Texts};
use crate::moved::moved;
use crate::paths::name_of;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What is to be compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Job {
    /// Counts the changes of documents.
    pub(crate) revision: u64,
    pub(crate) texts: Texts,
    /// The folders of the editor's workspace, in which projects are looked for.
    pub(crate) folders: Vec<PathBuf>,
    /// Look for projects again: files may have come, gone or changed on the disk.
    pub(crate) anew: bool,
    /// What the texts import and declare.
    pub(crate) outlines: BTreeMap<PathBuf, Outline>,
    /// The documents that changed since the job before.
    pub(crate) changed: BTreeSet<PathBuf>,
}

/// Which files belong to the project of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The paths in its imports.
    pub(crate) imports: Vec<String>,
    /// Whether it declares a project.
    pub(crate) declares: bool,
}

/// The result of one project.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) project: Project,
    /// All its files, with their texts.
    pub(crate) files: BTreeMap<PathBuf, Arc<str>>,
    pub(crate) compiled: Vec<Compiled>,
}

/// The results of a job.
#[derive(Debug)]
pub(crate) struct Analysis {
    pub(crate) revision: u64,
    /// The projects that have an open document, in the order of their paths.
    pub(crate) projects: Vec<Arc<Snapshot>>,
    /// The compiler stopped because of a bug in it.
    pub(crate) panicked: bool,
}

/// The place of the job that waits.
#[derive(Default)]
pub(crate) struct Desk {
    place: Mutex<(Option<Job>, bool)>,
    changed: Condvar,
}

impl Desk {
    /// Puts a job down, in place of the one that waits.
    pub(crate) fn put(&self, mut job: Job) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(older) = place.0.take() {
            job.anew |= older.anew;
            job.changed.extend(older.changed);
        }
        place.0 = Some(job);
        self.changed.notify_one();
    }

    /// No more jobs will come, and the one that waits is not wanted.
    pub(crate) fn close(&self) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = (None, true);
        self.changed.notify_one();
    }

    fn take(&self) -> Option<Job> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if place.1 {
                return None;
            }
            if let Some(job) = place.0.take() {
                return Some(job);
            }
            place = self.changed.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Works until the desk is closed, or nobody wants results any more.
pub(crate) fn work(host: &dyn Host, desk: &Desk, mut done: impl FnMut(Analysis) -> bool) {
    let mut memory = Memory::default();
    while let Some(job) = desk.take() {
        let result = catch_unwind(AssertUnwindSafe(|| memory.run(host, &job)));
        let analysis = result.unwrap_or_else(|_| {
            memory = Memory::default();
            Analysis { revision: job.revision, projects: Vec::new(), panicked: true }
        });
        if !done(analysis) {
            return;
        }
    }
}

/// What is kept from one job to the next.
#[derive(Default)]
struct Memory {
    /// The projects below a folder.
    found: BTreeMap<PathBuf, Vec<Project>>,
    /// The files of a project that was looked at.
    members: BTreeMap<Project, BTreeSet<PathBuf>>,
    results: BTreeMap<Project, Arc<Snapshot>>,
    /// Which documents declare a project: it decides which files belong together.
    declaring: BTreeMap<PathBuf, bool>,
}

impl Memory {
    fn run(&mut self, host: &dyn Host, job: &Job) -> Analysis {
        let mut anew = job.anew;
        for path in job.texts.0.keys().filter(|path| job.anew || job.changed.contains(*path)) {
            let now = job.outlines.get(path).is_some_and(|outline| outline.declares);
            anew |= self.declaring.insert(path.clone(), now) != Some(now);
        }
        self.declaring.retain(|path, _| job.texts.0.contains_key(path));
        if anew {
            self.found.clear();
            self.members.clear();
            self.results.clear();
        }
        let touched = |files: &BTreeSet<PathBuf>| job.changed.iter().any(|path| files.contains(path));
        let stale: Vec<Project> =
            self.members.iter().filter(|(_, files)| touched(files)).map(|(project, _)| project.clone()).collect();
        for project in stale {
            if let Some(known) = self.results.get(&project).and_then(|known| same(known, job)) {
                self.results.insert(project, Arc::new(known));
                continue;
            }
            self.members.remove(&project);
            self.results.remove(&project);
        }
        let open: BTreeSet<&PathBuf> = job.texts.0.keys().collect();
        let roots: BTreeSet<PathBuf> = open.iter().filter_map(|path| root(path, &job.folders)).collect();
        self.found.retain(|root, _| roots.contains(root));
        let mut projects: BTreeSet<Project> = BTreeSet::new();
        for root in roots {
            let found = self.found.entry(root).or_insert_with_key(|root| host.projects(&job.texts, root));
            projects.extend(found.iter().cloned());
        }
        let mut covered: BTreeSet<PathBuf> = BTreeSet::new();
        let mut wanted = Vec::new();
        for project in projects {
            let files = self.files(host, job, &project);
            let here: Vec<PathBuf> = open.iter().filter(|path| files.contains(**path)).map(|p| (*p).clone()).collect();
            if !here.is_empty() {
                covered.extend(here);
                wanted.push(project);
            }
        }
        let alone = open.iter().filter(|path| !covered.contains(**path)).map(|path| host.alone(path));
        for project in alone.collect::<Vec<_>>() {
            // Kept under its own files, so that a change of one of them makes it stale.
            self.files(host, job, &project);
            wanted.push(project);
        }
        wanted.sort();
        wanted.dedup();
        self.results.retain(|project, _| wanted.contains(project));
        let projects = wanted
            .into_iter()
            .map(|project| {
                let result = self.results.entry(project.clone());
                result.or_insert_with(|| Arc::new(compile(host, job, project))).clone()
            })
            .collect();
        Analysis { revision: job.revision, projects, panicked: false }
    }

    /// The files of a project: its own, and those that they import.
    fn files(&mut self, host: &dyn Host, job: &Job, project: &Project) -> BTreeSet<PathBuf> {
        let found = self.members.entry(project.clone());
        found.or_insert_with_key(|project| closure(host, job, project).into_keys().collect()).clone()
    }
}

/// The result of a project for texts that say what they said before, if they do.
fn same(known: &Snapshot, job: &Job) -> Option<Snapshot> {
    let (mut files, mut compiled) = (known.files.clone(), known.compiled.clone());
    for path in &job.changed {
        let Some(old) = files.get(path).cloned() else { continue };
        let new = job.texts.0.get(path)?;
        let moved = moved(&old, new)?;
        let name = name_of(path);
        let each = compiled.iter().map(|one| moved.compiled(one, &name, new));
        compiled = each.collect::<Option<_>>()?;
        files.insert(path.clone(), new.clone());
    }
    Some(Snapshot { project: known.project.clone(), files, compiled })
}

/// The folder below which the project of a document is looked for: the innermost of the workspace, else its own.
fn root(path: &Path, folders: &[PathBuf]) -> Option<PathBuf> {
    if !path.is_absolute() {
        return None;
    }
    let around = folders.iter().filter(|folder| path.starts_with(folder)).max_by_key(|folder| folder.as_os_str().len());
    around.cloned().or_else(|| path.parent().map(Path::to_owned))
}

/// All files of a project with their texts: its own, those beside them, and those that they import.
fn closure(host: &dyn Host, job: &Job, project: &Project) -> BTreeMap<PathBuf, Arc<str>> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<PathBuf> =
        [&project.files, &project.tests, &project.beside].into_iter().flatten().cloned().collect();
    while let Some(path) = waiting.pop() {
        if found.contains_key(&path) {
            continue;
        }
        let own = [&project.files, &project.tests, &project.beside].into_iter().any(|all| all.contains(&path));
        let open = job.texts.0.get(&path).filter(|_| own).cloned();
        let Some(text) = open.or_else(|| host.read(&job.texts, project, &path).map(Arc::from)) else { continue };
        let written = match job.outlines.get(&path) {
            Some(outline) => outline.imports.clone(),
            None => imports(&text),
        };
        waiting.extend(written.iter().map(|written| imported(&path, written)));
        found.insert(path, text);
    }
    found
}

/// The paths in the imports of a text.
fn imports(text: &str) -> Vec<String> {
    let items = dsvm_syntax::index(text);
    let imports = items.iter().filter(|item| item.keyword == "import");
    imports.filter_map(|item| import_path(text.get(item.start..item.end)?)).collect()
}

/// The path in the text of an import.
pub(crate) fn import_path(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('"')?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The path that an import of a file means.
pub(crate) fn imported(importer: &Path, written: &str) -> PathBuf {
    if written.starts_with('/') {
        return PathBuf::from(dsvm_sema::load::plain_path(written));
    }
    let folder = importer.parent().map(name_of).unwrap_or_default();
    PathBuf::from(dsvm_sema::load::plain_path(&format!("{folder}/{written}")))
}

fn compile(host: &dyn Host, job: &Job, project: Project) -> Snapshot {
    let compiled = host.compile(&job.texts, &project);
    let mut files = closure(host, job, &project);
    for (_, file) in compiled.iter().flat_map(|one| one.sources.iter()) {
        files.insert(PathBuf::from(&*file.name), file.text.clone());
    }
    Snapshot { project, files, compiled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_job_is_replaced_and_nothing_that_changed_is_forgotten() {
        let desk = Desk::default();
        let job = |revision, path: &str| Job {
            revision,
            changed: BTreeSet::from([PathBuf::from(path)]),
            anew: revision == 1,
            ..Job::default()
        };
        desk.put(job(1, "/a"));
        desk.put(job(2, "/b"));
        let taken = desk.take().unwrap();
        assert_eq!((taken.revision, taken.changed.len(), taken.anew), (2, 2, true));
        desk.close();
        assert!(desk.take().is_none());
    }

    #[test]
    fn imports_are_found_and_joined() {
        assert_eq!(imports("import std.images\nimport \"./a.dsvm\" as b\nlet x = \"c\"\n"), ["./a.dsvm"]);
        assert_eq!(imported(Path::new("/x/y/main.dsvm"), "../a.dsvm"), PathBuf::from("/x/a.dsvm"));
    }
}
