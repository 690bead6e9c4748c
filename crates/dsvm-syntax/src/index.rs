//! Text → where its items stand, without parsing them: keyword, name, byte range, exported or not.
//!
//! Cheap enough to be run over a library of thousands of lines at each start, so that only what is used is parsed.

use super::scan::{Kind, MAX_DEPTH, Scanner, Token, continues};

/// One item, not yet parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexItem<'t> {
    /// Its keyword (`pool`, `param`, `let`, …), without `export`, `existing` and `secret`.
    pub keyword: &'t str,
    /// Its name; empty when it has none.
    pub name: &'t str,
    /// First byte, doc comment not included.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Whether it is preceded by `export`.
    pub exported: bool,
    /// Whether its brackets and strings are closed.
    pub balanced: bool,
    /// Where brackets become too deep, if they do.
    pub too_deep: Option<usize>,
    /// Where the head of a block ends whose content follows without a `{`.
    pub missing_brace: Option<usize>,
}

/// Finds the items of a text.
#[must_use]
pub fn index(text: &str) -> Vec<IndexItem<'_>> {
    let mut indexer = Indexer { text, items: Vec::new(), resync: false };
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while let Some(end) = indexer.item(at) {
        at = end;
    }
    indexer.items
}

/// Words that start a declaration when another word or a string follows at the start of a line.
const TOP_LEVEL: &[&str] = &[
    "import",
    "param",
    "secret",
    "let",
    "fn",
    "type",
    "check",
    "output",
    "export",
    "existing",
    "project",
    "env",
    "network",
    "share",
    "identity",
    "vault",
    "registry",
    "workspace",
    "image",
    "size",
    "role",
    "region",
    "metric",
    "timezone",
    "autoscale",
    "pool",
    "resource",
    "test",
    "rule",
];

/// The declarations of the list above that are not blocks.
const OWN_FORM: &[&str] =
    &["import", "param", "secret", "let", "fn", "type", "check", "output", "export", "existing", "test", "rule"];

struct Indexer<'t> {
    text: &'t str,
    items: Vec<IndexItem<'t>>,
    /// Brackets of the file do not match: a declaration at the start of a line ends whatever is open.
    resync: bool,
}

