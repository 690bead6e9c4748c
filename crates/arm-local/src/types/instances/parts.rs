//! What a virtual machine brings along: its OS disk and data disks as resources, network interfaces that point back at it.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::id::Path;
use crate::types::instances::{images, runs};
use crate::types::{disk, network, profile};
use crate::value::{set, set_default};

const DISK: &str = "Microsoft.Compute/disks";
const INTERFACE: &str = "Microsoft.Network/networkInterfaces";
const EXTENSION: &str = "Microsoft.Compute/virtualMachines/extensions";

/// Whether a row came with a scale set: no template mentions it, and none is asked to.
#[must_use]
pub fn came_with_set(row: &Row) -> bool {
    row.hidden.get("set").is_some() || row.at("/properties/virtualMachineScaleSet").is_some()
}

fn put(cx: &mut Cx<'_>, id: &str, kind: &str, body: Value, set_id: Option<&str>) {
    let mut full = json!({ "id": id, "name": Path::of(id).name(), "type": kind });
    if let (Some(full), Value::Object(body)) = (full.as_object_mut(), body) {
        full.extend(body);
    }
    let now = cx.now_ms();
    let row = Row {
        id: id.to_owned(),
        kind: kind.to_owned(),
        name: Path::of(id).name().to_owned(),
        body: full,
        etag: cx.unique(),
        created: now,
        changed: now,
        settles: 0,
        settling: String::new(),
        hidden: set_id.map_or(Value::Null, |set_id| json!({ "set": set_id })),
    };
    cx.store.put_row(row);
}

/// Makes a machine's network interface, `config` as in a scale set's model, with an address of its subnet.
pub fn make_interface(cx: &mut Cx<'_>, vm: &Row, id: &str, config: &Value, address: Option<&str>, set_id: &str) {
    let mut properties = config.get("properties").cloned().unwrap_or_else(|| json!({}));
    if let Some(map) = properties.as_object_mut() {
        map.shift_remove("deleteOption");
    }
    let ips = properties.pointer_mut("/ipConfigurations").and_then(Value::as_array_mut);
    for (at, ip) in ips.into_iter().flatten().enumerate() {
        if let Some(map) = ip.get_mut("properties").and_then(Value::as_object_mut) {
            map.shift_remove("publicIPAddressConfiguration");
            if let (0, Some(address)) = (at, address) {
                map.insert("privateIPAddress".into(), json!(address));
            }
        }
    }
    set(&mut properties, "/virtualMachine", json!({ "id": vm.id }));
    let body = json!({ "location": vm.text("/location"), "properties": properties });
    let body = network::made_interface(cx, &Path::of(id), body);
    put(cx, id, INTERFACE, body, Some(set_id));
}

/// Makes or updates the disks that a machine's storage profile names, and marks them as attached. Takes disks that it no
/// longer names off.
pub fn attach_disks(cx: &mut Cx<'_>, vm: &Row, old: Option<&Row>, set_id: Option<&str>) {
    for entry in disks(vm) {
        let Some(id) = entry.pointer("/managedDisk/id").and_then(Value::as_str) else { continue };
        if let Some(row) = cx.store.row(id) {
            let mut row = row.as_ref().clone();
            set(&mut row.body, "/managedBy", json!(vm.id));
            set(&mut row.body, "/properties/diskState", json!("Attached"));
            if let Some(size) = entry.get("diskSizeGB").filter(|size| !size.is_null()) {
                set(&mut row.body, "/properties/diskSizeGB", size.clone());
            }
            disk::fill(&mut row.body);
            cx.store.put_row(row);
            continue;
        }
        let os = entry.get("lun").is_none();
        let mut body = json!({
            "location": vm.text("/location"), "managedBy": vm.id,
            "sku": { "name": entry.pointer("/managedDisk/storageAccountType") },
            "properties": {
                "creationData": { "createOption": entry.get("createOption") }, "diskSizeGB": entry.get("diskSizeGB"),
                "diskState": "Attached", "provisioningState": "Succeeded", "timeCreated": cx.now.to_string(),
                "uniqueId": cx.unique(),
            },
        });
        if os {
            set(&mut body, "/properties/osType", entry.get("osType").cloned().unwrap_or_default());
        }
        if let Some(zones) = vm.at("/zones") {
            set(&mut body, "/zones", zones.clone());
        }
        disk::fill(&mut body);
        let id = id.to_owned();
        put(cx, &id, DISK, body, set_id);
    }
    let now: Vec<String> = ids(vm).map(str::to_lowercase).collect();
    for disk in old.map(disks).into_iter().flatten() {
        let id = disk.pointer("/managedDisk/id").and_then(Value::as_str).unwrap_or_default();
        if !id.is_empty() && !now.contains(&id.to_lowercase()) {
            release(cx, id, &disk);
        }
    }
}

