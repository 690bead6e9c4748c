//! The text of a template or parameter file with stars in place of literals that are secrets: for showing lines of it.
//!
//! Works on broken JSON too, because that is what is shown. Every byte keeps its place.

/// Puts stars in place of literals that are secrets by their parameter's type or by their name.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let mut scan = Scan { frames: vec![Frame::default()], hidden: Vec::new() };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                let end = end_of(bytes, at, *byte);
                scan.string(text, at + 1, end);
                at = end;
            }
            b'/' => at = comment(text, at),
            // A key without quotes.
            c if c.is_ascii_alphabetic() => {
                let length = bytes.iter().skip(at).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                scan.word(text.get(at..at + length).unwrap_or_default());
                at += length - 1;
            }
            b':' => scan.colon(),
            b'{' | b'[' => scan.open(),
            b'}' | b']' => scan.close(),
            b',' => scan.comma(),
            _ => {}
        }
        at += 1;
    }
    while scan.frames.len() > 1 {
        scan.close();
    }
    scan.close();
    let mut shown = bytes.to_vec();
    for (start, end) in scan.hidden {
        for byte in shown.get_mut(start..end).into_iter().flatten().filter(|b| **b != b'\n') {
            *byte = b'*';
        }
    }
    String::from_utf8(shown).unwrap_or_default()
}

/// The last byte of a comment that may begin here.
fn comment(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let length = if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        rest.find("*/").map_or(rest.len(), |end| end + 2)
    } else {
        1
    };
    at + length - 1
}

/// The place of the quote that ends a string, or the end of the text.
fn end_of(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b if *b == quote => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// An object or a list that is open.
#[derive(Default)]
struct Frame {
    /// The key that it is the value of.
    own: String,
    /// The last string, which a colon makes a key.
    last: String,
    span: Option<(usize, usize)>,
    key: String,
    /// Its `type` is one of the secure ones.
    secure: bool,
    /// Literals of its default.
    defaults: Vec<(usize, usize)>,
    /// Everything in here is part of a default.
    in_default: bool,
}

struct Scan {
    frames: Vec<Frame>,
    hidden: Vec<(usize, usize)>,
}

impl Scan {
    fn string(&mut self, text: &str, start: usize, end: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        let value = text.get(start..end).unwrap_or_default();
        value.clone_into(&mut frame.last);
        frame.span = Some((start, end));
        let key = frame.key.to_ascii_lowercase();
        if key == "type" && value.to_ascii_lowercase().starts_with("secure") {
            frame.secure = true;
        }
        if value.starts_with('[') || value.is_empty() {
            return;
        }
        let mine = matches!(key.as_str(), "value" | "defaultvalue") && sounds_secret(&frame.own);
        if mine || sounds_secret(&key) {
            self.hidden.push((start, end));
        } else if frame.in_default || key == "defaultvalue" {
            frame.defaults.push((start, end));
        }
    }

    fn word(&mut self, word: &str) {
        if let Some(frame) = self.frames.last_mut() {
            word.clone_into(&mut frame.last);
        }
    }

    fn colon(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.key = std::mem::take(&mut frame.last);
            // What the colon made a key is no value.
            let key = frame.span.take();
            frame.defaults.retain(|span| Some(*span) != key);
        }
    }

    fn comma(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.key.clear();
        }
    }

    fn open(&mut self) {
        let Some(around) = self.frames.last() else { return };
        let in_default = around.in_default || around.key.eq_ignore_ascii_case("defaultValue");
        let own = if around.key.is_empty() { around.own.clone() } else { around.key.clone() };
        self.frames.push(Frame { own, in_default, ..Frame::default() });
    }

    fn close(&mut self) {
        // The frame around everything stays, whatever is closed too often.
        let Some(frame) = (if self.frames.len() > 1 { self.frames.pop() } else { None }) else { return };
        if frame.in_default {
            if let Some(around) = self.frames.last_mut() {
                around.defaults.extend(frame.defaults);
            }
        } else if frame.secure {
            self.hidden.extend(frame.defaults);
        }
    }
}

/// Whether a value of this name is a secret rather than the name or the place of one.
fn sounds_secret(key: &str) -> bool {
    const WORDS: [&str; 10] = [
        "password",
        "passphrase",
        "secret",
        "privatekey",
        "accountkey",
        "accesskey",
        "sharedkey",
        "saskey",
        "sastoken",
        "connectionstring",
    ];
    const ABOUT: [&str; 7] = ["name", "names", "uri", "url", "version", "id", "type"];
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word)) && !ABOUT.iter().any(|end| key.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn literals_that_are_secrets_become_stars_and_everything_else_stays() {
        let cases = [
            (
                r#"{"p": {"type": "securestring", "defaultValue": "abc"}}"#,
                r#"{"p": {"type": "securestring", "defaultValue": "***"}}"#,
            ),
            (
                r#"{"p": {"defaultValue": {"a": ["x", {"b": "yz"}]}, "type": "secureObject"}}"#,
                r#"{"p": {"defaultValue": {"a": ["*", {"b": "**"}]}, "type": "secureObject"}}"#,
            ),
            (
                r#"{"p": {"type": "string", "defaultValue": "abc"}}"#,
                r#"{"p": {"type": "string", "defaultValue": "abc"}}"#,
            ),
            (r#"{"adminPassword": "a\"b", "x": [oops"#, r#"{"adminPassword": "****", "x": [oops"#),
            (
                r#"{"password": {"value": "abc"}, "other": {"value": "abc"}}"#,
                r#"{"password": {"value": "***"}, "other": {"value": "abc"}}"#,
            ),
            (
                r#"{"adminPassword": "[parameters('p')]", "secretName": "login"}"#,
                r#"{"adminPassword": "[parameters('p')]", "secretName": "login"}"#,
            ),
            (
                r#"{"p": {"type": "securestring", "defaultValue": "ab"#,
                r#"{"p": {"type": "securestring", "defaultValue": "**"#,
            ),
            ("{password: 'abc', // don't\n x: 'y'}", "{password: '***', // don't\n x: 'y'}"),
            ("/* \" */ {\"clientSecret\": \"é\"} /", "/* \" */ {\"clientSecret\": \"**\"} /"),
            ("}}]\"é", "}}]\"é"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_secrets(text), shown);
        }
    }
}
