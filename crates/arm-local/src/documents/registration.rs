//! Providers and preview features of a subscription.

use serde::{Deserialize, Serialize};

/// A provider or a feature that was registered or unregistered. The key is `SUBSCRIPTION|NAMESPACE` or
/// `SUBSCRIPTION|NAMESPACE/FEATURE`, in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The namespace, or `NAMESPACE/FEATURE`, as first written.
    pub name: String,
    /// Whether it is being registered; otherwise it is being unregistered.
    pub registered: bool,
    /// Machine time, in milliseconds since 1970, from which the new state holds.
    pub ready: i64,
}
