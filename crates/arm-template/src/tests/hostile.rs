//! Templates that want too much get an error from a bound, before they have it: without the bound these tests would not end.

use super::*;

#[test]
fn strings_that_double_are_stopped() {
    let mut variables = serde_json::Map::new();
    variables.insert("v0".into(), json!("x".repeat(64)));
    for i in 1..60 {
        variables.insert(format!("v{i}"), json!(format!("[concat(variables('v{0}'), variables('v{0}'))]", i - 1)));
    }
    let error =
        refused(json!({"variables": variables, "outputs": {"o": {"type": "string", "value": "[variables('v59')]"}}}));
    assert_eq!(error.code, "TemplateLimitExceeded");
}

#[test]
fn arrays_and_objects_that_double_are_stopped() {
    for make in [
        "createArray(variables('v{0}'), variables('v{0}'))",
        "createObject('a', variables('v{0}'), 'b', variables('v{0}'))",
    ] {
        let mut variables = serde_json::Map::new();
        variables.insert("v0".into(), json!(["x"]));
        for i in 1..100 {
            variables.insert(format!("v{i}"), json!(format!("[{}]", make.replace("{0}", &(i - 1).to_string()))));
        }
        let error = refused(
            json!({"variables": variables, "outputs": {"o": {"type": "object", "value": "[variables('v99')]"}}}),
        );
        assert_eq!(error.code, "TemplateLimitExceeded");
    }
}

#[test]
fn values_that_nest_without_end_are_stopped() {
    for expression in [
        "[reduce(range(0, 10000), 0, lambda('c', 'n', createArray(lambdaVariables('c'))))]",
        "[reduce(range(0, 10000), resourceGroup().location, lambda('c', 'n', concat(lambdaVariables('c'), 'x')))]",
        "[json(concat(replace(string(range(0, 9000)), ',', '['), 'x'))]",
    ] {
        refused(json!({"outputs": {"o": {"type": "object", "value": expression}}}));
    }
}

#[test]
fn loops_in_loops_are_stopped() {
    let deep =
        "map(range(0, 10000), lambda('a', map(range(0, 10000), lambda('b', map(range(0, 10000), lambda('c', 1))))))";
    let error = refused(json!({"outputs": {"o": {"type": "array", "value": format!("[{deep}]")}}}));
    assert_eq!(error.code, "TemplateLimitExceeded");
    let mut input = json!("x");
    for i in 0..6 {
        input = json!({"copy": [{"name": format!("l{i}"), "count": 800, "input": input}]});
    }
    let error = refused(json!({"resources": [{"type": "A.B/c", "apiVersion": "1", "name": "n", "properties": input}]}));
    assert_eq!(error.code, "TemplateLimitExceeded");
}

#[test]
fn functions_that_make_much_of_little_are_stopped() {
    for expression in [
        "[padLeft('x', 2000000000)]",
        "[replace(padLeft('', 8000000, 'x'), 'x', 'yyyyyyyyyyyyyyyy')]",
        "[format('{0,999999999}', 1)]",
        "[join(range(0, 10000), padLeft('', 100000, 'x'))]",
        "[format('{0:D999999999}', 1)]",
    ] {
        refused(json!({"outputs": {"o": {"type": "string", "value": expression}}}));
    }
}

#[test]
fn calls_of_functions_that_call_themselves_are_stopped() {
    let functions = json!([{"namespace": "a", "members": {"f": {"parameters": [], "output": {"type": "string", "value": "[concat(a.f(), a.f())]"}}}}]);
    let error = refused(json!({"functions": functions, "outputs": {"o": {"type": "string", "value": "[a.f()]"}}}));
    assert_eq!(error.code, "TemplateLimitExceeded");
}

#[test]
fn chains_of_variables_and_parameters_are_followed_to_their_end() {
    let mut variables = serde_json::Map::new();
    variables.insert("v0".into(), json!("end"));
    for i in 1..256 {
        variables.insert(format!("v{i}"), json!(format!("[string(concat(variables('v{}')))]", i - 1)));
    }
    let outputs = json!({"o": {"type": "string", "value": "[variables('v255')]"}});
    let t = template(json!({"variables": variables, "outputs": outputs}));
    match expand(&t, &Parameters::new(), &place(), &Limits::default()) {
        Ok(e) => assert_eq!(e.outputs["o"].value, "end"),
        Err(e) => assert_eq!(e[0].code, "TemplateLimitExceeded"),
    }
}

#[test]
fn deployments_that_link_themselves_are_stopped() {
    struct Mirror;
    impl Linker for Mirror {
        fn template(&self, _: &TemplateLink) -> Result<Option<Template>, String> {
            Ok(Some(own()))
        }
    }
    fn own() -> Template {
        template(
            json!({"resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "[concat('d', copyIndex())]",
            "copy": {"name": "l", "count": 50}, "properties": {"mode": "Incremental", "templateLink": {"relativePath": "x.json"}}}]}),
        )
    }
    let errors = expand_linked(&own(), &Parameters::new(), &place(), &Limits::default(), &Mirror).unwrap_err();
    assert_eq!(errors[0].code, "TemplateLimitExceeded");
}

#[test]
fn a_wild_comparison_does_not_break_sorting() {
    let value = output("[sort(range(0, 300), lambda('a', 'b', true()))]");
    assert_eq!(value.as_array().unwrap().len(), 300);
    let value = output(
        "[sort(range(0, 300), lambda('a', 'b', equals(mod(add(lambdaVariables('a'), mul(lambdaVariables('b'), 7)), 3), 0)))]",
    );
    assert_eq!(value.as_array().unwrap().len(), 300);
}
