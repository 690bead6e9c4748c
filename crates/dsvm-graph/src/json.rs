//! JSON of resources, made for being built: keys and words of the program are borrowed, values are moved in.
//!
//! A project of a thousand pools has millions of properties, nearly all with a key that is written in this program, in
//! objects of a dozen entries. So an object is a list without a hash table: bodies cost 40 % of the instructions and a third
//! of the memory of `serde_json` (decision 060, with the other forms of JSON). `serde_json` takes over where values are
//! compared ([`Json::into_value`]).

use serde_json::{Number, Value};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The name of a property.
pub type Key = Cow<'static, str>;

/// A JSON value whose texts may be borrowed from the program.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Json {
    /// `null`; also what a float that JSON cannot hold becomes.
    #[default]
    Null,
    /// `true` or `false`, without quotes.
    Bool(bool),
    /// A number without a fraction.
    Int(i64),
    /// A number with a fraction; never infinite.
    Float(f64),
    /// A text, without quotes and escapes.
    String(Cow<'static, str>),
    /// A list of values in order.
    Array(Vec<Json>),
    /// Properties in the order in which they were set.
    Object(Map),
}

/// The properties of an object, in the order in which they came. Looked up one by one: fit for objects that are written
/// by hand, not for tables.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Map(Vec<(Key, Json)>);

impl Map {
    /// An object without properties.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty object with room for `count` properties.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Sets a property; one that exists keeps its position.
    pub fn insert(&mut self, key: Key, value: Json) {
        match self.get_mut(&key) {
            Some(slot) => *slot = value,
            None => self.0.push((key, value)),
        }
    }

    /// The value of a property, if the object has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a property, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Whether it has a property.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Takes a property out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Number of properties in the object.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All properties in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Json)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// All values in the order of their properties.
    pub fn values(&self) -> impl Iterator<Item = &Json> {
        self.0.iter().map(|(_, value)| value)
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Json> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Names of all properties in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.iter().map(|(key, _)| key)
    }
}

impl Extend<(Key, Json)> for Map {
    fn extend<I: IntoIterator<Item = (Key, Json)>>(&mut self, entries: I) {
        let entries = entries.into_iter();
        self.0.reserve(entries.size_hint().0);
        entries.for_each(|(key, value)| self.insert(key, value));
    }
}

/// No two of the names may be the same.
impl FromIterator<(Key, Json)> for Map {
    fn from_iter<I: IntoIterator<Item = (Key, Json)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl IntoIterator for Map {
    type Item = (Key, Json);
    type IntoIter = std::vec::IntoIter<(Key, Json)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// No two of the names may be the same.
impl<const N: usize> From<[(Key, Json); N]> for Map {
    fn from(entries: [(Key, Json); N]) -> Self {
        Self(Vec::from(entries))
    }
}

impl Json {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The properties, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The properties of an object, to be changed.
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// A property of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.as_object()?.get(key)
    }

    /// The same value as [`serde_json`] holds it. Consumes the value, so that nothing exists twice.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(number) => Value::Number(number.into()),
            Self::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Self::String(text) => Value::String(text.into_owned()),
            Self::Array(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Self::Object(map) => {
                Value::Object(map.into_iter().map(|(key, value)| (key.into_owned(), value.into_value())).collect())
            }
        }
    }

    /// Calls `visit` with every name and every text in it.
    pub fn texts(&self, visit: &mut impl FnMut(&str)) {
        match self {
            Self::String(text) => visit(text),
            Self::Array(items) => items.iter().for_each(|item| item.texts(visit)),
            Self::Object(map) => map.iter().for_each(|(key, value)| {
                visit(key);
                value.texts(visit);
            }),
            _ => {}
        }
    }

    /// Its bytes when it is written with two blanks of indentation; errs on the large side.
    #[must_use]
    pub fn estimate(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 5,
            Self::Int(_) | Self::Float(_) => 8,
            Self::String(text) => text.len() + text.len() / 8 + 2,
            Self::Array(items) => 16 + items.iter().map(|item| item.estimate() + 24).sum::<usize>(),
            Self::Object(map) => 16 + map.estimate(),
        }
    }

    /// As a file has it: two blanks of indentation, a newline at the end.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut out = String::with_capacity(self.estimate());
        self.write::<true>(&mut out, 0);
        out.push('\n');
        out
    }

    /// Without blanks and line ends.
    #[must_use]
    pub fn compact(&self) -> String {
        let mut out = String::with_capacity(self.estimate());
        self.write::<false>(&mut out, 0);
        out
    }

    fn write<const PRETTY: bool>(&self, out: &mut String, depth: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Int(value) => {
                if *value < 0 {
                    out.push('-');
                }
                number(value.unsigned_abs(), out);
            }
            // Writing to a string cannot fail.
            Self::Float(number) => match Number::from_f64(*number) {
                Some(number) => drop(write!(out, "{number}")),
                None => out.push_str("null"),
            },
            Self::String(text) => quote(text, out),
            Self::Array(items) if items.is_empty() => out.push_str("[]"),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    separate::<PRETTY>(out, index, depth + 1);
                    item.write::<PRETTY>(out, depth + 1);
                }
                line::<PRETTY>(out, depth);
                out.push(']');
            }
            Self::Object(map) if map.is_empty() => out.push_str("{}"),
            Self::Object(map) => {
                out.push('{');
                for (index, (key, value)) in map.iter().enumerate() {
                    separate::<PRETTY>(out, index, depth + 1);
                    quote(key, out);
                    out.push_str(if PRETTY { ": " } else { ":" });
                    value.write::<PRETTY>(out, depth + 1);
                }
                line::<PRETTY>(out, depth);
                out.push('}');
            }
        }
    }
}

