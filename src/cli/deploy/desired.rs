//! Templates with values → what is wanted, resource by resource, finished as far as what exists can tell.

use super::Halt;
use super::bundle::Bundle;
use super::planning::ReadyPart;
use crate::azure::Wanted;
use crate::diagnostics::Code;
use crate::plan::{Desired, DesiredResource, Observed, same_id};
use crate::template::{self, Context, Expansion, Limits, Parameters, ResourceGroup, Runtime, TemplateError};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Where a template is expanded for.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Subscription id.
    pub subscription: String,
    /// Tenant id, when known.
    pub tenant: Option<String>,
    /// Resource group.
    pub group: String,
    /// Its region.
    pub location: String,
    /// Its tags.
    pub tags: Value,
    /// What `environment()` answers.
    pub cloud: Option<Value>,
}

/// One expanded deployment.
pub struct Expanded {
    context: Context,
    expansion: Expansion,
}

fn context(scope: &Scope, name: &str) -> Context {
    let mut context = Context::resource_group(&scope.subscription, &scope.group);
    context.tenant_id.clone_from(&scope.tenant);
    context.deployment_name = name.to_owned();
    context.cloud.clone_from(&scope.cloud);
    let tags = scope.tags.as_object().into_iter().flatten();
    context.resource_group = Some(ResourceGroup {
        name: scope.group.clone(),
        location: Some(scope.location.clone()).filter(|l| !l.is_empty()),
        tags: tags.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect(),
        managed_by: None,
    });
    context
}

/// Expands every deployment.
pub fn expand_all(bundle: &Bundle, parts: &[ReadyPart], scope: &Scope) -> Result<Vec<Expanded>, Halt> {
    parts.iter().map(|part| expand(bundle, part, scope)).collect()
}

fn expand(bundle: &Bundle, part: &ReadyPart, scope: &Scope) -> Result<Expanded, Halt> {
    let refuse = |errors: Vec<TemplateError>| refusal(bundle, &errors);
    let parsed =
        if part.text.is_empty() { template::Template::from_json(&part.template) } else { template::parse(&part.text) };
    let parsed = parsed.map_err(refuse)?;
    let parameters = Parameters::from_json(&part.parameters).map_err(|e| refusal(bundle, &[e]))?;
    let context = context(scope, &part.name);
    // A project that outgrows one template was split before; a foreign one is held to the service's own limits there.
    let expansion = template::expand(&parsed, &parameters, &context, &Limits::default()).map_err(refuse)?;
    Ok(Expanded { context, expansion })
}

/// The region that the first resource with one names: the resource group is made there.
#[must_use]
pub fn location(bundle: &Bundle, parts: &[ReadyPart], subscription: &str, group: &str) -> Option<String> {
    let scope = Scope { subscription: subscription.to_owned(), group: group.to_owned(), ..Scope::default() };
    let expanded = expand_all(bundle, parts, &scope).ok()?;
    let all = expanded
        .iter()
        .flat_map(|e| e.expansion.flat().into_iter().map(|r| r.body.get("location").cloned()).collect::<Vec<_>>());
    all.flatten()
        .find_map(|l| l.as_str().filter(|l| !l.is_empty() && !l.starts_with('[') && *l != "global").map(str::to_owned))
}

fn refusal(bundle: &Bundle, errors: &[TemplateError]) -> Halt {
    let title = match errors {
        [one] => format!("the template of `{}` cannot be expanded: {one}", bundle.project),
        [first, ..] => {
            format!("the template of `{}` cannot be expanded: {first} (and {} more)", bundle.project, errors.len() - 1)
        }
        [] => format!("the template of `{}` cannot be expanded", bundle.project),
    };
    let help = errors.first().and_then(|e| e.help.clone()).unwrap_or_default();
    Halt::input(Code::TemplateUnusable, title, help)
}

/// The resources to look at, those that are only referred to included.
#[must_use]
pub fn wanted(desired: &Desired) -> Vec<Wanted> {
    let mut seen = BTreeSet::new();
    let known = desired.resources.iter().filter(|r| is_known(&r.id) && !r.api_version.is_empty());
    let fresh = known.filter(|r| seen.insert(r.id.to_ascii_lowercase()));
    fresh.map(|r| Wanted { id: r.id.clone(), api_version: r.api_version.clone() }).collect()
}

