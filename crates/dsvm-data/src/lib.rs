//! Text of a data file → a tree of values, each with its place. Knows no types: what a cell stands for is decided where
//! the type of its column is known.
//!
//! Promises: never fails other than by [`Mistake`]s, and never makes more than [`VALUES`] values.

mod csv;
mod json;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

use dsvm_diagnostics::source::{SourceId, Span, Spanned};
use std::ops::Range;
use std::sync::Arc;

/// Most bytes of a file: ten thousand rows with a long public key each have less.
pub const BYTES: usize = 4 << 20;
/// Most rows of a table, and most elements of the list at the top of a document.
pub const ROWS: usize = 10_000;
/// Most values of a file, counting each list and record with what is in it; a list of the language has as many.
pub const VALUES: usize = 100_000;
/// Most columns of a table, and most names of a record.
const NAMES: usize = 1_000;
/// Most lists and records inside each other.
const DEPTH: usize = 32;
/// Most mistakes that are told of one file: a wrong separator breaks every row of it.
pub const MISTAKES: usize = 10;

/// A notation of data, known by the end of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a first row that names the columns.
    Csv,
    /// RFC 8259, without comments and trailing commas.
    Json,
    /// One document of YAML 1.2, without aliases and tags.
    Yaml,
    /// TOML 1.1, a table at its top.
    Toml,
}

/// How the names of data files end.
const ENDS: &[(&str, Format)] = &[
    ("csv", Format::Csv),
    ("json", Format::Json),
    ("yaml", Format::Yaml),
    ("yml", Format::Yaml),
    ("toml", Format::Toml),
];

/// The ends of the names of data files, without the dot.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    ENDS.iter().map(|(end, _)| *end)
}

/// The notation of a file, by its path.
#[must_use]
pub fn format_of(path: &str) -> Option<Format> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, end) = file.rsplit_once('.')?;
    let known = ENDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(end));
    known.filter(|_| !stem.is_empty()).map(|(_, format)| *format)
}

impl Format {
    /// Its name, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Json => "JSON",
            Format::Yaml => "YAML",
            Format::Toml => "TOML",
        }
    }
}

/// A value, and where it is written. Lists and records have the place of their first line.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value, with those in it.
    pub kind: NodeKind,
    /// The text that it was read from.
    pub span: Span,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The value at its top.
    pub root: Node,
    /// The columns of a table, also of one without rows; of other formats nothing.
    pub columns: Vec<Spanned<Arc<str>>>,
}

/// The kinds of value that a data file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// JSON writes it `null`; other formats leave the place empty.
    Null,
    /// One of `true` and `false`, of JSON and TOML.
    Bool(bool),
    /// A number of JSON or TOML, as written.
    Number(Arc<str>),
    /// What stands in quotes is text, whatever it looks like.
    Text(Arc<str>),
    /// A cell without quotes, a plain scalar of YAML, a date of TOML: the type that is wanted decides what it is.
    Plain(Arc<str>),
    /// Elements in the order of the file.
    List(Vec<Node>),
    /// Names and values in the order of the file; no name twice.
    Record(Vec<(Spanned<Arc<str>>, Node)>),
}

/// Why a file cannot be read, at one place of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, as a sentence without a period.
    pub title: String,
    /// Where it is wrong.
    pub span: Span,
    /// A few words for the place.
    pub label: &'static str,
    /// What to do about it, as a sentence without a period.
    pub help: String,
}

