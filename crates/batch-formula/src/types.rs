//! Gives every expression of a formula its type and refuses what the service's table of operations does not allow.

mod calls;

use std::collections::BTreeMap;

use super::ast::{BinaryOp, Expr, ExprKind, Formula, FormulaSpan, Name, Statement, UnaryOp};
use super::error::{FormulaError, FormulaRule};
use super::names::{self, VariableKind};

/// A type of the formula language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number, called `double`.
    Double,
    /// A vector of numbers, called `doubleVec`.
    Vector,
    /// A text, called `string`.
    Text,
    /// A point in time, called `timestamp`.
    Timestamp,
    /// A duration, called `timeinterval`.
    Interval,
    /// `requeue` and its like.
    Deallocation,
    /// A metric: it has samples and is not a number.
    Samples,
    /// The result of `stop()`: no value.
    Nothing,
    /// Already reported as wrong; not reported again.
    Unknown,
}

impl Type {
    /// As the service's documentation calls it.
    #[must_use]
    pub fn shown(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Vector => "doubleVec",
            Self::Text => "string",
            Self::Timestamp => "timestamp",
            Self::Interval => "timeinterval",
            Self::Deallocation => "node deallocation option",
            Self::Samples => "metric",
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
        }
    }
}

/// How a `GetSample` asks for its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleCall {
    /// The last so many.
    Last,
    /// Those of a time frame, however few.
    Window,
    /// Those of a time frame, failing if too few.
    WindowOrFail,
}

/// The result of the type check.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// How each `GetSample`, found by its place, asks.
    pub sample_calls: BTreeMap<FormulaSpan, SampleCall>,
    /// Type and name errors, in order of discovery.
    pub errors: Vec<FormulaError>,
}

/// Checks names and types of a whole formula.
#[must_use]
pub(crate) fn check_types(formula: &Formula) -> Typed {
    let mut checker = Checker { variables: BTreeMap::new(), typed: Typed::default() };
    formula.statements.iter().for_each(|s| checker.statement(s));
    checker.typed
}

struct Checker {
    variables: BTreeMap<String, Type>,
    typed: Typed,
}

impl Checker {
    fn error(&mut self, error: FormulaError) -> Type {
        self.typed.errors.push(error);
        Type::Unknown
    }

    fn statement(&mut self, statement: &Statement) {
        let value = self.expr(&statement.value);
        let Some(target) = &statement.target else {
            if !matches!(value, Type::Nothing | Type::Unknown) {
                self.error(
                    FormulaError::new(
                        FormulaRule::Type,
                        statement.place,
                        "a value that nothing uses",
                        "computed and dropped",
                    )
                    .help("assign it to a variable, or remove the statement"),
                );
            }
            return;
        };
        self.assign(target, value, statement);
    }

    fn assign(&mut self, target: &Name, value: Type, statement: &Statement) {
        let place = statement.value.place;
        match names::variable(&target.text).map(|v| v.kind) {
            Some(VariableKind::Target) => self.assign_target(target, value, place),
            Some(VariableKind::Deallocation) => {
                if !matches!(value, Type::Deallocation | Type::Unknown) {
                    self.error(
                        FormulaError::new(
                            FormulaRule::Type,
                            place,
                            format!("`{}` is set to a {}", target.text, value.shown()),
                            format!("a {}", value.shown()),
                        )
                        .help(format!("write one of {} without quotes", shown_list(names::DEALLOCATION_OPTIONS))),
                    );
                }
            }
            Some(_) => {
                self.error(
                    FormulaError::new(
                        FormulaRule::ReadOnly,
                        target.place,
                        format!("`{}` is set by the service and cannot be assigned", target.text),
                        "read-only",
                    )
                    .help("assign to a variable with a name of your own"),
                );
            }
            None => {
                if let Some(known) = self.misspelt_target(&target.text) {
                    self.error(
                        FormulaError::new(
                            FormulaRule::UnknownName,
                            target.place,
                            format!(
                                "`{}` is not a variable of the service, so assigning it has no effect",
                                target.text
                            ),
                            "never read",
                        )
                        .help(format!("write `{known}`")),
                    );
                }
                let value = if value == Type::Samples { self.bare_metric(&statement.value) } else { value };
                if value == Type::Nothing {
                    self.error(
                        FormulaError::new(FormulaRule::Type, place, "`stop()` returns no value", "nothing to assign")
                            .help("write `stop();` as a statement of its own"),
                    );
                }
                self.variables.insert(target.text.clone(), value);
            }
        }
    }

