//! Long-running operations: what the first answer looks like, and what the polling URLs say.

use serde_json::{Value, json};

use super::core::Cx;
use super::error::ArmError;
use super::http::{Reply, Request};

/// How a provider answers a write that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// At once.
    Sync,
    /// 201/200 with the body and `Azure-AsyncOperation` (Compute, Network).
    AsyncOperation,
    /// 202 without a body and `Location` (Storage, Batch accounts); updates are at once.
    Location,
}

/// A stored operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Last segment of the polling URL.
    pub id: String,
    /// Machine time at which it is done, milliseconds; `i64::MAX` never.
    pub ready: i64,
    /// What it ends in.
    pub outcome: Outcome,
}

/// How an operation ends.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// 200 with the resource as it is then.
    Resource(String),
    /// 200 with this body, or 200/204 without.
    Body(u16, Option<Value>),
    /// Failed.
    Error(ArmError),
    /// As the deployment stack of this document says, whenever it is asked.
    Stack(String),
}

/// Stores an operation and gives back its id.
pub fn start(cx: &mut Cx<'_>, duration_ms: i64, outcome: Outcome) -> String {
    let id = cx.unique();
    let ready = if duration_ms == i64::MAX { i64::MAX } else { cx.real_ms.saturating_add(duration_ms) };
    let outcome = match outcome {
        Outcome::Resource(id) => json!({ "resource": id }),
        Outcome::Body(status, body) => json!({ "status": status, "body": body }),
        Outcome::Stack(key) => json!({ "stack": key }),
        Outcome::Error(error) => json!({ "error": error.value() }),
    };
    let doc = json!({ "start": cx.now.to_string(), "ready": ready, "outcome": outcome });
    cx.store.put_doc(&format!("lro|{id}"), doc);
    id
}

/// Cancels or hurries an operation that a test left stuck.
pub fn finish_all(cx: &mut Cx<'_>) {
    for (key, doc) in cx.store.docs("lro|") {
        let mut doc = doc.as_ref().clone();
        if doc.get("ready").and_then(Value::as_i64).is_some_and(|ready| ready > cx.real_ms) {
            if let Some(map) = doc.as_object_mut() {
                map.insert("ready".into(), json!(cx.real_ms));
            }
            cx.store.put_doc(&key, doc);
        }
    }
}

/// Answers a polling URL. `monitor` is the `Location` form, otherwise the `Azure-AsyncOperation` form.
///
/// # Errors
/// 404 for an operation that is not known; the operation's own error in the `Location` form.
pub fn poll(cx: &mut Cx<'_>, request: &Request, id: &str, monitor: bool) -> Result<Reply, ArmError> {
    let doc = cx
        .store
        .doc(&format!("lro|{id}"))
        .ok_or_else(|| ArmError::missing("NotFound", format!("The operation '{id}' could not be found.")))?;
    let ready = doc.get("ready").and_then(Value::as_i64).unwrap_or_default();
    let running = ready > cx.real_ms;
    let outcome = doc.get("outcome").cloned().unwrap_or_default();
    if let Some(key) = outcome.get("stack").and_then(Value::as_str) {
        return Ok(stack_status(cx, request, id, key));
    }
    let stacks = request.segments.iter().any(|part| part.eq_ignore_ascii_case("deploymentStackOperationStatus"));
    let error = outcome.get("error").map(|error| ArmError::from_value(409, error));
    if monitor {
        if running {
            let here = format!("{}{}", request.base, with_query(request));
            return Ok(Reply::empty(202).header("Location", here).header("Retry-After", "1"));
        }
        if let Some(error) = error {
            return Err(error);
        }
        if let Some(resource) = outcome.get("resource").and_then(Value::as_str) {
            return match cx.store.row(resource) {
                Some(row) => Ok(Reply::ok(cx.view(&row))),
                None => Ok(Reply::empty(204)),
            };
        }
        let status = outcome.get("status").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok()).unwrap_or(200);
        return Ok(match outcome.get("body").filter(|body| !body.is_null()) {
            Some(body) => Reply::with(status, body.clone()),
            None => Reply::empty(status),
        });
    }
    let start = doc.get("start").cloned().unwrap_or_default();
    // Network's status is nothing but a status
    let bare = request.segments.iter().any(|part| part.eq_ignore_ascii_case("Microsoft.Network"));
    let mut body = json!({ "startTime": start, "status": "InProgress", "name": id });
    if bare {
        body = json!({ "status": "InProgress" });
    }
    if running {
        return Ok(Reply::ok(body).header("Retry-After", "1"));
    }
    if let Some(map) = body.as_object_mut() {
        if !bare {
            map.insert("endTime".into(), json!(cx.now.to_string()));
        }
        match error {
            Some(error) => {
                map.insert("status".into(), json!(if stacks { "failed" } else { "Failed" }));
                map.insert("error".into(), error.value());
            }
            None => {
                map.insert("status".into(), json!(if stacks { "succeeded" } else { "Succeeded" }));
            }
        }
    }
    Ok(Reply::ok(body))
}

/// A stack's operation: its state in lower case, with its error.
fn stack_status(cx: &Cx<'_>, request: &Request, id: &str, key: &str) -> Reply {
    let doc = cx.store.doc(key);
    let open = doc.as_ref().is_some_and(|doc| doc.get("pending").is_some_and(|pending| !pending.is_null()));
    let state = doc.as_ref().map_or_else(|| "succeeded".to_owned(), |doc| super::deploy::record_state(doc));
    let mut body = json!({ "id": request.path(), "name": id, "status": state });
    if let (Some(map), Some(error)) =
        (body.as_object_mut(), doc.as_ref().and_then(|doc| doc.pointer("/record/properties/error")))
    {
        map.insert("error".into(), error.clone());
    }
    let reply = Reply::ok(body);
    if open { reply.header("Retry-After", "1") } else { reply }
}

fn with_query(request: &Request) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(request.query.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let query = query.finish();
    if query.is_empty() { request.path() } else { format!("{}?{query}", request.path()) }
}
