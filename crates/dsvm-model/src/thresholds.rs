//! Whether rules pull against each other: a pool that can never shrink, or that goes up and down for ever.
//!
//! Before the engine removes k of n machines it projects an average m to n·m/(n−k) and refuses when that would make the
//! pool grow again. A pair of rules is sound when the projection stays below the growing threshold for every n at which
//! machines can be removed; the smallest such n is the hardest.

use super::autoscale::{Across, Action, Autoscale, Rule};
use super::{Machines, diags};
use dsvm_diagnostics::Sink;
use dsvm_sema::value::Comparison;
use rust_decimal::Decimal;

/// Checks the rules of the policy and of each schedule with rules of its own.
pub(crate) fn check(policy: &Autoscale<'_>, machines: &Machines, sink: &mut Sink) {
    if policy.complete {
        check_set(&policy.rules, machines, sink);
    }
    for schedule in policy.schedules.iter().filter(|s| s.complete) {
        check_set(&schedule.rules, &schedule.machines, sink);
    }
    if !policy.rules.is_empty() && policy.schedules.is_empty() {
        check_sessions(&policy.rules, sink);
    }
}

/// Rules that look at processors only think that a waiting user is none.
fn check_sessions(rules: &[Rule<'_>], sink: &mut Sink) {
    let mut shrinking = rules.iter().filter(|r| r.action.shrinks()).peekable();
    let Some(first) = shrinking.peek().map(|r| r.block.span) else { return };
    if shrinking.all(|r| r.metric.name == "Percentage CPU") {
        sink.push(diags::idle_is_not_unused(first));
    }
}

fn check_set(rules: &[Rule<'_>], machines: &Machines, sink: &mut Sink) {
    let growing: Vec<&Rule<'_>> = rules.iter().filter(|r| r.action.grows()).collect();
    let shrinking: Vec<&Rule<'_>> = rules.iter().filter(|r| r.action.shrinks()).collect();
    let sets = rules.iter().any(|r| matches!(r.action, Action::Set(_)));
    match (growing.first(), shrinking.first()) {
        (Some(rule), None) if !sets => sink.push(diags::never_shrinks(rule.block.span)),
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
    let before = fewest + step;
    if machines.most().is_some_and(|most| before > most) {
        return;
    }
    let projected = low * Decimal::from(before) / Decimal::from(fewest);
    let reaches = projected > high || (projected == high && down.condition.operator == Comparison::LessOrEqual);
    if reaches {
        let highest = high * Decimal::from(fewest) / Decimal::from(before);
        sink.push(diags::thresholds_flap(up, down, before, fewest, projected, highest.floor()));
    }
}
