//! What a user sets through `/_local/…`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Quotas and sizes that regions do not offer (`POST /_local/limits`). Stored once, with an empty key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Limits {
    /// vCPUs that a region allows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cores: BTreeMap<String, i64>,
    /// Sizes that a region does not offer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unavailable: BTreeMap<String, Vec<String>>,
    /// How long machines of pools take to start, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_start: Option<String>,
}

/// A metric that a user fed. The key is `RESOURCE_ID|METRIC`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metric {
    /// Id of the resource, as fed.
    pub resource: String,
    /// Name of the metric, as fed.
    pub metric: String,
    /// Endpoint time in milliseconds since 1970 and value, oldest first.
    pub samples: Vec<(i64, f64)>,
}
