//! Evaluates a formula against the state of a pool, as the service's "evaluate autoscale" call does.
//!
//! Promises: ends (work is bounded), never panics, gives the same result for the same input. Reads no clock: the time
//! and the start of the random numbers come with the pool's state.

use std::collections::BTreeMap;

use super::ast::{BinaryOp, Expr, ExprKind, Formula, FormulaSpan, UnaryOp};
use super::functions::{self, MAX_VECTOR};
use super::names::{self, DEALLOCATION, DEDICATED, SPOT, Signature, VariableKind};
use super::samples::{PERIOD, PoolState, Sample};
use super::time;
use super::value::Value;

/// Most steps (values computed, numbers of vectors included) of one evaluation.
pub const MAX_WORK: usize = 2_000_000;

/// Why an evaluation ended without a result; the pool keeps its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// Where in the formula.
    pub place: FormulaSpan,
    /// `InsufficientSampleData` when samples are missing, else `AutoScalingFormulaEvaluationError`.
    pub code: &'static str,
    /// The reason in one clause.
    pub message: String,
}

impl EvalError {
    /// As the service words it: `Line 9, Col 43: …`.
    #[must_use]
    pub fn with_position(&self, text: &str) -> String {
        let before = text.get(..self.place.start as usize).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        format!("Line {line}, Col {column}: {}", self.message)
    }
}

/// What an evaluation decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Value of `$TargetDedicatedNodes` afterwards, in machines.
    pub dedicated: u32,
    /// Value of `$TargetLowPriorityNodes` afterwards, in machines.
    pub spot: u32,
    /// Value of `$NodeDeallocationOption` afterwards, such as `taskcompletion`.
    pub deallocation: String,
    /// The formula's own variables.
    pub variables: BTreeMap<String, Value>,
}

impl Evaluation {
    /// As the service prints it: targets, option, then the formula's variables by name, split by `;`.
    #[must_use]
    pub fn results(&self) -> String {
        let mut parts = vec![
            format!("{DEDICATED}={}", self.dedicated),
            format!("{SPOT}={}", self.spot),
            format!("{DEALLOCATION}={}", self.deallocation),
        ];
        parts.extend(self.variables.iter().map(|(name, value)| format!("{name}={value}")));
        parts.join(";")
    }
}

type Result<T> = std::result::Result<T, Failure>;

/// `stop()`, or an error.
enum Failure {
    Stop,
    Error(EvalError),
}

/// Evaluates `formula` against `pool`.
///
/// # Errors
/// The first thing that has no value: missing samples, a division that gives no number, a wrong type.
pub fn evaluate(formula: &Formula, pool: &PoolState) -> std::result::Result<Evaluation, EvalError> {
    let mut evaluator = Evaluator {
        pool,
        variables: BTreeMap::new(),
        targets: [pool.target.0, pool.target.1].map(whole),
        full_name_set: [false, false],
        deallocation: "requeue".to_owned(),
        random: pool.seed,
        work: 0,
    };
    for statement in &formula.statements {
        match evaluator.statement(statement) {
            Ok(()) => {}
            Err(Failure::Stop) => break,
            Err(Failure::Error(error)) => return Err(error),
        }
    }
    let [dedicated, spot] = evaluator.targets;
    Ok(Evaluation { dedicated, spot, deallocation: evaluator.deallocation, variables: evaluator.variables })
}

struct Evaluator<'a> {
    pool: &'a PoolState,
    variables: BTreeMap<String, Value>,
    targets: [u32; 2],
    full_name_set: [bool; 2],
    deallocation: String,
    random: u64,
    work: usize,
}

/// The service truncates fractions; negative numbers become 0.
fn whole(n: f64) -> u32 {
    // The cast saturates, and turns NaN into 0.
    n.trunc().max(0.0) as u32
}

fn fail<T>(place: FormulaSpan, message: impl Into<String>) -> Result<T> {
    Err(Failure::Error(EvalError { place, code: "AutoScalingFormulaEvaluationError", message: message.into() }))
}

