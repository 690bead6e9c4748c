//! Metrics that a user feeds, and what a rule reads from them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::{Metric, to_value};
use crate::error::ArmError;
use crate::id::key;
use crate::store::Store;
use arm_autoscale::{Metrics, Trigger};

pub const KIND: &str = "Microsoft.Insights/autoscaleSettings";
pub const MINUTE: i64 = 60_000;

/// What a user fed of a trigger's metric.
pub(super) fn fed(store: &Store, trigger: &Trigger) -> Option<Arc<Metric>> {
    store.get::<Metric>(&format!("{}|{}", key(&trigger.resource), trigger.metric))
}

/// The metrics that a user fed.
pub(super) struct Fed<'s> {
    pub store: &'s Store,
}

impl Metrics for Fed<'_> {
    fn value(&self, trigger: &Trigger, now: Timestamp) -> Option<f64> {
        trigger.fold(&fed(self.store, trigger)?.samples, now.as_millisecond())
    }
}

/// The metrics fed so far, and what the settings did.
#[must_use]
pub fn metrics_body(cx: &Cx<'_>) -> Value {
    let metrics: Vec<Value> = cx.store.all::<Metric>("").iter().map(|metric| to_value(metric.as_ref())).collect();
    let events: Vec<Value> = cx
        .store
        .of_kind(KIND)
        .iter()
        .map(|row| json!({ "setting": row.id, "events": row.hidden.get("events").cloned().unwrap_or_else(|| json!([])) }))
        .collect();
    json!({ "metrics": metrics, "autoscale": events })
}

/// Takes metrics: one `{"resource", "metric", "value", "at"?}`, or `{"values": [[TIME, VALUE], …]}`, or a list of those.
/// `at` is the endpoint's present when left out; `for` (`PT10M`) gives one sample a minute (for Batch pools
/// one every 30 seconds) back from there.
///
/// # Errors
/// The error code `InvalidRequestContent` of Azure.
pub fn feed(cx: &mut Cx<'_>, body: &Value) -> Result<(), ArmError> {
    let list = match body {
        Value::Array(list) => list.clone(),
        other => vec![other.clone()],
    };
    let bad = |text: String| ArmError::bad("InvalidRequestContent", text);
    for item in &list {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let (Some(resource), Some(metric)) = (text("resource"), text("metric")) else {
            return Err(bad("A metric has `resource`, `metric` and `value` (or `values`).".into()));
        };
        let time = |text: &str| {
            text.parse::<Timestamp>()
                .map(Timestamp::as_millisecond)
                .map_err(|_| bad(format!("`{text}` is not a time.")))
        };
        // Batch takes a sample every 30 seconds, Monitor every minute
        let step = if resource.to_lowercase().contains("/microsoft.batch/") { MINUTE / 2 } else { MINUTE };
        let mut new: Vec<(i64, f64)> = Vec::new();
        if let Some(value) = item.get("value").and_then(Value::as_f64) {
            let at = text("at").map(time).transpose()?.unwrap_or_else(|| cx.now_ms());
            let back = match text("for") {
                None => 0,
                Some(text) => duration(text)
                    .filter(|span| (0..=604_800).contains(&span.as_secs()))
                    .map(|span| span.as_secs() * 1000 / step)
                    .ok_or_else(|| bad(format!("`{text}` is not a duration of at most a week.")))?,
            };
            new.extend((0..=back).map(|n| (at - n * step, value)));
        }
        for pair in item.get("values").and_then(Value::as_array).into_iter().flatten() {
            match (pair.get(0).and_then(Value::as_str), pair.get(1).and_then(Value::as_f64)) {
                (Some(at), Some(value)) => new.push((time(at)?, value)),
                _ => return Err(bad("`values` holds pairs of a time and a number.".into())),
            }
        }
        if new.is_empty() {
            return Err(bad("A metric has `resource`, `metric` and `value` (or `values`).".into()));
        }
        let key = format!("{}|{metric}", key(resource));
        let mut samples = cx.store.get::<Metric>(&key).map(|fed| fed.samples.clone()).unwrap_or_default();
        samples.extend(new);
        samples.sort_by_key(|sample| sample.0);
        let excess = samples.len().saturating_sub(20_000);
        samples.drain(..excess);
        cx.store.put(&key, Metric { resource: resource.to_owned(), metric: metric.to_owned(), samples });
    }
    Ok(())
}

pub fn forget_metrics(cx: &mut Cx<'_>) {
    cx.store.remove_all::<Metric>("");
}
