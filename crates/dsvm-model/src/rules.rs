//! Rules of autoscale: what must be seen, and what then happens.

use super::autoscale::{Action, HOST_METRICS, Metric, Rule};
use super::{Context, Machines, diags, read};
use crate::facts::Size;
use crate::units::{MINUTE, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use dsvm_sema::table::choices::StepSize;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::words::{Measured, MetricKind, MetricUnit};
use dsvm_sema::table::{autoscale as rows, facts, pool};
use dsvm_sema::value::{Condition, Value};
use rust_decimal::Decimal;

/// The rules of a block, and whether all of them were taken.
pub(super) fn rules<'a>(
    cx: Context<'a, '_>,
    pool: View<'a, pool::Pool>,
    block: &'a Block,
    machines: &Machines,
    of: Option<&'a Value>,
    sink: &mut Sink,
) -> (Vec<Rule<'a>>, bool) {
    let written: Vec<View<'a, rows::When>> = block.children.iter().filter_map(View::new).collect();
    let rules: Vec<Rule<'a>> = written.iter().filter_map(|when| rule(cx, pool, *when, machines, of, sink)).collect();
    if rules.len() > 10 {
        sink.push(diags::too_many_rules(rules.len(), block.name_span));
    }
    let complete = rules.len() == written.len();
    (rules, complete)
}

fn rule<'a>(
    cx: Context<'a, '_>,
    pool: View<'a, pool::Pool>,
    when: View<'a, rows::When>,
    machines: &Machines,
    of: Option<&'a Value>,
    sink: &mut Sink,
) -> Option<Rule<'a>> {
    let fields = when.fields();
    let condition = when.condition()?;
    // What the policy measures is meant by rules whose metric is not the pool's own.
    let foreign = fact(cx, condition).is_some_and(|fact| fact.of() != Measured::ScaleSet);
    let of = read::present(fields.of()).or(of.filter(|_| foreign));
    let metric = metric(cx, pool, when, condition, of, sink)?;
    let threshold = threshold(&metric, &condition.threshold, condition.span, sink)?;
    let action = action(when, machines, sink)?;
    let seconds = condition.window_seconds;
    let grain = bounds::GRAIN.hold(when.grain(), fields.grain(), sink);
    let window = bounds::WINDOW.take(seconds).unwrap_or_else(|_| {
        sink.push(diags::window_outside(seconds, condition.span));
        bounds::WINDOW.nearest(seconds)
    });
    if window.get() == seconds && seconds % grain.get() != 0 {
        sink.push(diags::window_not_whole(window, grain, condition.span));
    }
    let cooldown = when.cooldown().and_then(|rest| bounds::COOLDOWN.check(rest.time()?, rest.fields().time(), sink));
    Some(Rule {
        block: when.block(),
        condition,
        metric,
        threshold,
        action,
        window,
        cooldown: cooldown.unwrap_or_else(|| bounds::COOLDOWN.nearest(5 * MINUTE)),
        across: when.across(),
        grain,
        per_machine: when.per_machine(),
        of,
    })
}

/// The metric of a condition, where it is a fact of the library or of the project.
fn fact<'a>(cx: Context<'a, '_>, condition: &Condition) -> Option<View<'a, facts::Metric>> {
    match condition.metric {
        Value::Ref(id) => View::new(&cx.checked[id]),
        _ => None,
    }
}

fn metric<'a>(
    cx: Context<'a, '_>,
    pool: View<'a, pool::Pool>,
    when: View<'a, rows::When>,
    condition: &'a Condition,
    of: Option<&Value>,
    sink: &mut Sink,
) -> Option<Metric<'a>> {
    if let Some(fact) = fact(cx, condition) {
        let foreign = match fact.of() {
            Measured::BatchPool => {
                sink.push(diags::metric_of_batch(&fact.block().name, condition.span));
                return None;
            }
            Measured::ScaleSet => false,
            Measured::StorageQueue | Measured::ServiceBusQueue | Measured::Other => true,
        };
        return known_metric(cx, pool, fact, foreign, condition.span, of, sink);
    }
    match &condition.metric {
        Value::String(name) => {
            let namespace = when.namespace();
            if of.is_none() && namespace.is_none() && !HOST_METRICS.contains(&name.as_ref()) {
                sink.push(diags::unknown_host_metric(name, condition.span, HOST_METRICS));
                return None;
            }
            Some(Metric {
                name,
                namespace,
                ratio: of.is_none() && name.as_ref() == "Percentage CPU",
                at_zero: of.is_some(),
                unit: None,
            })
        }
        _ => None,
    }
}

