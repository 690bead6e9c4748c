use super::*;

fn deployment(name: &str, properties: Value) -> Value {
    json!({"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name, "properties": properties})
}

fn inner(parameters: Value, template: Value) -> Value {
    json!({"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "parameters": parameters, "template": template})
}

#[test]
fn inner_scope_sees_its_own_parameters_and_outer_scope_those_around() {
    let body = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "parameters": {"who": {"type": "string", "defaultValue": "inner"}},
        "variables": {"v": "inner"},
        "resources": [{"type": "A.B/c", "apiVersion": "1", "name": "[concat(parameters('who'), '-', variables('v'))]"}],
        "outputs": {"o": {"type": "string", "value": "[parameters('who')]"}}
    });
    for (scope, expected) in [("inner", "inner-inner"), ("outer", "outer-outer")] {
        let e = expanded(json!({
            "parameters": {"who": {"type": "string", "defaultValue": "outer"}},
            "variables": {"v": "outer"},
            "resources": [deployment("d", json!({"mode": "Incremental", "expressionEvaluationOptions": {"scope": scope}, "template": body}))]
        }));
        assert_eq!(e.flat()[0].name, expected);
    }
}

#[test]
fn static_outputs_of_a_nested_deployment_are_known() {
    let first = json!({"resources": [], "outputs": {
        "static": {"type": "string", "value": "foo"}, "open": {"type": "string", "value": "[reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').x]"}
    }});
    let second = json!({"parameters": {"name": {"type": "string"}, "open": {"type": "string"}}, "resources": [
        {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-07-01", "name": "[parameters('name')]", "properties": {"open": "[parameters('open')]"}}
    ]});
    let e = expanded(json!({"resources": [
        deployment("mod", inner(json!({}), first)),
        {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "mod2", "dependsOn": ["mod"], "properties": inner(json!({
            "name": {"value": "[reference(resourceId('Microsoft.Resources/deployments', 'mod'), '2022-09-01').outputs.static.value]"},
            "open": {"value": "[reference('mod').outputs.open.value]"}
        }), second)}
    ]}));
    let flat = e.flat();
    assert_eq!(flat.len(), 1);
    assert_eq!(
        flat[0].id,
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myRg/providers/Microsoft.Network/virtualNetworks/foo"
    );
    assert_eq!(
        flat[0].body["properties"]["open"],
        "[reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').x]"
    );
}

#[test]
fn outer_scope_inside_a_loop_sees_the_turn() {
    let body = json!({"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "[format('n{0}', copyIndex('l'))]"}]});
    let mut looped = deployment("[concat('d', copyIndex())]", json!({"mode": "Incremental", "template": body}));
    looped["copy"] = json!({"name": "l", "count": 3});
    let e = expanded(json!({"resources": [looped]}));
    assert_eq!(e.flat().iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["n0", "n1", "n2"]);
}

#[test]
fn nested_deployments_go_to_other_scopes() {
    let body = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "resources": [{"type": "A.B/c", "apiVersion": "1", "name": "n", "properties": {"rg": "[resourceGroup().name]"}}]
    });
    let with = |extra: Value, scope: &str| {
        let mut one = deployment(
            "d",
            json!({"mode": "Incremental", "expressionEvaluationOptions": {"scope": scope}, "template": body}),
        );
        for (key, value) in extra.as_object().unwrap() {
            one[key] = value.clone();
        }
        let e = expanded(json!({"resources": [one]}));
        (e.flat()[0].id.clone(), e.flat()[0].body["properties"]["rg"].clone())
    };
    let s0 = "/subscriptions/00000000-0000-0000-0000-000000000000";
    assert_eq!(
        with(json!({"resourceGroup": "g2"}), "inner"),
        (format!("{s0}/resourceGroups/g2/providers/A.B/c/n"), json!("g2"))
    );
    assert_eq!(
        with(json!({"resourceGroup": "g2"}), "outer"),
        (format!("{s0}/resourceGroups/g2/providers/A.B/c/n"), json!("myRg"))
    );
    assert_eq!(
        with(json!({"resourceGroup": "g2", "subscriptionId": "s2"}), "inner").0,
        "/subscriptions/s2/resourceGroups/g2/providers/A.B/c/n"
    );
}

#[test]
fn an_expression_may_give_the_template() {
    let e = expanded(json!({
        "variables": {"t": {"parameters": {"p": {"type": "string"}}, "resources": [{"type": "A.B/c", "apiVersion": "1", "name": "[[parameters('p')]"}]}},
        "resources": [deployment("d", json!({"mode": "Incremental", "template": "[variables('t')]", "parameters": {"p": {"value": "given"}}}))]
    }));
    assert_eq!(e.flat()[0].name, "given");
}

#[test]
fn linked_templates_come_from_the_linker() {
    struct Folder;
    impl Linker for Folder {
        fn template(&self, link: &TemplateLink) -> Result<Option<Template>, String> {
            match link.address().as_deref() {
                Some("parts/a.json") => Ok(Some(template(json!({"resources": [
                    deployment("b", json!({"mode": "Incremental", "templateLink": {"relativePath": "b.json"}}))
                ]})))),
                Some("parts/b.json") => {
                    Ok(Some(template(json!({"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "deep"}]}))))
                }
                Some("https://example.com/x.json") => Ok(None),
                other => Err(format!("no file {other:?}")),
            }
        }
    }
    let run = |link: Value| {
        let t = template(json!({"resources": [deployment("a", json!({"mode": "Incremental", "templateLink": link}))]}));
        expand_linked(&t, &Parameters::new(), &place(), &Limits::default(), &Folder)
    };
    assert_eq!(run(json!({"relativePath": "parts/a.json"})).unwrap().flat()[0].name, "deep");
    let closed = run(json!({"uri": "https://example.com/x.json"})).unwrap();
    assert!(closed.resources[0].nested.as_ref().unwrap().expansion.is_none());
    assert_eq!(run(json!({"relativePath": "gone.json"})).unwrap_err()[0].code, "InvalidContentLink");
}

#[test]
fn an_error_inside_says_the_way_to_it() {
    let error = refused(json!({"resources": [deployment("d", inner(json!({}), json!({
        "parameters": {"p": {"type": "string"}}, "resources": []
    })))]}));
    assert_eq!(error.sentence, "in the nested deployment `d`: the parameter `p` has no value and no default");
    assert_eq!(error.path, "properties.template.resources[0].properties.template.parameters.p");
    assert_eq!(error.code, "InvalidTemplate");
}

#[test]
fn version_two_knows_inner_scope_only() {
    let body = json!({"resources": []});
    let error = refused(json!({"languageVersion": "2.0", "resources": {"d":
        deployment("d", json!({"mode": "Incremental", "expressionEvaluationOptions": {"scope": "outer"}, "template": body}))
    }}));
    assert_eq!(error.help.as_deref(), Some("write `\"scope\": \"inner\"` and hand the values in as parameters"));
}

#[test]
fn secrets_handed_in_stay_secret() {
    let t = template(json!({
        "parameters": {"p": {"type": "securestring"}},
        "resources": [deployment("d", inner(json!({"q": {"value": "[parameters('p')]"}}), json!({
            "parameters": {"q": {"type": "string"}},
            "resources": [{"type": "A.B/c", "apiVersion": "1", "name": "n", "properties": {"x": "[concat('a', parameters('q'))]"}}],
            "outputs": {"o": {"type": "string", "value": "[parameters('q')]"}}
        })))],
        "outputs": {"o": {"type": "string", "value": "[reference('d').outputs.o.value]"}}
    }));
    let e = expand(&t, &values(json!({"p": "hunter2"})), &place(), &Limits::default()).unwrap();
    assert_eq!(e.resources[0].secret_pointers, ["/properties/parameters/q/value"]);
    assert_eq!(e.flat()[0].secret_pointers, ["/properties/x"]);
    assert!(e.outputs["o"].secure);
}

#[test]
fn links_by_relative_path_become_one_template() {
    let link = |path: &str| {
        json!({"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d",
        "properties": {"mode": "Incremental", "parameters": {"p": {"value": "x"}}, "templateLink": {"relativePath": path}}})
    };
    let leaf = json!({"parameters": {"p": {"type": "string"}}, "resources": [{"type": "A.B/c", "apiVersion": "1", "name": "[parameters('p')]"}]});
    let mut whole =
        json!({"resources": {"s": link("parts/one.json"), "other": {"type": "A.B/c", "apiVersion": "1", "name": "y"}}});
    let mut asked = Vec::new();
    let count = inline_links(&mut whole, &mut |path| {
        asked.push(path.to_owned());
        match path {
            "parts/one.json" => Ok(json!({"parameters": {"p": {"type": "string"}}, "resources": [link("two.json")]})),
            "parts/two.json" => Ok(leaf.clone()),
            _ => Err(format!("no {path}")),
        }
    });
    assert_eq!((count, asked), (Ok(2), vec!["parts/one.json".to_owned(), "parts/two.json".to_owned()]));
    assert!(!whole.to_string().contains("templateLink"));
    whole["$schema"] = json!("https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#");
    let template = Template::from_json(&whole).unwrap();
    let expansion = expand(&template, &Parameters::new(), &place(), &Limits::default()).unwrap();
    let names: Vec<&str> = expansion.flat().iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    // what goes round in a circle, or leaves the folder tree by an absolute path, ends
    let mut circle = json!({"resources": [link("self.json")]});
    assert!(inline_links(&mut circle.clone(), &mut |_| Ok(circle.clone())).unwrap_err().contains("16 deep"));
    circle["resources"] = json!([link("/etc/passwd")]);
    assert!(inline_links(&mut circle, &mut |_| Ok(json!({}))).is_err());
}
