//! Paths given by the user → the projects at or below them.
//!
//! A file is a project. A folder with `main.dsvm` is a project. A folder without it is one project when at most one of
//! its files declares `project`, else each file that does is one. Below a folder every such folder is found; a folder
//! whose files declare no project is treated as imports of the projects around it, unless there are no others.

use super::{EntryKind, LoadError, World, load};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// A project: where it is and the files that it starts from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Project {
    /// The folder or file that identifies the project.
    pub path: PathBuf,
    /// Its own files; those that they import come on top.
    pub files: Vec<PathBuf>,
    /// Files beside `main.dsvm`: part of the project only when something imports them.
    pub beside: Vec<PathBuf>,
    /// Files of tests, `NAME.test.dsvm`: part of the project only when its tests run.
    pub tests: Vec<PathBuf>,
}

/// How the names of files of tests end.
const TEST_FILE: &str = ".test.dsvm";

/// Whether a file holds tests, by its name.
fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(TEST_FILE))
}

impl Project {
    /// The project that a file is by itself.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        let tests = vec![path.with_extension("").with_extension("test.dsvm")];
        Self { path: path.to_owned(), files: vec![path.to_owned()], beside: Vec::new(), tests }
    }

    /// The folder that it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        if self.files.contains(&self.path) { self.path.parent().unwrap_or(Path::new("")) } else { &self.path }
    }

    /// A name for a project that declares none.
    pub(super) fn fallback_name(&self) -> String {
        let stem = self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.filter(|stem| !stem.is_empty() && stem != "." && stem != "..").unwrap_or_else(|| "pools".to_owned())
    }
}

/// A folder with `.dsvm` files.
struct Folder {
    path: PathBuf,
    files: Vec<PathBuf>,
    tests: Vec<PathBuf>,
}

