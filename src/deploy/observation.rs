//! What exists of a project: its resources, its stacks, and the resource groups that do not exist yet.

use super::alternatives;
use super::compiled::CompiledProject;
use super::desired::{self, DesiredState};
use super::error::CommandError;
use super::live::Answers;
use super::session::Session;
use super::stacks::{managed_ids, marks_of, sightings, stacks, to_read};
use super::values::ReadyPart;
use arm_apply::StateDir;
use arm_client::{DeployMode, ResourceRef};
use arm_plan::{Desired, NewGroup, Observed, ObservedResource};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The desired and the existing resources, and what else was read along the way.
pub struct Observation {
    /// Records of earlier applies in the descriptions of the stacks.
    pub notes: Vec<String>,
    /// The desired resources, completed from the observed ones.
    pub desired: Desired,
    /// The existing resources, and the ids that the stacks manage.
    pub observed: Observed,
    /// Outputs that are known before the deployment.
    pub outputs: Map<String, Value>,
    /// Resource groups to create first.
    pub groups: Vec<NewGroup>,
    /// Stacks of this project and env that no part of the source uses any more.
    pub leftovers: Vec<String>,
    /// Marks of the resources that the last apply protected.
    pub marks: Vec<String>,
    /// Since when pools have which of their sizes, by the name of the pool.
    pub sizes: BTreeMap<String, String>,
}

/// Remembers which resource groups exist, so that each is read once.
struct Groups<'a> {
    session: &'a Session,
    known: BTreeMap<String, bool>,
}

impl Groups<'_> {
    fn exists(&mut self, name: &str) -> Result<bool, CommandError> {
        if let Some(known) = self.known.get(&name.to_ascii_lowercase()) {
            return Ok(*known);
        }
        let found = self.session.client.resource_group(name)?.is_some();
        self.known.insert(name.to_ascii_lowercase(), found);
        Ok(found)
    }

    /// Reads the resources whose group exists; the others cannot.
    fn observe(&mut self, wanted: Vec<ResourceRef>) -> Result<Vec<ObservedResource>, CommandError> {
        let mut there = Vec::with_capacity(wanted.len());
        for one in wanted {
            match group_in(&one.id, &self.session.subscription) {
                Some(group) if !self.exists(group)? => {}
                _ => there.push(one),
            }
        }
        if there.is_empty() {
            return Ok(Vec::new());
        }
        sightings(self.session, &there)
    }
}

/// The resource group of an id, if it is in this subscription.
pub(super) fn group_in<'i>(id: &'i str, subscription: &str) -> Option<&'i str> {
    // What is not known yet is an expression, which may contain the id of something else.
    let mut parts = id.strip_prefix('/')?.split('/');
    let ours = parts.next()?.eq_ignore_ascii_case("subscriptions") && parts.next()?.eq_ignore_ascii_case(subscription);
    (ours && parts.next()?.eq_ignore_ascii_case("resourceGroups")).then(|| parts.next())?
}

/// Reads what exists, in rounds: a name that depends on another resource is known only after that one was read.
///
/// # Errors
/// A template cannot be expanded, or a call to Resource Manager failed.
pub fn observe(
    project: &CompiledProject,
    parts: &[ReadyPart],
    scope: &desired::Scope,
    session: &Session,
    mode: DeployMode,
    state: &StateDir,
) -> Result<Observation, CommandError> {
    const ROUNDS: usize = 5;
    let mut answers = Answers::default();
    let mut pending: DesiredState = desired::expand_all(project, parts, scope)?;
    let mut groups = Groups { session, known: BTreeMap::new() };
    let exists = groups.exists(&scope.group)?;
    let mut observed = Observed::default();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut wanted = pending.to_observe();
        wanted.retain(|w| asked.insert(w.id.to_ascii_lowercase()));
        let more = if wanted.is_empty() { Vec::new() } else { groups.observe(wanted)? };
        let nothing = more.is_empty();
        observed.resources.extend(more);
        pending.resolve(&observed, &answers);
        if answers.read(session, &asked) {
            pending.resolve(&observed, &answers);
        } else if nothing {
            break;
        }
    }
    let (desired, outputs) = pending.finish(&observed, &answers);
    let mut left = StackLeftovers::default();
    if exists && mode == DeployMode::Stack {
        let wanted = desired::to_observe(desired.resources.iter());
        left = read_stacks(session, &scope.group, project, parts, &wanted, state, &mut observed)?;
    }
    let groups = missing(&mut groups, scope, &desired)?;
    let StackLeftovers { notes, leftovers, marks, sizes } = left;
    Ok(Observation { notes, desired, observed, outputs, groups, leftovers, marks, sizes })
}

