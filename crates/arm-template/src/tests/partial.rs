//! What is known only after deployment. The expected forms are those of Microsoft's snapshots: facts about its engine,
//! the templates written for these tests.

use super::*;

const SA: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myRg/providers/Microsoft.Storage/storageAccounts/storejs26ofeqkqeve";

fn storage(extra: Value) -> Value {
    let mut sections = json!({
        "parameters": {
            "location": {"type": "string", "defaultValue": "[resourceGroup().location]"},
            "name": {"type": "string", "defaultValue": "[format('store{0}', uniqueString(resourceGroup().id))]"}
        },
        "resources": [{
            "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2022-09-01", "name": "[parameters('name')]",
            "location": "[parameters('location')]", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}
        }]
    });
    for (key, value) in extra.as_object().unwrap() {
        sections[key] = value.clone();
    }
    sections
}

#[test]
fn the_basic_form() {
    let e = expanded(storage(json!({})));
    assert_eq!(e.resources[0].id, SA);
    assert_eq!(
        e.resources[0].body,
        json!({
            "type": "Microsoft.Storage/storageAccounts", "name": "storejs26ofeqkqeve", "apiVersion": "2022-09-01",
            "location": "[resourceGroup().location]", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}
        })
    );
    assert_eq!(e.resources[0].unknown, ["/location"]);
}

#[test]
fn outputs_keep_references() {
    let e = expanded(storage(json!({"outputs": {
        "blobUri": {"type": "string", "value": "[reference(resourceId('Microsoft.Storage/storageAccounts', parameters('name')), '2022-09-01').primaryEndpoints.blob]"},
        "byName": {"type": "string", "value": "[reference(parameters('name')).primaryEndpoints['blob']]"},
        "mixed": {"type": "object", "value": {"foo": "bar", "baz": 123, "qux": "[reference(parameters('name')).x]"}},
        "made": {"type": "object", "value": "[createObject('foo', 'bar', 'baz', 123, 'qux', reference(parameters('name')).x)]"}
    }})));
    let blob = format!("[reference('{SA}', '2022-09-01').primaryEndpoints.blob]");
    assert_eq!(e.outputs["blobUri"].value, json!(blob));
    assert_eq!(e.outputs["byName"].value, json!(blob));
    assert_eq!(e.outputs["mixed"].value["foo"], "bar");
    assert_eq!(e.outputs["mixed"].unknown, ["/qux"]);
    assert_eq!(
        e.outputs["made"].value,
        json!(format!("[createObject('foo', 'bar', 'baz', 123, 'qux', reference('{SA}', '2022-09-01').x)]"))
    );
    let mut parts = place();
    parts.form = Form::Parts;
    let t = template(storage(json!({"outputs": {
        "made": {"type": "object", "value": "[createObject('foo', 'bar', 'qux', reference(parameters('name')).x)]"}
    }})));
    let e = expand(&t, &Parameters::new(), &parts, &Limits::default()).unwrap();
    assert_eq!(e.outputs["made"].value, json!({"foo": "bar", "qux": format!("[reference('{SA}', '2022-09-01').x]")}));
}

