//! Runs the `dsvmc` binary in a folder of its own, without colour and without the caller's environment.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A temporary folder and commands that run in it.
pub struct TestContext {
    folder: tempfile::TempDir,
}

/// What a command did.
pub struct Ran {
    /// Exit code; -1 if a signal ended the process.
    pub exit: i32,
    /// Standard output as UTF-8, with the folder replaced by `[DIR]`.
    pub stdout: String,
    /// Standard error, treated in the same way.
    pub stderr: String,
}

impl Ran {
    /// Everything, in the form that snapshots use.
    pub fn text(&self) -> String {
        format!("exit: {}\n--- stdout\n{}--- stderr\n{}", self.exit, self.stdout, self.stderr)
    }
}

impl TestContext {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder that commands run in.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The text of a file in the folder of the test.
    #[allow(dead_code, reason = "for the tests of commands that write files")]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The command, ready to run: no inherited environment but PATH, no colour, a fixed date.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsvmc"));
        command.args(arguments.split_whitespace()).current_dir(self.path()).env_clear();
        command.env("NO_COLOR", "1").env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path());
        command
    }

    /// Runs `dsvmc ARGUMENTS` (separated by blanks). Paths of the temporary folder are shown as `[DIR]`.
    pub fn run(&self, arguments: &str) -> Ran {
        self.ran(&mut self.command(arguments))
    }

    /// Runs a command that was made here, perhaps with arguments that have blanks.
    pub fn ran(&self, command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        let clean = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap().replace(&*self.path().to_string_lossy(), "[DIR]").replace("\r\n", "\n")
        };
        Ran { exit: output.status.code().unwrap_or(-1), stdout: clean(output.stdout), stderr: clean(output.stderr) }
    }
}

/// Runs a command and compares exit code, stdout and stderr with an inline snapshot.
#[macro_export]
macro_rules! dsvmc_snapshot {
    ($cx:expr, $arguments:expr, @$expected:literal) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($cx.run($arguments).text(), @$expected) })
    };
}
