//! Arguments that the deployment commands share, and their conversion into the plain types of [`crate::deploy`].

use super::printer::to_stderr;
use crate::deploy::error::CommandError;
use crate::deploy::input::DeployInput;
use crate::deploy::settings::Settings;
use crate::deploy::target::{DeployTarget, TargetKind};
use crate::driver::{self, EntryKind, World};
use arm_client::{DeployMode, Trace};
use arm_plan::Unmanaged;
use dsvm_lint::DeploySettings;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments that say where to deploy.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Where to deploy")]
pub struct DeployTargetArgs {
    /// Endpoint on this machine, or Azure [default: that of `dsvmc.toml`, else local]
    #[arg(long, value_enum, env = "DSVMC_TARGET")]
    pub target: Option<TargetArg>,
    /// Resource group [default: that of the project or of `dsvmc.toml`, else rg-PROJECT, with -ENV when there are envs]
    #[arg(long, short = 'g', value_name = "NAME", env = "DSVMC_RESOURCE_GROUP")]
    pub resource_group: Option<String>,
    /// Region of the resource group if it has to be created
    #[arg(long, value_name = "REGION")]
    pub location: Option<String>,
    /// Subscription id [default: that of `dsvmc.toml`, AZURE_SUBSCRIPTION_ID, or that of `az`]
    #[arg(long, value_name = "ID")]
    pub subscription: Option<String>,
    /// Tenant that the token must come from
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// public, china, usgov, or the address of another Resource Manager [default: that of `dsvmc.toml`, else public]
    #[arg(long, value_name = "NAME|URL", env = "AZURE_CLOUD")]
    pub cloud: Option<String>,
    /// How to log in: auto, environment, workload-identity, ci, managed-identity, az, none
    #[arg(long, value_name = "KIND", env = "DSVMC_CREDENTIAL", default_value = "auto")]
    pub credential: String,
    /// PEM file with certificates to trust in addition to the system's
    #[arg(long, value_name = "FILE", env = "DSVMC_CA_BUNDLE")]
    pub ca_file: Option<PathBuf>,
    /// How often a call is sent before it counts as failed
    #[arg(long, value_name = "TIMES", env = "DSVMC_TRIES", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub tries: u32,
    /// Print each call to Resource Manager on stderr
    #[arg(long)]
    pub trace: bool,
}

impl DeployTargetArgs {
    /// The target of the project at a path: what these arguments say, else what `dsvmc.toml` says.
    ///
    /// # Errors
    /// A `dsvmc.toml` cannot be understood.
    pub fn target(&self, path: &Path, world: &dyn World, quiet: bool) -> Result<DeployTarget, CommandError> {
        let folder = match world.kind(path) {
            Ok(EntryKind::Folder) => path,
            _ => path.parent().unwrap_or(Path::new("")),
        };
        let settings =
            driver::deploy_settings(world, folder).map_err(|found| CommandError::diagnostics(found.0, found.1))?;
        // Prices count in plans: a mistake in them is told before anything is planned.
        driver::prices_of(world, folder).map_err(|found| CommandError::diagnostics(found.0, found.1))?;
        Ok(self.with(&settings, quiet))
    }

    fn with(&self, settings: &DeploySettings, quiet: bool) -> DeployTarget {
        let mut origin = Vec::new();
        let mut take = |what: &str, given: bool, setting: &Option<(String, String)>| {
            let (value, file) = setting.as_ref().filter(|_| !given)?;
            origin.push(format!("{what} `{value}` from `{file}`"));
            Some(value.clone())
        };
        let chosen = take("target", self.target.is_some(), &settings.target);
        let chosen = if chosen.as_deref() == Some("azure") { TargetArg::Azure } else { TargetArg::Local };
        let kind = self.target.unwrap_or(chosen).kind();
        // The endpoint of this machine knows one subscription and no cloud.
        let azure = kind == TargetKind::Azure;
        let cloud = take("cloud", !azure || self.cloud.is_some(), &settings.cloud);
        let subscription = take("subscription", !azure || self.subscription.is_some(), &settings.subscription);
        let usual_group = settings.resource_group.clone().filter(|_| self.resource_group.is_none());
        let trace = || {
            Arc::new(|line: &str| {
                to_stderr(&format!("http: {line}\n"));
            }) as Trace
        };
        let notice = || {
            Arc::new(|line: &str| {
                to_stderr(&format!("note: {line}\n"));
            }) as Trace
        };
        DeployTarget {
            kind,
            resource_group: self.resource_group.clone(),
            usual_group,
            origin: origin.join(", "),
            location: self.location.clone(),
            subscription: self.subscription.clone().or(subscription),
            tenant: self.tenant.clone(),
            cloud: self.cloud.clone().or(cloud).unwrap_or_else(|| "public".to_owned()),
            credential: self.credential.clone(),
            ca_file: self.ca_file.clone(),
            attempts: self.tries,
            trace: self.trace.then(trace),
            notice: (!quiet).then(notice),
            probe: false,
        }
    }
}

