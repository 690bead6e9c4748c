//! How far back a formula looks, for those who leave out evaluations that cannot come out differently.

use super::ast::{BinaryOp, Expr, ExprKind, Formula};
use super::names;
use super::samples::PERIOD;

impl Formula {
    /// The ticks before now in which every sample lies that it reads, when its result follows from those samples and from the
    /// numbers of machines alone. `None` when it reads the clock, draws random numbers, or computes how far it looks back.
    #[must_use]
    pub fn looks_back(&self) -> Option<i64> {
        let mut longest = Some(PERIOD);
        for statement in &self.statements {
            statement.value.walk(&mut |part| {
                longest = longest.zip(reach(part)).map(|(longest, reach)| longest.max(reach));
            });
        }
        longest
    }
}

/// How far back one expression looks, without its parts.
fn reach(part: &Expr) -> Option<i64> {
    match &part.kind {
        ExprKind::Call(name, _) if matches!(name.text.as_str(), "time" | "rand") => None,
        ExprKind::Method(_, name, args) => match (name.text.as_str(), args.as_slice()) {
            ("GetSamplePeriod", _) => Some(0),
            ("GetSample", [count]) if count.as_number().is_some() => {
                // The cast saturates; further back than an age nothing is kept anyway.
                Some((count.as_number()?.max(0.0) as i64).saturating_mul(PERIOD))
            }
            ("GetSample", [times @ .., _]) if times.iter().all(|time| interval(time).is_some()) && args.len() > 1 => {
                // The last argument is a percentage, or another time.
                let last = args.last().filter(|last| last.as_number().is_none());
                let last = last.map_or(Some(0), interval)?;
                times.iter().filter_map(interval).max().map(|most| most.max(last))
            }
            ("GetSample" | "GetSamplePercent", times) => {
                let all: Option<Vec<i64>> = times.iter().map(interval).collect();
                all?.into_iter().max()
            }
            _ => None,
        },
        _ => Some(0),
    }
}

/// The ticks of an interval that is written out; nothing before now.
fn interval(of: &Expr) -> Option<i64> {
    match &of.kind {
        ExprKind::Variable(name) => names::interval(name),
        ExprKind::Binary(BinaryOp::Multiply, left, right) => {
            let (ticks, times) = match (interval(left), right.as_number()) {
                (Some(ticks), Some(times)) => (ticks, times),
                _ => (interval(right)?, left.as_number()?),
            };
            // Rounded up: a little too far does no harm.
            Some((ticks as f64 * times).ceil() as i64).filter(|ticks| *ticks >= 0)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_windows_are_found_and_the_clock_is_none() {
        const MINUTE: i64 = 60 * 10_000_000;
        for (text, wanted) in [
            ("$TargetDedicatedNodes = $PendingTasks;", Some(PERIOD)),
            ("$TargetDedicatedNodes = $PendingTasks.GetSample(4);", Some(4 * PERIOD)),
            ("$TargetDedicatedNodes = avg($PendingTasks.GetSample(TimeInterval_Minute * 5));", Some(5 * MINUTE)),
            ("$TargetDedicatedNodes = avg($PendingTasks.GetSample(2 * TimeInterval_Hour, 70));", Some(120 * MINUTE)),
            (
                "$TargetDedicatedNodes = avg($PendingTasks.GetSample(TimeInterval_Minute, TimeInterval_Hour * 1));",
                Some(60 * MINUTE),
            ),
            (
                "$n = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 9); $TargetDedicatedNodes = $n;",
                Some(9 * MINUTE),
            ),
            ("$TargetDedicatedNodes = time().hour;", None),
            ("$TargetDedicatedNodes = 1 + (rand() > 0.5);", None),
            ("$TargetDedicatedNodes = $ActiveTasks.Count();", None),
            ("$w = TimeInterval_Minute; $TargetDedicatedNodes = avg($ActiveTasks.GetSample($w));", None),
            ("$n = 5; $TargetDedicatedNodes = max($ActiveTasks.GetSample($n));", None),
            ("$TargetDedicatedNodes = max($ActiveTasks.GetSample(-1 * TimeInterval_Minute, TimeInterval_Hour));", None),
        ] {
            let formula = crate::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(formula.looks_back(), wanted, "{text}");
        }
    }
}
