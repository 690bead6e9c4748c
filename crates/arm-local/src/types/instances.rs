//! Instances of scale sets: they follow the capacity, and take start, deallocate, reimage and the rest.
//!
//! A uniform set keeps them as children (`…/virtualMachines/0`); a flexible one as machines of the resource group.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::{Outcome, Row};
use crate::error::ArmError;
use crate::http::{Reply, Request, page};
use crate::id::Path;
use crate::lro::{Style, poll_headers};
use crate::rule::{Rule, WriteContext};
use crate::types::addresses;

use crate::value::set;
use crate::{limits, lro};

/// Type of an instance of a uniform set.
pub const KIND: &str = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines";

pub struct Instance;

fn flexible(set: &Row) -> bool {
    set.text("/properties/orchestrationMode").is_some_and(|mode| mode.eq_ignore_ascii_case("Flexible"))
}

fn number(row: &Row) -> i64 {
    row.hidden.get("number").and_then(Value::as_i64).unwrap_or_default()
}

/// The instances of a set, oldest first.
#[must_use]
pub fn of(cx: &Cx<'_>, set: &Row) -> Vec<Arc<Row>> {
    let mut rows: Vec<Arc<Row>> = if flexible(set) {
        cx.store
            .of_kind("Microsoft.Compute/virtualMachines")
            .into_iter()
            .filter(|row| {
                row.text("/properties/virtualMachineScaleSet/id").is_some_and(|id| id.eq_ignore_ascii_case(&set.id))
            })
            .collect()
    } else {
        cx.store.below(&set.id).into_iter().filter(|row| row.kind == KIND).collect()
    };
    rows.sort_by_key(|row| number(row));
    rows
}

/// Brings the instances to the set's capacity, and passes a new model on to them.
pub fn follow(cx: &mut Cx<'_>, set: &Row, old: Option<&Row>) {
    let wanted = set.at("/sku/capacity").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut have = of(cx, set);
    let model_changed = old.is_some_and(|old| {
        old.at("/properties/virtualMachineProfile") != set.at("/properties/virtualMachineProfile")
            || old.at("/sku/name") != set.at("/sku/name")
    });
    if model_changed {
        let manual = set.text("/properties/upgradePolicy/mode").is_none_or(|mode| mode.eq_ignore_ascii_case("Manual"));
        for vm in &have {
            if manual {
                let mut vm = vm.as_ref().clone();
                set_latest(&mut vm, false);
                cx.store.put_row(vm);
            } else {
                upgrade(cx, set, vm);
            }
        }
    }
    let rule = set.text("/properties/scaleInPolicy/rules/0").unwrap_or("Default").to_lowercase();
    while have.len() > wanted {
        // the oldest goes first only where the policy says so
        let gone = if rule == "oldestvm" { have.remove(0) } else { have.remove(have.len() - 1) };
        cx.store.remove_row(&gone.id);
    }
    let missing = wanted.saturating_sub(have.len());
    if missing == 0 {
        return;
    }
    let mut set = set.clone();
    if !set.hidden.is_object() {
        set.hidden = json!({});
    }
    let mut next = set.hidden.get("next").and_then(Value::as_i64).unwrap_or(0);
    for _ in 0..missing {
        let vm = make(cx, &set, next);
        cx.store.put_row(vm);
        next += 1;
    }
    self::set(&mut set.hidden, "/next", json!(next));
    cx.store.put_row(set);
}

fn set_latest(vm: &mut Row, latest: bool) {
    set(&mut vm.body, "/properties/latestModelApplied", json!(latest));
}

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

