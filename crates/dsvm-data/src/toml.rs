//! Documents of TOML: a table at the top.

use super::json::sentence;
use super::{DEPTH, Node, NodeKind, Reading};
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The table of a document.
pub(super) fn read(reading: &mut Reading<'_>, text: &str) -> Option<Node> {
    match DeTable::parse(text) {
        Ok(table) => {
            let kind = record(reading, table.get_ref(), 0)?;
            Some(reading.node(kind, 0..text.len()))
        }
        Err(error) => {
            let title = format!("this is not TOML: {}", sentence(error.message()));
            let place = error.span().unwrap_or(0..text.len());
            reading.wrong(place, title, "not TOML", "correct the file");
            None
        }
    }
}

fn record(reading: &mut Reading<'_>, table: &DeTable<'_>, depth: usize) -> Option<NodeKind> {
    // The library sorts the names; people read them in the order of the file.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let mut record = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let value = node(reading, value, depth + 1)?;
        reading.add(&mut record, name.get_ref(), name.span(), value);
    }
    Some(NodeKind::Record(record))
}

fn node(reading: &mut Reading<'_>, value: &Spanned<DeValue<'_>>, depth: usize) -> Option<Node> {
    let range: Range<usize> = value.span();
    if depth > DEPTH {
        reading.too_deep(range);
        return None;
    }
    reading.count(range.clone())?;
    let kind = match value.get_ref() {
        DeValue::String(text) => NodeKind::Text(Arc::from(&**text)),
        DeValue::Integer(number) if number.radix() == 10 => NodeKind::Number(Arc::from(number.as_str())),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => NodeKind::Number(Arc::from(number.to_string())),
            Err(_) => NodeKind::Number(Arc::from(number.as_str())),
        },
        DeValue::Float(number) => NodeKind::Number(Arc::from(number.as_str())),
        DeValue::Boolean(value) => NodeKind::Bool(*value),
        DeValue::Datetime(date) => NodeKind::Plain(Arc::from(date.to_string())),
        DeValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                list.push(node(reading, item, depth + 1)?);
            }
            NodeKind::List(list)
        }
        DeValue::Table(table) => record(reading, table, depth)?,
    };
    Some(reading.node(kind, range))
}
