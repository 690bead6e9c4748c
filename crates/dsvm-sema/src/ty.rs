//! Types: what a value may be. Types of the table ([`FieldType`]) and types that are written become the same thing.

use super::table::{BlockKind, FieldType};
use super::value::Value;
use indexmap::IndexMap;
use std::fmt;
use std::sync::Arc;

/// A type of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    /// Already reported; fits everywhere.
    Error,
    /// A value of any type.
    Any,
    /// The absence of a value: `null`.
    Null,
    /// `true` or `false`, of type `bool`.
    Bool,
    /// An integer of 64 bits.
    Int,
    /// An exact decimal number: `0.5`.
    Decimal,
    /// A percentage such as `70%`.
    Percent,
    /// A size in bytes: `1 TiB`.
    Size,
    /// A duration such as `15 min`.
    Duration,
    /// A price such as `2.50 USD/h`.
    Money,
    /// A time of day: `08:00`.
    Time,
    /// Days of the week: `mon..fri`.
    Days,
    /// A calendar date: `2026-12-01`.
    Date,
    /// A range of numbers: `0..10 initially 2`.
    Range,
    /// An address range such as `10.0.0.0/16`.
    Cidr,
    /// An address such as `10.0.0.4`.
    Ip,
    /// A port number from 1 to 65535.
    Port,
    /// A public key of OpenSSH.
    SshKey,
    /// Text of any length.
    String,
    /// `avg(cpu, 10 min) > 75%`
    Condition,
    /// An expression of the autoscale formula language.
    Formula,
    /// One of these words, written bare.
    OneOf(&'static [&'static str]),
    /// This value and no other.
    Literal(Box<Value>),
    /// A list, written `[T]`.
    List(Arc<Ty>),
    /// Alternatives in order of preference, written `first of [T]`.
    First(Arc<Ty>),
    /// A record with any keys and values of one type.
    Map(Arc<Ty>),
    /// `{ a: T, b: T = default }`
    Record(Arc<IndexMap<Arc<str>, RecordField>>),
    /// One of several types: `a | b`.
    Union(Arc<[Ty]>),
    /// A type or `null`: `T?`.
    Nullable(Arc<Ty>),
    /// A value never shown: `secret T`.
    Secret(Arc<Ty>),
    /// A type with a name of its own.
    Named(Arc<str>, Arc<Ty>),
    /// `T in min..max`; of a string its length.
    In(Arc<Ty>, Box<(Value, Value)>),
    /// Text that a pattern matches: `string matching /…/`.
    Matching(Arc<Ty>, Arc<str>),
    /// A block of this kind.
    Ref(BlockKind),
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordField {
    /// Type of the values of the field.
    pub ty: Ty,
    /// What it is when it is not written.
    pub default: Option<Value>,
}

impl Ty {
    /// The type without name and refinement: `int` for `int in 1..100`.
    #[must_use]
    pub fn base(&self) -> &Ty {
        match self {
            Ty::Named(_, inner) | Ty::In(inner, _) | Ty::Matching(inner, _) | Ty::Secret(inner) => inner.base(),
            other => other,
        }
    }

    /// Whether `null` is one of its values.
    #[must_use]
    pub fn nullable(&self) -> bool {
        match self {
            Ty::Nullable(_) | Ty::Null | Ty::Any | Ty::Error => true,
            Ty::Union(parts) => parts.iter().any(Ty::nullable),
            Ty::Named(_, inner) | Ty::Secret(inner) => inner.nullable(),
            _ => false,
        }
    }

    /// Whether a secret may be here.
    #[must_use]
    pub fn welcomes_secrets(&self) -> bool {
        match self {
            Ty::Secret(_) | Ty::Error => true,
            Ty::Named(_, inner) | Ty::Nullable(inner) => inner.welcomes_secrets(),
            Ty::Union(parts) => parts.iter().any(Ty::welcomes_secrets),
            _ => false,
        }
    }

    /// Whether only a secret may be here.
    #[must_use]
    pub fn wants_secrets(&self) -> bool {
        match self {
            Ty::Secret(_) => true,
            Ty::Named(_, inner) | Ty::Nullable(inner) => inner.wants_secrets(),
            _ => false,
        }
    }

    /// The type without `?`.
    #[must_use]
    pub fn not_null(&self) -> &Ty {
        match self {
            Ty::Nullable(inner) => inner.not_null(),
            Ty::Named(_, inner) if inner.nullable() => inner.not_null(),
            other => other,
        }
    }

    /// Of `T | first of [T]` the `T`: what to tell someone who wrote neither.
    #[must_use]
    pub fn without_alternatives(&self) -> &Ty {
        match self.base() {
            Ty::Union(parts) => match parts.as_ref() {
                [one, Ty::First(several)] if *one == **several => one,
                _ => self,
            },
            _ => self,
        }
    }

