//! A typed target (`ceil(avg(pending_tasks, 15 min) / task_slots)`) → the formula language of Azure Batch.
//!
//! Promises: what it writes is guarded against missing samples, and rounded up where `ceil` asks for it.

use super::diags;
use super::scale::Holes;
use dsvm_diagnostics::Sink;
use dsvm_sema::value::{Formula, FormulaKind, Value};
use dsvm_syntax::ast::{BinaryOp, UnaryOp};

/// What a target can speak of by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Samples over some time.
    Metric(Metric),
    /// A number that the service gives.
    Number(Number),
    /// How many tasks of the pool's own run on one machine: written as a number.
    TaskSlots,
}

impl Word {
    const ALL: [Self; 9] = [
        Self::Metric(Metric::PendingTasks),
        Self::Metric(Metric::ActiveTasks),
        Self::Metric(Metric::RunningTasks),
        Self::Metric(Metric::Evicted),
        Self::Number(Number::Current),
        Self::Number(Number::CurrentSpot),
        Self::Number(Number::Hour),
        Self::Number(Number::Weekday),
        Self::TaskSlots,
    ];

    fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// The word as it is written.
    fn word(self) -> &'static str {
        match self {
            Self::Metric(Metric::PendingTasks) => "pending_tasks",
            Self::Metric(Metric::ActiveTasks) => "active_tasks",
            Self::Metric(Metric::RunningTasks) => "running_tasks",
            Self::Metric(Metric::Evicted) => "evicted",
            Self::Number(Number::Current) => "current",
            Self::Number(Number::CurrentSpot) => "current_spot",
            Self::Number(Number::Hour) => "hour",
            Self::Number(Number::Weekday) => "weekday",
            Self::TaskSlots => "task_slots",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    PendingTasks,
    ActiveTasks,
    RunningTasks,
    Evicted,
}

impl Metric {
    /// The variable of the service that holds its samples.
    fn variable(self) -> &'static str {
        match self {
            Self::PendingTasks => "$PendingTasks",
            Self::ActiveTasks => "$ActiveTasks",
            Self::RunningTasks => "$RunningTasks",
            Self::Evicted => "$PreemptedNodeCount",
        }
    }

    /// The metric that an expression is, if it is one by itself.
    fn of(formula: &Formula) -> Option<Self> {
        match &formula.kind {
            FormulaKind::Name(name) => match Word::find(name)? {
                Word::Metric(metric) => Some(metric),
                Word::Number(_) | Word::TaskSlots => None,
            },
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Current,
    CurrentSpot,
    Hour,
    Weekday,
}

impl Number {
    /// What gives it in the service's language.
    fn expression(self) -> &'static str {
        match self {
            Self::Current => "$CurrentDedicatedNodes",
            Self::CurrentSpot => "$CurrentLowPriorityNodes",
            Self::Hour => "time().hour",
            Self::Weekday => "time().weekday",
        }
    }
}

struct Translator<'s> {
    slots: i64,
    holes: &'s mut Holes,
    sink: &'s mut Sink,
}

/// The formula of a target; `0` when it cannot be translated, which is reported.
pub(crate) fn translate(value: &Value, slots: i64, holes: &mut Holes, sink: &mut Sink) -> String {
    match value {
        Value::Formula(formula) => Translator { slots, holes, sink }.outermost(formula),
        Value::Int(number) => whole(*number),
        other => holes.number(other).to_string(),
    }
}

