//! Files on the disk and today's date.

use crate::driver::{EntryKind, LoadError, World};
use jiff::civil::Date;
use std::path::{Path, PathBuf};

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

impl World for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        std::fs::read(path).map_err(|cause| LoadError::unreadable(path, cause))
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

    fn today(&self) -> Date {
        self.today
    }
}
