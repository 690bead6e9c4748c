//! Situations → what is said of them.

use super::*;
use arm_plan::{Desired, DiffOptions, Observed, Source, diff};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const GROUP: &str = "/subscriptions/s/resourceGroups/rg/providers";

fn id(rest: &str) -> String {
    format!("{GROUP}/{rest}")
}

fn source(line: u32) -> Source {
    Source { file: "main.dsvm".to_owned(), line, column: 6 }
}

/// A block of three lines.
fn block(kind: &str, name: &str, line: u32) -> Block {
    Block {
        kind: kind.to_owned(),
        name: name.to_owned(),
        place: Some(source(line)),
        start: (line, 1),
        end: (line + 2, 1),
        places: BTreeMap::from([("size".to_owned(), source(line + 1))]),
    }
}

/// What is said of resources that are `before` and become `after`, each with the line of its block.
fn said(before: &[Value], after: &[(u32, Value)], blocks: &[Block]) -> Impact {
    let bodies: Vec<Value> = after.iter().map(|(_, body)| body.clone()).collect();
    let mut desired = Desired::from_resources(&bodies);
    for (resource, (line, _)) in desired.resources.iter_mut().zip(after) {
        resource.source = Some(source(*line));
    }
    let managed = before.iter().filter_map(|body| body["id"].as_str().map(str::to_owned)).collect();
    let observed = Observed::of(before, managed);
    let plan = diff(&desired, &observed, &DiffOptions::default());
    let nothing = Desired::default();
    describe(&Situation {
        plan: &plan,
        desired: &desired,
        observed: &observed,
        declared: &nothing,
        sent: &nothing,
        live: true,
        blocks,
    })
}

fn set(name: &str, size: &str, machines: u32) -> Value {
    json!({ "id": id(&format!("Microsoft.Compute/virtualMachineScaleSets/vmss-{name}")), "location": "westus2",
        "sku": { "name": size, "capacity": machines },
        "properties": { "orchestrationMode": "Flexible", "upgradePolicy": { "mode": "Rolling",
            "rollingUpgradePolicy": { "maxBatchInstancePercent": 20, "pauseTimeBetweenBatches": "PT5M" } } } })
}

fn scale(most: u32, threshold: u32) -> Value {
    let rule = json!({ "metricTrigger": { "metricName": "Percentage CPU", "timeAggregation": "Average", "timeWindow": "PT10M",
        "operator": "GreaterThan", "threshold": threshold }, "scaleAction": { "direction": "Increase", "type": "ChangeCount",
        "value": "1", "cooldown": "PT10M" } });
    let profile = |name: &str, least: u32| {
        json!({ "name": name, "capacity": { "minimum": least.to_string(), "maximum": most.to_string(), "default": "1" },
            "rules": [rule] })
    };
    json!({ "id": id("Microsoft.Insights/autoscaleSettings/autoscale-team"), "location": "westus2", "properties": { "enabled": true,
        "targetResourceUri": id("Microsoft.Compute/virtualMachineScaleSets/vmss-team"),
        "profiles": [profile("Auto created default scale condition", 1), profile("workday", 2)] } })
}

