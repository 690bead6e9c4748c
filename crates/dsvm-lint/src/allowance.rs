//! What comments of the sources (`// dsvmc-allow RULE: why`) allow: findings are taken out, and comments without effect told.

use crate::catalogue::{rule_named, shown, similar_rule};
use dsvm_diagnostics::source::{SourceId, SourceMap, Span};
use dsvm_diagnostics::{Code, Diagnostic, Safety};
use dsvm_sema::checked::ExemptFinding;
use dsvm_sema::rules::TeamRule;
use dsvm_syntax::allow::{self, WORD};
use std::sync::Arc;

/// One rule that a comment allows on one line.
#[derive(Clone, Debug)]
struct Allowed {
    rule: Arc<str>,
    /// Where the rule is named in the comment.
    span: Span,
    comment: allow::Allowance,
    /// What goes when the comment allows nothing and names no other rule.
    whole: Option<Span>,
    reason: Arc<str>,
    used: bool,
}

/// The comments of a project.
#[derive(Clone, Debug, Default)]
pub struct Allowances {
    all: Vec<Allowed>,
    /// Comments that have no effect, and why.
    refused: Vec<Diagnostic>,
}

impl Allowances {
    /// Reads the comments of all files but the library's. `team` are the rules of the project's own.
    #[must_use]
    pub fn read(sources: &SourceMap, team: &[TeamRule]) -> Self {
        let mut allowances = Self::default();
        for (source, file) in sources.iter() {
            for comment in allow::allowances(source, &file.text) {
                // Behind code, the blanks before the comment go too.
                let before = file.text.get(..comment.span.start as usize).unwrap_or_default();
                let start = before.trim_end_matches([' ', '\t']).len() as u32;
                let alone =
                    before.get(start as usize..).is_some() && !before.trim_end_matches([' ', '\t']).ends_with('\n');
                let start = if alone { start } else { comment.span.start };
                let whole = (comment.rules.len() == 1).then_some(Span { start, ..comment.span });
                allowances.comment(comment, whole, team);
            }
        }
        allowances
    }

    fn comment(&mut self, comment: allow::Allowance, whole: Option<Span>, team: &[TeamRule]) {
        let Some(reason) = comment.reason.clone() else {
            let names: Vec<&str> = comment.rules.iter().map(|(name, _)| &**name).collect();
            self.refused.push(without_reason(&names.join(", "), comment.span));
            return;
        };
        for (name, span) in &comment.rules {
            let own = team.iter().find(|rule| rule.name == *name);
            let known = rule_named(name).map(|rule| Arc::from(rule.id)).or(own.map(|rule| rule.name.clone()));
            match (own, known) {
                (Some(rule), _) if !rule.exceptions => self.refused.push(no_exceptions(rule, *span)),
                (_, Some(rule)) => {
                    let (comment, reason) = (comment.clone(), reason.clone());
                    self.all.push(Allowed { rule, span: *span, comment, whole, reason, used: false });
                }
                (_, None) => self.refused.push(unknown(name, if name.is_empty() { comment.span } else { *span }, team)),
            }
        }
    }

    /// Notes what was taken out already, while the project was checked.
    pub fn mark(&mut self, exempt: &[ExemptFinding]) {
        for one in exempt {
            let same =
                |a: &&mut Allowed| a.comment.span == one.comment && one.diagnostic.rule.as_deref() == Some(&*a.rule);
            self.all.iter_mut().filter(same).for_each(|a| a.used = true);
        }
    }

    /// Divides findings into those that stay and those that a comment allows.
    pub fn apply(&mut self, findings: Vec<Diagnostic>) -> (Vec<Diagnostic>, Vec<ExemptFinding>) {
        let (mut kept, mut exempt) = (Vec::new(), Vec::new());
        for finding in findings {
            let mut by: Option<(Arc<str>, Span)> = None;
            if let (Some(rule), Some(at)) = (finding.rule.as_deref(), finding.primary()) {
                for one in self.all.iter_mut().filter(|a| *a.rule == *rule && a.comment.covers(at)) {
                    one.used = true;
                    by = Some((one.reason.clone(), one.comment.span));
                }
            }
            match by {
                Some((reason, comment)) => exempt.push(ExemptFinding { diagnostic: finding, reason, comment }),
                None => kept.push(finding),
            }
        }
        (kept, exempt)
    }

    /// What is wrong with the comments, once all findings are known. `ran`: whether a rule was on; `own`: whether a file is
    /// of this project alone, because what other projects import may be found in them.
    #[must_use]
    pub fn finish(self, ran: impl Fn(&str) -> bool, own: impl Fn(SourceId) -> bool) -> Vec<Diagnostic> {
        let unused =
            self.all.into_iter().filter(|one| !one.used && ran(&one.rule) && own(one.span.source)).map(|one| {
                let title = format!("nothing here is found by `{}`", one.rule);
                let made = Diagnostic::new(Code::AllowanceUnused, title, one.span, "allows nothing")
                    .help("remove the comment; it goes on the line before the finding, or at the end of its line");
                match one.whole {
                    Some(whole) => made.fix("Remove the comment", vec![(whole, String::new())], Safety::Safe),
                    None => made,
                }
            });
        self.refused.into_iter().chain(unused).collect()
    }
}

fn without_reason(names: &str, at: Span) -> Diagnostic {
    let names = if names.is_empty() { "RULE".to_owned() } else { shown(names) };
    Diagnostic::new(Code::AllowanceRefused, "this comment gives no reason", at, "no effect")
        .help(format!("write `// {WORD} {names}: why`"))
}

fn no_exceptions(rule: &TeamRule, at: Span) -> Diagnostic {
    let title = format!("the rule `{}` allows no exceptions", rule.name);
    Diagnostic::new(Code::AllowanceRefused, title, at, "no effect")
        .also(rule.span, "declared here")
        .help("change what the rule finds; or ask those who wrote it for `exceptions = true`")
}

fn unknown(name: &str, at: Span, team: &[TeamRule]) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::AllowanceRefused, format!("there is no rule `{}`", shown(name)), at, "no effect");
    let own = || dsvm_sema::table::suggest(name, team.iter().map(|rule| &*rule.name));
    match similar_rule(name).map(|meant| meant.id).or_else(own) {
        Some(meant) => diagnostic.write_instead(meant, at),
        None => diagnostic.help("run `dsvmc lint --list` for all rules"),
    }
}
