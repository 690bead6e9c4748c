//! Comments that allow a finding: `// dsvmc-allow RULE: why`, at the end of the line or on the lines before it.
//!
//! The reason is part of the form, so that whoever reads the file later knows why the advice was not taken. Which rules
//! there are is not known here.

use crate::Lexeme;
use dsvm_diagnostics::source::{SourceId, Span};
use std::ops::Range;
use std::sync::Arc;

/// What such a comment begins with.
pub const WORD: &str = "dsvmc-allow";
/// Most rules that one comment names; further ones are not read.
const MOST: usize = 20;

/// What one comment says, and which line it is about.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// From `//` to the end of the line.
    pub span: Span,
    /// The rules as they are written, each with its place; an empty name for nothing between two commas.
    pub rules: Vec<(Arc<str>, Span)>,
    /// Why; none where the comment gives no reason, and so has no effect.
    pub reason: Option<Arc<str>>,
    /// The bytes of the line that it is for.
    pub line: Range<u32>,
}

impl Allowance {
    /// Whether it is for what stands there.
    #[must_use]
    pub fn covers(&self, place: Span) -> bool {
        self.span.source == place.source && (self.line.start..=self.line.end).contains(&place.start)
    }
}

/// The comments of a text, in its order.
#[must_use]
pub fn allowances(source: SourceId, text: &str) -> Vec<Allowance> {
    let mut found: Vec<Allowance> = Vec::new();
    // Most files have none, and scanning takes as long as parsing.
    if !text.contains(WORD) {
        return found;
    }
    let mut line_start = 0;
    let mut code_on_line = false;
    // Comments from here on wait for the next line with code.
    let mut waiting = 0;
    for (kind, start, end) in crate::lexemes(text) {
        match kind {
            Lexeme::Newline => {
                line_start = end;
                code_on_line = false;
            }
            Lexeme::Comment => {
                if let Some(mut one) = comment(source, text, start..end) {
                    one.line = line(text, line_start);
                    found.push(one);
                    if code_on_line {
                        waiting = found.len();
                    }
                }
            }
            _ => {
                code_on_line = true;
                for one in found.iter_mut().skip(waiting) {
                    one.line = line(text, line_start);
                }
                waiting = found.len();
                // A text can go over several lines.
                let token = text.get(start..end).unwrap_or_default();
                line_start = token.rfind('\n').map_or(line_start, |at| start + at + 1);
            }
        }
    }
    found
}

fn line(text: &str, start: usize) -> Range<u32> {
    let length = text.get(start..).and_then(|rest| rest.find('\n')).unwrap_or(text.len() - start.min(text.len()));
    start as u32..(start + length) as u32
}

fn comment(source: SourceId, text: &str, range: Range<usize>) -> Option<Allowance> {
    let comment = text.get(range.clone()).unwrap_or_default();
    let body = comment.trim_start_matches('/');
    let lead = comment.len() - body.trim_start().len();
    let rest = body.trim_start().strip_prefix(WORD)?;
    if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return None;
    }
    let (names, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let reason = Some(reason.trim()).filter(|reason| !reason.is_empty()).map(Arc::from);
    let mut offset = range.start + lead + WORD.len();
    let rules = names.split(',').take(MOST).map(|part| {
        let name = part.trim();
        let start = offset + (part.len() - part.trim_start().len());
        offset += part.len() + 1;
        (Arc::from(name), Span::new(source, start as u32, (start + name.len()) as u32))
    });
    let rules = rules.collect();
    Some(Allowance { span: Span::new(source, range.start as u32, range.end as u32), rules, reason, line: 0..0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<String>, usize)> {
        let line = |at: u32| text.bytes().take(at as usize).filter(|b| *b == b'\n').count() + 1;
        let one = |a: &Allowance| {
            let names: Vec<&str> = a.rules.iter().map(|(name, _)| &**name).collect();
            (names.join("+"), a.reason.as_deref().map(str::to_owned), line(a.line.start))
        };
        allowances(SourceId::file(0), text).iter().map(one).collect()
    }

    #[test]
    fn a_comment_is_for_its_line_or_for_the_next_one_with_code() {
        let text = "// dsvmc-allow a: one\n\n// dsvmc-allow b, c: two\nx = 1 // dsvmc-allow d: three\ny = 2\n";
        let why = |text: &str| Some(text.to_owned());
        let expected =
            [("a".to_owned(), why("one"), 4), ("b+c".to_owned(), why("two"), 4), ("d".to_owned(), why("three"), 4)];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_comment_without_a_reason_is_read_without_one() {
        assert_eq!(read("// dsvmc-allow a\nx = 1\n"), [("a".to_owned(), None, 2)]);
        assert_eq!(read("// dsvmc-allowed a: b\nx = 1\n"), []);
    }
}
