//! Deployments: validate, what-if, create, cancel, delete, export, list and operations, at every scope.
//!
//! `request` reads what a client sent and expands it, `links` finds the templates that stand elsewhere, `steps` writes the
//! resources, `run` carries a deployment out, `ending` closes it, `live` answers `reference()` and `list*()`, `record` is
//! what a GET shows, `whatif` and `diff` compare, `export` writes templates.

pub mod diff;
pub mod ending;
pub mod export;
pub mod links;
pub mod live;
pub mod record;
pub mod request;
pub mod run;
pub mod steps;
pub mod whatif;

use std::sync::Arc;

use serde_json::{Value, json};

use super::core::{Core, Cx, Job, not_served, page};
use super::error::ArmError;
use super::groups;
use super::http::{Reply, Request};
use super::id::Path;
use super::lro::{self, Outcome};
use super::write::set;
use request::Order;

/// Most deployments that a scope keeps.
const HISTORY: usize = 800;

/// Key of a deployment's document.
#[must_use]
pub fn key(id: &str) -> String {
    format!("deployment|{}", super::id::key(id))
}

/// Starts a deployment that was just accepted.
pub fn spawn(core: &Arc<Core>, job: Job) {
    let (id, run): (String, fn(&Arc<Core>, &str)) = match job {
        Job::Deploy(id) => (id, run::run),
        Job::Stack(id) => (id, super::stacks::run::run),
    };
    let core = Arc::clone(core);
    // a machine without a free thread runs it here: the client waits longer for its answer
    let work = {
        let (core, id) = (Arc::clone(&core), id.clone());
        move || run(&core, &id)
    };
    if std::thread::Builder::new().name("dsvmc-deploy".into()).spawn(work).is_err() {
        run(&core, &id);
    }
}

/// Goes on with deployments that a stopped endpoint left running.
pub fn resume(core: &Arc<Core>) {
    let left = core.with("", |cx| {
        // polling URLs of an earlier life that nobody asks for any more
        for (key, doc) in cx.store.docs("lro|") {
            if doc.get("ready").and_then(Value::as_i64).is_some_and(|ready| ready < cx.real_ms - 86_400_000) {
                cx.store.remove_doc(&key);
            }
        }
        let mut jobs = Vec::new();
        for (prefix, job) in [("deployment|", Job::Deploy as fn(String) -> Job), ("stack|", Job::Stack)] {
            let docs = cx.store.docs(prefix);
            // a stack inside a deployment is taken up by that one
            let open = docs.into_iter().filter(|(_, doc)| {
                doc.get("pending").is_some_and(|pending| !pending.is_null()) && doc.get("inside") != Some(&json!(true))
            });
            jobs.extend(open.filter_map(|(_, doc)| doc.get("id").and_then(Value::as_str).map(|id| job(id.to_owned()))));
        }
        Ok(jobs)
    });
    for job in left.unwrap_or_default() {
        spawn(core, job);
    }
}

/// Forgets the deployments of a deleted scope.
pub fn forget(cx: &mut Cx<'_>, scope: &str) {
    let scope = super::id::key(scope);
    for prefix in [format!("deployment|{scope}/"), format!("depop|{scope}/")] {
        for (key, _) in cx.store.docs(&prefix) {
            cx.store.remove_doc(&key);
        }
    }
}

fn missing(path: &Path) -> ArmError {
    ArmError::missing("DeploymentNotFound", format!("Deployment '{}' could not be found.", path.name()))
}

/// The state of a deployment's record.
#[must_use]
pub fn state(doc: &Value) -> &str {
    doc.pointer("/record/properties/provisioningState").and_then(Value::as_str).unwrap_or_default()
}

/// The same for a stack, whose states are in lower case.
#[must_use]
pub fn record_state(doc: &Value) -> String {
    state(doc).to_lowercase()
}

/// Hands a deployment to the one around it: that one is resumed after a restart, this one is not.
pub fn adopt(cx: &mut Cx<'_>, id: &str) {
    if let Some(doc) = cx.store.doc(&key(id)) {
        let mut doc = doc.as_ref().clone();
        set(&mut doc, "/pending", Value::Null);
        set(&mut doc, "/record/properties/provisioningState", json!("Running"));
        cx.store.put_doc(&key(id), doc);
    }
}

/// Whether a deployment has come to an end.
#[must_use]
pub fn is_final(state: &str) -> bool {
    matches!(state, "Succeeded" | "Failed" | "Canceled")
}

fn check_scope(cx: &Cx<'_>, path: &Path) -> Result<(), ArmError> {
    match path.group() {
        Some(group) if cx.store.row(&path.scope).is_none() => Err(groups::not_found(group)),
        _ => Ok(()),
    }
}

