//! Resources that have a row of their own.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::core::Cx;
use crate::documents::{Outcome, Row};
use crate::error::ArmError;
use crate::faults::InjectedFault;
use crate::guards::{LockScope, check_deny, check_locks};
use crate::id::{Path, is_name};
use crate::lookup::{exists, group_of_exists, not_found};
use crate::lro::Style;
use crate::rule::{Rule, Write, WriteContext, Written};
use crate::types::shape::{self, Stage};
use crate::value::{merge, set};
use crate::{lro, providers, types};

/// Writes a resource with a row of its own.
///
/// # Errors
/// What Azure says for the same request: missing group or parent, locks, preconditions, the type's own rules, faults.
pub fn put(cx: &mut Cx<'_>, write: &Write) -> Result<Written, ArmError> {
    check_allowed(cx, write)?;
    let path = &write.path;
    let id = path.id();
    let kind = path.resource_type();
    let rule = types::rule(&kind);
    let old = cx.store.row(&id);
    check_match(write, old.as_deref())?;
    if write.patch && old.is_none() {
        return Err(not_found(path));
    }
    let fault = cx.injected_fault(&id, &kind, if write.patch { "PATCH" } else { "PUT" });
    if let Some(InjectedFault { refuse: Some(error), .. }) = &fault {
        return Err(error.clone());
    }
    let row = prepare(cx, write, rule, old.clone(), &kind)?;
    let created = old.is_none();
    let failure = fault.as_ref().and_then(|fault| fault.fail.clone());
    let duration = fault.as_ref().and_then(|fault| fault.duration_ms).unwrap_or(cx.core.settings.latency_ms);
    let mut row = row;
    if failure.is_some() && row.body.pointer("/properties/provisioningState").is_some() {
        set(&mut row.body, "/properties/provisioningState", json!("Failed"));
    }
    let style = if write.patch { rule.patch_style() } else { rule.style(created) };
    let async_answer = style != Style::Sync;
    if async_answer {
        row.settles = if duration == i64::MAX { i64::MAX } else { cx.real_ms.saturating_add(duration) };
        row.settling = rule.settling(created).to_owned();
    }
    if let (Some(error), false) = (&failure, async_answer) {
        return Err(error.clone());
    }
    let row = cx.store.put_row(row);
    if failure.is_none() {
        rule.written(cx, &row, old.as_deref())?;
    }
    let row = cx.store.row(&id).unwrap_or(row);
    let failure = failure.or_else(|| rule.failure(&row));
    let operation = async_answer.then(|| {
        let outcome = match &failure {
            Some(error) => Outcome::Error { error: error.clone() },
            None => Outcome::resource(&id),
        };
        (lro::start(cx, duration, outcome), style)
    });
    Ok(Written { row, created, operation, duration_ms: duration, failure })
}

/// Refuses a write before its body is looked at.
///
/// # Errors
/// Missing group or parent, locks, deny settings, a body that is not an object.
pub fn check_allowed(cx: &Cx<'_>, write: &Write) -> Result<(), ArmError> {
    if let Some(name) = write.path.names.iter().find(|name| !is_name(name)) {
        return Err(ArmError::bad("InvalidResourceName", format!("The resource name '{name}' is not valid.")));
    }
    providers::check_registered(cx, &write.path)?;
    check_place(cx, &write.path)?;
    let id = write.path.id();
    check_locks(cx, &id, LockScope::Write)?;
    check_deny(cx, &id, "write")?;
    if !write.body.is_object() {
        return Err(ArmError::bad(
            "InvalidRequestContent",
            "The request content was invalid: a JSON object is expected.",
        ));
    }
    Ok(())
}

