//! What the endpoint remembers, as types: resources as [`Row`]s, everything else as documents. What a record shows a client
//! and what the state file holds is the serialised form of these.

mod deployment;
mod long_running;
mod parts;
mod row;
mod registration;
mod settings;
mod soft_deleted;
mod stack;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
pub use crate::documents::deployment::{
    DeploymentDocument, DeploymentProperties, DeploymentRecord, DeploymentState, Links, OperationDocument,
    OperationProperties, ParameterShown, PendingDeployment, StatusMessage, TargetResource,
};
pub use crate::documents::long_running::{LongRunning, Outcome};
pub use crate::documents::parts::{refs, to_value};
pub use crate::documents::registration::Registration;
pub use crate::documents::row::Row;
pub use crate::documents::settings::{Limits, Metric};
pub use crate::documents::soft_deleted::SoftDeleted;
pub use crate::documents::stack::{
    ActionOnUnmanage, DenyMode, DenySettings, FailedResource, ManagedResource, PendingStack, StackDocument,
    StackProperties, StackRecord, StackState, SystemData, Undeletable, Unmanage, WhatIfDocument,
};

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
    SoftDeleted(SoftDeleted) = "softdeleted",
    Registration(Registration) = "registration",
}

fn is_key_of(prefix: &str, key: &str) -> bool {
    key.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('|'))
}

#[cfg(test)]
pub mod samples {
    //! Documents as the first version of the state file holds them.

    /// Keys and texts, one of each type.
    pub const ALL: &[(&str, &str)] = &[
        (
            "deployment|/s/d",
            r#"{"id":"/s/d","record":{"id":"/s/d","name":"d","type":"Microsoft.Resources/deployments","properties":{"templateHash":"1","parameters":{"z":{"type":"String","value":null},"a":{"type":"SecureString"}},"mode":"Incremental","provisioningState":"Running","timestamp":"2026-11-23T14:00:00Z","duration":"PT0S","correlationId":"c","providers":[],"dependencies":[],"templateLink":{"uri":"http://localhost/t"}}},"template":{},"pending":{"template":{},"parameters":{},"mode":"Incremental","location":null,"tags":null,"link":null,"templateLink":null,"parametersLink":null,"now":"2026-11-23T14:00:00Z","seed":"7","correlation":"c","caller":"me"},"operation":"1","start":5,"cancel":false}"#,
        ),
        (
            "depop|/s/d|000001",
            r#"{"id":"/s/d/operations/1","operationId":"1","properties":{"provisioningOperation":"Create","provisioningState":"Failed","timestamp":"2026-11-23T14:00:00Z","duration":"PT0.001S","trackingId":"t","statusCode":"Conflict","serviceRequestId":"r","targetResource":{"id":"/s/x","resourceType":"T/t","resourceName":"x"},"statusMessage":{"status":"Failed","error":{"code":"C","message":"m","details":[{"code":"D","message":"n"}]}}}}"#,
        ),
        (
            "stack|/s/k",
            r#"{"id":"/s/k","record":{"id":"/s/k","name":"k","type":"Microsoft.Resources/deploymentStacks","tags":{},"properties":{"actionOnUnmanage":{"resources":"delete","resourceGroups":"detach","managementGroups":"detach","resourcesWithoutDeleteSupport":"fail"},"denySettings":{"mode":"denyDelete","applyToChildScopes":false},"description":"d","provisioningState":"succeeded","correlationId":"c","parameters":{},"deploymentId":"/s/d","resources":[{"id":"/s/x","status":"managed","denyStatus":"denyDelete"}]},"systemData":{"createdBy":"me","createdByType":"Application","createdAt":"2026-11-23T14:00:00Z","lastModifiedAt":"2026-11-23T14:00:00Z"}},"template":{},"before":["/s/x"],"start":5,"pending":null,"inside":false}"#,
        ),
        ("stackwhatif|/s/w", r#"{"id":"/s/w"}"#),
        ("lro|1", r#"{"start":"2026-11-23T14:00:00Z","ready":9223372036854775807,"outcome":{"resource":"/s/x"}}"#),
        ("lro|2", r#"{"start":"2026-11-23T14:00:00Z","ready":0,"outcome":{"status":200,"body":null}}"#),
        ("lro|3", r#"{"start":"2026-11-23T14:00:00Z","ready":0,"outcome":{"error":{"code":"C","message":"m"}}}"#),
        ("setting|clock", r#"{"offsetMs":1000,"frozen":"2026-11-23T14:00:00Z"}"#),
        ("setting|limits", r#"{"cores":{"westeurope":8},"node_start":"PT1M"}"#),
        (
            "softdeleted|/s/v",
            r#"{"row":{"id":"/s/v","kind":"T/t","name":"v","body":{},"etag":"e","created":1,"changed":1,"settles":0,"settling":"","hidden":null},"children":[],"deleted":2,"purge":3}"#,
        ),
        ("registration|s|t", r#"{"name":"T","registered":false,"ready":1}"#),
        ("metric|/s/x|cpu", r#"{"resource":"/S/x","metric":"cpu","samples":[[1000,0.5]]}"#),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_earlier_endpoints_are_read_and_written_alike() {
        for (key, text) in samples::ALL {
            let stored = Stored::read(key, text).unwrap_or_else(|error| panic!("{key}: {error}"));
            assert_eq!(stored.text().expect("text"), *text, "{key}");
        }
        assert!(Stored::read("settings|clock", "{}").is_err());
    }
}
