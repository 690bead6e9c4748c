//! `prevent_destroy`: a mark in the metadata of a resource, for the planner. Azure ignores it.

use super::json::json;
use super::node::Node;
use super::versions as v;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::value::Value;

/// Sources of the blocks that `prevent_destroy` protects.
pub(crate) fn spans(checked: &Checked) -> Vec<Span> {
    let is_marked = |b: &&Block| !b.existing && matches!(b.get("prevent_destroy"), Some(Value::Bool(true)));
    checked.blocks.iter().filter(is_marked).map(|b| b.span).collect()
}

/// Marks the nodes that hold data or machines of a protected block.
pub(crate) fn mark<'n>(nodes: impl Iterator<Item = &'n mut Node>, protected: &[Span]) {
    let inside = |inner: Span, outer: &Span| {
        inner.source == outer.source && inner.start >= outer.start && inner.end <= outer.end
    };
    let kinds = [v::SCALE_SET, v::STORAGE, v::FILE_SHARE, v::VAULT];
    for node in nodes {
        if kinds.iter().any(|kind| node.is(*kind)) && protected.iter().any(|span| inside(node.span, span)) {
            node.body.insert("metadata".into(), json!({ "dsvmc": { "preventDestroy": true } }));
        }
    }
}
