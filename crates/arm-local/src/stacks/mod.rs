//! Deployment stacks: a deployment that remembers what it made, deletes or lets go of what the next template lacks, and
//! can forbid others to touch it. `run` carries one out, `whatif` says what an update would do.

pub mod run;
pub mod whatif;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::core::{Cx, Job, SUBSCRIPTION, not_served, page};
use super::deploy;
use super::deploy::request::Order;
use super::error::ArmError;
use super::groups;
use super::http::{Reply, Request};
use super::id::Path;
use super::lro::{self, Outcome};
use super::resources::{Touch, check_locks};
use super::write::set;
use arm_template::{Expansion, Template, json as lenient};

/// Key of a stack's document.
#[must_use]
pub fn key(id: &str) -> String {
    format!("stack|{}", super::id::key(id))
}

/// The caller under which a stack's own deployment writes: its deny settings do not stop itself.
#[must_use]
pub fn caller(id: &str) -> String {
    format!("stack|{}", super::id::key(id))
}

/// Forgets the stacks of a deleted scope.
pub fn forget(cx: &mut Cx<'_>, scope: &str) {
    let scope = super::id::key(scope);
    for prefix in [format!("stack|{scope}/"), format!("stackwhatif|{scope}/")] {
        for (key, _) in cx.store.docs(&prefix) {
            cx.store.remove_doc(&key);
        }
    }
}

/// Refuses what a stack's deny settings forbid to everyone else.
///
/// # Errors
/// `DenyAssignmentAuthorizationFailed`.
pub fn check_deny(cx: &Cx<'_>, id: &str, verb: &str) -> Result<(), ArmError> {
    let target = super::id::key(id);
    for (own, doc) in cx.store.docs("stack|") {
        let settings = doc.pointer("/record/properties/denySettings").cloned().unwrap_or_default();
        let mode = settings.get("mode").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let denies = match mode.as_str() {
            "denydelete" => verb == "delete",
            "denywriteanddelete" => true,
            _ => false,
        };
        if !denies || cx.caller == own || deploy::record_state(&doc) != "succeeded" {
            continue;
        }
        let children = settings.get("applyToChildScopes") == Some(&json!(true));
        let covered = managed(&doc).iter().any(|id| {
            let id = super::id::key(id);
            target == id || (children && target.starts_with(&format!("{id}/")))
        });
        if !covered {
            continue;
        }
        let texts = |name: &str| -> Vec<String> {
            settings
                .get(name)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_lowercase)
                .collect()
        };
        let action = format!("{}/{verb}", Path::of(id).resource_type()).to_lowercase();
        let excused = texts("excludedPrincipals").contains(&cx.caller.to_lowercase())
            || texts("excludedActions").iter().any(|pattern| {
                *pattern == action || pattern.strip_prefix('*').is_some_and(|end| action.ends_with(end))
            });
        if excused {
            continue;
        }
        let stack = doc.get("id").and_then(Value::as_str).unwrap_or_default();
        return Err(ArmError::new(
            403,
            "DenyAssignmentAuthorizationFailed",
            format!(
                "The client '{0}' with object id '{0}' has permission to perform action '{action}' on scope '{id}'; however, the access is denied because of the deny assignment with name 'Deny assignment created by Deployment Stack {stack}' at scope '{id}'.",
                cx.caller
            ),
        ));
    }
    Ok(())
}

/// Ids that a stack manages.
#[must_use]
pub fn managed(doc: &Value) -> Vec<String> {
    let list = doc.pointer("/record/properties/resources").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|item| item.get("id").and_then(Value::as_str).map(str::to_owned)).collect()
}

fn missing(path: &Path) -> ArmError {
    ArmError::missing(
        "DeploymentStackNotFound",
        format!("The deployment stack '{}' could not be found in scope '{}'.", path.name(), path.scope),
    )
}

