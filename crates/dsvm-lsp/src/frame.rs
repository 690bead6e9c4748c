//! Bytes ↔ messages: the base protocol, with a limit for every length that the other side names.

use lsp_server::{ErrorCode, Message};
use serde_json::Value;
use std::io::{BufRead, Read, Write};

/// Most bytes of one message: a document of 16 MiB, the largest source file, has room in it whatever is escaped.
const LARGEST: u64 = 128 << 20;
/// Most bytes of one line of a header.
const LINE: u64 = 8 << 10;

/// What the other side sent.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A request, a notification or an answer.
    Message(Message),
    /// Something else, and how to answer it.
    Malformed(ErrorCode, String),
    /// The other side closed the connection.
    End,
}

/// Reads one message. Whatever is wrong with it, the next call goes on behind it.
pub(crate) fn read(input: &mut impl BufRead) -> Incoming {
    let mut length = None;
    let mut wrong = None;
    let mut lines = 0;
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return Incoming::End,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            break;
        }
        lines += 1;
        match line.split_once(':') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse::<u64>().ok();
            }
            Some(_) => {}
            None => wrong = Some(format!("`{}` is no line of a header", shortened(line))),
        }
    }
    let Some(length) = length else {
        // An empty line between two messages harms nobody.
        if lines == 0 {
            return read(input);
        }
        let why = wrong.unwrap_or_else(|| "the header has no `Content-Length`".to_owned());
        return Incoming::Malformed(ErrorCode::ParseError, why);
    };
    if length > LARGEST {
        let skipped = std::io::copy(&mut input.by_ref().take(length), &mut std::io::sink());
        return match skipped {
            Ok(read) if read == length => {
                Incoming::Malformed(ErrorCode::InvalidRequest, format!("a message has at most {LARGEST} bytes"))
            }
            _ => Incoming::End,
        };
    }
    let mut body = Vec::new();
    match input.by_ref().take(length).read_to_end(&mut body) {
        Ok(read) if read as u64 == length => parse(&body),
        _ => Incoming::End,
    }
}

fn parse(body: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return Incoming::Malformed(ErrorCode::ParseError, format!("the message is not JSON: {error}")),
    };
    match serde_json::from_value(value) {
        Ok(message) => Incoming::Message(message),
        Err(_) => Incoming::Malformed(
            ErrorCode::InvalidRequest,
            "the message is neither a request nor a notification nor an answer".to_owned(),
        ),
    }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(40).collect()
}

/// Writes one message, with the header that frames it.
pub(crate) fn write(output: &mut impl Write, message: &Value) -> std::io::Result<()> {
    let body = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut input: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            found.push(match read(&mut input) {
                Incoming::Message(Message::Request(request)) => request.method,
                Incoming::Message(Message::Notification(notification)) => notification.method,
                Incoming::Message(Message::Response(_)) => "answer".to_owned(),
                Incoming::Malformed(code, _) => (code as i32).to_string(),
                Incoming::End => return found,
            });
        }
    }

    #[test]
    fn reading_goes_on_behind_what_is_malformed() {
        let good = r#"{"jsonrpc":"2.0","id":1,"method":"m"}"#;
        let good = format!("Content-Length: {}\r\n\r\n{good}", good.len());
        assert_eq!(all(good.as_bytes()), ["m"]);
        assert_eq!(all(format!("Content-Length: 1\r\n\r\n{{{good}").as_bytes()), ["-32700", "m"]);
        assert_eq!(all(format!("Content-Length: 2\r\n\r\n[]{good}").as_bytes()), ["-32600", "m"]);
        assert_eq!(all(format!("nonsense\r\n\r\n{good}").as_bytes()), ["-32700", "m"]);
        assert_eq!(all(format!("content-length:x\r\n\r\n{good}").as_bytes()), ["-32700", "m"]);
        assert_eq!(all(b"Content-Length: 99999999999999\r\n\r\n{}"), Vec::<String>::new());
        assert_eq!(all(b"Content-Length: 10\r\n\r\n{}"), Vec::<String>::new());
        let deep = "[".repeat(100_000);
        assert_eq!(all(format!("Content-Length: 100000\r\n\r\n{deep}{good}").as_bytes()), ["-32700", "m"]);
    }
}
