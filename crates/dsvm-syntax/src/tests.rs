//! Whole files through the parser.

#![expect(clippy::string_slice, reason = "a test stops where a range is wrong")]

use super::*;
use dsvm_diagnostics::source::SourceId;

fn parse_all(text: &str) -> (ast::File, Vec<dsvm_diagnostics::Diagnostic>) {
    let mut sink = Sink::default();
    let file = parse(SourceId::file(0), text, &mut sink);
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
    use pest::Parser as _;
    dsvm_grammar::Grammar::parse(dsvm_grammar::Rule::file, TOUR).unwrap();
}

#[test]
fn what_is_glued_to_a_number_is_one_mistake_and_says_what_the_number_is() {
    for (value, title) in [
        ("2026-12-011", "`2026-12-011` is not a date"),
        ("2026-12-01x", "`2026-12-01x` is not a date"),
        ("2026-12-01T08:00", "`2026-12-01T08` is not a date"),
        ("8:00pm", "`8:00pm` is not a time"),
        ("10.0.0.4x", "`10.0.0.4x` is not an address"),
        ("10.0.0.0/8x", "`10.0.0.0/8x` is not an address range"),
        ("75%x", "`75%x` is not a percentage"),
        ("5%3", "`5%3` is not a percentage"),
        ("5x", "`x` is not a unit"),
        ("15minutes", "`minutes` is not a unit"),
        ("10 min + 5GiB5", "`GiB5` is not a unit"),
        ("0x10", "`x10` is not a unit"),
        ("\"a ${5x} b\"", "`x` is not a unit"),
    ] {
        let list = format!("[1, {value}, 2]");
        for text in [
            format!("let x = {value}\n"),
            format!("let x = {list}\n"),
            format!("check a == {value} else \"b\"\n"),
            format!("pool a: interactive {{\n  x = {value}\n  y = 1\n}}\n"),
            format!("pool a: interactive {{\n  x = {list}\n}}\n"),
            format!("pool a: interactive {{\n  on {value} from b\n}}\n"),
            format!("pool a: interactive {{\n  when {value} > c {{ add 1 }}\n}}\n"),
        ] {
            let titles: Vec<String> = parse_all(&text).1.into_iter().map(|found| found.title).collect();
            assert_eq!(titles, [title], "{text}");
        }
    }
}

/// Every `.dsvm` file of the repository that says something about the language.
fn files() -> &'static [String] {
    static FILES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    FILES.get_or_init(|| {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut folders = vec![root.join("examples"), root.join("stdlib"), root.join("tests/mistakes")];
        let mut paths = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "dsvm") {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
        std::iter::once(TOUR.to_owned()).chain(texts).collect()
    })
}

#[track_caller]
fn agree(text: &str) -> Agreement {
    match compare(text) {
        Ok(agreement) => agreement,
        Err(difference) => panic!("{difference}"),
    }
}

#[test]
fn the_parser_and_the_grammar_agree_on_every_file() {
    let mut sum = Agreement::default();
    for text in files() {
        let one = agree(text);
        sum.accepted += one.accepted;
        sum.refused += one.refused;
    }
    assert!(files().len() > 60 && sum.accepted > 2_000 && sum.refused > 500, "{} files, {sum:?}", files().len());
}

/// A part of a text that is a form of its own, and something that is glued to it or put in its place.
const GLUE: &[&str] = &[
    "0",
    "1",
    "5",
    "_",
    "x",
    "T08",
    "e3",
    "%",
    "%5",
    " %",
    "min",
    " min",
    "h",
    "GiB",
    " GiB",
    "B",
    " BGN",
    "USD",
    " USD/h",
    " USD/hour",
    "/h",
    "/8",
    ".5",
    ".0.0.1",
    ":00",
    "-01",
    "-12-01",
    "..",
    "\\n",
    "\\q",
    "\\u{1F600}",
    "\\u{110000}",
    "\\u{}",
    "\\",
    "$",
    "${",
    "${x}",
    "\"",
    "\"\"\"",
    "\"a\"",
];

