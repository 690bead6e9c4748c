//! Diagnostics as plain data: what is wrong, where, and the way out. Knows no renderer and no terminal.
//!
//! A stage raises them through constructors in its own `diags.rs`; [`code`] is the one catalogue of codes.

pub mod code;
pub mod source;
mod words;

pub use code::Code;
pub use words::count;

use crate::source::Span;
use std::borrow::Cow;

/// How bad it is. Errors stop emission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The program is wrong: nothing is emitted.
    Error,
    /// Worth reading; emission goes on.
    Warning,
    /// A hint that may be ignored; emission goes on.
    Info,
}

/// What a label marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelStyle {
    /// The place of the mistake. Exactly one per diagnostic.
    Primary,
    /// A place that matters for understanding it; may be in another file.
    Secondary,
}

/// A place in the text and what to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The bytes that are underlined; empty for a point between two.
    pub span: Span,
    /// Whether this is the mistake itself or something that explains it.
    pub style: LabelStyle,
    /// At most eight words that say what this place is.
    pub text: String,
}

/// Whether a fix may be applied without a person looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Applying it removes the diagnostic and adds none.
    Safe,
    /// A person must look.
    NeedsReview,
}

/// A change of the text that would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, as an imperative without full stop: "Add a comma".
    pub title: String,
    /// Replacements; spans do not overlap.
    pub edits: Vec<(Span, String)>,
    /// Whether it may be applied blindly.
    pub safety: Safety,
}

/// One finding with its places, explanations and possible changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Row of the catalogue.
    pub code: Code,
    /// Name of the lint rule, or of the team's own rule, that found it, which is shown instead of the code; none: the
    /// compiler found it.
    pub rule: Option<Cow<'static, str>>,
    /// Error, warning or hint.
    pub severity: Severity,
    /// One clause, lower case, no full stop; user's words in backticks.
    pub title: String,
    /// Marked places, the primary one first.
    pub labels: Vec<Label>,
    /// Imperative sentences: the way out.
    pub help: Vec<String>,
    /// Background: a rule of Azure, a source, an env.
    pub notes: Vec<String>,
    /// Edits that would help.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A diagnostic with the catalogue's severity and its primary label.
    #[must_use]
    pub fn new(code: Code, title: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self {
            code,
            rule: None,
            severity: code.severity(),
            title: title.into(),
            labels: vec![Label { span, style: LabelStyle::Primary, text: label.into() }],
            help: Vec::new(),
            notes: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// What it is known by: the name of its lint rule, else its code.
    #[must_use]
    pub fn id(&self) -> String {
        self.rule.as_ref().map_or_else(|| self.code.to_string(), ToString::to_string)
    }

    /// A state that dsvmc must never be in, whatever the file contains: what leads nowhere, found at `span`. It keeps
    /// everything from being emitted, because a wrong dependency that is deployed is worse than a stop.
    #[must_use]
    pub fn internal(what: &str, span: Span) -> Self {
        Self::new(
            Code::Internal,
            format!("dsvmc lost track of its own resources: {what}"),
            span,
            "while building this block",
        )
        .help("report it with this message and, if you may share it, the file")
        .note("this is a bug in dsvmc, not in the file; nothing was written")
    }

    /// Adds a secondary label.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, style: LabelStyle::Secondary, text: text.into() });
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Says what was probably meant, with the edit that writes it.
    #[must_use]
    pub fn write_instead(self, meant: &str, span: Span) -> Self {
        self.help(format!("write `{meant}`")).fix(
            format!("Write `{meant}`"),
            vec![(span, meant.to_owned())],
            Safety::NeedsReview,
        )
    }

    /// Adds a note: background that explains the rule, not what to do.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds a change of the text that can be applied as it is; a diagnostic may offer several.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: Vec<(Span, String)>, safety: Safety) -> Self {
        self.fixes.push(Fix { title: title.into(), edits, safety });
        self
    }

    /// Where the mistake is.
    #[must_use]
    pub fn primary(&self) -> Option<Span> {
        self.labels.iter().find(|l| l.style == LabelStyle::Primary).map(|l| l.span)
    }
}

/// Collects diagnostics of one run.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    list: Vec<Diagnostic>,
}

impl Sink {
    /// Appends one finding; the order is that of the calls.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Takes over those of another sink.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(other);
    }

    /// Whether an error was recorded.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Sorted by file, position and code; equal ones once.
    #[must_use]
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| (a.primary(), a.code, &a.title).cmp(&(b.primary(), b.code, &b.title)));
        self.list.dedup();
        self.list
    }

    /// As recorded so far.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.list
    }
}
