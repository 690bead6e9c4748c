//! Verbs on resources and collections: what arrives over HTTP, and the shape of the answer.

use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::Row;
use crate::error::ArmError;
use crate::filter::Filter;
use crate::guards::{LockScope, check_locks};
use crate::http::{Reply, Request, not_served, page};
use crate::id::{Path, key};
use crate::lookup;
use crate::lro::Style;
use crate::lro::poll_headers;
use crate::names;
use crate::rule::{Write, Written};
use crate::value;
use crate::{types, write};

/// Verbs on one resource.
///
/// # Errors
/// The error envelope's content.
pub fn route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    match request.method.as_str() {
        "GET" | "HEAD" => get(cx, request, path),
        "PUT" | "PATCH" => {
            let write = Write {
                path: path.clone(),
                body: request.json()?,
                api_version: request.api_version().to_owned(),
                checked: false,
                patch: request.method == "PATCH",
                if_match: request.header("if-match").map(str::to_owned),
                if_none_match: request.header("if-none-match").map(str::to_owned),
            };
            let written = write::put(cx, &write)?;
            Ok(answer_write(cx, request, path, &written))
        }
        "DELETE" => {
            types::rule(&path.resource_type()).check_delete_request(request)?;
            let Some(deleted) = write::delete(cx, path, request.header("if-match"))? else {
                return Ok(Reply::empty(204));
            };
            // Log Analytics and Azure Machine Learning delete at once when they are asked to
            if ["force", "forceToPurge"]
                .iter()
                .any(|key| request.query(key).is_some_and(|yes| yes.eq_ignore_ascii_case("true")))
                && path.last_type().eq_ignore_ascii_case("workspaces")
            {
                types::deleted::forget(cx, &path.id());
            }
            Ok(match deleted.operation {
                None => {
                    let reply = deleted.answer.map_or_else(|| Reply::empty(200), Reply::ok);
                    let etag = reply.body.as_ref().and_then(|body| body.get("etag")?.as_str().map(str::to_owned));
                    etag.map_or(reply.clone(), |etag| reply.header("ETag", etag))
                }
                Some((operation, style)) => {
                    let reply = Reply::empty(202).header("Retry-After", "1");
                    poll_headers(reply, request, path, &deleted.location, &operation, style, true)
                }
            })
        }
        "POST" => types::order(cx, request, path)?.ok_or_else(|| not_served(request)),
        _ => Err(not_served(request)),
    }
}

fn get(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    if let Some(group) = path.group()
        && cx.store.row(&crate::id::group_of(&path.scope).unwrap_or_default()).is_none()
    {
        return if request.method == "HEAD" { Ok(Reply::empty(404)) } else { Err(lookup::group_not_found(group)) };
    }
    let found = match types::row(cx, path) {
        Some(row) => Some((types::rule(&row.kind).shown(cx, &row, request), Some(row.etag.clone()))),
        None => lookup::place(path)
            .and_then(|place| {
                let mut child = lookup::get(cx, path, &place)?;
                types::show_child(cx, request, path, &place, &mut child);
                Some(child)
            })
            .or_else(|| types::virtual_resource(cx, path))
            .map(|body| {
                let tag = body
                    .get("etag")
                    .and_then(Value::as_str)
                    .map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
                (body, tag)
            }),
    };
    match (found, request.method.as_str()) {
        (Some(_), "HEAD") => Ok(Reply::empty(204)),
        (None, "HEAD") => Ok(Reply::empty(404)),
        (Some((body, etag)), _) => {
            let reply = Reply::ok(body);
            Ok(match etag {
                Some(etag) => reply.header("ETag", format!("W/\"{etag}\"")),
                None => reply,
            })
        }
        (None, _) => Err(lookup::not_found(path)),
    }
}

