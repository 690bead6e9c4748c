//! What exists of a project: its resources, its stacks, and the resource groups that are still missing.

use super::bundle::Bundle;
use super::planning::{Planned, ReadyPart, stack_name};
use super::session::Session;
use super::{Halt, desired};
use arm_apply::StateDir;
use arm_client::{DeployMode, ResourceRef};
use arm_plan::{Desired, NewGroup, Observed, ObservedResource};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Both sides, and what else was seen.
pub struct Seen {
    /// Records that the stacks carry.
    pub notes: Vec<String>,
    /// What is wanted.
    pub desired: Desired,
    /// What exists.
    pub observed: Observed,
    /// Outputs that are known.
    pub outputs: Map<String, Value>,
    /// Resource groups that must be made first.
    pub groups: Vec<NewGroup>,
    /// Stacks of this project and env that hold nothing of the source any more.
    pub leftovers: Vec<String>,
    /// Marks of what the last apply protected.
    pub marks: Vec<String>,
}

/// Which resource groups exist; each is asked for once.
struct Groups<'a> {
    session: &'a Session,
    known: BTreeMap<String, bool>,
}

impl Groups<'_> {
    fn exists(&mut self, name: &str) -> Result<bool, Halt> {
        if let Some(known) = self.known.get(&name.to_ascii_lowercase()) {
            return Ok(*known);
        }
        let found = self.session.client.resource_group(name)?.is_some();
        self.known.insert(name.to_ascii_lowercase(), found);
        Ok(found)
    }

    /// Reads what can exist: nothing is in a group that does not.
    fn observe(&mut self, wanted: Vec<ResourceRef>) -> Result<Vec<ObservedResource>, Halt> {
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

/// Reads resources.
pub fn sightings(session: &Session, wanted: &[ResourceRef]) -> Result<Vec<ObservedResource>, Halt> {
    let read = session.client.observe_as(wanted, &|resource| ObservedResource::of(&resource))?;
    Ok(read.into_iter().flatten().collect())
}

/// The resource group of an id, if it is in this subscription.
fn group_in<'i>(id: &'i str, subscription: &str) -> Option<&'i str> {
    let mut parts = id.split('/').skip(1);
    let ours = parts.next()?.eq_ignore_ascii_case("subscriptions") && parts.next()?.eq_ignore_ascii_case(subscription);
    (ours && parts.next()?.eq_ignore_ascii_case("resourceGroups")).then(|| parts.next())?
}

/// Looks at what exists, in rounds: a name that depends on another resource is known only once that one was seen.
pub fn look(
    bundle: &Bundle,
    parts: &[ReadyPart],
    scope: &desired::Scope,
    session: &Session,
    mode: DeployMode,
    state: &StateDir,
) -> Result<Seen, Halt> {
    const ROUNDS: usize = 5;
    let mut wants = desired::expand_all(bundle, parts, scope)?;
    let mut groups = Groups { session, known: BTreeMap::new() };
    let exists = groups.exists(&scope.group)?;
    let mut observed = Observed::default();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut wanted = wants.wanted();
        wanted.retain(|w| asked.insert(w.id.to_ascii_lowercase()));
        let more = if wanted.is_empty() { Vec::new() } else { groups.observe(wanted)? };
        let nothing = more.is_empty();
        observed.resources.extend(more);
        wants.look_at(&observed);
        if nothing {
            break;
        }
    }
    let (desired, outputs) = wants.finish(&observed);
    let mut left = Left::default();
    if exists && mode == DeployMode::Stack {
        let wanted = desired::wanted(desired.resources.iter());
        left = manage(session, &scope.group, bundle, parts, &wanted, state, &mut observed)?;
    }
    let groups = missing(&mut groups, scope, &desired)?;
    let Left { notes, leftovers, marks } = left;
    Ok(Seen { notes, desired, observed, outputs, groups, leftovers, marks })
}

