//! The text of strings and of doc comments: what is written → what it says.

use crate::ast::{Expr, StringPart};
use std::sync::Arc;

/// A part of a string as written.
pub(crate) enum Piece {
    Raw(String),
    Escaped(char),
    Value(Expr),
}

/// The parts of a string; `long` when it is written between `"""`.
pub(crate) fn parts(mut pieces: Vec<Piece>, long: bool) -> Vec<StringPart> {
    if long {
        unindent(&mut pieces);
    }
    join(pieces)
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
            // A blank line counts only when it contains the closing quotes or a value.
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

/// The character that an escape stands for; `None` when there is no such escape.
pub(crate) fn unescape(escape: &str) -> Option<char> {
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

/// The pattern of a type without its slashes; `\/` is a slash.
pub(crate) fn pattern(written: &str) -> Arc<str> {
    let inner = written.strip_prefix('/').and_then(|t| t.strip_suffix('/')).unwrap_or(written);
    inner.replace("\\/", "/").into()
}

/// The `///` lines directly before byte `start` of a file, without the marks.
pub(crate) fn doc_before(text: &str, start: usize) -> Option<Arc<str>> {
    let mut before = text.get(..start)?;
    before = before.trim_end_matches([' ', '\t']);
    let mut lines: Vec<&str> = Vec::new();
    while let Some(rest) = before.strip_suffix('\n') {
        let line_start = rest.rfind('\n').map_or(0, |at| at + 1);
        let line = rest.get(line_start..)?.trim();
        let Some(text) = line.strip_prefix("///") else { break };
        lines.push(text.strip_prefix(' ').unwrap_or(text));
        before = rest.get(..line_start)?;
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n").into())
}
