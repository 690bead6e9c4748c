//! Which nodes a value waits for: those of every block that it reads.

use super::diags;
use super::input::Input;
use super::node::NodeId;
use super::nodes::Nodes;
use super::values::attributes;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::Value;
use std::collections::BTreeSet;

/// Nodes that a value waits for; reports attributes that do not exist.
pub(crate) fn waits_for(
    input: &Input<'_, '_>,
    nodes: &Nodes,
    value: &Value,
    span: Span,
    sink: &mut Sink,
) -> BTreeSet<NodeId> {
    let mut found = Vec::new();
    attributes(value, &mut found);
    let mut needs = BTreeSet::new();
    for (id, name) in found {
        // What only the scale set knows waits for it; the address is there before.
        let of_scale_set = matches!(name, "id" | "name" | "principal_id" | "client_id");
        let scale_set = nodes.scale_set(id).filter(|_| of_scale_set);
        needs.extend(scale_set.or_else(|| nodes.of_block(id)));
        let block = &input.checked[id];
        let known = !input.fleet.refused.contains(&id);
        if known && name != "id" && input.resolver().find(id, name).is_none() && block.kind != BlockKind::Project {
            sink.push(diags::attribute_unavailable(block, name, span));
        }
    }
    needs
}
