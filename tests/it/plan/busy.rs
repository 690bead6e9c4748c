//! A pool that autoscale moves between a saved plan and its apply.

use super::deploy::Place;
use crate::support::Ran;
use serde_json::{Value, json};

const POOL: &str = include_str!("../../../examples/01-shared-pool/main.dsvm");

fn scale_set(place: &Place, method: &str, body: &str) -> Value {
    let group = format!("/subscriptions/{}/resourceGroups/rg-dsvm-team", arm_local::SUBSCRIPTION);
    let path = format!("{group}/providers/Microsoft.Compute/virtualMachineScaleSets/vmss-team?api-version=2025-04-01");
    place.arm(method, &path, body)
}

fn machines(place: &Place) -> i64 {
    scale_set(place, "GET", "")["sku"]["capacity"].as_i64().unwrap()
}

/// Load for ten minutes, and eleven minutes pass.
fn work(place: &Place) {
    let pool = scale_set(place, "GET", "")["id"].as_str().unwrap().to_owned();
    place.arm(
        "POST",
        "/_local/metrics",
        &json!({ "resource": pool, "metric": "Percentage CPU", "value": 90, "for": "PT20M" }).to_string(),
    );
    place.arm("POST", "/_local/clock", r#"{"advance":"PT11M"}"#);
}

fn fine(ran: Ran) -> Ran {
    assert_eq!(ran.exit, 0, "{}", ran.text());
    ran
}

#[test]
fn a_saved_plan_of_a_busy_pool_is_applied_and_keeps_its_machines() {
    let place = Place::new();
    // A Sunday: no schedule moves the pool.
    place.arm("POST", "/_local/clock", r#"{"now":"2026-11-22T08:00:00Z","freeze":true}"#);
    place.cx.write("main.dsvm", POOL);
    fine(place.run("apply --yes main.dsvm"));
    let before = machines(&place);
    place.cx.write("main.dsvm", &POOL.replace("quota = 1 TiB", "quota = 2 TiB"));
    fine(place.run("plan -o busy.plan main.dsvm"));
    work(&place);
    let busy = machines(&place);
    assert!(busy > before, "{before} → {busy}");
    let plan = fine(place.run("plan main.dsvm"));
    assert!(plan.stdout.contains("resources is updated; nothing is deleted."), "{}", plan.text());
    let applied = fine(place.run("apply busy.plan"));
    assert!(applied.stdout.contains("1 updated"), "{}", applied.text());
    assert_eq!(machines(&place), busy);
    // Anything else that changed is another world, in the pool too.
    place.cx.write("main.dsvm", &POOL.replace("quota = 1 TiB", "quota = 3 TiB"));
    for edit in [json!({ "tags": { "by": "somebody" } }), json!({ "sku": { "name": "Standard_D8s_v5" } })] {
        fine(place.run("plan -o busy.plan main.dsvm"));
        scale_set(&place, "PATCH", &edit.to_string());
        let refused = place.run("apply busy.plan");
        assert_eq!(refused.exit, 1, "{}", refused.text());
        assert!(
            refused.stderr.contains("deployed resources changed since the plan was made: `vmss-team`"),
            "{}",
            refused.text()
        );
        assert_eq!(machines(&place), busy);
    }
    // So is every other byte of the file.
    fine(place.run("plan -o busy.plan main.dsvm"));
    let saved = place.cx.read("busy.plan");
    for (from, to) in [
        ("\"after\": 3072", "\"after\": 3073"),
        ("vmss-team\": \"", "vmss-team\": \"0"),
        ("\"env\": \"team\"", "\"env\": \"prod\""),
    ] {
        assert!(saved.contains(from), "{from}");
        place.cx.write("other.plan", &saved.replacen(from, to, 1));
        let refused = place.run("apply other.plan");
        assert!(refused.exit == 1 && refused.stderr.contains("changed after it was saved"), "{}", refused.text());
    }
}
