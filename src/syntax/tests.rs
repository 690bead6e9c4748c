//! Whole files through the parser.

use super::*;
use crate::source::SourceId;

fn parse_all(text: &str) -> (ast::File, Vec<crate::diagnostics::Diagnostic>) {
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
