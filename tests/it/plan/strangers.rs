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

/// What services answer otherwise than it was written: a region on a rule, the order of addresses, names of disks, regions by
/// their display names, tags alone on a machine of a set.
#[test]
fn what_services_spell_otherwise_settles() {
    let here = "[resourceGroup().location]";
    let subnet = json!({ "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'one')]" });
    let image = json!({ "publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2", "version": "latest" });
    let login = json!({ "adminUsername": "someone", "adminPassword": "Stand-in.4711-Kx" });
    let machine = |name: &str, value: &str| {
        let mut login = login.clone();
        login[name] = json!(value);
        login
    };
    let resource = |kind: &str, version: &str, name: &str, after: &[&str], more: Value| {
        let mut one =
            json!({ "type": kind, "apiVersion": version, "name": name, "location": here, "dependsOn": after });
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one
    };
    let front = "[resourceId('Microsoft.Network/loadBalancers/frontendIPConfigurations', 'balancer', 'front')]";
    let resources = json!([
        resource(
            "Microsoft.Network/publicIPAddresses",
            "2023-04-01",
            "address",
            &[],
            json!({ "sku": { "name": "Standard" },
            "properties": { "publicIPAllocationMethod": "Static" } })
        ),
        resource(
            "Microsoft.Network/loadBalancers",
            "2023-04-01",
            "balancer",
            &["address"],
            json!({ "sku": { "name": "Standard" }, "properties": {
            "frontendIPConfigurations": [{ "name": "front", "properties": { "publicIPAddress": { "id": "[resourceId('Microsoft.Network/publicIPAddresses', 'address')]" } } }] } })
        ),
        resource(
            "Microsoft.Network/loadBalancers/inboundNatRules",
            "2023-04-01",
            "balancer/ssh",
            &["balancer"],
            json!({ "properties": {
            "frontendIPConfiguration": { "id": front }, "protocol": "Tcp", "frontendPort": 5000, "backendPort": 22 } })
        ),
        resource(
            "Microsoft.Network/virtualNetworks",
            "2023-04-01",
            "net",
            &[],
            json!({ "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": [{ "name": "one", "properties": { "addressPrefix": "10.0.0.0/24" } }] } })
        ),
        resource(
            "Microsoft.Network/networkInterfaces",
            "2023-04-01",
            "card",
            &["net"],
            json!({ "properties": { "ipConfigurations": [
            { "name": "z", "properties": { "primary": false, "subnet": subnet } },
            { "name": "b", "properties": { "primary": true, "subnet": subnet } },
            { "name": "a", "properties": { "primary": false, "subnet": subnet } } ] } })
        ),
        resource(
            "Microsoft.Compute/virtualMachines",
            "2023-03-01",
            "machine",
            &["card"],
            json!({ "properties": {
            "hardwareProfile": { "vmSize": "Standard_D2s_v3" }, "osProfile": machine("computerName", "machine"),
            "networkProfile": { "networkInterfaces": [{ "id": "[resourceId('Microsoft.Network/networkInterfaces', 'card')]" }] },
            "storageProfile": { "imageReference": image, "osDisk": { "createOption": "FromImage" }, "dataDisks": [
                { "lun": 0, "createOption": "Empty", "diskSizeGB": 64 }, { "lun": 1, "createOption": "Empty", "diskSizeGB": "64" } ] } } })
        ),
        resource("Microsoft.Compute/galleries", "2022-03-03", "gallery", &[], json!({})),
        resource(
            "Microsoft.Compute/galleries/images",
            "2022-03-03",
            "gallery/image",
            &["gallery"],
            json!({ "properties": { "osType": "Linux",
            "osState": "Generalized", "hyperVGeneration": "V2", "identifier": { "publisher": "p", "offer": "o", "sku": "s" } } })
        ),
        resource(
            "Microsoft.Compute/snapshots",
            "2023-04-02",
            "snapshot",
            &[],
            json!({ "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 32 } })
        ),
        resource(
            "Microsoft.Compute/galleries/images/versions",
            "2022-03-03",
            "gallery/image/1.0.0",
            &["gallery/image", "snapshot"],
            json!({ "properties": {
            "publishingProfile": { "replicaCount": 1, "targetRegions": [{ "name": "West Europe", "regionalReplicaCount": 1 }, { "name": "North Europe" }] },
            "storageProfile": { "osDiskImage": { "source": { "id": "[resourceId('Microsoft.Compute/snapshots', 'snapshot')]" } } } } })
        ),
        resource(
            "Microsoft.Compute/virtualMachineScaleSets",
            "2023-03-01",
            "set",
            &["net"],
            json!({ "sku": { "name": "Standard_D2s_v3", "capacity": 2 }, "properties": {
            "orchestrationMode": "Uniform", "upgradePolicy": { "mode": "Manual" }, "virtualMachineProfile": { "osProfile": machine("computerNamePrefix", "set"),
                "storageProfile": { "imageReference": image, "osDisk": { "createOption": "FromImage" } },
                "networkProfile": { "networkInterfaceConfigurations": [{ "name": "card", "properties": { "primary": true,
                    "ipConfigurations": [{ "name": "one", "properties": { "subnet": subnet } }] } }] } } } })
        ),
        resource(
            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
            "2023-03-01",
            "set/0",
            &["set"],
            json!({ "tags": { "team": "one" } })
        ),
    ]);
    settles(&json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": resources
    }));
}
