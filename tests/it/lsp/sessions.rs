//! Sessions of real editors, played again: what `conformance/record.sh` wrote down is said to the server, in its order, and
//! the answers are those of the snapshot.

use super::client::{Editor, uri};
use crate::support::TestContext;
use serde_json::{Value, json};
use std::path::Path;

/// Elements of a list that a snapshot shows.
const SHOWN: usize = 12;

/// A list that is too long to be read shows how it begins, and how long it is.
fn shortened(value: Value) -> Value {
    match value {
        Value::Array(all) => {
            let more = all.len().saturating_sub(SHOWN);
            let mut all: Vec<Value> = all.into_iter().take(SHOWN).map(shortened).collect();
            if more > 0 {
                all.push(json!(format!("and {more} more")));
            }
            all.into()
        }
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, shortened(value))).collect(),
        other => other,
    }
}

/// What the server says to a session: its answers, and the findings for each text.
fn played(folder: &Path, session: &str) -> Vec<Value> {
    let cx = TestContext::new();
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "dsvm") {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            cx.write(&name, &std::fs::read_to_string(&file).unwrap());
        }
    }
    let root = uri(&cx, "").trim_start_matches("file://").to_owned();
    let mut editor = Editor::start(&cx);
    let mut said = Vec::new();
    for line in session.lines() {
        let message: Value = serde_json::from_str(&line.replace("FOLDER", &root)).unwrap();
        let method = message["method"].as_str().unwrap_or_default().to_owned();
        if matches!(&*method, "shutdown" | "exit") {
            continue;
        }
        editor.send(&message);
        let version = message["params"]["textDocument"]["version"].as_i64();
        if let ("textDocument/didOpen" | "textDocument/didChange", Some(version)) = (&*method, version) {
            let document = message["params"]["textDocument"]["uri"].as_str().unwrap();
            let found = editor.diagnostics(document, Some(version));
            said.push(json!({ "version": version, "findings": found }));
        } else if let (Some(id), false) = (message["id"].as_i64(), method.is_empty()) {
            let answer = editor.answer(id);
            let answer = if method == "initialize" { answer["result"]["capabilities"].clone() } else { answer };
            let answer = answer.get("result").or(answer.get("error")).unwrap_or(&answer).clone();
            said.push(json!({ "request": method, "answer": shortened(answer) }));
        }
    }
    assert_eq!(editor.finish(), 0);
    let text = serde_json::to_string(&said).unwrap().replace(&root, "FOLDER");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn recorded_sessions_get_the_same_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/lsp/sessions");
    insta::glob!("sessions/*.jsonl", |path| {
        let session = std::fs::read_to_string(path).unwrap();
        insta::assert_json_snapshot!(played(&folder, &session));
    });
}