/// Verbs on deployments.
///
/// # Errors
/// The error envelope's content.
pub fn route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let words: Vec<String> = path.types.iter().skip(1).map(|word| word.to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let own = path.first();
    let method = request.method.as_str();
    match (method, words.as_slice()) {
        ("HEAD", []) => {
            let there = check_scope(cx, path).is_ok() && cx.store.doc(&key(&own.id())).is_some();
            return Ok(Reply::empty(if there { 204 } else { 404 }));
        }
        ("GET", []) if path.names.is_empty() => return list(cx, request, path),
        _ => {}
    }
    check_scope(cx, path)?;
    match (method, words.as_slice()) {
        ("GET", []) => {
            let doc = cx.store.doc(&key(&own.id())).ok_or_else(|| missing(&own))?;
            Ok(Reply::ok(doc.get("record").cloned().unwrap_or_default()))
        }
        ("PUT", []) => create(cx, request, &own),
        ("DELETE", []) => delete(cx, request, &own),
        ("POST", ["validate"]) => {
            let order = Order::read(cx, request, &own)?;
            let expansion = order.expand(cx)?;
            steps::preflight(cx, &order, &expansion)?;
            let mut body = record::fresh(cx, &order, &expansion, "Succeeded");
            let ids: Vec<Value> = steps::ids(&expansion).into_iter().map(|id| json!({ "id": id })).collect();
            set(&mut body, "/properties/validatedResources", Value::Array(ids));
            Ok(Reply::ok(body))
        }
        ("POST", ["whatif"]) => {
            let order = Order::read(cx, request, &own)?;
            let body = match whatif::run(cx, &order) {
                Ok(properties) => json!({ "status": "Succeeded", "properties": properties }),
                Err(error) => json!({ "status": "Failed", "error": error.value() }),
            };
            let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::Body(200, Some(body)));
            Ok(Reply::empty(202).header("Location", results(request, path, &operation)).header("Retry-After", "1"))
        }
        ("POST", ["cancel"]) => cancel(cx, &own),
        ("POST", ["exporttemplate"]) => {
            let doc = cx.store.doc(&key(&own.id())).ok_or_else(|| missing(&own))?;
            Ok(Reply::ok(json!({ "template": doc.get("template").cloned().unwrap_or_default() })))
        }
        ("GET", ["operationstatuses"]) => {
            let doc = cx.store.doc(&key(&own.id())).ok_or_else(|| missing(&own))?;
            let state = state(&doc);
            let mut body = json!({ "status": state });
            if let Some(error) = doc.pointer("/record/properties/error") {
                set(&mut body, "/error", error.clone());
            }
            let reply = Reply::ok(body);
            Ok(if is_final(state) { reply } else { reply.header("Retry-After", "1") })
        }
        ("GET", ["operations"]) => operations(cx, request, &own, path.names.get(1).map(String::as_str)),
        _ => Err(not_served(request)),
    }
}

/// `{scope}/deployments/{name}/operations[/{id}]`.
///
/// # Errors
/// `DeploymentNotFound`, `ResourceGroupNotFound`.
pub fn operations_route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let (Some(name), Some(word)) = (path.rest.get(1), path.rest.get(2)) else { return Err(not_served(request)) };
    if request.method != "GET" || !word.eq_ignore_ascii_case("operations") {
        return Err(not_served(request));
    }
    check_scope(cx, path)?;
    let own = Path::of(&format!("{}/providers/Microsoft.Resources/deployments/{name}", path.scope));
    operations(cx, request, &own, path.rest.get(3).map(String::as_str))
}

fn operations(cx: &mut Cx<'_>, request: &Request, own: &Path, one: Option<&str>) -> Result<Reply, ArmError> {
    let id = own.id();
    if cx.store.doc(&key(&id)).is_none() {
        return Err(missing(own));
    }
    let all: Vec<Value> = cx
        .store
        .docs(&format!("depop|{}|", super::id::key(&id)))
        .into_iter()
        .map(|(_, doc)| doc.as_ref().clone())
        .collect();
    match one {
        None => Ok(page(request, all)),
        Some(one) => all
            .into_iter()
            .find(|operation| operation.get("operationId").and_then(Value::as_str) == Some(one))
            .map(Reply::ok)
            .ok_or_else(|| {
                ArmError::missing(
                    "DeploymentOperationNotFound",
                    format!("The deployment operation '{one}' could not be found."),
                )
            }),
    }
}

fn list(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    check_scope(cx, path)?;
    let filter = super::filter::Filter::of(request)?;
    let prefix = format!("{}/", key(&format!("{}/providers/Microsoft.Resources/deployments", path.scope)));
    let mut records: Vec<Value> = cx
        .store
        .docs(&prefix)
        .into_iter()
        .filter_map(|(_, doc)| doc.get("record").cloned())
        .filter(|record| filter.passes(record))
        .collect();
    // newest first
    let time =
        |record: &Value| record.pointer("/properties/timestamp").and_then(Value::as_str).unwrap_or_default().to_owned();
    records.sort_by_key(|record| std::cmp::Reverse(time(record)));
    Ok(page(request, records))
}

fn results(request: &Request, path: &Path, operation: &str) -> String {
    let scope = match path.subscription() {
        Some(sub) => format!("/subscriptions/{sub}/operationresults"),
        None => "/providers/Microsoft.Resources/operationResults".to_owned(),
    };
    format!("{}{scope}/{operation}?api-version={}", request.base, request.api_version())
}

