//! Values, straight from bytes: operands and operators, calls, lists, records, numbers with their units.

use super::{Fast, MAX_DEPTH};
use crate::ast::{Argument, Expr, ExprKind, StringPart, UnaryOp};
use crate::lower::{Operator, Row, is_reserved};
use crate::scan::is_word_byte;
use dsvm_diagnostics::source::Spanned;

/// An expression and its depth.
pub(super) type Deep = (Expr, u32);

const UNITS: &[&str] = &[
    "min", "sec", "s", "h", "days", "day", "d", "weeks", "week", "GiB", "TiB", "MiB", "KiB", "PiB", "GB", "TB", "MB",
    "KB", "B",
];

impl Fast<'_, '_> {
    /// Operands and operators; `wide` inside brackets, where lines may end before an operator.
    pub(super) fn expr(&mut self, wide: bool) -> Option<Deep> {
        let first = self.operand()?;
        let mut row: Option<Row> = None;
        let mut current = first;
        loop {
            let here = self.at;
            if wide {
                self.space(false)
            } else {
                self.blank()
            }
            let start = self.at;
            if !self.operator() {
                self.at = here;
                break;
            }
            let (operator, span) = (Operator::of(self.slice(start)), self.span(start));
            self.space(false);
            let row = row.get_or_insert_default();
            row.operands.push(current);
            row.push(operator, span);
            current = self.operand()?;
        }
        let Some(mut row) = row else { return Some(current) };
        row.operands.push(current);
        while !row.operators.is_empty() {
            row.join();
        }
        row.operands.pop().filter(|(_, depth)| *depth < MAX_DEPTH)
    }

