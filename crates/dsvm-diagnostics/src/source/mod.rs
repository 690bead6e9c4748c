//! Source text: turns bytes of a file into positions that every later stage points at.
//!
//! Promises: a [`Span`] is a byte range inside one file, always on character boundaries. Knows nothing of the language.

use std::sync::{Arc, OnceLock};

/// Identifies one file in a [`SourceMap`]: one of the project's, or one of the standard library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// Where the file of a [`SourceId`] is, with its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Among the files that were added to the map.
    File(u32),
    /// Among the files of the standard library.
    Library(u32),
}

impl SourceId {
    /// Set in ids of the library's files. Both kinds share 32 bits, so that a [`Span`], of which a project has
    /// thousands, takes 12 bytes and not 16.
    const IN_LIBRARY: u32 = 1 << 31;

    /// The file that was added to a map after `index` others.
    #[must_use]
    pub const fn file(index: u32) -> Self {
        Self(index & !Self::IN_LIBRARY)
    }

    /// The file of the standard library with `index` others before it.
    #[must_use]
    pub const fn library(index: u32) -> Self {
        Self(index | Self::IN_LIBRARY)
    }

    /// Where the file is.
    #[must_use]
    pub const fn kind(self) -> SourceKind {
        match self.0 & Self::IN_LIBRARY {
            0 => SourceKind::File(self.0),
            _ => SourceKind::Library(self.0 & !Self::IN_LIBRARY),
        }
    }
}

/// A byte range `start..end` in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file that `start` and `end` count in.
    pub source: SourceId,
    /// Offset of the first byte, from 0.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` to `end` (bytes).
    #[must_use]
    pub fn new(source: SourceId, start: u32, end: u32) -> Self {
        Self { source, start, end }
    }

    /// From the start of this one to the end of `other`, which lies behind it.
    #[must_use]
    pub fn to_end(self, other: Self) -> Self {
        Self { end: other.end.max(self.start), ..self }
    }

    /// The smallest span that holds both; `self` when the files differ.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.source != other.source {
            return self;
        }
        Self { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A value and the text that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written, such as a name or an operator.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

/// One file: its name as shown to people, its text, and where its lines start.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path relative to the working directory, with forward slashes; `std.images` for the standard library.
    pub name: Arc<str>,
    /// The whole text as read; offsets of spans count its bytes.
    pub text: Arc<str>,
    line_starts: Arc<OnceLock<Box<[u32]>>>,
}

impl SourceFile {
    /// A file. Its lines are found when somebody first asks.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into(), line_starts: Arc::default() }
    }

    /// Line and column of a byte offset, both from 1; columns count characters.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.line_starts().partition_point(|s| *s <= offset).saturating_sub(1);
        let start = self.line_starts().get(line).copied().unwrap_or(0);
        let column = self.text.get(start as usize..offset as usize).map_or(0, |t| t.chars().count());
        (line as u32 + 1, column as u32 + 1)
    }

    /// Byte offsets at which lines start.
    #[must_use]
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
            std::iter::once(0).chain(breaks).collect()
        })
    }
}

/// All files of one run.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    library: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file and returns its id; ids count from 0 in the order of the calls.
    pub fn add(&mut self, file: SourceFile) -> SourceId {
        self.files.push(file);
        SourceId::file(self.files.len() as u32 - 1)
    }

    /// Makes the files of the standard library known. Their ids are the same in every map.
    pub fn set_library(&mut self, files: &[SourceFile]) {
        if self.library.is_empty() {
            self.library = files.to_vec();
        }
    }

    /// The file, if the id is of this map.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&SourceFile> {
        match id.kind() {
            SourceKind::Library(index) => self.library.get(index as usize),
            SourceKind::File(index) => self.files.get(index as usize),
        }
    }

    /// The text under a span; empty when the span is not of this map.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).and_then(|f| f.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// All files but the library's, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (SourceId::file(i as u32), f))
    }
}
