//! One palette for everything that is printed. Colour is never the only signal: words and symbols say the same.

use anstyle::{AnsiColor, Color, Effects, Style};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// A hint.
    Info,
    /// The way out.
    Help,
    /// A title.
    Title,
    /// A name that matters.
    Name,
    /// Line numbers, borders, things of less weight.
    Dim,
    /// Something that will be or was made.
    Create,
    /// Something that changes.
    Update,
    /// Something that is deleted and made again.
    Replace,
    /// Something that goes away.
    Delete,
    /// Something that went well.
    Good,
}

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    color: bool,
}

impl Palette {
    /// No colours.
    #[must_use]
    pub const fn plain() -> Self {
        Self { color: false }
    }

    /// ANSI colours.
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
        format!("{}{text}{}", style.render(), style.render_reset())
    }
}
