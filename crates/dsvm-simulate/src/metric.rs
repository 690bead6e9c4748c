//! A recorded metric → the load that it shows: what `az monitor metrics list --metrics "Percentage CPU" -o json` prints, and how
//! many machines there were.
//!
//! The answer is that of the operation `Metrics_List` of `Microsoft.Insights`: `value[].timeseries[].data[]` with `timeStamp` and
//! `average`. A value holds until the next; where there is none, no machine ran.

use super::trace::{TASKS, TraceError};
use super::workload::{Kind, MILLI, Span, Task, Workload};
use jiff::{SpanRelativeTo, Timestamp, Unit};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// The name of the metric, as Azure Monitor spells it.
const METRIC: &str = "Percentage CPU";
/// Parts of a busy core that come and go together, in thousandths.
const PART: u32 = 250;
const WEEK: i64 = 7 * 1440;

/// The machines that a metric was recorded of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machines {
    /// How many there were from each moment on, earliest first.
    counts: Vec<(Timestamp, u32)>,
    /// Processors of one of them; a use of 100 % is all of them.
    cores: u32,
}

impl Machines {
    /// The same number all the time.
    #[must_use]
    pub fn all_the_time(count: u32, cores: u32) -> Self {
        Self { counts: vec![(Timestamp::MIN, count)], cores }
    }

    /// Reads a CSV file with the columns `time` and `machines`, such as `dsvmc simulate --csv` writes; others are ignored.
    ///
    /// # Errors
    /// A column is missing, or a value cannot be read.
    pub fn csv(text: &str, cores: u32) -> Result<Self, TraceError> {
        let broken = |line: u64, message: &str| TraceError { line, message: message.to_owned() };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|_| broken(1, "not CSV"))?.clone();
        let column = |name: &str| header.iter().position(|field| field.eq_ignore_ascii_case(name));
        let needed = "the first line names no columns `time` and `machines`";
        let (time, machines) = column("time").zip(column("machines")).ok_or_else(|| broken(1, needed))?;
        let mut counts = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                broken(
                    error.position().map_or(1, csv::Position::line),
                    "not CSV: every line needs as many fields as the first",
                )
            })?;
            let line = record.position().map_or(1, csv::Position::line);
            let at = record.get(time).and_then(|text| text.parse::<Timestamp>().ok());
            let count = record.get(machines).and_then(|text| text.parse::<u32>().ok()).filter(|count| *count <= 10_000);
            let row = at.zip(count);
            counts.push(row.ok_or_else(|| {
                broken(line, "`time` is a moment such as `2026-11-30T09:00:00Z`, `machines` a number up to 10000")
            })?);
        }
        counts.sort_by_key(|(at, _)| *at);
        Ok(Self { counts, cores })
    }

    fn at(&self, moment: Timestamp) -> u32 {
        let after = self.counts.partition_point(|(from, _)| *from <= moment);
        after.checked_sub(1).and_then(|at| self.counts.get(at)).map_or(0, |(_, count)| *count)
    }
}

/// A load, and what is to be known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Quarters of busy cores.
    pub workload: Workload,
    /// Minutes in which the machines were full, so that more may have been asked of them.
    pub full: u64,
}

