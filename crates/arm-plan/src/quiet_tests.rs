//! What the services add to what was sent, type by type: plans are quiet about it, and see what somebody changed.

use super::*;
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/s/resourceGroups/g";

fn plan(kind: &str, sent: Value, answered: Value) -> Plan {
    let name = vec!["one"; kind.matches('/').count()].join("/");
    let with_id = |rest: Value| {
        let mut body = json!({ "id": resource_id(GROUP, kind, &name) });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    let desired = Desired::from_resources(&[with_id(sent)]);
    diff(&desired, &Observed::of(&[with_id(answered)], vec![]), &DiffOptions::default())
}

fn paths(plan: &Plan) -> Vec<&str> {
    plan.changes.iter().flat_map(|c| &c.attributes).map(|a| a.path.as_str()).collect()
}

/// The answer adds nothing that a plan shows; with `pointer` set to another value it does.
#[track_caller]
fn quiet_but_for(kind: &str, sent: &Value, answered: &Value, pointer: &str, other: Value) {
    let calm = plan(kind, sent.clone(), answered.clone());
    assert_eq!(paths(&calm), Vec::<&str>::new());
    assert_eq!(calm.changes[0].action, Action::NoChange);
    let mut changed = answered.clone();
    *changed.pointer_mut(pointer).unwrap() = other;
    assert!(!paths(&plan(kind, sent.clone(), changed)).is_empty(), "{pointer} goes unseen");
}

#[test]
fn virtual_machines() {
    let disk = |lun: u64| json!({ "lun": lun, "createOption": "Empty", "diskSizeGB": 64 });
    let sent = json!({ "location": "eastus", "properties": {
        "hardwareProfile": { "vmSize": "Standard_D2_v2" },
        "storageProfile": { "imageReference": { "publisher": "P", "offer": "O", "sku": "S", "version": "latest" }, "dataDisks": [disk(0), disk(1)] },
        "osProfile": { "adminUsername": "user", "adminPassword": "not shown", "windowsConfiguration": {} },
        "networkProfile": { "networkInterfaces": [{ "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n" }] }
    } });
    let kept = |lun: u64| {
        json!({ "lun": lun, "name": format!("one_disk{lun}"), "createOption": "Empty", "caching": "None", "diskSizeGB": 64, "toBeDetached": false,
            "managedDisk": { "storageAccountType": "Standard_LRS", "id": format!("{GROUP}/providers/Microsoft.Compute/disks/one_disk{lun}") } })
    };
    let answered = json!({ "location": "eastus", "properties": {
        "vmId": "1", "provisioningState": "Succeeded", "hardwareProfile": { "vmSize": "Standard_D2_v2" },
        "storageProfile": {
            "imageReference": { "publisher": "P", "offer": "O", "sku": "S", "version": "latest", "exactVersion": "1.2.3" },
            "osDisk": { "osType": "Windows", "name": "one_OsDisk", "createOption": "FromImage", "caching": "ReadWrite", "diskSizeGB": 127,
                "managedDisk": { "storageAccountType": "Premium_LRS", "id": format!("{GROUP}/providers/Microsoft.Compute/disks/one_OsDisk") } },
            "dataDisks": [kept(1), kept(0)]
        },
        "osProfile": { "computerName": "one", "adminUsername": "user", "secrets": [], "allowExtensionOperations": true, "requireGuestProvisionSignal": true,
            "windowsConfiguration": { "provisionVMAgent": true, "enableAutomaticUpdates": true, "patchSettings": { "patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault" } } },
        "networkProfile": { "networkInterfaces": [{ "id": "/subscriptions/s/resourceGroups/G/providers/Microsoft.Network/networkInterfaces/n", "properties": { "primary": true } }] }
    } });
    let kind = "Microsoft.Compute/virtualMachines";
    quiet_but_for(kind, &sent, &answered, "/properties/hardwareProfile/vmSize", json!("Standard_D4_v2"));
    quiet_but_for(kind, &sent, &answered, "/properties/osProfile/allowExtensionOperations", json!(false));
    quiet_but_for(kind, &sent, &answered, "/properties/storageProfile/dataDisks/1/diskSizeGB", json!(128));
}

#[test]
fn disks_and_snapshots() {
    let sent = json!({ "location": "eastus", "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 200 } });
    let answered = json!({ "location": "eastus", "sku": { "name": "Standard_LRS", "tier": "Standard" }, "properties": {
        "creationData": { "createOption": "Empty", "sourceUniqueId": "1" }, "diskSizeGB": 200, "diskIOPSReadWrite": 500, "diskMBpsReadWrite": 60,
        "encryption": { "type": "EncryptionAtRestWithPlatformKey" }, "timeCreated": "2020", "diskState": "Unattached", "diskSizeBytes": 1, "uniqueId": "1",
        "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled", "provisioningState": "Succeeded" } });
    for kind in ["Microsoft.Compute/disks", "Microsoft.Compute/snapshots"] {
        quiet_but_for(kind, &sent, &answered, "/sku/name", json!("Premium_LRS"));
        quiet_but_for(kind, &sent, &answered, "/properties/networkAccessPolicy", json!("DenyAll"));
        quiet_but_for(kind, &sent, &answered, "/properties/diskSizeGB", json!(201));
    }
}

#[test]
fn sources_of_snapshots_and_galleries() {
    let disk = format!("{GROUP}/providers/Microsoft.Compute/disks/d");
    let from = |key: &str, id: &str| json!({ "location": "eastus", "properties": { "creationData": { "createOption": "Copy", key: id } } });
    let answered = from("sourceResourceId", &disk.to_lowercase());
    let source = "/properties/creationData/sourceResourceId";
    let other = json!(format!("{disk}2"));
    quiet_but_for("Microsoft.Compute/snapshots", &from("sourceUri", &disk), &answered, source, other.clone());
    quiet_but_for("Microsoft.Compute/snapshots", &from("sourceResourceId", &disk), &answered, source, other);
    let gallery = |more: Value| json!({ "location": "eastus", "properties": more });
    let shown = gallery(json!({ "softDeletePolicy": { "isSoftDeleteEnabled": false } }));
    let on = "/properties/softDeletePolicy/isSoftDeleteEnabled";
    quiet_but_for("Microsoft.Compute/galleries", &gallery(json!({})), &shown, on, json!(true));
}

#[test]
fn images_of_galleries() {
    let sent = json!({ "location": "eastus", "properties": { "osType": "Windows", "osState": "Generalized" } });
    let answered = json!({ "location": "eastus", "properties": { "osType": "Windows", "osState": "Generalized", "hyperVGeneration": "V1", "provisioningState": "Succeeded" } });
    quiet_but_for("Microsoft.Compute/galleries/images", &sent, &answered, "/properties/hyperVGeneration", json!("V2"));
    let profile = |more: Value| {
        let mut body = json!({ "targetRegions": [{ "name": "eastus" }] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "location": "eastus", "properties": { "publishingProfile": body } })
    };
    let mut shown = profile(
        json!({ "publishedDate": "2020", "excludeFromLatest": false, "replicaCount": 1, "storageAccountType": "Standard_LRS" }),
    );
    shown["properties"]["publishingProfile"]["targetRegions"] =
        json!([{ "name": "eastus", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS" }]);
    let kind = "Microsoft.Compute/galleries/images/versions";
    quiet_but_for(kind, &profile(json!({})), &shown, "/properties/publishingProfile/replicaCount", json!(3));
    let regions = "/properties/publishingProfile/targetRegions/0/regionalReplicaCount";
    quiet_but_for(kind, &profile(json!({})), &shown, regions, json!(2));
}

#[test]
fn private_endpoints_by_hand() {
    let link = |more: Value| {
        let mut inner = json!({ "privateLinkServiceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/b", "groupIds": ["batchAccount"] });
        inner.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "location": "eastus", "properties": { "manualPrivateLinkServiceConnections": [{ "name": "c", "properties": inner }] } })
    };
    let answered = link(
        json!({ "provisioningState": "Succeeded", "privateLinkServiceConnectionState": { "status": "Pending", "description": "d", "actionsRequired": "a" } }),
    );
    let groups = "/properties/manualPrivateLinkServiceConnections/0/properties/groupIds/0";
    quiet_but_for("Microsoft.Network/privateEndpoints", &link(json!({})), &answered, groups, json!("other"));
}

#[test]
fn diagnostic_settings() {
    let entry = |category: &str, on: bool| json!({ "category": category, "enabled": on, "retentionPolicy": { "enabled": false, "days": 0 } });
    let sent =
        json!({ "properties": { "metrics": [], "logs": [{ "category": "A", "enabled": true }, entry("C", false)] } });
    let answered = json!({ "properties": { "metrics": [entry("AllMetrics", false)], "logs": [entry("B", false), entry("A", true)] } });
    let kind = "Microsoft.Insights/diagnosticSettings";
    quiet_but_for(kind, &sent, &answered, "/properties/metrics/0/enabled", json!(true));
    quiet_but_for(kind, &sent, &answered, "/properties/logs/1/enabled", json!(false));
    // Without a list of its own every category is off.
    let mut bare = sent;
    bare["properties"].as_object_mut().unwrap().shift_remove("metrics");
    quiet_but_for(kind, &bare, &answered, "/properties/metrics/0/enabled", json!(true));
}

#[test]
fn network_cards_and_what_they_refer_to() {
    let subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/a";
    let card = |subnet: Value, more: Value| {
        let mut inner = json!({ "subnet": subnet });
        inner.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "location": "eastus", "properties": { "ipConfigurations": [{ "name": "c", "properties": inner }] } })
    };
    let sent = card(json!({ "id": subnet, "name": "a", "properties": { "addressPrefix": "10.0.0.0/24" } }), json!({}));
    let answered = card(
        json!({ "id": subnet }),
        json!({ "privateIPAddress": "10.0.0.4", "privateIPAllocationMethod": "Dynamic", "primary": true }),
    );
    let id = "/properties/ipConfigurations/0/properties/subnet/id";
    quiet_but_for("Microsoft.Network/networkInterfaces", &sent, &answered, id, json!(format!("{subnet}b")));
}

#[test]
fn scale_sets_without_a_disk() {
    let set = |disk: Value| json!({ "location": "eastus", "sku": { "name": "Standard_A1", "capacity": 1 }, "properties": { "virtualMachineProfile": { "storageProfile": disk } } });
    let sent = set(json!({ "imageReference": { "publisher": "P", "offer": "O", "sku": "S", "version": "latest" } }));
    let answered = set(json!({ "imageReference": { "publisher": "P", "offer": "O", "sku": "S", "version": "latest" },
        "osDisk": { "createOption": "FromImage", "caching": "None", "managedDisk": { "storageAccountType": "Standard_LRS" }, "diskSizeGB": 30 } }));
    let kind = "Microsoft.Compute/virtualMachineScaleSets";
    let sku = "/properties/virtualMachineProfile/storageProfile/imageReference/sku";
    quiet_but_for(kind, &sent, &answered, sku, json!("T"));
}

#[test]
fn what_is_busy_has_not_failed() {
    let pool = |state: &str, size: &str| json!({ "location": "eastus", "sku": { "name": size, "capacity": 3 }, "properties": { "provisioningState": state } });
    let kind = "Microsoft.Compute/virtualMachineScaleSets";
    for state in ["Updating", "Creating", "Accepted", "updating", "Migrating"] {
        let calm = plan(kind, pool("", "S"), pool(state, "S"));
        assert_eq!(calm.changes[0].action, Action::NoChange, "{state}");
        assert_eq!(calm.warnings.iter().map(|w| w.kind).collect::<Vec<_>>(), [WarningKind::Busy]);
        assert!(calm.warnings[0].text.starts_with("is being changed right now"), "{}", calm.warnings[0].text);
    }
    let going = plan(kind, pool("", "S"), pool("Deleting", "S"));
    assert!(going.warnings[0].text.starts_with("is being deleted"), "{}", going.warnings[0].text);
    // A difference is a difference all the same.
    let differs = plan(kind, pool("", "T"), pool("Updating", "S"));
    assert_eq!((differs.changes[0].action, differs.warnings.len()), (Action::Update, 1));
    for state in ["Failed", "Canceled"] {
        let again = plan(kind, pool("", "S"), pool(state, "S"));
        assert_eq!(again.changes[0].action, Action::Update, "{state}");
        assert!(again.warnings.is_empty());
    }
    assert!(plan(kind, pool("", "S"), pool("Succeeded", "S")).warnings.is_empty());
}
