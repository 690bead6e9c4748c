//! Secure values: neither they nor what is made from them is in an error or shown in a result.

use super::*;

const SECRET: &str = "Sentinel-4711";

/// Everything that an expansion shows of itself, good or bad.
fn told(sections: Value) -> String {
    let mut whole = json!({ "parameters": { "p": { "type": "securestring" }, "o": { "type": "secureObject" } } });
    for (key, value) in sections.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let given = values(json!({ "p": SECRET, "o": { "inner": SECRET, "Sentinel-4711-name": 1 } }));
    match expand(&template(whole), &given, &place(), &Limits::default()) {
        Ok(expansion) => {
            format!("{expansion:?} {:?}", expansion.outputs.values().map(|o| o.secure).collect::<Vec<_>>())
        }
        Err(errors) => errors.iter().map(|e| format!("{e} {e:?} {}", e.message)).collect(),
    }
}

#[test]
fn no_error_holds_a_secure_value() {
    for expression in [
        "[fail(parameters('p'))]",
        "[fail(concat('it is ', base64(parameters('p'))))]",
        "[json(parameters('p'))]",
        "[json(concat('{', parameters('p')))]",
        "[int(parameters('p'))]",
        "[bool(parameters('p'))]",
        "[variables(parameters('p'))]",
        "[variables(toUpper(parameters('p')))]",
        "[parameters(parameters('p'))]",
        "[parameters('o')[parameters('p')]]",
        "[parameters('o').missing]",
        "[createObject('a', 1)[parameters('p')]]",
        "[createArray(1)[parameters('p')]]",
        "[dateTimeAdd(parameters('p'), 'P1D')]",
        "[dateTimeAdd('2020-01-01', parameters('p'))]",
        "[dateTimeToEpoch(parameters('p'))]",
        "[parseCidr(parameters('p'))]",
        "[cidrSubnet(parameters('p'), 24, 0)]",
        "[cidrHost(parameters('p'), 1)]",
        "[uri(parameters('p'), 'x')]",
        "[base64ToString(parameters('p'))]",
        "[base64ToJson(parameters('p'))]",
        "[dataUriToString(parameters('p'))]",
        "[format(parameters('p'), 1)]",
        "[format('{0:yyyy', parameters('p'))]",
        "[format('{9}', parameters('p'))]",
        "[substring(parameters('p'), 40)]",
        "[guid(parameters('p'), json(parameters('p')))]",
        "[padLeft(parameters('p'), 99999999)]",
        "[resourceId(parameters('p'), 'x')]",
        "[resourceId('A.B/c', parameters('p'), parameters('p'))]",
        "[reference(parameters('p'))]",
        "[listKeys(parameters('p'), parameters('p'))]",
        "[less(parameters('p'), 1)]",
        "[copyIndex(parameters('p'))]",
        "[lambdaVariables(parameters('p'))]",
        "[map(createArray(parameters('p')), lambda('x', int(lambdaVariables('x'))))]",
        "[toObject(createArray(parameters('p')), lambda('x', json(lambdaVariables('x'))))]",
        "[environment()[parameters('p')]]",
        "[add(1, parameters('p'))]",
        "[union(parameters('p'), 1)]",
        "[objectKeys(parameters('o'))[5]]",
        "[managementGroupResourceId(parameters('p'), 'x')]",
        "[pickZones(parameters('p'), 'x', 'y')]",
    ] {
        let text = told(json!({ "outputs": { "x": { "type": "string", "value": expression } } }));
        let lower = text.to_lowercase();
        assert!(
            !lower.contains("sentinel") && !lower.contains("4711") && !lower.contains("u2vudgluzw"),
            "{expression}: {text}"
        );
    }
}

