//! An editor: starts `dsvmc lsp`, writes messages to it and reads what it says.

use crate::support::TestContext;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// No answer takes as long, not even on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Editor {
    child: Child,
    messages: Receiver<Value>,
    /// What the server said without being asked, and nobody looked at yet.
    said: Vec<Value>,
    next: i64,
}

fn read_all(output: impl Read, mut then: impl FnMut(Value)) {
    let mut output = BufReader::new(output);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if output.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                _ => break,
            }
        }
        let mut body = vec![0; length];
        output.read_exact(&mut body).unwrap();
        then(serde_json::from_slice(&body).unwrap());
    }
}

impl Editor {
    /// Starts the server; nothing is said yet.
    pub fn start(cx: &TestContext) -> Self {
        let mut command = cx.command("lsp --as-of 2026-11-01");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, messages) = channel();
        let output = child.stdout.take().unwrap();
        std::thread::spawn(move || read_all(output, |message| drop(sender.send(message))));
        Self { child, messages, said: Vec::new(), next: 0 }
    }

    /// Starts the server and opens the folder of the test as a client that understands everything.
    pub fn open(cx: &TestContext) -> Self {
        let mut editor = Self::start(cx);
        editor.initialize(cx, json!(["utf-16"]));
        editor
    }

    pub fn initialize(&mut self, cx: &TestContext, encodings: Value) -> Value {
        self.initialize_as(cx, json!({ "general": { "positionEncodings": encodings } }), Value::Null)
    }

    /// Starts as a client that can more, and has options.
    pub fn initialize_as(&mut self, cx: &TestContext, capabilities: Value, options: Value) -> Value {
        let published = json!({
            "relatedInformation": true, "codeDescriptionSupport": true, "versionSupport": true,
            "tagSupport": { "valueSet": [1, 2] },
        });
        let mut all = json!({ "textDocument": { "publishDiagnostics": published } });
        for (name, more) in capabilities.as_object().into_iter().flatten() {
            match all[name].as_object_mut() {
                Some(known) => known.extend(more.as_object().unwrap().clone()),
                None => all[name] = more.clone(),
            }
        }
        let answer = self.ask(
            "initialize",
            json!({
                "processId": null,
                "rootUri": uri(cx, ""),
                "workspaceFolders": [{ "uri": uri(cx, ""), "name": "test" }],
                "initializationOptions": options,
                "capabilities": all,
            }),
        );
        self.tell("initialized", json!({}));
        answer["result"].clone()
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The next message, whatever it is.
    pub fn next(&mut self) -> Value {
        self.messages.recv_timeout(PATIENCE).expect("the server says something")
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        self.answer(id)
    }

    /// Sends a request and gives its id.
    pub fn request(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params }));
        self.next
    }

    pub fn answer(&mut self, id: i64) -> Value {
        loop {
            let message = self.next();
            if message["id"] == json!(id) && message.get("method").is_none() {
                return message;
            }
            self.said.push(message);
        }
    }

    /// The result of a request, which must have one.
    pub fn result(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Opens a document; its version is 1.
    pub fn show(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "dsvm", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces the whole text.
    pub fn replace(&mut self, uri: &str, version: i64, text: &str) {
        self.change(uri, version, json!([{ "text": text }]));
    }

    pub fn change(&mut self, uri: &str, version: i64, changes: Value) {
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    pub fn close(&mut self, uri: &str) {
        self.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    /// The diagnostics of a file for a version, as soon as they come; `None` for a file that is not open.
    pub fn diagnostics(&mut self, uri: &str, version: Option<i64>) -> Vec<Value> {
        let is_it = |message: &Value| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && message["params"]["version"].as_i64() == version
        };
        let found = match self.said.iter().position(is_it) {
            Some(at) => self.said.remove(at),
            None => loop {
                let message = self.next();
                if is_it(&message) {
                    break message;
                }
                self.said.push(message);
            },
        };
        found["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// The next message of a method that comes without being asked for.
    pub fn told(&mut self, method: &str) -> Value {
        if let Some(at) = self.said.iter().position(|message| message["method"] == method) {
            return self.said.remove(at);
        }
        loop {
            let message = self.next();
            if message["method"] == method {
                return message;
            }
            self.said.push(message);
        }
    }

    /// Whether nothing of a method was said so far.
    pub fn silent_about(&self, method: &str) -> bool {
        self.said.iter().all(|message| message["method"] != method)
    }

    /// Shuts the server down and gives its exit code.
    pub fn finish(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", Value::Null)["result"], Value::Null);
        self.exit()
    }

    /// Tells the server to exit, and gives its exit code.
    pub fn exit(mut self) -> i32 {
        self.tell("exit", Value::Null);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Closes the connection, and gives the exit code.
    pub fn hang_up(mut self) -> i32 {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // A test that fails leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The URI of a file in the folder of a test.
pub fn uri(cx: &TestContext, name: &str) -> String {
    let path = cx.path().join(name).to_string_lossy().replace('\\', "/");
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    format!("file://{}", path.trim_end_matches('/'))
}

/// A position: line and column, both from 0.
pub fn at(line: u32, character: u32) -> Value {
    json!({ "line": line, "character": character })
}

/// `line:column-line:column`.
pub fn shown(range: &Value) -> String {
    let place = |end: &str| format!("{}:{}", range[end]["line"], range[end]["character"]);
    format!("{}-{}", place("start"), place("end"))
}

/// A text after edits, whose positions are in UTF-16.
pub fn edited(text: &str, edits: &Value) -> String {
    let offset = |position: &Value| {
        let (line, column) = (position["line"].as_u64().unwrap(), position["character"].as_u64().unwrap());
        let start: usize = text.split_inclusive('\n').take(line as usize).map(str::len).sum();
        let mut units = 0;
        let inside = text[start..].char_indices().find(|(_, character)| {
            let here = units >= column;
            units += character.len_utf16() as u64;
            here
        });
        inside.map_or(text.len(), |(at, _)| start + at)
    };
    let mut all: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    all.sort();
    let mut text = text.to_owned();
    for (start, end, new) in all.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

/// The request for the place behind the first `marked` text, whose `|` is the place.
pub fn place(uri: &str, text: &str, marked: &str) -> Value {
    let at = text.find(&marked.replace('|', "")).unwrap_or_else(|| panic!("{marked}")) + marked.find('|').unwrap();
    let before = &text[..at];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
    json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": column } })
}
