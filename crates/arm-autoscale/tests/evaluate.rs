//! One run of autoscale: the examples of the documentation, and random settings against a slow evaluator that follows the
//! documentation sentence by sentence.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a test fails by panicking"
)]

use std::cell::RefCell;

use arm_autoscale::{
    Decision, LastAction, Metrics, Reason, Record, RuleResult, Setting, State, Trigger, Undocumented, evaluate,
};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// A value for each metric name, the same at any time.
struct Fixed<'v>(&'v [(&'v str, f64)]);

impl Metrics for Fixed<'_> {
    fn value(&self, trigger: &Trigger, _: Timestamp) -> Option<f64> {
        self.0.iter().find(|(name, _)| *name == trigger.metric).map(|(_, value)| *value)
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn setting(profiles: &Value) -> Setting {
    Setting::of(&json!({ "profiles": profiles }))
}

fn rule(metric: &str, direction: &str, operator: &str, threshold: f64, value: i64, cooldown: &str) -> Value {
    json!({ "metricTrigger": { "metricName": metric, "metricResourceUri": "/s/pool", "timeGrain": "PT1M", "statistic": "Average",
        "timeWindow": "PT5M", "timeAggregation": "Average", "operator": operator, "threshold": threshold },
        "scaleAction": { "direction": direction, "type": "ChangeCount", "value": value.to_string(), "cooldown": cooldown } })
}

fn one(least: i64, most: i64, default: i64, rules: &[Value]) -> Setting {
    let limits = json!({ "minimum": least.to_string(), "maximum": most.to_string(), "default": default.to_string() });
    setting(&json!([{ "name": "p", "capacity": limits, "rules": rules }]))
}

fn at(setting: &Setting, metrics: &[(&str, f64)], machines: i64, now: &str) -> Decision {
    let state = State { machines, ..State::default() };
    evaluate(setting, &Fixed(metrics), state, time(now), Undocumented::ASSUMED)
}

const NOON: &str = "2026-11-23T12:00:00Z";

#[test]
fn one_timer_holds_both_directions() {
    // the worked example of "Understand autoscale settings": out 60 minutes, in 40 minutes
    let rules = [
        rule("cpu", "Increase", "GreaterThan", 70.0, 1, "PT1H"),
        rule("cpu", "Decrease", "LessThan", 20.0, 1, "PT40M"),
    ];
    let setting = one(1, 10, 2, &rules);
    let mut state = State { machines: 4, ..State::default() };
    let mut go = |cpu: f64, now: &str| {
        let decision = evaluate(&setting, &Fixed(&[("cpu", cpu)]), state, time(now), Undocumented::ASSUMED);
        state =
            State { machines: decision.machines.unwrap_or(state.machines), last: decision.last, in_progress: false };
        (state.machines, decision.reason)
    };
    assert_eq!(go(90.0, "2026-11-23T10:00:00Z"), (5, Reason::ScaleOut));
    // in too: its own 40 minutes do not count
    assert_eq!(go(5.0, "2026-11-23T10:44:00Z"), (5, Reason::Cooldown));
    assert_eq!(go(90.0, "2026-11-23T10:59:00Z"), (5, Reason::Cooldown));
    assert_eq!(go(5.0, "2026-11-23T13:00:00Z"), (4, Reason::ScaleIn));
    assert_eq!(go(90.0, "2026-11-23T13:20:00Z"), (4, Reason::Cooldown));
    assert_eq!(go(90.0, "2026-11-23T13:40:00Z"), (5, Reason::ScaleOut));
}

#[test]
fn fewer_machines_go_where_all_would_flap() {
    // the example of "Flapping in autoscale": 30 machines at 65 %, out above 70, in by 10. By its own arithmetic the first
    // number that fits is 28 (69.6), not the 27 (72.2) that its text names
    let rules = [
        rule("cpu", "Increase", "GreaterThan", 70.0, 1, "PT5M"),
        rule("cpu", "Decrease", "LessThan", 66.0, 10, "PT5M"),
    ];
    let decision = at(&one(1, 40, 2, &rules), &[("cpu", 65.0)], 30, NOON);
    assert_eq!(decision.machines, Some(28));
    assert!(decision.records.contains(&Record::FlappingOccurred {
        current_instance_count: 30,
        intended_instance_count: 20,
        actual_instance_count: 28
    }));
    // out above 50, in below 30, two machines at 28 %: 56 on one
    let rules =
        [rule("cpu", "Increase", "GreaterThan", 50.0, 1, "PT5M"), rule("cpu", "Decrease", "LessThan", 30.0, 1, "PT5M")];
    let decision = at(&one(1, 10, 1, &rules), &[("cpu", 28.0)], 2, NOON);
    assert_eq!((decision.machines, decision.reason), (None, Reason::Flapping));
    assert!(decision.records.contains(&Record::Flapping { current_instance_count: 2, intended_instance_count: 1 }));
}

#[test]
fn divided_metrics_are_projected_as_shares_of_the_total() {
    let mut out = rule("work", "Increase", "GreaterThanOrEqual", 50.0, 1, "PT5M");
    let mut less = rule("work", "Decrease", "LessThanOrEqual", 10.0, 1, "PT5M");
    for rule in [&mut out, &mut less] {
        rule["metricTrigger"]["dividePerInstance"] = json!(true);
    }
    let decision = at(&one(1, 10, 1, &[out, less]), &[("work", 40.0)], 5, NOON);
    assert_eq!(decision.machines, Some(4), "40 / 4 is 10, not 50: {:?}", decision.records);
}

#[test]
fn lengths_of_queues_are_compared_per_machine() {
    let queue = |resource: &str, metric: &str| {
        let mut out = rule(metric, "Increase", "GreaterThanOrEqual", 50.0, 1, "PT5M");
        out["metricTrigger"]["metricResourceUri"] = json!(resource);
        let run = |messages: f64| at(&one(1, 10, 2, &[out.clone()]), &[(metric, messages)], 2, NOON).machines;
        (run(50.0), run(99.0), run(100.0))
    };
    let storage =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/services/queue/queues/q";
    assert_eq!(queue(storage, "ApproximateMessageCount"), (None, None, Some(3)));
    let bus = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/n/queues/q";
    assert_eq!(queue(bus, "ActiveMessageCount"), (None, None, Some(3)));
    // the size of a storage account is no length of a queue
    assert_eq!(queue(storage, "UsedCapacity"), (Some(3), Some(3), Some(3)));
}

#[test]
fn recurrences_use_the_zone_data_in_the_program() {
    let weekly = json!({ "frequency": "Week", "schedule": { "timeZone": "W. Europe Standard Time", "days": ["Monday"], "hours": [8], "minutes": [0] } });
    let setting = setting(&json!([
        { "name": "rest", "capacity": { "minimum": "1", "maximum": "1", "default": "1" }, "rules": [] },
        { "name": "work", "capacity": { "minimum": "4", "maximum": "4", "default": "4" }, "rules": [], "recurrence": weekly },
        { "name": "return", "capacity": { "minimum": "2", "maximum": "2", "default": "2" }, "rules": [],
          "recurrence": { "frequency": "Week", "schedule": { "timeZone": "UTC", "days": ["Friday"], "hours": [18], "minutes": [0] } } },
    ]));
    let profile = |now: &str| at(&setting, &[], 2, now).profile.expect("a profile");
    // the recurrence that began last; the profile without a schedule is never reached
    assert_eq!(profile("2026-07-06T05:59:00Z"), "return");
    assert_eq!(profile("2026-07-06T06:00:00Z"), "work");
    assert_eq!(profile("2026-07-10T17:59:00Z"), "work");
    assert_eq!(profile("2026-07-12T00:00:00Z"), "return");
}

#[test]
fn metrics_that_cannot_be_read_lead_to_the_default_and_never_in() {
    let rules =
        [rule("cpu", "Increase", "GreaterThan", 70.0, 1, "PT5M"), rule("cpu", "Decrease", "LessThan", 20.0, 1, "PT5M")];
    let setting = one(1, 10, 4, &rules);
    assert_eq!(at(&setting, &[], 2, NOON).machines, Some(4));
    let above = at(&setting, &[], 6, NOON);
    assert_eq!((above.machines, above.reason), (None, Reason::MetricFailure));
    let unknown = |record: &Record| {
        matches!(record, Record::ScaleRuleEvaluation { estimate_scale_result: RuleResult::Unknown, .. })
    };
    assert_eq!(above.records.iter().filter(|record| unknown(record)).count(), 2);
}

#[test]
fn records_read_as_the_logs_of_the_service() {
    let rules = [rule("cpu", "Increase", "GreaterThan", 70.0, 1, "PT30M")];
    let last = LastAction { time: time("2026-11-23T11:50:00Z"), cooldown: 30 * 60_000 };
    let state = State { machines: 2, last: Some(last), in_progress: false };
    let decision = evaluate(&one(1, 10, 2, &rules), &Fixed(&[("cpu", 90.0)]), state, time(NOON), Undocumented::ASSUMED);
    let records = serde_json::to_value(&decision.records).expect("JSON");
    let categories: Vec<&str> =
        records.as_array().expect("a list").iter().filter_map(|record| record["category"].as_str()).collect();
    assert_eq!(
        categories,
        [
            "DefaultProfileEvaluation",
            "InstanceCountEvaluation",
            "ScaleRuleCooldownEvaluation",
            "MetricEvaluation",
            "ScaleRuleEvaluation",
            "InstanceUpdateEvaluation"
        ]
    );
    assert_eq!(records[2]["cooldown"], "00:30:00");
    assert_eq!(records[2]["skipRuleEvaluationForCooldown"], true);
    assert_eq!(records[4]["estimateScaleResult"], "Triggered");
    assert_eq!(records[5]["shouldUpdateInstance"], false);
    let busy = evaluate(
        &one(3, 10, 3, &rules),
        &Fixed(&[("cpu", 90.0)]),
        State { in_progress: true, ..state },
        time(NOON),
        Undocumented::ASSUMED,
    );
    assert_eq!((busy.machines, busy.reason), (None, Reason::InProgress));
}

// ---- random settings ----

/// Minutes of a run.
const MINUTES: i64 = 30;

#[derive(Clone, Debug)]
struct Case {
    profiles: Vec<P>,
    /// For each metric, a value for each minute from ten minutes before the start; `None` when none was emitted.
    loads: Vec<Vec<Option<u8>>>,
    /// Minutes after Monday, 30 November 2026, 00:00 UTC.
    start: i64,
    machines: i64,
    assumed: [bool; 4],
}

#[derive(Clone, Debug)]
struct P {
    when: W,
    least: i64,
    most: i64,
    default: i64,
    rules: Vec<R>,
}

#[derive(Clone, Debug)]
enum W {
    Default,
    /// Minutes from the start of the run.
    Fixed(i64, i64),
    /// Days from Monday, half hours of the day, Berlin instead of UTC.
    Weekly(Vec<usize>, i64, bool),
}

#[derive(Clone, Debug)]
struct R {
    metric: usize,
    statistic: &'static str,
    aggregation: &'static str,
    grain: i64,
    grains: i64,
    operator: &'static str,
    threshold: u8,
    divide: bool,
    out: bool,
    change: &'static str,
    value: i64,
    cooldown: i64,
}

const METRICS: [(&str, &str); 3] = [
    ("Percentage CPU", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/p"),
    (
        "ApproximateMessageCount",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/services/queue/queues/q",
    ),
    ("requests", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/c"),
];

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn rules() -> impl Strategy<Value = R> {
    let words = (
        prop::sample::select(vec!["Average", "Average", "Min", "Max", "Sum", "Count"]),
        prop::sample::select(vec!["Average", "Minimum", "Maximum", "Total", "Count", "Last"]),
        prop::sample::select(vec![
            "GreaterThan",
            "GreaterThanOrEqual",
            "LessThan",
            "LessThanOrEqual",
            "Equals",
            "NotEquals",
        ]),
        prop::sample::select(vec!["ChangeCount", "ChangeCount", "PercentChangeCount", "ExactCount"]),
    );
    let numbers = (0..METRICS.len(), 1..4_i64, 1..4_i64, 0..100_u8, 1..12_i64, 1..20_i64);
    (words, numbers, any::<bool>(), any::<bool>()).prop_map(|(words, numbers, divide, out)| {
        let percent = if words.3 == "PercentChangeCount" { 9 } else { 1 };
        // most rules look at high values to go out and at low ones to go in
        let operator = match (words.2, out) {
            ("LessThan", true) => "GreaterThan",
            ("GreaterThan", false) => "LessThan",
            (other, _) => other,
        };
        R {
            metric: numbers.0,
            statistic: words.0,
            aggregation: words.1,
            grain: numbers.1,
            grains: numbers.2,
            operator,
            threshold: numbers.3,
            divide,
            out,
            change: words.3,
            value: numbers.4 * percent,
            cooldown: numbers.5,
        }
    })
}

fn profiles() -> impl Strategy<Value = P> {
    let when = prop_oneof![
        2 => Just(W::Default),
        1 => (-20..30_i64, 0..30_i64).prop_map(|(start, length)| W::Fixed(start, start + length)),
        2 => (prop::sample::subsequence(vec![0, 1, 2, 3, 4, 5, 6], 0..4), 0..48_i64, any::<bool>())
            .prop_map(|(days, half, berlin)| W::Weekly(days, half, berlin)),
    ];
    let limits = (0..6_i64, 0..6_i64, 0..20_i64);
    let any = prop::collection::vec(rules(), 0..4);
    // the usual pair: out above a threshold, in below one that may be too close to it
    let pair = (rules(), 20..95_u8, 0..40_u8, 1..10_i64).prop_map(|(rule, high, gap, step)| {
        let out = R {
            statistic: "Average",
            operator: "GreaterThan",
            threshold: high,
            out: true,
            change: "ChangeCount",
            ..rule
        };
        let less =
            R { operator: "LessThan", threshold: high.saturating_sub(gap), out: false, value: step, ..out.clone() };
        vec![out, less]
    });
    (when, limits, prop_oneof![any, pair]).prop_map(|(when, (least, more, most), rules)| P {
        when,
        least,
        default: least + more,
        most: least + more + most,
        rules,
    })
}

fn cases() -> impl Strategy<Value = Case> {
    // loads that stay for a while, as real ones do
    let step = (prop::option::weighted(0.92, 0..100_u8), 1..15_usize);
    let load = prop::collection::vec(step, 1..8).prop_map(|steps| {
        let all: Vec<Option<u8>> = steps.into_iter().flat_map(|(value, length)| vec![value; length]).collect();
        all.into_iter().cycle().take(60).collect::<Vec<_>>()
    });
    let loads = prop::collection::vec(load, METRICS.len());
    (prop::collection::vec(profiles(), 1..4), loads, 0..10_080_i64, 0..30_i64, any::<[bool; 4]>())
        .prop_map(|(profiles, loads, start, machines, assumed)| Case { profiles, loads, start, machines, assumed })
}

fn monday() -> Timestamp {
    time("2026-11-30T00:00:00Z")
}

fn moment(minute: i64) -> Timestamp {
    monday().checked_add(minute.minutes()).expect("a time")
}

impl Case {
    fn json(&self) -> Value {
        let rule = |r: &R| {
            json!({ "metricTrigger": { "metricName": METRICS[r.metric].0, "metricResourceUri": METRICS[r.metric].1,
                "timeGrain": format!("PT{}M", r.grain), "statistic": r.statistic, "timeWindow": format!("PT{}M", r.grain * r.grains),
                "timeAggregation": r.aggregation, "operator": r.operator, "threshold": f64::from(r.threshold), "dividePerInstance": r.divide },
                "scaleAction": { "direction": if r.out { "Increase" } else { "Decrease" }, "type": r.change,
                    "value": r.value.to_string(), "cooldown": format!("PT{}M", r.cooldown) } })
        };
        let profiles: Vec<Value> = self
            .profiles
            .iter()
            .enumerate()
            .map(|(at, p)| {
                let mut value = json!({ "name": at.to_string(), "rules": p.rules.iter().map(rule).collect::<Vec<_>>(),
                    "capacity": { "minimum": p.least.to_string(), "maximum": p.most.to_string(), "default": p.default.to_string() } });
                match &p.when {
                    W::Default => {}
                    W::Fixed(start, end) => {
                        let zoned = |minute: &i64| moment(self.start + minute).to_string();
                        value["fixedDate"] = json!({ "timeZone": "UTC", "start": zoned(start), "end": zoned(end) });
                    }
                    W::Weekly(days, half, berlin) => {
                        let zone = if *berlin { "W. Europe Standard Time" } else { "UTC" };
                        let names: Vec<&str> = days.iter().map(|day| DAYS[*day]).collect();
                        value["recurrence"] = json!({ "frequency": "Week", "schedule": { "timeZone": zone, "days": names,
                            "hours": [half / 2], "minutes": [half % 2 * 30] } });
                    }
                }
                value
            })
            .collect();
        json!({ "profiles": profiles })
    }

    /// Value of a metric at a minute of the run.
    fn sample(&self, metric: usize, minute: i64) -> Option<f64> {
        let at = usize::try_from(minute + 10).ok()?;
        self.loads[metric].get(at).copied().flatten().map(f64::from)
    }
}

/// The samples of a case as the endpoint holds them, for each metric.
struct Samples(Vec<Vec<(i64, f64)>>);

impl Samples {
    fn of(case: &Case) -> Self {
        let all = |metric: usize| {
            let timed =
                |minute: i64| Some((moment(case.start + minute).as_millisecond(), case.sample(metric, minute)?));
            (-10..50).filter_map(timed).collect()
        };
        Self((0..METRICS.len()).map(all).collect())
    }
}

impl Metrics for Samples {
    fn value(&self, trigger: &Trigger, now: Timestamp) -> Option<f64> {
        let metric = METRICS.iter().position(|(name, _)| *name == trigger.metric)?;
        trigger.fold(&self.0[metric], now.as_millisecond())
    }
}

/// The slow evaluator: one run at a minute of the case. Returns the profile, machines and the timer after it.
fn slowly(case: &Case, minute: i64, have: i64, timer: Option<(i64, i64)>) -> (Option<usize>, i64, Option<(i64, i64)>) {
    // E1: one profile for each run
    let Some(chosen) = slow_profile(case, minute) else { return (None, have, timer) };
    let p = &case.profiles[chosen];
    let [limits_wait, longest, any_missing, percent_up] = case.assumed;
    let waiting = timer.is_some_and(|(when, cooldown)| minute < when + cooldown);
    // E2: outside the limits the nearest limit is taken
    if have < p.least || have > p.most {
        if waiting && limits_wait {
            return (Some(chosen), have, timer);
        }
        return (Some(chosen), if have < p.least { p.least } else { p.most }, timer);
    }
    if p.rules.is_empty() {
        return (Some(chosen), have, timer);
    }
    // E3: readings
    let values: Vec<Option<f64>> = p.rules.iter().map(|r| slow_value(case, r, minute)).collect();
    let missing = values.iter().filter(|value| value.is_none()).count();
    if missing == values.len() || (any_missing && missing > 0) {
        return (Some(chosen), if have < p.default { p.default } else { have }, timer);
    }
    // E7: one timer
    if waiting {
        return (Some(chosen), have, timer);
    }
    let shared = |r: &R| r.divide || r.metric == 1;
    let true_now = |r: &R, value: Option<f64>| {
        value.is_some_and(|value| slow_compare(r, if shared(r) && have > 0 { value / have as f64 } else { value }))
    };
    let wants = |r: &R| {
        let step = match r.change {
            "ExactCount" => return r.value,
            "ChangeCount" => r.value,
            _ if percent_up => ((have * r.value) as f64 / 100.0).ceil().max(1.0) as i64,
            _ => ((have * r.value) as f64 / 100.0).floor().max(1.0) as i64,
        };
        if r.out { have + step } else { have - step }
    };
    // E4: out when any rule says so, as far as the farthest
    let outs: Vec<&R> =
        p.rules.iter().zip(&values).filter(|(r, v)| r.out && true_now(r, **v)).map(|(r, _)| r).collect();
    let cooldown_of = |rules: &[&R]| {
        let highest = rules.iter().map(|r| wants(r)).max().expect("a rule");
        let first = rules.iter().find(|r| wants(r) == highest).expect("a rule");
        if longest { rules.iter().map(|r| r.cooldown).max().expect("a rule") } else { first.cooldown }
    };
    if !outs.is_empty() {
        let mut to = outs.iter().map(|r| wants(r)).max().expect("a rule");
        if to > p.most {
            to = p.most;
        }
        if to <= have {
            return (Some(chosen), have, timer);
        }
        return (Some(chosen), to, Some((minute, cooldown_of(&outs))));
    }
    // E5: in when all rules say so, as little as the most careful
    let ins: Vec<&R> = p.rules.iter().filter(|r| !r.out).collect();
    let all = p.rules.iter().zip(&values).filter(|(r, _)| !r.out).all(|(r, v)| true_now(r, *v));
    if ins.is_empty() || !all {
        return (Some(chosen), have, timer);
    }
    let mut to = ins.iter().map(|r| wants(r)).max().expect("a rule");
    if to < p.least {
        to = p.least;
    }
    // E6: upwards to the first number at which no rule out would be true
    while to < have {
        let flaps = p.rules.iter().zip(&values).any(|(r, value)| {
            let Some(value) = value else { return false };
            let load =
                if shared(r) || r.statistic == "Sum" || r.statistic == "Count" { *value } else { value * have as f64 };
            let then =
                if !shared(r) && (r.statistic == "Sum" || r.statistic == "Count") { load } else { load / to as f64 };
            r.out && slow_compare(r, then)
        });
        if to == 0 || !flaps {
            return (Some(chosen), to, Some((minute, cooldown_of(&ins))));
        }
        to += 1;
    }
    (Some(chosen), have, timer)
}

fn slow_profile(case: &Case, minute: i64) -> Option<usize> {
    for (at, p) in case.profiles.iter().enumerate() {
        if let W::Fixed(start, end) = p.when
            && start <= minute
            && minute <= end
        {
            return Some(at);
        }
    }
    // every recurrence begins on a half hour: back from now, which one began last?
    let now = case.start + minute;
    let mut half = now - now.rem_euclid(30);
    while half > now - 8 * 24 * 60 {
        for (at, p) in case.profiles.iter().enumerate() {
            if let W::Weekly(days, begin, berlin) = &p.when {
                // minutes from a Monday; in winter Berlin is an hour ahead
                let there = (half + if *berlin { 60 } else { 0 }).rem_euclid(7 * 24 * 60);
                if days.iter().any(|day| there == *day as i64 * 24 * 60 + begin * 30) {
                    return Some(at);
                }
            }
        }
        half -= 30;
    }
    case.profiles.iter().position(|p| matches!(p.when, W::Default))
}

fn slow_value(case: &Case, r: &R, minute: i64) -> Option<f64> {
    let mut grains = Vec::new();
    for grain in 0..r.grains {
        let first = minute - r.grain * r.grains + grain * r.grain + 1;
        let samples: Vec<f64> = (first..first + r.grain).filter_map(|at| case.sample(r.metric, at)).collect();
        if !samples.is_empty() {
            grains.push(slow_fold(&samples, r.statistic));
        }
    }
    if grains.is_empty() { None } else { Some(slow_fold(&grains, r.aggregation)) }
}

fn slow_fold(values: &[f64], how: &str) -> f64 {
    let sum: f64 = values.iter().sum();
    match how {
        "Min" | "Minimum" => values.iter().fold(1e9, |a: f64, b| a.min(*b)),
        "Max" | "Maximum" => values.iter().fold(-1e9, |a: f64, b| a.max(*b)),
        "Sum" | "Total" => sum,
        "Count" => values.len() as f64,
        "Last" => values[values.len() - 1],
        _ => sum / values.len() as f64,
    }
}

fn slow_compare(r: &R, value: f64) -> bool {
    let threshold = f64::from(r.threshold);
    match r.operator {
        "GreaterThan" => value > threshold,
        "GreaterThanOrEqual" => value >= threshold,
        "LessThan" => value < threshold,
        "LessThanOrEqual" => value <= threshold,
        "Equals" => (value - threshold).abs() < f64::EPSILON,
        _ => (value - threshold).abs() >= f64::EPSILON,
    }
}

/// What happened in the runs of all cases, to show that they reach every part of the evaluation.
#[derive(Default, Debug)]
struct Reached {
    reasons: std::collections::BTreeMap<String, usize>,
    partial: usize,
}

#[test]
fn random_settings_move_as_the_documentation_says() {
    let asked = std::env::var("DSVMC_SETTINGS").ok().and_then(|count| count.parse().ok());
    let config = Config { cases: asked.unwrap_or(2_000), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let reached = RefCell::new(Reached::default());
    let result = runner.run(&cases(), |case| {
        let setting = Setting::of(&case.json());
        let metrics = Samples::of(&case);
        let [limits_wait, longest_cooldown, any_missing, percent_up] = case.assumed;
        let assumed = Undocumented { limits_wait, longest_cooldown, any_missing, percent_up };
        let mut state = State { machines: case.machines, ..State::default() };
        let (mut machines, mut timer) = (case.machines, None);
        for minute in 0..MINUTES {
            let decision = evaluate(&setting, &metrics, state, moment(case.start + minute), assumed);
            let before = machines;
            let profile;
            (profile, machines, timer) = slowly(&case, minute, machines, timer);
            prop_assert_eq!(&decision.profile, &profile.map(|at| at.to_string()), "profile in minute {}", minute);
            prop_assert_eq!(
                decision.machines.unwrap_or(before),
                machines,
                "machines in minute {}: {:?}",
                minute,
                decision
            );
            prop_assert_eq!(decision.machines.is_some(), machines != before);
            let last = decision.last.map(|last| (last.time, last.cooldown / 60_000));
            prop_assert_eq!(last, timer.map(|(when, cooldown)| (moment(case.start + when), cooldown)));
            state = State { machines, last: decision.last, in_progress: false };
            let mut reached = reached.borrow_mut();
            *reached.reasons.entry(format!("{:?}", decision.reason)).or_default() += 1;
            let partial = decision.records.iter().any(|record| matches!(record, Record::FlappingOccurred { .. }));
            reached.partial += usize::from(partial);
        }
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("a difference"));
    let reached = reached.into_inner();
    for reason in [
        "NothingToDo",
        "Limits",
        "MetricFailure",
        "ScaleOut",
        "AtMaximum",
        "ScaleIn",
        "AtMinimum",
        "Flapping",
        "Cooldown",
        "NoRule",
    ] {
        assert!(reached.reasons.get(reason).is_some_and(|count| *count > 100), "{reason}: {reached:?}");
    }
    assert!(reached.partial > 20, "{reached:?}");
}
