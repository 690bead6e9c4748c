//! The formula of an Azure Batch pool, evaluated on samples of the simulated pool.
//!
//! Batch takes a sample every 30 seconds; nothing changes within a minute of the simulation, so that a minute has two equal ones.

use super::{Evaluated, MACHINES, Machine, Pool, Run};
use crate::metrics::Sample as Measured;
use crate::workload::Span;
use batch_formula::{PERIOD, PoolState, Sample, evaluate, names};
use std::collections::BTreeSet;

/// Ticks of the formula language in a millisecond.
const TICKS: i64 = 10_000;
/// How long samples are kept at least, as by the local endpoint.
const LOOK_BACK: i64 = 24 * 60;
/// Samples of a minute.
const EACH: i64 = 60_000 * TICKS / PERIOD;

/// What a sample of a pool says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    active: u32,
    running: u32,
    succeeded: u32,
    failed: u32,
    /// Dedicated and spot machines, those that start included.
    machines: [u32; 2],
    ready: u32,
    /// Evicted machines whose successors are not ready: until then Batch counts the node as preempted, and among the spot nodes.
    preempted: u32,
    cpu: f64,
}

/// A number of a sample.
type Reading = fn(&Counts) -> f64;

/// What a service variable is in a simulated pool; the others (memory, disks, networks) are not simulated.
fn metric(name: &str) -> Option<Reading> {
    Some(match name {
        "$ActiveTasks" => |seen| f64::from(seen.active),
        "$RunningTasks" => |seen| f64::from(seen.running),
        "$PendingTasks" => |seen| f64::from(seen.active) + f64::from(seen.running),
        "$SucceededTasks" => |seen| f64::from(seen.succeeded),
        "$FailedTasks" => |seen| f64::from(seen.failed),
        "$CurrentDedicatedNodes" => |seen| f64::from(seen.machines[0]),
        "$CurrentLowPriorityNodes" => |seen| f64::from(seen.machines[1]),
        "$UsableNodeCount" | "$SampleNodeCount" => |seen| f64::from(seen.ready),
        "$PreemptedNodeCount" => |seen| f64::from(seen.preempted),
        "$CPUPercent" => |seen| seen.cpu,
        _ => return None,
    })
}

fn ticks(span: Span, minute: u32) -> i64 {
    span.at(minute).as_millisecond().saturating_mul(TICKS)
}

/// A formula with the samples that it sees.
pub(super) struct Scaler<'p> {
    evaluated: &'p Evaluated,
    span: Span,
    state: PoolState,
    read: Vec<(&'static str, Reading)>,
    /// First minute without samples.
    from: u32,
    /// Minute of the next evaluation.
    next: u32,
    /// Dedicated and spot machines that are wanted.
    target: [u32; 2],
    /// How many minutes back it looks, when its result follows from them and from the numbers of machines alone.
    window: Option<u32>,
    /// What the last sample said of the metrics that it reads, and since which minute all have said so.
    same: (Vec<f64>, u32),
    /// The evaluation that will come out again.
    settled: Option<Settled>,
}

/// An evaluation that changed nothing, all of whose samples said the same.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Settled {
    /// Since when the samples said so.
    since: u32,
    current: [u32; 2],
    target: [u32; 2],
    /// It had no result.
    failed: bool,
}

impl<'p> Scaler<'p> {
    pub(super) fn new(evaluated: &'p Evaluated, pool: &Pool, span: Span) -> Self {
        let known = |name: &'static str| Some((name, metric(name)?));
        let read: Vec<_> = evaluated.formula.reads().into_iter().filter_map(known).collect();
        let mut state = PoolState::empty(0);
        state.samples = read.iter().map(|(name, _)| ((*name).to_owned(), Vec::new())).collect();
        state.task_slots = f64::from(pool.slots.unwrap_or(1).max(1));
        let spot = pool.spot.min(pool.machines);
        let target = [pool.machines - spot, spot];
        let minutes = |ticks: i64| u32::try_from(ticks / (EACH * PERIOD) + 1).ok();
        let window = evaluated.formula.looks_back().and_then(minutes).filter(|minutes| i64::from(*minutes) < LOOK_BACK);
        Self { evaluated, span, state, read, from: 0, next: 0, target, window, same: (Vec::new(), 0), settled: None }
    }

