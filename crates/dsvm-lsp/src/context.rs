//! The tokens before a place → what can be written there. Works on tokens, because a file is broken while it is typed.

use crate::occurrences::block_kind;
use dsvm_sema::table::BlockKind;
use dsvm_syntax::{Lexeme, lexemes};

/// What an open brace encloses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The file, outside of all braces.
    Top,
    /// A block, of a kind if its keyword is known.
    Block(Option<BlockKind>),
    Env,
    Test,
    /// The values that a test gives.
    Given,
    /// The names of an import.
    Names,
    /// A record, or anything in other brackets.
    Other,
}

/// What can be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// A declaration of the file.
    Declaration,
    /// An entry of a block: a field or a nested block.
    Entry(BlockKind),
    /// A value, of a field of a block if it is known.
    Value(Option<(BlockKind, String)>),
    /// The parts of what stands before the dot.
    Member(String),
    /// A module of the standard library, as in `import std.images`.
    Module,
    /// A name that the file of an import declares; the words of the import so far.
    Exported,
    /// A class, as in `pool team: interactive`.
    Class(BlockKind),
    /// The head of a block that is a phrase, as in `allow ssh from any`.
    Phrase(BlockKind),
    Type,
    /// A parameter, in an env or in what a test gives.
    Param,
    /// An env, in a test.
    Env,
    /// An entry of a test.
    TestEntry,
    Nothing,
}

/// A place, with the word that it is in.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) spot: Spot,
    /// The word around the place; empty between two.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// First byte of the block around the place, behind its brace.
    pub(crate) body: usize,
}

struct Open {
    frame: Frame,
    /// Words and signs of the entry that is being written.
    entry: Vec<(Lexeme, usize, usize)>,
    body: usize,
}

impl Open {
    fn new(frame: Frame, body: usize) -> Self {
        Self { frame, entry: Vec::new(), body }
    }
}

/// Reads the tokens from one byte, which is outside of all brackets, up to another.
pub(crate) fn context_from(text: &str, from: usize, offset: usize) -> Context {
    let inside = text.get(from..).map(|rest| context(rest, offset.saturating_sub(from)));
    let Some(Context { spot, start, end, body }) = inside else { return context(text, offset) };
    Context { spot, start: start + from, end: end + from, body: body + from }
}

/// Reads the tokens up to a byte.
fn context(text: &str, offset: usize) -> Context {
    let mut stack = vec![Open::new(Frame::Top, 0)];
    let mut word = (offset, offset);
    for token in lexemes(text) {
        let (kind, start, end) = token;
        if start >= offset {
            break;
        }
        if end >= offset {
            match kind {
                Lexeme::Word => {
                    word = (start, end);
                    break;
                }
                // In the middle of it, or behind one that its line does not close.
                Lexeme::Comment => return Context { spot: Spot::Nothing, start: offset, end: offset, body: 0 },
                Lexeme::String | Lexeme::Regex if end > offset || !is_closed(text, start, end) => {
                    return Context { spot: Spot::Nothing, start: offset, end: offset, body: 0 };
                }
                Lexeme::Number => return Context { spot: Spot::Nothing, start: offset, end: offset, body: 0 },
                _ if end > offset => break,
                _ => {}
            }
        }
        step(text, token, &mut stack);
    }
    let body = stack.iter().rev().find(|open| open.frame != Frame::Other).map_or(0, |open| open.body);
    Context { spot: spot(text, &stack), start: word.0, end: word.1, body }
}

/// Whether a string ends with its quote, and not with the line or the file.
fn is_closed(text: &str, start: usize, end: usize) -> bool {
    text.get(start + 1..end).is_some_and(|rest| rest.ends_with(['"', '/']))
}

/// Takes one token into account.
fn step(text: &str, token: (Lexeme, usize, usize), stack: &mut Vec<Open>) {
    let (kind, start, end) = token;
    let Some(open) = stack.last_mut() else { return };
    match kind {
        Lexeme::Comment => {}
        Lexeme::Newline => {
            // The value of a declaration can begin on the next line, further in; in a block this is hardly ever done, but
            // often a value is missing because somebody types.
            let waits = open.entry.last().is_some_and(|(_, from, to)| text.get(*from..*to) == Some("="));
            let further_in = text.get(end..).is_some_and(|rest| rest.starts_with([' ', '\t']));
            if open.frame != Frame::Other && !(open.frame == Frame::Top && waits && further_in) {
                open.entry.clear();
            }
        }
        Lexeme::Sign if open.frame != Frame::Other && text.get(start..end) == Some(",") => open.entry.clear(),
        Lexeme::Open => {
            let frame = match text.get(start..end) {
                Some("{") => brace(text, open),
                _ => Frame::Other,
            };
            open.entry.push(token);
            stack.push(Open::new(frame, end));
        }
        Lexeme::Close => {
            let closed = if stack.len() > 1 { stack.pop() } else { None };
            if let (Some(closed), Some(open)) = (closed, stack.last_mut())
                && closed.frame != Frame::Other
                && closed.frame != Frame::Names
            {
                open.entry.clear();
            }
        }
        _ => open.entry.push(token),
    }
}