/// The resources whose ids are known before anything was looked up.
#[must_use]
pub fn known(expanded: &[Expanded]) -> Vec<Wanted> {
    let all = expanded.iter().flat_map(|e| e.expansion.flat());
    let mut seen = BTreeSet::new();
    let known = all.filter(|r| r.extension.is_none() && is_known(&r.id) && !r.api_version.is_empty());
    let fresh = known.filter(|r| seen.insert(r.id.to_ascii_lowercase()));
    fresh.map(|r| Wanted { id: r.id.clone(), api_version: r.api_version.clone() }).collect()
}

fn is_known(id: &str) -> bool {
    id.starts_with('/')
}

/// Finishes what is wanted with what exists. Also gives the outputs that are known by now.
pub fn resolve(expanded: &[Expanded], bundle: &Bundle, observed: &Observed) -> (Desired, Map<String, Value>) {
    let live = Live::new(observed);
    let mut desired = Desired::default();
    let mut outputs = Map::new();
    for (index, one) in expanded.iter().enumerate() {
        let first = desired.resources.len();
        let (placed, inside) = places(&one.expansion, &one.context);
        for Placed { resource, context, pointer, near, after } in placed {
            if resource.extension.is_some() {
                continue;
            }
            let mut item = DesiredResource {
                id: resource.id.clone(),
                resource_type: resource.resource_type.clone(),
                name: resource.name.clone(),
                api_version: resource.api_version.clone(),
                body: resource.body.clone(),
                unresolved: Value::Null,
                secrets: resource.secret_pointers.clone(),
                unknown: resource.unknown.clone(),
                existing: resource.existing,
                pointer,
                part: index,
                depends_on: resource.depends_on.iter().chain(&after).cloned().collect(),
                source: None,
            };
            // What cannot be finished stays unknown: the deployment will tell.
            if let Ok(done) = resource.resolve(context, &live) {
                if !done.present {
                    continue;
                }
                if !resource.unknown.is_empty() {
                    item.unresolved = std::mem::take(&mut item.body);
                }
                item.id = done.id;
                item.body = done.body.value;
                item.secrets = done.body.secret_pointers;
                item.unknown = done.body.unknown;
            }
            if is_known(&item.id) && !resource.name.is_empty() {
                item.name = crate::plan::type_of_id(&item.id).1;
            }
            let span = bundle.parts.get(index).and_then(|p| p.span(&near));
            item.source = span.and_then(|s| bundle.place(s));
            desired.resources.push(item);
        }
        // Who waits for a nested deployment waits for what is in it.
        for item in desired.resources.iter_mut().skip(first) {
            let ids = std::mem::take(&mut item.depends_on);
            let each = |id: String| inside.get(&id.to_ascii_lowercase()).cloned().unwrap_or_else(|| vec![id]);
            item.depends_on = ids.into_iter().flat_map(each).collect();
        }
        for (name, output) in &one.expansion.outputs {
            if output.secure {
                continue;
            }
            if let Ok(done) = output.resolve(&one.context, &live)
                && done.unknown.is_empty()
                && done.secret_pointers.is_empty()
            {
                outputs.insert(name.clone(), done.value);
            }
        }
    }
    (desired, outputs)
}

/// A resource, and where in the template it stands.
struct Placed<'a> {
    resource: &'a template::Resource,
    /// Where its expressions are evaluated.
    context: &'a Context,
    /// JSON pointer from the template's root; empty when it stands in a template elsewhere.
    pointer: String,
    /// The same, or that of the deployment that links the template elsewhere.
    near: String,
    /// What the deployments around it wait for.
    after: Vec<String>,
}

/// Ids of what is inside, by the id of each deployment in a template.
type Inside = BTreeMap<String, Vec<String>>;

/// Every resource of a template and of the deployments nested in it.
fn places<'a>(expansion: &'a Expansion, context: &'a Context) -> (Vec<Placed<'a>>, Inside) {
    let mut all = Vec::with_capacity(expansion.resources.len());
    let mut inside = Inside::new();
    walk(expansion, context, ("", true), &[], &mut all, &mut inside);
    (all, inside)
}

