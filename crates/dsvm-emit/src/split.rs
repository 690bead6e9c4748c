//! Splitting: which resources go into which deployment.
//!
//! A project stays whole while it fits. One that does not is cut into its shared things and runs of pools, in an order in
//! which nothing waits for a later deployment.

use dsvm_graph::{Node, NodeId, ResourceGraph};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Resources of a template, and bytes of it, with some room below Resource Manager's 800 and 4 MB.
const RESOURCES: usize = 780;
const BYTES: usize = 3_600_000;
/// Scale sets under autoscale, each with a parameter of its own, below the 256 of a template.
const POOLS: usize = 120;
/// Resources that are measured together; fewer are not worth a second thread.
const CHUNK: usize = 256;

/// The resources of one deployment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// Its resources, in order.
    pub(crate) nodes: Vec<NodeId>,
    /// Groups that come before.
    pub(crate) after: BTreeSet<usize>,
    /// The last group carries outputs that nothing else does.
    pub(crate) last: bool,
    /// Holds things that pools share.
    pub(crate) shared: bool,
}

/// Which part of the order a resource belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Shared, and deployed before the pools.
    Shared,
    /// A resource of a pool.
    Pool,
    /// Shared, but it waits for a pool or for another such resource.
    Behind,
}

/// Cuts the graph into groups that each fit into one deployment.
///
/// The 4 MB of Resource Manager are those of the template with the values of its variables
/// (<https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices>, "Template limits"), so that the
/// program on the machines counts once for each pool.
pub(crate) fn split(graph: &ResourceGraph) -> Vec<Group> {
    let known = graph.variables.iter().map(|variable| (variable.name.as_str(), variable.text.length()));
    let lengths: FxHashMap<&str, usize> = known.collect();
    let nodes = graph.nodes.par_iter().with_min_len(CHUNK);
    let sizes: Vec<usize> = nodes.map(|node| node.body.estimate() + 400 + of_variables(node, &lengths)).collect();
    let all: usize = sizes.iter().sum();
    // Each pool may add a parameter with its size to the one with its number.
    let most_pools = if graph.sized.is_empty() { POOLS } else { POOLS / 2 };
    if graph.nodes.len() <= RESOURCES && all <= BYTES && graph.owned.len().max(graph.sized.len()) <= most_pools {
        return vec![Group { nodes: graph.ids().collect(), last: true, ..Group::default() }];
    }
    let parts = parts(graph);
    let mut order: Vec<(NodeId, Part, usize)> =
        graph.ids().zip(parts).zip(sizes).map(|((id, part), size)| (id, part, size)).collect();
    order.sort_by_key(|(id, part, _)| (*part, graph[*id].pool, *id));
    let mut groups: Vec<Group> = Vec::new();
    let (mut bytes, mut pools) = (0usize, BTreeSet::new());
    let mut last: Option<(Part, Option<u32>)> = None;
    for (id, part, size) in order {
        let pool = graph[id].pool;
        // A pool stays whole: room for its largest number of resources is kept free.
        let may_cut = pool.is_none() || last.is_none_or(|(_, before)| before != pool);
        let room = if pool.is_some() { 16 } else { 1 };
        let full = groups.last().is_some_and(|g: &Group| {
            may_cut && (g.nodes.len() + room > RESOURCES || bytes + size * 8 > BYTES || pools.len() + 1 > most_pools)
        });
        if full || last.is_none_or(|(before, _)| before != part) {
            (bytes, pools) = (0, BTreeSet::new());
            groups.push(Group { shared: part != Part::Pool, ..Group::default() });
        }
        groups.last_mut().into_iter().for_each(|group| group.nodes.push(id));
        last = Some((part, pool));
        bytes += size;
        pools.extend(pool);
    }
    link(graph, &mut groups);
    groups
}

/// Bytes that the variables of a node's scripts add to it, in base64.
fn of_variables(node: &Node, lengths: &FxHashMap<&str, usize>) -> usize {
    let mut bytes = 0;
    for value in node.body.values() {
        value.texts(&mut |text| {
            if text.starts_with("[base64(") {
                let names = text.split("variables('").skip(1).filter_map(|after| after.split('\'').next());
                bytes += names.filter_map(|name| lengths.get(name)).sum::<usize>() / 3 * 4;
            }
        });
    }
    bytes
}

/// The part of each resource. A shared one that waits for a pool goes behind the pools, with everything that waits for it.
fn parts(graph: &ResourceGraph) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        // What a node needs comes before it in the graph.
        let late = |need: &NodeId| parts.get(need.index()).is_some_and(|part| *part != Part::Shared);
        parts.push(match node.pool {
            Some(_) => Part::Pool,
            None if node.needs.iter().any(late) => Part::Behind,
            None => Part::Shared,
        });
    }
    parts
}

/// Finds out which groups come before each.
fn link(graph: &ResourceGraph, groups: &mut [Group]) {
    let mut homes: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    for (index, group) in groups.iter().enumerate() {
        for id in &group.nodes {
            homes.get_mut(id.index()).into_iter().for_each(|home| *home = Some(index));
        }
    }
    let home_of = |id: &NodeId| homes.get(id.index()).copied().flatten();
    let count = groups.len();
    for (index, group) in groups.iter_mut().enumerate() {
        group.last = index + 1 == count;
        let of_nodes = group.nodes.iter().flat_map(|id| &graph[*id].needs);
        // Declared outputs may read anything.
        let declared = graph.outputs.iter().filter(|output| group.last && output.pool.is_none());
        let needs = of_nodes.chain(declared.flat_map(|output| &output.needs));
        group.after = needs.filter_map(home_of).filter(|home| *home != index).collect();
    }
}

/// `main`, or `shared`, `pools-1`, `pools-2`, `rest`.
pub(crate) fn names(groups: &[Group]) -> Vec<String> {
    if groups.len() == 1 {
        return vec!["main".into()];
    }
    let (mut pools, mut shared) = (0, 0);
    groups
        .iter()
        .map(|group| {
            if group.shared {
                shared += 1;
                if shared == 1 { "shared".into() } else { format!("shared-{shared}") }
            } else {
                pools += 1;
                format!("pools-{pools}")
            }
        })
        .collect()
}
