//! Strings with escapes and interpolations; quantities.

use super::super::ast::{Expr, ExprKind, StringPart};
use super::super::diags;
use super::Lower;
use dsvm_grammar::Rule;
use pest::iterators::Pair;

impl Lower<'_> {
    /// What a number is, by its form.
    pub(super) fn number(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let mut inner = pair.into_inner();
        let Some(digits) = inner.next() else { return ExprKind::Error };
        let text = digits.as_str();
        let dots = text.bytes().filter(|b| *b == b'.').count();
        if let Some(unit) = inner.next() {
            if dots < 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'_' | b'.')) {
                return ExprKind::Quantity(text.into(), self.name(&unit));
            }
            self.diagnostics.push(diags::unit_of_what(self.span(&unit), unit.as_str(), text));
            return ExprKind::Error;
        }
        let form = |b: u8| text.as_bytes().contains(&b);
        match dots {
            3 if form(b'/') => ExprKind::Cidr(text.into()),
            3 => ExprKind::Ip(text.into()),
            1 => ExprKind::Decimal(text.into()),
            _ if form(b':') => ExprKind::Time(text.into()),
            _ if form(b'-') => ExprKind::Date(text.into()),
            _ => ExprKind::Int(text.into()),
        }
    }

    /// A string and its depth.
    pub(super) fn string(&mut self, pair: Pair<'_, Rule>) -> (Expr, u32) {
        let span = self.span(&pair);
        let long = pair.as_str().starts_with("\"\"\"");
        let mut pieces = Vec::new();
        let mut depth = 0;
        for child in pair.into_inner() {
            match child.as_rule() {
                Rule::text => pieces.push(Piece::Raw(child.as_str().to_owned())),
                Rule::long_text => pieces.push(Piece::Raw(child.as_str().replace("\r\n", "\n"))),
                Rule::escape => match unescape(child.as_str()) {
                    Some(c) => pieces.push(Piece::Escaped(c)),
                    None => {
                        let at = self.span(&child);
                        self.diagnostics.push(diags::unknown_escape(at, child.as_str()));
                    }
                },
                _ => {
                    for expr in child.into_inner() {
                        let (expr, inside) = self.deep(expr);
                        depth = depth.max(inside);
                        pieces.push(Piece::Value(expr));
                    }
                }
            }
        }
        if long {
            unindent(&mut pieces);
        }
        (Expr { kind: ExprKind::String(join(pieces)), span }, depth + 1)
    }
}

/// A part of a string as written.
enum Piece {
    Raw(String),
    Escaped(char),
    Value(Expr),
}

/// Neighbouring text becomes one part.
fn join(pieces: Vec<Piece>) -> Vec<StringPart> {
    let mut parts = Vec::new();
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Raw(raw) => text.push_str(&raw),
            Piece::Escaped(c) => text.push(c),
            Piece::Value(expr) => {
                if !text.is_empty() {
                    parts.push(StringPart::Text(std::mem::take(&mut text).into()));
                }
                parts.push(StringPart::Value(Box::new(expr)));
            }
        }
    }
    if !text.is_empty() || parts.is_empty() {
        parts.push(StringPart::Text(text.into()));
    }
    parts
}

/// Takes off the newline after the opening quotes, the one before the closing quotes, and the indentation that all
/// lines share. Only text that was written as it is counts: an escaped newline starts no line.
fn unindent(pieces: &mut [Piece]) {
    let blank = |c: char| c == ' ' || c == '\t';
    let Some(Piece::Raw(first)) = pieces.first() else { return };
    let Some((opening, _)) = first.split_once('\n').filter(|(head, _)| head.chars().all(blank)) else { return };
    let skip = opening.len();
    let count = pieces.len();
    let mut indent: Option<usize> = None;
    for piece in pieces.iter() {
        let Piece::Raw(raw) = piece else { continue };
        let lines = raw.split('\n').count();
        for (n, line) in raw.split('\n').enumerate().skip(1) {
            // A blank line counts only when the closing quotes or a value stand in it.
            if n + 1 < lines && line.chars().all(blank) {
                continue;
            }
            let width = line.len() - line.trim_start_matches(blank).len();
            indent = Some(indent.map_or(width, |least| least.min(width)));
        }
    }
    let indent = indent.unwrap_or(0);
    for (i, piece) in pieces.iter_mut().enumerate() {
        let Piece::Raw(raw) = piece else { continue };
        let mut lines: Vec<String> = raw
            .split('\n')
            .enumerate()
            .map(|(n, line)| if n == 0 { line.to_owned() } else { line.chars().skip(indent).collect() })
            .collect();
        if i + 1 == count && lines.len() > 1 && lines.last().is_some_and(|l| l.chars().all(blank)) {
            lines.pop();
        }
        let text = lines.join("\n");
        *raw = if i == 0 { text.chars().skip(skip + 1).collect() } else { text };
    }
}

/// The character of an escape, if there is such an escape.
fn unescape(escape: &str) -> Option<char> {
    if let Some(hex) = escape.strip_prefix("\\u{").and_then(|e| e.strip_suffix('}')) {
        return u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
    }
    match escape.strip_prefix('\\')? {
        "n" => Some('\n'),
        "t" => Some('\t'),
        "r" => Some('\r'),
        "\"" => Some('"'),
        "\\" => Some('\\'),
        "$" => Some('$'),
        _ => None,
    }
}
