//! The terminal as the frontend of deployments: warnings and questions on stderr, answers from stdin.

use super::interrupt;
use super::printer::Printer;
use crate::deploy::frontend::{Frontend, Question};
use crate::render::layout::wrap;
use crate::render::palette::Role;
use crate::render::plan::clean;
use crate::render::snippet;
use dsvm_diagnostics::Diagnostic;
use dsvm_diagnostics::source::SourceMap;
use std::io::{BufRead, IsTerminal, Write};

impl Frontend for Printer {
    fn warn(&mut self, text: &str) {
        let head = self.error_palette().paint(Role::Warning, "warning:");
        self.say(&format!("{head} {text}\n"));
    }

    fn note(&mut self, text: &str) {
        Printer::note(self, &format!("note: {text}\n"));
    }

    fn diagnostics(&mut self, sources: &SourceMap, found: &[Diagnostic]) {
        let text = snippet::all(&[(sources, found)], self.error_palette());
        Printer::note(self, &text);
    }

    fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && self.interactive()
    }

    fn ask(&mut self, question: &Question<'_>) -> std::io::Result<String> {
        if !question.explanation.is_empty() {
            let width = match self.columns() {
                0 => usize::MAX,
                width => width,
            };
            self.say(&format!("{}\n", wrap(&clean(question.explanation), width, "")));
        }
        if question.secret {
            return interrupt::secret(question.prompt);
        }
        let _question = interrupt::question();
        self.say(question.prompt);
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }
}
