//! How many machines a pool has, and what changes it.

use crate::subject::{Look, found};
use dsvm_diagnostics::source::{SourceKind, Span};
use dsvm_diagnostics::{Diagnostic, count};
use dsvm_model::Machines;
use dsvm_model::autoscale::{Action, Autoscale, Rule, Time};
use dsvm_model::pool::Pool;
use dsvm_model::read;
use dsvm_model::units::duration;
use dsvm_sema::table::autoscale as rows;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::words::MetricUnit;
use dsvm_sema::value::Comparison;
use rust_decimal::Decimal;

/// Name of the processor metric of scale sets in Azure Monitor.
const PROCESSOR: &str = "Percentage CPU";
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Pools with a policy.
fn scaled<'p, 'a>(look: &Look<'p, 'a>) -> impl Iterator<Item = (&'p Pool<'a>, &'p Autoscale<'a>)> + use<'p, 'a> {
    look.pools().filter_map(|pool| Some((pool, pool.autoscale.as_ref()?)))
}

/// All rules of a policy, each with the limits within which it acts.
fn rules<'p, 'a>(pool: &'p Pool<'a>, policy: &'p Autoscale<'a>) -> impl Iterator<Item = (&'p Machines, &'p Rule<'a>)> {
    let own = policy.rules.iter().map(|rule| (&pool.machines, rule));
    own.chain(policy.schedules.iter().flat_map(|s| s.rules.iter().map(move |rule| (&s.machines, rule))))
}

/// Where a part of a policy can be changed: there, or in the pool that names a policy of the standard library.
fn here(pool: &Pool<'_>, span: Span) -> Span {
    if in_library(span) { pool.view.fields().autoscale().span() } else { span }
}

/// What to write into a policy; one of the standard library is taken over into the project for that.
fn inside(policy: &Autoscale<'_>, text: &str) -> String {
    match in_library(policy.block.span) {
        true => format!("`autoscale mine from schedules.{} {{ {text} }}`", policy.block.name),
        false => format!("`{text}`"),
    }
}

fn in_library(span: Span) -> bool {
    matches!(span.source.kind(), SourceKind::Library(_))
}

pub(crate) fn single_machine(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for pool in look.pools().filter(|pool| pool.machines.most() == Some(1)) {
        out.push(
            found(
                format!("`{}` never has more than one machine", pool.block.name),
                pool.machines.span,
                "nobody can work while it is repaired or upgraded",
            )
            .help("allow two"),
        );
    }
}

/// Most machines that anything brings the pool to: its smallest and first numbers, and those of schedules.
fn held(pool: &Pool<'_>, policy: &Autoscale<'_>) -> Option<i64> {
    let first = read::as_int(pool.machines.start())?;
    let mut most = first.max(pool.machines.least()?);
    for schedule in &policy.schedules {
        most = most.max(schedule.machines.least()?);
    }
    Some(most)
}

pub(crate) fn never_grows(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (pool, policy) in scaled(look).filter(|(_, policy)| policy.enabled && policy.complete) {
        let name = &pool.block.name;
        for (_, rule) in rules(pool, policy).filter(|(_, rule)| rule.action.grows()) {
            let percent = rule.metric.unit == Some(MetricUnit::Percent) || rule.metric.name == PROCESSOR;
            let over = rule.condition.operator == Comparison::Greater && rule.threshold >= Decimal::ONE_HUNDRED;
            if percent && over {
                out.push(
                    found(
                        format!("this rule of `{name}` never adds machines"),
                        here(pool, rule.condition.span),
                        "nothing is over 100%",
                    )
                    .help("write a threshold that busy machines pass, such as 75%"),
                );
            }
        }
        let fixed = pool.machines.least().filter(|least| Some(*least) == pool.machines.most());
        if let Some(number) = fixed.filter(|_| rules(pool, policy).any(|(_, rule)| rule.action.grows())) {
            out.push(
                found(format!("`{name}` can never grow"), pool.machines.span, format!("{number} at least and at most"))
                    .help("give the range two different ends, or write a number and leave `autoscale` out"),
            );
            continue;
        }
        let grows = rules(pool, policy).any(|(_, rule)| !rule.action.shrinks()) || policy.predict.is_some();
        let Some((held, most)) = held(pool, policy).zip(pool.machines.most()).filter(|_| !grows) else { continue };
        if held < most && policy.schedules.iter().all(|schedule| schedule.complete) {
            out.push(
                found(
                    format!("nothing brings `{name}` above {}", count(held, "machine")),
                    pool.machines.span,
                    format!("{most} are never reached"),
                )
                .help("add a rule such as `when avg(cpu, 10 min) > 75% { add 1 }`, or lower the range"),
            );
        }
    }
}

