//! Templates out of what is there.

use serde_json::json;

use crate::local::core::Cx;
use crate::local::error::ArmError;
use crate::local::groups;
use crate::local::http::{Reply, Request};
use crate::local::id::Path;

/// `POST {group}/exportTemplate`.
///
/// # Errors
/// `ResourceGroupNotFound`.
pub fn group(cx: &mut Cx<'_>, _request: &Request, path: &Path) -> Result<Reply, ArmError> {
    if cx.store.row(&path.scope).is_none() {
        return Err(groups::not_found(path.group().unwrap_or_default()));
    }
    Ok(Reply::ok(json!({ "template": {
        "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "parameters": {}, "variables": {}, "resources": [],
    } })))
}
