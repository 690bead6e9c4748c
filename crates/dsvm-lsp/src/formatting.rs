//! A document → the edits that bring it into the standard style.

use crate::position::Lines;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use lsp_types::TextEdit;
use similar::{DiffOp, TextDiff};

/// The edits, each of whole lines and none larger than it must be; nothing when the text has syntax errors.
pub(crate) fn edits(text: &str, lines: &Lines<'_>) -> Option<Vec<TextEdit>> {
    let formatted = dsvm_syntax::format::format(SourceId::file(0), text, &mut Sink::default()).ok()?;
    Some(between(text, &formatted, lines))
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
