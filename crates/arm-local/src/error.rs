//! Errors of the endpoint in the shape that Azure Resource Manager gives them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One error of the ARM envelope `{"error": {code, message, target, details, additionalInfo}}`, with its HTTP status. The
/// serialised form is the inner object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmError {
    /// HTTP status of the answer. Not serialised: what is read again is answered 409.
    #[serde(skip, default = "stored_status")]
    pub status: u16,
    /// The code that clients compare.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The property or resource that the error is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The errors that led to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<ArmError>,
    /// Entries `{type, info}` of `additionalInfo`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "additionalInfo")]
    pub info: Vec<Value>,
    /// Value of a `Retry-After` header, in seconds.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

fn stored_status() -> u16 {
    409
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

    /// A request that the service rejects: status 400.
    #[must_use]
    pub fn bad(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Something that is not there: status 404.
    #[must_use]
    pub fn missing(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(404, code, message)
    }

    /// A conflict with the present state: status 409.
    #[must_use]
    pub fn conflict(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(409, code, message)
    }

    /// The endpoint's own failure (state file not writable, for instance).
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalServerError", message)
    }

    /// Names the property or resource that the error is about.
    #[must_use]
    pub fn at(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Adds the errors that led to this one.
    #[must_use]
    pub fn because(mut self, details: Vec<ArmError>) -> Self {
        self.details = details;
        self
    }

    /// The envelope: `{"error": …}`.
    #[must_use]
    pub fn envelope(&self) -> Value {
        json!({ "error": self })
    }
}

impl std::fmt::Display for ArmError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ArmError {}
