//! The least and greatest number that a formula can set as a target, whatever the samples are.
//!
//! Promises: never too narrow. Every sample is taken as a number from zero upwards; nothing is known of their relation,
//! except inside a conditional: in `t > m ? m : t`, `t` is at most `m` where the last `t` is read.

use std::collections::BTreeMap;

use super::ast::{BinaryOp, Expr, ExprKind, Formula, UnaryOp};
use super::names::{self, Signature, VariableKind};

/// All numbers between two, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest value; may be negative infinity.
    pub low: f64,
    /// Greatest; may be infinite.
    pub high: f64,
}

impl Range {
    const ALL: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };
    const UPWARDS: Self = Self { low: 0.0, high: f64::INFINITY };
    const TRUTH: Self = Self { low: 0.0, high: 1.0 };

    fn exactly(n: f64) -> Self {
        Self { low: n, high: n }
    }

    fn of(numbers: &[f64]) -> Self {
        if numbers.iter().any(|n| n.is_nan()) {
            return Self::ALL;
        }
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { low, high }
    }

    fn join(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// All numbers up to `n`, `n` included.
    fn to(n: f64) -> Self {
        Self { high: n, ..Self::ALL }
    }

    /// All numbers from `n` upwards, `n` included.
    fn from(n: f64) -> Self {
        Self { low: n, ..Self::ALL }
    }

    /// Less than `n`: for a finite `n`, at most the number before it.
    fn below(n: f64) -> Self {
        Self::to(if n.is_finite() { n.next_down() } else { n })
    }

    /// More than `n`: for a finite `n`, at least the number after it.
    fn above(n: f64) -> Self {
        Self::from(if n.is_finite() { n.next_up() } else { n })
    }

    /// The numbers in both; this range, when there is none: then the expression is never evaluated.
    fn narrowed_to(self, other: Self) -> Self {
        let both = Self { low: self.low.max(other.low), high: self.high.min(other.high) };
        if both.low <= both.high { both } else { self }
    }
}

/// What a formula can set. A `stop()` before the first assignment sets nothing: the pool keeps what it has.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Bounds {
    /// `$TargetDedicatedNodes`, when it is assigned.
    pub dedicated: Option<Range>,
    /// `$TargetLowPriorityNodes`, when it is assigned.
    pub spot: Option<Range>,
}

/// Bounds of both targets.
#[must_use]
pub fn bounds(formula: &Formula) -> Bounds {
    let mut walk = BoundsWalker {
        variables: BTreeMap::new(),
        assumed: Vec::new(),
        seen: BTreeMap::new(),
        may_stop: false,
        may_be_no_number: false,
        result: Bounds::default(),
    };
    formula.statements.iter().for_each(|s| walk.statement(s));
    walk.result
}

/// A range, and whether it is that of a vector, which may be empty.
type Known = (Range, bool);

struct BoundsWalker<'f> {
    variables: BTreeMap<String, Known>,
    /// What the conditions around the expression say of other expressions; those further in come later.
    assumed: Vec<(&'f Expr, Range)>,
    /// Ranges of the expressions that were looked at last, by address: conditions are not looked at twice.
    seen: BTreeMap<usize, Known>,
    may_stop: bool,
    /// A division by zero or a logarithm may have given NaN; no comparison with it holds.
    may_be_no_number: bool,
    result: Bounds,
}

impl<'f> BoundsWalker<'f> {
    fn statement(&mut self, statement: &'f super::ast::Statement) {
        let value = self.expr(&statement.value);
        let Some(target) = &statement.target else { return };
        let canonical = names::variable(&target.text).map_or(target.text.as_str(), |v| v.canonical);
        if canonical == names::DEDICATED || canonical == names::SPOT {
            // the service counts machines from zero to the greatest number of its own
            let low = value.0.low.trunc().clamp(0.0, f64::from(u32::MAX));
            let range = Range { low, high: value.0.high.trunc().max(0.0) };
            let slot = if canonical == names::DEDICATED { &mut self.result.dedicated } else { &mut self.result.spot };
            // After a `stop()` that may have happened, an earlier assignment may be the last one.
            *slot = Some(match *slot {
                Some(earlier) if self.may_stop => earlier.join(range),
                _ => range,
            });
            self.variables.insert(canonical.to_owned(), (range, false));
        } else {
            self.variables.insert(canonical.to_owned(), value);
        }
    }

