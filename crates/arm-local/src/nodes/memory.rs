//! What a pool or cluster remembers in the hidden part of its row.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::core::Cx;
use crate::limits;
use crate::nodes::sim::{Pair, Sim};

/// The type of Batch pools.
pub const POOL: &str = "Microsoft.Batch/batchAccounts/pools";

/// The type of Azure Machine Learning's computes.
pub const COMPUTE: &str = "Microsoft.MachineLearningServices/workspaces/computes";

/// A jump of the clock beyond this is evaluated for its last part only.
pub const MOST: i64 = 32 * 24 * 3_600_000;

/// What a row of a pool remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    pub sim: Sim,
    /// When the formula runs next.
    pub next: Option<i64>,
    /// Until when nothing happens by itself.
    pub wake: Option<i64>,
    /// The present when the pool was looked at last.
    pub seen: i64,
    /// Machines before the last write, for its answer.
    pub before: Pair,
}

impl Memory {
    /// Of a row; `None` when it is no pool with machines.
    #[must_use]
    pub fn of(hidden: &Value) -> Option<Self> {
        serde_json::from_value(hidden.get("pool")?.clone()).ok()
    }

    /// As kept in a row.
    #[must_use]
    pub fn hidden(&self) -> Value {
        json!({ "pool": self })
    }
}

/// How long machines take to come and go: the endpoint's latency and what `/_local/limits` says, in endpoint time.
pub fn takes(cx: &Cx<'_>) -> i64 {
    limits::node_start_ms(cx).max(cx.core.settings.latency_ms)
}