fn prepare(
    cx: &mut Cx<'_>,
    write: &Write,
    rule: &dyn Rule,
    old: Option<Arc<Row>>,
    kind: &str,
) -> Result<Row, ArmError> {
    let path = &write.path;
    let id = old.as_ref().map_or_else(|| path.id(), |row| row.id.clone());
    let mut sent = write.body.clone();
    if let Some(map) = sent.as_object_mut() {
        for key in
            ["id", "name", "type", "etag", "systemData", "apiVersion", "dependsOn", "comments", "scope", "condition"]
        {
            map.shift_remove(key);
        }
        map.retain(|_, value| !value.is_null());
    }
    shape::envelope(&sent)?;
    let merged = write.patch || rule.merges();
    let partial = write.patch || (rule.merges() && old.is_some());
    let version = if write.checked { "" } else { write.api_version.as_str() };
    shape::check(Stage::Reading, kind, version, &sent, partial)?;
    shape::convert(kind, version, &mut sent);
    let body = match (&old, merged) {
        (Some(row), true) => {
            let mut body = row.body.clone();
            merge(&mut body, &sent);
            types::security::settle_identities(&mut body, &sent, write.patch);
            body
        }
        _ => sent.clone(),
    };
    let hidden = old.as_ref().map(|row| row.hidden.clone()).unwrap_or_default();
    let mut put =
        WriteContext { cx, path, old: old.clone(), sent: &sent, api_version: &write.api_version, body, hidden };
    check_location(&put, rule, kind)?;
    types::fixed::check(&put, write.patch)?;
    rule.prepare(&mut put)?;
    shape::check(Stage::Meaning, kind, version, &sent, partial)?;
    let (mut body, hidden) = (put.body, put.hidden);
    let name = old.as_ref().map_or_else(|| path.name().to_owned(), |row| row.name.clone());
    let mut full = Map::new();
    full.insert("id".into(), json!(id));
    full.insert("name".into(), json!(name));
    full.insert("type".into(), json!(rule.shown_type().unwrap_or(kind)));
    if let Some(map) = body.as_object_mut() {
        let inner = std::mem::take(map);
        for (key, value) in inner {
            full.entry(key).or_insert(value);
        }
    }
    let etag = cx.unique();
    if rule.shows_etag() {
        full.insert("etag".into(), json!(format!("W/\"{etag}\"")));
    }
    let now = cx.now_ms();
    Ok(Row {
        id,
        kind: kind.to_owned(),
        name,
        body: Value::Object(full),
        etag,
        created: old.as_ref().map_or(now, |row| row.created),
        changed: now,
        settles: 0,
        settling: String::new(),
        hidden,
    })
}

