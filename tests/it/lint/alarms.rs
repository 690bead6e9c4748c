//! What rules find in programs that are right: each finding is looked at, counted, and explained in docs/lint.md.

use super::pages::{Page, findings_of};
use dsvm_diagnostics::{Code, Severity};
use std::collections::BTreeMap;
use std::path::Path;

/// Programs that are right: the blocks of pages that the tests of these pages compile without an error.
fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut all = Vec::new();
    for folder in ["errors", "reference", "how-to"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut pages: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
        pages.sort();
        for path in pages {
            let page = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            for block in page.split("```dsvm\n").skip(1) {
                let text = block.split("```").next().unwrap();
                let text = if text.contains("project ") {
                    text.to_owned()
                } else {
                    format!("project demo {{\n  location = westeurope\n}}\n{text}")
                };
                all.push((format!("{folder}/{name}"), text));
            }
        }
    }
    all
}

#[test]
fn what_is_found_in_programs_that_are_right_is_counted() {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut linted = 0;
    for (name, text) in programs() {
        let all = findings_of(&Page { text, settings: None });
        // What does not compile alone is no program.
        if all.iter().any(|d| d.severity == Severity::Error && d.code != Code::LintFinding) {
            continue;
        }
        linted += 1;
        for one in all.iter().filter(|d| d.severity != Severity::Info) {
            found.entry(one.id()).or_default().push(format!("{name}: {}", one.title));
        }
    }
    let counted: BTreeMap<String, usize> = found.iter().map(|(rule, places)| (rule.clone(), places.len())).collect();
    assert_eq!(counted, told(2), "{found:#?}");
    assert!(linted > 250, "{linted} programs");
}

/// How often the page says that a rule finds something: in examples (column 1), or on pages (column 2).
fn told(column: usize) -> BTreeMap<String, usize> {
    let page = include_str!("../../../docs/lint.md");
    let table = page.split("## False alarms").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows =
        table.lines().filter_map(|line| line.strip_prefix("| ")).map(|line| line.split(" |").map(str::trim).collect());
    let numbers = rows.filter_map(|cells: Vec<&str>| {
        assert!(cells.len() < 4 || !cells[3].is_empty(), "{}: no reason", cells[0]);
        Some((cells[0].to_owned(), cells.get(column)?.parse().ok()?))
    });
    numbers.collect()
}

#[test]
fn what_is_found_in_the_examples_is_counted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = crate::support::TestContext::new().command("lint --as-of 2026-11-23 --format json examples");
    let output = command.current_dir(root).output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for one in document["diagnostics"].as_array().unwrap() {
        *counted.entry(one["code"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(counted, told(1));
}
