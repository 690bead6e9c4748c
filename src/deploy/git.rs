//! Sources and commits through the `git` program.

use super::error::CommandError;
use crate::driver::{EntryKind, LoadError, World};
use dsvm_diagnostics::Code;
use std::path::{Path, PathBuf};

/// The files of one commit, read with `git`; file dates are not known, so retirements are judged as of today (UTC).
pub struct Repository {
    top: PathBuf,
    revision: String,
    today: jiff::civil::Date,
}

impl Repository {
    /// Opens the repository around `path` at a branch, tag or commit.
    ///
    /// # Errors
    /// There is no repository around the path, or no such commit in it.
    pub fn open(path: &Path, revision: &str) -> Result<Self, CommandError> {
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
        };
        let bad = |why: String| {
            CommandError::input(
                Code::ObservedUnusable,
                why,
                "name a branch, a tag or a commit of the repository that holds the sources",
            )
        };
        let top = git(folder, &["rev-parse", "--show-toplevel"])
            .map_err(|e| bad(format!("the sources are not in a git repository: {e}")))?;
        let commit = git(folder, &["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")]);
        let commit = commit.map_err(|_| bad(format!("there is no commit `{revision}` here")))?;
        let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
        Ok(Self { top: PathBuf::from(top.trim()), revision: commit.trim().to_owned(), today })
    }

    fn inside(&self, path: &Path) -> Result<String, LoadError> {
        let absolute = std::path::absolute(path).map_err(|e| LoadError::unreadable(path, e))?;
        let real = nearest_real(&absolute);
        let inside = real
            .strip_prefix(&self.top)
            .map_err(|_| LoadError::unreadable(path, std::io::Error::other("outside of the repository")))?;
        Ok(inside
            .components()
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .filter(|c| c != ".")
            .collect::<Vec<_>>()
            .join("/"))
    }

    fn object(&self, path: &Path) -> Result<String, LoadError> {
        Ok(format!("{}:{}", self.revision, self.inside(path)?))
    }
}

/// The path with symbolic links resolved, as git prints its top folder. The last components may no longer exist.
fn nearest_real(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut at = path;
    loop {
        if let Ok(real) = std::fs::canonicalize(at) {
            return missing.iter().rev().fold(real, |p, part| p.join(part));
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else { return path.to_owned() };
        missing.push(name.to_owned());
        at = parent;
    }
}

/// Runs git in a folder that others may have written: a bare repository among the files of a branch is none, because its
/// settings name programs (`core.fsmonitor`). The settings of the repository around them are its owner's.
fn command(folder: &Path) -> std::process::Command {
    let mut command = std::process::Command::new("git");
    command.args(["-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"]).arg("-C").arg(folder);
    command
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = command(folder).args(arguments).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())
    }
}

impl World for Repository {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let object = self.object(path)?;
        let output = command(&self.top).args(["cat-file", "blob", &object]).output();
        let output = output.map_err(|e| LoadError::unreadable(path, e))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(LoadError::unreadable(
                path,
                std::io::Error::new(std::io::ErrorKind::NotFound, format!("not in commit {}", self.revision)),
            ))
        }
    }

    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError> {
        let object = self.object(path)?;
        let kind = git(&self.top, &["cat-file", "-t", &object])
            .map_err(|e| LoadError::unreadable(path, std::io::Error::new(std::io::ErrorKind::NotFound, e)))?;
        Ok(if kind.trim() == "tree" { EntryKind::Folder } else { EntryKind::File })
    }

    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        let object = self.object(folder)?;
        let text = git(&self.top, &["ls-tree", "-z", &object])
            .map_err(|e| LoadError::unreadable(folder, std::io::Error::other(e)))?;
        let entry = |line: &str| {
            let (meta, name) = line.split_once('\t')?;
            let kind = if meta.contains(" tree ") { EntryKind::Folder } else { EntryKind::File };
            Some((folder.join(name), kind))
        };
        let mut entries: Vec<_> = text.split('\0').filter_map(entry).collect();
        entries.sort();
        Ok(entries)
    }

    fn today(&self) -> jiff::civil::Date {
        self.today
    }
}

/// The commit checked out around `folder`, with `+` when tracked files differ from it; empty outside a repository.
#[must_use]
pub fn commit(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(head) = git(folder, &["rev-parse", "--short=12", "HEAD"]) else { return String::new() };
    let changed = git(folder, &["status", "--porcelain", "--untracked-files=no", "--", "."]);
    let dirty = changed.is_ok_and(|list| !list.trim().is_empty());
    format!("{}{}", head.trim(), if dirty { "+" } else { "" })
}
