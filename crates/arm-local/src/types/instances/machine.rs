//! `Microsoft.Compute/virtualMachines` as a client or a template writes one, and extensions of machines.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::lro::Style;
use crate::providers;
use crate::rule::{Rule, WriteContext};
use crate::types::instances::{action, model, parts, view};
use crate::types::{profile, refs, security};
use crate::value::set;

/// The rules of virtual machines that a client or a template writes.
pub struct Machine;

/// An extension or a run command of a machine: protected settings are never shown.
pub struct Extension;

impl Rule for Machine {
    fn needs_location(&self) -> bool {
        true
    }

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
        security::identity(put)?;
        if let Some(data) = put.text("/properties/osProfile/customData") {
            profile::check_custom_data(data)?;
        }
        providers::check_encryption_at_host(put.cx, put.path, put.sent.get("properties"))?;
        keep_custom_data(put)?;
        let location = put.text("/location").map(crate::names::location).unwrap_or_default();
        let own = put.path.id();
        if put.old.as_ref().is_none_or(|old| !parts::came_with_set(old)) {
            refs::check(put.cx, &own, &location, &put.body)?;
        }
        if put.at("/properties").is_none() {
            put.set("/properties", json!({}));
        }
        let unique = put.cx.unique();
        let now = put.cx.now.to_string();
        put.default("/properties/vmId", json!(unique));
        put.default("/properties/timeCreated", json!(now));
        let windows = parts::is_windows(put.body.get("properties").unwrap_or(&Value::Null));
        profile::fill_os(&mut put.body, "/properties", windows, true, put.api_version);
        if put.at("/properties/storageProfile").is_some() {
            let name = put.path.name().to_owned();
            let disk = format!("{name}_OsDisk_1_{}", unique.replace('-', ""));
            let scope = put.path.scope.clone();
            if let Some(properties) = put.body.get_mut("properties") {
                parts::describe_disks(put.cx, properties);
                parts::fill_storage(properties, &scope, &name, &disk, "Detach");
            }
        }
        profile::strip_secrets(&mut put.body, "/properties");
        put.set("/properties/provisioningState", json!("Succeeded"));
        Ok(())
    }

    fn written(&self, cx: &mut Cx<'_>, row: &Row, old: Option<&Row>) -> Result<(), ArmError> {
        let size = |row: &Row| row.text("/properties/hardwareProfile/vmSize").map(str::to_lowercase);
        let mut new = row.clone();
        if !new.hidden.is_object() {
            new.hidden = json!({ "power": "running" });
        }
        if let Some(old) = old
            && size(old) != size(row)
            && view::power_of(old) == "running"
        {
            let count = new.hidden.get("restarts").and_then(Value::as_i64).unwrap_or(0);
            set(&mut new.hidden, "/restarts", json!(count + 1));
        }
        let row = cx.store.put_row(new);
        parts::attach_disks(cx, &row, old, None);
        parts::attach_interfaces(cx, &row, old);
        if old.is_none()
            && let Some(set_row) = view::set_of(cx, &row)
        {
            action::change_capacity(cx, &set_row, 1);
        }
        Ok(())
    }

    fn deleted(&self, cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
        parts::release_all(cx, row);
        // a machine of a flexible set takes its place in the capacity with it
        if let Some(set_row) = view::set_of(cx, row) {
            action::lower_capacity(cx, &set_row);
        }
        Ok(())
    }

    fn shown(&self, cx: &Cx<'_>, row: &Row, request: &Request) -> Value {
        view::shown(cx, row, request)
    }

    fn action(&self, cx: &mut Cx<'_>, row: &Row, word: &str, request: &Request) -> Result<Option<Reply>, ArmError> {
        action::of_machine(cx, row, word, request)
    }
}

/// First-boot data is given once; the same again changes nothing. Only a digest of it is kept.
fn keep_custom_data(put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
    let Some(data) = put.sent.pointer("/properties/osProfile/customData").and_then(Value::as_str) else {
        return Ok(());
    };
    let digest = json!(model::digest(data));
    if put.old.as_ref().is_some_and(|old| old.hidden.get("customData") != Some(&digest)) {
        return Err(ArmError::conflict(
            "PropertyChangeNotAllowed",
            "Changing property 'osProfile.customData' is not allowed.",
        )
        .at("osProfile.customData"));
    }
    if !put.hidden.is_object() {
        put.hidden = json!({ "power": "running" });
    }
    set(&mut put.hidden, "/customData", digest);
    Ok(())
}

impl Rule for Extension {
    fn merges(&self) -> bool {
        false
    }

    fn style(&self, _: bool) -> Style {
        Style::AsyncOperation
    }

    fn delete_style(&self) -> Style {
        Style::AsyncOperation
    }

    fn prepare(&self, put: &mut WriteContext<'_, '_>) -> Result<(), ArmError> {
        if let Some(map) = put.body.get_mut("properties").and_then(Value::as_object_mut) {
            for secret in ["protectedSettings", "protectedParameters", "runAsPassword"] {
                map.shift_remove(secret);
            }
        }
        put.set("/properties/provisioningState", json!("Succeeded"));
        Ok(())
    }
}
