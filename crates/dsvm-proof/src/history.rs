//! Metrics over the last minutes as a function of the load.

use crate::Answer;
use arm_autoscale::Trigger;
use std::collections::VecDeque;

/// Two numbers nearer to each other than this part of them are taken as equal: thresholds are met exactly at some loads.
const SAME: f64 = 1e-9;

/// Working machines in each of the last minutes, the present one last.
#[derive(Clone, Debug)]
pub(crate) struct History {
    ready: VecDeque<u32>,
    longest: usize,
}

impl History {
    /// So many machines for as long as any rule looks back.
    pub(crate) fn steady(ready: u32, minutes: usize) -> Self {
        let longest = minutes.max(1);
        Self { ready: std::iter::repeat_n(ready, longest).collect(), longest }
    }

    pub(crate) fn push(&mut self, ready: u32) {
        self.ready.push_back(ready);
        while self.ready.len() > self.longest {
            self.ready.pop_front();
        }
    }

    /// Working machines in the present minute.
    pub(crate) fn now(&self) -> u32 {
        self.ready.back().copied().unwrap_or(0)
    }

    /// Whether nothing else is remembered than the present number.
    pub(crate) fn is_steady(&self) -> bool {
        self.ready.iter().all(|ready| *ready == self.now())
    }

    pub(crate) fn minutes(&self) -> impl Iterator<Item = u32> + '_ {
        self.ready.iter().copied()
    }

    /// What a trigger reads of this history under a load, before any division by machines.
    pub(crate) fn value(&self, trigger: &Trigger, answer: Answer, load: f64) -> Option<f64> {
        if let Some(ready) = self.alike(trigger) {
            return answer.at(load, ready);
        }
        let last = i64::try_from(self.ready.len()).unwrap_or(i64::MAX);
        let samples: Vec<(i64, f64)> = (1..=last)
            .zip(&self.ready)
            .filter_map(|(minute, ready)| Some((minute * 60_000, answer.at(load, *ready)?)))
            .collect();
        trigger.fold(&samples, last * 60_000)
    }

    /// The number of working machines, when it is the same all through the window of a trigger and the value of the window is
    /// that of each minute.
    fn alike(&self, trigger: &Trigger) -> Option<u32> {
        let even = |word: &str| matches!(word, "average" | "min" | "minimum" | "max" | "maximum" | "last");
        let window = usize::try_from(trigger.window / 60_000).unwrap_or(usize::MAX).max(1);
        let same = self.ready.iter().rev().take(window).all(|ready| *ready == self.now());
        (same && even(&trigger.statistic) && even(&trigger.aggregation)).then(|| self.now())
    }

    /// Loads between two others at which the value of a trigger passes `target`. Values grow with the load, so that there is
    /// one, or the two ends of a stretch on which the value stays at the target.
    pub(crate) fn passes(
        &self,
        trigger: &Trigger,
        answer: Answer,
        target: f64,
        within: (f64, f64),
    ) -> [Option<f64>; 2] {
        if let Some(ready) = self.alike(trigger) {
            return match answer {
                Answer::Share { most } if target < most => [Some(target * f64::from(ready)), None],
                // At the highest value and above nothing can be told apart any more.
                Answer::Share { most } => [(target <= most).then(|| most * f64::from(ready)), None],
                Answer::Whole => [Some(target), None],
            }
            .map(|limit| limit.filter(|limit| within.0 < *limit && *limit < within.1));
        }
        let value = |load: f64| self.value(trigger, answer, load).unwrap_or(0.0);
        let first = |reached: &dyn Fn(f64) -> bool| {
            let (mut low, mut high) = within;
            if reached(value(low)) || !reached(value(high)) {
                return None;
            }
            while high - low > SAME / 8.0 * high.abs() {
                let middle = f64::midpoint(low, high);
                if middle <= low || middle >= high {
                    break;
                }
                if reached(value(middle)) { high = middle } else { low = middle }
            }
            Some(high)
        };
        let from = first(&|value| value >= target);
        let beyond = first(&|value| value > target && !same(value, target));
        let near = |a: f64, b: f64| (b - a).abs() <= 8.0 * SAME * b.abs();
        let limits: [Option<f64>; 2] = match (from, beyond) {
            (Some(a), Some(b)) if near(a, b) => [Some(a), None],
            both => both.into(),
        };
        // The ends of the loads in question are such limits already, but for rounding.
        limits.map(|limit| limit.filter(|limit| !near(*limit, within.0) && !near(*limit, within.1)))
    }
}

impl Answer {
    /// What the metric shows in a minute; nothing of machines that are not there.
    fn at(self, load: f64, ready: u32) -> Option<f64> {
        match self {
            Self::Share { most } => (ready > 0).then(|| (load / f64::from(ready)).min(most)),
            Self::Whole => Some(load),
        }
    }
}

/// Whether two numbers are equal but for rounding.
pub(crate) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME * a.abs().max(b.abs())
}
