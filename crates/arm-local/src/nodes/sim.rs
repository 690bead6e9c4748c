//! The machines of a pool and the tasks on them, moved from event to event: a resize ends, a task ends, tasks come.
//!
//! Promises: reads no clock (times are milliseconds that the caller gives); the same calls give the same pool; work is
//! bounded by the number of events, and what is remembered of the past by [`MOST_MOMENTS`].

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Changes that are remembered, for samples.
const MOST_MOMENTS: usize = 5_000;
/// Events that are remembered, for people.
const MOST_EVENTS: usize = 100;

/// Dedicated and spot machines.
pub type Pair = [i64; 2];

/// What happens to the tasks of a machine that is taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Removal {
    /// Tasks on the machines go back to the queue.
    #[default]
    Requeue,
    /// Tasks on the machines are ended as failed.
    Terminate,
    /// The machine stays until they are done.
    Complete,
}

/// Tasks of one kind that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    count: i64,
    each: i64,
}

/// Tasks that began together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    until: i64,
    count: i64,
    each: i64,
}

/// A resize under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resize {
    pub began: i64,
    /// When the last machine is there or gone (unless tasks hold it).
    pub until: i64,
    /// Machines at the beginning.
    pub from: Pair,
    /// What happens to tasks in the way.
    pub removal: Removal,
}

/// What a sample sees, from one moment until the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub at: i64,
    pub nodes: Pair,
    pub active: i64,
    pub running: i64,
    /// Tasks that ended well, ever.
    pub succeeded: i64,
    /// Tasks that were ended, ever.
    pub failed: i64,
}

/// The machines and tasks of one pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sim {
    /// Tasks that a machine takes at a time.
    pub slots: i64,
    pub nodes: Pair,
    pub target: Pair,
    /// The resize under way.
    pub resize: Option<Resize>,
    /// Since when the same number of machines has nothing to do.
    pub idle_since: i64,
    waiting: VecDeque<Waiting>,
    running: Vec<Running>,
    succeeded: i64,
    failed: i64,
    /// The past, oldest first.
    pub moments: VecDeque<Moment>,
    /// What happened, for people: when, from, to, why.
    pub events: VecDeque<(i64, Pair, Pair, String)>,
}

impl Sim {
    #[must_use]
    pub fn new(at: i64, slots: i64) -> Self {
        let mut sim = Self { slots: slots.max(1), idle_since: at, ..Self::default() };
        sim.remember(at);
        sim
    }

    #[must_use]
    pub fn active(&self) -> i64 {
        self.waiting.iter().map(|tasks| tasks.count).sum()
    }

    #[must_use]
    pub fn running(&self) -> i64 {
        self.running.iter().map(|tasks| tasks.count).sum()
    }

    /// Machines at a moment: those of a resize come and go one after the other.
    #[must_use]
    pub fn nodes_at(&self, at: i64) -> Pair {
        let Some(resize) = self.resize else { return self.nodes };
        if resize.until <= at {
            return if self.held(at) { self.nodes } else { self.target };
        }
        let (gone, whole) = (at.saturating_sub(resize.began).max(0), resize.until.saturating_sub(resize.began).max(1));
        let part = |from: i64, to: i64| {
            let share = i128::from(to - from) * i128::from(gone.min(whole)) / i128::from(whole);
            from + i64::try_from(share).unwrap_or(0)
        };
        let [[a, b], [c, d]] = [resize.from, self.target];
        [part(a, c), part(b, d)]
    }

    /// Begins a resize that takes so long; one under way is given up where it is.
    pub fn resize(&mut self, at: i64, to: Pair, takes: i64, removal: Removal, why: &str) {
        self.halt(at);
        self.target = to;
        if self.nodes != to {
            self.events.push_back((at, self.nodes, to, why.to_owned()));
            let excess = self.events.len().saturating_sub(MOST_EVENTS);
            self.events.drain(..excess);
            self.resize = Some(Resize { began: at, until: at.saturating_add(takes.max(0)), from: self.nodes, removal });
        }
        self.settle(at);
    }

