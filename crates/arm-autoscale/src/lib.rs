//! One run of Azure Monitor's autoscale as a function: setting, metrics, state and time in, a decision out. Nothing is
//! stored or written here. The local endpoint applies decisions to its resources, and the simulator to a pool that it imagines.
//!
//! Sources: Microsoft Learn, "Understand autoscale settings" and "Best practices for autoscale" (2026-08), "Flapping in
//! autoscale" (2024-11), "Diagnostic settings in autoscale" (2026-07). Where they are silent, [`Undocumented`] says what
//! is assumed.

mod records;
mod schedule;
mod setting;
mod zones;

use jiff::{SignedDuration, Timestamp};

pub use records::{Reason, Record, RuleResult};
pub use schedule::When;
pub use setting::{Change, Direction, Operator, Profile, Rule, Setting, Trigger, in_force};
pub use zones::{time_zone, zone};

/// What a run reads of a metric.
pub trait Metrics {
    /// The value of a trigger's window that ends at `now`, before any division by machines; `None` when it cannot be read.
    fn value(&self, trigger: &Trigger, now: Timestamp) -> Option<f64>;

    /// Whether the condition of a trigger holds for a value: what was read, its share of one machine, or what a smaller pool
    /// would show. Whoever asks for which loads a run ends as it does listens here.
    fn holds(&self, trigger: &Trigger, value: f64) -> bool {
        trigger.operator.holds(value, trigger.threshold)
    }
}

/// The target and what autoscale did to it before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Machines of the target.
    pub machines: i64,
    /// The one cooldown timer, for both directions.
    pub last: Option<LastAction>,
    /// The last action is still in progress: the run is skipped.
    pub in_progress: bool,
}

/// The action that the cooldown counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAction {
    /// When the number of machines was changed.
    pub time: Timestamp,
    /// The cooldown of the rule that fired, in milliseconds.
    pub cooldown: i64,
}

impl LastAction {
    /// Whether the rules of both directions still wait.
    fn holds(self, now: Timestamp) -> bool {
        now.as_millisecond() - self.time.as_millisecond() < self.cooldown
    }
}

/// What the documentation leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent answers to open questions")]
pub struct Undocumented {
    /// A change to the limits of a profile waits for the cooldown. Default: no.
    pub limits_wait: bool,
    /// Of several rules that fire at once the longest cooldown counts. Default: that of the rule whose number is taken.
    pub longest_cooldown: bool,
    /// One metric that cannot be read is enough to go to the default. Default: only when none can be read.
    pub any_missing: bool,
    /// A percentage of machines is rounded up. Default: down, but to one machine at least.
    pub percent_up: bool,
}

impl Undocumented {
    /// What the endpoint assumes.
    pub const ASSUMED: Self =
        Self { limits_wait: false, longest_cooldown: false, any_missing: false, percent_up: false };
}

/// What a run comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The profile in force.
    pub profile: Option<String>,
    /// The new number of machines; `None` when it stays.
    pub machines: Option<i64>,
    /// What decided about the number.
    pub reason: Reason,
    /// The cooldown timer after the run: changed by an action of a rule.
    pub last: Option<LastAction>,
    /// What the service would log.
    pub records: Vec<Record>,
}

/// Where a run writes what the service would log.
pub trait Log {
    /// Takes a record; one that nobody reads need not be made.
    fn record(&mut self, make: impl FnOnce() -> Record);
}

impl Log for Vec<Record> {
    fn record(&mut self, make: impl FnOnce() -> Record) {
        self.push(make());
    }
}

/// For runs whose records nobody reads: none is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Log for Quiet {
    fn record(&mut self, _: impl FnOnce() -> Record) {}
}

/// What a run comes to, without its records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The new number of machines; `None` when it stays.
    pub machines: Option<i64>,
    /// What decided about the number.
    pub reason: Reason,
    /// The cooldown timer after the run: changed by an action of a rule.
    pub last: Option<LastAction>,
}

/// Runs a setting once.
#[must_use]
pub fn evaluate(
    setting: &Setting,
    metrics: &dyn Metrics,
    state: State,
    now: Timestamp,
    assumed: Undocumented,
) -> Decision {
    let mut records = Vec::new();
    let profile = in_force(&setting.profiles, now);
    let Outcome { machines, reason, last } = evaluate_profile(profile, metrics, state, now, assumed, &mut records);
    Decision { profile: profile.map(|profile| profile.name.clone()), machines, reason, last, records }
}

