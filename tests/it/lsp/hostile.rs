//! Documents that are broken in the middle of typing, and such as nobody types: every question has an answer.

use super::client::{Editor, uri};
use crate::support::TestContext;
use serde_json::{Value, json};
use std::path::Path;

/// Asks everything about a place. A refusal to rename is an answer; a bug or a wrong request is none.
fn ask_everything(editor: &mut Editor, uri: &str, line: usize, column: usize) {
    let at = json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": column } });
    let mut references = at.clone();
    references["context"] = json!({ "includeDeclaration": true });
    let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99_999, "character": 0 } });
    let requests = [
        ("hover", at.clone()),
        ("completion", at.clone()),
        ("definition", at.clone()),
        ("references", references),
        ("prepareRename", at),
        ("documentSymbol", json!({ "textDocument": { "uri": uri } })),
        ("foldingRange", json!({ "textDocument": { "uri": uri } })),
        ("formatting", json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } })),
        ("codeAction", json!({ "textDocument": { "uri": uri }, "range": all, "context": { "diagnostics": [] } })),
    ];
    for (method, params) in requests {
        let answer = editor.ask(&format!("textDocument/{method}"), params);
        let refused = answer["error"]["code"] == -32803;
        assert!(refused || answer.get("error").is_none(), "{method} {line}:{column}: {answer}");
    }
}

#[test]
fn an_example_can_be_typed_from_its_first_letter_to_its_last() {
    let cx = TestContext::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/02-gpu-spot-to-zero/main.dsvm");
    let text = std::fs::read_to_string(path).unwrap();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "");
    let (mut line, mut column) = (0, 0);
    for (letter, version) in text.chars().zip(2..) {
        let here = json!({ "line": line, "character": column });
        let change = json!([{ "range": { "start": here, "end": here }, "text": letter.to_string() }]);
        editor.change(&main, version, change);
        (line, column) = if letter == '\n' { (line + 1, 0) } else { (line, column + letter.len_utf16()) };
        if version % 41 == 0 {
            ask_everything(&mut editor, &main, line, column);
        }
    }
    let last = text.chars().count() as i64 + 1;
    let found = editor.diagnostics(&main, Some(last));
    assert!(found.iter().all(|found| found["severity"] == 3), "{found:?}");
    assert_eq!(editor.finish(), 0);
}

#[test]
fn deep_and_long_documents_are_answered() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "");
    let texts = [
        format!("let a = {}1\n", "1 + ".repeat(5_000)),
        format!("let a = {}1{}\n", "(".repeat(3_000), ")".repeat(3_000)),
        format!("let a = b{}\n", ".c".repeat(5_000)),
        format!("let a = b{}\n", "[0]".repeat(5_000)),
        format!("let a = {}b\n", "!".repeat(5_000)),
        format!("let a = {}2\n", "if b then 1 else ".repeat(5_000)),
        format!("type T = int{}\n", "?".repeat(5_000)),
        format!("type T = {}int\n", "int | ".repeat(5_000)),
        "pool a {".repeat(3_000),
        "let a = f(".repeat(3_000),
        "\"".repeat(3_001),
        "\r".repeat(3_001),
        "import \"./main.dsvm\"\n".repeat(100),
    ];
    for (text, version) in texts.iter().zip(2..) {
        editor.replace(&main, version, text);
        ask_everything(&mut editor, &main, 0, 9);
    }
    assert_eq!(editor.diagnostics(&main, Some(texts.len() as i64 + 1)).len().min(1), 1);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn an_import_of_itself_and_a_circle_end() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let (main, other) = (uri(&cx, "main.dsvm"), uri(&cx, "other.dsvm"));
    let text = "import { a } from \"./other.dsvm\"\nproject p { }\noutput o = a\n";
    editor.show(&main, text);
    editor.show(&other, "import { a } from \"./main.dsvm\"\n");
    for (line, column) in [(0, 9), (2, 11)] {
        ask_everything(&mut editor, &main, line, column);
        ask_everything(&mut editor, &other, 0, 9);
    }
    let found: Vec<Value> = editor.diagnostics(&main, Some(1));
    assert!(!found.is_empty());
    assert_eq!(editor.finish(), 0);
}
