//! One run of a profile under a constant load, until it settles or returns to where it was.

use crate::history::{History, same};
use crate::{Answer, Question, Step};
use arm_autoscale::{LastAction, Metrics, Operator, Quiet, State, Trigger, Undocumented, evaluate_profile};
use jiff::Timestamp;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};

/// A run that did not end within so many changes is given up.
const CHANGES: usize = 20_000;

/// A metric of a profile: its rules read the same load.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) metric: String,
    resource: String,
    pub(crate) answer: Answer,
    /// The trigger whose value is shown.
    pub(crate) shown: Trigger,
}

impl Source {
    pub(crate) fn new(trigger: &Trigger, answer: Answer) -> Self {
        Self { metric: trigger.metric.clone(), resource: trigger.resource.clone(), answer, shown: trigger.clone() }
    }

    pub(crate) fn is_of(&self, trigger: &Trigger) -> bool {
        self.metric.eq_ignore_ascii_case(&trigger.metric) && self.resource.eq_ignore_ascii_case(&trigger.resource)
    }
}

/// Loads between which all comparisons of some runs come out as they did, for each metric.
pub(crate) type Range = (f64, f64);

/// Runs under one load of each metric.
pub(crate) struct Runs<'q> {
    question: &'q Question<'q>,
    sources: &'q [Source],
    loads: Vec<f64>,
    /// Narrowed by each comparison.
    ranges: RefCell<Vec<Range>>,
    /// Situations after a change that are known to settle: number, minutes and changes from there on.
    known: HashMap<Situation, End>,
    /// Runs of the evaluator, for the bound of a proof.
    pub(crate) evaluations: Cell<u64>,
}

/// All that decides what happens from a change on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Situation {
    machines: i64,
    /// Minutes until each ordered machine works.
    ordered: Vec<u32>,
    ready: Vec<u32>,
    /// Minutes until the cooldown is over.
    held: u32,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The number that stays; `None` when the run returns to where it was.
    pub(crate) machines: Option<i64>,
    /// Minutes until the last change.
    pub(crate) minutes: u32,
    pub(crate) changes: u32,
    /// Minutes until the first machine works. Known of the first run only: others may end in one before.
    pub(crate) wakes: Option<u32>,
}

/// What a run looks at in a minute.
struct Look<'r, 'q> {
    runs: &'r Runs<'q>,
    history: &'r History,
}

impl Metrics for Look<'_, '_> {
    fn value(&self, trigger: &Trigger, _: Timestamp) -> Option<f64> {
        let (source, load) = self.runs.source(trigger)?;
        self.history.value(trigger, source.answer, load)
    }

    fn holds(&self, trigger: &Trigger, value: f64) -> bool {
        self.narrow(trigger, value);
        let (threshold, equal) = (trigger.threshold, same(value, trigger.threshold));
        match trigger.operator {
            Operator::Equals => equal,
            Operator::NotEquals => !equal,
            Operator::Greater => value > threshold && !equal,
            Operator::GreaterOrEqual => value > threshold || equal,
            Operator::Less => value < threshold && !equal,
            Operator::LessOrEqual => value < threshold || equal,
        }
    }
}

impl Look<'_, '_> {
    /// Narrows the loads to those at which this comparison comes out likewise.
    fn narrow(&self, trigger: &Trigger, value: f64) {
        let Some(at) = self.runs.sources.iter().position(|source| source.is_of(trigger)) else { return };
        let mut ranges = self.runs.ranges.borrow_mut();
        let found = self.runs.sources.get(at).zip(self.runs.loads.get(at)).zip(ranges.get_mut(at));
        let Some(((source, load), range)) = found else { return };
        // A single load stays one; nothing but no load at all shows nothing.
        if range.0 >= range.1 || value <= 0.0 {
            return;
        }
        let read = self.history.value(trigger, source.answer, *load).unwrap_or(0.0);
        // What is compared is a fixed multiple of what is read.
        let target = trigger.threshold * (read / value);
        for limit in self.history.passes(trigger, source.answer, target, *range).into_iter().flatten() {
            if same(limit, *load) {
                *range = (*load, *load);
            } else if limit < *load {
                range.0 = range.0.max(limit);
            } else {
                range.1 = range.1.min(limit);
            }
        }
    }
}