fn make(cx: &Cx<'_>, set: &Row, n: i64) -> Row {
    let flexible = flexible(set);
    let (id, name, instance) = if flexible {
        let suffix =
            uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{}|{n}|{}", set.id, set.created).as_bytes())
                .simple()
                .to_string();
        let name = format!("{}_{}", set.name, suffix.get(..8).unwrap_or_default());
        let scope = Path::of(&set.id).scope;
        (format!("{scope}/providers/Microsoft.Compute/virtualMachines/{name}"), name.clone(), name)
    } else {
        (format!("{}/virtualMachines/{n}", set.id), format!("{}_{n}", set.name), n.to_string())
    };
    let mut body =
        json!({ "name": name, "id": id, "type": if flexible { "Microsoft.Compute/virtualMachines" } else { KIND } });
    set_instance(cx, set, &mut body, n);
    if flexible {
        self::set(&mut body, "/properties/virtualMachineScaleSet", json!({ "id": set.id }));
    } else {
        self::set(&mut body, "/instanceId", json!(instance));
    }
    let now = cx.now_ms();
    let address = u32::try_from(n).ok().and_then(|n| addresses::address(cx, &set.body, n));
    Row {
        id,
        kind: if flexible { "Microsoft.Compute/virtualMachines".into() } else { KIND.into() },
        // the store's name is the path's last segment
        name: if flexible { name } else { instance },
        body,
        etag: cx.unique(),
        created: now,
        changed: now,
        settles: 0,
        settling: String::new(),
        hidden: json!({ "number": n, "power": "running", "address": address }),
    }
}

fn set_instance(cx: &Cx<'_>, row: &Row, body: &mut Value, n: i64) {
    let profile = row.at("/properties/virtualMachineProfile").cloned().unwrap_or_default();
    set(body, "/location", json!(row.text("/location")));
    if let Some(tags) = row.at("/tags") {
        set(body, "/tags", tags.clone());
    }
    set(body, "/sku", json!({ "name": row.text("/sku/name"), "tier": row.text("/sku/tier") }));
    if let Some(zones) = row.at("/zones").and_then(Value::as_array)
        && let Some(zone) = usize::try_from(n).ok().and_then(|n| zones.get(n % zones.len().max(1)))
    {
        set(body, "/zones", json!([zone]));
    }
    let mut storage = profile.get("storageProfile").cloned().unwrap_or_else(|| json!({}));
    let disk = format!(
        "{}_{n}_OsDisk_1_{}",
        row.name,
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{}|{n}|disk", row.id).as_bytes()).simple()
    );
    set(&mut storage, "/osDisk/name", json!(disk));
    let mut os = profile.get("osProfile").cloned().unwrap_or_else(|| json!({}));
    if let Some(map) = os.as_object_mut()
        && let Some(prefix) = map.shift_remove("computerNamePrefix")
    {
        let name = computer_name(prefix.as_str().unwrap_or_default(), n);
        map.insert("computerName".into(), json!(name));
    }
    let vm = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{}|{n}|{}", row.id, row.created).as_bytes());
    set(
        body,
        "/properties",
        json!({
            "latestModelApplied": true, "modelDefinitionApplied": "VirtualMachineScaleSet", "vmId": vm.to_string(),
            "hardwareProfile": { "vmSize": row.text("/sku/name") }, "storageProfile": storage, "osProfile": os,
            "networkProfileConfiguration": profile.get("networkProfile"), "provisioningState": "Succeeded",
            "timeCreated": cx.now.to_string(),
        }),
    );
    if let Some(priority) = profile.get("priority") {
        set(body, "/properties/priority", priority.clone());
    }
}

fn upgrade(cx: &mut Cx<'_>, set_row: &Row, vm: &Row) {
    let mut vm = vm.clone();
    let created = vm.text("/properties/timeCreated").map(str::to_owned);
    let link = vm.at("/properties/virtualMachineScaleSet").cloned();
    let n = number(&vm);
    set_instance(cx, set_row, &mut vm.body, n);
    if let Some(created) = created {
        set(&mut vm.body, "/properties/timeCreated", json!(created));
    }
    if let Some(link) = link {
        set(&mut vm.body, "/properties/virtualMachineScaleSet", link);
    }
    cx.store.put_row(vm);
}

/// One instance less in the capacity, without removing another one.
pub fn lower_capacity(cx: &mut Cx<'_>, set_row: &Row) {
    let capacity = set_row.at("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
    let mut row = set_row.clone();
    set(&mut row.body, "/sku/capacity", json!((capacity - 1).max(0)));
    row.changed = cx.now_ms();
    cx.store.put_row(row);
}

fn power_display(power: &str) -> &'static str {
    match power {
        "stopped" => "VM stopped",
        "deallocated" => "VM deallocated",
        _ => "VM running",
    }
}