impl<'t> Indexer<'t> {
    fn word(&self, token: Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// Takes the next item from `from` on; gives where to go on.
    fn item(&mut self, from: usize) -> Option<usize> {
        let mut scanner = Scanner::new(self.text, from);
        let first = scanner.find(|t| !matches!(t.kind, Kind::Newline | Kind::Comment(_)))?;
        let mut open: Vec<u8> = Vec::new();
        let mut ifs = Ifs::default();
        let mut balanced = true;
        let mut too_deep = None;
        let mut missing_brace = None;
        let (mut before_last, mut last) = (None, first);
        let mut token = Some(first);
        while let Some(t) = token {
            match t.kind {
                Kind::Newline => {
                    if open.is_empty() && missing_brace.is_none() && self.content_follows(first, t.end) {
                        missing_brace = Some(last.end);
                        balanced = false;
                        open.push(b'{');
                    }
                    let ends = if open.is_empty() {
                        !continues(self.text, before_last, last, scanner)
                    } else {
                        self.resync && self.declaration_follows(t.end)
                    };
                    if ends {
                        break;
                    }
                }
                Kind::Comment(_) => {}
                Kind::Open(b) => {
                    open.push(b);
                    ifs.open();
                    if open.len() + ifs.count > MAX_DEPTH && too_deep.is_none() {
                        too_deep = Some(t.start);
                    }
                }
                Kind::Close(b) => {
                    ifs.close();
                    if open.last() == Some(&opener(b)) {
                        open.pop();
                    } else {
                        balanced = false;
                        if let Some(deeper) = open.iter().rposition(|o| *o == opener(b)) {
                            open.truncate(deeper);
                        }
                    }
                }
                Kind::String(false) | Kind::Regex(false) => balanced = false,
                Kind::Word if self.word(t) == "if" => {
                    ifs.count += 1;
                    if open.len() + ifs.count > MAX_DEPTH && too_deep.is_none() {
                        too_deep = Some(t.start);
                    }
                }
                Kind::Sign if matches!(self.word(t), "=" | ",") => ifs.restart(),
                _ => {}
            }
            if !matches!(t.kind, Kind::Newline | Kind::Comment(_)) {
                (before_last, last) = (Some(last), t);
            }
            token = scanner.next();
        }
        if !open.is_empty() && token.is_none() && !self.resync {
            self.resync = true;
            return self.item(from);
        }
        balanced &= open.is_empty();
        let (keyword, name, exported) = self.head(first);
        self.items.push(IndexItem {
            keyword,
            name,
            start: first.start,
            end: last.end,
            exported,
            balanced,
            too_deep,
            missing_brace,
        });
        Some(last.end)
    }

    /// Whether a line that starts at `at` is plainly a declaration.
    fn declaration_follows(&self, at: usize) -> bool {
        let mut scanner = Scanner::new(self.text, at);
        let (Some(first), Some(second)) = (scanner.next(), scanner.next()) else { return false };
        first.start == at
            && first.kind == Kind::Word
            && TOP_LEVEL.contains(&self.word(first))
            && matches!(second.kind, Kind::Word | Kind::String(_))
    }

    /// Whether the head of a block that starts with `first` has no `{`, and its content follows all the same: the line
    /// at `at` is a field and is indented deeper, and a `}` without partner closes what was never opened.
    fn content_follows(&self, first: Token, at: usize) -> bool {
        let head = self.text.get(first.start..at).unwrap_or_default();
        let mut head = head.split_whitespace().skip_while(|word| matches!(*word, "export" | "existing"));
        let block = head.next().is_some_and(|word| TOP_LEVEL.contains(&word) && !OWN_FORM.contains(&word));
        if !block || head.any(|word| word.contains('=')) {
            return false;
        }
        let significant = |t: &Token| !matches!(t.kind, Kind::Newline | Kind::Comment(_));
        let mut rest = Scanner::new(self.text, at).filter(significant);
        let (Some(name), Some(equals)) = (rest.next(), rest.next()) else { return false };
        let indented = self.text.get(at..name.start).is_some_and(|gap| gap.ends_with([' ', '\t']));
        if name.kind != Kind::Word || self.word(equals) != "=" || !indented {
            return false;
        }
        let mut depth = 0usize;
        for t in rest {
            match t.kind {
                Kind::Open(b'{') => depth += 1,
                Kind::Close(b'}') if depth == 0 => return true,
                Kind::Close(b'}') => depth -= 1,
                // A declaration at the start of a line: the content has ended before.
                Kind::Word if depth == 0 && self.at_line_start(t.start) && TOP_LEVEL.contains(&self.word(t)) => {
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    fn at_line_start(&self, at: usize) -> bool {
        at == 0 || self.text.as_bytes().get(at - 1) == Some(&b'\n')
    }

    fn head(&self, first: Token) -> (&'t str, &'t str, bool) {
        let mut tokens = Scanner::new(self.text, first.start);
        let mut keyword = self.take_word(&mut tokens);
        let exported = keyword == "export";
        if exported {
            keyword = self.take_word(&mut tokens);
        }
        let ahead = tokens;
        let mut name = self.take_word(&mut tokens);
        if (keyword == "existing" && !name.is_empty()) || (keyword == "secret" && name == "param") {
            keyword = name;
            name = self.take_word(&mut tokens);
        }
        if matches!(keyword, "import" | "check") {
            name = "";
        } else if name.is_empty()
            && let Some(string) = { ahead }.next().filter(|t| t.kind == Kind::String(true))
        {
            name = self.word(string).trim_matches('"');
        }
        (keyword, name, exported)
    }

    fn take_word(&self, tokens: &mut Scanner<'t>) -> &'t str {
        tokens.next().filter(|t| t.kind == Kind::Word).map_or("", |t| self.word(t))
    }
}

/// Counts `if` inside `if`, which nest without brackets.
#[derive(Default)]
struct Ifs {
    /// On the way from the top of the item to here.
    count: usize,
    /// The count at the start of each open bracket.
    starts: Vec<usize>,
}

impl Ifs {
    fn open(&mut self) {
        self.starts.push(self.count);
    }

    fn close(&mut self) {
        self.count = self.starts.pop().unwrap_or(0);
    }

    /// A new value begins inside the same bracket.
    fn restart(&mut self) {
        self.count = self.starts.last().copied().unwrap_or(0);
    }
}

/// The bracket that `closer` closes.
pub(super) fn opener(closer: u8) -> u8 {
    match closer {
        b')' => b'(',
        b']' => b'[',
        _ => b'{',
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test stops where a range is wrong")]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, &str, &str)> {
        index(text).into_iter().map(|i| (i.keyword, i.name, &text[i.start..i.end])).collect()
    }

    #[test]
    fn items_are_cut_at_newlines_outside_brackets() {
        let text = "/// Doc.\nexport size big {\n  a = \"}\"\n}\nsecret param key: string // why\nlet x =\n  1 +\n  2\ncheck a\n  else \"b\"\n";
        assert_eq!(
            found(text),
            [
                ("size", "big", "export size big {\n  a = \"}\"\n}"),
                ("param", "key", "secret param key: string"),
                ("let", "x", "let x =\n  1 +\n  2"),
                ("check", "", "check a\n  else \"b\""),
            ]
        );
    }

    #[test]
    fn a_missing_value_does_not_swallow_the_next_item() {
        assert_eq!(found("let x =\nlet y = 2")[0].2, "let x =");
    }

    #[test]
    fn an_unclosed_block_ends_where_the_next_declaration_starts() {
        let text = "pool a: interactive {\n  size = x\n\npool b: interactive {\n  size = y\n}\n";
        let items = index(text);
        assert_eq!(items.iter().map(|i| (i.name, i.balanced)).collect::<Vec<_>>(), [("a", false), ("b", true)]);
    }

    #[test]
    fn existing_and_quoted_names_are_seen() {
        assert_eq!(found("existing network corp { }")[0].1, "corp");
        assert_eq!(found("role \"Storage Reader\" { }")[0].1, "Storage Reader");
    }
}
