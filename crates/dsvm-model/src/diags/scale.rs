//! Numbers of machines, autoscale rules and schedules.

use super::new;
use crate::Machines;
use crate::autoscale::Rule;
use crate::hardware::SetupTime;
use crate::units::{Seconds, duration};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use dsvm_sema::checked::Block;
use dsvm_sema::table::words::MetricUnit;
use rust_decimal::Decimal;

pub(crate) fn range_inverted(least: i64, most: i64, span: Span) -> Diagnostic {
    new(
        Code::MachinesRangeRefused,
        format!("the minimum number of machines, {least}, exceeds the maximum, {most}"),
        span,
        "minimum exceeds maximum",
    )
    .help(format!("write `{most}..{least}`"))
}

pub(crate) fn initial_outside(initial: i64, span: Span) -> Diagnostic {
    new(
        Code::MachinesRangeRefused,
        format!("the initial number of machines, {initial}, is outside the range"),
        span,
        "outside its own range",
    )
    .help("choose a number inside the range after `initially`")
}

pub(crate) fn negative_machines(least: i64, ranged: bool, span: Span) -> Diagnostic {
    new(Code::MachinesRangeRefused, format!("a pool cannot have {least} machines"), span, "negative").help(if ranged {
        "write 0 or more"
    } else {
        "write 0 or more; a range is written with two dots, as in `1..10`"
    })
}

pub(crate) fn range_without_autoscale(pool: &Block, span: Span) -> Diagnostic {
    new(
        Code::RangeWithoutAutoscale,
        format!("nothing scales pool `{}` within its range", pool.name),
        span,
        "a range without autoscale",
    )
    .help("add an `autoscale` block, or write one number")
}

pub(crate) fn autoscale_without_range(span: Span, machines: &Machines) -> Diagnostic {
    new(Code::AutoscaleWithoutRange, "autoscale needs a range of machines", span, "autoscale policy")
        .also(machines.span, "a fixed number")
        .help("write a range, such as `machines = 1..10 initially 2`")
}

pub(crate) fn two_policies(span: Span, named: Span) -> Diagnostic {
    new(Code::TwoPolicies, "the pool has two autoscale policies", span, "a policy block")
        .also(named, "and a policy by name")
        .note("Azure accepts one autoscale setting for each scale set")
        .help("keep one of them")
}

pub(crate) fn zero_without_wake(span: Span, rule: Option<(Span, &str)>) -> Diagnostic {
    let found =
        new(Code::ZeroWithoutWake, "the pool can shrink to zero machines and never come back", span, "can be zero");
    let found = match rule {
        Some((rule, metric)) => found
            .also(rule, "measured on machines only")
            .note(format!("{metric} does not exist without machines, so no rule on it can trigger")),
        None => found,
    };
    found
        .help("add a schedule that needs at least one machine: `schedule workday { on mon..fri from 08:00 to 19:00, machines = 1..10 }`")
        .help("or add a rule on a metric that exists without machines, such as the length of a queue, or write `wake = manual` if the pool is started by hand")
}

pub(crate) fn without_metrics_outside(number: i64, span: Span, machines: Span) -> Diagnostic {
    new(
        Code::WithoutMetricsRefused,
        format!("the number of machines, {number}, is outside the pool's range"),
        span,
        "outside the range",
    )
    .also(machines, "the range")
    .help("choose a number inside the range, or omit `without_metrics`")
}

pub(crate) fn zero_bounces(number: i64, span: Span, machines: Span) -> Diagnostic {
    new(
        Code::WithoutMetricsRefused,
        format!("a pool at zero machines would immediately return to {number}"),
        span,
        "applies whenever metrics are missing",
    )
    .also(machines, "can be zero")
    .note("without machines there are no metrics, and without metrics autoscale scales up to this number")
    .help("write `without_metrics = 0`, or omit it")
}

