//! The words of the language that the parser, its messages and the formatter share with the grammar file.
//!
//! A test below reads them out of `dsvm.pest`, so the two cannot differ.

/// Words that begin a declaration with a form of its own. No block can begin with one of them.
pub const OWN_FORMS: &[&str] = &["import", "param", "secret", "let", "fn", "type", "check", "output", "export"];

/// Binary operators that are written as words.
pub const WORD_OPERATORS: &[&str] = &["in", "of", "initially"];

/// Words of `if … then … else …` and of `[… for …]`. Together with [`WORD_OPERATORS`] they cannot be names of values.
pub const EXPRESSION_WORDS: &[&str] = &["if", "then", "else", "for"];

/// Words that connect the parts of a phrase, as `to` in `link "a" to "b"`.
pub const CONNECTORS: &[&str] = &["to", "from", "on", "every", "with", "at", "for", "as", "by", "until"];

/// Units of time, as in `15 min`. `s` is also written `sec`, and `d` also `day` or `days`.
pub const TIME_UNITS: &[&str] = &["s", "sec", "min", "h", "d", "day", "days", "week", "weeks"];

/// Units of storage and memory.
pub const SIZE_UNITS: &[&str] = &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "KB", "MB", "GB", "TB"];

/// What money can be paid for: `h` in `2.50 USD/h`.
pub const MONEY_PERIODS: &[&str] = &["h", "day", "week", "month"];

/// Whether a word is a unit of time or size.
#[must_use]
pub fn is_unit(word: &str) -> bool {
    // The order of the tests is that of how often they are true in a file of pools.
    TIME_UNITS.contains(&word) || SIZE_UNITS.contains(&word)
}

/// Whether a word is part of the form of an expression and so cannot be the name of a value.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    EXPRESSION_WORDS.contains(&word) || WORD_OPERATORS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const GRAMMAR: &str = include_str!("dsvm.pest");

    /// The words in quotes that the definition of a rule contains.
    fn quoted(rule: &str) -> BTreeSet<&'static str> {
        let line = GRAMMAR
            .lines()
            .find(|line| line.split_once('=').is_some_and(|(name, _)| name.trim() == rule))
            .unwrap_or_default();
        let words: BTreeSet<&str> =
            line.split('"').skip(1).step_by(2).filter(|word| word.bytes().all(|b| b.is_ascii_alphabetic())).collect();
        assert!(!words.is_empty(), "no rule `{rule}` with words");
        words
    }

    #[test]
    fn the_lists_are_those_of_the_grammar() {
        for (rule, list) in [
            ("own_form", OWN_FORMS),
            ("word_operator", WORD_OPERATORS),
            ("time_unit", TIME_UNITS),
            ("size_unit", SIZE_UNITS),
            ("money_period", MONEY_PERIODS),
        ] {
            assert_eq!(quoted(rule), list.iter().copied().collect(), "`{rule}`");
        }
        for word in EXPRESSION_WORDS {
            assert!(quoted(&format!("kw_{word}")).contains(word));
        }
    }

    #[test]
    fn a_longer_unit_comes_before_its_beginning() {
        // The first alternative that fits is taken: `d` before `days` would leave `ays`.
        for (rule, list) in [("time_unit", TIME_UNITS), ("size_unit", SIZE_UNITS), ("money_period", MONEY_PERIODS)] {
            let at =
                |word: &str| GRAMMAR.split(&format!("\n{rule}")).nth(1).and_then(|g| g.find(&format!("\"{word}\"")));
            for (long, short) in list.iter().flat_map(|a| list.iter().map(move |b| (a, b))) {
                assert!(long == short || !long.starts_with(short) || at(long) < at(short), "{long} after {short}");
            }
        }
    }
}
