//! The autoscale policy of a pool: rules, schedules, forecasts. Each rule of Azure's engine is checked here or in
//! `thresholds.rs` and [`super::calendar`].

use super::hardware::SetupTime;
use super::{Context, Machines, calendar, diags, read, rules, thresholds};
use crate::units::{Seconds, WholePercent, bounds};
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::View;
use dsvm_sema::table::autoscale as rows;
use dsvm_sema::table::choices::ZoneName;
use dsvm_sema::table::pool::Pool;
use dsvm_sema::table::types::Late;
use dsvm_sema::table::words::{MetricUnit, Wake};
use dsvm_sema::value::{Condition, Days, Value};
use jiff::civil::Date;
use rust_decimal::Decimal;

pub use dsvm_sema::table::words::{Across, PredictMode};

/// A policy at work on one pool.
#[derive(Clone, Debug)]
pub struct Autoscale<'a> {
    /// The policy as written.
    pub view: View<'a, rows::Autoscale>,
    /// The block of the policy.
    pub block: &'a Block,
    /// Windows name of the time zone.
    pub timezone: &'a str,
    /// Whether it is at work.
    pub enabled: bool,
    /// Machines when metrics cannot be read.
    pub without_metrics: Option<&'a Value>,
    /// Rules that hold outside of schedules, and in those without rules of their own.
    pub rules: Vec<Rule<'a>>,
    /// No rule was refused: those that are there can be judged together.
    pub complete: bool,
    /// Other limits at certain times.
    pub schedules: Vec<Schedule<'a>>,
    /// Forecast: what it is used for, and how long before the load machines are started.
    pub predict: Option<(PredictMode, Seconds)>,
    /// Who hears of each change of the number of machines.
    pub notify: Option<View<'a, rows::Notify>>,
}

/// When it acts and what it does.
#[derive(Clone, Debug)]
pub struct Rule<'a> {
    /// The `when` block that says it.
    pub block: &'a Block,
    /// What must be seen.
    pub condition: &'a Condition,
    /// The metric that is compared with the threshold.
    pub metric: Metric<'a>,
    /// Threshold as the engine compares it.
    pub threshold: Decimal,
    /// What happens when the condition holds.
    pub action: Action,
    /// Time over which the metric is aggregated.
    pub window: Seconds,
    /// Rest before the policy acts again.
    pub cooldown: Seconds,
    /// How the values of the machines become one.
    pub across: Across,
    /// Step between two readings of the metric.
    pub grain: Seconds,
    /// Divide by the number of machines.
    pub per_machine: bool,
    /// Whose metric, when not the pool's.
    pub of: Option<&'a Value>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// So many machines are added.
    Add(i64),
    /// So many percent of the machines are added.
    AddPercent(WholePercent),
    /// So many machines are removed.
    Remove(i64),
    /// So many percent of the machines are removed.
    RemovePercent(WholePercent),
    /// The pool gets exactly so many machines.
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

/// A metric that Azure Monitor has for a resource.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// Name as Azure Monitor spells it.
    pub name: &'a str,
    /// Namespace, if it has one.
    pub namespace: Option<&'a str>,
    /// More machines lower it.
    pub ratio: bool,
    /// There are values also while the pool has no machines.
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
    /// The `schedule` block that says it.
    pub block: &'a Block,
    /// Fewest and most machines while it holds.
    pub machines: Machines,
    /// When it holds, week by week or between dates.
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
        /// First minute, counted from midnight.
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
    pool: View<'a, Pool>,
    machines: &Machines,
    setup: Option<SetupTime>,
    sink: &mut Sink,
) -> Option<Autoscale<'a>> {
    let inline = pool.own_autoscale();
    let named = pool.autoscale().map(|policy| cx.checked.view(policy));
    let Some(view) = inline.or(named) else {
        if machines.ranged && machines.least() != machines.most() {
            sink.push(diags::range_without_autoscale(pool.block(), machines.span));
        }
        return None;
    };
    if let (Some(inline), Some(_)) = (inline, named) {
        sink.push(diags::two_policies(inline.block().span, pool.fields().autoscale().span()));
    }
    if !machines.ranged {
        sink.push(diags::autoscale_without_range(view.block().name_span, machines));
    }
    let timezone = timezone(cx, view, sink)?;
    let of = view.of().map(Late::value);
    let block = view.block();
    let (own_rules, complete) = rules::rules(cx, pool, block, machines, of, sink);
    let shared = inline.is_none();
    let mut policy = Autoscale {
        view,
        block,
        timezone,
        enabled: view.enabled(),
        without_metrics: view.without_metrics().map(Late::value),
        rules: own_rules,
        complete,
        schedules: schedules(cx, pool, (view, shared), machines, sink),
        predict: predict(view, sink),
        notify: view.notify(),
    };
    if let Some(setup) = setup {
        rest_for_setup(&mut policy, setup, !shared, sink);
    }
    thresholds::check(pool, &policy, machines, sink);
    calendar::check(&policy, sink);
    check_zero(&policy, machines, sink);
    check_forecast(&policy, sink);
    Some(policy)
}