/// A metric of the library or of the project, where the pool has it.
fn known_metric<'a>(
    cx: Context<'a, '_>,
    pool: View<'a, pool::Pool>,
    fact: View<'a, facts::Metric>,
    foreign: bool,
    span: Span,
    of: Option<&Value>,
    sink: &mut Sink,
) -> Option<Metric<'a>> {
    let name = fact.name()?;
    let word = &fact.block().name;
    if fact.agent() && of.is_none() {
        sink.push(diags::metric_needs_agent(word, span));
        return None;
    }
    if foreign && of.is_none() {
        sink.push(diags::metric_of_nothing(word, span));
        return None;
    }
    if fact.burstable_only()
        && let Some(sizes) = pool.size()
        && !sizes.iter().all(|size| Size(cx.checked.view(size)).burstable())
    {
        sink.push(diags::metric_of_burstable(word, span, pool.fields().size().span()));
        return None;
    }
    Some(Metric {
        name,
        namespace: fact.namespace(),
        ratio: fact.kind() != Some(MetricKind::Absolute) && !foreign,
        at_zero: fact.at_zero(),
        unit: fact.unit(),
    })
}

/// The threshold as the engine compares it, in the unit of the metric.
fn threshold(metric: &Metric<'_>, value: &Value, span: Span, sink: &mut Sink) -> Option<Decimal> {
    let (number, unit) = match value {
        Value::Percent(p) => (*p, MetricUnit::Percent),
        Value::Int(n) => (Decimal::from(*n), MetricUnit::Count),
        Value::Decimal(d) => (*d, MetricUnit::Count),
        Value::Size(bytes) => (Decimal::from(*bytes), MetricUnit::Bytes),
        Value::Duration(seconds) => (Decimal::from(*seconds), MetricUnit::Seconds),
        _ => return None,
    };
    if let Some(wanted) = metric.unit {
        let written = match wanted {
            MetricUnit::Percent | MetricUnit::Bytes | MetricUnit::Seconds | MetricUnit::Count => wanted,
            MetricUnit::PerSecond | MetricUnit::Credits => MetricUnit::Count,
        };
        if unit != written {
            sink.push(diags::threshold_unit(metric.name, wanted, span));
            return None;
        }
    }
    if unit == MetricUnit::Percent && !(Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&number) {
        sink.push(diags::threshold_unreachable(span));
        return None;
    }
    Some(number)
}

fn action(when: View<'_, rows::When>, machines: &Machines, sink: &mut Sink) -> Option<Action> {
    let (add, remove, set) = (when.add(), when.remove(), when.set());
    match (add, remove, set) {
        (Some(add), None, None) => match add.by()? {
            StepSize::Machines(number) => Some(Action::Add(number)),
            StepSize::Percent(part) => bounds::CHANGE.check(part, add.fields().by(), sink).map(Action::AddPercent),
        },
        (None, Some(remove), None) => match remove.by()? {
            StepSize::Machines(number) => Some(Action::Remove(number)),
            StepSize::Percent(part) => {
                bounds::CHANGE.check(part, remove.fields().by(), sink).map(Action::RemovePercent)
            }
        },
        (None, None, Some(set)) => {
            let number = set.to()?;
            let below = machines.least().is_some_and(|least| number < least);
            let above = machines.most().is_some_and(|most| number > most);
            if below || above {
                sink.push(diags::set_outside(number, set.fields().to().span(), machines.span));
            }
            Some(Action::Set(number))
        }
        _ => {
            let written = [add.is_some(), remove.is_some(), set.is_some()].into_iter().filter(|one| *one).count();
            sink.push(diags::rule_with_actions(written, when.block().span));
            None
        }
    }
}
