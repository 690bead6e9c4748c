//! Deployment stacks: managed resources, what is let go, deny settings, what-if results, deletion.

use serde_json::{Value, json};

use super::{Local, Reply, body, code, full, header};

const STACK: &str = "{rg}/Microsoft.Resources/deploymentStacks/s1";

fn stack(names: &[&str], action: &str, deny: &str) -> String {
    let resources: Vec<Value> = names
        .iter()
        .map(|name| json!({ "type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": name, "location": "westeurope", "properties": { "n": 1 } }))
        .collect();
    json!({ "tags": {}, "properties": {
        "actionOnUnmanage": { "resources": action, "resourceGroups": "detach", "managementGroups": "detach" },
        "denySettings": { "mode": deny, "excludedActions": ["Contoso.Things/widgets/write"] },
        "template": { "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "parameters": { "secret": { "type": "securestring", "defaultValue": "very-hidden" } }, "resources": resources,
            "outputs": { "n": { "type": "int", "value": resources.len() } } } } })
    .to_string()
}

fn wait(local: &Local, reply: &Reply) -> Value {
    assert!([200, 201].contains(&reply.status), "{reply:?}");
    let poll = header(reply, "Azure-AsyncOperation").expect("poll").replace(&local.endpoint.base_url, "");
    for _ in 0..40_000 {
        let status = body(&local.get(&poll))["status"].as_str().unwrap_or_default().to_owned();
        if ["succeeded", "failed", "canceled"].contains(&status.as_str()) {
            return body(&local.get(STACK)).clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("the stack does not end");
}

fn ids(record: &Value, list: &str) -> Vec<String> {
    let list = record["properties"][list].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|item| item["id"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_stack_manages_deletes_and_detaches() {
    let local = Local::group();
    assert_eq!(local.get(STACK).status, 404);
    let valid = local.post(&format!("{STACK}/validate"), &stack(&["a"], "delete", "none"));
    assert_eq!(body(&valid)["properties"]["validatedResources"].as_array().map(Vec::len), Some(1), "{valid:?}");
    let record = wait(&local, &local.put(STACK, &stack(&["a", "b"], "delete", "none")));
    assert_eq!(record["properties"]["provisioningState"], "succeeded", "{record}");
    assert_eq!(ids(&record, "resources"), ["a", "b"]);
    assert_eq!(record["properties"]["outputs"]["n"], json!({ "type": "int", "value": 2 }));
    assert!(!record.to_string().contains("very-hidden"));
    let record = wait(&local, &local.put(STACK, &stack(&["b", "c"], "delete", "none")));
    assert_eq!(
        (ids(&record, "resources"), ids(&record, "deletedResources")),
        (vec!["b".to_owned(), "c".into()], vec!["a".to_owned()])
    );
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/a").status, 404);
    let record = wait(&local, &local.put(STACK, &stack(&["c"], "detach", "none")));
    assert_eq!(ids(&record, "detachedResources"), ["b"]);
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/b").status, 200);
    let exported = local.post(&format!("{STACK}/exportTemplate"), "");
    assert_eq!(body(&exported)["template"]["resources"].as_array().map(Vec::len), Some(1));
    assert_eq!(local.delete(&format!("{STACK}?unmanageAction.Resources=delete")).status, 202);
    assert_eq!(
        (
            local.get(STACK).status,
            local.get("{rg}/Contoso.Things/widgets/c").status,
            local.get("{rg}/Contoso.Things/widgets/b").status
        ),
        (404, 404, 200)
    );
}

#[test]
fn deny_settings_stop_others_but_not_the_stack() {
    let local = Local::group();
    wait(&local, &local.put(STACK, &stack(&["a"], "delete", "denyWriteAndDelete")));
    let thing = "{rg}/Contoso.Things/widgets/a";
    assert_eq!(code(&local.delete(thing)), (403, "DenyAssignmentAuthorizationFailed"));
    assert_eq!(
        code(&local.delete("/subscriptions/{sub}/resourceGroups/rg")),
        (403, "DenyAssignmentAuthorizationFailed")
    );
    assert_eq!(local.put(thing, r#"{"location":"westeurope"}"#).status, 200, "an excluded action");
    let record = wait(&local, &local.put(STACK, &stack(&["b"], "delete", "none")));
    assert_eq!(ids(&record, "deletedResources"), ["a"]);
    assert_eq!(local.delete("{rg}/Contoso.Things/widgets/b").status, 200);
}

#[test]
fn a_failed_stack_lets_nothing_go() {
    let local = Local::group();
    wait(&local, &local.put(STACK, &stack(&["a"], "delete", "none")));
    local.post("/_local/faults", r#"{"kind":"fail","name":"b"}"#);
    let record = wait(&local, &local.put(STACK, &stack(&["b"], "delete", "none")));
    assert_eq!(
        (&record["properties"]["provisioningState"], ids(&record, "failedResources")),
        (&json!("failed"), vec!["b".to_owned()])
    );
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/a").status, 200);
    assert_eq!(code(&local.put(STACK, &stack(&["a"], "destroy", "none"))), (400, "InvalidRequestContent"));
}

#[test]
fn what_if_of_a_stack() {
    let local = Local::group();
    wait(&local, &local.put(STACK, &stack(&["a", "b"], "delete", "none")));
    let mut ask: Value = serde_json::from_str(&stack(&["b", "c"], "delete", "denyDelete")).expect("JSON");
    ask["properties"]["deploymentStackResourceId"] = json!(full(STACK));
    let path = "{rg}/Microsoft.Resources/deploymentStacksWhatIfResults/w";
    assert_eq!(local.put(path, &ask.to_string()).status, 201);
    let result = local.get(path);
    let changes = &body(&result)["properties"]["changes"];
    let verbs: Vec<String> = changes["resourceChanges"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|c| {
            format!(
                "{} {}",
                c["id"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default(),
                c["changeType"].as_str().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(verbs, ["b noChange", "c create", "a delete"]);
    assert_eq!(changes["denySettingsChange"]["delta"][0]["path"], "mode");
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/c").status, 404);
}

#[test]
fn a_list_that_may_be_wrong_deletes_nothing_unless_told_to() {
    let local = Local::group();
    wait(&local, &local.put(STACK, &stack(&["a"], "delete", "none")));
    local.post("/_local/faults", r#"{"kind":"DeploymentStackOutOfSync","name":"s1","times":2}"#);
    assert_eq!(code(&local.put(STACK, &stack(&["b"], "delete", "none"))), (409, "DeploymentStackOutOfSync"));
    assert_eq!(
        code(&local.delete(&format!("{STACK}?unmanageAction.Resources=delete"))),
        (409, "DeploymentStackOutOfSync")
    );
    assert_eq!(local.get("{rg}/Contoso.Things/widgets/a").status, 200);
    local.post("/_local/faults", r#"{"kind":"DeploymentStackOutOfSync","times":"always"}"#);
    let mut ask: Value = serde_json::from_str(&stack(&["b"], "delete", "none")).expect("JSON");
    ask["properties"]["bypassStackOutOfSyncError"] = json!(true);
    let record = wait(&local, &local.put(STACK, &ask.to_string()));
    assert_eq!(ids(&record, "deletedResources"), ["a"]);
    let path = format!("{STACK}?unmanageAction.Resources=delete&bypassStackOutOfSyncError=true");
    assert_eq!(local.delete(&path).status, 202);
}

#[test]
fn what_cannot_be_deleted_goes_with_its_parent_or_as_the_stack_says() {
    let account = json!({ "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2024-01-01", "name": "stackstore1", "location": "westeurope",
        "kind": "StorageV2", "sku": { "name": "Standard_LRS" } });
    let service = json!({ "type": "Microsoft.Storage/storageAccounts/fileServices", "apiVersion": "2024-01-01", "name": "stackstore1/default",
        "dependsOn": ["stackstore1"], "properties": {} });
    let ask = |resources: Value, last: &str| {
        let mut ask: Value = serde_json::from_str(&stack(&[], "delete", "none")).expect("JSON");
        ask["properties"]["template"]["resources"] = resources;
        ask["properties"]["actionOnUnmanage"]["resourcesWithoutDeleteSupport"] = json!(last);
        ask.to_string()
    };
    let local = Local::group();
    wait(&local, &local.put(STACK, &ask(json!([account, service]), "fail")));
    let record = wait(&local, &local.put(STACK, &ask(json!([account]), "fail")));
    assert_eq!(
        (&record["properties"]["provisioningState"], ids(&record, "failedResources")),
        (&json!("failed"), vec!["default".to_owned()])
    );
    let record = wait(&local, &local.put(STACK, &ask(json!([account]), "detach")));
    assert_eq!(
        (&record["properties"]["provisioningState"], ids(&record, "detachedResources")),
        (&json!("succeeded"), vec!["default".to_owned()])
    );
    wait(&local, &local.put(STACK, &ask(json!([account, service]), "fail")));
    let record = wait(&local, &local.put(STACK, &ask(json!([]), "fail")));
    assert_eq!(
        (&record["properties"]["provisioningState"], ids(&record, "deletedResources").len()),
        (&json!("succeeded"), 2)
    );
}

#[test]
fn a_stack_stands_in_a_template() {
    let local = Local::group();
    let mut inner: Value = serde_json::from_str(&stack(&["a"], "delete", "none")).expect("JSON");
    let properties = inner["properties"].take();
    let outer = |properties: &Value| {
        json!({ "properties": { "mode": "Incremental", "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "resources": [
                { "type": "Microsoft.Resources/deploymentStacks", "apiVersion": "2024-03-01", "name": "s1", "properties": properties },
                { "type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": "after", "location": "westeurope",
                  "dependsOn": ["[resourceId('Microsoft.Resources/deploymentStacks', 's1')]"],
                  "properties": { "n": "[reference(resourceId('Microsoft.Resources/deploymentStacks', 's1'), '2024-03-01').outputs.n.value]" } },
            ] } } })
        .to_string()
    };
    let deployment = "{rg}/Microsoft.Resources/deployments/d";
    let finished = |reply: &Reply| {
        assert!([200, 201].contains(&reply.status), "{reply:?}");
        for _ in 0..40_000 {
            let record = body(&local.get(deployment)).clone();
            let state = record["properties"]["provisioningState"].as_str().unwrap_or_default().to_owned();
            if ["Succeeded", "Failed"].contains(&state.as_str()) {
                return record;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("the deployment does not end");
    };
    let record = finished(&local.put(deployment, &outer(&properties)));
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    assert_eq!(ids(body(&local.get(STACK)), "resources"), ["a"]);
    assert_eq!(body(&local.get("{rg}/Contoso.Things/widgets/after"))["properties"]["n"], 1);
    // the stack in the template manages its own, as any other
    let mut less: Value = serde_json::from_str(&stack(&["b"], "delete", "none")).expect("JSON");
    let record = finished(&local.put(deployment, &outer(&less["properties"].take())));
    assert_eq!(record["properties"]["provisioningState"], "Succeeded", "{record}");
    assert_eq!(ids(body(&local.get(STACK)), "deletedResources"), ["a"]);
    local.post("/_local/faults", r#"{"kind":"fail","name":"c"}"#);
    let mut broken: Value = serde_json::from_str(&stack(&["c"], "delete", "none")).expect("JSON");
    let record = finished(&local.put(deployment, &outer(&broken["properties"].take())));
    assert_eq!(record["properties"]["error"]["details"][0]["code"], "DeploymentStackDeploymentFailed", "{record}");
    let mut wrong: Value = serde_json::from_str(&stack(&["c"], "destroy", "none")).expect("JSON");
    assert_eq!(code(&local.put(deployment, &outer(&wrong["properties"].take()))), (400, "InvalidTemplateDeployment"));
}
