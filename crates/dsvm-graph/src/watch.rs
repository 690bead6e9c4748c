//! Looking at resources while the graph is put together, each as soon as it is finished: it is still in the caches of the
//! processor, and whoever only looks need not keep it.

use super::context::Builder;
use super::{Node, Variable};
use dsvm_diagnostics::Sink;
use rayon::prelude::*;

/// Resources that are looked at together; small projects are not worth a second thread.
const CHUNK: usize = 256;

/// Somebody who looks at each resource once.
pub trait Watch: Sync {
    /// A finished resource and the variables that its texts name.
    fn see(&self, node: &Node, variables: Variables<'_>, sink: &mut Sink);

    /// Whether the graph keeps the bodies of resources. Without them it has names, dependencies, variables and outputs.
    fn keeps_bodies(&self) -> bool;
}

/// Looks away.
pub(crate) struct Nobody;

impl Watch for Nobody {
    fn see(&self, _: &Node, _: Variables<'_>, _: &mut Sink) {}

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

/// Shows a resource; afterwards it has a body only if that is wanted.
pub(crate) fn show(watch: &dyn Watch, node: &mut Node, variables: Variables<'_>, sink: &mut Sink) {
    watch.see(node, variables, sink);
    if !watch.keeps_bodies() {
        node.body = super::json::Map::new();
        node.places = Vec::new();
    }
}

/// Shows what was not shown when it was made: everything but the resources of pools.
pub(crate) fn show_rest(builder: &mut Builder<'_, '_>, watch: &dyn Watch, sink: &mut Sink) {
    let variables = Variables { own: &[], shared: &builder.variables };
    let seen = &builder.seen;
    let chunks = builder.nodes.par_chunks_mut(CHUNK).enumerate();
    let found: Vec<Sink> = chunks
        .map(|(chunk, nodes)| {
            let mut own = Sink::default();
            for (index, node) in nodes.iter_mut().enumerate() {
                if !seen.get(chunk * CHUNK + index).copied().unwrap_or(false) {
                    show(watch, node, variables, &mut own);
                }
            }
            own
        })
        .collect();
    found.into_iter().for_each(|own| sink.extend(own.finish()));
}