    fn assign_target(&mut self, target: &Name, value: Type, place: FormulaSpan) {
        let error = match value {
            Type::Double | Type::Unknown => return,
            Type::Vector | Type::Samples => FormulaError::new(
                FormulaRule::Type,
                place,
                format!("`{}` is set to a {}, not to one number", target.text, value.shown()),
                format!("a {}", value.shown()),
            )
            .help("take one number of it with `avg(…)`, `max(…)`, `min(…)` or `val(…, 0)`"),
            other => FormulaError::new(
                FormulaRule::Type,
                place,
                format!("`{}` is set to a {}, not to a number", target.text, other.shown()),
                format!("a {}", other.shown()),
            ),
        };
        self.error(error);
    }

    /// A `$Name` that is not ours, is never read by the service, and looks like a target.
    fn misspelt_target(&self, written: &str) -> Option<&'static str> {
        let targets = [names::DEDICATED, names::SPOT, names::DEALLOCATION];
        if !written.starts_with('$') {
            return None;
        }
        targets.into_iter().find(|known| strsim::damerau_levenshtein(known, written) <= 2)
    }

    fn bare_metric(&mut self, value: &Expr) -> Type {
        let name = match &value.kind {
            ExprKind::Variable(name) => name.as_str(),
            _ => "the metric",
        };
        self.error(
            FormulaError::new(
                FormulaRule::Type,
                value.place,
                format!("`{name}` is a metric, not a number"),
                "has many samples",
            )
            .help(format!("take its samples: `avg({name}.GetSample(TimeInterval_Minute * 5))`")),
        )
    }

    fn number_or_vector(&mut self, value: &Expr) -> Type {
        match self.expr(value) {
            Type::Samples => self.bare_metric(value),
            other => other,
        }
    }

    fn expr(&mut self, value: &Expr) -> Type {
        match &value.kind {
            ExprKind::Number(_) => Type::Double,
            ExprKind::Text(_) => Type::Text,
            ExprKind::Variable(name) => self.variable(name, value.place),
            ExprKind::Unary(op, inner) => self.unary(*op, inner, value.place),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, value.place),
            ExprKind::Ternary(condition, then, otherwise) => self.ternary(condition, then, otherwise),
            ExprKind::Call(name, args) => self.call(name, args, value.place),
            ExprKind::Method(object, name, args) => self.method(object, name, args, value.place),
            ExprKind::Member(object, name) => self.member(object, name),
        }
    }

    fn variable(&mut self, name: &str, place: FormulaSpan) -> Type {
        if let Some(variable) = names::variable(name) {
            return match variable.kind {
                VariableKind::Target | VariableKind::Count | VariableKind::Number => Type::Double,
                VariableKind::Deallocation => Type::Deallocation,
                VariableKind::Samples => Type::Samples,
            };
        }
        if let Some(known) = self.variables.get(name) {
            return *known;
        }
        if names::interval(name).is_some() {
            return Type::Interval;
        }
        if names::DEALLOCATION_OPTIONS.contains(&name) {
            return Type::Deallocation;
        }
        let known = self.variables.keys().map(String::as_str);
        let known = known
            .chain(names::VARIABLES.iter().map(|v| v.name))
            .chain(names::INTERVALS.iter().map(|i| i.0))
            .chain(names::DEALLOCATION_OPTIONS.iter().copied());
        let mut error =
            FormulaError::new(FormulaRule::UnknownName, place, format!("there is no variable `{name}`"), "unknown");
        error = match names::suggest(name, known) {
            Some(suggestion) => error.help(format!("did you mean `{suggestion}`?")),
            None => error.help("assign it in an earlier statement"),
        };
        self.error(error)
    }

    fn unary(&mut self, op: UnaryOp, inner: &Expr, place: FormulaSpan) -> Type {
        match (op, self.number_or_vector(inner)) {
            (_, Type::Unknown) => Type::Unknown,
            (_, Type::Double) => Type::Double,
            (UnaryOp::Negate, Type::Interval) => Type::Interval,
            (_, other) => self.error(FormulaError::new(
                FormulaRule::Type,
                place,
                format!("`{}` cannot be applied to a {}", op.sign(), other.shown()),
                format!("a {}", other.shown()),
            )),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr, place: FormulaSpan) -> Type {
        let (l, r) = (self.number_or_vector(left), self.number_or_vector(right));
        if l == Type::Unknown || r == Type::Unknown {
            return Type::Unknown;
        }
        if let Some(result) = operation(op, l, r) {
            return result;
        }
        let mut error = FormulaError::new(
            FormulaRule::Type,
            place,
            format!("`{}` between a {} and a {}", op.sign(), l.shown(), r.shown()),
            "not an operation of the formula language",
        );
        error = match (op, l, r) {
            (_, Type::Double, Type::Vector) if op.precedence() >= 5 => {
                error.help("write the vector first; the service supports `doubleVec` with `double`, not the reverse")
            }
            (BinaryOp::Subtract, Type::Timestamp, Type::Interval) => {
                error.help("add the negative interval: `time() + (-10 * TimeInterval_Minute)`")
            }
            (_, Type::Vector, _) | (_, _, Type::Vector) => {
                error.help("take one number of the vector with `avg(…)`, `max(…)`, `min(…)` or `val(…, 0)`")
            }
            _ => error,
        };
        self.error(error)
    }

    fn ternary(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Type {
        let test = self.number_or_vector(condition);
        if !matches!(test, Type::Double | Type::Unknown) {
            self.error(
                FormulaError::new(
                    FormulaRule::Type,
                    condition.place,
                    format!("the condition is a {}, not a number", test.shown()),
                    format!("a {}", test.shown()),
                )
                .note("a number other than zero counts as true"),
            );
        }
        let (a, b) = (self.expr(then), self.expr(otherwise));
        match (a, b) {
            _ if a == b => a,
            (Type::Nothing | Type::Unknown, other) | (other, Type::Nothing | Type::Unknown) => other,
            _ => self.error(
                FormulaError::new(
                    FormulaRule::Type,
                    otherwise.place,
                    format!("one branch is a {}, the other a {}", a.shown(), b.shown()),
                    format!("a {}", b.shown()),
                )
                .help("make both branches the same type"),
            ),
        }
    }

    fn member(&mut self, object: &Expr, name: &Name) -> Type {
        let object_type = self.expr(object);
        if object_type == Type::Unknown {
            return Type::Unknown;
        }
        if object_type != Type::Timestamp {
            let mut error = FormulaError::new(
                FormulaRule::Type,
                name.place,
                format!("a {} has no member `{}`", object_type.shown(), name.text),
                "only a timestamp has members",
            );
            if names::METHODS.contains(&name.text.as_str()) {
                error = error.help(format!("call it: `.{}(…)`", name.text));
            }
            return self.error(error);
        }
        if !names::MEMBERS.contains(&name.text.as_str()) {
            let error = FormulaError::new(
                FormulaRule::UnknownName,
                name.place,
                format!("a timestamp has no member `{}`", name.text),
                "not a member",
            );
            return self.error(error.help(format!("write one of {}", shown_list(names::MEMBERS))));
        }
        Type::Double
    }
}

fn shown_list(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// The service's table of operations; `None` where it has no row.
#[must_use]
pub fn operation(op: BinaryOp, left: Type, right: Type) -> Option<Type> {
    use BinaryOp::{Add, And, Divide, Multiply, Or, Subtract};
    use Type::{Double, Interval, Text, Timestamp, Vector};
    match (op, left, right) {
        (And | Or, Double, Double) => Some(Double),
        (op, a, b) if op.is_comparison() => {
            (a == b && matches!(a, Double | Text | Timestamp | Interval)).then_some(Double)
        }
        (_, Double, Double) => Some(Double),
        (Add | Subtract | Multiply | Divide, Vector, Double | Vector) => Some(Vector),
        (Multiply, Double, Interval) | (Multiply | Divide, Interval, Double) => Some(Interval),
        (Add | Subtract, Interval, Interval) | (Subtract, Timestamp, Timestamp) => Some(Interval),
        (Add, Interval, Timestamp) | (Add, Timestamp, Interval) => Some(Timestamp),
        _ => None,
    }
}
