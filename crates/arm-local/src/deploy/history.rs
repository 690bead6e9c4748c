//! The deployments that a scope keeps: storing, handing over, removing.

use arm_template::Expansion;

use super::record;
use super::request::DeploymentRequest;
use crate::core::Cx;
use crate::documents::{DeploymentDocument, DeploymentRecord, DeploymentState, OperationDocument};
use crate::id::{Path, key};

/// Most deployments that a scope keeps.
const MOST: usize = 800;

/// First part of the keys of a scope's deployments.
fn prefix(scope: &str) -> String {
    format!("{}/providers/microsoft.resources/deployments/", key(scope))
}

/// The deployments of a scope, in order of name.
pub fn of_scope(cx: &Cx<'_>, scope: &str) -> Vec<std::sync::Arc<DeploymentDocument>> {
    cx.store.all(&prefix(scope))
}

/// Stores a deployment as accepted and gives its record.
pub fn accept(cx: &mut Cx<'_>, request: &DeploymentRequest, expansion: &Expansion) -> DeploymentRecord {
    let id = request.path.id();
    cx.store.remove_all::<OperationDocument>(&format!("{id}|"));
    let record = record::fresh(cx, request, expansion, DeploymentState::Accepted);
    let document = DeploymentDocument {
        id: id.clone(),
        record: record.clone(),
        template: request.template.to_value(),
        pending: Some(request.pending()),
        operation: format!("{:020}", jiff::Timestamp::now().as_nanosecond()),
        start: cx.real_ms,
        cancel: false,
        outputs: None,
    };
    cx.store.put(&id, document);
    record
}

/// Stores a deployment that another deployment or a stack runs: that one is resumed after a restart, this one is not.
pub fn accept_inner(cx: &mut Cx<'_>, request: &DeploymentRequest, expansion: &Expansion) {
    accept(cx, request, expansion);
    cx.store.edit::<DeploymentDocument>(&request.path.id(), |document| {
        document.pending = None;
        document.record.properties.provisioning_state = DeploymentState::Running;
    });
}

/// Makes room in a full history: the oldest finished deployment goes, as the service does by itself.
pub fn prune(cx: &mut Cx<'_>, own: &Path) {
    let all = of_scope(cx, &own.scope);
    if all.len() < MOST {
        return;
    }
    let finished = all.iter().filter(|document| document.record.properties.provisioning_state.is_final());
    if let Some(oldest) = finished.min_by_key(|document| document.record.properties.timestamp.clone()) {
        remove(cx, &oldest.id);
    }
}

/// Removes a deployment with its operations.
pub fn remove(cx: &mut Cx<'_>, id: &str) {
    cx.store.remove_all::<OperationDocument>(&format!("{id}|"));
    cx.store.remove::<DeploymentDocument>(id);
}
