//! Proofs against brute force: many loads, run minute by minute without any shortcut.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking"
)]

use arm_autoscale::{LastAction, Metrics, Profile, Quiet, Setting, State, Trigger, Undocumented, evaluate_profile};
use dsvm_proof::{Finding, Question, Undecided, prove};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const CPU: (&str, &str) =
    ("Percentage CPU", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/p");
const QUEUE: (&str, &str) = (
    "ApproximateMessageCount",
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/services/queue/queues/q",
);

fn rule(metric: (&str, &str), out: bool, operator: &str, threshold: f64, step: i64, minutes: (i64, i64)) -> Value {
    let direction = if out { "Increase" } else { "Decrease" };
    json!({ "metricTrigger": { "metricName": metric.0, "metricResourceUri": metric.1, "timeGrain": "PT1M", "statistic": "Average",
        "timeWindow": format!("PT{}M", minutes.0), "timeAggregation": "Average", "operator": operator, "threshold": threshold },
        "scaleAction": { "direction": direction, "type": "ChangeCount", "value": step.to_string(), "cooldown": format!("PT{}M", minutes.1) } })
}

fn profile(least: i64, most: i64, default: i64, rules: &[Value]) -> Profile {
    let limits = json!({ "minimum": least.to_string(), "maximum": most.to_string(), "default": default.to_string() });
    let setting = Setting::of(&json!({ "profiles": [{ "name": "p", "capacity": limits, "rules": rules }] }));
    setting.profiles.into_iter().next().expect("a profile")
}

fn ask(profile: &Profile, startup: u32) -> Result<Finding, Undecided> {
    prove(&Question { profile, most: profile.maximum, startup, effort: dsvm_proof::PATIENT })
}

/// Working machines of the last minutes, the oldest first, under loads of a processor and of a queue.
struct Past<'p> {
    working: &'p [i64],
    loads: [f64; 2],
}

impl Metrics for Past<'_> {
    fn value(&self, trigger: &Trigger, _: Timestamp) -> Option<f64> {
        let window = (trigger.window / 60_000) as usize;
        let last = &self.working[self.working.len() - window..];
        let values: Vec<f64> = if trigger.metric == QUEUE.0 {
            vec![self.loads[1]; window]
        } else {
            last.iter().filter(|n| **n > 0).map(|n| (self.loads[0] / *n as f64).min(100.0)).collect()
        };
        let count = values.len() as f64;
        (count > 0.0).then(|| match trigger.aggregation.as_str() {
            "maximum" => values.iter().copied().fold(0.0, f64::max),
            "minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
            _ => values.iter().sum::<f64>() / count,
        })
    }
}

/// The number that has stayed at the end of 18 hours; `None` when it still changes in the last six.
fn settles(profile: &Profile, loads: [f64; 2], start: i64, startup: u32) -> Option<i64> {
    const DAY: i64 = 6 * 60;
    let mut working = vec![start; 60];
    let mut machines = vec![0; start as usize];
    let mut last: Option<LastAction> = None;
    let mut changed = 0;
    for minute in 0..3 * DAY {
        working.push(machines.iter().filter(|ready| **ready <= minute).count() as i64);
        let now = Timestamp::from_second(minute * 60).expect("a time");
        let state = State { machines: machines.len() as i64, last, in_progress: false };
        let past = Past { working: &working, loads };
        let outcome = evaluate_profile(Some(profile), &past, state, now, Undocumented::ASSUMED, &mut Quiet);
        last = outcome.last;
        if let Some(to) = outcome.machines.filter(|to| *to != machines.len() as i64) {
            changed = minute;
            machines.resize(to as usize, minute + i64::from(startup));
        }
    }
    (changed < 2 * DAY).then_some(machines.len() as i64)
}

/// Of the queue, out, operator, aggregation, threshold, step, minutes of the window and of the cooldown.
type Drawn = (bool, bool, &'static str, &'static str, u8, i64, i64, i64);

#[derive(Clone, Debug)]
struct Case {
    limits: (i64, i64, i64),
    rules: Vec<Drawn>,
    startup: u32,
    /// Loads that are tried, in thousandths of what is interesting.
    tried: Vec<(u16, u16)>,
}

