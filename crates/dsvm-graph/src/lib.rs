//! The resource graph: turns a fleet into ARM resources with their bodies, dependencies and origins.
//!
//! Promises: every reference between resources is an edge; shared things exist once; the order is that of dependencies,
//! then of the source. Knows no template: `emit` wraps the nodes, `plan` compares them.
//!
//! The graph is built by functions. Each reads the same input, appends nodes to a list, and hands the
//! ids of what it added to the functions after it: networks before shares, shares before pools. A pool is built in a list
//! of its own, in which it knows its nodes by local ids, so that pools can be built in parallel.
//!
//! # Modules, lowest first
//!
//! A module uses only modules above it in this list; a test checks it.
//!
//! - Values: `json`, `expr` (literals and expressions), `versions` (resource types), `ids` (names and ids as texts),
//!   `words` (ARM's words)
//! - Plain data: `node` (the graph), `internal` (states that cannot be), `diags`
//! - Names: `names` (of everything, and what a reference reads), `values` (values of the language as texts and JSON),
//!   `naming` (fleet to names), `context_free` (values without resources)
//! - Input and output of the functions: `input`, `nodes`, `nested` (one resource in another group), `visitor`, `protect`
//! - What a team wrote in ARM's own words: `secrets`, `laid`, `known`, `guards`, `overlay`; what it did not write: `causes`
//! - Shared resources: `roles`, `reach` (who uses what from where), `network`, `private_endpoint`, `identity`, `vault`,
//!   `storage`
//! - Interactive pools: `setup`, `balancer`, `autoscale`, `profile`, `scale_set`, `outline`, `pool`
//! - Batch pools: `batch`
//! - What may refer to everything: `waits`, `resources`, `output`
//! - The end: `order`

mod autoscale;
mod balancer;
mod batch;
mod causes;
pub mod context_free;
pub mod diags;
pub mod expr;
mod guards;
mod identity;
mod ids;
mod input;
pub mod internal;
pub mod json;
mod known;
mod laid;
mod names;
mod naming;
mod nested;
mod network;
mod node;
mod nodes;
mod order;
mod outline;
mod output;
mod overlay;
mod pool;
mod private_endpoint;
mod profile;
mod protect;
mod reach;
mod resources;
mod roles;
mod scale_set;
mod secrets;
mod setup;
mod storage;
pub mod values;
mod vault;
pub mod versions;
mod visitor;
mod waits;
mod words;

pub use autoscale::DEFAULT as DEFAULT_PROFILE;
pub use expr::Text;
pub use internal::{Broken, Built};
pub use node::{Node, NodeId, Output, Owned, ResourceGraph, Sized, Variable};
pub use visitor::NodeVisitor;

use dsvm_diagnostics::Sink;
use dsvm_model::Fleet;
use dsvm_sema::checked::Checked;
use input::Input;
use nodes::Nodes;

/// Builds the graph of a fleet; `checked` is the program that the fleet was made from.
#[must_use]
pub fn build(fleet: &Fleet<'_>, checked: &Checked, sink: &mut Sink) -> ResourceGraph {
    build_visited(fleet, checked, &visitor::NoVisitor, sink)
}

/// Builds the graph and lets a visitor see each resource once. A broken invariant is reported as an internal error; the
/// graph is empty then.
#[must_use]
pub fn build_visited(
    fleet: &Fleet<'_>,
    checked: &Checked,
    visitor: &dyn NodeVisitor,
    sink: &mut Sink,
) -> ResourceGraph {
    assemble(fleet, checked, visitor, sink).unwrap_or_else(|broken| {
        sink.push(broken.report());
        ResourceGraph { project: fleet.name.to_owned(), ..ResourceGraph::default() }
    })
}

fn assemble(fleet: &Fleet<'_>, checked: &Checked, visitor: &dyn NodeVisitor, sink: &mut Sink) -> Built<ResourceGraph> {
    let names = naming::name_all(fleet, checked)?;
    let input = Input::new(fleet, checked, &names);
    let reach = reach::reach(fleet);
    let plans = network::plan(&input, &reach);
    let mut nodes = Nodes::default();
    let identities = identity::build(&input, &mut nodes);
    let networks = network::build(&input, &plans, &mut nodes);
    let vaults = vault::build(&input, (&plans, &networks), &reach, &mut nodes)?;
    let shares = storage::build(&input, (&plans, &networks), &reach, &vaults, &mut nodes)?;
    let shared =
        pool::Shared { plans: &plans, networks: &networks, identities: &identities, vaults: &vaults, shares: &shares };
    let pools = pool::build_all(&input, &shared, &mut nodes, visitor, sink)?;
    let mut sized = pools.sized;
    sized.extend(batch::build(&input, &shared, &reach, &mut nodes, sink)?);
    roles::grants(&input, &identities, &mut nodes);
    resources::build(&input, &mut nodes, sink);
    protect::mark(nodes.all_mut().iter_mut(), &protect::spans(checked));
    visitor::visit_rest(&mut nodes, visitor, sink);
    let outputs = output::build(&input, &nodes, sink);
    let nodes = nodes.into_list();
    order::check_names(&nodes, sink);
    let order = order::order(&nodes, sink);
    let mut variables = names.variables;
    variables.extend(pools.variables);
    let project = fleet.name.to_owned();
    let mut graph = ResourceGraph { project, nodes, variables, owned: pools.owned, sized, outputs };
    order::sort(&mut graph, &order)?;
    Ok(graph)
}
