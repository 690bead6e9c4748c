//! The autoscale policy of a pool: rules, schedules, forecasts. Each rule of Azure's engine is checked here or in
//! [`super::thresholds`] and [`super::calendar`].

use super::hardware::SetupTime;
use super::{Context, Machines, calendar, diags, read, rules, thresholds};
use crate::units::{MINUTE, Seconds, WholePercent, bounds};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::table::words::MetricUnit;
use dsvm_sema::value::{Condition, Days, Value};
use jiff::civil::Date;
use rust_decimal::Decimal;

pub use dsvm_sema::table::words::Across;

/// A policy at work on one pool.
#[derive(Clone, Debug)]
pub struct Autoscale<'a> {
    /// The policy's block.
    pub block: &'a Block,
    /// Windows name of the time zone.
    pub timezone: &'a str,
    /// At work.
    pub enabled: bool,
    /// Machines when metrics cannot be read.
    pub without_metrics: Option<&'a Value>,
    /// Rules that hold outside of schedules, and in those without rules of their own.
    pub rules: Vec<Rule<'a>>,
    /// No rule was refused: those that are there can be judged together.
    pub complete: bool,
    /// Other limits at certain times.
    pub schedules: Vec<Schedule<'a>>,
    /// Forecast: act on it, and how far ahead.
    pub predict: Option<(bool, Seconds)>,
    /// Who hears of changes.
    pub notify: Option<&'a Block>,
}

/// When it acts and what it does.
#[derive(Clone, Debug)]
pub struct Rule<'a> {
    /// Its block.
    pub block: &'a Block,
    /// What must be seen.
    pub condition: &'a Condition,
    /// What is measured.
    pub metric: Metric<'a>,
    /// Threshold as the engine compares it.
    pub threshold: Decimal,
    /// What happens.
    pub action: Action,
    /// Time over which the metric is aggregated.
    pub window: Seconds,
    /// Rest afterwards.
    pub cooldown: Seconds,
    /// How the values of the machines become one.
    pub across: Across,
    /// Step between readings.
    pub grain: Seconds,
    /// Divide by the number of machines.
    pub per_machine: bool,
    /// Whose metric, when not the pool's.
    pub of: Option<&'a Value>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// More machines.
    Add(i64),
    /// More machines, percent.
    AddPercent(WholePercent),
    /// Fewer machines.
    Remove(i64),
    /// Fewer machines, percent.
    RemovePercent(WholePercent),
    /// Exactly so many.
    Set(i64),
}

impl Action {
    /// It makes the pool larger, as far as can be said.
    #[must_use]
    pub fn grows(self) -> bool {
        matches!(self, Self::Add(_) | Self::AddPercent(_))
    }

    /// It makes the pool smaller.
    #[must_use]
    pub fn shrinks(self) -> bool {
        matches!(self, Self::Remove(_) | Self::RemovePercent(_))
    }
}

/// A measurement.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// Name as Azure Monitor spells it.
    pub name: &'a str,
    /// Namespace, if it has one.
    pub namespace: Option<&'a str>,
    /// More machines lower it.
    pub ratio: bool,
    /// Exists without machines.
    pub at_zero: bool,
    /// Unit of its values; unknown for metrics by name.
    pub unit: Option<MetricUnit>,
}

/// Metrics that Azure gives of every scale set.
pub(super) const HOST_METRICS: &[&str] = &[
    "Percentage CPU",
    "Network In Total",
    "Network Out Total",
    "Network In",
    "Network Out",
    "Disk Read Bytes",
    "Disk Write Bytes",
    "Disk Read Operations/Sec",
    "Disk Write Operations/Sec",
    "CPU Credits Remaining",
    "CPU Credits Consumed",
];

/// Other limits at certain times.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    /// Its block.
    pub block: &'a Block,
    /// Fewest and most.
    pub machines: Machines,
    /// When.
    pub time: Time,
    /// Rules of its own; empty: those of the policy.
    pub rules: Vec<Rule<'a>>,
    /// No rule was refused.
    pub complete: bool,
}

