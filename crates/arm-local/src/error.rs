//! Errors of the endpoint in the shape that Azure Resource Manager gives them.

use serde_json::{Map, Value, json};

/// One error of the ARM envelope `{"error": {code, message, target, details, additionalInfo}}`, with its HTTP status.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmError {
    /// HTTP status of the answer.
    pub status: u16,
    /// The code that clients compare.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The property or resource at fault.
    pub target: Option<String>,
    /// Causes.
    pub details: Vec<ArmError>,
    /// `additionalInfo` entries.
    pub info: Vec<Value>,
    /// Value of a `Retry-After` header, in seconds.
    pub retry_after: Option<u32>,
}

impl ArmError {
    /// An error with status, code and message.
    #[must_use]
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            target: None,
            details: Vec::new(),
            info: Vec::new(),
            retry_after: None,
        }
    }

    /// 400.
    #[must_use]
    pub fn bad(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// 404.
    #[must_use]
    pub fn missing(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(404, code, message)
    }

    /// 409.
    #[must_use]
    pub fn conflict(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(409, code, message)
    }

    /// The endpoint's own failure (state file not writable, for instance).
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalServerError", message)
    }

    /// Names the property at fault.
    #[must_use]
    pub fn at(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Adds causes.
    #[must_use]
    pub fn because(mut self, details: Vec<ArmError>) -> Self {
        self.details = details;
        self
    }

    /// The inner object: `{code, message, …}`.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut out = Map::new();
        out.insert("code".into(), json!(self.code));
        out.insert("message".into(), json!(self.message));
        if let Some(target) = &self.target {
            out.insert("target".into(), json!(target));
        }
        if !self.details.is_empty() {
            out.insert("details".into(), self.details.iter().map(ArmError::value).collect());
        }
        if !self.info.is_empty() {
            out.insert("additionalInfo".into(), Value::Array(self.info.clone()));
        }
        Value::Object(out)
    }

    /// The envelope: `{"error": …}`.
    #[must_use]
    pub fn envelope(&self) -> Value {
        json!({ "error": self.value() })
    }

    /// The error that [`ArmError::value`] wrote; used when a stored failure is shown again.
    #[must_use]
    pub fn from_value(status: u16, value: &Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            status,
            code: text("code").unwrap_or_else(|| "InternalServerError".into()),
            message: text("message").unwrap_or_default(),
            target: text("target"),
            details: value
                .get("details")
                .and_then(Value::as_array)
                .map(|list| list.iter().map(|inner| Self::from_value(status, inner)).collect())
                .unwrap_or_default(),
            info: value.get("additionalInfo").and_then(Value::as_array).cloned().unwrap_or_default(),
            retry_after: None,
        }
    }
}

impl std::fmt::Display for ArmError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ArmError {}
