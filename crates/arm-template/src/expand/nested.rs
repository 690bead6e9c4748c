//! Deployments inside a template: nested or linked, at inner or outer scope, in any scope of Azure.

use super::Stage;
use super::body::{Failure, without_nulls};
use super::draft::{Draft, within};
use super::links::TemplateLink;
use super::result::{Expansion, NestedDeployment};
use crate::context::{Context, ResourceGroup, Scope};
use crate::document::{Language, Sections};
use crate::error::{EvalError, TemplateError, codes};
use crate::eval::{Frame, Given, Phase};
use crate::json::{Node, NodeKind, Object};
use crate::value::{Value, ValueKind, same_name};
use crate::{Parameters, Template};
use indexmap::IndexMap;
use std::sync::Arc;

impl<'s> Stage<'s> {
    /// The `properties` of a deployment resource, and what it deploys.
    pub(super) fn nested(
        &self,
        draft: &Draft<'s>,
        location: Option<String>,
    ) -> Result<(Value, NestedDeployment), Failure> {
        let node = draft.object.get("properties").ok_or_else(|| missing("properties"))?;
        let properties = node.as_object().ok_or_else(|| missing("properties"))?;
        let frame = Frame::root(Phase::Body);
        let argument = Frame::root(Phase::Argument);
        let skip = |key: &str| {
            ["template", "parameters", "expressionEvaluationOptions"].iter().any(|k| k.eq_ignore_ascii_case(key))
        };
        let shown = within(&draft.turns, &frame, &mut |frame| self.evaluator.object(properties, frame, skip))?;
        if let Some(mode) = shown.member("mode").as_ref().and_then(Value::as_str)
            && !same_name(mode, "Incremental")
            && !same_name(mode, "Complete")
        {
            return Err(EvalError::new(format!("The deployment mode '{mode}' is not valid."))
                .says(format!("`{mode}` is no deployment mode"))
                .at(node.offset)
                .into());
        }
        let outer = self.outer(properties)?;
        let given = match properties.get("parameters") {
            Some(node) => {
                within(&draft.turns, &argument, &mut |frame| self.given(node, frame)).map_err(|f| f.at(node.offset))?
            }
            None => Arguments::Named(IndexMap::new()),
        };
        let (given, open) = match given {
            Arguments::Named(given) => (given, None),
            Arguments::Open(all) => (IndexMap::new(), Some(all)),
        };
        let mut members: IndexMap<Arc<str>, Value> = IndexMap::new();
        if let Some(object) = without_nulls(&shown)?.as_object() {
            members.extend(object.members.iter().map(|(k, v)| (Arc::clone(k), v.clone())));
        }
        let scope = Value::record([("scope", Value::str(if outer { "outer" } else { "inner" }))])?;
        members.insert("expressionEvaluationOptions".into(), scope);
        if let Some(all) = &open {
            members.insert("parameters".into(), all.clone());
        } else if !given.is_empty() {
            members.insert("parameters".into(), shown_parameters(&given)?);
        }
        let link = self.link(&shown);
        let (template, mut given) = self.linked(draft, properties, link.as_ref(), given)?;
        let (template, open_template) = match template {
            Inside::Open(expression) => (None, Some(expression)),
            Inside::Known(template) => (Some(template), None),
            Inside::NotHad => (None, None),
        };
        if let (Some(all), Some(template)) = (&open, &template) {
            given = each_of(all, template)?;
        }
        let context = self.inner_context(draft, location, link.as_ref());
        let expansion = match &template {
            Some(template) => self.inside(draft, template, &given, &context, outer, link.is_some())?,
            None => None,
        };
        let nested = NestedDeployment { context, outer, template, link, expansion, given, open: (open_template, open) };
        Ok((Value::object(members)?, nested))
    }

    /// Whether the inner template's expressions are those of this one.
    fn outer(&self, properties: &Object) -> Result<bool, EvalError> {
        let linked = properties.get("templateLink").is_some();
        let option = properties.get("expressionEvaluationOptions").and_then(|o| o.get("scope")).and_then(Node::as_str);
        let two = self.sections.language == Language::Two;
        // The value of an expression is a finished template with parameters of its own.
        let computed = properties.get("template").is_some_and(|t| matches!(t.kind, NodeKind::String(_)));
        match option {
            _ if computed => Ok(false),
            Some(scope) if same_name(scope, "inner") => Ok(false),
            Some(scope) if same_name(scope, "outer") && two => Err(EvalError::new(
                "The nested deployment expression evaluation scope 'outer' is not supported with languageVersion '2.0'.",
            )
            .says("language version 2.0 knows only `inner` scope for nested templates")
            .help("write `\"scope\": \"inner\"` and hand the values in as parameters")),
            Some(scope) if same_name(scope, "outer") => Ok(!linked),
            Some(scope) if same_name(scope, "notSpecified") => Ok(!linked && !two),
            Some(scope) => Err(EvalError::new(format!("The expression evaluation scope '{scope}' is not valid."))
                .says(format!("`{scope}` is neither `inner` nor `outer`"))),
            None => Ok(!linked && !two),
        }
    }

