//! Finishing at deployment time what was not known before.
//!
//! Turns the partly evaluated parts of a [`Resource`], an [`Output`] or the parameters of a [`NestedDeployment`] into
//! values, by asking a [`Runtime`]. What the runtime does not know stays an expression.

use super::Template;
use super::budget::{Budget, Limits};
use super::context::Context;
use super::document::Sections;
use super::error::{EvalError, TemplateError};
use super::eval::{Evaluator, Frame, Given, Phase};
use super::expand::{Expansion, Linker, NestedDeployment, Output, Resource, expand_linked, on_large_stack};
use super::functions::KEY_VAULT_SECRET;
use super::json::{Node, NodeKind, Object};
use super::parameters::Parameters;
use super::value::{Value, ValueKind};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::fmt;
use std::sync::Arc;

/// Answers questions about deployed resources. `Ok(None)`: not known (yet); the expression stays as it is.
pub trait Runtime: Sync {
    /// The `properties` of a resource, or the whole of it when `full`.
    fn reference(&self, id: &str, api_version: Option<&str>, full: bool) -> Result<Option<Json>, String>;

    /// The answer of an action such as `listKeys`.
    fn list(
        &self,
        function: &str,
        id: &str,
        api_version: Option<&str>,
        body: Option<&Json>,
    ) -> Result<Option<Json>, String>;

    /// Any other function that only the service can answer: `providers`, `roleDefinitions`, `keyVaultSecret`
    /// (vault id, secret name, version), and `resourceGroup` when the context does not know its location.
    fn function(&self, name: &str, args: &[Json]) -> Result<Option<Json>, String> {
        let _ = (name, args);
        Ok(None)
    }

    /// Why the answer about a resource lacks a property that a template asks for, where that is not the template's mistake.
    fn lacking(&self, id: &str, property: &str) -> Option<String> {
        let _ = (id, property);
        None
    }
}

/// A value with everything filled in that the runtime could answer.
#[derive(Clone, PartialEq)]
pub struct Resolved {
    /// The value as JSON; parts still unknown are expressions in brackets.
    pub value: Json,
    /// JSON pointers of parts that must not be shown.
    pub secret_pointers: Vec<String>,
    /// JSON pointers of parts that are still expressions.
    pub unknown: Vec<String>,
}

/// A resource with everything filled in that the runtime could answer.
#[derive(Clone, PartialEq)]
pub struct ResolvedResource {
    /// Full id; `[expression]` when it is still not known.
    pub id: String,
    /// False when the condition turns out false: the resource is skipped.
    pub present: bool,
    /// The whole resource as JSON, with `type`, `name` and `properties`.
    pub body: Resolved,
}

impl Resource {
    /// Whether nothing of it waits for the deployment: [`Resource::resolve`] would give it as it is.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty() && self.identity.0.is_known() && self.identity.1.is_null()
    }

    /// Finishes the resource at deployment time.
    pub fn resolve(&self, context: &Context, runtime: &dyn Runtime) -> Result<ResolvedResource, TemplateError> {
        if self.is_complete() {
            let body = Resolved {
                value: self.body.clone(),
                secret_pointers: self.secret_pointers.clone(),
                unknown: Vec::new(),
            };
            return Ok(ResolvedResource { id: self.id.clone(), present: true, body });
        }
        let work = |evaluator: &Evaluator<'_>| -> Result<ResolvedResource, EvalError> {
            let condition = finished(evaluator, &self.identity.1)?;
            let id = finished(evaluator, &self.identity.0)?;
            let id = id.as_str().map_or_else(|| self.id.clone(), |id| id.to_string());
            if condition.as_bool() == Some(false) {
                let body = Resolved { value: Json::Null, secret_pointers: Vec::new(), unknown: Vec::new() };
                return Ok(ResolvedResource { id, present: false, body });
            }
            Ok(ResolvedResource { id, present: true, body: resolved(evaluator, &self.parts)? })
        };
        let own = (!self.id.starts_with('[')).then(|| (self.id.clone(), self.api_version.clone()));
        at_runtime(context, runtime, own, work).map_err(|fault| fault.located(None, "", Some(&self.id)))
    }
}

impl Output {
    /// Finishes the output at the end of a deployment.
    pub fn resolve(&self, context: &Context, runtime: &dyn Runtime) -> Result<Resolved, TemplateError> {
        at_runtime(context, runtime, None, |evaluator| resolved(evaluator, &self.parts))
            .map_err(|fault| fault.located(None, "outputs", None))
    }
}

