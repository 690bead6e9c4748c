//! Values: known while compiling, or deferred until the template is deployed.

use super::table::words::Aggregate;
use super::ty::Ty;
use dsvm_diagnostics::source::Span;
use dsvm_syntax::ast::{BinaryOp, UnaryOp};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use std::sync::Arc;

/// Index of a block in [`super::checked::Checked::blocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u32);

/// A value of the language, known or deferred.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The absence of a value: `null`.
    Null,
    /// One of `true` and `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An exact decimal number: `0.5`.
    Decimal(Decimal),
    /// A percentage: `70%` is `Percent(70)`.
    Percent(Decimal),
    /// A size in bytes, from `1 TiB`.
    Size(i64),
    /// A duration in seconds, from `15 min`.
    Duration(i64),
    /// Amount of money, perhaps per unit of time.
    Money(Box<Money>),
    /// Minutes after midnight, 0–1440 (`24:00`).
    Time(u16),
    /// Days of the week.
    Days(Days),
    /// A calendar date without a time zone.
    Date(jiff::civil::Date),
    /// `min..max initially initial`; each part may be deferred.
    Range(Arc<RangeValue>),
    /// Address range, as written, host bits zero.
    Cidr(ipnet::IpNet),
    /// An address of IPv4 or IPv6.
    Ip(std::net::IpAddr),
    /// Text that is known while compiling.
    String(Arc<str>),
    /// A list, deferred elements included.
    List(Arc<Vec<Value>>),
    /// `first of [a, b]`: alternatives in order of preference; at least one.
    First(Arc<Vec<Value>>),
    /// Record, in source order.
    Record(Arc<IndexMap<Arc<str>, Value>>),
    /// A declared block: a share, an image of the library, a pool.
    Ref(BlockId),
    /// `avg(cpu, 10 min) > 75%`
    Condition(Arc<Condition>),
    /// An expression of the autoscale formula language.
    Formula(Arc<Formula>),
    /// Known only when the template is deployed.
    Deferred(Arc<Deferred>),
    /// Already reported; everything that touches it stays quiet.
    Error,
}

/// Money. The unit of time, if any, in seconds (`USD/h` is 3600).
#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    /// Exact amount in the currency.
    pub amount: Decimal,
    /// ISO 4217 code, upper case.
    pub currency: Arc<str>,
    /// Seconds of the unit of time.
    pub per_seconds: Option<i64>,
}

/// A set of week days; bit 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Days(pub u8);

/// A range of numbers of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeValue {
    /// Smallest number, known or deferred.
    pub min: Value,
    /// Largest number, inclusive, known or deferred.
    pub max: Value,
    /// The number at first, after `initially`.
    pub initial: Option<Value>,
}

/// When an autoscale rule applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// How the values of the metric over the window become one.
    pub aggregate: Aggregate,
    /// The metric: a `metric` block, or text for a metric by its Azure name.
    pub metric: Value,
    /// Seconds that the condition looks back.
    pub window_seconds: i64,
    /// How that one value is compared with the threshold.
    pub operator: Comparison,
    /// Threshold, in the unit of the metric.
    pub threshold: Value,
    /// Where it was written.
    pub span: Span,
}

/// How a condition compares: the metric is on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The operator `>` of conditions.
    Greater,
    /// The operator `>=` of conditions.
    GreaterOrEqual,
    /// The operator `<` of conditions.
    Less,
    /// The operator `<=` of conditions.
    LessOrEqual,
    /// The operator `==` of conditions.
    Equal,
    /// The operator `!=` of conditions.
    NotEqual,
}

impl Comparison {
    /// The sign as it is written.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    /// Whether it holds of large values and not of small ones.
    #[must_use]
    pub const fn upward(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    /// Whether it holds of small values and not of large ones.
    #[must_use]
    pub const fn downward(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.sign())
    }
}

/// A value that only the deployment knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Deferred {
    /// Its type; `to_string()` is its name in messages (`string`, `int`, `ssh_key`, `[string]`).
    pub ty: Ty,
    /// How the deployment computes it.
    pub expr: Deploy,
    /// The way a secret took to here, first step first; empty when it is not secret.
    pub secret: Vec<SecretStep>,
}

/// A step on the path of a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretStep {
    /// Where it was written in the source.
    pub span: Span,
    /// What happened there, at most eight words (`declared secret here`, `becomes part of this string`).
    pub text: Arc<str>,
}

/// An expression of deployment time, folded as far as it can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Deploy {
    /// A constant part: null, bool, int, string, list or record of these, nothing else. Quantities are whole numbers
    /// here: a size in bytes, a duration in seconds, a percentage in percent; a time, date or address is its text; a
    /// block is its name.
    Constant(Value),
    /// A parameter: `parameters('name')` in the template.
    Parameter(Arc<str>),
    /// Attribute of a block (`team.address`), resolved by `graph` into `reference(...)` and the like.
    Attribute(BlockId, &'static str),
    /// A function of the ARM template language.
    Call(&'static str, Vec<Deploy>),
    /// A property of a value: `a.b`.
    Member(Box<Deploy>, Arc<str>),
    /// An element of a list: `a[i]`.
    Index(Box<Deploy>, Box<Deploy>),
}

/// An expression of the autoscale formula language: names of the program are replaced by their values, everything else
/// is left to the stage that knows the formula language.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// What the node of the formula is.
    pub kind: FormulaKind,
    /// Where it was written.
    pub span: Span,
}

/// The kinds of formula expression.
#[derive(Clone, Debug, PartialEq)]
pub enum FormulaKind {
    /// A constant, or a name of the program that has this value.
    Value(Value),
    /// A name that the program does not declare: a variable or a metric of the formula language.
    Name(Arc<str>),
    /// A call of a function: `f(a, b)`.
    Call(Arc<str>, Vec<Formula>),
    /// An operator before its operand: `!a`, `-a`.
    Unary(UnaryOp, Box<Formula>),
    /// An operator between operands: `a + b`.
    Binary(BinaryOp, Box<Formula>, Box<Formula>),
    /// `if c then a else b`
    If(Box<Formula>, Box<Formula>, Box<Formula>),
}
