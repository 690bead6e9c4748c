//! The two sides of a plan.

use super::{JsonText, ObservedResource, Source, normal};
use serde_json::Value;

/// The desired state: one entry for each resource of the expanded template.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// In the template's order.
    pub resources: Vec<DesiredResource>,
}

/// One resource as it will be sent.
#[derive(Clone, Debug, Default)]
pub struct DesiredResource {
    /// Full ARM id, starting with `/subscriptions/`.
    pub id: String,
    /// Full resource type, such as `Microsoft.Network/virtualNetworks/subnets`.
    pub resource_type: String,
    /// Name; a child's includes its parent's: `net/default`.
    pub name: String,
    /// API version that it is sent with.
    pub api_version: String,
    /// The resource's JSON; parts known only to the deployment are listed in `unknown`.
    pub body: JsonText,
    /// The same before anything was looked up, where that differs: what fingerprints of hidden values are made of, so
    /// that they are the same before and after the first deployment. Nothing otherwise.
    pub unresolved: JsonText,
    /// JSON pointers into `body` whose values are secret.
    pub secrets: Vec<String>,
    /// JSON pointers into `body` whose values are known after deployment only.
    pub unknown: Vec<String>,
    /// Referred to, not deployed.
    pub existing: bool,
    /// JSON pointer into the template.
    pub pointer: String,
    /// Which deployment of the project holds it, from 0; `pointer` is into that one's template.
    pub part: usize,
    /// Ids of resources that come first.
    pub depends_on: Vec<String>,
    /// The line that declares it.
    pub source: Option<Source>,
}

/// The observed state: what exists in Azure.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Resources as the service shows them.
    pub resources: Vec<ObservedResource>,
    /// Ids that this project deployed before; those no longer in the source are deleted or detached.
    pub managed: Vec<String>,
}

/// Where properties of wanted resources were written.
pub trait Origins: Sync {
    /// The place of a JSON pointer into the template of one deployment, or the nearest place around it.
    fn origin(&self, part: usize, pointer: &str) -> Option<Source>;
    /// Why exactly this value is what it is although no field of its own was written, in one clause.
    fn cause(&self, _part: usize, _pointer: &str) -> Option<String> {
        None
    }
}

/// Nothing is known of where things were written.
impl Origins for () {
    fn origin(&self, _: usize, _: &str) -> Option<Source> {
        None
    }
}

/// Reads a file of resources: a list, `{"value": […]}`, one resource, or the output of `dsvmc show --json`
/// (`{"resources": […], "managed": […]}`). `None` when it is none of these.
#[must_use]
pub fn observed_from_json(json: &Value) -> Option<Observed> {
    let list = |v: &Value| v.as_array().map(|a| a.iter().filter_map(ObservedResource::of).collect::<Vec<_>>());
    if json.is_array() {
        return Some(Observed { resources: list(json)?, managed: Vec::new() });
    }
    if json.get("id").is_some() && json.get("type").is_some() {
        return Some(Observed { resources: ObservedResource::of(json).into_iter().collect(), managed: Vec::new() });
    }
    let resources = json.get("resources").or_else(|| json.get("value")).and_then(list)?;
    let managed = json.get("managed").and_then(Value::as_array);
    let managed = managed.map(|m| m.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default();
    Some(Observed { resources, managed })
}

impl DesiredResource {
    /// The body that fingerprints are made of.
    #[must_use]
    pub(super) fn written(&self) -> &JsonText {
        if self.unresolved.is_nothing() { &self.body } else { &self.unresolved }
    }
}

impl Observed {
    /// What is in these resources; those without an id are none.
    #[must_use]
    pub fn of(resources: &[Value], managed: Vec<String>) -> Self {
        Self { resources: resources.iter().filter_map(ObservedResource::of).collect(), managed }
    }
}

impl Desired {
    /// Takes resource JSON as is, to compare two recorded states.
    #[must_use]
    pub fn from_resources(resources: &[Value]) -> Self {
        let resources = resources.iter().filter_map(|body| {
            let id = body.get("id").and_then(Value::as_str)?.to_owned();
            let (resource_type, name) = normal::type_of_id(&id);
            let api_version = body.get("apiVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
            Some(DesiredResource {
                id,
                resource_type,
                name,
                api_version,
                body: JsonText::from(body),
                ..DesiredResource::default()
            })
        });
        Self { resources: resources.collect() }
    }
}
