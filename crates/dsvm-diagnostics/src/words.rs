//! Numbers with their nouns.

/// `1 machine`, `2 machines`.
#[must_use]
pub fn count(number: impl ToString, noun: &str) -> String {
    let number = number.to_string();
    format!("{number} {}", noun_of(&number, noun))
}

/// The noun that goes with a number.
fn noun_of(number: &str, noun: &str) -> String {
    if number == "1" {
        return noun.to_owned();
    }
    let (head, end) = noun.rsplit_once(' ').map_or((String::new(), noun), |(head, end)| (format!("{head} "), end));
    let vowel_before_y = ["ay", "ey", "oy", "uy"].iter().any(|tail| end.ends_with(tail));
    match end.strip_suffix('y') {
        Some(stem) if !vowel_before_y => format!("{head}{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|tail| end.ends_with(tail)) => format!("{head}{end}es"),
        _ => format!("{head}{end}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn nouns_follow_their_number() {
        let all = [
            (0, "machine"),
            (1, "machine"),
            (2, "machine"),
            (3, "property"),
            (2, "key"),
            (2, "address"),
            (5, "last match"),
        ];
        let all = all.map(|(number, noun)| count(number, noun)).join(", ");
        assert_eq!(all, "0 machines, 1 machine, 2 machines, 3 properties, 2 keys, 2 addresses, 5 last matches");
    }
}
