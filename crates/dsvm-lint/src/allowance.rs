//! Comments that allow a finding: `// dsvmc-allow RULE: why`, at the end of the line or on the lines before it.
//!
//! The reason is part of the form, so that whoever reads the file later knows why the advice was not taken.

use crate::catalogue::{rule_named, shown, similar_rule};
use dsvm_diagnostics::source::{SourceId, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic};
use dsvm_syntax::Lexeme;

/// What a comment begins with.
const WORD: &str = "dsvmc-allow";
/// Most rules that one comment names; further ones are not read.
const MOST: usize = 20;

/// One rule that a comment allows on one line.
#[derive(Clone, Debug)]
struct Allowance {
    rule: &'static str,
    /// Where the rule is named in the comment.
    span: Span,
    /// The line that it is for, from 1.
    line: u32,
    used: bool,
}

/// The comments of a project.
#[derive(Clone, Debug, Default)]
pub struct Allowances {
    all: Vec<Allowance>,
    /// Comments that have no effect, and why.
    refused: Vec<Diagnostic>,
}

impl Allowances {
    /// Reads the comments of all files but the library's.
    #[must_use]
    pub fn read(sources: &SourceMap) -> Self {
        let mut allowances = Self::default();
        for (source, file) in sources.iter() {
            // Most files have none, and scanning takes as long as parsing.
            if file.text.contains(WORD) {
                allowances.read_file(source, &file.text);
            }
        }
        allowances
    }

    fn read_file(&mut self, source: SourceId, text: &str) {
        let mut line = 1;
        let mut code_on_line = false;
        let mut waiting: Vec<usize> = Vec::new();
        for (kind, start, end) in dsvm_syntax::lexemes(text) {
            match kind {
                Lexeme::Newline => {
                    line += 1;
                    code_on_line = false;
                }
                Lexeme::Comment => {
                    let first = self.all.len();
                    self.comment(source, text, start..end, line);
                    if !code_on_line {
                        waiting.extend(first..self.all.len());
                    }
                }
                _ => {
                    code_on_line = true;
                    for at in waiting.drain(..) {
                        if let Some(allowance) = self.all.get_mut(at) {
                            allowance.line = line;
                        }
                    }
                    // A text can go over several lines.
                    line += text.get(start..end).map_or(0, |token| token.matches('\n').count() as u32);
                }
            }
        }
    }

    fn comment(&mut self, source: SourceId, text: &str, range: std::ops::Range<usize>, line: u32) {
        let comment = text.get(range.clone()).unwrap_or_default();
        let body = comment.trim_start_matches('/');
        let lead = comment.len() - body.trim_start().len();
        let Some(rest) = body.trim_start().strip_prefix(WORD) else { return };
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return;
        }
        let whole = Span::new(source, range.start as u32, range.end as u32);
        let Some((names, reason)) = rest.split_once(':') else {
            self.refused.push(without_reason(rest.trim(), whole));
            return;
        };
        if reason.trim().is_empty() {
            self.refused.push(without_reason(names.trim(), whole));
            return;
        }
        let mut offset = range.start + lead + WORD.len();
        for part in names.split(',').take(MOST) {
            let name = part.trim();
            let start = offset + (part.len() - part.trim_start().len());
            let span = Span::new(source, start as u32, (start + name.len()) as u32);
            offset += part.len() + 1;
            match rule_named(name) {
                Some(rule) => self.all.push(Allowance { rule: rule.id, span, line, used: false }),
                None => self.refused.push(unknown(name, if name.is_empty() { whole } else { span })),
            }
        }
    }

    /// Leaves out the findings that a comment allows; says how many those are.
    pub fn apply(&mut self, sources: &SourceMap, findings: Vec<Diagnostic>) -> (Vec<Diagnostic>, usize) {
        let before = findings.len();
        let mut kept = findings;
        kept.retain(|finding| {
            let (Some(rule), Some(at)) = (finding.rule, finding.primary()) else { return true };
            let Some(file) = sources.get(at.source) else { return true };
            let (line, _) = file.line_column(at.start);
            let mut allowed = false;
            for one in self.all.iter_mut().filter(|a| a.rule == rule && a.span.source == at.source && a.line == line) {
                one.used = true;
                allowed = true;
            }
            !allowed
        });
        let left_out = before - kept.len();
        (kept, left_out)
    }

    /// What is wrong with the comments, once all findings are known. `ran`: whether a rule was on; `own`: whether a file is
    /// of this project alone, because what other projects import may be found in them.
    #[must_use]
    pub fn finish(self, ran: impl Fn(&str) -> bool, own: impl Fn(SourceId) -> bool) -> Vec<Diagnostic> {
        let unused = self.all.into_iter().filter(|one| !one.used && ran(one.rule) && own(one.span.source)).map(|one| {
            Diagnostic::new(
                Code::AllowanceUnused,
                format!("nothing here is found by `{}`", one.rule),
                one.span,
                "allows nothing",
            )
            .help("remove the comment; it goes on the line before the finding, or at the end of its line")
        });
        self.refused.into_iter().chain(unused).collect()
    }
}

fn without_reason(names: &str, at: Span) -> Diagnostic {
    let names = if names.is_empty() { "RULE".to_owned() } else { shown(names) };
    Diagnostic::new(Code::AllowanceRefused, "this comment gives no reason", at, "no effect")
        .help(format!("write `// {WORD} {names}: why`"))
}

fn unknown(name: &str, at: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::AllowanceRefused, format!("there is no rule `{}`", shown(name)), at, "no effect");
    match similar_rule(name) {
        Some(meant) => diagnostic.write_instead(meant.id, at),
        None => diagnostic.help("run `dsvmc lint --list` for all rules"),
    }
}
