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
            format!("`{a}` and `{b}` cannot be compared")
        }
        (BinaryOp::Multiply, x, y) if x == y && units => format!("the product of `{a}` and `{b}` has no meaning"),
        _ if units => format!("`{a}` and `{b}` measure different things"),
        _ => format!("the operator is not defined for `{a}` and `{b}`"),
    };
    let help = match (op, a.base(), b.base()) {
        (_, Ty::Int | Ty::Decimal, other) | (_, other, Ty::Int | Ty::Decimal) if units && quantity(other) => {
            "add the unit to the number"
        }
        _ if units => "convert both sides to the same kind of quantity",
        (BinaryOp::Add, ..) => "use string interpolation: `\"${a} and ${b}\"`",
        _ => "change one of the two operands",
    };
    Diagnostic::new(code, format!("`{sign}` cannot be applied to `{a}` and `{b}`"), span, "incompatible operands")
        .also(spans.0, format!("{} `{a}`", article(&a.to_string())))
        .also(spans.1, format!("{} `{b}`", article(&b.to_string())))
        .note(why)
        .help(help)
}

pub(crate) fn units_differ(why: &str, span: Span, spans: (Span, Span)) -> Diagnostic {
    Diagnostic::new(Code::UnitsDiffer, "these two quantities have incompatible units", span, "incompatible operands")
        .also(spans.0, "one operand")
        .also(spans.1, "the other operand")
        .note(why)
        .help("use the same unit on both sides")
}

pub(crate) fn unary_types(op: UnaryOp, ty: &Ty, span: Span) -> Diagnostic {
    let (sign, wanted) = match op {
        UnaryOp::Not => ("!", "a `bool`"),
        UnaryOp::Negate => ("-", "a number"),
    };
    Diagnostic::new(
        Code::TypeMismatch,
        format!("`{sign}` expects {wanted}, found `{ty}`"),
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
        "`in` is not defined for these types",
    )
    .also(spans.1, format!("{} `{b}`", article(&b.to_string())))
    .help("use a list, a range, an address range, a record or a string that can contain the left-hand side")
}

pub(crate) fn branches_differ(a: &Ty, b: &Ty, first: Span, second: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("the alternatives have different types: `{a}` and `{b}`"),
        second,
        format!("{} `{b}`", article(&b.to_string())),
    )
    .also(first, format!("{} `{a}`", article(&a.to_string())))
    .help("make both alternatives the same type")
}

pub(crate) fn range_of_two(a: &Ty, b: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TypeMismatch,
        format!("both ends of a range must have the same type, found `{a}` and `{b}`"),
        span,
        "two different types",
    )
    .help("use the same type for both ends")
}
