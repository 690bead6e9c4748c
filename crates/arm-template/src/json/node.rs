//! The tree that the reader makes.

use super::super::expr::{Expr, ExprError};
use indexmap::IndexMap;
use std::sync::{Arc, OnceLock};

/// A JSON value and the byte offset at which it starts.
#[derive(Clone, Debug)]
pub struct Node {
    /// Byte offset in the text.
    pub offset: u32,
    /// The value at that offset.
    pub kind: NodeKind,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// The JSON literal `null`.
    Null,
    /// A Boolean: `true` or `false`.
    Bool(bool),
    /// A number without a fraction that fits 64 bits.
    Int(i64),
    /// Any other number, as a double.
    Float(f64),
    /// A string, perhaps a template expression.
    String(Text),
    /// An array, in order.
    Array(Vec<Node>),
    /// An object, in the order of the text.
    Object(Object),
}

/// A string; remembers its parsed expression, so that a string in a loop is parsed once.
#[derive(Clone, Debug)]
pub struct Text {
    raw: Arc<str>,
    parsed: OnceLock<Result<Arc<Expr>, ExprError>>,
}

impl Text {
    /// A string as read.
    #[must_use]
    pub fn new(raw: impl Into<Arc<str>>) -> Self {
        Self { raw: raw.into(), parsed: OnceLock::new() }
    }

    /// The string as read, brackets and all.
    #[must_use]
    pub fn raw(&self) -> &Arc<str> {
        &self.raw
    }

    /// The text inside the brackets when the string is an expression: `[…]`, but not `[[…]`.
    #[must_use]
    pub fn expression_source(&self) -> Option<&str> {
        expression_source(&self.raw)
    }

    /// The parsed expression, or `None` when the string is a literal.
    pub fn expression(&self) -> Option<&Result<Arc<Expr>, ExprError>> {
        let source = self.expression_source()?;
        Some(self.parsed.get_or_init(|| Expr::parse(source)))
    }

    /// The literal value: `[[x]` means `[x]`.
    #[must_use]
    pub fn literal(&self) -> Arc<str> {
        match self.raw.strip_prefix('[') {
            Some(rest) if rest.starts_with('[') && rest.ends_with(']') => Arc::from(rest),
            _ => Arc::clone(&self.raw),
        }
    }
}

/// The text inside the brackets when `raw` is an expression.
#[must_use]
pub(crate) fn expression_source(raw: &str) -> Option<&str> {
    let inner = raw.strip_prefix('[')?.strip_suffix(']')?;
    if inner.starts_with('[') { None } else { Some(inner) }
}

/// An object in the order of its text.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// Key and value; keys are exact.
    pub members: IndexMap<Arc<str>, Node>,
}

impl Object {
    /// The value of a key, exact first, then without regard to case as Azure does.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.members
            .get(key)
            .or_else(|| self.members.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, node)| node))
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Node)> {
        self.members.iter()
    }
}

impl Node {
    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let NodeKind::Object(object) = &self.kind { Some(object) } else { None }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Node]> {
        if let NodeKind::Array(items) = &self.kind { Some(items) } else { None }
    }

    /// The string as read, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let NodeKind::String(text) = &self.kind { Some(text.raw()) } else { None }
    }

    /// The integer, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let NodeKind::Int(value) = &self.kind { Some(*value) } else { None }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let NodeKind::Bool(value) = &self.kind { Some(*value) } else { None }
    }

    /// Whether the value is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// The member of an object; `None` for anything else.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_object()?.get(key)
    }

    /// The word for the kind of value, as Azure's messages say it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            NodeKind::Null => "Null",
            NodeKind::Bool(_) => "Boolean",
            NodeKind::Int(_) => "Integer",
            NodeKind::Float(_) => "Float",
            NodeKind::String(_) => "String",
            NodeKind::Array(_) => "Array",
            NodeKind::Object(_) => "Object",
        }
    }

    /// The plain value, expressions left as text.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.kind {
            NodeKind::Null => Json::Null,
            NodeKind::Bool(b) => Json::Bool(*b),
            NodeKind::Int(i) => Json::from(*i),
            NodeKind::Float(f) => Json::from(*f),
            NodeKind::String(text) => Json::String(text.raw().to_string()),
            NodeKind::Array(items) => Json::Array(items.iter().map(Node::to_value).collect()),
            NodeKind::Object(object) => {
                Json::Object(object.iter().map(|(k, v)| (k.to_string(), v.to_value())).collect())
            }
        }
    }

    /// A tree from a plain value; every part gets the position `offset`.
    #[must_use]
    pub fn from_value(value: &serde_json::Value, offset: u32) -> Self {
        use serde_json::Value as Json;
        let kind = match value {
            Json::Null => NodeKind::Null,
            Json::Bool(b) => NodeKind::Bool(*b),
            Json::Number(n) => n.as_i64().map_or_else(|| NodeKind::Float(n.as_f64().unwrap_or(0.0)), NodeKind::Int),
            Json::String(s) => NodeKind::String(Text::new(s.as_str())),
            Json::Array(items) => NodeKind::Array(items.iter().map(|v| Self::from_value(v, offset)).collect()),
            Json::Object(members) => NodeKind::Object(Object {
                members: members.iter().map(|(k, v)| (Arc::from(k.as_str()), Self::from_value(v, offset))).collect(),
            }),
        };
        Self { offset, kind }
    }
}
