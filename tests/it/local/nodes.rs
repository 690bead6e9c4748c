//! Batch pools and machine learning clusters: machines that come and go with tasks, by a formula, on a clock that the test
//! moves.

use arm_local::Options;
use serde_json::{Value, json};

use super::{Local, body, code, full};

const ACCOUNT: &str = "{rg}/Microsoft.Batch/batchAccounts/batch1";
const POOL: &str = "{rg}/Microsoft.Batch/batchAccounts/batch1/pools/p";
const CLUSTER: &str = "{rg}/Microsoft.MachineLearningServices/workspaces/lab/computes/trainers";

fn move_to(local: &Local, time: &str) {
    let reply = local.post("/_local/clock", &json!({ "now": time, "freeze": true }).to_string());
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn advance(local: &Local, span: &str) {
    assert_eq!(local.post("/_local/clock", &json!({ "advance": span }).to_string()).status, 200);
}

fn account(options: Options) -> Local {
    let local = Local::with(options);
    move_to(&local, "2026-11-23T08:00:00Z");
    assert_eq!(local.put("/subscriptions/{sub}/resourceGroups/rg", r#"{"location":"westeurope"}"#).status, 201);
    assert_eq!(local.put(ACCOUNT, r#"{"location":"westeurope"}"#).status, 202);
    local
}

fn pool(scale: &Value) -> String {
    json!({ "properties": { "vmSize": "Standard_D2s_v5", "taskSlotsPerNode": 2, "scaleSettings": scale,
        "deploymentConfiguration": { "virtualMachineConfiguration": { "nodeAgentSkuId": "batch.node.ubuntu 22.04",
            "imageReference": { "publisher": "p", "offer": "o", "sku": "s" } } } } })
    .to_string()
}

fn auto(formula: &str) -> String {
    pool(&json!({ "autoScale": { "formula": formula, "evaluationInterval": "PT5M" } }))
}

fn fixed(dedicated: i64, spot: i64) -> String {
    pool(&json!({ "fixedScale": { "targetDedicatedNodes": dedicated, "targetLowPriorityNodes": spot } }))
}

fn tasks(local: &Local, pool: &str, count: i64, each: &str) {
    let reply = local.post("/_local/tasks", &json!({ "pool": full(pool), "count": count, "each": each }).to_string());
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// Dedicated and spot machines, and whether they are as wanted.
fn nodes(local: &Local) -> (i64, i64, String) {
    let reply = local.get(POOL);
    let at = |key: &str| body(&reply)["properties"][key].clone();
    let number = |key: &str| at(key).as_i64().unwrap_or(-1);
    (
        number("currentDedicatedNodes"),
        number("currentLowPriorityNodes"),
        at("allocationState").as_str().unwrap_or("").to_owned(),
    )
}

fn steady(dedicated: i64, spot: i64) -> (i64, i64, String) {
    (dedicated, spot, "Steady".to_owned())
}

fn resizing(dedicated: i64, spot: i64) -> (i64, i64, String) {
    (dedicated, spot, "Resizing".to_owned())
}

const FOLLOW: &str = "$s = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);
    $t = $s < 70 ? max(0, $PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 5)));
    $TargetDedicatedNodes = max(0, min(4, ($t + 1.999) / 2)); $TargetLowPriorityNodes = 0;
    $NodeDeallocationOption = taskcompletion;";

#[test]
fn a_pool_grows_with_its_tasks_and_goes_to_zero_without_them() {
    let local = account(Options::default());
    assert_eq!(local.put(POOL, &auto(FOLLOW)).status, 200);
    assert_eq!(nodes(&local), steady(0, 0));
    tasks(&local, POOL, 5, "PT12M");
    assert_eq!(nodes(&local), steady(0, 0), "the formula runs every five minutes");
    advance(&local, "PT4M59S");
    assert_eq!(nodes(&local), steady(0, 0));
    advance(&local, "PT1S");
    assert_eq!(nodes(&local), steady(3, 0), "five tasks, two on a machine");
    advance(&local, "PT11M");
    assert_eq!(nodes(&local), steady(3, 0), "tasks run");
    advance(&local, "PT30M");
    assert_eq!(nodes(&local), steady(0, 0), "nothing is left to do");
    let reply = local.get("/_local/tasks");
    let state = &body(&reply)["pools"][0];
    assert_eq!(state["tasks"], json!({ "active": 0, "running": 0, "succeeded": 5, "failed": 0 }));
    let reasons: Vec<_> = state["events"].as_array().expect("events").iter().map(|e| e["to"].clone()).collect();
    assert_eq!(reasons.first(), Some(&json!([3, 0])));
    assert_eq!(reasons.last(), Some(&json!([0, 0])));
    let reply = local.get(POOL);
    let run = &body(&reply)["properties"]["autoScaleRun"];
    assert_eq!(run["evaluationTime"], "2026-11-23T08:45:00Z");
    assert!(
        run["results"].as_str().is_some_and(|text| text
            .starts_with("$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=taskcompletion;")),
        "{run}"
    );
}

#[test]
fn a_formula_sees_the_time_and_what_was_fed() {
    let local = account(Options::default());
    let clock = "$TargetDedicatedNodes = time().hour >= 9 && time().hour < 17 ? 2 : 0;
        $TargetLowPriorityNodes = avg($CPUPercent.GetSample(TimeInterval_Minute * 5)) > 0.7 ? 3 : 1;";
    let sample = |value: f64| json!({ "resource": full(POOL), "metric": "$CPUPercent", "value": value, "for": "PT5M" });
    // nothing was measured yet: the run fails, and the pool stays as it is
    assert_eq!(local.put(POOL, &auto(clock)).status, 200);
    let reply = local.get(POOL);
    let run = &body(&reply)["properties"]["autoScaleRun"];
    assert_eq!(run["error"]["code"], "AutoScalingFormulaEvaluationError", "{run}");
    assert!(
        run["error"]["details"][0]["message"].as_str().is_some_and(|text| text.starts_with("Line 2, Col ")),
        "{run}"
    );
    assert_eq!(nodes(&local), steady(0, 0));
    advance(&local, "PT4M");
    assert_eq!(local.post("/_local/metrics", &sample(0.9).to_string()).status, 200);
    advance(&local, "PT1M");
    assert_eq!(nodes(&local), steady(0, 3));
    move_to(&local, "2026-11-23T09:04:00Z");
    assert_eq!(local.post("/_local/metrics", &sample(0.2).to_string()).status, 200);
    assert_eq!(nodes(&local), steady(0, 3), "at nine there was no sample, the next run is at 9:05");
    advance(&local, "PT1M");
    assert_eq!(nodes(&local), steady(2, 1));
    // any formula can be tried, and nothing happens
    let trial = json!({ "pool": full(POOL), "formula": "$TargetDedicatedNodes = $CurrentDedicatedNodes + 7;" });
    let reply = local.post("/_local/formula", &trial.to_string());
    assert_eq!(
        body(&reply)["results"],
        "$TargetDedicatedNodes=9;$TargetLowPriorityNodes=1;$NodeDeallocationOption=requeue"
    );
    assert_eq!(nodes(&local), steady(2, 1));
}

#[test]
fn resizes_take_time_and_can_be_stopped() {
    let local = account(Options { latency_ms: 60_000, ..Options::default() });
    let reply = local.put(POOL, &fixed(10, 0));
    let made = &body(&reply)["properties"];
    assert_eq!((&made["allocationState"], &made["currentDedicatedNodes"]), (&json!("Resizing"), &json!(0)));
    advance(&local, "PT33S");
    assert_eq!(nodes(&local), resizing(5, 0));
    let reply = local.post(&format!("{POOL}/stopResize"), "");
    assert_eq!(body(&reply)["properties"]["resizeOperationStatus"]["errors"][0]["code"], "ResizeStopped");
    advance(&local, "PT1H");
    assert_eq!(nodes(&local), steady(5, 0));
    // a PATCH that says nothing of the scale does not begin again
    assert_eq!(
        local.send("PATCH", POOL, r#"{"properties":{"metadata":[{"name":"nodes","value":"five"}]}}"#, &[]).status,
        200
    );
    assert_eq!(nodes(&local), steady(5, 0));
    let patch = json!({ "properties": { "scaleSettings": { "fixedScale": { "targetDedicatedNodes": 1, "targetLowPriorityNodes": 2 } } } });
    assert_eq!(local.send("PATCH", POOL, &patch.to_string(), &[]).status, 200);
    assert_eq!(nodes(&local), resizing(5, 0));
    advance(&local, "PT1M");
    assert_eq!(nodes(&local), steady(1, 2));
    // from a fixed size to a formula and back
    let patch =
        json!({ "properties": { "scaleSettings": { "autoScale": { "formula": "$TargetDedicatedNodes = 3;" } } } });
    assert_eq!(local.send("PATCH", POOL, &patch.to_string(), &[]).status, 200);
    advance(&local, "PT1M");
    assert_eq!(nodes(&local), steady(3, 2));
    let reply = local.post(&format!("{POOL}/disableAutoScale"), "");
    let scale = &body(&reply)["properties"]["scaleSettings"];
    assert_eq!(
        scale,
        &json!({ "fixedScale": { "targetDedicatedNodes": 3, "targetLowPriorityNodes": 2, "resizeTimeout": "PT15M" } })
    );
    advance(&local, "PT10H");
    assert_eq!(nodes(&local), steady(3, 2));
}

#[test]
fn a_formula_that_is_none_is_refused() {
    let local = account(Options::default());
    assert_eq!(code(&local.put(POOL, &auto("$TargetDedicatedNodes = ;"))), (400, "AutoScalingFormulaSyntaxError"));
    assert_eq!(local.get(POOL).status, 404);
}

#[test]
fn quotas_and_regions_keep_machines_away() {
    let local = account(Options::default());
    let set = |what: &Value| assert_eq!(local.send("PATCH", ACCOUNT, &what.to_string(), &[]).status, 200);
    set(&json!({ "properties": { "dedicatedCoreQuota": 7, "lowPriorityCoreQuota": 4, "poolQuota": 1 } }));
    assert_eq!(local.put(POOL, &fixed(10, 1)).status, 200);
    assert_eq!(nodes(&local), steady(3, 1), "machines of two cores each");
    let reply = local.get(POOL);
    let status = &body(&reply)["properties"]["resizeOperationStatus"];
    assert_eq!(status["targetDedicatedNodes"], 10);
    assert_eq!(status["errors"][0]["code"], "AccountCoreQuotaReached");
    assert_eq!(status["errors"].as_array().map(Vec::len), Some(1));
    let other = format!("{ACCOUNT}/pools/q");
    assert_eq!(code(&local.put(&other, &fixed(1, 0))), (409, "PoolQuotaReached"));
    let limits = json!({ "unavailable": { "westeurope": ["Standard_D2s_v5"] } });
    assert_eq!(local.post("/_local/limits", &limits.to_string()).status, 200);
    assert_eq!(local.put(POOL, &fixed(3, 2)).status, 200);
    assert_eq!(nodes(&local), steady(3, 1));
    let reply = local.get(POOL);
    assert_eq!(body(&reply)["properties"]["resizeOperationStatus"]["errors"][0]["code"], "AllocationFailed");
}

#[test]
fn a_jump_of_the_clock_ends_soon_and_a_step_back_starts_anew() {
    let local = account(Options::default());
    assert_eq!(local.put(POOL, &auto(FOLLOW)).status, 200);
    tasks(&local, POOL, 100, "PT1H");
    move_to(&local, "2028-11-23T08:00:00Z");
    assert_eq!(nodes(&local), steady(0, 0));
    move_to(&local, "2026-11-23T08:00:00Z");
    tasks(&local, POOL, 1, "PT1H");
    advance(&local, "PT5M");
    assert_eq!(nodes(&local), steady(1, 0));
}

#[test]
fn tasks_are_refused_where_nothing_runs_them() {
    let local = account(Options::default());
    let send = |what: Value| {
        let reply = local.post("/_local/tasks", &what.to_string());
        (code(&reply).0, code(&reply).1.to_owned())
    };
    let bad = (400, "InvalidRequestContent".to_owned());
    assert_eq!(send(json!({ "pool": full(ACCOUNT) })), bad);
    assert_eq!(send(json!({ "pool": full(POOL) })), (404, "ResourceNotFound".to_owned()));
    assert_eq!(local.put(POOL, &fixed(1, 0)).status, 200);
    for wrong in [json!({ "count": 0 }), json!({ "count": 1.5 }), json!({ "each": "PT0S" }), json!({ "each": "P1Y" })] {
        let mut item = json!({ "pool": full(POOL) });
        let Value::Object(fields) = wrong else { unreachable!() };
        item.as_object_mut().expect("object").extend(fields);
        assert_eq!(send(item), bad);
    }
}

fn cluster(least: i64, most: i64, priority: &str) -> String {
    json!({ "location": "westeurope", "properties": { "computeType": "AmlCompute", "properties": { "vmSize": "Standard_NC4as_T4_v3",
        "vmPriority": priority, "userAccountCredentials": { "adminUserName": "ann", "adminUserPassword": "p@55wOrd" },
        "scaleSettings": { "minNodeCount": least, "maxNodeCount": most, "nodeIdleTimeBeforeScaleDown": "PT10M" } } } })
    .to_string()
}

fn learning() -> Local {
    let local = account(Options::default());
    let workspace = "{rg}/Microsoft.MachineLearningServices/workspaces/lab";
    assert_eq!(local.put(workspace, r#"{"location":"westeurope"}"#).status, 201);
    local
}

fn counts(local: &Local) -> Value {
    let reply = local.get(CLUSTER);
    let inner = &body(&reply)["properties"]["properties"];
    json!([inner["currentNodeCount"], inner["nodeStateCounts"]["runningNodeCount"], inner["allocationState"]])
}

#[test]
fn a_cluster_follows_its_jobs_and_its_idle_time() {
    let local = learning();
    let reply = local.put(CLUSTER, &cluster(0, 3, "LowPriority"));
    assert_eq!(reply.status, 201);
    assert!(!format!("{reply:?}{:?}", local.get(CLUSTER)).contains("p@55wOrd"));
    assert_eq!(counts(&local), json!([0, 0, "Steady"]));
    tasks(&local, CLUSTER, 4, "PT30M");
    assert_eq!(counts(&local), json!([3, 3, "Steady"]), "at most the maximum");
    advance(&local, "PT30M");
    assert_eq!(counts(&local), json!([3, 1, "Steady"]));
    advance(&local, "PT9M59S");
    assert_eq!(counts(&local), json!([3, 1, "Steady"]));
    advance(&local, "PT1S");
    assert_eq!(counts(&local), json!([1, 1, "Steady"]), "machines without work go after ten minutes");
    let reply = local.post(&format!("{CLUSTER}/listNodes"), "");
    assert_eq!(body(&reply)["nodes"][0]["nodeState"], "running");
    advance(&local, "PT1H");
    assert_eq!(counts(&local), json!([0, 0, "Steady"]));
    // a minimum is there at once
    assert_eq!(local.put(CLUSTER, &cluster(2, 3, "LowPriority")).status, 200);
    assert_eq!(counts(&local), json!([2, 0, "Steady"]));
}

#[test]
fn a_cluster_is_checked() {
    let local = learning();
    assert_eq!(code(&local.put(CLUSTER, &cluster(4, 3, "Dedicated"))), (400, "BadArgument"));
    assert_eq!(local.put(CLUSTER, &cluster(0, 3, "Dedicated")).status, 201);
    assert_eq!(code(&local.put(CLUSTER, &cluster(0, 3, "LowPriority"))), (409, "PropertyChangeNotAllowed"));
    let long = CLUSTER.replace("trainers", "a-name-that-is-far-too-long-for-a-cluster");
    assert_eq!(code(&local.put(&long, &cluster(0, 3, "Dedicated"))), (400, "BadArgument"));
    // whether the machines go too has to be said
    assert_eq!(code(&local.delete(CLUSTER)), (400, "BadArgument"));
    assert_eq!(local.delete(&format!("{CLUSTER}?underlyingResourceAction=Delete")).status, 202);
    assert_eq!(local.get(CLUSTER).status, 404);
}

#[test]
fn clusters_count_in_the_usages_of_machine_learning() {
    let local = Local::with(Options::default());
    move_to(&local, "2026-11-23T08:00:00Z");
    assert_eq!(local.put("/subscriptions/{sub}/resourceGroups/rg", r#"{"location":"westeurope"}"#).status, 201);
    let workspace = "{rg}/Microsoft.MachineLearningServices/workspaces/lab";
    assert!(local.put(workspace, r#"{"location":"westeurope","properties":{}}"#).status < 300);
    let cluster = json!({ "location": "westeurope", "properties": { "computeType": "AmlCompute", "properties": {
        "vmSize": "Standard_D4s_v5", "vmPriority": "LowPriority", "scaleSettings": { "minNodeCount": 2, "maxNodeCount": 5 } } } });
    assert!(local.put(CLUSTER, &cluster.to_string()).status < 300);
    advance(&local, "PT30M");
    let list = |word: &str| {
        let path = format!(
            "/subscriptions/{{sub}}/providers/Microsoft.MachineLearningServices/locations/westeurope/{word}?api-version=2025-12-01"
        );
        let reply = local.get(&path);
        assert_eq!(reply.status, 200, "{reply:?}");
        body(&reply)["value"].as_array().cloned().unwrap_or_default()
    };
    let usages = list("usages");
    let used =
        |name: &str| usages.iter().find(|one| one["name"]["value"] == name).map(|one| one["currentValue"].clone());
    assert_eq!(used("TotalClusters"), Some(json!(1)));
    assert_eq!((used("TotalLowPriorityCores"), used("TotalDedicatedCores")), (Some(json!(8)), Some(json!(0))));
    let quotas = list("quotas");
    assert_eq!(quotas.len(), usages.len());
    assert!(quotas.iter().all(|one| one.get("currentValue").is_none() && one["limit"].is_i64()), "{quotas:?}");
}
