//! The model of a scale set, and what of it has reached a machine.
//!
//! Two things have to be told apart: the model that a machine has (an upgrade brings it), and the model that its OS disk was
//! made from (a new disk brings it: a new machine, a reimage, a new image). `customData`, the user and the keys are on the
//! disk. So the machine keeps the ids of two models, and the set keeps the models that its machines have.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::documents::Row;
use crate::types::instances::images;
use crate::value::set;

/// What an upgrade to another model does to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It goes on running: extensions, disks, applications, notification.
    Running,
    /// It restarts, and its temporary disk is empty: another size.
    Restart,
    /// Its OS disk is made again from the image: another image, another security type, another size of a machine whose OS
    /// disk is ephemeral.
    NewDisk,
}

/// The first 32 hexadecimal digits of a SHA-256.
#[must_use]
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Keys in order, so that equal values have equal texts.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| key.as_str());
            keys.into_iter().map(|(key, value)| (key.clone(), ordered(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(list) => list.iter().map(ordered).collect(),
        other => other.clone(),
    }
}

/// Remembers digests of what a body says and no answer shows: `customData`, the password, protected settings. What the
/// client leaves out stays. `salt` keeps a short password from being guessed.
pub fn remember_secrets(hidden: &mut Value, profile: &Value, salt: &str) {
    if !hidden.is_object() {
        *hidden = json!({});
    }
    let mut keep = |key: &str, value: Option<&Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            let text = value.as_str().map_or_else(|| ordered(value).to_string(), str::to_owned);
            set(hidden, &format!("/secrets/{key}"), json!(digest(&format!("{salt}{text}"))));
        }
    };
    keep("adminPassword", profile.pointer("/osProfile/adminPassword"));
    keep("userData", profile.get("userData"));
    for extension in profile.pointer("/extensionProfile/extensions").and_then(Value::as_array).into_iter().flatten() {
        let name = extension.get("name").and_then(Value::as_str).unwrap_or_default();
        keep(&secret_name(name), extension.pointer("/properties/protectedSettings"));
    }
    if let Some(data) = profile.pointer("/osProfile/customData").and_then(Value::as_str) {
        set(hidden, "/secrets/customData", json!(digest(data)));
    }
}

/// The model that a set has now, `{size, profile, secrets}`.
#[must_use]
pub fn of(row: &Row) -> Value {
    let mut profile = row.at("/properties/virtualMachineProfile").cloned().unwrap_or_default();
    if let Some(map) = profile.as_object_mut() {
        map.shift_remove("timeCreated");
    }
    json!({ "size": row.text("/sku/name"), "profile": ordered(&profile), "secrets": row.hidden.get("secrets") })
}

/// The id of a model: equal models have equal ids.
#[must_use]
pub fn id(model: &Value) -> String {
    digest(&ordered(model).to_string())
}

/// The id of the model that a machine has.
#[must_use]
pub fn of_machine(vm: &Row) -> &str {
    vm.hidden.get("model").and_then(Value::as_str).unwrap_or_default()
}

/// The id of the model that a machine's OS disk was made from.
#[must_use]
pub fn of_disk(vm: &Row) -> &str {
    vm.hidden.get("disk").and_then(Value::as_str).unwrap_or_default()
}

/// Keeps a set's present model among those of its machines; gives its id. Models that no machine has any more go.
pub fn keep(set_row: &mut Row, machines: &[std::sync::Arc<Row>]) -> String {
    let model = of(set_row);
    let id = id(&model);
    if !set_row.hidden.is_object() {
        set_row.hidden = json!({});
    }
    set(&mut set_row.hidden, &format!("/models/{id}"), model);
    set(&mut set_row.hidden, "/current", json!(id));
    if let Some(models) = set_row.hidden.get_mut("models").and_then(Value::as_object_mut) {
        models.retain(|have, _| *have == id || machines.iter().any(|vm| of_machine(vm) == have || of_disk(vm) == have));
    }
    id
}

/// A model by its id, `null` when the set has no machine with it.
#[must_use]
pub fn get<'r>(set_row: &'r Row, id: &str) -> &'r Value {
    set_row.hidden.get("models").and_then(|models| models.get(id)).unwrap_or(&Value::Null)
}

