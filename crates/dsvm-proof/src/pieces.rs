//! All loads of a profile in pieces within which everything happens alike.

use crate::walk::{End, Range, Runs, Source};
use crate::{Answer, Case, Example, Finding, Question, Undecided};
use std::cmp::Ordering;

/// Most pieces that are looked at.
const PIECES: usize = 100_000;
/// A piece narrower than this part of its loads is rounding, not a case.
const NARROW: f64 = 1e-7;

/// Loads from one to another, without its ends; a single load when they are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// All loads in it are above this one.
    pub low: f64,
    /// The upper end; infinite where no threshold is above.
    pub high: f64,
}

impl Interval {
    /// Whether it holds a load.
    #[must_use]
    pub fn holds(&self, load: f64) -> bool {
        if self.low < self.high { self.low < load && load < self.high } else { load.total_cmp(&self.low).is_eq() }
    }
}

impl Interval {
    /// The lowest and the highest whole number in it; the highest is infinite where there is no end.
    fn whole(&self) -> Option<(f64, f64)> {
        let (low, high) = if self.low < self.high {
            (self.low.floor() + 1.0, if self.high.is_finite() { self.high.ceil() - 1.0 } else { self.high })
        } else {
            (self.low.ceil(), self.low.floor())
        };
        (low <= high).then_some((low, high))
    }
}

