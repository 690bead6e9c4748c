//! What an editor edits, over what is on the disk: finds and compiles projects for the language server.

mod errands;

use super::disk::Disk;
use crate::driver::{self, EntryKind, LoadError, SettingsFile, World};
use dsvm_diagnostics::Code;
use dsvm_files::Readers;
use dsvm_lsp::{Compiled, Deployed, Emitted, Figure, Host, Project, Texts, Told};
use dsvm_sema::load::NoText;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most folders that are searched for projects: a workspace can be somebody's home.
const MOST_FOLDERS: usize = 20_000;

/// The files of the disk, in front of which are the documents of the editor.
struct Overlay<'a> {
    disk: Disk,
    texts: &'a Texts,
    folders: AtomicUsize,
}

impl Overlay<'_> {
    fn open(&self, path: &Path) -> Option<Vec<u8>> {
        self.texts.0.get(path).map(|text| text.as_bytes().to_vec())
    }
}

impl World for Overlay<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        self.open(path).map_or_else(|| self.disk.read(path), Ok)
    }

    fn read_own(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        self.open(path).map_or_else(|| self.disk.read_own(path), Ok)
    }

    fn read_import(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, NoText> {
        // Whether it may be imported is decided by the file; a document that was never saved has none.
        match (self.disk.read_import(path, folder), self.open(path)) {
            (Ok(_) | Err(NoText::Missing | NoText::TooLarge), Some(text)) => Ok(text),
            (found, _) => found,
        }
    }

    fn read_linked(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, LoadError> {
        self.disk.read_linked(path, folder)
    }

    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError> {
        if self.texts.0.contains_key(path) { Ok(EntryKind::File) } else { self.disk.kind(path) }
    }

    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        if self.folders.fetch_add(1, Ordering::Relaxed) >= MOST_FOLDERS {
            return Ok(Vec::new());
        }
        let unsaved = self.texts.0.keys().filter(|path| path.parent() == Some(folder));
        let unsaved = unsaved.map(|path| (path.clone(), EntryKind::File));
        // A folder that cannot be listed hides what is in it, not the rest of the workspace.
        let listed = self.disk.list(folder).unwrap_or_default();
        let all: BTreeSet<(PathBuf, EntryKind)> = listed.into_iter().chain(unsaved).collect();
        Ok(all.into_iter().collect())
    }

    fn settings(&self, folder: &Path) -> Vec<SettingsFile> {
        let mut found = self.disk.settings(folder);
        for file in &mut found {
            if let Some(text) = self.open(&file.path) {
                file.bytes = Ok(text);
            }
        }
        found
    }

    fn today(&self) -> Date {
        self.disk.today()
    }
}

/// The program around the language server.
#[derive(Debug)]
pub(super) struct Editor {
    as_of: Option<Date>,
}

impl Editor {
    /// Retirement dates are compared with a day, or with each day as it comes.
    pub(super) fn new(as_of: Option<Date>) -> Self {
        Self { as_of }
    }

    fn world<'a>(&self, texts: &'a Texts) -> Overlay<'a> {
        Overlay { disk: Disk::new(self.as_of), texts, folders: AtomicUsize::new(0) }
    }
}

fn ours(project: &Project) -> driver::Project {
    let Project { path, files, beside, tests } = project.clone();
    driver::Project { path, files, beside, tests }
}

fn theirs(project: driver::Project) -> Project {
    let driver::Project { path, files, beside, tests } = project;
    Project { path, files, beside, tests }
}

impl Host for Editor {
    fn projects(&self, texts: &Texts, folder: &Path) -> Vec<Project> {
        let found = driver::projects(&self.world(texts), &[folder.to_owned()]);
        found.unwrap_or_default().into_iter().map(theirs).collect()
    }

    fn alone(&self, path: &Path) -> Project {
        theirs(driver::Project::file(path))
    }

    fn read(&self, texts: &Texts, project: &Project, path: &Path) -> Option<String> {
        let world = self.world(texts);
        let own =
            [&project.files, &project.beside, &project.tests].into_iter().any(|all| all.iter().any(|p| p == path));
        let bytes = match own {
            true => world.read_own(path).ok(),
            false => world.read_import(path, ours(project).folder()).ok(),
        };
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn compile(&self, texts: &Texts, project: &Project) -> Vec<Compiled> {
        let (world, project) = (self.world(texts), ours(project));
        let mut results = Vec::new();
        if project.files.iter().all(|path| !is_test(path)) {
            match driver::check_and_lint(&world, &project) {
                Ok((sources, diagnostics)) => results.push(Compiled { sources, diagnostics }),
                // A file vanished since it was found: the next look for projects tells.
                Err(_) => results.push(Compiled::default()),
            }
        }
        if project.tests.iter().chain(&project.files).any(|path| is_test(path) && world.kind(path).is_ok())
            && let Ok((sources, _, mut diagnostics)) = driver::test_cases(&world, &project)
        {
            diagnostics.retain(|found| {
                let file = found.primary().and_then(|span| sources.get(span.source));
                file.is_some_and(|file| is_test(Path::new(&*file.name)) && found.code != Code::NoSources)
            });
            results.push(Compiled { sources, diagnostics });
        }
        results
    }

    fn emit(&self, texts: &Texts, project: &Project) -> Emitted {
        errands::emit(&self.world(texts), &ours(project))
    }

    fn deploys(&self, texts: &Texts, project: &Project) -> Option<Deployed> {
        errands::deploys(&self.world(texts), &ours(project))
    }

    fn figures(&self, texts: &Texts, project: &Project) -> Vec<Figure> {
        errands::figures(&self.world(texts), &ours(project))
    }

    fn plan(&self, texts: &Texts, project: &Project, env: Option<&str>) -> Told {
        errands::plan(&self.world(texts), &ours(project), env)
    }

    fn run_tests(&self, texts: &Texts, project: &Project, name: Option<&str>) -> Told {
        errands::run_tests(&self.world(texts), &ours(project), name)
    }

    fn library_file(&self, module: &str, text: &str) -> Option<PathBuf> {
        let path = cache_home()?.join("std").join(env!("CARGO_PKG_VERSION")).join(format!("{module}.dsvm"));
        if std::fs::read(&path).is_ok_and(|known| known == text.as_bytes()) {
            return Some(path);
        }
        std::fs::create_dir_all(path.parent()?).ok()?;
        dsvm_files::replace(&path, text.as_bytes(), Readers::Usual).ok()?;
        // Nobody's edits would be read.
        if let Ok(mut permissions) = std::fs::metadata(&path).map(|data| data.permissions()) {
            permissions.set_readonly(true);
            let _ = std::fs::set_permissions(&path, permissions);
        }
        Some(path)
    }
}

/// Whether a file holds tests, by its name.
fn is_test(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".test.dsvm")
}

/// Where files are kept that can be made again: `$XDG_CACHE_HOME/dsvmc`, or where the system keeps such things.
fn cache_home() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || match std::env::consts::OS {
        "windows" => variable("LOCALAPPDATA"),
        "macos" => variable("HOME").map(|home| home.join("Library").join("Caches")),
        _ => variable("HOME").map(|home| home.join(".cache")),
    };
    variable("XDG_CACHE_HOME").or_else(usual).map(|folder| folder.join("dsvmc"))
}
