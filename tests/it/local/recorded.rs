//! Answers that tests of Azure's SDKs recorded: disks, images, first answers of networks, peerings, vaults, extensions.

use serde_json::{Value, json};

use super::{Local, body, code, full};

const DISK: &str = "{rg}/Microsoft.Compute/disks/data";

fn disk(local: &Local, path: &str, properties: &Value) -> super::Reply {
    local.put(path, &json!({ "location": "westeurope", "properties": properties }).to_string())
}

#[test]
fn a_disk_is_accepted_and_complete_when_its_operation_ends() {
    let local = Local::group();
    let first = disk(&local, DISK, &json!({ "creationData": { "createOption": "Empty" }, "diskSizeGB": 200 }));
    let early = body(&first);
    assert_eq!((first.status, &early["properties"]["provisioningState"]), (202, &json!("Updating")));
    assert_eq!((early.get("id"), early["properties"].get("diskState")), (None, None));
    let now = local.get(DISK);
    let now = body(&now);
    assert_eq!(now["sku"], json!({ "name": "Standard_LRS", "tier": "Standard" }));
    let properties = &now["properties"];
    assert_eq!((&properties["diskIOPSReadWrite"], &properties["diskMBpsReadWrite"]), (&json!(500), &json!(60)));
    assert_eq!(
        (&properties["diskSizeBytes"], &properties["diskState"]),
        (&json!(214_748_364_800_u64), &json!("Unattached"))
    );

    let sent = r#"{"access":"Read","durationInSeconds":1800}"#;
    assert_eq!(code(&local.post(&format!("{DISK}/beginGetAccess"), "{}")), (400, "InvalidParameter"));
    assert_eq!(local.post(&format!("{DISK}/beginGetAccess"), sent).status, 202);
    assert_eq!(body(&local.get(DISK))["properties"]["diskState"], "ActiveSAS");
    assert_eq!(local.post(&format!("{DISK}/endGetAccess"), "").status, 202);
    assert_eq!(body(&local.get(DISK))["properties"]["diskState"], "Unattached");

    let copy = json!({ "creationData": { "createOption": "Copy", "sourceUri": full(DISK) } });
    let snapshot = "{rg}/Microsoft.Compute/snapshots/before";
    assert_eq!(disk(&local, snapshot, &copy).status, 202);
    let copied = local.get(snapshot);
    let copied = &body(&copied)["properties"];
    assert_eq!((&copied["creationData"]["sourceResourceId"], &copied["diskSizeGB"]), (&json!(full(DISK)), &json!(200)));

    let image = json!({ "hyperVGeneration": "V2", "storageProfile": { "osDisk": { "osType": "Linux", "osState": "Generalized",
        "snapshot": { "id": full(snapshot) } } } });
    let path = "{rg}/Microsoft.Compute/images/golden";
    assert_eq!(disk(&local, path, &image).status, 201);
    assert_eq!(body(&local.get(path))["properties"]["storageProfile"]["osDisk"]["diskSizeGB"], 200);
    assert_eq!(local.delete(snapshot).status, 202);
}

