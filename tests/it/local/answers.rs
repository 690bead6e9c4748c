//! What is answered to requests that the endpoint does not serve, and with which status to those it does.

use serde_json::json;

use super::{Local, body, code};

#[test]
fn a_list_of_unknown_things_is_not_empty_but_not_served() {
    let local = Local::group();
    let unknown = local.get("{rg}/Microsoft.Quantum/workspaces");
    assert_eq!(code(&unknown), (404, "NotServedLocally"));
    assert!(body(&unknown)["error"]["message"].as_str().expect("text").contains("local endpoint of dsvmc"));
    // once there is one, there is a list
    assert_eq!(local.put("{rg}/Microsoft.Quantum/workspaces/q", "{}").status, 201);
    assert_eq!(body(&local.get("{rg}/Microsoft.Quantum/workspaces"))["value"].as_array().map(Vec::len), Some(1));
    let known = local.get("{rg}/Microsoft.Network/natGateways");
    assert_eq!((known.status, &body(&known)["value"]), (200, &json!([])));
    assert_eq!(code(&local.post("/subscriptions/{sub}/frobnicate", "")), (404, "NotServedLocally"));
}

#[test]
fn stock_clients_get_the_status_that_they_accept() {
    let local = Local::group();
    let twice = |path: &str, sent: &str| (local.put(path, sent).status, local.put(path, sent).status);
    let setting = "/subscriptions/{sub}/resourceGroups/rg/providers/Microsoft.Insights/diagnosticSettings/logs";
    assert_eq!(twice(setting, r#"{"properties":{"logs":[]}}"#), (200, 200));
    assert_eq!(twice("{rg}/Microsoft.Compute/disks/data", r#"{"location":"westeurope"}"#), (202, 202));
    let policy = "/subscriptions/{sub}/providers/Microsoft.Authorization/policyAssignments/regions";
    assert_eq!(twice(policy, r#"{"properties":{"policyDefinitionId":"/x"}}"#), (201, 201));
}

#[test]
fn names_do_not_lead_out_of_their_place() {
    let local = Local::group();
    for path in [
        "{rg}/Microsoft.Storage/storageAccounts/..%2f..%2fother",
        "{rg}/Microsoft.Storage/storageAccounts/..",
        "{rg}/Microsoft.Quantum/workspaces/a%5cb",
        "/subscriptions/{sub}/resourceGroups/..%2Frg",
        "{rg}/Microsoft.Quantum/workspaces/a%00b",
    ] {
        assert_eq!(code(&local.put(path, r#"{"location":"westeurope"}"#)), (400, "InvalidResourceName"), "{path}");
    }
    assert_eq!(local.put("{rg}//Microsoft.Quantum///workspaces/q/", "{}").status, 201);
    assert_eq!(local.get("{rg}/Microsoft.Quantum/workspaces/q").status, 200);
}

#[test]
fn secrets_of_types_without_rules_are_not_returned() {
    let local = Local::group();
    let path = "{rg}/Microsoft.Sql/servers/sql";
    let sent = json!({ "location": "westeurope", "properties": { "administratorLogin": "root",
        "administratorLoginPassword": "hush", "links": [{ "clientSecret": "hush", "name": "one" }] } });
    let written = local.put(path, &sent.to_string());
    let shown = local.get(path);
    for reply in [&written, &shown] {
        assert!(!reply.body.as_ref().expect("a body").to_string().contains("hush"), "{reply:?}");
    }
    assert_eq!(body(&shown)["properties"]["links"][0]["name"], "one");
    assert_eq!(body(&shown)["properties"]["administratorLogin"], "root");
}

#[test]
fn a_batch_account_keeps_the_address_of_its_machines() {
    let local = Local::group();
    let path = "{rg}/Microsoft.Batch/batchAccounts/lab";
    let address = || {
        local.put(path, r#"{"location":"westeurope","tags":{"a":"b"}}"#);
        body(&local.get(path))["properties"]["nodeManagementEndpoint"].clone()
    };
    let first = address();
    assert!(first.as_str().is_some_and(|text| text.ends_with(".westeurope.service.batch.azure.com")), "{first}");
    assert_eq!(address(), first);
}