    /// Ends a resize where it is: what is there stays.
    pub fn stop(&mut self, at: i64) {
        if self.resize.is_some() {
            self.halt(at);
            self.target = self.nodes;
            self.settle(at);
        }
    }

    /// Tasks that ended well and tasks that were ended, ever.
    #[must_use]
    pub fn ended(&self) -> [i64; 2] {
        [self.succeeded, self.failed]
    }

    /// Moves everything so far towards the past.
    pub fn shift(&mut self, back: i64) {
        let earlier = |at: &mut i64| *at = at.saturating_sub(back);
        self.moments.iter_mut().for_each(|moment| earlier(&mut moment.at));
        self.events.iter_mut().for_each(|event| earlier(&mut event.0));
        self.running.iter_mut().for_each(|tasks| earlier(&mut tasks.until));
        earlier(&mut self.idle_since);
        if let Some(resize) = &mut self.resize {
            earlier(&mut resize.began);
            earlier(&mut resize.until);
        }
    }

    fn halt(&mut self, at: i64) {
        self.nodes = self.nodes_at(at);
        self.resize = None;
    }

    /// Gives the pool tasks.
    pub fn submit(&mut self, at: i64, count: i64, each: i64) {
        self.waiting.push_back(Waiting { count, each: each.max(0) });
        self.settle(at);
    }

    /// When something happens next, without anybody's doing.
    #[must_use]
    pub fn next(&self) -> Option<i64> {
        let resize = self.resize.map(|resize| resize.until);
        let task = self.running.iter().map(|tasks| tasks.until).min();
        match (resize, task) {
            // a resize that only waits for tasks
            (Some(end), Some(task)) if self.held(end) => Some(task),
            (a, b) => a.into_iter().chain(b).min(),
        }
    }

    fn held(&self, at: i64) -> bool {
        self.resize.is_some_and(|resize| {
            resize.until <= at && resize.removal == Removal::Complete && self.running() > self.capacity(self.target)
        })
    }

    fn capacity(&self, nodes: Pair) -> i64 {
        nodes.iter().sum::<i64>().saturating_mul(self.slots)
    }

    /// Brings everything up to `at`, which is not before what was settled last and not after [`Sim::next`].
    pub fn settle(&mut self, at: i64) {
        let before = (self.running(), self.nodes);
        let ended: i64 = self.running.iter().filter(|tasks| tasks.until <= at).map(|tasks| tasks.count).sum();
        self.running.retain(|tasks| tasks.until > at);
        self.succeeded += ended;
        if let Some(resize) = self.resize.filter(|resize| resize.until <= at) {
            self.finish(at, resize);
        }
        // while machines leave, no new task starts on them
        let room = match self.resize {
            Some(_) => self.capacity(self.nodes).min(self.capacity(self.target)),
            None => self.capacity(self.nodes),
        };
        let mut room = room - self.running();
        while room > 0
            && let Some(next) = self.waiting.front_mut()
        {
            let start = next.count.min(room);
            let each = next.each;
            next.count -= start;
            if next.count == 0 {
                self.waiting.pop_front();
            }
            room -= start;
            self.running.push(Running { until: at.saturating_add(each), count: start, each });
        }
        if ended > 0 || (self.running(), self.nodes) != before {
            self.idle_since = at;
        }
        self.remember(at);
    }

    fn finish(&mut self, at: i64, resize: Resize) {
        if self.held(at) {
            // as many machines as the tasks need, spot machines go first
            let needed = self.running().saturating_add(self.slots - 1) / self.slots;
            let [from, from_spot] = resize.from;
            let [to, to_spot] = self.target;
            let dedicated = needed.min(from.max(to)).max(to);
            self.nodes = [dedicated, (needed - dedicated).clamp(to_spot.min(from_spot), from_spot.max(to_spot))];
            return;
        }
        self.nodes = self.target;
        self.resize = None;
        let mut over = self.running() - self.capacity(self.nodes);
        // what began last has lost least
        while over > 0
            && let Some(last) = self.running.last_mut()
        {
            let out = last.count.min(over);
            let each = last.each;
            last.count -= out;
            if last.count == 0 {
                self.running.pop();
            }
            over -= out;
            match resize.removal {
                Removal::Terminate => self.failed += out,
                _ => self.waiting.push_front(Waiting { count: out, each }),
            }
        }
    }

