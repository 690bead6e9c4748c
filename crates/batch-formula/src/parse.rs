//! Text → [`Formula`]: a hand-written parser that stops at the first mistake and says it at the right place.
//!
//! Promises: never panics, reads at most [`MAX_BYTES`] bytes, [`MAX_STATEMENTS`] statements and [`MAX_DEPTH`] levels.
//! Knows nothing of names and types.

use super::ast::{BinaryOp, Expr, ExprKind, Formula, FormulaSpan, MAX_DEPTH, Name, Statement, UnaryOp};
use super::error::{FormulaError, FormulaRule};
use super::lex::{Token, lex};

/// Azure's limit on the length of a formula.
pub const MAX_BYTES: usize = 8 * 1024;
/// Azure's limit on the number of statements.
pub const MAX_STATEMENTS: usize = 100;

type Result<T> = std::result::Result<T, FormulaError>;

/// Parses the text of a formula.
///
/// # Errors
/// The first place at which the text is not a formula, or the limit that it breaks.
pub fn parse(text: &str) -> Result<Formula> {
    if text.len() > MAX_BYTES {
        return Err(FormulaError::new(
            FormulaRule::Limit,
            FormulaSpan::new(0, 1),
            format!("a formula of {} bytes", text.len()),
            "starts here",
        )
        .note("Azure Batch accepts formulas of at most 8 KB (8192 bytes), comments included")
        .help("shorten the formula, or move comments out of it"));
    }
    let tokens = lex(text)?;
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let formula = parser.formula()?;
    if let Some(statement) = formula.statements.get(MAX_STATEMENTS) {
        return Err(FormulaError::new(
            FormulaRule::Limit,
            statement.place,
            format!("a formula of {} statements", formula.statements.len()),
            "the 101st statement",
        )
        .note("Azure Batch accepts at most 100 statements in a formula")
        .help("merge statements, or leave out those that nothing uses"));
    }
    Ok(formula)
}

fn too_deep(place: FormulaSpan) -> FormulaError {
    FormulaError::new(
        FormulaRule::Limit,
        place,
        format!("an expression that nests more than {MAX_DEPTH} levels deep"),
        "one level too deep",
    )
    .help("assign a part of it to a variable")
}

/// Chains such as `a + b + c` grow the tree without recursion of the parser, so the depth is measured afterwards.
fn check_depth(root: &Expr) -> Result<()> {
    let mut open = vec![(root, 1)];
    while let Some((node, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(too_deep(node.place));
        }
        open.extend(node.children().into_iter().map(|child| (child, depth + 1)));
    }
    Ok(())
}

struct Parser {
    tokens: Vec<(Token, FormulaSpan)>,
    at: usize,
    depth: u32,
}

const END: (Token, FormulaSpan) = (Token::End, FormulaSpan { start: 0, end: 0 });

impl Parser {
    fn peek(&self) -> &(Token, FormulaSpan) {
        self.tokens.get(self.at).or(self.tokens.last()).unwrap_or(&END)
    }

    fn peek_second(&self) -> &Token {
        &self.tokens.get(self.at + 1).unwrap_or(&END).0
    }

    fn next(&mut self) -> (Token, FormulaSpan) {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is(&self, sign: &str) -> bool {
        matches!(&self.peek().0, Token::Sign(s) if *s == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn previous_end(&self) -> FormulaSpan {
        self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(FormulaSpan::default(), |t| t.1)
    }

    fn unexpected(&self, wanted: &str) -> FormulaError {
        let (token, place) = self.peek();
        // At the end there is nothing to underline, so the last token is.
        let place = if *token == Token::End { self.previous_end() } else { *place };
        FormulaError::new(
            FormulaRule::Syntax,
            place,
            format!("expected {wanted}, found {}", token.shown()),
            format!("{wanted} expected here"),
        )
    }

    fn formula(&mut self) -> Result<Formula> {
        let mut statements = Vec::new();
        loop {
            while self.take(";") {}
            if self.peek().0 == Token::End {
                return Ok(Formula { statements });
            }
            let statement = self.statement()?;
            check_depth(&statement.value)?;
            statements.push(statement);
            if !self.is(";") && self.peek().0 != Token::End {
                return Err(self.after_statement());
            }
        }
    }

    /// The statement is over, yet neither `;` nor the end follows.
    fn after_statement(&self) -> FormulaError {
        let error = self.unexpected("`;` or an operator");
        match &self.peek().0 {
            Token::Word(_) if matches!(self.peek_second(), Token::Sign("=")) => {
                let mut missing = FormulaError::new(
                    FormulaRule::Syntax,
                    self.previous_end(),
                    "the `;` after this statement is missing",
                    "the statement ends here",
                );
                missing.help.push("put a `;` between two statements".to_owned());
                missing
            }
            Token::Sign(")") => error.help("remove the bracket, or open it earlier"),
            Token::Sign("=") => error.help("compare with `==`; `=` assigns and can appear only once in a statement"),
            _ => error,
        }
    }

    fn statement(&mut self) -> Result<Statement> {
        let start = self.peek().1;
        let target = match (&self.peek().0, self.peek_second()) {
            (Token::Word(text), Token::Sign("=")) => {
                let name = Name { text: text.clone(), place: start };
                self.at += 2;
                Some(name)
            }
            _ => None,
        };
        let value = self.expression()?;
        let place = start.to(value.place);
        Ok(Statement { target, value, place })
    }

    fn expression(&mut self) -> Result<Expr> {
        self.nested(|p| {
            let condition = p.binary(1)?;
            if !p.take("?") {
                return Ok(condition);
            }
            let then = p.expression()?;
            if !p.take(":") {
                return Err(p.unexpected("`:`").help("write a choice as `condition ? value : other_value`"));
            }
            let otherwise = p.expression()?;
            let place = condition.place.to(otherwise.place);
            Ok(Expr { kind: ExprKind::Ternary(Box::new(condition), Box::new(then), Box::new(otherwise)), place })
        })
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Result<Expr>) -> Result<Expr> {
        self.deeper()?;
        let result = inner(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(self.peek().1));
        }
        Ok(())
    }

    fn binary(&mut self, least: u8) -> Result<Expr> {
        let mut left = self.unary()?;
        while let Some(op) = self.binary_operator().filter(|op| op.precedence() >= least) {
            self.at += 1;
            let right = self.binary(op.precedence() + 1)?;
            let place = left.place.to(right.place);
            left = Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), place };
        }
        Ok(left)
    }