    /// Takes a binary operator, if one stands here.
    fn operator(&mut self) -> bool {
        let (first, second) = (self.byte(), self.ahead(1));
        let length = match (first, second) {
            (b'=' | b'!' | b'<' | b'>', b'=') | (b'&', b'&') | (b'|', b'|') | (b'?', b'?') | (b'.', b'.') => 2,
            (b'/', b'/') => 0,
            (b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%', _) => 1,
            (b'i' | b'o', _) => match self.peek_word() {
                word @ ("in" | "of" | "initially") => word.len(),
                _ => 0,
            },
            _ => 0,
        };
        self.at += length;
        length > 0
    }

    fn operand(&mut self) -> Option<Deep> {
        let start = self.at;
        if matches!(self.byte(), b'-' | b'!') {
            let op = if self.byte() == b'!' { UnaryOp::Not } else { UnaryOp::Negate };
            self.at += 1;
            self.blank();
            let (inner, depth) = self.operand().filter(|(_, depth)| *depth < MAX_DEPTH)?;
            let kind = ExprKind::Unary(op, Box::new(inner));
            return Some((Expr { kind, span: self.span(start) }, depth + 1));
        }
        let mut operand = self.primary()?;
        loop {
            let base = Box::new(operand.0);
            let depth = operand.1;
            let (kind, deeper) = match self.byte() {
                b'.' if self.ahead(1) != b'.' => {
                    self.at += 1;
                    (ExprKind::Member(base, self.word()?), depth)
                }
                b'(' => {
                    let (arguments, inside) = self.arguments()?;
                    (ExprKind::Call(base, arguments), depth.max(inside))
                }
                b'[' => {
                    self.deeper()?;
                    self.at += 1;
                    self.space(false);
                    let (index, inside) = self.expr(true)?;
                    self.space(false);
                    self.eat(b']')?;
                    self.depth -= 1;
                    (ExprKind::Index(base, Box::new(index)), depth.max(inside))
                }
                _ => return Some((*base, depth)),
            };
            if deeper + 1 >= MAX_DEPTH {
                return None;
            }
            operand = (Expr { kind, span: self.span(start) }, deeper + 1);
        }
    }

    fn arguments(&mut self) -> Option<(Vec<Argument>, u32)> {
        self.deeper()?;
        self.eat(b'(')?;
        self.space(false);
        let (first, mut deepest) = (self.desk.arguments.len(), 0);
        while self.byte() != b')' {
            let start = self.at;
            let mut name = self.word();
            self.space(false);
            if name.is_none() || !self.equals() {
                self.at = start;
                name = None;
            }
            let (value, inside) = self.expr(true)?;
            deepest = deepest.max(inside);
            self.desk.arguments.push(Argument { name, value });
            self.space(false);
            if self.byte() != b')' {
                self.eat(b',')?;
                self.space(false);
            }
        }
        self.at += 1;
        self.depth -= 1;
        Some((self.desk.arguments.drain(first..).collect(), deepest))
    }

    pub(super) fn name(&mut self) -> Option<Expr> {
        let start = self.at;
        self.at = self.word_end();
        let word = self.slice(start);
        let kind = match word {
            "" => return None,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            word if word == "if" || is_reserved(word) => return None,
            word => ExprKind::Name(self.desk.words.get(word)),
        };
        Some(Expr { kind, span: self.span(start) })
    }

    pub(super) fn string(&mut self) -> Option<Expr> {
        let text = self.plain_string()?;
        Some(Expr { kind: ExprKind::String(vec![StringPart::Text(text.value)]), span: text.span })
    }

    fn primary(&mut self) -> Option<Deep> {
        let start = self.at;
        match self.byte() {
            b'"' => Some((self.string()?, 1)),
            b'0'..=b'9' => Some((self.number()?, 1)),
            b'[' => self.list(start),
            b'{' => self.record(start),
            b'(' => {
                self.deeper()?;
                self.at += 1;
                self.space(false);
                let (mut inner, depth) = self.expr(true)?;
                self.space(false);
                self.eat(b')')?;
                self.depth -= 1;
                inner.span = self.span(start);
                Some((inner, depth + 1))
            }
            _ => Some((self.name()?, 1)),
        }
    }

    fn list(&mut self, start: usize) -> Option<Deep> {
        self.deeper()?;
        self.at += 1;
        self.space(false);
        let (first, mut deepest) = (self.desk.values.len(), 0);
        while self.byte() != b']' {
            let (value, inside) = self.expr(true)?;
            deepest = deepest.max(inside);
            self.desk.values.push(value);
            self.space(false);
            if self.byte() != b']' {
                // A comprehension is left to the grammar.
                self.eat(b',')?;
                self.space(false);
            }
        }
        self.at += 1;
        self.depth -= 1;
        let values = self.desk.values.drain(first..).collect();
        Some((Expr { kind: ExprKind::List(values), span: self.span(start) }, deepest + 1))
    }

    fn record(&mut self, start: usize) -> Option<Deep> {
        self.deeper()?;
        self.at += 1;
        self.space(true);
        let (first, mut deepest) = (self.desk.fields.len(), 0);
        while self.byte() != b'}' {
            let name = self.key()?;
            self.blank();
            if !self.equals() {
                return None;
            }
            let (value, inside) = self.expr(false)?;
            deepest = deepest.max(inside);
            self.desk.fields.push((name, value));
            self.separator()?;
        }
        self.at += 1;
        self.depth -= 1;
        let fields = self.desk.fields.drain(first..).collect();
        Some((Expr { kind: ExprKind::Record(fields), span: self.span(start) }, deepest + 1))
    }

    /// Everything that starts with a digit, but money.
    fn number(&mut self) -> Option<Expr> {
        let start = self.at;
        self.digits();
        // What follows the first digits tells what it is: the rule `digits` of the grammar.
        let form = if self.part(b'.') {
            let second = self.at;
            if self.part(b'.') && self.part(b'.') {
                if self.part(b'/') { ExprKind::Cidr } else { ExprKind::Ip }
            } else {
                self.at = second;
                ExprKind::Decimal
            }
        } else if self.part(b':') {
            ExprKind::Time
        } else if self.is_date_tail() {
            self.at += 6;
            ExprKind::Date
        } else {
            ExprKind::Int
        };
        let text = self.desk.words.get(self.slice(start));
        let kind = form(text.clone());
        let plain = matches!(kind, ExprKind::Int(_) | ExprKind::Decimal(_));
        let end = self.at;
        if self.byte() == b'%' {
            self.at += 1;
            let unit = Spanned { value: self.desk.words.get("%"), span: self.span(end) };
            let kind = ExprKind::Quantity(text, unit);
            return (plain && !is_word_byte(self.byte())).then(|| Expr { kind, span: self.span(start) });
        }
        self.blank();
        let unit = self.peek_word();
        if UNITS.contains(&unit) {
            let unit = self.word()?;
            let kind = ExprKind::Quantity(text, unit);
            return plain.then(|| Expr { kind, span: self.span(start) });
        }
        // Money, and whatever else touches the digits.
        if (unit.len() == 3 && unit.bytes().all(|b| b.is_ascii_uppercase())) || (self.at == end && !unit.is_empty()) {
            return None;
        }
        self.at = end;
        Some(Expr { kind, span: self.span(start) })
    }

    /// `-12-01` after a year.
    fn is_date_tail(&self) -> bool {
        let digit = |by: usize| self.ahead(by).is_ascii_digit() || self.ahead(by) == b'_';
        self.byte() == b'-' && digit(1) && digit(2) && self.ahead(3) == b'-' && digit(4) && digit(5)
    }

    /// A sign and the digits after it, if both are there.
    fn part(&mut self, sign: u8) -> bool {
        let found = self.byte() == sign && (self.ahead(1).is_ascii_digit() || self.ahead(1) == b'_');
        if found {
            self.at += 1;
            self.digits();
        }
        found
    }

    fn digits(&mut self) {
        while self.byte().is_ascii_digit() || self.byte() == b'_' {
            self.at += 1;
        }
    }
}