    /// The type of alternatives, where `first of […]` can stand.
    #[must_use]
    pub fn alternative(&self) -> Option<&Ty> {
        match self.base() {
            Ty::First(element) => Some(element),
            Ty::Nullable(inner) => inner.alternative(),
            Ty::Union(parts) => parts.iter().find_map(Ty::alternative),
            _ => None,
        }
    }

    /// The type of elements of a list, if it is one.
    #[must_use]
    pub fn element(&self) -> Option<&Ty> {
        match self.base() {
            Ty::List(element) => Some(element),
            Ty::Nullable(inner) => inner.element(),
            Ty::Union(parts) => parts.iter().find_map(Ty::element),
            _ => None,
        }
    }
}

impl From<&FieldType> for Ty {
    fn from(field: &FieldType) -> Self {
        match field {
            FieldType::Bool => Ty::Bool,
            FieldType::Int => Ty::Int,
            FieldType::IntIn(min, max) => Ty::In(Arc::new(Ty::Int), Box::new((Value::Int(*min), Value::Int(*max)))),
            FieldType::Decimal => Ty::Decimal,
            FieldType::String => Ty::String,
            FieldType::OneOf(words) => Ty::OneOf(words),
            FieldType::Percent => Ty::Percent,
            FieldType::Size => Ty::Size,
            FieldType::Duration => Ty::Duration,
            FieldType::Money => Ty::Money,
            FieldType::Time => Ty::Time,
            FieldType::Days => Ty::Days,
            FieldType::Date => Ty::Date,
            FieldType::IntRange => Ty::Range,
            FieldType::Cidr => Ty::Cidr,
            FieldType::Ip => Ty::Ip,
            FieldType::Port => Ty::Port,
            FieldType::SshKey => Ty::SshKey,
            FieldType::Ref(kind) => Ty::Ref(*kind),
            FieldType::List(element) => Ty::List(Arc::new(Ty::from(*element))),
            FieldType::First(element) => Ty::First(Arc::new(Ty::from(*element))),
            FieldType::StringMap => Ty::Map(Arc::new(Ty::String)),
            FieldType::Any => Ty::Any,
            FieldType::Either(parts) => Ty::Union(parts.iter().map(Ty::from).collect()),
            FieldType::Secret(inner) => Ty::Secret(Arc::new(Ty::from(*inner))),
            FieldType::Condition => Ty::Condition,
            FieldType::Formula => Ty::Formula,
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Error | Ty::Any => f.write_str("any"),
            Ty::Null => f.write_str("null"),
            Ty::Bool => f.write_str("bool"),
            Ty::Int => f.write_str("int"),
            Ty::Decimal => f.write_str("decimal"),
            Ty::Percent => f.write_str("percent"),
            Ty::Size => f.write_str("size"),
            Ty::Duration => f.write_str("duration"),
            Ty::Money => f.write_str("money"),
            Ty::Time => f.write_str("time"),
            Ty::Days => f.write_str("days"),
            Ty::Date => f.write_str("date"),
            Ty::Range => f.write_str("range"),
            Ty::Cidr => f.write_str("cidr"),
            Ty::Ip => f.write_str("ip"),
            Ty::Port => f.write_str("port"),
            Ty::SshKey => f.write_str("ssh_key"),
            Ty::String => f.write_str("string"),
            Ty::Condition => f.write_str("condition"),
            Ty::Formula => f.write_str("formula"),
            Ty::OneOf(words) => write!(f, "{}", words.join(" | ")),
            Ty::Literal(value) => write!(f, "{value}"),
            Ty::List(element) => write!(f, "[{element}]"),
            Ty::First(element) => write!(f, "first of [{element}]"),
            Ty::Map(element) => write!(f, "record of {element}"),
            Ty::Record(fields) => {
                f.write_str("{ ")?;
                for (i, (name, field)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {}", if i == 0 { "" } else { ", " }, field.ty)?;
                }
                f.write_str(" }")
            }
            Ty::Union(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if i == 0 { "" } else { " | " })?;
                }
                Ok(())
            }
            Ty::Nullable(inner) => write!(f, "{inner}?"),
            Ty::Secret(inner) => write!(f, "secret {inner}"),
            Ty::Named(name, _) => f.write_str(name),
            Ty::In(inner, bounds) => write!(f, "{inner} in {}..{}", bounds.0, bounds.1),
            Ty::Matching(inner, pattern) => write!(f, "{inner} matching /{pattern}/"),
            Ty::Ref(BlockKind::BatchPool) => f.write_str("pool …: batch"),
            Ty::Ref(kind) => f.write_str(kind.keyword()),
        }
    }
}