impl<'q> Runs<'q> {
    pub(crate) fn new(question: &'q Question<'q>, sources: &'q [Source], loads: Vec<f64>, ranges: Vec<Range>) -> Self {
        Self {
            question,
            sources,
            loads,
            ranges: RefCell::new(ranges),
            known: HashMap::new(),
            evaluations: Cell::new(0),
        }
    }

    /// The loads for which all runs so far end as they did.
    pub(crate) fn ranges(&self) -> Vec<Range> {
        self.ranges.borrow().clone()
    }

    pub(crate) fn answers(&self) -> impl Iterator<Item = Answer> + '_ {
        self.sources.iter().map(|source| source.answer)
    }

    fn source(&self, trigger: &Trigger) -> Option<(&Source, f64)> {
        self.sources.iter().zip(&self.loads).find(|(source, _)| source.is_of(trigger)).map(|(s, load)| (s, *load))
    }

    /// Runs from a steady number of machines. `None`: given up.
    pub(crate) fn run(&mut self, start: i64) -> Option<End> {
        let mut walk = Walk::new(self, start);
        let mut passed: Vec<(Situation, u32, u32)> = Vec::new();
        let mut met = HashSet::new();
        let mut wakes = None;
        let (machines, minutes, changes) = loop {
            let Some(moved) = walk.next(self) else {
                break (Some(walk.machines), walk.changed, walk.changes);
            };
            if wakes.is_none() && moved.working > 0 {
                wakes = Some(moved.minute);
            }
            let Some(situation) = moved.situation else { continue };
            if let Some(end) = self.known.get(&situation) {
                break (end.machines, moved.minute + end.minutes, walk.changes + end.changes);
            }
            if !met.insert(situation.clone()) {
                break (None, moved.minute, walk.changes);
            }
            if met.len() > CHANGES {
                return None;
            }
            passed.push((situation, moved.minute, walk.changes));
        };
        for (situation, minute, before) in passed {
            let minutes = minutes.saturating_sub(minute);
            self.known.insert(situation, End { machines, minutes, changes: changes - before, wakes: None });
        }
        Some(End { machines, minutes, changes, wakes })
    }

    /// The same run with what happened.
    pub(crate) fn told(&self, start: i64) -> (Vec<Step>, Option<usize>) {
        let mut walk = Walk::new(self, start);
        let mut met: Vec<(Situation, usize)> = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        while let Some(moved) = walk.next(self) {
            let Some((situation, step)) = moved.situation.zip(moved.step) else { continue };
            steps.push(step);
            if let Some((_, at)) = met.iter().find(|(known, _)| *known == situation) {
                return (steps, Some(*at));
            }
            met.push((situation, steps.len() - 1));
            if steps.len() > CHANGES {
                break;
            }
        }
        (steps, None)
    }
}

/// A run under way.
struct Walk {
    minute: u32,
    machines: i64,
    /// Minutes at which ordered machines begin to work, the last order last.
    ordered: VecDeque<u32>,
    history: History,
    last: Option<LastAction>,
    /// Minute of the last change.
    changed: u32,
    changes: u32,
}

/// Something that a run did.
struct Moved {
    minute: u32,
    working: u32,
    /// After a change of the number of machines.
    situation: Option<Situation>,
    step: Option<Step>,
}

