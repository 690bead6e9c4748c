//! What templates of other people rely on, and mistakes in them that must not go unseen.

use super::*;

const MANAGEMENT_GROUP: &str =
    "https://schema.management.azure.com/schemas/2019-08-01/managementGroupDeploymentTemplate.json#";

fn deployment(name: &str, properties: Value) -> Value {
    json!({"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name, "properties": properties})
}

/// All sentences, with lines.
fn sentences(text: &str) -> Vec<String> {
    let errors = parse(text).and_then(|t| expand(&t, &Parameters::new(), &place(), &Limits::default())).unwrap_err();
    errors.iter().map(|e| format!("{}: {}", e.position.map_or(0, |p| p.line), e.sentence)).collect()
}

#[test]
fn dependencies_above_resource_groups_are_found_by_type_and_name() {
    let resources = |wanted: &str| {
        json!({"$schema": MANAGEMENT_GROUP, "resources": [
            {"type": "A.B/c", "apiVersion": "1", "name": "one"},
            {"type": "A.B/d", "apiVersion": "1", "name": "two", "dependsOn": [wanted]}
        ]})
    };
    let mut above = place();
    above.scope = Scope::ManagementGroup;
    above.management_group = Some("mg".to_string());
    for context in [above.clone(), Context { scope: Scope::Tenant, ..above.clone() }] {
        for wanted in ["[resourceId('A.B/c', 'one')]", "one", "A.B/c/one", "[tenantResourceId('A.B/c', 'one')]"] {
            let all = expand(&template(resources(wanted)), &Parameters::new(), &context, &Limits::default()).unwrap();
            assert_eq!(all.resources[1].depends_on, [all.resources[0].id.clone()], "{wanted}");
        }
        let wrong = template(resources("[resourceId('A.B/c', 'three')]"));
        assert!(expand(&wrong, &Parameters::new(), &context, &Limits::default()).is_err());
    }
    // In a resource group the id without its scope is another resource.
    assert!(
        expand(
            &template(resources("[tenantResourceId('A.B/c', 'one')]")),
            &Parameters::new(),
            &place(),
            &Limits::default()
        )
        .is_err()
    );
}

#[test]
fn one_id_twice_is_a_mistake_once_the_conditions_are_known() {
    let twice = |first: Value, second: Value| {
        json!({"parameters": {"new": {"type": "bool", "defaultValue": true}}, "resources": [
            {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d", "properties": {
                "mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {"kind": {"value": "[reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').kind]"}, "new": {"value": "[parameters('new')]"}},
                "template": {"parameters": {"kind": {"type": "string"}, "new": {"type": "bool"}}, "resources": [
                    {"condition": first, "type": "A.B/c", "apiVersion": "1", "name": "n"},
                    {"condition": second, "type": "A.B/c", "apiVersion": "1", "name": "n"}
                ]}
            }}
        ]})
    };
    let open = ["[equals(parameters('kind'), 'a')]", "[not(equals(parameters('kind'), 'a'))]"];
    assert_eq!(expanded(twice(json!(open[0]), json!(open[1]))).flat().len(), 2);
    assert_eq!(expanded(twice(json!("[parameters('new')]"), json!("[not(parameters('new'))]"))).flat().len(), 1);
    let error = refused(twice(json!(true), json!("[parameters('new')]")));
    assert!(error.sentence.contains("two resources of the template have the id"), "{}", error.sentence);
}

#[test]
fn parts_of_nested_deployments_may_be_expressions() {
    let body = json!({"parameters": {"a": {"type": "string"}}, "resources": [
        {"type": "A.B/c", "apiVersion": "1", "name": "n", "properties": {"a": "[parameters('a')]"}}
    ]});
    let inner = |parameters: &str, template: &Value| json!({"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "parameters": parameters, "template": template});
    let known = expanded(json!({"variables": {"given": {"a": {"value": "x"}}},
        "resources": [deployment("d", inner("[variables('given')]", &body))]}));
    assert_eq!(known.flat()[0].body["properties"]["a"], "x");
    // Not known yet: the values are asked for one by one, and null counts as not given.
    let open = "[reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').all]";
    let later = expanded(json!({"resources": [deployment("d", inner(open, &body))]}));
    assert_eq!(
        later.flat()[0].body["properties"]["a"],
        "[tryGet(reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').all, 'a', 'value')]"
    );
    // The declarations of an outer-scoped template may come from a variable.
    let declared = expanded(
        json!({"variables": {"declared": {"a": {"type": "string"}}}, "parameters": {"a": {"type": "string", "defaultValue": "around"}},
        "resources": [deployment("d", json!({"mode": "Incremental", "template": {"parameters": "[variables('declared')]", "resources": body["resources"]}}))]}),
    );
    assert_eq!(declared.flat()[0].body["properties"]["a"], "around");
    // A template that is not known yet is one resource: the deployment.
    let whole = expanded(
        json!({"resources": [deployment("d", json!({"mode": "Incremental", "parameters": open, "template": open}))]}),
    );
    assert_eq!(whole.flat().len(), 1);
    assert_eq!(whole.flat()[0].resource_type, "Microsoft.Resources/deployments");
}

/// Answers with a template and its values, as a deployment finds them.
struct Service;

impl Runtime for Service {
    fn reference(&self, _: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, String> {
        Ok(Some(json!({
            "template": {"parameters": {"a": {"type": "string"}, "b": {"type": "int", "defaultValue": 3}}, "resources": [],
                "outputs": {"o": {"type": "string", "value": "done"}}},
            "all": {"a": {"value": "x"}}
        })))
    }

    fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
        Ok(None)
    }
}

#[test]
fn a_template_that_is_an_expression_is_found_at_deployment_time() {
    let asked = |what: &str| format!("[reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/z', '1').{what}]");
    let e = expanded(
        json!({"resources": [deployment("d", json!({"mode": "Incremental", "parameters": asked("all"), "template": asked("template")}))]}),
    );
    let mut nested = e.resources[0].nested.clone().unwrap();
    nested.settle(&place(), &Service).unwrap();
    let inner = nested.expand(&place(), &Limits::default(), &NoLinks, &Service).unwrap().unwrap();
    assert_eq!(inner.outputs["o"].value, "done");
    assert_eq!(inner.parameters["a"].value, "x");
    assert_eq!(inner.parameters["b"].value, 3);
}

#[test]
fn mistakes_in_what_is_skipped_are_seen() {
    let skipped = |more: &str| {
        format!("{{\"resources\": [\n{{\"condition\": false, \"type\": \"A.B/c\", {more}}}],\n\"outputs\": {{}}}}")
    };
    for (more, sentence) in [
        ("\"apiVersion\": \"1\", \"name\": \"[variables('x']\"", "2: the expression is not closed: a `)` is missing"),
        ("\"name\": \"b\"", "2: the resource has no `apiVersion`"),
        ("\"apiVersion\": \"1\"", "2: the resource has no `name`"),
        (
            "\"apiVersion\": \"1\", \"name\": \"b\", \"location\": \"[parameters('zz')]\"",
            "2: the template has no parameter `zz`",
        ),
        (
            "\"apiVersion\": \"1\", \"name\": \"b\", \"properties\": {\"a\": [\"[toLowr('x')]\"]}",
            "2: there is no function `toLowr`",
        ),
        (
            "\"apiVersion\": \"1\", \"name\": \"a/b\"",
            "2: the type `A.B/c` needs a name without slashes; `a/b` has 2 parts",
        ),
    ] {
        let told = sentences(&skipped(more));
        assert_eq!(told.len(), 1, "{told:?}");
        if !more.contains("variables") {
            assert_eq!(told[0], sentence);
        } else {
            assert!(told[0].starts_with("2: "), "{told:?}");
        }
    }
    // What a false condition leaves out need not have a name that is known, or values that fit.
    let e = expanded(json!({"variables": {"none": "", "loops": {"copy": []}}, "resources": [
        {"condition": false, "type": "A.B/c", "apiVersion": "1", "name": "[variables('none')]", "properties": {"a": "[add('x', 1)]"}},
        {"condition": false, "type": "A.B/c", "apiVersion": "1", "name": ""}
    ]}));
    assert!(e.resources.is_empty());
    let outputs = sentences(
        "{\"resources\": [],\n\"outputs\": {\"o\": {\"condition\": false, \"type\": \"string\", \"value\": \"[variables('y')]\"}}}",
    );
    assert_eq!(outputs, ["2: the template has no variable `y`"]);
}

#[test]
fn every_expression_is_read_used_or_not() {
    let told = sentences(
        "{\"variables\": {\n\"unused\": {\"a\": [\"[concat(]\"]}},\n\"parameters\": {\"p\": {\"type\": \"string\", \"defaultValue\": \"[(]\", \"metadata\": {\"description\": \"[not an (expression]\"}}},\n\"resources\": [{\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"n\", \"comments\": \"[not (one]\",\n\"properties\": {\"[keys(]\": 1}}],\n\"outputs\": {\"o\": {\"type\": \"string\",\n\"value\": \"[if(true(), 'a', ]\"}}}",
    );
    let lines: Vec<&str> = told.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(lines, ["3", "2", "5", "7"], "{told:?}");
}

#[test]
fn empty_names_and_missing_values_are_called_that() {
    let named = |kind: &str, name: &str| {
        refused(json!({"resources": [{"type": kind, "apiVersion": "1", "name": name}]})).sentence
    };
    assert_eq!(named("A.B/c", ""), "the name is empty");
    assert_eq!(named("A.B/c/d", "a/"), "the name `a/` has an empty part");
    assert_eq!(named("A.B/c", "a/b"), "the type `A.B/c` needs a name without slashes; `a/b` has 2 parts");
    assert_eq!(named("A.B/c/d", "a"), "the type `A.B/c/d` needs a name of 2 parts between slashes; `a` has 1");
    assert!(named("pipelines", "x").starts_with("the type `pipelines` has no namespace"));
    let error = refused(json!({"parameters": {"pw": {"type": "SecureString", "defaultValue": null}}}));
    assert_eq!(error.sentence, "the parameter `pw` has no value");
    assert_eq!(error.help.as_deref(), Some("give a value of type string"));
}