/// When a schedule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Each week: days of the start, minutes of start and end after midnight.
    Weekly {
        /// Days on which it starts.
        days: Days,
        /// Start.
        from: u16,
        /// End; at or before the start means the next day.
        to: u16,
    },
    /// First and last day.
    Dates(Date, Date),
}

/// Reads and checks the policy of a pool.
pub(crate) fn read<'a>(
    cx: Context<'a, '_>,
    pool: &'a Block,
    machines: &Machines,
    setup: Option<SetupTime>,
    sink: &mut Sink,
) -> Option<Autoscale<'a>> {
    let inline = read::child(pool, BlockKind::Autoscale);
    let named = read::referred(cx.checked, pool, "autoscale").map(|(_, block)| block);
    let Some(block) = inline.or(named) else {
        if machines.ranged && machines.least() != machines.most() {
            sink.push(diags::range_without_autoscale(pool, machines.span));
        }
        return None;
    };
    if let (Some(inline), Some(_)) = (inline, named) {
        sink.push(diags::two_policies(inline.span, pool.span_of("autoscale")));
    }
    if !machines.ranged {
        sink.push(diags::autoscale_without_range(block.name_span, machines));
    }
    let timezone = match block.get("timezone") {
        Some(Value::Ref(id)) => read::text(&cx.checked[*id], "name").unwrap_or("UTC"),
        Some(Value::String(name)) => {
            let known = calendar::windows_time_zones();
            if !known.contains(&name.as_ref()) {
                sink.push(diags::unknown_timezone(name, block.span_of("timezone")));
            }
            name
        }
        _ => "UTC",
    };
    let (own_rules, complete) = rules::rules(cx, pool, block, machines, read::late(block, "of"), sink);
    let mut policy = Autoscale {
        block,
        timezone,
        enabled: read::flag(block, "enabled", true),
        without_metrics: read::late(block, "without_metrics"),
        rules: own_rules,
        complete,
        schedules: schedules(cx, pool, block, machines, sink),
        predict: predict(block, sink),
        notify: read::child(block, BlockKind::Notify),
    };
    if let Some(setup) = setup {
        rest_for_setup(&mut policy, setup, inline.is_some(), sink);
    }
    thresholds::check(&policy, machines, sink);
    calendar::check(&policy, sink);
    check_zero(&policy, machines, sink);
    check_forecast(&policy, sink);
    Some(policy)
}

/// A machine that is still set up takes no load: a rule that acts again before it can adds machines that nobody needs.
/// Rules without a cooldown of their own rest as long as the setup takes, and so do those of a policy that was written
/// for many pools; for others it is told.
fn rest_for_setup(policy: &mut Autoscale<'_>, setup: SetupTime, own: bool, sink: &mut Sink) {
    let schedules = policy.schedules.iter_mut().flat_map(|schedule| schedule.rules.iter_mut());
    for rule in policy.rules.iter_mut().chain(schedules).filter(|rule| !rule.action.shrinks()) {
        if rule.cooldown >= setup.takes {
            continue;
        }
        match read::child(rule.block, BlockKind::Cooldown).filter(|_| own) {
            Some(written) => {
                sink.push(diags::cooldown_below_setup(rule.cooldown, written.span_of("time"), setup));
            }
            None => rule.cooldown = setup.takes,
        }
    }
}

fn predict(block: &Block, sink: &mut Sink) -> Option<(bool, Seconds)> {
    let predict = read::child(block, BlockKind::Predict)?;
    let ahead = bounds::AHEAD.read(predict, "ahead", sink);
    Some((read::text(predict, "mode") == Some("on"), ahead.unwrap_or_else(|| bounds::AHEAD.nearest(10 * MINUTE))))
}

fn check_forecast(policy: &Autoscale<'_>, sink: &mut Sink) {
    let Some(predict) = read::child(policy.block, BlockKind::Predict) else { return };
    let fits = policy
        .rules
        .iter()
        .any(|r| r.action.grows() && r.metric.name == "Percentage CPU" && r.across == Across::Average);
    if !fits {
        sink.push(diags::forecast_without_cpu_rule(predict.span));
    }
}

