//! Values: operands and operators, calls, lists, records, choices.

use super::{MAX_TREE, Parser};
use crate::ast::{Argument, Comprehension, Expr, ExprKind, Name, UnaryOp};
use crate::diags;
use crate::operators::{Deep, Operator, Row};
use dsvm_diagnostics::source::Span;
use dsvm_grammar::words::{WORD_OPERATORS, is_reserved};

impl Parser<'_, '_> {
    /// Rule `expr`; rule `wide` inside brackets, where an operator may start a line.
    pub(super) fn expr(&mut self, wide: bool) -> Option<Deep> {
        let mut current = self.operand()?;
        let mut row: Option<Row> = None;
        loop {
            let mark = self.mark();
            if wide {
                self.space(false);
            } else {
                self.blank();
            }
            let start = self.at;
            if !self.operator() {
                self.at = mark.at;
                break;
            }
            let (operator, span) = (Operator::of(self.slice(start)), self.span(start));
            self.space(false);
            let Some(next) = self.operand() else {
                self.rewind(mark);
                break;
            };
            let row = row.get_or_insert_default();
            if row.push(std::mem::replace(&mut current, next), operator, span) > MAX_TREE {
                return self.refuse_depth(start);
            }
        }
        let Some(row) = row else { return Some(current) };
        let whole = row.finish(current)?;
        if whole.1 > MAX_TREE {
            return self.refuse_depth(whole.0.span.start as usize);
        }
        Some(whole)
    }