pub(crate) fn thresholds_flap(
    up: &Rule<'_>,
    down: &Rule<'_>,
    before: i64,
    after: i64,
    projected: Decimal,
    highest: Decimal,
) -> Diagnostic {
    new(Code::ThresholdsFlap, format!("the pool cannot shrink from {before} to {after}"), down.condition.span, "shrinks below this")
        .also(up.condition.span, "grows at this")
        .note(format!(
            "an average just below {} on {before} machines is {} on {after}, so autoscale would have to grow the pool again and therefore does not shrink it",
            down.threshold.normalize(),
            projected.round_dp(1).normalize()
        ))
        .help(format!("use a scale-in threshold of at most {highest}, or a higher scale-out threshold"))
}

pub(crate) fn thresholds_cross(up: &Rule<'_>, down: &Rule<'_>) -> Diagnostic {
    new(
        Code::ThresholdsCross,
        "the pool would grow and shrink at the same load",
        down.condition.span,
        "shrinks below this",
    )
    .also(up.condition.span, "already grows at this")
    .help("choose a scale-in threshold well below the scale-out threshold")
}

pub(crate) fn rules_point_the_wrong_way(up: &Rule<'_>, down: &Rule<'_>) -> Diagnostic {
    let wrong = if up.condition.operator.upward() { down } else { up };
    let what = if wrong.action.grows() { "grows when the load is low" } else { "shrinks when the load is high" };
    new(Code::RulesPointTheWrongWay, format!("this rule {what}"), wrong.condition.span, "inverted comparison")
        .help("reverse the comparison")
}

pub(crate) fn never_shrinks(span: Span) -> Diagnostic {
    new(Code::NeverShrinks, "nothing makes the pool smaller again", span, "only adds machines")
        .help("add a rule that removes machines, such as `when avg(cpu, 15 min) < 25% { remove 1 }`")
}

pub(crate) fn never_grows(span: Span) -> Diagnostic {
    new(Code::NeverGrows, "nothing makes the pool larger again", span, "only removes machines")
        .help("add a rule that adds machines, such as `when avg(cpu, 10 min) > 75% { add 1 }`")
}

pub(crate) fn different_metrics(up: Span, down: Span, up_metric: &str, down_metric: &str) -> Diagnostic {
    new(Code::DifferentMetrics, "the pool grows and shrinks on different metrics", down, "shrinks on this")
        .also(up, "grows on this")
        .note(format!("{up_metric} can be high while {down_metric} is low: the pool would grow and shrink forever"))
        .help("use one metric in both directions")
}

/// `policy`: where the pool names a policy that was written elsewhere.
pub(crate) fn idle_is_not_unused(rule: Span, metric: &str, policy: Option<Span>) -> Diagnostic {
    let title = "a machine that looks idle may still have an active session";
    let label = "removes machines while people work on them";
    let found = match policy {
        None => new(Code::IdleIsNotUnused, title, rule, label),
        Some(policy) => new(Code::IdleIsNotUnused, title, policy, label).also(rule, "by this rule"),
    };
    found
        .note(format!("{metric} does not show who is logged in: a user who is reading or waiting uses next to nothing; files on the share are kept, running kernels are lost"))
        .help("measure sessions with your own agent (`of = …`), or write `shrink = manual` and no rule that removes; keep the rule if that is acceptable")
}

pub(crate) fn schedules_remove_machines(
    name: &str,
    (most, above): (i64, i64),
    limits: Span,
    policy: Option<Span>,
) -> Diagnostic {
    let title = format!("schedule `{name}` removes machines while people work on them");
    let found = match policy {
        None => new(Code::SchedulesRemoveMachines, title, limits, "a lower maximum"),
        Some(policy) => {
            new(Code::SchedulesRemoveMachines, title, policy, "this policy").also(limits, "a lower maximum")
        }
    };
    found
        .note(format!("when it starts, a pool of up to {above} machines is cut to {most} within a minute; sessions on the others end, files on the share are kept"))
        .help("keep the maximum and lower only the minimum, or keep the schedule if nobody works then")
}

