//! `/_local/…`: what only this endpoint has: status, clock, metrics, tasks, faults, reset, shutdown.

use serde_json::{Value, json};

use crate::core::{Cx, lock};
use crate::documents::{DeploymentDocument, StackDocument, to_value};
use crate::error::ArmError;
use crate::faults::{Fault, read_faults};
use crate::http::{Reply, Request, not_served};
use crate::{autoscale, limits, lro, meta, nodes, types};

/// Answers the paths below `/_local/`.
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
            cx.store.put("", clock);
            cx.now = clock.now(real);
            autoscale::catch_up(cx);
            nodes::catch_up(cx);
            types::deleted::expire(cx);
            types::instances::catch_up(cx);
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
        ("POST", ["machines"]) => {
            let id = types::instances::say(cx, &request.json()?)?;
            types::instances::catch_up(cx);
            Ok(Reply::ok(types::instances::carried(cx, Some(&id))))
        }
        ("GET", ["machines"]) => Ok(Reply::ok(types::instances::carried(cx, request.query("set")))),
        ("GET", ["tasks"]) => Ok(Reply::ok(nodes::body(cx))),
        ("POST", ["tasks"]) => {
            nodes::feed(cx, &request.json()?)?;
            Ok(Reply::ok(nodes::body(cx)))
        }
        ("POST", ["formula"]) => Ok(Reply::ok(nodes::pool::rehearse(cx, &request.json()?)?)),
        ("GET", ["limits"]) => Ok(Reply::ok(to_value(limits::get(cx).as_ref()))),
        ("POST", ["limits"]) => {
            limits::set(cx, &request.json()?)?;
            Ok(Reply::ok(to_value(limits::get(cx).as_ref())))
        }
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
        "deployments": cx.store.all::<DeploymentDocument>("").len(), "stacks": cx.store.all::<StackDocument>("").len(),
        "subscription": crate::id::SUBSCRIPTION, "tenant": crate::id::TENANT,
    })
}
