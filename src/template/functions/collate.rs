//! Order of strings as .NET's invariant culture has it: letters before case, `a` before `A` before `b`.
//!
//! Follows the root collation for ASCII and for Latin letters with marks: first letters alone, then marks, then case.
//! Other characters stand behind, by code point.

use std::cmp::Ordering;

/// Order of the ASCII marks in the root collation; white space comes first.
const MARKS: &str = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/// Latin letters with marks and the plain letters that they sort with.
const MARKED: &[(&str, &str)] = &[
    ("àáâãäåāăąǎ", "a"),
    ("çćĉċč", "c"),
    ("ďđð", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņňŉ", "n"),
    ("òóôõöøōŏő", "o"),
    ("ŕŗř", "r"),
    ("śŝşšſ", "s"),
    ("ţťŧ", "t"),
    ("ùúûüũūŭůűų", "u"),
    ("ŵ", "w"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("ß", "ss"),
    ("þ", "th"),
];

/// Weights of one character at the three levels.
#[derive(Clone, Copy)]
struct Weight {
    primary: u32,
    mark: u32,
    upper: bool,
}

fn weights(c: char, out: &mut Vec<Weight>) {
    if let Some(at) = MARKS.chars().position(|m| m == c) {
        out.push(Weight { primary: 0x100 + at as u32, mark: 0, upper: false });
    } else if let Some(digit) = c.to_digit(10) {
        out.push(Weight { primary: 0x200 + digit, mark: 0, upper: false });
    } else if c.is_ascii_alphabetic() {
        out.push(Weight { primary: 0x300 + c.to_ascii_lowercase() as u32, mark: 0, upper: c.is_ascii_uppercase() });
    } else if c.is_control() {
        // Control characters do not count.
    } else {
        let lower = super::text::lower(c.encode_utf8(&mut [0; 4])).chars().next().unwrap_or(c);
        let marked =
            MARKED.iter().find_map(|(letters, base)| letters.chars().position(|l| l == lower).map(|at| (at, base)));
        match marked {
            Some((at, base)) => {
                for letter in base.chars() {
                    out.push(Weight { primary: 0x300 + letter as u32, mark: at as u32 + 1, upper: lower != c });
                }
            }
            None => out.push(Weight { primary: 0x1000 + super::text::fold(c) as u32, mark: 0, upper: lower != c }),
        }
    }
}

/// Compares two strings.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    left.chars().for_each(|c| weights(c, &mut a));
    right.chars().for_each(|c| weights(c, &mut b));
    let by = |key: fn(&Weight) -> u32| a.iter().map(key).cmp(b.iter().map(key));
    by(|w| w.primary).then_with(|| by(|w| w.mark)).then_with(|| by(|w| u32::from(w.upper)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_count_before_case() {
        let mut words = ["b", "A", "a", "B", "aa", "Aa", "aA", "-", "1", "ä", "z", "ab", "_"];
        words.sort_by(|x, y| compare(x, y));
        assert_eq!(words, ["_", "-", "1", "a", "A", "ä", "aa", "aA", "Aa", "ab", "b", "B", "z"]);
        assert_eq!(compare("a", "a"), Ordering::Equal);
    }
}
