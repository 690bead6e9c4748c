//! Reading and changing JSON values by pointer.

use serde_json::{Value, json};

/// `/properties/sku/name` as `properties.sku.name`, `properties` left out as Azure's messages do.
#[must_use]
pub fn dotted(pointer: &str) -> String {
    let text = pointer.trim_start_matches('/').replace('/', ".");
    text.strip_prefix("properties.").map_or(text.clone(), str::to_owned)
}

/// Sets the value at a pointer of object keys, making the objects on the way.
pub fn set(value: &mut Value, pointer: &str, new: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    let mut at = value;
    for part in parent.split('/').filter(|part| !part.is_empty()) {
        if !at.is_object() {
            *at = json!({});
        }
        let Value::Object(map) = at else { return };
        at = map.entry(part.to_owned()).or_insert_with(|| json!({}));
    }
    if !at.is_object() {
        *at = json!({});
    }
    if let Value::Object(map) = at {
        map.insert(last.to_owned(), new);
    }
}

/// Sets the value at a pointer when there is none.
pub fn set_default(value: &mut Value, pointer: &str, new: Value) {
    if value.pointer(pointer).is_none_or(Value::is_null) {
        set(value, pointer, new);
    }
}

/// Merges like JSON merge patch: objects deeply, everything else replaced, `null` removes.
pub fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                let have = into.keys().find(|have| have.eq_ignore_ascii_case(key)).cloned();
                match (have, value) {
                    (Some(have), Value::Null) => drop(into.shift_remove(&have)),
                    (None, Value::Null) => {}
                    (Some(have), value) => {
                        if let Some(slot) = into.get_mut(&have) {
                            merge(slot, value);
                        }
                    }
                    (None, value) => drop(into.insert(key.clone(), value.clone())),
                }
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// A number that may be written as a string, as capacities are.
#[must_use]
pub fn whole(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}
