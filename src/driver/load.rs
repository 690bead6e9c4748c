//! Paths given by the user → the `.dsvm` files below them; errors of reading.

use super::{EntryKind, World};
use crate::diagnostics::Code;
use miette::Diagnostic;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// A file or folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Reading failed.
    #[error("cannot read `{}`", shown(.path))]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// A folder without any `.dsvm` file.
    #[error("there is no `.dsvm` file in `{}`", shown(.path))]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

impl LoadError {
    /// Reading `path` failed.
    #[must_use]
    pub fn unreadable(path: &Path, cause: std::io::Error) -> Self {
        LoadError::Unreadable { path: path.to_owned(), cause }
    }

    fn code(&self) -> Code {
        match self {
            LoadError::Unreadable { .. } => Code::FileUnreadable,
            LoadError::Empty { .. } => Code::NoSources,
        }
    }
}

impl Diagnostic for LoadError {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(LoadError::code(self)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let help = match self {
            LoadError::Unreadable { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                "check the spelling of the path and the folder that you are in"
            }
            LoadError::Unreadable { .. } => "make the file readable for your user",
            LoadError::Empty { .. } => "run `dsvmc init` to write a first file",
        };
        Some(Box::new(help))
    }
}

/// A path as people see it: relative as given, forward slashes, no `./` in front.
#[must_use]
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    match text.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

/// All `.dsvm` files of the given paths; folders are searched to any depth, hidden ones left out.
pub fn files(world: &dyn World, paths: &[PathBuf]) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    for path in paths {
        match world.kind(path)? {
            EntryKind::File => found.push(path.clone()),
            EntryKind::Folder => {
                let before = found.len();
                walk(world, path, &mut found)?;
                if found.len() == before {
                    return Err(LoadError::Empty { path: path.clone() });
                }
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn walk(world: &dyn World, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    for (path, kind) in world.list(folder)? {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match kind {
            _ if hidden => {}
            EntryKind::Folder => walk(world, &path, found)?,
            EntryKind::File if path.extension().is_some_and(|e| e == "dsvm") => found.push(path),
            EntryKind::File => {}
        }
    }
    Ok(())
}