/// Finds out what a profile does under every load and from every number of machines up to the most.
///
/// # Errors
/// A metric depends on more than a load and the number of machines, or there are too many cases.
pub fn prove(question: &Question<'_>) -> Result<Finding, Undecided> {
    let sources = sources(question)?;
    let top: Vec<f64> = sources.iter().map(|source| beyond(question, source)).collect();
    let mut finding = Finding {
        metrics: sources.iter().map(|source| source.metric.clone()).collect(),
        ranges: 0,
        cases: Vec::new(),
        settles_within: 0,
        most_changes: 0,
        wakes_within: None,
        flaps: None,
        sleeps: None,
        sleeps_up_to: vec![0.0; sources.len()],
        falls_to_zero: false,
    };
    let mut evaluations = 0;
    // No load, and all others.
    let mut open: Vec<Vec<Range>> = vec![Vec::new()];
    for top in &top {
        let both = |piece: Vec<Range>| [(0.0, 0.0), (0.0, *top)].map(|range| [piece.clone(), vec![range]].concat());
        open = open.into_iter().flat_map(both).collect();
    }
    while let Some(piece) = open.pop() {
        if finding.cases.len() + open.len() > PIECES || evaluations > question.effort {
            return Err(Undecided::Cases);
        }
        let loads: Vec<f64> = piece.iter().zip(&sources).map(|(range, source)| inside(*range, source.answer)).collect();
        let mut runs = Runs::new(question, &sources, loads.clone(), piece.clone());
        let mut ends = Vec::new();
        for start in 0..=question.most {
            ends.push(runs.run(start).ok_or(Undecided::Cases)?);
            if evaluations + runs.evaluations.get() > question.effort {
                return Err(Undecided::Cases);
            }
        }
        evaluations += runs.evaluations.get();
        let ranges = runs.ranges();
        let among: Vec<Interval> = ranges.iter().zip(&top).map(|(range, top)| interval(*range, *top)).collect();
        finding.ranges += 1;
        finding.take(question.profile.minimum, &runs, &loads, &among, &ends);
        let ends = ends.iter().map(|end| end.machines).collect();
        finding.cases.push(Case { loads: among, ends });
        open.extend(rest(&piece, &ranges));
    }
    let order = |a: &Interval, b: &Interval| {
        // A single load comes before the loads above it.
        a.low.total_cmp(&b.low).then(a.high.total_cmp(&b.high))
    };
    finding.cases.sort_by(|a, b| {
        let both = a.loads.iter().zip(&b.loads);
        both.map(|(a, b)| order(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    finding.merge();
    Ok(finding)
}

impl Finding {
    /// Neighbours under which a pool settles alike become one, when there is one metric: they were told apart only by the way.
    fn merge(&mut self) {
        if self.metrics.len() != 1 {
            return;
        }
        let single = |loads: &[Interval]| loads.first().is_some_and(|loads| loads.low >= loads.high);
        let mut merged: Vec<Case> = Vec::new();
        for case in std::mem::take(&mut self.cases) {
            match merged.last_mut().filter(|last| last.ends == case.ends) {
                // No load at all is told apart.
                Some(last) if !last.loads.first().is_some_and(|loads| loads.high <= 0.0) => {
                    if let (Some(last), Some(next)) = (last.loads.first_mut(), case.loads.first()) {
                        last.high = next.high;
                    }
                }
                _ => merged.push(case),
            }
        }
        for example in self.flaps.iter_mut().chain(self.sleeps.iter_mut()) {
            let holds =
                |case: &&Case| case.loads.iter().zip(&example.loads).all(|(interval, load)| interval.holds(*load));
            if let Some(case) = merged.iter().find(holds).filter(|case| !single(&case.loads)) {
                example.among.clone_from(&case.loads);
            }
        }
        self.cases = merged;
    }

    fn take(&mut self, minimum: i64, runs: &Runs<'_>, loads: &[f64], among: &[Interval], ends: &[End]) {
        let example = |start: usize| {
            let start = i64::try_from(start).unwrap_or(i64::MAX);
            let (steps, repeats) = runs.told(start);
            Example { loads: loads.to_vec(), among: among.to_vec(), start, steps, repeats }
        };
        for end in ends.iter().filter(|end| end.machines.is_some()) {
            self.settles_within = self.settles_within.max(end.minutes);
            self.most_changes = self.most_changes.max(end.changes);
        }
        // Of a load that comes in whole pieces no part counts.
        let real = runs.answers().zip(among).all(|(answer, among)| answer != Answer::Whole || among.whole().is_some());
        if !real {
            return;
        }
        let lower = |old: &Option<Example>| old.as_ref().is_none_or(|old| lighter(loads, &old.loads));
        // A number that the profile allows, if there is one: the way into the limits is no part of it.
        let within = usize::try_from(minimum).unwrap_or(0);
        let restless = |end: &End| end.machines.is_none();
        let shown = ends.iter().skip(within).position(restless).map(|at| at + within);
        if let Some(start) = shown.or_else(|| ends.iter().position(restless))
            && lower(&self.flaps)
        {
            self.flaps = Some(example(start));
        }
        self.falls_to_zero |= ends.iter().skip(1).any(|end| end.machines == Some(0));
        let busy = loads.iter().all(|load| *load > 0.0);
        if let Some(wakes) = ends.first().and_then(|end| end.wakes).filter(|_| busy) {
            self.wakes_within = Some(self.wakes_within.unwrap_or(0).max(wakes));
        }
        if let Some(start) = ends.iter().position(|end| end.machines == Some(0)).filter(|_| busy) {
            for ((highest, loads), answer) in self.sleeps_up_to.iter_mut().zip(among).zip(runs.answers()) {
                let top = if answer == Answer::Whole { loads.whole().map_or(0.0, |whole| whole.1) } else { loads.high };
                *highest = highest.max(top);
            }
            if lower(&self.sleeps) {
                self.sleeps = Some(example(start));
            }
        }
    }
}

fn lighter(loads: &[f64], than: &[f64]) -> bool {
    let both = loads.iter().zip(than);
    both.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()) == Some(Ordering::Less)
}

/// The metrics of a profile.
fn sources(question: &Question<'_>) -> Result<Vec<Source>, Undecided> {
    let mut all: Vec<Source> = Vec::new();
    for trigger in question.profile.rules.iter().map(|rule| &rule.trigger) {
        let answer = Answer::of(trigger).ok_or_else(|| Undecided::Metric(trigger.metric.clone()))?;
        if !all.iter().any(|source| source.is_of(trigger)) {
            all.push(Source::new(trigger, answer));
        }
    }
    Ok(all)
}

/// A load above all at which a comparison could still change: a value is at least the load shared by the most machines.
fn beyond(question: &Question<'_>, source: &Source) -> f64 {
    let most = machines(question.most.max(question.profile.maximum).max(1));
    let triggers = question.profile.rules.iter().map(|rule| &rule.trigger).filter(|trigger| source.is_of(trigger));
    let highest = triggers.map(|trigger| trigger.threshold.abs()).fold(1.0, f64::max);
    let full = if let Answer::Share { most } = source.answer { highest.max(most.min(highest * 2.0)) } else { highest };
    2.0 * full * most * most
}

#[expect(clippy::cast_precision_loss, reason = "numbers of machines are small")]
fn machines(number: i64) -> f64 {
    number as f64
}

/// The load that stands for a piece: a round one where there is room.
fn inside((low, high): Range, answer: Answer) -> f64 {
    if low >= high {
        return low;
    }
    // Messages come whole.
    if answer == Answer::Whole
        && let Some((least, most)) = (Interval { low, high }).whole()
    {
        return f64::midpoint(least, most).floor();
    }
    let middle = f64::midpoint(low, high);
    let width = high - low;
    let mut unit = 10_f64.powi(9);
    while unit > width * 1e-3 {
        let round = (middle / unit).round() * unit;
        if low < round && round < high && round - low > width / 8.0 && high - round > width / 8.0 {
            return round;
        }
        unit /= 10.0;
    }
    middle
}

fn interval((low, high): Range, top: f64) -> Interval {
    Interval { low, high: if high >= top && low < high { f64::INFINITY } else { high } }
}

/// What is left of a piece when one is taken out of it.
fn rest(piece: &[Range], done: &[Range]) -> Vec<Vec<Range>> {
    let mut out = Vec::new();
    let mut left: Vec<Range> = piece.to_vec();
    for (at, (whole, part)) in piece.iter().zip(done).enumerate() {
        if whole.0 >= whole.1 {
            continue;
        }
        let (low, high) = *part;
        let sides = [(whole.0, low), (high, whole.1)].into_iter();
        let mut parts: Vec<Range> = sides.filter(|side| side.1 - side.0 > NARROW * side.1.abs()).collect();
        if low < high {
            // The limits themselves, when they are not those of the piece.
            let limits = [low, high].into_iter().filter(|limit| whole.0 < *limit && *limit < whole.1);
            parts.extend(limits.map(|limit| (limit, limit)));
        }
        for range in parts {
            let mut other = left.clone();
            if let Some(slot) = other.get_mut(at) {
                *slot = range;
            }
            out.push(other);
        }
        if let Some(slot) = left.get_mut(at) {
            *slot = *part;
        }
    }
    out
}
