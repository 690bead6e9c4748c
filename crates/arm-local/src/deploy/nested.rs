//! Deployments inside of deployments: what they run with, and what they ended in.

use std::sync::Arc;

use arm_template::{Expansion, Limits, Resource};
use serde_json::json;

use super::links::Links as LinkSource;
use super::live::StateRuntime;
use super::request::{DeploymentRequest, template_error};
use super::steps::{context_inside, no_link};
use crate::core::{Core, Cx};
use crate::documents::{DeploymentDocument, DeploymentState, Links};
use crate::error::ArmError;
use crate::id::Path;
use crate::lookup::group_not_found;

/// Evaluates a nested deployment before it is accepted. `None`: its condition turned out false.
///
/// # Errors
/// A resource group that is not there, a template that cannot be read or expanded.
pub fn evaluate(
    cx: &mut Cx<'_>,
    outer: &DeploymentRequest,
    resource: &Resource,
) -> Result<Option<(DeploymentRequest, Expansion)>, ArmError> {
    let Some(nested) = &resource.nested else { return Ok(None) };
    let resolved =
        resource.resolve(&outer.context, &StateRuntime::new(cx)).map_err(|error| template_error(&[error]))?;
    if !resolved.present {
        return Ok(None);
    }
    let path = Path::of(&resolved.id);
    if let Some(group) = path.group()
        && cx.store.row(&path.scope).is_none()
    {
        return Err(group_not_found(group));
    }
    let linked = |name: &str| resolved.body.value.pointer(&format!("/properties/{name}"));
    let links = LinkSource::of(cx);
    let mut nested = nested.as_ref().clone();
    nested.settle(&outer.context, &StateRuntime::new(cx)).map_err(|errors| template_error(&errors))?;
    if nested.template.is_none()
        && let Some(link) = linked("templateLink")
    {
        let (template, base) = links.named(link, outer.context.template_link.as_deref())?;
        nested.template = Some(template);
        nested.context.template_link = base;
    }
    let expansion = nested
        .expand(&outer.context, &Limits::default(), &links, &StateRuntime::new(cx))
        .map_err(|errors| template_error(&errors))?
        .ok_or_else(|| no_link(resource))?;
    let Some(template) = nested.template.clone() else { return Err(no_link(resource)) };
    let shown = |name: &str| linked(name).filter(|link| !link.is_null()).cloned();
    let request = DeploymentRequest {
        path,
        template,
        parameters: json!({}),
        mode: "Incremental".into(),
        location: nested.context.location.clone(),
        tags: None,
        links: Links { template_link: shown("templateLink"), parameters_link: shown("parametersLink") },
        ids_only: false,
        stack: outer.stack.clone(),
        context: context_inside(cx, &nested, &outer.context, &resolved.id),
        correlation: outer.correlation.clone(),
    };
    Ok(Some((request, expansion)))
}

/// The error that the record of a finished deployment shows, if it failed.
pub fn recorded_failure(core: &Arc<Core>, id: &str) -> Option<ArmError> {
    let document = core.with("", |cx| Ok(cx.store.get::<DeploymentDocument>(id))).ok()??;
    let properties = &document.record.properties;
    (properties.provisioning_state == DeploymentState::Failed)
        .then(|| properties.error.clone().unwrap_or_else(|| ArmError::conflict("InternalServerError", "")))
}
