//! Numbers of machines, autoscale rules and schedules.

use super::new;
use crate::Machines;
use crate::autoscale::Rule;
use crate::hardware::SetupTime;
use crate::units::{Seconds, duration};
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use dsvm_sema::checked::Block;
use rust_decimal::Decimal;

pub(crate) fn range_inverted(least: i64, most: i64, span: Span) -> Diagnostic {
    new(
        Code::MachinesRangeRefused,
        format!("the fewest machines ({least}) are more than the most ({most})"),
        span,
        "upside down",
    )
    .help(format!("write `{most}..{least}`"))
}

pub(crate) fn initial_outside(initial: i64, span: Span) -> Diagnostic {
    new(
        Code::MachinesRangeRefused,
        format!("{initial} machines to begin with are outside of the range"),
        span,
        "begins outside of itself",
    )
    .help("choose a number inside the range after `initially`")
}

pub(crate) fn negative_machines(least: i64, ranged: bool, span: Span) -> Diagnostic {
    new(Code::MachinesRangeRefused, format!("a pool cannot have {least} machines"), span, "less than none").help(
        if ranged { "write 0 or more" } else { "write 0 or more; a range is written with two dots, as in `1..10`" },
    )
}

pub(crate) fn range_without_autoscale(pool: &Block, span: Span) -> Diagnostic {
    new(
        Code::RangeWithoutAutoscale,
        format!("nothing changes the number of machines of pool `{}`", pool.name),
        span,
        "a range without a policy",
    )
    .help("add an `autoscale` block, or write one number")
}

pub(crate) fn autoscale_without_range(span: Span, machines: &Machines) -> Diagnostic {
    new(Code::AutoscaleWithoutRange, "autoscale has no room to work in", span, "a policy")
        .also(machines.span, "one fixed number")
        .help("write a range, such as `machines = 1..10 initially 2`")
}

pub(crate) fn two_policies(span: Span, named: Span) -> Diagnostic {
    new(Code::TwoPolicies, "the pool has two autoscale policies", span, "one here")
        .also(named, "and one by name")
        .note("Azure takes one autoscale setting for each scale set")
        .help("keep one of them")
}

pub(crate) fn zero_without_wake(span: Span, rule: Option<(Span, &str)>) -> Diagnostic {
    let found =
        new(Code::ZeroWithoutWake, "the pool can shrink to zero machines and never come back", span, "begins at zero");
    let found = match rule {
        Some((rule, metric)) => found
            .also(rule, "measured on machines only")
            .note(format!("{metric} of no machines does not exist, so no rule on it can hold")),
        None => found,
    };
    found
        .help("add a schedule that needs at least one machine: `schedule workday { on mon..fri from 08:00 to 19:00, machines = 1..10 }`")
        .help("or a rule on something that exists without machines, such as the length of a queue, or `wake = manual` when a person wakes it")
}

pub(crate) fn without_metrics_outside(number: i64, span: Span, machines: Span) -> Diagnostic {
    new(Code::WithoutMetricsRefused, format!("{number} machines are outside of the pool's range"), span, "outside")
        .also(machines, "the range")
        .help("choose a number inside the range, or leave `without_metrics` out")
}

pub(crate) fn zero_bounces(number: i64, span: Span, machines: Span) -> Diagnostic {
    new(
        Code::WithoutMetricsRefused,
        format!("a pool at zero would bounce back to {number} machines at once"),
        span,
        "holds whenever metrics are missing",
    )
    .also(machines, "may be zero")
    .note("zero machines have no metrics, and without metrics autoscale goes up to this number")
    .help("write `without_metrics = 0`, or leave it out")
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
            "an average just below {} on {before} machines is {} on {after}, so autoscale would have to grow again and refuses to shrink",
            down.threshold.normalize(),
            projected.round_dp(1).normalize()
        ))
        .help(format!("write a shrinking threshold of at most {highest}, or a higher growing one"))
}

pub(crate) fn thresholds_cross(up: &Rule<'_>, down: &Rule<'_>) -> Diagnostic {
    new(
        Code::ThresholdsCross,
        "the pool would grow and shrink at the same load",
        down.condition.span,
        "shrinks below this",
    )
    .also(up.condition.span, "already grows at this")
    .help("choose a shrinking threshold well below the growing one")
}

