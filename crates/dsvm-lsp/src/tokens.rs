//! A document → its semantic tokens: every word with what it means, for editors to colour.
//!
//! The tokens of the text are complete also where it does not parse; what the names of the project mean is added to them.

use crate::facts;
use crate::occurrences::{Names, Occurrence};
use crate::position::Lines;
use crate::view::{Symbol, View};
use dsvm_syntax::ast::ItemKind;
use dsvm_syntax::{Lexeme, lexemes};
use lsp_types::Position;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// The kinds of token, in the order in which the protocol numbers them.
const TYPES: &[&str] = &[
    "namespace",
    "type",
    "class",
    "enumMember",
    "parameter",
    "variable",
    "property",
    "function",
    "keyword",
    "comment",
    "string",
    "number",
    "regexp",
];

/// What a token can be besides, one bit each.
const MODIFIERS: &[&str] = &["declaration", "readonly", "deprecated", "documentation", "defaultLibrary"];

const DECLARATION: u32 = 1;
const READONLY: u32 = 2;
const DEPRECATED: u32 = 4;
const DOCUMENTATION: u32 = 8;
const LIBRARY: u32 = 16;

/// Words that are part of the grammar, besides those that name blocks.
const KEYWORDS: &[&str] = &[
    "import",
    "from",
    "as",
    "param",
    "secret",
    "env",
    "let",
    "fn",
    "type",
    "check",
    "else",
    "output",
    "export",
    "existing",
    "test",
    "given",
    "expect",
    "if",
    "then",
    "for",
    "in",
    "of",
    "initially",
    "matching",
    "to",
    "on",
    "every",
    "with",
    "at",
    "by",
    "until",
    "true",
    "false",
    "null",
    "yes",
    "no",
    "resource",
    "resources",
    "error",
    "warnings",
];

/// Number and modifiers of a type that [`TYPES`] lists.
type Meaning = (usize, u32);

fn index(name: &str) -> usize {
    TYPES.iter().position(|known| *known == name).unwrap_or_default()
}

/// A token: first byte, one past the last, what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    start: usize,
    end: usize,
    meaning: Meaning,
}

/// What the client is told about the numbers.
pub(crate) fn legend() -> Value {
    json!({ "tokenTypes": TYPES, "tokenModifiers": MODIFIERS })
}

struct Painter<'t> {
    view: &'t View,
    text: &'t str,
    named: HashMap<usize, &'t Occurrence>,
    choices: &'t BTreeSet<(usize, usize)>,
    found: Vec<Token>,
}

/// The tokens as the protocol encodes them, five numbers each; of a part of the document, or all.
pub(crate) fn encoded(view: &View, file: usize, lines: &Lines<'_>, part: Option<(usize, usize)>) -> Vec<u32> {
    let Some(known) = view.files.get(file) else { return Vec::new() };
    let names = Names::of(view, file);
    let named = names.found.iter().map(|found| (found.start, found)).collect();
    let mut painter = Painter { view, text: &known.text, named, choices: &names.choices, found: Vec::new() };
    painter.between(0, known.text.len());
    let mut tokens = painter.found;
    if let Some((from, to)) = part {
        tokens.retain(|token| token.end > from && token.start < to);
    }
    encode(&known.text, lines, &tokens)
}

impl Painter<'_> {
    /// Gives how far it came: to the end, or to the bracket that closes an interpolation.
    fn between(&mut self, from: usize, to: usize) -> usize {
        let Some(text) = self.text.get(from..to) else { return to };
        let mut depth = 0usize;
        let mut number_ends = usize::MAX;
        for (kind, start, end) in lexemes(text) {
            let (start, end) = (start + from, end + from);
            let meaning = match kind {
                Lexeme::Newline | Lexeme::Sign => continue,
                Lexeme::Open => {
                    depth += 1;
                    continue;
                }
                Lexeme::Close if depth == 0 && from > 0 => return start,
                Lexeme::Close => {
                    depth = depth.saturating_sub(1);
                    continue;
                }
                Lexeme::Comment => {
                    let doc = self.text.get(start..end).is_some_and(|text| text.starts_with("///"));
                    Some((index("comment"), if doc { DOCUMENTATION } else { 0 }))
                }
                Lexeme::Number => {
                    number_ends = end;
                    Some((index("number"), 0))
                }
                Lexeme::Regex => Some((index("regexp"), 0)),
                Lexeme::String => {
                    self.string(start, end);
                    continue;
                }
                Lexeme::Word => self.word(start, end, number_ends),
            };
            if let Some(meaning) = meaning {
                self.found.push(Token { start, end, meaning });
            }
        }
        to
    }

    /// A string, and the expressions that are interpolated in it.
    fn string(&mut self, start: usize, end: usize) {
        let kind = (index("string"), 0);
        let mut from = start;
        // The name of a field or a block can be quoted.
        if let Some(found) = self.named.get(&start).filter(|found| found.end == end) {
            let meaning = of(self.view, found);
            return self.found.push(Token { start, end, meaning });
        }
        while let Some(at) = self.text.get(from..end).and_then(|rest| rest.find("${")).map(|at| from + at) {
            let escapes =
                self.text.get(start..at).unwrap_or_default().bytes().rev().take_while(|b| *b == b'\\').count();
            if escapes % 2 == 1 {
                self.found.push(Token { start: from, end: at + 2, meaning: kind });
                from = at + 2;
                continue;
            }
            self.found.push(Token { start: from, end: at + 2, meaning: kind });
            from = self.between(at + 2, end);
        }
        if from < end {
            self.found.push(Token { start: from, end, meaning: kind });
        }
    }

    fn word(&self, start: usize, end: usize, number_ends: usize) -> Option<Meaning> {
        if let Some(found) = self.named.get(&start).filter(|found| found.end == end) {
            return Some(of(self.view, found));
        }
        if self.choices.contains(&(start, end)) {
            return Some((index("enumMember"), READONLY | LIBRARY));
        }
        let word = self.text.get(start..end)?;
        if KEYWORDS.contains(&word) {
            return Some((index("keyword"), 0));
        }
        // `1 TiB`: the unit belongs to the number.
        let gap = self.text.get(number_ends..start);
        let is_unit = gap.is_some_and(|gap| gap.bytes().all(|byte| byte == b' '));
        let behind = self.text.get(end..).unwrap_or_default().trim_start_matches(' ');
        if is_unit {
            return Some((index("number"), 0));
        }
        // The key of a record, the name of an argument or a field of a record type.
        let is_key = behind.starts_with(':') || behind.starts_with('=') && !behind.starts_with("==");
        is_key.then(|| (index("property"), 0))
    }
}

