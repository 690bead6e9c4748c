//! The rules of resource types: what a provider checks, fills in, refuses and does. A type without rules is stored as
//! sent. The table in `docs/local-endpoint.md` says which is which.

use serde_json::Value;

use super::core::Cx;
use super::error::ArmError;
use super::http::{Reply, Request};
use super::id::Path;
use super::lro::Style;
use super::store::Row;
use super::write::Put;

/// The rules of one type. Every method has the answer of a type that is stored as sent.
pub trait Rule: Sync {
    /// Whether a PUT leaves alone what it does not mention.
    fn merges(&self) -> bool {
        false
    }

    /// Whether a new resource needs a `location`.
    fn needs_location(&self) -> bool {
        false
    }

    /// Whether the body carries `etag`.
    fn shows_etag(&self) -> bool {
        false
    }

    /// Whether a PUT answers 200 even when it creates.
    fn always_200(&self) -> bool {
        false
    }

    /// The spelling of `type` in bodies, where it differs from the id's.
    fn shown_type(&self) -> Option<&'static str> {
        None
    }

    /// How a write is answered.
    fn style(&self, _created: bool) -> Style {
        Style::Sync
    }

    /// How a deletion is answered.
    fn delete_style(&self) -> Style {
        Style::Sync
    }

    /// The provisioning state while a write is under way.
    fn settling(&self, created: bool) -> &'static str {
        if created { "Creating" } else { "Updating" }
    }

    /// Checks a write and fills in what the service fills in.
    ///
    /// # Errors
    /// What the service says.
    fn prepare(&self, _put: &mut Put<'_, '_>) -> Result<(), ArmError> {
        Ok(())
    }

    /// Follows a write (instances of a scale set, for example).
    ///
    /// # Errors
    /// What the service says; the write is undone then.
    fn written(&self, _cx: &mut Cx<'_>, _row: &Row, _old: Option<&Row>) -> Result<(), ArmError> {
        Ok(())
    }

    /// Refuses a deletion.
    ///
    /// # Errors
    /// What the service says.
    fn check_delete(&self, _cx: &mut Cx<'_>, _row: &Row) -> Result<(), ArmError> {
        Ok(())
    }

    /// Follows a deletion.
    ///
    /// # Errors
    /// What the service says; the deletion is undone then.
    fn deleted(&self, _cx: &mut Cx<'_>, _row: &Row) -> Result<(), ArmError> {
        Ok(())
    }

    /// An action (POST) or view (GET) named `word` on a resource; `None` when there is none of that name.
    ///
    /// # Errors
    /// What the service says.
    fn action(&self, _cx: &mut Cx<'_>, _row: &Row, _word: &str, _request: &Request) -> Result<Option<Reply>, ArmError> {
        Ok(None)
    }

    /// What a GET shows.
    fn shown(&self, cx: &Cx<'_>, row: &Row, _request: &Request) -> Value {
        cx.view(row)
    }
}

struct Plain;

impl Rule for Plain {
    fn prepare(&self, put: &mut Put<'_, '_>) -> Result<(), ArmError> {
        if put.at("/properties").is_some_and(Value::is_object) {
            put.set("/properties/provisioningState", "Succeeded".into());
        }
        Ok(())
    }
}

/// The rules of a type.
#[must_use]
pub fn rule(_kind: &str) -> &'static dyn Rule {
    &Plain
}

/// Types that are always there below their parent (`fileServices/default`).
#[must_use]
pub fn implied(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    ["fileservices", "blobservices", "queueservices", "tableservices"]
        .iter()
        .any(|service| kind == format!("microsoft.storage/storageaccounts/{service}"))
}

/// The body of a resource that exists without having been written.
#[must_use]
pub fn virtual_resource(_cx: &Cx<'_>, _path: &Path) -> Option<Value> {
    None
}

/// Refuses to delete a child that something else refers to.
///
/// # Errors
/// What the service says (`InUseSubnetCannotBeDeleted`).
pub fn check_child_delete(_cx: &Cx<'_>, _id: &str, _child: &Value) -> Result<(), ArmError> {
    Ok(())
}

/// Checks and lists of a provider that hang on no resource (`checkNameAvailability`, `skus`, `usages`).
///
/// # Errors
/// What the service says.
pub fn service(_cx: &mut Cx<'_>, _request: &Request, _path: &Path, _word: &str) -> Result<Option<Reply>, ArmError> {
    Ok(None)
}
