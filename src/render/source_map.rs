//! Provenance → the source map as JSON: for each part of a template, the lines that it came from.

use dsvm_diagnostics::source::{SourceMap, Span};
use dsvm_graph::json::{number, quote};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Raised when a reader of the old form would misread the new one.
const SCHEMA: u32 = 1;

/// The document, with a newline at its end. Pointers are JSON pointers into the template.
#[must_use]
pub fn write(sources: &SourceMap, provenance: &[(String, Span)]) -> String {
    let mut out = String::with_capacity(64 + provenance.len() * 260);
    // Writing to a string cannot fail.
    let _ = write!(out, "{{\n  \"schema\": {SCHEMA},\n  \"parts\": [");
    for (index, (pointer, span)) in provenance.iter().enumerate() {
        out.push_str(if index > 0 { ",\n    {\n      \"pointer\": " } else { "\n    {\n      \"pointer\": " });
        quote(pointer, &mut out);
        if let Some(file) = sources.get(span.source) {
            out.push_str(",\n      \"file\": ");
            quote(&file.name, &mut out);
            let (line, column) = file.line_column(span.start);
            let (end_line, end_column) = file.line_column(span.end);
            for (name, value) in [
                (",\n      \"line\": ", line),
                (",\n      \"column\": ", column),
                (",\n      \"end_line\": ", end_line),
                (",\n      \"end_column\": ", end_column),
            ] {
                out.push_str(name);
                number(value.into(), &mut out);
            }
        }
        out.push_str("\n    }");
    }
    out.push_str(if provenance.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
    out
}

/// The lines of each part of a template as `build` writes it: JSON pointer → first and last line, from 0.
#[must_use]
pub fn lines(template: &str) -> HashMap<String, (u32, u32)> {
    let mut found = HashMap::new();
    // The pointer of each open bracket, the line that opens it, and the number of elements so far, of a list only.
    let mut open: Vec<(String, u32, Option<usize>)> = Vec::new();
    for (line, text) in (0u32..).zip(template.lines()) {
        let text = text.trim();
        if text.starts_with(['}', ']']) {
            if let Some((pointer, from, _)) = open.pop() {
                found.insert(pointer, (from, line));
            }
            continue;
        }
        let (key, value) = member(text).map_or((None, text), |(key, value)| (Some(key), value));
        let pointer = match open.last_mut() {
            None => String::new(),
            Some((outer, _, Some(count))) => {
                *count += 1;
                format!("{outer}/{}", *count - 1)
            }
            Some((outer, _, None)) => format!("{outer}/{}", key.unwrap_or_default()),
        };
        match value {
            "{" => open.push((pointer, line, None)),
            "[" => open.push((pointer, line, Some(0))),
            _ => drop(found.insert(pointer, (line, line))),
        }
    }
    found
}

/// The key of a line `"key": value`, escaped for a pointer, and the rest of the line.
fn member(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let value = inner.get(end + 1..)?.strip_prefix(": ")?;
    let key: String = serde_json::from_str(text.get(..end + 2)?).ok()?;
    Some((key.replace('~', "~0").replace('/', "~1"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_template_has_its_lines() {
        let value = serde_json::json!({
            "a": 1, "b": [{ "c/d": "x\": y" }, [], "z"], "e~": {}, "\"f\"": { "g": [1, 2] },
        });
        let text = format!("{value:#}");
        let found = lines(&text);
        let numbered: Vec<&str> = text.lines().collect();
        let mut pointers = vec![String::new()];
        while let Some(pointer) = pointers.pop() {
            let (first, last) = found[&pointer];
            let part = value.pointer(&pointer).unwrap();
            let shown = numbered[first as usize..=last as usize].join("\n");
            let shown = shown.trim().trim_end_matches(',');
            let bare = member(shown).filter(|_| !pointer.is_empty()).map_or(shown, |(_, rest)| rest);
            assert_eq!(serde_json::from_str::<serde_json::Value>(bare).unwrap(), *part, "{pointer}");
            let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
            match part {
                serde_json::Value::Object(fields) => {
                    pointers.extend(fields.keys().map(|key| format!("{pointer}/{}", escape(key))));
                }
                serde_json::Value::Array(items) => {
                    pointers.extend((0..items.len()).map(|at| format!("{pointer}/{at}")));
                }
                _ => {}
            }
        }
    }
}