fn disks(vm: &Row) -> Vec<Value> {
    let data = vm.at("/properties/storageProfile/dataDisks").and_then(Value::as_array).into_iter().flatten();
    vm.at("/properties/storageProfile/osDisk").into_iter().chain(data).cloned().collect()
}

fn ids(vm: &Row) -> impl Iterator<Item = &str> {
    let data = vm.at("/properties/storageProfile/dataDisks").and_then(Value::as_array).into_iter().flatten();
    let all = vm.at("/properties/storageProfile/osDisk").into_iter().chain(data);
    all.filter_map(|disk| disk.pointer("/managedDisk/id")?.as_str())
}

/// A disk leaves its machine: it goes where its `deleteOption` says so, else it is free.
fn release(cx: &mut Cx<'_>, id: &str, entry: &Value) {
    if entry.get("deleteOption").and_then(Value::as_str).is_some_and(|option| option.eq_ignore_ascii_case("Delete")) {
        cx.store.remove_row(id);
    } else if let Some(row) = cx.store.row(id) {
        let mut row = row.as_ref().clone();
        if let Some(map) = row.body.as_object_mut() {
            map.shift_remove("managedBy");
        }
        set(&mut row.body, "/properties/diskState", json!("Unattached"));
        cx.store.put_row(row);
    }
}

/// The interfaces that a machine names point back at it; those that it named before no longer do.
pub fn attach_interfaces(cx: &mut Cx<'_>, vm: &Row, old: Option<&Row>) {
    let now = interfaces(vm);
    for entry in old.map(interfaces).into_iter().flatten() {
        if !now.iter().any(|have| have.get("id") == entry.get("id")) {
            free_interface(cx, &entry, false);
        }
    }
    for entry in &now {
        let Some(row) = entry.get("id").and_then(Value::as_str).and_then(|id| cx.store.row(id)) else { continue };
        let mut row = row.as_ref().clone();
        set(&mut row.body, "/properties/virtualMachine", json!({ "id": vm.id }));
        // it gets a hardware address with its first machine
        let mac = hardware_address(&row.id);
        set_default(&mut row.body, "/properties/macAddress", json!(mac));
        set_default(&mut row.body, "/properties/primary", json!(now.len() == 1));
        cx.store.put_row(row);
    }
}

/// An address of the range that Azure's machines have (00-0D-3A), the same for the same interface.
fn hardware_address(id: &str) -> String {
    let word = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, id.to_lowercase().as_bytes());
    let [a, b, c, ..] = *word.as_bytes();
    format!("00-0D-3A-{a:02X}-{b:02X}-{c:02X}")
}