/// Reads a file.
///
/// # Errors
/// It is not of this format, is empty, or is beyond a limit: at least one and at most [`MISTAKES`] mistakes.
pub fn read(format: Format, source: SourceId, text: &str) -> Result<Data, Vec<Mistake>> {
    let mut reading = Reading::new(source, text);
    let from = reading.base as usize;
    if text.len() > BYTES {
        let help = "split the file into several, and join their lists with `+`";
        return Err(vec![reading.mistake(0..0, "a data file has at most 4 MiB", "too large", help)]);
    }
    let text = text.get(from..).unwrap_or_default();
    if text.trim().is_empty() {
        let help = match format {
            Format::Csv => "write a first row that names the columns",
            Format::Json => "write `[]` for an empty list",
            Format::Yaml => "write `[]` for an empty list",
            Format::Toml => "write at least one `name = value`",
        };
        return Err(vec![reading.mistake(0..0, "this data file is empty", "nothing in it", help)]);
    }
    if let Some(at) = text.find(char::REPLACEMENT_CHARACTER) {
        let place = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
        let help = "save the file as UTF-8; spreadsheets offer `CSV UTF-8`";
        return Err(vec![reading.mistake(place, "this data file is not UTF-8", "not readable", help)]);
    }
    let mut columns = Vec::new();
    let root = match format {
        Format::Csv => csv::read(&mut reading, text, &mut columns),
        Format::Json => json::read(&mut reading, text),
        Format::Yaml => yaml::read(&mut reading, text),
        Format::Toml => toml::read(&mut reading, text),
    };
    match root {
        Some(root) if reading.mistakes.is_empty() => Ok(Data { root, columns }),
        _ => Err(reading.mistakes),
    }
}

/// What the readers of all formats share: places, limits, mistakes.
struct Reading<'t> {
    source: SourceId,
    /// The text behind the mark of its encoding.
    text: &'t str,
    /// Bytes of that mark.
    base: u32,
    values: usize,
    mistakes: Vec<Mistake>,
}

impl<'t> Reading<'t> {
    fn new(source: SourceId, text: &'t str) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let base = (text.len() - rest.len()) as u32;
        Self { source, text: rest, base, values: 0, mistakes: Vec::new() }
    }

    /// The place of a range of the text, its first line only, without spaces at its end.
    fn span(&self, range: Range<usize>) -> Span {
        let part = self.text.get(range.clone()).unwrap_or_default();
        let line = part.lines().next().unwrap_or_default().trim_end();
        let start = self.base + range.start.min(self.text.len()) as u32;
        Span::new(self.source, start, start + line.len() as u32)
    }

    fn mistake(&self, range: Range<usize>, title: impl Into<String>, label: &'static str, help: &str) -> Mistake {
        Mistake { title: title.into(), span: self.span(range), label, help: help.to_owned() }
    }

    /// Tells of a mistake; `false` when enough have been told.
    fn wrong(&mut self, range: Range<usize>, title: impl Into<String>, label: &'static str, help: &str) -> bool {
        let mistake = self.mistake(range, title, label, help);
        self.mistakes.push(mistake);
        self.mistakes.len() < MISTAKES
    }

    /// Counts one value more; nothing when there are too many, which is told.
    fn count(&mut self, range: Range<usize>) -> Option<()> {
        self.values += 1;
        if self.values <= VALUES {
            return Some(());
        }
        let help = "split the file into several, and join their lists with `+`";
        self.wrong(range, "a data file has at most 100,000 values", "one too many", help);
        None
    }

    /// Whether a list at the top may have this many elements; told when not.
    fn rows(&mut self, rows: usize, range: Range<usize>) -> Option<()> {
        if rows <= ROWS {
            return Some(());
        }
        let help = "split the file into several, and join their lists with `+`";
        self.wrong(range, "a data file has at most 10,000 rows", "one too many", help);
        None
    }

    fn too_deep(&mut self, range: Range<usize>) {
        let title = "lists and records are nested more than 32 deep";
        self.wrong(range, title, "too deep", "write the values with fewer levels");
    }

    /// Adds a named value to a record; a name that is there already is told.
    fn add(&mut self, record: &mut Vec<(Spanned<Arc<str>>, Node)>, name: &str, place: Range<usize>, value: Node) {
        let span = self.span(place.clone());
        if record.len() == NAMES {
            self.too_many_names(place);
            return;
        }
        if record.iter().any(|(known, _)| &*known.value == name) {
            self.wrong(place, format!("`{name}` is given twice"), "given twice", "remove one of the two");
            return;
        }
        record.push((Spanned { value: Arc::from(name), span }, value));
    }

    fn too_many_names(&mut self, range: Range<usize>) {
        // Once: the record ends here for the reader.
        if self.mistakes.is_empty() {
            let help = "write a list of records instead of one record with many names";
            self.wrong(range, "a record has at most 1,000 names", "one too many", help);
        }
    }

    fn node(&self, kind: NodeKind, range: Range<usize>) -> Node {
        Node { kind, span: self.span(range) }
    }
}
