//! Reading bodies of resources: by JSON pointer, without regard to case, as Azure does.

use dsvm_diagnostics::source::Span;
use dsvm_graph::Node;
use dsvm_graph::json::{Json, Map};

/// A property of an object.
pub(crate) fn get<'j>(map: &'j Map, name: &str) -> Option<&'j Json> {
    map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The value at a pointer such as `/properties/publicNetworkAccess`.
pub(crate) fn at<'j>(body: &'j Map, pointer: &str) -> Option<&'j Json> {
    let mut steps = pointer.trim_start_matches('/').split('/');
    let first = get(body, steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Json::Object(map) => get(map, step),
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The text at a pointer; expressions of the template are texts too.
pub(crate) fn text<'j>(body: &'j Map, pointer: &str) -> Option<&'j str> {
    match at(body, pointer)? {
        Json::String(text) => Some(text),
        _ => None,
    }
}

/// Whether the text at a pointer is this word, in whatever case.
pub(crate) fn is(body: &Map, pointer: &str, word: &str) -> bool {
    text(body, pointer).is_some_and(|text| text.eq_ignore_ascii_case(word))
}

/// The elements of the list at a pointer.
pub(crate) fn items<'j>(body: &'j Map, pointer: &str) -> &'j [Json] {
    match at(body, pointer) {
        Some(Json::Array(items)) => items,
        _ => &[],
    }
}

/// Where a property was written: its own place, that of the innermost property around it, else the block. The second part
/// says whether it, or something around it, was written by hand.
pub(crate) fn place(node: &Node, pointer: &str) -> (Span, bool) {
    let around = |place: &&(String, Span)| {
        let rest = pointer.get(..place.0.len()).filter(|start| start.eq_ignore_ascii_case(&place.0));
        rest.is_some() && pointer.get(place.0.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // The last one wins among equals: overrides are laid over what was there.
    let best = node.places.iter().filter(around).max_by_key(|place| place.0.len());
    best.map_or((node.span, false), |(_, span)| (*span, true))
}

/// Whether a resource is of a type, in whatever case.
pub(crate) fn of_type(node: &Node, kind: &str) -> bool {
    node.kind.eq_ignore_ascii_case(kind)
}
