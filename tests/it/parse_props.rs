//! Properties of the parser: any bytes, any cut, any mutation of a good file ends quickly, without a panic, with spans
//! inside the file.

use dsvm_diagnostics::source::{SourceFile, SourceMap};
use dsvm_diagnostics::{Diagnostic, Sink};
use dsvmc::render::palette::Palette;
use dsvmc::render::snippet;
use proptest::prelude::*;

const TOUR: &str = include_str!("../../crates/dsvm-syntax/src/tour.dsvm");
const POOL: &str = include_str!("../../examples/01-shared-pool/main.dsvm");

/// Parses and holds what must hold for every text.
fn hold(text: &str) -> Vec<Diagnostic> {
    let mut sources = SourceMap::default();
    let source = sources.add(SourceFile::new("main.dsvm", text));
    let mut sink = Sink::default();
    let file = dsvm_syntax::parse(source, text, &mut sink);
    let inside = |start: u32, end: u32| start <= end && text.get(start as usize..end as usize).is_some();
    for item in &file.items {
        assert!(inside(item.span.start, item.span.end), "an item lies outside: {:?}", item.span);
    }
    let diagnostics = sink.finish();
    for diagnostic in &diagnostics {
        for label in &diagnostic.labels {
            let (start, end) = (label.span.start, label.span.end);
            assert!(inside(start, end), "`{}` points outside: {:?} of {}", diagnostic.title, label.span, text.len());
        }
        for (span, _) in diagnostic.fixes.iter().flat_map(|fix| &fix.edits) {
            assert!(inside(span.start, span.end), "a fix of `{}` lies outside: {span:?}", diagnostic.title);
        }
    }
    for diagnostic in diagnostics.iter().take(3) {
        assert!(!snippet::one(&sources, diagnostic, Palette::plain()).is_empty());
    }
    assert!(!file.incomplete || !diagnostics.is_empty(), "something was left out in silence");
    diagnostics
}

/// The nearest character boundary at or below.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn good_text() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(TOUR), Just(POOL)]
}

/// Pieces that hurt: brackets, quotes, operators, words of the language, odd characters.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "\"",
        "\"\"\"",
        "${",
        "'",
        ";",
        ":",
        "=",
        "==",
        ",",
        "\n",
        "\r\n",
        "\t",
        "//",
        "/*",
        "if ",
        " then ",
        " else ",
        " for ",
        " in ",
        "pool x: interactive {",
        "let y = ",
        "matching /",
        "..",
        "-",
        "!",
        "\\",
        "15 minutes",
        "\u{feff}",
        "\u{a0}",
        "“",
        "é",
        "\0",
        "import std.",
        "\u{1F600}",
        "export ",
        "secret param ",
        "?",
        "#",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_parsed(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        hold(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_row_of_pieces_is_parsed(pieces in prop::collection::vec(piece(), 0..80)) {
        hold(&pieces.concat());
    }

    #[test]
    fn a_good_file_cut_anywhere_is_parsed(text in good_text(), at in 0usize..6000) {
        hold(&text[..boundary(text, at % (text.len() + 1))]);
    }

    #[test]
    fn a_good_file_with_a_hole_and_a_piece_is_parsed(
        text in good_text(), at in 0usize..6000, length in 0usize..40, put in prop::collection::vec(piece(), 0..3),
    ) {
        let start = boundary(text, at % (text.len() + 1));
        let end = boundary(text, start + length).max(start);
        hold(&format!("{}{}{}", &text[..start], put.concat(), &text[end..]));
    }
}

#[test]
fn good_files_are_parsed_without_a_word_also_with_crlf_and_byte_order_mark() {
    for text in [TOUR, POOL] {
        assert_eq!(hold(text), []);
        assert_eq!(hold(&text.replace('\n', "\r\n")), []);
        assert_eq!(hold(&format!("\u{feff}{text}")), []);
        assert_eq!(hold(&text.replace("  ", "\t")), []);
    }
}

#[test]
fn what_is_nested_without_end_is_refused_in_a_moment() {
    let many = 20_000;
    for text in [
        format!("let x = {}", "(".repeat(many)),
        format!("let x = {}1{}", "[".repeat(many), "]".repeat(many)),
        format!("let x = {}1", "-".repeat(many)),
        format!("let x = {}1", "!".repeat(many)),
        format!("let x = 1{}", " + 1".repeat(many)),
        format!("let x = a{}", ".b".repeat(many)),
        format!("let x = {}1", "if a then b else ".repeat(many)),
        format!("let x = {}", "\"${".repeat(many)),
        format!("param x: int{}", "?".repeat(many)),
        format!("param x: {}int", "[".repeat(many)),
        format!("pool x {}", "{ a ".repeat(many)),
        format!("pool x {{\n{}}}", "a {\n".repeat(many)),
        "}".repeat(many),
    ] {
        let found = hold(&text);
        assert!(!found.is_empty(), "{}…", &text[..40]);
    }
}

#[test]
fn the_same_mistakes_are_found_when_the_file_is_parsed_in_parallel() {
    let one = "pool a: interactive {\n  size: x\n}\n";
    let many = one.repeat(5_000);
    let found = hold(&many);
    assert_eq!(found.len(), 5_000);
    assert!(found.windows(2).all(|pair| pair[0].primary() < pair[1].primary()));
}
