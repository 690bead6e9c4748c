//! `dsvmc expand`.

use crate::support::TestContext;
use serde_json::{Value, json};

const TEMPLATE: &str = r#"{
  // A storage account for each name.
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "names": { "type": "array" },
    "key": { "type": "securestring", "defaultValue": "hunter2" },
    "tier": { "type": "string", "allowedValues": [ "Hot", "Cool" ], "defaultValue": "Hot" },
  },
  "resources": [
    {
      "type": "Microsoft.Storage/storageAccounts",
      "apiVersion": "2022-09-01",
      "name": "[parameters('names')[copyIndex()]]",
      "copy": { "name": "accounts", "count": "[length(parameters('names'))]" },
      "location": "[resourceGroup().location]",
      "properties": { "accessTier": "[parameters('tier')]", "secret": "[parameters('key')]" }
    }
  ],
  "outputs": {
    "first": { "type": "string", "value": "[reference(parameters('names')[0]).primaryEndpoints.blob]" },
    "key": { "type": "securestring", "value": "[parameters('key')]" }
  }
}"#;

#[test]
fn expanded_resources_are_printed_without_secrets() {
    let cx = TestContext::new();
    cx.write("azuredeploy.json", TEMPLATE);
    cx.write("p.json", r#"{"parameters": {"names": {"value": ["one", "two"]}}}"#);
    let ran = cx.run("expand azuredeploy.json --parameters @p.json -p tier=Cool --resource-group ds");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(!ran.stdout.contains("hunter2"));
    let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
    let scope = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/ds";
    assert_eq!(shown["scope"], scope);
    assert_eq!(
        shown["resources"][1],
        json!({
            "id": format!("{scope}/providers/Microsoft.Storage/storageAccounts/two"),
            "type": "Microsoft.Storage/storageAccounts",
            "name": "two",
            "apiVersion": "2022-09-01",
            "location": "[resourceGroup().location]",
            "properties": { "accessTier": "Cool", "secret": "(secret)" }
        })
    );
    let blob = format!(
        "[reference('{scope}/providers/Microsoft.Storage/storageAccounts/one', '2022-09-01').primaryEndpoints.blob]"
    );
    assert_eq!(shown["outputs"]["first"]["value"], blob);
    assert_eq!(shown["outputs"]["key"]["value"], "(secret)");
    let known = cx.run("expand azuredeploy.json -p @p.json -l westeurope");
    assert!(known.stdout.contains(r#""location": "westeurope""#));
}

#[test]
fn a_template_that_cannot_be_expanded_is_underlined() {
    let cx = TestContext::new();
    cx.write("azuredeploy.json", TEMPLATE);
    let missing = cx.run("expand azuredeploy.json");
    assert_eq!(missing.exit, 1);
    assert!(missing.stderr.contains("the parameter `names` has no value and no default"), "{}", missing.stderr);
    assert!(missing.stderr.contains("azuredeploy.json:6:14"), "{}", missing.stderr);
    let wrong = cx.run("expand azuredeploy.json -p names=[] -p tier=Warm");
    assert!(wrong.stderr.contains("the parameter `tier` is `Warm`; allowed are `Hot`, `Cool`"), "{}", wrong.stderr);
    assert_eq!(cx.run("expand azuredeploy.json -p names").exit, 1);
    assert_eq!(cx.run("expand none.json").exit, 3);
    cx.write("broken.json", "{ \"resources\": [ ");
    let broken = cx.run("expand broken.json");
    assert_eq!(broken.exit, 1);
    assert!(broken.stderr.contains("expected a value, found the end of the text"), "{}", broken.stderr);
}

#[test]
fn linked_templates_are_read_beside_the_template() {
    let cx = TestContext::new();
    let link = |path: &str| {
        json!({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "resources": [{
            "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d",
            "properties": {"mode": "Incremental", "templateLink": {"relativePath": path}}
        }]})
        .to_string()
    };
    cx.write("main.json", &link("parts/middle.json"));
    cx.write("parts/middle.json", &link("leaf.json"));
    cx.write("parts/leaf.json", r#"{"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "leaf"}]}"#);
    let ran = cx.run("expand main.json");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("providers/A.B/c/leaf"));
}

#[test]
fn a_folder_of_templates_is_counted() {
    let cx = TestContext::new();
    cx.write("a/azuredeploy.json", TEMPLATE);
    cx.write("b/notes.json", "{}");
    cx.write("b/broken.json", "{ \"$schema\": \"…/deploymentTemplate.json#\", ");
    cx.write(
        "b/wrong.json",
        "{ \"$schema\": \"…/deploymentTemplate.json#\", \"resources\": [{ \"type\": \"A.B/c\" }] }",
    );
    let ran = cx.run("expand --check .");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    for line in [
        "     1  expanded with unknown parts",
        "     1  not readable",
        "     1  other JSON",
        "     1  refused\n",
        "refused: the resource has no …",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn refused_templates_have_a_place_and_a_reason() {
    let cx = TestContext::new();
    cx.write(
        "a.json",
        "{ \"$schema\": \"…/deploymentTemplate.json#\",\n \"resources\": [{ \"type\": \"A.B/c\" \"name\": \"n\" }] }",
    );
    cx.write(
        "b.json",
        "{ \"$schema\": \"…/deploymentTemplate.json#\", \"variables\": {\n\n  \"unused\": \"[concat('a'\" , \"open\": \"[concat(]\" }, \"resources\": [] }",
    );
    let ran = cx.run("expand --check . --format json");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((told["files"].as_u64(), told["refused"].as_array().map(Vec::len)), (Some(2), Some(2)), "{told:#}");
    let of = |at: usize| {
        let one = &told["refused"][at];
        (one["line"].as_u64().unwrap(), one["outcome"].as_str().unwrap(), one["reason"].as_str().unwrap())
    };
    assert_eq!((of(0).0, of(0).1), (2, "not readable"));
    assert!(of(0).2.starts_with("expected `,` or `}`"), "{}", of(0).2);
    assert_eq!((of(1).0, of(1).1), (3, "refused"));
    // The same places for people.
    let ran = cx.run("expand --check .");
    assert!(ran.stderr.contains("a.json:2:") && ran.stderr.contains("b.json:3:"), "{}", ran.text());
}

#[test]
fn links_made_from_the_own_address_are_files_beside() {
    let cx = TestContext::new();
    let nested = |name: &str, link: Value, more: Value| {
        let mut properties = json!({ "mode": "Incremental", "templateLink": link });
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "Microsoft.Resources/deployments", "apiVersion": "2021-04-01", "name": name, "properties": properties })
    };
    let identity = |name: &str| json!({ "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31", "name": name, "location": "westeurope" });
    let file = |resources: Value, parameters: Value| {
        json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "parameters": parameters, "resources": resources })
        .to_string()
    };
    let own = json!({ "_artifactsLocation": { "type": "string", "defaultValue": "[deployment().properties.templateLink.uri]" } });
    let uri = json!({ "uri": "[uri(deployment().properties.templateLink.uri, 'parts/a.json')]" });
    let artefacts = json!({ "uri": "[uri(parameters('_artifactsLocation'), 'parts/b.json')]" });
    let outside = json!({ "uri": "[uri(deployment().properties.templateLink.uri, '../secret.json')]" });
    cx.write("x/main.json", &file(json!([nested("one", uri, json!({})), nested("two", artefacts, json!({}))]), own));
    cx.write("x/parts/a.json", &file(json!([identity("first")]), json!({})));
    cx.write("x/parts/b.json", &file(json!([identity("second")]), json!({})));
    let ran = cx.run("expand x/main.json");
    assert!(ran.stdout.contains("\"first\"") && ran.stdout.contains("\"second\""), "{}", ran.text());
    let ran = cx.run("apply --yes --template x/main.json --resource-group g --location westeurope");
    assert!(ran.exit == 0 && ran.stdout.contains("Done: 2 created."), "{}", ran.text());
    let again = cx.run("plan --template x/main.json --resource-group g --location westeurope");
    assert!(again.stdout.contains("Nothing to do"), "{}", again.text());
    // What lies outside of the folder is not read.
    cx.write("x/out.json", &file(json!([nested("three", outside, json!({}))]), json!({})));
    cx.write("secret.json", &file(json!([identity("third")]), json!({})));
    for command in ["expand x/out.json", "plan --template x/out.json --resource-group g --location westeurope"] {
        let ran = cx.run(command);
        assert!(!ran.text().contains("third"), "{command}: {}", ran.text());
    }
}
