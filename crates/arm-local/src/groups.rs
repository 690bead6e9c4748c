//! Resource groups: PUT, GET, HEAD, PATCH, DELETE (long-running), list.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::{Outcome, Row};
use crate::error::ArmError;
use crate::filter::Filter;
use crate::guards::{LockScope, check_deny, check_locks};
use crate::http::{Reply, Request, not_served, page};
use crate::id::Path;
use crate::lookup::{GROUP, group_not_found};
use crate::lro;
use crate::types;

/// Verbs on one group.
///
/// # Errors
/// `ResourceGroupNotFound`, `InvalidResourceGroupLocation`, `ScopeLocked`, and bodies that cannot be read.
pub fn route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let name = path.group().unwrap_or_default().to_owned();
    let id = path.scope.clone();
    match request.method.as_str() {
        "PUT" => {
            let (row, created) = put(cx, &id, &request.json()?)?;
            Ok(Reply::with(if created { 201 } else { 200 }, cx.view(&row)))
        }
        "HEAD" => Ok(Reply::empty(if cx.store.row(&id).is_some() { 204 } else { 404 })),
        "GET" => {
            let row = cx.store.row(&id).ok_or_else(|| group_not_found(&name))?;
            // `az resource list -g` reads this one
            Ok(Reply::ok(cx.view(&row)))
        }
        "PATCH" => {
            let row = cx.store.row(&id).ok_or_else(|| group_not_found(&name))?;
            let sent = request.json()?;
            let mut body = row.body.clone();
            for key in ["tags", "managedBy"] {
                if let (Some(map), Some(value)) = (body.as_object_mut(), sent.get(key)) {
                    map.insert(key.into(), value.clone());
                }
            }
            let row = cx.store.put_row(Row { body, changed: cx.now_ms(), ..row.as_ref().clone() });
            Ok(Reply::ok(cx.view(&row)))
        }
        "DELETE" => {
            let row = cx.store.row(&id).ok_or_else(|| group_not_found(&name))?;
            delete(cx, &row)?;
            let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::empty(200));
            let sub = path.subscription().unwrap_or_default();
            let location = format!(
                "{}/subscriptions/{sub}/operationresults/{operation}?api-version={}",
                request.base,
                request.api_version()
            );
            Ok(Reply::empty(202).header("Location", location).header("Retry-After", "1"))
        }
        _ => Err(not_served(request)),
    }
}

/// Creates or updates a group.
///
/// # Errors
/// `LocationRequired`, `InvalidResourceGroupLocation`, `InvalidResourceGroup` for a bad name.
pub fn put(cx: &mut Cx<'_>, id: &str, sent: &Value) -> Result<(std::sync::Arc<Row>, bool), ArmError> {
    let name = id.rsplit('/').next().unwrap_or_default();
    let legal = |c: char| c.is_alphanumeric() || "_().-".contains(c);
    if name.is_empty() || name.chars().count() > 90 || name.ends_with('.') || !name.chars().all(legal) {
        return Err(ArmError::bad(
            "InvalidResourceGroup",
            format!(
                "The provided resource group name '{name}' has these invalid characters: only letters, digits, '_', '(', ')', '-' and '.' are allowed, 90 at most, and no period at the end."
            ),
        ));
    }
    check_locks(cx, id, LockScope::Write)?;
    let old = cx.store.row(id);
    let location = match (sent.get("location").and_then(Value::as_str), &old) {
        (Some(text), _) => crate::names::location(text),
        (None, Some(row)) => row.location(),
        (None, None) => {
            return Err(ArmError::bad("LocationRequired", "The location property is required for this definition."));
        }
    };
    if let Some(row) = &old
        && row.location() != location
    {
        return Err(ArmError::conflict(
            "InvalidResourceGroupLocation",
            format!(
                "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
                row.location()
            ),
        ));
    }
    let mut body = json!({ "id": id, "name": name, "type": GROUP, "location": location });
    if let Some(map) = body.as_object_mut() {
        for key in ["tags", "managedBy"] {
            if let Some(value) = sent.get(key).filter(|value| !value.is_null()) {
                map.insert(key.into(), value.clone());
            }
        }
        map.insert("properties".into(), json!({ "provisioningState": "Succeeded" }));
    }
    let now = cx.now_ms();
    let (id, name, created) = match &old {
        // the first spelling stays
        Some(row) => (row.id.clone(), row.name.clone(), row.created),
        None => (id.to_owned(), name.to_owned(), now),
    };
    if let Some(map) = body.as_object_mut() {
        map.insert("id".into(), json!(id));
        map.insert("name".into(), json!(name));
    }
    let row = Row {
        id,
        kind: GROUP.into(),
        name,
        body,
        etag: cx.unique(),
        created,
        changed: now,
        settles: 0,
        settling: String::new(),
        hidden: Value::Null,
    };
    Ok((cx.store.put_row(row), old.is_none()))
}

/// Removes a group with everything in it.
///
/// # Errors
/// The error code `ScopeLocked` of Azure.
pub fn delete(cx: &mut Cx<'_>, row: &Row) -> Result<(), ArmError> {
    check_locks(cx, &row.id, LockScope::Delete)?;
    let id = row.id.clone();
    for inner in cx.store.below(&id) {
        check_deny(cx, &inner.id, "delete")?;
    }
    check_deny(cx, &id, "delete")?;
    cx.store.forget_scope(&id);
    let inside = cx.store.below(&id);
    for inner in &inside {
        types::deleted::keep(cx, inner);
    }
    for inner in inside {
        cx.store.remove_row(&inner.id);
    }
    cx.store.remove_row(&id);
    Ok(())
}

/// Lists the groups of a subscription: `GET …/resourcegroups`.
///
/// # Errors
/// The error code `InvalidFilterInQueryString` of Azure.
pub fn list(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let filter = Filter::of(request)?;
    let prefix = crate::id::key(&path.scope);
    let groups: Vec<Value> = cx
        .store
        .of_kind(GROUP)
        .iter()
        .filter(|row| crate::id::key(&row.id).starts_with(&prefix))
        .filter(|row| filter.matches(row))
        .map(|row| cx.view(row))
        .collect();
    Ok(page(request, groups))
}
