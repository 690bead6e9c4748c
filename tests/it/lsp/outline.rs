//! What a file declares and where it folds, and its standard style.

use super::client::{Editor, edited, shown, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

const TEXT: &str = "\
import std.images
import std.sizes

// The team.
// More.
param count: int = 1
env prod { count = 2 }
let x = [
  1,
]
fn f(a: int): int = a
project p {
  tags = {
    a = \"b\"
  }
}
output o = f(x[0]) + count
test \"t\" { expect o == 1 }
";

fn document(uri: &str) -> Value {
    json!({ "textDocument": { "uri": uri } })
}

#[test]
fn the_outline_lists_declarations() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, TEXT);
    let outline = editor.result("textDocument/documentSymbol", document(&main));
    let found: Vec<String> = outline
        .as_array()
        .unwrap()
        .iter()
        .map(|symbol| {
            let (name, detail) = (symbol["name"].as_str().unwrap(), symbol["detail"].as_str().unwrap());
            format!("{detail} {name} {} {}", symbol["kind"], shown(&symbol["selectionRange"]))
        })
        .collect();
    assert_eq!(
        found,
        [
            "param count 13 5:6-5:11",
            "env prod 2 6:4-6:8",
            "let x 14 7:4-7:5",
            "fn f 12 10:3-10:4",
            "project p 4 11:8-11:9",
            "output o 7 16:7-16:8",
            "test t 24 17:5-17:8",
        ]
    );
    let found = editor.result("workspace/symbol", json!({ "query": "CT" }));
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!((&found[0]["name"], &found[0]["location"]["uri"]), (&json!("count"), &json!(main)));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn brackets_comments_and_imports_fold() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, TEXT);
    let ranges = editor.result("textDocument/foldingRange", document(&main));
    let found: Vec<String> = ranges
        .as_array()
        .unwrap()
        .iter()
        .map(|range| format!("{}-{} {}", range["startLine"], range["endLine"], range["kind"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(found, ["0-1 imports", "3-4 comment", "7-8 ", "11-14 ", "12-13 "]);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn formatting_gives_what_fmt_writes() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let text =
        "project   p { // 😀\n}\nlet ä = 1\nlet  a={b=1,\n\"c\"=2}\n\n\n\nlet z = 3\n".replace("let ä = 1\n", "");
    cx.write("main.dsvm", &text);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, &text);
    let options = json!({ "tabSize": 8, "insertSpaces": false });
    let request = json!({ "textDocument": { "uri": main }, "options": options });
    let edits = editor.result("textDocument/formatting", request.clone());
    assert!(edits.as_array().unwrap().len() > 1, "parts that stay are not edited: {edits}");
    assert_eq!(cx.run("fmt main.dsvm").exit, 0);
    assert_eq!(edited(&text, &edits), cx.read("main.dsvm"));
    // A file that does not parse stays as it is.
    editor.replace(&main, 2, "project {{{\n");
    assert_eq!(editor.result("textDocument/formatting", request), Value::Null);
    assert_eq!(editor.finish(), 0);
}