impl Translator<'_> {
    fn error(&mut self, formula: &Formula, title: String, help: &str) -> String {
        self.sink.push(diags::target_word(title, formula.span, help));
        "0".to_owned()
    }

    /// Where the service cuts off fractions of the result: `ceil` means something here.
    fn outermost(&mut self, formula: &Formula) -> String {
        match &formula.kind {
            FormulaKind::Call(name, parts) => match (name.as_ref(), parts.as_slice()) {
                ("ceil", [inside]) => self.rounded_up(inside),
                ("floor", [inside]) => self.inside(inside),
                ("min" | "max", parts) if parts.len() > 1 && !parts.iter().any(|part| Metric::of(part).is_some()) => {
                    let parts: Vec<String> = parts.iter().map(|p| self.outermost(p)).collect();
                    format!("{name}({})", parts.join(", "))
                }
                _ => self.inside(formula),
            },
            FormulaKind::If(condition, yes, no) => {
                format!("({} ? {} : {})", self.inside(condition), self.outermost(yes), self.outermost(no))
            }
            _ => self.inside(formula),
        }
    }

    fn rounded_up(&mut self, formula: &Formula) -> String {
        if let FormulaKind::Binary(BinaryOp::Divide, above, below) = &formula.kind {
            let (above, below) = (self.inside(above), self.inside(below));
            // A little less than the divisor rounds every remainder up once the fraction is cut off.
            return match below.parse::<f64>() {
                Ok(n) if n >= 1.0 => format!("({above} + {}) / {below}", n - 0.001),
                _ => format!("({above} + {below} - 0.001) / {below}"),
            };
        }
        format!("({} + 0.999)", self.inside(formula))
    }

    fn inside(&mut self, formula: &Formula) -> String {
        match &formula.kind {
            FormulaKind::Value(Value::Decimal(d)) => d.normalize().to_string(),
            FormulaKind::Value(Value::Percent(p)) => (p / rust_decimal::Decimal::from(100)).normalize().to_string(),
            FormulaKind::Value(Value::Int(number)) => whole(*number),
            FormulaKind::Value(value @ Value::Deferred(_)) => self.holes.number(value).to_string(),
            FormulaKind::Value(Value::Duration(_)) => self.error(
                formula,
                "a duration is not a number of machines".into(),
                "write it beside a metric: `avg(pending_tasks, 15 min)`",
            ),
            FormulaKind::Value(_) => {
                self.error(formula, "only numbers can be computed with here".into(), "write a number")
            }
            FormulaKind::Name(name) => self.name(formula, name),
            FormulaKind::Unary(op, inner) => {
                let sign = if *op == UnaryOp::Not { "!" } else { "-" };
                format!("{sign}({})", self.inside(inner))
            }
            FormulaKind::Binary(op, left, right) => match sign(*op) {
                Some(sign) => format!("({} {sign} {})", self.inside(left), self.inside(right)),
                None => self.error(
                    formula,
                    "this operator does not exist in formulas of Azure Batch".into(),
                    "use + - * / and comparisons",
                ),
            },
            FormulaKind::If(condition, yes, no) => {
                format!("({} ? {} : {})", self.inside(condition), self.inside(yes), self.inside(no))
            }
            FormulaKind::Call(name, parts) => self.call(formula, name, parts),
        }
    }

    fn name(&mut self, formula: &Formula, name: &str) -> String {
        match Word::find(name) {
            Some(Word::TaskSlots) => return self.slots.to_string(),
            Some(Word::Number(number)) => return number.expression().to_owned(),
            Some(Word::Metric(_)) => {
                let help = format!("take its samples over some time: `avg({name}, 15 min)`");
                return self.error(formula, format!("`{name}` changes all the time and is not a number"), &help);
            }
            None => {}
        }
        let known = Word::ALL.into_iter().map(Word::word);
        let help = match dsvm_sema::table::suggest(name, known.clone()) {
            Some(meant) => format!("write `{meant}`"),
            None => format!("use one of {}", known.map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")),
        };
        self.error(formula, format!("there is no `{name}` in a target"), &help)
    }

    /// What a function makes of a metric's samples over some time.
    fn samples(&mut self, function: &str, metric: Metric, window: &Formula) -> String {
        let FormulaKind::Value(Value::Duration(seconds)) = &window.kind else {
            return self.error(window, "a metric is looked at over a time".into(), "write a duration such as `15 min`");
        };
        let (metric, window) = (metric.variable(), window_text(*seconds));
        // A new pool has too few samples for a trend; then the last one has to do.
        format!(
            "({metric}.GetSamplePercent({window}) < 70 ? max(0, {metric}.GetSample(1)) : {function}({metric}.GetSample({window})))"
        )
    }

    fn call(&mut self, formula: &Formula, name: &str, parts: &[Formula]) -> String {
        if let ("avg" | "min" | "max", [metric, window]) = (name, parts)
            && let Some(metric) = Metric::of(metric)
        {
            return self.samples(name, metric, window);
        }
        if let ("last", [metric]) = (name, parts)
            && let Some(metric) = Metric::of(metric)
        {
            return format!("max(0, {}.GetSample(1))", metric.variable());
        }
        match (name, parts) {
            // A misspelt metric is one mistake, whatever is beside it.
            (
                "avg" | "min" | "max",
                [
                    metric @ Formula { kind: FormulaKind::Name(word), .. },
                    Formula { kind: FormulaKind::Value(Value::Duration(_)), .. },
                ],
            ) => self.name(metric, word),
            ("min" | "max" | "avg" | "sum", parts) if parts.len() > 1 => {
                let parts: Vec<String> = parts.iter().map(|p| self.inside(p)).collect();
                format!("{name}({})", parts.join(", "))
            }
            ("ceil" | "floor", _) => self.error(
                formula,
                format!("`{name}` is only allowed around the whole target"),
                "move it to the outside: the service cuts off fractions only when it sets the target",
            ),
            _ => self.error(
                formula,
                format!("a target has no function `{name}` called like this"),
                "use `avg`, `min` or `max` of a metric and a duration, `last` of a metric, or `ceil` around the whole",
            ),
        }
    }
}

/// A number as the service reads it: a sign belongs to what is in parentheses.
fn whole(number: i64) -> String {
    match number {
        0.. => number.to_string(),
        _ => format!("-({})", number.unsigned_abs()),
    }
}

fn window_text(seconds: i64) -> String {
    match seconds {
        s if s % 60 == 0 => format!("TimeInterval_Minute * {}", s / 60),
        s => format!("TimeInterval_Second * {s}"),
    }
}

fn sign(op: BinaryOp) -> Option<&'static str> {
    Some(match op {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::And => "&&",
        BinaryOp::Or => "||",
        BinaryOp::In | BinaryOp::Remainder | BinaryOp::Of | BinaryOp::Initially | BinaryOp::Coalesce => return None,
    })
}
