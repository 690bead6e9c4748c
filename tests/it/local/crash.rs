//! The endpoint is killed at random moments: what it acknowledged is there after a restart, and nothing is half done.
//! `DSVMC_CRASHES=200` for the long run.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use arm_local::announced;

use super::ask;
use serde_json::json;

use crate::support::TestContext;

#[expect(clippy::zombie_processes, reason = "the caller kills it and waits; a test that gives up ends the process")]
fn start(context: &TestContext) -> (Child, u16) {
    let mut command = context.command("local serve");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("spawn");
    let folder = context.path().join(".dsvmc/local");
    let begin = Instant::now();
    loop {
        let port = announced(&folder)
            .filter(|last| last["pid"] == child.id())
            .and_then(|last| u16::try_from(last["httpPort"].as_u64()?).ok());
        if let Some(port) = port.filter(|port| ask(*port, "GET", "/_local/status", "").is_ok()) {
            return (child, port);
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "the endpoint does not start");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn template(round: u64) -> String {
    let widget = |n: u64| {
        let after: Vec<String> = (n > 0)
            .then(|| format!("[resourceId('Contoso.Things/widgets', 'r{round}-{}')]", n - 1))
            .into_iter()
            .collect();
        json!({ "type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": format!("r{round}-{n}"), "location": "westeurope", "dependsOn": after, "properties": { "n": n } })
    };
    json!({ "properties": { "mode": "Incremental", "template": { "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": (0..12).map(widget).collect::<Vec<_>>() } } })
    .to_string()
}

#[test]
fn killed_at_any_moment_it_loses_nothing_that_it_acknowledged() {
    let rounds: u64 = std::env::var("DSVMC_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let context = TestContext::new();
    let (mut child, mut port) = start(&context);
    let group = "/subscriptions/s/resourceGroups/rg";
    ask(port, "PUT", group, r#"{"location":"westeurope"}"#).expect("group");
    let path = |round: u64| format!("{group}/providers/Microsoft.Resources/deployments/d{round}");
    let mut acknowledged = Vec::new();
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..rounds {
        // a reader beside the writer may be cut off: only an answer counts
        let wait = {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Duration::from_micros((random >> 33) % 40_000)
        };
        let killer = std::thread::spawn({
            let id = child.id();
            move || {
                std::thread::sleep(wait);
                let _ = std::process::Command::new("kill").args(["-9", &id.to_string()]).status();
            }
        });
        if ask(port, "PUT", &path(round), &template(round)).is_ok() {
            acknowledged.push(round);
        }
        killer.join().expect("killer");
        child.wait().expect("dead");
        (child, port) = start(&context);
    }
    let begin = Instant::now();
    for round in 0..rounds {
        let record = loop {
            match ask(port, "GET", &path(round), "") {
                Ok(record)
                    if ["Accepted", "Running"]
                        .contains(&record["properties"]["provisioningState"].as_str().unwrap_or_default()) =>
                {
                    assert!(begin.elapsed() < Duration::from_secs(300), "a deployment is not taken up again: {record}");
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(record) => break Some(record),
                Err(_) => break None,
            }
        };
        let there =
            |n: u64| ask(port, "GET", &format!("{group}/providers/Contoso.Things/widgets/r{round}-{n}"), "").is_ok();
        let count = (0..12).filter(|n| there(*n)).count();
        match record {
            Some(record) => assert_eq!(
                (&record["properties"]["provisioningState"], count),
                (&json!("Succeeded"), 12),
                "round {round}"
            ),
            None => {
                assert!(!acknowledged.contains(&round), "round {round} was acknowledged and is lost");
                assert_eq!(count, 0, "round {round} left resources without a deployment");
            }
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}