    /// Values for the inner parameters.
    fn given(&self, node: &Node, frame: &Frame<'_>) -> Result<Arguments, EvalError> {
        let mut given = IndexMap::new();
        let all = self.evaluator.node(node, frame)?;
        let Some(object) = all.as_object() else {
            return match all.kind {
                ValueKind::Null => Ok(Arguments::Named(given)),
                ValueKind::Expr(_) => Ok(Arguments::Open(all)),
                _ => Err(EvalError::new("The parameters of the nested deployment are not valid: expected an object.")
                    .says("the `parameters` of a nested deployment are not an object of names and values")),
            };
        };
        for (name, entry) in &object.members {
            let (value, reference) = (entry.member("value"), entry.member("reference"));
            let taken = match (value, reference) {
                (Some(value), _) => Given::Value(value),
                (None, Some(reference)) => {
                    let vault = reference.member("keyVault").and_then(|v| v.member("id"));
                    let text = |val: Option<Value>| val.as_ref().and_then(Value::as_str).map(|t| t.to_string());
                    match (text(vault), text(reference.member("secretName"))) {
                        (Some(vault), Some(secret)) => {
                            Given::Secret { vault, name: secret, version: text(reference.member("secretVersion")) }
                        }
                        // A vault that is not known yet: the value is unknown all the more.
                        _ => Given::Value(
                            crate::eval::defer(crate::functions::KEY_VAULT_SECRET, &[reference, Value::NULL])?
                                .into_secret(),
                        ),
                    }
                }
                (None, None) if matches!(entry.kind, ValueKind::Expr(_)) => {
                    Given::Value(crate::eval::index(entry, &Value::str("value"))?)
                }
                (None, None) => continue,
            };
            given.insert(name.to_string(), taken);
        }
        Ok(Arguments::Named(given))
    }

    fn link(&self, shown: &Value) -> Option<TemplateLink> {
        let link = shown.member("templateLink")?;
        let text = |key: &str| link.member(key).as_ref().and_then(Value::as_str).map(|t| t.to_string());
        Some(TemplateLink {
            uri: text("uri").unwrap_or_default(),
            id: text("id"),
            relative_path: text("relativePath"),
            base: self.context.template_link.clone(),
        })
    }

    /// The template inside, from the text or from the linker.
    fn linked(
        &self,
        draft: &Draft<'_>,
        properties: &Object,
        link: Option<&TemplateLink>,
        mut given: IndexMap<String, Given>,
    ) -> Result<(Inside, IndexMap<String, Given>), Failure> {
        let refused = |why: String, offset: u32| {
            EvalError::coded(codes::LINK, format!("Unable to download deployment content. {why}")).says(why).at(offset)
        };
        if let Some(node) = properties.get("template")
            && !node.is_null()
        {
            return Ok((self.part(draft, node)?, given));
        }
        let Some(link) = link else { return Err(missing("template").into()) };
        let offset = properties.get("templateLink").map_or(0, |n| n.offset);
        if let Some(node) = properties.get("parametersLink")
            && given.is_empty()
        {
            let uri = within(&draft.turns, &Frame::root(Phase::Body), &mut |frame| self.evaluator.node(node, frame))?;
            let uri = uri.member("uri").as_ref().and_then(Value::as_str).map(|t| t.to_string()).unwrap_or_default();
            let found =
                self.run.linker.parameters(&TemplateLink { uri, base: link.base.clone(), ..TemplateLink::default() });
            let Some(Parameters { given: linked }) = found.map_err(|why| refused(why, offset))? else {
                return Ok((Inside::NotHad, given));
            };
            given = linked;
        }
        let template = self.run.linker.template(link).map_err(|why| refused(why, offset))?;
        Ok((template.map_or(Inside::NotHad, Inside::Known), given))
    }

