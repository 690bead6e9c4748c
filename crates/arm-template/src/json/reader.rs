//! The reader: text into [`Node`]s, in one pass, without ever failing other than by [`JsonError`].

use super::node::{Node, NodeKind, Object, Text};
use indexmap::IndexMap;
use std::fmt;
use std::sync::Arc;

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Byte offset in the text.
    pub offset: u32,
    /// What is wrong there, in a plain sentence.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Bounds of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadLimits {
    /// Maximum length in bytes.
    pub bytes: usize,
    /// Most nested arrays and objects.
    pub depth: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { bytes: 16 << 20, depth: 128 }
    }
}

/// Reads a text with the default bounds.
pub fn read(text: &str) -> Result<Node, JsonError> {
    read_with(text, ReadLimits::default())
}

/// Reads a text within the given bounds.
pub(super) fn read_with(text: &str, limits: ReadLimits) -> Result<Node, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError {
            offset: 0,
            message: format!("the text has {} bytes; at most {} are read", text.len(), limits.bytes),
        });
    }
    let mut reader = Reader { text, at: 0, depth: 0, max_depth: limits.depth };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    reader.space()?;
    let node = reader.value()?;
    reader.space()?;
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.error("text follows the end of the JSON value")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    max_depth: usize,
}

impl<'t> Reader<'t> {
    fn error(&self, message: impl Into<String>) -> JsonError {
        JsonError { offset: self.at as u32, message: message.into() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn found(&self) -> String {
        match self.rest().chars().next() {
            None => "the end of the text".to_string(),
            Some('\n' | '\r') => "a line break".to_string(),
            Some(c) if c.is_control() => format!("`{}`", c.escape_debug()),
            Some(c) => format!("`{c}`"),
        }
    }

    /// Skips white space and comments.
    fn space(&mut self) -> Result<(), JsonError> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'/') => self.comment()?,
                Some(byte) if byte >= 0x80 => match self.rest().chars().next() {
                    Some(c) if c.is_whitespace() || c == '\u{feff}' => self.at += c.len_utf8(),
                    _ => return Ok(()),
                },
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), JsonError> {
        let rest = self.rest();
        if rest.starts_with("//") {
            self.at += rest.find('\n').unwrap_or(rest.len());
            return Ok(());
        }
        if let Some(inside) = rest.strip_prefix("/*") {
            let end = inside.find("*/").ok_or_else(|| self.error("a `/*` comment is not closed"))?;
            self.at += end + 4;
            return Ok(());
        }
        Err(self.error("expected a value or a comment, found `/`"))
    }

