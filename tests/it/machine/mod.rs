//! The setup of a machine, from an emitted scale set: what the extension is given, read by the program itself
//! (`emitted.py`). What the program then does is in `program`.

mod program;

use crate::support::TestContext;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const POOL: &str = include_str!("pool.dsvm");
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2nAbq0a0VYkPp1Vd0yq5M4o6w5o3nYzC1o0b5nZ0xk ada@example";
const CLIENT: &str = "22222222-0000-4000-8000-000000000000";

/// What only a deployment knows, the client id of the identity, replaced by one.
fn with_client(template: &str, client: &str) -> String {
    let mut rest = template;
    let mut out = String::with_capacity(template.len());
    while let Some(end) = rest.find(".clientId").map(|at| at + ".clientId".len()) {
        let start = rest[..end].rfind("reference(").unwrap();
        out.push_str(&rest[..start]);
        out.push_str(&format!("'{client}'"));
        rest = &rest[end..];
    }
    out + rest
}

/// What a machine of the pool is given with this key and this client id; nothing without Python.
fn given(pool: &str, key: &str, client: &str) -> Option<Value> {
    let cx = TestContext::new();
    cx.write("main.dsvm", pool);
    let built = cx.run("build . --out out");
    assert_eq!(built.exit, 0, "{}", built.text());
    cx.write("template.json", &with_client(&cx.read("out/machines/template.json"), client));
    let mut expand = cx.command("expand template.json --format json --location westeurope -p owner_password=unused -p");
    let expanded = expand.arg(format!("admin_key={key}")).output().unwrap();
    assert!(expanded.status.success(), "{}", String::from_utf8_lossy(&expanded.stdout));
    cx.write("expanded.json", &String::from_utf8(expanded.stdout).unwrap());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3");
    python.args(["-B".as_ref(), root.join("tests/it/machine/emitted.py").as_os_str()]);
    // That tests without Python are left out is said by those of the program.
    let ran = python.arg("expanded.json").arg(root.join("machine")).current_dir(cx.path()).output().ok()?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(serde_json::from_slice(&ran.stdout).unwrap())
}

#[test]
fn the_program_understands_what_the_extension_is_given() {
    let Some(mut given) = given(POOL, KEY, CLIENT) else { return };
    assert_eq!(given["program"].take(), dsvm_machine::script());
    let (tag, timestamp) = (given["tag"].take(), given["timestamp"].take());
    assert!(!tag.as_str().unwrap().is_empty());
    assert!(timestamp.as_i64().is_some_and(|seconds| (0..1 << 31).contains(&seconds)), "{timestamp}");
    let flaky = "echo try >> \"$FAKE_ROOT/tries\"; test \"$(wc -l < \"$FAKE_ROOT/tries\")\" -ge 2";
    assert_eq!(
        given,
        json!({
            "program": null, "tag": null, "timestamp": null,
            "client": CLIENT, "health": 790, "notice": true,
            "users": [["ada", 2001, true, ["docker"]]], "keys": [KEY],
            "passwords": { "dsvmuser": "owner", "ada": "ada" },
            "shares": [["identity", "/datamnt/work", 1], ["nfs", "/data/fast", 1], ["key", "/data/old", 0]],
            "packages": ["r-base"],
            "steps": [["note", "echo $((1 + 1)) >> \"$FAKE_ROOT/steps\"", 3], ["flaky", flaky, 2]],
            "limits": [null, null], "host_key": null,
            "ports": [22, 8000],
        })
    );
}

/// What the deployer passes is data of the description, whatever is in it.
#[test]
fn a_key_with_quotes_and_a_line_break_stays_one_line() {
    let key = format!("{}\n", KEY.replace("ada@example", "ada \"home\" \\ 'desk'"));
    let step = "step note { run = \"echo ${admin_key}\" }\n    step last { run = \"true\" }";
    let pool = POOL.replace("step note { run = \"echo $((1 + 1)) >> \\\"$FAKE_ROOT/steps\\\"\" }", step);
    assert_ne!(pool, POOL);
    let Some(given) = given(&pool, &key, CLIENT) else { return };
    assert_eq!(given["keys"], json!([key]));
    assert_eq!(given["steps"][0], json!(["note", format!("echo {key}"), 3]));
    assert_eq!(given["steps"][1], json!(["last", "true", 3]));
}

/// Whether a failed setup is a failure of the machine, or left to the repairs of the pool.
#[test]
fn failures_of_the_setup_stop_a_deployment_unless_they_are_left_to_repairs() {
    for (written, suppressed) in [("", false), ("on_failure = stop", false), ("on_failure = replace", true)] {
        let cx = TestContext::new();
        cx.write("main.dsvm", &POOL.replacen("setup {", &format!("setup {{\n    {written}"), 1));
        let built = cx.run("build . --out out");
        assert_eq!(built.exit, 0, "{}", built.text());
        let template = cx.read("out/machines/template.json");
        assert_eq!(template.contains("\"suppressFailures\": true"), suppressed, "{written}");
    }
}

#[test]
fn the_program_understands_limits_and_the_host_key() {
    for (written, memory, tasks) in [
        ("memory = 4 GiB, tasks = 500", json!("4G"), json!(500)),
        ("memory = 50%", json!("50%"), Value::Null),
        ("memory = 1.5 GiB", json!("1536M"), Value::Null),
        ("tasks = 64", Value::Null, json!(64)),
        ("", Value::Null, Value::Null),
    ] {
        let more = format!("vault    = keys\n  host_key = \"team-host-key\"\n  limits {{ {written} }}\n");
        let pool = POOL.replacen("vault    = keys\n", &more, 1);
        let Some(given) = given(&pool, KEY, CLIENT) else { return };
        assert_eq!(given["limits"], json!([memory, tasks]), "{written}");
        let [vault, secret] = given["host_key"].as_array().unwrap().as_slice() else { panic!("{given}") };
        assert!(vault.as_str().unwrap().ends_with(".vault.azure.net"), "{vault}");
        assert_eq!(secret, "team-host-key");
        // The private key is in no part of what Azure is given.
        assert_eq!(given["passwords"], json!({ "dsvmuser": "owner", "ada": "ada" }));
    }
}

#[test]
fn another_content_has_another_tag_and_the_same_one_the_same() {
    let marks = |given: Option<Value>| given.map(|given| (given["tag"].clone(), given["timestamp"].clone()));
    let Some(first) = marks(given(POOL, KEY, CLIENT)) else { return };
    assert_eq!(Some(&first), marks(given(&POOL.replace("machines = 2", "machines = 3"), KEY, CLIENT)).as_ref());
    // What only the deployment knows changes the tag, what the compiler knows both.
    let (tag, timestamp) = marks(given(POOL, &KEY.replace("ada@example", "ada@home"), CLIENT)).unwrap();
    assert_ne!(tag, first.0);
    assert_eq!(timestamp, first.1);
    let (tag, timestamp) = marks(given(&POOL.replace("uid = 2001", "uid = 2002"), KEY, CLIENT)).unwrap();
    assert_ne!(tag, first.0);
    assert_ne!(timestamp, first.1);
}
