//! Where to deploy: the endpoint, the subscription, the resource group, and how to log in.

use arm_client::Trace;
use std::path::PathBuf;

/// Which Resource Manager a deployment goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetKind {
    /// The endpoint on this machine.
    #[default]
    Local,
    /// A cloud of Azure.
    Azure,
}

impl TargetKind {
    /// The word that the command line, receipts and saved plans use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Azure => "azure",
        }
    }
}

/// Where to deploy. The default is the local endpoint, with everything else worked out.
#[derive(Clone)]
pub struct DeployTarget {
    /// Which Resource Manager to use.
    pub kind: TargetKind,
    /// Resource group; without it, the one that the project names, else `rg-PROJECT[-ENV]`.
    pub resource_group: Option<String>,
    /// Resource group of a project that names none, and the `dsvmc.toml` that says so.
    pub usual_group: Option<(String, String)>,
    /// What `dsvmc.toml` decided, for the first line of a plan; empty when it decided nothing.
    pub origin: String,
    /// Region of the resource group if it has to be created.
    pub location: Option<String>,
    /// Subscription id; without it, from the environment or from what `az` has chosen.
    pub subscription: Option<String>,
    /// Tenant id that the token must come from.
    pub tenant: Option<String>,
    /// `public`, `china`, `usgov`, or the address of another Resource Manager.
    pub cloud: String,
    /// Kind of credential: `auto`, `environment`, `workload-identity`, `ci`, `managed-identity`, `az`, `none`.
    pub credential: String,
    /// PEM file with certificates to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// How often a call is sent before it counts as failed.
    pub attempts: u32,
    /// Receives one line for each call to Resource Manager.
    pub trace: Option<Trace>,
    /// Receives one line where a call waits for long.
    pub notice: Option<Trace>,
    /// Only test whether the endpoint answers: fewer attempts, no further lookups.
    pub probe: bool,
}

impl Default for DeployTarget {
    fn default() -> Self {
        Self {
            kind: TargetKind::Local,
            resource_group: None,
            usual_group: None,
            origin: String::new(),
            location: None,
            subscription: None,
            tenant: None,
            cloud: "public".to_owned(),
            credential: "auto".to_owned(),
            ca_file: None,
            attempts: 8,
            trace: None,
            notice: None,
            probe: false,
        }
    }
}
