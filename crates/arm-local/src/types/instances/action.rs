//! Actions on machines, one by one and by the set.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::{Outcome, Row};
use crate::error::ArmError;
use crate::http::{Reply, Request, page};
use crate::id::Path;
use crate::limits;
use crate::lro::{self, Style, poll_headers};
use crate::types::addresses;
use crate::types::instances::list::of;
use crate::types::instances::make::Reimage;
use crate::types::instances::view::{self, KIND, MACHINE, flexible, set_of};
use crate::types::instances::{make, model, parts, rolling, runs};
use crate::value::set;

fn started(cx: &mut Cx<'_>, row: &Row, request: &Request, outcome: Outcome) -> Reply {
    let operation = lro::start(cx, cx.core.settings.latency_ms, outcome);
    let reply = Reply::empty(202).header("Retry-After", "1");
    poll_headers(reply, request, &Path::of(&row.id), &row.location(), &operation, Style::AsyncOperation, true)
}

/// The machines that a request names in `instanceIds`; all without it.
fn chosen(cx: &Cx<'_>, set_row: &Row, request: &Request, needed: bool) -> Result<Vec<Arc<Row>>, ArmError> {
    let all = of(cx, set_row);
    let body = request.json()?;
    let Some(ids) = body.get("instanceIds").and_then(Value::as_array) else {
        if needed {
            return Err(ArmError::bad("InvalidParameter", "Required parameter 'instanceIds' is missing (null).")
                .at("instanceIds"));
        }
        return Ok(all);
    };
    let mut out = Vec::new();
    for id in ids.iter().filter_map(Value::as_str) {
        if id == "*" {
            return Ok(all);
        }
        match all.iter().find(|vm| vm.name.eq_ignore_ascii_case(id)) {
            Some(vm) => out.push(vm.clone()),
            None => {
                return Err(ArmError::bad(
                    "InvalidParameter",
                    format!("The provided instanceId {id} is not an active Virtual Machine Scale Set VM instanceId."),
                )
                .at("instanceIds"));
            }
        }
    }
    Ok(out)
}

fn power(cx: &mut Cx<'_>, vms: &[Arc<Row>], to: &str, restarts: bool) {
    for vm in vms {
        // the list may be older than what an action before did to the machine
        let mut vm = cx.store.row(&vm.id).unwrap_or_else(|| vm.clone()).as_ref().clone();
        if !vm.hidden.is_object() {
            vm.hidden = json!({});
        }
        set(&mut vm.hidden, "/power", json!(to));
        if restarts {
            let count = vm.hidden.get("restarts").and_then(Value::as_i64).unwrap_or(0);
            set(&mut vm.hidden, "/restarts", json!(count + 1));
        }
        cx.store.put_row(vm);
    }
}

/// One machine less in the capacity, without removing another one.
pub fn lower_capacity(cx: &mut Cx<'_>, set_row: &Row) {
    change_capacity(cx, set_row, -1);
}

/// Changes the capacity of a set to what its machines are.
pub fn change_capacity(cx: &mut Cx<'_>, set_row: &Row, by: i64) {
    let Some(capacity) = set_row.at("/sku/capacity").and_then(Value::as_i64) else { return };
    let mut row = set_row.clone();
    set(&mut row.body, "/sku/capacity", json!((capacity + by).max(0)));
    row.changed = cx.now_ms();
    cx.store.put_row(row);
}

/// Actions and views of a scale set.
///
/// # Errors
/// `InvalidParameter` for instance ids that are not there, `OperationNotAllowed`.
pub fn of_set(cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
    match request.method.as_str() {
        "GET" => views(cx, row, word, request),
        "POST" => orders(cx, row, word, request),
        _ => Ok(None),
    }
}

fn views(cx: &Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
    let vms = of(cx, row);
    Ok(match word {
        "instanceview" => Some(Reply::ok(view::of_set(row, &vms))),
        "virtualmachines" => {
            let filter = crate::filter::Filter::of(request)?;
            let list = vms.iter().filter(|vm| filter.matches(vm));
            Some(page(request, list.map(|vm| view::shown_in_set(cx, row, vm, request)).collect()))
        }
        "skus" => Some(Reply::ok(json!({ "value": limits::scale_set_skus(row) }))),
        "networkinterfaces" => Some(page(request, vms.iter().flat_map(|vm| interfaces(cx, row, vm)).collect())),
        "publicipaddresses" | "osupgradehistory" => Some(page(request, Vec::new())),
        _ => None,
    })
}

