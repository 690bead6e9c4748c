//! The published schema of the plan against the plans that are written.

use serde_json::Value;

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// As much of JSON Schema as the published one uses: type, enum, const, required, properties, items,
/// additionalProperties and $ref within the document.
fn check(schema: &Value, root: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return check(root.pointer(reference.trim_start_matches('#')).unwrap(), root, value, at, errors);
    }
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        let fits = match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "boolean" => value.is_boolean(),
            other => panic!("the schema uses the type {other}"),
        };
        if !fits {
            errors.push(format!("{at}: not of type {kind}"));
        }
    }
    if let Some(all) = schema.get("enum").and_then(Value::as_array)
        && !all.contains(value)
    {
        errors.push(format!("{at}: {value} is not in the list"));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        errors.push(format!("{at}: not {only}"));
    }
    if let Value::Object(map) = value {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !map.contains_key(name.as_str().unwrap()) {
                errors.push(format!("{at}: no {name}"));
            }
        }
        for (key, inner) in map {
            match schema.pointer(&format!("/properties/{key}")) {
                Some(part) => check(part, root, inner, &format!("{at}/{key}"), errors),
                None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    errors.push(format!("{at}: {key} is not in the schema"))
                }
                None => {}
            }
        }
    }
    if let (Value::Array(list), Some(items)) = (value, schema.get("items")) {
        for (i, inner) in list.iter().enumerate() {
            check(items, root, inner, &format!("{at}/{i}"), errors);
        }
    }
}

/// What is wrong with the plans of a tree.
pub fn errors_of_tree(plans: &Value) -> Vec<String> {
    let schema = schema();
    let mut errors = Vec::new();
    check(&schema["$defs"]["tree"], &schema, plans, "", &mut errors);
    errors
}

/// Where a plan does not fit the published schema.
pub fn errors(plan: &Value) -> Vec<String> {
    let schema = schema();
    let mut errors = Vec::new();
    check(&schema, &schema, plan, "", &mut errors);
    errors
}

/// Holds a plan against the schema.
pub fn fits(plan: &Value) {
    let schema = schema();
    let mut errors = Vec::new();
    check(&schema, &schema, plan, "", &mut errors);
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn plans_fit_the_published_schema() {
    let schema = schema();
    let plan = serde_json::to_value(super::render::every_kind()).unwrap();
    let mut errors = Vec::new();
    check(&schema, &schema, &plan, "", &mut errors);
    assert_eq!(errors, Vec::<String>::new());
    // The check itself can fail.
    let mut bad = plan;
    bad["changes"][0]["action"] = "explode".into();
    bad["new"] = true.into();
    check(&schema, &schema, &bad, "", &mut errors);
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn schema_lists_every_rule() {
    let schema = schema();
    let listed: Vec<&str> = schema
        .pointer("/$defs/rule/enum")
        .and_then(Value::as_array)
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect();
    let rules: Vec<&str> = arm_plan::SuppressionRule::ALL.iter().map(|r| r.name()).collect();
    assert_eq!(listed, rules);
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plan.md")).unwrap();
    for rule in arm_plan::SuppressionRule::ALL {
        assert!(docs.contains(&format!("| `{}` |", rule.name())), "docs/plan.md does not explain {}", rule.name());
    }
}
