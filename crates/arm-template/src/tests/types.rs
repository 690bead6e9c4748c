use super::*;

fn check(definitions: Value, parameter: Value, value: Value) -> Result<Value, String> {
    let t = template(json!({
        "languageVersion": "2.0", "definitions": definitions, "parameters": {"p": parameter}, "resources": {},
        "outputs": {"o": {"type": "object", "nullable": true, "value": "[createObject('v', parameters('p'))]"}}
    }));
    let e = expand(&t, &values(json!({"p": value})), &place(), &Limits::default());
    e.map(|e| e.outputs["o"].value["v"].clone()).map_err(|e| e[0].sentence.clone())
}

#[test]
fn bounds_and_types_of_version_one() {
    let run = |parameter: Value, value: Value| {
        let t = template(json!({"parameters": {"p": parameter}}));
        expand(&t, &values(json!({"p": value})), &place(), &Limits::default()).map(drop).map_err(|e| e[0].clone())
    };
    for (parameter, value, sentence) in [
        (
            json!({"type": "int"}),
            json!("5"),
            "the parameter `p` must be a value of type integer; a value of type string is given",
        ),
        (json!({"type": "int", "minValue": 3}), json!(2), "the parameter `p` is 2; the least is 3"),
        (json!({"type": "int", "maxValue": 3}), json!(4), "the parameter `p` is 4; the most is 3"),
        (json!({"type": "string", "minLength": 3}), json!("ab"), "the parameter `p` has length 2; the least is 3"),
        (json!({"type": "array", "maxLength": 1}), json!([1, 2]), "the parameter `p` has length 2; the most is 1"),
        (
            json!({"type": "string", "allowedValues": ["a", "b"]}),
            json!("c"),
            "the parameter `p` is `c`; allowed are `a`, `b`",
        ),
        (
            json!({"type": "array", "allowedValues": ["a", "b"]}),
            json!(["a", "c"]),
            "the parameter `p` is `[\"a\",\"c\"]`; allowed are `a`, `b`",
        ),
        (json!({"type": "text"}), json!("c"), "`text` is not a type of template values"),
        (json!({}), json!("c"), "the parameter `p` has no `type`"),
    ] {
        let error = run(parameter.clone(), value).unwrap_err();
        assert_eq!(error.sentence, sentence);
        assert!(error.message.contains("'p'") || error.message.contains("'text'"), "{}", error.message);
        assert_eq!(error.path, "properties.template.parameters.p");
        assert!(error.position.is_some());
    }
    for (parameter, value) in [
        (json!({"type": "String", "allowedValues": ["A"]}), json!("a")),
        (json!({"type": "array", "allowedValues": ["a", "b"]}), json!(["b", "a"])),
        (json!({"type": "SecureString"}), json!("x")),
        (json!({"type": "object"}), json!({})),
        (json!({"type": "int", "minValue": 1, "maxValue": 1}), json!(1)),
    ] {
        run(parameter, value).unwrap();
    }
}

#[test]
fn a_secret_that_does_not_fit_is_not_shown() {
    let t = template(json!({"parameters": {"p": {"type": "securestring", "allowedValues": ["a"], "minLength": 30}}}));
    let error = expand(&t, &values(json!({"p": "hunter2"})), &place(), &Limits::default()).unwrap_err().remove(0);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn objects_have_required_optional_and_further_properties() {
    let kind = json!({"type": "object", "properties": {
        "name": {"type": "string"}, "size": {"type": "int", "nullable": true, "maxValue": 9}
    }, "additionalProperties": false});
    let run = |value| check(json!({"t": kind}), json!({"$ref": "#/definitions/t"}), value);
    assert_eq!(run(json!({"name": "a"})), Ok(json!({"name": "a"})));
    assert_eq!(run(json!({"NAME": "a", "size": null})), Ok(json!({"NAME": "a", "size": null})));
    assert_eq!(run(json!({})).unwrap_err(), "the parameter `p` has no `name`, which its type requires");
    assert_eq!(run(json!({"name": "a", "size": 10})).unwrap_err(), "`size` of the parameter `p` is 10; the most is 9");
    assert_eq!(
        run(json!({"name": "a", "x": 1})).unwrap_err(),
        "the parameter `p` has `x`, which its type does not know; it knows `name`, `size`"
    );
    let open = json!({"type": "object", "properties": {}, "additionalProperties": {"type": "int"}});
    assert!(check(json!({}), open.clone(), json!({"x": 1})).is_ok());
    assert_eq!(
        check(json!({}), open, json!({"x": "1"})).unwrap_err(),
        "`x` of the parameter `p` must be a value of type integer; a value of type string is given"
    );
}

#[test]
fn arrays_have_items_and_prefix_items() {
    let tuple = json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "int"}], "items": false});
    assert!(check(json!({}), tuple.clone(), json!(["a", 1])).is_ok());
    assert!(check(json!({}), tuple.clone(), json!(["a"])).unwrap_err().contains("has 1 elements; 2 are needed"));
    assert!(check(json!({}), tuple.clone(), json!(["a", 1, 2])).unwrap_err().contains("has 3 elements; 2 are allowed"));
    assert!(check(json!({}), tuple, json!([1, 1])).unwrap_err().starts_with("`[0]` of the parameter `p`"));
    let list = json!({"type": "array", "items": {"type": "int"}});
    assert!(check(json!({}), list, json!([1, "2"])).unwrap_err().starts_with("`[1]` of the parameter `p` must be"));
}

