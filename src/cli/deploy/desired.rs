//! Templates with values → what is wanted, resource by resource, finished as far as what exists can tell.

use super::Halt;
use super::bundle::Bundle;
use super::planning::ReadyPart;
use arm_client::ResourceRef;
use arm_plan::{Desired, DesiredResource, JsonText, Observed, same_id};
use arm_template::{Context, Expansion, Limits, Parameters, ResourceGroup, Runtime, TemplateError};
use dsvm_diagnostics::Code;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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

/// Everything that is wanted, as far as it is known; what depends on resources that exist is finished by [`Wants::look_at`].
#[derive(Default)]
pub struct Wants {
    parts: Vec<Part>,
}

struct Part {
    context: Context,
    resources: Vec<Want>,
    outputs: IndexMap<String, arm_template::Output>,
}

struct Want {
    item: DesiredResource,
    /// When a part of it is not known yet.
    late: Option<Late>,
    /// False when its condition turned out false.
    present: bool,
}

/// A resource that what exists may finish.
struct Late {
    /// As it was expanded, without its JSON.
    resource: Box<arm_template::Resource>,
    /// Its JSON.
    body: JsonText,
    /// Where its expressions are evaluated.
    context: Arc<Context>,
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
pub fn expand_all(bundle: &Bundle, parts: &[ReadyPart], scope: &Scope) -> Result<Wants, Halt> {
    // One after the other: a template of hundreds of resources takes much more room than what is kept of it.
    let parts = parts.iter().enumerate().map(|(index, part)| {
        let (context, expansion) = expand(bundle, part, scope)?;
        let mut walk =
            Walk { bundle, part: index, all: Vec::with_capacity(expansion.resources.len()), inside: BTreeMap::new() };
        walk.take(expansion.resources, &Arc::new(context.clone()), ("", true), &[]);
        // Who waits for a nested deployment waits for what is in it.
        for want in &mut walk.all {
            let ids = std::mem::take(&mut want.item.depends_on);
            let each = |id: String| walk.inside.get(&id.to_ascii_lowercase()).cloned().unwrap_or_else(|| vec![id]);
            want.item.depends_on = ids.into_iter().flat_map(each).collect();
        }
        Ok(Part { context, resources: walk.all, outputs: expansion.outputs })
    });
    Ok(Wants { parts: parts.collect::<Result<_, Halt>>()? })
}

/// Takes every resource of a template and of the deployments nested in it; nothing is copied.
struct Walk<'a> {
    bundle: &'a Bundle,
    part: usize,
    all: Vec<Want>,
    /// Ids of what is inside, by the id of each deployment in the template.
    inside: BTreeMap<String, Vec<String>>,
}

impl Walk<'_> {
    /// `prefix` is where this template stands in the outermost one; not `exact` when it stands elsewhere and `prefix` is
    /// the deployment that links it. `after`: what the deployments around it wait for.
    fn take(
        &mut self,
        resources: Vec<arm_template::Resource>,
        context: &Arc<Context>,
        (prefix, exact): (&str, bool),
        after: &[String],
    ) {
        for mut resource in resources {
            let near = if exact { format!("{prefix}{}", resource.pointer) } else { prefix.to_owned() };
            match resource.nested.take().map(|n| *n) {
                Some(arm_template::NestedDeployment { context: own, outer, link, expansion: Some(inner), .. }) => {
                    let context = if outer { Arc::clone(context) } else { Arc::new(own) };
                    let after: Vec<String> = after.iter().chain(&resource.depends_on).cloned().collect();
                    let exact = exact && link.is_none();
                    let prefix = if exact { format!("{near}/properties/template") } else { near };
                    let first = self.all.len();
                    self.take(inner.resources, &context, (&prefix, exact), &after);
                    let ids = self.all.iter().skip(first).map(|w| w.item.id.clone()).collect();
                    self.inside.insert(resource.id.to_ascii_lowercase(), ids);
                }
                _ => self.leaf(resource, context, (near, exact), after),
            }
        }
    }

    fn leaf(
        &mut self,
        mut resource: arm_template::Resource,
        context: &Arc<Context>,
        (near, exact): (String, bool),
        after: &[String],
    ) {
        if resource.extension.is_some() {
            return;
        }
        let span = self.bundle.parts.get(self.part).and_then(|p| p.span(&near));
        let complete = resource.is_complete();
        let mut item = DesiredResource {
            id: resource.id.clone(),
            resource_type: std::mem::take(&mut resource.resource_type),
            name: std::mem::take(&mut resource.name),
            api_version: std::mem::take(&mut resource.api_version),
            existing: resource.existing,
            pointer: if exact { near } else { String::new() },
            part: self.part,
            depends_on: resource.depends_on.drain(..).chain(after.iter().cloned()).collect(),
            source: span.and_then(|s| self.bundle.place(s)),
            ..DesiredResource::default()
        };
        if complete {
            item.body = JsonText::from(&resource.body);
            item.secrets = std::mem::take(&mut resource.secret_pointers);
        }
        let late = (!complete).then(|| {
            let body = JsonText::from(std::mem::take(&mut resource.body));
            Late { resource: Box::new(resource), body, context: Arc::clone(context) }
        });
        let mut want = Want { item, late, present: true };
        want.name();
        self.all.push(want);
    }
}

