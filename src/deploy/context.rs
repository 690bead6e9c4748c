//! The inputs that every step of a deployment command shares.

use super::compiled::CompiledProject;
use super::input::DeployInput;
use super::session::Session;
use super::target::DeployTarget;
use arm_apply::StateDir;

/// A project, where it is deployed to, and what this machine remembers of it.
#[derive(Clone, Copy)]
pub struct DeployContext<'a> {
    /// The project that is deployed.
    pub project: &'a CompiledProject,
    /// Env and parameter values of the command.
    pub input: &'a DeployInput,
    /// Where it is deployed to.
    pub target: &'a DeployTarget,
    /// An open session with that target.
    pub session: &'a Session,
    /// The project's files in `.dsvmc`.
    pub state: &'a StateDir,
}
