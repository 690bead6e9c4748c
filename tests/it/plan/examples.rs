//! Every example that stands alone, applied and planned again: nothing is left to do, whatever types it emits.

use crate::support::TestContext;
use std::collections::BTreeSet;
use std::path::Path;

/// These refer to things that somebody else made: there is nothing to apply them to.
pub const ON_WHAT_EXISTS: [&str; 2] = ["04-existing-network-and-vault", "13-migrated-batch-ai"];

#[test]
fn a_plan_after_an_apply_is_empty_for_every_example() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut count = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(text) = std::fs::read_to_string(path.join("main.dsvm")) else { continue };
        if ON_WHAT_EXISTS.contains(&name.as_str()) {
            continue;
        }
        let cx = TestContext::new();
        for file in std::fs::read_dir(&path).unwrap().map(|f| f.unwrap().path()) {
            if file.extension().is_some_and(|e| e == "dsvm") {
                cx.write(&file.file_name().unwrap().to_string_lossy(), &std::fs::read_to_string(&file).unwrap());
            }
        }
        let mut envs = text.lines().filter_map(|l| l.strip_prefix("env ")).filter_map(|l| l.split_whitespace().next());
        let env = envs.next_back().map(|e| format!("--env {e}")).unwrap_or_default();
        let plan = cx.run(&format!("plan --as-of 2026-11-23 --format json {env} ."));
        let json: serde_json::Value =
            serde_json::from_str(&plan.stdout).unwrap_or_else(|_| panic!("{name}\n{}", plan.text()));
        assert_eq!(super::schema::errors(&json), Vec::<String>::new(), "{name}");
        let changes = json["changes"].as_array().unwrap();
        kinds.extend(changes.iter().map(|c| c["type"].as_str().unwrap().to_owned()));
        // Each resource of a project leads to a line of it.
        assert!(changes.iter().all(|c| c["source"]["line"].as_u64().is_some()), "{name}");
        let applied = cx.run(&format!("apply --as-of 2026-11-23 --yes {env} ."));
        assert_eq!(applied.exit, 0, "{name}\n{}", applied.text());
        let again = cx.run(&format!("plan --as-of 2026-11-23 --detailed-exitcode {env} ."));
        assert_eq!(again.exit, 0, "{name}\n{}", again.text());
        count += 1;
    }
    assert!(count >= 8 && kinds.len() >= 20, "{count} examples, {kinds:?}");
}

/// The example that stands on what others made: with that in place it is applied, and nothing is left to do.
#[test]
fn what_others_made_is_used_and_left_alone() {
    let place = super::deploy::Place::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/04-existing-network-and-vault/main.dsvm");
    place.cx.write("main.dsvm", &std::fs::read_to_string(path).unwrap());
    let subscription = format!("/subscriptions/{}", arm_local::SUBSCRIPTION);
    let made = [
        ("rg-network", "", "2024-11-01", "{\"location\":\"westeurope\"}".to_owned()),
        ("rg-security", "", "2024-11-01", "{\"location\":\"westeurope\"}".to_owned()),
        (
            "rg-network",
            "/providers/Microsoft.Network/virtualNetworks/vnet-corp-westeurope",
            "2025-05-01",
            r#"{"location":"westeurope","properties":{"addressSpace":{"addressPrefixes":["10.20.0.0/16"]},
                "subnets":[{"name":"snet-data-science","properties":{"addressPrefix":"10.20.8.0/24"}}]}}"#
                .to_owned(),
        ),
        (
            "rg-security",
            "/providers/Microsoft.KeyVault/vaults/kv-people-prod",
            "2026-02-01",
            format!(
                r#"{{"location":"westeurope","properties":{{"tenantId":"{}","sku":{{"name":"standard","family":"A"}},"enableRbacAuthorization":true}}}}"#,
                arm_local::TENANT
            ),
        ),
    ];
    for (group, resource, version, body) in made {
        let path = format!("{subscription}/resourceGroups/{group}{resource}?api-version={version}");
        place.arm("PUT", &path, &body);
    }
    let applied = place.run("apply --as-of 2026-11-23 --yes main.dsvm");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    // Inside of the network: an address of its subnet, behind those that Azure keeps and those that are taken.
    assert!(applied.stdout.contains("ssh platform@10.20.8."), "{}", applied.text());
    let again = place.run("plan --as-of 2026-11-23 --detailed-exitcode main.dsvm");
    assert_eq!(again.exit, 0, "{}", again.text());
    // Also for those who know nothing of the last apply.
    std::fs::remove_dir_all(place.cx.path().join(".dsvmc/inside.prod")).unwrap();
    let elsewhere = place.run("plan --as-of 2026-11-23 --detailed-exitcode main.dsvm");
    assert_eq!(elsewhere.exit, 0, "{}", elsewhere.text());
}