impl Evaluator<'_> {
    fn statement(&mut self, statement: &super::ast::Statement) -> Result<()> {
        let value = self.expr(&statement.value)?;
        let Some(target) = &statement.target else { return Ok(()) };
        let place = statement.value.place;
        match names::variable(&target.text) {
            Some(v) if v.kind == VariableKind::Target => {
                let Value::Number(n) = value else {
                    return fail(place, format!("{} is set to a {}", target.text, value.type_name()));
                };
                if !n.is_finite() {
                    return fail(place, format!("{} is set to {n}, which is not a number of machines", target.text));
                }
                let index = usize::from(v.canonical == SPOT);
                // The full name wins over its alias, in whatever order they are set.
                let full = v.name == v.canonical;
                if let (Some(slot), Some(set)) = (self.targets.get_mut(index), self.full_name_set.get_mut(index))
                    && (full || !*set)
                {
                    *slot = whole(n);
                    *set = full;
                }
            }
            Some(v) if v.kind == VariableKind::Deallocation => match value {
                Value::Deallocation(option) => self.deallocation = option,
                other => return fail(place, format!("{} is set to a {}", target.text, other.type_name())),
            },
            Some(_) => return fail(target.place, format!("{} cannot be assigned", target.text)),
            None => {
                self.variables.insert(target.text.clone(), value);
            }
        }
        Ok(())
    }

    fn charge(&mut self, steps: usize, place: FormulaSpan) -> Result<()> {
        self.work = self.work.saturating_add(steps);
        if self.work > MAX_WORK { fail(place, "the evaluation takes too many steps") } else { Ok(()) }
    }

    fn expr(&mut self, value: &Expr) -> Result<Value> {
        let result = self.bare(value)?;
        let steps = if let Value::Vector(v) = &result { 1 + v.len() } else { 1 };
        self.charge(steps, value.place)?;
        Ok(result)
    }

    fn bare(&mut self, value: &Expr) -> Result<Value> {
        let place = value.place;
        match &value.kind {
            ExprKind::Number(n) => Ok(Value::Number(*n)),
            ExprKind::Text(text) => Ok(Value::Text(text.clone())),
            ExprKind::Variable(name) => self.variable(name, place),
            ExprKind::Unary(op, inner) => match (op, self.expr(inner)?) {
                (UnaryOp::Negate, Value::Number(n)) => Ok(Value::Number(-n)),
                (UnaryOp::Not, Value::Number(n)) => Ok(truth(n == 0.0)),
                (UnaryOp::Negate, Value::Interval(i)) => Ok(Value::Interval(i.saturating_neg())),
                (op, other) => fail(place, format!("{} before a {}", op.sign(), other.type_name())),
            },
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, place),
            ExprKind::Ternary(condition, then, otherwise) => {
                let test = self.number(condition)?;
                self.expr(if test == 0.0 { otherwise } else { then })
            }
            ExprKind::Call(name, args) => self.call(&name.text, args, place),
            ExprKind::Method(object, name, args) => self.method(object, &name.text, args, place),
            ExprKind::Member(object, name) => match self.expr(object)? {
                Value::Timestamp(t) => match time::member(t, &name.text) {
                    Some(n) => Ok(Value::Number(n)),
                    None => fail(place, format!("the timestamp has no member {}", name.text)),
                },
                other => fail(place, format!("a {} has no members", other.type_name())),
            },
        }
    }

    fn number(&mut self, value: &Expr) -> Result<f64> {
        match self.expr(value)? {
            Value::Number(n) => Ok(n),
            other => fail(value.place, format!("a {} where a double is needed", other.type_name())),
        }
    }

    fn variable(&mut self, name: &str, place: FormulaSpan) -> Result<Value> {
        if let Some(variable) = names::variable(name) {
            let [dedicated, spot] = self.targets;
            let number = match variable.canonical {
                DEDICATED => f64::from(dedicated),
                SPOT => f64::from(spot),
                DEALLOCATION => return Ok(Value::Deallocation(self.deallocation.clone())),
                "$TaskSlotsPerNode" => self.pool.task_slots,
                "$CurrentDedicatedNodes" => self.pool.current.0,
                "$CurrentLowPriorityNodes" => self.pool.current.1,
                metric if variable.kind == VariableKind::Count => self.pool.of(metric).last().map_or(0.0, |s| s.value),
                _ => return fail(place, format!("{name} is a metric, not a number")),
            };
            return Ok(Value::Number(number));
        }
        if let Some(value) = self.variables.get(name) {
            return Ok(value.clone());
        }
        if let Some(ticks) = names::interval(name) {
            return Ok(Value::Interval(ticks));
        }
        if names::DEALLOCATION_OPTIONS.contains(&name) {
            return Ok(Value::Deallocation(name.to_owned()));
        }
        fail(place, format!("there is no variable {name}"))
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, place: FormulaSpan) -> Result<Value> {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            let l = self.number(left)? != 0.0;
            if l == (op == BinaryOp::Or) {
                return Ok(truth(l));
            }
            return Ok(truth(self.number(right)? != 0.0));
        }
        let (l, r) = (self.expr(left)?, self.expr(right)?);
        if op.is_comparison() {
            return match compare(op, &l, &r) {
                Some(found) => Ok(truth(found)),
                None => fail(place, format!("{} between a {} and a {}", op.sign(), l.type_name(), r.type_name())),
            };
        }
        match arithmetic(op, l, r) {
            Ok(value) => Ok(value),
            Err(message) => fail(place, message),
        }
    }

    fn call(&mut self, name: &str, args: &[Expr], place: FormulaSpan) -> Result<Value> {
        let Some(signature) = names::function(name) else { return fail(place, format!("there is no function {name}")) };
        let values = args.iter().map(|a| self.expr(a)).collect::<Result<Vec<_>>>()?;
        match (signature, values.as_slice()) {
            (Signature::Stop, []) => Err(Failure::Stop),
            (Signature::Rand, []) => Ok(Value::Number(self.random())),
            (Signature::Time, []) => Ok(Value::Timestamp(self.pool.now)),
            (Signature::Time, [Value::Text(text)]) if text.is_empty() => Ok(Value::Timestamp(self.pool.now)),
            (Signature::Time, [Value::Text(text)]) => match time::read_timestamp(text) {
                Some(ticks) => Ok(Value::Timestamp(ticks)),
                None => fail(place, format!("\"{text}\" is not a point in time")),
            },
            (Signature::Stop | Signature::Rand | Signature::Time, _) => {
                fail(place, format!("{name} is called with the wrong arguments"))
            }
            _ => functions::call(name, signature, values).or_else(|message| fail(place, message)),
        }
    }

    /// Between 0 and 1 (SplitMix64).
    fn random(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }

    fn method(&mut self, object: &Expr, name: &str, args: &[Expr], place: FormulaSpan) -> Result<Value> {
        let metric = match &object.kind {
            ExprKind::Variable(text) => names::variable(text)
                .filter(|v| matches!(v.kind, VariableKind::Samples | VariableKind::Count))
                .map(|v| v.canonical),
            _ => None,
        };
        let Some(metric) = metric else { return fail(place, format!("{name} is called on something without samples")) };
        let values = args.iter().map(|a| self.expr(a)).collect::<Result<Vec<_>>>()?;
        let now = self.pool.now;
        let moment = |value: &Value| match value {
            Value::Interval(back) => Some(now.saturating_sub(*back)),
            Value::Timestamp(t) => Some(*t),
            _ => None,
        };
        match (name, values.as_slice()) {
            ("GetSample", [Value::Number(count)]) => {
                let mut last: Vec<f64> =
                    self.pool.of(metric).iter().rev().take(whole(*count) as usize).map(|s| s.value).collect();
                last.reverse();
                self.vector(last, place)
            }
            ("GetSample", [times @ .., Value::Number(wanted)]) => {
                let frame = self.frame(metric, &times.iter().map(moment).collect::<Vec<_>>());
                let Some((samples, received)) = frame else { return wrong_frame(name, place) };
                if received < *wanted {
                    return Err(Failure::Error(EvalError {
                        place,
                        code: "InsufficientSampleData",
                        message: format!(
                            "Insufficient data from data set: {metric} wanted {wanted}%, received {}%",
                            received.floor()
                        ),
                    }));
                }
                self.vector(samples.iter().map(|s| s.value).collect(), place)
            }
            ("GetSample", times) => match self.frame(metric, &times.iter().map(moment).collect::<Vec<_>>()) {
                Some((samples, _)) => self.vector(samples.iter().map(|s| s.value).collect(), place),
                None => wrong_frame(name, place),
            },
            ("GetSamplePercent", times) => match self.frame(metric, &times.iter().map(moment).collect::<Vec<_>>()) {
                Some((_, percent)) => Ok(Value::Number(percent)),
                None => wrong_frame(name, place),
            },
            ("GetSamplePeriod", []) => Ok(Value::Interval(PERIOD)),
            ("Count", []) => Ok(Value::Number(self.pool.of(metric).len() as f64)),
            ("HistoryBeginTime", []) => match self.pool.of(metric).first() {
                Some(first) => Ok(Value::Timestamp(first.time)),
                None => fail(place, format!("{metric} has no samples")),
            },
            _ => fail(place, format!("{name} is called with the wrong arguments")),
        }
    }

    fn vector(&mut self, samples: Vec<f64>, place: FormulaSpan) -> Result<Value> {
        if samples.len() > MAX_VECTOR {
            return fail(place, format!("a vector exceeds {MAX_VECTOR} numbers"));
        }
        Ok(Value::Vector(samples))
    }

    /// The samples between two times (or one and now), and the percentage of possible samples that exist.
    fn frame(&self, metric: &str, times: &[Option<i64>]) -> Option<(&[Sample], f64)> {
        let (a, b) = match times {
            [Some(a)] => (*a, self.pool.now),
            [Some(a), Some(b)] => (*a, *b),
            _ => return None,
        };
        let (from, to) = (a.min(b), a.max(b));
        let known = self.pool.of(metric);
        let place = |time: i64| known.partition_point(|sample| sample.time <= time);
        let samples = known.get(place(from)..place(to)).unwrap_or_default();
        let possible = to.saturating_sub(from) / PERIOD;
        let percent = if possible == 0 {
            if samples.is_empty() { 0.0 } else { 100.0 }
        } else {
            (samples.len() as f64 / possible as f64 * 100.0).min(100.0)
        };
        Some((samples, percent))
    }
}

