//! What comes while somebody types and selects: signatures, selections, parts that are formatted, colours.

use super::client::{Editor, at, edited, place, shown, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

const MAIN: &str = "\
import std.sizes

project p { location = westeurope }

/// Joins two names.
fn named(first: string, second: string = \"x\"): string = \"${first}-${second}\"

param count: int in 1..9 = 2

let all = [named(\"a\", second = \"b\"), join([\"c\"], \"/\")]

share notes {
  quota = 1 TiB // enough
  protocol = smb
}
";

fn opened(cx: &TestContext, text: &str) -> (Editor, String) {
    let mut editor = Editor::open(cx);
    let main = uri(cx, "main.dsvm");
    editor.show(&main, text);
    (editor, main)
}

#[test]
fn signatures_name_the_parameter_that_is_written() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx, MAIN);
    let mut help = |marked: &str| {
        let help = editor.result("textDocument/signatureHelp", place(&main, MAIN, marked));
        let signature = &help["signatures"][help["activeSignature"].as_u64().unwrap_or(0) as usize];
        let active = signature["activeParameter"].as_u64().unwrap_or(99) as usize;
        format!("{} · {}", signature["label"].as_str().unwrap(), signature["parameters"][active]["label"])
    };
    let own = "named(first: string, second: string = \"x\"): string";
    assert_eq!(help("named(|\"a\""), format!("{own} · \"first: string\""));
    assert_eq!(help("second = |\"b\""), format!("{own} · {:?}", "second: string = \"x\""));
    let join = "join(list: [string], separator: string): string";
    assert_eq!(help("join([\"c\"], |"), format!("{join} · \"separator: string\""));
    let nothing = editor.result("textDocument/signatureHelp", place(&main, MAIN, "quota = |"));
    assert_eq!(nothing, Value::Null);
    // In the middle of typing.
    editor.replace(&main, 2, "let a = [min(1, ");
    let text = "let a = [min(1, ";
    let help = editor.result("textDocument/signatureHelp", place(&main, text, "min(1, |"));
    assert_eq!((&help["signatures"].as_array().unwrap().len(), &help["activeParameter"]), (&2, &json!(1)));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn selections_grow_from_the_word_to_the_document() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx, MAIN);
    let line = MAIN.lines().position(|line| line.starts_with("let all")).unwrap() as u32;
    let request = json!({ "textDocument": { "uri": main }, "positions": [at(line, 18), at(0, 9)] });
    let answer = editor.result("textDocument/selectionRange", request);
    let mut parts = Vec::new();
    let mut here = &answer[0];
    while !here.is_null() {
        let range = &here["range"];
        let edits = json!([{ "range": range, "newText": "\u{1}" }]);
        let without = edited(MAIN, &edits);
        let (before, after) = without.split_once('\u{1}').unwrap();
        parts.push(MAIN[before.len()..MAIN.len() - after.len()].to_owned());
        here = &here["parent"];
    }
    assert_eq!(
        parts[..6],
        [
            "a",
            "\"a\"",
            "named(\"a\", second = \"b\")",
            "named(\"a\", second = \"b\"), join([\"c\"], \"/\")",
            "[named(\"a\", second = \"b\"), join([\"c\"], \"/\")]",
            "let all = [named(\"a\", second = \"b\"), join([\"c\"], \"/\")]",
        ]
    );
    assert_eq!(parts.last().map(String::as_str), Some(MAIN));
    assert_eq!(shown(&answer[1]["range"]), "0:7-0:10");
    assert_eq!(editor.finish(), 0);
}

#[test]
fn only_lines_of_the_range_are_formatted() {
    let cx = TestContext::new();
    let text = "let  a=1\nlet  b=2\nlet  c=3\nshare s {\nquota=1 TiB\n  mount   = \"/a\"\n}\n";
    let (mut editor, main) = opened(&cx, text);
    let format = |editor: &mut Editor, text: &str, from: (u32, u32), to: (u32, u32)| {
        let range = json!({ "start": at(from.0, from.1), "end": at(to.0, to.1) });
        let options = json!({ "tabSize": 2, "insertSpaces": true });
        let request = json!({ "textDocument": { "uri": main }, "range": range, "options": options });
        edited(text, &editor.result("textDocument/rangeFormatting", request))
    };
    assert_eq!(format(&mut editor, text, (1, 0), (1, 4)), text.replace("let  b=2", "let b = 2"));
    // A selection of whole lines ends at the start of the next one, which is not meant.
    assert_eq!(format(&mut editor, text, (1, 0), (2, 0)), text.replace("let  b=2", "let b = 2"));
    let block = text.replace("quota=1 TiB", "  quota = 1 TiB").replace("mount   =", "mount =");
    assert_eq!(format(&mut editor, text, (3, 0), (6, 1)), block);
    // In a file with a mistake elsewhere.
    let broken = format!("{text}let = =\n");
    editor.replace(&main, 2, &broken);
    assert_eq!(format(&mut editor, &broken, (3, 0), (6, 1)), format!("{block}let = =\n"));
    assert_eq!(format(&mut editor, &broken, (7, 0), (7, 3)), broken);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_brace_formats_its_block_and_a_new_line_is_indented() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx, "");
    let mut version = 1;
    let mut typed = |marked: &str, key: &str| {
        let text = marked.replacen('|', "", 1);
        version += 1;
        editor.replace(&main, version, &text);
        let offset = marked.find('|').unwrap();
        let (line, column) = (text[..offset].matches('\n').count(), text[..offset].lines().last().unwrap_or("").len());
        let column = if text[..offset].ends_with('\n') { 0 } else { column };
        let request = json!({
            "textDocument": { "uri": main }, "position": at(line as u32, column as u32), "ch": key,
            "options": { "tabSize": 2, "insertSpaces": true },
        });
        edited(&text, &editor.result("textDocument/onTypeFormatting", request))
    };
    let other = "let   x=1\n";
    assert_eq!(
        typed(&format!("{other}share s {{\nquota=1 TiB\n}}|"), "}"),
        format!("{other}share s {{\n  quota = 1 TiB\n}}")
    );
    assert_eq!(typed("share s {\n|", "\n"), "share s {\n  ");
    assert_eq!(typed("share s {\n  tags = { a = [\n|]", "\n"), "share s {\n  tags = { a = [\n  ]");
    assert_eq!(typed("let a =\n|", "\n"), "let a =\n  ");
    assert_eq!(typed("share s {\n  quota = 1 TiB\n      |}", "\n"), "share s {\n  quota = 1 TiB\n}");
    assert_eq!(typed("let a = \"\"\"\n  b\n|", "\n"), "let a = \"\"\"\n  b\n");
    assert_eq!(typed("let a = 1\n|", "\n"), "let a = 1\n");
    assert_eq!(editor.finish(), 0);
}