pub(crate) fn rules_point_the_wrong_way(up: &Rule<'_>, down: &Rule<'_>) -> Diagnostic {
    let wrong = if matches!(up.condition.operator, ">" | ">=") { down } else { up };
    let what = if wrong.action.grows() { "grows when the load is low" } else { "shrinks when the load is high" };
    new(Code::RulesPointTheWrongWay, format!("this rule {what}"), wrong.condition.span, "compares the wrong way round")
        .help("turn the comparison round")
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
    new(Code::DifferentMetrics, "the pool grows and shrinks by different measures", down, "shrinks by this")
        .also(up, "grows by that")
        .note(format!("{up_metric} can be high while {down_metric} is low: the pool would go up and down for ever"))
        .help("use one metric in both directions")
}

pub(crate) fn idle_is_not_unused(span: Span) -> Diagnostic {
    new(
        Code::IdleIsNotUnused,
        "a machine with idle processors may hold somebody's session",
        span,
        "looks at processors only",
    )
    .note("a user who reads or waits uses no processor; the files on the share stay, running kernels do not")
    .help("let a schedule shrink the pool at night instead, or keep the rule if that is acceptable")
}

pub(crate) fn window_outside(window: i64, span: Span) -> Diagnostic {
    new(
        Code::WindowRefused,
        format!("autoscale does not look back {}", duration(window)),
        span,
        "outside of 5 min to 12 h",
    )
    .help("choose a window from 5 minutes to 12 hours")
}

pub(crate) fn window_not_whole(window: Seconds, grain: Seconds, span: Span) -> Diagnostic {
    new(Code::WindowRefused, format!("{window} is not a whole number of readings"), span, "cuts a reading in two")
        .note(format!("readings are {grain} apart"))
        .help("choose a window that is a multiple of `grain`")
}

pub(crate) fn cooldown_below_setup(cooldown: Seconds, span: Span, setup: SetupTime) -> Diagnostic {
    let takes = setup.takes;
    new(
        Code::CooldownBelowSetup,
        format!("the rule adds machines again after {cooldown}, before the first ones can work"),
        span,
        "shorter than the setup",
    )
    .also(setup.span, format!("a new machine needs {takes}"))
    .note("until then the load looks as if no machine had come, and the pool grows further than it must")
    .help(format!("write `cooldown {takes}`, or leave the cooldown out"))
}

pub(crate) fn metric_of_batch(name: &str, span: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("`{name}` exists in batch pools only"), span, "not a metric of a scale set")
        .help("use `cpu`, or the length of a queue")
}

pub(crate) fn metric_needs_agent(name: &str, span: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("nothing on the machines measures `{name}`"), span, "needs an agent")
        .note("Azure sees processors, network and disks of a machine from outside, not its memory")
        .help("use `cpu`, or let an agent of yours send the metric and name its resource with `of = …`")
}

pub(crate) fn metric_of_nothing(name: &str, span: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("`{name}` of what?"), span, "not a metric of a scale set")
        .help("name the resource that has it: `of = …` in the rule")
}

pub(crate) fn metric_of_burstable(name: &str, span: Span, at_size: Span) -> Diagnostic {
    new(Code::MetricUnavailable, format!("only burstable sizes have `{name}`"), span, "does not exist")
        .also(at_size, "not a burstable size")
        .help("use `cpu`")
}

pub(crate) fn unknown_host_metric(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    new(Code::MetricUnavailable, format!("scale sets have no metric `{name}`"), span, "not measured by Azure")
        .note(format!("they have: {}", known.join(", ")))
        .help("for a metric of another resource add `of = …`; for one that an agent sends add `namespace = …`")
}

pub(crate) fn threshold_unit(metric: &str, unit: &str, span: Span) -> Diagnostic {
    let example = match unit {
        "percent" => "75%",
        "bytes" => "100 MiB",
        "seconds" => "30 s",
        _ => "20",
    };
    new(Code::ThresholdUnit, format!("{metric} is not compared in this unit"), span, "another unit")
        .help(format!("write the threshold as, for instance, `{example}`"))
}

pub(crate) fn threshold_unreachable(span: Span) -> Diagnostic {
    new(Code::ThresholdUnit, "no percentage is below 0% or above 100%", span, "never reached")
        .help("choose a threshold from 0% to 100%")
}

pub(crate) fn rule_with_actions(count: usize, span: Span) -> Diagnostic {
    let title = if count == 0 { "the rule does nothing" } else { "the rule does several things" };
    new(Code::RuleWithoutAction, title, span, "needs exactly one action")
        .help("write one of `add 1`, `remove 1` and `set 3` in it")
}

