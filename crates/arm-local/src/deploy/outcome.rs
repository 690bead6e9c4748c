//! What came of a deployment's resources, and the records of its operations.

use std::sync::Arc;

use super::record::{self, Operation};
use super::request::DeploymentRequest;
use crate::core::Core;
use crate::error::ArmError;
use crate::guards::stack_caller;

/// What came of the resources of a template.
#[derive(Default)]
pub struct RunResult {
    /// Ids that were written, nested ones included, without the deployments that carry them.
    pub written: Vec<String>,
    /// Ids that could not be written, with the reason.
    pub failed: Vec<(String, ArmError)>,
    /// A client asked to stop.
    pub canceled: bool,
}

impl RunResult {
    /// The result of a deployment that could not begin.
    #[must_use]
    pub fn failed(id: &str, error: ArmError) -> Self {
        Self { failed: vec![(id.to_owned(), error)], ..Self::default() }
    }
}

/// Machine time, in milliseconds since 1970.
pub fn real_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The principal under which a deployment writes.
pub fn caller(request: &DeploymentRequest) -> String {
    if let Some(stack) = &request.stack {
        return stack_caller(stack);
    }
    request.context.deployer.as_ref().map(|deployer| deployer.object_id.clone()).unwrap_or_default()
}

/// Stores an operation of a deployment in a transaction of its own.
pub fn log(core: &Arc<Core>, deployment: &str, at: usize, operation: &Operation<'_>) {
    // a state that cannot be written is reported by the next write of a resource
    let _ = core.with("", |cx| {
        record::operation(cx, deployment, at, operation);
        Ok(())
    });
}
