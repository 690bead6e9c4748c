//! What machines and sets show: instance views, and the model as a machine has it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::http::Request;
use crate::id::Path;
use crate::types::instances::{health, model, runs};
use crate::value::set;

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
            "computerName": vm.text("/properties/osProfile/computerName"), "vmAgent": agent, "statuses": statuses,
        });
        let extensions = runs::views(vm);
        if !extensions.is_empty() {
            set(&mut view, "/extensions", Value::Array(extensions));
        }
        if let Some(health) = health {
            set(&mut view, "/vmHealth", health);
        }
        return view;
    }
    let disks = vm.at("/properties/storageProfile/dataDisks").and_then(Value::as_array).into_iter().flatten();
    let disks: Vec<Value> = vm
        .at("/properties/storageProfile/osDisk")
        .into_iter()
        .chain(disks)
        .map(|disk| json!({ "name": disk.get("name"), "statuses": [succeeded(time)] }))
        .collect();
    let extensions: Vec<Value> = extensions(cx, vm)
        .iter()
        .map(|row| {
            json!({ "name": row.name, "type": extension_type(row), "typeHandlerVersion": row.text("/properties/typeHandlerVersion"),
                "statuses": [runs::status(vm, &row.name).unwrap_or_else(|| succeeded(time))] })
        })
        .collect();
    let mut view = json!({
        "computerName": vm.text("/properties/osProfile/computerName"), "vmAgent": agent, "disks": disks, "hyperVGeneration": "V2",
        "statuses": statuses,
    });
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
        let latest = set_of(cx, vm).is_none_or(|set| model::current(&set) == model::of_machine(vm));
        set(&mut body, "/properties/latestModelApplied", json!(latest));
    } else {
        let extensions: Vec<Value> = extensions(cx, vm).iter().map(|row| cx.view(row)).collect();
        if !extensions.is_empty() {
            set(&mut body, "/resources", Value::Array(extensions));
        }
    }
    body
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
            let mut counts = vec![json!({ "code": "ProvisioningState/succeeded", "count": have.len() - failed })];
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