#[test]
fn what_does_not_depend_on_the_unknown_is_known() {
    for (expression, expected) in [
        ("[subscription().tenantId]", "[tenant().tenantId]"),
        ("[resourceGroup().name]", "myRg"),
        ("[if(true(), 'a', resourceGroup().location)]", "a"),
        ("[coalesce(null(), resourceGroup().location, 'x')]", "[coalesce(resourceGroup().location, 'x')]"),
        ("[concat('a', resourceGroup().location, 'b')]", "[concat('a', resourceGroup().location, 'b')]"),
        ("[createObject('a', resourceGroup().location, 'b', 'c').b]", "c"),
        ("[union(createObject('a', resourceGroup().location), createObject('a', 'z')).a]", "z"),
        ("[first(createArray('q', resourceGroup().location))]", "q"),
        ("[string(length(createArray(1, resourceGroup().location)))]", "2"),
        (
            "[if(equals(resourceGroup().location, 'x'), variables('v').a, fail('no'))]",
            "[if(equals(resourceGroup().location, 'x'), 1, fail('no'))]",
        ),
        ("[string(and(false(), equals(resourceGroup().location, 'x')))]", "False"),
        ("[roleDefinitions('Contributor').id]", "[roleDefinitions('Contributor').id]"),
        (
            "[map(createArray(1, 2), lambda('i', format('{0}{1}', lambdaVariables('i'), resourceGroup().location)))[1]]",
            "[format('{0}{1}', 2, resourceGroup().location)]",
        ),
        (
            "[string(map(resourceGroup().tags, lambda('t', concat(lambdaVariables('t'), variables('v').b))))]",
            "[string(map(resourceGroup().tags, lambda('t', concat(lambdaVariables('t'), 'w'))))]",
        ),
    ] {
        let e = expanded(json!({
            "variables": {"v": {"a": 1, "b": "w"}},
            "outputs": {"x": {"type": "string", "value": expression}}
        }));
        assert_eq!(e.outputs["x"].value, json!(expected), "{expression}");
    }
}

#[test]
fn time_and_identifiers_stay_open_unless_given() {
    let sections = json!({
        "parameters": {"t": {"type": "string", "defaultValue": "[utcNow('d')]"}, "g": {"type": "string", "defaultValue": "[newGuid()]"}},
        "outputs": {"t": {"type": "string", "value": "[concat('at ', parameters('t'))]"}, "g": {"type": "string", "value": "[parameters('g')]"}}
    });
    let e = expanded(sections.clone());
    assert_eq!(e.outputs["t"].value, "[concat('at ', utcNow('d'))]");
    assert_eq!(e.outputs["g"].value, "[newGuid()]");
    let mut known = place();
    known.now = Some("2019-03-05T01:02:03Z".parse().unwrap());
    known.guid_seed = Some(7);
    let e = expand(&template(sections), &Parameters::new(), &known, &Limits::default()).unwrap();
    assert_eq!(e.outputs["t"].value, "at 03/05/2019");
    assert_eq!(e.outputs["g"].value.as_str().map(str::len), Some(36));
}

