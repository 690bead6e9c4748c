//! A failure of the environment (file system, network, credentials) → text that looks like a diagnostic.

use super::palette::{Palette, Role};

/// What failed, why, and what to do.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Code of the message catalogue.
    pub code: Option<String>,
    /// What failed, in one line.
    pub title: String,
    /// The causes, from the outermost to the innermost.
    pub causes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

/// Draws a failure, ending in a line end.
#[must_use]
pub fn draw(failure: &Failure, palette: Palette) -> String {
    let head = failure.code.as_ref().map_or_else(|| "error".to_owned(), |code| format!("error[{code}]"));
    let mut text = palette.paint(Role::Error, &head);
    text.push_str(&palette.paint(Role::Title, &format!(": {}", failure.title)));
    text.push('\n');
    for cause in &failure.causes {
        push_note(&mut text, palette, "caused by", cause);
    }
    if let Some(help) = &failure.help {
        push_note(&mut text, palette, "help", help);
    }
    text
}

fn push_note(text: &mut String, palette: Palette, word: &str, note: &str) {
    let mut lines = note.lines();
    let first = lines.next().unwrap_or_default();
    text.push_str(&format!("  {} {word}: {first}\n", palette.paint(Role::Dim, "=")));
    for line in lines {
        text.push_str(&format!("    {line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_and_help_stand_under_the_title() {
        let failure = Failure {
            code: Some("DSVM0901".to_owned()),
            title: "cannot read `a.dsvm`".to_owned(),
            causes: vec!["permission denied".to_owned()],
            help: Some("allow it".to_owned()),
        };
        assert_eq!(
            draw(&failure, Palette::plain()),
            "error[DSVM0901]: cannot read `a.dsvm`\n  = caused by: permission denied\n  = help: allow it\n"
        );
    }
}