impl Map {
    /// Bytes of its properties; see [`Json::estimate`].
    #[must_use]
    pub fn estimate(&self) -> usize {
        self.iter().map(|(key, value)| key.len() + 24 + value.estimate()).sum()
    }
}

fn separate<const PRETTY: bool>(out: &mut String, index: usize, depth: usize) {
    if index > 0 {
        out.push(',');
    }
    line::<PRETTY>(out, depth);
}

fn line<const PRETTY: bool>(out: &mut String, depth: usize) {
    if !PRETTY {
        return;
    }
    const BLANKS: &str = "\n                                                                ";
    match BLANKS.get(..1 + 2 * depth) {
        Some(blanks) => out.push_str(blanks),
        None => {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    }
}

/// Writes a text in quotes.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            // Writing to a string cannot fail.
            Some(other) => drop(write!(out, "\\u{:04x}", u32::from(other))),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Position of the first byte that JSON escapes. Looks at sixteen bytes at once, as most texts have none.
fn special(bytes: &[u8]) -> Option<usize> {
    let is = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    let chunks = bytes.chunks(16);
    let any = |chunk: &[u8]| chunk.iter().fold(false, |found, byte| found | is(byte));
    let (at, chunk) = chunks.enumerate().find(|(_, chunk)| any(chunk))?;
    chunk.iter().position(is).map(|inside| at * 16 + inside)
}

/// Writes a whole number; most are line numbers, sizes and ports.
pub fn number(number: u64, out: &mut String) {
    let mut digits = [0u8; 20];
    let (mut rest, mut count) = (number, 0);
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        (rest, count) = (rest / 10, count + 1);
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(digits.len() - count).map(|digit| char::from(*digit)));
}

/// A literal of the program.
pub trait Literal {
    /// The value, without a copy of its text.
    fn into_json(self) -> Json;
}

impl Literal for &'static str {
    fn into_json(self) -> Json {
        Json::String(Cow::Borrowed(self))
    }
}

impl Literal for bool {
    fn into_json(self) -> Json {
        Json::Bool(self)
    }
}

impl Literal for i64 {
    fn into_json(self) -> Json {
        Json::Int(self)
    }
}

macro_rules! from {
    ($($of:ty, $name:ident => $made:expr;)*) => {
        $(impl From<$of> for Json {
            fn from($name: $of) -> Self {
                $made
            }
        })*
    };
}

from! {
    bool, value => Self::Bool(value);
    i32, number => Self::Int(number.into());
    i64, number => Self::Int(number);
    u8, number => Self::Int(number.into());
    u16, number => Self::Int(number.into());
    u32, number => Self::Int(number.into());
    usize, number => i64::try_from(number).map_or(Self::Null, Self::Int);
    String, text => Self::String(Cow::Owned(text));
    &str, text => Self::String(Cow::Owned(text.to_owned()));
    &String, text => Self::String(Cow::Owned(text.clone()));
    &&str, text => Self::from(*text);
    Map, map => Self::Object(map);
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Json>> FromIterator<T> for Json {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

/// JSON as it is written: `json!({ "name": name, "list": [1, 2] })`. Values are moved in.
#[macro_export]
macro_rules! json {
    (null) => { $crate::json::Json::Null };
    ({ $($body:tt)* }) => { $crate::json::Json::Object($crate::json!(@object [] $($body)*)) };
    ([ $($body:tt)* ]) => { $crate::json::Json::Array($crate::json!(@array [] $($body)*)) };
    ($literal:literal) => { $crate::json::Literal::into_json($literal) };
    ($value:expr) => { $crate::json::Json::from($value) };

    (@object [$($done:tt)*]) => { $crate::json::Map::from([$($done)*]) };
    (@object [$($done:tt)*] $key:literal : null $(, $($rest:tt)*)?) => {
        $crate::json!(@object [$($done)* ($key.into(), $crate::json!(null)),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $key:literal : { $($body:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json!(@object [$($done)* ($key.into(), $crate::json!({ $($body)* })),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $key:literal : [ $($body:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json!(@object [$($done)* ($key.into(), $crate::json!([ $($body)* ])),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $key:literal : $value:literal $(, $($rest:tt)*)?) => {
        $crate::json!(@object [$($done)* ($key.into(), $crate::json!($value)),] $($($rest)*)?)
    };
    (@object [$($done:tt)*] $key:literal : $value:expr $(, $($rest:tt)*)?) => {
        $crate::json!(@object [$($done)* ($key.into(), $crate::json!($value)),] $($($rest)*)?)
    };

    (@array [$($done:tt)*]) => { vec![$($done)*] };
    (@array [$($done:tt)*] { $($body:tt)* } $(, $($rest:tt)*)?) => {
        $crate::json!(@array [$($done)* $crate::json!({ $($body)* }),] $($($rest)*)?)
    };
    (@array [$($done:tt)*] [ $($body:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::json!(@array [$($done)* $crate::json!([ $($body)* ]),] $($($rest)*)?)
    };
    (@array [$($done:tt)*] $value:literal $(, $($rest:tt)*)?) => {
        $crate::json!(@array [$($done)* $crate::json!($value),] $($($rest)*)?)
    };
    (@array [$($done:tt)*] $value:expr $(, $($rest:tt)*)?) => {
        $crate::json!(@array [$($done)* $crate::json!($value),] $($($rest)*)?)
    };
}
pub use crate::json;

#[cfg(test)]
mod tests;
