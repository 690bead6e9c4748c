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