/// Runs a setting once whose profile in force is known.
pub fn evaluate_profile<M: Metrics + ?Sized>(
    profile: Option<&Profile>,
    metrics: &M,
    state: State,
    now: Timestamp,
    assumed: Undocumented,
    log: &mut impl Log,
) -> Outcome {
    let mut run = Run { state, now, assumed, log };
    let Some(profile) = profile else {
        return run.end(None, Reason::NothingToDo, None);
    };
    run.start(profile);
    let have = state.machines;
    let held = run.cooldown(profile);
    if state.in_progress {
        run.log.record(|| Record::ScaleActionOperationEvaluation {
            last_scale_action_operation_status: "InProgress",
            skip_current_autoscale_evaluation: true,
        });
        return run.end(None, Reason::InProgress, None);
    }
    if have < profile.minimum || have > profile.maximum {
        if held && assumed.limits_wait {
            return run.end(None, Reason::Cooldown, None);
        }
        // the limits of a profile come before its rules
        let to = if have < profile.minimum { profile.minimum } else { profile.maximum };
        return run.end(Some(to), Reason::Limits, None);
    }
    if profile.rules.is_empty() {
        return run.end(None, Reason::NothingToDo, None);
    }
    let results = run.rules(profile, metrics);
    let missing = |result: &RuleResult| *result == RuleResult::Unknown;
    let blind = if assumed.any_missing { results.iter().any(missing) } else { results.iter().all(missing) };
    if blind {
        let to = (have < profile.default).then_some(profile.default);
        return run.end(to, Reason::MetricFailure, None);
    }
    if held {
        return run.end(None, Reason::Cooldown, None);
    }
    let fired = |direction: Direction| {
        let holds = move |(rule, result): &(&Rule, &RuleResult)| {
            rule.direction == Some(direction) && **result == RuleResult::Triggered
        };
        profile.rules.iter().zip(&results).filter(holds).map(|(rule, _)| rule)
    };
    if let Some((to, cooldown)) = run.target(fired(Direction::Out)) {
        let to = to.min(profile.maximum);
        let (to, reason) = if to > have { (Some(to), Reason::ScaleOut) } else { (None, Reason::AtMaximum) };
        return run.end(to, reason, Some(cooldown));
    }
    let all = profile.rules.iter().filter(|rule| rule.direction == Some(Direction::In)).count();
    let ins = fired(Direction::In);
    let wanted = if ins.clone().count() < all { None } else { run.target(ins) };
    let Some((to, cooldown)) = wanted else {
        return run.end(None, Reason::NoRule, None);
    };
    let to = to.max(profile.minimum);
    if to >= have {
        return run.end(None, Reason::AtMinimum, None);
    }
    match run.steady(profile, metrics, to) {
        Some(to) => run.end(Some(to), Reason::ScaleIn, Some(cooldown)),
        None => run.end(None, Reason::Flapping, None),
    }
}

/// A run under way.
struct Run<'l, L> {
    state: State,
    now: Timestamp,
    assumed: Undocumented,
    log: &'l mut L,
}