pub(crate) fn window_outside(window: i64, span: Span) -> Diagnostic {
    new(
        Code::WindowRefused,
        format!("autoscale does not support a window of {}", duration(window)),
        span,
        "outside 5 min to 12 h",
    )
    .help("choose a window from 5 minutes to 12 hours")
}

pub(crate) fn window_not_whole(window: Seconds, grain: Seconds, span: Span) -> Diagnostic {
    new(
        Code::WindowRefused,
        format!("the window of {window} is not a whole number of samples"),
        span,
        "not a multiple of `grain`",
    )
    .note(format!("samples are {grain} apart"))
    .help("choose a window that is a multiple of `grain`")
}

pub(crate) fn cooldown_below_setup(cooldown: Seconds, span: Span, setup: SetupTime) -> Diagnostic {
    let takes = setup.takes;
    new(
        Code::CooldownBelowSetup,
        format!("the rule can add machines again after {cooldown}, before the first ones are ready"),
        span,
        "shorter than the setup",
    )
    .also(setup.span, format!("a new machine needs {takes}"))
    .note("until then the new machines do not reduce the load, so the pool grows more than necessary")
    .help(format!("write `cooldown {takes}`, or omit the cooldown"))
}

pub(crate) fn metric_of_batch(name: &str, span: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("`{name}` exists in batch pools only"), span, "not a metric of a scale set")
        .help("use `cpu`, or the length of a queue")
}

pub(crate) fn metric_needs_agent(name: &str, span: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("nothing on the machines measures `{name}`"), span, "needs an agent")
        .note("Azure measures the processors, network and disks of a machine from outside, but not its memory")
        .help("use `cpu`, or publish the metric with your own agent and name its resource with `of = …`")
}

pub(crate) fn metric_of_nothing(name: &str, span: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("`{name}` needs a resource"), span, "not a metric of a scale set")
        .help("name the resource that emits it: `of = …` in the rule")
}

pub(crate) fn metric_of_burstable(name: &str, span: Span, at_size: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("only burstable sizes have `{name}`"), span, "not available")
        .also(at_size, "not a burstable size")
        .help("use `cpu`")
}

pub(crate) fn unknown_host_metric(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    new(Code::MetricUnavailable, format!("scale sets have no metric `{name}`"), span, "not measured by Azure")
        .note(format!("they have: {}", known.join(", ")))
        .help("for a metric of another resource add `of = …`; for one that an agent sends add `namespace = …`")
}

pub(crate) fn threshold_unit(metric: &str, unit: MetricUnit, span: Span) -> Diagnostic {
    let example = match unit {
        MetricUnit::Percent => "75%",
        MetricUnit::Bytes => "100 MiB",
        MetricUnit::Seconds => "30 s",
        MetricUnit::Count | MetricUnit::PerSecond | MetricUnit::Credits => "20",
    };
    new(Code::ThresholdUnit, format!("{metric} has a different unit"), span, "wrong unit")
        .help(format!("write the threshold as, for instance, `{example}`"))
}

pub(crate) fn threshold_unreachable(span: Span) -> Diagnostic {
    new(Code::ThresholdUnit, "no percentage is below 0% or above 100%", span, "never reached")
        .help("choose a threshold from 0% to 100%")
}

pub(crate) fn rule_with_actions(count: usize, span: Span) -> Diagnostic {
    let title = if count == 0 { "the rule does nothing" } else { "the rule does several things" };
    new(Code::RuleWithoutAction, title, span, "needs exactly one action")
        .help("write exactly one of `add 1`, `remove 1` and `set 3`")
}

pub(crate) fn set_outside(number: i64, span: Span, machines: Span) -> Diagnostic {
    new(
        Code::SetOutside,
        format!("the number of machines, {number}, is outside the pool's range"),
        span,
        "outside the range",
    )
    .also(machines, "the range")
    .help("choose a number inside the range")
}

