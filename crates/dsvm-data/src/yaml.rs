//! Documents of YAML 1.2: one document, without aliases (which make small files large) and without tags.

use super::json::sentence;
use super::{DEPTH, Node, NodeKind, Reading};
use dsvm_diagnostics::source::Spanned;
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::ops::Range;
use std::sync::Arc;

/// A list or record that is not complete yet.
enum Open {
    List(Vec<Node>),
    /// Entries, and the name whose value comes next.
    Record(Vec<(Spanned<Arc<str>>, Node)>, Option<(String, Range<usize>)>),
}

/// The value of a document.
pub(super) fn read(reading: &mut Reading<'_>, text: &str) -> Option<Node> {
    let places = Places::new(text);
    let mut open: Vec<(Open, usize)> = Vec::new();
    let mut root = None;
    let mut documents = 0;
    let mut events = Parser::new_from_str(text);
    while let Some(event) = events.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = places.byte(error.marker().index());
                let title = format!("this is not YAML: {}", sentence(error.info()));
                reading.wrong(at..line_end(text, at), title, "not YAML", "correct the file");
                return None;
            }
        };
        let place = places.byte(span.start.index())..places.byte(span.end.index());
        if matches!(event, Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..)) && !open.is_empty() {
            reading.count(place.clone())?;
        }
        if open.len() > DEPTH {
            reading.too_deep(place);
            return None;
        }
        let done = match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    let help = "keep one document, without further lines `---`";
                    reading.wrong(place, "a data file has one document of YAML", "the second one", help);
                    return None;
                }
                None
            }
            Event::Alias(_) => {
                let help = "write the value out, also where it is repeated";
                reading.wrong(place, "aliases of YAML are not read", "an alias", help);
                return None;
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                let help = "remove the tag: the type of the value is declared at the import";
                reading.wrong(place, "tags of YAML are not read", "a tag", help);
                return None;
            }
            Event::Scalar(value, style, ..) => {
                if let Some((Open::Record(_, name @ None), _)) = open.last_mut() {
                    *name = Some((value.into_owned(), place));
                    continue;
                }
                let kind = match style {
                    ScalarStyle::Plain => NodeKind::Plain(Arc::from(&*value)),
                    _ => NodeKind::Text(Arc::from(&*value)),
                };
                Some(reading.node(kind, place))
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if matches!(open.last(), Some((Open::Record(_, None), _))) {
                    reading.wrong(place, "the name of a value is a text", "not a text", "write a name and a colon");
                    return None;
                }
                let new = match event {
                    Event::SequenceStart(..) => Open::List(Vec::new()),
                    _ => Open::Record(Vec::new(), None),
                };
                open.push((new, place.start));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (kind, start) = match open.pop()? {
                    (Open::List(list), start) => (NodeKind::List(list), start),
                    (Open::Record(record, _), start) => (NodeKind::Record(record), start),
                };
                Some(reading.node(kind, start..place.end.max(start)))
            }
            _ => None,
        };
        let Some(node) = done else { continue };
        match open.last_mut() {
            None => root = Some(node),
            Some((Open::List(list), _)) => {
                let at = node.span.start.saturating_sub(reading.base) as usize;
                list.push(node);
                let rows = list.len();
                if open.len() == 1 {
                    reading.rows(rows, at..line_end(text, at))?;
                }
            }
            Some((Open::Record(record, name), _)) => {
                let (name, place) = name.take()?;
                reading.add(record, &name, place, node);
            }
        }
    }
    if root.is_none() {
        reading.wrong(0..text.len(), "this data file is empty", "nothing in it", "write `[]` for an empty list");
    }
    root
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length)
}

/// Characters, which the library counts → bytes, which places count.
struct Places {
    /// Nothing when each character is one byte.
    starts: Option<Vec<u32>>,
    end: usize,
}

impl Places {
    fn new(text: &str) -> Self {
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at as u32).collect());
        Self { starts, end: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        match &self.starts {
            Some(starts) => starts.get(character).map_or(self.end, |at| *at as usize),
            None => character.min(self.end),
        }
    }
}