/// Verbs on stacks and on their what-if results.
///
/// # Errors
/// The error envelope's content.
pub fn route(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Reply, ArmError> {
    if let Some(group) = path.group()
        && cx.store.row(&path.scope).is_none()
    {
        return Err(groups::not_found(group));
    }
    if path.types.first().is_some_and(|kind| kind.eq_ignore_ascii_case("deploymentStacksWhatIfResults")) {
        return whatif::route(cx, request, path);
    }
    let own = path.first();
    let id = own.id();
    let word = path.types.get(1).map(|word| word.to_lowercase()).unwrap_or_default();
    match (request.method.as_str(), word.as_str()) {
        ("GET", "") if path.names.is_empty() => {
            let prefix = format!("{}/", key(&format!("{}/providers/Microsoft.Resources/deploymentStacks", path.scope)));
            let list = cx.store.docs(&prefix).into_iter().filter_map(|(_, doc)| doc.get("record").cloned()).collect();
            Ok(page(request, list))
        }
        ("GET", "") => {
            let doc = cx.store.doc(&key(&id)).ok_or_else(|| missing(&own))?;
            Ok(Reply::ok(doc.get("record").cloned().unwrap_or_default()))
        }
        ("HEAD", "") => Ok(Reply::empty(if cx.store.doc(&key(&id)).is_some() { 204 } else { 404 })),
        ("PUT", "") => create(cx, request, &own),
        ("DELETE", "") => delete(cx, request, &own),
        ("POST", "validate") => {
            let ask = Ask::read(cx, request, &own)?;
            let expansion = ask.order.expand(cx)?;
            cx.caller = caller(&id);
            deploy::steps::preflight(cx, &ask.order, &expansion)?;
            let mut body = ask.record(cx, &expansion, "succeeded");
            let ids: Vec<Value> = deploy::steps::ids(&expansion).into_iter().map(|id| json!({ "id": id })).collect();
            set(&mut body, "/properties/validatedResources", Value::Array(ids));
            Ok(Reply::ok(body))
        }
        ("POST", "exporttemplate") => {
            let doc = cx.store.doc(&key(&id)).ok_or_else(|| missing(&own))?;
            Ok(Reply::ok(json!({ "template": doc.get("template") })))
        }
        _ => Err(not_served(request)),
    }
}

/// What a client asks of a stack.
pub struct Ask {
    /// The stack's path.
    pub path: Path,
    /// The deployment that carries it out.
    pub order: Order,
    /// `properties` as sent, without template and parameters.
    pub properties: Map<String, Value>,
    /// Region of the record.
    pub location: Option<String>,
    /// Tags of the record.
    pub tags: Value,
}

fn invalid(message: impl Into<String>) -> ArmError {
    ArmError::bad(
        "InvalidRequestContent",
        format!("The request content was invalid and could not be deserialized: '{}'.", message.into()),
    )
}

impl Ask {
    /// Reads a request.
    ///
    /// # Errors
    /// `InvalidRequestContent`, `InvalidTemplate` and those of deployments.
    pub fn read(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Self, ArmError> {
        let text = std::str::from_utf8(&request.body).map_err(|_| invalid("The body is not UTF-8."))?;
        let root = lenient::read(text).map_err(|error| invalid(error.message.clone()))?;
        let body = root.to_value();
        Self::build(cx, path, &body)
    }

    /// An ask from a parsed body.
    ///
    /// # Errors
    /// As [`Ask::read`].
    pub fn build(cx: &mut Cx<'_>, path: &Path, body: &Value) -> Result<Self, ArmError> {
        let mut properties = body
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .ok_or_else(|| invalid("The property 'properties' is required."))?;
        let template = properties.shift_remove("template").filter(|template| !template.is_null());
        let parameters =
            properties.shift_remove("parameters").filter(|given| !given.is_null()).unwrap_or_else(|| json!({}));
        let links = deploy::links::Links::of(cx);
        let link = properties.get("templateLink").filter(|link| !link.is_null()).cloned();
        let (template, base) = match (template, link) {
            (Some(template), _) => {
                (Template::from_json(&template).map_err(|errors| deploy::request::template_error(&errors))?, None)
            }
            (None, Some(link)) => links.named(&link, None)?,
            (None, None) => {
                return Err(ArmError::bad(
                    "InvalidTemplate",
                    "Deployment template validation failed: the request has neither 'template' nor 'templateLink'.",
                ));
            }
        };
        let parameters = match properties.get("parametersLink").filter(|link| !link.is_null()) {
            Some(link) => links.values(link, None)?,
            None => parameters,
        };
        check_settings(&mut properties)?;
        let name = path.name();
        if name.is_empty() || name.len() > 90 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.()".contains(c))
        {
            return Err(ArmError::bad(
                "InvalidDeploymentStackName",
                format!("The deployment stack name '{name}' is not valid."),
            ));
        }
        let scope = properties
            .get("deploymentScope")
            .and_then(Value::as_str)
            .map_or_else(|| path.scope.clone(), |scope| Path::of(scope).id());
        let stamp = cx.now.strftime("%y%m%d%H%M%S").to_string();
        let short: String = name.chars().take(40).collect();
        let deployment = Path::of(&format!(
            "{scope}/providers/Microsoft.Resources/deployments/{short}-{stamp}{}",
            cx.unique().get(..4).unwrap_or_default()
        ));
        let location = body.get("location").and_then(Value::as_str).map(super::names::location);
        let envelope = json!({ "mode": "Incremental", "location": location.clone().or_else(|| deployment.group().is_none().then(|| "westeurope".to_owned())), "link": base });
        if path.group().is_none() && location.is_none() {
            return Err(ArmError::bad(
                "LocationRequired",
                format!("The 'location' property must be specified for '{name}'."),
            ));
        }
        let mut order = Order::build(cx, &deployment, template, parameters, &envelope)?;
        order.stack = Some(path.id());
        let tags = body.get("tags").filter(|tags| !tags.is_null()).cloned().unwrap_or_else(|| json!({}));
        Ok(Self { path: path.clone(), order, properties, location, tags })
    }

    /// The record of the stack in a state.
    #[must_use]
    pub fn record(&self, cx: &Cx<'_>, expansion: &Expansion, state: &str) -> Value {
        let mut out = json!({ "id": self.path.id(), "name": self.path.name(), "type": "Microsoft.Resources/deploymentStacks", "tags": self.tags });
        if let Some(location) = &self.location {
            set(&mut out, "/location", json!(location));
        }
        let mut parameters = Map::new();
        for (name, parameter) in &expansion.parameters {
            let mut shown = json!({ "type": parameter.kind });
            if !parameter.secure && parameter.secret_pointers.is_empty() {
                set(&mut shown, "/value", parameter.value.clone());
            }
            parameters.insert(name.clone(), shown);
        }
        let mut properties = self.properties.clone();
        properties.insert("provisioningState".into(), json!(state));
        properties.insert("correlationId".into(), json!(self.order.correlation));
        properties.insert("parameters".into(), Value::Object(parameters));
        properties.insert("deploymentId".into(), json!(self.order.path.id()));
        set(&mut out, "/properties", Value::Object(properties));
        let creator = json!({ "createdBy": cx.caller, "createdByType": "Application", "createdAt": cx.now.to_string(), "lastModifiedAt": cx.now.to_string() });
        set(&mut out, "/systemData", creator);
        out
    }
}

fn check_settings(properties: &mut Map<String, Value>) -> Result<(), ArmError> {
    let one_of =
        |value: Option<&Value>, what: &str, words: &[&str], default: Option<&str>| -> Result<String, ArmError> {
            let text = value
                .and_then(Value::as_str)
                .or(default)
                .ok_or_else(|| invalid(format!("The property '{what}' is required.")))?;
            let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            found
                .map(|word| (*word).to_owned())
                .ok_or_else(|| invalid(format!("'{text}' is not allowed for '{what}': {}.", words.join(", "))))
        };
    let mut action = properties
        .get("actionOnUnmanage")
        .cloned()
        .ok_or_else(|| invalid("The property 'actionOnUnmanage' is required."))?;
    for (name, words, default) in [
        ("resources", &["delete", "detach"][..], None),
        ("resourceGroups", &["delete", "detach"][..], Some("detach")),
        ("managementGroups", &["delete", "detach"][..], Some("detach")),
        ("resourcesWithoutDeleteSupport", &["detach", "fail"][..], Some("fail")),
    ] {
        let word = one_of(action.get(name), &format!("actionOnUnmanage.{name}"), words, default)?;
        set(&mut action, &format!("/{name}"), json!(word));
    }
    properties.insert("actionOnUnmanage".into(), action);
    let mut deny =
        properties.get("denySettings").cloned().ok_or_else(|| invalid("The property 'denySettings' is required."))?;
    let mode = one_of(deny.get("mode"), "denySettings.mode", &["none", "denyDelete", "denyWriteAndDelete"], None)?;
    set(&mut deny, "/mode", json!(mode));
    super::write::set_default(&mut deny, "/applyToChildScopes", json!(false));
    for (name, most) in [("excludedPrincipals", 5), ("excludedActions", 200)] {
        let count = deny.get(name).and_then(Value::as_array).map_or(0, Vec::len);
        if count > most {
            return Err(invalid(format!("'denySettings.{name}' has {count} entries; {most} are allowed.")));
        }
    }
    properties.insert("denySettings".into(), deny);
    Ok(())
}

/// The polling URL of a stack's operation.
#[must_use]
pub fn poll_url(request: &Request, path: &Path, location: Option<&str>, operation: &str) -> String {
    let sub = path.subscription().unwrap_or(SUBSCRIPTION);
    format!(
        "{}/subscriptions/{sub}/providers/Microsoft.Resources/locations/{}/deploymentStackOperationStatus/{operation}?api-version={}",
        request.base,
        location.unwrap_or("westeurope"),
        request.api_version()
    )
}

fn create(cx: &mut Cx<'_>, request: &Request, own: &Path) -> Result<Reply, ArmError> {
    let id = own.id();
    check_locks(cx, &own.scope, Touch::Write)?;
    let there = cx.store.doc(&key(&id)).is_some();
    let ask = Ask::read(cx, request, own)?;
    let (record, operation) = accept(cx, &ask, false)?;
    cx.jobs.push(Job::Stack(id));
    let status = if there { 200 } else { 201 };
    let poll = poll_url(request, own, ask.location.as_deref(), &operation);
    Ok(Reply::with(status, record).header("Azure-AsyncOperation", poll).header("Retry-After", "1"))
}

/// Stores a stack as accepted; gives its record and its operation. `inside`: it is part of a deployment, which carries it
/// out and takes it up again itself.
///
/// # Errors
/// Another update is under way, preflight, `DeploymentStackOutOfSync`.
pub fn accept(cx: &mut Cx<'_>, ask: &Ask, inside: bool) -> Result<(Value, String), ArmError> {
    let own = &ask.path;
    let id = own.id();
    let old = cx.store.doc(&key(&id));
    if let Some(old) = &old {
        // one that its deployment left half done is begun again by that deployment
        check_ended(own, old, inside)?;
        check_sync(cx, own, ask.properties.get("bypassStackOutOfSyncError") == Some(&json!(true)), "PUT")?;
    }
    let expansion = ask.order.expand(cx)?;
    let user = std::mem::replace(&mut cx.caller, caller(&id));
    deploy::steps::preflight(cx, &ask.order, &expansion)?;
    cx.caller = user;
    let mut record = ask.record(cx, &expansion, "creating");
    // what is managed stays so until the deployment has ended
    let before = old.as_ref().map(|old| managed(old)).unwrap_or_default();
    if let Some(resources) = old.as_ref().and_then(|old| old.pointer("/record/properties/resources")) {
        set(&mut record, "/properties/resources", resources.clone());
    }
    let operation = lro::start(cx, 0, Outcome::Stack(key(&id)));
    let doc = json!({
        "id": id, "record": record, "template": ask.order.template.to_value(), "before": before, "start": cx.real_ms,
        "pending": { "body": body_of(ask), "order": ask.order.pending(), "deployment": ask.order.path.id() },
        "inside": inside,
    });
    cx.store.put_doc(&key(&id), doc);
    Ok((record, operation))
}

fn check_ended(own: &Path, doc: &Value, inside: bool) -> Result<(), ArmError> {
    let open = doc.get("pending").is_some_and(|pending| !pending.is_null());
    if !open || (inside && doc.get("inside") == Some(&json!(true))) {
        return Ok(());
    }
    Err(ArmError::conflict(
        "DeploymentStackInNonTerminalState",
        format!("The deployment stack '{}' is in a non-terminal state; wait for it to end.", own.name()),
    ))
}

/// A list that may be wrong must not decide what is deleted, unless the caller says that it may. The endpoint's own lists
/// are never wrong: a fault makes one so.
fn check_sync(cx: &Cx<'_>, own: &Path, bypass: bool, method: &str) -> Result<(), ArmError> {
    let id = own.id();
    if bypass || !super::faults::out_of_sync(cx, &id, method) {
        return Ok(());
    }
    Err(ArmError::conflict(
        "DeploymentStackOutOfSync",
        format!(
            "The deployment stack '{id}' may not have an accurate list of managed resources. Check that the list of managed resources has no additional entries, or deploy the stack again as it is. To go on regardless, set bypassStackOutOfSyncError to true."
        ),
    ))
}

fn body_of(ask: &Ask) -> Value {
    let mut properties = ask.properties.clone();
    properties.insert("template".into(), ask.order.template.to_value());
    properties.insert("parameters".into(), ask.order.parameters.clone());
    json!({ "location": ask.location, "tags": ask.tags, "properties": properties })
}

fn delete(cx: &mut Cx<'_>, request: &Request, own: &Path) -> Result<Reply, ArmError> {
    let id = own.id();
    let Some(doc) = cx.store.doc(&key(&id)) else { return Ok(Reply::empty(204)) };
    check_ended(own, &doc, false)?;
    let bypass = request.query("bypassStackOutOfSyncError").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    check_sync(cx, own, bypass, "DELETE")?;
    let word =
        |name: &str, default: &str| request.query(&format!("unmanageAction.{name}")).unwrap_or(default).to_lowercase();
    let action = json!({
        "resources": word("Resources", "detach"), "resourceGroups": word("ResourceGroups", "detach"),
        "managementGroups": word("ManagementGroups", "detach"),
        "resourcesWithoutDeleteSupport": word("ResourcesWithoutDeleteSupport", "fail"),
    });
    cx.caller = caller(&id);
    let ended = run::unmanage(cx, &managed(&doc), &action);
    if !ended.failed.is_empty() {
        let details: Vec<ArmError> = ended.failed.iter().map(|(id, error)| error.clone().at(id.clone())).collect();
        let error = ArmError::conflict(
            "DeploymentStackDeleteResourcesFailed",
            "One or more resources could not be deleted. Correlation id: see details.",
        )
        .because(details);
        // what could be deleted is gone: the record says what is left
        let mut doc = doc.as_ref().clone();
        set(&mut doc, "/record/properties/provisioningState", json!("failed"));
        set(&mut doc, "/record/properties/error", error.value());
        let gone: BTreeSet<String> = ended.deleted.iter().map(|id| super::id::key(id)).collect();
        if let Some(list) = doc.pointer_mut("/record/properties/resources").and_then(Value::as_array_mut) {
            list.retain(|item| {
                item.get("id").and_then(Value::as_str).is_none_or(|id| !gone.contains(&super::id::key(id)))
            });
        }
        cx.store.put_doc(&key(&id), doc);
        let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::Error(error));
        return Ok(Reply::empty(202)
            .header("Azure-AsyncOperation", poll_url(request, own, None, &operation))
            .header("Retry-After", "1"));
    }
    cx.store.remove_doc(&key(&id));
    let operation = lro::start(cx, cx.core.settings.latency_ms, Outcome::Body(200, None));
    Ok(Reply::empty(202)
        .header("Location", format!("{}&monitor=true", poll_url(request, own, None, &operation)))
        .header("Retry-After", "1"))
}

/// Outputs of a finished deployment, as its record shows them, with the lower-case types of stacks.
fn outputs(record: &Value) -> Value {
    let mut out = Map::new();
    for (name, output) in record.pointer("/properties/outputs").and_then(Value::as_object).into_iter().flatten() {
        let mut shown = output.clone();
        if let Some(kind) = output.get("type").and_then(Value::as_str) {
            let mut letters = kind.chars();
            let low: String =
                letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default();
            set(&mut shown, "/type", json!(low));
        }
        out.insert(name.clone(), shown);
    }
    Value::Object(out)
}
