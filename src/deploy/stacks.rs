//! Deployment stacks of a project: which ones exist, what they manage, and the protection marks in their tags.

use super::compiled::CompiledProject;
use super::error::CommandError;
use super::session::Session;
use arm_apply::{Origin, StateDir};
use arm_client::ResourceRef;
use arm_plan::{Observed, ObservedResource};
use serde_json::{Map, Value};

/// The stacks of a project and env, those of the current source first and in its order, then those of earlier ones.
///
/// # Errors
/// A call to Resource Manager failed.
pub fn stacks(session: &Session, group: &str, project: &CompiledProject) -> Result<Vec<Value>, CommandError> {
    let current: Vec<String> = (0..project.parts.len()).map(|index| project.stack_name(index)).collect();
    let text = |stack: &Value, pointer: &str| stack.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let ours = |stack: &Value| {
        let tagged = text(stack, "/tags/dsvmc-project").is_some_and(|p| p == project.name)
            && text(stack, "/tags/dsvmc-env").is_some_and(|e| e == project.env);
        tagged || text(stack, "/name").is_some_and(|n| current.iter().any(|c| c.eq_ignore_ascii_case(&n)))
    };
    let mut found: Vec<Value> = session.client.list_stacks(group)?.into_iter().filter(ours).collect();
    for stack in &mut found {
        // A list may omit the managed resources.
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

/// Azure's limit on the characters of a tag's value.
const TAG: usize = 256;

/// The mark of a protected resource in the tags of a stack: the next apply sees it, from whichever machine it runs.
/// Twelve hexadecimal digits of the hash of its id.
#[must_use]
pub fn mark(id: &str) -> String {
    let lower = Value::from(id.trim_end_matches('/').to_ascii_lowercase());
    arm_plan::digest(&lower).chars().filter(char::is_ascii_hexdigit).take(12).collect()
}

/// Tags that record these ids as protected.
#[must_use]
pub fn mark_tags(ids: &[String]) -> Map<String, Value> {
    let mut marks: Vec<String> = ids.iter().map(|id| mark(id)).collect();
    marks.sort();
    marks.dedup();
    let chunks = marks.chunks(TAG / 13).enumerate();
    chunks.map(|(n, chunk)| (format!("dsvmc-protected-{}", n + 1), Value::from(chunk.join(" ")))).collect()
}

/// The marks in the tags of a stack.
#[must_use]
pub fn marks_of(stack: &Value) -> Vec<String> {
    let tags = stack.get("tags").and_then(Value::as_object).into_iter().flatten();
    let ours = tags.filter(|(name, _)| name.starts_with("dsvmc-protected-"));
    ours.filter_map(|(_, value)| value.as_str()).flat_map(|v| v.split(' ').map(str::to_owned)).collect()
}

/// Ids of the resources that a stack manages.
pub fn managed_ids(stack: &Value) -> impl Iterator<Item = String> {
    let all = stack.pointer("/properties/resources").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|r| r.get("id").and_then(Value::as_str)).map(str::to_owned)
}

/// Reads resources; those that do not exist are left out.
///
/// # Errors
/// A call to Resource Manager failed.
pub fn sightings(session: &Session, wanted: &[ResourceRef]) -> Result<Vec<ObservedResource>, CommandError> {
    let read = session.client.observe_as(wanted, &|resource| ObservedResource::of(&resource))?;
    Ok(read.into_iter().flatten().collect())
}

/// What to read of a resource of which only the id is known; `None` when the catalogue does not know its type.
#[must_use]
pub fn to_read(id: &str) -> Option<ResourceRef> {
    let api_version = arm_catalog::latest_version(&arm_plan::type_of_id(id).0)?.to_owned();
    Some(ResourceRef { id: id.to_owned(), api_version })
}

/// Ids of what the latest plain deployments of a project wrote, as the service records them.
fn made_by_deployments(session: &Session, group: &str, project: &CompiledProject) -> Result<Vec<String>, CommandError> {
    let mut made = Vec::new();
    for part in 0.. {
        let name = project.stack_name(part);
        let Some(found) = session.client.deployment(group, &name)? else {
            // Without usable sources the number of parts is not known.
            if part + 1 >= project.parts.len() { break } else { continue }
        };
        let ids = found.pointer("/properties/outputResources").and_then(Value::as_array).into_iter().flatten();
        made.extend(ids.filter_map(|r| r.get("id").and_then(Value::as_str)).map(str::to_owned));
    }
    Ok(made)
}

/// What a project deployed, by its stacks, or by the last receipt for plain deployments; with the stacks.
///
/// # Errors
/// A call to Resource Manager failed.
pub fn deployed_resources(
    project: &CompiledProject,
    group: &str,
    session: &Session,
    state: &StateDir,
) -> Result<(Observed, Vec<Value>), CommandError> {
    let stacks = stacks(session, group, project)?;
    let mut managed: Vec<String> = stacks.iter().flat_map(managed_ids).collect();
    if stacks.is_empty() {
        let (recorded, origin) = state.managed();
        managed = match origin {
            Origin::Ours => recorded,
            // The folder may have come with the sources, with any ids in it: only what the service says counts.
            Origin::Unknown => {
                let made = made_by_deployments(session, group, project)?;
                recorded.into_iter().filter(|id| made.iter().any(|known| arm_plan::same_id(known, id))).collect()
            }
        };
    }
    let wanted: Vec<ResourceRef> = managed.iter().filter_map(|id| to_read(id)).collect();
    Ok((Observed { resources: sightings(session, &wanted)?, managed }, stacks))
}