/// The groups that the deployment needs and that do not exist: the one deployed to, then the others in order.
fn missing(groups: &mut Groups<'_>, scope: &desired::Scope, desired: &Desired) -> Result<Vec<NewGroup>, Halt> {
    let mut all = vec![NewGroup { name: scope.group.clone(), location: scope.location.clone() }];
    for resource in desired.resources.iter().filter(|r| !r.existing) {
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

/// Looks again after an apply, with the same values.
pub fn look_again(
    planned: &Planned,
    bundle: &Bundle,
    session: &Session,
    mode: DeployMode,
    state: &StateDir,
) -> Result<Seen, Halt> {
    let found = session.client.resource_group(&planned.group)?;
    let scope = desired::Scope {
        subscription: session.subscription.clone(),
        tenant: session.tenant.clone(),
        group: planned.group.clone(),
        location: planned.location.clone(),
        tags: found.as_ref().and_then(|g| g.get("tags")).cloned().unwrap_or(json!({})),
        cloud: Some(session.environment.clone()),
    };
    look(bundle, &planned.parts, &scope, session, mode, state)
}

/// The stacks of a project and env: those that the source has now, and those that it had.
pub fn stacks(session: &Session, group: &str, bundle: &Bundle) -> Result<Vec<Value>, Halt> {
    let current: Vec<String> = (0..bundle.parts.len()).map(|index| stack_name(bundle, index)).collect();
    let text = |stack: &Value, pointer: &str| stack.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let ours = |stack: &Value| {
        let tagged = text(stack, "/tags/dsvmc-project").is_some_and(|p| p == bundle.project)
            && text(stack, "/tags/dsvmc-env").is_some_and(|e| e == bundle.env);
        tagged || text(stack, "/name").is_some_and(|n| current.iter().any(|c| c.eq_ignore_ascii_case(&n)))
    };
    let mut found: Vec<Value> = session.client.list_stacks(group)?.into_iter().filter(ours).collect();
    for stack in &mut found {
        // A list may leave out what a stack manages.
        if let (None, Some(name)) = (stack.pointer("/properties/resources"), text(stack, "/name"))
            && let Some(whole) = session.client.stack(group, &name)?
        {
            *stack = whole;
        }
    }
    let place = |stack: &Value| {
        let name = text(stack, "/name").unwrap_or_default();
        (current.iter().position(|c| c.eq_ignore_ascii_case(&name)).unwrap_or(usize::MAX), name)
    };
    found.sort_by_key(place);
    Ok(found)
}

/// Most characters of a tag's value.
const TAG: usize = 256;

/// What a protected resource leaves in the tags of a stack: whoever applies next, from whichever machine, knows of it.
#[must_use]
pub fn mark(id: &str) -> String {
    let lower = Value::from(id.trim_end_matches('/').to_ascii_lowercase());
    arm_plan::digest(&lower).chars().filter(char::is_ascii_hexdigit).take(12).collect()
}

/// Tags that hold the marks.
#[must_use]
pub fn mark_tags(ids: &[String]) -> Map<String, Value> {
    let mut marks: Vec<String> = ids.iter().map(|id| mark(id)).collect();
    marks.sort();
    marks.dedup();
    let chunks = marks.chunks(TAG / 13).enumerate();
    chunks.map(|(n, chunk)| (format!("dsvmc-protected-{}", n + 1), Value::from(chunk.join(" ")))).collect()
}

/// The marks of a stack.
#[must_use]
pub fn marks_of(stack: &Value) -> Vec<String> {
    let tags = stack.get("tags").and_then(Value::as_object).into_iter().flatten();
    let ours = tags.filter(|(name, _)| name.starts_with("dsvmc-protected-"));
    ours.filter_map(|(_, value)| value.as_str()).flat_map(|v| v.split(' ').map(str::to_owned)).collect()
}

/// What earlier applies left.
#[derive(Default)]
struct Left {
    notes: Vec<String>,
    leftovers: Vec<String>,
    marks: Vec<String>,
}

/// Reads what the stacks manage; what the source no longer holds is looked at too.
fn manage(
    session: &Session,
    group: &str,
    bundle: &Bundle,
    parts: &[ReadyPart],
    wanted: &[ResourceRef],
    state: &StateDir,
    observed: &mut Observed,
) -> Result<Left, Halt> {
    let mut left = Left::default();
    for stack in stacks(session, group, bundle)? {
        let list = stack.pointer("/properties/resources").and_then(Value::as_array).into_iter().flatten();
        observed.managed.extend(list.filter_map(|r| r.get("id").and_then(Value::as_str)).map(str::to_owned));
        let name = stack.get("name").and_then(Value::as_str).unwrap_or_default();
        if parts.iter().any(|p| p.name.eq_ignore_ascii_case(name)) {
            left.notes.extend(stack.pointer("/properties/description").and_then(Value::as_str).map(str::to_owned));
        } else {
            left.leftovers.push(name.to_owned());
        }
        left.marks.extend(marks_of(&stack));
    }
    // Every stack carries the whole record.
    left.notes.dedup();
    // An apply that was cut off had let go of these in order to delete them.
    observed.managed.extend(state.journal().into_iter().flat_map(|j| j.removing));
    let ids: BTreeSet<String> = wanted.iter().map(|w| w.id.to_ascii_lowercase()).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let fresh = |id: &&String| !ids.contains(&id.to_ascii_lowercase()) && seen.insert(id.to_ascii_lowercase());
    let orphans: Vec<String> = observed.managed.iter().filter(fresh).cloned().collect();
    if orphans.is_empty() {
        return Ok(left);
    }
    let versioned = |id: &String| {
        let api_version = arm_catalog::latest_version(&arm_plan::type_of_id(id).0)?.to_owned();
        Some(ResourceRef { id: id.clone(), api_version })
    };
    let known: Vec<ResourceRef> = orphans.iter().filter_map(versioned).collect();
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