impl NestedDeployment {
    /// Expands the inner template with its parameters finished: what the service does when the deployment's turn comes.
    /// At outer scope the resources are those known before; finish each by [`Resource::resolve`]. `None` without a template.
    pub fn expand(
        &self,
        context: &Context,
        limits: &Limits,
        linker: &dyn Linker,
        runtime: &dyn Runtime,
    ) -> Result<Option<Expansion>, Vec<TemplateError>> {
        let Some(template) = &self.template else { return Ok(None) };
        if self.outer {
            return Ok(self.expansion.clone());
        }
        let mut inner = self.context.clone();
        inner.now = context.now;
        inner.guid_seed = context.guid_seed;
        inner.cloud.clone_from(&context.cloud);
        let given = at_runtime(context, runtime, None, |evaluator| {
            let mut given = IndexMap::new();
            for (name, value) in &self.given {
                let val = value.value().unwrap_or(Value::NULL);
                given.insert(name.clone(), Given::Value(finished(evaluator, &val)?));
            }
            Ok(given)
        })
        .map_err(|fault| vec![fault.located(None, "properties.parameters", None)])?;
        expand_linked(template, &Parameters { given }, &inner, limits, linker).map(Some)
    }

    /// Finds the template where it is an expression: what the service does before the deployment's turn comes. Without an
    /// answer of the runtime it stays unknown.
    pub fn settle(&mut self, context: &Context, runtime: &dyn Runtime) -> Result<(), Vec<TemplateError>> {
        let (Some(expression), all) = &self.open else { return Ok(()) };
        let done = at_runtime(context, runtime, None, |evaluator| finished(evaluator, expression));
        let done = done.map_err(|fault| vec![fault.located(None, "properties.template", None)])?;
        if !done.is_known() {
            return Ok(());
        }
        let template = Template::from_json(&done.to_json())?;
        if let Some(all) = all {
            let given = super::expand::each_of(all, &template);
            self.given = given.map_err(|fault| vec![fault.located(None, "properties.parameters", None)])?;
        }
        self.template = Some(template);
        self.open = (None, None);
        Ok(())
    }

    /// Names of the parameters that are given, with their values as far as known and the pointers of secret parts.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, Json, Vec<String>)> {
        let one = |(name, given): (&String, &Given)| {
            let val = given.value().unwrap_or(Value::NULL);
            (name.clone(), val.to_json(), val.secret_pointers())
        };
        self.given.iter().map(one).collect()
    }
}

impl Parameters {
    /// Fetches the secrets that a parameter file names in key vaults; those that the runtime does not know stay.
    pub fn fetch_secrets(&mut self, runtime: &dyn Runtime) -> Result<(), TemplateError> {
        for given in self.given.values_mut() {
            let Given::Secret { vault, name, version } = given else { continue };
            let args: Vec<Json> = [Some(&*vault), Some(&*name), version.as_ref()]
                .into_iter()
                .flatten()
                .map(|t| Json::from(t.as_str()))
                .collect();
            let answer = runtime.function(KEY_VAULT_SECRET, &args).map_err(|why| {
                EvalError::coded("KeyVaultParameterReferenceNotFound", why.clone()).says(why).located(
                    None,
                    "properties.parameters",
                    None,
                )
            })?;
            if let Some(value) = answer {
                let val =
                    Value::from_json(&value).map_err(|fault| fault.located(None, "properties.parameters", None))?;
                *given = Given::Value(val.into_secret());
            }
        }
        Ok(())
    }
}

/// Runs `work` with an evaluator that has no template and asks the runtime.
fn at_runtime<T: Send>(
    context: &Context,
    runtime: &dyn Runtime,
    own: Option<(String, String)>,
    work: impl FnOnce(&Evaluator<'_>) -> Result<T, EvalError> + Send,
) -> Result<T, EvalError> {
    on_large_stack(|| {
        let root = Node { offset: 0, kind: NodeKind::Object(Object::default()) };
        let sections = Sections::read(&root)?;
        let given = IndexMap::new();
        let budget = Budget::new(&Limits::default());
        let mut evaluator = Evaluator::new(&sections, &given, context, &budget);
        evaluator.runtime = Some(runtime);
        evaluator.own = own;
        work(&evaluator)
    })
}

fn resolved(evaluator: &Evaluator<'_>, val: &Value) -> Result<Resolved, EvalError> {
    let done = finished(evaluator, val)?;
    Ok(Resolved { value: done.to_json(), secret_pointers: done.secret_pointers(), unknown: done.unknown_pointers() })
}

/// The value with its unknown parts evaluated.
fn finished(evaluator: &Evaluator<'_>, val: &Value) -> Result<Value, EvalError> {
    match &val.kind {
        ValueKind::Expr(partial) => {
            let done = evaluator.eval(&partial.expr, &Frame::root(Phase::Resolve))?;
            Ok(done.secret_if(val.secret))
        }
        ValueKind::Array(array) if !val.is_known() => {
            let items = array.items.iter().map(|v| finished(evaluator, v)).collect::<Result<_, _>>()?;
            Ok(Value::array(items)?.secret_if(val.secret))
        }
        ValueKind::Object(object) if !val.is_known() => {
            let members = object.members.iter().map(|(k, v)| Ok((Arc::clone(k), finished(evaluator, v)?)));
            Ok(Value::object(members.collect::<Result<_, EvalError>>()?)?.secret_if(val.secret))
        }
        _ => Ok(val.clone()),
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret_pointers.is_empty() { write!(f, "{}", self.value) } else { f.write_str("(secret)") }
    }
}

impl fmt::Debug for ResolvedResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}", self.id, self.body)
    }
}
