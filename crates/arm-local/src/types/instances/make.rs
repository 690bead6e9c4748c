//! Machines of scale sets: how they come into being, get another model or a new OS disk, and go.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::id::Path;
use crate::limits;
use crate::types::addresses;
use crate::types::instances::model::{self, Effect};
use crate::types::instances::view::{KIND, MACHINE, flexible, number, set_of};
use crate::types::instances::{health, list, parts, runs};
use crate::value::set;

fn computer_name(prefix: &str, n: i64) -> String {
    let mut rest = n;
    let mut digits = Vec::new();
    for _ in 0..6 {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase());
        rest /= 36;
    }
    digits.reverse();
    format!("{prefix}{}", digits.into_iter().collect::<String>())
}

/// A word that is the same whenever the same machine is made.
fn word(set_row: &Row, n: i64, what: &str) -> String {
    let text = format!("{}|{n}|{what}", set_row.id);
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string()
}

/// Makes the n-th machine of a set from its present model.
pub fn make(cx: &mut Cx<'_>, set_row: &Row, n: i64, address: Option<String>) {
    let suffix = word(set_row, n, &set_row.created.to_string());
    let suffix = suffix.get(..8).unwrap_or_default();
    let (id, kind, name, shown) = if flexible(set_row) {
        let scope = Path::of(&set_row.id).scope;
        let name = format!("{}_{suffix}", set_row.name);
        (format!("{scope}/providers/{MACHINE}/{name}"), MACHINE, name.clone(), name)
    } else {
        // the store's name is the path's last segment
        (format!("{}/virtualMachines/{n}", set_row.id), KIND, n.to_string(), format!("{}_{n}", set_row.name))
    };
    let now = cx.now_ms();
    let mut vm = Row {
        body: json!({ "name": shown, "id": id, "type": kind }),
        id,
        kind: kind.to_owned(),
        name,
        etag: cx.unique(),
        created: now,
        changed: now,
        settles: 0,
        settling: String::new(),
        hidden: json!({ "number": n, "power": "running", "address": address, "suffix": suffix }),
    };
    if set_row.at("/properties/priorityMixPolicy").is_some() {
        let others = list::of(cx, set_row);
        let regular = others.iter().filter(|other| other.hidden.get("regular") == Some(&json!(true))).count();
        let wanted = limits::regular(&set_row.body, i64::try_from(others.len()).unwrap_or(i64::MAX).saturating_add(1));
        set(&mut vm.hidden, "/regular", json!(i64::try_from(regular).unwrap_or(i64::MAX) < wanted));
    }
    give_model(cx, set_row, &mut vm, true);
    set(&mut vm.body, "/properties/timeCreated", json!(cx.now.to_string()));
    runs::run(set_row, &mut vm, true, &cx.now.to_string());
    health::changed(set_row, &mut vm, true);
    if !flexible(set_row) {
        let instance = vm.name.clone();
        set(&mut vm.body, "/instanceId", json!(instance));
        cx.store.put_row(vm);
        return;
    }
    set(&mut vm.hidden, "/set", json!(set_row.id));
    let vm = cx.store.put_row(vm);
    make_interfaces(cx, set_row, &vm);
    parts::attach_disks(cx, &vm, None, Some(&set_row.id));
    parts::make_extensions(cx, &vm, &extensions(set_row), &set_row.id);
    parts::show_runs(cx, &vm);
}

fn entries(set_row: &Row, pointer: &str) -> Vec<Value> {
    let list = set_row.at(&format!("/properties/virtualMachineProfile/{pointer}")).and_then(Value::as_array);
    list.cloned().unwrap_or_default()
}

fn extensions(set_row: &Row) -> Vec<Value> {
    entries(set_row, "extensionProfile/extensions")
}

fn make_interfaces(cx: &mut Cx<'_>, set_row: &Row, vm: &Row) {
    let configs = entries(set_row, "networkProfile/networkInterfaceConfigurations");
    let address = vm.hidden.get("address").and_then(Value::as_str);
    let entries = vm.at("/properties/networkProfile/networkInterfaces").and_then(Value::as_array);
    for (at, (config, entry)) in configs.iter().zip(entries.into_iter().flatten()).enumerate() {
        if let Some(id) = entry.get("id").and_then(Value::as_str) {
            parts::make_interface(cx, vm, id, config, address.filter(|_| at == 0), &set_row.id);
        }
    }
}

