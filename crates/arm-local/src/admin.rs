//! `/_local/…`: what only this endpoint has: status, clock, metrics, tasks, faults, reset, shutdown.

use serde_json::{Value, json};

use super::core::{Cx, lock, not_served};
use super::error::ArmError;
use super::faults::Fault;
use super::http::{Reply, Request};
use super::types::limits;
use super::{autoscale, lro, meta, nodes};

/// Answers `/_local/…`.
///
/// # Errors
/// `InvalidRequestContent` for bodies that cannot be read.
pub fn route(cx: &mut Cx<'_>, request: &Request, rest: &[&str]) -> Result<Reply, ArmError> {
    match (request.method.as_str(), rest) {
        ("GET", [] | ["status"]) => Ok(Reply::ok(status(cx))),
        ("GET", ["clock"]) => Ok(Reply::ok(clock_body(cx))),
        ("POST", ["clock"]) => {
            let real = jiff::Timestamp::now();
            let before = cx.clock();
            let mut clock = before;
            clock.change(&request.json()?, real)?;
            cx.store.put_doc("setting|clock", clock.to_value());
            cx.now = clock.now(real);
            autoscale::catch_up(cx);
            nodes::catch_up(cx);
            Ok(Reply::ok(clock_body(cx)))
        }
        ("GET", ["metrics"]) => Ok(Reply::ok(autoscale::metrics_body(cx))),
        ("POST", ["metrics"]) => {
            let body = request.json()?;
            autoscale::feed(cx, &body)?;
            Ok(Reply::ok(autoscale::metrics_body(cx)))
        }
        ("DELETE", ["metrics"]) => {
            autoscale::forget_metrics(cx);
            Ok(Reply::empty(204))
        }
        ("GET", ["tasks"]) => Ok(Reply::ok(nodes::body(cx))),
        ("POST", ["tasks"]) => {
            nodes::feed(cx, &request.json()?)?;
            Ok(Reply::ok(nodes::body(cx)))
        }
        ("POST", ["formula"]) => Ok(Reply::ok(nodes::pool::rehearse(cx, &request.json()?)?)),
        ("GET", ["limits"]) => Ok(Reply::ok(limits::get(cx))),
        ("POST", ["limits"]) => Ok(Reply::ok(limits::set(cx, &request.json()?)?)),
        ("GET", ["faults"]) => Ok(Reply::ok(faults_body(cx))),
        ("POST", ["faults"]) => {
            let faults = read_faults(&request.json()?).map_err(|text| ArmError::bad("InvalidRequestContent", text))?;
            lock(&cx.core.faults).add(faults);
            Ok(Reply::ok(faults_body(cx)))
        }
        ("DELETE", ["faults"]) => {
            lock(&cx.core.faults).clear();
            lro::finish_all(cx);
            Ok(Reply::empty(204))
        }
        ("POST", ["reset"]) => {
            cx.store.clear();
            lock(&cx.core.faults).clear();
            Ok(Reply::empty(204))
        }
        ("POST", ["shutdown"]) => {
            cx.core.stop.notify_one();
            Ok(Reply::empty(202))
        }
        _ => Err(not_served(request)),
    }
}

/// Faults from a JSON body or file: one fault, a list, or `{"faults": [...]}`; each an object or a text.
///
/// # Errors
/// A sentence naming what is not understood.
pub fn read_faults(body: &Value) -> Result<Vec<Fault>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => Fault::parse(text),
        other => Fault::from_value(other),
    };
    match body.get("faults").unwrap_or(body) {
        Value::Array(list) => list.iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

fn faults_body(cx: &Cx<'_>) -> Value {
    let list: Vec<Value> = lock(&cx.core.faults).list().iter().map(Fault::to_value).collect();
    json!({ "faults": list })
}

fn clock_body(cx: &Cx<'_>) -> Value {
    let clock = cx.clock();
    json!({ "now": cx.now.to_string(), "offsetMs": clock.offset_ms, "frozen": clock.frozen.is_some() })
}

fn status(cx: &Cx<'_>) -> Value {
    json!({
        "dsvmc": meta::NOTICE, "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id(),
        "now": cx.now.to_string(), "resources": cx.store.rows().count(),
        "deployments": cx.store.docs("deployment|").len(), "stacks": cx.store.docs("stack|").len(),
        "subscription": super::core::SUBSCRIPTION, "tenant": super::core::TENANT,
    })
}
