//! Two bodies → the delta of a what-if: paths, kinds of change, children of arrays.

use serde_json::{Map, Value, json};

use arm_catalog::ListKey;

/// Body with its keys in alphabetical order and without empty objects, as what-if shows them.
#[must_use]
pub fn tidy(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let mut out = Map::new();
            for key in keys {
                let Some(inner) = map.get(key).map(tidy) else { continue };
                if !inner.is_null() && !inner.as_object().is_some_and(Map::is_empty) {
                    out.insert(key.clone(), inner);
                }
            }
            Value::Object(out)
        }
        Value::Array(list) => list.iter().map(tidy).collect(),
        other => other.clone(),
    }
}

/// The changes that turn `before` into `after`, both tidied, for a resource of type `kind`.
#[must_use]
pub fn delta(kind: &str, before: &Value, after: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    objects(kind, "", "", before, after, &mut out);
    out
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn objects(kind: &str, pointer: &str, path: &str, before: &Value, after: &Value, out: &mut Vec<Value>) {
    let empty = Map::new();
    let (old, new) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut keys: Vec<&String> =
        old.keys().chain(new.keys().filter(|key| !old.keys().any(|have| have.eq_ignore_ascii_case(key)))).collect();
    keys.sort();
    for key in keys {
        let same_key = |map: &'_ Map<String, Value>| {
            map.iter().find(|(have, _)| have.eq_ignore_ascii_case(key)).map(|(_, value)| value.clone())
        };
        let inner = format!("{pointer}/{key}");
        let label = join(path, key);
        match (same_key(old), same_key(new)) {
            (Some(before), Some(after)) => values(kind, &inner, &label, &before, &after, out),
            (Some(before), None) => {
                out.push(json!({ "path": label, "propertyChangeType": "Delete", "before": before }))
            }
            (None, Some(after)) => out.push(json!({ "path": label, "propertyChangeType": "Create", "after": after })),
            (None, None) => {}
        }
    }
}

fn values(kind: &str, pointer: &str, path: &str, before: &Value, after: &Value, out: &mut Vec<Value>) {
    if same(kind, pointer, before, after) {
        return;
    }
    match (before, after) {
        (Value::Object(_), Value::Object(_)) => objects(kind, pointer, path, before, after, out),
        (Value::Array(old), Value::Array(new)) => {
            let children = elements(kind, pointer, old, new);
            if !children.is_empty() {
                out.push(json!({ "path": path, "propertyChangeType": "Array", "children": children }));
            }
        }
        _ => out.push(json!({ "path": path, "propertyChangeType": "Modify", "before": before, "after": after })),
    }
}

/// Whether two values mean the same: case where it means nothing, `"1"` and `1` where capacities are texts.
fn same(kind: &str, pointer: &str, before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::String(a), Value::String(b)) => {
            a == b
                || (pointer == "/location" && crate::names::location(a) == crate::names::location(b))
                || (a.eq_ignore_ascii_case(b) && arm_catalog::is_case_insensitive(kind, pointer))
                || (a.starts_with('/') && a.eq_ignore_ascii_case(b))
        }
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            *text == number.to_string()
        }
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => before == after,
    }
}

fn elements(kind: &str, pointer: &str, old: &[Value], new: &[Value]) -> Vec<Value> {
    let key = match arm_catalog::list_key(kind, pointer) {
        ListKey::By(key) => Some(key),
        _ => ["name", "id"].into_iter().find(|key| old.iter().chain(new).all(|item| item.get(key).is_some())),
    };
    let name = |item: &Value| -> Option<String> { item.get(key?).map(|value| value.to_string().to_lowercase()) };
    let mut taken = vec![false; new.len()];
    let mut pairs: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, item) in old.iter().enumerate() {
        let twin = new.iter().enumerate().position(|(to, other)| {
            let free = taken.get(to) == Some(&false);
            let alike = match (name(item), name(other)) {
                (Some(a), Some(b)) => a == b,
                _ => deep_same(kind, &format!("{pointer}/{at}"), item, other),
            };
            free && alike
        });
        if let Some(slot) = twin.and_then(|to| taken.get_mut(to)) {
            *slot = true;
        }
        pairs.push((at, twin));
    }
    // objects without a name of their own: what is left on both sides at the same place belongs together
    for (at, twin) in &mut pairs {
        let both = old.get(*at).is_some_and(Value::is_object) && new.get(*at).is_some_and(Value::is_object);
        if twin.is_none() && key.is_none() && both && taken.get(*at) == Some(&false) {
            *twin = Some(*at);
            if let Some(slot) = taken.get_mut(*at) {
                *slot = true;
            }
        }
    }
    let mut out: Vec<(usize, u8, Value)> = Vec::new();
    for (at, twin) in pairs {
        let Some(before) = old.get(at) else { continue };
        match twin.and_then(|to| new.get(to)) {
            None => {
                out.push((at, 0, json!({ "path": at.to_string(), "propertyChangeType": "Delete", "before": before })))
            }
            Some(after) => {
                let mut inner = Vec::new();
                match (before, after) {
                    (Value::Object(_), Value::Object(_)) => {
                        objects(kind, &format!("{pointer}/{at}"), "", before, after, &mut inner)
                    }
                    (Value::Array(a), Value::Array(b)) => inner = elements(kind, &format!("{pointer}/{at}"), a, b),
                    _ => {}
                }
                if !inner.is_empty() {
                    out.push((
                        at,
                        1,
                        json!({ "path": at.to_string(), "propertyChangeType": "Modify", "children": inner }),
                    ));
                }
            }
        }
    }
    for (to, after) in new.iter().enumerate() {
        if taken.get(to) == Some(&false) {
            out.push((to, 2, json!({ "path": to.to_string(), "propertyChangeType": "Create", "after": after })));
        }
    }
    out.sort_by_key(|(at, order, _)| (*at, *order));
    out.into_iter().map(|(_, _, change)| change).collect()
}

