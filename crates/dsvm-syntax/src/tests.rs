//! Whole files through the parser.

#![expect(clippy::string_slice, reason = "a test stops where a range is wrong")]

use super::*;
use dsvm_diagnostics::source::SourceId;

fn parse_all(text: &str) -> (ast::File, Vec<dsvm_diagnostics::Diagnostic>) {
    let mut sink = Sink::default();
    let file = parse(SourceId(0), text, &mut sink);
    (file, sink.finish())
}

/// Every form of the language once.
const TOUR: &str = include_str!("tour.dsvm");

#[test]
fn the_tour_parses_without_a_word() {
    let (file, diagnostics) = parse_all(TOUR);
    assert_eq!(diagnostics, []);
    assert_eq!(file.items.len(), index(TOUR).len());
    assert!(!file.incomplete);
}

#[test]
fn the_rule_of_whole_files_agrees_with_the_cutting_into_items() {
    Grammar::parse(Rule::file, TOUR).unwrap();
}

/// Holds the fast reading of every item against the grammar's: the same tree, places included, and nothing to say.
fn fast_agrees(text: &str) -> usize {
    let mut taken = 0;
    let mut desk = fast::Desk::default();
    for item in index(text) {
        let Some(fast) = fast::item(SourceId(0), text, item.start, item.end, &mut desk) else { continue };
        taken += 1;
        let mut sink = Sink::default();
        let mut file = ast::File::default();
        parse_by_grammar(SourceId(0), text, &item, &mut file, &mut sink);
        let shown = &text[item.start..item.end];
        assert_eq!(sink.as_slice(), [], "the grammar has something to say about\n{shown}");
        assert_eq!(format!("{:?}", file.items), format!("{:?}", [fast]), "{shown}");
    }
    taken
}

#[test]
fn the_fast_reading_agrees_with_the_grammar_on_every_file() {
    assert!(fast_agrees(TOUR) >= 4, "{}", fast_agrees(TOUR));
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut folders = vec![root.join("examples"), root.join("stdlib"), root.join("tests/mistakes")];
    let (mut files, mut taken) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "dsvm") {
                files += 1;
                taken += fast_agrees(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(files > 60 && taken > 180, "{files} files, {taken} items");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, ..Default::default() })]

    #[test]
    fn the_fast_reading_agrees_with_the_grammar_on_changed_files(
        at in 0usize..5_000, length in 0usize..12,
        put in proptest::sample::select(vec![
            "", " ", "\n", ",", "=", "==", ":", "{", "}", "(", ")", "[", "]", "-", "..", ".", "%", " 5 ", "5min", "1.5", "\"a\"",
            "\"", "//", " in ", " if ", "x", "x = 1", " from y", "!", "/", "\r\n", "10.0.0.0/8", "08:00", "'", "\u{e9}", " of ", "_",
        ]),
    ) {
        let at = at % TOUR.len();
        let start = (0..=at).rev().find(|at| TOUR.is_char_boundary(*at)).unwrap();
        let end = (start + length..=TOUR.len()).find(|at| TOUR.is_char_boundary(*at)).unwrap_or(TOUR.len());
        fast_agrees(&format!("{}{put}{}", &TOUR[..start], &TOUR[end..]));
    }
}
