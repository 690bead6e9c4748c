//! What a deployment needs from the person who runs it: a place for messages, and answers to questions.

use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::SourceMap;

/// A question to the person who runs the command.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// One line shown before the prompt; may be empty. Comes from a template, so it may contain control characters.
    pub explanation: &'a str,
    /// The prompt, with the space that separates it from the answer.
    pub prompt: &'a str,
    /// The answer is not shown while it is typed.
    pub secret: bool,
}

/// Shows messages and asks questions. The command line writes to a terminal; [`Silent`] is for tests and programs.
pub trait Frontend {
    /// Shows a warning: one line without its end.
    fn warn(&mut self, text: &str);

    /// Shows a remark that a quiet run hides: one line without its end.
    fn note(&mut self, text: &str);

    /// Shows warnings of a compilation that succeeded.
    fn diagnostics(&mut self, sources: &SourceMap, found: &[Diagnostic]);

    /// Whether somebody is there to answer.
    fn can_ask(&self) -> bool;

    /// Asks, and returns the answer without its line end.
    ///
    /// # Errors
    /// The answer cannot be read.
    fn ask(&mut self, question: &Question<'_>) -> std::io::Result<String>;
}

/// Shows nothing and answers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Frontend for Silent {
    fn warn(&mut self, _: &str) {}

    fn note(&mut self, _: &str) {}

    fn diagnostics(&mut self, _: &SourceMap, _: &[Diagnostic]) {}

    fn can_ask(&self) -> bool {
        false
    }

    fn ask(&mut self, _: &Question<'_>) -> std::io::Result<String> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
