//! State that came with somebody else's repository, and where state is kept.

use crate::support::{Ran, TestContext};
use serde_json::{Value, json};
use std::path::Path;

const PROJECT: &str = "project lab { location = westeurope }\nshare notebooks { quota = 1 TiB\n mount = \"/data\" }\n";

fn exists(cx: &TestContext) -> Vec<String> {
    let ran = cx.run("show lab.dsvm --json");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.text()));
    json["resources"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

fn fine(ran: &Ran) {
    assert_eq!(ran.exit, 0, "{}", ran.text());
}

/// Something listens at the address that the repository announces: nothing is sent there.
#[test]
fn an_announced_endpoint_is_used_only_while_ours_runs() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let body = "{\"pid\": 4711}";
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    for address in
        [format!("http://localhost:{port}"), format!("http://0.0.0.0:{port}"), "http://198.51.100.7".to_owned()]
    {
        let cx = TestContext::new();
        cx.write("lab.dsvm", PROJECT);
        let announced = json!({ "running": true, "pid": 4711, "http": address, "https": address, "httpPort": port, "httpsPort": port, "ca": "x" });
        cx.write(".dsvmc/local/endpoint.json", &announced.to_string());
        cx.write(".dsvmc/local/endpoint.lock", "");
        for command in
            ["local status", "local down", "plan lab.dsvm", "status lab.dsvm", "apply lab.dsvm --yes", "doctor"]
        {
            // Before each, as if it had just been checked out.
            cx.write(".dsvmc/local/endpoint.json", &announced.to_string());
            cx.run(command);
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "requests to the stranger's address");
}

/// Two plain projects in one group; the records of one claim what the other made.
#[test]
fn a_forged_receipt_deletes_nothing() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    cx.write("other/other.dsvm", &PROJECT.replace("lab", "other").replace("notebooks", "models"));
    fine(&cx.run("local up"));
    cx.write("lab.dsvm", PROJECT);
    fine(&cx.run("apply lab.dsvm --yes --plain -g shared"));
    let before = exists_in(&cx, "shared");
    assert!(!before.is_empty());

    // Another repository, whose `.dsvmc` came with it: the same endpoint, the same group.
    let stolen: Value = serde_json::from_str(&cx.read(".dsvmc/lab/receipt.json")).unwrap();
    let mut forged = stolen.clone();
    forged["project"] = json!("thief");
    cx.write("lab.dsvm", &PROJECT.replace("project lab", "project thief").replace("share notebooks", "share nothing"));
    for (what, change) in [("a copy with another name", false), ("one with an id more", true)] {
        let mut receipt = forged.clone();
        if change {
            let more = receipt["managed"][0].as_str().unwrap().replace("shared", "elsewhere");
            receipt["managed"].as_array_mut().unwrap().push(json!(more));
        }
        cx.write(".dsvmc/thief/receipt.json", &receipt.to_string());
        let journal = json!({ "started": "2026-01-01T00:00:00Z", "steps": [], "removing": receipt["managed"] });
        let ran = cx.run("destroy lab.dsvm --yes --allow-delete -g shared");
        assert!(ran.text().contains("Nothing of `thief` is deployed"), "{what}: {}", ran.text());
        cx.write(".dsvmc/thief/journal.json", &journal.to_string());
        let ran = cx.run("apply lab.dsvm --yes --allow-delete -g shared");
        fine(&ran);
        let now = exists_in(&cx, "shared");
        assert!(before.iter().all(|id| now.contains(id)), "{what}: {now:?}");
        fine(&cx.run("destroy lab.dsvm --yes --allow-delete -g shared"));
    }
    // The one who made it can delete it, with the record and, as far as the service knows it, without a valid one.
    cx.write("lab.dsvm", PROJECT);
    let mut changed = stolen;
    changed["started"] = json!("2020-01-01T00:00:00Z");
    cx.write(".dsvmc/lab/receipt.json", &changed.to_string());
    let ran = cx.run("destroy lab.dsvm --yes --allow-delete -g shared");
    fine(&ran);
    assert_eq!(exists_in(&cx, "shared"), Vec::<String>::new(), "{}", ran.text());
    fine(&cx.run("local down"));
}

