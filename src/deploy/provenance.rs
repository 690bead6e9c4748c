//! Where each part of a template was written, in little room: thousands of resources have tens of thousands of parts.

use dsvm_diagnostics::source::Span;

/// Source span by JSON pointer into a template.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// All pointers, one after the other, sorted.
    text: String,
    /// Where each ends, and its span.
    ends: Vec<(usize, Span)>,
}

impl Provenance {
    /// Of two spans of one pointer the last one counts.
    #[must_use]
    pub fn new(mut all: Vec<(String, Span)>) -> Self {
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let mut packed = Self {
            text: String::with_capacity(all.iter().map(|(pointer, _)| pointer.len()).sum()),
            ends: Vec::with_capacity(all.len()),
        };
        let mut all = all.into_iter().peekable();
        while let Some((pointer, span)) = all.next() {
            if all.peek().is_some_and(|(next, _)| *next == pointer) {
                continue;
            }
            packed.text.push_str(&pointer);
            packed.ends.push((packed.text.len(), span));
        }
        packed
    }

    /// The span of exactly this pointer.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<Span> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            let (end, span) = self.ends.get(middle)?;
            let start = middle.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(end, _)| *end);
            match self.text.get(start..*end)?.cmp(pointer) {
                std::cmp::Ordering::Equal => return Some(*span),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsvm_diagnostics::source::SourceId;

    #[test]
    fn every_pointer_is_found_and_no_other() {
        let span = |at: u32| Span::new(SourceId::file(0), at, at + 1);
        let names = ["/b", "/a/c", "", "/a", "/a/c", "/ab"];
        let all = names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), span(at as u32)));
        let packed = Provenance::new(all.collect());
        for (at, name) in names.iter().enumerate().filter(|(at, _)| *at != 1) {
            assert_eq!(packed.get(name), Some(span(at as u32)), "{name}");
        }
        for other in ["/", "/a/", "/a/b", "/c", "b"] {
            assert_eq!(packed.get(other), None, "{other}");
        }
        assert_eq!(Provenance::default().get(""), None);
    }
}