impl Want {
    fn name(&mut self) {
        if is_known(&self.item.id) && !self.item.name.is_empty() {
            self.item.name = arm_plan::type_of_id(&self.item.id).1;
        }
    }

    /// What cannot be finished stays unknown: the deployment will tell.
    fn look_at(&mut self, live: &Live<'_>) {
        let Some(Late { resource, body, context }) = &self.late else { return };
        let Ok(done) = resource.resolve(context, live) else {
            self.item.body = body.clone();
            self.item.secrets.clone_from(&resource.secret_pointers);
            self.item.unknown.clone_from(&resource.unknown);
            return;
        };
        self.present = done.present;
        self.item.id = done.id;
        self.item.body = JsonText::from(done.body.value);
        self.item.secrets = done.body.secret_pointers;
        self.item.unknown = done.body.unknown;
        self.name();
    }
}

impl Wants {
    fn all(&self) -> impl Iterator<Item = &Want> {
        self.parts.iter().flat_map(|p| &p.resources).filter(|w| w.present)
    }

    /// The resources to look at whose ids are known, those that are only referred to included.
    #[must_use]
    pub fn wanted(&self) -> Vec<ResourceRef> {
        wanted(self.all().map(|w| &w.item))
    }

    /// Fills in what the resources that exist can tell.
    pub fn look_at(&mut self, observed: &Observed) {
        let live = Live::new(observed);
        let parts = &mut self.parts;
        arm_template::with_large_stack(|| {
            for part in parts {
                part.resources.iter_mut().for_each(|want| want.look_at(&live));
            }
        });
    }

    /// What is wanted, and the outputs that are known by now.
    #[must_use]
    pub fn finish(self, observed: &Observed) -> (Desired, Map<String, Value>) {
        let live = Live::new(observed);
        let mut desired = Desired::default();
        let mut outputs = Map::new();
        let mut late_outputs = Vec::new();
        for part in self.parts {
            for want in part.resources.into_iter().filter(|w| w.present) {
                let mut item = want.item;
                if let Some(late) = want.late.filter(|late| !late.resource.unknown.is_empty()) {
                    item.unresolved = late.body;
                }
                desired.resources.push(item);
            }
            let shown = part.outputs.into_iter().filter(|(_, o)| !o.secure);
            late_outputs.push((part.context, shown.collect::<Vec<_>>()));
        }
        arm_template::with_large_stack(|| {
            let each = late_outputs.iter().flat_map(|(context, all)| all.iter().map(move |o| (context, o)));
            for (context, (name, output)) in each {
                if let Ok(done) = output.resolve(context, &live)
                    && done.unknown.is_empty()
                    && done.secret_pointers.is_empty()
                {
                    outputs.insert(name.clone(), done.value);
                }
            }
        });
        (desired, outputs)
    }
}

