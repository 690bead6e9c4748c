//! What to deploy, besides the path: the env, a template instead of sources, and parameter values.

use std::path::PathBuf;

/// What a command deploys, besides the path of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeployInput {
    /// The env whose values are used; may be left out when the project has at most one.
    pub env: Option<String>,
    /// An ARM template to deploy instead of a `.dsvm` project.
    pub template: Option<PathBuf>,
    /// Parameter files, `values.json` or `@values.json`; the last one wins.
    pub parameters: Vec<String>,
    /// Single values, `NAME=VALUE`; they win over the files.
    pub set: Vec<String>,
    /// Name of the deployment of a template, which `deployment().name` reads.
    pub deployment_name: Option<String>,
    /// Folder for what is remembered of deployments, instead of the usual one.
    pub state_dir: Option<PathBuf>,
}