fn exists_in(cx: &TestContext, group: &str) -> Vec<String> {
    let announced: Value = serde_json::from_str(&cx.read(".dsvmc/local/endpoint.json")).unwrap();
    let port = u16::try_from(announced["httpPort"].as_u64().unwrap()).unwrap();
    let path =
        format!("/subscriptions/{}/resourceGroups/{group}/resources?api-version=2024-11-01", arm_local::SUBSCRIPTION);
    let listed = arm_local::ask(port, "GET", &path, "").unwrap();
    listed["value"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_template_leaves_nothing_beside_it() {
    let home = TestContext::new();
    let cx = TestContext::new();
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [{ "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2025-05-01", "name": "pip", "location": "westus2",
            "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } }],
    });
    cx.write("t/team.json", &template.to_string());
    let run = |arguments: &str, state: &str| {
        let mut command = cx.command(arguments);
        command.env("XDG_STATE_HOME", home.path().join(state));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap_or(-1), text)
    };
    let beside = || {
        let mut names: Vec<_> = std::fs::read_dir(cx.path().join("t"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.extend(std::fs::read_dir(cx.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()));
        names.sort();
        names
    };
    let (exit, text) = run("apply --yes --template t/team.json", "state");
    assert_eq!(exit, 0, "{text}");
    assert_eq!(beside(), ["t", "team.json"]);
    assert!(home.path().join("state/dsvmc/templates").is_dir());
    // It remembers; by another folder for state it knows nothing.
    assert_eq!(run("plan --detailed-exitcode --template t/team.json", "state").0, 0);
    assert_eq!(run("plan --detailed-exitcode --template t/team.json", "other").0, 2);
    let (exit, text) = run("apply --yes --template t/team.json --state-dir kept", "state");
    assert_eq!(exit, 0, "{text}");
    assert!(cx.path().join("kept/.dsvmc/team/receipt.json").is_file());
    assert_eq!(beside(), ["kept", "t", "team.json"]);
    // Projects too.
    cx.write("lab/lab.dsvm", PROJECT);
    assert_eq!(run("apply --yes lab --state-dir kept", "state").0, 0);
    assert!(cx.path().join("kept/.dsvmc/lab/receipt.json").is_file());
    assert!(!cx.path().join("lab/.dsvmc").exists());
}

#[test]
fn a_damaged_state_of_the_endpoint_is_told_with_a_way_out() {
    let cx = TestContext::new();
    cx.write("lab.dsvm", PROJECT);
    fine(&cx.run("apply lab.dsvm --yes"));
    assert!(!exists(&cx).is_empty());
    let path = cx.path().join(".dsvmc/local/state.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Some of the places may be in pages that are free.
    let wanted = b"westeurope";
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(wanted)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[*at] ^= 1);
    std::fs::write(&path, bytes).unwrap();
    for command in ["plan lab.dsvm", "local up"] {
        let ran = cx.run(command);
        assert!(
            ran.exit == 3 && ran.text().contains("damaged") && ran.text().contains("local reset"),
            "{}",
            ran.text()
        );
    }
    assert!(cx.run("plan lab.dsvm").stderr.contains("DSVM0810"));
    fine(&cx.run("local reset"));
    fine(&cx.run("apply lab.dsvm --yes"));
}

/// What somebody who finds a saved plan can do with it.
#[test]
fn a_saved_plan_is_applied_once_and_gives_no_secret_away() {
    let cx = TestContext::new();
    cx.write(
        "lab.dsvm",
        &format!("{PROJECT}secret param token: string\nvault keys {{\n  secret entry {{ value = token }}\n}}\n"),
    );
    let cx_run = |arguments: &str| {
        let mut command = cx.command(arguments);
        let output = command.env("DSVMC_PARAM_token", "tulip").output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap_or(-1), text)
    };
    let (exit, text) = cx_run("plan lab.dsvm -o lab.plan");
    assert_eq!(exit, 0, "{text}");
    let saved: Value = serde_json::from_str(&cx.read("lab.plan")).unwrap();
    assert!(!cx.read("lab.plan").contains("tulip"));
    // The hash is the slow one, with a salt of this plan.
    let salt = saved["salt"].as_str().unwrap();
    assert!(
        salt.len() >= 32
            && Path::new(&cx.path().join(".dsvmc/lab/salt"))
                .exists()
                .then(|| cx.read(".dsvmc/lab/salt"))
                .is_none_or(|s| s != salt)
    );
    assert!(std::fs::read_to_string(cx.path().join("lab.plan")).unwrap().matches(salt).count() == 1);
    let (exit, text) = cx_run("apply lab.plan");
    assert_eq!(exit, 0, "{text}");
    let (exit, text) = cx_run("destroy lab.dsvm --yes --allow-delete");
    assert_eq!(exit, 0, "{text}");
    // Everything is as before the plan, and still it is not applied again.
    let (exit, text) = cx_run("apply lab.plan");
    assert!(exit == 1 && text.contains("applied already"), "{text}");
    // A new plan of the same is another one.
    assert_eq!(cx_run("plan lab.dsvm -o lab.plan").0, 0);
    let (exit, text) = cx_run("apply lab.plan");
    assert!(!text.contains("applied already"), "{exit}: {text}");
}