    /// Takes a binary operator, if one is next: rule `binary`.
    fn operator(&mut self) -> bool {
        let length = match (self.byte(), self.ahead(1)) {
            (b'=' | b'!' | b'<' | b'>', b'=') | (b'&', b'&') | (b'|', b'|') | (b'?', b'?') | (b'.', b'.') => 2,
            (b'/', b'/') => 0,
            (b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%', _) => 1,
            (b'i' | b'o', _) => {
                let word = self.peek_word();
                if WORD_OPERATORS.contains(&word) { word.len() } else { 0 }
            }
            _ => 0,
        };
        self.at += length;
        length > 0
    }

    /// Rule `operand`: a primary with prefixes and suffixes, as `!f(a).b`.
    fn operand(&mut self) -> Option<Deep> {
        if !matches!(self.byte(), b'-' | b'!') {
            return self.suffixed();
        }
        let mut prefixes: Vec<(UnaryOp, Span)> = Vec::new();
        loop {
            let start = self.at;
            let op = match self.byte() {
                b'!' => UnaryOp::Not,
                b'-' => UnaryOp::Negate,
                _ => break,
            };
            if prefixes.len() > MAX_TREE as usize {
                return self.refuse_depth(start);
            }
            self.at += 1;
            prefixes.push((op, self.span(start)));
            self.blank();
        }
        let (mut expr, mut depth) = self.suffixed()?;
        for (op, span) in prefixes.into_iter().rev() {
            let whole = span.to(expr.span);
            expr = Expr { kind: ExprKind::Unary(op, Box::new(expr)), span: whole };
            depth += 1;
        }
        if depth > MAX_TREE {
            return self.refuse_depth(expr.span.start as usize);
        }
        Some((expr, depth))
    }

    /// A primary with its suffixes: `team.machines[0]`, `avg(cpu, 10 min)`.
    fn suffixed(&mut self) -> Option<Deep> {
        let start = self.at;
        let (mut expr, mut depth) = self.primary()?;
        while matches!(self.byte(), b'.' | b'(' | b'[') {
            let mark = self.mark();
            let Some((suffix, inside)) = self.suffix() else {
                self.rewind(mark);
                break;
            };
            depth = depth.max(inside) + 1;
            let base = Box::new(expr);
            let kind = match suffix {
                Suffix::Member(name) => ExprKind::Member(base, name),
                Suffix::Call(arguments) => ExprKind::Call(base, arguments),
                Suffix::Index(index) => ExprKind::Index(base, Box::new(index)),
            };
            expr = Expr { kind, span: self.span(start) };
            if depth > MAX_TREE {
                return self.refuse_depth(start);
            }
        }
        Some((expr, depth))
    }

    /// Rule `suffix`, and how many levels are in it.
    fn suffix(&mut self) -> Option<(Suffix, u32)> {
        match self.byte() {
            b'.' => {
                self.at += 1;
                Some((Suffix::Member(self.word()?), 0))
            }
            b'(' => {
                let (arguments, deepest) = self.nested(Self::arguments)?;
                Some((Suffix::Call(arguments), deepest))
            }
            _ => self.nested(|p| {
                p.eat(b'[')?;
                p.space(false);
                let (index, inside) = p.expr(true)?;
                p.space(false);
                p.eat(b']')?;
                Some((Suffix::Index(index), inside))
            }),
        }
    }

    /// The arguments of a call and its brackets; also the most levels of one.
    fn arguments(&mut self) -> Option<(Vec<Argument>, u32)> {
        let mut arguments = Vec::new();
        let mut deepest = 0;
        self.eat(b'(')?;
        self.space(false);
        while self.byte() != b')' {
            let name = self.attempt(Self::argument_name);
            let (value, inside) = self.expr(true)?;
            deepest = deepest.max(inside);
            arguments.push(Argument { name, value });
            if self.attempt(Self::comma).is_none() {
                break;
            }
        }
        self.space(false);
        self.eat(b')')?;
        Some((arguments, deepest))
    }

    /// `name =` in front of an argument.
    fn argument_name(&mut self) -> Option<Name> {
        let start = self.at;
        self.at = self.word_end();
        let end = self.at;
        self.space(false);
        self.equals()?;
        let value = self.at;
        self.at = start;
        let name = self.word().filter(|_| end > start);
        self.at = value;
        name
    }

    /// Rule `primary`: the first byte decides which one.
    fn primary(&mut self) -> Option<Deep> {
        let start = self.at;
        match self.byte() {
            b'"' => self.string(),
            b'0'..=b'9' => Some((self.number()?, 1)),
            b'[' => self.list(),
            b'{' => self.record(),
            b'(' => {
                let (mut inner, depth) = self.nested(|p| {
                    p.at += 1;
                    p.space(false);
                    let inner = p.expr(true)?;
                    p.space(false);
                    p.eat(b')')?;
                    Some(inner)
                })?;
                // The parentheses belong to the expression, so that a label underlines them too.
                inner.span = self.span(start);
                Some((inner, depth + 1))
            }
            b'i' if self.peek_word() == "if" => {
                let choice = self.attempt(|p| p.nested(Self::condition));
                choice.or_else(|| self.name())
            }
            _ => self.name(),
        }
    }

    /// Rule `name`: also `true`, `false` and `null`, which are not names.
    pub(super) fn name(&mut self) -> Option<Deep> {
        let start = self.at;
        self.at = self.word_end();
        let kind = match self.slice(start) {
            "" => return None,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            word if is_reserved(word) => {
                self.diagnostics.push(diags::reserved_word(self.span(start), word));
                ExprKind::Error
            }
            word => ExprKind::Name(self.words.get(word)),
        };
        Some((Expr { kind, span: self.span(start) }, 1))
    }

    /// Rule `condition`: `if CONDITION then VALUE else VALUE`.
    fn condition(&mut self) -> Option<Deep> {
        let start = self.at;
        self.keyword("if")?;
        self.space(false);
        let (condition, a) = self.expr(false)?;
        self.space(false);
        self.keyword("then")?;
        self.space(false);
        let (yes, b) = self.expr(false)?;
        self.space(false);
        self.keyword("else")?;
        self.space(false);
        let (no, c) = self.expr(false)?;
        let kind = ExprKind::If(Box::new(condition), Box::new(yes), Box::new(no));
        Some((Expr { kind, span: self.span(start) }, a.max(b).max(c) + 1))
    }

    /// Rule `list`: elements or a comprehension in brackets.
    fn list(&mut self) -> Option<Deep> {
        let start = self.at;
        let (mut values, deepest, comprehension) = self.nested(Self::elements)?;
        let kind = match comprehension {
            Some(Clauses { variable, list, condition }) => {
                let value = values.pop()?;
                ExprKind::Comprehension(Box::new(Comprehension { value, variable, list, condition }))
            }
            None => ExprKind::List(values),
        };
        Some((Expr { kind, span: self.span(start) }, deepest + 1))
    }

    /// The elements of a list and its brackets; also the most levels of one, and what follows a single one.
    fn elements(&mut self) -> Option<(Vec<Expr>, u32, Option<Clauses>)> {
        let mut values = Vec::new();
        let mut deepest = 0;
        let mut clauses = None;
        self.eat(b'[')?;
        self.space(false);
        while self.byte() != b']' {
            let (value, inside) = self.expr(true)?;
            let only = deepest == 0;
            deepest = deepest.max(inside);
            values.push(value);
            if only && let Some((found, inside)) = self.attempt(Self::comprehension) {
                deepest = deepest.max(inside);
                clauses = Some(found);
                break;
            }
            if self.attempt(Self::comma).is_none() {
                break;
            }
        }
        self.space(false);
        self.eat(b']')?;
        Some((values, deepest, clauses))
    }

    /// Rule `comprehension`: `for NAME in LIST [if CONDITION]`, behind the value.
    fn comprehension(&mut self) -> Option<(Clauses, u32)> {
        self.space(false);
        self.keyword("for")?;
        self.space(false);
        let variable = self.word()?;
        self.space(false);
        self.keyword("in")?;
        self.space(false);
        let (list, mut deepest) = self.expr(true)?;
        let condition = self.attempt(|p| {
            p.space(false);
            p.keyword("if")?;
            p.space(false);
            p.expr(true)
        });
        let condition = condition.map(|(condition, inside)| {
            deepest = deepest.max(inside);
            condition
        });
        Some((Clauses { variable, list, condition }, deepest))
    }

    /// Rule `record`: braces and the fields between them.
    fn record(&mut self) -> Option<Deep> {
        let start = self.at;
        let (fields, deepest) = self.nested(Self::fields)?;
        Some((Expr { kind: ExprKind::Record(fields), span: self.span(start) }, deepest + 1))
    }

    /// The fields of a record and its braces; also the most levels of one.
    fn fields(&mut self) -> Option<(Vec<(Name, Expr)>, u32)> {
        let mut fields = Vec::new();
        let mut deepest = 0;
        self.eat(b'{')?;
        self.space(true);
        while self.byte() != b'}' {
            let name = self.key()?;
            self.blank();
            self.equals()?;
            let (value, inside) = self.expr(false)?;
            deepest = deepest.max(inside);
            fields.push((name, value));
            self.separator()?;
        }
        self.at += 1;
        Some((fields, deepest))
    }
}

/// What follows an operand directly.
enum Suffix {
    Member(Name),
    Call(Vec<Argument>),
    Index(Expr),
}

/// `for variable in list if condition`
struct Clauses {
    variable: Name,
    list: Expr,
    condition: Option<Expr>,
}
