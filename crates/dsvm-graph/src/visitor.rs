//! Visiting resources while the graph is built, each as soon as it is finished: it is still in the caches of the
//! processor, and a visitor that only looks need not keep it: checking 1,000 pools on one thread takes 59 MB, and 90 MB when
//! bodies are kept.

use super::json::Map;
use super::node::{Node, Variable};
use super::nodes::Nodes;
use dsvm_diagnostics::Sink;
use rayon::prelude::*;

/// Resources that are visited together; small projects are not worth a second thread.
const CHUNK: usize = 256;

/// Visits each resource once.
pub trait NodeVisitor: Sync {
    /// Called with a finished resource and the variables that its texts name.
    fn visit(&self, node: &Node, variables: Variables<'_>, sink: &mut Sink);

    /// Whether the graph keeps the bodies of resources. Without them it has names, dependencies, variables and outputs.
    fn keeps_bodies(&self) -> bool;
}

/// Visits nothing and keeps everything.
pub(crate) struct NoVisitor;

impl NodeVisitor for NoVisitor {
    fn visit(&self, _: &Node, _: Variables<'_>, _: &mut Sink) {}

    fn keeps_bodies(&self) -> bool {
        true
    }
}

/// Variables that the texts of a resource can name.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'v> {
    pub(crate) own: &'v [Variable],
    pub(crate) shared: &'v [Variable],
}

impl Variables<'_> {
    /// Bytes of the text of a variable; `None` when only the deployment knows it.
    #[must_use]
    pub fn length(&self, name: &str) -> Option<usize> {
        let variable = self.own.iter().chain(self.shared).find(|v| v.name == name)?;
        variable.text.known().map(str::len)
    }
}

/// Visits a resource; afterwards it has a body only if the visitor keeps bodies.
pub(crate) fn visit(visitor: &dyn NodeVisitor, node: &mut Node, variables: Variables<'_>, sink: &mut Sink) {
    visitor.visit(node, variables, sink);
    if !visitor.keeps_bodies() {
        node.body = Map::new();
        node.places = Vec::new();
    }
}

/// Visits what was not visited when it was built: everything but the resources of pools.
pub(crate) fn visit_rest(nodes: &mut Nodes, shared: &[Variable], visitor: &dyn NodeVisitor, sink: &mut Sink) {
    let variables = Variables { own: &[], shared };
    let (nodes, visited) = nodes.with_visited();
    let chunks = nodes.par_chunks_mut(CHUNK).zip(visited.par_chunks(CHUNK));
    let found: Vec<Sink> = chunks
        .map(|(nodes, visited)| {
            let mut own = Sink::default();
            for (node, _) in nodes.iter_mut().zip(visited).filter(|(_, visited)| !**visited) {
                visit(visitor, node, variables, &mut own);
            }
            own
        })
        .collect();
    found.into_iter().for_each(|own| sink.extend(own.finish()));
}
