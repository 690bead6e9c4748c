//! What machines and sets show: instance views, and the model as a machine has it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::http::Request;
use crate::id::Path;
use crate::types::instances::{health, images, model, parts, runs};
use crate::value::{set, set_default};

/// Type of an instance of a uniform set.
pub const KIND: &str = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines";
/// Type of a virtual machine; those of flexible sets are of this type too.
pub const MACHINE: &str = "Microsoft.Compute/virtualMachines";

/// Whether a set's machines are virtual machines of the resource group.
#[must_use]
pub fn flexible(set: &Row) -> bool {
    set.text("/properties/orchestrationMode").is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible"))
}

/// The number that a machine got in its set, from 0.
#[must_use]
pub fn number(row: &Row) -> i64 {
    row.hidden.get("number").and_then(Value::as_i64).unwrap_or_default()
}

/// `running`, `stopped` or `deallocated`.
#[must_use]
pub fn power_of(vm: &Row) -> &str {
    vm.hidden.get("power").and_then(Value::as_str).unwrap_or("running")
}

/// The set that a machine belongs to.
#[must_use]
pub fn set_of(cx: &Cx<'_>, vm: &Row) -> Option<Arc<Row>> {
    match vm.text("/properties/virtualMachineScaleSet/id") {
        Some(id) => cx.store.row(id),
        None if vm.kind == KIND => cx.store.row(&Path::of(&vm.id).parent()?.id()),
        None => None,
    }
}

fn power_display(power: &str) -> &'static str {
    match power {
        "stopped" => "VM stopped",
        "deallocated" => "VM deallocated",
        _ => "VM running",
    }
}

