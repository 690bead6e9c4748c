//! Exit codes: one enum, the numbers that scripts rely on.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The input is at fault: errors in a file, `fmt --check` differs.
    Input,
    /// `plan --detailed-exitcode` found changes.
    Changes,
    /// The world is at fault: file, network, authentication, lock.
    World,
    /// Apply stopped part-way.
    Stopped,
    /// Wrong usage of the command line.
    Usage,
    /// A bug in dsvmc.
    Bug,
    /// Ctrl-C at a question, or while nothing was changed yet.
    Interrupted,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Input => 1,
            Exit::Changes => 2,
            Exit::World => 3,
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
