//! `deploymentStacksWhatIfResults`: what an update of a stack would create, change, delete, detach and deny.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::request::{StackRequest, poll_url};
use super::words::lower_first;
use crate::core::{Cx, Rest};
use crate::deploy::{diff, whatif};
use crate::documents::{DenyMode, Outcome, StackDocument, StackState, Unmanage, WhatIfDocument, to_value};
use crate::error::ArmError;
use crate::guards::stack_caller;
use crate::http::{Reply, Request, not_served, page};
use crate::id::{Path, key};
use crate::value::{set, set_default};
use crate::{lookup, lro};

/// Computes what a PUT asks for on a copy of the state; gives what is left to do under the lock.
///
/// # Errors
/// The error envelope's content.
pub fn evaluate<'r>(cx: &mut Cx<'_>, request: &'r Request, own: Path) -> Result<Rest<'r>, ArmError> {
    let stack = StackRequest::read(cx, request, &own)?;
    let result = compute(cx, &stack)?;
    Ok(Box::new(move |cx| {
        let id = own.id();
        let there = cx.store.has::<WhatIfDocument>(&id);
        cx.store.put(&id, WhatIfDocument(result.clone()));
        let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::empty(200));
        let mut first = result;
        set(&mut first, "/properties/provisioningState", json!("initializing"));
        if let Some(properties) = first.get_mut("properties").and_then(Value::as_object_mut) {
            properties.shift_remove("changes");
        }
        let poll = poll_url(request, &own, stack.location.as_deref(), &operation);
        Ok(Reply::with(if there { 200 } else { 201 }, first)
            .header("Azure-AsyncOperation", poll)
            .header("Retry-After", "1"))
    }))
}

/// Verbs on what-if results that evaluate no template.
///
/// # Errors
/// The error envelope's content.
pub fn route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    let own = path.first();
    let id = own.id();
    let word = path.types.get(1).map(|word| word.to_lowercase()).unwrap_or_default();
    let missing = || {
        ArmError::missing(
            "DeploymentStacksWhatIfResultNotFound",
            format!("The what-if result '{}' could not be found.", own.name()),
        )
    };
    match (request.method.as_str(), word.as_str()) {
        ("GET", "") if path.names.is_empty() => {
            let prefix = format!("{}/providers/Microsoft.Resources/deploymentStacksWhatIfResults/", path.scope);
            let all = cx.store.all::<WhatIfDocument>(&prefix);
            Ok(page(request, all.iter().map(|result| result.0.clone()).collect()))
        }
        ("GET", "") | ("POST", "whatif") => {
            cx.store.get::<WhatIfDocument>(&id).map(|result| Reply::ok(result.0.clone())).ok_or_else(missing)
        }
        ("DELETE", "") => {
            let there = cx.store.remove::<WhatIfDocument>(&id);
            Ok(Reply::empty(if there { 200 } else { 204 }))
        }
        _ => Err(not_served(request)),
    }
}

/// A delta of deployments as stacks write it: `changeType` in lower case.
fn changes_of(delta: Option<&Value>) -> Value {
    let list = delta.and_then(Value::as_array).into_iter().flatten();
    list.map(|change| {
        let mut out = json!({ "path": change.get("path"), "changeType": lower_first(change.get("propertyChangeType").and_then(Value::as_str).unwrap_or_default()) });
        for side in ["before", "after"] {
            if let Some(value) = change.get(side) {
                set(&mut out, &format!("/{side}"), value.clone());
            }
        }
        if change.get("children").is_some() {
            set(&mut out, "/children", changes_of(change.get("children")));
        }
        out
    })
    .collect()
}

/// Everything that an update compares: the stack as it is, and as it would be.
struct Comparison<'a> {
    request: &'a StackRequest,
    old: Option<&'a StackDocument>,
    /// Ids that the stack manages now, as written and as keys.
    before: Vec<&'a str>,
    managed: BTreeSet<String>,
}

