//! Order of strings as .NET's invariant culture has it: letters before case, `a` before `A` before `b`.
//!
//! .NET takes the root collation of the Unicode consortium's data for its invariant culture, down to the third level
//! (letters, then marks, then case); so does this.

use std::cmp::Ordering;
use std::sync::LazyLock;

use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::{Collator, CollatorBorrowed};

/// `None` cannot be: the data is part of the program. Strings are then ordered by code point.
static ROOT: LazyLock<Option<CollatorBorrowed<'static>>> = LazyLock::new(|| {
    let mut options = CollatorOptions::default();
    options.strength = Some(Strength::Tertiary);
    Collator::try_new(Default::default(), options).ok()
});

/// Compares two strings as the service's collation does.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    match ROOT.as_ref() {
        Some(root) => root.compare(left, right),
        None => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<const N: usize>(mut words: [&str; N]) -> [&str; N] {
        words.sort_by(|x, y| compare(x, y));
        words
    }

    #[test]
    fn letters_count_before_case() {
        let words = sorted(["b", "A", "a", "B", "aa", "Aa", "aA", "-", "1", "ä", "z", "ab", "_"]);
        assert_eq!(words, ["_", "-", "1", "a", "A", "ä", "aa", "aA", "Aa", "ab", "b", "B", "z"]);
        assert_eq!(compare("a", "a"), Ordering::Equal);
    }

    #[test]
    fn every_script_has_its_order() {
        // Cyrillic and Greek by letter, not by code point: ё stands with е, ά with α; Latin before Greek before Cyrillic
        assert_eq!(sorted(["я", "ж", "ё", "е", "а"]), ["а", "е", "ё", "ж", "я"]);
        assert_eq!(sorted(["β", "Α", "ά", "α"]), ["α", "Α", "ά", "β"]);
        assert_eq!(sorted(["я", "ω", "z", "語"]), ["z", "ω", "я", "語"]);
        // what looks the same and is written in two ways is the same
        assert_eq!(compare("\u{e9}", "e\u{301}"), Ordering::Equal);
        assert_eq!(compare("ﬁ", "fi"), Ordering::Greater);
    }
}
