//! Files on the disk and today's date.

use crate::driver::{EntryKind, LoadError, SettingsFile, Unread, World};
use dsvm_sema::load::{NoText, same_sort};
use jiff::civil::Date;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most bytes of a source file.
const SOURCE: u64 = 16 << 20;

/// Reads files of the disk.
#[derive(Debug)]
pub struct Disk {
    today: Date,
}

impl Disk {
    /// A disk whose date is `as_of`, or today's (UTC).
    #[must_use]
    pub fn new(as_of: Option<Date>) -> Self {
        let today = || jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
        Self { today: as_of.unwrap_or_else(today) }
    }
}

/// The folder that the project in `folder` may import from: its repository, else the current folder if the project is in
/// it, else its own. All without links.
fn boundary(folder: &Path) -> std::io::Result<PathBuf> {
    let folder = std::fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    if let Some(repository) = folder.ancestors().find(|above| above.join(".git").exists()) {
        return Ok(repository.to_owned());
    }
    let current = std::env::current_dir().and_then(std::fs::canonicalize);
    Ok(current.ok().filter(|current| folder.starts_with(current)).unwrap_or(folder))
}

/// A path as it is written in the current folder.
fn seen_from(current: &Path, path: &Path) -> PathBuf {
    for (up, above) in current.ancestors().enumerate() {
        // Far away, a path from the root reads better.
        if up > 3 {
            break;
        }
        if let Ok(rest) = path.strip_prefix(above) {
            return std::iter::repeat_n("..", up).collect::<PathBuf>().join(rest);
        }
    }
    path.to_owned()
}

/// Reads a settings file; nothing when there is none.
fn read_settings(path: &Path) -> Option<Result<Vec<u8>, Unread>> {
    let most = dsvm_lint::settings::MOST_BYTES;
    // Asked before it is opened: opening a pipe waits for a writer.
    let data = match std::fs::metadata(path) {
        Ok(data) => data,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return None,
        Err(_) => return Some(Err(Unread::Refused)),
    };
    if !data.is_file() {
        return Some(Err(Unread::Special));
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    Some(match read {
        Ok(_) if bytes.len() as u64 > most => Err(Unread::TooLarge),
        Ok(_) => Ok(bytes),
        Err(_) => Err(Unread::Refused),
    })
}

/// The bytes of a source file, whose size need not be what the file system says: files of `/proc` have none.
fn read_source(file: std::fs::File) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(SOURCE + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= SOURCE).then_some(bytes))
}

impl World for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        std::fs::read(path).map_err(|cause| LoadError::unreadable(path, cause))
    }

    fn read_own(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let unreadable = |cause| LoadError::unreadable(path, cause);
        // A pipe that the user names is read like a file; `/dev/stdin` and `/dev/fd/3` are links to one.
        let linked = std::fs::symlink_metadata(path).map_err(unreadable)?.is_symlink();
        if linked && std::fs::metadata(path).map_err(unreadable)?.is_file() {
            let real = std::fs::canonicalize(path).map_err(unreadable)?;
            if !real.starts_with(boundary(path.parent().unwrap_or(Path::new(""))).map_err(unreadable)?) {
                return Err(LoadError::LeadsOut { path: path.to_owned() });
            }
        }
        let bytes = std::fs::File::open(path).and_then(read_source).map_err(unreadable)?;
        bytes.ok_or_else(|| unreadable(std::io::Error::other("a source file has at most 16 MiB")))
    }

    fn read_linked(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, LoadError> {
        let unreadable = |cause| LoadError::unreadable(path, cause);
        let refused = |why| unreadable(std::io::Error::other(why));
        let real = std::fs::canonicalize(path).map_err(unreadable)?;
        if !real.starts_with(boundary(folder).map_err(unreadable)?) {
            return Err(refused("it is outside of the repository, and of the folder, of the template that links it"));
        }
        // Asked before it is opened: opening a pipe waits for a writer.
        if !std::fs::metadata(&real).map_err(unreadable)?.is_file() {
            return Err(refused("it is not a regular file"));
        }
        let bytes = std::fs::File::open(&real).and_then(read_source).map_err(unreadable)?;
        bytes.ok_or_else(|| refused("a linked template has at most 16 MiB"))
    }

    fn read_import(&self, path: &Path, folder: &Path) -> Result<Vec<u8>, NoText> {
        let missing = |_| NoText::Missing;
        let real = std::fs::canonicalize(path).map_err(missing)?;
        if !real.starts_with(boundary(folder).map_err(missing)?)
            || !same_sort(&real.to_string_lossy(), &path.to_string_lossy())
        {
            return Err(NoText::Outside);
        }
        // Asked before it is opened: opening a pipe waits for a writer.
        if !std::fs::metadata(&real).map_err(missing)?.is_file() {
            return Err(NoText::Special);
        }
        let bytes = std::fs::File::open(&real).and_then(read_source).map_err(missing)?;
        bytes.ok_or(NoText::TooLarge)
    }

    fn kind(&self, path: &Path) -> Result<EntryKind, LoadError> {
        let data = std::fs::metadata(path).map_err(|cause| LoadError::unreadable(path, cause))?;
        Ok(if data.is_dir() { EntryKind::Folder } else { EntryKind::File })
    }

    fn list(&self, folder: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        let unreadable = |cause| LoadError::unreadable(folder, cause);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                entries.push((entry.path(), EntryKind::Folder));
            } else if kind.is_file() || entry.path().is_file() {
                entries.push((entry.path(), EntryKind::File));
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn settings(&self, folder: &Path) -> Vec<SettingsFile> {
        let own = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let (Ok(real), Ok(boundary)) = (std::fs::canonicalize(own), boundary(folder)) else { return Vec::new() };
        let current = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
        let mut found = Vec::new();
        for above in real.ancestors().take_while(|above| above.starts_with(&boundary)) {
            let path = above.join("dsvmc.toml");
            if let Some(bytes) = read_settings(&path) {
                found.push(SettingsFile { path: seen_from(&current, &path), bytes });
            }
        }
        found
    }

    fn today(&self) -> Date {
        self.today
    }
}
