//! What a run of autoscale writes down, as the service's diagnostic logs do.
//!
//! Source of names and fields: Microsoft Learn, "Diagnostic settings in autoscale" (2026-07) and "Flapping in autoscale"
//! (2024-11).

use jiff::Timestamp;
use serde::Serialize;

/// One record of a run. The serialised form is `{"category": …, …}` with the field names of the logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "category", rename_all_fields = "camelCase")]
pub enum Record {
    /// The profile that was chosen because of a fixed date.
    FixedDateProfileEvaluation {
        /// Name of the profile, as in the setting.
        profile: String,
    },
    /// The profile that was chosen because of a recurrence.
    RecurrentProfileEvaluation {
        /// Name of the profile, as in the setting.
        profile: String,
    },
    /// The profile that was chosen because no schedule applies.
    DefaultProfileEvaluation {
        /// Name of the profile, as in the setting.
        profile: String,
    },
    /// Machines and limits at the start.
    InstanceCountEvaluation {
        /// Machines before this run acts.
        current_instance_count: i64,
        /// Fewest machines that the profile allows.
        minimum_instance_count: i64,
        /// Most machines that the profile allows.
        maximum_instance_count: i64,
        /// Machines when metrics cannot be read.
        default_instance_count: i64,
    },
    /// Whether the cooldown holds the rules of both directions.
    ScaleRuleCooldownEvaluation {
        /// The profile in force.
        selected_profile: String,
        /// When the last action was.
        last_scale_action_time: Timestamp,
        /// The cooldown of the rule that fired last, as `hh:mm:ss`.
        cooldown: String,
        /// When this was looked at.
        evaluation_time: Timestamp,
        /// Whether the rules are skipped.
        skip_rule_evaluation_for_cooldown: bool,
    },
    /// A metric of a rule.
    MetricEvaluation {
        /// Name of the metric, as in the trigger.
        metric_name: String,
        /// The resource that emits it.
        metric_resource: String,
        /// Start of the window.
        start_time: Timestamp,
        /// End of the window.
        end_time: Timestamp,
        /// The value over the window; missing when it cannot be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<f64>,
    },
    /// A rule of the chosen profile, and what it came to.
    ScaleRuleEvaluation {
        /// Position of the rule in its profile, from 0.
        rule: usize,
        /// The value that was compared: of each machine, when the rule divides.
        #[serde(skip_serializing_if = "Option::is_none")]
        observed_value: Option<f64>,
        /// What it was compared with.
        threshold: f64,
        /// Whether the rule fires, or cannot be judged.
        estimate_scale_result: RuleResult,
    },
    /// An action is still in progress: the run ends here.
    ScaleActionOperationEvaluation {
        /// `InProgress`, the only state that is written down.
        last_scale_action_operation_status: &'static str,
        /// True: a run with an action in progress ends here.
        skip_current_autoscale_evaluation: bool,
    },
    /// No action in, because an action out would follow at every number below the present one.
    Flapping {
        /// Machines before this run acts.
        current_instance_count: i64,
        /// What the rules asked for.
        intended_instance_count: i64,
    },
    /// Fewer machines removed than the rules asked for, because an action out would follow otherwise.
    FlappingOccurred {
        /// Machines before this run acts.
        current_instance_count: i64,
        /// What the rules asked for.
        intended_instance_count: i64,
        /// The number of machines that the run sets.
        actual_instance_count: i64,
    },
    /// How the run ended.
    InstanceUpdateEvaluation {
        /// Machines before the run acted.
        current_instance_count: i64,
        /// Machines that the run asks for.
        new_instance_count: i64,
        /// Whether that is a change.
        should_update_instance: bool,
        /// What decided about the number.
        reason: Reason,
    },
}

/// What a rule comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RuleResult {
    /// The condition of the rule holds.
    Triggered,
    /// The condition does not hold.
    NotTriggered,
    /// The metric cannot be read.
    Unknown,
}

/// Why a run ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Reason {
    /// No profile is in force, or it has no rules and the number is inside the limits.
    NothingToDo,
    /// The number was outside the limits of the profile.
    Limits,
    /// Fewer than the default, and no metric can be read.
    MetricFailure,
    /// A rule out is true.
    ScaleOut,
    /// A rule out is true, and the maximum is reached.
    AtMaximum,
    /// All rules in are true.
    ScaleIn,
    /// All rules in are true, and the minimum is reached.
    AtMinimum,
    /// All rules in are true, and an action out would follow.
    Flapping,
    /// The cooldown of the last action is not over.
    Cooldown,
    /// The last action is still in progress.
    InProgress,
    /// No rule asks for a change.
    NoRule,
}

impl Reason {
    /// The reason in words, for the events that `GET /_local/metrics` shows.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NothingToDo => "nothing to do",
            Self::Limits => "limits of the profile",
            Self::MetricFailure => "no metric: default of the profile",
            Self::ScaleOut => "scale out",
            Self::AtMaximum => "scale out: at the maximum",
            Self::ScaleIn => "scale in",
            Self::AtMinimum => "scale in: at the minimum",
            Self::Flapping => "flapping",
            Self::Cooldown => "cooldown",
            Self::InProgress => "in progress",
            Self::NoRule => "no rule",
        }
    }
}
