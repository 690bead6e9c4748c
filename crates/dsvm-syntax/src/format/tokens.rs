//! Text → lines of tokens, in which a literal is one token.

use super::layout::{Line, Piece};
use crate::{Lexeme, lexemes};

/// Cuts a text into lines; a string over several lines belongs to the line on which it starts.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = vec![Line::default()];
    let mut end = 0;
    let mut all = lexemes(text).peekable();
    while let Some((kind, start, stop)) = all.next() {
        let Some(line) = lines.last_mut() else { break };
        let word = text.get(start..stop).unwrap_or_default();
        match kind {
            Lexeme::Newline => lines.push(Line::default()),
            Lexeme::Comment => line.comment = Some(word.trim_end()),
            Lexeme::Number => {
                let stop = number_end(text, start);
                while all.next_if(|(_, next, _)| *next < stop).is_some() {}
                push(line, Lexeme::Number, text, start, stop, end);
                end = stop;
                continue;
            }
            // `USD/h` after an amount.
            Lexeme::Word if line.pieces.last().is_some_and(|p| p.kind == Lexeme::Number) && is_money(word) => {
                let stop = rate_end(text, stop);
                while all.next_if(|(_, next, _)| *next < stop).is_some() {}
                push(line, Lexeme::Word, text, start, stop, end);
                end = stop;
                continue;
            }
            _ => push(line, kind, text, start, stop, end),
        }
        end = stop;
    }
    lines
}

fn push<'t>(line: &mut Line<'t>, kind: Lexeme, text: &'t str, start: usize, stop: usize, end: usize) {
    let touches = !line.pieces.is_empty() && end == start;
    line.pieces.push(Piece { kind, text: text.get(start..stop).unwrap_or_default(), touches });
}

fn is_money(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase())
}

fn rate_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let rate = ["/h", "/day", "/week", "/month"].into_iter().find(|rate| rest.starts_with(rate));
    rate.map_or(at, |rate| at + rate.len())
}

/// The end of the number that starts at `start`: the rule `digits` of the grammar, with a `%` or unit that touches.
fn number_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let digits = |mut at: usize| {
        while byte(at).is_ascii_digit() || byte(at) == b'_' {
            at += 1;
        }
        at
    };
    // A sign and the digits after it, if both are there.
    let part = |at: usize, sign: u8| (byte(at) == sign && byte(at + 1).is_ascii_digit()).then(|| digits(at + 1));
    let first = digits(start);
    let mut end = first;
    if let Some(second) = part(first, b'.') {
        end = second;
        if let Some(fourth) = part(second, b'.').and_then(|third| part(third, b'.')) {
            end = part(fourth, b'/').unwrap_or(fourth);
        }
    } else if let Some(minutes) = part(first, b':') {
        end = minutes;
    } else if let Some(day) = part(first, b'-').filter(|m| *m == first + 3).and_then(|month| part(month, b'-'))
        && day == first + 6
    {
        end = day;
    }
    if byte(end) == b'%' {
        return end + 1;
    }
    while byte(end).is_ascii_alphanumeric() || byte(end) == b'_' {
        end += 1;
    }
    end
}
