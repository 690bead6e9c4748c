//! Codes, wording, places and sentences.

use super::*;

/// An error as one text.
fn told(error: &TemplateError) -> String {
    let place = error.position.map_or_else(String::new, |p| format!("{}:{} ", p.line, p.column));
    let help = error.help.as_ref().map_or_else(String::new, |h| format!(" (help: {h})"));
    format!("{place}{}{help}\n{}: {}\n{}", error.sentence, error.code, error.message, error.path)
}

fn of(text: &str) -> String {
    let errors = parse(text).and_then(|t| expand(&t, &Parameters::new(), &place(), &Limits::default())).unwrap_err();
    errors.iter().map(told).collect::<Vec<_>>().join("\n---\n")
}

#[test]
fn errors_read_as_azure_says_them_and_as_we_do() {
    let texts = [
        "{\n  \"resources\": [1,\n",
        "{\n  \"parameters\": {\n    \"size\": { \"type\": \"string\" }\n  },\n  \"resources\": []\n}",
        "{\"variables\": {\"foo\": \"[if(true(), fail('condition must be false'), 'x')]\"},\n\"resources\": [{\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"[variables('foo')]\"}]}",
        "{\"resources\": [\n  {\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"[parameter('x')]\"},\n  {\"type\": \"A.B/c/d\", \"apiVersion\": \"1\", \"name\": \"x\"},\n  {\"type\": \"A.B/c\", \"name\": \"y\"}\n]}",
        "{\"variables\": {\"size\": 1}, \"resources\": [\n  {\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"n\", \"properties\": {\n    \"x\": \"[variables('sise')]\"}}\n]}",
        "{\"resources\": [\n  {\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"a\", \"dependsOn\": [\"b\"]},\n  {\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"b\", \"dependsOn\": [\"a\"]}\n]}",
        "{\"resources\": [\n  {\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"a\", \"dependsOn\": [\"z\"]}\n]}",
        "{\"resources\": [\n  {\"type\": \"A.B/c\", \"apiVersion\": \"1\", \"name\": \"a\"},\n  {\"type\": \"a.b/C\", \"apiVersion\": \"1\", \"name\": \"A\"}\n]}",
        "{\"resources\": [],\n\"outputs\": {\"o\": {\"type\": \"string\", \"value\": \"[createObject('a', 1).b]\"}}}",
    ];
    let shown: Vec<String> = texts.iter().map(|text| format!("{text}\n\n{}\n", of(text))).collect();
    insta::assert_snapshot!(shown.join("\n====\n"));
}

#[test]
fn functions_stand_only_where_they_may() {
    let name = |expression: &str| {
        refused(json!({"resources": [{"type": "A.B/c", "apiVersion": "1", "name": expression}]})).sentence
    };
    assert_eq!(
        name("[reference('x').y]"),
        "`reference` cannot be called here: values of deployed resources may be read in the body of a resource and in outputs only"
    );
    assert_eq!(
        name("[listKeys('x', '1')]"),
        "`listKeys` cannot be called here: values of deployed resources may be read in the body of a resource and in outputs only"
    );
    assert_eq!(name("[utcNow()]"), "`utcNow` cannot be called here: it is for default values of parameters only");
    assert_eq!(name("[copyIndex()]"), "`copyIndex` cannot be called here: no copy loop is around it");
    assert_eq!(
        name("[lambda('x', 1)]"),
        "`lambda` cannot be called here: it is only allowed as an argument of a function such as `map`"
    );
    assert_eq!(
        name("[managementGroup().name]"),
        "`managementGroup` cannot be called here: the deployment is not into a management group"
    );
    let error = refused(
        json!({"variables": {"v": "[reference('x').y]"}, "outputs": {"o": {"type": "string", "value": "[variables('v')]"}}}),
    );
    assert!(error.message.starts_with("Deployment template validation failed: 'The template variable 'v' is not valid: The template function 'reference' is not expected at this location."), "{}", error.message);
}

