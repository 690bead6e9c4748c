//! A deployment stack as a client asks for it.

use arm_template::{Expansion, Template, json as lenient};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::core::Cx;
use crate::deploy::links::Links;
use crate::deploy::record;
use crate::deploy::request::{DeploymentRequest, Envelope, template_error};
use crate::documents::{
    ActionOnUnmanage, DenyMode, DenySettings, PendingStack, StackProperties, StackRecord, StackState, SystemData,
    Undeletable, Unmanage,
};
use crate::error::ArmError;
use crate::http::Request;
use crate::id::{Path, SUBSCRIPTION};
use crate::names;

/// What only the service writes; a client that sends it back is not heard.
const READ_ONLY: &[&str] = &[
    "provisioningState",
    "correlationId",
    "deploymentId",
    "validatedResources",
    "duration",
    "resources",
    "deletedResources",
    "detachedResources",
    "failedResources",
    "outputs",
    "error",
];

/// What a client asks of a stack.
pub struct StackRequest {
    pub path: Path,
    pub deployment: DeploymentRequest,
    /// What becomes of resources that the template lacks.
    pub action: ActionOnUnmanage,
    /// What others may not do to managed resources.
    pub deny: DenySettings,
    /// The rest of `properties` as sent.
    pub other: Map<String, Value>,
    /// Region of the record.
    pub location: Option<String>,
    /// Tags of the record, or an empty object.
    pub tags: Value,
}

fn invalid(message: impl Into<String>) -> ArmError {
    ArmError::bad(
        "InvalidRequestContent",
        format!("The request content was invalid and could not be deserialized: '{}'.", message.into()),
    )
}