/// The Windows name of the policy's time zone; nothing after a report only.
fn timezone<'a>(cx: Context<'a, '_>, policy: View<'a, rows::Autoscale>, sink: &mut Sink) -> Option<&'a str> {
    match policy.timezone() {
        ZoneName::Timezone(zone) => cx.checked.view(zone).name(),
        ZoneName::Name(name) => {
            if !calendar::windows_time_zones().contains(&name) {
                sink.push(diags::unknown_timezone(name, policy.fields().timezone().span()));
            }
            Some(name)
        }
    }
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
        let written = View::<rows::When>::new(rule.block).and_then(View::cooldown);
        match written.filter(|_| own) {
            Some(written) => {
                sink.push(diags::cooldown_below_setup(rule.cooldown, written.fields().time().span(), setup));
            }
            None => rule.cooldown = setup.takes,
        }
    }
}

fn predict(policy: View<'_, rows::Autoscale>, sink: &mut Sink) -> Option<(PredictMode, Seconds)> {
    let predict = policy.predict()?;
    Some((predict.mode(), bounds::AHEAD.hold(predict.ahead(), predict.fields().ahead(), sink)))
}

fn check_forecast(policy: &Autoscale<'_>, sink: &mut Sink) {
    let Some(predict) = policy.view.predict() else { return };
    let fits = policy
        .rules
        .iter()
        .any(|r| r.action.grows() && r.metric.name == "Percentage CPU" && r.across == Across::Average);
    if !fits {
        sink.push(diags::forecast_without_cpu_rule(predict.block().span));
    }
}

/// A pool at zero machines needs something that brings it back, and must not bounce.
fn check_zero(policy: &Autoscale<'_>, machines: &Machines, sink: &mut Sink) {
    let without = policy.without_metrics.and_then(read::as_int);
    let span = policy.view.fields().without_metrics().span();
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
    let by_hand = match policy.view.wake() {
        Some(Wake::Manual) => true,
        Some(Wake::Schedule | Wake::Metric) | None => false,
    };
    if !by_metric && !by_schedule && !by_hand {
        let rule = all_rules().find(|r| r.action.grows()).map(|r| (r.condition.span, r.metric.name));
        sink.push(diags::zero_without_wake(machines.span, rule));
    }
}

fn schedules<'a>(
    cx: Context<'a, '_>,
    pool: View<'a, Pool>,
    (policy, shared): (View<'a, rows::Autoscale>, bool),
    machines: &Machines,
    sink: &mut Sink,
) -> Vec<Schedule<'a>> {
    let mut found: Vec<Schedule<'a>> = Vec::new();
    for view in policy.schedules() {
        let (child, fields) = (view.block(), view.fields());
        let Some(mut limits) = Machines::of(fields.machines()) else { continue };
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
        let time = match (view.on(), view.from(), view.until()) {
            (Some(on), None, None) => {
                let time = weekly(on);
                if matches!(time, Some(Time::Weekly { from, to, .. }) if from == to) {
                    sink.push(diags::schedule_without_length(on.fields().to().span()));
                }
                time
            }
            (None, Some(from), Some(until)) => {
                if until < from || from.until(until).is_ok_and(|span| span.get_days() > 364) {
                    sink.push(diags::dates_refused(fields.until().span(), fields.from().span()));
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
        let (rules, complete) = rules::rules(cx, pool, child, &limits, policy.of().map(Late::value), sink);
        found.push(Schedule { block: child, machines: limits, time, rules, complete });
    }
    found
}

fn weekly(on: View<'_, rows::On>) -> Option<Time> {
    Some(Time::Weekly { days: on.days()?, from: on.from(), to: on.to() })
}