#[test]
fn no_name_or_place_of_an_error_holds_a_secure_value() {
    for resource in [
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "[parameters('p')]", "properties": { "x": "[int('x')]" } }),
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "[concat(parameters('p'), '/x/y')]" }),
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "n", "dependsOn": ["[parameters('p')]"] }),
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "n", "condition": "[parameters('p')]" }),
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "n", "scope": "[parameters('p')]" }),
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "n", "copy": { "name": "l", "count": "[parameters('p')]" } }),
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "n", "properties": { "[parameters('p')]": "[int('x')]" } }),
        json!({ "type": "A.B/c", "apiVersion": "1", "name": "n", "location": "[parameters('p')]", "properties": { "a": "[fail(parameters('p'))]" } }),
    ] {
        let text = told(json!({ "resources": [resource] }));
        // A resource that comes out well keeps its name: the service publishes it.
        if !text.starts_with("Expansion") {
            assert!(!text.to_lowercase().contains("sentinel"), "{resource}: {text}");
        }
    }
    // The value itself is refused.
    let whole = template(json!({ "parameters": {
        "p": { "type": "securestring", "allowedValues": ["other"], "defaultValue": "other" },
        "q": { "type": "securestring", "maxLength": 3 }, "r": { "type": "secureObject" } } }));
    let given = values(json!({ "p": SECRET, "q": SECRET, "r": SECRET }));
    let errors = expand(&whole, &given, &place(), &Limits::default()).unwrap_err();
    assert!(errors.len() >= 2 && !format!("{errors:?}").to_lowercase().contains("sentinel"), "{errors:?}");
    // A default that a template writes out.
    let whole = template(json!({ "parameters": { "p": { "type": "securestring", "defaultValue": SECRET } },
        "outputs": { "x": { "type": "string", "value": "[variables(parameters('p'))]" } } }));
    let errors = expand(&whole, &Parameters::new(), &place(), &Limits::default()).unwrap_err();
    assert!(!format!("{errors:?}").to_lowercase().contains("sentinel"), "{errors:?}");
    // Inside a nested template.
    let inner = json!({ "parameters": { "q": { "type": "securestring" } }, "resources": [],
        "outputs": { "x": { "type": "string", "value": "[variables(parameters('q'))]" } } });
    let text = told(
        json!({ "resources": [{ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d",
        "properties": { "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" },
            "parameters": { "q": { "value": "[parameters('p')]" } }, "template": inner } }] }),
    );
    assert!(!text.to_lowercase().contains("sentinel"), "{text}");
}

#[test]
fn what_is_made_from_a_secure_value_is_secret_too() {
    for expression in [
        "[toUpper(parameters('p'))]",
        "[base64(parameters('p'))]",
        "[length(parameters('p'))]",
        "[first(parameters('p'))]",
        "[uniqueString(parameters('p'))]",
        "[guid(parameters('p'))]",
        "[equals(parameters('p'), 'Sentinel-4711')]",
        "[not(equals(parameters('p'), 'x'))]",
        "[startsWith(parameters('p'), 'S')]",
        "[contains(parameters('p'), 'S')]",
        "[if(equals(parameters('p'), 'x'), 'yes', 'no')]",
        "[and(equals(parameters('p'), 'x'), true())]",
        "[or(false(), startsWith(parameters('p'), 'S'))]",
        "[coalesce(null(), parameters('p'))]",
        "[createObject(parameters('p'), 1)]",
        "[createArray(parameters('p'))]",
        "[parameters('o')]",
        "[parameters('o').inner]",
        "[string(createArray(parameters('p')))]",
        "[split(parameters('p'), '-')]",
        "[uri('https://x/', parameters('p'))]",
        "[resourceId('A.B/c', parameters('p'))]",
        "[environment()[if(startsWith(parameters('p'), 'S'), 'name', 'x')]]",
    ] {
        let text = told(json!({ "outputs": { "x": { "type": "any", "value": expression } } }));
        assert!(text.ends_with("[true]") && !text.to_lowercase().contains("sentinel"), "{expression}: {text}");
    }
    // Whether there is a password at all decides between a password and a key.
    for expression in
        ["[empty(parameters('p'))]", "[equals(parameters('p'), '')]", "[if(empty(parameters('p')), 1, 2)]"]
    {
        let text = told(json!({ "outputs": { "x": { "type": "any", "value": expression } } }));
        assert!(text.ends_with("[false]"), "{expression}: {text}");
    }
    // The name of a property.
    let text = told(
        json!({ "resources": [{ "type": "A.B/c", "apiVersion": "1", "name": "n", "properties": { "[parameters('p')]": 1 } }] }),
    );
    assert!(text.starts_with("Expansion") && !text.to_lowercase().contains("sentinel"), "{text}");
}