/// Writes the model of a set into the body of a machine; `disk` also recreates its OS disk.
fn give_model(cx: &Cx<'_>, set_row: &Row, vm: &mut Row, disk: bool) {
    let n = number(vm);
    let id = model::current(set_row).to_owned();
    set(&mut vm.hidden, "/model", json!(id));
    if disk {
        set(&mut vm.hidden, "/disk", json!(id));
    }
    let profile = set_row.at("/properties/virtualMachineProfile").cloned().unwrap_or_default();
    let created = vm.text("/properties/timeCreated").map_or_else(|| cx.now.to_string(), str::to_owned);
    let protection = vm.at("/properties/protectionPolicy").cloned();
    let old_disk = vm.at("/properties/storageProfile/osDisk").filter(|_| !disk).cloned();
    set(&mut vm.body, "/location", json!(set_row.text("/location")));
    if let Some(tags) = set_row.at("/tags") {
        set(&mut vm.body, "/tags", tags.clone());
    }
    if let Some(zones) = set_row.at("/zones").and_then(Value::as_array)
        && vm.at("/properties").is_none()
        && let Some(zone) = usize::try_from(n).ok().and_then(|n| zones.get(n % zones.len().max(1)))
    {
        // a machine never moves to another zone
        set(&mut vm.body, "/zones", json!([zone]));
    }
    if let Some(identity) = set_row.at("/identity").filter(|_| vm.kind == MACHINE) {
        set(&mut vm.body, "/identity", identity.clone());
    }
    let mut os = profile.get("osProfile").cloned().unwrap_or_else(|| json!({}));
    if let Some(map) = os.as_object_mut()
        && let Some(prefix) = map.shift_remove("computerNamePrefix")
    {
        map.insert("computerName".into(), json!(computer_name(prefix.as_str().unwrap_or_default(), n)));
    }
    let storage = profile.get("storageProfile").cloned().unwrap_or_else(|| json!({}));
    let size = limits::size_of(cx, set_row);
    let properties = if vm.kind == MACHINE {
        machine_properties(set_row, vm, (&profile, &size), storage, os)
    } else {
        set(&mut vm.body, "/sku", json!({ "name": size, "tier": set_row.text("/sku/tier") }));
        instance_properties(set_row, vm, (&profile, &size), storage, os)
    };
    set(&mut vm.body, "/properties", properties);
    for part in ["name", "managedDisk"] {
        if let Some(value) = old_disk.as_ref().and_then(|disk| disk.get(part)) {
            set(&mut vm.body, &format!("/properties/storageProfile/osDisk/{part}"), value.clone());
        }
    }
    for part in
        ["priority", "evictionPolicy", "licenseType", "securityProfile", "diagnosticsProfile", "applicationProfile"]
    {
        if let Some(value) = profile.get(part).filter(|_| part == "priority" || vm.kind == MACHINE) {
            set(&mut vm.body, &format!("/properties/{part}"), value.clone());
        }
    }
    if vm.hidden.get("regular") == Some(&json!(true)) {
        set(&mut vm.body, "/properties/priority", json!("Regular"));
        if let Some(properties) = vm.body.pointer_mut("/properties").and_then(Value::as_object_mut) {
            properties.shift_remove("evictionPolicy");
        }
    }
    set(&mut vm.body, "/properties/timeCreated", json!(created));
    if let Some(protection) = protection {
        set(&mut vm.body, "/properties/protectionPolicy", protection);
    }
}

fn disks_made(vm: &Row) -> i64 {
    vm.hidden.get("disks").and_then(Value::as_i64).unwrap_or(0)
}

fn vm_id(set_row: &Row, n: i64) -> String {
    let text = format!("{}|{n}|{}", set_row.id, set_row.created);
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
}

