//! `docs/coverage.md` has every row, and names no diagnostic that does not exist.

use dsvmc::diagnostics::Code;
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../docs/coverage.md");

fn rows() -> Vec<(&'static str, &'static str)> {
    PAGE.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let id = cells.next()?;
            let letters =
                id.starts_with(|c: char| c.is_ascii_uppercase()) && id.ends_with(|c: char| c.is_ascii_digit());
            letters.then(|| (id, cells.last().unwrap_or_default().trim_end_matches(" |")))
        })
        .collect()
}

#[test]
fn every_row_is_there_once() {
    let ids: Vec<&str> = rows().iter().map(|(id, _)| *id).collect();
    let families = [
        ("S", 23),
        ("I", 25),
        ("T", 20),
        ("A", 13),
        ("F", 9),
        ("B", 21),
        ("P", 21),
        ("S-", 11),
        ("U-", 9),
        ("W-", 4),
        ("D-", 8),
        ("K-", 6),
    ];
    let wanted: Vec<String> = families.iter().flat_map(|(p, n)| (1..=*n).map(move |i| format!("{p}{i}"))).collect();
    let found: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(found.len(), ids.len(), "a row is there twice");
    for id in &wanted {
        assert!(found.contains(id.as_str()), "{id} is missing");
    }
    assert_eq!(found.len(), wanted.len());
}

#[test]
fn every_state_is_one_that_the_page_explains() {
    for (id, state) in rows() {
        let known = ["done", "checked", "out of scope", "not yet"].iter().any(|word| state.contains(word));
        assert!(known, "{id}: {state}");
        let reason = state.split("out of scope").nth(1).is_none_or(|rest| rest.len() > 5);
        assert!(reason, "{id}: no reason");
    }
}

#[test]
fn every_diagnostic_exists() {
    let slugs: BTreeSet<&str> = Code::ALL.iter().map(|c| c.slug()).collect();
    let mut cited = 0;
    for (id, state) in rows() {
        for word in state.split('`').skip(1).step_by(2) {
            let is_slug = word.contains('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_slug {
                assert!(slugs.contains(word), "{id}: `{word}`");
                cited += 1;
            }
        }
    }
    assert!(cited > 50, "{cited}");
}