fn deep_same(kind: &str, pointer: &str, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(_), Value::Object(_)) => {
            let mut out = Vec::new();
            objects(kind, pointer, "", a, b, &mut out);
            out.is_empty()
        }
        (Value::Array(x), Value::Array(y)) => elements(kind, pointer, x, y).is_empty(),
        _ => same(kind, pointer, a, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    const VNET: &str = "Microsoft.Network/virtualNetworks";

    #[test]
    fn the_documented_pair_gives_the_documented_delta() {
        // what the documentation of what-if prints for its sample: an owner tag goes, a prefix changes, a subnet goes
        let before = json!({ "tags": { "CostCenter": "12345", "Owner": "Team A" }, "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": [
                { "name": "subnet001", "properties": { "addressPrefix": "10.0.0.0/24" } },
                { "name": "subnet002", "properties": { "addressPrefix": "10.0.1.0/24" } }] } });
        let after = json!({ "tags": { "CostCenter": "12345" }, "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/15"] }, "subnets": [{ "name": "subnet002", "properties": { "addressPrefix": "10.0.1.0/24" } }] } });
        assert_eq!(
            delta(VNET, &before, &after),
            [
                json!({ "path": "properties.addressSpace.addressPrefixes", "propertyChangeType": "Array", "children": [
                { "path": "0", "propertyChangeType": "Delete", "before": "10.0.0.0/16" },
                { "path": "0", "propertyChangeType": "Create", "after": "10.0.0.0/15" }] }),
                json!({ "path": "properties.subnets", "propertyChangeType": "Array", "children": [
                { "path": "0", "propertyChangeType": "Delete", "before": { "name": "subnet001", "properties": { "addressPrefix": "10.0.0.0/24" } } }] }),
                json!({ "path": "tags.Owner", "propertyChangeType": "Delete", "before": "Team A" }),
            ]
        );
    }

    #[test]
    fn a_recorded_modification_of_a_storage_account() {
        let body = |sku: &str| json!({ "kind": "StorageV2", "sku": { "name": sku } });
        assert_eq!(
            delta("Microsoft.Storage/storageAccounts", &body("Standard_LRS"), &body("Standard_GRS")),
            [
                json!({ "path": "sku.name", "propertyChangeType": "Modify", "before": "Standard_LRS", "after": "Standard_GRS" })
            ]
        );
    }

    #[test]
    fn elements_of_objects_are_modified_in_place_and_case_of_ids_means_nothing() {
        let subnet = |prefix: &str| json!({ "properties": { "subnets": [{ "name": "a", "properties": { "addressPrefix": prefix, "nsg": { "id": "/x" } } }] } });
        let mut other = subnet("10.0.2.0/24");
        value::set(&mut other, "/location", json!("West Europe"));
        let mut before = subnet("10.0.1.0/24");
        value::set(&mut before, "/location", json!("westeurope"));
        assert_eq!(
            delta(VNET, &before, &other),
            [json!({ "path": "properties.subnets", "propertyChangeType": "Array", "children": [
            { "path": "0", "propertyChangeType": "Modify", "children": [
                { "path": "properties.addressPrefix", "propertyChangeType": "Modify", "before": "10.0.1.0/24", "after": "10.0.2.0/24" }] }] })]
        );
        let id = |text: &str| json!({ "properties": { "x": { "id": text } } });
        assert!(delta(VNET, &id("/Subscriptions/S"), &id("/subscriptions/s")).is_empty());
    }

    #[test]
    fn what_is_empty_is_not_shown() {
        assert_eq!(
            tidy(&json!({ "b": {}, "a": null, "c": [], "d": { "z": 1, "e": { "f": {} } } })),
            json!({ "c": [], "d": { "z": 1 } })
        );
    }
}