/// What a machine with one model goes through when it gets another.
#[must_use]
pub fn effect(old: &Value, new: &Value) -> Effect {
    let differs = |pointer: &str| old.pointer(pointer) != new.pointer(pointer);
    let ephemeral =
        new.pointer("/profile/storageProfile/osDisk/diffDiskSettings").is_some_and(|value| !value.is_null());
    if differs("/profile/storageProfile/imageReference")
        || differs("/profile/securityProfile/securityType")
        || (differs("/size") && ephemeral)
    {
        Effect::NewDisk
    } else if differs("/size") {
        Effect::Restart
    } else {
        Effect::Running
    }
}

/// The key of an extension's protected settings among the secrets of a model.
#[must_use]
pub fn secret_name(extension: &str) -> String {
    format!("extension:{}", extension.replace(['/', '~'], "-"))
}

/// A digest of an extension's configuration in a model, protected settings included.
#[must_use]
pub fn extension_digest(model: &Value, extension: &Value) -> String {
    let name = extension.get("name").and_then(Value::as_str).unwrap_or_default();
    let secret = model.get("secrets").and_then(|secrets| secrets.get(secret_name(name)));
    digest(&format!("{}{}", ordered(extension), secret.unwrap_or(&Value::Null)))
}

/// The parts that a machine of a set carries by name: those of its two models, and what a reimage gave its OS disk instead.
#[must_use]
pub fn of_vm(set_row: &Row, vm: &Row) -> Map<String, Value> {
    let mut out = carried(get(set_row, of_machine(vm)), get(set_row, of_disk(vm)));
    let own = vm.hidden.get("own").and_then(Value::as_object);
    for (key, value) in own.into_iter().flatten() {
        match (key.as_str(), out.get_mut("image")) {
            ("exactVersion", Some(image)) if image.is_object() => set(image, "/exactVersion", value.clone()),
            ("exactVersion", _) => {}
            _ => drop(out.insert(key.clone(), value.clone())),
        }
    }
    out
}

/// The parts of a model by name, as a machine carries them: those that arrive with the model from `model`, those that are on
/// the OS disk from `disk`.
fn carried(model: &Value, disk: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |key: &str, value: Option<Value>| drop(out.insert(key.to_owned(), value.unwrap_or_default()));
    put("size", model.get("size").cloned());
    let extensions = model.pointer("/profile/extensionProfile/extensions").and_then(Value::as_array);
    let extensions: Map<String, Value> = extensions
        .into_iter()
        .flatten()
        .map(|extension| {
            let name = extension.get("name").and_then(Value::as_str).unwrap_or_default();
            (name.to_owned(), json!(extension_digest(model, extension)))
        })
        .collect();
    put("extensions", Some(Value::Object(extensions)));
    put("userData", model.pointer("/secrets/userData").cloned());
    let rest = [
        "networkProfile",
        "storageProfile/dataDisks",
        "applicationProfile",
        "scheduledEventsProfile",
        "securityProfile",
    ];
    for part in rest {
        let name = part.rsplit('/').next().unwrap_or(part);
        let value = model.pointer(&format!("/profile/{part}")).filter(|value| !value.is_null());
        put(name, value.map(|value| json!(digest(&value.to_string()))));
    }
    put("image", disk.pointer("/profile/storageProfile/imageReference").map(images::with_exact_version));
    put("customData", disk.pointer("/secrets/customData").cloned());
    put("adminUsername", disk.pointer("/profile/osProfile/adminUsername").cloned());
    put("adminPassword", disk.pointer("/secrets/adminPassword").cloned());
    let keys = disk.pointer("/profile/osProfile/linuxConfiguration/ssh/publicKeys").and_then(Value::as_array);
    let keys = keys.into_iter().flatten().filter_map(|key| key.get("keyData")?.as_str());
    put("sshKeys", Some(keys.map(|key| json!(digest(key))).collect()));
    out
}

/// Names of the parts of the set's model that a machine does not carry yet.
#[must_use]
pub fn pending(set_row: &Row, vm: &Row) -> Vec<String> {
    let now = of(set_row);
    let wanted = carried(&now, &now);
    let have = of_vm(set_row, vm);
    wanted.iter().filter(|(key, value)| have.get(key.as_str()) != Some(value)).map(|(key, _)| key.clone()).collect()
}

/// The id of the model that a set has now, as it was when its machines were last looked at.
#[must_use]
pub fn current(set_row: &Row) -> &str {
    set_row.hidden.get("current").and_then(Value::as_str).unwrap_or_default()
}
