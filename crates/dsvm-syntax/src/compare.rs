//! The parser against the written grammar: the same verdict, the same tree, the same diagnostics.

use crate::ast::{Body, File};
use crate::index::index;
use crate::oracle;
use crate::parser::{Parser, Refusal, Words};
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_diagnostics::{Diagnostic, Sink};

/// How many pieces were held against the grammar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Declarations and lines that both accept.
    pub accepted: usize,
    /// Declarations and lines that both refuse.
    pub refused: usize,
}

/// Parses every declaration of a text, and every line of it as an entry of a body, with the parser and with the written
/// grammar. Pieces with too many levels are left out: pest has no bound of its own.
///
/// # Errors
/// The first piece about which the two disagree, with both results; or one that was refused without a diagnostic.
pub fn compare(text: &str) -> Result<Agreement, String> {
    let source = SourceId::file(0);
    let mut words = Words::default();
    let mut agreement = Agreement::default();
    for found in index(text).iter().filter(|found| found.too_deep.is_none()) {
        let (start, end) = (found.start, found.end);
        let parsed = Parser::new(source, text, start, end, &mut words).one_item();
        let ours = match parsed {
            Err(Refusal::TooDeep(_)) => continue,
            Err(Refusal::Form { .. }) => None,
            Ok(parsed) => {
                let incomplete = parsed.value.is_none();
                Some((File { items: parsed.value.into_iter().collect(), incomplete }, sorted(parsed.diagnostics)))
            }
        };
        let mut file = File::default();
        let theirs = oracle::item(source, text, start, end, &mut file).map(|found| (file, sorted(found)));
        agreement.add(text.get(start..end).unwrap_or_default(), &ours, &theirs)?;
        let mut sink = Sink::default();
        crate::parse_item(source, text, found, &mut File::default(), &mut sink);
        if ours.is_none() && !sink.has_errors() {
            return Err(format!("refused without a word:\n{}", text.get(start..end).unwrap_or_default()));
        }
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let first = start + line.len() - line.trim_start().len();
        let last = first + line.trim().len();
        start += line.len();
        let empty = || Body { entries: Vec::new(), incomplete: false, span: Span::new(source, 0, 0) };
        let mut body = empty();
        let ours = match Parser::new(source, text, first, last, &mut words).one_entry(&mut body) {
            Err(Refusal::TooDeep(_)) => continue,
            Err(Refusal::Form { .. }) => None,
            Ok(found) => Some((body, sorted(found))),
        };
        let mut body = empty();
        let theirs = oracle::entry(source, text, first, last, &mut body).map(|found| (body, sorted(found)));
        agreement.add(line, &ours, &theirs)?;
    }
    Ok(agreement)
}

/// The two need not find the mistakes in the same order.
fn sorted(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut sink = Sink::default();
    sink.extend(diagnostics);
    sink.finish()
}

impl Agreement {
    fn add<T: std::fmt::Debug>(&mut self, piece: &str, ours: &Option<T>, theirs: &Option<T>) -> Result<(), String> {
        let (ours_shown, theirs_shown) = (format!("{ours:?}"), format!("{theirs:?}"));
        if ours_shown != theirs_shown {
            return Err(format!("{piece}\n--- parser\n{ours_shown}\n--- grammar\n{theirs_shown}"));
        }
        match ours {
            Some(_) => self.accepted += 1,
            None => self.refused += 1,
        }
        Ok(())
    }
}
