//! A typed scaling policy → a formula that keeps to it.
//!
//! Promises: the formula passes every check, and whatever the samples are, each target stays in its range.

use super::names::{DEALLOCATION, DEDICATED, SPOT};

/// Which number of tasks the pool follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Tasks that wait or run: `$PendingTasks`.
    PendingTasks,
    /// Always the most machines of the range: there is no demand to follow.
    Always,
}

/// What happens to the tasks of a removed machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRemoval {
    /// Tasks are ended and started again elsewhere.
    Requeue,
    /// Tasks are ended and not started again.
    Terminate,
    /// The machine is removed when its tasks are done.
    TaskCompletion,
    /// The machine is removed when the retention of its files ends.
    RetainedData,
}

impl OnRemoval {
    /// As formulas write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Requeue => "requeue",
            Self::Terminate => "terminate",
            Self::TaskCompletion => "taskcompletion",
            Self::RetainedData => "retaineddata",
        }
    }
}

/// Least and most machines of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineRange {
    /// Smallest number of machines.
    pub least: u32,
    /// Largest number of machines.
    pub most: u32,
}

/// A scaling policy from which a formula is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Allowed number of dedicated machines.
    pub dedicated: MachineRange,
    /// Spot machines; they take what the dedicated ones leave.
    pub spot: MachineRange,
    /// What the pool follows.
    pub demand: Demand,
    /// How far to look back, in seconds.
    pub window: u32,
    /// Tasks that one machine runs at a time.
    pub task_slots: u32,
    /// Replaces evicted spot machines by dedicated ones, as far as their range allows.
    pub replace_evicted: bool,
    /// What happens to running tasks.
    pub on_removal: OnRemoval,
}

/// The formula of a policy, as text.
#[must_use]
pub fn text_of(policy: &Policy) -> String {
    let mut lines: Vec<String> = Vec::new();
    let (dedicated, spot) = (policy.dedicated, policy.spot);
    let elastic = dedicated.least < dedicated.most || spot.least < spot.most;
    if policy.demand == Demand::PendingTasks && elastic {
        let window = window_text(policy.window);
        // A new pool has too few samples for a trend; then the last one has to do.
        lines.push(format!("$samples = $PendingTasks.GetSamplePercent({window});"));
        lines.push(format!(
            "$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : \
             max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample({window})));"
        ));
        // The service cuts fractions off; a little less than the divisor rounds every remainder up.
        let slots = policy.task_slots.max(1);
        let machines = if slots == 1 {
            "$tasks + 0.999".to_owned()
        } else {
            format!("($tasks + {}) / {slots}", f64::from(slots) - 0.001)
        };
        lines.push(format!("$machines = {machines};"));
    } else {
        lines.push(format!("$machines = {};", u64::from(dedicated.most) + u64::from(spot.most)));
    }
    let wants_spot = spot.most > 0;
    if policy.replace_evicted && wants_spot && dedicated.most > 0 {
        lines.push(format!("$evicted = max(0, $PreemptedNodeCount.GetSample({}));", window_text(policy.window)));
        lines.push(format!("$share = max({}, min({}, $evicted));", dedicated.least, dedicated.most));
        lines.push(format!("{DEDICATED} = max({}, min($share, $machines));", dedicated.least));
        lines.push(spot_line(spot));
    } else if wants_spot && dedicated.most > dedicated.least {
        lines.push(format!("{DEDICATED} = max({}, min({}, $machines));", dedicated.least, dedicated.most));
        lines.push(spot_line(spot));
    } else if wants_spot {
        lines.push(format!("{DEDICATED} = {};", dedicated.most));
        lines.push(spot_line(spot));
    } else {
        lines.push(format!("{DEDICATED} = max({}, min({}, $machines));", dedicated.least, dedicated.most));
        lines.push(format!("{SPOT} = 0;"));
    }
    lines.push(format!("{DEALLOCATION} = {};", policy.on_removal.word()));
    lines.join("\n") + "\n"
}

fn spot_line(spot: MachineRange) -> String {
    format!("{SPOT} = max({}, min({}, $machines - {DEDICATED}));", spot.least, spot.most)
}

fn window_text(seconds: u32) -> String {
    // A frame without room for two samples says nothing.
    let seconds = seconds.max(60);
    match seconds % 60 {
        0 => format!("TimeInterval_Minute * {}", seconds / 60),
        _ => format!("TimeInterval_Second * {seconds}"),
    }
}
