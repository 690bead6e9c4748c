//! What is deleted and comes back: key vaults, workspaces, storage accounts.

use serde_json::{Value, json};

use super::{Local, body, code, full, header};

const VAULT: &str = "{rg}/Microsoft.KeyVault/vaults/kv-lab";
const DELETED: &str = "/subscriptions/{sub}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-lab";

fn vault(more: &Value) -> String {
    let mut properties = json!({ "tenantId": arm_local::TENANT, "sku": { "family": "A", "name": "standard" } });
    for (key, value) in more.as_object().expect("an object") {
        properties[key] = value.clone();
    }
    json!({ "location": "westeurope", "tags": { "team": "lab" }, "properties": properties }).to_string()
}

fn advance(local: &Local, span: &str) {
    assert_eq!(local.post("/_local/clock", &json!({ "advance": span }).to_string()).status, 200);
}

fn listed(local: &Local) -> usize {
    let list = local.get("/subscriptions/{sub}/providers/Microsoft.KeyVault/deletedVaults");
    body(&list)["value"].as_array().expect("a list").len()
}

#[test]
fn a_deleted_vault_holds_its_name_until_it_is_recovered() {
    let local = Local::group();
    assert_eq!(
        local.put(VAULT, &vault(&json!({ "softDeleteRetentionInDays": 30, "enablePurgeProtection": true }))).status,
        200
    );
    let secret = format!("{VAULT}/secrets/password");
    assert_eq!(local.put(&secret, r#"{"properties":{"value":"hush"}}"#).status, 200);
    assert_eq!(local.delete(&secret).status, 405, "Resource Manager deletes no secrets");
    assert_eq!(local.delete(VAULT).status, 200);
    assert_eq!((local.get(VAULT).status, listed(&local)), (404, 1));

    let deleted = local.get(DELETED);
    let properties = &body(&deleted)["properties"];
    assert_eq!(properties["vaultId"], full(VAULT));
    assert_eq!((&properties["tags"]["team"], &properties["purgeProtectionEnabled"]), (&json!("lab"), &json!(true)));
    assert!(properties["scheduledPurgeDate"].as_str() > properties["deletionDate"].as_str());

    let again = local.put(VAULT, &vault(&json!({})));
    assert_eq!(code(&again), (409, "ConflictError"));
    let told = body(&again)["error"]["message"].as_str().expect("a message");
    assert!(told.starts_with("A vault with the same name already exists in deleted state."), "{told}");
    let free = local.post(
        "/subscriptions/{sub}/providers/Microsoft.KeyVault/checkNameAvailability",
        r#"{"name":"KV-Lab","type":"Microsoft.KeyVault/vaults"}"#,
    );
    assert_eq!(body(&free)["nameAvailable"], false);
    // in another group too: the name is global
    local.put("/subscriptions/{sub}/resourceGroups/other", r#"{"location":"westeurope"}"#);
    let elsewhere = "/subscriptions/{sub}/resourceGroups/other/providers/Microsoft.KeyVault/vaults/kv-lab";
    assert_eq!(code(&local.put(elsewhere, &vault(&json!({})))), (409, "ConflictError"));
    let recover = vault(&json!({ "createMode": "recover" }));
    assert_eq!(code(&local.put(elsewhere, &recover)), (404, "SoftDeletedVaultDoesNotExist"));

    let purged = local.post(&format!("{DELETED}/purge"), "");
    assert_eq!(code(&purged), (400, "MethodNotAllowed"));

    assert_eq!(local.put(VAULT, &recover).status, 200);
    let back = local.get(VAULT);
    assert_eq!(body(&back)["properties"]["softDeleteRetentionInDays"], 30);
    assert!(body(&back)["properties"].get("createMode").is_none());
    assert_eq!((local.get(&secret).status, listed(&local)), (200, 0));
    let other = local.put(VAULT, &vault(&json!({ "softDeleteRetentionInDays": 7 })));
    assert_eq!(code(&other), (400, "BadRequest"));
}

#[test]
fn a_vault_without_protection_is_purged_by_hand_or_by_time() {
    let local = Local::group();
    local.put(VAULT, &vault(&json!({ "softDeleteRetentionInDays": 7 })));
    local.delete(VAULT);
    let purged = local.post(&format!("{DELETED}/purge"), "");
    assert_eq!(purged.status, 202);
    assert!(header(&purged, "Location").is_some());
    assert_eq!(local.get(DELETED).status, 404);
    assert_eq!(code(&local.post(&format!("{DELETED}/purge"), "")), (404, "DeletedVaultNotFound"));
    assert_eq!(
        code(&local.put(VAULT, &vault(&json!({ "createMode": "recover" })))),
        (404, "SoftDeletedVaultDoesNotExist")
    );

    assert_eq!(local.put(VAULT, &vault(&json!({ "softDeleteRetentionInDays": 7 }))).status, 200);
    // with its group
    assert!(local.delete("/subscriptions/{sub}/resourceGroups/rg").status < 300);
    assert_eq!(listed(&local), 1);
    advance(&local, "P6D");
    assert_eq!(listed(&local), 1);
    advance(&local, "P1D");
    assert_eq!(listed(&local), 0);
}

#[test]
fn workspaces_of_log_analytics_come_back_with_what_they_held() {
    let local = Local::group();
    let logs = "{rg}/Microsoft.OperationalInsights/workspaces/logs";
    let sent = |location: &str, days: i64| {
        json!({ "location": location, "properties": { "retentionInDays": days } }).to_string()
    };
    local.put(logs, &sent("westeurope", 30));
    local.put(&format!("{logs}/savedSearches/mine"), r#"{"properties":{"query":"Heartbeat"}}"#);
    assert_eq!(local.delete(logs).status, 200);
    let kept = local.get("/subscriptions/{sub}/providers/Microsoft.OperationalInsights/deletedWorkspaces");
    assert_eq!(body(&kept)["value"][0]["name"], "logs");
    assert_eq!(code(&local.put(logs, &sent("northeurope", 30))), (409, "Conflict"));
    assert_eq!(local.put(logs, &sent("westeurope", 60)).status, 201);
    assert_eq!(body(&local.get(logs))["properties"]["retentionInDays"], 60);
    assert_eq!(local.get(&format!("{logs}/savedSearches/mine")).status, 200);

    assert_eq!(local.delete(&format!("{logs}?force=true")).status, 200);
    assert_eq!(local.put(logs, &sent("northeurope", 30)).status, 201, "deleted at once when asked to");
    assert_eq!(local.get(&format!("{logs}/savedSearches/mine")).status, 404);
}

#[test]
fn workspaces_of_machine_learning_hold_their_name_for_two_weeks() {
    let local = Local::group();
    let workspace = "{rg}/Microsoft.MachineLearningServices/workspaces/ml";
    let sent = r#"{"location":"westeurope","properties":{}}"#;
    local.put(workspace, sent);
    local.delete(workspace);
    let refused = local.put(workspace, sent);
    assert_eq!(code(&refused), (400, "BadRequest"));
    assert!(body(&refused)["error"]["message"].as_str().expect("text").starts_with("Soft-deleted workspace exists."));
    advance(&local, "P14D");
    assert_eq!(local.put(workspace, sent).status, 201);
    local.delete(&format!("{workspace}?forceToPurge=true"));
    assert_eq!(local.put(workspace, sent).status, 201);
}

#[test]
fn storage_accounts_hold_no_name_and_come_back_empty() {
    let local = Local::group();
    let account = "{rg}/Microsoft.Storage/storageAccounts/stlab";
    let sent = r#"{"location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"}}"#;
    local.put(account, sent);
    let share = format!("{account}/fileServices/default/shares/notebooks");
    assert_eq!(local.put(&share, r#"{"properties":{"shareQuota":100}}"#).status, 201);
    assert_eq!(local.delete(account).status, 200);
    assert!(local.put(account, sent).status < 300);
    assert_eq!(local.get(&share).status, 404);
}
