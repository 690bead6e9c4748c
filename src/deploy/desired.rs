//! Templates with values → [`DesiredState`]: the resources to deploy, completed with what the existing resources reveal.

use super::compiled::CompiledProject;
use super::error::CommandError;
use super::live::{Answers, Live};
use super::values::ReadyPart;
use arm_client::ResourceRef;
use arm_plan::{Desired, DesiredResource, JsonText, Observed, same_id};
use arm_template::{Context, Expansion, Limits, Parameters, ResourceGroup, TemplateError};
use dsvm_diagnostics::Code;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The place that a template is expanded for.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Id of the subscription.
    pub subscription: String,
    /// Tenant id, when known.
    pub tenant: Option<String>,
    /// Name of the resource group.
    pub group: String,
    /// Region of the resource group; empty when it is not known.
    pub location: String,
    /// Tags of the resource group, as an object.
    pub tags: Value,
    /// Value of the template function `environment()`.
    pub cloud: Option<Value>,
}

/// Every resource to deploy, as far as it is known. [`DesiredState::resolve`] completes what depends on existing resources.
#[derive(Default)]
pub struct DesiredState {
    parts: Vec<Part>,
}

struct Part {
    context: Context,
    resources: Vec<PendingResource>,
    outputs: IndexMap<String, arm_template::Output>,
}

struct PendingResource {
    item: DesiredResource,
    /// Set while a part of it is unknown.
    unresolved: Option<Unresolved>,
    /// False when its condition turned out false.
    present: bool,
}

/// The unknown part of a resource that existing resources may reveal.
struct Unresolved {
    /// The resource as expanded, without its JSON.
    resource: Box<arm_template::Resource>,
    /// JSON of the resource.
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

/// Expands the template of every deployment with its values.
///
/// # Errors
/// A template cannot be expanded with these values.
pub fn expand_all(project: &CompiledProject, parts: &[ReadyPart], scope: &Scope) -> Result<DesiredState, CommandError> {
    // One after the other: a template of hundreds of resources takes much more room than what is kept of it.
    let parts = parts.iter().enumerate().map(|(index, part)| {
        let (context, expansion) = expand(project, part, scope)?;
        let mut walk =
            Walk { project, part: index, all: Vec::with_capacity(expansion.resources.len()), inside: BTreeMap::new() };
        walk.take(expansion.resources, &Arc::new(context.clone()), ("", true), &[]);
        // A dependency on a nested deployment is a dependency on the resources in it.
        for pending in &mut walk.all {
            let ids = std::mem::take(&mut pending.item.depends_on);
            let each = |id: String| walk.inside.get(&id.to_ascii_lowercase()).cloned().unwrap_or_else(|| vec![id]);
            pending.item.depends_on = ids.into_iter().flat_map(each).collect();
        }
        Ok(Part { context, resources: walk.all, outputs: expansion.outputs })
    });
    Ok(DesiredState { parts: parts.collect::<Result<_, CommandError>>()? })
}

/// Collects the resources of a template and of the deployments nested in it, without copying them.
struct Walk<'a> {
    project: &'a CompiledProject,
    part: usize,
    all: Vec<PendingResource>,
    /// Ids of the nested resources, by the id of each deployment in the template.
    inside: BTreeMap<String, Vec<String>>,
}

impl Walk<'_> {
    /// `prefix` is the pointer to this template in the outermost one. When it is linked from another file, `exact` is false
    /// and `prefix` points to the deployment that links it. `after`: ids that the enclosing deployments depend on.
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
        let span = self.project.parts.get(self.part).and_then(|p| p.span(&near));
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
            source: span.and_then(|s| self.project.place(s)),
            ..DesiredResource::default()
        };
        if complete {
            item.body = JsonText::from(&resource.body);
            item.secrets = std::mem::take(&mut resource.secret_pointers);
        }
        let unresolved = (!complete).then(|| {
            let body = JsonText::from(std::mem::take(&mut resource.body));
            Unresolved { resource: Box::new(resource), body, context: Arc::clone(context) }
        });
        let mut pending = PendingResource { item, unresolved, present: true };
        pending.name();
        self.all.push(pending);
    }
}

impl PendingResource {
    fn name(&mut self) {
        if is_known(&self.item.id) && !self.item.name.is_empty() {
            self.item.name = arm_plan::type_of_id(&self.item.id).1;
        }
    }