fn instance_properties(
    set_row: &Row,
    vm: &Row,
    (profile, size): (&Value, &str),
    mut storage: Value,
    os: Value,
) -> Value {
    let n = number(vm);
    let disks = disks_made(vm);
    let what = if disks == 0 { "disk".to_owned() } else { format!("disk{disks}") };
    let name = format!("{}_{n}_OsDisk_1_{}", set_row.name, word(set_row, n, &what));
    set(&mut storage, "/osDisk/name", json!(name));
    let configs = entries(set_row, "networkProfile/networkInterfaceConfigurations");
    let interfaces: Vec<Value> = configs
        .iter()
        .map(|config| {
            let name = config.get("name").and_then(Value::as_str).unwrap_or("nic");
            let primary = configs.len() == 1 || config.pointer("/properties/primary") == Some(&json!(true));
            json!({ "id": format!("{}/networkInterfaces/{name}", vm.id), "properties": { "primary": primary } })
        })
        .collect();
    json!({
        "networkProfile": { "networkInterfaces": interfaces },
        "latestModelApplied": true, "modelDefinitionApplied": "VirtualMachineScaleSet", "vmId": vm_id(set_row, n),
        "hardwareProfile": { "vmSize": size }, "storageProfile": storage, "osProfile": os,
        "networkProfileConfiguration": profile.get("networkProfile"), "provisioningState": "Succeeded",
        "timeCreated": null,
    })
}

fn machine_properties(set_row: &Row, vm: &Row, (profile, size): (&Value, &str), storage: Value, os: Value) -> Value {
    let n = number(vm);
    let scope = Path::of(&set_row.id).scope;
    let suffix = vm.hidden.get("suffix").and_then(Value::as_str).unwrap_or_default();
    let configs = entries(set_row, "networkProfile/networkInterfaceConfigurations");
    let interfaces: Vec<Value> = configs
        .iter()
        .map(|config| {
            let name = config.get("name").and_then(Value::as_str).unwrap_or("nic");
            json!({
                "id": format!("{scope}/providers/Microsoft.Network/networkInterfaces/{name}-{suffix}"),
                "properties": { "primary": configs.len() == 1 || config.pointer("/properties/primary") == Some(&json!(true)),
                    "deleteOption": config.pointer("/properties/deleteOption").cloned().unwrap_or_else(|| json!("Delete")) },
            })
        })
        .collect();
    let mut properties = json!({
        "vmId": vm_id(set_row, n), "virtualMachineScaleSet": { "id": set_row.id },
        "hardwareProfile": { "vmSize": size }, "storageProfile": storage, "osProfile": os,
        "networkProfile": { "networkInterfaces": interfaces }, "provisioningState": "Succeeded", "timeCreated": null,
    });
    let disks = disks_made(vm);
    let disk = format!("{}_OsDisk_1_{}", vm.name, word(set_row, n, &format!("disk{disks}")));
    parts::fill_storage(&mut properties, &scope, &vm.name, &disk, "Delete");
    if profile.get("scheduledEventsProfile").is_some() {
        set(
            &mut properties,
            "/scheduledEventsProfile",
            profile.get("scheduledEventsProfile").cloned().unwrap_or_default(),
        );
    }
    properties
}

fn count(vm: &mut Row, key: &str) {
    let now = vm.hidden.get(key).and_then(Value::as_i64).unwrap_or(0);
    set(&mut vm.hidden, &format!("/{key}"), json!(now + 1));
}

/// Brings a machine to the present model of its set, with all that this does to it.
pub fn upgrade(cx: &mut Cx<'_>, set_row: &Row, vm: &Row) {
    let mut new = vm.clone();
    let old_model = model::get(set_row, model::of_machine(vm));
    let effect = model::effect(old_model, model::get(set_row, model::current(set_row)));
    match effect {
        Effect::NewDisk => count(&mut new, "disks"),
        Effect::Restart => count(&mut new, "restarts"),
        Effect::Running => {}
    }
    let fresh = effect == Effect::NewDisk;
    if let Some(hidden) = new.hidden.as_object_mut().filter(|_| fresh) {
        hidden.shift_remove("own");
    }
    give_model(cx, set_row, &mut new, fresh);
    runs::run(set_row, &mut new, fresh, &cx.now.to_string());
    health::changed(set_row, &mut new, fresh);
    new.changed = cx.now_ms();
    let new = cx.store.put_row(new);
    if new.kind == MACHINE {
        parts::attach_disks(cx, &new, Some(vm), Some(&set_row.id));
        parts::make_extensions(cx, &new, &extensions(set_row), &set_row.id);
        parts::show_runs(cx, &new);
    }
}

