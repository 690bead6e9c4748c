//! What Azure refuses for reasons outside of the body: a feature that is not registered, a subnet without the endpoint.

use serde_json::{Value, json};

use super::types::{network, scale_set};
use super::{Local, body, code, full};

const SET: &str = "{rg}/Microsoft.Compute/virtualMachineScaleSets/pool";
const MACHINE: &str = "{rg}/Microsoft.Compute/virtualMachines/vm";
const NETWORK: &str = "{rg}/Microsoft.Network/virtualNetworks/net";
const FEATURE: &str =
    "/subscriptions/{sub}/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost";

#[test]
fn encryption_at_host_needs_the_feature_also_when_it_is_off() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let set = |value: Value| {
        let mut set = scale_set(1);
        set["properties"]["virtualMachineProfile"]["securityProfile"] = json!({ "encryptionAtHost": value });
        local.put(SET, &set.to_string())
    };
    for value in [true, false] {
        let reply = set(json!(value));
        assert_eq!(code(&reply), (400, "InvalidParameter"), "{value}");
        let error = &body(&reply)["error"];
        assert_eq!(error["target"], "securityProfile.encryptionAtHost");
        assert!(
            error["message"].as_str().is_some_and(|text| text.contains("feature is not enabled for this subscription"))
        );
        let machine =
            json!({ "location": "westeurope", "properties": { "securityProfile": { "encryptionAtHost": value } } });
        assert_eq!(code(&local.put(MACHINE, &machine.to_string())), (400, "InvalidParameter"));
    }
    assert_eq!(set(Value::Null).status, 201);
    let deployment = json!({ "properties": { "mode": "Incremental", "template": {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": [{ "type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "2024-07-01", "name": "pool", "location": "westeurope",
            "properties": { "virtualMachineProfile": { "securityProfile": { "encryptionAtHost": false } } } }] } } });
    let reply = local.put("{rg}/Microsoft.Resources/deployments/d", &deployment.to_string());
    assert_eq!(code(&reply), (400, "InvalidTemplateDeployment"));
    assert_eq!(body(&reply)["error"]["details"][0]["code"], "InvalidParameter");
    local.post(&format!("{FEATURE}/register"), "");
    assert_eq!(set(json!(true)).status, 200);
    assert_eq!(set(json!(false)).status, 200);
}

#[test]
fn a_network_rule_needs_the_endpoint_of_its_service_in_the_subnet() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let subnet = full(&format!("{NETWORK}/subnets/pool"));
    let account = json!({ "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS" },
        "properties": { "networkAcls": { "defaultAction": "Deny", "virtualNetworkRules": [{ "id": subnet, "action": "Allow" }] } } })
    .to_string();
    let vault = |ignore: bool| {
        let rule = json!({ "id": subnet, "ignoreMissingVnetServiceEndpoint": ignore });
        let sent = json!({ "location": "westeurope", "properties": { "tenantId": arm_local::TENANT,
            "sku": { "family": "A", "name": "standard" },
            "networkAcls": { "defaultAction": "Deny", "bypass": "None", "virtualNetworkRules": [rule] } } });
        local.put("{rg}/Microsoft.KeyVault/vaults/lab-kv", &sent.to_string())
    };
    let stored = || local.put("{rg}/Microsoft.Storage/storageAccounts/stlab", &account);
    let reply = stored();
    assert_eq!(code(&reply), (400, "NetworkAclsValidationFailure"));
    let said = body(&reply)["error"]["message"].as_str().expect("a message");
    assert!(
        said.contains("SubnetsHaveNoServiceEndpointsConfigured:Subnets pool of virtual network /subscriptions/"),
        "{said}"
    );
    assert_eq!(code(&vault(false)), (400, "VirtualNetworkNotValid"));
    let with = |services: &[&str]| {
        let endpoints: Vec<Value> = services.iter().map(|service| json!({ "service": service })).collect();
        let sent = json!({ "properties": { "addressPrefix": "10.0.0.0/24", "serviceEndpoints": endpoints } });
        assert!(local.put(&format!("{NETWORK}/subnets/pool"), &sent.to_string()).status < 300);
    };
    with(&["Microsoft.KeyVault"]);
    assert_eq!(code(&stored()), (400, "NetworkAclsValidationFailure"));
    assert!(vault(false).status < 300);
    with(&["Microsoft.Storage"]);
    assert!(stored().status < 300);
    assert_eq!(code(&vault(false)), (400, "VirtualNetworkNotValid"));
    assert!(vault(true).status < 300);
}

#[test]
fn a_vaults_settings_that_stay_are_refused_in_azures_words() {
    let local = Local::group();
    let vault = |more: Value| {
        let mut sent = json!({ "location": "westeurope", "properties": { "tenantId": arm_local::TENANT,
            "sku": { "family": "A", "name": "standard" }, "softDeleteRetentionInDays": 30 } });
        for (key, value) in more.as_object().expect("an object") {
            sent["properties"][key] = value.clone();
        }
        local.put("{rg}/Microsoft.KeyVault/vaults/lab-kv", &sent.to_string())
    };
    assert!(vault(json!({})).status < 300);
    for (key, value, words) in [
        ("softDeleteRetentionInDays", json!(60), "has been set already and it can't be modified"),
        ("enablePurgeProtection", json!(false), "cannot be set to false"),
        ("enableSoftDelete", json!(false), "can be set to false only for creating new vault"),
    ] {
        let reply = vault(json!({ key: value }));
        assert_eq!(code(&reply), (400, "BadRequest"), "{key}");
        let said = body(&reply)["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(words), "{key}: {said}");
    }
}
