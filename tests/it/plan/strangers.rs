//! Templates of other people: after an apply the next plan is empty.

use crate::support::TestContext;
use serde_json::{Value, json};

/// Applies a template in a fresh state, and holds that nothing is left to do.
#[track_caller]
fn settles(template: &Value) {
    let cx = TestContext::new();
    cx.write("main.json", &template.to_string());
    let applied = cx.run("apply --template main.json -g r --location westeurope --yes");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let again = cx.run("plan --template main.json -g r --location westeurope --detailed-exitcode");
    assert_eq!(again.exit, 0, "{}", again.text());
}

/// With an `apiProfile` a template names no versions: resources are read with those of the catalogue, children with their parent's.
#[test]
fn a_template_with_an_api_profile_settles() {
    let frontend = "[resourceId('Microsoft.Network/loadBalancers/frontendIPConfigurations', 'balancer', 'front')]";
    settles(&json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "apiProfile": "2018-03-01-hybrid",
        "resources": [
            { "type": "Microsoft.Compute/availabilitySets", "name": "set", "location": "[resourceGroup().location]", "sku": { "name": "Aligned" },
              "properties": { "platformFaultDomainCount": 2, "platformUpdateDomainCount": 2 } },
            { "type": "Microsoft.Network/publicIPAddresses", "name": "address", "location": "[resourceGroup().location]", "sku": { "name": "Standard" } },
            { "type": "Microsoft.Network/loadBalancers", "name": "balancer", "location": "[resourceGroup().location]", "sku": { "name": "Standard" }, "dependsOn": ["address"],
              "properties": { "frontendIPConfigurations": [{ "name": "front", "properties": { "publicIPAddress": { "id": "[resourceId('Microsoft.Network/publicIPAddresses', 'address')]" } } }] } },
            { "type": "Microsoft.Network/loadBalancers/inboundNatRules", "name": "[concat('balancer/ssh', copyIndex())]",
              "copy": { "name": "rules", "count": 2 }, "dependsOn": ["balancer"],
              "properties": { "frontendIPConfiguration": { "id": frontend }, "protocol": "Tcp", "frontendPort": "[copyIndex(5000)]", "backendPort": 22, "enableFloatingIP": false } }
        ]
    }));
}
