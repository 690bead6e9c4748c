//! Autoscale settings against a clock that the test moves.

use serde_json::{Value, json};

use super::types::pool;
use super::{Local, body, code, full};

const SETTING: &str = "{rg}/Microsoft.Insights/autoscaleSettings/auto";
const VMSS: &str = "{rg}/Microsoft.Compute/virtualMachineScaleSets/pool";

fn at(local: &Local, time: &str) {
    let reply = local.post("/_local/clock", &json!({ "now": time, "freeze": true }).to_string());
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn capacity(local: &Local) -> i64 {
    body(&local.get(VMSS))["sku"]["capacity"].as_i64().expect("a capacity")
}

fn limits(least: &str, most: &str, default: &str) -> Value {
    json!({ "minimum": least, "maximum": most, "default": default })
}

fn weekly(days: &[&str], hour: i64) -> Value {
    json!({ "frequency": "Week", "schedule": { "timeZone": "W. Europe Standard Time", "days": days, "hours": [hour], "minutes": [0] } })
}

fn rule(direction: &str, operator: &str, threshold: f64) -> Value {
    json!({ "metricTrigger": { "metricName": "Percentage CPU", "metricResourceUri": full(VMSS), "timeGrain": "PT1M", "statistic": "Average",
        "timeWindow": "PT10M", "timeAggregation": "Average", "operator": operator, "threshold": threshold },
        "scaleAction": { "direction": direction, "type": "ChangeCount", "value": "2", "cooldown": "PT5M" } })
}

fn setting(local: &Local, profiles: Value) -> super::Reply {
    local.put(SETTING, &json!({ "location": "westeurope", "properties": { "enabled": true, "targetResourceUri": full(VMSS), "profiles": profiles } }).to_string())
}

const WORK: &[&str] = &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];

#[test]
fn schedules_grow_and_shrink_the_pool() {
    let local = pool();
    // a Monday in winter: 06:00 in Berlin
    at(&local, "2026-11-23T05:00:00Z");
    let reply = setting(
        &local,
        json!([
            { "name": "night", "capacity": limits("0", "1", "0"), "rules": [] },
            { "name": "work", "capacity": limits("4", "8", "4"), "rules": [], "recurrence": weekly(WORK, 8) },
            { "name": "{\"name\":\"Auto created default scale condition\",\"for\":\"work\"}", "capacity": limits("0", "1", "0"), "rules": [], "recurrence": weekly(WORK, 19) },
            { "name": "launch", "capacity": limits("7", "7", "7"), "rules": [],
              "fixedDate": { "timeZone": "W. Europe Standard Time", "start": "2026-11-25T10:00:00", "end": "2026-11-25T12:00:00" } },
        ]),
    );
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(capacity(&local), 2, "nothing happens before the next minute");
    for (time, expected) in [
        ("2026-11-23T05:01:00Z", 1),
        ("2026-11-23T06:59:00Z", 1),
        ("2026-11-23T07:00:00Z", 4),
        ("2026-11-23T17:59:00Z", 4),
        ("2026-11-23T18:00:00Z", 1),
        ("2026-11-25T09:30:00Z", 7),
        // back to the working day's own limits: seven is allowed there
        ("2026-11-25T11:30:00Z", 7),
        ("2026-11-27T18:30:00Z", 1),
        ("2026-11-29T12:00:00Z", 1),
        // summer time: 08:00 is 06:00 UTC
        ("2027-06-07T05:59:00Z", 1),
        ("2027-06-07T06:00:00Z", 4),
    ] {
        at(&local, time);
        assert_eq!(capacity(&local), expected, "{time}");
    }
}

