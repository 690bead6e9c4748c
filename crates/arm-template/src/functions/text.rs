//! Strings as .NET sees them: positions count UTF-16 units, comparison without case folds single characters.

/// Length in UTF-16 units.
pub(crate) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The part of `count` units from `start`, both clamped.
pub(crate) fn slice(text: &str, start: usize, count: usize) -> String {
    if text.is_ascii() {
        let start = start.min(text.len());
        let end = start.saturating_add(count).min(text.len());
        return text.get(start..end).unwrap_or("").to_string();
    }
    let units: Vec<u16> = text.encode_utf16().skip(start).take(count).collect();
    String::from_utf16_lossy(&units)
}

/// One unit folded for comparison without case, as `OrdinalIgnoreCase` does: simple upper case.
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

/// The text folded; keeps the number of characters.
pub(crate) fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// Upper case of each character where that is one character, as .NET's invariant culture does.
pub(crate) fn upper(text: &str) -> String {
    folded(text)
}

/// Lower case by the same invariant mapping.
pub(crate) fn lower(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(single), None) => single,
                _ => c,
            }
        })
        .collect()
}

/// Position in UTF-16 units of a byte offset.
pub(crate) fn units_before(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(0, length)
}
