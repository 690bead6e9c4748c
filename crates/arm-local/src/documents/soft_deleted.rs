//! Resources that were deleted and can come back for a time.

use serde::{Deserialize, Serialize};

use crate::documents::row::Row;

/// A deleted resource with what comes back with it. The key is the resource's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SoftDeleted {
    /// The resource as it was.
    pub row: Row,
    /// Its children of the same provider.
    pub children: Vec<Row>,
    /// Endpoint time of the deletion, in milliseconds since 1970.
    pub deleted: i64,
    /// Endpoint time at which it is gone for good, in milliseconds since 1970.
    pub purge: i64,
}