#[test]
fn metrics_scale_out_and_in_with_cooldown() {
    let local = pool();
    at(&local, "2026-11-23T12:00:00Z");
    let rules = json!([rule("Increase", "GreaterThan", 75.0), rule("Decrease", "LessThan", 25.0)]);
    assert_eq!(
        setting(&local, json!([{ "name": "p", "capacity": limits("1", "5", "2"), "rules": rules }])).status,
        201
    );
    let feed = |value: f64| {
        let reply = local.post(
            "/_local/metrics",
            &json!({ "resource": full(VMSS), "metric": "Percentage CPU", "value": value, "for": "PT10M" }).to_string(),
        );
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    feed(90.0);
    at(&local, "2026-11-23T12:01:00Z");
    assert_eq!(capacity(&local), 4);
    feed(90.0);
    at(&local, "2026-11-23T12:05:00Z");
    assert_eq!(capacity(&local), 4, "the cooldown holds");
    at(&local, "2026-11-23T12:06:00Z");
    assert_eq!(capacity(&local), 5, "the maximum holds");
    at(&local, "2026-11-23T13:00:00Z");
    feed(10.0);
    at(&local, "2026-11-23T13:01:00Z");
    assert_eq!(capacity(&local), 3);
    at(&local, "2026-11-23T14:00:00Z");
    feed(24.0);
    at(&local, "2026-11-23T14:01:00Z");
    assert_eq!(capacity(&local), 1, "24 times 3 is 72: no flapping");
    let log = local.get("/_local/metrics");
    let events =
        body(&log)["autoscale"][0]["events"].as_array().expect("events").iter().map(|event| event["to"].clone());
    // between the readings the metric is missing: up to the default, never down
    assert_eq!(events.collect::<Vec<_>>(), [4, 5, 3, 1, 2, 1]);
}

#[test]
fn scaling_in_waits_when_it_would_scale_out_again() {
    let local = pool();
    at(&local, "2026-11-23T12:00:00Z");
    let rules = json!([rule("Increase", "GreaterThan", 75.0), rule("Decrease", "LessThan", 60.0)]);
    local.put(VMSS, r#"{"sku":{"name":"Standard_NC4as_T4_v3","capacity":4}}"#);
    setting(&local, json!([{ "name": "p", "capacity": limits("1", "5", "2"), "rules": rules }]));
    local.post(
        "/_local/metrics",
        &json!({ "resource": full(VMSS), "metric": "Percentage CPU", "value": 58, "for": "PT10M" }).to_string(),
    );
    at(&local, "2026-11-23T12:01:00Z");
    assert_eq!(capacity(&local), 4, "58 * 4 / 3 = 77.3, on two machines 116");
}

#[test]
fn settings_are_checked() {
    let local = pool();
    let refused = |profiles: Value| code(&setting(&local, profiles)).1.to_owned();
    assert_eq!(refused(json!([])), "BadRequest");
    assert_eq!(refused(json!([{ "name": "p", "capacity": limits("3", "2", "3"), "rules": [] }])), "BadRequest");
    let mut zone = weekly(WORK, 8);
    zone["schedule"]["timeZone"] = json!("Mars Standard Time");
    assert_eq!(
        refused(json!([{ "name": "p", "capacity": limits("1", "2", "1"), "rules": [], "recurrence": zone }])),
        "BadRequest"
    );
    let fine = json!([{ "name": "p", "capacity": limits("1", "2", "1"), "rules": [] }]);
    assert_eq!(setting(&local, fine.clone()).status, 201);
    let text = json!({ "location": "westeurope", "properties": { "targetResourceUri": full(VMSS), "profiles": fine } })
        .to_string();
    assert_eq!(code(&local.put("{rg}/Microsoft.Insights/autoscaleSettings/second", &text)), (409, "Conflict"));
}

/// Metrics of the last ten minutes, then one run at the next minute.
fn after(local: &Local, resource: &str, metric: &str, value: f64, time: &str) -> i64 {
    let fed = json!({ "resource": resource, "metric": metric, "value": value, "for": "PT10M" });
    assert_eq!(local.post("/_local/metrics", &fed.to_string()).status, 200);
    at(local, time);
    capacity(local)
}

#[test]
fn the_cooldown_of_the_last_rule_holds_both_directions() {
    let local = pool();
    at(&local, "2026-11-23T10:00:00Z");
    let mut rules = [rule("Increase", "GreaterThan", 70.0), rule("Decrease", "LessThan", 20.0)];
    rules[0]["scaleAction"]["cooldown"] = json!("PT1H");
    rules[1]["scaleAction"]["cooldown"] = json!("PT40M");
    let reply = setting(&local, json!([{ "name": "p", "capacity": limits("1", "9", "1"), "rules": rules }]));
    assert_eq!(reply.status, 201, "{reply:?}");
    let cpu = |value: f64, time: &str| after(&local, &full(VMSS), "Percentage CPU", value, time);
    assert_eq!(cpu(90.0, "2026-11-23T10:01:00Z"), 4);
    at(&local, "2026-11-23T10:43:00Z");
    assert_eq!(cpu(5.0, "2026-11-23T10:44:00Z"), 4, "out waits an hour, and so does in");
    at(&local, "2026-11-23T11:00:00Z");
    assert_eq!(cpu(5.0, "2026-11-23T11:01:00Z"), 2);
}

#[test]
fn fewer_machines_leave_where_all_would_come_back() {
    let local = pool();
    at(&local, "2026-11-23T12:00:00Z");
    local.put(VMSS, r#"{"sku":{"name":"Standard_NC4as_T4_v3","capacity":30}}"#);
    let mut rules = [rule("Increase", "GreaterThan", 70.0), rule("Decrease", "LessThan", 66.0)];
    rules[1]["scaleAction"]["value"] = json!("10");
    setting(&local, json!([{ "name": "p", "capacity": limits("1", "40", "2"), "rules": rules }]));
    assert_eq!(after(&local, &full(VMSS), "Percentage CPU", 65.0, "2026-11-23T12:01:00Z"), 28);
    let log = local.get("/_local/metrics");
    let event = &body(&log)["autoscale"][0]["events"][0];
    assert_eq!(
        (&event["event"], &event["intended"], &event["to"]),
        (&json!("FlappingOccurred"), &json!(20), &json!(28))
    );
}

#[test]
fn messages_are_counted_per_machine() {
    let local = pool();
    at(&local, "2026-11-23T12:00:00Z");
    let queue = full("{rg}/Microsoft.Storage/storageAccounts/acc/services/queue/queues/work");
    let mut out = rule("Increase", "GreaterThanOrEqual", 50.0);
    out["metricTrigger"]["metricName"] = json!("ApproximateMessageCount");
    out["metricTrigger"]["metricResourceUri"] = json!(queue);
    setting(&local, json!([{ "name": "p", "capacity": limits("1", "9", "1"), "rules": [out] }]));
    assert_eq!(after(&local, &queue, "ApproximateMessageCount", 50.0, "2026-11-23T12:01:00Z"), 2, "25 for each");
    at(&local, "2026-11-23T12:20:00Z");
    assert_eq!(after(&local, &queue, "ApproximateMessageCount", 100.0, "2026-11-23T12:21:00Z"), 4);
}