fn words<'t>(text: &'t str, entry: &[(Lexeme, usize, usize)]) -> Vec<&'t str> {
    entry.iter().filter_map(|(_, from, to)| text.get(*from..*to)).collect()
}

/// The words of an entry without those before a keyword.
fn declaration<'a, 't>(words: &'a [&'t str]) -> &'a [&'t str] {
    let before = words.iter().take_while(|word| matches!(**word, "export" | "existing" | "secret")).count();
    // `secret NAME` is a block in a vault and a modifier at top level.
    match before {
        1 if words.first() == Some(&"secret") && words.get(1) != Some(&"param") => words,
        _ => words.get(before..).unwrap_or_default(),
    }
}

fn kind_around(frame: &Frame) -> Option<BlockKind> {
    match frame {
        Frame::Block(kind) => *kind,
        _ => None,
    }
}

/// What a brace opens behind an entry.
fn brace(text: &str, open: &Open) -> Frame {
    let all = words(text, &open.entry);
    let all = declaration(&all);
    let Some(keyword) = all.first() else { return Frame::Other };
    if all.contains(&"=") || matches!(open.frame, Frame::Other | Frame::Names | Frame::Env | Frame::Given) {
        return Frame::Other;
    }
    match (&open.frame, *keyword) {
        (Frame::Top, "env") => Frame::Env,
        (Frame::Top, "test") => Frame::Test,
        (Frame::Top, "import") if all.contains(&":") => Frame::Other,
        (Frame::Top, "import") => Frame::Names,
        (Frame::Top, "let" | "param" | "fn" | "type" | "output" | "check") => Frame::Other,
        (Frame::Test, "given") => Frame::Given,
        (Frame::Test, _) => Frame::Block(None),
        (frame, keyword) => {
            let class = all.iter().position(|word| *word == ":").and_then(|at| all.get(at + 1)).copied();
            Frame::Block(match frame {
                Frame::Top => block_kind(keyword, class, None),
                _ => kind_around(frame).and_then(|around| block_kind(keyword, class, Some(around))),
            })
        }
    }
}

fn spot(text: &str, stack: &[Open]) -> Spot {
    let Some(open) = stack.last() else { return Spot::Nothing };
    let all = words(text, &open.entry);
    if all.last() == Some(&".") {
        let before = all.len().checked_sub(2).and_then(|at| all.get(at)).copied().unwrap_or_default();
        let first = stack.first().map(|top| words(text, &top.entry)).unwrap_or_default();
        if first.first() == Some(&"import") && stack.len() == 1 {
            return if before == "std" { Spot::Module } else { Spot::Nothing };
        }
        return Spot::Member(before.to_owned());
    }
    match &open.frame {
        Frame::Names => Spot::Exported,
        Frame::Env | Frame::Given => match all.as_slice() {
            [] => Spot::Param,
            [_, "=", ..] => Spot::Value(None),
            _ => Spot::Nothing,
        },
        Frame::Test => match all.as_slice() {
            [] => Spot::TestEntry,
            ["env", "="] => Spot::Env,
            ["expect", ..] => Spot::Value(None),
            _ => Spot::Nothing,
        },
        Frame::Block(kind) => match (all.as_slice(), kind) {
            ([], Some(kind)) => Spot::Entry(*kind),
            ([], None) => Spot::Nothing,
            ([field, "=", ..], Some(kind)) => Spot::Value(Some((*kind, (*field).to_owned()))),
            (all, _) if all.contains(&"=") => Spot::Value(None),
            ([keyword, ..], Some(kind)) => match block_kind(keyword, None, Some(*kind)) {
                Some(inner) => Spot::Phrase(inner),
                None => Spot::Nothing,
            },
            _ => Spot::Nothing,
        },
        Frame::Other => inside(text, stack),
        Frame::Top => top(&all),
    }
}