    fn binary_operator(&self) -> Option<BinaryOp> {
        let Token::Sign(sign) = self.peek().0 else { return None };
        BinaryOp::ALL.into_iter().find(|op| op.sign() == sign)
    }

    fn unary(&mut self) -> Result<Expr> {
        let start = self.peek().1;
        let op = match self.peek().0 {
            Token::Sign("-") => UnaryOp::Negate,
            Token::Sign("!") => UnaryOp::Not,
            _ => return self.postfix(),
        };
        self.at += 1;
        self.nested(|p| {
            let inner = p.unary()?;
            let place = start.to(inner.place);
            Ok(Expr { kind: ExprKind::Unary(op, Box::new(inner)), place })
        })
    }

    fn postfix(&mut self) -> Result<Expr> {
        let mut object = self.primary()?;
        while self.take(".") {
            let Token::Word(text) = self.peek().0.clone() else { return Err(self.unexpected("a method or member")) };
            let name = Name { text, place: self.next().1 };
            object = if self.is("(") {
                let args = self.arguments()?;
                let place = object.place.to(self.previous_end());
                Expr { kind: ExprKind::Method(Box::new(object), name, args), place }
            } else {
                let place = object.place.to(name.place);
                Expr { kind: ExprKind::Member(Box::new(object), name), place }
            };
        }
        Ok(object)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>> {
        let open = self.next().1;
        let mut args = Vec::new();
        if self.take(")") {
            return Ok(args);
        }
        loop {
            args.push(self.expression()?);
            if self.take(")") {
                return Ok(args);
            }
            if !self.take(",") {
                return Err(self.unclosed(open, "`,` or `)`"));
            }
        }
    }

    fn unclosed(&self, open: FormulaSpan, wanted: &str) -> FormulaError {
        if matches!(self.peek().0, Token::End | Token::Sign(";")) {
            return FormulaError::new(FormulaRule::Syntax, open, "a bracket is not closed", "opened here")
                .help("close it with `)`");
        }
        self.unexpected(wanted)
    }

    fn primary(&mut self) -> Result<Expr> {
        let (token, place) = self.peek().clone();
        match token {
            Token::Number(n) => {
                self.at += 1;
                Ok(Expr { kind: ExprKind::Number(n), place })
            }
            Token::Text(text) => {
                self.at += 1;
                Ok(Expr { kind: ExprKind::Text(text), place })
            }
            Token::Word(text) => {
                self.at += 1;
                if self.is("(") {
                    let args = self.nested_arguments()?;
                    let whole = place.to(self.previous_end());
                    return Ok(Expr { kind: ExprKind::Call(Name { text, place }, args), place: whole });
                }
                Ok(Expr { kind: ExprKind::Variable(text), place })
            }
            Token::Sign("(") => {
                self.at += 1;
                let inner = self.expression()?;
                if !self.take(")") {
                    return Err(self.unclosed(place, "`)`"));
                }
                Ok(Expr { kind: inner.kind, place: place.to(self.previous_end()) })
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    fn nested_arguments(&mut self) -> Result<Vec<Expr>> {
        self.deeper()?;
        let args = self.arguments();
        self.depth = self.depth.saturating_sub(1);
        args
    }
}