fn answer_write(cx: &Cx<'_>, request: &Request, path: &Path, written: &Written) -> Reply {
    let status = if written.created { 201 } else { 200 };
    let rule = types::rule(&written.row.kind);
    let mut body = rule.shown(cx, &written.row, request);
    if let Some(place) = lookup::place(path) {
        types::show_child(cx, request, path, &place, &mut body);
    }
    rule.first_answer(&mut body);
    let Some((operation, style)) = &written.operation else {
        let status = rule.write_status().unwrap_or(status);
        return Reply::with(status, body).header("ETag", format!("W/\"{}\"", written.row.etag));
    };
    // the first answer shows the write under way, however fast it is
    if let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut)
        && properties.contains_key("provisioningState")
    {
        properties.insert("provisioningState".into(), json!(written.row.settling));
    }
    rule.under_way(&mut body, written.created);
    let location = written.row.location();
    let reply = match style {
        Style::Location => Reply::empty(202),
        Style::Accepted => Reply::with(202, body),
        _ => Reply::with(status, body),
    };
    poll_headers(reply.header("Retry-After", "1"), request, path, &location, operation, *style, false)
}

/// Collections (GET), actions and checks (POST), and views that are named like a collection (`…/instanceView`).
///
/// # Errors
/// The error envelope's content.
pub fn collection(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    if let Some(group) = path.group()
        && cx.store.row(&crate::id::group_of(&path.scope).unwrap_or_default()).is_none()
    {
        return Err(lookup::group_not_found(group));
    }
    let word = path.last_type().to_lowercase();
    if let Some(reply) = types::service(cx, request, path, &word)? {
        return Ok(reply);
    }
    if let Some(parent) = path.parent() {
        match types::row(cx, &parent) {
            Some(row) => {
                let rule = types::rule(&row.kind);
                if request.method == "POST" {
                    check_locks(cx, &row.id, LockScope::Write)?;
                }
                if let Some(reply) = rule.action(cx, &row, &word, request)? {
                    return Ok(reply);
                }
            }
            None if types::instances::lacks_machine(cx, &parent) => {
                return Err(ArmError::missing("NotFound", "The entity was not found in this Azure location."));
            }
            None if !types::implied(&parent.resource_type()) && request.method == "POST" => {
                return Err(lookup::not_found(&parent));
            }
            None => {}
        }
    }
    if request.method != "GET" {
        return Err(not_served(request));
    }
    let wanted = path.resource_type();
    if let Some(place) = lookup::collection(path) {
        let parent = path.parent().unwrap_or_default();
        return match lookup::list(cx, &parent, &place) {
            Some(list) => Ok(page(request, list)),
            None => Err(lookup::not_found(&parent)),
        };
    }
    let filter = Filter::of(request)?;
    let below = match path.parent() {
        Some(parent) => {
            if !lookup::exists(cx, &parent.id()) && !types::implied(&parent.resource_type()) {
                return Err(lookup::not_found(&parent));
            }
            parent.id()
        }
        None => path.scope.clone(),
    };
    // an empty list would say that there are none, of a type that the endpoint knows nothing about
    if !names::is_listed(&wanted) && cx.store.of_kind(&wanted).is_empty() {
        return Err(not_served(request));
    }
    let mut rows = cx.store.below(&below);
    rows.retain(|row| row.kind.eq_ignore_ascii_case(&wanted) && filter.matches(row));
    if path.parent().is_none() && wanted.starts_with("Microsoft.Authorization/") {
        // what is assigned above holds here too
        let above = cx.store.of_kind(&wanted).into_iter().filter(|row| {
            let scope = key(&Path::of(&row.id).scope);
            key(&path.scope).starts_with(&format!("{scope}/")) && filter.matches(row)
        });
        rows.extend(above.collect::<Vec<_>>());
    }
    let values = rows.iter().map(|row| types::rule(&row.kind).shown(cx, row, request)).collect();
    Ok(page(request, values))
}

