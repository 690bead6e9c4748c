//! A deployment as a client asks for it: the body in the form that people and `az` send, the scope, the mode, and the
//! template expanded with its parameters.

use serde_json::{Value, json};

use arm_template::{
    Context, Deployer, Expansion, Limits, Parameters, ResourceGroup, Scope, Template, TemplateError, json as lenient,
};

use crate::core::Cx;
use crate::deploy::links::Links;
use crate::deploy::live::StateRuntime;
use crate::documents::{DeploymentDocument, Links as DeploymentLinks, PendingDeployment};
use crate::error::ArmError;
use crate::http::Request;
use crate::id::{Path, SUBSCRIPTION, TENANT};

/// What a client asks of a deployment.
#[derive(Clone)]
pub struct DeploymentRequest {
    /// The deployment's own path.
    pub path: Path,
    /// The template, whatever it was linked from.
    pub template: Template,
    pub parameters: Value,
    pub mode: String,
    /// Region of the record, above resource groups.
    pub location: Option<String>,
    /// Tags of the record.
    pub tags: Option<Value>,
    /// `templateLink` and `parametersLink`, as the record shows them.
    pub links: DeploymentLinks,
    /// What-if: only ids are wanted.
    pub ids_only: bool,
    /// Id of the stack that this deployment belongs to.
    pub stack: Option<String>,
    /// Scope, names and time for the template's expressions.
    pub context: Context,
    /// One id for all records of this request.
    pub correlation: String,
}

/// What a request has beside template and parameters.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// `Incremental` (the default) or `Complete`, in any case.
    pub mode: Option<String>,
    pub location: Option<String>,
    pub tags: Option<Value>,
    /// What-if: `FullResourcePayloads` (the default) or `ResourceIdOnly`, in any case.
    pub result_format: Option<String>,
    /// Address that the template's own links are relative to.
    pub base: Option<String>,
    /// `templateLink` and `parametersLink` as sent.
    pub links: DeploymentLinks,
}

/// ARM's error for what the engine says.
#[must_use]
pub fn template_error(errors: &[TemplateError]) -> ArmError {
    let one = |error: &TemplateError| {
        let mut out = ArmError::bad(error.code, error.message.clone());
        let (line, column) = error.position.map_or((1, 1), |place| (place.line, place.column));
        out.info.push(json!({ "type": "TemplateViolation", "info": { "lineNumber": line, "linePosition": column, "path": error.path } }));
        out
    };
    match errors {
        [] => ArmError::bad("InvalidTemplate", "Deployment template validation failed."),
        [only] => one(only),
        [first, rest @ ..] => {
            let mut error = one(first);
            error.details = rest.iter().map(one).collect();
            error
        }
    }
}

fn invalid(message: impl Into<String>) -> ArmError {
    ArmError::bad(
        "InvalidRequestContent",
        format!("The request content was invalid and could not be deserialized: '{}'.", message.into()),
    )
}

impl DeploymentRequest {
    /// Reads a request. The body may be what `az` sends: a bare key `template`, comments, line ends inside strings.
    ///
    /// # Errors
    /// `InvalidRequestContent`, `InvalidDeploymentName`, `LocationRequired`, `InvalidContentLink`.
    pub fn read(cx: &mut Cx<'_>, request: &Request, path: &Path) -> Result<Self, ArmError> {
        let text = std::str::from_utf8(&request.body).map_err(|_| invalid("The body is not UTF-8."))?;
        let document = lenient::Document::new(text);
        let root = lenient::read(text).map_err(|error| {
            let place = document.position(error.offset);
            invalid(format!("{}. Path '', line {}, position {}.", error.message, place.line, place.column))
        })?;
        let properties = root.get("properties").ok_or_else(|| invalid("The property 'properties' is required."))?;
        let part = |name: &str| properties.get(name).filter(|node| !node.is_null());
        let links = Links::of(cx);
        let (template, base) = match (part("template"), part("templateLink")) {
            (Some(_), Some(_)) => {
                return Err(ArmError::bad(
                    "InvalidDeployment",
                    "The deployment has both 'template' and 'templateLink'; only one of them can be given.",
                ));
            }
            (Some(node), None) => {
                (Template::from_node(&document, node).map_err(|errors| template_error(&errors))?, None)
            }
            (None, Some(link)) => links.named(&link.to_value(), None)?,
            (None, None) => {
                return Err(ArmError::bad(
                    "InvalidTemplate",
                    "Deployment template validation failed: the request has neither 'template' nor 'templateLink'.",
                ));
            }
        };
        let text = |node: Option<&lenient::Node>| node.map(|node| node.to_value())?.as_str().map(str::to_owned);
        let settings = properties.get("whatIfSettings");
        let envelope = Envelope {
            mode: text(properties.get("mode")),
            location: text(root.get("location")),
            tags: root.get("tags").filter(|tags| !tags.is_null()).map(|node| node.to_value()),
            result_format: text(settings.and_then(|node| node.get("resultFormat"))),
            base,
            links: DeploymentLinks {
                template_link: part("templateLink").map(|node| node.to_value()),
                parameters_link: part("parametersLink").map(|node| node.to_value()),
            },
        };
        let parameters = match (part("parameters"), part("parametersLink")) {
            (None, Some(link)) => links.values(&link.to_value(), None)?,
            (parameters, _) => parameters.map(|node| node.to_value()).unwrap_or_else(|| json!({})),
        };
        Self::build(cx, path, template, parameters, envelope)
    }