/// Each token as `text type modifiers`.
fn decoded(text: &str, legend: &Value, data: &Value) -> Vec<String> {
    let numbers: Vec<usize> = data.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let lines: Vec<&str> = text.lines().collect();
    let (mut line, mut column) = (0, 0);
    let each = numbers.chunks(5).map(|token| {
        column = if token[0] == 0 { column + token[1] } else { token[1] };
        line += token[0];
        let written: String = lines[line].chars().skip(column).take(token[2]).collect();
        let mut shown = format!("{written} {}", legend["tokenTypes"][token[3]].as_str().unwrap());
        for (bit, name) in legend["tokenModifiers"].as_array().unwrap().iter().enumerate() {
            if token[4] >> bit & 1 == 1 {
                shown.push_str(&format!(" {}", name.as_str().unwrap()));
            }
        }
        shown
    });
    each.collect()
}

#[test]
fn every_word_has_its_colour() {
    let cx = TestContext::new();
    let mut editor = Editor::start(&cx);
    let capabilities = editor.initialize(&cx, json!(["utf-16"]));
    let legend = &capabilities["capabilities"]["semanticTokensProvider"]["legend"];
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, MAIN);
    let document = json!({ "textDocument": { "uri": main } });
    let full = editor.result("textDocument/semanticTokens/full", document);
    let found = decoded(MAIN, legend, &full["data"]);
    for token in [
        "import keyword",
        "sizes namespace",
        "project keyword",
        "/// Joins two names. comment documentation",
        "named function declaration",
        "first variable declaration readonly",
        "count parameter declaration readonly",
        "\"${ string",
        "first variable readonly",
        "join function defaultLibrary",
        "notes class declaration",
        "quota property",
        "1 number",
        "TiB number",
        "// enough comment",
        "smb enumMember readonly defaultLibrary",
    ] {
        assert!(found.iter().any(|one| one == token), "{token} is not in {found:#?}");
    }
    // A part of it has the same tokens.
    let line = MAIN.lines().position(|line| line.starts_with("share")).unwrap() as u32;
    let range = json!({ "start": at(line, 0), "end": at(line + 1, 0) });
    let part =
        editor.result("textDocument/semanticTokens/range", json!({ "textDocument": { "uri": main }, "range": range }));
    assert_eq!(decoded(MAIN, legend, &part["data"]), ["share keyword", "notes class declaration"]);
    // What changes is told as one edit, with which the old answer is the new one.
    let text = MAIN.replace("1 TiB // enough", "200 GiB");
    editor.replace(&main, 2, &text);
    let previous = json!({ "textDocument": { "uri": main }, "previousResultId": full["resultId"] });
    let delta = editor.result("textDocument/semanticTokens/full/delta", previous.clone());
    let mut data = full["data"].as_array().unwrap().clone();
    let edits = delta["edits"].as_array().unwrap();
    assert_eq!(edits.len(), 1);
    let (start, count) =
        (edits[0]["start"].as_u64().unwrap() as usize, edits[0]["deleteCount"].as_u64().unwrap() as usize);
    assert!(count < 40, "most of it stays: {count}");
    data.splice(start..start + count, edits[0]["data"].as_array().unwrap().iter().cloned());
    let again = editor.result("textDocument/semanticTokens/full", json!({ "textDocument": { "uri": main } }));
    assert_eq!(Value::Array(data), again["data"]);
    // An answer that is forgotten is answered in full.
    assert!(editor.result("textDocument/semanticTokens/full/delta", previous)["data"].is_array());
    assert_eq!(editor.finish(), 0);
}

#[test]
fn broken_files_have_colours_too() {
    let cx = TestContext::new();
    let mut editor = Editor::start(&cx);
    let capabilities = editor.initialize(&cx, json!(["utf-8"]));
    let legend = &capabilities["capabilities"]["semanticTokensProvider"]["legend"];
    let main = uri(&cx, "main.dsvm");
    let text = "param x: int\nlet a = \"${x\nlet b = \"\"\"\n  c\n\"\"\"\npool {{{ size = ";
    editor.show(&main, text);
    let full = editor.result("textDocument/semanticTokens/full", json!({ "textDocument": { "uri": main } }));
    let found = decoded(text, legend, &full["data"]);
    for token in ["param keyword", "let keyword", "  c string"] {
        assert!(found.iter().any(|one| one == token), "{token} is not in {found:#?}");
    }
    assert_eq!(editor.finish(), 0);
}
