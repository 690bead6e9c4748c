//! Every relative link in a Markdown file leads to a file, and every repository path that one names in backticks exists.

use std::path::{Path, PathBuf};

/// Folders at the top of the repository; a word in backticks that begins with one of them is a path of the repository.
const TOP: &[&str] =
    &[".ci", "benches", "conformance", "crates", "docs", "examples", "fuzz", "grammar", "src", "stdlib", "tests"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file below `folder`, sorted; hidden folders and build output are left out.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules"].contains(&&*name) {
                found.extend(pages(&path));
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

/// What a page mentions, each with its line.
type Mentions = Vec<(usize, String)>;

/// The targets of links, and the words in backticks, of a page. Code blocks are left out.
fn mentions(page: &str) -> (Mentions, Mentions) {
    let (mut links, mut words) = (Vec::new(), Vec::new());
    let mut in_code = false;
    for (number, line) in page.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        for (n, part) in line.split('`').enumerate() {
            if n % 2 == 1 {
                words.push((number, part.to_owned()));
            }
        }
        for part in line.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                links.push((number, target.to_owned()));
            }
        }
    }
    (links, words)
}

/// What is wrong in a page: `file` is its path from the root, `exists` says whether a path from the root is there.
fn broken(file: &str, page: &str, exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let folder = Path::new(file).parent().unwrap();
    let (links, words) = mentions(page);
    let mut wrong = Vec::new();
    for (line, link) in links {
        let target = link.split('#').next().unwrap();
        if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        if !exists(&folder.join(target)) {
            wrong.push(format!("{file}:{line}: the link `{link}` leads nowhere"));
        }
    }
    for (line, word) in words {
        let Some(path) = repository_path(&word) else { continue };
        // The page of a crate may name a file of that crate.
        if !exists(Path::new(&path)) && !exists(&folder.join(&path)) {
            wrong.push(format!("{file}:{line}: there is no `{word}`"));
        }
    }
    wrong
}

/// The part of a word that must exist when the word is a path of the repository: what comes before the first placeholder
/// (`*`, `<slug>`) or `::`.
fn repository_path(word: &str) -> Option<String> {
    let (first, rest) = word.split_once('/')?;
    if !TOP.contains(&first) || rest.is_empty() || word.contains(char::is_whitespace) {
        return None;
    }
    let path = word.split("::").next().unwrap();
    let fixed: Vec<&str> = path.split('/').take_while(|part| !part.contains(['*', '<', '…', '{'])).collect();
    Some(fixed.join("/"))
}

#[test]
fn links_and_paths_in_pages_exist() {
    let mut wrong = Vec::new();
    for page in pages(root()) {
        let file = page.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(&page).unwrap();
        wrong.extend(broken(&file, &text, &|path| root().join(path).exists()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_link_or_path_is_found() {
    let page = "See [here](gone.md#part), [there](../README.md) and [outside](https://example.com/x).\n\
                `src/nowhere.rs`, `src/lib.rs`, `docs/errors/<slug>.md`, `stdlib/*.dsvm`, `cargo test src/x`.\n\
                ```\n[no link](in-code.md) `src/also-nowhere.rs`\n```\n";
    let there = ["docs/../README.md", "src/lib.rs", "docs/errors", "stdlib"];
    let found = broken("docs/page.md", page, &|path| there.iter().any(|known| Path::new(known) == path));
    assert_eq!(
        found,
        ["docs/page.md:1: the link `gone.md#part` leads nowhere", "docs/page.md:2: there is no `src/nowhere.rs`"]
    );
}