    /// A template inside this one's text; built once for all iterations of a loop.
    fn part(&self, draft: &Draft<'_>, node: &Node) -> Result<Inside, Failure> {
        let argument = Frame::root(Phase::Argument);
        let made =
            |root: Node| Template::new(self.document().clone(), root).map(Inside::Known).map_err(Failure::Inside);
        if matches!(node.kind, NodeKind::String(_)) {
            // An expression that gives a template: its strings have been evaluated once already.
            let val = within(&draft.turns, &argument, &mut |frame| self.evaluator.node(node, frame))?;
            if !val.is_known() {
                return Ok(Inside::Open(val));
            }
            return made(Node::from_value(&val.to_json(), node.offset));
        }
        if let Some(sections) = node.as_object().filter(|sections| sections.iter().any(is_computed)) {
            let mut whole = sections.clone();
            for (name, section) in sections.iter().filter(|(name, section)| is_computed((*name, *section))) {
                let val = within(&draft.turns, &argument, &mut |frame| self.evaluator.node(section, frame))?;
                if !val.is_known() {
                    let mut members = IndexMap::new();
                    for (key, part) in sections.iter() {
                        let part = if Arc::ptr_eq(key, name) { val.clone() } else { Value::from_node(part)? };
                        members.insert(Arc::clone(key), part);
                    }
                    return Ok(Inside::Open(Value::object(members)?));
                }
                whole.members.insert(Arc::clone(name), Node::from_value(&val.to_json(), section.offset));
            }
            return made(Node { offset: node.offset, kind: NodeKind::Object(whole) });
        }
        let key = (self.document().text().as_ptr() as usize, node.offset);
        if let Some(known) = self.run.parts.borrow().get(&key)
            && !self.document().text().is_empty()
        {
            return Ok(Inside::Known(known.clone()));
        }
        let made = Template::new(self.document().clone(), node.clone()).map_err(Failure::Inside)?;
        self.run.parts.borrow_mut().insert(key, made.clone());
        Ok(Inside::Known(made))
    }

    /// Where the inner deployment goes.
    fn inner_context(&self, draft: &Draft<'_>, location: Option<String>, link: Option<&TemplateLink>) -> Context {
        let mut context = self.context.clone();
        if let Some(name) = draft.name.as_str() {
            context.deployment_name = name.to_string();
        } else {
            context.deployment_name = super::order::bracketed(&draft.name);
        }
        if location.is_some() {
            context.location = location;
        }
        if let Some(link) = link {
            context.template_link = link.address().or(context.template_link);
        }
        let target =
            draft.scope_id.as_str().map_or_else(|| super::order::bracketed(&draft.scope_id), |s| s.to_string());
        if target.eq_ignore_ascii_case(&self.context.scope_id()) {
            return context;
        }
        retarget(&mut context, &target);
        context
    }

    fn inside(
        &self,
        draft: &Draft<'s>,
        template: &Template,
        given: &IndexMap<String, Given>,
        context: &Context,
        outer: bool,
        linked: bool,
    ) -> Result<Option<Expansion>, Failure> {
        if self.depth + 1 > self.run.budget.limits().nesting {
            let most = self.run.budget.limits().nesting;
            return Err(EvalError::limit(format!("deployments are nested more than {most} deep"))
                .at(draft.offset)
                .into());
        }
        let name = draft.name.as_str().map_or("", |n| n);
        let under = |errors: Vec<TemplateError>| {
            let here = |mut error: TemplateError| {
                error = prefixed(error, &draft.pointer, name, linked);
                // what has no place of its own is said of the deployment
                let document = self.document();
                if error.position.is_none() && !document.text().is_empty() {
                    error.position = Some(document.position(draft.offset));
                }
                error
            };
            Failure::Inside(errors.into_iter().map(here).collect())
        };
        if linked {
            self.run.syntax(template).map_err(under)?;
        }
        if !outer {
            return self.run.template(template, given, context, self.depth + 1).map(Some).map_err(under);
        }
        let sections = Sections::read(&template.root).map_err(Failure::Here)?;
        let stage = Stage {
            run: self.run,
            evaluator: self.evaluator,
            sections: &sections,
            template,
            context,
            loops: &draft.turns,
            depth: self.depth + 1,
        };
        let touched = self.evaluator.take_touched();
        let resources = stage.resources().map_err(under)?;
        let outputs = stage.outputs().map_err(under)?;
        drop(touched);
        Ok(Some(Expansion { scope_id: context.scope_id(), resources, outputs, parameters: IndexMap::new() }))
    }
}

