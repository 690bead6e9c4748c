//! The normal form: `name(argument, argument).member['odd-member'][0]`.

use super::{Expr, ExprKind};
use std::fmt;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Str(text) => quote(text, f),
            ExprKind::Int(value) => write!(f, "{value}"),
            ExprKind::Call(call) => {
                if let Some(namespace) = &call.namespace {
                    write!(f, "{namespace}.")?;
                }
                write!(f, "{}(", call.name)?;
                for (index, arg) in call.args.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    arg.fmt(f)?;
                }
                f.write_str(")")
            }
            // `0.a` would be read as a malformed number.
            ExprKind::Member(base, name) if is_identifier(name) && !matches!(base.kind, ExprKind::Int(_)) => {
                write!(f, "{base}.{name}")
            }
            ExprKind::Member(base, name) => {
                write!(f, "{base}[")?;
                quote(name, f)?;
                f.write_str("]")
            }
            ExprKind::Index(base, index) => write!(f, "{base}[{index}]"),
        }
    }
}

fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}

/// True when the name can stand after a dot.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
