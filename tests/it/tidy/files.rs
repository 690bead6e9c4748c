//! Files stay readable: short, headed by what they do, named for what is inside; doc comments say something.

use super::{hold, root, rust_files, shown, source_folders};

/// Lines of the longest file.
const LONGEST: usize = 800;

/// A doc comment must have more words than this to say more than the name below it.
const FEWEST_WORDS: usize = 4;

/// What is wrong with a file of this path. `product`: not a test.
fn wrong_with(file: &str, text: &str, product: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        wrong.push(format!("{file} has {lines} lines, at most {LONGEST} are allowed"));
    }
    let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".rs");
    if matches!(stem, "utils" | "helpers" | "common" | "misc") {
        wrong.push(format!("{file}: name it for what is inside"));
    }
    if product && !text.starts_with("//!") && !text.starts_with("#![doc = include_str!") {
        wrong.push(format!("{file} must begin with what it turns into what (`//!`)"));
    }
    for mark in ["TODO", "FIXME", "XXX"].iter().filter(|mark| product && text.contains(**mark)) {
        wrong.push(format!("{file}: `{mark}` is no place for plans"));
    }
    wrong
}

/// The doc comments of one line that are too short to say anything, with their lines.
fn empty_docs(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let is_doc = |line: Option<&&str>| line.is_some_and(|line| line.starts_with("///"));
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(words) = line.strip_prefix("/// ") else { continue };
        // A paragraph of several lines, or code in it, is judged by its author.
        if is_doc(lines.get(at + 1)) || (at > 0 && is_doc(lines.get(at - 1))) {
            continue;
        }
        if words.split_whitespace().count() < FEWEST_WORDS {
            found.push((at + 1, words));
        }
    }
    found
}

#[test]
fn files_stay_readable() {
    let mut wrong = Vec::new();
    for folder in source_folders() {
        for path in rust_files(&folder) {
            let test = path.to_string_lossy().contains("tests") || path.ends_with("samples.rs");
            wrong.extend(wrong_with(&shown(&path), &std::fs::read_to_string(&path).unwrap(), !test));
        }
    }
    for path in rust_files(&root().join("tests")) {
        wrong.extend(wrong_with(&shown(&path), &std::fs::read_to_string(&path).unwrap(), false));
    }
    hold(wrong);
}

#[test]
fn unreadable_files_are_seen() {
    let one = |file: &str, text: &str| wrong_with(file, text, true).len();
    assert_eq!(one("src/a.rs", "//! Text to numbers.\n"), 0);
    assert_eq!(one("src/a.rs", &format!("//! Text.\n{}", "\n".repeat(LONGEST))), 1);
    assert_eq!(one("src/utils.rs", "//! Text."), 1);
    assert_eq!(one("src/a.rs", "use a;"), 1);
    assert_eq!(one("src/a.rs", "//! TODO"), 1);
}

#[test]
fn doc_comments_say_something() {
    let mut wrong = Vec::new();
    for folder in source_folders() {
        for path in rust_files(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (line, words) in empty_docs(&text) {
                wrong.push(format!("{}:{line}: `/// {words}` says no more than the name", shown(&path)));
            }
        }
    }
    hold(wrong);
}

#[test]
fn an_empty_doc_comment_is_seen() {
    assert_eq!(empty_docs("/// The name.\nfn name();"), [(1, "The name.")]);
    assert_eq!(empty_docs("    /// Seconds between two probes.\n    interval: i64,"), []);
    assert_eq!(empty_docs("/// Parses it.\n///\n/// # Errors\nfn f();"), []);
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

/// Actions that are not pinned to a commit: a tag can be moved to other code.
fn unpinned(workflow: &str) -> Vec<&str> {
    let used = workflow.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: "));
    used.filter(|action| {
        let commit = action.split_once('@').and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or_default();
        !(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()))
    })
    .collect()
}

#[test]
fn workflows_use_actions_of_one_commit() {
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join(".github/workflows")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        hold(unpinned(&text).into_iter().map(|action| format!("`{action}` is not pinned to a commit")).collect());
        // What a pull request says never becomes a part of a command.
        assert!(!text.contains("pull_request_target"), "a workflow with rights runs what a fork says");
        seen += 1;
    }
    assert!(seen > 1);
    assert_eq!(unpinned("      - uses: a/b@v4\n      - uses: c/d\n").len(), 2);
}