/// Inside of other brackets: what the field takes whose value they are in.
fn inside(text: &str, stack: &[Open]) -> Spot {
    let around = stack.iter().rev().find(|open| open.frame != Frame::Other);
    let Some(around) = around else { return Spot::Nothing };
    let braces = stack
        .iter()
        .rev()
        .take_while(|open| open.frame == Frame::Other)
        .any(|open| text.get(..open.body).is_some_and(|before| before.ends_with('{')));
    let here = stack.last().map(|open| words(text, &open.entry)).unwrap_or_default();
    let in_brace = stack.last().is_some_and(|open| text.get(..open.body).is_some_and(|before| before.ends_with('{')));
    let outer = words(text, &around.entry);
    let outer = declaration(&outer);
    let typed = matches!(outer, ["import" | "let" | "param" | "output" | "type", ..]);
    if typed && around.frame == Frame::Top && outer.contains(&":") && !outer.contains(&"=") {
        let value = here.iter().rev().take_while(|word| **word != ",").any(|word| *word == ":");
        return if in_brace && !value { Spot::Nothing } else { Spot::Type };
    }
    if in_brace {
        // The key of a record is anybody's word.
        let value = here.iter().rev().take_while(|word| **word != ",").any(|word| *word == "=");
        return if value { Spot::Value(None) } else { Spot::Nothing };
    }
    let all = words(text, &around.entry);
    match (&around.frame, all.as_slice()) {
        (Frame::Block(Some(kind)), [field, "=", ..]) if !braces => Spot::Value(Some((*kind, (*field).to_owned()))),
        (Frame::Block(Some(kind)), [keyword, ..]) if !braces => match block_kind(keyword, None, Some(*kind)) {
            Some(inner) => Spot::Phrase(inner),
            None => Spot::Value(None),
        },
        _ => Spot::Value(None),
    }
}

/// In a declaration at top level.
fn top(all: &[&str]) -> Spot {
    let all = declaration(all);
    match all {
        [] => Spot::Declaration,
        ["import"] => Spot::Module,
        ["import", .., ":"] => Spot::Type,
        ["import", ..] => Spot::Nothing,
        [_, .., "from"] => Spot::Value(None),
        ["let" | "param" | "output" | "fn" | "type", rest @ ..] if !rest.contains(&"=") => {
            if rest.contains(&":") {
                Spot::Type
            } else {
                Spot::Nothing
            }
        }
        ["type", ..] => Spot::Type,
        ["let" | "param" | "output" | "fn" | "check", ..] => Spot::Value(None),
        [keyword, .., ":"] => block_kind(keyword, None, None).map_or(Spot::Nothing, Spot::Class),
        _ => Spot::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The context at `|`.
    fn at(text: &str) -> Spot {
        let offset = text.find('|').unwrap();
        context(&text.replacen('|', "", 1), offset).spot
    }

    fn field(kind: BlockKind, name: &str) -> Spot {
        Spot::Value(Some((kind, name.to_owned())))
    }

    #[test]
    fn places_are_known_also_in_broken_files() {
        assert_eq!(at("|"), Spot::Declaration);
        assert_eq!(at("let a = 1\npo|"), Spot::Declaration);
        assert_eq!(at("share a {\n  pro|\n"), Spot::Entry(BlockKind::Share));
        assert_eq!(at("share a {\n  protocol = |\n}\n"), field(BlockKind::Share, "protocol"));
        assert_eq!(at("share a { quota = 1 TiB, |"), Spot::Entry(BlockKind::Share));
        assert_eq!(at("pool a: batch {\n  size = =\n  |"), Spot::Entry(BlockKind::BatchPool));
        assert_eq!(at("pool a: |"), Spot::Class(BlockKind::Pool));
        assert_eq!(at("pool a: interactive {\n  image = images.|"), Spot::Member("images".to_owned()));
        assert_eq!(at("pool a: interactive {\n  shares = [|"), field(BlockKind::Pool, "shares"));
        assert_eq!(at("pool a: interactive {\n  autoscale {\n    |"), Spot::Entry(BlockKind::Autoscale));
        assert_eq!(at("pool a: interactive {\n  allow |"), Spot::Phrase(BlockKind::Allow));
        assert_eq!(at("import std.|"), Spot::Module);
        assert_eq!(at("import |"), Spot::Module);
        assert_eq!(at("import { a|"), Spot::Exported);
        assert_eq!(at("env prod { |"), Spot::Param);
        assert_eq!(at("env prod { a = |"), Spot::Value(None));
        assert_eq!(at("test \"a\" { env = |"), Spot::Env);
        assert_eq!(at("param a: |"), Spot::Type);
        assert_eq!(at("import \"a.csv\" as t: |"), Spot::Type);
        assert_eq!(at("import \"a.csv\" as t: [|"), Spot::Type);
        assert_eq!(at("import \"a.csv\" as t: [{ name: |"), Spot::Type);
        assert_eq!(at("import \"a.csv\" as t: [{ na|"), Spot::Nothing);
        assert_eq!(at("// a |"), Spot::Nothing);
        assert_eq!(at("let a = \"b|"), Spot::Nothing);
        assert_eq!(at("project a { tags = { b|"), Spot::Nothing);
        assert_eq!(at("project a { tags = { b = |"), Spot::Value(None));
        assert_eq!(at("let a = |"), Spot::Value(None));
        assert_eq!(at("let a =\n  |"), Spot::Value(None));
        assert_eq!(at("let a = \n|"), Spot::Declaration);
    }
}
