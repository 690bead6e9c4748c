//! Values during evaluation: JSON, plus parts that are not known yet and a mark on what is secret.
//!
//! Values share their parts, so that copies cost nothing; each array and object knows its weight and depth when written
//! out, so that a small template cannot grow into an endless value.

use super::error::EvalError;
use super::expr::Expr;
use super::json::{Node, NodeKind};
use indexmap::IndexMap;
use serde_json::{Map, Number, Value as Json};
use std::fmt;
use std::sync::Arc;

/// Most nested arrays and objects in one value.
pub(crate) const MAX_DEPTH: u16 = 256;
/// Most bytes that one value may have when written out.
pub(crate) const MAX_WEIGHT: usize = 8 << 20;

/// A value and whether it comes from a secure parameter.
#[derive(Clone)]
pub(crate) struct Value {
    pub kind: ValueKind,
    pub secret: bool,
}

/// What a [`Value`] is.
#[derive(Clone)]
pub(crate) enum ValueKind {
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
    pub known: Option<Value>,
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
    fn take(&mut self, val: &Value) {
        let inner = val.inside();
        self.weight = self.weight.saturating_add(inner.weight).saturating_add(1);
        self.depth = self.depth.max(inner.depth);
        self.partial |= inner.partial;
        self.secret |= inner.secret;
    }

    fn close(mut self) -> Result<Self, EvalError> {
        self.weight = self.weight.saturating_add(2);
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(EvalError::limit(format!("a value is nested more than {MAX_DEPTH} deep")));
        }
        if self.weight > MAX_WEIGHT {
            return Err(EvalError::limit(format!("a value has more than {MAX_WEIGHT} bytes")));
        }
        Ok(self)
    }
}

/// An array with its size and marks.
pub(crate) struct Array {
    pub items: Vec<Value>,
    pub inside: Inside,
}

/// An object in order; keys are exact.
pub(crate) struct Object {
    pub members: IndexMap<Arc<str>, Value>,
    pub inside: Inside,
}

impl Object {
    /// The value of a key, exact first, then without regard to case.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key).or_else(|| self.members.iter().find(|(k, _)| same_name(k, key)).map(|(_, v)| v))
    }
}

/// Equality of names as Azure sees it.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

impl From<ValueKind> for Value {
    fn from(kind: ValueKind) -> Self {
        Self { kind, secret: false }
    }
}

impl Value {
    pub const NULL: Value = Value { kind: ValueKind::Null, secret: false };

    pub fn str(text: impl Into<Arc<str>>) -> Self {
        ValueKind::Str(text.into()).into()
    }

    pub fn int(value: i64) -> Self {
        ValueKind::Int(value).into()
    }

    pub fn bool(value: bool) -> Self {
        ValueKind::Bool(value).into()
    }

    pub fn array(items: Vec<Value>) -> Result<Self, EvalError> {
        let mut inside = Inside::default();
        items.iter().for_each(|item| inside.take(item));
        let inside = inside.close()?;
        Ok(ValueKind::Array(Arc::new(Array { items, inside })).into())
    }

    pub fn object(members: IndexMap<Arc<str>, Value>) -> Result<Self, EvalError> {
        let mut inside = Inside::default();
        for (key, value) in &members {
            inside.weight = inside.weight.saturating_add(key.len() + 3);
            inside.take(value);
        }
        let inside = inside.close()?;
        Ok(ValueKind::Object(Arc::new(Object { members, inside })).into())
    }

    /// An object of a few members that cannot be too large.
    pub fn record<const N: usize>(members: [(&str, Value); N]) -> Result<Self, EvalError> {
        Self::object(members.into_iter().map(|(k, v)| (Arc::from(k), v)).collect())
    }

