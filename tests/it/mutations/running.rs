//! Damaged input for what keeps state: requests to the endpoint, `apply` of a template, and the files of `.dsvmc`.

use super::subjects::TEMPLATES;
use crate::local::{Local, full};
use crate::support::{Ran, TestContext};
use arm_local::http::{Reply, Request};
use serde_json::Value;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Conversations with the endpoint: `VERB PATH` on a line, the body below it, an empty line between two requests.
pub fn conversations(root: &Path) -> Vec<String> {
    let mut all = vec![
        "PUT {rg}/Microsoft.Compute/disks/d\n{\"location\":\"westeurope\",\"sku\":{\"name\":\"Premium_LRS\"},\"properties\":{\"diskSizeGB\":64,\"creationData\":{\"createOption\":\"Empty\"}}}\n\nPATCH {rg}/Microsoft.Compute/disks/d\n{\"tags\":{\"team\":\"a\"},\"properties\":{\"diskSizeGB\":128}}\n\nGET {rg}/Microsoft.Compute/disks?$top=1&$filter=tagName eq 'team'\n\nDELETE {rg}/Microsoft.Compute/disks/d".to_owned(),
        "GET /subscriptions/{sub}/providers/Microsoft.Compute/skus?$filter=location eq 'westeurope'\n\nGET /subscriptions/{sub}/providers/Microsoft.Compute/locations/westeurope/usages\n\nGET /subscriptions/{sub}/resources?$filter=resourceType eq 'Microsoft.Compute/disks'&$skiptoken=3\n\nGET /subscriptions/{sub}/providers\n\nGET /subscriptions/{sub}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'Reader'".to_owned(),
        "POST /_local/clock\n{\"now\":\"2026-11-23T12:00:00Z\",\"freeze\":true}\n\nPOST /_local/clock\n{\"advance\":\"PT3H\"}\n\nPOST /_local/faults\n[{\"match\":\"Microsoft.Compute/disks\",\"method\":\"PUT\",\"status\":409,\"count\":2}]\n\nPUT {rg}/Microsoft.Compute/disks/d\n{\"location\":\"westeurope\"}\n\nGET /_local/status".to_owned(),
    ];
    for text in super::subjects::files(root, &["tests/fixtures/recorded"], "json") {
        let Ok(recorded) = serde_json::from_str::<Value>(&text) else { continue };
        let (Some(path), version) = (recorded["path"].as_str(), &recorded["apiVersion"]) else { continue };
        let path = format!("{path}?api-version={}", version.as_str().unwrap_or("2024-03-01"));
        all.push(format!("PUT {path}\n{}\n\nGET {path}\n\nDELETE {path}", recorded["request"]));
    }
    // Requests have no comments, as files may.
    let templates = TEMPLATES.iter().map(|text| (*text).to_owned());
    let examples = super::subjects::files(root, &["examples/01-shared-pool", "examples/10-batch-dsvm-to-zero"], "json");
    for template in templates.chain(examples).filter_map(|text| serde_json::from_str::<Value>(&text).ok()) {
        if template.get("resources").is_none() {
            continue;
        }
        let body = serde_json::json!({ "properties": { "mode": "Incremental", "template": template } });
        for action in ["/validate", "/whatIf", ""] {
            let verb = if action.is_empty() { "PUT" } else { "POST" };
            all.push(format!("{verb} {{rg}}/Microsoft.Resources/deployments/d{action}\n{body}"));
        }
    }
    all
}

fn said(reply: &Reply) -> String {
    let code = reply.body.as_ref().and_then(|body| body.pointer("/error/code")).and_then(Value::as_str);
    format!("{} {}\n", reply.status, code.unwrap_or_default())
}

