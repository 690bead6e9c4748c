//! Every pair of expression and result of the vector file, with its source marks.

use crate::{Context, Limits, Parameters, Template, expand};
use serde_json::{Value as Json, json};

/// The value of an expression as an output of a template.
fn value_of(expression: &str) -> Result<Json, String> {
    let template = Template::from_json(&json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [],
        "outputs": {"x": {"type": "any", "value": format!("[{expression}]")}}
    }))
    .unwrap();
    let mut context = Context::resource_group("00000000-0000-0000-0000-000000000000", "rg1");
    context.management_group = Some("mg".to_string());
    let expansion = expand(&template, &Parameters::new(), &context, &Limits::default());
    expansion.map(|e| e.outputs["x"].value.clone()).map_err(|e| e[0].sentence.clone())
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

#[test]
fn all_vectors_hold() {
    let file: Json = serde_json::from_str(include_str!("../../../../tests/fixtures/function-vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() > 180, "{} vectors", vectors.len());
    let mut wrong = Vec::new();
    for vector in vectors {
        let expression = vector["expr"].as_str().unwrap();
        let expected = &vector["expect"];
        let found = value_of(expression);
        let good = match &found {
            Ok(value) => expected.get("$error").is_none() && same(value, expected),
            Err(_) => expected.get("$error").is_some(),
        };
        if !good {
            wrong.push(format!("{expression}\n  expected {expected}\n  found {found:?}  ({})", vector["src"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}
