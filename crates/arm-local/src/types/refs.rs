//! References between resources: does the target exist, and who uses it.

use serde_json::Value;

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::id::{Path, key};
use crate::lookup;

/// Refuses `{"id": …}` references to network and compute resources that are not there or are in another region.
///
/// # Errors
/// The error code `InvalidResourceReference` of Azure.
pub fn check(cx: &Cx<'_>, own: &str, location: &str, body: &Value) -> Result<(), ArmError> {
    let mut found = Vec::new();
    collect(body, &mut found);
    let own_key = key(own);
    for id in found {
        let path = Path::of(id);
        let kind = path.resource_type().to_lowercase();
        let checked = kind.starts_with("microsoft.network/")
            || matches!(
                kind.as_str(),
                "microsoft.compute/proximityplacementgroups" | "microsoft.compute/availabilitysets"
            );
        if !checked || !path.is_resource() {
            continue;
        }
        let target = key(id);
        if target == own_key {
            continue;
        }
        let inside = target.starts_with(&format!("{own_key}/"));
        let there = if inside { inner(body, &path) } else { lookup::exists(cx, id) };
        let elsewhere = !inside && there && {
            let holder = root(cx, &path);
            holder.is_some_and(|row| !row.location().is_empty() && row.location() != location)
        };
        if !there || elsewhere {
            return Err(ArmError::bad(
                "InvalidResourceReference",
                format!(
                    "Resource {id} referenced by resource {own} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region."
                ),
            ));
        }
    }
    Ok(())
}

/// The row that holds a path: itself, or the parent it is embedded in.
fn root(cx: &Cx<'_>, path: &Path) -> Option<std::sync::Arc<Row>> {
    let mut at = Some(path.clone());
    while let Some(path) = at {
        if let Some(row) = cx.store.row(&path.id()) {
            return Some(row);
        }
        at = path.parent();
    }
    None
}

/// Whether a body has a child of the given name in the array that its type segment names.
fn inner(body: &Value, path: &Path) -> bool {
    let Some(list) = body
        .get("properties")
        .and_then(Value::as_object)
        .and_then(|map| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(path.last_type())))
        .and_then(|(_, list)| list.as_array())
    else {
        return false;
    };
    list.iter()
        .any(|item| item.get("name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(path.name())))
}

fn collect<'v>(value: &'v Value, out: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if name == "id" && text.starts_with('/') => out.push(text),
                    other => collect(other, out),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, out)),
        _ => {}
    }
}

/// Whether a body mentions an id or anything below it.
#[must_use]
pub fn mentions(value: &Value, target: &str) -> bool {
    match value {
        Value::Object(map) => map.values().any(|inner| mentions(inner, target)),
        Value::Array(list) => list.iter().any(|inner| mentions(inner, target)),
        Value::String(text) if text.starts_with('/') && text.len() >= target.len() => {
            let text = text.to_lowercase();
            text == target || text.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
        }
        _ => false,
    }
}

/// The first resource outside `id` that mentions it, among those whose kind passes `among`.
#[must_use]
pub fn user(cx: &Cx<'_>, id: &str, among: impl Fn(&str) -> bool) -> Option<String> {
    let target = key(id);
    let below = format!("{target}/");
    cx.store
        .rows()
        .filter(|row| among(&row.kind))
        .filter(|row| {
            let have = key(&row.id);
            have != target && !have.starts_with(&below)
        })
        .find(|row| row.body.get("properties").is_some_and(|properties| mentions(properties, &target)))
        .map(|row| row.id.clone())
}