fn create(cx: &mut Cx<'_>, request: &Request, own: &Path) -> Result<Reply, ArmError> {
    let id = own.id();
    super::resources::check_locks(cx, &own.scope, super::resources::Touch::Write)?;
    let old = cx.store.doc(&key(&id));
    if let Some(old) = &old
        && !is_final(state(old))
    {
        return Err(ArmError::conflict(
            "DeploymentActive",
            format!(
                "Unable to edit or replace deployment '{}': previous deployment from '{}' is still active (expiration time is '{}'). Please see https://aka.ms/arm-deployment-operations for usage details.",
                own.name(),
                old.pointer("/record/properties/timestamp").and_then(Value::as_str).unwrap_or_default(),
                ""
            ),
        ));
    }
    let order = Order::read(cx, request, own)?;
    if old.is_none()
        && cx
            .store
            .docs(&format!("{}/", key(&format!("{}/providers/Microsoft.Resources/deployments", own.scope))))
            .len()
            >= HISTORY
    {
        prune(cx, own);
    }
    let expansion = order.expand(cx)?;
    steps::preflight(cx, &order, &expansion)?;
    let record = accept(cx, &order, &expansion)?;
    cx.jobs.push(Job::Deploy(id.clone()));
    let operation =
        cx.store.doc(&key(&id)).and_then(|doc| doc.get("operation").and_then(Value::as_str).map(str::to_owned));
    let poll = format!(
        "{}{id}/operationStatuses/{}?api-version={}",
        request.base,
        operation.unwrap_or_default(),
        request.api_version()
    );
    let status = if old.is_some() { 200 } else { 201 };
    Ok(Reply::with(status, record).header("Azure-AsyncOperation", poll).header("Retry-After", "1"))
}

/// Stores a deployment as accepted and gives its record.
///
/// # Errors
/// None of its own.
pub fn accept(cx: &mut Cx<'_>, order: &Order, expansion: &arm_template::Expansion) -> Result<Value, ArmError> {
    let id = order.path.id();
    for (key, _) in cx.store.docs(&format!("depop|{}|", super::id::key(&id))) {
        cx.store.remove_doc(&key);
    }
    let record = record::fresh(cx, order, expansion, "Accepted");
    let operation = format!("{:020}", jiff::Timestamp::now().as_nanosecond());
    let doc = json!({
        "id": id, "record": record, "template": order.template.to_value(), "pending": order.pending(), "operation": operation,
        "start": cx.real_ms, "cancel": false,
    });
    cx.store.put_doc(&key(&id), doc);
    Ok(record)
}

/// Makes room in the history: the oldest finished deployment goes, as the service does by itself.
fn prune(cx: &mut Cx<'_>, own: &Path) {
    let prefix = format!("{}/", key(&format!("{}/providers/Microsoft.Resources/deployments", own.scope)));
    let time = |doc: &Value| {
        doc.pointer("/record/properties/timestamp").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let oldest =
        cx.store.docs(&prefix).into_iter().filter(|(_, doc)| is_final(state(doc))).min_by_key(|(_, doc)| time(doc));
    if let Some(id) = oldest.and_then(|(_, doc)| doc.get("id").and_then(Value::as_str).map(str::to_owned)) {
        remove(cx, &id);
    }
}

fn remove(cx: &mut Cx<'_>, id: &str) {
    for (key, _) in cx.store.docs(&format!("depop|{}|", super::id::key(id))) {
        cx.store.remove_doc(&key);
    }
    cx.store.remove_doc(&key(id));
}

fn delete(cx: &mut Cx<'_>, request: &Request, own: &Path) -> Result<Reply, ArmError> {
    let id = own.id();
    let Some(doc) = cx.store.doc(&key(&id)) else { return Ok(Reply::empty(204)) };
    if !is_final(state(&doc)) {
        return Err(ArmError::conflict(
            "DeploymentActive",
            format!("Unable to edit or replace deployment '{}': it is still active.", own.name()),
        ));
    }
    remove(cx, &id);
    let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::Body(204, None));
    Ok(Reply::empty(202).header("Location", results(request, own, &operation)).header("Retry-After", "1"))
}

fn cancel(cx: &mut Cx<'_>, own: &Path) -> Result<Reply, ArmError> {
    let id = own.id();
    let doc = cx.store.doc(&key(&id)).ok_or_else(|| missing(own))?;
    let now = state(&doc);
    if is_final(now) {
        return Err(ArmError::conflict(
            "DeploymentCannotBeCancelled",
            format!(
                "The deployment '{}' cannot be cancelled because it has provisioning state '{now}' or it has already expired.",
                own.name()
            ),
        ));
    }
    let mut doc = doc.as_ref().clone();
    set(&mut doc, "/cancel", json!(true));
    cx.store.put_doc(&key(&id), doc);
    Ok(Reply::empty(204))
}
