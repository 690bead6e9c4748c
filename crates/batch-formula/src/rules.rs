//! Rules about formulas that the service accepts but that misbehave: unguarded samples, forgotten running tasks, no upper bound, …

use std::collections::{BTreeMap, BTreeSet};

use dsvm_diagnostics::Severity;

use super::ast::{BinaryOp, Expr, ExprKind, Formula, Statement};
use super::bounds::{Range, bounds};
use super::error::{FormulaError, FormulaRule};
use super::names::{self, VariableKind};
use super::types::{SampleCall, Typed};

/// The limits that the pool containing the formula declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolLimits {
    /// Least and most dedicated machines.
    pub dedicated: Option<(u32, u32)>,
    /// Least and most spot machines.
    pub spot: Option<(u32, u32)>,
}

/// Findings of all rules, in the order of the text.
#[must_use]
pub(crate) fn check_rules(formula: &Formula, typed: &Typed, around: &PoolLimits) -> Vec<FormulaError> {
    let mut cx = RuleChecker { formula, typed, assigned: BTreeMap::new(), found: Vec::new() };
    for statement in &formula.statements {
        if let Some(target) = &statement.target {
            let canonical = names::variable(&target.text).map_or(target.text.as_str(), |v| v.canonical);
            cx.assigned.entry(canonical).or_default().push(statement);
        }
    }
    cx.targets();
    cx.deallocation();
    cx.unguarded_samples();
    cx.evidence();
    cx.rounding();
    cx.cpu_scale();
    cx.bounds(around);
    cx.found.sort_by_key(|f| (f.place, f.rule));
    cx.found
}

struct RuleChecker<'a> {
    formula: &'a Formula,
    typed: &'a Typed,
    assigned: BTreeMap<&'a str, Vec<&'a Statement>>,
    found: Vec<FormulaError>,
}

const TASK_METRICS: [&str; 3] = ["$ActiveTasks", "$RunningTasks", "$PendingTasks"];

impl<'a> RuleChecker<'a> {
    fn assignments(&self, name: &str) -> &[&'a Statement] {
        self.assigned.get(name).map_or(&[], Vec::as_slice)
    }

