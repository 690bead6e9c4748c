//! What can be wrong with a formula, as plain data with a place in the formula's text.

use dsvm_diagnostics::Severity;

use super::ast::FormulaSpan;

/// Which rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FormulaRule {
    /// The text is not a formula.
    Syntax,
    /// More than 8 KB, 100 statements, or nested too deeply.
    Limit,
    /// A name that does not exist.
    UnknownName,
    /// Assignment to a variable that the service sets.
    ReadOnly,
    /// A value of the wrong type, or a wrong number of arguments.
    Type,
    /// No target is assigned.
    NoTarget,
    /// A percentage of samples is demanded and its absence not handled.
    UnguardedSample,
    /// The last sample is the only evidence.
    LoneSample,
    /// Running tasks are not counted.
    RunningIgnored,
    /// Nothing bounds the target.
    Unbounded,
    /// What happens to running tasks on removal is left to the default.
    NoDeallocation,
    /// A division that the service rounds down.
    RoundedDown,
    /// CPU usage compared as if it were a percentage.
    CpuScale,
}

impl FormulaRule {
    /// Whether the service would reject the formula, rather than accept it and misbehave.
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(
            self,
            Self::Syntax
                | Self::Limit
                | Self::UnknownName
                | Self::ReadOnly
                | Self::Type
                | Self::NoTarget
                | Self::RunningIgnored
        )
    }

    /// Kebab-case name, as the command line prints it.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Syntax => "formula-syntax",
            Self::Limit => "formula-limit",
            Self::UnknownName => "formula-unknown-name",
            Self::ReadOnly => "formula-read-only",
            Self::Type => "formula-type",
            Self::NoTarget => "formula-no-target",
            Self::UnguardedSample => "formula-unguarded-sample",
            Self::LoneSample => "formula-lone-sample",
            Self::RunningIgnored => "formula-running-ignored",
            Self::Unbounded => "formula-unbounded",
            Self::NoDeallocation => "formula-no-deallocation",
            Self::RoundedDown => "formula-rounded-down",
            Self::CpuScale => "formula-cpu-scale",
        }
    }
}

/// One finding in a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormulaError {
    /// The rule that the formula breaks.
    pub rule: FormulaRule,
    /// An error, or a warning.
    pub severity: Severity,
    /// Where in the formula's text.
    pub place: FormulaSpan,
    /// One clause, lower case, no full stop.
    pub title: String,
    /// What the place is, in a few words.
    pub label: String,
    /// What to write instead; one sentence each.
    pub help: Vec<String>,
    /// Background information; one sentence each.
    pub notes: Vec<String>,
}

impl FormulaError {
    /// A finding with the severity that the rule implies.
    #[must_use]
    pub fn new(rule: FormulaRule, place: FormulaSpan, title: impl Into<String>, label: impl Into<String>) -> Self {
        let severity = if rule.is_error() { Severity::Error } else { Severity::Warning };
        Self { rule, severity, place, title: title.into(), label: label.into(), help: Vec::new(), notes: Vec::new() }
    }

    /// The same, of another severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Adds advice on what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds a sentence of background information.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }
}

impl std::fmt::Display for FormulaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}..{})", self.title, self.place.start, self.place.end)
    }
}

impl std::error::Error for FormulaError {}
