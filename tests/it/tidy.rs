//! The shape of the code: modules import only those before them, crates stay where they belong, files stay small.

use std::path::{Path, PathBuf};

/// Modules in the order of the pipeline; a module may use only those before it (and itself).
const ORDER: &[&str] = &[
    "source",
    "diagnostics",
    "syntax",
    "format",
    "sema",
    "catalog",
    "formula",
    "import",
    "model",
    "graph",
    "template",
    "emit",
    "lint",
    "plan",
    "azure",
    "apply",
    "local",
    "driver",
    "render",
    "cli",
];

/// Crates, and the only modules that may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("pest", &["syntax"]),
    ("pest_derive", &["syntax"]),
    ("codespan_reporting", &["render"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("reqwest", &["azure"]),
    ("axum", &["local"]),
    ("rusqlite", &["local"]),
    ("miette", &["cli", "azure", "apply", "local", "driver"]),
];

/// The core: touches no file, clock, network or terminal.
const CORE: &[&str] = &[
    "source",
    "diagnostics",
    "syntax",
    "format",
    "sema",
    "catalog",
    "formula",
    "import",
    "model",
    "graph",
    "template",
    "emit",
    "lint",
    "plan",
];

/// What the core must not say.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "ToSocketAddrs",
    "std::env::",
    "std::process",
    "std::io::std",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
];

const LONGEST: usize = 800;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

/// The module that a file belongs to; `None` for `lib.rs` and `main.rs`.
fn module(path: &Path) -> Option<String> {
    let inner = path.strip_prefix(root().join("src")).unwrap();
    let first = inner.components().next()?.as_os_str().to_string_lossy().into_owned();
    (!first.ends_with(".rs")).then_some(first)
}

fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("tests") || text.ends_with("samples.rs")
}

/// The lines of a file that are code: no comments, nothing after the unit tests begin.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(n, line)| (n + 1, line.to_owned()))
        .collect()
}

/// Whether `name` stands in `line` as a path's beginning: `name::`.
fn names_crate(line: &str, name: &str) -> bool {
    let wanted = format!("{name}::");
    line.match_indices(&wanted).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn hold(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_place_in_the_order() {
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !ORDER.contains(&&*name) {
            wrong.push(format!("src/{name} has no place in ORDER of tests/it/tidy.rs"));
        }
    }
    hold(wrong);
}

#[test]
fn modules_import_only_those_before_them() {
    let place = |name: &str| ORDER.iter().position(|m| *m == name);
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let Some(module) = module(&path).filter(|_| !is_test(&path)) else { continue };
        let Some(own) = place(&module) else { continue };
        for (number, line) in code(&path) {
            for (at, found) in line.match_indices("crate::") {
                let rest = &line[at + found.len()..];
                let used: Vec<&str> = match rest.strip_prefix('{') {
                    Some(list) => list.split(['}', ',']).map(|p| p.trim().split("::").next().unwrap()).collect(),
                    None => vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()],
                };
                for name in used {
                    if place(name).is_some_and(|other| other > own) {
                        let file = path.strip_prefix(root()).unwrap().display();
                        wrong.push(format!("{file}:{number}: `{module}` comes before `{name}` and must not use it"));
                    }
                }
            }
        }
    }
    hold(wrong);
}

#[test]
fn crates_stay_in_their_modules() {
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let Some(module) = module(&path) else { continue };
        for (number, line) in code(&path) {
            for (name, allowed) in CRATES {
                if !allowed.contains(&&*module) && names_crate(&line, name) {
                    let file = path.strip_prefix(root()).unwrap().display();
                    wrong.push(format!("{file}:{number}: `{name}` belongs to {}", allowed.join(", ")));
                }
            }
        }
    }
    hold(wrong);
}

#[test]
fn the_core_touches_nothing_outside() {
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let Some(module) = module(&path).filter(|m| CORE.contains(&&**m) && !is_test(&path)) else { continue };
        for (number, line) in code(&path) {
            for outside in OUTSIDE.iter().filter(|outside| line.contains(**outside)) {
                let file = path.strip_prefix(root()).unwrap().display();
                wrong.push(format!("{file}:{number}: `{module}` is part of the core and must not use `{outside}`"));
            }
        }
    }
    hold(wrong);
}

#[test]
fn files_stay_readable() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests"] {
        for path in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let file = path.strip_prefix(root()).unwrap().display().to_string();
            if text.lines().count() > LONGEST {
                wrong.push(format!("{file} has {} lines, at most {LONGEST} are allowed", text.lines().count()));
            }
            let name = path.file_stem().unwrap().to_string_lossy();
            if matches!(&*name, "utils" | "helpers" | "common" | "misc") {
                wrong.push(format!("{file}: name it for what is inside"));
            }
            if folder == "src" && !is_test(&path) && !text.starts_with("//!") {
                wrong.push(format!("{file} must begin with what it turns into what (`//!`)"));
            }
            for mark in ["TODO", "FIXME", "XXX"].iter().filter(|m| folder == "src" && text.contains(**m)) {
                wrong.push(format!("{file}: `{mark}` is no place for plans"));
            }
        }
    }
    hold(wrong);
}

#[test]
fn every_integration_file_is_listed() {
    let main = std::fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for path in rust_files(&root().join("tests/it")) {
        let inner = path.strip_prefix(root().join("tests/it")).unwrap();
        let name = inner.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        assert!(name == "main" || main.contains(&format!("mod {name};")), "tests/it/{name} is not in main.rs");
    }
}
