//! `deploymentStacksWhatIfResults`: what an update of a stack would create, change, delete, let go and forbid.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Ask, caller, key, managed, poll_url};
use crate::core::{Cx, not_served, page};
use crate::deploy::{self, diff};
use crate::error::ArmError;
use crate::http::{Reply, Request};
use crate::id::{Path, key as id_key};
use crate::lro::{self, Outcome};
use crate::write::set;

fn doc_key(id: &str) -> String {
    format!("stackwhatif|{}", id_key(id))
}

/// Verbs on what-if results.
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
            let prefix = format!(
                "{}/",
                doc_key(&format!("{}/providers/Microsoft.Resources/deploymentStacksWhatIfResults", path.scope))
            );
            Ok(page(request, cx.store.docs(&prefix).into_iter().map(|(_, doc)| doc.as_ref().clone()).collect()))
        }
        ("GET", "") => cx.store.doc(&doc_key(&id)).map(|doc| Reply::ok(doc.as_ref().clone())).ok_or_else(missing),
        ("DELETE", "") => {
            let there = cx.store.doc(&doc_key(&id)).is_some();
            cx.store.remove_doc(&doc_key(&id));
            Ok(Reply::empty(if there { 200 } else { 204 }))
        }
        ("POST", "whatif") => {
            let doc = cx.store.doc(&doc_key(&id)).ok_or_else(missing)?;
            Ok(Reply::ok(doc.as_ref().clone()))
        }
        ("PUT", "") => {
            let there = cx.store.doc(&doc_key(&id)).is_some();
            let ask = Ask::read(cx, request, &own)?;
            let result = compute(cx, &ask)?;
            cx.store.put_doc(&doc_key(&id), result.clone());
            let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::Body(200, None));
            let mut first = result;
            set(&mut first, "/properties/provisioningState", json!("initializing"));
            if let Some(properties) = first.get_mut("properties").and_then(Value::as_object_mut) {
                properties.shift_remove("changes");
            }
            let poll = poll_url(request, &own, ask.location.as_deref(), &operation);
            Ok(Reply::with(if there { 200 } else { 201 }, first)
                .header("Azure-AsyncOperation", poll)
                .header("Retry-After", "1"))
        }
        _ => Err(not_served(request)),
    }
}

fn low(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A delta of deployments as stacks write it: `changeType` in lower case.
fn changes_of(delta: Option<&Value>) -> Value {
    let list = delta.and_then(Value::as_array).into_iter().flatten();
    list.map(|change| {
        let mut out = json!({ "path": change.get("path"), "changeType": low(change.get("propertyChangeType").and_then(Value::as_str).unwrap_or_default()) });
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

fn compute(cx: &mut Cx<'_>, ask: &Ask) -> Result<Value, ArmError> {
    let stack = ask.properties.get("deploymentStackResourceId").and_then(Value::as_str).unwrap_or_default().to_owned();
    if stack.is_empty() {
        return Err(ArmError::bad("InvalidRequestContent", "The property 'deploymentStackResourceId' is required."));
    }
    let expansion = ask.order.expand(cx)?;
    let old = cx.store.doc(&key(&stack));
    let before: Vec<String> = old.as_ref().map(|old| managed(old)).unwrap_or_default();
    let had: BTreeSet<String> = before.iter().map(|id| id_key(id)).collect();
    let user = std::mem::replace(&mut cx.caller, caller(&stack));
    let plan = deploy::whatif::run(cx, &ask.order)?;
    cx.caller = user;
    let old_deny = old.as_ref().and_then(|old| old.pointer("/record/properties/denySettings").cloned());
    let new_deny = ask.properties.get("denySettings").cloned().unwrap_or_default();
    let mode = |deny: Option<&Value>| {
        deny.and_then(|deny| deny.get("mode")).and_then(Value::as_str).unwrap_or("none").to_owned()
    };
    let (deny_before, deny_after) = (mode(old_deny.as_ref()), mode(Some(&new_deny)));
    let mut list = Vec::new();
    let mut kept = BTreeSet::new();
    for change in plan.get("changes").and_then(Value::as_array).into_iter().flatten() {
        let verb = change.get("changeType").and_then(Value::as_str).unwrap_or_default();
        let id = change.get("resourceId").and_then(Value::as_str).unwrap_or_default();
        if verb == "Ignore" {
            continue;
        }
        kept.insert(id_key(id));
        let managed_before = had.contains(&id_key(id));
        let mut entry = json!({
            "id": id, "type": Path::of(id).resource_type(), "apiVersion": change.pointer("/after/apiVersion"), "deploymentId": ask.order.path.id(),
            "changeType": low(verb), "changeCertainty": "definite",
            "managementStatusChange": { "before": if managed_before { "managed" } else { "unmanaged" }, "after": "managed" },
            "denyStatusChange": { "before": if managed_before { deny_before.as_str() } else { "none" }, "after": deny_after },
        });
        let mut config = json!({});
        for side in ["before", "after"] {
            if let Some(value) = change.get(side) {
                set(&mut config, &format!("/{side}"), value.clone());
            }
        }
        if change.get("delta").is_some() {
            set(&mut config, "/delta", changes_of(change.get("delta")));
        }
        set(&mut entry, "/resourceConfigurationChanges", config);
        list.push(entry);
    }
    let action = ask.properties.get("actionOnUnmanage").cloned().unwrap_or_default();
    for id in before.iter().filter(|id| !kept.contains(&id_key(id))) {
        let group = Path::of(id).namespace.is_none();
        let word =
            action.get(if group { "resourceGroups" } else { "resources" }).and_then(Value::as_str).unwrap_or("detach");
        list.push(json!({
            "id": id, "type": Path::of(id).resource_type(), "changeType": word, "changeCertainty": "definite",
            "managementStatusChange": { "before": "managed", "after": if word == "delete" { "unknown" } else { "unmanaged" } },
            "denyStatusChange": { "before": deny_before, "after": "none" },
            "resourceConfigurationChanges": { "before": crate::write::find(cx, id).map(|body| deploy::whatif::shown_now(id, body)) },
        }));
    }
    let mut deny_change = json!({ "after": new_deny });
    let delta = diff::delta("", &old_deny.clone().unwrap_or_else(|| json!({})), &new_deny);
    if let Some(old) = old_deny {
        set(&mut deny_change, "/before", old);
    }
    set(&mut deny_change, "/delta", changes_of(Some(&Value::Array(delta))));
    let mut result = ask.record(cx, &expansion, "succeeded");
    set(&mut result, "/type", json!("Microsoft.Resources/deploymentStacksWhatIfResults"));
    if let Some(properties) = result.get_mut("properties").and_then(Value::as_object_mut) {
        properties.shift_remove("deploymentId");
    }
    let modified = old
        .as_ref()
        .and_then(|old| old.pointer("/record/systemData/lastModifiedAt").cloned())
        .unwrap_or_else(|| json!("0001-01-01T00:00:00+00:00"));
    set(&mut result, "/properties/deploymentStackLastModified", modified);
    crate::write::set_default(&mut result, "/properties/retentionInterval", json!("P1D"));
    set(
        &mut result,
        "/properties/changes",
        json!({
            "resourceChanges": list, "denySettingsChange": deny_change,
            "deploymentScopeChange": {
                "before": old.as_ref().and_then(|old| old.pointer("/record/properties/deploymentScope").cloned()),
                "after": ask.properties.get("deploymentScope"),
            },
        }),
    );
    set(&mut result, "/properties/diagnostics", json!([]));
    Ok(result)
}
