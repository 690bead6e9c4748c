//! The resources of a template one by one: their deployment, the write of each, and rehearsals of a whole deployment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use arm_template::{Context, Expansion, Limits, NestedDeployment, Resource};

use crate::core::Cx;
use crate::deploy::links::Links;
use crate::deploy::live::StateRuntime;
use crate::deploy::record;
use crate::deploy::request::{DeploymentRequest, template_error};
use crate::error::ArmError;
use crate::http::Request;
use crate::id::{Path, key};
use crate::rule::Write;
use crate::rule::Written;
use crate::{groups, resources, write};

/// Errors that only the deployment itself meets: the service's preflight does not look at other resources.
pub const RUNTIME_CODES: &[&str] = &[
    "InvalidResourceReference",
    "SubnetIsFull",
    "ParentResourceNotFound",
    "FailedIdentityOperation",
    "ResourceNotFound",
    "DeploymentFailed",
    "InUseSubnetCannotBeDeleted",
    "StorageAccountNotFound",
    // the networks are asked when the account or the vault is written
    "NetworkAclsValidationFailure",
    "VirtualNetworkNotValid",
    "Conflict",
    "RoleAssignmentExists",
];

/// Ids of everything that a template deploys, nested templates included.
#[must_use]
pub fn ids(expansion: &Expansion) -> Vec<String> {
    expansion
        .flat()
        .into_iter()
        .filter(|resource| !resource.existing && !resource.id.starts_with('['))
        .map(|resource| resource.id.clone())
        .collect()
}

/// Positions of the resources in an order in which dependencies come first.
#[must_use]
pub fn in_order(expansion: &Expansion) -> Vec<usize> {
    let at: BTreeMap<String, Vec<usize>> =
        expansion.resources.iter().enumerate().fold(BTreeMap::new(), |mut map, (at, resource)| {
            map.entry(key(&resource.id)).or_insert_with(Vec::new).push(at);
            map
        });
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for first in 0..expansion.resources.len() {
        let mut stack = vec![(first, false)];
        while let Some((at_now, ready)) = stack.pop() {
            if ready {
                out.push(at_now);
                continue;
            }
            if !seen.insert(at_now) {
                continue;
            }
            stack.push((at_now, true));
            let Some(resource) = expansion.resources.get(at_now) else { continue };
            for id in resource.depends_on.iter().rev() {
                stack.extend(at.get(&key(id)).into_iter().flatten().map(|before| (*before, false)));
            }
        }
    }
    out
}

/// Tries a deployment without keeping anything, as the service's preflight does.
///
/// # Errors
/// `InvalidTemplateDeployment` with what the providers say.
pub fn preflight(cx: &mut Cx<'_>, deployment: &DeploymentRequest, expansion: &Expansion) -> Result<(), ArmError> {
    let mut errors = Vec::new();
    rehearse(cx, |cx| {
        let mut found = |_: &mut Cx<'_>, _: &Resource, result: Result<Option<Written>, ArmError>| {
            if let Err(error) = result
                && !RUNTIME_CODES.contains(&error.code.as_str())
            {
                errors.push(error);
            }
        };
        walk(cx, &deployment.context, expansion, &mut found);
    });
    if errors.is_empty() {
        return Ok(());
    }
    Err(ArmError::bad(
        "InvalidTemplateDeployment",
        format!(
            "The template deployment '{}' is not valid according to the validation procedure. The tracking id is '{}'. See inner errors for details.",
            deployment.path.name(),
            deployment.correlation
        ),
    )
    .because(errors))
}

/// Runs `work` on a state that is as before afterwards.
pub fn rehearse<T>(cx: &mut Cx<'_>, work: impl FnOnce(&mut Cx<'_>) -> T) -> T {
    let mark = cx.store.mark();
    let before = cx.dry;
    cx.dry = true;
    let result = work(cx);
    cx.dry = before;
    cx.store.rollback_to(mark);
    result
}

/// Called with the result of each resource of a dry run.
pub type Seen<'s> = dyn FnMut(&mut Cx<'_>, &Resource, Result<Option<Written>, ArmError>) + 's;

