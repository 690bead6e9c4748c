//! Types of fields: what the table says of a value ([`FieldType`]) and the Rust type that a reader gets.

use super::FieldType;
use super::schema::Kind;
use crate::value::{self, BlockId, RangeValue, Value};
use indexmap::IndexMap;
use ipnet::IpNet;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

/// A type that a field of the table can have.
pub trait FieldValue {
    /// The type as the checker knows it.
    const TYPE: FieldType;
    /// What a reader gets.
    type Out<'a>;
    /// The value as this type; `None` when it is deferred, was refused (and reported), or is of another type.
    fn read(value: &Value) -> Option<Self::Out<'_>>;
}

/// Types that stand for one variant of [`Value`].
macro_rules! simple {
    ($($(#[$doc:meta])* $name:ident: $ty:expr, $out:ty, $pattern:pat => $read:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        implement!($name: $ty, $out, $pattern => $read);
    )*};
}

macro_rules! implement {
    ($name:ty: $ty:expr, $out:ty, $pattern:pat => $read:expr) => {
        impl FieldValue for $name {
            const TYPE: FieldType = $ty;
            type Out<'a> = $out;
            fn read(value: &Value) -> Option<Self::Out<'_>> {
                match value {
                    $pattern => Some($read),
                    _ => None,
                }
            }
        }
    };
}

implement!(bool: FieldType::Bool, bool, Value::Bool(value) => *value);
implement!(i64: FieldType::Int, i64, Value::Int(value) => *value);
implement!(Decimal: FieldType::Decimal, Decimal, Value::Decimal(value) => *value);
implement!(value::Days: FieldType::Days, value::Days, Value::Days(value) => *value);
implement!(Date: FieldType::Date, Date, Value::Date(value) => *value);
implement!(IpNet: FieldType::Cidr, IpNet, Value::Cidr(value) => *value);
implement!(IpAddr: FieldType::Ip, IpAddr, Value::Ip(value) => *value);
implement!(value::Condition: FieldType::Condition, &'a value::Condition, Value::Condition(value) => value);
implement!(value::Formula: FieldType::Formula, &'a value::Formula, Value::Formula(value) => value);

simple! {
    /// `string`, read as `&str`.
    Text: FieldType::String, &'a str, Value::String(value) => value;
    /// `70%`, read as `70`.
    Percent: FieldType::Percent, Decimal, Value::Percent(value) => *value;
    /// `1 TiB`, read as a number of bytes.
    Bytes: FieldType::Size, i64, Value::Size(value) => *value;
    /// `15 min`, read as a number of seconds.
    Seconds: FieldType::Duration, i64, Value::Duration(value) => *value;
    /// `2.50 USD/h`, read with its currency and unit of time.
    Money: FieldType::Money, &'a value::Money, Value::Money(value) => value;
    /// `08:00`, read as minutes after midnight, 0 to 1440.
    TimeOfDay: FieldType::Time, u16, Value::Time(value) => *value;
    /// `0..10 initially 2`, read with its parts, each of which may be deferred.
    IntRange: FieldType::IntRange, &'a RangeValue, Value::Range(value) => value;
    /// A port number, 1 to 65535.
    PortNumber: FieldType::Port, i64, Value::Int(value) => *value;
    /// An OpenSSH public key, read as `&str`.
    SshKey: FieldType::SshKey, &'a str, Value::String(value) => value;
    /// A record of strings, such as tags.
    StringMap: FieldType::StringMap, &'a IndexMap<Arc<str>, Value>, Value::Record(value) => value;
}

/// Any value at all, read as it is.
#[derive(Clone, Copy, Debug)]
pub struct Any;

impl FieldValue for Any {
    const TYPE: FieldType = FieldType::Any;
    type Out<'a> = &'a Value;
    fn read(value: &Value) -> Option<&Value> {
        Some(value)
    }
}

/// An integer between two bounds, both inclusive.
#[derive(Clone, Copy, Debug)]
pub struct IntIn<const MIN: i64, const MAX: i64>;

impl<const MIN: i64, const MAX: i64> FieldValue for IntIn<MIN, MAX> {
    const TYPE: FieldType = FieldType::IntIn(MIN, MAX);
    type Out<'a> = i64;
    fn read(value: &Value) -> Option<i64> {
        i64::read(value)
    }
}

/// A secret is welcome here, because Azure keeps it secret.
#[derive(Clone, Copy, Debug)]
pub struct Secret<T>(PhantomData<T>);

impl<T: FieldValue> FieldValue for Secret<T> {
    const TYPE: FieldType = FieldType::Secret(&T::TYPE);
    type Out<'a> = T::Out<'a>;
    fn read(value: &Value) -> Option<Self::Out<'_>> {
        T::read(value)
    }
}

/// The name of a block of kind `K`, read as [`RefTo`].
#[derive(Clone, Copy, Debug)]
pub struct Ref<K>(PhantomData<K>);

impl<K: Kind> FieldValue for Ref<K> {
    const TYPE: FieldType = FieldType::Ref(K::KIND);
    type Out<'a> = RefTo<K>;
    fn read(value: &Value) -> Option<RefTo<K>> {
        match value {
            Value::Ref(id) => Some(RefTo { id: *id, kind: PhantomData }),
            _ => None,
        }
    }
}

/// A reference to a block of kind `K`; [`super::super::checked::Checked::view`] leads to the block.
#[derive(Debug, PartialEq, Eq)]
pub struct RefTo<K> {
    /// Index of the block.
    pub id: BlockId,
    kind: PhantomData<K>,
}

impl<K> Clone for RefTo<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for RefTo<K> {}

impl<K> From<RefTo<K>> for BlockId {
    fn from(reference: RefTo<K>) -> Self {
        reference.id
    }
}

/// A list of `T`, read as [`ListOf`].
#[derive(Clone, Copy, Debug)]
pub struct List<T>(PhantomData<T>);

impl<T: FieldValue> FieldValue for List<T> {
    const TYPE: FieldType = FieldType::List(&T::TYPE);
    type Out<'a> = ListOf<'a, T>;
    fn read(value: &Value) -> Option<Self::Out<'_>> {
        match value {
            Value::List(items) => Some(ListOf { items, of: PhantomData }),
            _ => None,
        }
    }
}

