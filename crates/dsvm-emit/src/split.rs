//! Splitting: which resources go into which deployment.
//!
//! A project stays whole while it fits. One that does not is cut into its shared things and runs of pools, in an order in
//! which nothing waits for a later deployment.

use dsvm_graph::{NodeId, ResourceGraph};
use rayon::prelude::*;
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

/// Cuts the graph.
pub(crate) fn split(graph: &ResourceGraph) -> Vec<Group> {
    let sizes: Vec<usize> = graph.nodes.par_iter().with_min_len(CHUNK).map(|n| n.body.estimate() + 400).collect();
    let all: usize = sizes.iter().sum();
    if graph.nodes.len() <= RESOURCES && all <= BYTES && graph.owned.len() <= POOLS {
        let nodes = (0..graph.nodes.len()).map(id).collect();
        return vec![Group { nodes, last: true, ..Group::default() }];
    }
    // A shared thing that waits for a pool goes behind the pools, with everything that waits for it.
    let mut behind = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let late = node.pool.is_none()
            && node.needs.iter().any(|need| {
                let before = need.0 as usize;
                graph.nodes.get(before).is_some_and(|n| n.pool.is_some())
                    || behind.get(before).copied().unwrap_or(false)
            });
        if let Some(slot) = behind.get_mut(index) {
            *slot = late;
        }
    }
    let is_behind = |index: usize| behind.get(index).copied().unwrap_or(false);
    let mut order: Vec<usize> = (0..graph.nodes.len()).collect();
    order.sort_by_key(|index| {
        let pool = graph.nodes.get(*index).and_then(|n| n.pool);
        (if is_behind(*index) { 2 } else { u8::from(pool.is_some()) }, pool, *index)
    });
    let mut groups: Vec<Group> = Vec::new();
    let (mut bytes, mut pools) = (0usize, BTreeSet::new());
    let mut kind = None;
    let mut start_of_pool: Option<u32> = None;
    for index in order {
        let Some(node) = graph.nodes.get(index) else { continue };
        let size = sizes.get(index).copied().unwrap_or(0);
        let this = if is_behind(index) { 2u8 } else { u8::from(node.pool.is_some()) };
        // A pool stays whole: room for its largest number of resources is kept free.
        let new_pool = node.pool.is_some() && node.pool != start_of_pool;
        let full = groups.last().is_some_and(|g: &Group| {
            let room = if node.pool.is_some() { 16 } else { 1 };
            (new_pool || node.pool.is_none())
                && (g.nodes.len() + room > RESOURCES || bytes + size * 8 > BYTES || pools.len() + 1 > POOLS)
        });
        if kind != Some(this) || full {
            groups.push(Group { shared: this != 1, ..Group::default() });
            bytes = 0;
            pools.clear();
            kind = Some(this);
        }
        start_of_pool = node.pool;
        bytes += size;
        pools.extend(node.pool);
        if let Some(group) = groups.last_mut() {
            group.nodes.push(id(index));
        }
    }
    link(graph, &mut groups);
    groups
}

fn id(index: usize) -> NodeId {
    NodeId(u32::try_from(index).unwrap_or(u32::MAX))
}

fn link(graph: &ResourceGraph, groups: &mut [Group]) {
    let mut home = vec![0usize; graph.nodes.len()];
    for (index, group) in groups.iter().enumerate() {
        for node in &group.nodes {
            if let Some(slot) = home.get_mut(node.0 as usize) {
                *slot = index;
            }
        }
    }
    let home_of = |node: &NodeId| home.get(node.0 as usize).copied().unwrap_or(0);
    let count = groups.len();
    for (index, group) in groups.iter_mut().enumerate() {
        let needs = group.nodes.iter().filter_map(|n| graph.nodes.get(n.0 as usize)).flat_map(|n| n.needs.iter());
        group.after = needs.map(home_of).filter(|g| *g != index).collect();
        group.last = index + 1 == count;
        if group.last {
            // Declared outputs may read anything.
            group.after.extend(
                graph
                    .outputs
                    .iter()
                    .filter(|o| o.pool.is_none())
                    .flat_map(|o| o.needs.iter())
                    .map(home_of)
                    .filter(|g| *g != index),
            );
        }
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
