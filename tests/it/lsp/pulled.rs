//! Findings that the client asks for, and the progress of the first compilation.

use super::client::{Editor, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

fn pulling() -> Value {
    json!({
        "textDocument": { "diagnostic": { "dynamicRegistration": false } },
        "workspace": { "diagnostics": { "refreshSupport": true } },
    })
}

#[test]
fn a_client_that_pulls_is_not_pushed_to() {
    let cx = TestContext::new();
    cx.write("common.dsvm", "export let a = 1\n");
    let mut editor = Editor::start(&cx);
    let told = editor.initialize_as(&cx, pulling(), Value::Null);
    let provider = &told["capabilities"]["diagnosticProvider"];
    assert_eq!(*provider, json!({ "interFileDependencies": true, "workspaceDiagnostics": true }));
    let (main, common) = (uri(&cx, "main.dsvm"), uri(&cx, "common.dsvm"));
    editor.show(&main, "import \"./common.dsvm\" as c\nproject p { }\noutput x = c.b\n");
    let document = |previous: Value| json!({ "textDocument": { "uri": main }, "previousResultId": previous });
    let full = editor.result("textDocument/diagnostic", document(Value::Null));
    assert_eq!((&full["kind"], full["items"].as_array().unwrap().len()), (&json!("full"), 1), "{full}");
    let same = editor.result("textDocument/diagnostic", document(full["resultId"].clone()));
    assert_eq!(same, json!({ "kind": "unchanged", "resultId": full["resultId"] }));
    // Another file mends it: the client is told to ask again.
    editor.show(&common, "export let a = 1\nexport let b = 2\n");
    loop {
        let again = editor.result("textDocument/diagnostic", document(full["resultId"].clone()));
        if again["kind"] == "full" {
            assert_eq!(again["items"], json!([]));
            break;
        }
    }
    assert_eq!(editor.told("workspace/diagnostic/refresh")["jsonrpc"], "2.0");
    assert!(editor.silent_about("textDocument/publishDiagnostics"));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn the_findings_of_all_files_can_be_pulled() {
    let cx = TestContext::new();
    cx.write("lib/common.dsvm", "export let a = nothing\n");
    let mut editor = Editor::start(&cx);
    editor.initialize_as(&cx, pulling(), Value::Null);
    let (main, common) = (uri(&cx, "main.dsvm"), uri(&cx, "lib/common.dsvm"));
    editor.show(&main, "import \"./lib/common.dsvm\" as c\nproject p { }\noutput x = c.a\n");
    let all = editor.result("workspace/diagnostic", json!({ "previousResultIds": [] }));
    let items = all["items"].as_array().unwrap();
    let of = |uri: &str| items.iter().find(|item| item["uri"] == uri).unwrap().clone();
    assert_eq!(of(&common)["items"].as_array().unwrap().len(), 1, "{all}");
    assert_eq!((of(&common)["version"].clone(), of(&main)["version"].clone()), (Value::Null, json!(1)));
    let known: Vec<Value> = items.iter().map(|item| json!({ "uri": item["uri"], "value": item["resultId"] })).collect();
    let again = editor.result("workspace/diagnostic", json!({ "previousResultIds": known }));
    assert!(again["items"].as_array().unwrap().iter().all(|item| item["kind"] == "unchanged"), "{again}");
    // What has no findings any more is told once.
    editor.replace(&main, 2, "project p { }\n");
    let after = editor.result("workspace/diagnostic", json!({ "previousResultIds": known }));
    let gone = after["items"].as_array().unwrap().iter().find(|item| item["uri"] == common.as_str()).unwrap();
    assert_eq!((&gone["kind"], &gone["items"]), (&json!("full"), &json!([])));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_client_that_cannot_be_told_to_ask_again_is_pushed_to() {
    let cx = TestContext::new();
    let mut editor = Editor::start(&cx);
    let told = editor.initialize_as(&cx, json!({ "textDocument": { "diagnostic": {} } }), Value::Null);
    assert_eq!(told["capabilities"]["diagnosticProvider"], Value::Null);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "output x = nothing\n");
    assert!(!editor.diagnostics(&main, Some(1)).is_empty());
    assert_eq!(editor.finish(), 0);
}

#[test]
fn the_first_compilation_shows_that_it_runs() {
    let cx = TestContext::new();
    let mut editor = Editor::start(&cx);
    editor.initialize_as(&cx, json!({ "window": { "workDoneProgress": true } }), Value::Null);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "project p { }\n");
    let asked = editor.told("window/workDoneProgress/create");
    let token = asked["params"]["token"].clone();
    editor.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": null }));
    for kind in ["begin", "end"] {
        let told = editor.told("$/progress");
        assert_eq!((&told["params"]["token"], &told["params"]["value"]["kind"]), (&token, &json!(kind)));
    }
    // Later ones are short, and a client without room for it is not troubled.
    editor.replace(&main, 2, "project q { }\n");
    editor.diagnostics(&main, Some(2));
    assert!(editor.silent_about("$/progress"));
    assert_eq!(editor.finish(), 0);
    let cx = TestContext::new();
    let mut editor = Editor::start(&cx);
    editor.initialize_as(&cx, json!({ "window": { "workDoneProgress": true } }), Value::Null);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "project p { }\n");
    let asked = editor.told("window/workDoneProgress/create");
    let refused = json!({ "code": -32601, "message": "no" });
    editor.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "error": refused }));
    editor.diagnostics(&main, Some(1));
    editor.replace(&main, 2, "project q { }\n");
    editor.diagnostics(&main, Some(2));
    assert!(editor.silent_about("$/progress"));
    assert_eq!(editor.finish(), 0);
}