impl Case {
    fn profile(&self) -> Profile {
        let rules: Vec<Value> = self
            .rules
            .iter()
            .map(|(queue, out, operator, fold, threshold, step, window, cooldown)| {
                let mut rule = rule(
                    if *queue { QUEUE } else { CPU },
                    *out,
                    operator,
                    f64::from(*threshold),
                    *step,
                    (*window, *cooldown),
                );
                rule["metricTrigger"]["timeAggregation"] = json!(fold);
                rule
            })
            .collect();
        let (least, more, most) = self.limits;
        profile(least, least + more + most, least + more, &rules)
    }
}

fn cases(queues: bool) -> impl Strategy<Value = Case> {
    let fold = || prop::sample::select(vec!["Average", "Average", "Average", "Maximum", "Minimum"]);
    let out = (
        fold(),
        prop::sample::select(vec!["GreaterThan", "GreaterThanOrEqual"]),
        20..100_u8,
        1..4_i64,
        1..12_i64,
        1..12_i64,
    );
    let less =
        (fold(), prop::sample::select(vec!["LessThan", "LessThanOrEqual"]), 1..90_u8, 1..4_i64, 1..12_i64, 1..6_i64);
    let queue = move || if queues { any::<bool>().boxed() } else { Just(false).boxed() };
    let rules = (out, less, queue(), queue(), 0..10_u8).prop_map(|(out, less, a, b, without)| {
        let up = (a, true, out.1, out.0, out.2, out.3, out.4, out.5);
        let down = (b, false, less.1, less.0, less.2, less.3, less.4, less.5);
        match without {
            0 => vec![up],
            1 => vec![down],
            _ => vec![up, down],
        }
    });
    let limits = (0..3_i64, 0..2_i64, 0..6_i64);
    // half of the loads are below those of one machine
    let load = || prop_oneof![0..1000_u16, 0..100_u16];
    let tried = prop::collection::vec((load(), load()), 3);
    (limits, rules, prop::sample::select(vec![0, 3, 5]), tried).prop_map(|(limits, rules, startup, tried)| Case {
        limits,
        rules,
        startup,
        tried,
    })
}

fn against_brute_force(queues: bool, count: u32) -> (u32, u32) {
    let mut config = Config { cases: count, failure_persistence: None, ..Config::default() };
    config.max_shrink_iters = 2000;
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let seen = std::cell::Cell::new((0, 0));
    let run = runner.run(&cases(queues), |case| {
        let profile = case.profile();
        let found = ask(&profile, case.startup).expect("decided");
        let most = profile.maximum;
        for (cpu, queue) in &case.tried {
            // away from loads at which a threshold is met exactly: there only rounding decides
            let loads = [
                f64::from(*cpu) / 1000.0 * 120.137 * (most + 1) as f64,
                f64::from(*queue) / 1000.0 * 120.137 * (most + 1) as f64,
            ];
            let of = |name: &String| if name == QUEUE.0 { loads[1] } else { loads[0] };
            let mine = |case: &&dsvm_proof::Case| {
                case.loads.iter().zip(&found.metrics).all(|(interval, name)| interval.holds(of(name)))
            };
            let pieces: Vec<&dsvm_proof::Case> = found.cases.iter().filter(mine).collect();
            prop_assert_eq!(pieces.len(), 1, "a load lies in one piece: {:?} {:?}", loads, pieces);
            for start in 0..=most {
                let end = settles(&profile, loads, start, case.startup);
                prop_assert_eq!(
                    pieces[0].ends[start as usize],
                    end,
                    "loads {:?} from {} in {:?}",
                    loads,
                    start,
                    pieces[0].loads
                );
                let (settled, restless) = seen.get();
                seen.set(if end.is_some() { (settled + 1, restless) } else { (settled, restless + 1) });
            }
        }
        Ok(())
    });
    run.expect("as brute force");
    seen.get()
}

#[test]
fn proofs_say_what_brute_force_finds() {
    let count = std::env::var("DSVMC_PROOFS").ok().and_then(|count| count.parse().ok()).unwrap_or(16);
    let (settled, restless) = against_brute_force(false, count);
    assert!(settled > 0 && restless > 0, "both kinds are tried: {settled}, {restless}");
    let (settled, restless) = against_brute_force(true, count / 2);
    assert!(settled > 0 && restless > 0, "both kinds are tried: {settled}, {restless}");
}