/// Anything else that may be put somewhere.
const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    ",",
    "=",
    "==",
    ":",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "-",
    ".",
    " 5 ",
    "15 min",
    "70%",
    "1.5",
    "//",
    " in ",
    " if ",
    " if a then b else c ",
    " then ",
    " else ",
    " for x in y",
    " of ",
    " initially 2",
    "x = 1",
    "x: int",
    " from y",
    "!",
    "/",
    " matching /a+/",
    "?",
    "??",
    "|",
    "||",
    "&&",
    "\r\n",
    "\t",
    "10.0.0.0/8",
    "08:00",
    "2026-12-01",
    "'",
    "\u{e9}",
    "\0",
    "export ",
    "existing ",
    "secret ",
    "param p: ",
    "let l = ",
    "import std.",
    " as ",
    "\"k\" = 1",
    "[t in ts]",
    "a.b(c, d = 1)[0]",
];

/// Puts pieces into a text, each at a place that the numbers choose.
fn changed(text: &str, changes: &[(usize, usize, &str)]) -> String {
    let mut text = text.to_owned();
    for (at, length, put) in changes {
        let at = at % (text.len() + 1);
        let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let end = (start + length..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        text.replace_range(start..end, put);
    }
    text
}

/// Where in a text a number, a word or a string ends: the places at which something can be glued to it.
fn ends(text: &str) -> Vec<usize> {
    lexemes(text)
        .filter(|(kind, ..)| matches!(kind, Lexeme::Number | Lexeme::Word | Lexeme::String))
        .flat_map(|(kind, start, end)| [end, if kind == Lexeme::String { end - 1 } else { start }])
        .collect()
}

/// Some lines of a file around one that a number chooses: enough for whole declarations, not the whole library.
fn part(file: usize, item: usize) -> &'static str {
    let text = &files()[file % files().len()];
    let items = index(text);
    let Some(first) = items.get(item % items.len().max(1)) else { return text };
    let last = items.get(item % items.len() + 2).unwrap_or(first);
    &text[first.start..last.end]
}

#[test]
fn a_blank_may_stand_before_the_parameters_of_a_function() {
    let text = "fn twice (n: int): int = n * 2\n";
    agree(text);
    assert_eq!(parse_all(text).1, []);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 1_000, ..Default::default() })]

    #[test]
    fn the_parser_and_the_grammar_agree_on_what_is_glued_to_literals(
        file in proptest::prelude::any::<usize>(), item in proptest::prelude::any::<usize>(),
        place in proptest::prelude::any::<usize>(), glue in proptest::sample::select(GLUE),
    ) {
        let text = part(file, item);
        let ends = ends(text);
        let at = if ends.is_empty() { 0 } else { ends[place % ends.len()] };
        if text.is_char_boundary(at) {
            agree(&format!("{}{glue}{}", &text[..at], &text[at..]));
        }
    }

    #[test]
    fn the_parser_and_the_grammar_agree_on_changed_files(
        file in proptest::prelude::any::<usize>(), item in proptest::prelude::any::<usize>(),
        changes in proptest::collection::vec(
            (0usize..5_000, 0usize..12, proptest::sample::select([GLUE, PIECES].concat())), 1..4,
        ),
    ) {
        agree(&changed(part(file, item), &changes));
    }
}

#[test]
fn conflict_markers_in_a_string_or_a_comment_are_text() {
    let markers = "<<<<<<< HEAD\n=======\n>>>>>>> other\n";
    assert_eq!(super::conflict_marker(markers), Some(0..12));
    assert_eq!(super::conflict_marker(&format!("let a = \"\"\"\n{markers}\"\"\"\n")), None);
    assert_eq!(super::conflict_marker("// <<<<<<< HEAD\n=======\n>>>>>>> other\n"), None);
}

#[test]
fn a_block_without_its_brace_keeps_its_content() {
    let mut sink = Sink::default();
    let file = parse(SourceId::file(0), "pool a: interactive\n  machines = 1\n}\nlet b = 2\n", &mut sink);
    let titles: Vec<String> = sink.finish().into_iter().map(|found| found.title).collect();
    assert_eq!(titles, ["the `{` of this block is missing"]);
    assert_eq!(file.items.len(), 2);
    assert!(crate::shape(&file).contains("machines"));
}

#[test]
fn a_block_without_a_body_is_followed_by_what_it_likes() {
    for text in ["pool a: interactive from base\nlet b = 2\n", "share a\nshare b {\n  quota = 1 TiB\n}\n"] {
        let mut sink = Sink::default();
        parse(SourceId::file(0), text, &mut sink);
        assert!(sink.finish().is_empty(), "{text}");
    }
}
