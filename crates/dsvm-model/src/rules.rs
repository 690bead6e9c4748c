//! Rules of autoscale: what must be seen, and what then happens.

use super::autoscale::{Action, HOST_METRICS, Metric, Rule};
use super::{Context, Machines, diags, read};
use crate::units::{MINUTE, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{Condition, Value};
use rust_decimal::Decimal;

/// The rules of a block, and whether all of them were taken.
pub(super) fn rules<'a>(
    cx: Context<'a, '_>,
    pool: &'a Block,
    block: &'a Block,
    machines: &Machines,
    of: Option<&'a Value>,
    sink: &mut Sink,
) -> (Vec<Rule<'a>>, bool) {
    let written = block.children(BlockKind::When).count();
    let rules: Vec<Rule<'a>> =
        block.children(BlockKind::When).filter_map(|when| rule(cx, pool, when, machines, of, sink)).collect();
    if rules.len() > 10 {
        sink.push(diags::too_many_rules(rules.len(), block.name_span));
    }
    let complete = rules.len() == written;
    (rules, complete)
}

fn rule<'a>(
    cx: Context<'a, '_>,
    pool: &'a Block,
    when: &'a Block,
    machines: &Machines,
    of: Option<&'a Value>,
    sink: &mut Sink,
) -> Option<Rule<'a>> {
    let Some(Value::Condition(condition)) = when.get("condition") else { return None };
    // What the policy measures is meant by rules whose metric is not the pool's own.
    let foreign = match &condition.metric {
        Value::Ref(id) => !matches!(read::text(&cx.checked[*id], "of"), Some("scale_set") | None),
        _ => false,
    };
    let of = read::late(when, "of").or(of.filter(|_| foreign));
    let metric = metric(cx, pool, when, condition, of, sink)?;
    let threshold = threshold(&metric, &condition.threshold, condition.span, sink)?;
    let action = action(when, machines, sink)?;
    let seconds = condition.window_seconds;
    let grain = bounds::GRAIN.read(when, "grain", sink).unwrap_or_else(|| bounds::GRAIN.nearest(MINUTE));
    let window = bounds::WINDOW.take(seconds).unwrap_or_else(|_| {
        sink.push(diags::window_outside(seconds, condition.span));
        bounds::WINDOW.nearest(seconds)
    });
    if window.get() == seconds && seconds % grain.get() != 0 {
        sink.push(diags::window_not_whole(window, grain, condition.span));
    }
    let cooldown = match read::child(when, BlockKind::Cooldown) {
        Some(rest) => bounds::COOLDOWN.read(rest, "time", sink),
        None => None,
    };
    Some(Rule {
        block: when,
        condition,
        metric,
        threshold,
        action,
        window,
        cooldown: cooldown.unwrap_or_else(|| bounds::COOLDOWN.nearest(5 * MINUTE)),
        across: match read::text(when, "across") {
            Some("min") => "Min",
            Some("max") => "Max",
            Some("sum") => "Sum",
            Some("count") => "Count",
            _ => "Average",
        },
        grain,
        per_machine: read::flag(when, "per_machine", false),
        of,
    })
}

fn metric<'a>(
    cx: Context<'a, '_>,
    pool: &'a Block,
    when: &'a Block,
    condition: &'a Condition,
    of: Option<&Value>,
    sink: &mut Sink,
) -> Option<Metric<'a>> {
    match &condition.metric {
        Value::Ref(id) => {
            let fact = &cx.checked[*id];
            let name = read::text(fact, "name")?;
            let at_zero = read::flag(fact, "at_zero", false);
            let foreign = !matches!(read::text(fact, "of"), Some("scale_set") | None);
            if read::text(fact, "of") == Some("batch_pool") {
                sink.push(diags::metric_of_batch(&fact.name, condition.span));
                return None;
            }
            if read::flag(fact, "agent", false) && of.is_none() {
                sink.push(diags::metric_needs_agent(&fact.name, condition.span));
                return None;
            }
            if foreign && of.is_none() {
                sink.push(diags::metric_of_nothing(&fact.name, condition.span));
                return None;
            }
            if read::flag(fact, "burstable_only", false)
                && let Some((_, size)) = read::referred(cx.checked, pool, "size")
                && !super::facts::Size(size).burstable()
            {
                sink.push(diags::metric_of_burstable(&fact.name, condition.span, pool.span_of("size")));
                return None;
            }
            Some(Metric {
                name,
                namespace: read::text(fact, "namespace"),
                ratio: read::text(fact, "kind") != Some("absolute") && !foreign,
                at_zero,
                unit: read::text(fact, "unit"),
            })
        }
        Value::String(name) => {
            let namespace = read::text(when, "namespace");
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

/// The threshold as the engine compares it, in the unit of the metric.
fn threshold(metric: &Metric<'_>, value: &Value, span: Span, sink: &mut Sink) -> Option<Decimal> {
    let (number, unit) = match value {
        Value::Percent(p) => (*p, "percent"),
        Value::Int(n) => (Decimal::from(*n), "count"),
        Value::Decimal(d) => (*d, "count"),
        Value::Size(bytes) => (Decimal::from(*bytes), "bytes"),
        Value::Duration(seconds) => (Decimal::from(*seconds), "seconds"),
        _ => return None,
    };
    let fits = match metric.unit {
        Some("percent") => unit == "percent",
        Some("bytes") => unit == "bytes",
        Some("seconds") => unit == "seconds",
        Some(_) => unit == "count",
        None => true,
    };
    if !fits {
        sink.push(diags::threshold_unit(metric.name, metric.unit.unwrap_or("count"), span));
        return None;
    }
    if unit == "percent" && !(Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&number) {
        sink.push(diags::threshold_unreachable(span));
        return None;
    }
    Some(number)
}

fn action(when: &Block, machines: &Machines, sink: &mut Sink) -> Option<Action> {
    let actions: Vec<&Block> = when
        .children
        .iter()
        .filter(|c| matches!(c.kind, BlockKind::Add | BlockKind::Remove | BlockKind::Set))
        .collect();
    let [only] = actions.as_slice() else {
        sink.push(diags::rule_with_actions(actions.len(), when.span));
        return None;
    };
    match (only.kind, only.get("by").or_else(|| only.get("to"))?) {
        (BlockKind::Add, Value::Int(n)) => Some(Action::Add(*n)),
        (BlockKind::Remove, Value::Int(n)) => Some(Action::Remove(*n)),
        (BlockKind::Add, Value::Percent(_)) => bounds::CHANGE.read(only, "by", sink).map(Action::AddPercent),
        (BlockKind::Remove, Value::Percent(_)) => bounds::CHANGE.read(only, "by", sink).map(Action::RemovePercent),
        (BlockKind::Set, Value::Int(n)) => {
            let outside =
                machines.least().is_some_and(|least| *n < least) || machines.most().is_some_and(|most| *n > most);
            if outside {
                sink.push(diags::set_outside(*n, only.span_of("to"), machines.span));
            }
            Some(Action::Set(*n))
        }
        _ => None,
    }
}
