//! Extensions of machines in sets: when they run, with what, and what came of it. Nothing is run: an extension succeeds
//! unless `POST /_local/machines` says that it fails.
//!
//! An extension runs when the machine is made, when its OS disk is made again, and when an upgrade brings another
//! configuration of it (<https://learn.microsoft.com/azure/virtual-machines/extensions/custom-script-linux>).

use serde_json::{Map, Value, json};

use crate::documents::Row;
use crate::error::ArmError;
use crate::types::instances::model;

/// The extensions of a machine's model, by name and in the order in which they run: after those that they name in
/// `provisionAfterExtensions`.
fn in_order(model: &Value) -> Vec<&Value> {
    let list = model.pointer("/profile/extensionProfile/extensions").and_then(Value::as_array);
    let mut left: Vec<&Value> = list.into_iter().flatten().collect();
    let mut out: Vec<&Value> = Vec::new();
    while !left.is_empty() {
        let ready =
            left.iter().position(|extension| after(extension).all(|name| out.iter().any(|done| name_of(done) == name)));
        // a name that is not there, or a circle: in the order of the list
        out.push(left.remove(ready.unwrap_or(0)));
    }
    out
}

fn after(extension: &Value) -> impl Iterator<Item = &str> {
    let names = extension.pointer("/properties/provisionAfterExtensions").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

fn name_of(extension: &Value) -> &str {
    extension.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// What a client said that an extension will write: of this machine, or of all machines of the set.
fn told<'r>(set_row: &'r Row, vm: &'r Row, key: &str, name: &str) -> Option<&'r str> {
    let of = |row: &'r Row| row.hidden.get(key)?.get(name)?.as_str();
    of(vm).or_else(|| of(set_row))
}

/// Runs the extensions of the model that a machine has: those whose configuration it did not have yet, or (`all`) each.
/// The machine is `Failed` afterwards when one of them failed, unless its failures are suppressed.
pub fn run(set_row: &Row, vm: &mut Row, all: bool, now: &str) {
    let model = model::get(set_row, model::of_machine(vm));
    let before = vm.hidden.get("extensions").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut now_have = Map::new();
    let mut failed = false;
    for extension in in_order(model) {
        let name = name_of(extension);
        let digest = model::extension_digest(model, extension);
        let old = before.get(name);
        let same = old.and_then(|old| old.get("digest")).and_then(Value::as_str) == Some(digest.as_str());
        let entry = match old {
            Some(old) if same && !all => old.clone(),
            _ => {
                let stopped = after(extension).find(|name| error_of(now_have.get(*name)).is_some());
                let error = match stopped {
                    // https://github.com/Azure/WALinuxAgent azurelinuxagent/ga/exthandlers.py
                    Some(first) => Some(format!(
                        "Skipping processing of extensions since execution of dependent extension {first} failed"
                    )),
                    None => told(set_row, vm, "fails", name).map(str::to_owned),
                };
                let runs = old.and_then(|old| old.get("runs")).and_then(Value::as_i64).unwrap_or(0);
                let properties = extension.get("properties").cloned().unwrap_or_default();
                let secret = model.pointer("/secrets").and_then(|secrets| secrets.get(model::secret_name(name)));
                let said = error.is_none().then(|| told(set_row, vm, "says", name)).flatten();
                json!({ "digest": digest, "runs": runs + i64::from(stopped.is_none()), "time": now, "error": error, "said": said,
                    "properties": properties, "protectedSettings": secret })
            }
        };
        let suppressed = extension.pointer("/properties/suppressFailures") == Some(&json!(true));
        failed |= error_of(Some(&entry)).is_some() && !suppressed;
        now_have.insert(name.to_owned(), entry);
    }
    if !vm.hidden.is_object() {
        vm.hidden = json!({});
    }
    if let Some(hidden) = vm.hidden.as_object_mut() {
        hidden.insert("extensions".into(), Value::Object(now_have));
    }
    let state = if failed { "Failed" } else { "Succeeded" };
    crate::value::set(&mut vm.body, "/properties/provisioningState", json!(state));
}

fn error_of(entry: Option<&Value>) -> Option<&str> {
    entry?.get("error")?.as_str()
}

fn entries(vm: &Row) -> impl Iterator<Item = (&String, &Value)> {
    vm.hidden.get("extensions").and_then(Value::as_object).into_iter().flatten()
}

/// How often the extensions of a machine have run, all together.
#[must_use]
pub fn count(vm: &Row) -> i64 {
    entries(vm).filter_map(|(_, entry)| entry.get("runs")?.as_i64()).sum()
}

/// The state and message of one extension of a machine, as instance views show it.
#[must_use]
pub fn status(vm: &Row, name: &str) -> Option<Value> {
    let (_, entry) = entries(vm).find(|(have, _)| have.eq_ignore_ascii_case(name))?;
    let time = entry.get("time");
    Some(match error_of(Some(entry)) {
        None => {
            let mut status = json!({ "code": "ProvisioningState/succeeded", "level": "Info",
                "displayStatus": "Provisioning succeeded", "time": time });
            if let Some(said) = entry.get("said").filter(|said| said.is_string()) {
                crate::value::set(&mut status, "/message", said.clone());
            }
            status
        }
        // https://learn.microsoft.com/azure/virtual-machines/extensions/custom-script-linux shows this code
        Some(message) => {
            json!({ "code": "ProvisioningState/failed/0", "level": "Error", "displayStatus": "Provisioning failed",
            "message": message, "time": time })
        }
    })
}

/// Whether a machine has run an extension as the present model of its set configures it.
#[must_use]
pub fn is_current(set_row: &Row, vm: &Row, name: &str) -> bool {
    let model = model::get(set_row, model::current(set_row));
    let Some(extension) = in_order(model).into_iter().find(|one| name_of(one).eq_ignore_ascii_case(name)) else {
        return false;
    };
    let digest = model::extension_digest(model, extension);
    let entry = entries(vm).find(|(have, _)| have.eq_ignore_ascii_case(name));
    entry.is_some_and(|(_, entry)| entry.get("digest").and_then(Value::as_str) == Some(digest.as_str()))
}

/// `extensions` of an instance view of a machine in a uniform set.
#[must_use]
pub fn views(vm: &Row) -> Vec<Value> {
    let view = |(name, entry): (&String, &Value)| {
        let text = |key: &str| entry.pointer(&format!("/properties/{key}")).and_then(Value::as_str).unwrap_or_default();
        json!({ "name": name, "type": format!("{}.{}", text("publisher"), text("type")),
            "typeHandlerVersion": text("typeHandlerVersion"), "statuses": [status(vm, name)] })
    };
    entries(vm).map(view).collect()
}

/// What each extension of a machine last got, for `GET /_local/machines`; protected settings as a digest.
#[must_use]
pub fn carried(vm: &Row) -> Value {
    let one = |(name, entry): (&String, &Value)| {
        let property = |key: &str| entry.pointer(&format!("/properties/{key}"));
        let shown = json!({
            "publisher": property("publisher"), "type": property("type"),
            "typeHandlerVersion": property("typeHandlerVersion"), "settings": property("settings"),
            "forceUpdateTag": property("forceUpdateTag"), "protectedSettings": entry.get("protectedSettings"),
            "digest": entry.get("digest"), "runs": entry.get("runs"), "time": entry.get("time"), "error": entry.get("error"),
        });
        (name.clone(), shown)
    };
    Value::Object(entries(vm).map(one).collect())
}

/// The error that an operation on machines ends in when an extension of one of them failed. Code and message:
/// <https://github.com/Azure/custom-script-extension-linux/issues/107>.
#[must_use]
pub fn failure<'r>(machines: impl IntoIterator<Item = &'r Row>) -> Option<ArmError> {
    let failed = machines.into_iter().filter(|vm| vm.text("/properties/provisioningState") == Some("Failed"));
    let (name, message) =
        failed.flat_map(|vm| entries(vm).filter_map(|(name, entry)| Some((name, error_of(Some(entry))?)))).next()?;
    Some(ArmError::conflict(
        "VMExtensionProvisioningError",
        format!("VM has reported a failure when processing extension '{name}'. Error message: \"{message}\"."),
    ))
}