impl StackRequest {
    /// Reads the body of a PUT or of a validation.
    ///
    /// # Errors
    /// `InvalidRequestContent`, `InvalidTemplate` and those of deployments.
    pub fn read(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Self, ArmError> {
        let text = std::str::from_utf8(&request.body).map_err(|_| invalid("The body is not UTF-8."))?;
        let root = lenient::read(text).map_err(|error| invalid(error.message.clone()))?;
        Self::build(cx, path, &root.to_value())
    }

    /// A request from a parsed body.
    ///
    /// # Errors
    /// As [`StackRequest::read`] and for the same reasons.
    pub fn build(cx: &mut Cx<'_>, path: &Path, body: &Value) -> Result<Self, ArmError> {
        let mut properties = body
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .ok_or_else(|| invalid("The property 'properties' is required."))?;
        let (template, base) = take_template(cx, &mut properties)?;
        let parameters = take_parameters(cx, &mut properties)?;
        let action = take_action(&mut properties)?;
        let deny = take_deny(&mut properties)?;
        properties.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        let name = path.name();
        if name.is_empty() || name.len() > 90 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.()".contains(c))
        {
            return Err(ArmError::bad(
                "InvalidDeploymentStackName",
                format!("The deployment stack name '{name}' is not valid."),
            ));
        }
        let own = deployment_path(cx, path, properties.get("deploymentScope").and_then(Value::as_str));
        let location = body.get("location").and_then(Value::as_str).map(names::location);
        if path.group().is_none() && location.is_none() {
            return Err(ArmError::bad(
                "LocationRequired",
                format!("The 'location' property must be specified for '{name}'."),
            ));
        }
        let envelope = Envelope {
            location: location.clone().or_else(|| own.group().is_none().then(|| "westeurope".to_owned())),
            base,
            ..Envelope::default()
        };
        let mut deployment = DeploymentRequest::build(cx, &own, template, parameters, envelope)?;
        deployment.stack = Some(path.id());
        let tags = body.get("tags").filter(|tags| !tags.is_null()).cloned().unwrap_or_else(|| json!({}));
        Ok(Self { path: path.clone(), deployment, action, deny, other: properties, location, tags })
    }

    /// The request that [`StackRequest::pending`] kept.
    ///
    /// # Errors
    /// When what was kept cannot be read.
    pub fn resumed(cx: &mut Cx<'_>, path: &Path, pending: &PendingStack) -> Result<Self, ArmError> {
        let mut request = Self::build(cx, path, &pending.body)?;
        request.deployment = DeploymentRequest::resumed(cx, &Path::of(&pending.deployment), &pending.order)?;
        request.deployment.stack = Some(path.id());
        Ok(request)
    }

    /// What is kept until the stack has ended, so that a restarted endpoint can continue it.
    #[must_use]
    pub fn pending(&self) -> PendingStack {
        let mut properties = self.other.clone();
        properties.insert("actionOnUnmanage".into(), json!(self.action));
        properties.insert("denySettings".into(), json!(self.deny));
        properties.insert("template".into(), self.deployment.template.to_value());
        properties.insert("parameters".into(), self.deployment.parameters.clone());
        PendingStack {
            body: json!({ "location": self.location, "tags": self.tags, "properties": properties }),
            order: self.deployment.pending(),
            deployment: self.deployment.path.id(),
        }
    }

    /// The record of the stack in a state.
    #[must_use]
    pub fn record(&self, cx: &Cx<'_>, expansion: &Expansion, state: StackState) -> StackRecord {
        let now = cx.now.to_string();
        StackRecord {
            id: self.path.id(),
            name: self.path.name().to_owned(),
            kind: "Microsoft.Resources/deploymentStacks".to_owned(),
            tags: self.tags.clone(),
            location: self.location.clone(),
            properties: StackProperties {
                action_on_unmanage: self.action.clone(),
                deny_settings: self.deny.clone(),
                other: self.other.clone(),
                provisioning_state: state,
                correlation_id: self.deployment.correlation.clone(),
                parameters: record::parameters(expansion, str::to_owned),
                deployment_id: Some(self.deployment.path.id()),
                validated_resources: None,
                duration: None,
                resources: None,
                deleted_resources: None,
                detached_resources: None,
                failed_resources: None,
                outputs: None,
                error: None,
            },
            system_data: SystemData {
                created_by: cx.caller.clone(),
                created_by_type: "Application".to_owned(),
                created_at: now.clone(),
                last_modified_at: now,
            },
        }
    }
}

/// The template and the address that its own links are relative to.
fn take_template(cx: &Cx<'_>, properties: &mut Map<String, Value>) -> Result<(Template, Option<String>), ArmError> {
    let template = properties.shift_remove("template").filter(|template| !template.is_null());
    let link = properties.get("templateLink").filter(|link| !link.is_null());
    match (template, link) {
        (Some(template), _) => Ok((Template::from_json(&template).map_err(|errors| template_error(&errors))?, None)),
        (None, Some(link)) => Links::of(cx).named(link, None),
        (None, None) => Err(ArmError::bad(
            "InvalidTemplate",
            "Deployment template validation failed: the request has neither 'template' nor 'templateLink'.",
        )),
    }
}

fn take_parameters(cx: &Cx<'_>, properties: &mut Map<String, Value>) -> Result<Value, ArmError> {
    let given = properties.shift_remove("parameters").filter(|given| !given.is_null());
    match properties.get("parametersLink").filter(|link| !link.is_null()) {
        Some(link) => Links::of(cx).values(link, None),
        None => Ok(given.unwrap_or_else(|| json!({}))),
    }
}

/// The path of the deployment that a stack runs.
fn deployment_path(cx: &Cx<'_>, stack: &Path, scope: Option<&str>) -> Path {
    let scope = scope.map_or_else(|| stack.scope.clone(), |scope| Path::of(scope).id());
    let stamp = cx.now.strftime("%y%m%d%H%M%S").to_string();
    let short: String = stack.name().chars().take(40).collect();
    let unique = cx.unique();
    let unique = unique.get(..4).unwrap_or_default();
    Path::of(&format!("{scope}/providers/Microsoft.Resources/deployments/{short}-{stamp}{unique}"))
}

/// The member of a closed list that a property spells, in any case.
fn one_of<T: Copy>(value: Option<Value>, what: &str, words: &[(&str, T)], default: Option<T>) -> Result<T, ArmError> {
    match (value.as_ref().and_then(Value::as_str), default) {
        (Some(text), _) => {
            let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
            found.map(|(_, word)| *word).ok_or_else(|| {
                let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                invalid(format!("'{text}' is not allowed for '{what}': {}.", allowed.join(", ")))
            })
        }
        (None, Some(default)) => Ok(default),
        (None, None) => Err(invalid(format!("The property '{what}' is required."))),
    }
}

fn take_object(properties: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, ArmError> {
    match properties.shift_remove(name) {
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Ok(Map::new()),
        None => Err(invalid(format!("The property '{name}' is required."))),
    }
}

fn take_action(properties: &mut Map<String, Value>) -> Result<ActionOnUnmanage, ArmError> {
    const WORDS: &[(&str, Unmanage)] = &[("delete", Unmanage::Delete), ("detach", Unmanage::Detach)];
    const UNDELETABLE: &[(&str, Undeletable)] = &[("detach", Undeletable::Detach), ("fail", Undeletable::Fail)];
    let mut sent = take_object(properties, "actionOnUnmanage")?;
    let mut word = |name: &str, default: Option<Unmanage>| {
        one_of(sent.shift_remove(name), &format!("actionOnUnmanage.{name}"), WORDS, default)
    };
    let resources = word("resources", None)?;
    let resource_groups = word("resourceGroups", Some(Unmanage::Detach))?;
    let management_groups = word("managementGroups", Some(Unmanage::Detach))?;
    let resources_without_delete_support = one_of(
        sent.shift_remove("resourcesWithoutDeleteSupport"),
        "actionOnUnmanage.resourcesWithoutDeleteSupport",
        UNDELETABLE,
        Some(Undeletable::Fail),
    )?;
    Ok(ActionOnUnmanage {
        resources,
        resource_groups,
        management_groups,
        resources_without_delete_support,
        other: sent,
    })
}

fn take_deny(properties: &mut Map<String, Value>) -> Result<DenySettings, ArmError> {
    const MODES: &[(&str, DenyMode)] = &[
        ("none", DenyMode::None),
        ("denyDelete", DenyMode::DenyDelete),
        ("denyWriteAndDelete", DenyMode::DenyWriteAndDelete),
    ];
    let mut sent = take_object(properties, "denySettings")?;
    let mode = one_of(sent.shift_remove("mode"), "denySettings.mode", MODES, None)?;
    let apply_to_child_scopes = sent.shift_remove("applyToChildScopes") == Some(json!(true));
    let mut list = |name: &str, most: usize| -> Result<Option<Vec<String>>, ArmError> {
        let Some(list) = sent.shift_remove(name).filter(|list| !list.is_null()) else { return Ok(None) };
        let list = Vec::<String>::deserialize(&list)
            .map_err(|_| invalid(format!("'denySettings.{name}' is not a list of strings.")))?;
        if list.len() > most {
            return Err(invalid(format!("'denySettings.{name}' has {} entries; {most} are allowed.", list.len())));
        }
        Ok(Some(list))
    };
    let excluded_principals = list("excludedPrincipals", 5)?;
    let excluded_actions = list("excludedActions", 200)?;
    Ok(DenySettings { mode, apply_to_child_scopes, excluded_principals, excluded_actions, other: sent })
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
