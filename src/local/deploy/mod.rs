//! Deployments.

pub mod export;

use std::sync::Arc;

use super::core::{Core, Cx, Job, not_served};
use super::error::ArmError;
use super::http::{Reply, Request};
use super::id::Path;

/// Starts a deployment that was just accepted.
pub fn spawn(_core: &Arc<Core>, _job: Job) {}

/// Goes on with deployments that a stopped endpoint left running.
pub fn resume(_core: &Arc<Core>) {}

/// Forgets the deployments of a deleted scope.
pub fn forget(cx: &mut Cx<'_>, scope: &str) {
    for (key, _) in cx.store.docs(&format!("deployment|{scope}/")) {
        cx.store.remove_doc(&key);
    }
}

/// Verbs on deployments.
///
/// # Errors
/// The error envelope's content.
pub fn route(_cx: &mut Cx<'_>, request: &Request, _path: &Path) -> Result<Reply, ArmError> {
    Err(not_served(request))
}

/// `{scope}/deployments/{name}/operations`.
///
/// # Errors
/// The error envelope's content.
pub fn operations_route(_cx: &mut Cx<'_>, request: &Request, _path: &Path) -> Result<Reply, ArmError> {
    Err(not_served(request))
}
