//! The graph as data: resources, what they need, and what goes with them into a template.

use super::expr::Text;
use super::json::{Json, Map};
use super::versions::ResourceType;
use dsvm_diagnostics::source::Span;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Position of a node in its graph. Only this crate makes them, one for each node that it adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The id of the node at a position of the list.
    pub(crate) fn at(position: usize) -> Self {
        // INVARIANT: four billion resources do not fit into memory.
        Self(position as u32)
    }

    /// Position of the node in [`ResourceGraph::nodes`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A resource, as it is before it is written into a template.
#[derive(Clone, Debug)]
pub struct Node {
    /// Resource type as Azure writes it, such as `Microsoft.Network/virtualNetworks`.
    pub kind: Arc<str>,
    /// API version that the body is written for, such as `2025-05-01`.
    pub api_version: Arc<str>,
    /// Name; of a child resource with its parents' names (`account/default/share`).
    pub name: Text,
    /// Its id as an expression.
    pub id: Text,
    /// Everything besides type, version, name and dependencies, in the order of the template.
    pub body: Map,
    /// Nodes that must be deployed before this one.
    pub needs: BTreeSet<NodeId>,
    /// Source of the block that it comes from.
    pub span: Span,
    /// Parts of the body with sources of their own: JSON pointer inside the resource, source.
    pub places: Vec<(String, Span)>,
    /// Parts of the body that follow from other fields: JSON pointer inside the resource, and why, in one clause.
    pub causes: Vec<(String, String)>,
    /// The pool that it belongs to, by position in the fleet; shared resources have none.
    pub pool: Option<u32>,
    /// The resource group that it was given, when that is not the one deployed to. Ids are written as if everything were
    /// in one group; `emit` sends each resource to its own.
    pub group: Option<Text>,
}

impl Node {
    /// A node of a type that dsvmc emits by itself, without location, tags and dependencies.
    pub(crate) fn new(kind: ResourceType, named: &super::ids::Named, body: Map, span: Span) -> Self {
        Self::of_type(kind.name, kind.version, named, body, span)
    }

    /// A node of any type.
    pub(crate) fn of_type(kind: &str, api_version: &str, named: &super::ids::Named, body: Map, span: Span) -> Self {
        Self {
            kind: Arc::from(kind),
            api_version: Arc::from(api_version),
            name: named.name.clone(),
            id: named.id.clone(),
            body,
            needs: BTreeSet::new(),
            span,
            places: Vec::new(),
            causes: Vec::new(),
            pool: None,
            group: None,
        }
    }

    /// Whether it is of a type that dsvmc emits by itself.
    #[must_use]
    pub fn is(&self, kind: ResourceType) -> bool {
        self.kind.as_ref() == kind.name
    }
}

/// The number of machines of a scale set that autoscale owns.
#[derive(Clone, Debug)]
pub struct Owned {
    /// Node of the scale set.
    pub node: NodeId,
    /// Parameter that carries the number.
    pub parameter: String,
    /// Number for the first deployment.
    pub initial: Json,
    /// Minimum and maximum, where known at compile time.
    pub bounds: (Option<i64>, Option<i64>),
    /// Name of the pool in the source.
    pub pool: String,
    /// Source of the range of machines.
    pub span: Span,
}

/// The size of a pool's machines where it has alternatives that `apply` tries in order.
#[derive(Clone, Debug)]
pub struct Sized {
    /// Node of the scale set, Batch pool or cluster.
    pub node: NodeId,
    /// Parameter that carries the size.
    pub parameter: String,
    /// The sizes, in order of preference.
    pub sizes: Vec<String>,
    /// Name of the pool in the source.
    pub pool: String,
    /// Source of the sizes.
    pub span: Span,
}

/// A text that resources refer to by a name: a long literal, or a name that is generated at deployment.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Name in the template's `variables`.
    pub name: String,
    /// Value: a literal or an expression.
    pub text: Text,
}

/// An output of the template.
#[derive(Clone, Debug)]
pub struct Output {
    /// Name in the template's `outputs`.
    pub name: String,
    /// Type in the words of the template language, such as `string`.
    pub arm_type: &'static str,
    /// Value; references are expressions.
    pub value: Json,
    /// Description for the template's metadata.
    pub description: Option<String>,
    /// Nodes that the value reads.
    pub needs: BTreeSet<NodeId>,
    /// Source of the declaration, or of the pool.
    pub span: Span,
    /// Pool that it belongs to, for outputs that dsvmc adds, with its short name (`address`).
    pub pool: Option<(String, &'static str)>,
}

/// All resources of a project.
#[derive(Clone, Debug, Default)]
pub struct ResourceGraph {
    /// Name of the project as declared.
    pub project: String,
    /// Resources in order of dependency.
    pub nodes: Vec<Node>,
    /// Texts that resources refer to by name.
    pub variables: Vec<Variable>,
    /// Scale sets whose number of machines autoscale owns.
    pub owned: Vec<Owned>,
    /// Pools whose size is one of several.
    pub sized: Vec<Sized>,
    /// Outputs of pools, then declared ones.
    pub outputs: Vec<Output>,
}

impl ResourceGraph {
    /// Ids of all nodes, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId::at)
    }
}

impl std::ops::Index<NodeId> for ResourceGraph {
    type Output = Node;
    fn index(&self, id: NodeId) -> &Node {
        #[expect(clippy::indexing_slicing, reason = "INVARIANT: a NodeId is made only for a node of the graph")]
        &self.nodes[id.index()]
    }
}

impl std::ops::IndexMut<NodeId> for ResourceGraph {
    fn index_mut(&mut self, id: NodeId) -> &mut Node {
        #[expect(clippy::indexing_slicing, reason = "INVARIANT: a NodeId is made only for a node of the graph")]
        &mut self.nodes[id.index()]
    }
}
