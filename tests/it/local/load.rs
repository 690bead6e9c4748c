//! A thousand resources in one go.

use serde_json::{Value, json};

use super::Local;
use super::deploy::deploy;

#[test]
fn a_thousand_resources_are_deployed() {
    let local = Local::group();
    // the service allows 800 resources a template: two of five hundred
    for part in 0..2 {
        let resources: Vec<Value> = (0..500)
            .map(|n| json!({ "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2024-05-01", "name": format!("n{part}-{n}"), "location": "westeurope", "properties": {} }))
            .collect();
        let text = json!({ "properties": { "mode": "Incremental", "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": resources } } });
        let record = deploy(&local, &format!("{{rg}}/Microsoft.Resources/deployments/d{part}"), &text.to_string());
        assert_eq!(record["properties"]["provisioningState"], "Succeeded");
    }
}