    fn target_statements(&self) -> Vec<&'a Statement> {
        let mut all: Vec<_> =
            [names::DEDICATED, names::SPOT].iter().flat_map(|t| self.assignments(t)).copied().collect();
        all.sort_by_key(|s| s.place);
        all
    }

    /// Every expression that can take part in the value of `root`, through the formula's own variables.
    fn reach(&self, root: &'a Expr) -> Vec<&'a Expr> {
        let (mut open, mut seen, mut all) = (vec![root], BTreeSet::new(), Vec::new());
        while let Some(next) = open.pop() {
            next.walk(&mut |e| all.push(e));
            next.walk(&mut |e| {
                if let ExprKind::Variable(name) = &e.kind {
                    // A target read back is the size of the pool, not the evidence that set it.
                    if names::variable(name).is_none() && seen.insert(name.as_str()) {
                        open.extend(self.assignments(name).iter().map(|s| &s.value));
                    }
                }
            });
        }
        all
    }

    fn targets(&mut self) {
        if self.target_statements().is_empty() {
            let place = self.formula.statements.last().map(|s| s.place).unwrap_or_default();
            self.found.push(
                FormulaError::new(
                    FormulaRule::NoTarget,
                    place,
                    "the formula sets no target",
                    "nothing after this sets one",
                )
                .help(format!("assign `{}`, `{}` or both", names::DEDICATED, names::SPOT)),
            );
        }
    }

    fn deallocation(&mut self) {
        let Some(last) = self.target_statements().last().copied() else { return };
        if self.assignments(names::DEALLOCATION).is_empty() {
            self.found.push(
                FormulaError::new(
                    FormulaRule::NoDeallocation,
                    last.place,
                    "what happens to running tasks when the pool shrinks is left to the default",
                    "shrinks the pool",
                )
                .note("the default, `requeue`, stops running tasks immediately and restarts them elsewhere")
                .help("add `$NodeDeallocationOption = taskcompletion;`"),
            );
        }
    }

    /// Whether running tasks may end when a machine is removed.
    fn spares_tasks(&self) -> bool {
        let options = self.assignments(names::DEALLOCATION);
        !options.is_empty()
            && options.iter().all(|s| {
                let mut spares = true;
                s.value.walk(&mut |e| {
                    if let ExprKind::Variable(name) = &e.kind {
                        spares &= !matches!(name.as_str(), "requeue" | "terminate");
                    }
                });
                spares
            })
    }

    fn unguarded_samples(&mut self) {
        let mut found = Vec::new();
        for statement in &self.formula.statements {
            self.guards(&statement.value, &mut Vec::new(), &mut found);
        }
        self.found.append(&mut found);
    }

    fn guards(&self, value: &'a Expr, guarded: &mut Vec<String>, found: &mut Vec<FormulaError>) {
        match &value.kind {
            ExprKind::Ternary(condition, then, otherwise) => {
                self.guards(condition, guarded, found);
                let before = guarded.len();
                for inner in self.reach(condition) {
                    if let Some((metric, "GetSamplePercent")) = metric_call(inner) {
                        guarded.push(metric.to_owned());
                    }
                }
                self.guards(then, guarded, found);
                self.guards(otherwise, guarded, found);
                guarded.truncate(before);
            }
            _ => {
                if let Some((metric, "GetSample")) = metric_call(value)
                    && self.typed.sample_calls.get(&value.place) == Some(&SampleCall::WindowOrFail)
                    && !guarded.iter().any(|g| g == metric)
                {
                    found.push(
                        FormulaError::new(
                            FormulaRule::UnguardedSample,
                            value.place,
                            format!("the evaluation fails while `{metric}` has too few samples"),
                            "fails on a new pool",
                        )
                        .note("a new pool has no samples; while the evaluation fails, it keeps its size")
                        .help(format!(
                            "check first: `{metric}.GetSamplePercent(…) < 70 ? fallback : {metric}.GetSample(…)`"
                        )),
                    );
                }
                for child in value.children() {
                    self.guards(child, guarded, found);
                }
            }
        }
    }

    fn evidence(&mut self) {
        for statement in self.target_statements() {
            let reached = self.reach(&statement.value);
            let calls: Vec<_> = reached
                .iter()
                .filter_map(|e| Some((*e, metric_call(e)?)))
                .filter(|(_, (_, method))| *method == "GetSample")
                .collect();
            let lone = calls.iter().all(|(e, _)| self.typed.sample_calls.get(&e.place) == Some(&SampleCall::Last));
            if let Some((call, (metric, _))) = calls.first()
                && lone
            {
                self.found.push(
                    FormulaError::new(
                        FormulaRule::LoneSample,
                        call.place,
                        format!("only the last sample of `{metric}` is used"),
                        "may be of any age",
                    )
                    .note("Azure advises against relying only on the last sample: nobody knows when it was taken")
                    .help(format!("use it with a time frame: `avg({metric}.GetSample(TimeInterval_Minute * 5))`")),
                );
            }
            let uses = |metric: &str| {
                reached.iter().find(|e| matches!(&e.kind, ExprKind::Variable(name) if name == metric)).copied()
            };
            if let Some(active) = uses("$ActiveTasks")
                && uses("$RunningTasks").is_none()
                && uses("$PendingTasks").is_none()
            {
                let severity = if self.spares_tasks() { Severity::Warning } else { Severity::Error };
                self.found.push(
                    FormulaError::new(
                        FormulaRule::RunningIgnored,
                        active.place,
                        "the target is computed from waiting tasks alone; running ones do not count",
                        "leaves out running tasks",
                    )
                    .severity(severity)
                    .note("when every task runs, `$ActiveTasks` is 0 and the pool shrinks while they run")
                    .help("use `$PendingTasks`, the sum of `$ActiveTasks` and `$RunningTasks`"),
                );
            }
        }
        // A statement reached from both targets is reported once.
        self.found.sort_by_key(|f| (f.place, f.rule));
        self.found.dedup();
    }

    fn rounding(&mut self) {
        let mut found = Vec::new();
        for statement in self.target_statements() {
            let reached = self.reach(&statement.value);
            let rounded: BTreeSet<_> = reached
                .iter()
                .filter(
                    |e| matches!(&e.kind, ExprKind::Call(name, _) if matches!(name.text.as_str(), "ceil" | "round")),
                )
                .flat_map(|e| e.children())
                .flat_map(|e| self.reach(e))
                .map(|e| e.place)
                .collect();
            for division in &reached {
                let ExprKind::Binary(BinaryOp::Divide, above, below) = &division.kind else { continue };
                let adds = matches!(&above.kind, ExprKind::Binary(BinaryOp::Add, ..));
                if !adds && !rounded.contains(&division.place) && self.is_slots(below) && self.counts_tasks(above) {
                    found.push(
                        FormulaError::new(
                            FormulaRule::RoundedDown,
                            division.place,
                            "the machines needed are rounded down",
                            "2.9 becomes 2",
                        )
                        .note("the service truncates the fraction when it sets a target, so the last tasks wait")
                        .help("add one less than the divisor first: `(tasks + slots - 1) / slots`"),
                    );
                }
            }
        }
        found.dedup();
        self.found.append(&mut found);
    }

    fn is_slots(&self, value: &'a Expr) -> bool {
        match &value.kind {
            ExprKind::Number(n) => *n > 1.0,
            ExprKind::Variable(name) if name == "$TaskSlotsPerNode" => true,
            ExprKind::Variable(name) => {
                let values = self.assignments(name);
                !values.is_empty() && values.iter().all(|s| s.value.as_number().is_some_and(|n| n > 1.0))
            }
            _ => false,
        }
    }

    fn counts_tasks(&self, value: &'a Expr) -> bool {
        self.reach(value)
            .iter()
            .any(|e| matches!(&e.kind, ExprKind::Variable(name) if TASK_METRICS.contains(&name.as_str())))
    }

    fn cpu_scale(&mut self) {
        let mut found = Vec::new();
        for statement in &self.formula.statements {
            statement.value.walk(&mut |e| {
                let ExprKind::Binary(op, left, right) = &e.kind else { return };
                if !op.is_comparison() {
                    return;
                }
                for (metric, limit) in [(left, right), (right, left)] {
                    let uses_cpu =
                        self.reach(metric).iter().any(|e| metric_call(e) == Some(("$CPUPercent", "GetSample")));
                    if let Some(n) = limit.as_number()
                        && n > 1.0
                        && uses_cpu
                    {
                        found.push(
                            FormulaError::new(
                                FormulaRule::CpuScale,
                                limit.place,
                                format!("`$CPUPercent` is compared with {n}"),
                                "above every possible sample",
                            )
                            .note("in Azure's own examples `$CPUPercent` is a fraction: 70 percent is 0.7")
                            .help(format!("write `{}`", n / 100.0)),
                        );
                    }
                }
            });
        }
        self.found.append(&mut found);
    }

    fn bounds(&mut self, around: &PoolLimits) {
        let set = bounds(self.formula);
        let both = [(names::DEDICATED, set.dedicated, around.dedicated), (names::SPOT, set.spot, around.spot)];
        for (name, range, declared) in both {
            let (Some(range), Some(last)) = (range, self.assignments(name).last().copied()) else { continue };
            let finding = match declared {
                Some((least, most)) => outside(name, range, least, most, last),
                None if range.high.is_infinite() => Some(
                    FormulaError::new(
                        FormulaRule::Unbounded,
                        last.place,
                        format!("nothing bounds `{name}`"),
                        "no upper bound",
                    )
                    .note("the service has no limit other than the account's quota")
                    .help(format!("write `{name} = max(0, min(20, …));` with the most machines you want")),
                ),
                None => None,
            };
            self.found.extend(finding);
        }
    }
}

fn outside(name: &str, range: Range, least: u32, most: u32, last: &Statement) -> Option<FormulaError> {
    let error = |title: String| {
        FormulaError::new(FormulaRule::Unbounded, last.place, title, "sets the target")
            .severity(Severity::Error)
            .help(format!("clamp it in the formula: `{name} = max({least}, min({most}, …));`"))
            .note("the service has no bounds other than those in the formula")
    };
    if range.high > f64::from(most) {
        let reached = if range.high.is_infinite() { "any number of".to_owned() } else { range.high.to_string() };
        return Some(error(format!("the formula can ask for {reached} machines, the pool ends at {most}")));
    }
    (range.low < f64::from(least))
        .then(|| error(format!("the formula can ask for {} machines, the pool starts at {least}", range.low)))
}

/// The metric and the method, when the expression is a call of one.
fn metric_call(value: &Expr) -> Option<(&str, &str)> {
    let ExprKind::Method(object, method, _) = &value.kind else { return None };
    let ExprKind::Variable(name) = &object.kind else { return None };
    names::variable(name)
        .filter(|v| matches!(v.kind, VariableKind::Samples | VariableKind::Count))
        .map(|v| (v.canonical, method.text.as_str()))
}
