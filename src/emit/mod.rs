//! Emission: turns a resource graph into templates, parameter files and a map back to the source.
//!
//! Promises: the same graph gives the same bytes; each template stays within Resource Manager's limits, and a project
//! that outgrows one is split into several deployments in the order of their dependencies. The templates also work with
//! `az deployment group create`.

pub mod diags;
mod limits;
mod names;
mod parameters;
mod split;
mod template;

use crate::diagnostics::Sink;
use crate::graph::ResourceGraph;
use crate::sema::checked::{Checked, Clean};
use crate::source::Span;
use indexmap::IndexMap;
use serde_json::Value as Json;

pub use limits::check;

/// Everything that is written for a project.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// In the order in which they are deployed; more than one only when a project outgrows one template.
    pub deployments: Vec<Deployment>,
}

/// One template with its parameter files.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `main`, or `shared`, `pools-1`, `pools-2`, …
    pub name: String,
    /// The template.
    pub template: Json,
    /// JSON pointer into the template, and where that part was written.
    pub provenance: Vec<(String, Span)>,
    /// Parameter files by env; the name is empty when the project has no env.
    pub parameters: IndexMap<String, Json>,
    /// Deployments that come before.
    pub depends_on: Vec<String>,
}

/// Writes the templates.
#[must_use]
pub fn emit(graph: &Clean<ResourceGraph>, checked: &Checked, sink: &mut Sink) -> Artifacts {
    let graph = graph.get();
    let groups = split::split(graph);
    let names: Vec<String> = split::names(&groups);
    let mut deployments = Vec::with_capacity(groups.len());
    for (index, group) in groups.iter().enumerate() {
        let (template, provenance) = template::write(graph, checked, group, groups.len() == 1);
        let parameters = parameters::files(checked, &template);
        limits::check_template(graph, checked, &template, sink);
        deployments.push(Deployment {
            name: names.get(index).cloned().unwrap_or_default(),
            template,
            provenance,
            parameters,
            depends_on: group.after.iter().filter_map(|g| names.get(*g).cloned()).collect(),
        });
    }
    Artifacts { deployments }
}
