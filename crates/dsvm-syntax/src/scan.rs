//! Text → lexical tokens, fast and without judgement: enough to find where items, entries and brackets begin and end.
//!
//! Strings (with what is interpolated in them), comments and regular expressions are one token each, so no bracket or
//! newline inside them is seen. Used to cut a file into items and to find a way through broken code.

/// A lexical token and its bytes, `start..end` of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Newline,
    /// `// …`; `true` for `/// …`.
    Comment(bool),
    /// An opening bracket: `(`, `[`, `{`
    Open(u8),
    /// A closing bracket: `)`, `]`, `}`
    Close(u8),
    Word,
    /// Digits and the letters directly after them.
    Number,
    /// A string; `true` when it is closed.
    String(bool),
    /// `/…/` after `matching`; `true` when it is closed.
    Regex(bool),
    /// An operator or any other ASCII sign.
    Sign,
    /// Anything else: a control character, a letter of another script, a typographic quote.
    Junk,
}

/// Brackets may be nested this deep.
pub(crate) const MAX_DEPTH: usize = 128;

/// A string that was broken over lines is looked for in this many lines after its first.
const MAX_BROKEN_LINES: usize = 8;

/// Walks over the tokens of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    after_matching: bool,
}

impl<'t> Scanner<'t> {
    /// Starts at byte `at`, which lies outside strings and comments.
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at, after_matching: false }
    }

    fn byte(&self, at: usize) -> u8 {
        // A NUL in the text is junk to every caller, as is the end of the text.
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn run(&self, at: usize, keep: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        at + rest.iter().position(|byte| !keep(*byte)).unwrap_or(rest.len())
    }

    fn line_end(&self, at: usize) -> usize {
        self.run(at, |b| b != b'\n')
    }

    fn regex(&self, start: usize) -> (Kind, usize) {
        let mut at = start + 1;
        while at < self.text.len() {
            match self.byte(at) {
                b'\\' => at += 1,
                b'/' => return (Kind::Regex(true), at + 1),
                b'\n' => break,
                _ => {}
            }
            at += 1;
        }
        (Kind::Regex(false), self.line_end(start))
    }

    /// The end of the string that starts at `start`, and whether it is closed.
    fn string(&self, start: usize, depth: usize) -> (bool, usize) {
        let long = self.text.as_bytes().get(start..start + 3) == Some(b"\"\"\"");
        let mut at = start + if long { 3 } else { 1 };
        while at < self.text.len() {
            match self.byte(at) {
                b'\\' if self.byte(at + 1) != b'\n' => at += 2,
                b'"' if !long => return (true, at + 1),
                b'"' if self.byte(at + 1) == b'"' && self.byte(at + 2) == b'"' => return (true, at + 3),
                b'\n' if !long => return (false, at),
                b'$' if self.byte(at + 1) == b'{' && depth < MAX_DEPTH => match self.interpolation(at + 2, long, depth)
                {
                    Some(end) => at = end,
                    None => return (false, if long { self.text.len() } else { self.line_end(start) }),
                },
                _ => at += 1,
            }
        }
        (false, self.text.len().min(at))
    }

    /// The end of a string that was broken over lines: `line_end` is where its first line ends. Its closing quote
    /// directly follows text of a later line, or alone, and every other quote of that line has its partner.
    fn broken_end(&self, start: usize, line_end: usize) -> Option<usize> {
        if self.text.get(start..line_end)?.contains("${") || self.text.get(start..)?.starts_with("\"\"\"") {
            return None;
        }
        let mut at = line_end + 1;
        for line in self.text.get(at..)?.lines().take(MAX_BROKEN_LINES) {
            let Some((text, rest)) = line.split_once('"') else {
                if looks_like_code(line) {
                    return None;
                }
                at += line.len() + 1;
                continue;
            };
            let closes = !text.ends_with([' ', '\t', '=', '(', '[', '{', ',', ':']) || text.trim().is_empty();
            let ends = rest.is_empty() || rest.starts_with([' ', '\t', '\r', ')', ']', '}', ',', '.']);
            let alone = !text.trim().is_empty() || !rest.contains('=');
            let paired = rest.matches('"').count() % 2 == 0;
            return (closes && ends && alone && paired && !looks_like_code(text)).then(|| at + text.len() + 1);
        }
        None
    }

    /// The end of `${ … }`, whose content starts at `at`.
    fn interpolation(&self, mut at: usize, long: bool, depth: usize) -> Option<usize> {
        let mut open = 1;
        while at < self.text.len() {
            match self.byte(at) {
                b'{' => open += 1,
                b'}' if open == 1 => return Some(at + 1),
                b'}' => open -= 1,
                b'\n' if !long => return None,
                b'"' => {
                    let (closed, end) = self.string(at, depth + 1);
                    if !closed {
                        return None;
                    }
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

pub(super) fn is_word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// Whether a line without quotes is plainly no text: a field, the head or the end of a block.
fn looks_like_code(line: &str) -> bool {
    let line = line.trim();
    let word = line.bytes().take_while(|b| is_word_byte(*b)).count();
    let field = word > 0 && line.get(word..).is_some_and(|rest| rest.trim_start().starts_with(['=', ':']));
    field || line.ends_with('{') || matches!(line, "}" | ")" | "]" | "},")
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.run(self.at, |b| matches!(b, b' ' | b'\t' | b'\r'));
        if start >= self.text.len() {
            self.at = start;
            return None;
        }
        let after_matching = std::mem::take(&mut self.after_matching);
        let next = self.byte(start + 1);
        let (kind, end) = match self.byte(start) {
            b'\n' => (Kind::Newline, start + 1),
            b'/' if next == b'/' => {
                let doc = self.byte(start + 2) == b'/' && self.byte(start + 3) != b'/';
                (Kind::Comment(doc), self.line_end(start))
            }
            b'/' if after_matching => self.regex(start),
            b @ (b'(' | b'[' | b'{') => (Kind::Open(b), start + 1),
            b @ (b')' | b']' | b'}') => (Kind::Close(b), start + 1),
            b'"' => {
                let (closed, end) = self.string(start, 0);
                let broken = if closed { None } else { self.broken_end(start, end) };
                (Kind::String(closed), broken.unwrap_or(end))
            }
            b if b.is_ascii_alphabetic() || b == b'_' => {
                let end = self.run(start, is_word_byte);
                self.after_matching = self.text.get(start..end) == Some("matching");
                (Kind::Word, end)
            }
            b if b.is_ascii_digit() => (Kind::Number, self.run(start, is_word_byte)),
            b'=' | b'!' | b'<' | b'>' if next == b'=' => (Kind::Sign, start + 2),
            b @ (b'&' | b'|' | b'?' | b'.') if next == b => (Kind::Sign, start + 2),
            b if b.is_ascii_graphic() => (Kind::Sign, start + 1),
            _ => (
                Kind::Junk,
                self.text.get(start..).and_then(|t| t.chars().next()).map_or(start + 1, |c| start + c.len_utf8()),
            ),
        };
        self.at = end;
        Some(Token { kind, start, end })
    }
}

/// Whether the statement that ends with `last` continues after a newline; `rest` starts at that newline.
///
/// It does after `=` and binary operators, and when the next line starts with `{`, `then` or `else`. It
/// does not when the next line is plainly a statement of its own (`word =`, `word word`): then a value is missing.
pub(super) fn continues(text: &str, before_last: Option<Token>, last: Token, rest: Scanner<'_>) -> bool {
    let significant = |t: &Token| !matches!(t.kind, Kind::Newline | Kind::Comment(_));
    let mut rest = rest;
    let Some(next) = rest.find(significant) else { return false };
    let word = |t: Token| text.get(t.start..t.end).unwrap_or_default();
    match next.kind {
        Kind::Open(b'{') => return true,
        Kind::Word if matches!(word(next), "then" | "else") => return true,
        _ => {}
    }
    let open_ended = match last.kind {
        Kind::Sign => {
            let percent =
                word(last) == "%" && before_last.is_some_and(|b| b.kind == Kind::Number && b.end == last.start);
            !percent && is_binary(word(last))
        }
        Kind::Word => matches!(word(last), "in" | "of" | "initially" | "if" | "then" | "else"),
        _ => false,
    };
    if !open_ended {
        return false;
    }
    if next.kind != Kind::Word || word(next) == "if" {
        return !matches!(next.kind, Kind::Close(_));
    }
    match rest.next() {
        Some(t) if t.kind == Kind::Word => matches!(word(t), "in" | "of" | "initially" | "then" | "else" | "for"),
        Some(t) if t.kind == Kind::Sign => word(t) != "=" && word(t) != ":",
        Some(t) => t.kind != Kind::Open(b'{'),
        None => true,
    }
}

/// Signs after which, or before which, a statement goes on.
fn is_binary(sign: &str) -> bool {
    matches!(
        sign,
        "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "??" | ".." | "+" | "-" | "*" | "/" | "%" | "|"
    )
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test stops where a range is wrong")]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        Scanner::new(text, 0).map(|t| (t.kind, &text[t.start..t.end])).collect()
    }

    #[test]
    fn strings_with_interpolated_strings_are_one_token() {
        let text = r#"a = "x ${f("}", { b = 1 })} y" // "c"#;
        let found = kinds(text);
        assert_eq!(found[2], (Kind::String(true), r#""x ${f("}", { b = 1 })} y""#));
        assert_eq!(found[3], (Kind::Comment(false), "// \"c"));
    }

    #[test]
    fn an_open_string_ends_with_its_line() {
        assert_eq!(kinds("\"ab\n1"), [(Kind::String(false), "\"ab"), (Kind::Newline, "\n"), (Kind::Number, "1")]);
        assert_eq!(kinds("\"a${b\n1")[0], (Kind::String(false), "\"a${b"));
    }

    #[test]
    fn a_string_that_was_broken_over_lines_is_one_token() {
        assert_eq!(kinds("\"a\n  b\" }")[0], (Kind::String(false), "\"a\n  b\""));
        assert_eq!(kinds("\"a\nb\n\"")[0], (Kind::String(false), "\"a\nb\n\""));
        // Two strings without end, a whole string on the next line, a field between.
        assert_eq!(kinds("\"a\nb = \"c")[0], (Kind::String(false), "\"a"));
        assert_eq!(kinds("\"a\nb \"c\"")[0], (Kind::String(false), "\"a"));
        assert_eq!(kinds("\"a\nb = 1\nc\"")[0], (Kind::String(false), "\"a"));
    }

    #[test]
    fn a_regular_expression_hides_its_brackets() {
        assert_eq!(kinds(r"matching /[a-z\/{]+/ {")[1], (Kind::Regex(true), r"/[a-z\/{]+/"));
        assert_eq!(kinds("a / b")[1], (Kind::Sign, "/"));
    }

    #[test]
    fn letters_of_other_scripts_are_whole() {
        assert_eq!(kinds("“é")[0], (Kind::Junk, "“"));
    }
}
