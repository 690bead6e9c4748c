//! Errors of a deployment → the source line of the resource that caused each, with advice.

use super::compiled::CompiledProject;
use arm_apply::{RefusedResource, advice};
use arm_client::ServiceError;
use arm_plan::{Desired, DesiredResource, same_id, type_of_id};
use dsvm_diagnostics::source::Span;

/// One error of the service. Its texts come from the service and may contain control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedError {
    /// Name of the resource that was rejected; `None` for the deployment as a whole.
    pub resource: Option<String>,
    /// Code of the innermost error.
    pub code: String,
    /// Message of the innermost error; empty when the service gave none.
    pub message: String,
    /// What to do about it.
    pub advice: Option<&'static str>,
    /// The declaration of the resource, when it is in the sources.
    pub span: Option<Span>,
    /// Identifies the call in Azure's activity log.
    pub correlation: Option<String>,
}

/// Finds the resource and the source line of an error.
#[must_use]
pub fn locate(refused: &RefusedResource, project: &CompiledProject, desired: &Desired) -> LocatedError {
    let resource = refused.id.as_deref().and_then(|id| find(desired, id));
    let name = refused.id.as_deref().map(|id| type_of_id(id).1).filter(|n| !n.is_empty());
    let innermost = refused.error.innermost();
    let cause: &ServiceError = innermost.first().copied().unwrap_or(&refused.error);
    LocatedError {
        resource: resource.map(|r| r.name.clone()).or(name),
        code: cause.code.clone(),
        message: cause.message.trim().to_owned(),
        advice: advice::advice(&refused.error),
        span: resource.and_then(|r| project.parts.get(r.part)?.span(&r.pointer)),
        correlation: refused.error.correlation.clone(),
    }
}

/// The resource with this id, or the one that it is a child of.
fn find<'a>(desired: &'a Desired, id: &str) -> Option<&'a DesiredResource> {
    let mut at = id;
    loop {
        if let Some(resource) = desired.resources.iter().find(|r| same_id(&r.id, at)) {
            return Some(resource);
        }
        at = at.rsplit_once('/')?.0;
    }
}
