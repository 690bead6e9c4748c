//! Values during evaluation: JSON, plus parts that are not known yet and a mark on what is secret.
//!
//! Values share their parts, so that copies cost nothing; each array and object knows its weight and depth when written
//! out, so that a small template cannot grow into an endless value.

use super::error::Fault;
use super::expr::Expr;
use super::json::{Node, NodeKind};
use indexmap::IndexMap;
use serde_json::{Map, Number, Value};
use std::fmt;
use std::sync::Arc;

/// Most nested arrays and objects in one value.
pub(crate) const MAX_DEPTH: u16 = 256;
/// Most bytes that one value may have when written out.
pub(crate) const MAX_WEIGHT: usize = 8 << 20;

/// A value and whether it comes from a secure parameter.
#[derive(Clone)]
pub(crate) struct Val {
    pub kind: Kind,
    pub secret: bool,
}

/// What a [`Val`] is.
#[derive(Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    Array(Arc<Array>),
    Object(Arc<Object>),
    /// Known only after deployment.
    Expr(Arc<Partial>),
}

/// An expression that could not be finished, and what is known of its value.
pub(crate) struct Partial {
    pub expr: Arc<Expr>,
    /// Members that are known although the whole is not: the outputs of a nested deployment.
    pub known: Option<Val>,
}

/// Facts about the inside of an array or object.
#[derive(Clone, Copy, Default)]
pub(crate) struct Inside {
    pub weight: usize,
    pub depth: u16,
    /// An unknown part is inside.
    pub partial: bool,
    /// A secret part is inside.
    pub secret: bool,
}

impl Inside {
    fn take(&mut self, val: &Val) {
        let inner = val.inside();
        self.weight = self.weight.saturating_add(inner.weight).saturating_add(1);
        self.depth = self.depth.max(inner.depth);
        self.partial |= inner.partial;
        self.secret |= inner.secret;
    }

    fn close(mut self) -> Result<Self, Fault> {
        self.weight = self.weight.saturating_add(2);
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(Fault::limit(format!("a value is nested more than {MAX_DEPTH} deep")));
        }
        if self.weight > MAX_WEIGHT {
            return Err(Fault::limit(format!("a value has more than {MAX_WEIGHT} bytes")));
        }
        Ok(self)
    }
}

/// An array.
pub(crate) struct Array {
    pub items: Vec<Val>,
    pub inside: Inside,
}

/// An object in order; keys are exact.
pub(crate) struct Object {
    pub members: IndexMap<Arc<str>, Val>,
    pub inside: Inside,
}

impl Object {
    /// The value of a key, exact first, then without regard to case.
    pub fn get(&self, key: &str) -> Option<&Val> {
        self.members.get(key).or_else(|| self.members.iter().find(|(k, _)| same_name(k, key)).map(|(_, v)| v))
    }
}

/// Equality of names as Azure sees it.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

impl From<Kind> for Val {
    fn from(kind: Kind) -> Self {
        Self { kind, secret: false }
    }
}

