//! Definitions of Batch AI (clusters, file servers, jobs) → the `.dsvm` of their successor.
//!
//! Promises: every property is either carried over or named in a comment, with its value unless it is a secret; the
//! result reads like a file that somebody wrote. Reads the JSON of the Batch AI command line and the ARM types
//! `Microsoft.BatchAI/*`, alone or in templates, which the template engine evaluates. Does not check the result: `dsvmc check` does.

mod cluster;
mod find;
mod images;
mod job;
mod mounts;
mod read;
mod sizes;
mod template;
mod write;

#[cfg(test)]
mod tests;

use read::Node;
use serde_json::Value as Json;
use write::Document;

/// Which successor to write for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Successor {
    /// Azure Batch: keeps the image, the setup and the mounts.
    AzureBatch,
    /// Azure Machine Learning: keeps the log-in and the idle time; jobs bring a container.
    AzureMl,
}

impl Successor {
    /// As `service = …` has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AzureBatch => "azure_batch",
            Self::AzureMl => "azure_ml",
        }
    }
}

/// The result of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The `.dsvm` text of the whole project.
    pub text: String,
    /// What a person should look at, one sentence each.
    pub warnings: Vec<String>,
    /// Properties that were carried over.
    pub carried: usize,
    /// Properties that are named in comments.
    pub named: usize,
}

/// Reads definitions, each with the name of its file, and writes one project.
///
/// # Errors
/// One sentence: a file that holds no definition of Batch AI.
pub fn import(files: &[(String, Json)], project: &str, successor: Successor) -> Result<Imported, String> {
    let mut document = Document::new(successor);
    let mut found = Vec::new();
    for (name, json) in files {
        let definitions = find::definitions(name, &template::evaluated(name, json, &mut document));
        if definitions.is_empty() {
            return Err(format!("`{name}` holds no cluster, file server or job of Batch AI"));
        }
        found.extend(definitions);
    }
    // File servers first: mounts refer to them. Jobs last: they refer to pools.
    found.sort_by_key(|d| d.kind);
    let nodes: Vec<(find::Definition, Node)> = found.into_iter().map(|d| (d.clone(), Node::root(d.body))).collect();
    let of = |kind| nodes.iter().filter(move |(d, _)| d.kind == kind);
    let clusters: Vec<String> = of(find::Kind::Cluster).map(|(d, _)| d.name.clone()).collect();
    for (definition, node) in of(find::Kind::FileServer) {
        mounts::file_server(&definition.name, node, &mut document);
        document.finish(node);
    }
    for (_, node) in of(find::Kind::Job) {
        let need = job::need(node, &mut document);
        document.needs.push(need);
    }
    for (definition, node) in of(find::Kind::Cluster) {
        cluster::cluster(&definition.name, node, &clusters, &mut document);
        document.finish(node);
    }
    if clusters.is_empty() && !document.needs.is_empty() {
        cluster::guessed(&mut document);
    }
    for (definition, node) in of(find::Kind::Job) {
        job::job(&definition.name, node, &mut document);
        document.finish(node);
    }
    Ok(document.done(project))
}
