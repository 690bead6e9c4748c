//! Resources that live inside their parent's body: a PUT of the child and a PUT of the parent see the same array.

use std::sync::Arc;

use serde_json::{Value, json};

use super::row::{self, Deleted, check_allowed};
use crate::core::Cx;
use crate::documents::{LongRunning, Outcome, Row};
use crate::error::ArmError;
use crate::guards::{LockScope, check_locks};
use crate::id::Path;
use crate::lookup::{ChildPlace, named, not_found, parent_row};
use crate::lro::Style;
use crate::rule::{Write, Written};
use crate::types::shape::{self, Stage};
use crate::value::{merge, set, set_default};
use crate::{lro, types};

/// The parent's body with the child written into it.
///
/// # Errors
/// When the parent is not there.
pub fn with_child(cx: &Cx<'_>, write: &Write, place: &ChildPlace) -> Result<(Write, bool), ArmError> {
    let parent = write.path.parent().unwrap_or_default();
    let row = cx.store.row(&parent.id()).ok_or_else(|| not_found(&parent))?;
    let mut child = json!({ "name": write.path.name() });
    let old = named(&row, place, write.path.name()).cloned();
    if place.at_once && old.is_none() {
        return Err(not_found(&write.path)); // others make these
    }
    if (write.patch || place.at_once)
        && let Some(old) = &old
    {
        child = old.clone();
    }
    if let (Some(map), Some(sent)) = (child.as_object_mut(), write.body.as_object()) {
        for (key, value) in sent {
            if ["id", "name", "type", "apiVersion", "dependsOn", "location"].contains(&key.as_str()) {
                continue;
            }
            match map.get_mut(key).filter(|_| place.at_once || write.patch) {
                Some(slot) => merge(slot, value),
                None => drop(map.insert(key.clone(), value.clone())),
            }
        }
    }
    let mut list = row.body.pointer(place.pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let at = list.iter().position(|item| {
        item.get("name").and_then(Value::as_str).is_some_and(|have| have.eq_ignore_ascii_case(write.path.name()))
    });
    match at.and_then(|at| list.get_mut(at)) {
        Some(slot) => *slot = child,
        None => list.push(child),
    }
    let mut body = row.body.clone();
    set(&mut body, place.pointer, Value::Array(list));
    // the parent's own part was checked when it was written: only the child is new
    let inner = Write { path: parent, body, api_version: write.api_version.clone(), checked: true, ..Write::default() };
    Ok((inner, old.is_none()))
}

/// Writes a child through its parent.
///
/// # Errors
/// The parent's own rules; a parent that is not there.
pub fn put(cx: &mut Cx<'_>, write: &Write, place: &ChildPlace) -> Result<Written, ArmError> {
    check_allowed(cx, write)?;
    shape::envelope(&write.body)?;
    for stage in [Stage::Reading, Stage::Meaning] {
        shape::check(stage, place.kind, &write.api_version, &write.body, write.patch)?;
    }
    let (inner, created) = with_child(cx, write, place)?;
    let mut written = row::put(cx, &inner)?;
    let id = write.path.id();
    let mut child = named(&written.row, place, write.path.name()).cloned().unwrap_or_default();
    set_default(&mut child, "/id", json!(id));
    set_default(&mut child, "/type", json!(place.kind));
    let extension = place.kind.starts_with("Microsoft.Compute/");
    if extension {
        set_default(&mut child, "/properties/provisioningState", json!("Succeeded"));
    }
    let etag = written.row.etag.clone();
    let mut row = Row {
        id: id.clone(),
        kind: place.kind.into(),
        name: write.path.name().into(),
        body: child,
        etag,
        ..written.row.as_ref().clone()
    };
    if extension {
        // the first answer speaks of the set's model, which is there
        row.settling = "Succeeded".to_owned();
    }
    // the polling URL of a child ends in the child
    if let Some((operation, _)) = &written.operation {
        cx.store.edit::<LongRunning>(operation, |operation| {
            if matches!(operation.outcome, Outcome::Resource { .. }) {
                operation.outcome = Outcome::ok(row.body.clone());
            }
        });
    }
    written.row = Arc::new(row);
    // a PATCH of an extension is recorded as answered 201 too
    written.created = created || (extension && write.patch);
    Ok(written)
}

/// Removes a child from its parent.
///
/// # Errors
/// What the parent's type says about use by others.
pub fn delete(cx: &mut Cx<'_>, path: &Path, place: &ChildPlace) -> Result<Option<Deleted>, ArmError> {
    let Some(row) = parent_row(cx, path) else { return Ok(None) };
    let Some(child) = named(&row, place, path.name()).cloned() else { return Ok(None) };
    check_locks(cx, &path.id(), LockScope::Delete)?;
    types::check_child_delete(cx, &path.id(), &child)?;
    let mut new = row.as_ref().clone();
    if let Some(list) = new.body.pointer_mut(place.pointer).and_then(Value::as_array_mut) {
        list.retain(|item| {
            item.get("name").and_then(Value::as_str).is_none_or(|have| !have.eq_ignore_ascii_case(path.name()))
        });
    }
    new.etag = cx.unique();
    new.changed = cx.now_ms();
    let location = new.location();
    let new = cx.store.put_row(new);
    if place.kind.starts_with("Microsoft.Compute/") {
        // the model of a set is another one without the extension
        types::rule(&new.kind).written(cx, &new, Some(&row))?;
    }
    let operation = (!place.at_once)
        .then(|| (lro::start(cx, cx.core.settings.latency_ms, Outcome::empty(200)), Style::AsyncOperation));
    Ok(Some(Deleted { operation, location, answer: None }))
}
