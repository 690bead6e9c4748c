//! How much of a service is listened to: no answer, list or operation goes on for ever or fills the memory.
//!
//! Resource Manager stays far below all of these; what is above is another kind of server, or a mistake of one.

use super::error::AzureError;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Bounds of what one call may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one answer.
    pub body: usize,
    /// Values in one answer: a text of a few megabytes can hold so many that they fill the memory.
    pub values: usize,
    /// Bytes of all pages of one list.
    pub list: usize,
    /// Pages of one list.
    pub pages: usize,
    /// Pages without an item, one after another.
    pub empty_pages: usize,
    /// Questions about one operation.
    pub polls: u32,
    /// How long one operation is followed.
    pub follow: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 32 << 20,
            values: 2_000_000,
            list: 96 << 20,
            pages: 2_000,
            empty_pages: 50,
            polls: 50_000,
            follow: Duration::from_hours(24),
        }
    }
}

/// The shortest pause before a question about an operation, whatever the service says: grows to a second.
pub(super) fn shortest_pause(asked: u32) -> Duration {
    Duration::from_millis(25_u64 << asked.min(6)).min(Duration::from_secs(1))
}

/// Reads a body piece by piece and stops at the bound.
pub(super) async fn body(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, BodyError> {
    // A server that tells the length beforehand is refused before anything is read.
    if answer.content_length().is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > most)) {
        return Err(BodyError::TooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(BodyError::Lost)? {
        if bytes.len() + piece.len() > most {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Why a body was not read to its end.
pub(super) enum BodyError {
    /// It is longer than the bound.
    TooLarge,
    /// The connection broke, or the time was over.
    Lost(reqwest::Error),
}

/// Whether a JSON text has more values than the bound; counts what separates them outside of strings.
pub(super) fn too_many_values(text: &str, most: usize) -> bool {
    let (mut count, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' | b'[' | b'{' if !quoted => count += 1,
            _ => {}
        }
        if count > most {
            return true;
        }
    }
    false
}

/// Counts the pages of one list.
#[derive(Default)]
pub(super) struct PageCount {
    seen: HashSet<String>,
    bytes: usize,
    empty: usize,
}

impl PageCount {
    /// Before a page is asked for.
    pub(super) fn ask(&mut self, url: &str, host: &str, limits: &Limits) -> Result<(), AzureError> {
        if !self.seen.insert(url.to_owned()) {
            return Err(AzureError::endless(host, "a page of a list leads back to one that came before"));
        }
        if self.seen.len() > limits.pages {
            return Err(AzureError::endless(host, format!("a list has more than {} pages", limits.pages)));
        }
        Ok(())
    }

    /// After a page came.
    pub(super) fn came(&mut self, bytes: usize, items: usize, host: &str, limits: &Limits) -> Result<(), AzureError> {
        self.bytes += bytes;
        self.empty = if items == 0 { self.empty + 1 } else { 0 };
        if self.bytes > limits.list {
            return Err(AzureError::endless(host, format!("a list has more than {}", size(limits.list))));
        }
        if self.empty > limits.empty_pages {
            let text = format!("more than {} pages of a list have nothing in them", limits.empty_pages);
            return Err(AzureError::endless(host, text));
        }
        Ok(())
    }
}

/// Tells a person about silent waiting: after ten seconds, then each minute.
pub(super) struct Patience {
    begun: Instant,
    next: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), next: Duration::from_secs(10) }
    }

    /// How long it has been, when that is to be told.
    pub(super) fn due(&mut self) -> Option<Duration> {
        let waited = self.begun.elapsed();
        if waited < self.next {
            return None;
        }
        self.next = waited + Duration::from_mins(1);
        Some(waited)
    }
}

/// A number of bytes in words.
pub(super) fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_strings() {
        assert!(!too_many_values(r#"{"a":"[,[,{\",,,"}"#, 1));
        assert!(too_many_values("[1,2,3]", 2));
        assert!(!too_many_values("[1,2,3]", 3));
    }

    #[test]
    fn pauses_grow_and_stay_short() {
        let pauses: Vec<u128> = (0..8).map(|asked| shortest_pause(asked).as_millis()).collect();
        assert_eq!(pauses, [25, 50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(shortest_pause(u32::MAX).as_millis(), 1000);
    }
}
