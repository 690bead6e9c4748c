//! One palette for everything that is printed. Colour is never the only signal: words and symbols carry the same meaning.

use anstyle::{AnsiColor, Color, Effects, Style};

/// What a piece of text means; decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The word `error`, and failures.
    Error,
    /// The word `warning`, and what it warns of.
    Warning,
    /// Hints and secondary labels of a diagnostic.
    Info,
    /// Help that says what to do.
    Help,
    /// Titles of messages, and headings.
    Title,
    /// A name that matters.
    Name,
    /// Line numbers, borders, things of less weight.
    Dim,
    /// Something that is created.
    Create,
    /// Something that is changed in place.
    Update,
    /// Something that is deleted and recreated.
    Replace,
    /// Something that is deleted.
    Delete,
    /// Something that ended successfully.
    Good,
}

/// Decides whether text is written with colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    color: bool,
}

impl Palette {
    /// Writes text without colours.
    #[must_use]
    pub const fn plain() -> Self {
        Self { color: false }
    }

    /// Writes text with ANSI colour sequences.
    #[must_use]
    pub const fn ansi() -> Self {
        Self { color: true }
    }

    /// Whether colours are written.
    #[must_use]
    pub const fn is_colored(self) -> bool {
        self.color
    }

    /// The style of a role; without colour, the style that changes nothing.
    #[must_use]
    pub const fn style(self, role: Role) -> Style {
        if !self.color {
            return Style::new();
        }
        let (color, effects) = match role {
            Role::Error | Role::Delete => (Some(AnsiColor::Red), Effects::BOLD),
            Role::Warning | Role::Update => (Some(AnsiColor::Yellow), Effects::BOLD),
            Role::Info => (Some(AnsiColor::Blue), Effects::BOLD),
            Role::Help => (Some(AnsiColor::Cyan), Effects::BOLD),
            Role::Title => (None, Effects::BOLD),
            Role::Name => (Some(AnsiColor::Cyan), Effects::new()),
            Role::Dim => (Some(AnsiColor::BrightBlack), Effects::new()),
            Role::Create | Role::Good => (Some(AnsiColor::Green), Effects::BOLD),
            Role::Replace => (Some(AnsiColor::Magenta), Effects::BOLD),
        };
        let style = Style::new().effects(effects);
        match color {
            Some(color) => style.fg_color(Some(Color::Ansi(color))),
            None => style,
        }
    }

    /// `text` in the colours of `role`.
    #[must_use]
    pub fn paint(self, role: Role, text: &str) -> String {
        let style = self.style(role);
        let mark = |sequence: String| super::visible::marked(&sequence);
        format!("{}{text}{}", mark(style.render().to_string()), mark(style.render_reset().to_string()))
    }
}