/// One endpoint for each thread, emptied before each conversation.
pub fn endpoint(text: &str, _: &Path) -> String {
    thread_local!(static ENDPOINT: RefCell<Option<Local>> = const { RefCell::new(None) });
    ENDPOINT.with_borrow_mut(|kept| {
        let local = kept.get_or_insert_with(Local::new);
        assert_eq!(local.post("/_local/reset", "{}").status, 204);
        local.put("/subscriptions/{sub}/resourceGroups/rg", r#"{"location":"westeurope"}"#);
        let mut out = String::new();
        for part in text.split("\n\n") {
            let (line, body) = part.split_once('\n').unwrap_or((part, ""));
            let (verb, target) = line.split_once(' ').unwrap_or(("GET", line));
            let target = full(target);
            let (path, query) = target.split_once('?').unwrap_or((&target, "api-version=2025-04-01"));
            // A shutdown ends the endpoint of this thread, as it should.
            if path.to_lowercase().contains("shutdown") {
                continue;
            }
            let mut request = Request { method: verb.into(), body: body.into(), ..Request::default() };
            request.base = local.endpoint.base_url.clone();
            request.target(path, query);
            out.push_str(&said(&local.endpoint.answer(&request)));
        }
        out.push_str(&settled(local));
        out
    })
}

/// Waits for the deployments of the group: none may run for ever.
fn settled(local: &Local) -> String {
    let begun = Instant::now();
    loop {
        let list = local.get("{rg}/Microsoft.Resources/deployments");
        let all = list.body.as_ref().and_then(|body| body["value"].as_array()).cloned().unwrap_or_default();
        let states: Vec<&str> =
            all.iter().filter_map(|d| d.pointer("/properties/provisioningState").and_then(Value::as_str)).collect();
        if states.iter().all(|state| ["Succeeded", "Failed", "Canceled"].contains(state)) {
            return states.join(" ");
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "a deployment does not end: {all:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the program did with it: its exit code, and no panic.
fn sane(ran: &Ran) -> i32 {
    assert!((0..=4).contains(&ran.exit), "it ends with {}:\n{}", ran.exit, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran.exit
}

/// `apply` of a damaged template by the program, each time from nothing, and a plan of it afterwards.
pub fn apply(text: &str, _: &Path) -> String {
    let cx = TestContext::new();
    cx.write("main.json", text);
    let mut out = String::new();
    for command in ["apply --yes --template main.json -g rg --location westeurope", "plan --template main.json -g rg"] {
        let _ = write!(out, "{} ", sane(&cx.run(command)));
    }
    out
}

const PROJECT: &str = "project lab { location = westeurope }\nshare notebooks { quota = 1 TiB\n mount = \"/data\" }\n";

/// The files that a project which was applied leaves, as `NAME\nCONTENT`.
pub fn state_files() -> Vec<String> {
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    assert_eq!(cx.run("apply lab.dsvm --yes").exit, 0);
    let mut found = Vec::new();
    walk(&cx.path().join(".dsvmc"), &mut found);
    found.sort();
    let named = |path: &PathBuf| {
        let name = path.strip_prefix(cx.path()).unwrap().to_str().unwrap().to_owned();
        Some(format!("{name}\n{}", std::fs::read_to_string(path).ok()?))
    };
    let mut files: Vec<String> = found.iter().filter_map(named).collect();
    files.push(
        ".dsvmc/lab/journal.json\n{\"started\":\"2026-01-01T00:00:00Z\",\"steps\":[],\"removing\":[]}".to_owned(),
    );
    files
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

/// A project beside one damaged file of state.
pub fn state(text: &str, _: &Path) -> String {
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    let (name, content) = text.split_once('\n').unwrap_or((".dsvmc/lab/receipt.json", text));
    // The name is damaged as the rest is: a file of that name stays in the folder.
    let inside = name.starts_with(".dsvmc/") && !name.contains("..") && !name.contains('\0') && name.len() < 200;
    let name = if inside { name } else { ".dsvmc/lab/receipt.json" };
    let path = cx.path().join(name);
    if std::fs::create_dir_all(path.parent().unwrap()).is_err() || std::fs::write(&path, content).is_err() {
        return String::new();
    }
    let commands = ["status lab.dsvm", "plan lab.dsvm", "destroy lab.dsvm --yes --allow-delete"];
    commands.iter().map(|command| format!("{} ", sane(&cx.run(command)))).collect()
}
