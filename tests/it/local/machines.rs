//! Machines of scale sets and virtual machines: what comes with them, and what of a changed model reaches them.

use serde_json::{Value, json};

use super::types::{network, scale_set};
use super::{Local, body, code, full};

pub const SET: &str = "{rg}/Microsoft.Compute/virtualMachineScaleSets/pool";
const MACHINES: &str = "{rg}/Microsoft.Compute/virtualMachines";
const NICS: &str = "{rg}/Microsoft.Network/networkInterfaces";
const DISKS: &str = "{rg}/Microsoft.Compute/disks";

fn list(local: &Local, path: &str) -> Vec<Value> {
    body(&local.get(path))["value"].as_array().cloned().unwrap_or_default()
}

/// What each machine of the set carries.
pub fn carried(local: &Local) -> Vec<Value> {
    let all = local.get("/_local/machines");
    let machines = body(&all)["machines"].as_object().expect("sets").values().next().expect("one set");
    machines.as_array().cloned().expect("a list")
}

/// One value of what each machine carries.
pub fn each(local: &Local, key: &str) -> Vec<Value> {
    carried(local).iter().map(|machine| machine[key].clone()).collect()
}

pub fn made(capacity: i64, mode: &str, upgrade: Value) -> Local {
    made_with(capacity, mode, upgrade, &json!({}))
}

