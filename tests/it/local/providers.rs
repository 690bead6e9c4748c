//! Registration of providers and features, and the template function `providers`.

use arm_local::Options;
use serde_json::{Value, json};

use super::{Local, body, code};

const FEATURE: &str =
    "/subscriptions/{sub}/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost";

fn state(local: &Local, path: &str, pointer: &str) -> Value {
    body(&local.get(path)).pointer(pointer).cloned().expect("a state")
}

#[test]
fn features_are_registered_one_after_the_other_state() {
    let local = Local::new();
    let have = |path: &str| state(&local, path, "/properties/state");
    assert_eq!(have(FEATURE), "NotRegistered");
    let asked = local.post(&format!("{FEATURE}/register"), "");
    assert_eq!(asked.status, 200);
    assert_eq!(body(&asked)["properties"]["state"], "Registering");
    assert_eq!(body(&asked)["name"], "Microsoft.Compute/EncryptionAtHost");
    assert_eq!(have(FEATURE), "Registered");
    assert_eq!(have(&FEATURE.to_lowercase()), "Registered");
    let list = local.get("/subscriptions/{sub}/providers/Microsoft.Features/providers/Microsoft.Compute/features");
    assert_eq!(body(&list)["value"][0]["properties"]["state"], "Registered");
    let all = local.get("/subscriptions/{sub}/providers/Microsoft.Features/features");
    assert_eq!(body(&all)["value"].as_array().map(Vec::len), Some(1));
    local.post(&format!("{FEATURE}/unregister"), "");
    assert_eq!(have(FEATURE), "Unregistered");
    assert_eq!(local.delete(FEATURE).status, 404);
}

#[test]
fn a_registration_takes_as_long_as_other_operations() {
    let local = Local::with(Options { latency_ms: 60_000, ..Options::default() });
    local.post(&format!("{FEATURE}/register"), "");
    assert_eq!(state(&local, FEATURE, "/properties/state"), "Registering");
}

#[test]
fn an_unregistered_provider_takes_no_writes() {
    let local = Local::group();
    let provider = "/subscriptions/{sub}/providers/Microsoft.Storage";
    assert_eq!(state(&local, provider, "/registrationState"), "Registered");
    let asked = local.post(&format!("{provider}/unregister"), "");
    assert_eq!(body(&asked)["registrationState"], "Unregistering");
    assert_eq!(state(&local, provider, "/registrationState"), "NotRegistered");
    let account = "{rg}/Microsoft.Storage/storageAccounts/stlab";
    let sent = r#"{"location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"}}"#;
    assert_eq!(code(&local.put(account, sent)), (409, "MissingSubscriptionRegistration"));
    local.post(&format!("{provider}/register"), "");
    assert!(local.put(account, sent).status < 300);
    assert_eq!(
        code(&local.post("/subscriptions/{sub}/providers/Microsoft.Nothing/register", "")),
        (404, "InvalidResourceNamespace")
    );
    let list = local.get("/subscriptions/{sub}/providers");
    let names: Vec<&Value> =
        body(&list)["value"].as_array().expect("a list").iter().map(|one| &one["namespace"]).collect();
    assert!(names.contains(&&json!("Microsoft.Storage")) && names.len() > 10, "{names:?}");
}

#[test]
fn templates_ask_for_the_versions_of_a_type() {
    let local = Local::group();
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": [],
        "outputs": {
            "one": { "type": "object", "value": "[providers('Microsoft.Compute', 'virtualMachineScaleSets')]" },
            "all": { "type": "string", "value": "[providers('Microsoft.Compute').namespace]" },
        },
    });
    let sent = json!({ "properties": { "mode": "Incremental", "template": template } }).to_string();
    let deployment = "{rg}/Microsoft.Resources/deployments/main";
    assert!(local.put(deployment, &sent).status < 300);
    let mut outputs = Value::Null;
    for _ in 0..500 {
        let reply = local.get(deployment);
        let properties = &body(&reply)["properties"];
        if properties["provisioningState"] == "Succeeded" {
            outputs = properties["outputs"].clone();
            break;
        }
        assert_ne!(properties["provisioningState"], "Failed", "{properties}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(outputs["one"]["value"]["resourceType"], "virtualMachineScaleSets");
    assert!(outputs["one"]["value"]["apiVersions"].as_array().is_some_and(|versions| !versions.is_empty()));
    assert_eq!(outputs["all"]["value"], "Microsoft.Compute");
}