impl Walk {
    fn new(runs: &Runs<'_>, start: i64) -> Self {
        let longest = runs.question.profile.rules.iter().map(|rule| rule.trigger.window / 60_000).max().unwrap_or(1);
        let longest = usize::try_from(longest).unwrap_or(1);
        Self {
            minute: 0,
            machines: start,
            ordered: VecDeque::new(),
            history: History::steady(u32::try_from(start).unwrap_or(0), longest),
            last: None,
            changed: 0,
            changes: 0,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(i64::from(self.minute) * 60).unwrap_or_default()
    }

    /// Minutes until the cooldown is over.
    fn held(&self) -> u32 {
        let Some(last) = self.last else { return 0 };
        let left = last.time.as_millisecond() + last.cooldown - self.now().as_millisecond();
        u32::try_from(left.max(0).div_euclid(60_000) + i64::from(left.max(0) % 60_000 > 0)).unwrap_or(u32::MAX)
    }

    fn working(&self) -> u32 {
        u32::try_from(self.machines).unwrap_or(0).saturating_sub(u32::try_from(self.ordered.len()).unwrap_or(0))
    }

    /// Goes on to the next minute in which anything happens; `None` when nothing ever will.
    fn next(&mut self, runs: &Runs<'_>) -> Option<Moved> {
        loop {
            let before = self.working();
            while self.ordered.front().is_some_and(|ready| *ready <= self.minute) {
                self.ordered.pop_front();
            }
            if self.minute > 0 {
                self.history.push(self.working());
            }
            let arrived = self.working() > before;
            let held = self.held();
            // Rules wait for the cooldown. Only limits and metrics that nobody can read do not; neither is at stake here.
            if held > 0 && self.changes > 0 && self.history.now() > 0 {
                let moved = Moved { minute: self.minute, working: self.working(), situation: None, step: None };
                let quiet = self.ordered.is_empty() && self.history.is_steady();
                self.minute = self.minute.saturating_add(if quiet { held } else { 1 });
                if arrived {
                    return Some(moved);
                }
                continue;
            }
            let state = State { machines: self.machines, last: self.last, in_progress: false };
            let look = Look { runs, history: &self.history };
            let mut steady = false;
            let quiet = self.ordered.is_empty() && self.history.is_steady();
            let outcome = evaluate_profile(
                Some(runs.question.profile),
                &look,
                state,
                self.now(),
                Undocumented::ASSUMED,
                &mut Quiet,
            );
            runs.evaluations.set(runs.evaluations.get() + 1);
            let mut moved = Moved { minute: self.minute, working: self.working(), situation: None, step: None };
            match outcome.machines.filter(|to| *to != self.machines) {
                Some(to) => {
                    let values = runs.sources.iter().zip(&runs.loads);
                    moved.step = Some(Step {
                        minute: self.minute,
                        before: self.machines,
                        after: to,
                        reason: outcome.reason,
                        values: values.map(|(s, load)| self.history.value(&s.shown, s.answer, *load)).collect(),
                    });
                    self.go(to, runs.question.startup);
                    self.last = outcome.last;
                    (self.changed, self.changes) = (self.minute, self.changes + 1);
                    moved.situation = Some(Situation {
                        machines: self.machines,
                        ordered: self.ordered.iter().map(|ready| ready.saturating_sub(self.minute)).collect(),
                        ready: self.history.minutes().collect(),
                        held: self.held(),
                    });
                }
                None if quiet && held == 0 => steady = true,
                // Nothing but the end of the cooldown can change anything.
                None if quiet => self.minute += held - 1,
                None => {}
            }
            if steady {
                return None;
            }
            self.minute = self.minute.saturating_add(1);
            if moved.situation.is_some() || arrived {
                return Some(moved);
            }
        }
    }

    /// Orders or removes machines. What was ordered last goes first, as in the simulator.
    fn go(&mut self, to: i64, startup: u32) {
        for _ in self.machines..to {
            if startup > 0 {
                self.ordered.push_back(self.minute.saturating_add(startup));
            }
        }
        for _ in to..self.machines {
            self.ordered.pop_back();
        }
        self.machines = to;
    }
}
