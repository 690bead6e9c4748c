//! Whether rules pull against each other: a pool that can never shrink, or that goes up and down for ever.
//!
//! Before the engine removes k of n machines it projects an average m to n·m/(n−k) and refuses when that would make the
//! pool grow again. A pair of rules is sound when the projection stays below the growing threshold for every n at which
//! machines can be removed; the smallest such n is the hardest.

use super::autoscale::{Across, Action, Autoscale, Rule};
use super::{Machines, diags};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::View;
use dsvm_sema::table::pool::Pool;
use dsvm_sema::table::words::Shrink;
use dsvm_sema::value::Comparison;
use rust_decimal::Decimal;

/// Checks the rules of the policy and of each schedule with rules of its own.
pub(crate) fn check(pool: View<'_, Pool>, policy: &Autoscale<'_>, machines: &Machines, sink: &mut Sink) {
    let by_hand = match policy.view.shrink() {
        Some(Shrink::Manual) => true,
        None => false,
    };
    if policy.complete {
        check_set(&policy.rules, machines, by_hand, sink);
    }
    for schedule in policy.schedules.iter().filter(|s| s.complete) {
        check_set(&schedule.rules, &schedule.machines, by_hand, sink);
    }
    let named = pool.fields().autoscale().span();
    let named = pool.own_autoscale().is_none().then_some(named);
    check_sessions(policy, named, sink);
    check_windows(policy, machines, named, sink);
}

/// Rules on what Azure measures of a machine from outside take a waiting user for none.
fn check_sessions(policy: &Autoscale<'_>, named: Option<Span>, sink: &mut Sink) {
    let mut rules = policy.rules.iter().chain(policy.schedules.iter().flat_map(|schedule| &schedule.rules));
    let blind = |rule: &&Rule<'_>| rule.action.shrinks() && rule.of.is_none() && rule.metric.namespace.is_none();
    if let Some(rule) = rules.find(blind) {
        sink.push(diags::idle_is_not_unused(rule.block.span, rule.metric.name, named));
    }
}

/// A schedule with a lower maximum than the pool removes machines when it starts.
fn check_windows(policy: &Autoscale<'_>, machines: &Machines, named: Option<Span>, sink: &mut Sink) {
    let lower = policy.schedules.iter().filter_map(|schedule| {
        let (most, above) = (schedule.machines.most()?, machines.most()?);
        (most < above).then_some((schedule, most, above))
    });
    for (schedule, most, above) in lower {
        let limits = schedule.machines.span;
        sink.push(diags::schedules_remove_machines(&schedule.block.name, (most, above), limits, named));
    }
}

fn check_set(rules: &[Rule<'_>], machines: &Machines, by_hand: bool, sink: &mut Sink) {
    let growing: Vec<&Rule<'_>> = rules.iter().filter(|r| r.action.grows()).collect();
    let shrinking: Vec<&Rule<'_>> = rules.iter().filter(|r| r.action.shrinks()).collect();
    let sets = rules.iter().any(|r| matches!(r.action, Action::Set(_)));
    match (growing.first(), shrinking.first()) {
        (Some(rule), None) if !sets && !by_hand => sink.push(diags::never_shrinks(rule.block.span)),
        (None, Some(rule)) if !sets => sink.push(diags::never_grows(rule.block.span)),
        (Some(up), Some(down)) if !growing.iter().any(|g| shrinking.iter().any(|s| same(g, s))) => {
            sink.push(diags::different_metrics(
                up.condition.span,
                down.condition.span,
                up.metric.name,
                down.metric.name,
            ));
        }
        _ => {}
    }
    for up in &growing {
        for down in shrinking.iter().filter(|d| same(up, d)) {
            check_pair(up, down, machines, sink);
        }
    }
}

fn same(a: &Rule<'_>, b: &Rule<'_>) -> bool {
    a.metric.name == b.metric.name && a.of == b.of && a.across == b.across && a.per_machine == b.per_machine
}

fn check_pair(up: &Rule<'_>, down: &Rule<'_>, machines: &Machines, sink: &mut Sink) {
    let (high, low) = (up.threshold, down.threshold);
    let pair_makes_sense = up.condition.operator.upward() && down.condition.operator.downward();
    if !pair_makes_sense {
        sink.push(diags::rules_point_the_wrong_way(up, down));
        return;
    }
    if low >= high {
        sink.push(diags::thresholds_cross(up, down));
        return;
    }
    let spread = up.metric.ratio && (up.across == Across::Average || up.per_machine);
    let Some(least) = machines.least() else { return };
    let Action::Remove(step) = down.action else { return };
    if !spread {
        return;
    }
    let fewest = least.max(1);
    // Numbers that no pool has are told elsewhere; nothing is computed with them.
    let Some(before) = fewest.checked_add(step) else { return };
    if machines.most().is_some_and(|most| before > most) {
        return;
    }
    let (all, left) = (Decimal::from(before), Decimal::from(fewest));
    let times = |value: Decimal, by: Decimal, over: Decimal| value.checked_mul(by)?.checked_div(over);
    let Some(projected) = times(low, all, left) else { return };
    let reaches = projected > high || (projected == high && down.condition.operator == Comparison::LessOrEqual);
    if reaches {
        let Some(highest) = times(high, left, all) else { return };
        sink.push(diags::thresholds_flap(up, down, before, fewest, projected, highest.floor()));
    }
}
