//! A change of comments and blanks → the findings from before it, at the places where they are now. Nothing is compiled for
//! a text that says what it said before.

use crate::host::Compiled;
use crate::trees::is_refused;
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::{SourceFile, SourceId, SourceMap, Span};
use dsvm_syntax::{Lexeme, allow, lexemes};
use std::sync::Arc;

/// How places move: those up to one byte stay, those from another one on move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    stays: u32,
    moves: u32,
    shift: u32,
}

/// What a text says, token for token. Of a doc comment only that it is there: its text goes into the descriptions of
/// parameters and outputs, in which nothing can be wrong that was not before.
fn said(text: &str) -> Vec<(Lexeme, &str)> {
    let mut said: Vec<(Lexeme, &str)> = Vec::new();
    for (kind, start, end) in lexemes(text) {
        let written = text.get(start..end).unwrap_or_default();
        match kind {
            Lexeme::Comment if written.starts_with("///") => said.push((kind, "///")),
            Lexeme::Comment => {}
            // Empty lines are nothing.
            Lexeme::Newline if matches!(said.last(), None | Some((Lexeme::Newline, _))) => {}
            Lexeme::Newline => said.push((kind, "")),
            _ => said.push((kind, written)),
        }
    }
    while matches!(said.last(), Some((Lexeme::Newline, _))) {
        said.pop();
    }
    said
}

/// How places move from a text to another one that says the same; nothing if it may say something else.
pub(crate) fn moved(old: &str, new: &str) -> Option<Moved> {
    let (a, b) = (old.as_bytes(), new.as_bytes());
    let before = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let most = a.len().min(b.len()) - before;
    let behind = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    // Lines in a string over several lines do not say what they seem to; what comments allow, and the first lines of those
    // above rules, are read.
    let reads_more = |text: &str| ["\"\"\"", allow::WORD, "rule \""].iter().any(|part| text.contains(part));
    if reads_more(new) || reads_more(old) || is_refused(new) {
        return None;
    }
    // Whole lines: what a byte is depends on those before it in its line.
    let start = a.get(..before)?.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let rest = a.get(a.len() - behind..)?.iter().position(|byte| *byte == b'\n').unwrap_or(behind);
    let line = |text: &'_ str, length: usize| text.get(start..length - behind + rest).map(str::to_owned);
    let (was, is) = (line(old, a.len())?, line(new, b.len())?);
    (said(&was) == said(&is)).then_some(Moved {
        stays: before as u32,
        moves: (a.len() - behind) as u32,
        shift: (b.len() as u32).wrapping_sub(a.len() as u32),
    })
}

impl Moved {
    fn offset(self, at: u32) -> Option<u32> {
        match at {
            at if at >= self.moves => Some(at.wrapping_add(self.shift)),
            at if at <= self.stays => Some(at),
            _ => None,
        }
    }

    fn span(self, span: Span) -> Option<Span> {
        // A place that ends where the change begins ends there still.
        let end = if span.end <= self.stays { span.end } else { self.offset(span.end)? };
        Some(Span::new(span.source, self.offset(span.start)?.min(end), end))
    }

    /// A finding in its new place; nothing if it is about what changed.
    fn finding(self, mut found: Diagnostic, source: SourceId) -> Option<Diagnostic> {
        let labels = found.labels.iter_mut().map(|label| &mut label.span);
        let edits = found.fixes.iter_mut().flat_map(|fix| &mut fix.edits).map(|(span, _)| span);
        for span in labels.chain(edits).filter(|span| span.source == source) {
            *span = self.span(*span)?;
        }
        Some(found)
    }

    /// What a compilation found, of the new text of a file.
    pub(crate) fn compiled(self, before: &Compiled, name: &str, text: &Arc<str>) -> Option<Compiled> {
        let mut sources = SourceMap::default();
        let library: Vec<SourceFile> =
            (0..).map_while(|at| before.sources.get(SourceId::library(at)).cloned()).collect();
        sources.set_library(&library);
        let mut source = None;
        for (id, file) in before.sources.iter() {
            let is_it = *file.name == *name;
            source = source.or(is_it.then_some(id));
            sources.add(if is_it { SourceFile::new(file.name.clone(), text.clone()) } else { file.clone() });
        }
        let Some(source) = source else { return Some(before.clone()) };
        let diagnostics = before.diagnostics.iter().map(|found| self.finding(found.clone(), source));
        Some(Compiled { sources, diagnostics: diagnostics.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "let a = 1 // one\n\n/// Doc.\nlet b = a\n";

    #[test]
    fn comments_and_blanks_say_nothing() {
        for (old, new) in [
            ("// one", "// one and"),
            ("// one", ""),
            ("a = 1", "a  =   1"),
            ("\n\n", "\n\n\n// more\n"),
            ("Doc.", "Docs."),
            ("let b = a\n", "let b = a"),
        ] {
            assert!(moved(TEXT, &TEXT.replacen(old, new, 1)).is_some(), "{new}");
        }
        for (old, new) in [
            ("1 //", "12 //"),
            ("// one", "one"),
            ("/// Doc.", "// Doc."),
            ("1 // one\n\n", "1 // one "),
            ("= a", "= \"\"\"a"),
            ("let b", "let\nb"),
            ("// one", "\u{202e}"),
            ("// one", "// dsvmc-allow x: y"),
            ("// one", "// rule \"a\""),
        ] {
            assert!(moved(TEXT, &TEXT.replacen(old, new, 1)).is_none(), "{new}");
        }
    }

    #[test]
    fn places_move_with_the_text_behind_the_change() {
        let new = TEXT.replace("one", "one more");
        let moved = moved(TEXT, &new).unwrap();
        let source = SourceId::file(0);
        let place = |text: &str, of: &str| {
            let at = text.find(of).unwrap() as u32;
            Span::new(source, at, at + of.len() as u32)
        };
        assert_eq!(moved.span(place(TEXT, "b = a")), Some(place(&new, "b = a")));
        assert_eq!(moved.span(place(TEXT, "a = 1")), Some(place(&new, "a = 1")));
        let gone = super::moved(TEXT, &TEXT.replace(" // one", "")).unwrap();
        assert_eq!(gone.span(place(TEXT, "one")), None);
    }
}
