//! What several documents have.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A resource named by its id alone: `{"id": …}`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct ResourceRef {
    pub id: String,
}

/// References to resources by their ids.
pub fn refs(ids: impl IntoIterator<Item = impl Into<String>>) -> Vec<ResourceRef> {
    ids.into_iter().map(|id| ResourceRef { id: id.into() }).collect()
}

/// The JSON form of a document or a part of one.
#[must_use]
pub fn to_value(document: &impl Serialize) -> Value {
    // none of the types has a map with keys that are not text, the one thing that serde_json refuses
    serde_json::to_value(document).unwrap_or_default()
}

/// Reads a value that is there: `null` stays a value, and is not taken for absence.
pub fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
