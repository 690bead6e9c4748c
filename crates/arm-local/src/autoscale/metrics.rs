//! Metrics that a user feeds, and what a rule reads from them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::duration;
use crate::core::Cx;
use crate::documents::{Metric, to_value};
use crate::error::ArmError;
use crate::id::key;

pub const KIND: &str = "Microsoft.Insights/autoscaleSettings";
pub const MINUTE: i64 = 60_000;

/// The value of a rule's metric over its window: samples of each grain by the statistic, grains by the aggregation.
pub(super) fn reading(cx: &Cx<'_>, rule: &Value, at: Timestamp) -> Option<f64> {
    let text = |key: &str| rule.pointer(&format!("/metricTrigger/{key}")).and_then(Value::as_str);
    let metric = text("metricName")?;
    let resource = text("metricResourceUri").unwrap_or_default();
    let window = i64::try_from(text("timeWindow").and_then(duration)?.as_millis()).ok()?;
    let grain = i64::try_from(text("timeGrain").and_then(duration)?.as_millis()).ok()?.max(1);
    let end = at.as_millisecond();
    let fed = cx.store.get::<Metric>(&format!("{}|{metric}", key(resource)))?;
    let inside = |time: i64| time <= end && time > end - window;
    let samples: Vec<(i64, f64)> = fed.samples.iter().copied().filter(|(time, _)| inside(*time)).collect();
    let statistic = text("statistic").unwrap_or("Average").to_lowercase();
    let mut grains: Vec<f64> = Vec::new();
    let mut start = end - window;
    while start < end {
        let part: Vec<f64> = samples
            .iter()
            .filter(|(time, _)| *time > start && *time <= start + grain)
            .map(|(_, value)| *value)
            .collect();
        grains.extend(fold(&part, &statistic));
        start += grain;
    }
    fold(&grains, &text("timeAggregation").unwrap_or("Average").to_lowercase())
}

fn fold(values: &[f64], how: &str) -> Option<f64> {
    let last = *values.last()?;
    let sum: f64 = values.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a window holds few samples")]
    let count = values.len() as f64;
    Some(match how {
        "min" | "minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "max" | "maximum" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "sum" | "total" => sum,
        "count" => count,
        "last" => last,
        _ => sum / count,
    })
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