pub(crate) fn step_too_big(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (pool, policy) in scaled(look) {
        for (limits, rule) in rules(pool, policy) {
            let Some((least, most)) = limits.least().zip(limits.most()).filter(|(least, most)| least < most) else {
                continue;
            };
            let (step, what) = match rule.action {
                Action::Add(step) => (step, "adds"),
                Action::Remove(step) => (step, "removes"),
                Action::AddPercent(_) | Action::RemovePercent(_) | Action::Set(_) => continue,
            };
            let range = most - least;
            // In a small range every step is large.
            if step > 2 && step.saturating_mul(2) > range || step > 1 && step >= range {
                out.push(
                    found(
                        format!(
                            "one rule {what} {step} of the {range} machines that `{}` can gain or lose",
                            pool.block.name
                        ),
                        here(pool, rule.block.span),
                        "the pool jumps between its ends",
                    )
                    .note(format!("the range is from {least} to {most}"))
                    .help("write a smaller step: a rule acts again after its cooldown"),
                );
            }
        }
    }
}

pub(crate) fn cooldown_short(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    let least = look.options.number("minutes").saturating_mul(60);
    for (pool, policy) in scaled(look) {
        for (_, rule) in rules(pool, policy).filter(|(_, rule)| rule.cooldown.get() < least) {
            let written = View::<rows::When>::new(rule.block).and_then(View::cooldown);
            let at = written.map_or(rule.block.span, |cooldown| cooldown.block().span);
            out.push(
                found(
                    format!("a rule of `{}` acts again after {}", pool.block.name, rule.cooldown),
                    here(pool, at),
                    "before the metric shows what it did",
                )
                .help(format!("write {} or more", duration(least))),
            );
        }
    }
}

pub(crate) fn disabled(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (pool, policy) in scaled(look).filter(|(_, policy)| !policy.enabled) {
        out.push(
            found(
                format!("autoscale of `{}` is switched off", pool.block.name),
                here(pool, policy.view.fields().enabled().span()),
                "the number of machines stays",
            )
            .help("remove `enabled`, or the policy"),
        );
    }
}

pub(crate) fn nobody_notified(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (pool, policy) in scaled(look) {
        let told = policy.notify.is_some_and(|notify| {
            notify.subscription_admins() || !read::elements(notify.fields().emails().value()).is_empty()
        });
        if !told {
            out.push(
                found(
                    format!("nobody hears when `{}` cannot grow", pool.block.name),
                    here(pool, policy.block.name_span),
                    "a quota that is used up is noticed by the people who wait",
                )
                .help(format!("add {}", inside(policy, "notify { emails = [\"…\"] }"))),
            );
        }
    }
}

pub(crate) fn timezone_missing(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (pool, policy) in scaled(look).filter(|(_, policy)| !policy.view.fields().timezone().written()) {
        let hours = policy.schedules.iter().find(|schedule| match schedule.time {
            Time::Weekly { from, to, .. } => from != 0 || to != DAY,
            Time::Dates(..) => false,
        });
        if let Some(schedule) = hours {
            out.push(
                found(
                    format!("hours of `{}` are in UTC", schedule.block.name),
                    here(pool, schedule.block.name_span),
                    format!("no time zone in the policy of `{}`", pool.block.name),
                )
                .help(format!("write {} with your zone", inside(policy, "timezone = \"W. Europe Standard Time\"")))
                .note("`timezone = \"UTC\"` says that UTC is meant"),
            );
        }
    }
}

/// Rules on the processors of the pool's own machines.
fn by_processor<'p, 'a>(pool: &'p Pool<'a>, policy: &'p Autoscale<'a>) -> impl Iterator<Item = &'p Rule<'a>> {
    rules(pool, policy).map(|(_, rule)| rule).filter(|rule| rule.metric.name == PROCESSOR && rule.of.is_none())
}

pub(crate) fn cpu_rule_on_gpu(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (pool, policy) in scaled(look).filter(|(pool, _)| pool.size.has_gpu()) {
        if let Some(rule) = by_processor(pool, policy).find(|rule| rule.action.grows()) {
            out.push(
                found(
                    format!("`{}` has GPUs and grows by the load of processors", pool.block.name),
                    here(pool, rule.condition.span),
                    "a busy GPU can leave processors idle",
                )
                .help("scale by a schedule, or by a metric of your own such as the length of a queue"),
            );
        }
    }
}

/// A machine without credits is held at its base, which looks like a load that never passes the threshold:
/// <https://learn.microsoft.com/azure/virtual-machines/bsv2-series>.
pub(crate) fn cpu_rule_on_burstable(look: &Look<'_, '_>, out: &mut Vec<Diagnostic>) {
    for (pool, policy) in scaled(look).filter(|(pool, _)| pool.size.burstable()) {
        let base = pool.size.0.burst_base();
        let rule = by_processor(pool, policy)
            .find(|rule| rule.action.grows() && base.is_none_or(|base| rule.threshold >= base));
        if let Some(rule) = rule {
            let base = base.map_or_else(|| "a part".to_owned(), |base| format!("{}%", base.normalize()));
            out.push(
                found(
                    format!("`{}` stops growing when its machines have no credits left", pool.block.name),
                    here(pool, rule.condition.span),
                    format!("then held at {base} of their processors"),
                )
                .also(pool.view.fields().size().span(), format!("{} is burstable", pool.size.name()))
                .help("name a size of the D or E series"),
            );
        }
    }
}