    /// Metrics that it reads and a simulated pool does not have.
    pub(super) fn unreadable(&self) -> BTreeSet<String> {
        let plain = [names::DEDICATED, names::SPOT, names::DEALLOCATION, "$TaskSlotsPerNode"];
        let reads = self.evaluated.formula.reads().into_iter();
        reads.filter(|name| metric(name).is_none() && !plain.contains(name)).map(str::to_owned).collect()
    }

    /// The next minute at which an evaluation may come out otherwise than before, if nothing happens until then.
    pub(super) fn next(&self, current: [u32; 2]) -> u32 {
        if self.is_settled(current) { u32::MAX } else { self.next }
    }

    /// Whether the samples and the numbers of machines are those of an evaluation that changed nothing.
    fn is_settled(&self, current: [u32; 2]) -> bool {
        let (since, target) = (self.same.1, self.target);
        self.settled.is_some_and(|last| last == Settled { since, current, target, failed: last.failed })
    }

    /// Passes over the evaluations before a minute, which came out as the last one did; how many of them failed.
    pub(super) fn pass(&mut self, minute: u32) -> u32 {
        let every = self.evaluated.every.max(1);
        let passed = minute.saturating_sub(self.next).div_ceil(every);
        self.next = self.next.saturating_add(passed.saturating_mul(every));
        if self.settled.is_some_and(|last| last.failed) { passed } else { 0 }
    }

    /// Two samples for every minute up to and with `minute`.
    pub(super) fn push(&mut self, minute: u32, seen: Counts) {
        let values: Vec<f64> = self.read.iter().map(|(_, value)| value(&seen)).collect();
        if self.same.0 != values {
            self.same = (values, self.from);
        }
        let Self { span, state, read, .. } = self;
        for (name, value) in read {
            let value = value(&seen);
            let Some(samples) = state.samples.get_mut(*name) else { continue };
            for at in self.from..=minute {
                let first = ticks(*span, at);
                samples.extend((0..EACH).map(|part| Sample { time: first + part * PERIOD, value }));
            }
        }
        self.from = minute + 1;
    }

    /// Lets go of samples older than a day once there are those of two.
    fn forget(&mut self) {
        let oldest = self.state.now - LOOK_BACK * EACH * PERIOD;
        for samples in self.state.samples.values_mut() {
            if samples.len() as i64 > 2 * LOOK_BACK * EACH {
                samples.drain(..samples.partition_point(|sample| sample.time <= oldest));
            }
        }
    }
}

