//! Formula → text, one statement a line, with no bracket that precedence makes needless.
//!
//! Promises: reading the text gives the same formula again.

use std::fmt::Write as _;

use super::ast::{BinaryOp, Expr, ExprKind, Formula, Statement};

const TERNARY: u8 = 0;
const UNARY: u8 = 7;
const POSTFIX: u8 = 8;

/// The formula's text, each statement ended by `;` and a line end.
#[must_use]
pub fn print(formula: &Formula) -> String {
    let mut out = String::new();
    for statement in &formula.statements {
        print_statement(statement, &mut out);
        out.push('\n');
    }
    out
}

fn print_statement(statement: &Statement, out: &mut String) {
    if let Some(target) = &statement.target {
        out.push_str(&target.text);
        out.push_str(" = ");
    }
    expr(&statement.value, TERNARY, out);
    out.push(';');
}

fn precedence(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Ternary(..) => TERNARY,
        ExprKind::Binary(op, ..) => op.precedence(),
        ExprKind::Unary(..) => UNARY,
        _ => POSTFIX,
    }
}

/// Writes `value`, in parentheses when it binds more loosely than `needed`.
fn expr(value: &Expr, needed: u8, out: &mut String) {
    let own = precedence(&value.kind);
    if own < needed {
        out.push('(');
        bare(value, out);
        out.push(')');
    } else {
        bare(value, out);
    }
}

fn bare(value: &Expr, out: &mut String) {
    match &value.kind {
        // Writing to a string cannot fail.
        ExprKind::Number(n) => drop(write!(out, "{n}")),
        ExprKind::Text(text) => drop(write!(out, "\"{text}\"")),
        ExprKind::Variable(name) => out.push_str(name),
        ExprKind::Unary(op, inner) => {
            out.push_str(op.sign());
            expr(inner, UNARY, out);
        }
        ExprKind::Binary(op, left, right) => binary(*op, left, right, out),
        ExprKind::Ternary(condition, then, otherwise) => {
            expr(condition, 1, out);
            out.push_str(" ? ");
            expr(then, TERNARY, out);
            out.push_str(" : ");
            expr(otherwise, TERNARY, out);
        }
        ExprKind::Call(name, args) => {
            out.push_str(&name.text);
            arguments(args, out);
        }
        ExprKind::Method(object, name, args) => {
            expr(object, POSTFIX, out);
            out.push('.');
            out.push_str(&name.text);
            arguments(args, out);
        }
        ExprKind::Member(object, name) => {
            expr(object, POSTFIX, out);
            out.push('.');
            out.push_str(&name.text);
        }
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, out: &mut String) {
    // Operators group to the left, so the right side needs brackets at equal precedence.
    expr(left, op.precedence(), out);
    out.push(' ');
    out.push_str(op.sign());
    out.push(' ');
    expr(right, op.precedence() + 1, out);
}

fn arguments(args: &[Expr], out: &mut String) {
    out.push('(');
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        expr(arg, TERNARY, out);
    }
    out.push(')');
}
