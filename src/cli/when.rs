//! Recorded moments as people read them.

use crate::render::plan::clean;

/// A recorded moment (RFC 3339) to the second, in UTC; other text is returned without control characters.
#[must_use]
pub fn to_the_second(recorded: &str) -> String {
    match recorded.parse::<jiff::Timestamp>() {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => clean(recorded),
    }
}

/// The present, as records have it.
#[must_use]
pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::to_the_second;

    #[test]
    fn moments_are_shown_to_the_second() {
        assert_eq!(to_the_second("2026-11-23T20:21:49.492076007Z"), "2026-11-23 20:21:49 UTC");
        assert_eq!(to_the_second("yester\u{1b}day"), "yester\\u{1b}day");
    }
}