fn succeeded(time: &str) -> Value {
    json!({ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": time })
}

/// The state of an extension of a single machine. Nothing is run here, and no agent is there to say more.
fn installed(time: &str) -> Value {
    let mut status = succeeded(time);
    set(&mut status, "/message", json!("Nothing was run: this is the local endpoint, there is no machine."));
    status
}

/// The states of a machine's disks.
fn disks(vm: &Row, time: &str) -> Vec<Value> {
    let data = vm.at("/properties/storageProfile/dataDisks").and_then(Value::as_array).into_iter().flatten();
    let all = vm.at("/properties/storageProfile/osDisk").into_iter().chain(data);
    all.map(|disk| json!({ "name": disk.get("name"), "statuses": [succeeded(time)] })).collect()
}

/// What the agent of a running machine reports: the system, here in the words of its image, and a handler for each
/// extension.
fn show_guest(view: &mut Value, vm: &Row, extensions: &[Value]) {
    if power_of(vm) != "running" {
        return;
    }
    for (name, key) in [("osName", "offer"), ("osVersion", "sku")] {
        if let Some(word) = vm.text(&format!("/properties/storageProfile/imageReference/{key}")) {
            set(view, &format!("/{name}"), json!(word));
        }
    }
    let handlers: Vec<Value> = extensions
        .iter()
        .map(|extension| {
            json!({ "type": extension.get("type"), "typeHandlerVersion": extension.get("typeHandlerVersion"),
                "status": { "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready",
                    "message": "The handler is simulated" } })
        })
        .collect();
    if !handlers.is_empty() {
        set(view, "/vmAgent/extensionHandlers", Value::Array(handlers));
    }
}

/// The instance view of a machine.
#[must_use]
pub fn of_machine(cx: &Cx<'_>, vm: &Row) -> Value {
    let power = power_of(vm);
    let time = vm.text("/properties/timeCreated").unwrap_or_default();
    let running = power == "running";
    let agent = json!({ "vmAgentVersion": "local", "statuses": [{
        "code": if running { "ProvisioningState/succeeded" } else { "ProvisioningState/Unavailable" }, "level": "Info",
        "displayStatus": if running { "Ready" } else { "Not Ready" }, "message": "Guest Agent is simulated", "time": time }] });
    let provisioned = match vm.text("/properties/provisioningState") {
        Some("Failed") => json!({ "code": "ProvisioningState/failed/VMExtensionProvisioningError", "level": "Error",
            "displayStatus": "Provisioning failed", "time": time }),
        _ => succeeded(time),
    };
    let health = set_of(cx, vm).and_then(|set_row| health::of(&set_row, vm));
    let health = health.map(|health| health::shown(health, &cx.now.to_string()));
    let statuses = json!([
        provisioned,
        { "code": format!("PowerState/{power}"), "level": "Info", "displayStatus": power_display(power) },
    ]);
    if vm.kind == KIND {
        let mut view = json!({
            "placementGroupId": "", "platformUpdateDomain": number(vm) % 5, "platformFaultDomain": number(vm) % 5,
            "computerName": vm.text("/properties/osProfile/computerName"), "vmAgent": agent, "disks": disks(vm, time),
            "hyperVGeneration": images::generation(vm), "statuses": statuses,
        });
        let extensions = runs::views(vm);
        show_guest(&mut view, vm, &extensions);
        if !extensions.is_empty() {
            set(&mut view, "/extensions", Value::Array(extensions));
        }
        if let Some(health) = health {
            set(&mut view, "/vmHealth", health);
        }
        return view;
    }
    let extensions: Vec<Value> = extensions(cx, vm)
        .iter()
        .map(|row| {
            json!({ "name": row.name, "type": extension_type(row), "typeHandlerVersion": row.text("/properties/typeHandlerVersion"),
                "statuses": [runs::status(vm, &row.name).unwrap_or_else(|| installed(time))] })
        })
        .collect();
    let mut view = json!({
        "computerName": vm.text("/properties/osProfile/computerName"), "vmAgent": agent, "disks": disks(vm, time),
        "hyperVGeneration": images::generation(vm), "statuses": statuses,
    });
    show_guest(&mut view, vm, &extensions);
    if !extensions.is_empty() {
        set(&mut view, "/extensions", Value::Array(extensions));
    }
    if let Some(health) = health {
        set(&mut view, "/vmHealth", health);
    }
    view
}

fn extension_type(row: &Row) -> String {
    format!(
        "{}.{}",
        row.text("/properties/publisher").unwrap_or_default(),
        row.text("/properties/type").unwrap_or_default()
    )
}

/// The extensions of a virtual machine.
#[must_use]
pub fn extensions(cx: &Cx<'_>, vm: &Row) -> Vec<Arc<Row>> {
    cx.store.below(&vm.id).into_iter().filter(|row| row.kind.ends_with("/virtualMachines/extensions")).collect()
}

/// A machine as a GET shows it.
#[must_use]
pub fn shown(cx: &Cx<'_>, vm: &Row, request: &Request) -> Value {
    let mut body = cx.view(vm);
    let expand = request.query("$expand").unwrap_or_default().to_lowercase();
    if expand.contains("instanceview") {
        set(&mut body, "/properties/instanceView", of_machine(cx, vm));
    }
    if vm.kind == KIND {
        let set_row = set_of(cx, vm);
        let latest = set_row.as_ref().is_none_or(|set| model::current(set) == model::of_machine(vm));
        set(&mut body, "/properties/latestModelApplied", json!(latest));
        if let Some(set_row) = set_row {
            set(&mut body, "/name", json!(format!("{}_{}", set_row.name, vm.name)));
        }
        show_instance(&mut body, vm);
    } else {
        let extensions: Vec<Value> = extensions(cx, vm).iter().map(|row| cx.view(row)).collect();
        if !extensions.is_empty() {
            set(&mut body, "/resources", Value::Array(extensions));
        }
    }
    body
}

/// What an instance of a uniform set shows beyond its model: its disks as resources, the exact version of its image.
fn show_instance(body: &mut Value, vm: &Row) {
    let Some(properties) = body.get_mut("properties").filter(|it| it.pointer("/storageProfile/osDisk").is_some())
    else {
        return;
    };
    let windows = parts::is_windows(properties);
    let scope = Path::of(&vm.id).scope;
    let reference = properties.pointer("/storageProfile/imageReference").cloned();
    if let Some(reference) = reference.filter(|reference| reference.get("exactVersion").is_none()) {
        set(properties, "/storageProfile/imageReference", images::with_exact_version(&reference));
    }
    let disk = "/storageProfile/osDisk";
    set_default(properties, &format!("{disk}/osType"), json!(if windows { "Windows" } else { "Linux" }));
    let name = properties.pointer(&format!("{disk}/name")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ephemeral = properties.pointer(&format!("{disk}/diffDiskSettings")).is_some();
    if !ephemeral && properties.pointer(&format!("{disk}/vhdContainers")).is_none() {
        let id = format!("{scope}/providers/Microsoft.Compute/disks/{name}");
        set_default(properties, &format!("{disk}/managedDisk/id"), json!(id));
    }
    set_default(properties, "/storageProfile/dataDisks", json!([]));
    if windows {
        let patches = "/osProfile/windowsConfiguration/patchSettings/patchMode";
        set_default(properties, patches, json!("AutomaticByOS"));
    }
}

/// A machine as the list of a set shows it, of either mode.
#[must_use]
pub fn shown_in_set(cx: &Cx<'_>, set_row: &Row, vm: &Row, request: &Request) -> Value {
    let mut body = shown(cx, vm, request);
    if vm.kind != KIND {
        set(&mut body, "/instanceId", json!(vm.name));
        let latest = model::current(set_row) == model::of_machine(vm);
        set(&mut body, "/properties/latestModelApplied", json!(latest));
    }
    body
}

/// The instance view of a set.
#[must_use]
pub fn of_set(row: &Row, vms: &[Arc<Row>]) -> Value {
    let time = row.text("/properties/timeCreated").unwrap_or_default();
    let mut summary = Vec::new();
    for (state, failed) in [("succeeded", false), ("failed", true)] {
        let is = |vm: &&Arc<Row>| (vm.text("/properties/provisioningState") == Some("Failed")) == failed;
        let count = vms.iter().filter(is).count();
        if count > 0 {
            summary.push(json!({ "code": format!("ProvisioningState/{state}"), "count": count }));
        }
    }
    for state in ["running", "stopped", "deallocated"] {
        let count = vms.iter().filter(|vm| power_of(vm) == state).count();
        if count > 0 {
            summary.push(json!({ "code": format!("PowerState/{state}"), "count": count }));
        }
    }
    let extensions = row.at("/properties/virtualMachineProfile/extensionProfile/extensions").and_then(Value::as_array);
    let extensions: Vec<Value> = extensions
        .into_iter()
        .flatten()
        .map(|extension| {
            let name = extension.get("name").and_then(Value::as_str).unwrap_or_default();
            let have: Vec<Value> = vms.iter().filter_map(|vm| runs::status(vm, name)).collect();
            let failed = have.iter().filter(|status| status.get("level") == Some(&json!("Error"))).count();
            let mut counts = Vec::new();
            // machines that have not got it yet come first, as recorded
            if vms.len() > have.len() {
                counts.push(json!({ "code": "ProvisioningState/creating", "count": vms.len() - have.len() }));
            }
            if have.len() > failed || counts.is_empty() {
                counts.push(json!({ "code": "ProvisioningState/succeeded", "count": have.len() - failed }));
            }
            if failed > 0 {
                counts.push(json!({ "code": "ProvisioningState/failed/0", "count": failed }));
            }
            json!({ "name": name, "statusesSummary": counts })
        })
        .collect();
    let mut view = json!({
        "virtualMachine": { "statusesSummary": summary }, "statuses": [succeeded(time)],
        "orchestrationServices": orchestration(row),
    });
    if !extensions.is_empty() {
        set(&mut view, "/extensions", Value::Array(extensions));
    }
    view
}

/// The state of an extension of a set: `Creating` until every machine has it as the model says.
#[must_use]
pub fn extension_state(set_row: &Row, vms: &[Arc<Row>], name: &str) -> &'static str {
    let failed =
        |vm: &Arc<Row>| runs::status(vm, name).is_some_and(|status| status.get("level") == Some(&json!("Error")));
    if vms.iter().any(failed) {
        return "Failed";
    }
    if vms.iter().all(|vm| runs::is_current(set_row, vm, name)) { "Succeeded" } else { "Creating" }
}

fn orchestration(row: &Row) -> Vec<Value> {
    if row.at("/properties/automaticRepairsPolicy/enabled") != Some(&json!(true)) {
        return Vec::new();
    }
    let state = row.hidden.get("repairs").and_then(Value::as_str).unwrap_or("Running");
    vec![json!({ "serviceName": "AutomaticRepairs", "serviceState": state })]
}

/// What each machine of a set carries, for `GET /_local/machines`.
#[must_use]
pub fn carried(set_row: &Row, vms: &[Arc<Row>]) -> Vec<Value> {
    vms.iter()
        .map(|vm| {
            let mut out = Map::new();
            let count = |key: &str| vm.hidden.get(key).and_then(Value::as_i64).unwrap_or(0);
            out.insert("name".into(), json!(vm.name));
            out.insert("id".into(), json!(vm.id));
            out.insert("created".into(), json!(vm.text("/properties/timeCreated")));
            out.insert("power".into(), json!(power_of(vm)));
            out.insert("zone".into(), vm.at("/zones/0").cloned().unwrap_or_default());
            out.insert("address".into(), vm.hidden.get("address").cloned().unwrap_or_default());
            out.insert("latestModelApplied".into(), json!(model::current(set_row) == model::of_machine(vm)));
            out.insert("pending".into(), json!(model::pending(set_row, vm)));
            out.insert("restarts".into(), json!(count("restarts")));
            out.insert("osDisks".into(), json!(count("disks") + 1));
            out.insert("model".into(), json!(model::of_machine(vm)));
            out.insert("provisioningState".into(), json!(vm.text("/properties/provisioningState")));
            out.insert("health".into(), json!(health::of(set_row, vm).map(health::Health::name)));
            let mut have = model::of_vm(set_row, vm);
            have.insert("extensions".into(), runs::carried(vm));
            // a digest of a password says nothing that anybody needs
            out.extend(have.into_iter().filter(|(key, _)| key != "adminPassword"));
            Value::Object(out)
        })
        .collect()
}
