//! Values that an evaluation computes with, and how the service prints them.

use super::time::{print_interval, print_timestamp};

/// A value of the formula language.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, called `double`.
    Number(f64),
    /// A vector of numbers, called `doubleVec`.
    Vector(Vec<f64>),
    /// A text, called `string`.
    Text(String),
    /// `timestamp`, in ticks since 1970
    Timestamp(i64),
    /// A duration, called `timeinterval`, in ticks of 100 ns.
    Interval(i64),
    /// `requeue` and its like
    Deallocation(String),
    /// The result of `stop()`: no value.
    Nothing,
}

impl Value {
    /// The type, as people call it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Number(_) => "double",
            Self::Vector(_) => "doubleVec",
            Self::Text(_) => "string",
            Self::Timestamp(_) => "timestamp",
            Self::Interval(_) => "timeinterval",
            Self::Deallocation(_) => "node deallocation option",
            Self::Nothing => "nothing",
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Vector(v) => {
                let parts: Vec<String> = v.iter().map(f64::to_string).collect();
                write!(f, "[{}]", parts.join(","))
            }
            Self::Text(text) => f.write_str(text),
            Self::Timestamp(t) => f.write_str(&print_timestamp(*t)),
            Self::Interval(i) => f.write_str(&print_interval(*i)),
            Self::Deallocation(option) => f.write_str(option),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}
