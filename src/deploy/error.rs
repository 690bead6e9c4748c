//! Why a deployment command cannot continue, as data: who must act, and a message or diagnostics at source lines.

use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Code, Diagnostic};
use std::fmt::Display;

/// What has to change before the command can succeed. Each kind is one exit code of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The sources, a parameter or an option is wrong.
    Input,
    /// The file system, the network or the credentials failed.
    Environment,
    /// A deployment or deletion began and did not finish.
    Stopped,
}

/// What is shown of a failure.
#[derive(Debug)]
pub enum FailureDetail {
    /// A message with a code, causes and help.
    Message(miette::Report),
    /// Diagnostics, and the files whose lines they point at.
    Diagnostics(Box<(SourceMap, Vec<Diagnostic>)>),
}

/// Why a command cannot continue.
#[derive(Debug)]
pub struct CommandError {
    /// What has to change.
    pub kind: FailureKind,
    /// What is shown to the user.
    pub detail: FailureDetail,
}

impl<E: miette::Diagnostic + Send + Sync + 'static> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self { kind: FailureKind::Environment, detail: FailureDetail::Message(miette::Report::new(error)) }
    }
}

/// A mistake that the person who typed the command can correct.
#[derive(Debug, thiserror::Error)]
#[error("{title}")]
pub struct UserError {
    code: Code,
    title: String,
    help: String,
}

impl miette::Diagnostic for UserError {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn Display>)
    }
}

impl CommandError {
    /// The input is wrong. An empty `help` shows none.
    pub fn input(code: Code, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(FailureKind::Input, code, title, help)
    }

    /// The environment failed. An empty `help` shows none.
    pub fn environment(code: Code, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(FailureKind::Environment, code, title, help)
    }

    /// A deployment or deletion began and did not finish. An empty `help` shows none.
    pub fn stopped(code: Code, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(FailureKind::Stopped, code, title, help)
    }

    fn new(kind: FailureKind, code: Code, title: impl Into<String>, help: impl Into<String>) -> Self {
        let error = UserError { code, title: title.into(), help: help.into() };
        Self { kind, detail: FailureDetail::Message(miette::Report::new(error)) }
    }

    /// Files are wrong at known places. `sources` holds every file that the diagnostics point into.
    #[must_use]
    pub fn diagnostics(sources: SourceMap, diagnostics: Vec<Diagnostic>) -> Self {
        Self { kind: FailureKind::Input, detail: FailureDetail::Diagnostics(Box::new((sources, diagnostics))) }
    }

    /// The same failure, of a deployment or deletion that had begun.
    #[must_use]
    pub fn after_start(self) -> Self {
        Self { kind: FailureKind::Stopped, ..self }
    }

    /// The message without code and help; empty for diagnostics.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.detail {
            FailureDetail::Message(report) => report.to_string(),
            FailureDetail::Diagnostics(_) => String::new(),
        }
    }

    /// Whether the failure carries this code.
    #[must_use]
    pub fn has_code(&self, code: Code) -> bool {
        match &self.detail {
            FailureDetail::Message(report) => report.code().is_some_and(|own| own.to_string() == code.to_string()),
            FailureDetail::Diagnostics(found) => found.1.iter().any(|diagnostic| diagnostic.code == code),
        }
    }
}
