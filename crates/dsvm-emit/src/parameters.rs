//! Parameter files: one for each env, with exactly the parameters that the template has.

use dsvm_graph::context_free::Resolve;
use dsvm_graph::json::{Json, Map, json};
use dsvm_sema::checked::{Checked, EnvValues};
use dsvm_sema::value::Value;
use indexmap::IndexMap;

const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#";

/// The files by env; one with an empty name when there is no env.
pub(crate) fn files(checked: &Checked, template: &Json) -> IndexMap<String, Json> {
    let known = |name: &str| template.get("parameters").is_some_and(|p| p.get(name).is_some());
    if checked.envs.is_empty() {
        return std::iter::once((String::new(), file(Map::new()))).collect();
    }
    checked.envs.iter().map(|env| (env.name.to_string(), file(values(checked, env, &known)))).collect()
}

fn file(parameters: Map) -> Json {
    json!({ "$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": parameters })
}

fn values(checked: &Checked, env: &EnvValues, known: &dyn Fn(&str) -> bool) -> Map {
    let resolve = Resolve::new(checked);
    let mut out = Map::new();
    for (name, (value, _)) in &env.values {
        if !known(name) {
            continue;
        }
        let secret = checked.params.iter().any(|p| p.name == *name && p.secret);
        match (secret, value) {
            (_, Value::Record(record)) if secret && record.contains_key("vault") => {
                if let Some(reference) = key_vault(record, &resolve) {
                    out.insert(name.to_string().into(), json!({ "reference": reference }));
                }
            }
            // A secret is never written down: without a reference it is asked for.
            (true, _) => {}
            (false, value) => {
                out.insert(name.to_string().into(), json!({ "value": resolve.json(value) }));
            }
        }
    }
    out
}

fn key_vault(record: &IndexMap<std::sync::Arc<str>, Value>, resolve: &Resolve<'_>) -> Option<Json> {
    let vault = resolve.json(record.get("vault")?);
    let secret = resolve.json(record.get("secret")?);
    let mut reference = Map::new();
    reference.insert("keyVault".into(), json!({ "id": vault }));
    reference.insert("secretName".into(), secret);
    if let Some(version) = record.get("version") {
        reference.insert("secretVersion".into(), resolve.json(version));
    }
    Some(Json::Object(reference))
}
