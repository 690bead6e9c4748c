//! Which nodes a value waits for: those of every block that it reads.

use super::diags;
use super::input::Input;
use super::node::NodeId;
use super::nodes::Nodes;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Deploy, Value};
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

/// Attributes that a value reads, at any depth.
fn attributes<'v>(value: &'v Value, found: &mut Vec<(BlockId, &'v str)>) {
    match value {
        Value::List(list) => list.iter().for_each(|v| attributes(v, found)),
        Value::Record(record) => record.values().for_each(|v| attributes(v, found)),
        Value::Deferred(deferred) => deploy_attributes(&deferred.expr, found),
        Value::Ref(id) => found.push((*id, "id")),
        _ => {}
    }
}

fn deploy_attributes<'v>(expr: &'v Deploy, found: &mut Vec<(BlockId, &'v str)>) {
    match expr {
        Deploy::Constant(value) => attributes(value, found),
        Deploy::Parameter(_) => {}
        Deploy::Attribute(id, name) => found.push((*id, name)),
        Deploy::Call(_, arguments) => arguments.iter().for_each(|a| deploy_attributes(a, found)),
        Deploy::Member(of, _) => deploy_attributes(of, found),
        Deploy::Index(of, index) => {
            deploy_attributes(of, found);
            deploy_attributes(index, found);
        }
    }
}
