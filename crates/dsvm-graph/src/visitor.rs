//! Visiting resources while the graph is built, each as soon as it is finished: it is still in the caches of the
//! processor, and a visitor that only looks need not keep it: checking 1,000 pools on one thread takes 59 MB, and 90 MB when
//! bodies are kept.

use super::json::Map;
use super::node::Node;
use super::nodes::Nodes;
use dsvm_diagnostics::Sink;
use rayon::prelude::*;

/// Resources that are visited together; small projects are not worth a second thread.
const CHUNK: usize = 256;

/// Visits each resource once.
pub trait NodeVisitor: Sync {
    /// Called with a finished resource.
    fn visit(&self, node: &Node, sink: &mut Sink);

    /// Whether the graph keeps the bodies of resources. Without them it has names, dependencies, variables and outputs.
    fn keeps_bodies(&self) -> bool;
}

/// Visits nothing and keeps everything.
pub(crate) struct NoVisitor;

impl NodeVisitor for NoVisitor {
    fn visit(&self, _: &Node, _: &mut Sink) {}

    fn keeps_bodies(&self) -> bool {
        true
    }
}

/// Visits a resource; afterwards it has a body only if the visitor keeps bodies.
pub(crate) fn visit(visitor: &dyn NodeVisitor, node: &mut Node, sink: &mut Sink) {
    visitor.visit(node, sink);
    if !visitor.keeps_bodies() {
        node.body = Map::new();
        node.places = Vec::new();
    }
}

/// Visits what was not visited when it was built: everything but the resources of pools.
pub(crate) fn visit_rest(nodes: &mut Nodes, visitor: &dyn NodeVisitor, sink: &mut Sink) {
    let (nodes, visited) = nodes.with_visited();
    let chunks = nodes.par_chunks_mut(CHUNK).zip(visited.par_chunks(CHUNK));
    let found: Vec<Sink> = chunks
        .map(|(nodes, visited)| {
            let mut own = Sink::default();
            for (node, _) in nodes.iter_mut().zip(visited).filter(|(_, visited)| !**visited) {
                visit(visitor, node, &mut own);
            }
            own
        })
        .collect();
    found.into_iter().for_each(|own| sink.extend(own.finish()));
}