impl Comparison<'_> {
    fn deny_before(&self) -> DenyMode {
        self.old.map_or(DenyMode::None, |old| old.record.properties.deny_settings.mode)
    }

    /// A resource that the template has; `change` is that of the deployment's own what-if.
    fn deployed(&self, change: &Value) -> Value {
        let text = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = text("resourceId");
        let managed = self.managed.contains(&key(id));
        let mut config = json!({});
        for side in ["before", "after"] {
            if let Some(value) = change.get(side) {
                set(&mut config, &format!("/{side}"), value.clone());
            }
        }
        if change.get("delta").is_some() {
            set(&mut config, "/delta", changes_of(change.get("delta")));
        }
        json!({
            "id": id, "type": Path::of(id).resource_type(), "apiVersion": change.pointer("/after/apiVersion"),
            "deploymentId": self.request.deployment.path.id(),
            "changeType": lower_first(text("changeType")), "changeCertainty": "definite",
            "managementStatusChange": { "before": if managed { "managed" } else { "unmanaged" }, "after": "managed" },
            "denyStatusChange": {
                "before": if managed { self.deny_before() } else { DenyMode::None }, "after": self.request.deny.mode,
            },
            "resourceConfigurationChanges": config,
        })
    }

    /// A resource that the template lacks.
    fn unmanaged(&self, cx: &Cx<'_>, id: &str) -> Value {
        let action = &self.request.action;
        let word = if Path::of(id).namespace.is_none() { action.resource_groups } else { action.resources };
        let after = if word == Unmanage::Delete { "unknown" } else { "unmanaged" };
        json!({
            "id": id, "type": Path::of(id).resource_type(), "changeType": word, "changeCertainty": "definite",
            "managementStatusChange": { "before": "managed", "after": after },
            "denyStatusChange": { "before": self.deny_before(), "after": DenyMode::None },
            "resourceConfigurationChanges": { "before": lookup::find(cx, id).map(|body| whatif::shown_now(id, body)) },
        })
    }

    fn deny_settings(&self) -> Value {
        let old = self.old.map(|old| to_value(&old.record.properties.deny_settings));
        let new = to_value(&self.request.deny);
        let delta = diff::delta("", &old.clone().unwrap_or_else(|| json!({})), &new);
        let mut change = json!({ "after": new });
        if let Some(old) = old {
            set(&mut change, "/before", old);
        }
        set(&mut change, "/delta", changes_of(Some(&Value::Array(delta))));
        change
    }
}

fn compute(cx: &mut Cx<'_>, request: &StackRequest) -> Result<Value, ArmError> {
    let stack = request.other.get("deploymentStackResourceId").and_then(Value::as_str).unwrap_or_default();
    if stack.is_empty() {
        return Err(ArmError::bad("InvalidRequestContent", "The property 'deploymentStackResourceId' is required."));
    }
    let expansion = request.deployment.expand(cx)?;
    let old = cx.store.get::<StackDocument>(stack);
    let user = std::mem::replace(&mut cx.caller, stack_caller(stack));
    let plan = whatif::run(cx, &request.deployment)?;
    cx.caller = user;
    let before: Vec<&str> = old.iter().flat_map(|old| old.managed()).collect();
    let managed = before.iter().map(|id| key(id)).collect();
    let comparison = Comparison { request, old: old.as_deref(), before, managed };
    let mut list = Vec::new();
    let mut kept = BTreeSet::new();
    for change in plan.get("changes").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("changeType") != "Ignore" {
            kept.insert(key(text("resourceId")));
            list.push(comparison.deployed(change));
        }
    }
    let unmanaged = comparison.before.iter().filter(|id| !kept.contains(&key(id)));
    list.extend(unmanaged.map(|id| comparison.unmanaged(cx, id)));
    let mut record = request.record(cx, &expansion, StackState::Succeeded);
    record.kind = "Microsoft.Resources/deploymentStacksWhatIfResults".to_owned();
    record.properties.deployment_id = None;
    let mut result = to_value(&record);
    let modified = old.as_ref().map_or("0001-01-01T00:00:00+00:00", |old| &old.record.system_data.last_modified_at);
    set(&mut result, "/properties/deploymentStackLastModified", json!(modified));
    set_default(&mut result, "/properties/retentionInterval", json!("P1D"));
    set(
        &mut result,
        "/properties/changes",
        json!({
            "resourceChanges": list, "denySettingsChange": comparison.deny_settings(),
            "deploymentScopeChange": {
                "before": old.as_ref().and_then(|old| old.record.properties.other.get("deploymentScope")),
                "after": request.other.get("deploymentScope"),
            },
        }),
    );
    set(&mut result, "/properties/diagnostics", json!([]));
    Ok(result)
}
