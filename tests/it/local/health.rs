//! Health of machines and extensions that fail: what stops a rolling upgrade, and what a deployer sees of it.

use serde_json::{Value, json};

use super::machines::{SET, carried, custom_data, each, image, made, made_with, patch};
use super::types::{network, scale_set};
use super::{Local, body, code, full, header};

/// A rolling upgrade of one machine after the other, with an hour between them.
fn rolling() -> Value {
    json!({ "mode": "Rolling", "rollingUpgradePolicy": { "maxBatchInstancePercent": 20, "pauseTimeBetweenBatches": "PT1H" } })
}

fn say(local: &Local, mut what: Value) {
    what["set"] = json!(full(SET));
    let reply = local.post("/_local/machines", &what.to_string());
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// The error that a write of the set ends in.
fn write(local: &Local, profile: Value) -> Option<(String, String)> {
    let sent = json!({ "properties": { "virtualMachineProfile": profile } }).to_string();
    let reply = local.send("PATCH", SET, &sent, &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    ended(local, &reply)
}

fn ended(local: &Local, reply: &super::Reply) -> Option<(String, String)> {
    let poll = header(reply, "Azure-AsyncOperation").expect("a polling address").replace(&local.endpoint.base_url, "");
    let status = body(&local.get(&poll)).clone();
    let text = |name: &str| status["error"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(status["status"], if status["error"].is_null() { "Succeeded" } else { "Failed" });
    (!status["error"].is_null()).then(|| (text("code"), text("message")))
}

fn upgrade(local: &Local) -> Value {
    body(&local.get(&format!("{SET}/rollingUpgrades/latest")))["properties"].clone()
}

fn advance(local: &Local) {
    local.post("/_local/clock", r#"{"advance": "PT1H"}"#);
}

#[test]
fn an_upgrade_does_not_begin_while_too_many_machines_are_unhealthy() {
    for mode in ["Uniform", "Flexible"] {
        let local = made(5, mode, rolling());
        let names = each(&local, "name");
        say(&local, json!({ "machines": [names[3]], "health": "Unhealthy" }));
        assert_eq!(write(&local, image("2204")), None, "{mode}: 20% are allowed");
        let local = made(5, mode, rolling());
        let names = each(&local, "name");
        // what cannot be told counts as unhealthy
        say(&local, json!({ "machines": [names[3]], "health": "Unhealthy" }));
        say(&local, json!({ "machines": [names[4]], "health": "Unknown" }));
        let view = local.get(&format!("{SET}/virtualMachines/{}/instanceView", names[4].as_str().expect("name")));
        assert_eq!(body(&view)["vmHealth"]["status"]["code"], "HealthState/unknown", "{mode}");
        let (error, message) = write(&local, image("2204")).expect("it fails");
        assert_eq!(error, "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade", "{mode}");
        assert!(
            message.contains("40% of instances are in an unhealthy state, more than the threshold of 20%"),
            "{message}"
        );
        assert_eq!(each(&local, "latestModelApplied"), vec![json!(false); 5], "{mode}");
        assert_eq!(body(&local.get(SET))["properties"]["provisioningState"], "Failed");
        assert_eq!(
            (&upgrade(&local)["runningStatus"]["code"], &upgrade(&local)["error"]["code"]),
            (&json!("Faulted"), &json!(error))
        );
        // once they are healthy, an empty update goes on
        say(&local, json!({ "health": "Healthy" }));
        assert_eq!(write(&local, json!({})), None, "{mode}");
        assert_eq!(upgrade(&local)["progress"]["successfulInstanceCount"], 1);
        assert_eq!(body(&local.get(SET))["properties"]["provisioningState"], "Succeeded");
    }
}

#[test]
fn an_upgrade_stops_between_batches_and_waits_for_machines_that_start() {
    let local = made(5, "Uniform", rolling());
    assert_eq!(write(&local, image("2204")), None);
    say(&local, json!({ "machines": ["0"], "health": "Initializing" }));
    advance(&local);
    assert_eq!(
        upgrade(&local)["progress"],
        json!({ "successfulInstanceCount": 0, "failedInstanceCount": 0,
        "inProgressInstanceCount": 1, "pendingInstanceCount": 4 })
    );
    say(&local, json!({ "machines": ["0"], "health": "Healthy" }));
    assert_eq!(upgrade(&local)["progress"]["pendingInstanceCount"], 4, "the pause begins when the batch has ended");
    advance(&local);
    assert_eq!(upgrade(&local)["progress"]["pendingInstanceCount"], 3);
    say(&local, json!({ "machines": ["3", "4"], "health": "Unhealthy" }));
    advance(&local);
    assert_eq!(upgrade(&local)["error"]["code"], "MaxUnhealthyInstancePercentExceededInRollingUpgrade");
    assert_eq!(each(&local, "latestModelApplied"), [true, true, false, false, false]);
    assert_eq!(body(&local.get(SET))["properties"]["provisioningState"], "Failed");
    advance(&local);
    assert_eq!(upgrade(&local)["progress"]["pendingInstanceCount"], 3, "it has stopped");
}

#[test]
fn an_upgrade_stops_when_what_it_upgraded_is_unhealthy() {
    let mut policy = rolling();
    policy["rollingUpgradePolicy"]["prioritizeUnhealthyInstances"] = json!(true);
    let local = made(5, "Flexible", policy.clone());
    let names = each(&local, "name");
    say(&local, json!({ "machines": [names[2]], "health": "Unhealthy" }));
    say(&local, json!({ "machines": [names[1]], "health": "Unhealthy", "when": "upgraded" }));
    assert_eq!(write(&local, image("2204")), None, "the unhealthy machine comes first, and a new disk heals it");
    assert_eq!(each(&local, "latestModelApplied"), [false, false, true, false, false]);
    advance(&local);
    advance(&local);
    let state = upgrade(&local);
    assert_eq!(state["error"]["code"], "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade", "{state}");
    assert_eq!(
        state["progress"],
        json!({ "successfulInstanceCount": 2, "failedInstanceCount": 1,
        "inProgressInstanceCount": 0, "pendingInstanceCount": 2 })
    );
    // a surge leaves the old machines until the new ones are healthy
    policy["rollingUpgradePolicy"]["maxSurge"] = json!(true);
    let local = made(3, "Uniform", policy);
    let names = each(&local, "name");
    say(&local, json!({ "health": "Unhealthy", "when": "upgraded" }));
    let (error, _) = write(&local, custom_data()).expect("it fails");
    assert_eq!(error, "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade");
    assert_eq!(each(&local, "name"), names);
}

fn script(tag: &str) -> Value {
    json!({ "extensionProfile": { "extensions": [{ "name": "setup", "properties": {
        "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1", "forceUpdateTag": tag,
        "settings": { "timestamp": 7 }, "protectedSettings": { "script": "c2VjcmV0" } } },
        { "name": "health", "properties": { "publisher": "Microsoft.ManagedServices", "type": "ApplicationHealthLinux",
            "typeHandlerVersion": "2.0", "settings": { "protocol": "http", "port": 80, "requestPath": "/" } } }] } })
}

#[test]
fn a_script_runs_when_its_configuration_changes_and_with_each_new_disk() {
    for mode in ["Uniform", "Flexible"] {
        let local = made(2, mode, json!({ "mode": "Automatic" }));
        let models = each(&local, "model");
        patch(&local, script("1"));
        let setup = |at: usize, key: &str| carried(&local)[at]["extensions"]["setup"][key].clone();
        assert_eq!(
            (setup(0, "runs"), setup(0, "settings"), setup(0, "forceUpdateTag")),
            (json!(1), json!({ "timestamp": 7 }), json!("1"))
        );
        assert!(
            setup(0, "protectedSettings").is_string() && !carried(&local)[0].to_string().contains("c2VjcmV0"),
            "{mode}"
        );
        assert!(each(&local, "model") != models, "{mode}");
        patch(&local, script("1"));
        patch(&local, json!({ "scheduledEventsProfile": { "terminateNotificationProfile": { "enable": true } } }));
        assert_eq!(setup(0, "runs"), 1, "{mode}: nothing new for the script");
        patch(&local, script("2"));
        assert_eq!((setup(0, "runs"), each(&local, "osDisks")), (json!(2), vec![json!(1); 2]), "{mode}: in place");
        // only what is not shown changes
        let mut secret = script("2");
        secret["extensionProfile"]["extensions"][0]["properties"]["protectedSettings"] =
            json!({ "script": "b3RoZXI=" });
        patch(&local, secret);
        assert_eq!(setup(0, "runs"), 3, "{mode}");
        let one = json!({ "instanceIds": [carried(&local)[0]["name"]] }).to_string();
        local.post(&format!("{SET}/restart"), &one);
        assert_eq!(setup(0, "runs"), 3, "{mode}: not with a restart");
        local.post(&format!("{SET}/reimage"), &one);
        assert_eq!((setup(0, "runs"), setup(1, "runs")), (json!(4), json!(3)), "{mode}");
    }
}

#[test]
fn a_script_that_fails_fails_the_machine_and_what_brought_it() {
    for mode in ["Uniform", "Flexible"] {
        let local = made(2, mode, json!({ "mode": "Automatic" }));
        let names = each(&local, "name");
        let message = "Enable failed: failed to execute command: command terminated with exit status=1";
        say(&local, json!({ "machines": [names[1]], "extension": "setup", "fails": message }));
        let (error, said) = write(&local, script("1")).expect("it fails");
        assert_eq!(error, "VMExtensionProvisioningError", "{mode}");
        assert!(said.contains("processing extension 'setup'") && said.contains(message), "{said}");
        assert_eq!(each(&local, "provisioningState"), ["Succeeded", "Failed"], "{mode}");
        let view = local.get(&format!("{SET}/virtualMachines/{}/instanceView", names[1].as_str().expect("name")));
        let status =
            body(&view)["extensions"].as_array().expect("extensions").iter().find(|one| one["name"] == "setup");
        assert_eq!(
            status.map(|one| one["statuses"][0]["code"].clone()),
            Some(json!("ProvisioningState/failed/0")),
            "{mode}"
        );
        let summary = local.get(&format!("{SET}/instanceView"));
        assert!(
            body(&summary)["virtualMachine"]["statusesSummary"]
                .as_array()
                .is_some_and(|list| list.contains(&json!({ "code": "ProvisioningState/failed", "count": 1 })))
        );
        // the same configuration does not run again, another one does
        assert_eq!(write(&local, script("1")), None, "{mode}");
        assert_eq!(each(&local, "provisioningState")[1], "Failed");
        say(&local, json!({ "machines": [names[1]], "extension": "setup", "fails": null }));
        assert_eq!(write(&local, script("2")), None, "{mode}");
        assert_eq!(each(&local, "provisioningState"), ["Succeeded", "Succeeded"], "{mode}");
        // of all machines of a set, also those to come
        say(&local, json!({ "extension": "setup", "fails": message }));
        let reply = local.send("PATCH", SET, r#"{"sku":{"capacity":3}}"#, &[]);
        assert_eq!(
            ended(&local, &reply).map(|(code, _)| code).as_deref(),
            Some("VMExtensionProvisioningError"),
            "{mode}"
        );
        // suppressed, the machine goes on
        let mut suppressed = script("3");
        suppressed["extensionProfile"]["extensions"][0]["properties"]["suppressFailures"] = json!(true);
        assert_eq!(write(&local, suppressed), None, "{mode}");
        assert_eq!(each(&local, "provisioningState"), vec![json!("Succeeded"); 3], "{mode}");
    }
}

#[test]
fn a_rolling_upgrade_counts_machines_whose_script_failed() {
    let local = made_with(5, "Uniform", rolling(), &script("1"));
    say(&local, json!({ "extension": "setup", "fails": "exit status=1" }));
    let (error, message) = write(&local, script("2")).expect("it fails");
    assert_eq!(error, "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade");
    assert!(message.contains("100% of instances") && message.contains("First failed instance ID is: 0."), "{message}");
    assert_eq!(each(&local, "latestModelApplied"), [true, false, false, false, false]);
}

#[test]
fn what_waits_for_a_failed_extension_does_not_run() {
    let local = made(1, "Uniform", json!({ "mode": "Manual" }));
    let mut profile = script("1");
    profile["extensionProfile"]["extensions"][1]["properties"]["provisionAfterExtensions"] = json!(["setup"]);
    patch(&local, profile);
    say(&local, json!({ "extension": "setup", "fails": "exit status=1" }));
    let reply = local.post(&format!("{SET}/manualupgrade"), r#"{"instanceIds":["*"]}"#);
    assert_eq!(ended(&local, &reply).map(|(code, _)| code).as_deref(), Some("VMExtensionProvisioningError"));
    let extensions = carried(&local)[0]["extensions"].clone();
    assert_eq!((&extensions["setup"]["runs"], &extensions["health"]["runs"]), (&json!(1), &json!(0)));
    assert!(
        extensions["health"]["error"].as_str().is_some_and(|text| text.contains("dependent extension setup failed"))
    );
}

#[test]
fn a_deployment_of_machines_whose_script_fails_fails() {
    let local = made_with(1, "Uniform", json!({ "mode": "Automatic" }), &script("1"));
    say(&local, json!({ "extension": "setup", "fails": "exit status=1" }));
    let template = json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": [{ "type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "2024-07-01",
            "name": "pool", "location": "westeurope", "properties": { "virtualMachineProfile": script("2") } }] });
    let deployment = "{rg}/Microsoft.Resources/deployments/d";
    let sent = json!({ "properties": { "mode": "Incremental", "template": template } }).to_string();
    assert_eq!(local.put(deployment, &sent).status, 201);
    let done = super::deploy::wait(&local, deployment);
    assert_eq!(done["properties"]["provisioningState"], "Failed", "{done}");
    assert!(done["properties"]["error"].to_string().contains("VMExtensionProvisioningError"), "{done}");
}

#[test]
fn a_reimage_can_bring_a_version_and_other_data() {
    for mode in ["Uniform", "Flexible"] {
        let local = made(2, mode, json!({ "mode": "Manual" }));
        let before = each(&local, "customData");
        let name = carried(&local)[0]["name"].clone();
        let reimage = |more: Value| {
            let mut sent = more;
            sent["instanceIds"] = json!([name]);
            local.post(&format!("{SET}/reimage"), &sent.to_string())
        };
        assert_eq!(reimage(json!({ "exactVersion": "22.4.1", "osProfile": { "customData": "b3du" } })).status, 202);
        let (data, images) = (each(&local, "customData"), each(&local, "image"));
        assert!(data[0] != before[0] && data[1] == before[1], "{mode}: {data:?}");
        assert_eq!(
            (&images[0]["exactVersion"], &images[1]["exactVersion"]),
            (&json!("22.4.1"), &json!("1.0.0")),
            "{mode}"
        );
        assert_eq!(reimage(json!({})).status, 202);
        assert_eq!(each(&local, "customData"), before, "{mode}: the model's again");
        assert_eq!(each(&local, "image")[0]["exactVersion"], "22.4.1", "{mode}: the version of the disk stays");
        for wrong in [json!({ "exactVersion": "newest" }), json!({ "osProfile": { "customData": "not base64" } })] {
            assert_eq!(code(&reimage(wrong)), (400, "InvalidParameter"), "{mode}");
        }
    }
}

#[test]
fn what_needs_health_needs_something_that_watches_it() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let mut set = scale_set(1);
    for policy in
        [rolling(), json!({ "mode": "Automatic", "automaticOSUpgradePolicy": { "enableAutomaticOSUpgrade": true } })]
    {
        set["properties"]["upgradePolicy"] = policy;
        let reply = local.put(SET, &set.to_string());
        assert_eq!(code(&reply), (400, "BadRequest"));
        assert!(
            body(&reply)["error"]["message"]
                .as_str()
                .is_some_and(|text| text.contains("a health probe or health extension was not"))
        );
    }
    // what cannot be said
    let local = made(1, "Uniform", json!({ "mode": "Manual" }));
    for (what, words) in [
        (json!({ "health": "Unhealthy" }), "Nothing watches"),
        (json!({ "health": "Sick" }), "is not a state"),
        (json!({ "machines": ["9"], "health": "Unhealthy" }), "no machine"),
        (json!({}), "Either"),
    ] {
        let mut sent = what;
        sent["set"] = json!(full(SET));
        let reply = local.post("/_local/machines", &sent.to_string());
        assert_eq!(code(&reply), (400, "InvalidRequestContent"));
        assert!(body(&reply)["error"]["message"].as_str().is_some_and(|text| text.contains(words)), "{reply:?}");
    }
}
