//! The wording of findings about names, types and values. The code that detects a problem supplies the facts.

mod blocks;
mod data;
mod names;
mod operators;
mod priced;
mod types;
mod values;

pub(crate) use blocks::*;
pub(crate) use data::*;
pub(crate) use names::*;
pub(crate) use operators::*;
pub(crate) use priced::*;
pub(crate) use types::*;
pub(crate) use values::*;

/// `a`, `b` and 3 more.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let shown: Vec<String> = words.iter().take(most).map(|word| format!("`{word}`")).collect();
    match (words.len().saturating_sub(most), shown.as_slice()) {
        (0, []) => String::new(),
        (0, [one]) => one.clone(),
        (0, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
        (more, shown) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `a` or `an`, by how the word sounds.
pub(super) fn article(word: &str) -> &'static str {
    match word.chars().next() {
        Some('a' | 'e' | 'i' | 'o' | 'A' | 'E' | 'I' | 'O') => "an",
        _ => "a",
    }
}
