//! Writing and deleting one resource: checks, the type's own rules, faults, provisioning state. HTTP and deployments
//! both come through here.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::core::Cx;
use super::embedded;
use super::error::ArmError;
use super::faults::Trouble;
use super::groups;
use super::id::Path;
use super::lro::{self, Outcome, Style};
use super::resources::{Touch, check_locks};
use super::store::Row;
use super::types::shape::{self, Stage};
use super::types::{self, Rule};

/// A write as a client or a deployment asks for it.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// What is written.
    pub path: Path,
    /// The body as sent.
    pub body: Value,
    /// The api-version that was asked for; empty when the endpoint writes by itself.
    pub api_version: String,
    /// The body was checked already, as that of a child.
    pub checked: bool,
    /// PATCH instead of PUT.
    pub patch: bool,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
}

/// What came of a write.
#[derive(Clone, Debug)]
pub struct Written {
    /// The resource as stored.
    pub row: Arc<Row>,
    /// Whether it is new.
    pub created: bool,
    /// Whether it takes time: the operation's id and how it is to be answered.
    pub operation: Option<(String, Style)>,
    /// Machine milliseconds that the operation takes; `i64::MAX` never ends.
    pub duration_ms: i64,
    /// The failure that the operation ends in.
    pub failure: Option<ArmError>,
}

/// What a type's rule sees and changes while a write is prepared.
pub struct Put<'a, 'b> {
    /// The state.
    pub cx: &'a mut Cx<'b>,
    /// The resource's path.
    pub path: &'a Path,
    /// What was there before.
    pub old: Option<Arc<Row>>,
    /// The body as the client sent it.
    pub sent: &'a Value,
    /// The api-version that was asked for; empty when the endpoint writes by itself.
    pub api_version: &'a str,
    /// The body that will be stored.
    pub body: Value,
    /// What a client never sees.
    pub hidden: Value,
}

impl Put<'_, '_> {
    /// A value in the body.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.body.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A string in the body.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }

    /// Sets a property when the client gave none.
    pub fn default(&mut self, pointer: &str, value: Value) {
        set_default(&mut self.body, pointer, value);
    }

    /// Sets a property whatever the client gave.
    pub fn set(&mut self, pointer: &str, value: Value) {
        set(&mut self.body, pointer, value);
    }

    /// Refuses a changed property.
    ///
    /// # Errors
    /// `PropertyChangeNotAllowed` (or the given code) when `pointer` had another value before.
    pub fn immutable(&self, pointer: &str, code: &str) -> Result<(), ArmError> {
        let Some(old) = &self.old else { return Ok(()) };
        let (before, after) = (old.at(pointer), self.at(pointer));
        let same = match (before, after) {
            (Some(Value::String(a)), Some(Value::String(b))) => a.eq_ignore_ascii_case(b),
            (Some(a), Some(b)) => a == b,
            // what the client leaves out stays
            _ => true,
        };
        if same {
            return Ok(());
        }
        let dotted = dotted(pointer);
        Err(ArmError::conflict(code, format!("Changing property '{dotted}' is not allowed.")).at(dotted))
    }
}

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

/// Writes a resource.
///
/// # Errors
/// What Azure says for the same request: missing group or parent, locks, preconditions, the type's own rules, faults.
pub fn put(cx: &mut Cx<'_>, write: &Write) -> Result<Written, ArmError> {
    let path = &write.path;
    check_place(cx, path)?;
    let id = path.id();
    check_locks(cx, &id, Touch::Write)?;
    super::stacks::check_deny(cx, &id, "write")?;
    if !write.body.is_object() {
        return Err(ArmError::bad(
            "InvalidRequestContent",
            "The request content was invalid: a JSON object is expected.",
        ));
    }
    if let Some(place) = embedded::place(path) {
        return embedded::put(cx, write, &place);
    }
    let kind = path.resource_type();
    let rule = types::rule(&kind);
    let old = cx.store.row(&id);
    check_match(write, old.as_deref())?;
    if write.patch && old.is_none() {
        return Err(not_found(path));
    }
    let trouble = super::faults::trouble(cx, &id, &kind, if write.patch { "PATCH" } else { "PUT" });
    if let Some(Trouble { refuse: Some(error), .. }) = &trouble {
        return Err(error.clone());
    }
    let row = prepare(cx, write, rule, old.clone(), &kind)?;
    let created = old.is_none();
    let failure = trouble.as_ref().and_then(|trouble| trouble.fail.clone());
    let duration = trouble.as_ref().and_then(|trouble| trouble.duration_ms).unwrap_or(cx.core.settings.latency_ms);
    let mut row = row;
    if failure.is_some() && row.body.pointer("/properties/provisioningState").is_some() {
        set(&mut row.body, "/properties/provisioningState", json!("Failed"));
    }
    let style = rule.style(created);
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
    let operation = async_answer.then(|| {
        let outcome = match &failure {
            Some(error) => Outcome::Error(error.clone()),
            None => Outcome::Resource(id.clone()),
        };
        (lro::start(cx, duration, outcome), style)
    });
    Ok(Written { row, created, operation, duration_ms: duration, failure })
}

