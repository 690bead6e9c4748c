//! JSON kept as compact text and parsed when it is needed.
//!
//! A tree of values takes six to ten times the memory of its text, and a plan of thousands of resources reads one at a
//! time.

use serde_json::Value;

/// One JSON value as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonText(Box<str>);

impl JsonText {
    /// Keeps JSON that was written by this program already.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(text.into_boxed_str())
    }

    /// The value; null when nothing is held.
    #[must_use]
    pub fn read(&self) -> Value {
        if self.is_nothing() { Value::Null } else { serde_json::from_str(&self.0).unwrap_or_default() }
    }

    /// The text; empty when nothing is held.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&Value> for JsonText {
    fn from(value: &Value) -> Self {
        if value.is_null() { Self::default() } else { Self(value.to_string().into_boxed_str()) }
    }
}

impl From<Value> for JsonText {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

/// A resource as the service shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedResource {
    /// Full ARM id, as the service spells it.
    pub id: String,
    /// The whole resource as returned by the service.
    pub body: JsonText,
}

impl ObservedResource {
    /// Keeps a resource; `None` when it has no id.
    #[must_use]
    pub fn of(resource: &Value) -> Option<Self> {
        let id = resource.get("id").and_then(Value::as_str)?.to_owned();
        Some(Self { id, body: JsonText::from(resource) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_held_is_read_again() {
        let value = json!({ "id": "/a", "n": 1.5, "list": [null, true, "ü\n"] });
        assert_eq!(JsonText::from(&value).read(), value);
        assert_eq!(JsonText::default().read(), Value::Null);
        assert_eq!(ObservedResource::of(&value).unwrap().id, "/a");
        assert_eq!(ObservedResource::of(&json!({})), None);
    }
}