/// A pool at zero machines needs something that brings it back, and must not bounce.
fn check_zero(policy: &Autoscale<'_>, machines: &Machines, sink: &mut Sink) {
    let without = policy.without_metrics.and_then(read::as_int);
    let span = policy.block.span_of("without_metrics");
    if let Some(without) = without {
        let below = machines.least().is_some_and(|n| without < n);
        let above = machines.most().is_some_and(|n| without > n);
        if below || above {
            sink.push(diags::without_metrics_outside(without, span, machines.span));
            return;
        }
    }
    if machines.least() != Some(0) {
        return;
    }
    if without.is_some_and(|n| n > 0) {
        sink.push(diags::zero_bounces(without.unwrap_or(0), span, machines.span));
    }
    let all_rules = || policy.rules.iter().chain(policy.schedules.iter().flat_map(|s| s.rules.iter()));
    let by_metric = all_rules().any(|r| !r.action.shrinks() && (r.metric.at_zero || r.of.is_some()));
    let by_schedule = policy.schedules.iter().any(|s| s.machines.least().is_none_or(|n| n > 0));
    let by_hand = read::text(policy.block, "wake") == Some("manual");
    if !by_metric && !by_schedule && !by_hand {
        let rule = all_rules().find(|r| r.action.grows()).map(|r| (r.condition.span, r.metric.name));
        sink.push(diags::zero_without_wake(machines.span, rule));
    }
}

fn schedules<'a>(
    cx: Context<'a, '_>,
    pool: &'a Block,
    block: &'a Block,
    machines: &Machines,
    sink: &mut Sink,
) -> Vec<Schedule<'a>> {
    let shared = read::child(pool, BlockKind::Autoscale).is_none();
    let mut found: Vec<Schedule<'a>> = Vec::new();
    for child in block.children(BlockKind::Schedule) {
        let Some(mut limits) = Machines::read(child, "machines") else { continue };
        // A policy that pools share is written without knowing them: each pool takes the part that it can have.
        if shared {
            limits = limits.cut_to(machines);
        }
        if let (Some(least), Some(most)) = (limits.least(), limits.most())
            && least > most
        {
            sink.push(diags::range_inverted(least, most, limits.span));
        }
        let upright = machines.least().zip(machines.most()).is_none_or(|(least, most)| least <= most);
        let beyond = limits.most().zip(machines.most()).is_some_and(|(inner, outer)| inner > outer)
            || limits.least().zip(machines.least()).is_some_and(|(inner, outer)| inner < outer);
        if beyond && upright {
            sink.push(diags::schedule_outside_pool(&child.name, limits.span, machines));
        }
        let date = |field: &str| match child.get(field) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        };
        let on = read::child(child, BlockKind::On);
        let time = match (on, date("from"), date("until")) {
            (Some(on), None, None) => {
                let time = weekly(on);
                if matches!(time, Some(Time::Weekly { from, to, .. }) if from == to) {
                    sink.push(diags::schedule_without_length(on.span_of("to")));
                }
                time
            }
            (None, Some(from), Some(until)) => {
                if until < from || from.until(until).is_ok_and(|span| span.get_days() > 364) {
                    sink.push(diags::dates_refused(child.span_of("until"), child.span_of("from")));
                }
                Some(Time::Dates(from, until))
            }
            _ => {
                sink.push(diags::schedule_without_time(&child.name, child.name_span));
                None
            }
        };
        if found.iter().any(|s| s.block.name == child.name) {
            sink.push(diags::schedule_twice(&child.name, child.name_span));
        }
        let Some(time) = time else { continue };
        let (rules, complete) = rules::rules(cx, pool, child, &limits, read::late(block, "of"), sink);
        found.push(Schedule { block: child, machines: limits, time, rules, complete });
    }
    found
}

fn weekly(on: &Block) -> Option<Time> {
    let time = |field: &str, default: u16| match on.get(field) {
        Some(Value::Time(minutes)) => *minutes,
        _ => default,
    };
    match on.get("days") {
        Some(Value::Days(days)) => Some(Time::Weekly { days: *days, from: time("from", 0), to: time("to", 24 * 60) }),
        _ => None,
    }
}