/// What the parameters of a nested deployment are.
enum Arguments {
    /// A value, or a secret in a vault, for each name.
    Named(IndexMap<String, Given>),
    /// One expression for all of them, not known yet.
    Open(Value),
}

/// The template of a nested deployment.
enum Inside {
    Known(Template),
    /// An expression that is not known yet.
    Open(Value),
    /// A linked template that could not be had.
    NotHad,
}

/// Whether a section of a nested template is one expression, such as `"parameters": "[variables('declared')]"`.
fn is_computed((name, section): (&Arc<str>, &Node)) -> bool {
    let is_section = ["parameters", "variables", "resources", "outputs", "functions", "definitions"];
    is_section.iter().any(|known| same_name(known, name))
        && matches!(&section.kind, NodeKind::String(text) if text.expression_source().is_some())
}

/// The value of each parameter of a template from one expression for all: `tryGet(all, name, 'value')`, since null counts as
/// not given.
pub(crate) fn each_of(all: &Value, template: &Template) -> Result<IndexMap<String, Given>, EvalError> {
    let declared = template.parameters().into_iter();
    let given = declared.map(|(name, kind, _)| {
        let value = crate::eval::defer("tryGet", &[all.clone(), Value::str(name.as_str()), Value::str("value")])?;
        Ok((name, Given::Value(value.secret_if(kind.to_ascii_lowercase().starts_with("secure")))))
    });
    given.collect()
}

fn missing(what: &str) -> EvalError {
    EvalError::new(format!("The nested deployment is not valid: the property '{what}' is missing."))
        .says(format!("the nested deployment has no `{what}`"))
}

/// Points the context at another scope.
fn retarget(context: &mut Context, target: &str) {
    let mut parts = target.trim_start_matches('/').split('/');
    let (first, second, third, fourth) = (parts.next(), parts.next(), parts.next(), parts.next());
    let named = |part: Option<&str>, word: &str| part.is_some_and(|p| same_name(p, word));
    if named(first, "subscriptions") {
        let subscription = second.unwrap_or("").to_string();
        if context.subscription_id.as_deref() != Some(&subscription) {
            context.subscription_name = None;
        }
        context.subscription_id = Some(subscription);
        context.scope = Scope::Subscription;
        context.resource_group = None;
        if named(third, "resourceGroups") {
            context.scope = Scope::ResourceGroup;
            context.resource_group =
                Some(ResourceGroup { name: fourth.unwrap_or("").to_string(), ..ResourceGroup::default() });
        }
    } else if named(first, "providers") && named(second, "Microsoft.Management") && named(third, "managementGroups") {
        context.scope = Scope::ManagementGroup;
        context.management_group = fourth.map(str::to_string);
        context.resource_group = None;
    } else if target.is_empty() || target == "/" {
        context.scope = Scope::Tenant;
        context.resource_group = None;
    } else {
        // An unknown target: the expression stands for the resource group's whole scope.
        context.scope = Scope::ResourceGroup;
        context.resource_group = Some(ResourceGroup { name: target.to_string(), ..ResourceGroup::default() });
    }
}

/// Values as the body of the deployment shows them.
fn shown_parameters(given: &IndexMap<String, Given>) -> Result<Value, EvalError> {
    let mut members = IndexMap::new();
    for (name, given) in given {
        let entry = match given {
            Given::Value(val) => Value::record([("value", val.clone())])?,
            Given::Secret { vault, name, version } => {
                let mut reference: IndexMap<Arc<str>, Value> = IndexMap::new();
                reference.insert("keyVault".into(), Value::record([("id", Value::str(vault.as_str()))])?);
                reference.insert("secretName".into(), Value::str(name.as_str()));
                if let Some(version) = version {
                    reference.insert("secretVersion".into(), Value::str(version.as_str()));
                }
                Value::record([("reference", Value::object(reference)?)])?
            }
        };
        members.insert(Arc::from(name.as_str()), entry);
    }
    Value::object(members)
}

/// An error inside, with the way to it.
fn prefixed(mut error: TemplateError, pointer: &str, name: &str, linked: bool) -> TemplateError {
    let inner = error.path.strip_prefix("properties.template").unwrap_or("").to_string();
    error.path = format!("{}.properties.template{inner}", crate::azure_path(pointer));
    error.sentence = format!("in the nested deployment `{name}`: {}", error.sentence);
    if linked {
        // The place is in another text.
        error.position = None;
    }
    error
}
