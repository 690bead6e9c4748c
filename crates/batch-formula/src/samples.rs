//! What a formula is evaluated against: the samples of a pool, its size, the time.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::names::{self, SECOND};
use super::time::read_timestamp;

/// The service takes a sample every 30 seconds.
pub const PERIOD: i64 = 30 * SECOND;

/// One sample of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it was taken, in ticks.
    pub time: i64,
    /// The measured value, in the metric's unit.
    pub value: f64,
}

/// The state of a pool at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolState {
    /// The current time, in ticks of 100 ns since 1970.
    pub now: i64,
    /// Start of the random numbers.
    pub seed: u64,
    /// `$TargetDedicatedNodes` and `$TargetLowPriorityNodes` before the evaluation.
    pub target: (f64, f64),
    /// Values of `$CurrentDedicatedNodes` and `$CurrentLowPriorityNodes`.
    pub current: (f64, f64),
    /// Value of `$TaskSlotsPerNode`, at least 1.
    pub task_slots: f64,
    /// Samples by metric, oldest first.
    pub samples: BTreeMap<String, Vec<Sample>>,
}

impl PoolState {
    /// An empty pool at that time: no machines, no samples, one slot a machine.
    #[must_use]
    pub fn empty(now: i64) -> Self {
        Self { now, task_slots: 1.0, ..Self::default() }
    }

    /// Adds samples every 30 seconds, the last one taken now.
    #[must_use]
    pub fn with(self, metric: &str, values: &[f64]) -> Self {
        self.with_delay(metric, values, 0)
    }

    /// Adds samples every 30 seconds, the last one taken so many seconds ago.
    #[must_use]
    pub fn with_delay(mut self, metric: &str, values: &[f64], seconds: u32) -> Self {
        let last = self.now.saturating_sub(i64::from(seconds) * SECOND);
        let count = i64::try_from(values.len()).unwrap_or(0);
        let samples = values.iter().zip(0..).map(|(value, i): (_, i64)| Sample {
            time: last.saturating_sub((count - 1 - i).saturating_mul(PERIOD)),
            value: *value,
        });
        self.samples.insert(metric.to_owned(), samples.collect());
        self
    }

    /// Reads the JSON of a samples file; see `docs/batch-formulas.md` for its form.
    ///
    /// # Errors
    /// One sentence: what is not as it should be, and where.
    pub fn from_json(json: &Json, at: Option<i64>) -> Result<Self, String> {
        let object = json.as_object().ok_or("the samples are not a JSON object")?;
        let known = ["now", "seed", "target", "current", "task_slots", "samples"];
        if let Some(unknown) = object.keys().find(|k| !known.contains(&k.as_str())) {
            return Err(format!("`{unknown}` is not a key of the samples; they are {}", known.join(", ")));
        }
        let now = match (at, object.get("now")) {
            (Some(at), _) => at,
            (None, Some(now)) => now.as_str().and_then(read_timestamp).ok_or("`now` is not a time")?,
            (None, None) => return Err("no time is given: write `\"now\": \"…\"` or use `--at`".to_owned()),
        };
        let mut state = Self::empty(now);
        state.seed = object.get("seed").and_then(Json::as_u64).unwrap_or(0);
        state.target = pair(object.get("target"), "target")?;
        state.current = pair(object.get("current"), "current")?;
        if let Some(slots) = object.get("task_slots") {
            state.task_slots =
                slots.as_f64().filter(|s| *s >= 1.0).ok_or("`task_slots` is not a number from 1 upwards")?;
        }
        let samples =
            object.get("samples").map_or(Ok(None), |s| s.as_object().map(Some).ok_or("`samples` is not an object"))?;
        for (name, values) in samples.into_iter().flatten() {
            let metric = metric_name(name)?;
            state = state.metric_from_json(&metric, values)?;
        }
        Ok(state)
    }

    fn metric_from_json(mut self, metric: &str, values: &Json) -> Result<Self, String> {
        let wrong = || format!("`{metric}` is neither a list of numbers nor a list of `{{ time, value }}`");
        let list = values.as_array().ok_or_else(wrong)?;
        if let Some(numbers) = list.iter().map(Json::as_f64).collect::<Option<Vec<_>>>() {
            return Ok(self.with(metric, &numbers));
        }
        let mut samples = Vec::new();
        for entry in list {
            let time = entry.get("time").and_then(Json::as_str).and_then(read_timestamp).ok_or_else(wrong)?;
            let value = entry.get("value").and_then(Json::as_f64).ok_or_else(wrong)?;
            samples.push(Sample { time, value });
        }
        samples.sort_by_key(|s| s.time);
        self.samples.insert(metric.to_owned(), samples);
        Ok(self)
    }

    /// Samples of a metric that were taken up to now, oldest first.
    pub(super) fn of(&self, metric: &str) -> &[Sample] {
        let all = self.samples.get(metric).map(Vec::as_slice).unwrap_or_default();
        all.get(..all.partition_point(|sample| sample.time <= self.now)).unwrap_or_default()
    }
}

fn pair(json: Option<&Json>, key: &str) -> Result<(f64, f64), String> {
    let Some(json) = json else { return Ok((0.0, 0.0)) };
    let object = json.as_object().ok_or_else(|| format!("`{key}` is not `{{ \"dedicated\": 0, \"spot\": 0 }}`"))?;
    if let Some(unknown) = object.keys().find(|k| !["dedicated", "spot"].contains(&k.as_str())) {
        return Err(format!("`{key}.{unknown}` is not known; write `dedicated` or `spot`"));
    }
    let number = |name: &str| match object.get(name) {
        None => Ok(0.0),
        Some(n) => {
            n.as_f64().filter(|n| *n >= 0.0).ok_or_else(|| format!("`{key}.{name}` is not a number from 0 upwards"))
        }
    };
    Ok((number("dedicated")?, number("spot")?))
}

fn metric_name(written: &str) -> Result<String, String> {
    let name = if written.starts_with('$') { written.to_owned() } else { format!("${written}") };
    match names::variable(&name) {
        Some(variable) => Ok(variable.canonical.to_owned()),
        None => {
            let metrics = names::VARIABLES.iter().map(|v| v.name);
            let hint = names::suggest(&name, metrics).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            Err(format!("`{written}` is not a metric of the service{hint}"))
        }
    }
}
