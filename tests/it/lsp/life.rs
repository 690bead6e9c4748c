//! Beginning and end of a connection, positions, and messages that should not come.

use super::client::{Editor, at, shown, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

#[test]
fn a_connection_begins_and_ends_as_the_protocol_wants_it() {
    let cx = TestContext::new();
    let mut editor = Editor::start(&cx);
    assert_eq!(editor.ask("textDocument/hover", json!({}))["error"]["code"], -32002);
    let result = editor.initialize(&cx, json!(["utf-16"]));
    assert_eq!(result["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(result["capabilities"]["textDocumentSync"]["change"], 2);
    assert_eq!(result["serverInfo"]["name"], "dsvmc");
    assert_eq!(editor.ask("initialize", json!({}))["error"]["code"], -32600);
    assert_eq!(editor.ask("shutdown", Value::Null)["result"], Value::Null);
    assert_eq!(editor.ask("textDocument/hover", json!({}))["error"]["code"], -32600);
    assert_eq!(editor.exit(), 0);
}

#[test]
fn an_exit_without_shutdown_and_a_lost_connection_are_told_by_the_exit_code() {
    let cx = TestContext::new();
    assert_eq!(Editor::open(&cx).exit(), 1);
    assert_eq!(Editor::open(&cx).hang_up(), 1);
    assert_eq!(Editor::start(&cx).hang_up(), 1);
    assert_eq!(Editor::open(&cx).finish(), 0);
}

#[test]
fn malformed_messages_are_answered_and_the_next_one_is_read() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let mut malformed = |bytes: &[u8]| {
        editor.raw(bytes);
        let answer = editor.next();
        assert_eq!(answer["id"], Value::Null);
        answer["error"]["code"].as_i64().unwrap()
    };
    assert_eq!(malformed(b"Content-Length: 9\r\n\r\n{\"id\": 1,"), -32700);
    assert_eq!(malformed(b"Content-Length: 2\r\n\r\n\xff\xfe"), -32700);
    assert_eq!(malformed(b"Content-Length: 2\r\n\r\n[]"), -32600);
    assert_eq!(malformed(b"Content-Length: 17\r\n\r\n{\"jsonrpc\":\"2.0\"}"), -32600);
    assert_eq!(malformed(b"hello\r\n\r\n"), -32700);
    assert_eq!(malformed(b"Content-Length: -5\r\n\r\n"), -32700);
    let deep = "[".repeat(50_000);
    assert_eq!(malformed(format!("Content-Length: {}\r\n\r\n{deep}", deep.len()).as_bytes()), -32700);
    assert_eq!(editor.ask("dsvmc/unheardOf", json!({}))["error"]["code"], -32601);
    assert_eq!(editor.ask("$/unheardOf", json!({}))["error"]["code"], -32601);
    assert_eq!(editor.ask("textDocument/formatting", json!({ "textDocument": 5 }))["error"]["code"], -32602);
    let unknown = json!({ "textDocument": { "uri": "file:///nowhere/a.dsvm" } });
    assert_eq!(editor.ask("textDocument/documentSymbol", unknown)["error"]["code"], -32602);
    editor.tell("textDocument/didOpen", json!({ "nonsense": true }));
    editor.tell("textDocument/didChange", json!([]));
    editor.tell("unheard/of", Value::Null);
    editor.send(&json!({ "jsonrpc": "2.0", "id": 77, "result": null }));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_request_that_waits_can_be_cancelled() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    // Takes a while to evaluate, and little to read.
    let slow = |n: i32| format!("let a{n} = length([x + 1 for x in 1..90000])\n");
    let text = "project p { }\n".to_owned() + &(0..10).map(slow).collect::<String>();
    editor.show(&main, &text);
    // In one piece, so that the server sees the cancellation while the request waits for the analysis.
    let request = json!({
        "jsonrpc": "2.0", "id": "c", "method": "textDocument/codeAction",
        "params": {
            "textDocument": { "uri": main }, "range": { "start": at(0, 0), "end": at(0, 1) },
            "context": { "diagnostics": [] },
        },
    });
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "c" } });
    let framed = |message: &Value| format!("Content-Length: {}\r\n\r\n{message}", message.to_string().len());
    editor.raw([framed(&request), framed(&cancel)].concat().as_bytes());
    let answer = loop {
        let message = editor.next();
        if message["id"] == "c" {
            break message;
        }
    };
    assert_eq!(answer["error"]["code"], -32800);
    // What was answered, or never asked, is not cancelled.
    editor.send(&cancel);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn positions_count_what_was_agreed_on() {
    for (offered, agreed, range) in [
        (json!(["utf-8", "utf-16"]), "utf-8", "0:19-0:26"),
        (json!(["utf-32", "utf-16"]), "utf-32", "0:15-0:22"),
        (json!(["utf-7", "utf-16", "utf-32"]), "utf-16", "0:16-0:23"),
        (Value::Null, "utf-16", "0:16-0:23"),
    ] {
        let cx = TestContext::new();
        let mut editor = Editor::start(&cx);
        let capabilities = editor.initialize(&cx, offered);
        assert_eq!(capabilities["capabilities"]["positionEncoding"], agreed);
        let main = uri(&cx, "main.dsvm");
        editor.show(&main, "let a = \"ä😀\" + nowhere\n");
        let found = editor.diagnostics(&main, Some(1));
        let found: Vec<String> = found
            .iter()
            .filter(|found| found["message"].as_str().unwrap().contains("nowhere"))
            .map(|found| shown(&found["range"]))
            .collect();
        assert_eq!(found, [range]);
        assert_eq!(editor.finish(), 0);
    }
}

#[test]
fn changes_of_parts_and_of_the_whole_lead_to_the_same_text() {
    let cx = TestContext::new();
    let mut editor = Editor::open(&cx);
    let main = uri(&cx, "main.dsvm");
    editor.show(&main, "// 😀ä\nlet   a=1\r\nlet b=2\n");
    let part = |from: Value, to: Value, text: &str| json!({ "range": { "start": from, "end": to }, "text": text });
    editor.change(
        &main,
        2,
        json!([part(at(0, 5), at(0, 6), "ü"), part(at(1, 4), at(1, 6), ""), part(at(2, 0), at(9, 9), "let c=3\n")]),
    );
    let edits = editor.result(
        "textDocument/formatting",
        json!({ "textDocument": { "uri": main }, "options": { "tabSize": 2, "insertSpaces": true } }),
    );
    let wanted = "// 😀ü\nlet a=1\r\nlet c=3\n";
    assert_eq!(super::client::edited(wanted, &edits), "// 😀ü\nlet a = 1\nlet c = 3\n");
    editor.replace(&main, 3, "let x = 1\n");
    let request = json!({ "textDocument": { "uri": main }, "options": { "tabSize": 2, "insertSpaces": true } });
    assert_eq!(editor.result("textDocument/formatting", request), json!([]));
    assert_eq!(editor.finish(), 0);
}
