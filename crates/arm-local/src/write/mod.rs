//! Writing and deleting one resource: checks, the type's own rules, faults, provisioning state. HTTP and deployments
//! both come through here.

mod embedded;
mod row;

use crate::core::Cx;
use crate::error::ArmError;
use crate::id::Path;
use crate::lookup::{self, group_of_exists};
use crate::rule::{Write, Written};

pub use row::Deleted;

/// Writes a resource, wherever it is kept.
///
/// # Errors
/// What Azure says for the same request: missing group or parent, locks, preconditions, the type's own rules, faults.
pub fn put(cx: &mut Cx<'_>, write: &Write) -> Result<Written, ArmError> {
    match lookup::place(&write.path) {
        Some(place) => embedded::put(cx, write, &place),
        None => row::put(cx, write),
    }
}

/// Deletes a resource with its children; `None` when it was not there.
///
/// # Errors
/// `ScopeLocked`, deny settings, what the type says about use by others, faults.
pub fn delete(cx: &mut Cx<'_>, path: &Path, if_match: Option<&str>) -> Result<Option<Deleted>, ArmError> {
    group_of_exists(cx, path)?;
    match lookup::place(path) {
        Some(place) => embedded::delete(cx, path, &place),
        None => row::delete(cx, path, if_match),
    }
}