    fn expr(&mut self, value: &'f Expr) -> Known {
        let (range, vector) = self.unconditionally(value);
        let assumed = self.assumed.iter().filter(|(of, _)| !vector && *of == value);
        let known = (assumed.fold(range, |range, (_, also)| range.narrowed_to(*also)), vector);
        self.seen.insert(address(value), known);
        known
    }

    fn unconditionally(&mut self, value: &'f Expr) -> Known {
        match &value.kind {
            ExprKind::Number(n) => (Range::exactly(*n), false),
            ExprKind::Text(_) => (Range::ALL, false),
            ExprKind::Variable(name) => self.variable(name),
            ExprKind::Unary(UnaryOp::Negate, inner) => {
                let (r, vector) = self.expr(inner);
                (Range { low: -r.high, high: -r.low }, vector)
            }
            ExprKind::Unary(UnaryOp::Not, inner) => {
                self.expr(inner);
                (Range::TRUTH, false)
            }
            ExprKind::Binary(op, left, right) => {
                let (l, r) = (self.expr(left), self.expr(right));
                self.may_be_no_number |= *op == BinaryOp::Divide && r.0.low <= 0.0 && r.0.high >= 0.0;
                (arithmetic(*op, l.0, r.0), l.1 || r.1)
            }
            ExprKind::Ternary(condition, then, otherwise) => {
                self.expr(condition);
                let (a, b) = (self.expr_if(condition, true, then), self.expr_if(condition, false, otherwise));
                (a.0.join(b.0), a.1 || b.1)
            }
            ExprKind::Call(name, args) => self.call(&name.text, args),
            ExprKind::Method(_, name, args) => {
                for arg in args {
                    self.expr(arg);
                }
                match name.text.as_str() {
                    "GetSample" => (Range::UPWARDS, true),
                    "GetSamplePercent" => (Range { low: 0.0, high: 100.0 }, false),
                    "Count" => (Range::UPWARDS, false),
                    _ => (Range::ALL, false),
                }
            }
            ExprKind::Member(object, name) => {
                self.expr(object);
                (member(&name.text), false)
            }
        }
    }

    /// The range of an expression that is only evaluated when `condition` is `truth`.
    fn expr_if(&mut self, condition: &'f Expr, truth: bool, value: &'f Expr) -> Known {
        let before = self.assumed.len();
        self.assume(condition, truth);
        let known = self.expr(value);
        self.assumed.truncate(before);
        known
    }

    /// Adds what follows from `condition` being `truth`.
    fn assume(&mut self, condition: &'f Expr, truth: bool) {
        match (&condition.kind, truth) {
            (ExprKind::Unary(UnaryOp::Not, inner), _) => self.assume(inner, !truth),
            (ExprKind::Binary(BinaryOp::And, left, right), true)
            | (ExprKind::Binary(BinaryOp::Or, left, right), false) => {
                self.assume(left, truth);
                self.assume(right, truth);
            }
            (ExprKind::Binary(op, left, right), _) => {
                let Some(op) = holds(*op, truth).filter(|_| truth || !self.may_be_no_number) else { return };
                let ranges = (self.seen.get(&address(left)), self.seen.get(&address(right)));
                let (Some((l, false)), Some((r, false))) = ranges else { return };
                let (l, r) = (*l, *r);
                let sides = match op {
                    BinaryOp::Less => (Range::below(r.high), Range::above(l.low)),
                    BinaryOp::LessEqual => (Range::to(r.high), Range::from(l.low)),
                    BinaryOp::Greater => (Range::above(r.low), Range::below(l.high)),
                    BinaryOp::GreaterEqual => (Range::from(r.low), Range::to(l.high)),
                    _ => (r, l),
                };
                let steady = [(&**left, sides.0), (&**right, sides.1)].into_iter().filter(|(of, _)| steady(of));
                self.assumed.extend(steady);
            }
            _ => {}
        }
    }

    fn variable(&self, name: &str) -> Known {
        let service = names::variable(name);
        let canonical = service.map_or(name, |v| v.canonical);
        if let Some(known) = self.variables.get(canonical) {
            return *known;
        }
        match service.map(|v| v.kind) {
            Some(VariableKind::Target | VariableKind::Count) => (Range::UPWARDS, false),
            Some(VariableKind::Number) => (Range { low: 1.0, high: 256.0 }, false),
            Some(VariableKind::Samples) => (Range::UPWARDS, true),
            Some(VariableKind::Deallocation) | None => (Range::ALL, false),
        }
    }

