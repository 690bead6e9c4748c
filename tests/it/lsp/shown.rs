//! What an editor shows around the text: hints between words, lenses above declarations, uses, templates and plans.

use super::client::{Editor, at, place, shown, uri};
use crate::support::TestContext;
use serde_json::{Value, json};

const MAIN: &str = "\
import std.images
import std.sizes

project p { location = westeurope }

param most: int in 1..50

env dev { most = 2 }
env prod { most = 40 }

/// Everything that people keep.
share notes {
  quota = 1 TiB
  mount = \"/data\"
}

fn label(who: string): string = \"by ${who}\"

pool team: interactive {
  image    = images.ubuntu_2204
  size     = sizes.Standard_D4s_v5
  machines = 1..most
  shares   = [notes]
  admin { name = \"dsvmuser\", key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org\" }
  allow ssh from [203.0.113.0/24]
  tags     = { who = label(\"us\") }
  autoscale {
    when avg(cpu, 10 min) > 75% { add 1 }
    when avg(cpu, 10 min) < 25% { remove 1 }
  }
}

pool gpu: interactive {
  image    = images.ubuntu_2204
  size     = smallest(gpu >= 1 of T4)
  machines = 3
  admin { name = \"dsvmuser\", key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@example.org\" }
  allow ssh from [203.0.113.0/24]
  orchestration = uniform
}

output where = notes.id

test \"small\" {
  env = dev
  expect most <= 5
}

test \"small in dev\" {
  env = dev
  expect most > 5
}
";

fn opened(cx: &TestContext) -> (Editor, String) {
    let mut editor = Editor::open(cx);
    let main = uri(cx, "main.dsvm");
    cx.write("main.dsvm", MAIN);
    editor.show(&main, MAIN);
    (editor, main)
}

fn line_of(start: &str) -> u32 {
    MAIN.lines().position(|line| line.starts_with(start)).unwrap() as u32
}

#[test]
fn hints_say_what_cannot_be_read_in_the_source() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx);
    let range = |from: u32, to: u32| json!({ "start": at(from, 0), "end": at(to, 0) });
    let request = json!({ "textDocument": { "uri": main }, "range": range(0, 99) });
    let hints = editor.result("textDocument/inlayHint", request);
    let found: Vec<String> = hints
        .as_array()
        .unwrap()
        .iter()
        .map(|hint| {
            let line = MAIN.lines().nth(hint["position"]["line"].as_u64().unwrap() as usize).unwrap();
            let before: String = line.chars().take(hint["position"]["character"].as_u64().unwrap() as usize).collect();
            format!("{} ⟨{}⟩", before.trim(), hint["label"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            "pool team ⟨flexible scale set⟩",
            "size     = sizes.Standard_D4s_v5 ⟨4 vCPU, 16 GiB⟩",
            "machines = 1..most ⟨dev: at most 2 machines, 8 vCPU · prod: at most 40 machines, 160 vCPU⟩",
            "size     = smallest(gpu >= 1 of T4) ⟨Standard_NC4as_T4_v3: 4 vCPU, 28 GiB, 1 × NVIDIA T4⟩",
            "machines = 3 ⟨at most 3 machines, 12 vCPU⟩",
        ]
    );
    // Of another part of the file there are others; of a project with mistakes, only what the library says.
    let request = json!({ "textDocument": { "uri": main }, "range": range(0, 5) });
    assert_eq!(editor.result("textDocument/inlayHint", request), json!([]));
    let broken = MAIN.replace("machines = 3", "machines = nothing");
    editor.replace(&main, 2, &broken);
    let request = json!({ "textDocument": { "uri": main }, "range": range(0, 99) });
    assert_eq!(editor.result("textDocument/inlayHint", request).as_array().unwrap().len(), 1);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn lenses_count_resources_and_offer_commands() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx);
    let lenses = editor.result("textDocument/codeLens", json!({ "textDocument": { "uri": main } }));
    let found: Vec<String> = lenses
        .as_array()
        .unwrap()
        .iter()
        .map(|lens| {
            let line = MAIN.lines().nth(lens["range"]["start"]["line"].as_u64().unwrap() as usize).unwrap();
            let command = &lens["command"];
            format!("{} ⟨{} {}⟩", line.trim_end_matches(" {"), command["title"].as_str().unwrap(), command["command"])
        })
        .collect();
    insta::assert_debug_snapshot!(found);
    // A client without commands of its own runs them here.
    let run = lenses.as_array().unwrap().iter().find(|lens| lens["command"]["command"] == "dsvmc.runTest").unwrap();
    let run = json!({ "command": "dsvmc.runTest", "arguments": run["command"]["arguments"] });
    let told = editor.result("workspace/executeCommand", run);
    assert_eq!(told["fine"], true, "{told}");
    let failing = json!({ "textDocument": { "uri": main }, "name": "small in dev" });
    let told = editor.result("dsvmc/runTest", failing);
    let text = told["text"].as_str().unwrap();
    assert!(told["fine"] == false && text.contains("FAIL") && text.contains("expect most > 5"), "{text}");
    assert!(!text.contains('\u{1b}'), "without colours");
    let all = editor.result("dsvmc/runTest", json!({ "textDocument": { "uri": main } }));
    assert!(all["text"].as_str().unwrap().contains("1 of 2 tests failed"), "{all}");
    let unknown = editor.ask("workspace/executeCommand", json!({ "command": "dsvmc.other", "arguments": [{}] }));
    assert_eq!(unknown["error"]["code"], -32602);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_client_with_its_own_commands_gets_none_from_the_server() {
    let cx = TestContext::new();
    let mut editor = Editor::start(&cx);
    let own = json!({ "commands": ["dsvmc.preview", "dsvmc.plan", "dsvmc.runTest", "more"] });
    let told = editor.initialize_as(&cx, json!({}), own);
    assert_eq!(told["capabilities"]["executeCommandProvider"], Value::Null);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn the_template_is_shown_beside_the_source() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx);
    // What is not saved counts.
    let text = MAIN.replace("quota = 1 TiB", "quota = 3 TiB");
    editor.replace(&main, 2, &text);
    let preview = editor.result("dsvmc/preview", json!({ "textDocument": { "uri": main }, "env": "prod" }));
    assert_eq!((&preview["envs"], &preview["env"]), (&json!(["dev", "prod"]), &json!("prod")));
    let part = &preview["parts"][0];
    let template = part["template"].as_str().unwrap();
    assert!(part["parameters"].as_str().unwrap().contains("40"));
    let lines: Vec<&str> = template.lines().collect();
    let quota = lines.iter().position(|line| line.contains("\"shareQuota\": 3072")).unwrap() as u64;
    // The innermost part of the map that holds the line leads to the line of the source, and back.
    let innermost = |line: u64| {
        let holds = |entry: &&Value| {
            let end = |at: usize| entry["lines"][at].as_u64().unwrap();
            end(0) <= line && line <= end(1)
        };
        part["map"].as_array().unwrap().iter().rfind(holds).unwrap().clone()
    };
    let entry = innermost(quota);
    assert_eq!(entry["uri"], main);
    assert_eq!(entry["range"]["start"]["line"], line_of("  quota"));
    let of_pool = |entry: &&Value| entry["range"]["start"]["line"] == line_of("  size     = sizes");
    let sku = part["map"].as_array().unwrap().iter().find(of_pool).unwrap();
    assert!(lines[sku["lines"][0].as_u64().unwrap() as usize].contains("Standard_D4s_v5"), "{sku}");
    // The same as `build` writes.
    cx.write("main.dsvm", &text);
    assert_eq!(cx.run("build main.dsvm --out built").exit, 0);
    assert_eq!(cx.read("built/p/template.json"), template);
    // Without a choice of env there are no parameters; with mistakes there is a reason.
    let preview = editor.result("dsvmc/preview", json!({ "textDocument": { "uri": main } }));
    assert_eq!(preview["parts"][0]["parameters"], Value::Null);
    editor.replace(&main, 3, "project p { } let x = nothing\n");
    let preview = editor.result("dsvmc/preview", json!({ "textDocument": { "uri": main } }));
    assert_eq!(preview["parts"], json!([]));
    assert!(preview["problem"].as_str().unwrap().starts_with("the project has "), "{preview}");
    assert_eq!(editor.finish(), 0);
}

#[test]
fn a_plan_is_made_on_demand() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx);
    let told = editor.result("dsvmc/plan", json!({ "textDocument": { "uri": main }, "env": "dev" }));
    let text = told["text"].as_str().unwrap();
    assert!(told["fine"] == true && text.contains("env dev on local") && text.contains("share notes"), "{text}");
    let told = editor.result("dsvmc/plan", json!({ "textDocument": { "uri": main } }));
    assert!(told["fine"] == false && told["text"].as_str().unwrap().contains("none was chosen"), "{told}");
    editor.replace(&main, 2, "project p { } let x = nothing\n");
    let told = editor.result("dsvmc/plan", json!({ "textDocument": { "uri": main } }));
    assert_eq!(told["fine"], false);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn what_is_being_made_can_be_cancelled() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx);
    let first = editor.request("dsvmc/plan", json!({ "textDocument": { "uri": main }, "env": "dev" }));
    // In one piece, so that the cancellation comes before anybody begins.
    let second = json!({
        "jsonrpc": "2.0", "id": 77, "method": "dsvmc/preview", "params": { "textDocument": { "uri": main } },
    });
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": 77 } });
    let framed = |message: &Value| format!("Content-Length: {}\r\n\r\n{message}", message.to_string().len());
    editor.raw([framed(&second), framed(&cancel)].concat().as_bytes());
    assert_eq!(editor.answer(77)["error"]["code"], -32800);
    assert_eq!(editor.answer(first)["result"]["fine"], true);
    // Requests for the text do not wait for what is being made.
    let slow = editor.request("dsvmc/plan", json!({ "textDocument": { "uri": main }, "env": "dev" }));
    assert!(editor.result("textDocument/foldingRange", json!({ "textDocument": { "uri": main } })).is_array());
    editor.tell("$/cancelRequest", json!({ "id": slow }));
    assert_eq!(editor.finish(), 0);
}

