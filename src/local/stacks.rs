//! Deployment stacks.

use super::core::{Cx, not_served};
use super::error::ArmError;
use super::http::{Reply, Request};
use super::id::Path;

/// Verbs on stacks.
///
/// # Errors
/// The error envelope's content.
pub fn route(_cx: &mut Cx<'_>, request: &Request, _path: &Path) -> Result<Reply, ArmError> {
    Err(not_served(request))
}

/// Forgets the stacks of a deleted scope.
pub fn forget(cx: &mut Cx<'_>, scope: &str) {
    for (key, _) in cx.store.docs(&format!("stack|{scope}/")) {
        cx.store.remove_doc(&key);
    }
}

/// Refuses what a stack's deny settings forbid.
///
/// # Errors
/// `DenyAssignmentAuthorizationFailed`.
pub fn check_deny(_cx: &Cx<'_>, _id: &str, _verb: &str) -> Result<(), ArmError> {
    Ok(())
}
