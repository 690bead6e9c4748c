//! Exit codes: the numbers that scripts rely on.

use crate::deploy::error::FailureKind;
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command did what it was asked to do.
    Done,
    /// The input is wrong: errors in a file, or `fmt --check` found differences.
    Input,
    /// `plan --detailed-exitcode` found changes.
    Changes,
    /// The environment failed: file system, network, credentials, or a lock held by another apply.
    Environment,
    /// An apply or destroy stopped part-way.
    Stopped,
    /// The command line is used incorrectly.
    Usage,
    /// An internal error, which is a bug in dsvmc.
    Bug,
    /// Ctrl-C at a question, or before anything was changed.
    Interrupted,
}

impl Exit {
    /// The number that the process exits with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Input => 1,
            Exit::Changes => 2,
            Exit::Environment => 3,
            Exit::Stopped => 4,
            Exit::Usage => 64,
            Exit::Bug => 101,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

impl From<FailureKind> for Exit {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Input => Exit::Input,
            FailureKind::Environment => Exit::Environment,
            FailureKind::Stopped => Exit::Stopped,
        }
    }
}