fn view_of(vm: &Row) -> Value {
    let power = vm.hidden.get("power").and_then(Value::as_str).unwrap_or("running");
    let time = vm.text("/properties/timeCreated").unwrap_or_default();
    let running = power == "running";
    json!({
        "placementGroupId": "", "platformUpdateDomain": number(vm) % 5, "platformFaultDomain": number(vm) % 5,
        "computerName": vm.text("/properties/osProfile/computerName"),
        "vmAgent": { "vmAgentVersion": "local", "statuses": [{
            "code": if running { "ProvisioningState/succeeded" } else { "ProvisioningState/Unavailable" }, "level": "Info",
            "displayStatus": if running { "Ready" } else { "Not Ready" }, "message": "Guest Agent is simulated", "time": time }] },
        "statuses": [
            { "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": time },
            { "code": format!("PowerState/{power}"), "level": "Info", "displayStatus": power_display(power) },
        ],
    })
}

fn shown_instance(cx: &Cx<'_>, vm: &Row, request: &Request) -> Value {
    let mut body = cx.view(vm);
    let expand = request.query("$expand").unwrap_or_default().to_lowercase();
    if expand.contains("instanceview") {
        set(&mut body, "/properties/instanceView", view_of(vm));
    }
    if vm.kind != KIND {
        set(&mut body, "/instanceId", json!(vm.name));
    }
    body
}

fn started(cx: &mut Cx<'_>, row: &Row, request: &Request, outcome: Outcome) -> Reply {
    let operation = lro::start(cx, cx.core.settings.latency_ms, outcome);
    let reply = Reply::empty(202).header("Retry-After", "1");
    poll_headers(reply, request, &Path::of(&row.id), &row.location(), &operation, Style::AsyncOperation, true)
}

