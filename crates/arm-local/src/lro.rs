//! Long-running operations: what the first answer looks like, and what the polling URLs say.

use serde::Serialize;
use serde_json::{Value, json};

use crate::core::Cx;
use crate::documents::{LongRunning, Outcome, StackDocument, StackState, to_value};
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::{Path, SUBSCRIPTION};

/// How a provider answers a write that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The answer shows the finished write.
    Sync,
    /// 201/200 with the body and `Azure-AsyncOperation` (Compute, Network).
    AsyncOperation,
    /// 202 with the body, `Azure-AsyncOperation` and `Location` (disks and snapshots).
    Accepted,
    /// 202 without a body and `Location` (Storage, Batch accounts); updates are at once.
    Location,
}

/// Stores an operation that takes `duration_ms` machine milliseconds (`i64::MAX` never ends); gives its id.
pub fn start(cx: &mut Cx<'_>, duration_ms: i64, outcome: Outcome) -> String {
    let id = cx.unique();
    let ready = if duration_ms == i64::MAX { i64::MAX } else { cx.real_ms.saturating_add(duration_ms) };
    cx.store.put(&id, LongRunning { start: cx.now.to_string(), ready, outcome });
    id
}

/// Ends every operation that is under way, stuck ones too.
pub fn finish_all(cx: &mut Cx<'_>) {
    let now = cx.real_ms;
    cx.store.edit_where(|operation: &LongRunning| operation.ready > now, |operation| operation.ready = now);
}

/// Answers a polling URL. `monitor` is the `Location` form, otherwise the `Azure-AsyncOperation` form.
///
/// # Errors
/// 404 for an operation that is not known; the operation's own error in the `Location` form.
pub fn poll(cx: &mut Cx<'_>, request: &Request, id: &str, monitor: bool) -> Result<Reply, ArmError> {
    let operation = cx
        .store
        .get::<LongRunning>(id)
        .ok_or_else(|| ArmError::missing("NotFound", format!("The operation '{id}' could not be found.")))?;
    if let Outcome::Stack { stack } = &operation.outcome {
        return Ok(stack_status(cx, request, id, stack));
    }
    let running = operation.ready > cx.real_ms;
    if monitor {
        poll_result(cx, request, &operation, running)
    } else {
        Ok(poll_status(cx, request, id, &operation, running))
    }
}

/// The `Location` form: 202 until the operation ends, then its result.
fn poll_result(cx: &Cx<'_>, request: &Request, operation: &LongRunning, running: bool) -> Result<Reply, ArmError> {
    if running {
        let here = format!("{}{}", request.base, with_query(request));
        return Ok(Reply::empty(202).header("Location", here).header("Retry-After", "1"));
    }
    match &operation.outcome {
        Outcome::Error { error } => Err(error.clone()),
        Outcome::Resource { resource } => Ok(match cx.store.row(resource) {
            Some(row) => Reply::ok(cx.view(&row)).header("ETag", format!("W/\"{}\"", row.etag)),
            None => Reply::empty(204),
        }),
        Outcome::Body { status, body: Some(body) } => Ok(Reply::with(*status, body.clone())),
        Outcome::Body { status, body: None } => Ok(Reply::empty(*status)),
        Outcome::Stack { .. } => Ok(Reply::empty(200)),
    }
}

/// The `Azure-AsyncOperation` form: 200 with the state.
fn poll_status(cx: &Cx<'_>, request: &Request, id: &str, operation: &LongRunning, running: bool) -> Reply {
    let names = |word: &str| request.segments.iter().any(|part| part.eq_ignore_ascii_case(word));
    let lower_case = names("deploymentStackOperationStatus");
    // Network's status is nothing but a status
    let bare = names("Microsoft.Network");
    let mut status = Status::default();
    if !bare {
        status.start_time = Some(operation.start.clone());
        status.name = Some(id.to_owned());
        status.end_time = (!running).then(|| cx.now.to_string());
    }
    // Compute's status carries what an action gives
    if let (false, true, Outcome::Body { body: Some(output), .. }) =
        (running, names("Microsoft.Compute"), &operation.outcome)
    {
        status.properties = Some(json!({ "output": output }));
    }
    status.error = match &operation.outcome {
        Outcome::Error { error } if !running => Some(error.clone()),
        _ => None,
    };
    status.status = match (running, &status.error, lower_case) {
        (true, ..) => "InProgress",
        (false, None, false) => "Succeeded",
        (false, None, true) => "succeeded",
        (false, Some(_), false) => "Failed",
        (false, Some(_), true) => "failed",
    };
    let reply = Reply::ok(to_value(&status));
    if running { reply.header("Retry-After", "1") } else { reply }
}

/// The body of a polling URL in the `Azure-AsyncOperation` form.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ArmError>,
}

/// A stack's operation: its state in lower case, with its error.
fn stack_status(cx: &Cx<'_>, request: &Request, id: &str, stack: &str) -> Reply {
    let stack = cx.store.get::<StackDocument>(stack);
    let properties = stack.as_ref().map(|stack| &stack.record.properties);
    let status = Status {
        id: Some(request.path()),
        name: Some(id.to_owned()),
        status: properties.map_or(StackState::Succeeded, |properties| properties.provisioning_state).word(),
        error: properties.and_then(|properties| properties.error.clone()),
        ..Status::default()
    };
    let reply = Reply::ok(to_value(&status));
    if stack.is_some_and(|stack| stack.pending.is_some()) { reply.header("Retry-After", "1") } else { reply }
}

fn with_query(request: &Request) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(request.query.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let query = query.finish();
    if query.is_empty() { request.path() } else { format!("{}?{query}", request.path()) }
}

/// Adds the polling URLs of an operation to an answer.
#[must_use]
pub fn poll_headers(
    reply: Reply,
    request: &Request,
    path: &Path,
    location: &str,
    operation: &str,
    style: Style,
    with_location: bool,
) -> Reply {
    let namespace = path.namespace.as_deref().unwrap_or_default();
    let sub = path.subscription().unwrap_or(SUBSCRIPTION);
    let place = if location.is_empty() { "global" } else { location };
    let words = if style == Style::Location { "asyncoperations" } else { "operations" };
    let url = format!(
        "{}/subscriptions/{sub}/providers/{namespace}/locations/{place}/{words}/{operation}?api-version={}",
        request.base,
        request.api_version()
    );
    match style {
        Style::Location => reply.header("Location", format!("{url}&monitor=true")),
        _ if with_location || style == Style::Accepted => {
            reply.header("Location", format!("{url}&monitor=true")).header("Azure-AsyncOperation", url)
        }
        _ => reply.header("Azure-AsyncOperation", url),
    }
}
