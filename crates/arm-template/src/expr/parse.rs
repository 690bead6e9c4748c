//! A recursive parser for expressions.

use super::{Call, Expr, ExprKind};
use crate::error::{EvalError, codes};
use crate::functions;
use std::sync::Arc;

/// Most bytes of an expression in a template.
const MAX_SOURCE: usize = 24_576;
/// Maximum depth of nested brackets.
const MAX_NESTING: usize = 128;

/// Why a text is not an expression, or why an expression cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExprError {
    /// Byte offset inside the expression; 0 for one that is built.
    pub offset: u32,
    /// The reason in Azure's wording.
    pub reason: String,
    /// The same reason in a plain sentence.
    pub sentence: String,
    /// The code of Azure Resource Manager for it.
    pub(crate) code: &'static str,
}

impl ExprError {
    /// The error for an exceeded bound.
    pub(super) fn limit(reason: String) -> Self {
        Self { offset: 0, sentence: reason.clone(), reason, code: codes::QUOTA }
    }
}

impl std::fmt::Display for ExprError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for ExprError {}

impl From<ExprError> for EvalError {
    fn from(error: ExprError) -> Self {
        EvalError::coded(error.code, error.reason).says(error.sentence)
    }
}

pub(super) fn parse(source: &str) -> Result<Arc<Expr>, ExprError> {
    let mut parser = Parser { source, at: 0, nesting: 0 };
    if source.len() > MAX_SOURCE {
        return Err(ExprError {
            offset: 0,
            reason: format!(
                "The language expression length limit exceeded. Limit: '{MAX_SOURCE}' and actual: '{}'.",
                source.len()
            ),
            code: codes::INVALID_TEMPLATE,
            sentence: format!("the expression has {} characters; Azure allows {MAX_SOURCE}", source.len()),
        });
    }
    let expr = parser.expression()?;
    parser.space();
    if parser.at < source.len() {
        return Err(parser.expected("EndOfData", "the end of the expression"));
    }
    Ok(expr)
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    nesting: usize,
}

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, c: char) -> bool {
        self.space();
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn fail(&self, reason: String, sentence: String) -> ExprError {
        let shown: String = self.source.chars().take(200).collect();
        ExprError {
            offset: self.at as u32,
            reason: format!("Unable to parse language expression '{shown}': {reason}"),
            sentence: format!("{sentence} in the expression `[{shown}]`"),
            code: codes::INVALID_TEMPLATE,
        }
    }

    fn expected(&self, azure: &str, words: &str) -> ExprError {
        let (token, found) = match self.peek() {
            None => ("EndOfData", "the end of the expression".to_string()),
            Some(c) => (token_name(c), format!("`{c}`")),
        };
        self.fail(
            format!("expected token '{azure}' and actual '{token}'."),
            format!("expected {words}, found {found}, at character {},", self.at + 1),
        )
    }

    fn limit(&self, reason: String) -> ExprError {
        self.fail(reason.clone(), reason)
    }

    fn build(&self, kind: ExprKind) -> Result<Arc<Expr>, ExprError> {
        Expr::build(kind).map_err(|error| self.limit(error.reason))
    }

    fn expression(&mut self) -> Result<Arc<Expr>, ExprError> {
        if self.nesting >= MAX_NESTING {
            return Err(self.limit(format!("brackets are nested more than {MAX_NESTING} deep")));
        }
        self.nesting += 1;
        let expr = self.primary().and_then(|base| self.accesses(base));
        self.nesting -= 1;
        expr
    }

    fn primary(&mut self) -> Result<Arc<Expr>, ExprError> {
        self.space();
        match self.peek() {
            Some('\'') => {
                let text = self.string()?;
                self.build(ExprKind::Str(text.into()))
            }
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+') => self.number(),
            Some(c) if is_name_start(c) => self.call(),
            _ => Err(self.expected("Literal or Identifier", "a function, a number or a string in single quotes")),
        }
    }

    fn string(&mut self) -> Result<String, ExprError> {
        let open = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find('\'') else {
                self.at = open;
                return Err(self.fail(
                    "the string literal is not terminated.".to_string(),
                    format!("the string that begins at character {} has no closing quote", open + 1),
                ));
            };
            out.push_str(rest.get(..end).unwrap_or(""));
            self.at += end + 1;
            if !self.rest().starts_with('\'') {
                return Ok(out);
            }
            out.push('\'');
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Arc<Expr>, ExprError> {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find(|(i, c)| !(c.is_ascii_alphanumeric() || *c == '.' || (*i == 0 && matches!(c, '-' | '+'))))
            .map_or(rest.len(), |(i, _)| i);
        let text = rest.get(..end).unwrap_or("");
        let value = text.parse::<i64>().map_err(|_| {
            self.fail(
                format!("the literal '{text}' is not a valid integer."),
                format!("`{text}` is not a whole number of 64 bits; write float('{text}') for a fraction"),
            )
        })?;
        self.at += end;
        self.build(ExprKind::Int(value))
    }

    fn name(&mut self) -> Arc<str> {
        let rest = self.rest();
        let end = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        self.at += end;
        Arc::from(rest.get(..end).unwrap_or(""))
    }

    fn call(&mut self) -> Result<Arc<Expr>, ExprError> {
        let start = self.at;
        let first = self.name();
        let (namespace, name) = if self.eat('.') {
            self.space();
            (Some(first), self.name())
        } else {
            (None, first)
        };
        if !self.eat('(') {
            let found = self.expected("LeftParenthesis", "`(`");
            self.at = start;
            return Err(ExprError {
                sentence: format!("{}; every name is a function here, also `true()` and `null()`", found.sentence),
                ..found
            });
        }
        let mut args = Vec::new();
        if !self.eat(')') {
            loop {
                args.push(self.expression()?);
                if self.eat(')') {
                    break;
                }
                if !self.eat(',') {
                    return Err(self.expected("RightParenthesis", "`,` or `)`"));
                }
            }
        }
        let function = if namespace.is_none() { functions::find(&name) } else { None };
        self.build(ExprKind::Call(Call { namespace, name, args, function }))
    }

    fn accesses(&mut self, mut base: Arc<Expr>) -> Result<Arc<Expr>, ExprError> {
        loop {
            if self.eat('.') {
                self.space();
                if !self.peek().is_some_and(is_name_part) {
                    return Err(self.expected("Identifier", "the name of a property"));
                }
                let name = self.name();
                base = self.build(ExprKind::Member(base, name))?;
            } else if self.eat('[') {
                let index = self.expression()?;
                if !self.eat(']') {
                    return Err(self.expected("RightSquareBracket", "`]`"));
                }
                // `a['b']` and `a.b` are one thing, so that printing and parsing agree.
                base = match index.kind() {
                    ExprKind::Str(name) => self.build(ExprKind::Member(base, Arc::clone(name)))?,
                    _ => self.build(ExprKind::Index(base, index))?,
                };
            } else {
                return Ok(base);
            }
        }
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

fn token_name(c: char) -> &'static str {
    match c {
        '(' => "LeftParenthesis",
        ')' => "RightParenthesis",
        '[' => "LeftSquareBracket",
        ']' => "RightSquareBracket",
        ',' => "Comma",
        '.' => "Dot",
        '\'' => "StringLiteral",
        c if c.is_ascii_digit() => "Integer",
        c if is_name_start(c) => "Identifier",
        _ => "Unknown",
    }
}