    /// A request from its parts.
    ///
    /// # Errors
    /// As [`DeploymentRequest::read`] and for the same reasons.
    pub fn build(
        cx: &mut Cx<'_>,
        path: &Path,
        template: Template,
        parameters: Value,
        envelope: Envelope,
    ) -> Result<Self, ArmError> {
        let name = path.name();
        let legal = (1..=64).contains(&name.chars().count())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.()".contains(c));
        if !legal {
            return Err(ArmError::bad(
                "InvalidDeploymentName",
                format!(
                    "The deployment name '{name}' is not valid: 1 to 64 letters, digits, '-', '_', '.', '(' or ')'."
                ),
            ));
        }
        let mode = envelope.mode.unwrap_or_else(|| "Incremental".to_owned());
        let Some(mode) = ["Incremental", "Complete"].into_iter().find(|known| known.eq_ignore_ascii_case(&mode)) else {
            return Err(invalid(format!("Error converting value \"{mode}\" to type 'DeploymentMode'.")));
        };
        let location = envelope.location.as_deref().map(crate::names::location);
        if path.group().is_none() {
            if location.is_none() {
                return Err(ArmError::bad(
                    "LocationRequired",
                    format!(
                        "The 'location' property must be specified for '{name}'. Please see https://aka.ms/deploy-to-subscription for usage details."
                    ),
                ));
            }
            if mode == "Complete" {
                return Err(ArmError::bad(
                    "InvalidDeployment",
                    "The 'Complete' mode is supported at resource group scope only.",
                ));
            }
            let before =
                cx.store.get::<DeploymentDocument>(&path.id()).and_then(|before| before.record.location.clone());
            if let Some(before) = before.filter(|before| Some(before) != location.as_ref()) {
                return Err(ArmError::conflict(
                    "InvalidDeploymentLocation",
                    format!(
                        "Invalid deployment location '{}'. The deployment '{name}' already exists in location '{before}'.",
                        location.unwrap_or_default()
                    ),
                ));
            }
        }
        let seed = uuid::Uuid::new_v4().as_u128();
        let mut context = context_of(cx, &path.scope, name, location.as_deref());
        context.guid_seed = Some(seed);
        context.template_link = envelope.base;
        let format = envelope.result_format.as_deref();
        Ok(Self {
            path: path.clone(),
            template,
            parameters,
            mode: mode.to_owned(),
            location,
            tags: envelope.tags,
            links: without_queries(envelope.links),
            ids_only: format.is_some_and(|format| format.eq_ignore_ascii_case("ResourceIdOnly")),
            stack: None,
            context,
            correlation: cx.unique(),
        })
    }

    /// What is kept until the deployment has ended, so that a restarted endpoint can continue it.
    #[must_use]
    pub fn pending(&self) -> PendingDeployment {
        PendingDeployment {
            template: self.template.to_value(),
            parameters: self.parameters.clone(),
            mode: self.mode.clone(),
            location: self.location.clone(),
            tags: self.tags.clone(),
            link: self.context.template_link.clone(),
            template_link: self.links.template_link.clone(),
            parameters_link: self.links.parameters_link.clone(),
            now: self.context.now.map(|now| now.to_string()),
            seed: self.context.guid_seed.map(|seed| seed.to_string()),
            correlation: self.correlation.clone(),
            caller: self.context.deployer.as_ref().map(|deployer| deployer.object_id.clone()),
        }
    }