impl Run<'_> {
    /// What a sample says at a minute.
    pub(super) fn counts(&self, minute: u32, sample: &Measured) -> Counts {
        let ready = self.machines.iter().filter(|machine| machine.ready <= minute).count() as u32;
        Counts {
            active: sample.waiting,
            running: sample.sessions,
            succeeded: self.tally.done,
            failed: self.tally.ended,
            machines: self.of_both_kinds(),
            ready,
            preempted: self.machines.iter().filter(|machine| machine.again && machine.ready > minute).count() as u32,
            cpu: sample.cpu[0],
        }
    }

    /// Evaluates the formula when it is its time; `true` when machines were ordered, or began to go.
    pub(super) fn act_by_formula(&mut self, minute: u32) -> bool {
        let current = self.of_both_kinds();
        let Some(scaler) = &mut self.scaler else { return false };
        let passed = scaler.pass(minute);
        if scaler.next == minute {
            scaler.next = minute.saturating_add(scaler.evaluated.every.max(1));
        } else {
            self.tally.fail_again(passed);
            return false;
        }
        self.tally.fail_again(passed);
        if scaler.is_settled(current) {
            self.tally.fail_again(u32::from(scaler.settled.is_some_and(|last| last.failed)));
            return false;
        }
        scaler.settled = None;
        let since = scaler.same.1;
        let steady = scaler.window.is_some_and(|window| minute >= since.saturating_add(window));
        let settle = |target, failed| steady.then_some(Settled { since, current, target, failed });
        // The sample of this very moment is there; the second one of the minute is still to come.
        scaler.state.now = ticks(scaler.span, minute);
        scaler.state.seed = u64::from(minute);
        scaler.state.current = (f64::from(current[0]), f64::from(current[1]));
        scaler.state.target = (f64::from(scaler.target[0]), f64::from(scaler.target[1]));
        scaler.forget();
        let (to, option) = match evaluate(&scaler.evaluated.formula, &scaler.state) {
            Ok(result) => ([result.dedicated, result.spot], result.deallocation),
            Err(error) => {
                let reason = || error.with_position(&scaler.evaluated.text);
                let (count, first) = self.tally.failed.take().unwrap_or_else(|| (0, reason()));
                self.tally.failed = Some((count + 1, first));
                scaler.settled = settle(scaler.target, true);
                return false;
            }
        };
        if scaler.target == to {
            scaler.settled = settle(to, false);
            return false;
        }
        scaler.target = to;
        self.resize(to, &option, minute)
    }

    /// Dedicated and spot machines, those that start included.
    pub(super) fn of_both_kinds(&self) -> [u32; 2] {
        let spot = self.machines.iter().filter(|machine| machine.spot).count() as u32;
        [self.machines.len() as u32 - spot, spot]
    }

    /// Brings the machines of both kinds to their numbers; an earlier resize is given up where it is.
    fn resize(&mut self, to: [u32; 2], option: &str, minute: u32) -> bool {
        let have = self.machines.len() as i64;
        self.machines.iter_mut().for_each(|machine| machine.leaving = false);
        let mut wanted = 0;
        for (to, spot) in to.into_iter().zip([false, true]) {
            let to = i64::from(to).min(MACHINES);
            wanted += to;
            let of_kind = self.machines.iter().filter(|machine| machine.spot == spot).count() as i64;
            for _ in of_kind..to {
                self.order(minute, None, spot);
            }
            for _ in to..of_kind {
                self.give_back(spot, option, minute);
            }
        }
        self.tally.action(minute, have, wanted);
        true
    }

    /// Takes away one machine of a kind: an empty one first, of several the newest.
    fn give_back(&mut self, spot: bool, option: &str, minute: u32) {
        let of_kind = |(_, machine): &(usize, &Machine)| machine.spot == spot && !machine.leaving;
        let all = self.machines.iter().enumerate().filter(of_kind);
        let Some((at, _)) = all.min_by_key(|(at, machine)| (machine.tasks.len(), std::cmp::Reverse(*at))) else {
            return;
        };
        match option {
            "taskcompletion" | "retaineddata" => match self.machines.get_mut(at) {
                Some(machine) if !machine.tasks.is_empty() => machine.leaving = true,
                _ => self.remove(at, minute, 0),
            },
            "terminate" => {
                self.end_all(at, minute);
                self.remove(at, minute, 0);
            }
            _ => self.remove(at, minute, 0),
        }
    }

    /// Ends the tasks of a machine for good.
    fn end_all(&mut self, at: usize, minute: u32) {
        let tasks = self.machines.get_mut(at).map(|machine| std::mem::take(&mut machine.tasks)).unwrap_or_default();
        for number in tasks {
            let Some((task, placed)) = self.tasks.get(number).zip(self.placed.get_mut(number)) else { continue };
            placed.place += 1;
            self.tally.hit(task, minute - placed.since);
            self.tally.ended += 1;
        }
    }
}