/// One `T`, or several in order of preference (`first of [a, b]`), read as [`ListOf`].
#[derive(Clone, Copy, Debug)]
pub struct Preferred<T>(PhantomData<T>);

impl<T: FieldValue> FieldValue for Preferred<T> {
    const TYPE: FieldType = FieldType::Either(&[T::TYPE, FieldType::First(&T::TYPE)]);
    type Out<'a> = ListOf<'a, T>;
    fn read(value: &Value) -> Option<Self::Out<'_>> {
        match value {
            Value::First(items) => Some(ListOf { items, of: PhantomData }),
            Value::Null | Value::Error | Value::List(_) => None,
            single => Some(ListOf { items: std::slice::from_ref(single), of: PhantomData }),
        }
    }
}

/// One `T` or a list of them, read as [`ListOf`].
#[derive(Clone, Copy, Debug)]
pub struct OneOrMany<T>(PhantomData<T>);

impl<T: FieldValue> FieldValue for OneOrMany<T> {
    const TYPE: FieldType = FieldType::Either(&[T::TYPE, FieldType::List(&T::TYPE)]);
    type Out<'a> = ListOf<'a, T>;
    fn read(value: &Value) -> Option<Self::Out<'_>> {
        match value {
            Value::List(items) => Some(ListOf { items, of: PhantomData }),
            Value::Null | Value::Error => None,
            single => Some(ListOf { items: std::slice::from_ref(single), of: PhantomData }),
        }
    }
}

/// The elements of a list. The default is the empty list.
#[derive(Debug)]
pub struct ListOf<'a, T> {
    items: &'a [Value],
    of: PhantomData<T>,
}

impl<T> Clone for ListOf<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ListOf<'_, T> {}

impl<T> Default for ListOf<'_, T> {
    fn default() -> Self {
        Self { items: &[], of: PhantomData }
    }
}

impl<'a, T: FieldValue> ListOf<'a, T> {
    /// The elements; those that are deferred or were refused are left out.
    pub fn iter(self) -> impl Iterator<Item = T::Out<'a>> {
        self.items.iter().filter_map(T::read)
    }

    /// All elements as values, deferred ones included.
    #[must_use]
    pub fn values(self) -> &'a [Value] {
        self.items
    }
}

impl<'a, T: FieldValue> IntoIterator for ListOf<'a, T> {
    type Item = T::Out<'a>;
    type IntoIter = std::iter::FilterMap<std::slice::Iter<'a, Value>, fn(&'a Value) -> Option<T::Out<'a>>>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter().filter_map(T::read)
    }
}

/// A value that may be known only when the template is deployed.
#[derive(Debug)]
pub struct Late<'a, T> {
    value: &'a Value,
    of: PhantomData<T>,
}

impl<T> Clone for Late<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Late<'_, T> {}

impl<'a, T: FieldValue> Late<'a, T> {
    /// Wraps a value; nothing when it was refused.
    pub(crate) fn new(value: &'a Value) -> Option<Self> {
        (!matches!(value, Value::Null | Value::Error)).then_some(Self { value, of: PhantomData })
    }

    /// The value, known or deferred.
    #[must_use]
    pub fn value(self) -> &'a Value {
        self.value
    }

    /// The value, if it is known while compiling.
    #[must_use]
    pub fn known(self) -> Option<T::Out<'a>> {
        T::read(self.value)
    }
}