/// Writes every resource of a template in deployment, nested ones too, telling `seen` of each; for rehearsals.
pub fn walk(cx: &mut Cx<'_>, context: &Context, expansion: &Expansion, seen: &mut Seen<'_>) {
    for at in in_order(expansion) {
        let Some(resource) = expansion.resources.get(at).filter(|resource| !resource.existing) else { continue };
        let Some(nested) = &resource.nested else {
            let result = execute(cx, context, resource);
            seen(cx, resource, result);
            continue;
        };
        let links = Links::of(cx);
        let inner = nested.expand(context, &Limits::default(), &links, &StateRuntime::lenient(cx, Vec::new()));
        match inner {
            Ok(Some(inner)) => {
                let context = context_inside(cx, nested, context, &resource.id);
                walk(cx, &context, &inner, seen);
            }
            // the address is an output of what the deployment makes first
            Ok(None) => {}
            Err(errors) => seen(cx, resource, Err(template_error(&errors))),
        }
    }
}

/// The context of a nested deployment's expressions, with what is known by now of its resource group.
pub fn context_inside(cx: &Cx<'_>, nested: &NestedDeployment, outer: &Context, id: &str) -> Context {
    if nested.outer {
        return outer.clone();
    }
    let path = Path::of(id);
    let mut context = nested.context.clone();
    if cx.store.row(&path.scope).is_some() {
        let fresh =
            crate::deploy::request::context_of(cx, &path.scope, path.name(), nested.context.location.as_deref());
        context.resource_group = fresh.resource_group;
    }
    context
}

/// The address of a linked template is known only later, or never.
pub(super) fn no_link(resource: &Resource) -> ArmError {
    ArmError::bad(
        "InvalidContentLink",
        format!(
            "Unable to download deployment content: the deployment '{}' links a template whose address is not known.",
            resource.name
        ),
    )
}

/// A resource of a template with all of its expressions evaluated.
pub struct Ready {
    path: Path,
    body: Value,
}

/// Evaluates the expressions of one resource. `None`: its condition turned out false.
///
/// # Errors
/// `InvalidTemplate` and the engine's other codes.
pub fn resolve(cx: &mut Cx<'_>, context: &Context, resource: &Resource) -> Result<Option<Ready>, ArmError> {
    let resolved = resource.resolve(context, &StateRuntime::new(cx)).map_err(|error| template_error(&[error]))?;
    if !resolved.present {
        return Ok(None);
    }
    if let Some(left) = resolved.body.unknown.first() {
        let text = resolved.body.value.pointer(left).and_then(Value::as_str).unwrap_or_default().to_owned();
        return Err(ArmError::bad(
            "InvalidTemplate",
            format!("The expression '{text}' of resource '{}' cannot be evaluated.", resolved.id),
        ));
    }
    let body = record::sent_body(resource, &resolved.body.value);
    Ok(Some(Ready { path: Path::of(&resolved.id), body }))
}

/// Evaluates and writes one resource. `None`: its condition turned out false, or there is nothing to write.
///
/// # Errors
/// What the engine or the type of the resource says.
pub fn execute(cx: &mut Cx<'_>, context: &Context, resource: &Resource) -> Result<Option<Written>, ArmError> {
    match resolve(cx, context, resource)? {
        Some(ready) => apply(cx, context, resource, ready),
        None => Ok(None),
    }
}

/// Writes one resource that is evaluated. `None`: it is written elsewhere.
///
/// # Errors
/// What the type of the resource says.
pub fn apply(
    cx: &mut Cx<'_>,
    context: &Context,
    resource: &Resource,
    ready: Ready,
) -> Result<Option<Written>, ArmError> {
    let Ready { path, body } = ready;
    match resource.resource_type.to_lowercase().as_str() {
        "microsoft.resources/resourcegroups" => {
            let name = resource.name.rsplit('/').next().unwrap_or_default();
            let sub =
                Path::of(&context.scope_id()).subscription().or(path.subscription()).unwrap_or_default().to_owned();
            let id = format!("/subscriptions/{sub}/resourceGroups/{name}");
            let (row, created) = groups::put(cx, &id, &body)?;
            Ok(Some(Written { row, created, operation: None, duration_ms: 0, failure: None }))
        }
        "microsoft.resources/tags" => {
            let request = Request { method: "PUT".into(), body: body.to_string().into_bytes(), ..Request::default() };
            resources::tags(cx, &request, &path)?;
            Ok(None)
        }
        // only in rehearsals: a deployment runs its stacks one by one
        "microsoft.resources/deploymentstacks" => cx.core.upper.check_stack(cx, &path, &body).map(|()| None),
        _ => {
            let api_version = resource.api_version.clone();
            write::put(cx, &Write { path, body, api_version, ..Write::default() }).map(Some)
        }
    }
}
