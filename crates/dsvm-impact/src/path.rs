//! Paths of properties, as plans write them → their pattern and the names in their brackets.

/// The path without what is in its brackets: `properties.profiles[].rules[].metricTrigger`.
pub(crate) fn pattern(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut depth = 0usize;
    for c in path.chars() {
        match c {
            '[' => {
                if depth == 0 {
                    out.push_str("[]");
                }
                depth += 1;
            }
            ']' if depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// What is in the outermost brackets, in order.
pub(crate) fn keys(path: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    for (at, c) in path.char_indices() {
        match c {
            '[' => {
                if depth == 0 {
                    start = at + 1;
                }
                depth += 1;
            }
            ']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.extend(path.get(start..at));
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether a pattern is `head` or below it.
pub(crate) fn below(pattern: &str, head: &str) -> bool {
    pattern.strip_prefix(head).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The last part of a path outside of brackets: `threshold`.
pub(crate) fn last(path: &str) -> String {
    let pattern = pattern(path);
    pattern.trim_end_matches("[]").rsplit('.').next().unwrap_or_default().trim_end_matches("[]").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_may_hold_anything() {
        let path = r#"properties.profiles[{"name":"a[0]","for":"x.y"}].rules[0].metricTrigger.threshold"#;
        assert_eq!(pattern(path), "properties.profiles[].rules[].metricTrigger.threshold");
        assert_eq!(keys(path), [r#"{"name":"a[0]","for":"x.y"}"#, "0"]);
        assert_eq!(last(path), "threshold");
        assert_eq!(last("properties.subnets[default]"), "subnets");
        assert!(
            below("properties.profiles[].rules", "properties.profiles")
                && !below("properties.profilesX", "properties.profiles")
        );
    }
}