fn chosen(cx: &Cx<'_>, set: &Row, request: &Request) -> Result<Vec<Arc<Row>>, ArmError> {
    let all = of(cx, set);
    let body = request.json()?;
    let Some(ids) = body.get("instanceIds").and_then(Value::as_array) else { return Ok(all) };
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

fn power(cx: &mut Cx<'_>, vms: &[Arc<Row>], to: &str) {
    for vm in vms {
        let mut vm = vm.as_ref().clone();
        set(&mut vm.hidden, "/power", json!(to));
        cx.store.put_row(vm);
    }
}

/// Actions and views of a scale set.
///
/// # Errors
/// `InvalidParameter` for instance ids that are not there, `OperationNotAllowed`.
pub fn action(cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
    if request.method == "GET" {
        return Ok(match word {
            "instanceview" => Some(Reply::ok(set_view(cx, row))),
            "virtualmachines" => {
                let filter = crate::filter::Filter::of(request)?;
                let list = of(cx, row)
                    .iter()
                    .filter(|vm| filter.matches(vm))
                    .map(|vm| shown_instance(cx, vm, request))
                    .collect();
                Some(page(request, list))
            }
            "skus" => Some(Reply::ok(json!({ "value": limits::scale_set_skus(row) }))),
            "networkinterfaces" => {
                let vms = of(cx, row);
                Some(page(request, vms.iter().map(|vm| nic(row, vm)).collect()))
            }
            "publicipaddresses" => Some(page(request, Vec::new())),
            "osupgradehistory" => Some(page(request, Vec::new())),
            _ => None,
        });
    }
    if request.method != "POST" {
        return Ok(None);
    }
    let vms = match word {
        "deallocate" | "start" | "restart" | "poweroff" | "redeploy" | "reimage" | "reimageall" | "manualupgrade"
        | "delete" | "performmaintenance" => chosen(cx, row, request)?,
        "setorchestrationservicestate"
        | "converttosingleplacementgroup"
        | "osrollingupgrade"
        | "extensionrollingupgrade" => Vec::new(),
        _ => return Ok(None),
    };
    match word {
        "deallocate" => power(cx, &vms, "deallocated"),
        "poweroff" => power(cx, &vms, "stopped"),
        "start" | "restart" | "redeploy" => power(cx, &vms, "running"),
        "manualupgrade" | "reimage" | "reimageall" => {
            for vm in &vms {
                upgrade(cx, row, vm);
            }
        }
        "delete" => {
            for vm in &vms {
                cx.store.remove_row(&vm.id);
                if let Some(now) = cx.store.row(&row.id) {
                    lower_capacity(cx, &now);
                }
            }
        }
        _ => {}
    }
    Ok(Some(started(cx, row, request, Outcome::empty(200))))
}

fn set_view(cx: &Cx<'_>, row: &Row) -> Value {
    let vms = of(cx, row);
    let time = row.text("/properties/timeCreated").unwrap_or_default();
    let mut summary = Vec::new();
    if !vms.is_empty() {
        summary.push(json!({ "code": "ProvisioningState/succeeded", "count": vms.len() }));
    }
    for state in ["running", "stopped", "deallocated"] {
        let count = vms.iter().filter(|vm| vm.hidden.get("power").and_then(Value::as_str) == Some(state)).count();
        if count > 0 {
            summary.push(json!({ "code": format!("PowerState/{state}"), "count": count }));
        }
    }
    json!({
        "virtualMachine": { "statusesSummary": summary },
        "statuses": [{ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": time }],
        "orchestrationServices": [],
    })
}

fn nic(row: &Row, vm: &Row) -> Value {
    let name = row
        .text("/properties/virtualMachineProfile/networkProfile/networkInterfaceConfigurations/0/name")
        .unwrap_or("nic");
    let id = format!("{}/virtualMachines/{}/networkInterfaces/{name}", row.id, vm.name);
    let subnet = addresses::subnet_of(&row.body);
    json!({
        "name": name, "id": id, "properties": {
            "provisioningState": "Succeeded", "primary": true, "virtualMachine": { "id": vm.id },
            "ipConfigurations": [{ "name": "ip", "id": format!("{id}/ipConfigurations/ip"), "properties": {
                "provisioningState": "Succeeded", "privateIPAddress": vm.hidden.get("address"),
                "privateIPAllocationMethod": "Dynamic", "primary": true, "privateIPAddressVersion": "IPv4",
                "subnet": { "id": subnet } } }],
        },
    })
}

impl Rule for Instance {
    fn merges(&self) -> bool {
        true
    }

    fn style(&self, _: bool) -> Style {
        Style::AsyncOperation
    }

    fn delete_style(&self) -> Style {
        Style::AsyncOperation
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        if put.old.is_none() {
            return Err(ArmError::bad(
                "InvalidParameter",
                format!(
                    "The provided instanceId {} is not an active Virtual Machine Scale Set VM instanceId.",
                    put.path.name()
                ),
            )
            .at("instanceId"));
        }
        Ok(())
    }

    fn deleted(&self, cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        if let Some(set) = Path::of(&row.id).parent().and_then(|set| cx.store.row(&set.id())) {
            lower_capacity(cx, &set);
        }
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        shown_instance(cx, row, request)
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        let me = vec![Arc::new(row.clone())];
        match (request.method.as_str(), word) {
            ("GET", "instanceview") => return Ok(Some(Reply::ok(view_of(row)))),
            ("POST", "start" | "restart" | "redeploy") => power(cx, &me, "running"),
            ("POST", "poweroff") => power(cx, &me, "stopped"),
            ("POST", "deallocate") => power(cx, &me, "deallocated"),
            ("POST", "reimage" | "reimageall") => {
                if let Some(set) = Path::of(&row.id).parent().and_then(|set| cx.store.row(&set.id())) {
                    upgrade(cx, &set, row);
                }
            }
            ("POST", "simulateeviction") => {
                power(cx, &me, "deallocated");
                return Ok(Some(Reply::empty(204)));
            }
            ("POST", "runcommand") => {
                let said = json!({ "value": [{ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
                    "message": "Nothing was run: this is the local endpoint, there is no machine." }] });
                return Ok(Some(started(cx, row, request, Outcome::ok(said))));
            }
            _ => return Ok(None),
        }
        Ok(Some(started(cx, row, request, Outcome::empty(200))))
    }
}
