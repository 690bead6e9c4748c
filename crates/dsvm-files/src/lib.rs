//! Bytes and a path → a file. The one place that writes files.
//!
//! Promises that a file is the old one or the new one at every moment, also when the disk is full or the process is
//! killed; and that no link is followed, so that a folder somebody else made cannot turn a write against other files.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// How the names of files end that are being written; what a killed process left behind can be told by it.
const UNFINISHED: &str = ".new";

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whoever the settings of the process let.
    Usual,
    /// Nobody but its owner: for keys and records of deployments.
    Owner,
}

/// What stands at a path, without following a link; `None` when nothing does.
fn at(path: &Path) -> std::io::Result<Option<Metadata>> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses a link, a folder, a device: `Ok` for a regular file and for nothing.
///
/// # Errors
/// Something else stands there, or it cannot be told.
pub fn expect_regular(path: &Path) -> std::io::Result<()> {
    match at(path)? {
        Some(found) if found.is_symlink() => {
            Err(Error::new(ErrorKind::InvalidInput, "it is a link, and links are not followed"))
        }
        Some(found) if !found.is_file() => Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file")),
        _ => Ok(()),
    }
}

/// Writes a file beside its place, and renames it when all of it is on the disk. A file that exists keeps its permissions.
///
/// # Errors
/// The path is a link or no regular file, or the disk refuses; what was there before still is.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers) -> std::io::Result<()> {
    write_beside(path, bytes, readers, |file| file.persist(path).map(drop).map_err(|refused| refused.error))
}

/// As [`replace`], but leaves a file that is there already, and says so.
///
/// # Errors
/// Something is at the path ([`ErrorKind::AlreadyExists`]), or the disk refuses.
pub fn create(path: &Path, bytes: &[u8], readers: Readers) -> std::io::Result<()> {
    write_beside(path, bytes, readers, |file| file.persist_noclobber(path).map(drop).map_err(|refused| refused.error))
}

fn write_beside(
    path: &Path,
    bytes: &[u8],
    readers: Readers,
    finish: impl FnOnce(tempfile::NamedTempFile) -> std::io::Result<()>,
) -> std::io::Result<()> {
    expect_regular(path)?;
    let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it has no name"))?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!(".{}.", name.to_string_lossy());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(UNFINISHED);
    if let (Some(usual), Readers::Usual) = (usual_permissions(), readers) {
        builder.permissions(usual);
    }
    let mut file = builder.tempfile_in(folder)?;
    if let (Some(before), Readers::Usual) = (at(path)?, readers) {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.write_all(bytes)?;
    // Else the name may reach the disk before the text.
    file.as_file().sync_all()?;
    finish(file)
}

/// What a new file gets before the settings of the process (umask) take from it.
#[cfg(unix)]
fn usual_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

/// Elsewhere the folder decides.
#[cfg(not(unix))]
fn usual_permissions() -> Option<Permissions> {
    None
}

/// A new, empty file in place of the one at the path: for logs, which are read while they are written.
///
/// # Errors
/// The file cannot be made, or not in place of what is there.
pub fn restart(path: &Path) -> std::io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Makes the folder `below` in `root`, one part after the other. `root` may be reached through links, what is below not.
///
/// # Errors
/// A part is a link or no folder, or cannot be made.
pub fn folder(root: &Path, below: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(root)?;
    let mut path = root.to_owned();
    for part in below.components() {
        path.push(part);
        loop {
            match at(&path)? {
                Some(found) if found.is_dir() => break,
                Some(_) => {
                    let what = format!("`{}` is a link or a file, where a folder is expected", path.display());
                    return Err(Error::new(ErrorKind::InvalidInput, what));
                }
                None => match std::fs::create_dir(&path) {
                    // Somebody else was faster: look again.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    other => other?,
                },
            }
        }
    }
    Ok(path)
}

/// Deletes what killed processes left in a folder. Only for a folder that no other process writes to at this moment.
pub fn remove_unfinished(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let unfinished = name.to_string_lossy().ends_with(UNFINISHED);
        if unfinished && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            // It is tried again next time.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        replace(&path, b"one", Readers::Usual).unwrap();
        replace(&path, b"two", Readers::Usual).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(create(&path, b"three", Readers::Usual).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(names(dir.path()), ["a.txt"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".a.json.x1y2.new"), "half").unwrap();
        std::fs::write(dir.path().join("a.json.4711.new"), "half").unwrap();
        std::fs::write(dir.path().join("a.json"), "whole").unwrap();
        std::fs::create_dir(dir.path().join("folder.new")).unwrap();
        remove_unfinished(dir.path());
        assert_eq!(names(dir.path()), ["a.json", "folder.new"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        std::fs::write(&target, "kept").unwrap();
        symlink(&target, dir.path().join("link")).unwrap();
        assert!(replace(&dir.path().join("link"), b"x", Readers::Usual).is_err());
        assert_eq!(std::fs::read(&target).unwrap(), b"kept");
        restart(&dir.path().join("link")).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"kept");

        std::fs::create_dir(dir.path().join("far")).unwrap();
        symlink("far", dir.path().join("near")).unwrap();
        assert!(folder(dir.path(), Path::new("near/x")).is_err());
        assert!(folder(dir.path(), Path::new("target/x")).is_err());
        assert_eq!(folder(dir.path(), Path::new("a/b")).unwrap(), dir.path().join("a/b"));

        std::fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
        replace(&target, b"new", Readers::Usual).unwrap();
        assert_eq!(mode(&target), 0o640);
        replace(&target, b"newer", Readers::Owner).unwrap();
        assert_eq!(mode(&target), 0o600);
        replace(&dir.path().join("usual"), b"", Readers::Usual).unwrap();
        std::fs::write(dir.path().join("plain"), "").unwrap();
        assert_eq!(mode(&dir.path().join("usual")), mode(&dir.path().join("plain")));
    }
}