fn interfaces(vm: &Row) -> Vec<Value> {
    vm.at("/properties/networkProfile/networkInterfaces").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn deletes(entry: &Value, pointer: &str) -> bool {
    entry.pointer(pointer).and_then(Value::as_str).is_some_and(|option| option.eq_ignore_ascii_case("Delete"))
}

fn free_interface(cx: &mut Cx<'_>, entry: &Value, remove: bool) {
    let Some(id) = entry.get("id").and_then(Value::as_str) else { return };
    let Some(row) = cx.store.row(id) else { return };
    if remove {
        for ip in row.at("/properties/ipConfigurations").and_then(Value::as_array).into_iter().flatten() {
            let public = ip.pointer("/properties/publicIPAddress");
            if let Some(public) = public.filter(|public| deletes(public, "/properties/deleteOption"))
                && let Some(id) = public.get("id").and_then(Value::as_str)
            {
                cx.store.remove_row(id);
            }
        }
        cx.store.remove_row(id);
        return;
    }
    let mut row = row.as_ref().clone();
    if let Some(map) = row.body.get_mut("properties").and_then(Value::as_object_mut) {
        map.shift_remove("virtualMachine");
    }
    cx.store.put_row(row);
}

/// What a deleted machine leaves: disks and interfaces go or stay as their `deleteOption` says.
pub fn release_all(cx: &mut Cx<'_>, vm: &Row) {
    for disk in disks(vm) {
        if let Some(id) = disk.pointer("/managedDisk/id").and_then(Value::as_str) {
            release(cx, id, &disk);
        }
    }
    for entry in interfaces(vm) {
        let remove = deletes(&entry, "/properties/deleteOption");
        free_interface(cx, &entry, remove);
    }
}

/// Gives a machine of a flexible set the extensions of its model, in place of those that it had from the set.
pub fn make_extensions(cx: &mut Cx<'_>, vm: &Row, list: &[Value], set_id: &str) {
    for row in cx.store.below(&vm.id) {
        if row.hidden.get("set").is_some() {
            cx.store.remove_row(&row.id);
        }
    }
    for extension in list {
        let name = extension.get("name").and_then(Value::as_str).unwrap_or_default();
        let mut body = json!({ "location": vm.text("/location"), "properties": extension.get("properties") });
        set(&mut body, "/properties/provisioningState", json!("Succeeded"));
        put(cx, &format!("{}/extensions/{name}", vm.id), EXTENSION, body, Some(set_id));
    }
}

/// Marks the extensions of a machine as what came of them.
pub fn show_runs(cx: &mut Cx<'_>, vm: &Row) {
    for row in cx.store.below(&vm.id).into_iter().filter(|row| row.kind == EXTENSION) {
        let Some(status) = runs::status(vm, &row.name) else { continue };
        let state = if status.get("message").is_some() { "Failed" } else { "Succeeded" };
        let mut row = row.as_ref().clone();
        set(&mut row.body, "/properties/provisioningState", json!(state));
        cx.store.put_row(row);
    }
}

/// `convertToManagedDisks`: disks in storage accounts become resources.
///
/// # Errors
/// `OperationNotAllowed` when they are already.
pub fn convert_disks(cx: &mut Cx<'_>, vm: &Row) -> Result<(), ArmError> {
    if disks(vm).iter().all(|disk| disk.get("vhd").is_none_or(Value::is_null)) {
        let message = format!("VM '{}' is already using managed disks.", vm.name);
        return Err(ArmError::conflict("OperationNotAllowed", message));
    }
    let mut new = vm.clone();
    let scope = Path::of(&vm.id).scope;
    let kind = profile::disk_type(vm.text("/properties/hardwareProfile/vmSize").unwrap_or_default());
    let convert = |disk: &mut Value| {
        if let Some(map) = disk.as_object_mut() {
            map.shift_remove("vhd");
        }
        managed(disk, &scope, kind);
    };
    if let Some(disk) = new.body.pointer_mut("/properties/storageProfile/osDisk") {
        convert(disk);
    }
    let data = new.body.pointer_mut("/properties/storageProfile/dataDisks").and_then(Value::as_array_mut);
    data.into_iter().flatten().for_each(convert);
    let new = cx.store.put_row(new);
    attach_disks(cx, &new, None, None);
    Ok(())
}

/// Whether a machine or a model with this profile runs Windows: it says so, or its image or its disk is known.
#[must_use]
pub fn is_windows(profile: &Value) -> bool {
    let says = |pointer: &str| profile.pointer(pointer).is_some_and(|value| !value.is_null());
    if says("/osProfile/windowsConfiguration") || says("/osProfile/linuxConfiguration") {
        return says("/osProfile/windowsConfiguration");
    }
    match profile.pointer("/storageProfile/osDisk/osType").and_then(Value::as_str) {
        Some(system) => system.eq_ignore_ascii_case("Windows"),
        None => profile.pointer("/storageProfile/imageReference").is_some_and(images::is_windows),
    }
}

/// Writes type and size of existing disks that a machine attaches into its storage profile.
pub fn describe_disks(cx: &Cx<'_>, properties: &mut Value) {
    let describe = |entry: &mut Value| {
        let Some(row) = entry.pointer("/managedDisk/id").and_then(Value::as_str).and_then(|id| cx.store.row(id)) else {
            return;
        };
        if let Some(sku) = row.at("/sku/name") {
            set_default(entry, "/managedDisk/storageAccountType", sku.clone());
        }
        if let Some(size) = row.at("/properties/diskSizeGB").filter(|size| !size.is_null()) {
            set_default(entry, "/diskSizeGB", size.clone());
        }
    };
    if let Some(disk) = properties.pointer_mut("/storageProfile/osDisk") {
        describe(disk);
    }
    let data = properties.pointer_mut("/storageProfile/dataDisks").and_then(Value::as_array_mut);
    data.into_iter().flatten().for_each(describe);
}

/// Fills in the storage profile of a virtual machine: names, ids, types and sizes of its disks. `disk_name` is the name
/// that the OS disk gets when it has none.
pub fn fill_storage(properties: &mut Value, scope: &str, vm_name: &str, disk_name: &str, option: &str) {
    let reference = properties.pointer("/storageProfile/imageReference").cloned();
    let windows = is_windows(properties);
    if let Some(reference) = reference.filter(|reference| reference.get("exactVersion").is_none()) {
        set(properties, "/storageProfile/imageReference", images::with_exact_version(&reference));
    }
    let size = properties.pointer("/hardwareProfile/vmSize").and_then(Value::as_str).unwrap_or_default();
    let kind = profile::disk_type(size);
    let disk = "/storageProfile/osDisk";
    let system = if windows { "Windows" } else { "Linux" };
    set_default(properties, &format!("{disk}/osType"), json!(system));
    set_default(properties, &format!("{disk}/name"), json!(disk_name));
    set_default(properties, &format!("{disk}/createOption"), json!("FromImage"));
    set_default(properties, &format!("{disk}/caching"), json!("ReadWrite"));
    set_default(properties, &format!("{disk}/deleteOption"), json!(option));
    set_default(properties, &format!("{disk}/diskSizeGB"), json!(if windows { 127 } else { 30 }));
    if let Some(entry) = properties.pointer_mut(disk) {
        managed(entry, scope, kind);
    }
    set_default(properties, "/storageProfile/dataDisks", json!([]));
    let data = properties.pointer_mut("/storageProfile/dataDisks").and_then(Value::as_array_mut);
    for (at, entry) in data.into_iter().flatten().enumerate() {
        let name = format!("{vm_name}_disk{}_{}", at + 2, disk_name.rsplit('_').next().unwrap_or_default());
        if let Some(attached) = entry.pointer("/managedDisk/id").and_then(Value::as_str) {
            let name = Path::of(attached).name().to_owned();
            set_default(entry, "/name", json!(name));
        }
        set_default(entry, "/name", json!(name));
        set_default(entry, "/createOption", json!("Empty"));
        set_default(entry, "/caching", json!("None"));
        set_default(entry, "/deleteOption", json!(option));
        set_default(entry, "/toBeDetached", json!(false));
        managed(entry, scope, kind);
    }
}

fn managed(entry: &mut Value, scope: &str, kind: &str) {
    if entry.get("vhd").is_some_and(|vhd| !vhd.is_null()) {
        return;
    }
    set_default(entry, "/managedDisk/storageAccountType", json!(kind));
    let name = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    set_default(entry, "/managedDisk/id", json!(format!("{scope}/providers/{DISK}/{name}")));
}
