//! The first boot of a machine, run for real: the custom data of an emitted scale set, unpacked into a folder and run by
//! Python with commands and services that stand for those of a machine (`run.py`).

mod program;

use crate::support::TestContext;
use std::path::Path;
use std::process::Command;

const POOL: &str = include_str!("pool.dsvm");
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2nAbq0a0VYkPp1Vd0yq5M4o6w5o3nYzC1o0b5nZ0xk ada@example";

/// What only a deployment knows, the client id of the identity, replaced by one.
fn with_client(template: &str) -> String {
    let end = template.find(".clientId").unwrap() + ".clientId".len();
    let start = template[..end].rfind("reference(").unwrap();
    format!("{}'22222222-0000-4000-8000-000000000000'{}", &template[..start], &template[end..])
}

#[test]
fn a_machine_sets_itself_up_once_and_keeps_its_secrets() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let cx = TestContext::new();
    cx.write("main.dsvm", POOL);
    let built = cx.run("build . --out out");
    assert_eq!(built.exit, 0, "{}", built.text());
    cx.write("template.json", &with_client(&cx.read("out/machines/template.json")));
    let mut expand = cx.command("expand template.json --format json --location westeurope -p owner_password=unused -p");
    let expanded = expand.arg(format!("admin_key={KEY}")).output().unwrap();
    assert!(expanded.status.success(), "{}", String::from_utf8_lossy(&expanded.stdout));
    cx.write("expanded.json", &String::from_utf8(expanded.stdout).unwrap());
    std::fs::create_dir(cx.path().join("disk")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/machine/run.py");
    let ran =
        Command::new("python3").arg(script).args(["expanded.json", "disk"]).current_dir(cx.path()).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    assert!(told.contains("as it should be"), "{told}");
}
