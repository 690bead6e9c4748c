//! The last step before a terminal or a log: what came from a source, a name, a template or a service can neither move the
//! cursor, change colours or the order of letters, hide, nor start a command of a CI system.
//!
//! The palette marks its own colour sequences with a number that is drawn for each process, so that no other text can
//! contain them.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

const ESCAPE: char = '\u{1b}';

/// Whether a character is invisible or changes how others are shown: controls, marks of direction, format characters,
/// fillers, tags and selectors of variants (Unicode 17, `Default_Ignorable_Code_Point` and the categories Cc, Zl and Zp).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text on one line: hidden characters and line ends as escapes.
#[must_use]
pub fn clean(text: &str) -> String {
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push(&mut out, c);
    }
    out
}

/// Text of several lines: hidden characters as escapes, line ends and tabs as they are.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    text.split('\n').map(|line| clean(line.strip_suffix('\r').unwrap_or(line))).collect::<Vec<_>>().join("\n")
}

fn push(out: &mut String, c: char) {
    if is_hidden(c) {
        out.extend(c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// What stands between the escape character and the rest of a colour sequence until it is written.
fn mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    // The hasher's keys are random for each process.
    MARK.get_or_init(|| {
        let draw = || std::hash::RandomState::new().build_hasher().finish();
        format!("{:016x}{:016x};", draw(), draw())
    })
}

/// The colour sequences of a text, marked as ours.
#[must_use]
pub fn marked(sequences: &str) -> String {
    if sequences.is_empty() { String::new() } else { sequences.replace("\u{1b}[", &format!("\u{1b}{}", mark())) }
}

/// Text as a terminal or a log may get it. Line ends and tabs stay; marked colours become colours; everything else that is
/// hidden becomes an escape, and so does the first sign of a command of a CI system.
#[must_use]
pub fn for_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut start = true;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (_, tail) = rest.split_at(c.len_utf8());
        match c {
            ESCAPE if tail.starts_with(mark()) => {
                let sequence = tail.strip_prefix(mark()).unwrap_or(tail);
                out.push_str("\u{1b}[");
                rest = sequence;
                // The parameters of a colour belong to it: the beginning of a line stays one.
                let end = rest.find('m').map_or(0, |at| at + 1);
                let (parameters, after) = rest.split_at(end);
                out.push_str(parameters);
                rest = after;
                continue;
            }
            '\n' => start = true,
            '\r' if tail.starts_with('\n') => {
                rest = tail;
                continue;
            }
            _ if starts_command(c, tail, start) => {
                start = false;
                out.extend(c.escape_unicode());
                rest = tail;
                continue;
            }
            _ => start &= c.is_whitespace(),
        }
        if matches!(c, '\n' | '\t') {
            out.push(c)
        } else {
            push(&mut out, c)
        }
        rest = tail;
    }
    out
}

/// Whether a CI system would take what begins here as a command to itself: GitHub `::name::` at the beginning of a line,
/// after blanks, and `##[name]` anywhere (`ActionCommand.cs` of actions/runner); Azure Pipelines `##vso[` and `##[`
/// (<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>).
fn starts_command(c: char, tail: &str, start: bool) -> bool {
    match c {
        ':' => start && tail.starts_with(':'),
        '#' => tail
            .strip_prefix('#')
            .is_some_and(|rest| rest.starts_with('[') || rest.get(..4).is_some_and(|w| w.eq_ignore_ascii_case("vso["))),
        _ => false,
    }
}

/// A JSON text as a terminal or a log may get it: the same document, its hidden characters written as JSON escapes. They
/// can only stand in strings.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| c != '\n' && is_hidden(c);
    if !text.contains(hidden) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut units = [0; 2];
    for (at, c) in text.char_indices() {
        let tail = text.get(at + c.len_utf8()..).unwrap_or_default();
        if hidden(c) || starts_command(c, tail, false) {
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::palette::{Palette, Role};
    use proptest::prelude::*;

    #[test]
    fn only_our_colours_reach_the_terminal() {
        let painted = Palette::ansi().paint(Role::Error, "a\u{1b}[31mb");
        let shown = for_terminal(&format!("{painted}\u{1b}[1m\u{1b}[91m\n"));
        assert_eq!(shown, "\u{1b}[1m\u{1b}[31ma\\u{1b}[31mb\u{1b}[0m\\u{1b}[1m\\u{1b}[91m\n");
        assert_eq!(for_terminal(&Palette::plain().paint(Role::Error, "a")), "a");
    }

    #[test]
    fn no_line_starts_a_command() {
        for (text, shown) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("a\n \t\u{a0}::set-env name=a::b", "a\n \t\u{a0}\\u{3a}:set-env name=a::b"),
            ("a\r\n::x::", "a\n\\u{3a}:x::"),
            ("a\r::x::", "a\\u{d}::x::"),
            ("x ::error::", "x ::error::"),
            ("x ##[error]y", "x \\u{23}#[error]y"),
            ("###[a]", "#\\u{23}#[a]"),
            ("##VSO[task.setvariable]", "\\u{23}#VSO[task.setvariable]"),
            ("## title [x]", "## title [x]"),
            ("\u{200b}::x::", "\\u{200b}::x::"),
        ] {
            assert_eq!(for_terminal(text), shown);
        }
        let painted = Palette::ansi().paint(Role::Title, "::error::x");
        assert!(!for_terminal(&painted).contains("m::"), "{painted}");
    }

    #[test]
    fn json_stays_the_same_document() {
        let value =
            serde_json::json!({ "a\u{202e}": "\u{9b}31m\u{feff}\u{e0041}##vso[x]\u{1b}", "b": ["##[x]", "é🦀"] });
        let text = format!("{value:#}\n");
        let shown = json(&text);
        assert!(!shown.contains(|c| c != '\n' && is_hidden(c)) && !shown.contains("##"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        assert!(matches!(json("{\n}\n"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>(), more in "[:#\\[ \\n\\r\u{1b}\u{202e}vsom0-9;]{0,40}") {
            let shown = for_terminal(&format!("{text}{more}"));
            prop_assert!(!shown.contains(|c| !matches!(c, '\n' | '\t') && is_hidden(c)));
            prop_assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")));
            prop_assert!(!shown.contains("##[") && !shown.to_lowercase().contains("##vso["));
        }
    }
}