#[test]
fn symbolic_names_references_and_existing_resources() {
    let t = template(json!({
        "languageVersion": "2.0",
        "resources": {
            "vault": {"existing": true, "type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "kv", "resourceGroup": "shared"},
            "sa": {"copy": {"name": "saLoop", "count": 2}, "type": "A.B/c", "apiVersion": "9", "name": "[format('s{0}', copyIndex())]"},
            "use": {"type": "A.B/d", "apiVersion": "1", "name": "u", "properties": {
                "uri": "[reference('vault').vaultUri]", "one": "[reference('sa[1]').x]",
                "all": "[map(references('sa'), lambda('r', lambdaVariables('r').x))]",
                "id": "[resourceInfo('vault').id]"
            }}
        }
    }));
    let e = expand(&t, &Parameters::new(), &place(), &Limits::default()).unwrap();
    let base = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups";
    let using = e.resources.last().unwrap();
    assert_eq!(
        using.body["properties"]["uri"],
        json!(format!("[reference('{base}/shared/providers/Microsoft.KeyVault/vaults/kv', '2023-07-01').vaultUri]"))
    );
    assert_eq!(using.body["properties"]["one"], json!(format!("[reference('{base}/myRg/providers/A.B/c/s1', '9').x]")));
    assert_eq!(using.body["properties"]["id"], json!(format!("{base}/shared/providers/Microsoft.KeyVault/vaults/kv")));
    assert!(using.body["properties"]["all"].as_str().unwrap().starts_with("[createArray(reference("));
    assert_eq!(using.depends_on.len(), 3, "names make dependencies: {:?}", using.depends_on);
    assert!(e.resources[0].existing);
    assert_eq!(e.resources[1].symbolic_name.as_deref(), Some("sa[0]"));
}

struct World;

impl Runtime for World {
    fn reference(&self, id: &str, api: Option<&str>, full: bool) -> Result<Option<Value>, String> {
        if id.ends_with("missing") {
            return Err(format!("The Resource '{id}' was not found."));
        }
        Ok(Some(json!({"x": format!("{}@{}", id.rsplit('/').next().unwrap(), api.unwrap_or("?")), "full": full})))
    }

    fn list(&self, function: &str, id: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
        Ok(Some(json!({"keys": [{"value": format!("{function} of {}", id.rsplit('/').next().unwrap())}]})))
    }

    fn function(&self, name: &str, _: &[Value]) -> Result<Option<Value>, String> {
        Ok((name == "resourceGroup").then(|| json!({"location": "northeurope"})))
    }
}

#[test]
fn the_runtime_finishes_what_was_open() {
    let e = expanded(storage(json!({
        "resources": [
            {"type": "A.B/c", "apiVersion": "5", "name": "one"},
            {"type": "A.B/c", "apiVersion": "5", "name": "two", "location": "[resourceGroup().location]", "properties": {
                "x": "[concat(reference('one').x, '!')]", "key": "[listKeys('one', '5').keys[0].value]",
                "full": "[reference('one', '5', 'full').full]", "text": "not [an] expression"
            }}
        ],
        "outputs": {"o": {"type": "string", "value": "[reference('two').x]"}}
    })));
    let done = e.resources[1].resolve(&place(), &World).unwrap();
    assert_eq!(
        done.body.value["properties"],
        json!({"x": "one@5!", "key": "listKeys of one", "full": true, "text": "not [an] expression"})
    );
    assert_eq!(done.body.value["location"], "northeurope");
    assert_eq!(done.body.secret_pointers, ["/properties/key"], "lists of keys are secret");
    assert!(done.body.unknown.is_empty());
    assert_eq!(e.resources[1].depends_on.len(), 1);
    assert_eq!(e.outputs["o"].resolve(&place(), &World).unwrap().value, "two@5");
}

#[test]
fn a_question_without_answer_is_an_error_of_the_deployment() {
    let e = expanded(json!({"resources": [
        {"type": "A.B/c", "apiVersion": "5", "name": "missing"},
        {"type": "A.B/c", "apiVersion": "5", "name": "two", "properties": {"x": "[reference('missing').x]"}}
    ]}));
    let error = e.resources[1].resolve(&place(), &World).unwrap_err();
    assert_eq!(error.code, "DeploymentFailed");
    assert!(error.message.ends_with("missing' was not found."), "{}", error.message);
}

#[test]
fn an_unknown_condition_or_count_is_kept() {
    let e = expanded(json!({"resources": [{
        "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "d", "properties": {
            "mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"n": {"value": "[reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').n]"}},
            "template": {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "parameters": {"n": {"type": "int"}},
                "resources": [
                    {"type": "A.B/c", "apiVersion": "1", "name": "[concat('r', copyIndex())]", "copy": {"name": "l", "count": "[parameters('n')]"}},
                    {"type": "A.B/c", "apiVersion": "1", "name": "s", "condition": "[greater(parameters('n'), 3)]"}
                ]}
        }
    }]}));
    let inner = e.flat();
    assert!(inner[0].count.as_deref().unwrap().starts_with("[reference("));
    assert!(inner[0].name.contains("copyIndex('l')"));
    assert!(inner[1].condition.as_deref().unwrap().starts_with("[greater(reference("));
    struct Five;
    impl Runtime for Five {
        fn reference(&self, _: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, String> {
            Ok(Some(json!({"n": 2})))
        }
        fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
            Ok(None)
        }
    }
    let nested = e.resources[0].nested.as_ref().unwrap();
    let done = nested.expand(&place(), &Limits::default(), &NoLinks, &Five).unwrap().unwrap();
    assert_eq!(ids(&done), ["A.B/c/r0", "A.B/c/r1"]);
    assert!(!inner[1].resolve(&place(), &Five).unwrap().present);
}

#[test]
fn names_that_are_not_known_yet_are_found_at_deployment() {
    let reference = "reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').n";
    let e = expanded(json!({"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "r", "properties": {
        "first": 1, format!("[concat('k', {reference})]"): "[toUpper('v')]", "last": { "x": true } }}]}));
    let resource = &e.resources[0];
    assert_eq!(resource.unknown, ["/properties"]);
    let shown = resource.body["properties"].as_str().unwrap();
    assert!(shown.starts_with("[createObject('first', 1, concat('k', reference("), "{shown}");
    struct World;
    impl Runtime for World {
        fn reference(&self, _: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, String> {
            Ok(Some(json!({"n": "7"})))
        }
        fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
            Ok(None)
        }
    }
    let done = resource.resolve(&place(), &World).unwrap();
    assert_eq!(done.body.value["properties"], json!({"first": 1, "k7": "V", "last": {"x": true}}));
    assert_eq!(done.body.unknown, Vec::<String>::new());
}

