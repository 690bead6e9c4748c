//! Recorded workloads of other clusters: what holds for every pool also holds under their load, and more machines never do worse.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use dsvm_simulate::{
    Cluster, Evaluated, Evictions, Pace, Policy, Pool, Report, Span, Startup, Workload, simulate, trace,
};

const OPENB: &str = include_str!("traces/openb-week.csv");
const PHILLY: &str = include_str!("traces/philly-week.csv");
/// Minutes of a week and of the longest job that begins in it.
const MONTH: u32 = 31 * 1440;

fn span() -> Span {
    Span { start: "2026-11-30T00:00:00Z".parse().expect("time"), minutes: MONTH }
}

fn pool(policy: Policy) -> Pool {
    Pool {
        machines: 0,
        spot: 0,
        // A machine of the first trace's cluster has 8 GPUs and up to 128 cores.
        cores: 128,
        gpus: 8000,
        seats: None,
        slots: None,
        startup: Startup::of_node(),
        oldest_first: false,
        evictions: Evictions::default(),
        checkpoint: None,
        policy,
    }
}

fn cluster(most: u32) -> Pool {
    pool(Policy::Cluster(Cluster { least: 0, most, idle: 10 }))
}

fn formula(most: u32) -> Pool {
    let text = format!(
        "$TargetDedicatedNodes = min({most}, max(0, $PendingTasks.GetSample(1) / 8 + 0.9));\n$NodeDeallocationOption = taskcompletion;"
    );
    let formula = batch_formula::parse(&text).expect("a formula");
    pool(Policy::Formula(Evaluated { text, formula, every: 5 }))
}

fn read(text: &str) -> Workload {
    trace::csv(text, span()).expect("a trace")
}

fn run(pool: &Pool, workload: &Workload) -> Report {
    simulate(pool, workload, span(), 1, Pace::Events)
}

/// Thousandths of cores times minutes, as the trace asks for them.
fn asked(workload: &Workload) -> u64 {
    workload.tasks().iter().map(|task| u64::from(task.cores) * u64::from(task.minutes)).sum()
}

#[test]
fn every_job_of_the_traces_is_served_and_what_it_asked_for_was_held() {
    for (text, jobs, most) in [(OPENB, 1892, 8), (PHILLY, 1663, 8)] {
        let workload = read(text);
        assert_eq!(workload.tasks().len(), jobs);
        for pool in [cluster(most), formula(most)] {
            let report = run(&pool, &workload);
            assert_eq!(report.tasks, (jobs as u32, 0, 0));
            assert_eq!((report.jobs_hit, report.ended, report.crowded_minutes), ((0, 0), 0, 0));
            assert!(report.machines.1 <= most && report.moments.last().expect("a moment").1.machines == 0);
            let minutes =
                |at: usize| report.moments.get(at + 1).map_or(MONTH, |(next, _)| *next) - report.moments[at].0;
            let held: u64 =
                report.moments.iter().enumerate().map(|(at, (_, m))| u64::from(m.held) * u64::from(minutes(at))).sum();
            assert_eq!(held, asked(&workload));
        }
    }
}

#[test]
fn a_larger_cluster_lets_nobody_wait_longer_and_a_quiet_minute_can_be_left_out() {
    for text in [OPENB, PHILLY] {
        let workload = read(text);
        let waits: Vec<(u64, u32)> = [2, 4, 8, 16]
            .into_iter()
            .map(|most| {
                let report = run(&cluster(most), &workload);
                (report.waits.iter().map(|wait| u64::from(*wait)).sum(), report.worst_wait())
            })
            .collect();
        assert!(waits.windows(2).all(|pair| pair[0] >= pair[1]), "{waits:?}");
        assert!(waits[0].1 > 60, "a small one lets people wait: {waits:?}");
        assert_eq!(simulate(&formula(4), &workload, span(), 1, Pace::Minutes), run(&formula(4), &workload));
    }
}

#[test]
fn the_traces_are_what_their_page_says() {
    let tasks = read(OPENB);
    // Alibaba's jobs: most ask for one GPU or a part of one, a few for eight.
    let gpus = |of: fn(u32) -> bool| tasks.tasks().iter().filter(|task| of(task.gpus)).count();
    assert!(gpus(|gpus| (1..=1000).contains(&gpus)) > 1500 && gpus(|gpus| gpus == 8000) > 0);
    assert!(tasks.tasks().iter().all(|task| task.arrives < 7 * 1440 && task.gpus <= 8000));
    // Microsoft's: half of them take less than 20 minutes (1,186 s), a tenth longer than three and a half hours (12,860 s).
    let mut minutes: Vec<u32> = read(PHILLY).tasks().iter().map(|task| task.minutes).collect();
    minutes.sort_unstable();
    assert_eq!((minutes[minutes.len() / 2], minutes[minutes.len() * 9 / 10]), (20, 215));
}
