//! Names as Azure takes them, checked on what was generated.

use crate::graph::versions as v;
use regex::Regex;
use std::sync::LazyLock;

/// A rule for names of a type.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Fewest and most characters.
    pub(crate) length: (usize, usize),
    pattern: Regex,
    /// In words.
    pub(crate) words: &'static str,
}

impl Rule {
    fn new(length: (usize, usize), pattern: &str, words: &'static str) -> Option<Self> {
        Regex::new(pattern).ok().map(|pattern| Self { length, pattern, words })
    }

    /// Whether a name fits.
    pub(crate) fn accepts(&self, name: &str) -> bool {
        (self.length.0..=self.length.1).contains(&name.chars().count()) && self.pattern.is_match(name)
    }
}

const PLAIN: &str = r"^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$";

/// Rules by type; a child's rule holds for the last part of its name.
static RULES: LazyLock<Vec<(&'static str, Rule)>> = LazyLock::new(|| {
    let letters = "letters, digits, `_`, `.` and `-`, beginning with a letter or digit and not ending with `.` or `-`";
    let rules = [
        (
            v::SCALE_SET,
            (1, 64),
            r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$",
            "letters, digits, `.` and `-`, not at the ends",
        ),
        (v::NETWORK, (2, 64), PLAIN, letters),
        (v::PRIVATE_ENDPOINT, (2, 64), PLAIN, letters),
        (v::LOAD_BALANCER, (1, 80), PLAIN, letters),
        (v::PUBLIC_IP, (1, 80), PLAIN, letters),
        (v::SECURITY_GROUP, (1, 80), PLAIN, letters),
        (v::NAT_GATEWAY, (1, 80), PLAIN, letters),
        (v::STORAGE, (3, 24), r"^[a-z0-9]+$", "lower-case letters and digits"),
        (v::FILE_SHARE, (3, 63), r"^[a-z0-9](?:[a-z0-9]|-[a-z0-9])*$", "lower-case letters, digits and single hyphens"),
        (v::IDENTITY, (3, 128), r"^[A-Za-z0-9][A-Za-z0-9_-]+$", "letters, digits, `_` and `-`"),
        (
            v::VAULT,
            (3, 24),
            r"^[A-Za-z](?:[A-Za-z0-9]|-[A-Za-z0-9])+$",
            "a letter, then letters, digits and single hyphens",
        ),
        (v::VAULT_SECRET, (1, 127), r"^[A-Za-z0-9-]+$", "letters, digits and hyphens"),
        (v::AUTOSCALE, (1, 64), r"^[A-Za-z0-9_-]+$", "letters, digits, `_` and `-`"),
    ];
    rules
        .into_iter()
        .filter_map(|(kind, length, pattern, words)| Some((kind, Rule::new(length, pattern, words)?)))
        .collect()
});

/// The first part of a DNS name.
pub(crate) static DNS_LABEL: LazyLock<Option<Rule>> = LazyLock::new(|| {
    Rule::new((3, 63), r"^[a-z][a-z0-9-]*[a-z0-9]$", "a lower-case letter, then lower-case letters, digits and `-`")
});

/// The rule for a type, if there is one.
pub(crate) fn rule(kind: &str) -> Option<&'static Rule> {
    RULES.iter().find(|(k, _)| k.eq_ignore_ascii_case(kind)).map(|(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_the_edges() {
        let accepts = |kind: &str, name: &str| rule(kind).is_some_and(|r| r.accepts(name));
        assert!(accepts(v::STORAGE, "stabc"));
        assert!(!accepts(v::STORAGE, "ab"));
        assert!(!accepts(v::STORAGE, "Stabc"));
        assert!(accepts(v::FILE_SHARE, "a-b-c"));
        assert!(!accepts(v::FILE_SHARE, "a--b"));
        assert!(!accepts(v::FILE_SHARE, "-ab"));
        assert!(accepts(v::VAULT, "kv-a1"));
        assert!(!accepts(v::VAULT, "1kv"));
        assert!(!accepts(v::VAULT, "kv--a"));
        assert!(!accepts(v::SCALE_SET, &"a".repeat(65)));
        assert!(!accepts(v::SCALE_SET, "vmss-"));
    }

    #[test]
    fn all_patterns_are_valid() {
        assert_eq!(RULES.len(), 13);
        assert!(DNS_LABEL.is_some());
    }
}