fn walk<'a>(
    expansion: &'a Expansion,
    context: &'a Context,
    (prefix, exact): (&str, bool),
    after: &[String],
    all: &mut Vec<Placed<'a>>,
    inside: &mut Inside,
) {
    for resource in &expansion.resources {
        let near = if exact { format!("{prefix}{}", resource.pointer) } else { prefix.to_owned() };
        let nested = resource.nested.as_ref().and_then(|n| Some((n, n.expansion.as_ref()?)));
        let Some((nested, inner)) = nested else {
            let pointer = if exact { near.clone() } else { String::new() };
            all.push(Placed { resource, context, pointer, near, after: after.to_vec() });
            continue;
        };
        let context = if nested.outer { context } else { &nested.context };
        let after: Vec<String> = after.iter().chain(&resource.depends_on).cloned().collect();
        let exact = exact && nested.link.is_none();
        let prefix = if exact { format!("{near}/properties/template") } else { near };
        let first = all.len();
        walk(inner, context, (&prefix, exact), &after, all, inside);
        let ids = all.iter().skip(first).map(|p| p.resource.id.clone()).collect();
        inside.insert(resource.id.to_ascii_lowercase(), ids);
    }
}

/// Answers from what was observed; knows nothing of what was not.
struct Live<'a> {
    by_id: BTreeMap<String, &'a Value>,
}

impl<'a> Live<'a> {
    fn new(observed: &'a Observed) -> Self {
        let by_id = observed.resources.iter().filter_map(|r| Some((r.get("id")?.as_str()?.to_ascii_lowercase(), r)));
        Self { by_id: by_id.collect() }
    }
}

impl Runtime for Live<'_> {
    fn reference(&self, id: &str, _: Option<&str>, full: bool) -> Result<Option<Value>, String> {
        let Some(found) = self.by_id.get(&id.to_ascii_lowercase()) else { return Ok(None) };
        Ok(if full { Some((*found).clone()) } else { found.get("properties").cloned() })
    }

    fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
        // Keys are asked for by the deployment, never by a plan.
        Ok(None)
    }
}

/// The template with only the selected resources and what they depend on. Outputs are left out: they may speak of the rest.
#[must_use]
pub fn narrow(template: &Value, desired: &Desired, part: usize, selected: &[String]) -> Value {
    let mine: Vec<&DesiredResource> = desired.resources.iter().filter(|r| r.part == part).collect();
    let mut keep: BTreeSet<&str> = BTreeSet::new();
    let mut next: Vec<&str> = selected.iter().map(String::as_str).collect();
    while let Some(id) = next.pop() {
        for resource in mine.iter().filter(|r| same_id(&r.id, id)) {
            if keep.insert(&resource.id) {
                next.extend(resource.depends_on.iter().map(String::as_str));
            }
        }
    }
    let places: BTreeSet<&str> =
        mine.iter().filter(|r| keep.contains(r.id.as_str())).map(|r| r.pointer.as_str()).collect();
    let mut narrowed = template.clone();
    keep_only(&mut narrowed, "", &places);
    if let Some(map) = narrowed.as_object_mut() {
        map.shift_remove("outputs");
    }
    narrowed
}

/// Takes out what is not at one of these pointers, in nested templates too; a nested deployment without resources goes.
fn keep_only(template: &mut Value, prefix: &str, places: &BTreeSet<&str>) {
    let stays = |key: &str, resource: &mut Value| {
        let pointer = format!("{prefix}/resources/{key}");
        let inner = format!("{pointer}/properties/template");
        if let Some(nested) = resource.pointer_mut("/properties/template")
            && places.iter().any(|p| p.starts_with(&inner))
        {
            keep_only(nested, &inner, places);
            return true;
        }
        places.contains(pointer.as_str()) || resource.get("existing") == Some(&Value::Bool(true))
    };
    match template.get_mut("resources") {
        Some(Value::Array(list)) => {
            let mut index = 0;
            list.retain_mut(|resource| {
                index += 1;
                stays(&(index - 1).to_string(), resource)
            });
        }
        Some(Value::Object(map)) => map.retain(|name, resource| stays(name, resource)),
        _ => {}
    }
}
