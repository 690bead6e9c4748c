//! Pools under workloads: small ones by hand, and random ones against rules that hold for all.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use arm_autoscale::Setting;
use dsvm_simulate::{
    Cluster, Evaluated, Evictions, Kind, Pace, Policy, Pool, Report, Span, Startup, Task, Workload, simulate,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn span(minutes: u32) -> Span {
    Span { start: "2026-11-30T00:00:00Z".parse().expect("time"), minutes }
}

fn rule(direction: &str, operator: &str, threshold: f64, by: i64, cooldown: u32, window: u32) -> Value {
    json!({
        "metricTrigger": { "metricName": "Percentage CPU", "metricResourceUri": "/pool", "timeGrain": "PT1M", "statistic": "Average",
            "timeWindow": format!("PT{window}M"), "timeAggregation": "Average", "operator": operator, "threshold": threshold },
        "scaleAction": { "direction": direction, "type": "ChangeCount", "value": by.to_string(), "cooldown": format!("PT{cooldown}M") },
    })
}

fn setting(least: u32, most: u32, rules: &[Value]) -> Setting {
    let capacity = json!({ "minimum": least.to_string(), "maximum": most.to_string(), "default": least.to_string() });
    Setting::of(&json!({ "profiles": [{ "name": "p", "capacity": capacity, "rules": rules }] }))
}

fn pool(machines: u32, policy: Policy) -> Pool {
    Pool {
        machines,
        spot: 0,
        cores: 4,
        gpus: 0,
        seats: Some(2),
        slots: None,
        startup: Startup::new(vec![5]),
        oldest_first: false,
        evictions: Evictions::default(),
        checkpoint: None,
        policy,
    }
}

fn person(arrives: u32, minutes: u32) -> Task {
    Task { arrives, minutes, cores: 2000, gpus: 0, load: 100, kind: Kind::Person }
}

fn run(pool: &Pool, tasks: Vec<Task>, minutes: u32) -> Report {
    simulate(pool, &Workload::new(tasks), span(minutes), 1, Pace::Events)
}

#[test]
fn who_finds_no_room_waits_until_somebody_leaves() {
    // Two seats.
    let report = run(&pool(1, Policy::Fixed), vec![person(10, 30), person(10, 60), person(20, 5)], 120);
    assert_eq!(report.waits, [0, 0, 20]);
    assert_eq!(report.machine_minutes, 120);
    // Held: 30, 60 and 5 minutes of two cores, of 120 minutes of four.
    assert_eq!(report.used, 95 * 2 * 1000 / (120 * 4));
    // Nobody before 10 and after 70.
    assert_eq!(report.idle_minutes, 10 + 50);
    assert_eq!(report.tasks, (3, 0, 0));
    assert_eq!((report.wait(50), report.wait(95), report.worst_wait()), (0, 20, 20));
}

#[test]
fn without_seats_everyone_is_let_in_and_gets_in_the_way_of_others() {
    let mut open = pool(1, Policy::Fixed);
    open.seats = None;
    let report = run(&open, vec![person(10, 30), person(10, 60), person(20, 10)], 120);
    assert_eq!(report.waits, [0, 0, 0]);
    // Three people ask for six cores of four, for ten minutes.
    assert_eq!((report.crowded_minutes, report.tasks), (3 * 10, (3, 0, 0)));
}

#[test]
fn a_task_that_no_machine_holds_is_refused_and_one_that_waits_at_the_end_is_counted() {
    let huge = Task { cores: 5000, kind: Kind::Job, ..person(1, 1) };
    let report = run(&pool(1, Policy::Fixed), vec![huge, person(0, 500), person(0, 500), person(30, 1)], 100);
    assert_eq!(report.tasks, (0, 1, 1));
    assert_eq!(report.worst_wait(), 70);
}

#[test]
fn a_pool_grows_when_processors_are_busy_and_new_machines_take_their_time() {
    let rules = [rule("Increase", "GreaterThan", 80.0, 1, 10, 5), rule("Decrease", "LessThan", 20.0, 1, 10, 5)];
    let policy = Policy::Setting(setting(1, 3, &rules));
    let report = run(&pool(1, policy), vec![person(0, 100), person(0, 100), person(0, 30)], 200);
    // Full from the first minute: the mean of the window is above 80 at once, and a machine is ready five minutes later.
    assert_eq!(report.moments[0].1.machines, 2);
    assert_eq!(report.waits, [0, 0, 5]);
    assert_eq!(report.machines, (1, 2));
    // At 35 the third leaves; half of the processors are busy. At 100 all leave.
    assert_eq!(report.actions, (1, 1));
    assert_eq!((report.people_hit, report.flaps), (0, 0));
}

#[test]
fn people_on_a_machine_that_is_removed_are_counted_and_wait_for_the_rest() {
    let rules = [rule("Increase", "GreaterThan", 100.0, 1, 5, 5), rule("Decrease", "LessThan", 60.0, 1, 5, 5)];
    let policy = Policy::Setting(setting(1, 2, &rules));
    // One person on each machine: 50 % of the processors are busy on both.
    let mut two = pool(2, policy);
    two.cores = 4;
    let report = run(&two, vec![person(0, 60), person(0, 60)], 100);
    assert_eq!(report.people_hit, 1);
    // The other machine has room: they are back in the next minute.
    assert_eq!(report.waits, [0, 0, 1]);
    assert_eq!(report.tasks, (2, 0, 0));
}

#[test]
fn a_schedule_wakes_a_pool_from_zero() {
    let profile = |name: &str, least: &str, most: &str, hours: Value| {
        json!({ "name": name, "capacity": { "minimum": least, "maximum": most, "default": least }, "rules": [],
            "recurrence": { "frequency": "Week", "schedule": { "timeZone": "UTC", "days": ["Monday", "Tuesday"], "hours": hours, "minutes": [0] } } })
    };
    let night = profile("night", "0", "0", json!([18]));
    let policy = Policy::Setting(Setting::of(&json!({ "profiles": [profile("day", "2", "4", json!([8])), night] })));
    let report = run(&pool(0, policy), vec![person(9 * 60, 60), person(20 * 60, 60)], 2 * 1440);
    assert_eq!(report.machines, (0, 2));
    // Paid: two machines for ten hours on two days.
    assert_eq!(report.machine_minutes, 2 * 2 * 600);
    // Who comes at night waits until the morning, and five minutes more.
    assert_eq!(report.waits, [0, 12 * 60 + 5]);
}

#[test]
fn a_cluster_follows_its_queue_and_its_idle_time() {
    let policy = Policy::Cluster(Cluster { least: 0, most: 3, idle: 15 });
    let job = Task { kind: Kind::Job, cores: 4000, ..person(10, 20) };
    let report = run(&pool(0, policy), vec![job; 5], 200);
    assert_eq!(report.machines, (0, 3));
    // Three at once after five minutes, two more when the first end.
    assert_eq!(report.waits, [5, 5, 5, 25, 25]);
    // Two nodes run to 55, one to 35; each goes 15 minutes later.
    assert_eq!(report.machine_minutes, 2 * (55 + 15 - 10) + (35 + 15 - 10));
}

fn formula(text: &str, every: u32) -> Policy {
    let formula = batch_formula::parse(text).expect("a formula");
    Policy::Formula(Evaluated { text: text.to_owned(), formula, every })
}

fn job(arrives: u32, minutes: u32, cores: u32) -> Task {
    Task { arrives, minutes, cores: cores * 1000, gpus: 0, load: 100, kind: Kind::Job }
}

const PENDING: &str = "$TargetDedicatedNodes = min(3, $PendingTasks.GetSample(1) / 2 + 0.5);\n";

#[test]
fn a_formula_is_evaluated_at_its_interval_and_jobs_take_slots() {
    let mut nodes = pool(0, formula(PENDING, 5));
    nodes.slots = Some(2);
    // Seven jobs, three nodes of two slots, although a job asks for one core of four only.
    let report = run(&nodes, vec![job(6, 20, 1); 7], 120);
    // Seen at 10, ready at 15, and one waits for another 20 minutes.
    assert_eq!(report.waits, [9, 9, 9, 9, 9, 9, 29]);
    assert_eq!(report.machines, (0, 3));
    // At 35 one is left: two nodes go at once; it ends at 55, and its node goes at the evaluation of that minute.
    assert_eq!(report.machine_minutes, 2 * 25 + 45);
    assert_eq!((report.tasks, report.jobs_hit, report.failed), ((7, 0, 0), (0, 0), None));
    // Two slots each: one on a node, and two nodes for three jobs.
    assert_eq!(run(&nodes, vec![job(6, 20, 4); 3], 120).waits, [9, 9, 29]);
}

#[test]
fn the_deallocation_option_decides_about_jobs_on_nodes_that_go() {
    let clock = "$TargetDedicatedNodes = time().minute < 30 ? 2 : 1;\n$NodeDeallocationOption = ";
    let with = |option: &str| {
        let mut nodes = pool(0, formula(&format!("{clock}{option};"), 30));
        nodes.slots = Some(1);
        run(&nodes, vec![job(0, 40, 1), job(1, 50, 1)], 59)
    };
    // Both nodes are ready at 5; at 30 the newer one goes.
    let (requeue, terminate, complete) = (with("requeue"), with("terminate"), with("taskcompletion"));
    // Jobs of 40 and 50 minutes: the first ends at 45, the second starts over there.
    assert_eq!((requeue.tasks, requeue.jobs_hit, requeue.ended), ((1, 0, 0), (1, 25), 0));
    assert_eq!(requeue.waits, [4, 5, 15]);
    assert_eq!((terminate.tasks, terminate.jobs_hit, terminate.ended), ((1, 0, 0), (1, 25), 1));
    assert_eq!((complete.tasks, complete.jobs_hit, complete.ended), ((2, 0, 0), (0, 0), 0));
    assert_eq!((requeue.machine_minutes, complete.machine_minutes), (30 + 59, 55 + 59));
}

#[test]
fn spot_nodes_are_counted_apart_and_a_formula_without_samples_keeps_the_pool() {
    let report = run(&pool(0, formula("$TargetDedicatedNodes = 1; $TargetLowPriorityNodes = 2;", 15)), vec![], 60);
    assert_eq!((report.machine_minutes, report.spot_minutes), (180, 120));
    let broken = "$TargetDedicatedNodes = avg($MemoryBytes.GetSample(TimeInterval_Minute * 5, 70));";
    let report = run(&pool(2, formula(broken, 15)), vec![], 60);
    assert_eq!((report.machines, report.unreadable.as_slice()), ((2, 2), &["$MemoryBytes".to_owned()][..]));
    let (count, first) = report.failed.expect("a failure");
    assert_eq!(count, 4);
    assert!(first.starts_with("Line 1, Col ") && first.contains("$MemoryBytes wanted 70%, received 0%"), "{first}");
}

#[test]
fn a_metric_that_a_simulated_pool_does_not_have_is_told() {
    let mut unknown = rule("Increase", "GreaterThan", 70.0, 1, 10, 5);
    unknown["metricTrigger"]["metricName"] = json!("Disk Read Bytes");
    let report = run(&pool(1, Policy::Setting(setting(1, 3, &[unknown]))), vec![], 10);
    assert_eq!(report.unreadable, ["Disk Read Bytes"]);
}

#[test]
fn numbers_without_end_are_simulated_in_bounds() {
    let rules = [rule("Increase", "GreaterThan", 1.0, 4_000_000_000, 1, 4_000_000)];
    let mut endless = rules[0].clone();
    endless["metricTrigger"]["timeGrain"] = json!("P49999D");
    let policy = Policy::Setting(setting(1, 4_000_000_000, &[rules[0].clone(), endless]));
    let report = run(&pool(1, policy), vec![person(0, 50)], 100);
    assert_eq!(report.machines, (10_000, 10_000));
    let mut many = pool(4_000_000_000, Policy::Fixed);
    many.cores = 4096;
    assert_eq!(run(&many, vec![], 5).machines.1, 10_000);
}

fn tasks() -> impl Strategy<Value = Vec<Task>> {
    let task =
        (0u32..900, 1u32..200, 1u32..9, 0u8..=100, 0usize..3).prop_map(|(arrives, minutes, cores, load, kind)| {
            let kind = [Kind::Person, Kind::Job, Kind::Load][kind];
            Task { arrives, minutes, cores: cores * 500, gpus: 0, load, kind }
        });
    prop::collection::vec(task, 0..60)
}

fn policy() -> impl Strategy<Value = Policy> {
    let rules = (30u32..95, 1i64..4, 1u32..40, 1u32..20, 5u32..60);
    let auto = (0u32..3, 3u32..9, rules).prop_map(|(least, most, (high, by, cooldown, window, low))| {
        let low = f64::from(low.min(high - 5));
        let rules = [
            rule("Increase", "GreaterThan", f64::from(high), by, cooldown, window),
            rule("Decrease", "LessThan", low, 1, cooldown, window),
        ];
        Policy::Setting(setting(least, most, &rules))
    });
    let cluster =
        (0u32..2, 2u32..6, 1u32..40).prop_map(|(least, most, idle)| Policy::Cluster(Cluster { least, most, idle }));
    // A window, spot machines, the time and every option.
    let options = prop_oneof![Just("requeue"), Just("terminate"), Just("taskcompletion")];
    let formula = (1u32..30, 0u32..4, 1u32..40, options).prop_map(|(window, spot, every, option)| {
        let frame = format!("TimeInterval_Minute * {window}");
        formula(
            &format!(
                "$TargetDedicatedNodes = $PendingTasks.GetSamplePercent({frame}) < 70 ? time().hour / 12 : min(5, \
                 avg($PendingTasks.GetSample({frame})));\n$TargetLowPriorityNodes = min({spot}, $ActiveTasks.GetSample(1));\n\
                 $NodeDeallocationOption = {option};"
            ),
            every,
        )
    });
    prop_oneof![Just(Policy::Fixed), auto, cluster, formula]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn leaving_out_quiet_minutes_changes_nothing(
        tasks in tasks(), policy in policy(), machines in 0u32..4, slots in prop::option::of(1u32..6),
        startup in prop::collection::vec(0u32..20, 0..4), seed in any::<u64>()
    ) {
        let mut pool = pool(machines, policy);
        pool.slots = slots;
        pool.startup = Startup::new(startup);
        let workload = Workload::new(tasks);
        let quick = simulate(&pool, &workload, span(1440), seed, Pace::Events);
        let slow = simulate(&pool, &workload, span(1440), seed, Pace::Minutes);
        prop_assert_eq!(quick, slow);
    }

    #[test]
    fn nobody_is_lost_and_no_limit_is_passed(tasks in tasks(), policy in policy(), seed in any::<u64>()) {
        let pool = pool(2, policy);
        let count = tasks.len() as u32;
        let report = simulate(&pool, &Workload::new(tasks), span(3000), seed, Pace::Events);
        let last = report.moments.last().expect("a moment").1;
        prop_assert_eq!(report.tasks.0 + report.tasks.1 + report.tasks.2 + report.ended + last.tasks, count);
        let most = match &pool.policy {
            Policy::Setting(setting) => setting.profiles[0].maximum.max(2) as u32,
            Policy::Cluster(cluster) => cluster.most.max(2),
            Policy::Fixed => 2,
            // Two kinds; nodes that go when their tasks end stay while others come.
            Policy::Formula(_) => u32::MAX,
        };
        prop_assert!(report.machines.1 <= most);
        prop_assert!(report.idle_minutes <= report.machine_minutes && report.used <= 1000);
        prop_assert!(report.waits.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