pub(crate) fn set_outside(number: i64, span: Span, machines: Span) -> Diagnostic {
    new(Code::SetOutside, format!("{number} machines are outside of the pool's range"), span, "outside")
        .also(machines, "the range")
        .help("choose a number inside the range")
}

pub(crate) fn too_many_rules(count: usize, span: Span) -> Diagnostic {
    new(Code::TooManyProfiles, format!("{count} rules are more than a profile holds"), span, "at most 10")
        .help("keep the ten that matter")
}

pub(crate) fn too_many_profiles(count: usize, schedules: usize, twins: usize, span: Span) -> Diagnostic {
    new(Code::TooManyProfiles, format!("{count} profiles are more than an autoscale setting holds"), span, "at most 20")
        .note(format!("{schedules} schedules, {twins} returns to the default, and the default"))
        .help("join schedules with the same hours, or let one begin where another ends")
}

pub(crate) fn schedules_overlap(one: &Block, other: &Block, when: &str) -> Diagnostic {
    new(
        Code::SchedulesOverlap,
        format!("schedules `{}` and `{}` hold at the same time", one.name, other.name),
        one.name_span,
        format!("both on {when}").as_str(),
    )
    .also(other.name_span, "the other one")
    .note("Azure lets one profile hold at a time, and which one it takes is not said")
    .help("let one end where the other begins")
}

pub(crate) fn schedule_without_time(name: &str, span: Span) -> Diagnostic {
    new(Code::ScheduleRefused, format!("when does schedule `{name}` hold?"), span, "needs days or dates")
        .help("add `on mon..fri from 08:00 to 19:00`, or `from = 2026-12-24, until = 2027-01-02`")
}

pub(crate) fn schedule_without_length(span: Span) -> Diagnostic {
    new(Code::ScheduleRefused, "the schedule ends when it begins", span, "the same time")
        .help("write `from 00:00 to 24:00` for whole days, or another end")
}

pub(crate) fn schedule_twice(name: &str, span: Span) -> Diagnostic {
    new(Code::ScheduleRefused, format!("schedule `{name}` is there twice"), span, "the same name")
        .help("give it another name")
}

pub(crate) fn dates_refused(until: Span, from: Span) -> Diagnostic {
    new(Code::ScheduleRefused, "the dates are in the wrong order or more than a year apart", until, "ends here")
        .also(from, "begins here")
        .note("Azure takes spans of at most 365 days")
        .help("choose an end after the beginning, at most a year later")
}

pub(crate) fn schedule_outside_pool(name: &str, span: Span, machines: &Machines) -> Diagnostic {
    new(Code::ScheduleOutsidePool, format!("schedule `{name}` leaves the limits of the pool"), span, "beyond the pool")
        .also(machines.span, "the pool's range")
        .help("keep the schedule inside the pool's range, or widen the pool's")
}

pub(crate) fn unknown_timezone(name: &str, span: Span) -> Diagnostic {
    let known = crate::timezones();
    if let Some(same) = crate::timezone_of_iana(name) {
        return new(
            Code::UnknownTimezone,
            format!("`{name}` is not how Windows names this time zone"),
            span,
            "an IANA name",
        )
        .note("autoscale takes the names that Windows gives to time zones")
        .help(format!("write `\"{same}\"`"))
        .fix(format!("Write `{same}`"), vec![(span, format!("\"{same}\""))], Safety::NeedsReview);
    }
    let near = known.iter().min_by_key(|k| strsim::damerau_levenshtein(&k.to_lowercase(), &name.to_lowercase()));
    let found =
        new(Code::UnknownTimezone, format!("autoscale knows no time zone `{name}`"), span, "not a Windows time zone")
            .note("autoscale takes the names that Windows gives to time zones");
    match near {
        Some(near) => found.help(format!("import `std.timezones`, or write for instance `\"{near}\"`")),
        None => found.help("import `std.timezones` and choose one"),
    }
}

pub(crate) fn forecast_without_cpu_rule(span: Span) -> Diagnostic {
    new(Code::ForecastWithoutCpuRule, "the forecast has no rule to help", span, "forecasts processor use")
        .note("predictive autoscale works with a rule on the average of Percentage CPU that adds machines")
        .help("add, for instance, `when avg(cpu, 10 min) > 75% { add 1 }`")
}