/// What a reimage is asked for beyond a new OS disk
/// (<https://learn.microsoft.com/rest/api/compute/virtual-machine-scale-sets/reimage>).
#[derive(Clone, Debug, Default)]
pub struct Reimage {
    /// The version that the OS disk is made from; without it, the disk keeps its version.
    pub exact_version: Option<String>,
    /// Digests of the custom data and the password that a disk that is not ephemeral gets instead of the model's.
    pub own: Map<String, Value>,
}

/// Recreates the OS disk of a machine from the model that the machine has, which need not be the set's present one.
/// Extensions run again.
pub fn reimage(cx: &mut Cx<'_>, vm: &Row, asked: &Reimage) {
    let mut new = vm.clone();
    let model = model::of_machine(vm).to_owned();
    count(&mut new, "disks");
    set(&mut new.hidden, "/disk", json!(model));
    set(&mut new.hidden, "/power", json!("running"));
    let ephemeral = vm.at("/properties/storageProfile/osDisk/diffDiskSettings").is_some_and(|disk| !disk.is_null());
    let version = asked.exact_version.clone().map(Value::from);
    let version = version.or_else(|| vm.hidden.pointer("/own/exactVersion").cloned());
    let mut own = if ephemeral { Map::new() } else { asked.own.clone() };
    own.extend(version.clone().map(|version| ("exactVersion".to_owned(), version)));
    set(&mut new.hidden, "/own", Value::Object(own));
    if let Some(version) = version
        && vm.at("/properties/storageProfile/imageReference").is_some()
    {
        set(&mut new.body, "/properties/storageProfile/imageReference/exactVersion", version);
    }
    if let Some(set_row) = set_of(cx, vm) {
        runs::run(&set_row, &mut new, true, &cx.now.to_string());
        health::changed(&set_row, &mut new, true);
    }
    let name = vm.text("/properties/storageProfile/osDisk/name").unwrap_or_default();
    let stem = name.rsplit_once('_').map_or(name, |(stem, _)| stem).to_owned();
    let again = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{name}|{}", disks_made(&new)).as_bytes());
    let name = format!("{stem}_{}", again.simple());
    set(&mut new.body, "/properties/storageProfile/osDisk/name", json!(name));
    new.changed = cx.now_ms();
    if new.kind == MACHINE {
        let scope = Path::of(&vm.id).scope;
        let id = format!("{scope}/providers/Microsoft.Compute/disks/{name}");
        set(&mut new.body, "/properties/storageProfile/osDisk/managedDisk/id", json!(id));
    }
    let new = cx.store.put_row(new);
    if new.kind == MACHINE {
        let set_row = set_of(cx, &new);
        parts::attach_disks(cx, &new, Some(vm), set_row.as_ref().map(|set_row| set_row.id.as_str()));
        parts::show_runs(cx, &new);
    }
}

/// Removes a machine with what came with it.
pub fn remove(cx: &mut Cx<'_>, vm: &Row) {
    for inner in cx.store.below(&vm.id) {
        cx.store.remove_row(&inner.id);
    }
    cx.store.remove_row(&vm.id);
    if vm.kind == MACHINE {
        parts::release_all(cx, vm);
    }
}

/// Makes machines until a set has `wanted`; numbers are not used again.
pub fn fill_up(cx: &mut Cx<'_>, set_row: &Row, missing: usize) -> Arc<Row> {
    let mut set_row = set_row.clone();
    if !set_row.hidden.is_object() {
        set_row.hidden = json!({});
    }
    let first = set_row.hidden.get("next").and_then(Value::as_i64).unwrap_or(0);
    let mut next = first;
    let free = if flexible(&set_row) {
        addresses::subnet_of(&set_row.body).map(|subnet| addresses::free(cx, subnet, missing)).unwrap_or_default()
    } else {
        Vec::new()
    };
    for at in 0..missing {
        let address = if flexible(&set_row) {
            free.get(at).cloned()
        } else {
            u32::try_from(next).ok().and_then(|n| addresses::address(cx, &set_row.body, n))
        };
        make(cx, &set_row, next, address);
        next += 1;
    }
    set(&mut set_row.hidden, "/next", json!(next));
    cx.store.put_row(set_row)
}
