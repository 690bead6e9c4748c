//! Operators and branches whose parts do not go together.

use super::article;
use crate::ty::Ty;
use dsvm_diagnostics::source::Span;
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_syntax::ast::{BinaryOp, UnaryOp};

/// How an operator is written.
pub(crate) fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::In => "in",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
        BinaryOp::Of => "of",
        BinaryOp::Initially => "initially",
        BinaryOp::Coalesce => "??",
    }
}

fn quantity(ty: &Ty) -> bool {
    matches!(
        ty.base(),
        Ty::Size | Ty::Duration | Ty::Percent | Ty::Money | Ty::Int | Ty::Decimal | Ty::Time | Ty::Date | Ty::Port
    )
}

pub(crate) fn operator_types(op: BinaryOp, a: &Ty, b: &Ty, span: Span, spans: (Span, Span)) -> Diagnostic {
    let sign = operator(op);
    let units = quantity(a) && quantity(b);
    let code = if units { Code::UnitsDiffer } else { Code::TypeMismatch };
    let why = match (op, a.base(), b.base()) {
        (BinaryOp::Add | BinaryOp::Subtract, Ty::Int | Ty::Decimal, other)
        | (BinaryOp::Add | BinaryOp::Subtract, other, Ty::Int | Ty::Decimal)
            if quantity(other) =>
        {
            format!("a plain number has no unit, so it cannot be added to {} `{other}`", article(&other.to_string()))
        }
        (BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual, ..) => {
            format!("`{a}` and `{b}` have no common order")
        }
        (BinaryOp::Multiply, x, y) if x == y && units => format!("a `{a}` times a `{b}` has no meaning here"),
        _ if units => format!("they measure different things: `{a}` and `{b}`"),
        _ => format!("it has no meaning for `{a}` and `{b}`"),
    };
    let help = match (op, a.base(), b.base()) {
        (_, Ty::Int | Ty::Decimal, other) | (_, other, Ty::Int | Ty::Decimal) if units && quantity(other) => {
            "give the number the unit that it means"
        }
        _ if units => "bring both sides to the same kind of quantity",
        (BinaryOp::Add, ..) => "put values into a text: `\"${a} and ${b}\"`",
        _ => "change one of the two sides",
    };
    Diagnostic::new(code, format!("`{sign}` cannot join `{a}` and `{b}`"), span, "cannot join these two")
        .also(spans.0, format!("{} `{a}`", article(&a.to_string())))
        .also(spans.1, format!("{} `{b}`", article(&b.to_string())))
        .note(why)
        .help(help)
}

pub(crate) fn units_differ(why: &str, span: Span, spans: (Span, Span)) -> Diagnostic {
    Diagnostic::new(Code::UnitsDiffer, "these two quantities cannot be joined", span, "cannot join these two")
        .also(spans.0, "one")
        .also(spans.1, "the other")
        .note(why)
        .help("bring both sides to the same unit")
}

pub(crate) fn unary_types(op: UnaryOp, ty: &Ty, span: Span) -> Diagnostic {
    let (sign, wanted) = match op {
        UnaryOp::Not => ("!", "bool"),
        UnaryOp::Negate => ("-", "a number"),
    };
    Diagnostic::new(
        Code::TypeMismatch,
        format!("`{sign}` needs {wanted}, and this is {} `{ty}`", article(&ty.to_string())),
        span,
        format!("{} `{ty}`", article(&ty.to_string())),
    )
    .help(format!("write {wanted} after `{sign}`"))
}

pub(crate) fn never_equal(a: &Ty, b: &Ty, span: Span, spans: (Span, Span)) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{a}` and {} `{b}` are never equal", article(&a.to_string()), article(&b.to_string())),
        span,
        "compares two different types",
    )
    .also(spans.0, format!("{} `{a}`", article(&a.to_string())))
    .also(spans.1, format!("{} `{b}`", article(&b.to_string())))
    .help("compare values of one type")
}

pub(crate) fn not_in(a: &Ty, b: &Ty, span: Span, spans: (Span, Span)) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("{} `{a}` cannot be in {} `{b}`", article(&a.to_string()), article(&b.to_string())),
        span,
        "`in` has no meaning here",
    )
    .also(spans.1, format!("{} `{b}`", article(&b.to_string())))
    .help("look in a list, a range, an address range, a record or a text, for something that can be there")
}

pub(crate) fn branches_differ(a: &Ty, b: &Ty, first: Span, second: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("one alternative is {} `{a}`, the other {} `{b}`", article(&a.to_string()), article(&b.to_string())),
        second,
        format!("{} `{b}`", article(&b.to_string())),
    )
    .also(first, format!("{} `{a}`", article(&a.to_string())))
    .help("make both of one type")
}

pub(crate) fn range_of_two(a: &Ty, b: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("a range goes from one number to another, not from `{a}` to `{b}`"),
        span,
        "two different types",
    )
    .help("make both ends of one type")
}