fn orders(cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
    let vms = match word {
        "deallocate" | "start" | "restart" | "poweroff" | "redeploy" | "reimage" | "reimageall"
        | "performmaintenance" => chosen(cx, row, request, false)?,
        "manualupgrade" | "delete" => chosen(cx, row, request, true)?,
        "setorchestrationservicestate"
        | "converttosingleplacementgroup"
        | "osrollingupgrade"
        | "extensionrollingupgrade" => of(cx, row),
        _ => return Ok(None),
    };
    match word {
        "deallocate" => power(cx, &vms, "deallocated", false),
        "poweroff" => power(cx, &vms, "stopped", false),
        "start" => power(cx, &vms, "running", false),
        "restart" | "redeploy" => power(cx, &vms, "running", true),
        "performmaintenance" => {
            if let Some(vm) = vms.first() {
                return Err(no_maintenance(&if vm.kind == KIND {
                    format!("{}_{}", row.name, vm.name)
                } else {
                    vm.name.clone()
                }));
            }
        }
        "manualupgrade" => vms.iter().for_each(|vm| make::upgrade(cx, row, vm)),
        "reimage" => {
            let asked = reimage_of(request)?;
            vms.iter().filter(|vm| !rolling::protected(vm)).for_each(|vm| make::reimage(cx, vm, &asked));
        }
        "reimageall" if flexible(row) => {
            return Err(ArmError::conflict(
                "OperationNotAllowed",
                "The operation 'ReimageAll' is not supported on a Virtual Machine Scale Set with Flexible orchestration.",
            ));
        }
        "reimageall" => vms.iter().for_each(|vm| make::reimage(cx, vm, &Reimage::default())),
        "delete" => {
            for vm in &vms {
                make::remove(cx, vm);
                if let Some(now) = cx.store.row(&row.id) {
                    lower_capacity(cx, &now);
                }
            }
        }
        "osrollingupgrade" => {
            let names = rolling::with_old_image(row, &vms);
            rolling::start(cx, row, names);
        }
        "extensionrollingupgrade" => {
            let names = vms.iter().filter(|vm| !rolling::protected(vm)).map(|vm| vm.name.clone()).collect();
            rolling::start(cx, row, names);
        }
        "setorchestrationservicestate" => {
            let stop = request
                .json()?
                .get("action")
                .and_then(Value::as_str)
                .is_some_and(|word| word.eq_ignore_ascii_case("Suspend"));
            let mut new = row.clone();
            set(&mut new.hidden, "/repairs", json!(if stop { "Suspended" } else { "Running" }));
            cx.store.put_row(new);
        }
        _ => {}
    }
    let outcome = match word {
        "manualupgrade" | "reimage" | "reimageall" => outcome_of(cx, &vms),
        "osrollingupgrade" | "extensionrollingupgrade" => {
            let error = cx.store.row(&row.id).and_then(|row| rolling::error_of(&row));
            error.map_or(Outcome::empty(200), |error| Outcome::Error { error })
        }
        _ => Outcome::empty(200),
    };
    Ok(Some(started(cx, row, request, outcome)))
}

/// No maintenance is ever planned here. Code and message: recorded with azure-mgmt-compute 18.0.0, of machines for which none
/// was planned.
fn no_maintenance(machine: &str) -> ArmError {
    ArmError::conflict(
        "OperationNotAllowed",
        format!(
            "Operation 'performMaintenance' is not allowed on VM '{machine}' since the Subscription of this VM is not eligible."
        ),
    )
}

/// What an operation on machines ends in: the failure of one of their extensions, or nothing to say.
fn outcome_of(cx: &Cx<'_>, vms: &[Arc<Row>]) -> Outcome {
    let now: Vec<Arc<Row>> = vms.iter().filter_map(|vm| cx.store.row(&vm.id)).collect();
    match runs::failure(now.iter().map(Arc::as_ref)) {
        Some(error) => Outcome::Error { error },
        None => Outcome::empty(200),
    }
}

/// What a reimage is asked for: `exactVersion`, and `osProfile` with a password and custom data.
fn reimage_of(request: &Request) -> Result<Reimage, ArmError> {
    let body = request.json()?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let invalid = |name: &str| {
        ArmError::bad("InvalidParameter", format!("The value of parameter {name} is invalid.")).at(name.to_owned())
    };
    let version = text("/exactVersion").map(str::to_owned);
    let numbers =
        |version: &String| version.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if version.as_ref().is_some_and(|version| !numbers(version)) {
        return Err(invalid("exactVersion"));
    }
    let mut own = serde_json::Map::new();
    if let Some(data) = text("/osProfile/customData") {
        crate::types::profile::check_custom_data(data)?;
        own.insert("customData".into(), json!(model::digest(data)));
    }
    if let Some(password) = text("/osProfile/adminPassword") {
        own.insert("adminPassword".into(), json!(model::digest(password)));
    }
    Ok(Reimage { exact_version: version, own })
}