/// Whether `resource list` shows a row: resources with a place of their own, no extensions, instances or settings.
#[must_use]
pub fn is_listed(row: &Row) -> bool {
    let path = Path::of(&row.id);
    let top = path.types.len() == 1 && Path::of(&path.scope).namespace.is_none();
    let hidden = row.kind.starts_with("Microsoft.Authorization/")
        || row.kind == lookup::GROUP
        || row.kind.ends_with("/virtualMachineScaleSets/virtualMachines");
    path.group().is_some() && !hidden && (top || row.at("/location").is_some())
}

/// `GET …/resources` of a subscription or group.
///
/// # Errors
/// The error codes `InvalidFilterInQueryString`, `ResourceGroupNotFound` of Azure.
pub fn list_all(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    if let Some(group) = path.group()
        && cx.store.row(&path.scope).is_none()
    {
        return Err(lookup::group_not_found(group));
    }
    let filter = Filter::of(request)?;
    let expand = request.query("$expand").unwrap_or_default().to_lowercase();
    let mut out = Vec::new();
    for row in cx.store.below(&path.scope) {
        if !is_listed(&row) || !filter.matches(&row) {
            continue;
        }
        let mut item = cx.view(&row);
        let state = item.pointer("/properties/provisioningState").cloned();
        if let Some(map) = item.as_object_mut() {
            map.shift_remove("properties");
            map.shift_remove("etag");
            let stamp = |ms: i64| jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default();
            if expand.contains("createdtime") {
                map.insert("createdTime".into(), json!(stamp(row.created)));
            }
            if expand.contains("changedtime") {
                map.insert("changedTime".into(), json!(stamp(row.changed)));
            }
            if expand.contains("provisioningstate") {
                map.insert("provisioningState".into(), state.unwrap_or_else(|| json!("Succeeded")));
            }
        }
        out.push(item);
    }
    Ok(page(request, out))
}

/// Reads and writes the tags of a scope: `{scope}/providers/Microsoft.Resources/tags/default`.
///
/// # Errors
/// 404 when the scope is not there.
pub fn tags(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let scope = &path.scope;
    let row = cx.store.row(scope).ok_or_else(|| match Path::of(scope).group() {
        Some(group) if !scope.contains("/providers/") => lookup::group_not_found(group),
        _ => lookup::not_found(&Path::of(scope)),
    })?;
    let have = row.at("/tags").cloned().unwrap_or_else(|| json!({}));
    let sent = request.json()?;
    let given = sent.pointer("/properties/tags").cloned().unwrap_or_else(|| json!({}));
    let new = match request.method.as_str() {
        "GET" => None,
        "PUT" => Some(given),
        "DELETE" => Some(json!({})),
        "PATCH" => {
            let mut all = have.clone();
            match sent.get("operation").and_then(Value::as_str).unwrap_or_default().to_lowercase().as_str() {
                "replace" => all = given,
                "merge" => value::merge(&mut all, &given),
                "delete" => {
                    if let (Some(all), Some(given)) = (all.as_object_mut(), given.as_object()) {
                        all.retain(|name, _| !given.contains_key(name));
                    }
                }
                _ => {
                    return Err(ArmError::bad(
                        "InvalidRequestContent",
                        "'operation' is one of Merge, Replace, Delete.",
                    ));
                }
            }
            Some(all)
        }
        _ => return Err(not_served(request)),
    };
    let shown = match new {
        None => have,
        Some(new) => {
            check_locks(cx, scope, LockScope::Write)?;
            let mut row = row.as_ref().clone();
            value::set(&mut row.body, "/tags", new.clone());
            row.changed = cx.now_ms();
            row.etag = cx.unique();
            cx.store.put_row(row);
            new
        }
    };
    if request.method == "DELETE" {
        return Ok(Reply::empty(200));
    }
    Ok(Reply::ok(json!({
        "id": format!("{scope}/providers/Microsoft.Resources/tags/default"), "name": "default",
        "type": "Microsoft.Resources/tags", "properties": { "tags": shown },
    })))
}