/// Reads a recorded metric. It is moved by whole weeks to where its begin lies in the first week of the span: days of the week
/// stay what they were.
///
/// # Errors
/// The text is no answer of Azure Monitor, or has no averages of the metric.
pub fn recorded(text: &str, machines: &Machines, span: Span) -> Result<Recorded, TraceError> {
    let wrong = |message: String| TraceError { line: 1, message };
    let answer: Value = serde_json::from_str(text).map_err(|error| TraceError {
        line: error.line() as u64,
        message: "not JSON as `az monitor metrics list -o json` prints it".to_owned(),
    })?;
    let list = |of: &Value, key: &str| of.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |metric: &Value| metric.pointer("/name/value").and_then(Value::as_str).map(str::to_owned);
    let metrics = list(&answer, "value");
    let metric = metrics.iter().find(|metric| named(metric).is_some_and(|name| name.eq_ignore_ascii_case(METRIC)));
    let Some(metric) = metric else {
        let names: Vec<String> = metrics.iter().filter_map(named).collect();
        let has = if names.is_empty() { "no metric".to_owned() } else { format!("`{}`", names.join("`, `")) };
        return Err(wrong(format!("it has {has}; needed is `{METRIC}`")));
    };
    // A series for each machine when the metric was split: the mean of those that have a value.
    let mut values: BTreeMap<Timestamp, (f64, u32)> = BTreeMap::new();
    for point in list(metric, "timeseries").iter().flat_map(|series| list(series, "data")) {
        let time = point.get("timeStamp").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let time: Timestamp = time.ok_or_else(|| wrong("a value has no `timeStamp`".to_owned()))?;
        let sum = values.entry(time).or_default();
        if let Some(average) = point.get("average").and_then(Value::as_f64) {
            *sum = (sum.0 + average.clamp(0.0, 100.0), sum.1 + 1);
        }
    }
    if values.values().all(|(_, count)| *count == 0) {
        return Err(wrong(format!("it has no averages of `{METRIC}`; ask for them with `--aggregation Average`")));
    }
    let first = values.keys().next().copied().unwrap_or(span.start);
    let minutes_of = |at: Timestamp| at.duration_since(span.start).as_mins();
    let weeks = minutes_of(first).div_euclid(WEEK) * WEEK;
    let step = answer.get("interval").and_then(Value::as_str).and_then(interval).unwrap_or(1);
    let ends = values.keys().skip(1).map(|next| minutes_of(*next)).collect::<Vec<_>>();
    let mut open: VecDeque<u32> = VecDeque::new();
    let (mut tasks, mut full) = (Vec::new(), 0u64);
    let mut set = |level: usize, minute: u32| {
        if tasks.len() + level > TASKS {
            return Err(wrong("more load than five million quarters of cores".to_owned()));
        }
        while open.len() > level {
            let arrives = open.pop_front().unwrap_or(minute);
            let minutes = minute.saturating_sub(arrives).max(1);
            tasks.push(Task { arrives, minutes, cores: PART, gpus: 0, load: 100, kind: Kind::Load });
        }
        open.resize(level, minute);
        Ok(())
    };
    let mut last = 0;
    for (at, (time, (sum, count))) in values.iter().enumerate() {
        let from = minutes_of(*time);
        let end = ends.get(at).copied().unwrap_or(from.saturating_add(step));
        let place = |minute: i64| u32::try_from((minute - weeks).clamp(0, i64::from(span.minutes))).unwrap_or(0);
        let (from, end) = (place(from), place(end));
        let busy = if *count == 0 { 0.0 } else { sum / f64::from(*count) };
        let cores = f64::from(machines.at(*time)) * f64::from(machines.cores);
        if busy >= 99.0 {
            full += u64::from(end - from);
        }
        set((busy / 100.0 * cores * f64::from(MILLI / PART)).round() as usize, from)?;
        last = end;
    }
    set(0, last)?;
    tasks.retain(|task| task.arrives < span.minutes);
    Ok(Recorded { workload: Workload::new(tasks), full })
}