/// A set whose machines have a model with `profile` in it from the start.
pub fn made_with(capacity: i64, mode: &str, upgrade: Value, profile: &Value) -> Local {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    local.post("/_local/clock", r#"{"now": "2026-12-01T08:00:00Z", "freeze": true}"#);
    let mut set = scale_set(capacity);
    set["properties"]["orchestrationMode"] = json!(mode);
    set["properties"]["upgradePolicy"] = upgrade;
    if mode == "Flexible" {
        let properties = set["properties"].as_object_mut().expect("properties");
        properties.remove("overprovision");
        properties.insert("platformFaultDomainCount".into(), json!(1));
        set["properties"]["virtualMachineProfile"]["networkProfile"]["networkApiVersion"] = json!("2022-11-01");
    }
    let disk = &profile["storageProfile"]["osDisk"];
    if !disk.is_null() {
        set["properties"]["virtualMachineProfile"]["storageProfile"]["osDisk"] = disk.clone();
    }
    let extensions = &profile["extensionProfile"]["extensions"];
    let rolling = set["properties"]["upgradePolicy"]["mode"] == "Rolling";
    let model = &mut set["properties"]["virtualMachineProfile"]["extensionProfile"]["extensions"];
    if let Some(more) = extensions.as_array() {
        *model = json!(more);
    } else if rolling {
        model.as_array_mut().expect("a list").push(watcher());
    }
    let reply = local.put(SET, &set.to_string());
    assert_eq!(reply.status, 201, "{reply:?}");
    local
}

/// The extension that reports the health of machines: rolling upgrades need one.
fn watcher() -> Value {
    json!({ "name": "health", "properties": { "publisher": "Microsoft.ManagedServices", "type": "ApplicationHealthLinux",
        "typeHandlerVersion": "2.0", "settings": { "protocol": "tcp", "port": 22 } } })
}

pub fn patch(local: &Local, profile: Value) {
    let reply =
        local.send("PATCH", SET, &json!({ "properties": { "virtualMachineProfile": profile } }).to_string(), &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// New custom data.
pub fn custom_data() -> Value {
    json!({ "osProfile": { "customData": "bmV3" } })
}

pub fn image(sku: &str) -> Value {
    json!({ "storageProfile": { "imageReference": { "publisher": "microsoft-dsvm", "offer": "ubuntu-2204", "sku": sku, "version": "latest" } } })
}

#[test]
fn machines_of_a_flexible_set_are_virtual_machines_with_interfaces_and_disks() {
    let local = made(2, "Flexible", json!({ "mode": "Manual" }));
    let machines = list(&local, MACHINES);
    assert_eq!((machines.len(), list(&local, NICS).len(), list(&local, DISKS).len()), (2, 2, 2));
    let first = carried(&local)[0]["name"].clone();
    let vm = machines.iter().find(|vm| vm["name"] == first).expect("the first machine");
    assert_eq!(vm["properties"]["virtualMachineScaleSet"]["id"], full(SET));
    assert_eq!(vm["properties"]["storageProfile"]["imageReference"]["exactVersion"], "1.0.0");
    let nic = local.get(vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"].as_str().expect("nic"));
    assert_eq!(body(&nic)["properties"]["virtualMachine"]["id"], vm["id"]);
    let address = &body(&nic)["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"];
    assert_eq!((address, &each(&local, "address")[0]), (&json!("10.0.0.4"), &json!("10.0.0.4")));
    let disk = local.get(vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].as_str().expect("disk"));
    assert_eq!((&body(&disk)["managedBy"], &body(&disk)["properties"]["diskState"]), (&vm["id"], &json!("Attached")));
    // the set lists the same machines, with what a set knows of them
    let of_set = list(&local, &format!("{SET}/virtualMachines"));
    assert_eq!(
        (of_set[0]["instanceId"].clone(), of_set[0]["properties"]["latestModelApplied"].clone()),
        (vm["name"].clone(), json!(true))
    );
    let extensions = list(&local, &format!("{}/extensions", vm["id"].as_str().expect("id")));
    assert_eq!(extensions[0]["name"], "e");
    // the machine takes orders by itself
    let id = vm["id"].as_str().expect("id");
    assert_eq!(local.post(&format!("{id}/deallocate"), "").status, 202);
    let view = local.get(&format!("{id}/instanceView"));
    assert_eq!(body(&view)["statuses"][1]["code"], "PowerState/deallocated");
    let summary = local.get(&format!("{SET}/instanceView"));
    let codes: Vec<&Value> =
        body(&summary)["virtualMachine"]["statusesSummary"].as_array().expect("list").iter().collect();
    assert!(codes.contains(&&json!({ "code": "PowerState/deallocated", "count": 1 })), "{codes:?}");
    // and below its set, as `az vmss` with one id sends them
    let below = format!("{SET}/virtualMachines/{}", vm["name"].as_str().expect("name"));
    assert_eq!(local.post(&format!("{below}/start"), "").status, 202);
    let view = local.get(&format!("{below}/instanceView"));
    assert_eq!(body(&view)["statuses"][1]["code"], "PowerState/running");
    // a machine that is deleted takes its place in the capacity, its interface and its disk with it
    assert_eq!(local.delete(id).status, 202);
    assert_eq!(body(&local.get(SET))["sku"]["capacity"], 1);
    assert_eq!((list(&local, MACHINES).len(), list(&local, NICS).len(), list(&local, DISKS).len()), (1, 1, 1));
    // numbers and addresses of new machines
    local.send("PATCH", SET, r#"{"sku":{"capacity":3}}"#, &[]);
    assert_eq!(each(&local, "address"), ["10.0.0.5", "10.0.0.4", "10.0.0.6"]);
    assert_eq!(local.delete(SET).status, 202);
    assert_eq!((list(&local, MACHINES).len(), list(&local, NICS).len(), list(&local, DISKS).len()), (0, 0, 0));
}

#[test]
fn custom_data_reaches_a_machine_with_the_model_and_then_a_reimage() {
    for mode in ["Uniform", "Flexible"] {
        let local = made(2, mode, json!({ "mode": "Manual" }));
        let before = each(&local, "customData");
        patch(&local, custom_data());
        assert_eq!(each(&local, "latestModelApplied"), [false, false], "{mode}");
        let first = carried(&local)[0]["name"].clone();
        let one = json!({ "instanceIds": [first] }).to_string();
        // a reimage alone brings the old data back
        assert_eq!(local.post(&format!("{SET}/reimage"), &one).status, 202);
        assert_eq!(
            (each(&local, "customData"), each(&local, "osDisks")),
            (before.clone(), vec![json!(2), json!(1)]),
            "{mode}"
        );
        // the model alone leaves the disk as it is
        assert_eq!(local.post(&format!("{SET}/manualupgrade"), &one).status, 202);
        assert_eq!(each(&local, "latestModelApplied"), [true, false], "{mode}");
        assert_eq!(
            (each(&local, "customData"), &each(&local, "pending")[0]),
            (before.clone(), &json!(["customData"])),
            "{mode}"
        );
        assert_eq!(local.post(&format!("{SET}/reimage"), &one).status, 202);
        let after = each(&local, "customData");
        assert!(after[0] != before[0] && after[1] == before[1], "{mode}: {after:?}");
        assert_eq!(each(&local, "pending"), [json!([]), json!(["customData"])], "{mode}");
        // a new machine has it at once
        local.send("PATCH", SET, r#"{"sku":{"capacity":3}}"#, &[]);
        assert_eq!(each(&local, "customData")[2], after[0], "{mode}");
        assert!(!body(&local.get("/_local/machines")).to_string().contains("bmV3"), "the data itself is not shown");
    }
}

#[test]
fn each_change_does_to_machines_what_the_service_does() {
    let managed = json!({});
    let ephemeral = json!({ "storageProfile": { "osDisk": { "createOption": "FromImage", "diffDiskSettings": { "option": "Local" } } } });
    let extension = json!({ "extensionProfile": { "extensions": [{ "name": "e", "properties": { "publisher": "p", "type": "t", "typeHandlerVersion": "1.0", "forceUpdateTag": "2" } }] } });
    // change, model before it, OS disks afterwards, restarts afterwards, what still waits
    let cases = [
        (image("2204"), &managed, 2, 0, json!([])),
        (json!({ "securityProfile": { "securityType": "TrustedLaunch" } }), &managed, 2, 0, json!([])),
        (custom_data(), &managed, 1, 0, json!(["customData"])),
        (json!({ "osProfile": { "adminPassword": "An0ther-secret!" } }), &managed, 1, 0, json!(["adminPassword"])),
        (extension, &managed, 1, 0, json!([])),
        (
            json!({ "scheduledEventsProfile": { "terminateNotificationProfile": { "enable": true } } }),
            &managed,
            1,
            0,
            json!([]),
        ),
        (json!("Standard_NC8as_T4_v3"), &managed, 1, 1, json!([])),
        (json!("Standard_NC8as_T4_v3"), &ephemeral, 2, 0, json!([])),
    ];
    for mode in ["Uniform", "Flexible"] {
        for (change, before, disks, restarts, waits) in &cases {
            if mode == "Flexible" && change["securityProfile"]["securityType"] == "TrustedLaunch" {
                continue; // refused: a preview
            }
            let local = made_with(1, mode, json!({ "mode": "Automatic" }), before);
            match change.as_str() {
                Some(size) => drop(local.send("PATCH", SET, &json!({ "sku": { "name": size } }).to_string(), &[])),
                None => patch(&local, change.clone()),
            }
            let machine = &carried(&local)[0];
            assert_eq!(machine["latestModelApplied"], true, "{mode} {change}");
            assert_eq!(
                (&machine["osDisks"], &machine["restarts"], &machine["pending"]),
                (&json!(disks), &json!(restarts), waits),
                "{mode} {change}"
            );
        }
    }
}

#[test]
fn a_rolling_upgrade_takes_batches_and_can_be_cancelled() {
    let policy = json!({ "mode": "Rolling", "rollingUpgradePolicy": { "maxBatchInstancePercent": 40, "pauseTimeBetweenBatches": "PT5M" } });
    for mode in ["Uniform", "Flexible"] {
        let local = made(5, mode, policy.clone());
        assert_eq!(local.get(&format!("{SET}/rollingUpgrades/latest")).status, 404);
        patch(&local, image("2204"));
        let done = |local: &Local| each(local, "osDisks").iter().filter(|count| **count == 2).count();
        assert_eq!(done(&local), 2, "{mode}");
        let latest = local.get(&format!("{SET}/rollingUpgrades/latest"));
        assert_eq!(body(&latest)["properties"]["runningStatus"]["code"], "RollingForward");
        assert_eq!(body(&latest)["properties"]["progress"]["pendingInstanceCount"], 3);
        local.post("/_local/clock", r#"{"advance": "PT5M"}"#);
        assert_eq!((done(&local), each(&local, "latestModelApplied").contains(&json!(false))), (4, true), "{mode}");
        assert_eq!(local.post(&format!("{SET}/rollingUpgrades/cancel"), "").status, 202);
        local.post("/_local/clock", r#"{"advance": "PT1H"}"#);
        assert_eq!(done(&local), 4, "{mode}: cancelled");
        assert_eq!(code(&local.post(&format!("{SET}/rollingUpgrades/cancel"), "")), (409, "OperationNotAllowed"));
        // an empty update goes on with it
        local.send("PATCH", SET, "{}", &[]);
        assert_eq!((done(&local), each(&local, "latestModelApplied").contains(&json!(false))), (5, false), "{mode}");
        let latest = local.get(&format!("{SET}/rollingUpgrades/latest"));
        assert_eq!(body(&latest)["properties"]["runningStatus"]["code"], "Completed");
    }
}

#[test]
fn a_surge_replaces_machines_which_then_have_everything() {
    let policy = json!({ "mode": "Rolling", "rollingUpgradePolicy": { "maxSurge": true } });
    for mode in ["Uniform", "Flexible"] {
        let local = made(3, mode, policy.clone());
        let (names, before) = (each(&local, "name"), each(&local, "customData"));
        patch(&local, custom_data());
        let (now, after) = (each(&local, "name"), each(&local, "customData"));
        assert_eq!(now.len(), 3, "{mode}");
        assert!(
            now.iter().all(|name| !names.contains(name)) && after.iter().all(|data| *data != before[0]),
            "{mode}: {now:?}"
        );
        assert_eq!(body(&local.get(SET))["sku"]["capacity"], 3);
    }
}

#[test]
fn protected_machines_are_passed_over() {
    let local = made(3, "Uniform", json!({ "mode": "Automatic" }));
    let one = format!("{SET}/virtualMachines/2");
    let reply = local.put(&one, r#"{"location":"westeurope","properties":{"protectionPolicy":{"protectFromScaleIn":true,"protectFromScaleSetActions":true}}}"#);
    assert_eq!(reply.status, 200, "{reply:?}");
    patch(&local, image("2204"));
    assert_eq!(each(&local, "latestModelApplied"), [true, true, false]);
    local.send("PATCH", SET, r#"{"sku":{"capacity":1}}"#, &[]);
    assert_eq!(each(&local, "name"), ["2"], "the highest number would have gone first");
}

#[test]
fn the_zone_with_the_most_machines_shrinks_first() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let mut set = scale_set(3);
    set["zones"] = json!(["1", "2"]);
    assert_eq!(local.put(SET, &set.to_string()).status, 201);
    assert_eq!(each(&local, "zone"), ["1", "2", "1"]);
    local.post(&format!("{SET}/delete"), r#"{"instanceIds":["1"]}"#);
    local.send("PATCH", SET, r#"{"sku":{"capacity":3}}"#, &[]);
    assert_eq!(each(&local, "zone"), ["1", "1", "2"]);
    local.send("PATCH", SET, r#"{"sku":{"capacity":2}}"#, &[]);
    assert_eq!(
        (each(&local, "name"), each(&local, "zone")),
        (vec![json!("0"), json!("3")], vec![json!("1"), json!("2")])
    );
}

#[test]
fn a_patch_of_an_extension_keeps_what_it_does_not_mention() {
    let local = made(1, "Uniform", json!({ "mode": "Manual" }));
    let path = format!("{SET}/extensions/e");
    let before = each(&local, "extensions");
    let reply = local.send("PATCH", &path, r#"{"properties":{"forceUpdateTag":"2"}}"#, &[]);
    assert_eq!(reply.status, 201, "as recorded of Azure: {reply:?}");
    let shown = local.get(&path);
    let properties = &body(&shown)["properties"];
    assert_eq!((&properties["publisher"], &properties["forceUpdateTag"]), (&json!("p"), &json!("2")));
    assert_eq!(each(&local, "pending"), [json!(["extensions"])]);
    local.post(&format!("{SET}/manualupgrade"), r#"{"instanceIds":["*"]}"#);
    assert_ne!(each(&local, "extensions"), before);
    assert_eq!(code(&local.post(&format!("{SET}/manualupgrade"), "{}")), (400, "InvalidParameter"));
}

#[test]
fn a_virtual_machine_has_disks_and_interfaces_until_it_goes() {
    let local = Local::group();
    network(&local, "10.0.0.0/24");
    let nic = format!("{NICS}/nic1");
    let config = json!({ "location": "westeurope", "properties": { "ipConfigurations": [{ "name": "ip",
        "properties": { "subnet": { "id": full("{rg}/Microsoft.Network/virtualNetworks/net/subnets/pool") } } }] } });
    let vm = json!({ "location": "westeurope", "properties": {
        "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
        "osProfile": { "computerName": "one", "adminUsername": "dsadmin", "adminPassword": "Sup3r-secret!", "customData": "aGVsbG8=" },
        "storageProfile": { "imageReference": { "publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest" },
            "osDisk": { "createOption": "FromImage", "deleteOption": "Delete" },
            "dataDisks": [{ "lun": 0, "createOption": "Empty", "diskSizeGB": 64 }] },
        "networkProfile": { "networkInterfaces": [{ "id": full(&nic), "properties": { "deleteOption": "Delete" } }] } } });
    let one = format!("{MACHINES}/one");
    assert_eq!(
        code(&local.put(&one, &vm.to_string())),
        (400, "InvalidResourceReference"),
        "the interface is not there"
    );
    assert_eq!(local.put(&nic, &config.to_string()).status, 201);
    assert_eq!(local.put(&one, &vm.to_string()).status, 201);
    let shown = local.get(&format!("{one}?$expand=instanceView"));
    let properties = &body(&shown)["properties"];
    assert_eq!(properties["instanceView"]["statuses"][1]["code"], "PowerState/running");
    assert!(
        !properties.to_string().contains("aGVsbG8=") && !properties.to_string().contains("Sup3r"),
        "secrets are not shown"
    );
    assert_eq!(body(&local.get(&nic))["properties"]["virtualMachine"]["id"], full(&one));
    let disks = list(&local, DISKS);
    assert_eq!(disks.len(), 2);
    let data = disks.iter().find(|disk| disk["properties"]["diskSizeGB"] == 64).expect("the data disk");
    assert_eq!(code(&local.delete(data["id"].as_str().expect("id"))), (409, "OperationNotAllowed"), "it is attached");
    let renamed = json!({ "properties": { "osProfile": { "adminUsername": "other" } } }).to_string();
    assert_eq!(code(&local.send("PATCH", &one, &renamed, &[])), (409, "PropertyChangeNotAllowed"));
    let extension = r#"{"location":"westeurope","properties":{"publisher":"p","type":"t","typeHandlerVersion":"1.0","protectedSettings":{"key":"hidden-key"}}}"#;
    assert_eq!(local.put(&format!("{one}/extensions/e"), extension).status, 201);
    let shown = local.get(&one);
    assert_eq!(body(&shown)["resources"][0]["name"], "e");
    assert!(!body(&shown).to_string().contains("hidden-key"));
    assert_eq!(local.delete(&one).status, 202);
    let left = list(&local, DISKS);
    assert_eq!((left.len(), list(&local, NICS).len()), (1, 0), "the data disk stays, as its deleteOption says");
    assert_eq!((&left[0]["properties"]["diskState"], left[0].get("managedBy")), (&json!("Unattached"), None));
}

#[test]
fn images_and_sizes_can_be_listed() {
    let local = Local::group();
    let place = "/subscriptions/{sub}/providers/Microsoft.Compute/locations/westeurope";
    let names = |path: &str| -> Vec<String> {
        let reply = local.get(path);
        body(&reply)
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|item| item["name"].as_str().map(str::to_owned))
            .collect()
    };
    assert!(names(&format!("{place}/publishers")).contains(&"microsoft-dsvm".to_owned()));
    let offers = format!("{place}/publishers/Canonical/artifacttypes/vmimage/offers");
    assert!(names(&offers).contains(&"ubuntu-24_04-lts".to_owned()));
    let skus = format!("{offers}/ubuntu-24_04-lts/skus");
    assert!(names(&skus).contains(&"server".to_owned()));
    let versions = format!("{skus}/server/versions?$top=1&$orderby=name desc");
    assert_eq!(names(&versions), ["1.0.0"]);
    let image = local.get(&format!("{skus}/server/versions/1.0.0"));
    assert_eq!(body(&image)["properties"]["hyperVGeneration"], "V2");
    assert_eq!(local.get(&format!("{skus}/server/versions/9.9.9")).status, 404);
    let sizes = local.get(&format!("{place}/vmSizes"));
    let sizes = body(&sizes)["value"].as_array().expect("sizes").clone();
    let size = sizes.iter().find(|size| size["name"] == "Standard_NC4as_T4_v3").expect("the size");
    assert_eq!((&size["numberOfCores"], &size["maxDataDiskCount"]), (&json!(4), &json!(8)));
    let skus = local.get("/subscriptions/{sub}/providers/Microsoft.Compute/skus?$filter=location eq 'westeurope'");
    let skus = body(&skus)["value"].as_array().expect("skus").clone();
    let sku = skus.iter().find(|sku| sku["name"] == "Standard_NC4as_T4_v3").expect("the size");
    assert_eq!(sku["locationInfo"][0]["zones"], json!(["1", "2", "3"]));
    assert!(sku["capabilities"].as_array().expect("list").contains(&json!({ "name": "GPUs", "value": "1" })));
}

#[test]
fn a_template_can_ask_for_the_versions_of_a_type() {
    let local = made(1, "Uniform", json!({ "mode": "Manual" }));
    let template = json!({ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "resources": [], "outputs": { "set": { "type": "object",
            "value": "[reference(resourceId('Microsoft.Compute/virtualMachineScaleSets', 'pool'), providers('Microsoft.Compute', 'virtualMachineScaleSets').apiVersions[0])]" } } });
    let deployment = "/subscriptions/{sub}/resourceGroups/rg/providers/Microsoft.Resources/deployments/d";
    let sent = json!({ "properties": { "mode": "Incremental", "template": template } }).to_string();
    assert_eq!(local.put(deployment, &sent).status, 201);
    let done = super::deploy::wait(&local, deployment);
    assert_eq!(done.pointer("/properties/outputs/set/value/orchestrationMode"), Some(&json!("Uniform")), "{done}");
}