/// What a PUT would store, without storing it: the new row with the service's defaults.
///
/// # Errors
/// As [`put`].
pub fn preview(cx: &mut Cx<'_>, write: &Write) -> Result<Row, ArmError> {
    let kind = write.path.resource_type();
    let old = cx.store.row(&write.path.id());
    prepare(cx, write, types::rule(&kind), old, &kind)
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
            body
        }
        _ => sent.clone(),
    };
    let hidden = old.as_ref().map(|row| row.hidden.clone()).unwrap_or_default();
    let mut put = Put { cx, path, old: old.clone(), sent: &sent, api_version: &write.api_version, body, hidden };
    check_location(&put, rule, kind)?;
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

fn check_location(put: &Put<'_, '_>, rule: &dyn Rule, kind: &str) -> Result<(), ArmError> {
    let location = put.text("/location").map(super::names::location);
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
    if let Some(group) = path.group() {
        let id = super::id::group_of(&path.scope).unwrap_or_default();
        if cx.store.row(&id).is_none() {
            return Err(groups::not_found(group));
        }
    }
    let scope_is_resource = path.scope.contains("/providers/") && Path::of(&path.scope).is_resource();
    let managed = path.scope.to_lowercase().starts_with("/providers/microsoft.management/");
    if scope_is_resource && !managed && !exists(cx, &path.scope) {
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

/// Whether a resource is there, as a row or inside its parent.
#[must_use]
pub fn exists(cx: &Cx<'_>, id: &str) -> bool {
    find(cx, id).is_some()
}

/// A resource's body, from its row or from inside its parent.
#[must_use]
pub fn find(cx: &Cx<'_>, id: &str) -> Option<Value> {
    if let Some(row) = cx.store.row(id) {
        return Some(cx.view(&row));
    }
    let path = Path::of(id);
    let place = embedded::place(&path)?;
    embedded::get(cx, &path, &place)
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

/// 404 as ARM says it.
#[must_use]
pub fn not_found(path: &Path) -> ArmError {
    let kind = path.resource_type();
    match (path.group(), path.parent()) {
        (Some(group), _) => ArmError::missing(
            "ResourceNotFound",
            format!(
                "The Resource '{kind}/{}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
                path.names.join("/")
            ),
        ),
        _ => ArmError::missing("ResourceNotFound", format!("The Resource '{}' was not found.", path.id())),
    }
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
    if let Some(group) = path.group()
        && cx.store.row(&super::id::group_of(&path.scope).unwrap_or_default()).is_none()
    {
        return Err(groups::not_found(group));
    }
    let id = path.id();
    if let Some(place) = embedded::place(path) {
        return embedded::delete(cx, path, &place);
    }
    let Some(row) = cx.store.row(&id) else { return Ok(None) };
    if let Some(wanted) = if_match {
        let write = Write { path: path.clone(), if_match: Some(wanted.into()), ..Write::default() };
        check_match(&write, Some(&row))?;
    }
    check_locks(cx, &id, Touch::Delete)?;
    super::stacks::check_deny(cx, &id, "delete")?;
    let rule = types::rule(&row.kind);
    let trouble = super::faults::trouble(cx, &id, &row.kind, "DELETE");
    if let Some(error) = trouble.as_ref().and_then(|trouble| trouble.refuse.clone().or_else(|| trouble.fail.clone())) {
        return Err(error);
    }
    rule.check_delete(cx, &row)?;
    for inner in cx.store.below(&id) {
        cx.store.remove_row(&inner.id);
    }
    cx.store.remove_row(&id);
    rule.deleted(cx, &row)?;
    let duration = trouble.and_then(|trouble| trouble.duration_ms).unwrap_or(cx.core.settings.latency_ms);
    let operation = match rule.delete_style() {
        Style::Sync => None,
        style => Some((lro::start(cx, duration, Outcome::Body(200, None)), style)),
    };
    Ok(Some(Deleted { operation, location: row.location(), answer: rule.deletion_answer(&row) }))
}
