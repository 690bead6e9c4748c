//! One resource in another resource group or subscription → a nested deployment that writes it there.

use super::expr::Text;
use super::ids::{Home, Named};
use super::json::{Json, Map, json};
use super::node::Node;
use super::versions as v;
use dsvm_diagnostics::source::Span;

/// The deployment `name` in the group and subscription of `home`. Its template is evaluated inside, where nothing of the
/// outer one can be read: `parameters` bring in texts, as `[parameters('…')]` of `resource`.
pub(crate) fn deployment(
    name: Text,
    home: &Home,
    resource: Map,
    parameters: &[(&'static str, &Text)],
    span: Span,
) -> Node {
    let (mut declared, mut given) = (Map::new(), Map::new());
    for (parameter, value) in parameters {
        declared.insert((*parameter).into(), json!({ "type": "string" }));
        given.insert((*parameter).into(), json!({ "value": value.json() }));
    }
    let mut body = Map::new();
    if let Some(subscription) = &home.subscription {
        body.insert("subscriptionId".into(), subscription.into());
    }
    if let Some(group) = &home.group {
        body.insert("resourceGroup".into(), group.into());
    }
    body.insert(
        "properties".into(),
        json!({
            "mode": "Incremental",
            "expressionEvaluationOptions": { "scope": "Inner" },
            "parameters": Json::Object(given),
            "template": {
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0",
                "parameters": Json::Object(declared),
                "resources": [Json::Object(resource)],
            },
        }),
    );
    // A nested deployment lives in the group that it deploys to, and so does its id.
    Node::new(v::DEPLOYMENT, &Named::elsewhere(v::DEPLOYMENT, name, Some(home)), body, span)
}
