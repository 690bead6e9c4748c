//! What an autoscale setting does under every constant load, from every number of machines: whether the number settles, and
//! whether the pool stays at zero while there is something to do.
//!
//! The evaluator is the one that the local endpoint and the simulator use. A load is a real number, so that no list of
//! loads would be exhaustive. Instead one load is run, every comparison with a threshold on the way is inverted, and the
//! run stands for all loads between the nearest two at which a comparison would have come out differently. What is left
//! on both sides is examined likewise, and so are the boundaries, until all loads are covered.
//!
//! Assumed is what Azure's own estimate against flapping assumes ("Flapping in autoscale", 2024-11): a load is shared evenly
//! by the machines. The load is constant from some moment on; before it the number of machines was steady.

mod history;
mod pieces;
mod walk;
mod week;
mod words;

use arm_autoscale::{Profile, Reason, Trigger};

pub use pieces::{Interval, prove};
pub use week::{Asleep, asleep, busiest, in_use};
pub use words::{load, number};

/// Effort of a command that proves: some seconds for the largest settings that it decides.
pub const PATIENT: u64 = 10_000_000;

/// What is asked of one profile of a setting.
#[derive(Clone, Copy, Debug)]
pub struct Question<'p> {
    /// The profile in force, all the time.
    pub profile: &'p Profile,
    /// Most machines that the pool can have when the profile comes into force: the highest maximum of all profiles.
    pub most: i64,
    /// Minutes from the order of a machine to its part of the load.
    pub startup: u32,
    /// Runs of the evaluator after which it is given up.
    pub effort: u64,
}

/// How a metric follows from a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// Each machine shows its share of the load, up to a limit. In per cent of a processor 100 is one busy machine.
    Share {
        /// What a machine shows at most, however much there is to do.
        most: f64,
    },
    /// The whole load, whatever the number of machines: a length of a queue.
    Whole,
}

impl Answer {
    /// How the metric of a rule follows from a load; `None` when nothing general can be said of it.
    ///
    /// Names of the metrics of scale sets: Microsoft Learn, "Supported metrics for Microsoft.Compute/virtualMachineScaleSets".
    #[must_use]
    pub fn of(trigger: &Trigger) -> Option<Self> {
        if trigger.is_queue_length() {
            return Some(Self::Whole);
        }
        let even = matches!(trigger.statistic.as_str(), "average" | "min" | "max");
        let shared = [
            "Network In Total",
            "Network Out Total",
            "Network In",
            "Network Out",
            "Disk Read Bytes",
            "Disk Write Bytes",
            "Disk Read Operations/Sec",
            "Disk Write Operations/Sec",
        ];
        if !even || trigger.divide {
            None
        } else if trigger.metric.eq_ignore_ascii_case("Percentage CPU") {
            Some(Self::Share { most: 100.0 })
        } else {
            let known = shared.iter().any(|name| name.eq_ignore_ascii_case(&trigger.metric));
            known.then_some(Self::Share { most: f64::INFINITY })
        }
    }
}

/// What was found out about a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Names of the metrics, in the order of [`Case::loads`].
    pub metrics: Vec<String>,
    /// Ranges of loads that were gone through.
    pub ranges: usize,
    /// All loads, in pieces under which a pool settles alike.
    pub cases: Vec<Case>,
    /// Longest time until the number of machines settled, in minutes.
    pub settles_within: u32,
    /// Most changes of the number of machines until it settled.
    pub most_changes: u32,
    /// Longest time from no machine to one that works, under loads that bring one.
    pub wakes_within: Option<u32>,
    /// A load under which the number never settles.
    pub flaps: Option<Example>,
    /// A load under which a pool without machines stays so, or a pool gives its last machine up.
    pub sleeps: Option<Example>,
    /// The highest load of each metric that [`Self::sleeps`] is true for.
    pub sleeps_up_to: Vec<f64>,
    /// Whether the rules can bring a pool with machines to zero.
    pub falls_to_zero: bool,
}

/// Loads under which a pool settles alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// One interval for each metric.
    pub loads: Vec<Interval>,
    /// For each number of machines at the start, from 0: where it settles; `None` where it never does.
    pub ends: Vec<Option<i64>>,
}

/// A run under one load, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The loads that were run, one for each metric.
    pub loads: Vec<f64>,
    /// The loads for which the same happens.
    pub among: Vec<Interval>,
    /// Machines at the start.
    pub start: i64,
    /// What happened, change by change.
    pub steps: Vec<Step>,
    /// The step whose situation returns after the last one; `None` when the last one is the end.
    pub repeats: Option<usize>,
}

/// A change of the number of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Minutes since the load became constant.
    pub minute: u32,
    /// Machines that were there or ordered before the change.
    pub before: i64,
    /// The number that autoscale set.
    pub after: i64,
    /// Whether rules, limits or missing metrics made the change.
    pub reason: Reason,
    /// What each metric showed over the window of its first rule; `None` when nothing could be read.
    pub values: Vec<Option<f64>>,
}

/// Why nothing can be said of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// The metric of a rule, which depends on more than a load and the number of machines.
    Metric(String),
    /// There are too many different cases to go through.
    Cases,
}
