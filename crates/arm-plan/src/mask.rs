//! Takes secrets out of values that people or files will see.

use super::facts::{TypeFacts, facts_of, secret_by_name};
use super::normal;
use serde_json::Value;
use std::collections::BTreeSet;

/// Whether the service shows a mask in place of a value: `****`.
pub(super) fn is_mask(value: &Value) -> bool {
    value.as_str().is_some_and(|s| !s.is_empty() && s.chars().all(|c| c == '*'))
}

/// The value with every secret below it taken out.
pub(super) fn mask(value: &Value, pattern: &str, pointer: &str, facts: &TypeFacts, secrets: &BTreeSet<&str>) -> Value {
    let secret =
        |pattern: &str, pointer: &str| facts.at(pattern).secret || secret_by_name(pattern) || secrets.contains(pointer);
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| {
                let pattern = format!("{pattern}.{}", key.to_ascii_lowercase());
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                let shown = if secret(&pattern, &pointer) {
                    Value::from("(secret)")
                } else {
                    mask(inner, &pattern, &pointer, facts, secrets)
                };
                (key.clone(), shown)
            })
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(i, inner)| {
                let (pattern, pointer) = (format!("{pattern}[]"), format!("{pointer}/{i}"));
                if secret(&pattern, &pointer) {
                    Value::from("(secret)")
                } else {
                    mask(inner, &pattern, &pointer, facts, secrets)
                }
            })
            .collect(),
        other => other.clone(),
    }
}

/// A resource as the service shows it, with everything secret taken out.
#[must_use]
pub fn masked(resource: &Value) -> Value {
    let kind = resource.get("id").and_then(Value::as_str).map(|id| normal::type_of_id(id).0).unwrap_or_default();
    let facts = facts_of(&kind);
    let map = resource.as_object().into_iter().flatten();
    let shown = map.map(|(key, value)| {
        let pattern = key.to_ascii_lowercase();
        let pointer = format!("/{key}");
        let secret = facts.at(&pattern).secret || secret_by_name(&pattern);
        (
            key.clone(),
            if secret { Value::from("(secret)") } else { mask(value, &pattern, &pointer, &facts, &BTreeSet::new()) },
        )
    });
    shown.collect()
}
