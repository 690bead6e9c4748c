//! A document → the ranges that an editor can fold: brackets over several lines, comments, imports.

use crate::position::Lines;
use dsvm_syntax::{Lexeme, lexemes};
use lsp_types::{FoldingRange, FoldingRangeKind};

/// The ranges, in the order of their starts. Works on tokens, so that broken files fold too.
pub(crate) fn ranges(text: &str, lines: &Lines<'_>) -> Vec<FoldingRange> {
    let line_of = |offset: usize| lines.position(offset).line;
    let mut found = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    let mut comments = Run::default();
    let mut imports = Run::default();
    let mut first_of_line = true;
    for (kind, start, end) in lexemes(text) {
        match kind {
            Lexeme::Newline => {
                first_of_line = true;
                continue;
            }
            Lexeme::Open => open.push(line_of(start)),
            Lexeme::Close => {
                // The line of the closing bracket stays visible.
                if let Some(from) = open.pop() {
                    push(&mut found, from, line_of(start).saturating_sub(1), None);
                }
            }
            Lexeme::Comment if first_of_line => {
                comments.line(line_of(start), FoldingRangeKind::Comment, &mut found);
            }
            Lexeme::Word if first_of_line && open.is_empty() && text.get(start..end) == Some("import") => {
                imports.line(line_of(start), FoldingRangeKind::Imports, &mut found);
            }
            Lexeme::String => push(&mut found, line_of(start), line_of(end), None),
            _ => {}
        }
        first_of_line = false;
    }
    comments.end(FoldingRangeKind::Comment, &mut found);
    imports.end(FoldingRangeKind::Imports, &mut found);
    found.sort_by_key(|range| (range.start_line, range.end_line));
    found
}

/// Lines of one kind that follow each other.
#[derive(Default)]
struct Run(Option<(u32, u32)>);

impl Run {
    fn line(&mut self, line: u32, kind: FoldingRangeKind, found: &mut Vec<FoldingRange>) {
        self.0 = match self.0 {
            Some((from, to)) if to + 1 == line => Some((from, line)),
            _ => {
                self.end(kind, found);
                Some((line, line))
            }
        };
    }

    fn end(&mut self, kind: FoldingRangeKind, found: &mut Vec<FoldingRange>) {
        if let Some((from, to)) = self.0.take() {
            push(found, from, to, Some(kind));
        }
    }
}

fn push(found: &mut Vec<FoldingRange>, start_line: u32, end_line: u32, kind: Option<FoldingRangeKind>) {
    if end_line > start_line {
        found.push(FoldingRange { start_line, end_line, kind, ..FoldingRange::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::Encoding;

    #[test]
    fn brackets_comments_and_imports_fold() {
        let text = "import std.images\nimport std.sizes\n// a\n// b\npool a {\n  x = [\n    1\n  ]\n}\nshare b {\n";
        let found = ranges(text, &Lines::new(text, Encoding::Utf8));
        let shown: Vec<_> = found.iter().map(|range| (range.start_line, range.end_line)).collect();
        assert_eq!(shown, [(0, 1), (2, 3), (4, 7), (5, 6)]);
    }
}
