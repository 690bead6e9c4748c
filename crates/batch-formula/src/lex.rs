//! Cuts the text of a formula into tokens with their places. Comments (`// …`) and white space fall away.

use super::ast::FormulaSpan;
use super::error::{FormulaError, FormulaRule};

/// A token of a formula's text.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A number literal: `0.7`.
    Number(f64),
    /// `"…"`, without the quotes.
    Text(String),
    /// A name or keyword: `$PendingTasks`, `avg`, `hour`.
    Word(String),
    /// An operator or bracket.
    Sign(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// As shown to people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Number(n) => format!("`{n}`"),
            Self::Text(t) => format!("`\"{t}\"`"),
            Self::Word(w) => format!("`{w}`"),
            Self::Sign(s) => format!("`{s}`"),
            Self::End => "the end of the formula".to_owned(),
        }
    }
}

// Longer signs first: the first that fits is taken.
const SIGNS: [&str; 20] =
    ["<=", ">=", "==", "!=", "&&", "||", "<", ">", "=", "!", "+", "-", "*", "/", "?", ":", ";", ",", ".", "("];

/// All tokens, the last being [`Token::End`].
///
/// # Errors
/// The first sign that no formula can hold.
pub(crate) fn lex(text: &str) -> Result<Vec<(Token, FormulaSpan)>, FormulaError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
        } else if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            return Err(FormulaError::new(
                FormulaRule::Syntax,
                FormulaSpan::new(at, at + 2),
                "a formula has no `/* … */` comments",
                "not a comment here",
            )
            .help("start each line of the comment with `//`"));
        } else if first.is_ascii_digit() || (first == '.' && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit())) {
            let length = number_length(rest);
            let digits = rest.get(..length).unwrap_or_default();
            let Some(number) = digits.parse::<f64>().ok().filter(|n| n.is_finite()) else {
                return Err(bad(at, length, "is not a number that fits a double"));
            };
            tokens.push((Token::Number(number), FormulaSpan::new(at, at + length)));
            at += length;
        } else if first.is_ascii_alphabetic() || first == '_' || first == '$' {
            let length = 1 + rest.chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '_').count();
            let word = rest.get(..length).unwrap_or_default();
            if word == "$" {
                return Err(bad(at, 1, "is not followed by a name"));
            }
            tokens.push((Token::Word(word.to_owned()), FormulaSpan::new(at, at + length)));
            at += length;
        } else if first == '"' {
            let inside = rest.get(1..).unwrap_or_default();
            let Some(length) = inside.find(['"', '\n']).filter(|i| inside.get(*i..*i + 1) == Some("\"")) else {
                return Err(FormulaError::new(
                    FormulaRule::Syntax,
                    FormulaSpan::new(at, at + 1),
                    "a string is not closed",
                    "opened here",
                )
                .help("close the string with `\"` on the same line"));
            };
            tokens.push((
                Token::Text(inside.get(..length).unwrap_or_default().to_owned()),
                FormulaSpan::new(at, at + length + 2),
            ));
            at += length + 2;
        } else if first == ')' {
            tokens.push((Token::Sign(")"), FormulaSpan::new(at, at + 1)));
            at += 1;
        } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            tokens.push((Token::Sign(sign), FormulaSpan::new(at, at + sign.len())));
            at += sign.len();
        } else {
            return Err(unknown_sign(at, first, rest));
        }
    }
    tokens.push((Token::End, FormulaSpan::new(text.len(), text.len())));
    Ok(tokens)
}

fn bad(at: usize, length: usize, what: &str) -> FormulaError {
    FormulaError::new(FormulaRule::Syntax, FormulaSpan::new(at, at + length), format!("this {what}"), "here")
}

fn unknown_sign(at: usize, first: char, rest: &str) -> FormulaError {
    let error = FormulaError::new(
        FormulaRule::Syntax,
        FormulaSpan::new(at, at + first.len_utf8()),
        format!("a formula cannot contain `{first}`"),
        "not part of the formula language",
    );
    match first {
        '[' | ']' => error.help("write a list of numbers as `vec(1, 2, 3)`"),
        '{' | '}' => error.help("replace the placeholder with a number; a formula has no blocks"),
        '&' => error.help("write `&&` for \"and\""),
        '|' => error.help("write `||` for \"or\""),
        '\'' => error.help("write strings in double quotes"),
        '\\' if rest.starts_with("\\\"") => error.help("write the quote without its backslash"),
        '%' => error.help("write a share as a fraction, such as `0.7`; a formula has no percent sign"),
        _ => error,
    }
}

/// Length of the number that `rest` starts with: digits, a fraction, an exponent.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && bytes.get(length + 1).is_some_and(u8::is_ascii_digit) {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}
