//! Long-running operations that a client polls.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ArmError;

/// An operation behind a polling URL. The key is the URL's last segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LongRunning {
    /// Endpoint time of the start, RFC 3339.
    pub start: String,
    /// Machine time of the end, in milliseconds since 1970; `i64::MAX` never.
    pub ready: i64,
    /// What it ends in.
    pub outcome: Outcome,
}

/// How an operation ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// 200 with the resource as it is then.
    Resource {
        resource: String,
    },
    /// As the record of a deployment stack says, whenever it is asked.
    Stack {
        stack: String,
    },
    Error {
        error: ArmError,
    },
    /// An answer that is known from the start.
    Body {
        /// HTTP status of the answer in the `Location` form.
        status: u16,
        /// The answer's body, if it has one.
        body: Option<Value>,
    },
}

impl Outcome {
    /// 200 with the resource `id` as it is then.
    #[must_use]
    pub fn resource(id: &str) -> Self {
        Self::Resource { resource: id.to_owned() }
    }

    /// A status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self::Body { status, body: None }
    }

    /// 200 with a body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self::Body { status: 200, body: Some(body) }
    }
}
