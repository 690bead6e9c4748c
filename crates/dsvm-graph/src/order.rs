//! The order of resources: dependencies first, otherwise as they were added; cycles and double names are reported.

use super::diags;
use super::expr::Text;
use super::internal::{Broken, Built};
use super::node::{Node, NodeId, ResourceGraph};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use rustc_hash::FxBuildHasher;
use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{Hash, Hasher};

/// What no two resources may have in common, as Azure compares it: without regard to case.
struct Identity<'n> {
    kind: &'n str,
    name: &'n str,
    group: Option<&'n Text>,
}

impl PartialEq for Identity<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind.eq_ignore_ascii_case(other.kind)
            && self.name.eq_ignore_ascii_case(other.name)
            && self.group == other.group
    }
}

impl Eq for Identity<'_> {}

impl Hash for Identity<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Names differ where kinds and groups do not; their ends differ most.
        self.name.bytes().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
        state.write_usize(self.kind.len());
    }
}

/// Reports resources of the same type and name.
pub(crate) fn check_names(nodes: &[Node], sink: &mut Sink) {
    let mut seen: HashMap<Identity<'_>, &Node, FxBuildHasher> =
        HashMap::with_capacity_and_hasher(nodes.len(), FxBuildHasher);
    for node in nodes {
        let Some(name) = node.name.known() else { continue };
        match seen.entry(Identity { kind: &node.kind, name, group: node.group.as_ref() }) {
            Entry::Occupied(first) => sink.push(diags::same_name(&node.kind, name, node.span, first.get().span)),
            Entry::Vacant(free) => {
                free.insert(node);
            }
        }
    }
}

/// Positions of the nodes in the order of deployment: what a node needs comes before it, otherwise as they were added.
/// Reports nodes that wait for each other; they come last.
pub(crate) fn order(nodes: &[Node], sink: &mut Sink) -> Vec<usize> {
    let count = nodes.len();
    let mut missing: Vec<usize> = nodes.iter().map(|n| n.needs.len()).collect();
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, node) in nodes.iter().enumerate() {
        for need in &node.needs {
            if let Some(list) = waiting.get_mut(need.index()) {
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
        report_cycle(nodes, &missing, sink);
        order.extend(missing.iter().enumerate().filter(|(_, n)| **n > 0).map(|(index, _)| index));
    }
    order
}

/// Sorts the nodes of a graph by an order, which names each position once, and renumbers what refers to them.
pub(crate) fn sort(graph: &mut ResourceGraph, order: &[usize]) -> Built<()> {
    if order.iter().enumerate().all(|(new, old)| new == *old) {
        return Ok(());
    }
    let mut moved: Vec<Option<NodeId>> = vec![None; order.len()];
    let mut unsorted: Vec<Option<Node>> = std::mem::take(&mut graph.nodes).into_iter().map(Some).collect();
    for (new, old) in order.iter().enumerate() {
        if let (Some(slot), Some(node)) = (moved.get_mut(*old), unsorted.get_mut(*old).and_then(Option::take)) {
            *slot = Some(NodeId::at(new));
            graph.nodes.push(node);
        }
    }
    let renumber = |id: NodeId, span: Span| {
        let new = moved.get(id.index()).copied().flatten();
        new.ok_or(Broken { what: "a dependency on a resource that is not in the graph", span })
    };
    for node in &mut graph.nodes {
        node.needs = node.needs.iter().map(|need| renumber(*need, node.span)).collect::<Built<_>>()?;
    }
    for owned in &mut graph.owned {
        owned.node = renumber(owned.node, owned.span)?;
    }
    for sized in &mut graph.sized {
        sized.node = renumber(sized.node, sized.span)?;
    }
    for output in &mut graph.outputs {
        output.needs = output.needs.iter().map(|need| renumber(*need, output.span)).collect::<Built<_>>()?;
    }
    Ok(())
}

fn report_cycle(nodes: &[Node], missing: &[usize], sink: &mut Sink) {
    let stuck = |index: usize| missing.get(index).is_some_and(|n| *n > 0);
    let mut next = (0..nodes.len()).find(|i| stuck(*i));
    let mut path: Vec<usize> = Vec::new();
    // INVARIANT: every stuck node waits for another stuck node, so the walk comes back to a node of its path.
    while let Some(here) = next.filter(|here| !path.contains(here)) {
        path.push(here);
        next = nodes.get(here).and_then(|n| n.needs.iter().map(|need| need.index()).find(|i| stuck(*i)));
    }
    let cycle: Vec<&Node> = path.iter().skip_while(|i| Some(**i) != next).filter_map(|i| nodes.get(*i)).collect();
    let mut names: Vec<String> = cycle.iter().map(|n| n.name.json()).collect();
    names.extend(names.first().cloned());
    let spans: Vec<_> = cycle.iter().map(|n| n.span).collect();
    sink.push(diags::cycle(&names, &spans));
}