/// `POST …/rollingUpgrades/cancel`.
///
/// # Errors
/// `OperationNotAllowed` when no upgrade is under way.
pub fn cancel_upgrade(cx: &mut Cx<'_>, row: &Row, request: &Request) -> Result<Reply, ArmError> {
    rolling::cancel(cx, row)?;
    Ok(started(cx, row, request, Outcome::empty(200)))
}

fn interfaces(cx: &Cx<'_>, row: &Row, vm: &Row) -> Vec<Value> {
    if vm.kind == MACHINE {
        let entries = vm.at("/properties/networkProfile/networkInterfaces").and_then(Value::as_array);
        let ids = entries.into_iter().flatten().filter_map(|entry| entry.get("id")?.as_str());
        return ids.filter_map(|id| Some(cx.view(cx.store.row(id)?.as_ref()))).collect();
    }
    let name = row
        .text("/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/0/name")
        .unwrap_or("nic");
    let id = format!("{}/virtualMachines/{}/networkInterfaces/{name}", row.id, vm.name);
    let subnet = addresses::subnet_of(&row.body);
    vec![json!({
        "name": name, "id": id, "properties": {
            "provisioningState": "Succeeded", "primary": true, "virtualMachine": { "id": vm.id },
            "ipConfigurations": [{ "name": "ip", "id": format!("{id}/ipConfigurations/ip"), "properties": {
                "provisioningState": "Succeeded", "privateIPAddress": vm.hidden.get("address"),
                "privateIPAllocationMethod": "Dynamic", "primary": true, "privateIPAddressVersion": "IPv4",
                "subnet": { "id": subnet } } }],
        },
    })]
}

/// Actions and views of one machine: an instance of a set, or a virtual machine.
///
/// # Errors
/// What the service says.
pub fn of_machine(cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
    let me = [Arc::new(row.clone())];
    match (request.method.as_str(), word) {
        ("GET", "instanceview") => return Ok(Some(Reply::ok(view::of_machine(cx, row)))),
        ("GET", "vmsizes") if row.kind == MACHINE => {
            return Ok(Some(Reply::ok(json!({ "value": limits::machine_sizes(cx, &row.location()) }))));
        }
        ("GET", "networkinterfaces") if row.kind == KIND => {
            let set_row = set_of(cx, row);
            return Ok(set_row.map(|set_row| page(request, interfaces(cx, &set_row, row))));
        }
        ("POST", "start") => power(cx, &me, "running", false),
        ("POST", "restart" | "redeploy") => power(cx, &me, "running", true),
        ("POST", "performmaintenance") => {
            let set_row = set_of(cx, row).filter(|_| row.kind == KIND);
            return Err(no_maintenance(
                &set_row.map_or_else(|| row.name.clone(), |set_row| format!("{}_{}", set_row.name, row.name)),
            ));
        }
        ("POST", "reapply") if row.kind == MACHINE => {}
        ("POST", "converttomanageddisks") if row.kind == MACHINE => parts::convert_disks(cx, row)?,
        ("POST", "poweroff") => power(cx, &me, "stopped", false),
        ("POST", "deallocate") => power(cx, &me, "deallocated", false),
        ("POST", "reimage") => make::reimage(cx, row, &reimage_of(request)?),
        ("POST", "reimageall") => make::reimage(cx, row, &Reimage::default()),
        ("POST", "generalize") if row.kind == MACHINE => {
            let mut new = row.clone();
            set(&mut new.hidden, "/generalized", json!(true));
            cx.store.put_row(new);
            return Ok(Some(Reply::empty(200)));
        }
        ("POST", "simulateeviction") => {
            power(cx, &me, "deallocated", false);
            return Ok(Some(Reply::empty(204)));
        }
        ("POST", "retrievebootdiagnosticsdata") => {
            let none = "https://127.0.0.1/not-azure/boot-diagnostics";
            return Ok(Some(Reply::ok(json!({ "consoleScreenshotBlobUri": none, "serialConsoleLogBlobUri": none }))));
        }
        ("POST", "runcommand") => {
            if view::power_of(row) != "running" {
                return Err(ArmError::conflict(
                    "OperationNotAllowed",
                    "The operation requires the VM to be running (or set to run).",
                ));
            }
            let said = json!({ "value": [{ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
                "message": "Nothing was run: this is the local endpoint, there is no machine." }] });
            return Ok(Some(started(cx, row, request, Outcome::ok(said))));
        }
        _ => return Ok(None),
    }
    let outcome = if word.starts_with("reimage") { outcome_of(cx, &me) } else { Outcome::empty(200) };
    Ok(Some(started(cx, row, request, outcome)))
}