    fn call(&mut self, name: &str, args: &'f [Expr]) -> Known {
        let known: Vec<Known> = args.iter().map(|a| self.expr(a)).collect();
        let ranges = || known.iter().map(|k| k.0);
        let joined = ranges().reduce(Range::join).unwrap_or(Range::ALL);
        // A vector may be empty, and then it does not take part.
        let sure = || known.iter().filter(|k| !k.1 || known.len() == 1).map(|k| k.0);
        match name {
            "min" => {
                let high = sure().map(|r| r.high).fold(f64::INFINITY, f64::min).min(joined.high);
                (Range { low: joined.low, high }, false)
            }
            "max" => {
                let low = sure().map(|r| r.low).fold(f64::NEG_INFINITY, f64::max).max(joined.low);
                (Range { low, high: joined.high }, false)
            }
            "avg" => (joined, false),
            "percentile" | "val" => (ranges().next().unwrap_or(Range::ALL), false),
            "vec" => (joined, true),
            "ceil" => (Range { low: joined.low.ceil(), high: joined.high.ceil() }, known.iter().any(|k| k.1)),
            "floor" => (Range { low: joined.low.floor(), high: joined.high.floor() }, known.iter().any(|k| k.1)),
            "round" => (Range { low: joined.low.floor(), high: joined.high.ceil() }, known.iter().any(|k| k.1)),
            "sum" if known.iter().all(|k| !k.1) => {
                (Range { low: ranges().map(|r| r.low).sum(), high: ranges().map(|r| r.high).sum() }, false)
            }
            "sum" if joined.low >= 0.0 => (Range::UPWARDS, false),
            "len" | "norm" | "range" | "std" => (Range::UPWARDS, false),
            "rand" => (Range::TRUTH, false),
            "lg" | "ln" | "log" => {
                self.may_be_no_number = true;
                (Range::ALL, known.iter().any(|k| k.1))
            }
            "stop" => {
                self.may_stop = true;
                (Range { low: f64::INFINITY, high: f64::NEG_INFINITY }, false)
            }
            _ => (Range::ALL, names::function(name) == Some(Signature::Each)),
        }
    }
}

/// The comparison that holds when `op` gives `truth`; none for what says nothing about ranges.
fn holds(op: BinaryOp, truth: bool) -> Option<BinaryOp> {
    Some(match (op, truth) {
        (BinaryOp::Less, true) | (BinaryOp::GreaterEqual, false) => BinaryOp::Less,
        (BinaryOp::LessEqual, true) | (BinaryOp::Greater, false) => BinaryOp::LessEqual,
        (BinaryOp::Greater, true) | (BinaryOp::LessEqual, false) => BinaryOp::Greater,
        (BinaryOp::GreaterEqual, true) | (BinaryOp::Less, false) => BinaryOp::GreaterEqual,
        (BinaryOp::Equal, true) | (BinaryOp::NotEqual, false) => BinaryOp::Equal,
        _ => return None,
    })
}

/// Whether the expression has the same value each time it is evaluated in one evaluation of the formula.
fn steady(value: &Expr) -> bool {
    let mut steady = true;
    value.walk(&mut |e| steady &= !matches!(&e.kind, ExprKind::Call(name, _) if name.text == "rand"));
    steady
}

fn address(value: &Expr) -> usize {
    std::ptr::from_ref(value).addr()
}

fn member(name: &str) -> Range {
    let (low, high) = match name {
        "year" => (1.0, 9999.0),
        "month" => (1.0, 12.0),
        "day" => (1.0, 31.0),
        "weekday" => (0.0, 6.0),
        "hour" => (0.0, 23.0),
        "minute" | "second" => (0.0, 59.0),
        _ => return Range::ALL,
    };
    Range { low, high }
}

fn arithmetic(op: BinaryOp, l: Range, r: Range) -> Range {
    let corners =
        |f: fn(f64, f64) -> f64| Range::of(&[f(l.low, r.low), f(l.low, r.high), f(l.high, r.low), f(l.high, r.high)]);
    // Zero times an unbounded number is zero: the bound is never reached.
    let times = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
    match op {
        BinaryOp::Add => Range { low: l.low + r.low, high: l.high + r.high },
        BinaryOp::Subtract => Range { low: l.low - r.high, high: l.high - r.low },
        BinaryOp::Multiply => {
            Range::of(&[times(l.low, r.low), times(l.low, r.high), times(l.high, r.low), times(l.high, r.high)])
        }
        BinaryOp::Divide if r.low > 0.0 || r.high < 0.0 => corners(|a, b| a / b),
        BinaryOp::Divide => Range::ALL,
        _ => Range::TRUTH,
    }
}
