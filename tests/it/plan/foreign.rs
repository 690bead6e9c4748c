//! Templates that other people wrote: planned, applied on the local endpoint, and planned again.

use crate::support::{Ran, TestContext};
use serde_json::{Value, json};

const WHERE: &str = "--resource-group g --location westeurope";

fn template(cx: &TestContext, resources: &Value, more: &Value) {
    let mut whole = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": resources,
    });
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    cx.write("t.json", &format!("{whole:#}"));
}

#[track_caller]
fn fine(ran: Ran) -> Ran {
    assert_eq!(ran.exit, 0, "{}", ran.text());
    ran
}

/// Applies the template and plans it again: nothing is left to do. Gives what the apply said.
#[track_caller]
fn settles(cx: &TestContext) -> Ran {
    let applied = fine(cx.run(&format!("apply --yes --template t.json {WHERE}")));
    assert!(!applied.stdout.contains("still differ") && !applied.stderr.contains("still differ"), "{}", applied.text());
    let again = fine(cx.run(&format!("plan --template t.json {WHERE}")));
    assert!(again.stdout.contains("Nothing to do"), "{}", again.text());
    applied
}

fn account(name: &str, version: &str, more: &Value) -> Value {
    let mut body = json!({ "type": "Microsoft.Storage/storageAccounts", "apiVersion": version, "name": name, "location": "westeurope" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn standard() -> Value {
    json!({ "sku": { "name": "Standard_LRS" }, "kind": "StorageV2" })
}

#[test]
fn text_for_booleans_and_numbers_settles() {
    let cx = TestContext::new();
    let mut https = standard();
    https["properties"] = json!({ "supportsHttpsTrafficOnly": "true" });
    let address = json!({ "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2023-04-01", "name": "a", "location": "westeurope",
        "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": "10" } });
    template(&cx, &json!([account("foreignone", "2022-09-01", &https), address]), &json!({}));
    settles(&cx);
}

#[test]
fn a_name_that_is_not_known_yet_names_no_group() {
    let cx = TestContext::new();
    let role = json!({ "type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": "[parameters('name')]",
        "properties": { "principalId": "22222222-2222-4222-8222-222222222222", "principalType": "ServicePrincipal",
            "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'acdd72a7-3385-48ef-bd42-f606fba81ae7')]" } });
    let name = json!({ "parameters": { "name": { "type": "string", "defaultValue": "[newGuid()]" } } });
    template(&cx, &json!([role]), &name);
    let plan = fine(cx.run(&format!("plan --template t.json {WHERE}")));
    assert!(plan.stdout.contains("Plan: 1 to create."), "{}", plan.text());
    let applied = fine(cx.run(&format!("apply --yes --template t.json {WHERE}")));
    assert!(applied.stdout.contains("Done: 1 created."), "{}", applied.text());
}

#[test]
fn what_the_endpoint_is_asked_about_types_is_answered() {
    let cx = TestContext::new();
    let outputs = json!({ "outputs": { "blob": { "type": "string",
        "value": "[reference(resourceId('Microsoft.Storage/storageAccounts', 'foreigntwo'), providers('Microsoft.Storage', 'storageAccounts').apiVersions[0]).primaryEndpoints.blob]" } } });
    template(&cx, &json!([account("foreigntwo", "2022-09-01", &standard())]), &outputs);
    let applied = settles(&cx);
    assert!(applied.stdout.contains("https://foreigntwo.blob.core.windows.net/"), "{}", applied.text());
}

/// `accountType` of version 2015-06-15 is `sku.name` since; templates give both.
#[test]
fn the_old_name_of_the_kind_of_an_account_settles() {
    let cx = TestContext::new();
    let mut both = standard();
    both["properties"] = json!({ "accountType": "Standard_LRS" });
    template(&cx, &json!([account("foreignboth", "2017-10-01", &both)]), &json!({}));
    settles(&cx);
}

/// The endpoint tells a plan its versions, so that what they read is known, also of what the template does not deploy.
#[test]
fn a_plan_reads_in_the_version_that_the_endpoint_lists() {
    let cx = TestContext::new();
    let (beside, own) = ("[parameters('beside')]", "foreignfive");
    template(&cx, &json!([account("foreignfour", "2022-09-01", &standard())]), &json!({}));
    fine(cx.run(&format!("apply --yes --template t.json --deployment-name earlier {WHERE}")));
    let blob = |name: &str| {
        format!(
            "[reference(resourceId('Microsoft.Storage/storageAccounts', '{name}'), providers('Microsoft.Storage', 'storageAccounts').apiVersions[0]).primaryEndpoints.blob]"
        )
    };
    let address = json!({ "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2023-04-01", "name": "a", "location": "westeurope",
        "dependsOn": [own], "sku": { "name": "Standard" }, "tags": { "own": blob(own), "beside": blob("foreignfour"), "name": beside },
        "properties": { "publicIPAllocationMethod": "Static" } });
    let parameters = json!({ "parameters": { "beside": { "type": "string", "defaultValue": "foreignfour" } } });
    template(&cx, &json!([account(own, "2022-09-01", &standard()), address]), &parameters);
    settles(&cx);
}

#[test]
fn old_versions_are_judged_by_what_they_ask_for() {
    let cx = TestContext::new();
    let old = account("foreignold", "2015-06-15", &json!({ "properties": { "accountType": "Standard_LRS" } }));
    let network = json!({ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-04-01", "name": "n", "location": "westeurope",
        "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } } });
    let diagnostics = json!({ "type": "Microsoft.Network/virtualNetworks/providers/diagnosticSettings", "apiVersion": "2017-05-01-preview",
        "name": "n/Microsoft.Insights/d", "dependsOn": ["n", "foreignold"], "properties": {
            "storageAccountId": "[resourceId('Microsoft.Storage/storageAccounts', 'foreignold')]", "metrics": [{ "category": "AllMetrics", "enabled": true }] } });
    let outputs = json!({ "outputs": {
        "old": { "type": "bool", "value": "[not(empty(listKeys(resourceId('Microsoft.Storage/storageAccounts', 'foreignold'), '2015-06-15').key1))]" },
        "new": { "type": "bool", "value": "[not(empty(listKeys(resourceId('Microsoft.Storage/storageAccounts', 'foreignold'), '2022-09-01').keys[0].value))]" }
    } });
    template(&cx, &json!([old, network, diagnostics]), &outputs);
    let applied = settles(&cx);
    assert!(applied.stdout.contains("old  true") && applied.stdout.contains("new  true"), "{}", applied.text());
}

#[test]
fn a_region_on_a_child_is_no_change() {
    let cx = TestContext::new();
    let network = |name: &str, prefix: &str| {
        json!({ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2022-05-01", "name": name, "location": "westeurope",
            "properties": { "addressSpace": { "addressPrefixes": [prefix] } } })
    };
    let peering = json!({ "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings", "apiVersion": "2022-05-01", "name": "a/p",
        "location": "westeurope", "dependsOn": ["a", "b"],
        "properties": { "remoteVirtualNetwork": { "id": "[resourceId('Microsoft.Network/virtualNetworks', 'b')]" } } });
    template(&cx, &json!([network("a", "10.0.0.0/16"), network("b", "10.1.0.0/16"), peering]), &json!({}));
    settles(&cx);
}

#[test]
fn what_only_azure_computes_is_not_called_a_mistake() {
    let cx = TestContext::new();
    let cluster = json!({ "type": "Microsoft.ContainerService/managedClusters", "apiVersion": "2023-05-01", "name": "foreigncluster",
        "location": "westeurope", "properties": { "dnsPrefix": "foreign" } });
    let outputs = json!({ "outputs": { "host": { "type": "string", "value": "[reference('foreigncluster').fqdn]" } } });
    template(&cx, &json!([cluster]), &outputs);
    let ran = cx.run(&format!("apply --yes --template t.json {WHERE}"));
    let text = ran.text().replace("\n  ", " ");
    assert_ne!(ran.exit, 0);
    assert!(
        text.contains("does not compute the property 'fqdn' of the type 'Microsoft.ContainerService/managedClusters'"),
        "{text}"
    );
    assert!(!text.contains("the template has a mistake"), "{text}");
}

/// Identifiers are made once, names are those of the zones of the services; a plan knows both after the first apply.
#[test]
fn what_services_compute_is_read_and_stays() {
    let cx = TestContext::new();
    let placed = |kind: &str, version: &str, name: &str, more: &Value| json!({ "type": kind, "apiVersion": version, "name": name, "location": "westeurope", "properties": more });
    let address = json!({ "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2023-04-01", "name": "a", "location": "westeurope",
        "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" }, "tags": {
            "key": "[reference('Microsoft.Insights/components/app').InstrumentationKey]",
            "workspace": "[reference('Microsoft.OperationalInsights/workspaces/logs').customerId]",
            "host": "[reference('Microsoft.Sql/servers/foreignsql').fullyQualifiedDomainName]" } });
    let all = json!([
        placed("Microsoft.Insights/components", "2020-02-02", "app", &json!({ "Application_Type": "web" })),
        placed(
            "Microsoft.OperationalInsights/workspaces",
            "2022-10-01",
            "logs",
            &json!({ "sku": { "name": "PerGB2018" } })
        ),
        placed("Microsoft.Sql/servers", "2021-11-01", "foreignsql", &json!({ "administratorLogin": "somebody" })),
        address,
    ]);
    template(&cx, &all, &json!({}));
    settles(&cx);
    let shown = fine(cx.run(&format!("show --template t.json {WHERE} --json")));
    assert!(shown.stdout.contains("foreignsql.database.windows.net"), "{}", shown.text());
}

#[test]
fn the_deployment_has_the_name_that_is_given() {
    let cx = TestContext::new();
    let outputs = json!({ "outputs": { "name": { "type": "string", "value": "[deployment().name]" } } });
    let tagged = json!({ "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31",
        "name": "[concat('id-', deployment().name)]", "location": "westeurope" });
    template(&cx, &json!([tagged]), &outputs);
    let expanded = fine(cx.run("expand t.json --deployment-name main-2026"));
    assert!(expanded.stdout.contains("\"name\": \"id-main-2026\""), "{}", expanded.text());
    let unnamed = fine(cx.run(&format!("plan --template t.json {WHERE}")));
    assert!(unnamed.stderr.contains("which a stack makes anew each time"), "{}", unnamed.text());
    let named = format!("--template t.json --deployment-name main-2026 {WHERE}");
    let applied = fine(cx.run(&format!("apply --yes {named}")));
    assert!(applied.stdout.contains("id-main-2026") && applied.stdout.contains("main-2026"), "{}", applied.text());
    assert!(fine(cx.run(&format!("plan {named}"))).stdout.contains("Nothing to do"));
    let refused = cx.run("plan --template t.json --deployment-name a/b");
    assert!(refused.exit != 0 && refused.stderr.contains("1 to 64 letters"), "{}", refused.text());
}

/// Planned as if for a resource group, its resources would have ids that they do not get.
#[test]
fn a_template_of_another_scope_is_refused() {
    for (schema, place) in [
        ("2018-05-01/subscriptionDeploymentTemplate", "for a subscription"),
        ("2019-08-01/managementGroupDeploymentTemplate", "for a management group"),
        ("2019-08-01/tenantDeploymentTemplate", "for a tenant"),
    ] {
        let cx = TestContext::new();
        let whole = json!({ "$schema": format!("https://schema.management.azure.com/schemas/{schema}.json#"),
            "contentVersion": "1.0.0.0", "resources": [{ "type": "Microsoft.Authorization/policyDefinitions", "apiVersion": "2021-06-01",
                "name": "p", "properties": { "policyType": "Custom", "mode": "All", "policyRule": {} } }] });
        cx.write("t.json", &whole.to_string());
        for command in ["plan", "apply --yes"] {
            let ran = cx.run(&format!("{command} --template t.json --location westeurope"));
            assert!(ran.exit == 1 && ran.text().contains("DSVM0704") && ran.text().contains(place), "{}", ran.text());
        }
    }
}

#[test]
fn a_busy_pool_is_a_note_in_the_plan() {
    let cx = TestContext::new();
    template(
        &cx,
        &json!([{ "type": "Microsoft.Compute/proximityPlacementGroups", "apiVersion": "2023-03-01", "name": "p", "location": "westeurope" }]),
        &json!({}),
    );
    let live = json!([{ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/proximityPlacementGroups/p",
        "type": "Microsoft.Compute/proximityPlacementGroups", "name": "p", "location": "westeurope", "properties": { "provisioningState": "Updating" } }]);
    cx.write("live.json", &live.to_string());
    let plan = fine(cx.run("plan --template t.json --live live.json -g g --subscription s"));
    assert!(
        plan.stdout.contains("Nothing to do") && plan.stdout.contains("note: `p`: is being changed right now"),
        "{}",
        plan.text()
    );
}

#[test]
fn resources_without_dependencies_are_written_in_an_order_that_works() {
    let cx = TestContext::new();
    let card = json!({ "type": "Microsoft.Network/networkInterfaces", "apiVersion": "2023-04-01", "name": "c", "location": "westeurope",
        "properties": { "ipConfigurations": [{ "name": "i", "properties": { "subnet": { "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'n', 's')]" } } }] } });
    let network = json!({ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-04-01", "name": "n", "location": "westeurope",
        "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": [{ "name": "s", "properties": { "addressPrefix": "10.0.0.0/24" } }] } });
    template(&cx, &json!([card, network]), &json!({}));
    settles(&cx);
    // What is missing in any order fails, and is told once.
    template(
        &cx,
        &json!([card, { "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31", "name": "other", "location": "westeurope" }]),
        &json!({}),
    );
    let ran = cx.run("apply --yes --template t.json --resource-group h --location westeurope");
    assert!(ran.exit != 0 && ran.text().contains("InvalidResourceReference"), "{}", ran.text());
}