fn wrong_frame(name: &str, place: FormulaSpan) -> Result<Value> {
    fail(place, format!("{name} is called with the wrong arguments"))
}

fn truth(is: bool) -> Value {
    Value::Number(f64::from(u8::from(is)))
}

fn compare(op: BinaryOp, l: &Value, r: &Value) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (l, r) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) | (Value::Interval(a), Value::Interval(b)) => Some(a.cmp(b)),
        _ => return None,
    };
    // Without an order (not a number) only "unequal" holds.
    Some(match op {
        BinaryOp::Equal => order == Some(Equal),
        BinaryOp::NotEqual => order != Some(Equal),
        BinaryOp::Less => order == Some(Less),
        BinaryOp::LessEqual => matches!(order, Some(Less | Equal)),
        BinaryOp::Greater => order == Some(Greater),
        _ => matches!(order, Some(Greater | Equal)),
    })
}

fn plain(op: BinaryOp, a: f64, b: f64) -> f64 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        _ => a / b,
    }
}

/// Ticks of an interval times a number; casts saturate.
fn scaled(ticks: i64, factor: f64) -> std::result::Result<Value, String> {
    if factor.is_nan() {
        return Err("an interval multiplied by something that is not a number".to_owned());
    }
    Ok(Value::Interval((ticks as f64 * factor).round() as i64))
}

