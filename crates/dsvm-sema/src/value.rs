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

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// 64-bit integer.
    Int(i64),
    /// Exact decimal.
    Decimal(Decimal),
    /// `70%` is `Percent(70)`.
    Percent(Decimal),
    /// Bytes.
    Size(i64),
    /// Seconds.
    Duration(i64),
    /// Amount of money, perhaps per unit of time.
    Money(Box<Money>),
    /// Minutes after midnight, 0–1440 (`24:00`).
    Time(u16),
    /// Days of the week.
    Days(Days),
    /// Calendar date.
    Date(jiff::civil::Date),
    /// `min..max initially initial`; each part may be deferred.
    Range(Arc<RangeValue>),
    /// Address range, as written, host bits zero.
    Cidr(ipnet::IpNet),
    /// Address.
    Ip(std::net::IpAddr),
    /// Text.
    String(Arc<str>),
    /// List.
    List(Arc<Vec<Value>>),
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
    /// Exact amount.
    pub amount: Decimal,
    /// ISO 4217 code, upper case.
    pub currency: Arc<str>,
    /// Seconds of the unit of time.
    pub per_seconds: Option<i64>,
}

/// A set of week days; bit 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Days(pub u8);

/// A range.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeValue {
    /// Smallest.
    pub min: Value,
    /// Largest, inclusive.
    pub max: Value,
    /// `initially`
    pub initial: Option<Value>,
}

/// When an autoscale rule applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// How the values of the metric over the window become one.
    pub aggregate: Aggregate,
    /// The metric: a `metric` block, or text for a metric by its Azure name.
    pub metric: Value,
    /// Seconds looked back.
    pub window_seconds: i64,
    /// How that one value is compared with the threshold.
    pub operator: Comparison,
    /// Threshold, in the unit of the metric.
    pub threshold: Value,
    /// Where it was written.
    pub span: Span,
}

/// How a condition compares: the metric stands on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `!=`
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
    /// Where.
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
    /// `parameters('name')`
    Parameter(Arc<str>),
    /// Attribute of a block (`team.address`), resolved by `graph` into `reference(...)` and the like.
    Attribute(BlockId, &'static str),
    /// A function of the ARM template language.
    Call(&'static str, Vec<Deploy>),
    /// `a.b`
    Member(Box<Deploy>, Arc<str>),
    /// `a[i]`
    Index(Box<Deploy>, Box<Deploy>),
}

/// An expression of the autoscale formula language: names of the program are replaced by their values, everything else
/// is left to the stage that knows the formula language.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// What it is.
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
    /// `f(a, b)`
    Call(Arc<str>, Vec<Formula>),
    /// `!a`, `-a`
    Unary(UnaryOp, Box<Formula>),
    /// `a + b`
    Binary(BinaryOp, Box<Formula>, Box<Formula>),
    /// `if c then a else b`
    If(Box<Formula>, Box<Formula>, Box<Formula>),
}