impl<L: Log> Run<'_, L> {
    fn start(&mut self, profile: &Profile) {
        self.log.record(|| {
            let name = profile.name.clone();
            match profile.when {
                When::Between(..) => Record::FixedDateProfileEvaluation { profile: name },
                When::Weekly { .. } => Record::RecurrentProfileEvaluation { profile: name },
                When::Always | When::Never => Record::DefaultProfileEvaluation { profile: name },
            }
        });
        self.log.record(|| Record::InstanceCountEvaluation {
            current_instance_count: self.state.machines,
            minimum_instance_count: profile.minimum,
            maximum_instance_count: profile.maximum,
            default_instance_count: profile.default,
        });
    }

    fn cooldown(&mut self, profile: &Profile) -> bool {
        let Some(last) = self.state.last else { return false };
        let held = last.holds(self.now);
        let seconds = last.cooldown / 1000;
        self.log.record(|| Record::ScaleRuleCooldownEvaluation {
            selected_profile: profile.name.clone(),
            last_scale_action_time: last.time,
            cooldown: format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
            evaluation_time: self.now,
            skip_rule_evaluation_for_cooldown: held,
        });
        held
    }

    /// What each rule of a profile comes to, in their order.
    fn rules<M: Metrics + ?Sized>(&mut self, profile: &Profile, metrics: &M) -> Vec<RuleResult> {
        let mut out = Vec::with_capacity(profile.rules.len());
        for (at, rule) in profile.rules.iter().enumerate() {
            let trigger = &rule.trigger;
            let value = metrics.value(trigger, self.now);
            let observed = value.map(|value| observed(trigger, value, self.state.machines));
            let result = match observed {
                None => RuleResult::Unknown,
                Some(value) if metrics.holds(trigger, value) => RuleResult::Triggered,
                Some(_) => RuleResult::NotTriggered,
            };
            self.log.record(|| Record::MetricEvaluation {
                metric_name: trigger.metric.clone(),
                metric_resource: trigger.resource.clone(),
                start_time: self.now.saturating_sub(SignedDuration::from_millis(trigger.window)).unwrap_or(self.now),
                end_time: self.now,
                value,
            });
            self.log.record(|| Record::ScaleRuleEvaluation {
                rule: at,
                observed_value: observed,
                threshold: trigger.threshold,
                estimate_scale_result: result,
            });
            out.push(result);
        }
        out
    }

    /// The highest number that rules ask for and the cooldown that follows, in milliseconds. Out that is the farthest
    /// step, in the most careful one. `None` without rules.
    fn target<'r>(&self, rules: impl Iterator<Item = &'r Rule>) -> Option<(i64, i64)> {
        let mut best: Option<(i64, i64)> = None;
        let mut longest = 0;
        for rule in rules {
            let wanted = goal(rule, self.state.machines, self.assumed.percent_up);
            longest = longest.max(rule.cooldown);
            if best.is_none_or(|(have, _)| wanted > have) {
                best = Some((wanted, rule.cooldown));
            }
        }
        let (to, cooldown) = best?;
        Some((to, if self.assumed.longest_cooldown { longest } else { cooldown }))
    }

    /// The first number from `intended` up, below the present one, at which no rule out would be true.
    fn steady<M: Metrics + ?Sized>(&mut self, profile: &Profile, metrics: &M, intended: i64) -> Option<i64> {
        let have = self.state.machines;
        let outs: Vec<(&Trigger, f64)> = profile
            .rules
            .iter()
            .filter(|rule| rule.direction == Some(Direction::Out))
            .filter_map(|rule| Some((&rule.trigger, metrics.value(&rule.trigger, self.now)?)))
            .collect();
        let calm =
            |to: i64| !outs.iter().any(|(trigger, value)| metrics.holds(trigger, projected(trigger, *value, have, to)));
        // nothing can be divided by no machines: the documentation has no estimate for that
        let found = if intended <= 0 { Some(intended) } else { (intended..have).find(|to| calm(*to)) };
        match found {
            None => {
                self.log.record(|| Record::Flapping { current_instance_count: have, intended_instance_count: intended })
            }
            Some(actual) if actual != intended => self.log.record(|| Record::FlappingOccurred {
                current_instance_count: have,
                intended_instance_count: intended,
                actual_instance_count: actual,
            }),
            Some(_) => {}
        }
        found
    }

    fn end(self, to: Option<i64>, reason: Reason, cooldown: Option<i64>) -> Outcome {
        self.log.record(|| Record::InstanceUpdateEvaluation {
            current_instance_count: self.state.machines,
            new_instance_count: to.unwrap_or(self.state.machines),
            should_update_instance: to.is_some(),
            reason,
        });
        // limits and defaults have no rule: they leave the timer as it is
        let last = match (to, cooldown) {
            (Some(_), Some(cooldown)) => Some(LastAction { time: self.now, cooldown }),
            _ => self.state.last,
        };
        Outcome { machines: to, reason, last }
    }
}

/// What a rule compares: the value, or its share of one machine.
fn observed(trigger: &Trigger, value: f64, machines: i64) -> f64 {
    if trigger.is_shared() && machines > 0 { value / float(machines) } else { value }
}

/// What a rule would compare at another number of machines, if the load stayed as it is. The documentation shows averages
/// and values that are divided; a sum or a count over the machines is the load itself.
fn projected(trigger: &Trigger, value: f64, have: i64, to: i64) -> f64 {
    if trigger.is_shared() {
        value / float(to)
    } else if matches!(trigger.statistic.as_str(), "sum" | "count") {
        value
    } else {
        value * float(have) / float(to)
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of machines are small")]
fn float(machines: i64) -> f64 {
    machines as f64
}

/// Where a rule wants to go from `have` machines.
fn goal(rule: &Rule, have: i64, percent_up: bool) -> i64 {
    let sign = if rule.direction == Some(Direction::In) { -1 } else { 1 };
    match rule.change {
        Change::To(count) => count,
        Change::By(count) => have.saturating_add(count.saturating_mul(sign)),
        Change::Percent(part) => {
            let hundredths = have.saturating_mul(part);
            let step = if percent_up { hundredths.saturating_add(99) / 100 } else { hundredths / 100 };
            have.saturating_add(step.max(1) * sign)
        }
    }
}