/// The values of `--target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TargetArg {
    /// The endpoint on this machine
    Local,
    /// A cloud of Azure
    Azure,
}

impl TargetArg {
    /// The same as a plain type.
    #[must_use]
    pub fn kind(self) -> TargetKind {
        match self {
            Self::Local => TargetKind::Local,
            Self::Azure => TargetKind::Azure,
        }
    }
}

/// Arguments that say what to deploy.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What to deploy")]
pub struct DeployInputArgs {
    /// Use the values of this env
    #[arg(long, short = 'e', value_name = "ENV", env = "DSVMC_ENV")]
    pub env: Option<String>,
    /// Deploy this ARM template instead of a .dsvm project
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Parameter file, as `@values.json` or `values.json`, or one value. Can be repeated; the last one wins, values win over files
    #[arg(long, short = 'p', value_name = "@FILE|NAME=VALUE")]
    pub parameters: Vec<String>,
    /// One value. Can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Deploy the template under this name, which it reads as `deployment().name`, and without a stack: stacks name their
    /// deployments themselves
    #[arg(long, value_name = "NAME", requires = "template", value_parser = deployment_name)]
    pub deployment_name: Option<String>,
    /// Folder for what is remembered of deployments [default: .dsvmc in the project; the user's state folder for a template]
    #[arg(long, value_name = "FOLDER", env = "DSVMC_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}

/// A name as Azure takes it: 1 to 64 letters, digits and `_ ( ) . -`.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources>
pub fn deployment_name(given: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_().-".contains(c);
    if (1..=64).contains(&given.chars().count()) && given.chars().all(allowed) {
        Ok(given.to_owned())
    } else {
        Err("the name of a deployment has 1 to 64 letters, digits and `_ ( ) . -`".to_owned())
    }
}

/// Whether `-p` got `name=value` rather than a file. As in `expand`, a file with such a name needs the `@`.
fn is_value(given: &str) -> bool {
    !given.starts_with('@') && given.contains('=')
}

impl DeployInputArgs {
    /// The input that these arguments describe.
    #[must_use]
    pub fn input(&self) -> DeployInput {
        let (values, files): (Vec<String>, Vec<String>) = self.parameters.iter().cloned().partition(|p| is_value(p));
        DeployInput {
            env: self.env.clone(),
            template: self.template.clone(),
            parameters: files,
            set: [values, self.set.clone()].concat(),
            deployment_name: self.deployment_name.clone(),
            state_dir: self.state_dir.clone(),
        }
    }
}

/// Which resources are planned, and what happens to those no longer in the source.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SettingsArgs {
    /// Only resources whose name, type/name or id matches (`*` matches anything). Can be repeated
    #[arg(long, value_name = "PATTERN")]
    pub only: Vec<String>,
    /// Leave out resources that match. Can be repeated
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Use a plain deployment instead of a deployment stack: nothing is ever deleted
    #[arg(long)]
    pub plain: bool,
    /// Leave resources that are no longer in the source as they are instead of deleting them
    #[arg(long)]
    pub detach: bool,
    /// Pools with `size = first of […]` go back to their first choice, as far as Azure has it
    #[arg(long)]
    pub first_choice: bool,
}

impl SettingsArgs {
    /// The settings that these arguments describe.
    #[must_use]
    pub fn settings(&self, input: &DeployInputArgs) -> Settings {
        let narrowed = !self.only.is_empty() || !self.exclude.is_empty();
        // A stack gives the deployments that it makes names of its own.
        let named = input.deployment_name.is_some();
        Settings {
            // A stack would treat the resources left out as removed.
            mode: if self.plain || narrowed || named { DeployMode::Plain } else { DeployMode::Stack },
            unmanaged: if self.detach { Unmanaged::Detach } else { Unmanaged::Delete },
            targets: self.only.clone(),
            excludes: self.exclude.clone(),
            list_suppressed: false,
            first_choice: self.first_choice,
        }
    }
}
