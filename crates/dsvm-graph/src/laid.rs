//! Where an override ended up in the body of a resource: lists merge, so that elements have other places there.

use dsvm_sema::checked::{Free, Place};

/// Where the properties of an override ended up in a body.
#[derive(Debug, Default)]
pub(crate) struct Laid {
    /// Pointers into the body of what was replaced or added.
    pub(crate) pointers: Vec<String>,
    /// Elements of lists whose place in the body is another one than in the override: the pointer there and the pointer here,
    /// outer ones before inner ones.
    pub(crate) moved: Vec<(String, String)>,
}

impl Laid {
    /// The pointer into the body for one into the override.
    pub(crate) fn in_body(&self, own: &str) -> String {
        swap(own, self.moved.iter().map(|(own, body)| (own.as_str(), body.as_str())))
    }

    /// The place where a property of the body was written, or the innermost one around it.
    pub(crate) fn place<'f>(&self, free: &'f Free, body: &str) -> Option<&'f Place> {
        free.place(&swap(body, self.moved.iter().map(|(own, body)| (body.as_str(), own.as_str()))))
    }

    /// Whether something was written at a pointer into the body, or around it.
    pub(crate) fn touches(&self, body: &str) -> bool {
        let around = |pointer: &String| {
            body.strip_prefix(pointer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.pointers.iter().any(around)
    }
}

/// Replaces the longest beginning of a pointer that has another one.
fn swap<'p>(pointer: &str, pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let rest = |from: &str| {
        let rest = pointer.strip_prefix(from)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    };
    let longest = pairs.filter_map(|(from, to)| Some((from.len(), to, rest(from)?))).max_by_key(|(length, ..)| *length);
    longest.map_or_else(|| pointer.to_owned(), |(_, to, rest)| format!("{to}{rest}"))
}
