//! A stored resource.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One resource (a resource group is one too).
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Row {
    /// Id in canonical casing.
    pub id: String,
    /// The type in canonical casing (`Microsoft.Compute/virtualMachineScaleSets`).
    pub kind: String,
    /// The last segment of the id, as first spelled.
    pub name: String,
    /// What a GET shows (secrets are not in here), `provisioningState` as it will be when settled.
    pub body: Value,
    /// Changes with every write.
    pub etag: String,
    /// Endpoint time of creation, in milliseconds since 1970.
    pub created: i64,
    /// Endpoint time of the last write, in milliseconds since 1970.
    pub changed: i64,
    /// Machine time until which `settling` is shown as the provisioning state; 0 when settled.
    pub settles: i64,
    /// The state to show meanwhile: `Creating`, `Updating`, `Deleting`.
    pub settling: String,
    /// What a client never sees: key generations, secret values, instance counters.
    pub hidden: Value,
}

impl Row {
    /// Location, lower case without spaces, or empty.
    #[must_use]
    pub fn location(&self) -> String {
        self.body.get("location").and_then(Value::as_str).map(crate::names::location).unwrap_or_default()
    }

    /// The value at a JSON pointer into the body.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.body.pointer(pointer)
    }

    /// The string at a JSON pointer into the body.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }
}