    /// Keeps what a sample sees from now on, when it changed.
    fn remember(&mut self, at: i64) {
        let now = Moment {
            at,
            nodes: self.nodes,
            active: self.active(),
            running: self.running(),
            succeeded: self.succeeded,
            failed: self.failed,
        };
        if self.moments.back().is_some_and(|last| Moment { at, ..*last } == now) {
            return;
        }
        if self.moments.back().is_some_and(|last| last.at == at) {
            self.moments.pop_back();
        }
        self.moments.push_back(now);
        let excess = self.moments.len().saturating_sub(MOST_MOMENTS);
        self.moments.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(sim: &mut Sim, until: i64) {
        while let Some(next) = sim.next().filter(|next| *next <= until) {
            sim.settle(next);
        }
        sim.settle(until);
    }

    #[test]
    fn tasks_fill_the_machines_and_end() {
        let mut sim = Sim::new(0, 2);
        sim.submit(0, 5, 10);
        assert_eq!((sim.active(), sim.running()), (5, 0));
        sim.resize(0, [1, 1], 0, Removal::Requeue, "test");
        assert_eq!((sim.nodes, sim.active(), sim.running()), ([1, 1], 1, 4));
        run(&mut sim, 10);
        assert_eq!((sim.active(), sim.running()), (0, 1));
        run(&mut sim, 25);
        assert_eq!((sim.running(), sim.succeeded, sim.idle_since), (0, 5, 20));
    }

    #[test]
    fn machines_come_one_after_the_other_and_a_resize_can_be_stopped() {
        let mut sim = Sim::new(0, 1);
        sim.resize(0, [10, 0], 100, Removal::Requeue, "test");
        assert_eq!((sim.nodes_at(0), sim.nodes_at(55), sim.nodes_at(100)), ([0, 0], [5, 0], [10, 0]));
        sim.stop(55);
        assert_eq!((sim.nodes, sim.target, sim.resize), ([5, 0], [5, 0], None));
        sim.resize(60, [1, 0], 100, Removal::Requeue, "test");
        run(&mut sim, 200);
        assert_eq!(sim.nodes, [1, 0]);
    }

    #[test]
    fn removed_machines_requeue_end_or_wait_for_their_tasks() {
        let shrunk = |removal| {
            let mut sim = Sim::new(0, 1);
            sim.resize(0, [2, 2], 0, removal, "test");
            sim.submit(0, 4, 100);
            sim.resize(50, [1, 0], 0, removal, "test");
            sim
        };
        let sim = shrunk(Removal::Requeue);
        assert_eq!((sim.nodes, sim.active(), sim.running(), sim.failed), ([1, 0], 3, 1, 0));
        let sim = shrunk(Removal::Terminate);
        assert_eq!((sim.nodes, sim.active(), sim.running(), sim.failed), ([1, 0], 0, 1, 3));
        let mut sim = shrunk(Removal::Complete);
        assert_eq!((sim.nodes, sim.running(), sim.resize.is_some()), ([2, 2], 4, true));
        sim.submit(60, 1, 10);
        assert_eq!(sim.active(), 1, "no task starts on a machine that leaves");
        run(&mut sim, 100);
        assert_eq!((sim.nodes, sim.running(), sim.resize, sim.succeeded), ([1, 0], 1, None, 4));
    }

    #[test]
    fn the_past_is_bounded_and_holds_changes_only() {
        let mut sim = Sim::new(0, 1);
        for n in 1..20_000 {
            sim.settle(n);
        }
        assert_eq!(sim.moments.len(), 1);
        for n in 20_000..40_000 {
            sim.resize(n, [n % 2, 0], 0, Removal::Requeue, "test");
        }
        assert_eq!((sim.moments.len(), sim.events.len()), (MOST_MOMENTS, MOST_EVENTS));
    }
}
