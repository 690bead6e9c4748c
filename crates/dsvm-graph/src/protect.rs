//! `prevent_destroy`: a mark in the metadata of a resource, for the planner. Azure ignores it.

use super::json::json;
use super::node::Node;
use super::versions as v;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::pool::Pool;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::share::Share;
use dsvm_sema::table::vault::Vault;

/// Sources of the blocks that `prevent_destroy` protects.
pub(crate) fn spans(checked: &Checked) -> Vec<Span> {
    checked.blocks.iter().filter(|block| !block.existing && is_protected(block)).map(|block| block.span).collect()
}

/// Whether a block says `prevent_destroy = true`.
fn is_protected(block: &Block) -> bool {
    View::<Pool>::new(block)
        .map(|pool| pool.prevent_destroy())
        .or_else(|| View::<Share>::new(block).map(|share| share.prevent_destroy()))
        .or_else(|| View::<Vault>::new(block).map(|vault| vault.prevent_destroy()))
        .unwrap_or(false)
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
