//! Private endpoints with what they bring, and what guards blob containers; shapes as recorded from Azure in 2020.

use serde_json::{Value, json};

use super::{Local, body, code, full};

const STORE: &str = "{rg}/Microsoft.Storage/storageAccounts/guardstore1";
const BOX: &str = "{rg}/Microsoft.Storage/storageAccounts/guardstore1/blobServices/default/containers/notes";
const POLICY: &str = "{rg}/Microsoft.Storage/storageAccounts/guardstore1/blobServices/default/containers/notes/immutabilityPolicies/default";

fn store() -> Local {
    let local = Local::group();
    let account = r#"{"location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"}}"#;
    assert_eq!(local.put(STORE, account).status, 202);
    local
}

#[test]
fn a_private_endpoint_makes_an_interface_names_and_a_connection() {
    let local = store();
    let vnet = r#"{"location":"westeurope","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"s","properties":{"addressPrefix":"10.0.0.0/24"}}]}}"#;
    assert_eq!(local.put("{rg}/Microsoft.Network/virtualNetworks/v", vnet).status, 201);
    let endpoint = "{rg}/Microsoft.Network/privateEndpoints/e";
    let ask = json!({ "location": "westeurope", "properties": {
        "subnet": { "id": full("{rg}/Microsoft.Network/virtualNetworks/v/subnets/s") },
        "privateLinkServiceConnections": [{ "name": "c", "properties": { "privateLinkServiceId": full(STORE), "groupIds": ["blob"] } }] } });
    let first = local.put(endpoint, &ask.to_string());
    assert_eq!((first.status, &body(&first)["properties"]["customDnsConfigs"]), (201, &json!([])), "{first:?}");
    let shown = body(&local.get(endpoint)).clone();
    assert_eq!(
        shown["properties"]["customDnsConfigs"],
        json!([{ "fqdn": "guardstore1.blob.core.windows.net", "ipAddresses": ["10.0.0.4"] }])
    );
    let nic = shown["properties"]["networkInterfaces"][0]["id"].as_str().expect("an interface").to_owned();
    let interface = body(&local.get(&nic)).clone();
    assert_eq!(interface["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"], "10.0.0.4");
    assert_eq!(code(&local.delete(&nic)), (400, "NicInUseWithPrivateEndpoint"));
    assert_eq!(
        code(&local.delete("{rg}/Microsoft.Network/virtualNetworks/v/subnets/s")),
        (400, "InUseSubnetCannotBeDeleted")
    );
    // the target shows who is connected, and can turn it away
    let connections = |local: &Local| body(&local.get(STORE))["properties"]["privateEndpointConnections"].clone();
    let made = connections(&local);
    assert_eq!(made[0]["properties"]["privateEndpoint"]["id"], full(endpoint));
    let one = format!("{STORE}/privateEndpointConnections/{}", made[0]["name"].as_str().expect("name"));
    let reply = local
        .put(&one, r#"{"properties":{"privateLinkServiceConnectionState":{"status":"Rejected","description":"no"}}}"#);
    assert_eq!(reply.status, 200, "{reply:?}");
    let state = json!({ "status": "Rejected", "description": "no", "actionRequired": "None" });
    assert_eq!(body(&local.get(&one))["properties"]["privateLinkServiceConnectionState"], state);
    // a second write of the endpoint changes nothing
    assert_eq!(local.put(endpoint, &ask.to_string()).status, 200);
    assert_eq!(connections(&local).as_array().map(Vec::len), Some(1));
    assert_eq!(local.delete(endpoint).status, 202);
    assert_eq!((local.get(&nic).status, connections(&local)), (404, json!([])));
    assert_eq!(local.delete("{rg}/Microsoft.Network/virtualNetworks/v/subnets/s").status, 202);
}

#[test]
fn legal_holds_and_leases_guard_a_container() {
    let local = store();
    assert_eq!(local.put(BOX, "{}").status, 201);
    let held = local.post(&format!("{BOX}/setLegalHold"), r#"{"tags":["tag1","tag2"]}"#);
    assert_eq!(body(&held), &json!({ "hasLegalHold": true, "tags": ["tag1", "tag2"] }));
    assert_eq!(body(&local.get(BOX))["properties"]["hasLegalHold"], true);
    assert_eq!(code(&local.delete(BOX)), (409, "ContainerProtectedFromDeletion"));
    assert_eq!(
        code(&local.post(&format!("{BOX}/setLegalHold"), r#"{"tags":["a b"]}"#)),
        (400, "InvalidValuesForRequestParameters")
    );
    let free = local.post(&format!("{BOX}/clearLegalHold"), r#"{"tags":["tag1","tag2"]}"#);
    assert_eq!(body(&free), &json!({ "hasLegalHold": false, "tags": [] }));
    let lease = |body: Value| local.post(&format!("{BOX}/lease"), &body.to_string());
    let taken = lease(json!({ "action": "Acquire", "leaseDuration": -1 }));
    let id = body(&taken)["leaseId"].as_str().expect("a lease").to_owned();
    assert_eq!(body(&local.get(BOX))["properties"]["leaseState"], "Leased");
    assert_eq!(code(&local.delete(BOX)), (409, "LeaseIdMissing"));
    assert_eq!(code(&lease(json!({ "action": "Acquire", "leaseDuration": -1 }))), (409, "LeaseAlreadyPresent"));
    assert_eq!(
        code(&lease(json!({ "action": "Renew", "leaseId": "other" }))),
        (409, "LeaseIdMismatchWithLeaseOperation")
    );
    assert_eq!(body(&lease(json!({ "action": "Renew", "leaseId": id })))["leaseId"], id);
    assert_eq!(body(&lease(json!({ "action": "Break", "leaseId": id })))["leaseTimeSeconds"], "0");
    assert_eq!(local.delete(BOX).status, 200);
}

#[test]
fn an_immutability_policy_is_locked_and_extended() {
    let local = store();
    local.put(BOX, "{}");
    let put = |days: i64| {
        local.put(POLICY, &json!({ "properties": { "immutabilityPeriodSinceCreationInDays": days } }).to_string())
    };
    assert_eq!(put(3).status, 200);
    let gone = local.delete(POLICY);
    assert_eq!((gone.status, &body(&gone)["properties"]["state"]), (200, &json!("Deleted")));
    assert_eq!(put(3).status, 200);
    let shown = body(&local.get(BOX)).clone();
    assert_eq!(shown["properties"]["immutabilityPolicy"]["properties"]["state"], "Unlocked");
    assert_eq!(shown["properties"]["hasImmutabilityPolicy"], true);
    assert_eq!(body(&local.post(&format!("{POLICY}/lock"), ""))["properties"]["state"], "Locked");
    assert_eq!(code(&put(5)), (409, "ContainerImmutabilityPolicyFailure"));
    assert_eq!(code(&local.delete(POLICY)), (409, "ContainerImmutabilityPolicyFailure"));
    let extend = |days: i64| {
        local.post(
            &format!("{POLICY}/extend"),
            &json!({ "properties": { "immutabilityPeriodSinceCreationInDays": days } }).to_string(),
        )
    };
    assert_eq!(code(&extend(2)), (409, "ContainerImmutabilityPolicyFailure"));
    assert_eq!(body(&extend(100))["properties"]["immutabilityPeriodSinceCreationInDays"], 100);
}

#[test]
fn answers_speak_in_the_words_of_the_version_that_was_asked_for() {
    let local = store();
    let vnet = "{rg}/Microsoft.Network/virtualNetworks/v?api-version=";
    let sent = r#"{"location":"westeurope","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]}}}"#;
    assert_eq!(body(&local.put(&format!("{vnet}2019-09-01"), sent))["properties"]["enableVmProtection"], false);
    assert_eq!(body(&local.get(&format!("{vnet}2024-05-01")))["properties"].get("enableVmProtection"), None);
    let policies = |subnet: &str, version: &str| {
        let path = format!("{{rg}}/Microsoft.Network/virtualNetworks/v/subnets/{subnet}?api-version={version}");
        let prefix = if subnet == "a" { "10.0.0.0/24" } else { "10.0.1.0/24" };
        let reply = local.put(&path, &json!({ "properties": { "addressPrefix": prefix } }).to_string());
        body(&reply)["properties"]["privateEndpointNetworkPolicies"].clone()
    };
    assert_eq!((policies("a", "2019-09-01"), policies("b", "2024-05-01")), (json!("Enabled"), json!("Disabled")));
    let policy = local.put(&format!("{STORE}/managementPolicies/default"), r#"{"properties":{"policy":{"rules":[]}}}"#);
    assert_eq!(body(&policy)["name"], "DefaultManagementPolicy");
    let scope = local.put(&format!("{STORE}/encryptionScopes/e"), r#"{"properties":{}}"#);
    assert_eq!((scope.status, &body(&scope)["properties"]["keyVaultProperties"]), (201, &json!({})));
    let share = format!("{STORE}/fileServices/default/shares/data");
    local.put(&share, "{}");
    assert_eq!(body(&local.get(&format!("{share}?$expand=stats")))["properties"]["shareUsageBytes"], 0);
    assert_eq!(body(&local.get(&share))["properties"].get("shareUsageBytes"), None);
}
