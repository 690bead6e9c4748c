//! The language reference is held against the compiler: its blocks are checked, its tables are generated.

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use dsvm_sema::{builtins, reference};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reference")
}

/// Slugs of what is found in a program, with titles.
fn found(text: &str, files: &[(String, String)]) -> Vec<(&'static str, String)> {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let with_project = if text.contains("project ") { text.to_owned() } else { format!("project demo {{}}\n{text}") };
    let root = sources.add(SourceFile::new("main.dsvm", with_project));
    let mut read = |path: &str| {
        let found = files.iter().find(|(name, _)| name == path).map(|(_, text)| text.clone());
        found.ok_or(dsvm_sema::load::NoText::Missing)
    };
    let program = dsvm_sema::load(&[root], &mut sources, &mut read, &mut sink);
    let _ = dsvm_sema::check_all(&program, &mut sink);
    sink.finish().into_iter().map(|found| (found.code.slug(), found.title)).collect()
}

/// Fenced blocks of a page: the words after the fence, the line of the fence, the text.
fn blocks(page: &str) -> Vec<(String, usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize, String)> = None;
    for (at, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(words), None) => open = Some((words.to_owned(), at + 1, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, _, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn every_block_of_the_reference_is_what_it_says() {
    let mut wrong = String::new();
    let mut count = 0;
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages.push(folder().join("../../README.md"));
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        // A block with a name is a file that the following ones of the page can import.
        let mut files: Vec<(String, String)> = Vec::new();
        for (words, line, text) in blocks(&page) {
            let mut words = words.split_whitespace();
            let language = words.next();
            let data = language.is_some_and(|language| dsvm_sema::load::is_data(&format!("x.{language}")));
            if language != Some("dsvm") && !(data && words.clone().next() == Some("file")) {
                continue;
            }
            count += 1;
            match words.collect::<Vec<_>>().as_slice() {
                [] => {
                    let told: Vec<_> = found(&text, &files)
                        .into_iter()
                        .filter(|(slug, _)| *slug != "unused" && *slug != "size-chosen")
                        .collect();
                    if !told.is_empty() {
                        wrong.push_str(&format!("{}:{line}: {told:?}\n", path.display()));
                    }
                }
                ["fail", slug] => {
                    let told = found(&text, &files);
                    if told.len() != 1 || told[0].0 != *slug {
                        wrong.push_str(&format!("{}:{line}: wanted {slug}, found {told:?}\n", path.display()));
                    }
                }
                ["file", name] => files.push(((*name).to_owned(), text)),
                other => wrong.push_str(&format!("{}:{line}: a fence with {other:?}\n", path.display())),
            }
        }
    }
    assert!(count > 30, "only {count} blocks");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn generated_pages_are_up_to_date() {
    for (name, text) in [("kinds.md", reference::kinds()), ("functions.md", reference::functions())] {
        let path = folder().join(name);
        if std::env::var_os("DSVMC_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "docs/reference/{name} is not what the table says; DSVMC_BLESS=1 writes it");
    }
}

#[test]
fn every_example_of_a_function_gives_what_it_says() {
    for function in builtins::all() {
        let (expression, result) = function.example;
        let told = found(&format!("check {expression} == {result} else \"it is not\"\n"), &[]);
        assert!(told.is_empty(), "{}: {told:?}", function.name);
    }
}
