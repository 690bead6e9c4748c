//! The engine as a whole: templates in, resources or errors out.

mod errors;
mod foreign;
mod hostile;
mod metamorphic;
mod mutation;
mod nested;
mod partial;
mod props;
mod resources;
mod secrets;
mod types;

use super::*;
use serde_json::{Value, json};

/// Region and subscription of all tests.
pub(super) fn place() -> Context {
    let mut context = Context::resource_group("00000000-0000-0000-0000-000000000000", "myRg");
    context.deployment_name = "deployment".to_string();
    context
}

/// A template around some sections.
pub(super) fn template(sections: Value) -> Template {
    let mut whole = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": []
    });
    for (key, value) in sections.as_object().unwrap() {
        whole[key] = value.clone();
    }
    parse(&serde_json::to_string_pretty(&whole).unwrap()).unwrap()
}

pub(super) fn values(pairs: Value) -> Parameters {
    let mut parameters = Parameters::new();
    for (name, value) in pairs.as_object().unwrap() {
        parameters.set(name, value).unwrap();
    }
    parameters
}

pub(super) fn expanded(sections: Value) -> Expansion {
    expand(&template(sections), &Parameters::new(), &place(), &Limits::default()).unwrap()
}

/// The first error of an expansion.
pub(super) fn refused(sections: Value) -> TemplateError {
    expand(&template(sections), &Parameters::new(), &place(), &Limits::default()).unwrap_err().remove(0)
}

/// The value of an output made of one expression.
pub(super) fn output(expression: &str) -> Value {
    let expansion = expanded(json!({"outputs": {"x": {"type": "any", "value": expression}}}));
    expansion.outputs["x"].value.clone()
}

pub(super) fn ids(expansion: &Expansion) -> Vec<&str> {
    let prefix = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myRg/providers/";
    expansion.resources.iter().map(|r| r.id.strip_prefix(prefix).unwrap_or(&r.id)).collect()
}
