//! Properties: nothing panics or hangs, printing and parsing agree, the same input gives the same result.

use super::*;
use proptest::prelude::*;

const TEMPLATE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", // comment
  "contentVersion": "1.0.0.0",
  "parameters": { "n": { "type": "int", "defaultValue": 2, "minValue": 1 }, "s": { "type": "securestring", "defaultValue": "x" } },
  "variables": { "a": "[concat('a', parameters('n'))]", "copy": [ { "name": "list", "count": "[parameters('n')]", "input": "[copyIndex('list')]" } ] },
  "resources": [
    { "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2022-09-01", "name": "[concat(variables('a'), copyIndex())]",
      "copy": { "name": "loop", "count": "[parameters('n')]" }, "location": "[resourceGroup().location]", "properties": { "k": "[parameters('s')]" } },
    { "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d", "dependsOn": [ "loop" ],
      "properties": { "mode": "Incremental", "template": { "resources": [], "outputs": { "o": { "type": "string", "value": "[variables('a')]" } } } } }
  ],
  "outputs": { "o": { "type": "string", "value": "[reference('d').outputs.o.value]" }, "l": { "type": "array", "value": "[map(variables('list'), lambda('x', add(lambdaVariables('x'), 1)))]" } }
}"#;

fn run(text: &str) -> String {
    match parse(text)
        .and_then(|t| expand(&t, &Parameters::new(), &place(), &Limits { steps: 200_000, ..Limits::default() }))
    {
        Ok(e) => format!("{e:?}"),
        Err(errors) => errors.iter().map(|e| format!("{e:?}")).collect(),
    }
}

/// An expression of a few functions.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-zA-Z0-9 /.{}:,%-]{0,8}".prop_map(|s| format!("'{s}'")),
        any::<i32>().prop_map(|i| i.to_string()),
        Just("true()".to_string()),
        Just("null()".to_string()),
        Just("createArray(1, 'a')".to_string()),
        Just("createObject('a', 1, 'B', 'c')".to_string()),
        Just("resourceGroup()".to_string()),
        Just("resourceGroup().location".to_string()),
        Just("reference('/subscriptions/s/resourceGroups/g/providers/A.B/c/d', '1')".to_string()),
        Just("it''s".to_string()).prop_map(|s| format!("'{s}'")),
    ];
    let names: Vec<&'static str> =
        function_table().into_iter().map(|(_, name, _)| name).filter(|n| *n != "list*").collect();
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            4 => (proptest::sample::select(names.clone()), proptest::collection::vec(inner.clone(), 0..4))
                .prop_map(|(name, args)| format!("{name}({})", args.join(", "))),
            1 => (inner.clone(), "[a-z]{1,4}").prop_map(|(base, name)| format!("{base}.{name}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(base, index)| format!("{base}[{index}]")),
            1 => (inner.clone(), inner).prop_map(|(list, body)| format!("map({list}, lambda('x', concat(lambdaVariables('x'), {body})))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = run(&text);
        let _ = Expr::parse(&text);
        let _ = parse_parameters(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = json::read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_damaged_template_is_expanded_or_refused(cuts in proptest::collection::vec((0usize..2000, 0usize..6, "[\\[\\]{}()'\",:a-z0-9]{0,3}"), 1..4)) {
        let mut text = TEMPLATE.to_string();
        for (at, length, put) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.replace_range(at..end, &put);
        }
        prop_assert_eq!(run(&text), run(&text));
    }

    #[test]
    fn printing_and_parsing_agree(source in expression()) {
        if let Ok(parsed) = Expr::parse(&source) {
            let again = Expr::parse(&parsed.to_string());
            prop_assert_eq!(again.as_ref(), Ok(&parsed));
        }
    }

    #[test]
    fn any_expression_gives_a_value_or_an_error(source in expression()) {
        let sections = json!({"outputs": {"o": {"type": "any", "value": format!("[{source}]")}}});
        let text = template(sections).to_value().to_string();
        let first = run(&text);
        prop_assert_eq!(&first, &run(&text));
        // What stays open is an expression that can be read again.
        if let Ok(e) = parse(&text).and_then(|t| expand(&t, &Parameters::new(), &place(), &Limits::default())) {
            let output = &e.outputs["o"];
            for pointer in &output.unknown {
                let shown = output.value.pointer(pointer).and_then(Value::as_str).unwrap_or("");
                let inside = shown.strip_prefix('[').and_then(|s| s.strip_suffix(']')).unwrap_or("?!");
                prop_assert!(Expr::parse(inside).is_ok(), "{}", shown);
            }
        }
    }
}