    /// What cannot be resolved stays unknown until the deployment.
    fn resolve(&mut self, live: &Live<'_>) {
        let Some(Unresolved { resource, body, context }) = &self.unresolved else { return };
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

impl DesiredState {
    fn all(&self) -> impl Iterator<Item = &PendingResource> {
        self.parts.iter().flat_map(|p| &p.resources).filter(|w| w.present)
    }

    /// The resources with known ids to read from the service, including those that are only referenced.
    #[must_use]
    pub fn to_observe(&self) -> Vec<ResourceRef> {
        to_observe(self.all().map(|w| &w.item))
    }

    /// Fills in what the existing resources and the target reveal. May be called again with more of them.
    pub fn resolve(&mut self, observed: &Observed, answers: &Answers) {
        let live = Live::new(observed, answers);
        let parts = &mut self.parts;
        arm_template::with_large_stack(|| {
            for part in parts {
                part.resources.iter_mut().for_each(|pending| pending.resolve(&live));
            }
        });
    }

    /// The desired resources, and the outputs that are known before the deployment.
    #[must_use]
    pub fn finish(self, observed: &Observed, answers: &Answers) -> (Desired, Map<String, Value>) {
        let live = Live::new(observed, answers);
        let mut desired = Desired::default();
        let mut outputs = Map::new();
        let mut pending_outputs = Vec::new();
        for part in self.parts {
            for pending in part.resources.into_iter().filter(|w| w.present) {
                let mut item = pending.item;
                if let Some(unresolved) = pending.unresolved.filter(|late| !late.resource.unknown.is_empty()) {
                    item.unresolved = unresolved.body;
                }
                desired.resources.push(item);
            }
            let shown = part.outputs.into_iter().filter(|(_, o)| !o.secure);
            pending_outputs.push((part.context, shown.collect::<Vec<_>>()));
        }
        arm_template::with_large_stack(|| {
            let each = pending_outputs.iter().flat_map(|(context, all)| all.iter().map(move |o| (context, o)));
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

fn expand(project: &CompiledProject, part: &ReadyPart, scope: &Scope) -> Result<(Context, Expansion), CommandError> {
    let refuse = |errors: Vec<TemplateError>| unusable(project, &errors);
    let parsed = if part.text.is_empty() {
        arm_template::parse_without_positions(part.template.text())
    } else {
        arm_template::parse(&part.text)
    };
    let parsed = parsed.map_err(refuse)?;
    of_a_group(project, parsed.scope())?;
    let parameters = Parameters::from_json(&part.parameters).map_err(|e| unusable(project, &[e]))?;
    let context = context(scope, &part.name);
    // A project too large for one template was split at emission; for any other template the service enforces its limits.
    let expansion = arm_template::expand(&parsed, &parameters, &context, &Limits::default()).map_err(refuse)?;
    Ok((context, expansion))
}

/// Refuses a template whose schema is that of another scope: its resources have other ids than in a resource group.
fn of_a_group(project: &CompiledProject, scope: Option<arm_template::Scope>) -> Result<(), CommandError> {
    let (place, command) = match scope {
        None | Some(arm_template::Scope::ResourceGroup) => return Ok(()),
        Some(arm_template::Scope::Subscription) => ("a subscription", "sub"),
        Some(arm_template::Scope::ManagementGroup) => ("a management group", "mg"),
        Some(arm_template::Scope::Tenant) => ("a tenant", "tenant"),
    };
    Err(CommandError::input(
        Code::TemplateUnusable,
        format!("the template `{}` is for {place}, by its `$schema`; dsvmc deploys into resource groups", project.name),
        format!(
            "deploy it with `az deployment {command} create`; `dsvmc expand` shows its resources, and `--template` takes the templates of resource groups that it nests"
        ),
    ))
}

/// The region of the first resource that names one: the resource group is created there.
#[must_use]
pub fn location(project: &CompiledProject, parts: &[ReadyPart], subscription: &str, group: &str) -> Option<String> {
    let scope = Scope { subscription: subscription.to_owned(), group: group.to_owned(), ..Scope::default() };
    let desired = expand_all(project, parts, &scope).ok()?;
    let mut all = desired.all().map(|r| r.unresolved.as_ref().map_or(&r.item.body, |open| &open.body).read());
    all.find_map(|body| {
        let location = body.get("location").and_then(Value::as_str);
        location.filter(|l| !l.is_empty() && !l.starts_with('[') && *l != "global").map(str::to_owned)
    })
}

/// Errors with a position in the file become diagnostics there, others a message.
fn unusable(project: &CompiledProject, errors: &[TemplateError]) -> CommandError {
    let written = project.parts.iter().find_map(|part| part.written.as_ref());
    if let Some((source, _)) = written
        && errors.iter().any(|error| error.position.is_some())
    {
        let diagnostics = errors.iter().map(|error| arm_template::diags::diagnostic(error, *source)).collect();
        return CommandError::diagnostics(project.sources.clone(), diagnostics);
    }
    let title = match errors {
        [one] => format!("the template of `{}` cannot be expanded: {one}", project.name),
        [first, ..] => {
            format!("the template of `{}` cannot be expanded: {first} (and {} more)", project.name, errors.len() - 1)
        }
        [] => format!("the template of `{}` cannot be expanded", project.name),
    };
    let help = errors.first().map(|e| match &e.help {
        Some(help) => help.clone(),
        None => format!("Azure says {}: {}", e.code, e.message),
    });
    let help = help.unwrap_or_default();
    CommandError::input(Code::TemplateUnusable, title, help)
}

/// The resources with known ids to read from the service, including those that are only referenced; each once.
#[must_use]
pub fn to_observe<'a>(resources: impl Iterator<Item = &'a DesiredResource>) -> Vec<ResourceRef> {
    let mut seen = BTreeSet::new();
    let fresh = resources.filter(|r| is_known(&r.id) && seen.insert(r.id.to_ascii_lowercase()));
    fresh.filter_map(|r| Some(ResourceRef { id: r.id.clone(), api_version: version_to_read(r)? })).collect()
}

/// The version to read a resource with. With an `apiProfile`, which Azure resolves, the template names none: then that of the
/// catalogue, for a child that the catalogue does not know that of its parent.
fn version_to_read(resource: &DesiredResource) -> Option<String> {
    if !resource.api_version.is_empty() {
        return Some(resource.api_version.clone());
    }
    let (kind, _) = arm_plan::type_of_id(&resource.id);
    let mut name = kind.as_str();
    loop {
        if let Some(version) = arm_catalog::latest_version(name) {
            return Some(version.to_owned());
        }
        name = name.rsplit_once('/')?.0;
    }
}

fn is_known(id: &str) -> bool {
    id.starts_with('/')
}

/// The template with only the selected resources and what they depend on. Outputs are removed, as they may refer to others.
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

/// Removes every resource that is not at one of these pointers, in nested templates too, and nested deployments left empty.
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
