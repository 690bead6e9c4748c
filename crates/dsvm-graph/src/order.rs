//! The order of resources: dependencies first, otherwise as they were made; circles and double names are reported.

use super::context::Builder;
use super::{Node, NodeId, ResourceGraph, Text, diags};
use dsvm_diagnostics::Sink;
use dsvm_sema::hash::FastState;
use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{Hash, Hasher};

/// What no two resources may have in common, as Azure compares it: without regard to case.
struct Place<'n> {
    kind: &'n str,
    name: &'n str,
    group: Option<&'n Text>,
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind.eq_ignore_ascii_case(other.kind)
            && self.name.eq_ignore_ascii_case(other.name)
            && self.group == other.group
    }
}

impl Eq for Place<'_> {}

impl Hash for Place<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Names differ where kinds and groups do not; their ends differ most.
        self.name.bytes().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
        state.write_usize(self.kind.len());
    }
}

/// Reports resources of the same type and name.
pub(crate) fn check_names(nodes: &[Node], sink: &mut Sink) {
    let mut seen: HashMap<Place<'_>, &Node, FastState> =
        HashMap::with_capacity_and_hasher(nodes.len(), FastState::default());
    for node in nodes {
        let Some(name) = node.name.known() else { continue };
        match seen.entry(Place { kind: &node.kind, name, group: node.group.as_ref() }) {
            Entry::Occupied(first) => sink.push(diags::same_name(&node.kind, name, node.span, first.get().span)),
            Entry::Vacant(free) => {
                free.insert(node);
            }
        }
    }
}

/// Orders the nodes and turns the workshop into the graph.
pub(crate) fn sort(builder: Builder<'_, '_>, sink: &mut Sink) -> ResourceGraph {
    let count = builder.nodes.len();
    let mut missing: Vec<usize> = builder.nodes.iter().map(|n| n.needs.len()).collect();
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, node) in builder.nodes.iter().enumerate() {
        for need in &node.needs {
            if let Some(list) = waiting.get_mut(need.0 as usize) {
                list.push(index);
            }
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        missing.iter().enumerate().filter(|(_, n)| **n == 0).map(|(index, _)| Reverse(index)).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for next in waiting.get(index).into_iter().flatten() {
            if let Some(left) = missing.get_mut(*next) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ready.push(Reverse(*next));
                }
            }
        }
    }
    if order.len() < count {
        report_circle(&builder.nodes, &missing, sink);
        order.extend(missing.iter().enumerate().filter(|(_, n)| **n > 0).map(|(index, _)| index));
    }
    renumber(builder, &order)
}

fn renumber(builder: Builder<'_, '_>, order: &[usize]) -> ResourceGraph {
    let mut places = vec![NodeId(0); order.len()];
    for (new, old) in order.iter().enumerate() {
        if let Some(slot) = places.get_mut(*old) {
            *slot = NodeId(u32::try_from(new).unwrap_or(u32::MAX));
        }
    }
    let in_order = order.iter().enumerate().all(|(new, old)| new == *old);
    let moved = |id: NodeId| places.get(id.0 as usize).copied().unwrap_or(id);
    let sorted = if in_order { builder.nodes } else { permuted(builder.nodes, order, moved) };
    let mut variables = builder.names.variables;
    variables.extend(builder.variables);
    let mut owned = builder.owned;
    owned.iter_mut().for_each(|o| o.node = moved(o.node));
    let mut outputs = builder.outputs;
    for output in &mut outputs {
        output.needs = output.needs.iter().map(|need| moved(*need)).collect();
    }
    ResourceGraph { project: builder.fleet.name.to_owned(), nodes: sorted, variables, owned, outputs }
}

fn permuted(nodes: Vec<Node>, order: &[usize], moved: impl Fn(NodeId) -> NodeId) -> Vec<Node> {
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    let mut sorted = Vec::with_capacity(nodes.len());
    for old in order {
        if let Some(mut node) = nodes.get_mut(*old).and_then(Option::take) {
            node.needs = node.needs.iter().map(|need| moved(*need)).collect();
            sorted.push(node);
        }
    }
    sorted
}

fn report_circle(nodes: &[Node], missing: &[usize], sink: &mut Sink) {
    let stuck = |index: usize| missing.get(index).is_some_and(|n| *n > 0);
    let Some(mut here) = (0..nodes.len()).find(|i| stuck(*i)) else { return };
    let mut path: Vec<usize> = Vec::new();
    // INVARIANT: every stuck node waits for another stuck node, so the walk comes back to a node of its path.
    while !path.contains(&here) && path.len() <= nodes.len() {
        path.push(here);
        let next = nodes.get(here).and_then(|n| n.needs.iter().map(|need| need.0 as usize).find(|i| stuck(*i)));
        match next {
            Some(next) => here = next,
            None => break,
        }
    }
    let start = path.iter().position(|i| *i == here).unwrap_or(0);
    let circle: Vec<&Node> = path.iter().skip(start).filter_map(|i| nodes.get(*i)).collect();
    let mut names: Vec<String> = circle.iter().map(|n| n.name.json()).collect();
    names.extend(names.first().cloned());
    let spans: Vec<_> = circle.iter().map(|n| n.span).collect();
    sink.push(diags::cycle(&names, &spans));
}