    fn value(&mut self) -> Result<Node, JsonError> {
        let offset = self.at as u32;
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(quote @ (b'"' | b'\'')) => NodeKind::String(Text::new(self.string(quote)?)),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number()?,
            Some(byte) if byte.is_ascii_alphabetic() => self.word()?,
            _ => return Err(self.error(format!("expected a value, found {}", self.found()))),
        };
        Ok(Node { offset, kind })
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<NodeKind, JsonError>) -> Result<NodeKind, JsonError> {
        if self.depth >= self.max_depth {
            return Err(self.error(format!("arrays and objects are nested more than {} deep", self.max_depth)));
        }
        self.depth += 1;
        let kind = inner(self);
        self.depth -= 1;
        kind
    }

    fn object(&mut self) -> Result<NodeKind, JsonError> {
        self.at += 1;
        let mut members = IndexMap::new();
        loop {
            self.space()?;
            let key: Arc<str> = match self.peek() {
                Some(b'}') => break,
                Some(quote @ (b'"' | b'\'')) => self.string(quote)?,
                _ => self.bare_key()?,
            };
            self.space()?;
            if self.peek() != Some(b':') {
                return Err(self.error(format!("expected `:` after the key `{key}`, found {}", self.found())));
            }
            self.at += 1;
            self.space()?;
            let value = self.value()?;
            members.insert(key, value);
            if !self.comma(b'}', "the object")? {
                break;
            }
        }
        self.at += 1;
        Ok(NodeKind::Object(Object { members }))
    }

    fn array(&mut self) -> Result<NodeKind, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space()?;
            if self.peek() == Some(b']') {
                break;
            }
            items.push(self.value()?);
            if !self.comma(b']', "the array")? {
                break;
            }
        }
        self.at += 1;
        Ok(NodeKind::Array(items))
    }

    /// After an element: true when a comma was read, false when the closing byte comes next.
    fn comma(&mut self, close: u8, what: &str) -> Result<bool, JsonError> {
        self.space()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => Ok(false),
            _ => Err(self.error(format!(
                "expected `,` or `{}`, found {}; {what} is not closed",
                close as char,
                self.found()
            ))),
        }
    }

    fn bare_key(&mut self) -> Result<Arc<str>, JsonError> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '-'))).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.error(format!("expected a key, found {}", self.found())));
        }
        let key = rest.get(..end).unwrap_or("");
        self.at += end;
        Ok(Arc::from(key))
    }

    fn word(&mut self) -> Result<NodeKind, JsonError> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("");
        let kind = match word {
            "true" | "True" => NodeKind::Bool(true),
            "false" | "False" => NodeKind::Bool(false),
            "null" | "undefined" => NodeKind::Null,
            _ => return Err(self.error(format!("`{word}` is not a JSON value"))),
        };
        self.at += end;
        Ok(kind)
    }

    fn number(&mut self) -> Result<NodeKind, JsonError> {
        let rest = self.rest();
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or("");
        let plain = text.strip_prefix('+').unwrap_or(text);
        let kind = if let Some(hex) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
            i64::from_str_radix(hex, 16).ok().map(NodeKind::Int)
        } else if let Ok(int) = plain.parse::<i64>() {
            Some(NodeKind::Int(int))
        } else {
            let ordinary = plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
            plain.parse::<f64>().ok().filter(|f| ordinary && f.is_finite()).map(NodeKind::Float)
        };
        let kind = kind.ok_or_else(|| self.error(format!("`{text}` is not a number")))?;
        self.at += end;
        Ok(kind)
    }

    fn string(&mut self, quote: u8) -> Result<Arc<str>, JsonError> {
        let open = self.at;
        self.at += 1;
        let stop = |b: &u8| *b == quote || *b == b'\\';
        let plain = self.rest().as_bytes().iter().position(stop);
        let unclosed = JsonError { offset: open as u32, message: "the string is not closed".to_string() };
        let Some(first) = plain else { return Err(unclosed) };
        let head = self.rest().get(..first).unwrap_or("");
        self.at += first;
        if self.peek() == Some(quote) {
            self.at += 1;
            return Ok(Arc::from(head));
        }
        let mut out = head.to_string();
        loop {
            match self.peek() {
                Some(b) if b == quote => {
                    self.at += 1;
                    return Ok(Arc::from(out));
                }
                Some(b'\\') => self.escape(&mut out)?,
                Some(_) => {
                    let rest = self.rest();
                    let Some(run) = rest.as_bytes().iter().position(stop) else { return Err(unclosed) };
                    out.push_str(rest.get(..run).unwrap_or(""));
                    self.at += run;
                }
                None => return Err(unclosed),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), JsonError> {
        let mut chars = self.rest().chars();
        chars.next();
        let Some(kind) = chars.next() else { return Err(self.error("the string is not closed")) };
        let plain = match kind {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '"' | '\'' | '\\' | '/' => kind,
            '\n' | '\r' => {
                self.at += 1 + kind.len_utf8();
                return Ok(());
            }
            'u' => return self.unicode(out),
            other => return Err(self.error(format!("`\\{}` is not an escape of JSON", other.escape_debug()))),
        };
        out.push(plain);
        self.at += 1 + kind.len_utf8();
        Ok(())
    }

    fn unicode(&mut self, out: &mut String) -> Result<(), JsonError> {
        let first = self.hex4(self.at)?;
        self.at += 6;
        if (0xd800..0xdc00).contains(&first)
            && self.rest().starts_with("\\u")
            && let Ok(second) = self.hex4(self.at)
            && (0xdc00..0xe000).contains(&second)
        {
            self.at += 6;
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            return Ok(());
        }
        out.push(char::from_u32(first).unwrap_or('\u{fffd}'));
        Ok(())
    }

    fn hex4(&self, at: usize) -> Result<u32, JsonError> {
        self.text
            .get(at + 2..at + 6)
            .filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|h| u32::from_str_radix(h, 16).ok())
            .ok_or_else(|| self.error("four hexadecimal digits belong after `\\u`"))
    }
}