fn arithmetic(op: BinaryOp, l: Value, r: Value) -> std::result::Result<Value, String> {
    use BinaryOp::{Add, Divide, Multiply, Subtract};
    Ok(match (op, l, r) {
        (_, Value::Number(a), Value::Number(b)) => Value::Number(plain(op, a, b)),
        (_, Value::Vector(v), Value::Number(b)) => Value::Vector(v.into_iter().map(|a| plain(op, a, b)).collect()),
        (_, Value::Vector(v), Value::Vector(w)) => {
            if v.len() != w.len() {
                return Err(format!("{} between vectors of {} and {} numbers", op.sign(), v.len(), w.len()));
            }
            Value::Vector(v.into_iter().zip(w).map(|(a, b)| plain(op, a, b)).collect())
        }
        (Multiply, Value::Number(n), Value::Interval(i)) | (Multiply, Value::Interval(i), Value::Number(n)) => {
            return scaled(i, n);
        }
        (Divide, Value::Interval(_), Value::Number(0.0)) => return Err("an interval divided by zero".to_owned()),
        (Divide, Value::Interval(i), Value::Number(n)) => return scaled(i, 1.0 / n),
        (Add, Value::Interval(a), Value::Interval(b)) => Value::Interval(a.saturating_add(b)),
        (Subtract, Value::Interval(a), Value::Interval(b)) => Value::Interval(a.saturating_sub(b)),
        (Subtract, Value::Timestamp(a), Value::Timestamp(b)) => Value::Interval(a.saturating_sub(b)),
        (Add, Value::Interval(i), Value::Timestamp(t)) | (Add, Value::Timestamp(t), Value::Interval(i)) => {
            Value::Timestamp(t.saturating_add(i))
        }
        (op, l, r) => return Err(format!("{} between a {} and a {}", op.sign(), l.type_name(), r.type_name())),
    })
}
