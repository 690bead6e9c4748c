//! What a simulation found.

use super::workload::{Kind, MILLI, Span, Task};
use std::collections::BTreeSet;

/// Minutes within which a pool that goes up and down again, or down and up, is said to flap.
pub(crate) const FLAP: u32 = 30;

/// A pool at a minute, after autoscale has acted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Machines that are paid for, those that start included.
    pub machines: u32,
    /// How many of them are spot machines.
    pub spot: u32,
    /// Machines that take people and jobs.
    pub ready: u32,
    /// Ready machines with nobody and nothing on them.
    pub idle: u32,
    /// People and jobs on machines.
    pub tasks: u32,
    /// People and jobs that wait.
    pub waiting: u32,
    /// Cores that are held, in thousandths.
    pub held: u32,
    /// People and jobs on machines whose processors are asked for more than they have.
    pub crowded: u32,
}

/// What happened to a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The time that was simulated.
    pub span: Span,
    /// The pool at each minute at which it differs from the minute before.
    pub moments: Vec<(u32, Moment)>,
    /// How long people and jobs waited, in minutes, shortest first. Who waits at the end is counted with the time so far.
    pub waits: Vec<u32>,
    /// Minutes of all machines together, from order to removal: what is paid.
    pub machine_minutes: u64,
    /// Those of them that spot machines had.
    pub spot_minutes: u64,
    /// Minutes of machines that were ready and held nothing.
    pub idle_minutes: u64,
    /// Minutes of people and jobs on machines whose processors were asked for more than they have.
    pub crowded_minutes: u64,
    /// Held cores over cores that were ready, in thousandths.
    pub used: u64,
    /// Fewest and most machines at one minute.
    pub machines: (u32, u32),
    /// Times that machines were added, and removed.
    pub actions: (u32, u32),
    /// Actions that took back another one within 30 minutes.
    pub flaps: u32,
    /// People whose machine was removed while they worked on it.
    pub people_hit: u32,
    /// Jobs whose machine was removed while they ran; and the minutes of work that were lost.
    pub jobs_hit: (u32, u64),
    /// Spot machines that were evicted, and people and jobs on them, who are among the two above.
    pub evicted: (u32, u32, u32),
    /// Tasks that ended, still wait, and are too large for every machine.
    pub tasks: (u32, u32, u32),
    /// Jobs that were ended with their machine and do not start again.
    pub ended: u32,
    /// Times that the formula gave no result, and the first reason with its place in the text.
    pub failed: Option<(u32, String)>,
    /// Metrics of rules that a simulated pool does not have: these rules saw nothing.
    pub unreadable: Vec<String>,
}

impl Report {
    /// The wait that so many per cent of people and jobs did not exceed, in minutes: the nearest rank.
    #[must_use]
    pub fn wait(&self, percent: u32) -> u32 {
        let rank = (self.waits.len() as u64 * u64::from(percent)).div_ceil(100).max(1);
        let at = usize::try_from(rank - 1).unwrap_or(usize::MAX);
        self.waits.get(at).copied().unwrap_or(0)
    }

    /// The longest wait in minutes.
    #[must_use]
    pub fn worst_wait(&self) -> u32 {
        self.waits.last().copied().unwrap_or(0)
    }

    /// The pool at each of so many equal parts of the time: of the numbers the largest.
    #[must_use]
    pub fn parts(&self, parts: u32) -> Vec<Moment> {
        let parts = parts.clamp(1, self.span.minutes.max(1));
        let mut out = vec![Moment::default(); parts as usize];
        let of = |minute: u32| (u64::from(minute) * u64::from(parts) / u64::from(self.span.minutes.max(1))) as usize;
        for (at, (minute, moment)) in self.moments.iter().enumerate() {
            let end = self.moments.get(at + 1).map_or(self.span.minutes, |(next, _)| *next);
            for part in of(*minute)..=of(end.saturating_sub(1).max(*minute)) {
                let Some(place) = out.get_mut(part) else { continue };
                place.machines = place.machines.max(moment.machines);
                place.spot = place.spot.max(moment.spot);
                place.ready = place.ready.max(moment.ready);
                place.idle = place.idle.max(moment.idle);
                place.tasks = place.tasks.max(moment.tasks);
                place.waiting = place.waiting.max(moment.waiting);
                place.held = place.held.max(moment.held);
                place.crowded = place.crowded.max(moment.crowded);
            }
        }
        out
    }
}

