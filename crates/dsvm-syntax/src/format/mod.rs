//! Text → the same program in the one house style. Line breaks stay where the writer put them; everything between
//! words, indentation, alignment of `=` and blank lines is decided here.
//!
//! Promises: the result parses to the same tree, holds the same comments in the same order, and formatting it again
//! changes nothing. The first two are checked on every run; a difference is a bug of the formatter and the text is
//! returned unchanged.

mod layout;
mod tokens;

use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::SourceId;
use layout::Line;

/// Why a text was not formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has syntax errors, which were reported to the sink.
    Broken,
    /// The result would not be the same program: a bug of the formatter.
    Different,
}

/// Formats a file in the standard style.
///
/// # Errors
/// The text has syntax errors (reported to `sink`), or the result would not be the same program.
pub fn format(source: SourceId, text: &str, sink: &mut Sink) -> Result<String, Refused> {
    let mut own = Sink::default();
    let before = crate::parse(source, text, &mut own);
    if own.has_errors() {
        sink.extend(own.finish());
        return Err(Refused::Broken);
    }
    let lines = tokens::lines(text);
    let formatted = layout::print(&lines);
    let mut again = Sink::default();
    let after = crate::parse(source, &formatted, &mut again);
    let same = !again.has_errors()
        && crate::shape(&before) == crate::shape(&after)
        && comments(&lines) == comments(&tokens::lines(&formatted));
    if same { Ok(formatted) } else { Err(Refused::Different) }
}

/// The comments in their order.
fn comments<'t>(lines: &[Line<'t>]) -> Vec<&'t str> {
    lines.iter().filter_map(|line| line.comment).map(str::trim_end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let once = format(SourceId::file(0), text, &mut Sink::default()).unwrap();
        assert_eq!(format(SourceId::file(0), &once, &mut Sink::default()).as_deref(), Ok(&*once), "not idempotent");
        once
    }

    #[test]
    fn blanks_indentation_and_alignment_are_decided_here() {
        let text =
            "\n\nproject   research{\nlocation=westus2\n\n\n      tags = {team=\"research\",cost=\"low\" ,}\n}\n";
        assert_eq!(
            formatted(text),
            "project research {\n  location = westus2\n\n  tags = { team = \"research\", cost = \"low\", }\n}\n"
        );
    }

    #[test]
    fn neighbouring_fields_are_aligned() {
        let text =
            "pool a: batch {\n  size = x\n  machines = 0..3\n  admin { name = \"a\" }\n  on = 1 // why\n\n  z = 1\n}\n";
        assert_eq!(
            formatted(text),
            "pool a: batch {\n  size     = x\n  machines = 0..3\n  admin { name = \"a\" }\n  on       = 1 // why\n\n  z = 1\n}\n"
        );
    }

    #[test]
    fn literals_stay_whole_and_operators_get_blanks() {
        let text =
            "let a=10.0.0.0/16\nlet b=2026-12-01\nlet c=5-3*-x\nlet d=2.50 USD/week\nlet e=70%+3 %2\nlet f = a . b\n";
        // `a . b` is not a member access, so the last line is an error.
        assert_eq!(format(SourceId::file(0), text, &mut Sink::default()), Err(Refused::Broken));
        let text = text.replace("let f = a . b\n", "let f=!a.b[ 0 ]( 1,x=2 )??3\n");
        assert_eq!(
            formatted(&text),
            "let a = 10.0.0.0/16\nlet b = 2026-12-01\nlet c = 5 - 3 * -x\nlet d = 2.50 USD/week\nlet e = 70% + 3 % 2\n\
             let f = !a.b[0](1, x = 2) ?? 3\n"
        );
    }

    #[test]
    fn lines_that_go_on_are_indented() {
        let text = "let a = if x\nthen 1\nelse 2\nlet b = [\n1,\n2,\n]\nlet c =\n1 +\n2\n";
        assert_eq!(
            formatted(text),
            "let a = if x\n  then 1\n  else 2\nlet b = [\n  1,\n  2,\n]\nlet c =\n  1 +\n  2\n"
        );
    }

    #[test]
    fn comments_and_long_strings_stay() {
        let text = "// a\n   /// doc\nlet a = \"\"\"\n   x\n     y\n   \"\"\"   // b\n\n\n\n// end";
        assert_eq!(formatted(text), "// a\n/// doc\nlet a = \"\"\"\n   x\n     y\n   \"\"\" // b\n\n// end\n");
    }

    #[test]
    fn an_index_touches_what_it_is_of() {
        assert_eq!(formatted("let a = 8[h] + b[0]\n"), "let a = 8[h] + b[0]\n");
    }

    #[test]
    fn the_tour_keeps_its_meaning() {
        formatted(include_str!("../tour.dsvm"));
    }
}