#[test]
fn parts_of_a_new_network_are_under_way() {
    let local = Local::group();
    let net = |space: &str, peer: Option<&str>| {
        let peerings: Vec<Value> = peer
            .map(|peer| json!({ "name": "to", "properties": { "remoteVirtualNetwork": { "id": full(peer) } } }))
            .into_iter()
            .collect();
        json!({ "location": "westeurope", "properties": { "addressSpace": { "addressPrefixes": [format!("{space}.0.0/16")] },
            "subnets": [{ "name": "s", "properties": { "addressPrefix": format!("{space}.1.0/24") } }],
            "virtualNetworkPeerings": peerings } })
        .to_string()
    };
    let (a, b) = ("{rg}/Microsoft.Network/virtualNetworks/a", "{rg}/Microsoft.Network/virtualNetworks/b");
    let state = "/properties/subnets/0/properties/provisioningState";
    let first = local.put(a, &net("10.1", None));
    assert_eq!(body(&first).pointer(state), Some(&json!("Updating")));
    assert_eq!(body(&local.get(a)).pointer(state), Some(&json!("Succeeded")));
    let tags = local.send("PATCH", a, r#"{"tags":{"team":"lab"}}"#, &[]);
    assert_eq!((tags.status, &body(&tags)["properties"]["provisioningState"]), (200, &json!("Succeeded")));

    let peering = "/properties/virtualNetworkPeerings/0/properties/peeringState";
    local.put(b, &net("10.2", Some(a)));
    assert_eq!(body(&local.get(b)).pointer(peering), Some(&json!("Initiated")));
    local.put(a, &net("10.1", Some(b)));
    for one in [a, b] {
        assert_eq!(body(&local.get(one)).pointer(peering), Some(&json!("Connected")), "{one}");
    }

    let free = |address: &str| {
        let reply = local.get(&format!("{a}/CheckIPAddressAvailability?ipAddress={address}"));
        (body(&reply)["available"].clone(), body(&reply)["isPlatformReserved"].clone())
    };
    assert_eq!(free("10.1.1.4"), (json!(true), json!(false)));
    assert_eq!(free("10.1.1.1"), (json!(false), json!(true)));
    assert_eq!(free("10.9.9.9"), (json!(false), json!(false)));
    assert_eq!(body(&local.get(&format!("{a}/usages")))["value"][0]["limit"], 251);

    let group = "{rg}/Microsoft.Network/networkSecurityGroups/g";
    let first = local.put(group, r#"{"location":"westeurope"}"#);
    let rule = &body(&first)["properties"]["defaultSecurityRules"][2];
    assert_eq!(rule["properties"]["provisioningState"], "Updating");
    assert_eq!(rule["properties"]["description"], "Deny all inbound traffic");
}

#[test]
fn access_policies_are_added_to_those_of_the_vault() {
    let local = Local::group();
    let vault = "{rg}/Microsoft.KeyVault/vaults/lab-kv";
    let policy = |who: u32, words: &[&str]| json!({ "tenantId": arm_local::TENANT, "objectId": format!("00000000-0000-4000-8000-{who:012}"), "permissions": { "secrets": words } });
    let text = json!({ "location": "westeurope", "properties": { "tenantId": arm_local::TENANT, "sku": { "family": "A", "name": "standard" },
        "accessPolicies": [policy(1, &["get"])] } });
    assert_eq!(local.put(vault, &text.to_string()).status, 200);
    let change = |word: &str, policies: Value| {
        let sent = json!({ "properties": { "accessPolicies": policies } }).to_string();
        let reply = local.put(&format!("{vault}/accessPolicies/{word}"), &sent);
        assert!(reply.status == 200 || word == "turn", "{reply:?}");
        body(&local.get(vault))["properties"]["accessPolicies"].clone()
    };
    let after = change("add", json!([policy(1, &["list", "GET"]), policy(2, &["get"])]));
    assert_eq!(after, json!([policy(1, &["get", "list"]), policy(2, &["get"])]));
    assert_eq!(change("remove", json!([policy(1, &["get"])])), json!([policy(2, &["get"])]));
    assert_eq!(change("replace", json!([])), json!([]));
    assert_eq!(change("turn", json!([])), json!([]), "not a word that is known");
}

#[test]
fn a_gallery_knows_what_its_versions_are_made_from() {
    let local = Local::group();
    disk(&local, DISK, &json!({ "creationData": { "createOption": "Empty" }, "diskSizeGB": 64 }));
    let gallery = "{rg}/Microsoft.Compute/galleries/lab";
    let first = disk(&local, gallery, &json!({}));
    assert_eq!((first.status, &body(&first)["properties"]["provisioningState"]), (201, &json!("Creating")));
    let image = format!("{gallery}/images/ds");
    let identifier = json!({ "publisher": "p", "offer": "o", "sku": "s" });
    disk(&local, &image, &json!({ "osType": "Linux", "osState": "Generalized", "identifier": identifier }));
    let version = format!("{image}/versions/1.0.0");
    let source = json!({ "osDiskImage": { "source": { "id": full(DISK) } } });
    let first = disk(&local, &version, &json!({ "storageProfile": source }));
    assert_eq!(body(&first)["properties"]["storageProfile"]["osDiskImage"].get("sizeInGB"), None);
    let now = local.get(&version);
    assert_eq!(body(&now)["properties"]["storageProfile"]["osDiskImage"]["sizeInGB"], 64);
    assert_eq!(body(&now)["properties"]["publishingProfile"]["replicaCount"], 1);
    assert_eq!(local.delete(&version).status, 202);
}
