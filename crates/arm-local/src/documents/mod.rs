//! What the endpoint remembers, as types: resources as [`Row`]s, everything else as documents. What a record shows a client
//! and what the state file holds is the serialised form of these.

mod deployment;
mod long_running;
mod parts;
mod settings;
mod stack;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Clock;
pub use crate::documents::deployment::{
    DeploymentDocument, DeploymentProperties, DeploymentRecord, DeploymentState, Links, OperationDocument,
    OperationProperties, ParameterShown, PendingDeployment, StatusMessage, TargetResource,
};
pub use crate::documents::long_running::{LongRunning, Outcome};
pub use crate::documents::parts::{refs, to_value};
pub use crate::documents::settings::{Limits, Metric};
pub use crate::documents::stack::{
    ActionOnUnmanage, DenyMode, DenySettings, FailedResource, ManagedResource, PendingStack, StackDocument,
    StackProperties, StackRecord, StackState, SystemData, Undeletable, Unmanage, WhatIfDocument,
};

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

/// A type of document that the store keeps. Keys are unique within a type and compared without case.
pub trait Document: Clone + Serialize + DeserializeOwned {
    /// First part of the stored key; it tells the type when the state file is read.
    const PREFIX: &'static str;

    /// As one of all documents.
    fn stored(self: Arc<Self>) -> Stored;

    /// Out of all documents; `None` when the document is of another type.
    fn of(stored: &Stored) -> Option<&Arc<Self>>;
}

macro_rules! documents {
    ($($variant:ident($type:ty) = $prefix:literal,)+) => {
        /// A document of any type.
        #[derive(Clone, Debug)]
        pub enum Stored {
            $(#[doc = concat!("Stored with the prefix `", $prefix, "|`.")] $variant(Arc<$type>),)+
        }

        impl Stored {
            /// Reads the text of the state file; the key's prefix tells the type.
            ///
            /// # Errors
            /// An unknown prefix, or text that is not of the type.
            pub fn read(key: &str, text: &str) -> Result<Self, Box<dyn std::error::Error>> {
                $(if is_key_of($prefix, key) {
                    return Ok(Self::$variant(Arc::new(serde_json::from_str(text)?)));
                })+
                Err(format!("`{key}` is not the key of a known document").into())
            }

            /// The text for the state file.
            ///
            /// # Errors
            /// When the document has no JSON form.
            pub fn text(&self) -> serde_json::Result<String> {
                match self {
                    $(Self::$variant(document) => serde_json::to_string(document.as_ref()),)+
                }
            }
        }

        $(impl Document for $type {
            const PREFIX: &'static str = $prefix;

            fn stored(self: Arc<Self>) -> Stored {
                Stored::$variant(self)
            }

            fn of(stored: &Stored) -> Option<&Arc<Self>> {
                match stored {
                    Stored::$variant(document) => Some(document),
                    _ => None,
                }
            }
        })+
    };
}

documents! {
    Deployment(DeploymentDocument) = "deployment",
    Operation(OperationDocument) = "depop",
    Stack(StackDocument) = "stack",
    WhatIf(WhatIfDocument) = "stackwhatif",
    LongRunning(LongRunning) = "lro",
    Clock(Clock) = "setting|clock",
    Limits(Limits) = "setting|limits",
    Metric(Metric) = "metric",
}

fn is_key_of(prefix: &str, key: &str) -> bool {
    key.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('|'))
}
