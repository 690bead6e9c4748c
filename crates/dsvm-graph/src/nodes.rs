//! The growing list of nodes. Functions append to it and hand the ids of what they added to those that come later.

use super::expr::Text;
use super::node::{Node, NodeId};
use super::versions::ResourceType;
use dsvm_sema::value::BlockId;
use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

/// Nodes in the order in which they were added, and the node of each block that has one.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    list: Vec<Node>,
    /// Whether each node was visited when its pool was built.
    visited: Vec<bool>,
    /// Shares: the share itself; pools: the address.
    by_block: BTreeMap<BlockId, NodeId>,
    /// Node of each pool's scale set.
    scale_sets: BTreeMap<BlockId, NodeId>,
}

impl Nodes {
    /// Appends a node that was not visited.
    pub(crate) fn add(&mut self, node: Node) -> NodeId {
        self.push(node, false)
    }

    /// Appends a node that may have been visited already.
    pub(crate) fn push(&mut self, node: Node, visited: bool) -> NodeId {
        let id = NodeId::at(self.list.len());
        self.list.push(node);
        self.visited.push(visited);
        id
    }

    /// Appends the node of a block.
    pub(crate) fn add_for(&mut self, block: BlockId, node: Node) -> NodeId {
        let id = self.add(node);
        self.by_block.insert(block, id);
        id
    }

    /// Records the nodes of a pool: its scale set, and the address that others read.
    pub(crate) fn set_pool(&mut self, block: BlockId, scale_set: NodeId, address: NodeId) {
        self.scale_sets.insert(block, scale_set);
        self.by_block.insert(block, address);
    }

    /// The node of a block; `None` when the block exists already or was refused.
    pub(crate) fn of_block(&self, block: BlockId) -> Option<NodeId> {
        self.by_block.get(&block).copied()
    }

    /// The scale set of a pool.
    pub(crate) fn scale_set(&self, pool: BlockId) -> Option<NodeId> {
        self.scale_sets.get(&pool).copied()
    }

    /// Ids and nodes of all resources of a type.
    pub(crate) fn of_type(&self, kind: ResourceType) -> impl Iterator<Item = (Text, NodeId)> {
        let nodes = self.list.iter().enumerate().filter(move |(_, node)| node.is(kind));
        nodes.map(|(position, node)| (node.id.clone(), NodeId::at(position)))
    }

    /// The node with an id of Azure's, for what several others ask for but that exists once.
    pub(crate) fn with_id(&self, id: &Text) -> Option<NodeId> {
        self.list.iter().position(|node| node.id == *id).map(NodeId::at)
    }

    /// All nodes with whether each was visited.
    pub(crate) fn with_visited(&mut self) -> (&mut [Node], &[bool]) {
        (&mut self.list, &self.visited)
    }

    /// All nodes, to be changed.
    pub(crate) fn all_mut(&mut self) -> &mut [Node] {
        &mut self.list
    }

    /// The list without what only building needs.
    pub(crate) fn into_list(self) -> Vec<Node> {
        self.list
    }
}

impl Index<NodeId> for Nodes {
    type Output = Node;
    fn index(&self, id: NodeId) -> &Node {
        #[expect(clippy::indexing_slicing, reason = "INVARIANT: a NodeId is made only when its node is pushed")]
        &self.list[id.index()]
    }
}

impl IndexMut<NodeId> for Nodes {
    fn index_mut(&mut self, id: NodeId) -> &mut Node {
        #[expect(clippy::indexing_slicing, reason = "INVARIANT: a NodeId is made only when its node is pushed")]
        &mut self.list[id.index()]
    }
}