#[test]
fn a_discriminator_chooses_the_type() {
    let definitions = json!({
        "cat": {"type": "object", "properties": {"kind": {"type": "string", "allowedValues": ["cat"]}, "lives": {"type": "int"}}},
        "dog": {"type": "object", "properties": {"kind": {"type": "string", "allowedValues": ["dog"]}, "tricks": {"type": "array"}}},
        "pet": {"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"cat": {"$ref": "#/definitions/cat"}, "dog": {"$ref": "#/definitions/dog"}}}}
    });
    let run = |value| check(definitions.clone(), json!({"$ref": "#/definitions/pet"}), value);
    assert!(run(json!({"kind": "cat", "lives": 9})).is_ok());
    assert_eq!(run(json!({"kind": "dog"})).unwrap_err(), "the parameter `p` has no `tricks`, which its type requires");
    assert_eq!(
        run(json!({"kind": "cow"})).unwrap_err(),
        "the parameter `p` has a `kind` that is `cow`; its type knows `cat`, `dog`"
    );
    assert_eq!(
        run(json!({})).unwrap_err(),
        "the parameter `p` has a `kind` that is absent; its type knows `cat`, `dog`"
    );
}

#[test]
fn null_counts_as_not_given_and_as_a_value_where_it_may() {
    assert_eq!(check(json!({}), json!({"type": "string", "nullable": true}), json!(null)), Ok(Value::Null));
    assert_eq!(check(json!({}), json!({"type": "string", "defaultValue": "d"}), json!(null)), Ok(json!("d")));
    assert_eq!(
        check(json!({}), json!({"type": "string"}), json!(null)).unwrap_err(),
        "the parameter `p` has no value and no default"
    );
}

#[test]
fn types_may_refer_to_themselves_but_not_in_circles() {
    let list =
        json!({"node": {"type": "object", "properties": {"next": {"$ref": "#/definitions/node", "nullable": true}}}});
    assert!(check(list, json!({"$ref": "#/definitions/node"}), json!({"next": {"next": {}}})).is_ok());
    let circle = json!({"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}});
    assert!(check(circle, json!({"$ref": "#/definitions/a"}), json!(1)).unwrap_err().contains("without end"));
    assert_eq!(
        check(json!({}), json!({"$ref": "#/definitions/x"}), json!(1)).unwrap_err(),
        "`#/definitions/x` is no definition of the template"
    );
}

#[test]
fn secure_properties_inside_a_type_are_secret() {
    let t = template(json!({
        "languageVersion": "2.0",
        "parameters": {"p": {"type": "object", "properties": {"user": {"type": "string"}, "key": {"type": "securestring"}}}},
        "resources": {"r": {"type": "A.B/c", "apiVersion": "1", "name": "n", "properties": {"all": "[parameters('p')]", "user": "[parameters('p').user]"}}}
    }));
    let e = expand(&t, &values(json!({"p": {"user": "u", "key": "hunter2"}})), &place(), &Limits::default()).unwrap();
    assert_eq!(e.resources[0].secret_pointers, ["/properties/all/key"]);
    assert!(!format!("{e:?}").contains("hunter2"));
}

#[test]
fn user_functions_see_their_parameters_only() {
    let functions = json!([{"namespace": "my", "members": {
        "twice": {"parameters": [{"name": "x", "type": "string"}], "output": {"type": "string", "value": "[concat(parameters('x'), parameters('x'))]"}},
        "four": {"parameters": [{"name": "x", "type": "string"}], "output": {"type": "string", "value": "[my.twice(my.twice(parameters('x')))]"}},
        "bad": {"parameters": [], "output": {"type": "string", "value": "[variables('v')]"}}
    }}]);
    let run = |expression: &str| {
        let t = template(
            json!({"functions": functions, "variables": {"v": 1}, "outputs": {"o": {"type": "string", "value": expression}}}),
        );
        expand(&t, &Parameters::new(), &place(), &Limits::default())
            .map(|e| e.outputs["o"].value.clone())
            .map_err(|e| e[0].sentence.clone())
    };
    assert_eq!(run("[MY.four('a')]"), Ok(json!("aaaa")));
    assert_eq!(
        run("[my.bad()]").unwrap_err(),
        "`variables` cannot be called here: a user-defined function sees only its parameters"
    );
    assert_eq!(run("[my.twice()]").unwrap_err(), "`my.twice` takes 1 arguments; 0 stand here");
    assert_eq!(
        run("[my.twice(1)]").unwrap_err(),
        "parameter `x` of `my.twice` must be a value of type string; a value of type integer is given"
    );
    assert_eq!(run("[my.none()]").unwrap_err(), "there is no function `my.none`");
}