    /// A value that only the deployment knows.
    pub fn expr(expr: Arc<Expr>) -> Self {
        ValueKind::Expr(Arc::new(Partial { expr, known: None })).into()
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
            ValueKind::Null | ValueKind::Bool(_) => Inside { weight: 4, ..Inside::default() },
            ValueKind::Int(_) | ValueKind::Float(_) => Inside { weight: 8, ..Inside::default() },
            ValueKind::Str(text) => Inside { weight: text.len() + 2, ..Inside::default() },
            ValueKind::Array(array) => array.inside,
            ValueKind::Object(object) => object.inside,
            ValueKind::Expr(partial) => {
                Inside { weight: partial.expr.weight() + 4, partial: true, ..Inside::default() }
            }
        };
        inside.secret |= self.secret;
        inside
    }

    /// About how many bytes of memory the outermost part takes; its elements were counted when they were made.
    pub fn own_size(&self) -> usize {
        match &self.kind {
            ValueKind::Str(text) => text.len() + 16,
            ValueKind::Array(array) => array.items.len() * 40 + 64,
            ValueKind::Object(object) => object.members.len() * 120 + 128,
            ValueKind::Expr(_) => 128,
            _ => 0,
        }
    }

    /// True when nothing inside is unknown.
    pub fn is_known(&self) -> bool {
        !self.inside().partial
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, ValueKind::Null)
    }

    pub fn as_str(&self) -> Option<&Arc<str>> {
        if let ValueKind::Str(text) = &self.kind { Some(text) } else { None }
    }

    pub fn as_int(&self) -> Option<i64> {
        match &self.kind {
            ValueKind::Int(value) => Some(*value),
            ValueKind::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(*value as i64),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let ValueKind::Bool(value) = &self.kind { Some(*value) } else { None }
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        if let ValueKind::Array(array) = &self.kind { Some(&array.items) } else { None }
    }

    pub fn as_object(&self) -> Option<&Object> {
        if let ValueKind::Object(object) = &self.kind { Some(object) } else { None }
    }

    /// A member of an object, keeping the mark of a secret object.
    pub fn member(&self, key: &str) -> Option<Value> {
        let value = self.as_object()?.get(key)?;
        Some(value.clone().secret_if(self.secret))
    }

    /// The word for the kind of value, as Azure's messages say it.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            ValueKind::Null => "Null",
            ValueKind::Bool(_) => "Boolean",
            ValueKind::Int(_) => "Integer",
            ValueKind::Float(_) => "Float",
            ValueKind::Str(_) => "String",
            ValueKind::Array(_) => "Array",
            ValueKind::Object(_) => "Object",
            ValueKind::Expr(_) => "Expression",
        }
    }

    /// A literal from JSON; nothing in it is an expression.
    pub fn from_json(value: &Json) -> Result<Self, EvalError> {
        Ok(match value {
            Json::Null => Self::NULL,
            Json::Bool(b) => Self::bool(*b),
            Json::Number(n) => match n.as_i64() {
                Some(int) => Self::int(int),
                None => ValueKind::Float(n.as_f64().unwrap_or(0.0)).into(),
            },
            Json::String(s) => Self::str(s.as_str()),
            Json::Array(items) => Self::array(items.iter().map(Self::from_json).collect::<Result<_, _>>()?)?,
            Json::Object(members) => {
                let pairs = members.iter().map(|(k, v)| Ok((Arc::from(k.as_str()), Self::from_json(v)?)));
                Self::object(pairs.collect::<Result<_, EvalError>>()?)?
            }
        })
    }

    /// A literal from a node; nothing in it is an expression.
    pub fn from_node(node: &Node) -> Result<Self, EvalError> {
        Ok(match &node.kind {
            NodeKind::Null => Self::NULL,
            NodeKind::Bool(b) => Self::bool(*b),
            NodeKind::Int(i) => Self::int(*i),
            NodeKind::Float(f) => ValueKind::Float(*f).into(),
            NodeKind::String(text) => Self::str(Arc::clone(text.raw())),
            NodeKind::Array(items) => Self::array(items.iter().map(Self::from_node).collect::<Result<_, _>>()?)?,
            NodeKind::Object(object) => {
                let pairs = object.iter().map(|(k, v)| Ok((Arc::clone(k), Self::from_node(v)?)));
                Self::object(pairs.collect::<Result<_, EvalError>>()?)?
            }
        })
    }

    /// The value as JSON; unknown parts become `"[expression]"`.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            ValueKind::Null => Json::Null,
            ValueKind::Bool(b) => Json::Bool(*b),
            ValueKind::Int(i) => Json::from(*i),
            ValueKind::Float(f) => Number::from_f64(*f).map_or(Json::Null, Json::Number),
            ValueKind::Str(text) => Json::String(text.to_string()),
            ValueKind::Array(array) => Json::Array(array.items.iter().map(Self::to_json).collect()),
            ValueKind::Object(object) => {
                let members = object.members.iter().map(|(k, v)| (k.to_string(), v.to_json()));
                Json::Object(members.collect::<Map<_, _>>())
            }
            ValueKind::Expr(partial) => Json::String(format!("[{}]", partial.expr)),
        }
    }

    /// Calls `found` with the JSON pointer of each part for which `test` holds; does not look inside such a part.
    pub fn pointers(&self, prefix: &str, test: fn(&Value) -> Option<bool>, found: &mut dyn FnMut(String)) {
        match test(self) {
            Some(true) => return found(prefix.to_string()),
            Some(false) => return,
            None => {}
        }
        match &self.kind {
            ValueKind::Array(array) => {
                for (index, item) in array.items.iter().enumerate() {
                    item.pointers(&format!("{prefix}/{index}"), test, found);
                }
            }
            ValueKind::Object(object) => {
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
        let test = |val: &Value| {
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
        let test = |val: &Value| {
            if matches!(val.kind, ValueKind::Expr(_)) {
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

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside().secret { f.write_str("(secret)") } else { write!(f, "{}", self.to_json()) }
    }
}

/// Deep equality as the language's `equals` sees it: exact strings, object members in any order.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (&a.kind, &b.kind) {
        (ValueKind::Null, ValueKind::Null) => true,
        (ValueKind::Bool(x), ValueKind::Bool(y)) => x == y,
        (ValueKind::Int(x), ValueKind::Int(y)) => x == y,
        (ValueKind::Float(x), ValueKind::Float(y)) => x == y,
        (ValueKind::Int(x), ValueKind::Float(y)) | (ValueKind::Float(y), ValueKind::Int(x)) => *x as f64 == *y,
        (ValueKind::Str(x), ValueKind::Str(y)) => x == y,
        (ValueKind::Array(x), ValueKind::Array(y)) => {
            Arc::ptr_eq(x, y)
                || (x.items.len() == y.items.len() && x.items.iter().zip(&y.items).all(|(a, b)| same(a, b)))
        }
        (ValueKind::Object(x), ValueKind::Object(y)) => {
            Arc::ptr_eq(x, y)
                || (x.members.len() == y.members.len()
                    && x.members.iter().all(|(k, a)| y.members.get(k).is_some_and(|b| same(a, b))))
        }
        _ => false,
    }
}

/// A text that is equal for two values exactly when [`same`] holds, to find duplicates without comparing all pairs.
pub(crate) fn canonical(val: &Value, out: &mut String) {
    match &val.kind {
        ValueKind::Object(object) => {
            let mut keys: Vec<_> = object.members.iter().collect();
            keys.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (key, value) in keys {
                out.push_str(&Json::from(&**key).to_string());
                out.push(':');
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        ValueKind::Array(array) => {
            out.push('[');
            for item in &array.items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        ValueKind::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => out.push_str(&(*f as i64).to_string()),
        ValueKind::Expr(partial) => out.push_str(&format!("<{}>", partial.expr)),
        _ => out.push_str(&val.to_json().to_string()),
    }
}
