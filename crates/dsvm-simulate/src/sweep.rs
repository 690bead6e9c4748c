//! Other choices for the numbers of an autoscale setting, and which of them are worth looking at.

use arm_autoscale::{Direction, Setting};

/// A number of a setting that can be varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knob {
    /// Threshold of the rules that add machines.
    High,
    /// Threshold of the rules that remove machines.
    Low,
    /// Cooldown of all rules, in minutes.
    Cooldown,
    /// Window of all rules, in minutes.
    Window,
}

impl Knob {
    /// As it is written on the command line.
    pub const WORDS: [(&str, Self); 4] =
        [("high", Self::High), ("low", Self::Low), ("cooldown", Self::Cooldown), ("window", Self::Window)];

    /// As `--sweep` writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, knob)| *knob == self).map_or("", |(word, _)| word)
    }
}

/// The values that one number is tried with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What of the rules is varied.
    pub knob: Knob,
    /// Its values, in the order in which they are tried.
    pub values: Vec<u32>,
}

/// Reads `high=50..90:10,cooldown=5..30:5`; without a step there are five values. `None` when it cannot be read.
#[must_use]
pub fn axes(text: &str) -> Option<Vec<Axis>> {
    let mut axes: Vec<Axis> = Vec::new();
    for part in text.split(',') {
        let (name, range) = part.trim().split_once('=')?;
        let knob = Knob::WORDS.iter().find(|(word, _)| *word == name.trim())?.1;
        let (range, step) = range.split_once(':').map_or((range, None), |(range, step)| (range, Some(step)));
        let (first, last) = range.split_once("..").unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let step = match step {
            Some(step) => step.trim().parse().ok().filter(|step| *step > 0)?,
            None => (last.checked_sub(first)? / 4).max(1),
        };
        if first > last || last > 100_000 || axes.iter().any(|axis| axis.knob == knob) {
            return None;
        }
        axes.push(Axis { knob, values: (first..=last).step_by(step as usize).collect() });
    }
    Some(axes)
}

/// Every combination of the values of the axes; the last axis changes fastest.
#[must_use]
pub fn combinations(axes: &[Axis]) -> Vec<Vec<(Knob, u32)>> {
    axes.iter().fold(vec![Vec::new()], |all, axis| {
        let with = |before: &Vec<(Knob, u32)>, value: &u32| {
            let mut one = before.clone();
            one.push((axis.knob, *value));
            one
        };
        all.iter().flat_map(|before| axis.values.iter().map(move |value| with(before, value))).collect()
    })
}

/// A setting with other numbers. `None` when a rule that removes machines would hold where one that adds them does.
#[must_use]
pub fn vary(setting: &Setting, choice: &[(Knob, u32)]) -> Option<Setting> {
    let mut setting = setting.clone();
    for rule in setting.profiles.iter_mut().flat_map(|profile| &mut profile.rules) {
        for (knob, value) in choice {
            let value = *value;
            match (knob, rule.direction) {
                (Knob::High, Some(Direction::Out)) | (Knob::Low, Some(Direction::In)) => {
                    rule.trigger.threshold = f64::from(value);
                }
                (Knob::Cooldown, _) => rule.cooldown = i64::from(value) * 60_000,
                (Knob::Window, _) => rule.trigger.window = i64::from(value) * 60_000,
                (Knob::High | Knob::Low, _) => {}
            }
        }
    }
    let crosses = setting.profiles.iter().any(|profile| {
        let of = |direction| profile.rules.iter().filter(move |rule| rule.direction == Some(direction));
        of(Direction::In).any(|low| {
            let same = |high: &&arm_autoscale::Rule| high.trigger.metric == low.trigger.metric;
            of(Direction::Out).filter(same).any(|high| low.trigger.threshold >= high.trigger.threshold)
        })
    });
    (!crosses).then_some(setting)
}

/// Which results no other one beats: none of the others is as good in every number and better in one. Smaller is better.
#[must_use]
pub fn frontier<const N: usize>(results: &[[u64; N]]) -> Vec<bool> {
    let beats = |one: &[u64; N], other: &[u64; N]| one != other && one.iter().zip(other).all(|(a, b)| a <= b);
    results.iter().map(|result| !results.iter().any(|other| beats(other, result))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ranges_have_steps() {
        let found = axes("high=50..90:20, cooldown=5").unwrap();
        assert_eq!(found[0], Axis { knob: Knob::High, values: vec![50, 70, 90] });
        assert_eq!(found[1], Axis { knob: Knob::Cooldown, values: vec![5] });
        assert_eq!(axes("low=0..40").unwrap()[0].values, [0, 10, 20, 30, 40]);
        assert_eq!(combinations(&found).len(), 3);
        for wrong in ["", "high", "height=1..2", "high=9..1", "high=1..2:0", "high=1,high=2", "high=a..b"] {
            assert_eq!(axes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn thresholds_that_cross_are_no_choice() {
        let rule = |direction: &str, threshold: u32| {
            json!({ "metricTrigger": { "metricName": "Percentage CPU", "timeGrain": "PT1M", "timeWindow": "PT5M",
                "operator": "GreaterThan", "threshold": threshold }, "scaleAction": { "direction": direction } })
        };
        let capacity = json!({ "minimum": 1, "maximum": 2, "default": 1 });
        let setting = Setting::of(
            &json!({ "profiles": [{ "capacity": capacity, "rules": [rule("Increase", 80), rule("Decrease", 20)] }] }),
        );
        let varied = vary(&setting, &[(Knob::High, 60), (Knob::Cooldown, 7)]).unwrap();
        assert_eq!(varied.profiles[0].rules[0].trigger.threshold, 60.0);
        assert_eq!(
            (varied.profiles[0].rules[1].trigger.threshold, varied.profiles[0].rules[1].cooldown),
            (20.0, 420_000)
        );
        assert!(vary(&setting, &[(Knob::High, 15)]).is_none());
    }

    #[test]
    fn what_another_result_beats_is_not_worth_a_look() {
        assert_eq!(frontier(&[[1, 5], [2, 4], [2, 5], [1, 5]]), [true, true, false, true]);
    }
}
