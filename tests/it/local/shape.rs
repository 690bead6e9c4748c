//! Bodies that their types do not allow: refused by a PUT, and by the preflight of a deployment, in the provider's words.

use serde_json::{Value, json};

use super::{Local, body, code};

const SET: &str = "{rg}/Microsoft.Compute/virtualMachineScaleSets/s?api-version=2024-07-01";

/// Objects deeply, everything else replaced.
fn merge(into: &mut Value, from: &Value) {
    match from {
        Value::Object(from) => from.iter().for_each(|(name, value)| merge(&mut into[name.as_str()], value)),
        other => *into = other.clone(),
    }
}

fn set(properties: Value) -> String {
    let mut body = json!({ "location": "westeurope", "sku": { "name": "Standard_D2s_v5", "capacity": 0 }, "properties": {
        "upgradePolicy": { "mode": "Manual" },
        "virtualMachineProfile": { "storageProfile": { "imageReference": { "publisher": "p", "offer": "o", "sku": "s", "version": "latest" } } } } });
    merge(&mut body["properties"], &properties);
    body.to_string()
}

#[test]
fn providers_refuse_in_their_own_words() {
    let local = Local::group();
    assert_eq!(local.put(SET, &set(json!({}))).status, 201);
    for (properties, want) in [
        (json!({ "colour": "red" }), "BadRequest"),
        (json!({ "overprovision": [] }), "BadRequest"),
        (
            json!({ "virtualMachineProfile": { "storageProfile": { "osDisk": { "createOption": "FromImage", "caching": "Sometimes" } } } }),
            "InvalidParameter",
        ),
        (json!({ "virtualMachineProfile": { "networkProfile": { "colour": 1 } } }), "InvalidRequestFormat"),
    ] {
        let reply = local.put(SET, &set(properties.clone()));
        assert_eq!(code(&reply), (400, want), "{properties}");
    }
    let vnet = "{rg}/Microsoft.Network/virtualNetworks/v?api-version=2024-05-01";
    let reply = local.put(
        vnet,
        r#"{"location":"westeurope","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"colour":1}}"#,
    );
    assert_eq!(code(&reply), (400, "InvalidRequestFormat"));
    assert_eq!(body(&reply)["error"]["details"][0]["code"], "InvalidJson");
    assert_eq!(
        local
            .put(vnet, r#"{"location":"westeurope","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]}}}"#)
            .status,
        201
    );
    let subnet = "{rg}/Microsoft.Network/virtualNetworks/v/subnets/s?api-version=2024-05-01";
    assert_eq!(
        code(&local.put(subnet, r#"{"properties":{"addressPrefix":"10.0.0.0/24","colour":1}}"#)),
        (400, "InvalidRequestFormat")
    );
    let store = "{rg}/Microsoft.Storage/storageAccounts/shapestore1?api-version=2024-01-01";
    let storage = |properties: Value| {
        json!({ "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS" }, "properties": properties }).to_string()
    };
    assert_eq!(
        code(&local.put(store, &storage(json!({ "accessTier": "Lukewarm" })))),
        (400, "InvalidValuesForRequestParameters")
    );
    assert!(
        [201, 202].contains(&local.put(store, &storage(json!({ "colour": 1 }))).status),
        "storage reads past what it does not know"
    );
    let thing = "{rg}/Contoso.Things/widgets/w?api-version=2024-01-01";
    assert_eq!(code(&local.put(thing, r#"{"location":["westeurope"]}"#)), (400, "InvalidRequestContent"));
    assert_eq!(local.put(thing, r#"{"location":"westeurope","properties":{"anything":[1,{"at":"all"}]}}"#).status, 201);
}

#[test]
fn a_partial_put_of_a_scale_set_misses_nothing() {
    let local = Local::group();
    assert_eq!(local.put(SET, &set(json!({}))).status, 201);
    let reply = local.put(SET, r#"{"location":"westeurope","sku":{"name":"Standard_D2s_v5","capacity":"2"}}"#);
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn preflight_tells_all_of_them_before_anything_is_made() {
    let local = Local::group();
    let template = json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": [
        { "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2024-05-01", "name": "n", "location": "westeurope", "properties": { "colour": 1 } },
        { "type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "2024-07-01", "name": "s", "location": "westeurope", "properties": { "upgradePolicy": { "mode": "Now" } } },
        { "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2024-05-01", "name": "p", "location": "westeurope" },
    ] });
    let reply = local.put(
        "{rg}/Microsoft.Resources/deployments/d",
        &json!({ "properties": { "mode": "Incremental", "template": template } }).to_string(),
    );
    assert_eq!(code(&reply), (400, "InvalidTemplateDeployment"));
    let codes: Vec<&str> = body(&reply)["error"]["details"]
        .as_array()
        .expect("details")
        .iter()
        .filter_map(|d| d["code"].as_str())
        .collect();
    assert_eq!(codes, ["InvalidRequestFormat", "InvalidParameter"]);
    assert_eq!(local.get("{rg}/Microsoft.Network/publicIPAddresses/p").status, 404);
}
