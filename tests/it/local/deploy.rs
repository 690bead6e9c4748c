//! Deployments: the whole life at group scope, the other scopes, nested ones, what-if, failures, faults.

use serde_json::{Value, json};

use super::{Local, Reply, body, code, full, header};

pub const SIMPLE: &str = r#"{
  // as people write it
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "name": {"type": "string", "maxLength": 9},
    "count": {"type": "int", "defaultValue": 2},
    "password": {"type": "securestring"}
  },
  "variables": {"subnet": "[resourceId('Microsoft.Network/virtualNetworks/subnets', concat(parameters('name'),
      '-vnet'), 'pool')]"},
  "resources": [
    {"type": "Microsoft.Insights/autoscaleSettings", "apiVersion": "2022-10-01", "name": "[concat(parameters('name'), '-as')]",
     "location": "[resourceGroup().location]", "dependsOn": ["[resourceId('Microsoft.Compute/virtualMachineScaleSets', parameters('name'))]"],
     "properties": {"enabled": true, "targetResourceUri": "[resourceId('Microsoft.Compute/virtualMachineScaleSets', parameters('name'))]",
       "profiles": [{"name": "default", "capacity": {"minimum": "0", "maximum": "10", "default": "2"}, "rules": []}]}},
    {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-05-01", "name": "[concat(parameters('name'), '-vnet')]",
     "location": "[resourceGroup().location]",
     "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "pool", "properties": {"addressPrefix": "10.0.0.0/24"}}]}},
    {"type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "2024-07-01", "name": "[parameters('name')]",
     "location": "[resourceGroup().location]", "sku": {"name": "Standard_NC4as_T4_v3", "tier": "Standard", "capacity": "[parameters('count')]"},
     "dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks', concat(parameters('name'), '-vnet'))]"],
     "properties": {"overprovision": false, "upgradePolicy": {"mode": "Manual"}, "orchestrationMode": "Uniform",
       "virtualMachineProfile": {
         "storageProfile": {"osDisk": {"createOption": "FromImage"}, "imageReference": {"publisher": "p", "offer": "o", "sku": "s", "version": "latest"}},
         "osProfile": {"computerNamePrefix": "[parameters('name')]", "adminUsername": "dsadmin", "adminPassword": "[parameters('password')]"},
         "networkProfile": {"networkInterfaceConfigurations": [{"name": "nic", "properties": {"primary": true, "ipConfigurations": [{"name": "ip",
            "properties": {"subnet": {"id": "[variables('subnet')]"}}}]}}]}}}},
  ],
  "outputs": {"unique": {"type": "string", "value": "[reference(parameters('name')).uniqueId]"}}
}"#;

pub const DEPLOYMENT: &str = "{rg}/Microsoft.Resources/deployments/d1";

