//! JSON as people and tools really write it, into a tree that remembers where each value stood.
//!
//! Reads what Azure's service reads: comments, trailing commas, single quotes, unquoted keys, raw line ends inside
//! strings, a byte order mark. Of a key written twice the last value counts. Depth and size are bounded.

mod hidden;
mod node;
mod reader;
#[cfg(test)]
mod tests;

pub use hidden::without_secrets;
pub use node::{Node, NodeKind, Object, Text};
pub use reader::{JsonError, read};

use super::error::Position;
use std::sync::Arc;

/// The text of a file: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it and the Azure CLI reads it. What is
/// neither has replacement characters in it, which are no JSON.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2).skip(1).filter_map(|pair| pair.try_into().ok());
        String::from_utf16_lossy(&pairs.map(unit).collect::<Vec<_>>())
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A text and the starts of its lines, to turn offsets into lines and columns.
#[derive(Clone, Debug)]
pub struct Document {
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

impl Document {
    /// Indexes the lines of `text`.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let mut starts = vec![0u32];
        starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
        Self { text, line_starts: starts.into() }
    }

    /// The whole text, as given to [`Document::new`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_starts.partition_point(|s| *s <= offset).saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        let column = self.text.get(start as usize..offset as usize).map_or(0, |t| t.chars().count());
        Position { offset, line: line as u32 + 1, column: column as u32 + 1 }
    }
}