#[test]
fn uses_are_highlighted_and_lead_up_and_down() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx);
    let highlights = editor.result("textDocument/documentHighlight", place(&main, MAIN, "share no|tes"));
    let found: Vec<String> =
        highlights.as_array().unwrap().iter().map(|one| format!("{} {}", shown(&one["range"]), one["kind"])).collect();
    let (share, shares, output) = (line_of("share"), line_of("  shares"), line_of("output"));
    assert_eq!(
        found,
        [format!("{share}:6-{share}:11 3"), format!("{shares}:14-{shares}:19 2"), format!("{output}:15-{output}:20 2"),]
    );
    let prepared = editor.result("textDocument/prepareCallHierarchy", place(&main, MAIN, "shares   = [no|tes"));
    assert_eq!((&prepared[0]["name"], &prepared[0]["kind"]), (&json!("notes"), &json!(5)));
    let incoming = editor.result("callHierarchy/incomingCalls", json!({ "item": prepared[0] }));
    let from: Vec<&str> = incoming.as_array().unwrap().iter().map(|c| c["from"]["name"].as_str().unwrap()).collect();
    assert_eq!(from, ["team", "where"]);
    let outgoing = editor.result("callHierarchy/outgoingCalls", json!({ "item": incoming[0]["from"] }));
    let to: Vec<&str> = outgoing.as_array().unwrap().iter().map(|c| c["to"]["name"].as_str().unwrap()).collect();
    assert_eq!(to, ["label", "most", "notes"]);
    let function = editor.result("textDocument/prepareCallHierarchy", place(&main, MAIN, "fn la|bel"));
    let callers = editor.result("callHierarchy/incomingCalls", json!({ "item": function[0] }));
    assert_eq!(callers[0]["from"]["name"], "team");
    assert_eq!(callers[0]["fromRanges"].as_array().unwrap().len(), 1);
    assert_eq!(editor.ask("callHierarchy/incomingCalls", json!({}))["error"]["code"], -32602);
    assert_eq!(editor.finish(), 0);
}

#[test]
fn what_is_shown_belongs_to_the_newest_text() {
    let cx = TestContext::new();
    let (mut editor, main) = opened(&cx);
    let range = json!({ "start": at(0, 0), "end": at(99, 0) });
    for version in 2..8 {
        let request =
            editor.request("textDocument/inlayHint", json!({ "textDocument": { "uri": main }, "range": range }));
        let lenses = editor.request("textDocument/codeLens", json!({ "textDocument": { "uri": main } }));
        let line = "// more\n".repeat(version);
        editor.replace(&main, version as i64, &format!("{line}{MAIN}"));
        let answers = [editor.answer(request), editor.answer(lenses)];
        assert!(answers.iter().all(|answer| answer["result"].is_array()), "{answers:?}");
    }
    let hints = editor.result("textDocument/inlayHint", json!({ "textDocument": { "uri": main }, "range": range }));
    assert_eq!(hints[0]["position"]["line"], line_of("pool team") + 7);
    assert_eq!(editor.finish(), 0);
}