/// Finds the projects, sorted by path, each once.
pub fn projects(world: &dyn World, paths: &[PathBuf]) -> Result<Vec<Project>, LoadError> {
    let mut found = Vec::new();
    for path in paths {
        match world.kind(path)? {
            EntryKind::File => found.push(Project::file(path)),
            EntryKind::Folder => found.extend(below(world, path)?),
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Every `.dsvm` file at or below the given paths, sorted, each once.
pub fn files(world: &dyn World, paths: &[PathBuf]) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    for path in paths {
        if world.kind(path)? == EntryKind::File {
            found.push(path.clone());
            continue;
        }
        let mut folders = Vec::new();
        walk(world, path, &mut folders)?;
        if folders.is_empty() {
            return Err(LoadError::Empty { path: path.clone() });
        }
        found.extend(folders.into_iter().flat_map(|folder| folder.files.into_iter().chain(folder.tests)));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn below(world: &dyn World, path: &Path) -> Result<Vec<Project>, LoadError> {
    let mut folders = Vec::new();
    walk(world, path, &mut folders)?;
    if folders.is_empty() {
        return Err(LoadError::Empty { path: path.to_owned() });
    }
    let declared: Vec<Vec<Project>> =
        folders.par_iter().map(|folder| declared(world, folder)).collect::<Result<_, LoadError>>()?;
    let declared: Vec<Project> = declared.into_iter().flatten().collect();
    if !declared.is_empty() {
        return Ok(declared);
    }
    Ok(folders
        .into_iter()
        .filter(|folder| !folder.files.is_empty())
        .map(|folder| Project { path: folder.path, files: folder.files, beside: Vec::new(), tests: folder.tests })
        .collect())
}

/// The projects that a folder declares, by `main.dsvm` or by `project` blocks.
fn declared(world: &dyn World, folder: &Folder) -> Result<Vec<Project>, LoadError> {
    if let Some(main) = folder.files.iter().find(|file| file.file_name().is_some_and(|name| name == "main.dsvm")) {
        let beside = folder.files.iter().filter(|file| *file != main).cloned().collect();
        let tests = folder.tests.clone();
        return Ok(vec![Project { path: folder.path.clone(), files: vec![main.clone()], beside, tests }]);
    }
    let mut with_project = Vec::new();
    for file in &folder.files {
        let (text, _) = load::decode(world.read_own(file)?);
        if dsvm_syntax::index(&text).iter().any(|item| item.keyword == "project") {
            with_project.push(file);
        }
    }
    Ok(match with_project.as_slice() {
        [] => Vec::new(),
        [_] => vec![Project {
            path: folder.path.clone(),
            files: folder.files.clone(),
            beside: Vec::new(),
            tests: folder.tests.clone(),
        }],
        several => several.iter().map(|file| Project::file(file)).collect(),
    })
}

/// Collects folders with `.dsvm` files, to any depth; hidden ones are left out.
fn walk(world: &dyn World, path: &Path, folders: &mut Vec<Folder>) -> Result<(), LoadError> {
    let mut files = Vec::new();
    let mut tests = Vec::new();
    let mut inner = Vec::new();
    for (entry, kind) in world.list(path)? {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match kind {
            _ if hidden => {}
            EntryKind::Folder => inner.push(entry),
            EntryKind::File if is_test(&entry) => tests.push(entry),
            EntryKind::File if entry.extension().is_some_and(|e| e == "dsvm") => files.push(entry),
            EntryKind::File => {}
        }
    }
    if !files.is_empty() || !tests.is_empty() {
        folders.push(Folder { path: path.to_owned(), files, tests });
    }
    for folder in inner {
        walk(world, &folder, folders)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A world whose files are in memory.
    struct Memory(BTreeMap<PathBuf, &'static str>);

    impl World for Memory {
        fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
            let missing = || LoadError::unreadable(path, std::io::ErrorKind::NotFound.into());
            self.0.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(missing)
        }

        fn kind(&self, path: &Path) -> Result<EntryKind, LoadError> {
            Ok(if self.0.contains_key(path) { EntryKind::File } else { EntryKind::Folder })
        }

        fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
            let mut entries: Vec<(PathBuf, EntryKind)> = Vec::new();
            for path in self.0.keys() {
                let Ok(rest) = path.strip_prefix(folder) else { continue };
                let mut parts = rest.components();
                let Some(first) = parts.next() else { continue };
                let kind = if parts.next().is_some() { EntryKind::Folder } else { EntryKind::File };
                let entry = (folder.join(first), kind);
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
            Ok(entries)
        }

        fn today(&self) -> jiff::civil::Date {
            jiff::civil::date(2026, 11, 1)
        }
    }

    fn found(files: &[(&str, &'static str)]) -> Vec<String> {
        let world = Memory(files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect());
        let show = |p: &Project| {
            let files: Vec<String> = p.files.iter().map(|f| load::shown(f)).collect();
            format!("{}: {}", load::shown(&p.path), files.join(" "))
        };
        projects(&world, &[PathBuf::from("t")]).unwrap().iter().map(show).collect()
    }

    #[test]
    fn a_folder_with_main_is_one_project_and_its_other_files_are_imports() {
        assert_eq!(found(&[("t/main.dsvm", ""), ("t/lib/x.dsvm", ""), ("t/y.dsvm", "")]), ["t: t/main.dsvm"]);
    }

    #[test]
    fn files_around_one_project_block_belong_together() {
        assert_eq!(found(&[("t/a.dsvm", "project p { }"), ("t/b.dsvm", "")]), ["t: t/a.dsvm t/b.dsvm"]);
    }

    #[test]
    fn several_project_blocks_are_several_projects() {
        let files = [("t/a.dsvm", "project p { }"), ("t/b.dsvm", "project q { }"), ("t/common.dsvm", "")];
        assert_eq!(found(&files), ["t/a.dsvm: t/a.dsvm", "t/b.dsvm: t/b.dsvm"]);
    }

    #[test]
    fn a_tree_gives_every_project_in_the_order_of_paths() {
        let files = [("t/b/main.dsvm", ""), ("t/a/main.dsvm", ""), ("t/c/d/pools.dsvm", "project p { }")];
        assert_eq!(found(&files), ["t/a: t/a/main.dsvm", "t/b: t/b/main.dsvm", "t/c/d: t/c/d/pools.dsvm"]);
    }

    #[test]
    fn a_folder_without_any_project_block_is_still_a_project() {
        assert_eq!(found(&[("t/a.dsvm", "let x = 1"), ("t/b.dsvm", "")]), ["t: t/a.dsvm t/b.dsvm"]);
    }
}