/// What a name that means something is.
fn of(view: &View, found: &Occurrence) -> Meaning {
    let declares = if found.declares { DECLARATION } else { 0 };
    let (name, modifiers) = match &found.symbol {
        Symbol::Declared(module, name) => match view.declared(*module, name).map(|(_, item)| &item.kind) {
            Some(ItemKind::Param(_)) => ("parameter", READONLY),
            Some(ItemKind::Fn(_)) => ("function", 0),
            Some(ItemKind::Type(_)) => ("type", 0),
            Some(ItemKind::Block(_)) => ("class", 0),
            _ => ("variable", READONLY),
        },
        Symbol::Library(module, name) => {
            let gone = facts::fact(*module, name).is_some_and(facts::Fact::is_gone);
            ("enumMember", READONLY | LIBRARY | if gone { DEPRECATED } else { 0 })
        }
        Symbol::Module(_) => ("namespace", 0),
        Symbol::Env(_) => ("enumMember", 0),
        Symbol::Output(_) => ("property", 0),
        Symbol::Local(..) => ("variable", READONLY),
        Symbol::Kind(_) => ("keyword", 0),
        Symbol::Field(..) => ("property", 0),
        Symbol::Attribute(..) => ("property", READONLY),
        Symbol::All(_) => ("variable", READONLY | LIBRARY),
        Symbol::Function(_) => ("function", LIBRARY),
    };
    (index(name), modifiers | declares)
}

/// Relative positions; a token over several lines is one for each line, which every client understands.
fn encode(text: &str, lines: &Lines<'_>, tokens: &[Token]) -> Vec<u32> {
    let mut data = Vec::with_capacity(tokens.len() * 5);
    let mut last = Position::new(0, 0);
    for token in tokens {
        let mut start = token.start;
        let Some(whole) = text.get(token.start..token.end) else { continue };
        for line in whole.split_inclusive('\n') {
            let next = start + line.len();
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            if end > start {
                let (from, to) = (lines.position(start), lines.position(end));
                let column = if from.line == last.line { from.character - last.character } else { from.character };
                let length = to.character.saturating_sub(from.character);
                data.extend([from.line - last.line, column, length, token.meaning.0 as u32, token.meaning.1]);
                last = from;
            }
            start = next;
        }
    }
    data
}

/// The one edit that turns one answer into another: what is equal before and behind it stays.
pub(crate) fn delta(old: &[u32], new: &[u32]) -> Vec<Value> {
    let (old_parts, new_parts): (Vec<&[u32]>, Vec<&[u32]>) = (old.chunks(5).collect(), new.chunks(5).collect());
    let before = old_parts.iter().zip(&new_parts).take_while(|(a, b)| a == b).count();
    let shorter = old_parts.len().min(new_parts.len()) - before;
    let behind = old_parts.iter().rev().zip(new_parts.iter().rev()).take(shorter).take_while(|(a, b)| a == b).count();
    let removed = old_parts.len() - before - behind;
    let added = new.get(before * 5..new.len() - behind * 5).unwrap_or_default();
    if removed == 0 && added.is_empty() {
        return Vec::new();
    }
    vec![json!({ "start": before * 5, "deleteCount": removed * 5, "data": added })]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_holds_only_what_changed() {
        let old = [0, 0, 1, 1, 0, 1, 0, 2, 2, 0, 1, 0, 3, 3, 0];
        let new = [0, 0, 1, 1, 0, 1, 0, 9, 2, 0, 1, 0, 3, 3, 0];
        assert_eq!(delta(&old, &old), Vec::<Value>::new());
        assert_eq!(delta(&old, &new), [json!({ "start": 5, "deleteCount": 5, "data": [1, 0, 9, 2, 0] })]);
        assert_eq!(delta(&old, &old[..10]), [json!({ "start": 10, "deleteCount": 5, "data": [] })]);
        assert_eq!(delta(&[], &old[..5]), [json!({ "start": 0, "deleteCount": 0, "data": [0, 0, 1, 1, 0] })]);
    }
}
