//! Spellings of stacks.

/// `SecureString` as stacks write it: `secureString`.
#[must_use]
pub fn lower_first(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