fn machine(users: &[&str], mount: &str) -> String {
    use base64::Engine;
    let users: Vec<Value> = users.iter().map(|name| json!({ "name": name, "uid": 2000 + name.len() })).collect();
    let facts = json!({ "pool": "team", "users": users, "shares": [{ "share": "nb", "mount": mount, "links": [] }],
        "steps": [{ "name": "tools", "run": "apt update" }] });
    let text = format!("#!/usr/bin/python3 -I\nmain()\n#POOL {facts}\n");
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn booted(data: &str) -> Value {
    let mut body = set("team", "Standard_D4s_v5", 2);
    let setup = json!({ "name": "setup", "properties": { "type": "CustomScript", "forceUpdateTag": data.len().to_string(),
        "protectedSettings": { "script": data } } });
    body["properties"]["virtualMachineProfile"] = json!({ "extensionProfile": { "extensions": [setup] } });
    body
}

fn lines(impact: &Impact) -> Vec<String> {
    let all = impact.blocks.iter().flat_map(|block| block.lines.iter().map(move |line| (block.blocks.join("+"), line)));
    all.map(|(title, line)| format!("{title} | {} | {} | {}", line.subject, line.change, line.effect)).collect()
}

fn notices(impact: &Impact) -> Vec<&str> {
    impact.notices.iter().map(|notice| notice.text.as_str()).collect()
}

#[test]
fn a_size_restarts_machines_one_at_a_time() {
    let before = [set("team", "Standard_D4s_v5", 2)];
    let impact = said(&before, &[(10, set("team", "Standard_D8s_v5", 2))], &[block("pool", "team", 10)]);
    let effect = "restarts 2 machines, one at a time, 5 min apart";
    assert_eq!(lines(&impact), [format!("pool team | size | Standard_D4s_v5 → Standard_D8s_v5 | {effect}")]);
    assert_eq!(impact.blocks[0].lines[0].source.as_ref().unwrap().line, 11, "the field, not the block");
    assert_eq!(notices(&impact), [format!("pool team: {effect}; sessions on them end")]);
    assert_eq!(impact.notices[0].severity, Severity::Restarted);
    assert_eq!(impact.summary, "1 of 1 resource is updated; nothing is deleted.");
}

#[test]
fn a_rollout_says_how_long_it_takes_at_least() {
    let effect = |mode: &str| {
        let with = |size: &str| {
            let mut set = set("team", size, 7);
            set["properties"]["upgradePolicy"]["mode"] = mode.into();
            set
        };
        let (before, after) = ([with("Standard_D4s_v5")], [(10, with("Standard_D8s_v5"))]);
        said(&before, &after, &[block("pool", "team", 10)]).blocks[0].lines[0].effect.clone()
    };
    assert_eq!(effect("Rolling"), "restarts 7 machines, one at a time, 5 min apart (at least 30 min)");
    assert_eq!(effect("Manual"), "on new machines only; the 7 running machines keep what they have");
    assert_eq!(effect("Automatic"), "restarts 7 machines, all at once");
}

#[test]
fn a_narrower_range_says_how_many_machines_go() {
    let pool = set("team", "Standard_D4s_v5", 7);
    let before = [pool.clone(), scale(10, 75)];
    let impact = said(&before, &[(10, pool), (10, scale(2, 70))], &[block("pool", "team", 10)]);
    let removes = "removes 5 of 7 machines at the next evaluation, within a minute";
    assert_eq!(
        lines(&impact),
        [
            format!("pool team | machines | 1..10 → 1..2 | {removes}"),
            "pool team | autoscale when #1 | cpu > 75 % → 70 % | from the next evaluation".to_owned(),
            format!("pool team | schedule workday machines | 2..10 → 2 | {removes}"),
        ]
    );
    assert_eq!(notices(&impact), [format!("pool team: {removes}; sessions on them end")]);
    assert_eq!(impact.notices[0].severity, Severity::WorkLost);
}

#[test]
fn what_travels_encoded_is_compared_by_what_is_in_it() {
    let before = [booted(&machine(&["ada", "carol"], "/data/notebooks"))];
    let after = [(10, booted(&machine(&["ada", "bob"], "/data/nb")))];
    let impact = said(&before, &after, &[block("pool", "team", 10)]);
    let when = "reaches the 2 running machines one at a time, 5 min apart, no restart";
    assert_eq!(
        lines(&impact),
        [
            format!("pool team | user bob | added | {when}"),
            format!("pool team | user carol | removed | {when}"),
            format!("pool team | share nb mount | /data/notebooks → /data/nb | {when}"),
        ]
    );
    let told = notices(&impact);
    assert!(told[0].starts_with("carol can no longer log in to pool team"), "{told:?}");
    assert!(told.last().unwrap().starts_with("bob can log in to pool team"), "{told:?}");
}

#[test]
fn rights_of_a_new_user_and_a_number_that_was_used_before_are_shown() {
    use base64::Engine;
    let with = |users: Value| {
        let text = format!("#!/usr/bin/python3 -I\nmain()\n#POOL {}\n", json!({ "pool": "team", "users": users }));
        booted(&base64::engine::general_purpose::STANDARD.encode(text))
    };
    let before = [with(json!([{ "name": "ada", "uid": 2001, "sudo": false }]))];
    let carol = json!([{ "name": "carol", "uid": 2001, "sudo": true, "groups": ["docker", "video"] }]);
    let impact = said(&before, &[(10, with(carol))], &[block("pool", "team", 10)]);
    let when = "reaches the 2 running machines one at a time, 5 min apart, no restart";
    assert_eq!(
        lines(&impact),
        [
            format!("pool team | user carol | added, with `sudo`, in docker, video | {when}"),
            format!("pool team | user carol uid | 2001 was ada's: files of ada on NFS shares become carol's | {when}"),
            format!("pool team | user ada | removed | {when}"),
        ]
    );
    let told = notices(&impact);
    assert!(
        told.iter().any(|text| text.starts_with("carol can log in to pool team and become root there")),
        "{told:?}"
    );
}

#[test]
fn limits_and_the_host_key_are_told_in_the_words_of_the_source() {
    use base64::Engine;
    let with = |more: &str| {
        let text = format!("#!/usr/bin/python3 -I\nmain()\n#POOL {{\"pool\":\"team\",\"users\":[]{more}}}\n");
        booted(&base64::engine::general_purpose::STANDARD.encode(text))
    };
    let key = |vault: &str, name: &str| format!(r#","host_key":{{"vault":"{vault}","secret":"{name}"}}"#);
    let when = "reaches the 2 running machines one at a time, 5 min apart, no restart";
    let told = |before: &str, after: &str| {
        let impact = said(&[with(before)], &[(10, with(after))], &[block("pool", "team", 10)]);
        let all: Vec<String> = notices(&impact).into_iter().map(str::to_owned).collect();
        (lines(&impact), all)
    };
    let (changed, noticed) = told(r#","limits":{"memory":"8G","tasks":500}"#, r#","limits":{"memory":"16G"}"#);
    assert_eq!(
        changed,
        [
            format!("pool team | limits memory | 8 GiB → 16 GiB | {when}"),
            format!("pool team | limits tasks | 500 → none | {when}"),
        ]
    );
    assert_eq!(noticed, Vec::<String>::new());
    let (changed, _) = told(r#","limits":{"memory":"50%"}"#, "");
    assert_eq!(changed, [format!("pool team | limits memory | 50% → none | {when}")]);
    let (changed, noticed) = told("", &key("one", "host"));
    assert_eq!(changed, [format!("pool team | host_key | one for each machine → host | {when}")]);
    assert!(noticed[0].starts_with("pool team has another SSH host key"), "{noticed:?}");
    let (changed, _) = told(&key("one", "host"), "");
    assert_eq!(changed, [format!("pool team | host_key | host → one for each machine | {when}")]);
    let (changed, _) = told(&key("one", "host"), &key("another", "host"));
    assert_eq!(changed, [format!("pool team | host_key | host of another vault | {when}")]);
}

#[test]
fn a_pool_that_goes_is_told_with_its_machines_and_its_data() {
    let share = id("Microsoft.Storage/storageAccounts/stnb/fileServices/default/shares/notebooks");
    let before = [
        set("team", "Standard_D4s_v5", 4),
        json!({ "id": id("Microsoft.Storage/storageAccounts/stnb"), "properties": {} }),
        json!({ "id": share, "properties": { "shareQuota": 1024 } }),
    ];
    let impact = said(&before, &[], &[block("pool", "other", 10)]);
    assert_eq!(
        notices(&impact),
        [
            "share notebooks is deleted with everything on it",
            "pool team is deleted: sessions on its 4 machines end, and what is on their disks is lost",
        ]
    );
    assert_eq!(lines(&impact)[0], "pool team |  | removed | deletes 4 machines");
    assert_eq!(impact.summary, "3 of 3 resources are deleted.");
}

#[test]
fn identical_changes_of_many_pools_are_one_entry() {
    let names = ["lab-a", "lab-b", "lab-c"];
    let before: Vec<Value> = names.iter().map(|name| set(name, "Standard_D4s_v5", 0)).collect();
    let after: Vec<(u32, Value)> = names.iter().map(|name| (10, set(name, "Standard_D8s_v5", 0))).collect();
    let blocks: Vec<Block> = names.iter().map(|name| block("pool", name, 10)).collect();
    let impact = said(&before, &after, &blocks);
    assert_eq!(
        lines(&impact),
        ["pool lab-a+pool lab-b+pool lab-c | size | Standard_D4s_v5 → Standard_D8s_v5 | no machine runs now"]
    );
    assert_eq!(impact.blocks[0].lines[0].resources.len(), 3);
}

#[test]
fn a_hidden_cause_is_named() {
    let mut after = set("team", "Standard_D4s_v5", 3);
    after["properties"]["orchestrationMode"] = json!("Uniform");
    let cause = "`entra_login` makes the set Uniform, which is fixed at creation";
    let mut desired = Desired::from_resources(&[after]);
    desired.resources[0].source = Some(source(10));
    let before = [set("team", "Standard_D4s_v5", 3)];
    let observed = Observed::of(&before, vec![]);
    let mut plan = diff(&desired, &observed, &DiffOptions::default());
    plan.changes[0].attributes[0].cause = Some(cause.to_owned());
    let (sent, blocks) = (Desired::default(), [block("pool", "team", 10)]);
    let impact = describe(&Situation {
        plan: &plan,
        desired: &desired,
        observed: &observed,
        declared: &desired,
        sent: &sent,
        live: true,
        blocks: &blocks,
    });
    let line = &impact.blocks[0].lines[0];
    assert_eq!((line.subject.as_str(), line.change.as_str()), ("entra_login", "on"));
    assert_eq!(line.effect, "deletes and recreates it with 3 machines");
    assert_eq!(line.because, [format!("because {cause}")]);
    assert_eq!(impact.notices[0].severity, Severity::PoolGone);
}

#[test]
fn every_effective_change_is_in_a_block() {
    let before = [
        set("team", "Standard_D4s_v5", 2),
        json!({ "id": id("Foo.Bar/things/one"), "properties": { "a": { "b": 1 }, "secretKey": "x" } }),
    ];
    let after = [
        (10, set("team", "Standard_D8s_v5", 2)),
        (20, json!({ "id": id("Foo.Bar/things/one"), "properties": { "a": { "b": 2 }, "secretKey": "y" } })),
        (20, json!({ "id": id("Foo.Bar/things/two"), "properties": {} })),
    ];
    let impact = said(&before, &after, &[block("pool", "team", 10), block("resource", "one", 20)]);
    let mut ids: Vec<&String> = impact.blocks.iter().flat_map(|b| &b.lines).flat_map(|line| &line.resources).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{:?}", lines(&impact));
    let text = serde_json::to_string(&impact).unwrap();
    assert!(!text.contains("\"x\"") && !text.contains("\"y\""), "{text}");
}
