//! Findings in a formula inside a `.dsvm` file: moved from the whole literal to the very words of the formula.
//!
//! Stages after sema know a text and not how it was written; here both are at hand.

use batch_formula::PoolLimits;
use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_diagnostics::{Diagnostic, LabelStyle};

/// Narrows the primary labels of findings in formulas.
pub(super) fn narrow(sources: &SourceMap, diagnostics: &mut [Diagnostic]) {
    for found in diagnostics.iter_mut().filter(|d| (380..=392).contains(&d.code.number())) {
        let Some(label) = found.labels.iter_mut().find(|l| l.style == LabelStyle::Primary) else { continue };
        let Some(written) = Written::read(sources.text(label.span)) else { continue };
        let (_, findings) = batch_formula::check(&written.text, &PoolLimits::default());
        let same = findings.iter().find(|f| batch_formula::diags::code(f.rule) == found.code && f.title == found.title);
        if let Some(finding) = same {
            let at = |offset| label.span.start + written.raw_offset(offset);
            label.span = Span::new(label.span.source, at(finding.place.start), at(finding.place.end));
            label.text.clone_from(&finding.label);
        }
    }
}

/// A literal: its text, and where each of its lines begins in both.
struct Written {
    text: String,
    /// Offset in the text, offset in the literal.
    lines: Vec<(u32, u32)>,
}

impl Written {
    /// Reads `"""…"""` over several lines; `None` for anything with escapes or interpolations.
    fn read(raw: &str) -> Option<Self> {
        if raw.contains('\\') || raw.contains("${") {
            return None;
        }
        let inside = raw.strip_prefix("\"\"\"\n")?.strip_suffix("\"\"\"")?;
        let indent_of = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let last = inside.rsplit('\n').next()?;
        let own = inside.lines().filter(|l| !l.trim().is_empty()).map(indent_of).min().unwrap_or(0);
        let indent = if last.trim().is_empty() { own.min(last.len()) } else { own };
        let (mut text, mut lines, mut at) = (String::new(), Vec::new(), 4);
        let body = inside.strip_suffix(last)?.strip_suffix('\n')?;
        for line in body.split('\n') {
            let cut = indent.min(indent_of(line));
            lines.push((text.len() as u32, (at + cut) as u32));
            text.push_str(line.get(cut..)?);
            text.push('\n');
            at += line.len() + 1;
        }
        text.pop();
        Some(Self { text, lines })
    }

    fn raw_offset(&self, offset: u32) -> u32 {
        let index = self.lines.partition_point(|(text, _)| *text <= offset).saturating_sub(1);
        self.lines.get(index).map_or(0, |(text, raw)| raw + (offset - text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lead_back_to_the_literal() {
        let raw = "\"\"\"\n    a = 1;\n      b = nope;\n  \"\"\"";
        let written = Written::read(raw).unwrap();
        assert_eq!(written.text, "  a = 1;\n    b = nope;");
        let at = written.text.find("nope").unwrap() as u32;
        let raw_at = written.raw_offset(at) as usize;
        assert_eq!(raw.get(raw_at..raw_at + 4), Some("nope"));
        assert!(Written::read("\"\"\"\n  a = ${b};\n\"\"\"").is_none());
    }
}
