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
        "$PreemptedNodeCount" => |_| 0.0,
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
}

impl<'p> Scaler<'p> {
    pub(super) fn new(evaluated: &'p Evaluated, pool: &Pool, span: Span) -> Self {
        let known = |name: &'static str| Some((name, metric(name)?));
        let read: Vec<_> = evaluated.formula.reads().into_iter().filter_map(known).collect();
        let mut state = PoolState::empty(0);
        state.samples = read.iter().map(|(name, _)| ((*name).to_owned(), Vec::new())).collect();
        state.task_slots = f64::from(pool.slots.unwrap_or(1).max(1));
        let spot = pool.spot.min(pool.machines);
        Self { evaluated, span, state, read, from: 0, next: 0, target: [pool.machines - spot, spot] }
    }

    /// Metrics that it reads and a simulated pool does not have.
    pub(super) fn unreadable(&self) -> BTreeSet<String> {
        let plain = [names::DEDICATED, names::SPOT, names::DEALLOCATION, "$TaskSlotsPerNode"];
        let reads = self.evaluated.formula.reads().into_iter();
        reads.filter(|name| metric(name).is_none() && !plain.contains(name)).map(str::to_owned).collect()
    }

    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// Two samples for every minute up to and with `minute`.
    pub(super) fn push(&mut self, minute: u32, seen: Counts) {
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
        let spot = self.machines.iter().filter(|machine| machine.spot).count() as u32;
        let ready = self.machines.iter().filter(|machine| machine.ready <= minute).count() as u32;
        Counts {
            active: sample.waiting,
            running: sample.sessions,
            succeeded: self.tally.done,
            failed: self.tally.ended,
            machines: [self.machines.len() as u32 - spot, spot],
            ready,
            cpu: sample.cpu[0],
        }
    }

    /// Evaluates the formula when it is its time; `true` when machines were ordered, or began to go.
    pub(super) fn act_by_formula(&mut self, minute: u32) -> bool {
        let Some(scaler) = self.scaler.as_mut().filter(|scaler| scaler.next <= minute) else { return false };
        scaler.next = minute.saturating_add(scaler.evaluated.every.max(1));
        let spot = self.machines.iter().filter(|machine| machine.spot).count();
        let number = |count: usize| count as f64;
        // The sample of this very moment is there; the second one of the minute is still to come.
        scaler.state.now = ticks(scaler.span, minute);
        scaler.state.seed = u64::from(minute);
        scaler.state.current = (number(self.machines.len() - spot), number(spot));
        scaler.state.target = (f64::from(scaler.target[0]), f64::from(scaler.target[1]));
        scaler.forget();
        let (to, option) = match evaluate(&scaler.evaluated.formula, &scaler.state) {
            Ok(result) => ([result.dedicated, result.spot], result.deallocation),
            Err(error) => {
                let reason = || error.with_position(&scaler.evaluated.text);
                let (count, first) = self.tally.failed.take().unwrap_or_else(|| (0, reason()));
                self.tally.failed = Some((count + 1, first));
                return false;
            }
        };
        if scaler.target == to {
            return false;
        }
        scaler.target = to;
        self.resize(to, &option, minute)
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
                _ => self.remove(at, minute),
            },
            "terminate" => {
                self.end_all(at, minute);
                self.remove(at, minute);
            }
            _ => self.remove(at, minute),
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
