//! Several folders in one editor.

use super::client::{Editor, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

#[test]
fn each_folder_of_the_editor_has_its_projects() {
    let cx = TestContext::new();
    cx.write("one/main.dsvm", "project one { }\nlet a = 1\noutput o = a\n");
    cx.write("one/beside/main.dsvm", "project beside { }\n");
    cx.write("two/main.dsvm", "project two { }\nimport \"./b.dsvm\" as b\noutput o = b.x\n");
    cx.write("two/b.dsvm", "export let x = 1\n");
    let mut editor = Editor::start(&cx);
    let folder = |name: &str| json!({ "uri": uri(&cx, name), "name": name });
    let answer = editor.ask(
        "initialize",
        json!({ "processId": null, "workspaceFolders": [folder("one"), folder("two")], "capabilities": {} }),
    );
    assert_eq!(answer["result"]["capabilities"]["workspace"]["workspaceFolders"]["changeNotifications"], true);
    editor.tell("initialized", json!({}));
    let (one, two, other) = (uri(&cx, "one/main.dsvm"), uri(&cx, "two/main.dsvm"), uri(&cx, "two/b.dsvm"));
    editor.show(&one, "project one { }\nlet a = 1\noutput o = a + nothing\n");
    assert_eq!(editor.diagnostics(&one, Some(1)).len(), 1);
    editor.show(&two, "project two { }\nimport \"./b.dsvm\" as b\noutput o = b.x + 1\n");
    assert_eq!(editor.diagnostics(&two, Some(1)), Vec::<Value>::new());
    // A file of the second folder is in the project of that folder.
    editor.show(&other, "export let y = 1\n");
    assert_eq!(editor.diagnostics(&other, Some(1)), Vec::<Value>::new());
    assert_eq!(editor.diagnostics(&two, Some(1)).len(), 1);
    let symbols = editor.result("workspace/symbol", json!({ "query": "" }));
    let names: Vec<&str> = symbols.as_array().unwrap().iter().map(|symbol| symbol["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one", "a", "o", "y", "two", "o"]);
    // A folder that is removed is not looked at any more: its document is by itself.
    let removed = json!({ "added": [], "removed": [folder("two")] });
    editor.tell("workspace/didChangeWorkspaceFolders", json!({ "event": removed }));
    editor.close(&two);
    let symbols = editor.result("workspace/symbol", json!({ "query": "" }));
    let names: Vec<&str> = symbols.as_array().unwrap().iter().map(|symbol| symbol["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"y") && names.contains(&"one"), "{names:?}");
    let added = json!({ "added": [folder("two")], "removed": [] });
    editor.tell("workspace/didChangeWorkspaceFolders", json!({ "event": added }));
    let symbols = editor.result("workspace/symbol", json!({ "query": "two" }));
    assert_eq!(symbols[0]["name"], "two", "{symbols}");
    assert_eq!(editor.finish(), 0);
}