fn expand(bundle: &Bundle, part: &ReadyPart, scope: &Scope) -> Result<(Context, Expansion), Halt> {
    let refuse = |errors: Vec<TemplateError>| refusal(bundle, &errors);
    let parsed = if part.text.is_empty() {
        arm_template::parse_without_positions(part.template.text())
    } else {
        arm_template::parse(&part.text)
    };
    let parsed = parsed.map_err(refuse)?;
    let parameters = Parameters::from_json(&part.parameters).map_err(|e| refusal(bundle, &[e]))?;
    let context = context(scope, &part.name);
    // A project that outgrows one template was split before; a foreign one is held to the service's own limits there.
    let expansion = arm_template::expand(&parsed, &parameters, &context, &Limits::default()).map_err(refuse)?;
    Ok((context, expansion))
}

/// The region that the first resource with one names: the resource group is made there.
#[must_use]
pub fn location(bundle: &Bundle, parts: &[ReadyPart], subscription: &str, group: &str) -> Option<String> {
    let scope = Scope { subscription: subscription.to_owned(), group: group.to_owned(), ..Scope::default() };
    let wants = expand_all(bundle, parts, &scope).ok()?;
    let mut all = wants.all().map(|w| w.late.as_ref().map_or(&w.item.body, |late| &late.body).read());
    all.find_map(|body| {
        let location = body.get("location").and_then(Value::as_str);
        location.filter(|l| !l.is_empty() && !l.starts_with('[') && *l != "global").map(str::to_owned)
    })
}

/// Errors that have a place in the file are shown there, the others in words.
fn refusal(bundle: &Bundle, errors: &[TemplateError]) -> Halt {
    let written = bundle.parts.iter().find_map(|part| part.written.as_ref());
    if let Some((source, _)) = written
        && errors.iter().any(|error| error.position.is_some())
    {
        let diagnostics = errors.iter().map(|error| arm_template::diags::diagnostic(error, *source)).collect();
        return Halt::found(bundle.sources.clone(), diagnostics);
    }
    let title = match errors {
        [one] => format!("the template of `{}` cannot be expanded: {one}", bundle.project),
        [first, ..] => {
            format!("the template of `{}` cannot be expanded: {first} (and {} more)", bundle.project, errors.len() - 1)
        }
        [] => format!("the template of `{}` cannot be expanded", bundle.project),
    };
    let help = errors.first().map(|e| match &e.help {
        Some(help) => help.clone(),
        None => format!("Azure says {}: {}", e.code, e.message),
    });
    let help = help.unwrap_or_default();
    Halt::input(Code::TemplateUnusable, title, help)
}

/// The resources to look at, those that are only referred to included.
#[must_use]
pub fn wanted<'a>(resources: impl Iterator<Item = &'a DesiredResource>) -> Vec<ResourceRef> {
    let mut seen = BTreeSet::new();
    let known = resources.filter(|r| is_known(&r.id) && !r.api_version.is_empty());
    let fresh = known.filter(|r| seen.insert(r.id.to_ascii_lowercase()));
    fresh.map(|r| ResourceRef { id: r.id.clone(), api_version: r.api_version.clone() }).collect()
}

fn is_known(id: &str) -> bool {
    id.starts_with('/')
}

/// Answers from what was observed; knows nothing of what was not.
struct Live<'a> {
    by_id: BTreeMap<String, &'a JsonText>,
}

impl<'a> Live<'a> {
    fn new(observed: &'a Observed) -> Self {
        let by_id = observed.resources.iter().map(|r| (r.id.to_ascii_lowercase(), &r.body));
        Self { by_id: by_id.collect() }
    }
}

impl Runtime for Live<'_> {
    fn reference(&self, id: &str, _: Option<&str>, full: bool) -> Result<Option<Value>, String> {
        let Some(found) = self.by_id.get(&id.to_ascii_lowercase()) else { return Ok(None) };
        let mut found = found.read();
        Ok(if full { Some(found) } else { found.get_mut("properties").map(Value::take) })
    }

    fn list(&self, _: &str, _: &str, _: Option<&str>, _: Option<&Value>) -> Result<Option<Value>, String> {
        // Keys are asked for by the deployment, never by a plan.
        Ok(None)
    }
}

/// The template with only the selected resources and what they depend on. Outputs are left out: they may speak of the rest.
#[must_use]
pub fn narrow(mut narrowed: Value, desired: &Desired, part: usize, selected: &[String]) -> Value {
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
