//! Time at the endpoint: real, shifted or stopped. Tests move it through `POST /_local/clock`.

use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::ArmError;

/// How the endpoint's time follows from the machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// Added to the machine's time, in milliseconds.
    pub offset_ms: i64,
    /// Set: the clock is stopped at this moment.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub frozen: Option<Timestamp>,
}

fn write_time<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.to_string()).serialize(serializer)
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

impl Clock {
    /// The endpoint's time when the machine says `real`.
    #[must_use]
    pub fn now(&self, real: Timestamp) -> Timestamp {
        match self.frozen {
            Some(at) => at,
            None => real.checked_add(SignedDuration::from_millis(self.offset_ms)).unwrap_or(real),
        }
    }

    /// Applies a request body: `{"now": TIMESTAMP}`, `{"advance": "PT1H"}`, `{"freeze": true|false}`, `{"reset": true}`.
    ///
    /// # Errors
    /// `InvalidRequestContent` for a time or duration that cannot be read.
    pub fn change(&mut self, body: &Value, real: Timestamp) -> Result<(), ArmError> {
        let bad = |what: &str| ArmError::bad("InvalidRequestContent", format!("`{what}` cannot be read as a time."));
        if body.get("reset").and_then(Value::as_bool) == Some(true) {
            *self = Self::default();
        }
        if let Some(text) = body.get("now") {
            let text = text.as_str().ok_or_else(|| bad("now"))?;
            let wanted: Timestamp = text.parse().map_err(|_| bad(text))?;
            self.set(wanted, real);
        }
        if let Some(text) = body.get("advance") {
            let text = text.as_str().ok_or_else(|| bad("advance"))?;
            let span = duration(text).ok_or_else(|| bad(text))?;
            let wanted = self.now(real).checked_add(span).map_err(|_| bad(text))?;
            self.set(wanted, real);
        }
        match body.get("freeze").and_then(Value::as_bool) {
            Some(true) => self.frozen = Some(self.now(real)),
            Some(false) => {
                let now = self.now(real);
                self.frozen = None;
                self.set(now, real);
            }
            None => {}
        }
        Ok(())
    }

    fn set(&mut self, wanted: Timestamp, real: Timestamp) {
        if self.frozen.is_some() {
            self.frozen = Some(wanted);
        }
        self.offset_ms = wanted.as_millisecond().saturating_sub(real.as_millisecond());
    }
}

/// An ISO 8601 duration of weeks, days and clock units (`PT15M`, `P1D`); years and months have no fixed length.
#[must_use]
pub fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()
}

/// Milliseconds as .NET prints a `TimeSpan` in XML (`PT9.88S`).
#[must_use]
pub fn elapsed(ms: i64) -> String {
    let ms = ms.max(0);
    let (minutes, rest) = (ms / 60_000, ms % 60_000);
    let seconds = format!("{}.{:03}S", rest / 1000, rest % 1000);
    if minutes == 0 { format!("PT{seconds}") } else { format!("PT{minutes}M{seconds}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_clock_can_be_set_moved_and_stopped() {
        let real: Timestamp = "2026-11-23T14:00:00Z".parse().expect("time");
        let later = real.checked_add(SignedDuration::from_secs(10)).expect("time");
        let mut clock = Clock::default();
        clock.change(&json!({ "now": "2030-01-01T00:00:00Z" }), real).expect("set");
        assert_eq!(clock.now(later).to_string(), "2030-01-01T00:00:10Z");
        clock.change(&json!({ "freeze": true, "advance": "P1D" }), later).expect("move");
        assert_eq!(clock.now(later).to_string(), "2030-01-02T00:00:10Z");
        let text = serde_json::to_string(&clock).expect("text");
        let again: Clock = serde_json::from_str(&text).expect("clock");
        assert_eq!(again, clock);
        clock.change(&json!({ "reset": true }), later).expect("reset");
        assert_eq!(clock.now(later), later);
        assert!(clock.change(&json!({ "advance": "P1M" }), later).is_err());
    }

    #[test]
    fn elapsed_time_reads_as_a_duration() {
        assert_eq!(elapsed(9_882), "PT9.882S");
        assert_eq!(elapsed(61_050), "PT1M1.050S");
    }
}
