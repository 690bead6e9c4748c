//! What a client says about machines (`POST /_local/machines`): their health, and extensions that fail.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::names::SCALE_SETS;
use crate::types::instances::health::{self, Health, Watcher};
use crate::types::instances::list::of;

fn invalid(message: impl Into<String>) -> ArmError {
    ArmError::bad("InvalidRequestContent", message)
}

/// Takes `{"set": ID, "machines": [NAME, …], "health": STATE, "when": "now"|"upgraded"}` or `{"set": ID, "machines": …,
/// "extension": NAME, "fails"|"says": MESSAGE|null}`, what its next runs fail with, or write when they succeed. Without
/// `machines` it is said of all machines of the set, and what is about the future of those to come as well. Gives the id of
/// the set.
///
/// # Errors
/// `InvalidRequestContent` for a set, a machine or a state that does not exist.
pub fn say(cx: &mut Cx<'_>, body: &Value) -> Result<String, ArmError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let id = text("set").ok_or_else(|| invalid("`set` is missing: the id of a scale set."))?;
    let set_row = cx.store.row(id).filter(|row| row.kind == SCALE_SETS);
    let set_row = set_row.ok_or_else(|| invalid(format!("There is no scale set '{id}'.")))?;
    let all = of(cx, &set_row);
    let named = body.get("machines").filter(|names| !names.is_null());
    let machines: Vec<Arc<Row>> = match named {
        None => all,
        Some(names) => {
            let names = names.as_array().ok_or_else(|| invalid("`machines` is not a list of names."))?;
            let find = |name: &Value| {
                let wanted = name.as_str().unwrap_or_default();
                let vm = all.iter().find(|vm| vm.name.eq_ignore_ascii_case(wanted)).cloned();
                vm.ok_or_else(|| invalid(format!("The set has no machine {name}.")))
            };
            names.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    match (text("health"), text("extension")) {
        (Some(state), None) => {
            let state = Health::named(state).ok_or_else(|| {
                invalid(format!("'{state}' is not a state: Healthy, Unhealthy, Unknown or Initializing."))
            })?;
            let upgraded = match text("when") {
                None | Some("now") => false,
                Some("upgraded") => true,
                Some(other) => return Err(invalid(format!("'{other}' is not a moment: now or upgraded."))),
            };
            say_health(cx, &set_row, &machines, state, upgraded)?;
            if upgraded && named.is_none() {
                let mut row = set_row.as_ref().clone();
                health::say(&mut row.hidden, state, true);
                cx.store.put_row(row);
            }
        }
        (None, Some(extension)) => {
            let key = if body.get("says").is_some() { "says" } else { "fails" };
            let message = body.get(key).cloned().unwrap_or_default();
            if !(message.is_string() || message.is_null()) {
                return Err(invalid(format!(
                    "`{key}` is not a message: a string, or null for an extension that says nothing."
                )));
            }
            let rows = if named.is_none() { vec![set_row.clone()] } else { machines };
            for row in rows {
                let mut row = row.as_ref().clone();
                if !row.hidden.is_object() {
                    row.hidden = json!({});
                }
                let hidden = row.hidden.as_object_mut().map(|map| map.entry(key).or_insert_with(|| json!({})));
                if let Some(map) = hidden.and_then(Value::as_object_mut) {
                    map.insert(extension.to_owned(), message.clone());
                }
                cx.store.put_row(row);
            }
        }
        _ => return Err(invalid("Either `health` or `extension` is to be given.")),
    }
    Ok(set_row.id.clone())
}

fn say_health(
    cx: &mut Cx<'_>,
    set_row: &Row,
    machines: &[Arc<Row>],
    state: Health,
    upgraded: bool,
) -> Result<(), ArmError> {
    for vm in machines {
        let watcher = health::watcher_of(set_row, vm);
        if watcher.is_none() && !upgraded {
            return Err(invalid(format!(
                "Nothing watches the health of machine '{}': its model has no application health extension and no probe.",
                vm.name
            )));
        }
        if watcher == Some(Watcher::Binary) && !state.is_binary() {
            return Err(invalid(format!(
                "Machine '{}' is Healthy or Unhealthy: other states need version 2.0 of the application health extension.",
                vm.name
            )));
        }
        let mut new = vm.as_ref().clone();
        health::say(&mut new.hidden, state, upgraded);
        cx.store.put_row(new);
    }
    Ok(())
}