/// The body as `az` sends it: not JSON.
pub fn as_az(template: &str, parameters: &Value, more: &str) -> String {
    format!(r#"{{"properties": {{"parameters": {parameters}, "mode": "Incremental", {more} template:{template}}}}}"#)
}

pub fn simple(count: i64) -> Value {
    json!({ "name": { "value": "pool" }, "count": { "value": count }, "password": { "value": "Sup3r-secret!" } })
}

/// Waits for a deployment and gives its record.
pub fn wait(local: &Local, path: &str) -> Value {
    for _ in 0..40_000 {
        let reply = local.get(path);
        let state = body(&reply)["properties"]["provisioningState"].as_str().unwrap_or_default().to_owned();
        if ["Succeeded", "Failed", "Canceled"].contains(&state.as_str()) {
            return body(&reply).clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{path} does not end");
}

pub fn deploy(local: &Local, path: &str, text: &str) -> Value {
    let reply = local.put(path, text);
    assert!([200, 201].contains(&reply.status), "{reply:?}");
    wait(local, path)
}

fn template(resources: Value) -> Value {
    json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": resources })
}

fn plain(resources: Value, mode: &str) -> String {
    json!({ "properties": { "mode": mode, "template": template(resources) } }).to_string()
}

fn widget(name: &str, after: &[&str]) -> Value {
    let ids: Vec<String> =
        after.iter().map(|name| format!("[resourceId('Contoso.Things/widgets', '{name}')]")).collect();
    json!({ "type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": name, "location": "westeurope", "dependsOn": ids, "properties": { "n": 1 } })
}

fn result(local: &Local, reply: &Reply) -> Value {
    assert_eq!(reply.status, 202, "{reply:?}");
    let poll = header(reply, "Location").expect("Location").replace(&local.endpoint.base_url, "");
    body(&local.get(&poll)).clone()
}

#[test]
fn a_deployment_lives() {
    let local = Local::group();
    assert_eq!(local.send("HEAD", DEPLOYMENT, "", &[]).status, 404);
    let text = as_az(SIMPLE, &simple(3), "");
    let valid = local.post(&format!("{DEPLOYMENT}/validate"), &text);
    assert_eq!(body(&valid)["properties"]["validatedResources"].as_array().map(Vec::len), Some(3), "{valid:?}");
    assert_eq!(body(&local.get("/subscriptions/{sub}/resources"))["value"], json!([]), "validate keeps nothing");
    let reply = local.put(DEPLOYMENT, &text);
    assert_eq!((reply.status, &body(&reply)["properties"]["provisioningState"]), (201, &json!("Accepted")));
    assert_eq!(header(&reply, "Retry-After"), Some("1"));
    let record = wait(&local, DEPLOYMENT);
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    let poll = header(&reply, "Azure-AsyncOperation").expect("poll").replace(&local.endpoint.base_url, "");
    assert_eq!(body(&local.get(&poll)), &json!({ "status": "Succeeded" }));
    assert_eq!(record["properties"]["parameters"]["password"], json!({ "type": "SecureString" }));
    assert_eq!(record["properties"]["parameters"]["count"], json!({ "type": "Int", "value": 3 }));
    let unique =
        body(&local.get("{rg}/Microsoft.Compute/virtualMachineScaleSets/pool"))["properties"]["uniqueId"].clone();
    assert_eq!(record["properties"]["outputs"]["unique"], json!({ "type": "String", "value": unique }));
    assert_eq!(record["properties"]["dependencies"].as_array().map(Vec::len), Some(2));
    assert_eq!(record["properties"]["outputResources"].as_array().map(Vec::len), Some(3));
    let operations = local.get("/subscriptions/{sub}/resourcegroups/rg/deployments/d1/operations");
    let operations = body(&operations)["value"].as_array().expect("operations").clone();
    assert_eq!(operations.len(), 4);
    assert_eq!(operations[3]["properties"]["provisioningOperation"], "EvaluateDeploymentOutput");
    let one = format!(
        "/subscriptions/{{sub}}/resourcegroups/rg/deployments/d1/operations/{}",
        operations[0]["operationId"].as_str().expect("id")
    );
    assert_eq!(body(&local.get(&one)), &operations[0]);
    assert_eq!(code(&local.post(&format!("{DEPLOYMENT}/cancel"), "")), (409, "DeploymentCannotBeCancelled"));
    let exported = local.post(&format!("{DEPLOYMENT}/exportTemplate"), "");
    assert_eq!(body(&exported)["template"]["contentVersion"], "1.0.0.0");
    assert_eq!(body(&local.get("{rg}/Microsoft.Resources/deployments/"))["value"].as_array().map(Vec::len), Some(1));
    let everything = format!(
        "{:?}{:?}{record}{operations:?}",
        local.get(DEPLOYMENT),
        local.get("{rg}/Microsoft.Resources/deployments")
    );
    assert!(!everything.contains("Sup3r-secret!"));
    assert_eq!(local.put(DEPLOYMENT, &text).status, 200);
    wait(&local, DEPLOYMENT);
    let poll = local.delete(DEPLOYMENT);
    let poll = header(&poll, "Location").expect("Location").replace(&local.endpoint.base_url, "");
    assert_eq!(local.get(&poll).status, 204);
    assert_eq!(code(&local.get(DEPLOYMENT)), (404, "DeploymentNotFound"));
}

#[test]
fn wrong_requests_are_refused() {
    let local = Local::group();
    let put = |text: &str| local.put(DEPLOYMENT, text);
    assert_eq!(code(&put("{\"properties\": {")), (400, "InvalidRequestContent"));
    assert_eq!(code(&put("{}")), (400, "InvalidRequestContent"));
    let missing = put(&as_az(SIMPLE, &json!({}), ""));
    assert_eq!(code(&missing), (400, "InvalidTemplate"));
    assert_eq!(body(&missing)["error"]["additionalInfo"][0]["type"], "TemplateViolation");
    let mut long = simple(1);
    long["name"]["value"] = json!("longer-than-nine");
    assert_eq!(code(&put(&as_az(SIMPLE, &long, ""))), (400, "InvalidTemplate"));
    let link =
        json!({ "properties": { "mode": "Incremental", "templateLink": { "uri": "https://example.com/t.json" } } });
    assert_eq!(code(&put(&link.to_string())), (400, "InvalidContentLink"));
    let account = json!([{ "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2024-01-01", "name": "Bad-Name", "location": "westeurope", "sku": { "name": "Standard_LRS" }, "kind": "StorageV2" }]);
    let reply = put(&plain(account, "Incremental"));
    assert_eq!(code(&reply), (400, "InvalidTemplateDeployment"));
    assert_eq!(body(&reply)["error"]["details"][0]["code"], "AccountNameInvalid");
    assert_eq!(
        code(&local.put("/subscriptions/{sub}/resourceGroups/none/providers/Microsoft.Resources/deployments/d", "{}")),
        (404, "ResourceGroupNotFound")
    );
    assert_eq!(
        code(&local.put("{rg}/Microsoft.Resources/deployments/bad%20name", &plain(json!([]), "Incremental"))),
        (400, "InvalidDeploymentName")
    );
}

#[test]
fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    let local = Local::group();
    local.post("/_local/faults", r#"{"kind":"fail","name":"b","times":"always"}"#);
    let record = deploy(
        &local,
        DEPLOYMENT,
        &plain(json!([widget("c", &["b"]), widget("b", &["a"]), widget("a", &[]), widget("d", &["a"])]), "Incremental"),
    );
    assert_eq!(record["properties"]["provisioningState"], "Failed");
    assert_eq!(record["properties"]["error"]["code"], "DeploymentFailed");
    assert_eq!(record["properties"]["error"]["details"][0]["code"], "ProvisioningFailed");
    let there = |name: &str| local.get(&format!("{{rg}}/Contoso.Things/widgets/{name}")).status;
    assert_eq!(["a", "b", "c", "d"].map(there), [200, 404, 404, 200]);
    local.delete("/_local/faults");
    let record = deploy(&local, DEPLOYMENT, &plain(json!([widget("b", &[])]), "Incremental"));
    assert_eq!(record["properties"]["provisioningState"], "Succeeded");
    assert!(record["properties"].get("error").is_none());
}

#[test]
fn running_deployments_are_active_and_can_be_canceled() {
    let local = Local::group();
    let vmss = || as_az(SIMPLE, &simple(1), "");
    local.post("/_local/faults", r#"["stuck,type=Microsoft.Compute/virtualMachineScaleSets", "AllocationFailed,type=Microsoft.Network/virtualNetworks,name=none"]"#);
    assert_eq!(local.put(DEPLOYMENT, &vmss()).status, 201);
    for _ in 0..40_000 {
        if local.get("{rg}/Microsoft.Compute/virtualMachineScaleSets/pool").status == 200 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(
        body(&local.get("{rg}/Microsoft.Compute/virtualMachineScaleSets/pool"))["properties"]["provisioningState"],
        "Creating"
    );
    assert_eq!(body(&local.get(DEPLOYMENT))["properties"]["provisioningState"], "Running");
    assert_eq!(code(&local.put(DEPLOYMENT, &vmss())), (409, "DeploymentActive"));
    assert_eq!(code(&local.delete(DEPLOYMENT)), (409, "DeploymentActive"));
    assert_eq!(local.post(&format!("{DEPLOYMENT}/cancel"), "").status, 204);
    assert_eq!(wait(&local, DEPLOYMENT)["properties"]["provisioningState"], "Canceled");
    assert_eq!(local.get("{rg}/Microsoft.Insights/autoscaleSettings/pool-as").status, 404);
}

#[test]
fn an_allocation_that_fails_fails_the_deployment() {
    let local = Local::group();
    local.post("/_local/faults", r#"["AllocationFailed,type=Microsoft.Compute/virtualMachineScaleSets"]"#);
    let record = deploy(&local, DEPLOYMENT, &as_az(SIMPLE, &simple(1), ""));
    assert_eq!(record["properties"]["error"]["details"][0]["code"], "AllocationFailed");
    assert_eq!(
        body(&local.get("{rg}/Microsoft.Compute/virtualMachineScaleSets/pool"))["properties"]["provisioningState"],
        "Failed"
    );
    let operations = local.get("/subscriptions/{sub}/resourcegroups/rg/deployments/d1/operations");
    let failed = body(&operations)["value"]
        .as_array()
        .expect("list")
        .iter()
        .find(|o| o["properties"]["provisioningState"] == "Failed")
        .cloned()
        .expect("failed");
    assert_eq!(failed["properties"]["statusMessage"]["error"]["code"], "AllocationFailed");
    assert_eq!(failed["properties"]["statusCode"], "Conflict");
    assert_eq!(
        deploy(&local, DEPLOYMENT, &as_az(SIMPLE, &simple(1), ""))["properties"]["provisioningState"],
        "Succeeded"
    );
}

#[test]
fn complete_mode_deletes_what_the_template_lacks() {
    let local = super::types::pool();
    local.put("{rg}/Contoso.Things/widgets/old", r#"{"location":"westeurope"}"#);
    let what = local.post(&format!("{DEPLOYMENT}/whatIf"), &plain(json!([widget("a", &[])]), "Complete"));
    let what = result(&local, &what);
    let verbs = |what: &Value| {
        what["properties"]["changes"]
            .as_array()
            .expect("changes")
            .iter()
            .map(|c| c["changeType"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(verbs(&what), ["Create", "Delete", "Delete", "Delete"]);
    let record = deploy(&local, DEPLOYMENT, &plain(json!([widget("a", &[])]), "Complete"));
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    let left = local.get("/subscriptions/{sub}/resourceGroups/rg/resources");
    assert_eq!(
        body(&left)["value"].as_array().expect("list").iter().map(|r| r["name"].clone()).collect::<Vec<_>>(),
        ["a"]
    );
}

#[test]
fn what_if_says_what_would_happen() {
    let local = Local::group();
    let ask = |count: i64, more: &str| {
        result(&local, &local.post(&format!("{DEPLOYMENT}/whatIf"), &as_az(SIMPLE, &simple(count), more)))
    };
    let first = ask(3, "");
    let changes = first["properties"]["changes"].as_array().expect("changes").clone();
    assert_eq!(changes.iter().filter(|c| c["changeType"] == "Create").count(), 3, "{first}");
    assert!(!first.to_string().contains("Sup3r-secret!"));
    assert_eq!(body(&local.get("/subscriptions/{sub}/resources"))["value"], json!([]), "what-if keeps nothing");
    deploy(&local, DEPLOYMENT, &as_az(SIMPLE, &simple(3), ""));
    local.put("{rg}/Contoso.Things/widgets/other", r#"{"location":"westeurope"}"#);
    let same = ask(3, "");
    let verbs: Vec<&str> = same["properties"]["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|c| c["changeType"].as_str())
        .collect();
    assert_eq!(
        verbs,
        ["NoChange", "NoChange", "NoChange", "Ignore"].map(|v| v).into_iter().collect::<Vec<_>>().tap_sorted(&verbs),
        "{same:#}"
    );
    let more = ask(7, "");
    let modified: Vec<&Value> = more["properties"]["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter(|c| c["changeType"] == "Modify")
        .collect();
    assert_eq!(modified.len(), 1, "{more:#}");
    assert_eq!(
        modified[0]["delta"],
        json!([{ "path": "sku.capacity", "propertyChangeType": "Modify", "before": 3, "after": 7 }])
    );
    assert!(modified[0]["before"]["properties"].get("provisioningState").is_none());
    let ids = ask(7, r#""whatIfSettings": {"resultFormat": "ResourceIdOnly"},"#);
    assert!(
        ids["properties"]["changes"]
            .as_array()
            .expect("changes")
            .iter()
            .all(|c| c.get("before").is_none() && c.get("after").is_none())
    );
    let wrong = result(&local, &local.post(&format!("{DEPLOYMENT}/whatIf"), &as_az(SIMPLE, &json!({}), "")));
    assert_eq!((&wrong["status"], &wrong["error"]["code"]), (&json!("Failed"), &json!("InvalidTemplate")));
}

trait Sorted {
    fn tap_sorted(self, like: &[&str]) -> Vec<&'static str>;
}

impl Sorted for Vec<&'static str> {
    /// The same words in the order of `like`: the order of changes is not promised.
    fn tap_sorted(self, like: &[&str]) -> Vec<&'static str> {
        let mut left = self;
        like.iter().filter_map(|word| left.iter().position(|have| have == word).map(|at| left.remove(at))).collect()
    }
}

#[test]
fn nested_deployments_groups_and_subscription_scope() {
    let local = Local::new();
    let inner = json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": { "n": { "type": "string" }, "s": { "type": "securestring" } },
        "resources": [{ "type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": "[parameters('n')]", "location": "[resourceGroup().location]", "properties": { "x": 1 } }],
        "outputs": { "id": { "type": "string", "value": "[resourceId('Contoso.Things/widgets', parameters('n'))]" }, "hidden": { "type": "securestring", "value": "[parameters('s')]" } } });
    let outer = json!({ "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": { "s": { "type": "securestring" } },
        "resources": [
            { "type": "Microsoft.Resources/resourceGroups", "apiVersion": "2024-11-01", "name": "made", "location": "westeurope", "properties": {} },
            { "type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": "inside", "resourceGroup": "made", "dependsOn": ["made"],
              "properties": { "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" }, "template": inner,
                "parameters": { "n": { "value": "w1" }, "s": { "value": "[parameters('s')]" } } } }],
        "outputs": { "id": { "type": "string", "value": "[reference('inside').outputs.id.value]" } } });
    let path = "/subscriptions/{sub}/providers/Microsoft.Resources/deployments/all";
    let text = json!({ "location": "westeurope", "properties": { "mode": "Incremental", "template": outer, "parameters": { "s": { "value": "very-hidden" } } } });
    let mut placeless = text.clone();
    placeless.as_object_mut().expect("object").remove("location");
    assert_eq!(code(&local.put(path, &placeless.to_string())), (400, "LocationRequired"));
    let what = result(&local, &local.post(&format!("{path}/whatIf"), &text.to_string()));
    assert_eq!(what["properties"]["changes"].as_array().map(Vec::len), Some(2), "{what:#}");
    let record = deploy(&local, path, &text.to_string());
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record:#}");
    let id = full("/subscriptions/{sub}/resourceGroups/made/providers/Contoso.Things/widgets/w1");
    assert_eq!(record["properties"]["outputs"]["id"]["value"], id);
    assert_eq!(local.get(&id).status, 200);
    let child = local.get("/subscriptions/{sub}/resourceGroups/made/providers/Microsoft.Resources/deployments/inside");
    assert_eq!(body(&child)["properties"]["outputs"]["hidden"], json!({ "type": "SecureString" }));
    assert_eq!(
        body(&local.get("/subscriptions/{sub}/deployments/all/operations"))["value"].as_array().map(Vec::len),
        Some(3)
    );
    let moved = json!({ "location": "eastus", "properties": { "mode": "Incremental", "template": outer, "parameters": { "s": { "value": "x" } } } });
    assert_eq!(code(&local.put(path, &moved.to_string())), (409, "InvalidDeploymentLocation"));
    for scope in ["/providers/Microsoft.Management/managementGroups/mg", ""] {
        let path = format!("{scope}/providers/Microsoft.Resources/deployments/top");
        let text = json!({ "location": "westeurope", "properties": { "mode": "Incremental", "template": { "$schema": "https://schema.management.azure.com/schemas/2019-08-01/tenantDeploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "resources": [], "outputs": { "t": { "type": "string", "value": "[tenant().tenantId]" } } } } });
        let record = deploy(&local, &path, &text.to_string());
        assert_eq!(record["properties"]["outputs"]["t"]["value"], arm_local::TENANT, "{record}");
        assert_eq!(
            body(&local.get(&format!("{scope}/providers/Microsoft.Resources/deployments")))
                .get("value")
                .and_then(Value::as_array)
                .map(Vec::len),
            Some(1)
        );
    }
}

#[test]
fn each_nested_deployment_is_an_operation_of_its_own() {
    let local = Local::group();
    let empty = |name: &str| {
        json!({ "type": "Microsoft.Resources/deployments", "apiVersion": "2025-04-01", "name": name,
            "properties": { "mode": "Incremental", "template": template(json!([])) } })
    };
    let record = deploy(&local, DEPLOYMENT, &plain(json!([empty("one"), empty("two")]), "Incremental"));
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    let operations = local.get("/subscriptions/{sub}/resourcegroups/rg/deployments/d1/operations");
    assert_eq!(body(&operations)["value"].as_array().map(Vec::len), Some(3));
}

#[test]
fn secrets_come_from_the_vault_and_keys_from_the_account() {
    let local = Local::group();
    let vault = json!({ "location": "westeurope", "properties": { "tenantId": arm_local::TENANT, "sku": { "family": "A", "name": "standard" } } });
    local.put("{rg}/Microsoft.KeyVault/vaults/lab-kv", &vault.to_string());
    local.put("{rg}/Microsoft.KeyVault/vaults/lab-kv/secrets/password", r#"{"properties":{"value":"Sup3r-secret!"}}"#);
    let mut parameters = simple(1);
    let reference = json!({ "reference": { "keyVault": { "id": full("{rg}/Microsoft.KeyVault/vaults/lab-kv") }, "secretName": "password" } });
    parameters["password"] = reference.clone();
    assert_eq!(
        deploy(&local, DEPLOYMENT, &as_az(SIMPLE, &parameters, ""))["properties"]["provisioningState"],
        "Succeeded"
    );
    parameters["password"]["reference"]["secretName"] = json!("none");
    assert_eq!(
        code(&local.put(DEPLOYMENT, &as_az(SIMPLE, &parameters, ""))),
        (400, "KeyVaultParameterReferenceNotFound")
    );
    let resources = json!([
        { "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2024-01-01", "name": "lab9", "location": "westeurope", "sku": { "name": "Standard_LRS" }, "kind": "StorageV2" },
        { "type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": "w", "properties": { "key": "[listKeys('lab9', '2024-01-01').keys[0].value]" },
          "dependsOn": ["lab9"] }]);
    let record = deploy(&local, "{rg}/Microsoft.Resources/deployments/keys", &plain(resources, "Incremental"));
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    let key = body(&local.post("{rg}/Microsoft.Storage/storageAccounts/lab9/listKeys", ""))["keys"][0]["value"].clone();
    assert_eq!(body(&local.get("{rg}/Contoso.Things/widgets/w"))["properties"]["key"], key);
}