/// Minutes of `PT1M`, `P1D`, or of `0:01:00` as older versions of the command print it.
fn interval(text: &str) -> Option<i64> {
    if let Ok(span) = text.parse::<jiff::Span>() {
        let minutes = span.total((Unit::Minute, SpanRelativeTo::days_are_24_hours())).ok()?;
        return Some((minutes as i64).clamp(1, WEEK));
    }
    let mut parts = text.split(':').map(|part| part.trim().parse::<i64>().ok());
    Some((parts.next()?? * 60 + parts.next()??).clamp(1, WEEK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn day() -> Span {
        // A Monday.
        Span { start: "2026-11-30T00:00:00Z".parse().unwrap(), minutes: 1440 }
    }

    fn answer(name: &str, data: &[(&str, Option<f64>)]) -> String {
        let point = |(time, value): &(&str, Option<f64>)| match value {
            Some(value) => json!({ "timeStamp": time, "average": value }),
            None => json!({ "timeStamp": time }),
        };
        let data: Vec<Value> = data.iter().map(point).collect();
        json!({
            "cost": 0, "timespan": "2019-05-06T08:00:00Z/2019-05-06T08:20:00Z", "interval": "PT5M",
            "namespace": "Microsoft.Compute/virtualMachineScaleSets", "resourceregion": "westeurope",
            "value": [{ "id": "/…/metrics/Percentage CPU", "type": "Microsoft.Insights/metrics", "unit": "Percent",
                "name": { "value": name, "localizedValue": name }, "timeseries": [{ "metadatavalues": [], "data": data }] }],
        })
        .to_string()
    }

    #[test]
    fn a_metric_becomes_the_load_of_its_cores_on_the_same_day_of_the_week() {
        // 2019-05-06 was a Monday. Two machines of four cores: 25 % are two cores, 50 % four.
        let text = answer(
            METRIC,
            &[
                ("2019-05-06T08:00:00Z", Some(25.0)),
                ("2019-05-06T08:05:00Z", Some(50.0)),
                ("2019-05-06T08:10:00+00:00", None),
                ("2019-05-06T08:15:00Z", Some(100.0)),
            ],
        );
        let found = recorded(&text, &Machines::all_the_time(2, 4), day()).unwrap();
        let tasks = found.workload.tasks();
        let count = |arrives, minutes| tasks.iter().filter(|t| (t.arrives, t.minutes) == (arrives, minutes)).count();
        assert_eq!((count(480, 10), count(485, 5), count(495, 5)), (8, 8, 32));
        assert_eq!((tasks.len(), found.full), (48, 5));
        assert_eq!(tasks[0], Task { arrives: 480, minutes: 10, cores: 250, gpus: 0, load: 100, kind: Kind::Load });
    }

    #[test]
    fn machines_came_and_went() {
        let machines =
            Machines::csv("time,machines,ready\n2019-05-06T08:05:00Z,3,3\n2019-05-06T08:00:00Z,1,1\n", 4).unwrap();
        let text = answer(METRIC, &[("2019-05-06T08:00:00Z", Some(50.0)), ("2019-05-06T08:05:00Z", Some(50.0))]);
        let found = recorded(&text, &machines, day()).unwrap();
        let busy: u32 = found.workload.tasks().iter().map(|task| task.minutes * task.cores).sum();
        assert_eq!(busy, (2 + 6) * 5 * 1000);
        assert_eq!(Machines::csv("time,machines\n8 am,3\n", 4).unwrap_err().line, 2);
    }

    #[test]
    fn what_is_no_recorded_metric_says_why() {
        let error = |text: &str| recorded(text, &Machines::all_the_time(1, 4), day()).unwrap_err().message;
        assert_eq!(error("[1,"), "not JSON as `az monitor metrics list -o json` prints it");
        assert_eq!(error("{}"), "it has no metric; needed is `Percentage CPU`");
        assert_eq!(error(&answer("Network In", &[])), "it has `Network In`; needed is `Percentage CPU`");
        let empty = answer(METRIC, &[("2019-05-06T08:00:00Z", None)]);
        assert_eq!(error(&empty), "it has no averages of `Percentage CPU`; ask for them with `--aggregation Average`");
        let huge = Machines::all_the_time(10_000, 4096);
        let text = answer(METRIC, &[("2019-05-06T08:00:00Z", Some(100.0))]);
        assert!(recorded(&text, &huge, day()).unwrap_err().message.contains("five million"));
    }

    #[test]
    fn intervals_are_read_as_old_and_new_versions_print_them() {
        assert_eq!((interval("PT1M"), interval("P1D"), interval("0:05:00")), (Some(1), Some(1440), Some(5)));
    }
}
