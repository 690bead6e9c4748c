//! Expressions of the template language: the text between `[` and `]` into a tree, and the tree into Azure's normal form.
//!
//! Promises: printing a tree and parsing it again gives the same tree; depth is bounded.

mod parse;
mod print;
#[cfg(test)]
mod tests;

pub use parse::ExprError;

use super::functions::Function;
use super::value::{Value, ValueKind};
use std::sync::Arc;

/// Most nested calls and accesses in an expression.
pub(crate) const MAX_DEPTH: u16 = 256;
/// Most bytes of a partly evaluated expression when printed.
const MAX_WEIGHT: usize = 1 << 20;

/// A parsed expression; immutable, with shared subexpressions.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    kind: ExprKind,
    weight: usize,
    depth: u16,
}

/// What an [`Expr`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A string literal: `'text'`.
    Str(Arc<str>),
    /// An integer literal: `12`.
    Int(i64),
    /// A call of a function.
    Call(Call),
    /// Access to a member: `base.name`.
    Member(Arc<Expr>, Arc<str>),
    /// Access to an element: `base[index]`.
    Index(Arc<Expr>, Arc<Expr>),
}

/// A call of a built-in or user-defined function.
#[derive(Clone, Debug)]
pub struct Call {
    /// The namespace of a user-defined function.
    pub namespace: Option<Arc<str>>,
    /// The name as written.
    pub name: Arc<str>,
    /// The arguments, in order.
    pub args: Vec<Arc<Expr>>,
    pub(crate) function: Option<&'static Function>,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.namespace == other.namespace && self.name == other.name && self.args == other.args
    }
}

impl Expr {
    /// Parses the text of an expression, without the brackets around it.
    pub fn parse(source: &str) -> Result<Arc<Expr>, ExprError> {
        parse::parse(source)
    }

    /// The outermost node of the expression.
    #[must_use]
    pub fn kind(&self) -> &ExprKind {
        &self.kind
    }

    /// About how many bytes it prints.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn build(kind: ExprKind) -> Result<Arc<Expr>, ExprError> {
        let (weight, depth) = match &kind {
            ExprKind::Str(text) => (text.len() + 2, 0),
            ExprKind::Int(_) => (4, 0),
            ExprKind::Call(call) => call.args.iter().fold((call.name.len() + 2, 0), |(weight, depth), arg| {
                (weight.saturating_add(arg.weight).saturating_add(2), arg.depth.max(depth))
            }),
            ExprKind::Member(base, name) => (base.weight.saturating_add(name.len() + 1), base.depth),
            ExprKind::Index(base, index) => {
                (base.weight.saturating_add(index.weight).saturating_add(2), base.depth.max(index.depth))
            }
        };
        let depth = depth.saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(ExprError::limit(format!("an expression is nested more than {MAX_DEPTH} deep")));
        }
        if weight > MAX_WEIGHT {
            return Err(ExprError::limit(format!(
                "a partly evaluated expression has more than {MAX_WEIGHT} characters"
            )));
        }
        Ok(Arc::new(Expr { kind, weight, depth }))
    }

    /// Builds a string literal; quotes are escaped when it is printed.
    pub fn string(text: impl Into<Arc<str>>) -> Result<Arc<Expr>, ExprError> {
        Self::build(ExprKind::Str(text.into()))
    }

    /// A call of a built-in function.
    pub fn call(name: &str, args: Vec<Arc<Expr>>) -> Result<Arc<Expr>, ExprError> {
        let function = super::functions::find(name);
        Self::build(ExprKind::Call(Call { namespace: None, name: Arc::from(name), args, function }))
    }

    /// A call without arguments of a function that belongs to a namespace.
    pub(crate) fn of_namespace(namespace: &str, name: &str) -> Result<Arc<Expr>, ExprError> {
        let (namespace, name) = (Some(Arc::from(namespace)), Arc::from(name));
        Self::build(ExprKind::Call(Call { namespace, name, args: Vec::new(), function: None }))
    }

    /// The access of a member.
    pub fn member(base: Arc<Expr>, name: impl Into<Arc<str>>) -> Result<Arc<Expr>, ExprError> {
        Self::build(ExprKind::Member(base, name.into()))
    }

    /// The access of an element.
    pub fn index(base: Arc<Expr>, index: Arc<Expr>) -> Result<Arc<Expr>, ExprError> {
        Self::build(ExprKind::Index(base, index))
    }

    /// The expression that gives a value: Azure's way to write a value inside a partly evaluated expression.
    pub(crate) fn from_val(val: &Value) -> Result<Arc<Expr>, ExprError> {
        match &val.kind {
            ValueKind::Null => Self::call("null", Vec::new()),
            ValueKind::Bool(true) => Self::call("true", Vec::new()),
            ValueKind::Bool(false) => Self::call("false", Vec::new()),
            ValueKind::Int(value) => Self::build(ExprKind::Int(*value)),
            ValueKind::Float(value) => Self::call("float", vec![Self::string(value.to_string())?]),
            ValueKind::Str(text) => Self::string(Arc::clone(text)),
            ValueKind::Array(array) => {
                let args = array.items.iter().map(Self::from_val).collect::<Result<_, _>>()?;
                Self::call("createArray", args)
            }
            ValueKind::Object(object) => {
                let mut args = Vec::with_capacity(object.members.len() * 2);
                for (key, value) in &object.members {
                    args.push(Self::string(Arc::clone(key))?);
                    args.push(Self::from_val(value)?);
                }
                Self::call("createObject", args)
            }
            ValueKind::Expr(partial) => Ok(Arc::clone(&partial.expr)),
        }
    }
}
