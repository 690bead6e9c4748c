//! Azure Resource Graph: simple queries are run, others refused.

use serde_json::{Value, json};

use super::{Local, body, code};

fn ask(local: &Local, query: &str) -> super::Reply {
    local.post("/providers/Microsoft.ResourceGraph/resources", &json!({ "query": query }).to_string())
}

fn rows(local: &Local, query: &str) -> Vec<Value> {
    let reply = ask(local, query);
    assert_eq!(reply.status, 200, "{query}: {reply:?}");
    body(&reply)["data"].as_array().expect("rows").clone()
}

fn filled() -> Local {
    let local = Local::group();
    for (name, sku, team) in
        [("stone", "Standard_LRS", "lab"), ("sttwo", "Premium_LRS", "lab"), ("stthree", "Standard_LRS", "ops")]
    {
        let sent =
            json!({ "location": "westeurope", "kind": "StorageV2", "sku": { "name": sku }, "tags": { "team": team } });
        let reply = local.put(&format!("{{rg}}/Microsoft.Storage/storageAccounts/{name}"), &sent.to_string());
        assert!(reply.status < 300, "{reply:?}");
    }
    local.put("{rg}/Microsoft.ManagedIdentity/userAssignedIdentities/id-lab", r#"{"location":"northeurope"}"#);
    local
}

#[test]
fn simple_queries_are_run() {
    let local = filled();
    let names = |query: &str| -> Vec<Value> { rows(&local, query).iter().map(|row| row["name"].clone()).collect() };
    assert_eq!(
        names("Resources | where type =~ 'Microsoft.Storage/storageAccounts' | order by name asc"),
        ["stone", "stthree", "sttwo"]
    );
    assert_eq!(
        names("resources | where tags['team'] == 'lab' and type contains 'storage' | sort by name | project name"),
        ["sttwo", "stone"]
    );
    assert_eq!(names("resources | where name in~ ('STONE', 'id-lab') | order by name asc"), ["id-lab", "stone"]);
    assert_eq!(
        names("resources | where location == 'northeurope' or tags.team == 'ops' | order by name asc"),
        ["id-lab", "stthree"]
    );
    assert_eq!(names("resources | where isnotempty(sku.name) and sku.name !contains 'standard'"), ["sttwo"]);
}

#[test]
fn columns_are_made_and_rows_counted() {
    let local = filled();
    assert_eq!(
        rows(
            &local,
            "resources | where type =~ 'microsoft.storage/storageaccounts' | summarize n = count() by tier = tostring(sku.name) | order by n desc"
        ),
        [json!({ "tier": "Standard_LRS", "n": 2 }), json!({ "tier": "Premium_LRS", "n": 1 })]
    );
    assert_eq!(rows(&local, "resources | count"), [json!({ "Count": 4 })]);
    assert_eq!(
        rows(&local, "resources | summarize count() by location | order by count_ desc | take 1")[0]["count_"],
        3
    );
    assert_eq!(rows(&local, "resources | distinct location").len(), 2);
    assert_eq!(
        rows(
            &local,
            "resourcecontainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' | project name, location"
        ),
        [json!({ "name": "rg", "location": "westeurope" })]
    );
    let paged = json!({ "query": "resources | order by name asc | project name", "options": { "$top": 2, "$skip": 1, "resultFormat": "table" } });
    let reply = local.post("/providers/Microsoft.ResourceGraph/resources", &paged.to_string());
    assert_eq!((&body(&reply)["totalRecords"], &body(&reply)["count"]), (&json!(4), &json!(2)));
    assert_eq!(body(&reply)["resultTruncated"], "true");
    assert_eq!(body(&reply)["data"]["columns"], json!([{ "name": "name", "type": "string" }]));
    assert_eq!(body(&reply)["data"]["rows"], json!([["stone"], ["stthree"]]));
}

#[test]
fn what_goes_beyond_is_refused_and_never_answered_in_part() {
    let local = filled();
    for query in [
        "resources | join kind=inner (resourcecontainers) on subscriptionId",
        "resources | mv-expand properties.zones",
        "resources | where ago(1d) < properties.timeCreated",
        "resources | summarize max(name) by type",
        "advisorresources | count",
    ] {
        let reply = ask(&local, query);
        assert_eq!(code(&reply), (400, "NotServedLocally"), "{query}");
    }
    for query in ["", "resources | where name == 'x", "| count", "resources | take many"] {
        assert_eq!(code(&ask(&local, query)), (400, "InvalidQuery"), "{query}");
    }
}
