//! Operators and their precedence: a row of operands and operators → a tree.

use crate::ast::{BinaryOp, Expr, ExprKind};
use dsvm_diagnostics::source::{Span, Spanned};

/// A tree and how many levels it has.
pub(crate) type Deep = (Expr, u32);

/// An operator of a row.
#[derive(Clone, Copy)]
pub(crate) enum Operator {
    Binary(BinaryOp),
    Range,
}

impl Operator {
    /// The operator that is written as `text`, which the parser has found to be one.
    pub(crate) fn of(text: &str) -> Operator {
        Operator::Binary(match text {
            "||" => BinaryOp::Or,
            "&&" => BinaryOp::And,
            "==" => BinaryOp::Equal,
            "!=" => BinaryOp::NotEqual,
            "<" => BinaryOp::Less,
            "<=" => BinaryOp::LessOrEqual,
            ">" => BinaryOp::Greater,
            ">=" => BinaryOp::GreaterOrEqual,
            "in" => BinaryOp::In,
            "??" => BinaryOp::Coalesce,
            "initially" => BinaryOp::Initially,
            "+" => BinaryOp::Add,
            "-" => BinaryOp::Subtract,
            "*" => BinaryOp::Multiply,
            "/" => BinaryOp::Divide,
            "%" => BinaryOp::Remainder,
            "of" => BinaryOp::Of,
            _ => return Operator::Range,
        })
    }

    /// Higher binds tighter; all operators group to the left.
    fn precedence(self) -> u8 {
        match self {
            Operator::Binary(BinaryOp::Or) => 1,
            Operator::Binary(BinaryOp::And) => 2,
            Operator::Binary(BinaryOp::Equal | BinaryOp::NotEqual) => 3,
            Operator::Binary(
                BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual | BinaryOp::In,
            ) => 4,
            Operator::Binary(BinaryOp::Coalesce) => 5,
            Operator::Binary(BinaryOp::Initially) => 6,
            Operator::Range => 7,
            Operator::Binary(BinaryOp::Add | BinaryOp::Subtract) => 8,
            Operator::Binary(BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder) => 9,
            Operator::Binary(BinaryOp::Of) => 10,
        }
    }
}

/// The operands and operators of a row that are not yet joined.
#[derive(Default)]
pub(crate) struct Row {
    operands: Vec<Deep>,
    operators: Vec<(Operator, Span)>,
}

impl Row {
    /// Adds an operand and the operator behind it; gives how many levels the operand before that operator has now.
    pub(crate) fn push(&mut self, operand: Deep, operator: Operator, span: Span) -> u32 {
        self.operands.push(operand);
        while self.operators.last().is_some_and(|(top, _)| top.precedence() >= operator.precedence()) {
            self.join();
        }
        self.operators.push((operator, span));
        self.operands.last().map_or(0, |(_, depth)| *depth)
    }

    /// Adds the last operand and gives the tree.
    pub(crate) fn finish(mut self, last: Deep) -> Option<Deep> {
        self.operands.push(last);
        while !self.operators.is_empty() {
            self.join();
        }
        self.operands.pop()
    }

    /// Joins the two topmost operands with the topmost operator.
    fn join(&mut self) {
        let Some((operator, span)) = self.operators.pop() else { return };
        let (Some((right, b)), Some((left, a))) = (self.operands.pop(), self.operands.pop()) else { return };
        let whole = left.span.to(right.span);
        let kind = match operator {
            Operator::Binary(op) => ExprKind::Binary(Spanned { value: op, span }, Box::new(left), Box::new(right)),
            Operator::Range => ExprKind::Range(Box::new(left), Box::new(right)),
        };
        self.operands.push((Expr { kind, span: whole }, a.max(b) + 1));
    }
}
