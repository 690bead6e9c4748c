//! What code may name: the core touches no file, clock, network or terminal; some libraries belong to one module.

use super::rust::named;
use super::{hold, root, rust_files, shown};
use std::path::Path;

/// The crates that take plain data and return plain data.
const CORE: &[&str] = &[
    "dsvm-diagnostics",
    "dsvm-syntax",
    "dsvm-sema",
    "dsvm-model",
    "dsvm-graph",
    "dsvm-emit",
    "dsvm-lint",
    "dsvm-import",
    "dsvm-lsp",
    "arm-catalog",
    "arm-template",
    "arm-plan",
    "batch-formula",
];

/// What the core must not name: anything of the operating system. `std::io` alone is a trait library.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::env",
    "std::process",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::thread::sleep",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tokio",
    "reqwest",
];

/// Libraries of the program, and the only folders of `src/` that may name them. Which crate may depend on which
/// library is told by its manifest (`crates.rs`).
const LIBRARIES: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("codespan_reporting", &["render"]),
    ("rpassword", &["cli"]),
    ("indicatif", &["cli"]),
];

/// The lines of a text of the core that name something of the outside.
fn outside(text: &str) -> Result<Vec<(usize, String)>, String> {
    let mut found = Vec::new();
    for named in named(text)? {
        let path = &named.path;
        let bad = OUTSIDE.iter().find(|bad| match bad.split_once("::") {
            // `SystemTime::now` under whatever path it is reached.
            Some((kind, "now")) => path == *bad || path.ends_with(&format!("::{kind}::now")),
            _ => path == *bad || path.starts_with(&format!("{bad}::")),
        });
        // `env!("…")` and `option_env!` are read while compiling.
        if let Some(bad) = bad {
            found.push((named.line, (*bad).to_owned()));
        }
    }
    found.dedup();
    Ok(found)
}

/// Whether a file holds tests only, by its name.
fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy().replace('\\', "/");
    text.contains("/tests/") || ["tests.rs", "props.rs", "samples.rs"].iter().any(|name| text.ends_with(name))
}

#[test]
fn the_core_touches_nothing_outside() {
    let mut wrong = Vec::new();
    for krate in CORE {
        for path in rust_files(&root().join("crates").join(krate).join("src")) {
            if is_test(&path) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for (line, bad) in outside(&text).unwrap() {
                wrong.push(format!("{}:{line}: `{krate}` is part of the core and must not use `{bad}`", shown(&path)));
            }
        }
    }
    hold(wrong);
}

#[test]
fn every_way_to_reach_outside_is_seen() {
    let broken = [
        "fn f() { std::fs::read(\"a\"); }",
        "use std::fs; fn f() { fs::read(\"a\"); }",
        "use std::{env, io}; fn f() { env::var(\"A\"); }",
        "use std::env as surroundings;",
        "#[cfg(test)] mod tests {}\nfn f() { std::process::exit(1) }",
        "fn f() { println(format!(\"{:?}\", std::time::SystemTime::now())) }",
        "use std::time::Instant; fn f() { Instant::now(); }",
        "macro_rules! m { () => { jiff::Timestamp::now() } }",
        "fn f() { std::io::stdout(); }",
        "use tokio::net::TcpStream;",
    ];
    for text in broken {
        assert!(!outside(text).unwrap().is_empty(), "not seen: {text}");
    }
    let fine = [
        "use std::io::Write; use std::net::Ipv4Addr;",
        "const V: &str = env!(\"CARGO_PKG_VERSION\");",
        "#[cfg(test)] mod tests { fn f() { std::fs::read(\"a\"); } }",
        "#[test] fn f() { std::env::var(\"A\"); }",
        "// std::fs::read is not used here\nfn f() { let text = \"std::fs::read\"; }",
    ];
    for text in fine {
        assert_eq!(outside(text).unwrap(), [], "{text}");
    }
}

/// The lines of a text in this folder of `src/` that name a library of another folder.
fn misplaced(folder: &str, text: &str) -> Result<Vec<(usize, &'static str)>, String> {
    let mut found = Vec::new();
    for named in named(text)? {
        let first = named.path.split("::").next().unwrap_or_default();
        for (library, allowed) in LIBRARIES {
            if first == *library && !allowed.contains(&folder) {
                found.push((named.line, *library));
            }
        }
    }
    found.dedup();
    Ok(found)
}

#[test]
fn libraries_stay_in_their_folders() {
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let file = shown(&path);
        let folder = file.split('/').nth(1).unwrap_or_default();
        for (line, library) in misplaced(folder, &std::fs::read_to_string(&path).unwrap()).unwrap() {
            wrong.push(format!("{file}:{line}: `{library}` has no place in `src/{folder}`"));
        }
    }
    hold(wrong);
}

#[test]
fn a_library_in_the_wrong_folder_is_seen() {
    assert_eq!(misplaced("deploy", "use clap::Args;").unwrap(), [(1, "clap")]);
    assert_eq!(misplaced("deploy", "\n#[derive(clap::Args)]\nstruct A;").unwrap(), [(2, "clap")]);
    assert_eq!(misplaced("cli", "use codespan_reporting::term as t;").unwrap(), [(1, "codespan_reporting")]);
    assert_eq!(misplaced("cli", "use clap::Args;").unwrap(), []);
}