pub(crate) fn too_many_rules(count: usize, span: Span) -> Diagnostic {
    new(Code::TooManyProfiles, format!("{count} rules are more than a profile can hold"), span, "at most 10")
        .help("keep the ten most important ones")
}

pub(crate) fn too_many_profiles(count: usize, schedules: usize, twins: usize, span: Span) -> Diagnostic {
    new(
        Code::TooManyProfiles,
        format!("{count} profiles are more than an autoscale setting can hold"),
        span,
        "at most 20",
    )
    .note(format!("{schedules} schedules, {twins} returns to the default, and the default"))
    .help("merge schedules with the same hours, or let one begin where another ends")
}

pub(crate) fn schedules_overlap(one: &Block, other: &Block, when: &str) -> Diagnostic {
    new(
        Code::SchedulesOverlap,
        format!("schedules `{}` and `{}` are active at the same time", one.name, other.name),
        one.name_span,
        format!("both on {when}").as_str(),
    )
    .also(other.name_span, "the other one")
    .note("only one profile is active at a time, and Azure does not document which one it chooses")
    .help("let one end where the other begins")
}

pub(crate) fn schedule_without_time(name: &str, span: Span) -> Diagnostic {
    new(Code::ScheduleRefused, format!("schedule `{name}` has no time"), span, "needs days or dates")
        .help("add `on mon..fri from 08:00 to 19:00`, or `from = 2026-12-24, until = 2027-01-02`")
}

pub(crate) fn schedule_without_length(span: Span) -> Diagnostic {
    new(Code::ScheduleRefused, "the schedule ends when it begins", span, "the same time")
        .help("write `from 00:00 to 24:00` for whole days, or another end")
}

pub(crate) fn schedule_twice(name: &str, span: Span) -> Diagnostic {
    new(Code::ScheduleRefused, format!("schedule `{name}` appears twice"), span, "the same name")
        .help("give it another name")
}

pub(crate) fn dates_refused(until: Span, from: Span) -> Diagnostic {
    new(Code::ScheduleRefused, "the dates are in the wrong order or more than a year apart", until, "ends here")
        .also(from, "begins here")
        .note("Azure accepts periods of at most 365 days")
        .help("choose an end after the beginning, at most a year later")
}

pub(crate) fn schedule_outside_pool(name: &str, span: Span, machines: &Machines) -> Diagnostic {
    new(
        Code::ScheduleOutsidePool,
        format!("schedule `{name}` exceeds the limits of the pool"),
        span,
        "beyond the pool's range",
    )
    .also(machines.span, "the pool's range")
    .help("keep the schedule inside the pool's range, or widen the pool's range")
}

pub(crate) fn unknown_timezone(name: &str, span: Span) -> Diagnostic {
    let known = crate::timezones();
    if let Some(same) = crate::timezone_of_iana(name) {
        return new(Code::UnknownTimezone, format!("`{name}` is not a Windows time zone name"), span, "an IANA name")
            .note("autoscale expects Windows time zone names")
            .help(format!("write `\"{same}\"`"))
            .fix(format!("Write `{same}`"), vec![(span, format!("\"{same}\""))], Safety::NeedsReview);
    }
    let near = known.iter().min_by_key(|k| strsim::damerau_levenshtein(&k.to_lowercase(), &name.to_lowercase()));
    let found = new(Code::UnknownTimezone, format!("unknown time zone `{name}`"), span, "not a Windows time zone")
        .note("autoscale expects Windows time zone names");
    match near {
        Some(near) => found.help(format!("import `std.timezones`, or write for instance `\"{near}\"`")),
        None => found.help("import `std.timezones` and choose one"),
    }
}

pub(crate) fn forecast_without_cpu_rule(span: Span) -> Diagnostic {
    new(Code::ForecastWithoutCpuRule, "the forecast has no rule to act on", span, "forecasts processor use")
        .note("predictive autoscale works with a rule on the average of Percentage CPU that adds machines")
        .help("add, for instance, `when avg(cpu, 10 min) > 75% { add 1 }`")
}