    /// The request that [`DeploymentRequest::pending`] kept.
    ///
    /// # Errors
    /// When what was kept cannot be read.
    pub fn resumed(cx: &mut Cx<'_>, path: &Path, pending: &PendingDeployment) -> Result<Self, ArmError> {
        let template = Template::from_json(&pending.template).map_err(|errors| template_error(&errors))?;
        let envelope = Envelope {
            mode: Some(pending.mode.clone()),
            location: pending.location.clone(),
            tags: pending.tags.clone(),
            result_format: None,
            base: pending.link.clone(),
            links: DeploymentLinks {
                template_link: pending.template_link.clone(),
                parameters_link: pending.parameters_link.clone(),
            },
        };
        let mut request = Self::build(cx, path, template, pending.parameters.clone(), envelope)?;
        let now = pending.now.as_deref().and_then(|now| now.parse().ok());
        let seed = pending.seed.as_deref().and_then(|seed| seed.parse().ok());
        request.context.now = now.or(request.context.now);
        request.context.guid_seed = seed.or(request.context.guid_seed);
        request.correlation.clone_from(&pending.correlation);
        Ok(request)
    }

    /// Expands the template with its parameters; key vault references are fetched.
    ///
    /// # Errors
    /// `InvalidTemplate` and the engine's other codes.
    pub fn expand(&self, cx: &mut Cx<'_>) -> Result<Expansion, ArmError> {
        let mut parameters = Parameters::from_json(&self.parameters).map_err(|error| template_error(&[error]))?;
        parameters.fetch_secrets(&StateRuntime::new(cx)).map_err(|error| template_error(&[error]))?;
        let links = Links::of(cx);
        arm_template::expand_linked(&self.template, &parameters, &self.context, &Limits::default(), &links)
            .map_err(|errors| template_error(&errors))
    }
}

/// Links as records show them: the query string may be a secret.
fn without_queries(mut links: DeploymentLinks) -> DeploymentLinks {
    for link in [&mut links.template_link, &mut links.parameters_link] {
        if let Some(map) = link.as_mut().and_then(Value::as_object_mut) {
            map.shift_remove("queryString");
        }
    }
    links
}

/// The engine's context for a scope.
#[must_use]
pub fn context_of(cx: &Cx<'_>, scope: &str, name: &str, location: Option<&str>) -> Context {
    let path = Path::of(scope);
    let subscription = path.subscription().map(str::to_owned);
    let group = path.group().map(|group| {
        let row = cx.store.row(scope);
        let tags = row.as_ref().and_then(|row| row.at("/tags").and_then(Value::as_object).cloned()).unwrap_or_default();
        ResourceGroup {
            name: row.as_ref().map_or_else(|| group.to_owned(), |row| row.name.clone()),
            location: row.as_ref().map(|row| row.location()),
            tags: tags.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect(),
            managed_by: row.as_ref().and_then(|row| row.text("/managedBy").map(str::to_owned)),
        }
    });
    let management = scope.to_lowercase().starts_with("/providers/microsoft.management/managementgroups/");
    let level = match (&group, &subscription, management) {
        (Some(_), ..) => Scope::ResourceGroup,
        (None, Some(_), _) => Scope::Subscription,
        (None, None, true) => Scope::ManagementGroup,
        _ => Scope::Tenant,
    };
    let caller = if cx.caller.is_empty() { SUBSCRIPTION.to_owned() } else { cx.caller.clone() };
    Context {
        scope: level,
        subscription_name: subscription.as_ref().map(|_| "dsvmc local (not Azure)".to_owned()),
        subscription_id: subscription,
        tenant_id: Some(TENANT.to_owned()),
        resource_group: group,
        management_group: management.then(|| scope.rsplit('/').next().unwrap_or_default().to_owned()),
        deployment_name: name.to_owned(),
        location: location.map(str::to_owned),
        now: Some(cx.now),
        deployer: Some(Deployer {
            object_id: caller,
            tenant_id: TENANT.to_owned(),
            user_principal_name: "local@local.invalid".to_owned(),
        }),
        ..Context::default()
    }
}
