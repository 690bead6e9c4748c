//! Tables: rows of cells, of which the first names the columns (RFC 4180).

use super::{NAMES, Node, NodeKind, Reading};
use csv_core::{ReadFieldResult, Reader};
use dsvm_diagnostics::count;
use dsvm_diagnostics::source::Spanned;
use std::ops::Range;
use std::sync::Arc;

/// A cell: its text, where it is written, and whether in quotes.
struct Cell {
    text: String,
    place: Range<usize>,
    quoted: bool,
}

impl Cell {
    fn is_blank(&self) -> bool {
        !self.quoted && self.text.is_empty()
    }
}

/// The rows of a table as records.
pub(super) fn read(reading: &mut Reading<'_>, text: &str, columns: &mut Vec<Spanned<Arc<str>>>) -> Option<Node> {
    let mut rows = Rows { reader: Reader::new(), text, at: 0, out: vec![0; text.len()] };
    let header = rows.next_row(reading)?;
    let names = named(reading, &header, text)?;
    columns.clone_from(&names);
    let mut list = Vec::new();
    while let Some(row) = rows.next_row(reading) {
        // Spreadsheets end tables with such rows.
        if row.iter().all(Cell::is_blank) {
            continue;
        }
        let whole = whole(&row);
        reading.rows(list.len() + 1, whole.clone())?;
        if row.len() != names.len() {
            let (cells, columns) = (row.len(), names.len());
            let help = match cells > columns {
                true => "put quotes around a value with a comma in it: `\"a, b\"`",
                false => "add the missing cells; nothing between two commas is an empty cell",
            };
            let title =
                format!("this row has {}, and the first row names {}", count(cells, "cell"), count(columns, "column"));
            if !reading.wrong(whole, title, "another number of cells", help) {
                return None;
            }
            continue;
        }
        reading.count(whole.clone())?;
        let mut record = Vec::with_capacity(names.len());
        for (name, cell) in names.iter().zip(row) {
            reading.count(cell.place.clone())?;
            let kind = match cell.quoted {
                true => NodeKind::Text(cell.text.into()),
                false => NodeKind::Plain(cell.text.into()),
            };
            record.push((name.clone(), reading.node(kind, cell.place)));
        }
        list.push(reading.node(NodeKind::Record(record), whole));
    }
    Some(reading.node(NodeKind::List(list), 0..text.len()))
}

fn whole(row: &[Cell]) -> Range<usize> {
    let start = row.first().map_or(0, |cell| cell.place.start);
    start..row.last().map_or(start, |cell| cell.place.end)
}

/// The names of the columns.
fn named(reading: &mut Reading<'_>, header: &[Cell], text: &str) -> Option<Vec<Spanned<Arc<str>>>> {
    if let [only] = header
        && let Some(separator) = [';', '\t'].into_iter().find(|sign| only.text.contains(*sign))
    {
        let title = match separator {
            ';' => "the columns of this table are separated by `;`",
            _ => "the columns of this table are separated by tabs",
        };
        reading.wrong(only.place.clone(), title, "no comma", "separate the columns with commas");
        return None;
    }
    if let Some(cell) = header.get(NAMES) {
        reading.too_many_names(cell.place.clone());
        return None;
    }
    let mut names: Vec<Spanned<Arc<str>>> = Vec::with_capacity(header.len());
    for (at, cell) in header.iter().enumerate() {
        let name = cell.text.trim();
        let place = match cell.place.is_empty() {
            // Nothing to point at: the comma beside it.
            true => cell.place.start.saturating_sub(1)..(cell.place.start + 1).min(text.len()),
            false => cell.place.clone(),
        };
        if name.is_empty() {
            let title = format!("column {} has no name", at + 1);
            reading.wrong(place, title, "no name", "name the column in the first row, or remove it");
        } else if names.iter().any(|known| &*known.value == name) {
            reading.wrong(place, format!("two columns are named `{name}`"), "named twice", "rename one of them");
        } else {
            names.push(Spanned { value: Arc::from(name), span: reading.span(place) });
        }
    }
    reading.mistakes.is_empty().then_some(names)
}

/// Reads cells one by one: the reader of records does not tell where they are.
struct Rows<'t> {
    reader: Reader,
    text: &'t str,
    at: usize,
    /// Where the reader puts the text of a cell; no cell is longer than the file.
    out: Vec<u8>,
}

impl Rows<'_> {
    /// The next row; nothing at the end, or where quotes are not closed, which is told.
    fn next_row(&mut self, reading: &mut Reading<'_>) -> Option<Vec<Cell>> {
        let mut row = Vec::new();
        loop {
            let (cell, last) = self.cell(row.is_empty())?;
            let raw = self.text.get(cell.place.clone()).unwrap_or_default();
            if cell.quoted && raw.matches('"').count() % 2 == 1 {
                let help = "close the quotes; a quote inside quotes is written twice: `\"\"`";
                reading.wrong(cell.place, "these quotes are not closed", "opened here", help);
                return None;
            }
            row.push(cell);
            if last {
                return Some(row);
            }
        }
    }

    /// The next cell, and whether it is the last of its row.
    fn cell(&mut self, first: bool) -> Option<(Cell, bool)> {
        let from = self.at;
        let mut length = 0;
        let last = loop {
            let input = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let output = self.out.get_mut(length..).unwrap_or_default();
            let (result, read, written) = self.reader.read_field(input, output);
            self.at += read;
            length += written;
            match result {
                // An empty input tells the reader that this is the end.
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => self.out.resize(self.out.len() * 2 + 64, 0),
                ReadFieldResult::Field { record_end } => break record_end,
                ReadFieldResult::End => return None,
            }
        };
        let mut raw = self.text.get(from..self.at).unwrap_or_default();
        let mut start = from;
        if first {
            // The end of the row before, and empty lines.
            let trimmed = raw.trim_start_matches(['\r', '\n']);
            start += raw.len() - trimmed.len();
            raw = trimmed;
        }
        raw = match last {
            true => raw.trim_end_matches(['\r', '\n']),
            false => raw.strip_suffix(',').unwrap_or(raw),
        };
        let quoted = raw.starts_with('"');
        let text = String::from_utf8_lossy(self.out.get(..length).unwrap_or_default()).into_owned();
        if quoted {
            return Some((Cell { text, place: start..start + raw.len(), quoted }, last));
        }
        start += raw.len() - raw.trim_start().len();
        let raw = raw.trim();
        Some((Cell { text: text.trim().to_owned(), place: start..start + raw.len(), quoted }, last))
    }
}