/// Refuses a new resource without a place, a place that cannot be one, and another place for a resource that exists.
///
/// `InvalidResourceLocation` and its message: <https://github.com/MicrosoftDocs/azure-docs/issues/70422> (storage),
/// <https://github.com/fortinetsolutions/Azure-Templates/issues/8> (network interface); the Resource Manager answers for all
/// providers.
fn check_location(put: &WriteContext<'_, '_>, rule: &dyn Rule, kind: &str) -> Result<(), ArmError> {
    let location = put.text("/location").map(crate::names::location);
    match (&put.old, location) {
        (None, None) if rule.needs_location() => {
            Err(ArmError::bad("LocationRequired", "The location property is required for this definition."))
        }
        (Some(old), Some(new)) if !old.location().is_empty() && old.location() != new => {
            let group = put.path.group().unwrap_or_default();
            Err(ArmError::conflict(
                "InvalidResourceLocation",
                format!(
                    "The resource '{}' already exists in location '{}' in resource group '{group}'. A resource with the same name cannot be created in location '{new}'. Please select a new resource name.",
                    put.path.name(),
                    old.location(),
                ),
            ))
        }
        (_, Some(new)) if rule.needs_location() && new != "global" && !known_region(&new) => {
            let provider = kind.split('/').next().unwrap_or_default();
            Err(ArmError::bad(
                "LocationNotAvailableForResourceType",
                format!(
                    "The provided location '{new}' is not available for resource type '{kind}' of provider '{provider}'."
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn known_region(name: &str) -> bool {
    // regions open more often than this list is read: only what cannot be a region's name is refused
    name.len() >= 5 && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn check_place(cx: &Cx<'_>, path: &Path) -> Result<(), ArmError> {
    group_of_exists(cx, path)?;
    let scope_is_resource = path.scope.contains("/providers/") && Path::of(&path.scope).is_resource();
    let managed = path.scope.to_lowercase().starts_with("/providers/microsoft.management/");
    if scope_is_resource && !managed && !exists(cx, &path.scope) && !secret_of_vault(cx, &path.scope) {
        let scope = Path::of(&path.scope);
        return Err(not_found(&scope));
    }
    if let Some(parent) = path.parent()
        && !exists(cx, &parent.id())
        && !types::implied(&parent.resource_type())
    {
        return Err(ArmError::missing(
            "ParentResourceNotFound",
            format!(
                "Failed to perform 'write' on resource(s) of type '{}', because the parent resource '{}' could not be found.",
                path.types.join("/"),
                parent.id()
            ),
        ));
    }
    Ok(())
}

/// Whether a scope is a secret of a vault that exists. People write secrets through the vault's own address, which is not
/// served here: any secret may be there.
fn secret_of_vault(cx: &Cx<'_>, scope: &str) -> bool {
    let path = Path::of(scope);
    path.resource_type().eq_ignore_ascii_case("Microsoft.KeyVault/vaults/secrets")
        && path.parent().is_some_and(|vault| exists(cx, &vault.id()))
}

fn check_match(write: &Write, old: Option<&Row>) -> Result<(), ArmError> {
    let failed =
        |what: &str| Err(ArmError::new(412, "PreconditionFailed", format!("The condition '{what}' was not met.")));
    let clean = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    if let Some(wanted) = &write.if_match {
        match old {
            Some(row) if wanted.trim() == "*" || clean(wanted) == row.etag => {}
            _ => return failed("If-Match"),
        }
    }
    if let (Some(wanted), Some(row)) = (&write.if_none_match, old)
        && (wanted.trim() == "*" || clean(wanted) == row.etag)
    {
        return failed("If-None-Match");
    }
    Ok(())
}

/// What came of a deletion.
pub struct Deleted {
    /// The operation and its style, when it takes time.
    pub operation: Option<(String, Style)>,
    /// The resource's location, for polling URLs.
    pub location: String,
    /// What the answer says of what is gone.
    pub answer: Option<Value>,
}

/// Deletes a resource with its children; `None` when it was not there.
///
/// # Errors
/// `ScopeLocked`, deny settings, what the type says about use by others, faults.
pub fn delete(cx: &mut Cx<'_>, path: &Path, if_match: Option<&str>) -> Result<Option<Deleted>, ArmError> {
    let id = path.id();
    let Some(row) = cx.store.row(&id) else { return Ok(None) };
    if let Some(wanted) = if_match {
        let write = Write { path: path.clone(), if_match: Some(wanted.into()), ..Write::default() };
        check_match(&write, Some(&row))?;
    }
    check_locks(cx, &id, LockScope::Delete)?;
    check_deny(cx, &id, "delete")?;
    let rule = types::rule(&row.kind);
    let fault = cx.injected_fault(&id, &row.kind, "DELETE");
    if let Some(error) = fault.as_ref().and_then(|fault| fault.refuse.clone().or_else(|| fault.fail.clone())) {
        return Err(error);
    }
    if row.kind.eq_ignore_ascii_case("Microsoft.KeyVault/vaults/secrets") {
        return Err(ArmError::new(
            405,
            "MethodNotAllowed",
            "The requested resource does not support http method 'DELETE'.",
        ));
    }
    rule.check_delete(cx, &row)?;
    types::deleted::keep(cx, &row);
    for inner in cx.store.below(&id) {
        cx.store.remove_row(&inner.id);
    }
    cx.store.remove_row(&id);
    rule.deleted(cx, &row)?;
    let duration = fault.and_then(|fault| fault.duration_ms).unwrap_or(cx.core.settings.latency_ms);
    let operation = match rule.delete_style() {
        Style::Sync => None,
        style => Some((lro::start(cx, duration, Outcome::empty(200)), style)),
    };
    Ok(Some(Deleted { operation, location: row.location(), answer: rule.deletion_answer(&row) }))
}
