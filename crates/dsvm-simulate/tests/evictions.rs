//! Evictions as they are played, beside what they cost on average according to the closed form.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use dsvm_simulate::eviction::{Job, Rate};
use dsvm_simulate::{Evictions, Kind, Pace, Policy, Pool, Report, Span, Startup, Task, Workload, simulate};

fn pool(rate: Option<&str>, startup: u32, checkpoint: Option<u32>) -> Pool {
    let rate: Option<Rate> = rate.map(|rate| rate.parse().expect("a rate"));
    Pool {
        machines: 1,
        spot: 1,
        cores: 1,
        gpus: 0,
        seats: None,
        slots: None,
        startup: Startup::new(vec![startup]),
        oldest_first: false,
        evictions: Evictions { rate, all: false, replaced: true },
        checkpoint,
        policy: Policy::Fixed,
    }
}

fn run(pool: &Pool, tasks: &[Task], minutes: u32, seed: u64) -> Report {
    let span = Span { start: "2026-11-30T00:00:00Z".parse().expect("time"), minutes };
    simulate(pool, &Workload::new(tasks.to_vec()), span, seed, Pace::Events)
}

fn task(minutes: u32, kind: Kind) -> Task {
    Task { arrives: 0, minutes, cores: 1000, gpus: 0, load: 100, kind }
}

#[test]
fn what_is_played_costs_on_average_what_the_closed_form_says() {
    const RUNS: u32 = 4_000;
    let cases = [
        (240, None, 5, "10%/h", 300),
        (480, Some(30), 8, "20%/h", 540),
        (100, Some(30), 0, "60%/h", 130),
        (61, Some(60), 3, "5%/h", 61),
    ];
    for (minutes, checkpoint, restart, text, deadline) in cases {
        let (rate, job): (Rate, _) = (text.parse().expect("a rate"), Job { minutes, checkpoint, restart });
        let pool = pool(Some(text), restart, checkpoint);
        let (mut evictions, mut lost, mut lasts, mut squares, mut met) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for seed in 0..RUNS {
            let report = run(&pool, &[task(minutes, Kind::Job)], 20_000, u64::from(seed));
            assert_eq!(report.tasks.0, 1, "it ends in two weeks");
            assert_eq!(report.evicted.2, report.jobs_hit.0);
            let busy = report.moments.iter().rposition(|(_, moment)| moment.tasks > 0).expect("it ran");
            let end = f64::from(report.moments[busy + 1].0);
            evictions += f64::from(report.evicted.2);
            lost += report.jobs_hit.1 as f64;
            lasts += end;
            squares += end * end;
            met += f64::from(u32::from(end <= f64::from(deadline)));
        }
        let runs = f64::from(RUNS);
        let expected = rate.expected(job);
        let spread = (squares / runs - (lasts / runs) * (lasts / runs)).max(0.0).sqrt();
        // Five standard errors; those of the lost minutes and the evictions are smaller than those of the end.
        let close = |a: f64, b: f64, spread: f64| (a - b).abs() <= 5.0 * spread / runs.sqrt() + 1e-9;
        assert!(close(lasts / runs, expected.lasts, spread), "{job:?} {} {expected:?}", lasts / runs);
        assert!(close(lost / runs, expected.lost, spread), "{job:?} {} {expected:?}", lost / runs);
        assert!((evictions / runs - expected.evictions).abs() < 0.08, "{job:?} {} {expected:?}", evictions / runs);
        let chance = rate.in_time(job, deadline);
        let spread = (chance * (1.0 - chance)).sqrt();
        assert!(close(met / runs, chance, spread), "{job:?} {} {chance}", met / runs);
    }
}

#[test]
fn people_come_back_for_the_rest_and_regular_machines_stay() {
    let people = [task(600, Kind::Person); 3];
    let calm = run(&pool(None, 5, None), &people, 6000, 3);
    assert_eq!((calm.evicted, calm.people_hit, calm.waits.as_slice()), ((0, 0, 0), 0, &[0, 0, 0][..]));
    let spot = run(&pool(Some("20%/h"), 5, None), &people, 6000, 3);
    let (machines, hit, _) = spot.evicted;
    // All three sit on the one machine, and each waits for its successor.
    assert!(machines > 5 && hit > 0 && hit.is_multiple_of(3), "{:?}", spot.evicted);
    assert_eq!(spot.waits.iter().sum::<u32>(), hit * 5);
    assert_eq!((spot.people_hit, spot.tasks.0, spot.machines), (hit, 3, (1, 1)));
    let mut regular = pool(Some("20%/h"), 5, None);
    regular.spot = 0;
    assert_eq!(run(&regular, &people, 6000, 3).evicted, (0, 0, 0));
}

#[test]
fn a_pool_that_nobody_refills_runs_empty() {
    let mut alone = pool(Some("50%/h"), 5, None);
    alone.evictions.replaced = false;
    let report = run(&alone, &[task(5000, Kind::Person)], 6000, 1);
    assert_eq!((report.machines, report.evicted, report.tasks.1), ((0, 1), (1, 1, 0), 1));
}

#[test]
fn other_seeds_evict_others_and_evictions_move_no_start() {
    let with = |rate, seed| run(&pool(rate, 5, Some(10)), &[task(3000, Kind::Job)], 9000, seed);
    assert_eq!(with(Some("10%/h"), 1), with(Some("10%/h"), 1));
    assert_ne!(with(Some("10%/h"), 1), with(Some("10%/h"), 2));
    let rare = with(Some("0.001%/h"), 1);
    assert_eq!((rare.evicted.0, rare.waits), (0, with(None, 1).waits));
}