/// The resource groups that the deployment needs and that do not exist: the target first, then the others in order.
fn missing(groups: &mut Groups<'_>, scope: &desired::Scope, desired: &Desired) -> Result<Vec<NewGroup>, CommandError> {
    let mut all = vec![NewGroup { name: scope.group.clone(), location: scope.location.clone() }];
    for resource in desired.resources.iter().filter(|r| !r.existing && makes_a_group(&r.resource_type)) {
        let Some(name) = group_in(&resource.id, &scope.subscription) else { continue };
        let location = || {
            let body = resource.body.read();
            let location = body.get("location").and_then(Value::as_str);
            let location = location.filter(|l| !l.is_empty() && !l.starts_with('[') && *l != "global");
            location.unwrap_or_default().to_owned()
        };
        match all.iter_mut().find(|g| g.name.eq_ignore_ascii_case(name)) {
            Some(known) if known.location.is_empty() => known.location = location(),
            Some(_) => {}
            None => all.push(NewGroup { name: name.to_owned(), location: location() }),
        }
    }
    let mut new = Vec::new();
    for mut group in all {
        if groups.exists(&group.name)? {
            continue;
        }
        if group.location.is_empty() {
            group.location.clone_from(&scope.location);
        }
        new.push(group);
    }
    Ok(new)
}

/// Whether a resource may be the first of its group. A role on something that exists does not create a group,
/// nor is a link of a zone that exists: when the group is missing, the name of the thing is wrong.
pub(super) fn makes_a_group(resource_type: &str) -> bool {
    let not = [
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Resources/deployments",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    ];
    !not.iter().any(|kind| resource_type.eq_ignore_ascii_case(kind))
}

/// What earlier applies left in the stacks.
#[derive(Default)]
struct StackLeftovers {
    notes: Vec<String>,
    leftovers: Vec<String>,
    marks: Vec<String>,
    sizes: BTreeMap<String, String>,
}

/// Reads the stacks and the resources that they manage although the source no longer has them.
fn read_stacks(
    session: &Session,
    group: &str,
    project: &CompiledProject,
    parts: &[ReadyPart],
    wanted: &[ResourceRef],
    state: &StateDir,
    observed: &mut Observed,
) -> Result<StackLeftovers, CommandError> {
    let mut left = StackLeftovers::default();
    for stack in stacks(session, group, project)? {
        observed.managed.extend(managed_ids(&stack));
        let name = stack.get("name").and_then(Value::as_str).unwrap_or_default();
        if parts.iter().any(|p| p.name.eq_ignore_ascii_case(name)) {
            left.notes.extend(stack.pointer("/properties/description").and_then(Value::as_str).map(str::to_owned));
        } else {
            left.leftovers.push(name.to_owned());
        }
        left.marks.extend(marks_of(&stack));
        left.sizes.extend(alternatives::records_of(&stack));
    }
    // Every stack carries the whole record.
    left.notes.dedup();
    // An interrupted apply had detached these in order to delete them.
    observed.managed.extend(state.removing());
    let ids: BTreeSet<String> = wanted.iter().map(|w| w.id.to_ascii_lowercase()).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let fresh = |id: &&String| !ids.contains(&id.to_ascii_lowercase()) && seen.insert(id.to_ascii_lowercase());
    let orphans: Vec<String> = observed.managed.iter().filter(fresh).cloned().collect();
    if orphans.is_empty() {
        return Ok(left);
    }
    let known: Vec<ResourceRef> = orphans.iter().filter_map(|id| to_read(id)).collect();
    observed.resources.extend(sightings(session, &known)?);
    if known.len() < orphans.len() {
        let listed = session.client.list_resources(group)?;
        let unknown = orphans.iter().filter(|id| !known.iter().any(|k| &k.id == *id));
        let envelope = |id: &String| {
            listed.iter().find(|r| r.get("id").and_then(Value::as_str).is_some_and(|l| arm_plan::same_id(l, id)))
        };
        observed.resources.extend(unknown.filter_map(envelope).filter_map(ObservedResource::of));
    }
    Ok(left)
}

/// The place that the templates of a session are expanded for; `found` is the resource group if it exists.
#[must_use]
pub fn scope_of(session: &Session, group: &str, location: &str, found: Option<&Value>) -> desired::Scope {
    desired::Scope {
        subscription: session.subscription.clone(),
        tenant: session.tenant.clone(),
        group: group.to_owned(),
        location: location.to_owned(),
        tags: found.and_then(|g| g.get("tags")).cloned().unwrap_or(json!({})),
        cloud: Some(session.environment.clone()),
    }
}

/// Observes again after an apply, with the same values.
///
/// # Errors
/// The same as those of [`observe`].
pub fn refresh(
    project: &CompiledProject,
    parts: &[ReadyPart],
    (group, location): (&str, &str),
    session: &Session,
    mode: DeployMode,
    state: &StateDir,
) -> Result<Observation, CommandError> {
    let found = session.client.resource_group(group)?;
    let scope = scope_of(session, group, location, found.as_ref());
    observe(project, parts, &scope, session, mode, state)
}