/// Counts under way to a report.
#[derive(Default)]
pub(crate) struct Tally {
    moments: Vec<(u32, Moment)>,
    waits: Vec<u32>,
    actions: (u32, u32),
    flaps: u32,
    /// Minute and direction of the last action.
    last: Option<(u32, bool)>,
    people_hit: u32,
    jobs_hit: (u32, u64),
    evicted: (u32, u32, u32),
    pub(crate) done: u32,
    pub(crate) refused: u32,
    pub(crate) ended: u32,
    pub(crate) failed: Option<(u32, String)>,
    pub(crate) unreadable: BTreeSet<String>,
}

impl Tally {
    /// Minutes between calls are as the last call said.
    pub(crate) fn moment(&mut self, minute: u32, moment: Moment) {
        if self.moments.last().is_none_or(|(_, last)| *last != moment) {
            self.moments.push((minute, moment));
        }
    }

    pub(crate) fn waited(&mut self, minutes: u32) {
        self.waits.push(minutes);
    }

    pub(crate) fn action(&mut self, minute: u32, from: i64, to: i64) {
        if from == to {
            return;
        }
        let up = to > from;
        if up {
            self.actions.0 += 1
        } else {
            self.actions.1 += 1
        }
        if self.last.is_some_and(|(at, before)| before != up && minute - at < FLAP) {
            self.flaps += 1;
        }
        self.last = Some((minute, up));
    }

    pub(crate) fn hit(&mut self, task: &Task, lost: u32) {
        match task.kind {
            Kind::Person => self.people_hit += 1,
            // Nobody knows how many people it was.
            Kind::Load => {}
            Kind::Job => {
                self.jobs_hit.0 += 1;
                self.jobs_hit.1 += u64::from(lost);
            }
        }
    }

    /// Counts a machine that was evicted. `before`: people and jobs that had lost theirs until then.
    pub(crate) fn evicted(&mut self, before: (u32, u32)) {
        let (people, jobs) = self.interrupted();
        self.evicted.0 += 1;
        self.evicted.1 += people - before.0;
        self.evicted.2 += jobs - before.1;
    }

    /// Counts results that were missing as the last one was.
    pub(crate) fn fail_again(&mut self, times: u32) {
        if let Some((count, _)) = &mut self.failed {
            *count += times;
        }
    }

    /// People and jobs that lost their machine so far.
    pub(crate) fn interrupted(&self) -> (u32, u32) {
        (self.people_hit, self.jobs_hit.0)
    }

    pub(crate) fn finish(mut self, span: Span, cores: u32, waiting: &[u32]) -> Report {
        self.waits.extend(waiting.iter().map(|from| span.minutes.saturating_sub(*from)));
        self.waits.sort_unstable();
        let (mut paid, mut spot, mut idle, mut held, mut offered, mut crowded) = (0u64, 0u64, 0u64, 0u64, 0u64, 0u64);
        for (at, (minute, moment)) in self.moments.iter().enumerate() {
            let end = self.moments.get(at + 1).map_or(span.minutes, |(next, _)| *next);
            let minutes = u64::from(end - minute);
            paid += minutes * u64::from(moment.machines);
            spot += minutes * u64::from(moment.spot);
            held += minutes * u64::from(moment.held);
            crowded += minutes * u64::from(moment.crowded);
            offered += minutes * u64::from(moment.ready) * u64::from(cores) * u64::from(MILLI);
            idle += minutes * u64::from(moment.idle);
        }
        let numbers = || self.moments.iter().map(|(_, moment)| moment.machines);
        Report {
            span,
            waits: self.waits,
            machine_minutes: paid,
            spot_minutes: spot,
            idle_minutes: idle,
            crowded_minutes: crowded,
            used: (held * 1000).checked_div(offered).unwrap_or(0),
            machines: (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0)),
            moments: self.moments,
            actions: self.actions,
            flaps: self.flaps,
            people_hit: self.people_hit,
            jobs_hit: self.jobs_hit,
            evicted: self.evicted,
            tasks: (self.done, waiting.len() as u32, self.refused),
            ended: self.ended,
            failed: self.failed,
            unreadable: self.unreadable.into_iter().collect(),
        }
    }
}
