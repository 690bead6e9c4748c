use super::*;

#[test]
fn literals_and_escapes() {
    let e = expanded(json!({"variables": {
        "a": "[[test value]", "b": "[test] value", "c": "[[]", "d": "[[test[]test2]", "[[e]": "[concat('x', 'y')]"
    }, "outputs": {"o": {"type": "array", "value": [
        "[variables('a')]", "[variables('b')]", "[variables('c')]", "[variables('d')]", "[variables('[[e]')]"
    ]}}}));
    assert_eq!(e.outputs["o"].value, json!(["[test value]", "[test] value", "[]", "[test[]test2]", "xy"]));
}

#[test]
fn values_of_parameters_are_not_expressions() {
    let t = template(
        json!({"parameters": {"p": {"type": "string"}}, "outputs": {"o": {"type": "string", "value": "[parameters('P')]"}}}),
    );
    for text in ["[concat('a')]", "[[test value]"] {
        let e = expand(&t, &values(json!({"p": text})), &place(), &Limits::default()).unwrap();
        assert_eq!(e.outputs["o"].value, json!(text));
        assert!(e.outputs["o"].unknown.is_empty());
    }
}

#[test]
fn property_names_are_expressions_too() {
    let e = expanded(json!({"resources": [{
        "type": "A.B/c", "apiVersion": "1", "name": "n",
        "tags": {"[format('hidden-{0}', 'x')]": "1", "[[resourceGroup().location]": "2"}
    }]}));
    assert_eq!(e.resources[0].body["tags"], json!({"hidden-x": "1", "[resourceGroup().location]": "2"}));
}

#[test]
fn loops_of_resources_properties_variables_and_outputs() {
    let e = expanded(json!({
        "variables": {
            "copy": [{"name": "names", "count": 2, "input": "[concat('n', copyIndex('names'))]"}],
            "o": {"copy": [{"name": "in", "count": 2, "input": {"i": "[copyIndex('in', 5)]"}}]}
        },
        "resources": [{
            "type": "A.B/c", "apiVersion": "1", "name": "[concat('r', copyIndex())]",
            "copy": {"name": "loop", "count": 2},
            "properties": {
                "copy": [{"name": "disks", "count": 2, "input": {"lun": "[copyIndex('disks')]", "of": "[copyIndex('loop')]", "plain": "[copyIndex()]"}}]
            }
        }],
        "outputs": {
            "names": {"type": "array", "value": "[variables('names')]"},
            "o": {"type": "object", "value": "[variables('o')]"},
            "loop": {"type": "array", "copy": {"count": 3, "input": "[mul(copyIndex(), 2)]"}}
        }
    }));
    assert_eq!(ids(&e), ["A.B/c/r0", "A.B/c/r1"]);
    assert_eq!(
        e.resources[1].body["properties"]["disks"],
        json!([{"lun": 0, "of": 1, "plain": 1}, {"lun": 1, "of": 1, "plain": 1}])
    );
    assert_eq!(e.outputs["names"].value, json!(["n0", "n1"]));
    assert_eq!(e.outputs["o"].value, json!({"in": [{"i": 5}, {"i": 6}]}));
    assert_eq!(e.outputs["loop"].value, json!([0, 2, 4]));
}

#[test]
fn a_serial_loop_waits_batch_by_batch() {
    let e = expanded(json!({"resources": [{
        "type": "A.B/c", "apiVersion": "1", "name": "[string(copyIndex())]",
        "copy": {"name": "loop", "count": 5, "mode": "serial", "batchSize": 2}
    }]}));
    let waits: Vec<Vec<&str>> =
        e.resources.iter().map(|r| r.depends_on.iter().map(|d| d.rsplit('/').next().unwrap()).collect()).collect();
    assert_eq!(waits, [vec![], vec![], vec!["0", "1"], vec!["0", "1"], vec!["2", "3"]] as [Vec<&str>; 5]);
}

#[test]
fn a_loop_of_no_turns_is_legal_and_may_be_waited_for() {
    let e = expanded(json!({"resources": [
        {"type": "A.B/c", "apiVersion": "1", "name": "[string(copyIndex())]", "copy": {"name": "loop", "count": 0}},
        {"type": "A.B/d", "apiVersion": "1", "name": "x", "dependsOn": ["loop"]}
    ]}));
    assert_eq!(ids(&e), ["A.B/d/x"]);
    assert!(e.resources[0].depends_on.is_empty());
}