impl Val {
    pub const NULL: Val = Val { kind: Kind::Null, secret: false };

    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Kind::Str(text.into()).into()
    }

    pub fn int(value: i64) -> Self {
        Kind::Int(value).into()
    }

    pub fn bool(value: bool) -> Self {
        Kind::Bool(value).into()
    }

    pub fn array(items: Vec<Val>) -> Result<Self, Fault> {
        let mut inside = Inside::default();
        items.iter().for_each(|item| inside.take(item));
        let inside = inside.close()?;
        Ok(Kind::Array(Arc::new(Array { items, inside })).into())
    }

    pub fn object(members: IndexMap<Arc<str>, Val>) -> Result<Self, Fault> {
        let mut inside = Inside::default();
        for (key, value) in &members {
            inside.weight = inside.weight.saturating_add(key.len() + 3);
            inside.take(value);
        }
        let inside = inside.close()?;
        Ok(Kind::Object(Arc::new(Object { members, inside })).into())
    }

    /// An object of a few members that cannot be too large.
    pub fn record<const N: usize>(members: [(&str, Val); N]) -> Result<Self, Fault> {
        Self::object(members.into_iter().map(|(k, v)| (Arc::from(k), v)).collect())
    }

    /// An unknown value.
    pub fn expr(expr: Arc<Expr>) -> Self {
        Kind::Expr(Arc::new(Partial { expr, known: None })).into()
    }

    /// The same value, marked secret.
    #[must_use]
    pub fn into_secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The same value, marked secret when `mark` is set.
    #[must_use]
    pub fn secret_if(mut self, mark: bool) -> Self {
        self.secret |= mark;
        self
    }

    pub fn inside(&self) -> Inside {
        let mut inside = match &self.kind {
            Kind::Null | Kind::Bool(_) => Inside { weight: 4, ..Inside::default() },
            Kind::Int(_) | Kind::Float(_) => Inside { weight: 8, ..Inside::default() },
            Kind::Str(text) => Inside { weight: text.len() + 2, ..Inside::default() },
            Kind::Array(array) => array.inside,
            Kind::Object(object) => object.inside,
            Kind::Expr(partial) => Inside { weight: partial.expr.weight() + 4, partial: true, ..Inside::default() },
        };
        inside.secret |= self.secret;
        inside
    }

    /// About how many bytes of memory the outermost part takes; its elements were counted when they were made.
    pub fn own_size(&self) -> usize {
        match &self.kind {
            Kind::Str(text) => text.len() + 16,
            Kind::Array(array) => array.items.len() * 40 + 64,
            Kind::Object(object) => object.members.len() * 120 + 128,
            Kind::Expr(_) => 128,
            _ => 0,
        }
    }

    /// True when nothing inside is unknown.
    pub fn is_known(&self) -> bool {
        !self.inside().partial
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    pub fn as_str(&self) -> Option<&Arc<str>> {
        if let Kind::Str(text) = &self.kind { Some(text) } else { None }
    }

    pub fn as_int(&self) -> Option<i64> {
        match &self.kind {
            Kind::Int(value) => Some(*value),
            Kind::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(*value as i64),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Kind::Bool(value) = &self.kind { Some(*value) } else { None }
    }

    pub fn as_array(&self) -> Option<&[Val]> {
        if let Kind::Array(array) = &self.kind { Some(&array.items) } else { None }
    }

    pub fn as_object(&self) -> Option<&Object> {
        if let Kind::Object(object) = &self.kind { Some(object) } else { None }
    }

    /// A member of an object, keeping the mark of a secret object.
    pub fn member(&self, key: &str) -> Option<Val> {
        let value = self.as_object()?.get(key)?;
        Some(value.clone().secret_if(self.secret))
    }

    /// The word for the kind of value, as Azure's messages say it.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "Null",
            Kind::Bool(_) => "Boolean",
            Kind::Int(_) => "Integer",
            Kind::Float(_) => "Float",
            Kind::Str(_) => "String",
            Kind::Array(_) => "Array",
            Kind::Object(_) => "Object",
            Kind::Expr(_) => "Expression",
        }
    }

    /// A literal from JSON; nothing in it is an expression.
    pub fn from_json(value: &Value) -> Result<Self, Fault> {
        Ok(match value {
            Value::Null => Self::NULL,
            Value::Bool(b) => Self::bool(*b),
            Value::Number(n) => match n.as_i64() {
                Some(int) => Self::int(int),
                None => Kind::Float(n.as_f64().unwrap_or(0.0)).into(),
            },
            Value::String(s) => Self::str(s.as_str()),
            Value::Array(items) => Self::array(items.iter().map(Self::from_json).collect::<Result<_, _>>()?)?,
            Value::Object(members) => {
                let pairs = members.iter().map(|(k, v)| Ok((Arc::from(k.as_str()), Self::from_json(v)?)));
                Self::object(pairs.collect::<Result<_, Fault>>()?)?
            }
        })
    }

    /// A literal from a node; nothing in it is an expression.
    pub fn from_node(node: &Node) -> Result<Self, Fault> {
        Ok(match &node.kind {
            NodeKind::Null => Self::NULL,
            NodeKind::Bool(b) => Self::bool(*b),
            NodeKind::Int(i) => Self::int(*i),
            NodeKind::Float(f) => Kind::Float(*f).into(),
            NodeKind::String(text) => Self::str(Arc::clone(text.raw())),
            NodeKind::Array(items) => Self::array(items.iter().map(Self::from_node).collect::<Result<_, _>>()?)?,
            NodeKind::Object(object) => {
                let pairs = object.iter().map(|(k, v)| Ok((Arc::clone(k), Self::from_node(v)?)));
                Self::object(pairs.collect::<Result<_, Fault>>()?)?
            }
        })
    }

    /// The value as JSON; unknown parts become `"[expression]"`.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Int(i) => Value::from(*i),
            Kind::Float(f) => Number::from_f64(*f).map_or(Value::Null, Value::Number),
            Kind::Str(text) => Value::String(text.to_string()),
            Kind::Array(array) => Value::Array(array.items.iter().map(Self::to_json).collect()),
            Kind::Object(object) => {
                let members = object.members.iter().map(|(k, v)| (k.to_string(), v.to_json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Kind::Expr(partial) => Value::String(format!("[{}]", partial.expr)),
        }
    }

    /// Calls `found` with the JSON pointer of each part for which `test` holds; does not look inside such a part.
    pub fn pointers(&self, prefix: &str, test: fn(&Val) -> Option<bool>, found: &mut dyn FnMut(String)) {
        match test(self) {
            Some(true) => return found(prefix.to_string()),
            Some(false) => return,
            None => {}
        }
        match &self.kind {
            Kind::Array(array) => {
                for (index, item) in array.items.iter().enumerate() {
                    item.pointers(&format!("{prefix}/{index}"), test, found);
                }
            }
            Kind::Object(object) => {
                for (key, value) in &object.members {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    value.pointers(&format!("{prefix}/{key}"), test, found);
                }
            }
            _ => {}
        }
    }

    /// JSON pointers of the parts that are secret.
    pub fn secret_pointers(&self) -> Vec<String> {
        let mut found = Vec::new();
        let test = |val: &Val| {
            if val.secret {
                Some(true)
            } else if val.inside().secret {
                None
            } else {
                Some(false)
            }
        };
        self.pointers("", test, &mut |pointer| found.push(pointer));
        found
    }

    /// JSON pointers of the parts that are known only after deployment.
    pub fn unknown_pointers(&self) -> Vec<String> {
        let mut found = Vec::new();
        let test = |val: &Val| {
            if matches!(val.kind, Kind::Expr(_)) {
                Some(true)
            } else if val.is_known() {
                Some(false)
            } else {
                None
            }
        };
        self.pointers("", test, &mut |pointer| found.push(pointer));
        found
    }
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside().secret { f.write_str("(secret)") } else { write!(f, "{}", self.to_json()) }
    }
}