#[test]
fn this_is_the_resource_as_it_was() {
    struct World(Result<Option<Value>, String>);
    impl Runtime for World {
        fn reference(&self, id: &str, api: Option<&str>, full: bool) -> Result<Option<Value>, String> {
            assert!(id.ends_with("/providers/A.B/c/r") && api == Some("2024-01-01"), "{id} {api:?}");
            let found = self.0.clone()?;
            Ok(if full { found } else { found.map(|v| v["properties"].clone()) })
        }
        fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
            Ok(None)
        }
    }
    let e = expanded(json!({"resources": [{"type": "A.B/c", "apiVersion": "2024-01-01", "name": "r", "properties": {
        "there": "[this.exists()]", "tier": "[coalesce(tryGet(this.existingResource(), 'properties', 'tier'), 'Cold')]",
        "size": "[tryGet(this.existingProperties(), 'size')]" }}]}));
    let resource = &e.resources[0];
    assert_eq!(resource.body["properties"]["there"], "[this.exists()]");
    let finish = |world: World| resource.resolve(&place(), &world).unwrap().body.value["properties"].clone();
    let before = json!({"properties": {"tier": "Hot", "size": 3}});
    assert_eq!(finish(World(Ok(Some(before)))), json!({"there": true, "tier": "Hot", "size": 3}));
    assert_eq!(finish(World(Err("not found".to_owned()))), json!({"there": false, "tier": "Cold", "size": null}));
    assert_eq!(finish(World(Ok(None)))["there"], "[this.exists()]");
    let wrong = |expression: &str| refused(json!({"outputs": {"o": {"type": "bool", "value": expression}}})).sentence;
    assert!(wrong("[this.exists()]").contains("cannot be called here"));
    let body = json!({"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "r", "properties": {"a": "[this.absent()]"}}]});
    assert!(refused(body).sentence.contains("this.absent"));
}

#[test]
fn assertions_hold_or_say_so() {
    let with = |value: Value| json!({"parameters": {"n": {"type": "int", "defaultValue": 3}}, "asserts": value});
    expanded(with(
        json!({"small": "[less(parameters('n'), 5)]", "later": "[empty(reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').n)]"}),
    ));
    let error = refused(with(json!({"small": "[less(parameters('n'), 2)]"})));
    assert_eq!((error.code, error.path.as_str()), ("InvalidTemplate", "properties.template.asserts.small"));
    assert!(error.message.contains("'small'") && error.position.is_some(), "{error:?}");
    assert!(refused(with(json!({"odd": "[parameters('n')]"}))).sentence.contains("not a condition"));
    assert!(refused(with(json!(["x"]))).sentence.contains("asserts"));
}
