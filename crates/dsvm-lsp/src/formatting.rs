//! A document → the edits that bring it, or a part of it, into the standard style.

use crate::position::Lines;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use dsvm_syntax::{Lexeme, lexemes};
use lsp_types::{Position, TextEdit};
use similar::{DiffOp, TextDiff};

/// The edits, each of whole lines and none larger than it must be; nothing when the text has syntax errors.
pub(crate) fn edits(text: &str, lines: &Lines<'_>) -> Option<Vec<TextEdit>> {
    let formatted = dsvm_syntax::format::format(SourceId::file(0), text, &mut Sink::default()).ok()?;
    Some(between(text, &formatted, lines))
}

/// The edits of lines that touch a range of bytes. In a file with mistakes, each declaration of the range that has none is
/// formatted by itself.
pub(crate) fn part(text: &str, lines: &Lines<'_>, (from, to): (usize, usize)) -> Vec<TextEdit> {
    let (first, last) = (lines.position(from).line, lines.position(to).line);
    let ends_before = last > first && lines.position(to).character == 0;
    let last = if ends_before { last - 1 } else { last };
    let touches = |edit: &TextEdit| {
        let end =
            if edit.range.end.character == 0 { edit.range.end.line.saturating_sub(1) } else { edit.range.end.line };
        edit.range.start.line <= last && end.max(edit.range.start.line) >= first
    };
    let mut found = match dsvm_syntax::format::format(SourceId::file(0), text, &mut Sink::default()) {
        // The last line may be the one that is typed: what is missing behind it is not added.
        Ok(formatted) if !text.ends_with('\n') => by_line(text, formatted.trim_end_matches('\n'), lines),
        Ok(formatted) => by_line(text, &formatted, lines),
        Err(_) => {
            let items = dsvm_syntax::index(text).into_iter().filter(|item| item.start <= to && from <= item.end);
            let each = items.filter_map(|item| {
                let own = text.get(item.start..item.end)?;
                let formatted = dsvm_syntax::format::format(SourceId::file(0), own, &mut Sink::default()).ok()?;
                let before = text.get(..item.start)?;
                let after = text.get(item.end..)?;
                let whole = [before, formatted.trim_end(), after].concat();
                Some(by_line(text, &whole, lines))
            });
            each.flatten().collect()
        }
    };
    found.retain(touches);
    found
}

/// The edits behind a `}` or a new line that was just typed. A block is formatted when it is closed; a new line gets the
/// indentation of its depth, and nothing else is touched, because the line before may not be finished.
pub(crate) fn typed(text: &str, lines: &Lines<'_>, position: Position, typed: &str) -> Vec<TextEdit> {
    let at = lines.offset(position);
    match typed {
        "}" => {
            let closed = dsvm_syntax::index(text).into_iter().find(|item| item.end == at && item.balanced);
            closed.map(|item| part(text, lines, (item.start, item.end))).unwrap_or_default()
        }
        "\n" => {
            let begin = lines.offset(Position::new(position.line, 0));
            let Some(wanted) = indentation(text, begin) else { return Vec::new() };
            let rest = text.get(begin..).unwrap_or_default();
            let line = rest.split(['\n', '\r']).next().unwrap_or_default();
            let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
            let wanted = " ".repeat(wanted);
            match line.get(..blank) == Some(wanted.as_str()) {
                true => Vec::new(),
                false => vec![TextEdit { range: lines.range(begin, begin + blank), new_text: wanted }],
            }
        }
        _ => Vec::new(),
    }
}

/// Spaces of one level, as the formatter writes them.
const INDENT: usize = 2;

/// The indentation of the line that begins at a byte; nothing inside of a string, whose lines stay as they are.
fn indentation(text: &str, begin: usize) -> Option<usize> {
    let width = |at: usize| {
        let line = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        text.get(line..at).map_or(0, |line| line.len() - line.trim_start_matches(' ').len())
    };
    let mut open: Vec<usize> = Vec::new();
    let mut goes_on = false;
    for (kind, start, end) in lexemes(text.get(..begin).unwrap_or_default()) {
        match kind {
            Lexeme::Open => open.push(start),
            Lexeme::Close => drop(open.pop()),
            Lexeme::String if end == begin && !text.get(start..end).is_some_and(is_closed) => return None,
            _ => {}
        }
        if !matches!(kind, Lexeme::Newline | Lexeme::Comment) {
            goes_on = kind == Lexeme::Sign && text.get(start..end) != Some(",");
        }
    }
    let first = text.get(begin..).unwrap_or_default().trim_start_matches([' ', '\t']);
    let outer = open.last().map(|at| width(*at));
    Some(match outer {
        Some(outer) if first.starts_with(['}', ']', ')']) => outer,
        Some(outer) => outer + INDENT + if goes_on { INDENT } else { 0 },
        None if goes_on => INDENT,
        None => 0,
    })
}

fn is_closed(string: &str) -> bool {
    let quote = if string.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
    string.len() >= 2 * quote.len() && string.ends_with(quote)
}

/// The edits that turn one text into another, line by line where as many lines come as go.
fn by_line(old: &str, new: &str, lines: &Lines<'_>) -> Vec<TextEdit> {
    let mut found = Vec::new();
    for edit in between(old, new, lines) {
        let count = (edit.range.end.line - edit.range.start.line) as usize;
        let parts: Vec<&str> = edit.new_text.split_inclusive('\n').collect();
        if parts.len() != count || edit.range.end.character != 0 {
            found.push(edit);
            continue;
        }
        for (line, part) in (edit.range.start.line..).zip(parts) {
            let range = lsp_types::Range::new(Position::new(line, 0), Position::new(line + 1, 0));
            found.push(TextEdit { range, new_text: part.to_owned() });
        }
    }
    found
}

/// The edits that turn one text into another.
fn between(old: &str, new: &str, lines: &Lines<'_>) -> Vec<TextEdit> {
    let diff = TextDiff::from_lines(old, new);
    let starts = |text: &str| -> Vec<usize> {
        let mut at = 0;
        let mut starts = vec![0];
        for line in text.split_inclusive('\n') {
            at += line.len();
            starts.push(at);
        }
        starts
    };
    let (before, after) = (starts(old), starts(new));
    let place = |starts: &[usize], line: usize, text: &str| starts.get(line).copied().unwrap_or(text.len());
    let changed = diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    changed
        .map(|op| {
            let (from, to) = (op.old_range(), op.new_range());
            let text = new.get(place(&after, to.start, new)..place(&after, to.end, new)).unwrap_or_default();
            let range = lines.range(place(&before, from.start, old), place(&before, from.end, old));
            TextEdit { range, new_text: text.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Encoding;

    #[test]
    fn only_lines_that_change_are_edited() {
        let text = "let a = 1\nlet   b=2\nlet c = 3\n";
        let found = edits(text, &Lines::new(text, Encoding::Utf16)).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].range.start.line, found[0].range.end.line), (1, 2));
        assert_eq!(found[0].new_text, "let b = 2\n");
        assert!(edits("let = =\n", &Lines::new("", Encoding::Utf16)).is_none());
    }
}