/// Deep equality as the language's `equals` sees it: exact strings, object members in any order.
pub(crate) fn same(a: &Val, b: &Val) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool(x), Kind::Bool(y)) => x == y,
        (Kind::Int(x), Kind::Int(y)) => x == y,
        (Kind::Float(x), Kind::Float(y)) => x == y,
        (Kind::Int(x), Kind::Float(y)) | (Kind::Float(y), Kind::Int(x)) => *x as f64 == *y,
        (Kind::Str(x), Kind::Str(y)) => x == y,
        (Kind::Array(x), Kind::Array(y)) => {
            Arc::ptr_eq(x, y)
                || (x.items.len() == y.items.len() && x.items.iter().zip(&y.items).all(|(a, b)| same(a, b)))
        }
        (Kind::Object(x), Kind::Object(y)) => {
            Arc::ptr_eq(x, y)
                || (x.members.len() == y.members.len()
                    && x.members.iter().all(|(k, a)| y.members.get(k).is_some_and(|b| same(a, b))))
        }
        _ => false,
    }
}

/// A text that is equal for two values exactly when [`same`] holds, to find duplicates without comparing all pairs.
pub(crate) fn canonical(val: &Val, out: &mut String) {
    match &val.kind {
        Kind::Object(object) => {
            let mut keys: Vec<_> = object.members.iter().collect();
            keys.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (key, value) in keys {
                out.push_str(&Value::from(&**key).to_string());
                out.push(':');
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Kind::Array(array) => {
            out.push('[');
            for item in &array.items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => out.push_str(&(*f as i64).to_string()),
        Kind::Expr(partial) => out.push_str(&format!("<{}>", partial.expr)),
        _ => out.push_str(&val.to_json().to_string()),
    }
}
