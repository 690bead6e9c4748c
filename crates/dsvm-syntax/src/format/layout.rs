//! Lines of tokens → text: indentation, blanks between tokens, alignment, blank lines.

use crate::Lexeme;

/// A token, or a literal made of several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'t> {
    pub(super) kind: Lexeme,
    pub(super) text: &'t str,
    /// No blank stood before it.
    pub(super) touches: bool,
}

/// One line of the source: its tokens and the comment at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Line<'t> {
    pub(super) pieces: Vec<Piece<'t>>,
    pub(super) comment: Option<&'t str>,
}

impl Line<'_> {
    fn is_blank(&self) -> bool {
        self.pieces.is_empty() && self.comment.is_none()
    }
}

/// A line as it will be printed.
struct Printed {
    indent: usize,
    /// The name of a field, when the line is one that can be aligned with its neighbours.
    field: Option<usize>,
    text: String,
    comment: String,
    blank: bool,
    /// A bracket stays open at its end.
    opens: bool,
    /// It holds several fields, which are not aligned.
    several: bool,
}

/// Prints all lines with indentation and alignment computed from scratch.
pub(super) fn print(lines: &[Line<'_>]) -> String {
    let mut printed: Vec<Printed> = Vec::new();
    // For each open bracket: the indentation of what is inside, and of the line that opened it.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        if line.is_blank() {
            let after_open = printed.last().is_none_or(|last| last.opens || last.blank);
            if !after_open {
                let (text, comment) = (String::new(), String::new());
                printed.push(Printed {
                    indent: 0,
                    field: None,
                    text,
                    comment,
                    blank: true,
                    opens: false,
                    several: false,
                });
            }
            continue;
        }
        let closers = line.pieces.iter().take_while(|p| p.kind == Lexeme::Close).count();
        let inside = open.last().map_or(0, |(inner, _)| *inner);
        let base = match closers {
            0 => inside,
            n => open.get(open.len().saturating_sub(n)).map_or(0, |(_, outer)| *outer),
        };
        if closers > 0 && printed.last().is_some_and(|last| last.blank) {
            printed.pop();
        }
        // A statement that goes on is indented below its first line.
        let below = goes_on && closers == 0;
        let starts_on = line.pieces.first().is_some_and(|p| matches!(p.text, "then" | "else"));
        let indent = if below || starts_on { base + 2 } else { base };
        for piece in &line.pieces {
            match piece.kind {
                Lexeme::Open => open.push((indent + 2, indent)),
                Lexeme::Close => {
                    open.pop();
                }
                _ => {}
            }
        }
        // A comment on a line of its own does not end what goes on.
        goes_on = line.pieces.last().map_or(goes_on, ends_open);
        let opens = line.pieces.last().is_some_and(|p| p.kind == Lexeme::Open);
        printed.push(Printed {
            indent,
            field: field_width(line),
            text: row(&line.pieces),
            comment: line.comment.unwrap_or_default().to_owned(),
            blank: false,
            opens,
            several: has_several(line),
        });
    }
    while printed.last().is_some_and(|last| last.blank) {
        printed.pop();
    }
    align(&mut printed);
    join(&printed)
}

/// Whether a statement goes on after a line that ends with this.
fn ends_open(piece: &Piece<'_>) -> bool {
    match piece.kind {
        Lexeme::Sign => matches!(
            piece.text,
            "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "??" | ".." | "+" | "-" | "*" | "/" | "%" | "|"
        ),
        Lexeme::Word => matches!(piece.text, "in" | "of" | "initially" | "if" | "then" | "else"),
        _ => false,
    }
}

/// The width of the name in `name = value`.
fn field_width(line: &Line<'_>) -> Option<usize> {
    let [name, equals, _, ..] = line.pieces.as_slice() else { return None };
    let named = matches!(name.kind, Lexeme::Word | Lexeme::String) && equals.text == "=";
    (named && !has_several(line)).then(|| name.text.chars().count())
}

/// Whether a line holds several fields: `a = 1, b = 2`.
fn has_several(line: &Line<'_>) -> bool {
    let mut depth = 0usize;
    line.pieces.iter().any(|piece| {
        match piece.kind {
            Lexeme::Open => depth += 1,
            Lexeme::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && piece.text == ","
    })
}

/// Aligns `=` in runs of fields of one depth. Blank lines, comments of their own, lines with several fields and open
/// blocks end a run.
fn align(lines: &mut [Printed]) {
    let mut start = 0;
    while start < lines.len() {
        let Some(first) = lines.get(start).filter(|l| l.field.is_some()) else {
            start += 1;
            continue;
        };
        let depth = first.indent;
        let in_run = |l: &&Printed| l.indent == depth && !l.blank && !l.several && !l.text.is_empty();
        let mut length = lines.iter().skip(start).take_while(in_run).count();
        // A line that opens a bracket ends its run.
        if let Some(opening) = lines.iter().skip(start).take(length).position(|l| l.opens) {
            length = opening + 1;
        }
        let run = lines.get_mut(start..start + length).unwrap_or_default();
        let width = run.iter().filter_map(|l| l.field).max().unwrap_or(0);
        for line in run.iter_mut() {
            if let Some(own) = line.field
                && let Some((name, value)) = line.text.split_once(" = ")
            {
                line.text = format!("{name}{} = {value}", " ".repeat(width - own));
            }
        }
        start += length.max(1);
    }
}

fn join(lines: &[Printed]) -> String {
    let mut text = String::new();
    for line in lines {
        if !line.blank {
            text.extend(std::iter::repeat_n(' ', line.indent));
            text.push_str(&line.text);
            if !line.text.is_empty() && !line.comment.is_empty() {
                text.push(' ');
            }
            text.push_str(&line.comment);
        }
        text.push('\n');
    }
    text
}

/// The pieces of a line with the blanks between them.
fn row(pieces: &[Piece<'_>]) -> String {
    let mut text = String::new();
    let mut before: Option<&Piece<'_>> = None;
    let mut unary = false;
    for piece in pieces {
        if let Some(last) = before
            && !unary
            && blank_between(last, piece)
        {
            text.push(' ');
        }
        text.push_str(piece.text);
        unary = matches!(piece.text, "-" | "!") && piece.kind == Lexeme::Sign && before.is_none_or(wants_operand);
        before = Some(piece);
    }
    text
}

/// Whether a value must follow, so that `-` is a sign and not a subtraction.
fn wants_operand(piece: &Piece<'_>) -> bool {
    match piece.kind {
        Lexeme::Open => true,
        Lexeme::Sign => !matches!(piece.text, "?"),
        Lexeme::Word => matches!(piece.text, "in" | "of" | "initially" | "if" | "then" | "else"),
        _ => false,
    }
}

fn blank_between(last: &Piece<'_>, next: &Piece<'_>) -> bool {
    match (last.text, next.text) {
        (_, "," | ":" | "?") => false,
        ("(" | "[", _) | (_, ")" | "]") => false,
        ("{", "}") => false,
        // Touching or not makes a difference: `f(x)`, `a.b`, `0..3`.
        (_, "(" | "[") => !next.touches || !ends_value(last),
        (".", _) | (_, ".") => !next.touches,
        ("..", _) | (_, "..") => false,
        // A unit that touches its number stays.
        _ if last.kind == Lexeme::Number && next.kind == Lexeme::Word => !next.touches,
        _ => true,
    }
}

fn ends_value(piece: &Piece<'_>) -> bool {
    matches!(piece.kind, Lexeme::Word | Lexeme::Number | Lexeme::Close | Lexeme::String)
}
