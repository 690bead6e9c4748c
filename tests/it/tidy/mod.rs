//! The gates: crates depend only downwards, crates and modules keep to what they may use, files stay readable.
//!
//! Each gate is a function over texts, and has a test that breaks it: a gate that cannot fail guards nothing.

mod crates;
mod files;
mod order;
mod reach;
mod rust;
mod uses;
mod writes;

use std::path::{Path, PathBuf};

/// The top folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return files };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The path below the top folder, with forward slashes.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Source folders of the workspace: the program's, then those of the crates.
fn source_folders() -> Vec<PathBuf> {
    let mut folders = vec![root().join("src")];
    let mut crates: Vec<PathBuf> =
        std::fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src")).collect();
    crates.sort();
    folders.extend(crates);
    folders
}

/// Fails with one line for each violation.
#[track_caller]
fn hold(violations: Vec<String>) {
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