#[test]
fn values_that_do_not_fit_a_function_are_told() {
    for (expression, sentence) in [
        ("[add(1, 'x')]", "`add` needs an integer, and a string is given"),
        ("[add(1)]", "`add` takes 2 arguments; 1 stand here"),
        ("[div(1, 0)]", "`div` divides 1 by zero"),
        ("[mul(9223372036854775807, 2)]", "`mul` of 9223372036854775807 and 2 does not fit 64 bits"),
        ("[toLower(createArray())]", "`toLower` needs a string, and an array is given"),
        ("[substring('abc', 2, 5)]", "`substring` asks for 5 characters from position 2 of a string of 3"),
        ("[range(0, 10001)]", "`range(0, 10001)` is out of bounds; Azure allows counts from 0 to 10000"),
        ("[createArray(1)[1]]", "the array has 1 elements; element 1 is asked for"),
        ("[null().x]", "`x` is asked of a null value"),
        ("['a'.x]", "`x` is asked of a value of type string"),
        ("[if('x', 1, 2)]", "`if` needs a boolean, and a string is given"),
        ("[json('{')]", "the text given to `json` is not JSON: expected a key, found the end of the text"),
        ("[base64ToString('*')]", "the text given to `base64ToString` is not base64"),
        ("[cidrSubnet('10.0.0.0/24', 16, 0)]", "a subnet of `/24` has a prefix from 24 to 32; `16` is given"),
        ("[parseCidr('x')]", "`x` is not a range such as `10.0.0.0/16`"),
        ("[dateTimeAdd('x', 'P1D')]", "`x` is not a date and time"),
        (
            "[format('{1}', 'a')]",
            "the format string given to `format` is not valid: `{1}` has no argument; 1 are given",
        ),
        (
            "[format('{0')]",
            "the format string given to `format` is not valid: a `{` is not closed; write `{{` for the character",
        ),
        ("[resourceId('A.B/c/d', 'x')]", "`resourceId`: the type `A.B/c/d` takes 2 names; 1 are given"),
        ("[map(createArray(1), 'x')]", "`map` needs a `lambda(…)` here"),
        ("[concatt('x')]", "there is no function `concatt`"),
        ("[less(1, 'x')]", "`less` compares two numbers or two strings"),
    ] {
        let error = refused(json!({"outputs": {"o": {"type": "string", "value": expression}}}));
        assert_eq!(error.sentence, sentence, "{expression}");
        assert_eq!(error.code, "InvalidTemplate");
    }
}

#[test]
fn values_for_unknown_parameters_are_refused_with_a_hint() {
    let t = template(json!({"parameters": {"location": {"type": "string"}}}));
    let error = expand(&t, &values(json!({"locaton": "x"})), &place(), &Limits::default()).unwrap_err().remove(0);
    assert_eq!(error.sentence, "a value for `locaton` is given, and the template has no such parameter");
    assert_eq!(error.help.as_deref(), Some("write `location`"));
}

#[test]
fn circles_of_values_are_told() {
    let error = refused(
        json!({"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}, "outputs": {"o": {"type": "string", "value": "[variables('a')]"}}}),
    );
    assert_eq!(error.sentence, "the variable `a` needs its own value");
    let error = refused(json!({"parameters": {"a": {"type": "string", "defaultValue": "[parameters('a')]"}}}));
    assert_eq!(error.sentence, "the parameter `a` needs its own value");
}

#[test]
fn the_counts_of_the_service_hold() {
    let many = |n: usize, one: Value| -> Value {
        (0..n).map(|i| (format!("p{i}"), one.clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let error = refused(json!({"parameters": many(257, json!({"type": "int", "defaultValue": 1}))}));
    assert_eq!(error.sentence, "the template has 257 parameters; Azure allows 256");
    assert_eq!(
        refused(json!({"variables": many(257, json!(1))})).sentence,
        "the template has 257 variables; Azure allows 256"
    );
    let error = refused(json!({"outputs": many(65, json!({"type": "int", "value": 1}))}));
    assert_eq!(error.sentence, "the template has 65 outputs; Azure allows 64");
    let one = |name: &str, count: i64| json!({"type": "A.B/c", "apiVersion": "1", "name": format!("[concat('{name}', copyIndex())]"), "copy": {"name": name, "count": count}});
    assert_eq!(expanded(json!({"resources": [one("a", 800)]})).resources.len(), 800);
    let error = refused(json!({"resources": [one("a", 800), one("b", 1)]}));
    assert_eq!(error.sentence, "the template has more than 800 resources, copies counted; Azure allows 800");
    assert_eq!(
        refused(json!({"resources": [one("a", 801)]})).sentence,
        "the loop `a` has 801 turns; Azure allows 0 to 800"
    );
    assert_eq!(
        refused(json!({"resources": [one("a", -1)]})).sentence,
        "the loop `a` has -1 turns; Azure allows 0 to 800"
    );
    assert_eq!(
        parse(&" ".repeat((4 << 20) + 1)).unwrap_err()[0].sentence,
        "the template has 4194305 bytes; Azure allows 4194304"
    );
}
