//! Streams: data to stdout, messages for people to stderr, colour decided once.

use super::args::Color;
use crate::render::palette::Palette;
use crate::render::visible;
use anstream::ColorChoice;
use std::io::{IsTerminal, Write};

/// Writes to the two streams.
#[derive(Debug)]
pub struct Printer {
    output: Palette,
    error: Palette,
    quiet: u8,
}

impl Printer {
    /// Decides colour for both streams.
    #[must_use]
    pub fn new(color: Color, quiet: u8) -> Self {
        let decide = |auto: ColorChoice| match color {
            Color::Always => Palette::ansi(),
            Color::Never => Palette::plain(),
            Color::Auto if auto == ColorChoice::Never => Palette::plain(),
            Color::Auto => Palette::ansi(),
        };
        Self {
            output: decide(anstream::AutoStream::choice(&std::io::stdout())),
            error: decide(anstream::AutoStream::choice(&std::io::stderr())),
            quiet,
        }
    }

    /// The palette of standard output.
    #[must_use]
    pub fn output_palette(&self) -> Palette {
        self.output
    }

    /// Columns of the terminal that stdout is; 0 elsewhere.
    #[must_use]
    pub fn columns(&self) -> usize {
        terminal_size::terminal_size_of(std::io::stdout()).map_or(0, |(width, _)| usize::from(width.0))
    }

    /// The palette of standard error.
    #[must_use]
    pub fn error_palette(&self) -> Palette {
        self.error
    }

    /// Whether a person watches stderr.
    #[must_use]
    pub fn interactive(&self) -> bool {
        std::io::stderr().is_terminal()
    }

    /// Whether `-q` was given.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet > 0
    }

    /// Text to stdout; what is hidden in it becomes visible.
    pub fn data(&mut self, text: &str) -> Result<(), PrintError> {
        self.exact(&visible::for_terminal(text))
    }

    /// A JSON document to stdout, with JSON's escapes for what would be hidden.
    pub fn json(&mut self, text: &str) -> Result<(), PrintError> {
        self.exact(&visible::json(text))
    }

    /// What dsvmc itself is the author of, to stdout, as it is.
    pub fn exact(&mut self, text: &str) -> Result<(), PrintError> {
        let mut stream = std::io::stdout().lock();
        stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).map_err(PrintError)
    }

    /// Writes a message that must be read, such as an error or a warning, even with `-q`.
    pub fn say(&mut self, text: &str) {
        to_stderr(text);
    }

    /// Writes a message that is useful, such as a summary or a hint, unless `-q` was given.
    pub fn note(&mut self, text: &str) {
        if self.quiet == 0 {
            self.say(text);
        }
    }
}

/// Writes to stderr what may hold the words of others.
pub fn to_stderr(text: &str) {
    // Without stderr there is nowhere to report this.
    let _ = std::io::stderr().lock().write_all(visible::for_terminal(text).as_bytes());
}

/// Stdout could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the standard output")]
pub struct PrintError(#[source] pub std::io::Error);

impl miette::Diagnostic for PrintError {}
