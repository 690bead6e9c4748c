//! What an expansion gives.

use crate::value::Value;
use crate::{Context, Template};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::fmt;

/// The resources and outputs of a template.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// Id of the scope: `/subscriptions/…/resourceGroups/…`; the empty string for the tenant.
    pub scope_id: String,
    /// Resources in the order of the template, copies unrolled. Resources whose condition is false are not here.
    pub resources: Vec<Resource>,
    /// Outputs whose condition is not false.
    pub outputs: IndexMap<String, Output>,
    /// The value of every parameter as it was used.
    pub parameters: IndexMap<String, EffectiveParameter>,
}

/// The value of a parameter.
#[derive(Clone)]
pub struct EffectiveParameter {
    /// The type's word: `string`, `securestring`, `int`, …
    pub kind: String,
    /// True when the value must not be shown.
    pub secure: bool,
    /// True when it was given, false for a default.
    pub given: bool,
    /// The value; unknown parts are `"[expression]"`.
    pub value: Json,
    /// JSON pointers of the secret parts of the value.
    pub secret_pointers: Vec<String>,
}

/// A resource as it will be sent.
#[derive(Clone)]
pub struct Resource {
    /// Full id. `[expression]` when a part of it is not known yet; empty for a resource of an extension.
    pub id: String,
    /// Symbolic name; `name[2]` in a loop.
    pub symbolic_name: Option<String>,
    /// Full resource type, such as `Microsoft.Compute/virtualMachineScaleSets`.
    pub resource_type: String,
    /// Full name, `parent/child`; `[expression]` when not known yet.
    pub name: String,
    /// API version; empty for a resource of an extension.
    pub api_version: String,
    /// Id of what the resource is deployed into; for an extension resource the resource that it extends.
    pub scope_id: String,
    /// The whole resource: type, name, apiVersion, location, properties and so on. Strings at [`Resource::unknown`] are
    /// expressions; every other string is a literal. Of a nested deployment without `properties.template`.
    pub body: Json,
    /// Ids of the resources of the same template that come first, without duplicates, in the order of the template.
    pub depends_on: Vec<String>,
    /// True for `existing` resources: nothing is sent.
    pub existing: bool,
    /// The condition, when it is not known yet: `[expression]`.
    pub condition: Option<String>,
    /// The count of its loop, when that is not known yet: the resource then represents all iterations.
    pub count: Option<String>,
    /// The extension that serves it, when it is not an Azure resource.
    pub extension: Option<String>,
    /// JSON pointer of the resource in its template, to find its source.
    pub pointer: String,
    /// JSON pointers into `body` of values that must not be shown.
    pub secret_pointers: Vec<String>,
    /// JSON pointers into `body` of values known only after deployment.
    pub unknown: Vec<String>,
    /// The deployment inside, for a nested or linked deployment.
    pub nested: Option<Box<NestedDeployment>>,
    /// Null when the resource is complete.
    pub(crate) parts: Value,
    pub(crate) identity: (Value, Value),
}

/// A nested or linked deployment.
#[derive(Clone)]
pub struct NestedDeployment {
    /// Scope, name and region of the inner deployment.
    pub context: Context,
    /// True when its expressions are those of the template around it.
    pub outer: bool,
    /// Its template; `None` when a linked template could not be had.
    pub template: Option<Template>,
    /// What it links, when it does.
    pub link: Option<super::TemplateLink>,
    /// Its resources and outputs as far as they are known now; `None` without a template.
    pub expansion: Option<Expansion>,
    pub(crate) given: IndexMap<String, crate::eval::Given>,
    /// The expression of its template, and the one of all its parameters, where these are not known yet.
    pub(crate) open: (Option<Value>, Option<Value>),
}

/// An output of a template, as far as its value is known.
#[derive(Clone)]
pub struct Output {
    /// The type's word: `string`, `securestring`, …
    pub kind: String,
    /// True when the value must not be shown: a secure type, or a value made from a secret.
    pub secure: bool,
    /// The value; strings at [`Output::unknown`] are expressions.
    pub value: Json,
    /// JSON pointers into `value` of what is known only after deployment.
    pub unknown: Vec<String>,
    pub(crate) parts: Value,
}

impl Expansion {
    /// Every resource of this template and of those nested in it, without the deployments that carry them.
    #[must_use]
    pub fn flat(&self) -> Vec<&Resource> {
        let mut out = Vec::new();
        let mut stack: Vec<&Resource> = self.resources.iter().rev().collect();
        while let Some(resource) = stack.pop() {
            match resource.nested.as_ref().and_then(|n| n.expansion.as_ref()) {
                Some(inner) => stack.extend(inner.resources.iter().rev()),
                None => out.push(resource),
            }
        }
        out
    }
}

impl fmt::Debug for EffectiveParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.secure || !self.secret_pointers.is_empty() {
            "(secret)".to_string()
        } else {
            self.value.to_string()
        };
        write!(f, "{} = {value}", self.kind)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("id", &self.id)
            .field("depends_on", &self.depends_on)
            .field("body", &self.parts)
            .field("nested", &self.nested)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NestedDeployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NestedDeployment")
            .field("link", &self.link)
            .field("expansion", &self.expansion)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secure { write!(f, "{} = (secret)", self.kind) } else { write!(f, "{} = {}", self.kind, self.value) }
    }
}