#[test]
fn dependencies_are_found_by_every_name() {
    let e = expanded(json!({"resources": [
        {"type": "A.B/c", "apiVersion": "1", "name": "one"},
        {"type": "A.B/c", "apiVersion": "1", "name": "two", "copy": {"name": "loop", "count": 1}, "dependsOn": ["one"]},
        {"type": "A.B/d", "apiVersion": "1", "name": "x", "dependsOn": [
            "[resourceId('a.b/C', 'ONE')]", "[concat('A.B/c/', 'one')]", "loop"
        ]},
        {"type": "A.B/d", "apiVersion": "1", "name": "parent", "resources": [
            {"type": "kid", "apiVersion": "1", "name": "k"},
            {"type": "kid", "apiVersion": "1", "name": "l", "dependsOn": ["k"]}
        ]}
    ]}));
    let of = |name: &str| {
        let resource = e.resources.iter().find(|r| r.name == name).unwrap();
        resource.depends_on.iter().map(|d| d.rsplit('/').next().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of("two"), ["one"]);
    assert_eq!(of("x"), ["one", "two"]);
    assert_eq!(of("parent/k"), ["parent"]);
    assert_eq!(of("parent/l"), ["parent", "k"]);
}

#[test]
fn what_is_skipped_is_skipped_with_its_children_and_waited_for_by_nobody() {
    let e = expanded(json!({"resources": [
        {"type": "A.B/c", "apiVersion": "1", "name": "off", "condition": "[equals(1, 2)]", "resources": [
            {"type": "kid", "apiVersion": "1", "name": "k"}
        ]},
        {"type": "A.B/d", "apiVersion": "1", "name": "x", "dependsOn": ["off"]}
    ]}));
    assert_eq!(ids(&e), ["A.B/d/x"]);
    assert!(e.resources[0].depends_on.is_empty());
}

#[test]
fn ids_of_children_and_extensions() {
    let e = expanded(json!({"resources": [
        {"type": "Microsoft.Storage/storageAccounts/providers/locks", "apiVersion": "1", "name": "sa/Microsoft.Authorization/l"},
        {"type": "Microsoft.Authorization/locks", "apiVersion": "1", "name": "m", "scope": "[format('Microsoft.Storage/storageAccounts/{0}', 'sa')]"},
        {"type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "1", "name": "v/s"},
        {"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "d", "resourceGroup": "other", "properties": {"mode": "Incremental", "template": {"resources": []}}}
    ]}));
    assert_eq!(
        ids(&e),
        [
            "Microsoft.Storage/storageAccounts/sa/providers/Microsoft.Authorization/locks/l",
            "Microsoft.Storage/storageAccounts/sa/providers/Microsoft.Authorization/locks/m",
            "Microsoft.Network/virtualNetworks/v/subnets/s",
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/other/providers/Microsoft.Resources/deployments/d",
        ]
    );
}

#[test]
fn the_other_scopes() {
    let mut context = Context::subscription("s1");
    context.location = Some("westeurope".to_string());
    let t = template(json!({"resources": [{
        "type": "Microsoft.Resources/resourceGroups", "apiVersion": "2024-11-01", "name": "g", "location": "[deployment().location]"
    }], "outputs": {"id": {"type": "string", "value": "[subscriptionResourceId('A.B/c', 'x')]"}}}));
    let e = expand(&t, &Parameters::new(), &context, &Limits::default()).unwrap();
    assert_eq!(e.resources[0].id, "/subscriptions/s1/resourceGroups/g");
    assert_eq!(e.resources[0].body["location"], "westeurope");
    assert_eq!(e.outputs["id"].value, "/subscriptions/s1/providers/A.B/c/x");
    let group = Context { scope: Scope::ManagementGroup, management_group: Some("mg".into()), ..Context::default() };
    let t = template(json!({"resources": [
        {"type": "Microsoft.Authorization/policyAssignments", "apiVersion": "1", "name": "p",
         "properties": {"id": "[format('/x/{0}', managementGroup().name)]"}},
        {"type": "Microsoft.Management/managementGroups", "apiVersion": "1", "name": "new", "scope": "/"}
    ]}));
    let e = expand(&t, &Parameters::new(), &group, &Limits::default()).unwrap();
    assert_eq!(
        e.resources[0].id,
        "/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/policyAssignments/p"
    );
    assert_eq!(e.resources[0].body["properties"]["id"], "/x/mg");
    assert_eq!(e.resources[1].id, "/providers/Microsoft.Management/managementGroups/new");
}

#[test]
fn a_null_property_is_absent() {
    let e = expanded(json!({"resources": [{
        "type": "A.B/c", "apiVersion": "1", "name": "n", "tags": null, "properties": {"a": "[json('null')]", "b": {"c": null, "d": 1}}
    }]}));
    assert_eq!(e.resources[0].body["properties"], json!({"b": {"d": 1}}));
    assert!(e.resources[0].body.get("tags").is_none());
}

#[test]
fn secrets_are_followed_to_where_they_end() {
    let t = template(json!({
        "parameters": {"password": {"type": "securestring"}, "settings": {"type": "secureObject"}, "plain": {"type": "string", "defaultValue": "x"}},
        "variables": {"line": "[concat('user:', parameters('password'))]"},
        "resources": [{"type": "A.B/c", "apiVersion": "1", "name": "n", "properties": {
            "a": "[parameters('password')]", "b": {"c": "[base64(variables('line'))]"}, "d": "[parameters('plain')]",
            "e": "[parameters('settings')]", "f": "[parameters('settings').pin]", "g": "[createObject('p', parameters('password'), 'q', 1)]",
            "h": "[empty(parameters('password'))]", "i/j": "[if(true(), parameters('password'), 'no')]"
        }}],
        "outputs": {"o": {"type": "string", "value": "[parameters('password')]"}, "p": {"type": "string", "value": "[parameters('plain')]"}}
    }));
    let given = values(json!({"password": "hunter2", "settings": {"pin": 7}}));
    let e = expand(&t, &given, &place(), &Limits::default()).unwrap();
    let p = |name: &str| format!("/properties/{name}");
    assert_eq!(e.resources[0].secret_pointers, [p("a"), p("b/c"), p("e"), p("f"), p("g/p"), p("i~1j")]);
    assert!(e.outputs["o"].secure);
    assert!(!e.outputs["p"].secure);
    assert!(e.parameters["password"].secure);
    let shown = format!("{e:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn key_vault_references_stay_open_until_fetched() {
    struct Vault;
    impl Runtime for Vault {
        fn reference(&self, _: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, String> {
            Ok(None)
        }
        fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
            Ok(None)
        }
        fn function(&self, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
            assert_eq!((name, args), ("keyVaultSecret", &[json!("/v"), json!("s")][..]));
            Ok(Some(json!("opened")))
        }
    }
    let t = template(json!({"parameters": {"p": {"type": "securestring"}}, "resources": [
        {"type": "A.B/c", "apiVersion": "1", "name": "n", "properties": {"p": "[parameters('p')]"}}
    ]}));
    let mut given = parse_parameters(r#"{"p": {"reference": {"keyVault": {"id": "/v"}, "secretName": "s"}}}"#).unwrap();
    let open = expand(&t, &given, &place(), &Limits::default()).unwrap();
    assert_eq!(open.resources[0].body["properties"]["p"], "[keyVaultSecret('/v', 's')]");
    assert_eq!(open.resources[0].secret_pointers, ["/properties/p"]);
    let done = open.resources[0].resolve(&place(), &Vault).unwrap();
    assert_eq!(done.body.value["properties"]["p"], "opened");
    assert_eq!(done.body.secret_pointers, ["/properties/p"]);
    given.fetch_secrets(&Vault).unwrap();
    let e = expand(&t, &given, &place(), &Limits::default()).unwrap();
    assert_eq!(e.resources[0].body["properties"]["p"], "opened");
    assert_eq!(e.resources[0].secret_pointers, ["/properties/p"]);
}

/// The template and hash of a real deployment (azure-cli, test_resource_group_level_what_if).
#[test]
fn the_template_hash_is_that_of_the_service() {
    let text = r#"{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": {"storageAccountType": {"type": "string", "defaultValue": "Standard_LRS",
            "allowedValues": ["Standard_LRS", "Standard_GRS", "Standard_ZRS", "Premium_LRS"], "metadata": {"description": "Storage Account type"}},
            "location": {"type": "string", "defaultValue": "[resourceGroup().location]", "metadata": {"description": "Location for all resources."}}},
        "variables": {"storageAccountName": "[concat('store', uniquestring(resourceGroup().id))]"},
        "resources": [{"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2019-04-01", "name": "[variables('storageAccountName')]",
            "location": "[parameters('location')]", "sku": {"name": "[parameters('storageAccountType')]"}, "kind": "StorageV2", "properties": {}}],
        "outputs": {"storageAccountId": {"type": "string", "value": "[resourceId('Microsoft.Storage/storageAccounts', variables('storageAccountName'))]"}}}"#;
    assert_eq!(parse(text).unwrap().hash(), "6230226507688242128");
}
