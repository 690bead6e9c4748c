//! The resource graph: turns a fleet into ARM resources with their bodies, dependencies and origins.
//!
//! Promises: every reference between resources is an edge; shared things are there once; the order is that of
//! dependencies, then of the source. Knows no template: `emit` wraps the nodes, `plan` compares them.

mod autoscale;
mod balancer;
mod batch;
mod cloud_init;
mod context;
pub mod context_free;
pub mod diags;
pub mod expr;
mod free;
pub mod json;
mod known;
mod network;
mod order;
mod output;
mod profile;
mod scale_set;
mod secrets;
mod storage;
mod support;
pub mod values;
pub mod versions;
mod watch;
mod words;

pub use expr::Text;
pub use watch::{Variables, Watch};

use crate::json::{Json, Map};
use context::Builder;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::Fleet;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Index of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A resource.
#[derive(Clone, Debug)]
pub struct Node {
    /// `Microsoft.X/y`
    pub kind: Arc<str>,
    /// API version.
    pub api_version: Arc<str>,
    /// Name; of a child resource with its parents' names (`account/default/share`).
    pub name: Text,
    /// Its id as an expression.
    pub id: Text,
    /// Everything besides type, version, name and dependencies, in the order of the template.
    pub body: Map,
    /// What must be there before.
    pub needs: BTreeSet<NodeId>,
    /// Where it comes from.
    pub span: Span,
    /// Parts of the body with places of their own: JSON pointer inside the resource, place.
    pub places: Vec<(String, Span)>,
    /// The pool that it belongs to, by position in the fleet; shared things have none.
    pub pool: Option<u32>,
    /// The resource group that it was given, when that is not the one deployed to. Ids are written as if everything were
    /// in one group; `emit` sends each resource to its own.
    pub group: Option<Text>,
}

/// The number of machines of a scale set that autoscale owns.
#[derive(Clone, Debug)]
pub struct Owned {
    /// The scale set.
    pub node: NodeId,
    /// Parameter that carries the number.
    pub parameter: String,
    /// Number to begin with.
    pub initial: Json,
    /// Fewest and most, where known.
    pub bounds: (Option<i64>, Option<i64>),
    /// Name of the pool.
    pub pool: String,
    /// Where it was written.
    pub span: Span,
}

/// A text that resources refer to by a name: a long literal, or a name that is made at deployment.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: Text,
}

/// An output.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// ARM type.
    pub arm_type: &'static str,
    /// Its value.
    pub value: Json,
    /// What it is.
    pub description: Option<String>,
    /// Nodes that it reads.
    pub needs: BTreeSet<NodeId>,
    /// Where it was written.
    pub span: Span,
    /// Pool that it belongs to, for outputs that dsvmc adds, with its short name (`address`).
    pub pool: Option<(String, &'static str)>,
}

/// All resources of a project.
#[derive(Clone, Debug)]
pub struct ResourceGraph {
    /// Name of the project.
    pub project: String,
    /// Resources in order of dependency.
    pub nodes: Vec<Node>,
    /// What is written once and used in several places.
    pub variables: Vec<Variable>,
    /// Scale sets under autoscale.
    pub owned: Vec<Owned>,
    /// Outputs.
    pub outputs: Vec<Output>,
}

/// Builds the graph.
#[must_use]
pub fn build(fleet: &Fleet<'_>, checked: &Checked, sink: &mut Sink) -> ResourceGraph {
    build_watched(fleet, checked, &watch::Nobody, sink)
}

/// Builds the graph and shows each resource to somebody.
#[must_use]
pub fn build_watched(fleet: &Fleet<'_>, checked: &Checked, watch: &dyn Watch, sink: &mut Sink) -> ResourceGraph {
    let mut builder = Builder::new(fleet, checked);
    network::plan(&mut builder);
    support::identities(&mut builder);
    network::emit(&mut builder);
    support::vaults(&mut builder);
    storage::emit(&mut builder);
    scale_set::pools(&mut builder, watch, sink);
    batch::emit(&mut builder, sink);
    support::grants(&mut builder, sink);
    free::emit(&mut builder, sink);
    protect(&mut builder.nodes, &protected(checked));
    watch::show_rest(&mut builder, watch, sink);
    builder.finish(sink)
}

/// Places of what `prevent_destroy` speaks of.
fn protected(checked: &Checked) -> Vec<Span> {
    let is_marked = |b: &Block| !b.existing && matches!(b.get("prevent_destroy"), Some(Value::Bool(true)));
    checked.blocks.iter().filter(|b| is_marked(b)).map(|b| b.span).collect()
}

/// Marks what `prevent_destroy` speaks of, for the planner; Azure passes the mark over.
fn protect(nodes: &mut [Node], marked: &[Span]) {
    let inside = |inner: Span, outer: &Span| {
        inner.source == outer.source && inner.start >= outer.start && inner.end <= outer.end
    };
    let kinds = [versions::SCALE_SET, versions::STORAGE, versions::FILE_SHARE, versions::VAULT];
    for node in nodes {
        if kinds.contains(&node.kind.as_ref()) && marked.iter().any(|span| inside(node.span, span)) {
            node.body.insert("metadata".into(), json!({ "dsvmc": { "preventDestroy": true } }));
        }
    }
}
