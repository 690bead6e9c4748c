//! What `plan`, `apply`, `destroy`, `status`, `show` and `outputs` share: where to deploy, with which values, and how to
//! come from sources to a plan.

pub mod bundle;
pub mod consent;
pub mod desired;
pub mod last;
pub mod narrowing;
pub mod observing;
pub mod offline;
pub mod parameters;
pub mod planning;
pub mod progress;
pub mod provenance;
pub mod project;
pub mod refusal;
pub mod saved;
pub mod session;
pub mod standing;
pub mod whatif;

use crate::cli::Context;
use crate::cli::exit::Exit;
use crate::render::snippet;
use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Code, Diagnostic};
use std::path::PathBuf;

/// Where to deploy.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Where to deploy")]
pub struct Where {
    /// The endpoint on this machine, or Azure
    #[arg(long, value_enum, env = "DSVMC_TARGET", default_value_t = Target::Local)]
    pub target: Target,
    /// Resource group [default: rg-PROJECT, with -ENV when there are envs]
    #[arg(long, short = 'g', value_name = "NAME", env = "DSVMC_RESOURCE_GROUP")]
    pub resource_group: Option<String>,
    /// Region of the resource group when it must be made
    #[arg(long, value_name = "REGION")]
    pub location: Option<String>,
    /// Subscription id [default: AZURE_SUBSCRIPTION_ID, else that of `az`]
    #[arg(long, value_name = "ID")]
    pub subscription: Option<String>,
    /// Tenant that the token must come from
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// public, china, usgov, or the address of another Resource Manager
    #[arg(long, value_name = "NAME|URL", env = "AZURE_CLOUD", default_value = "public")]
    pub cloud: String,
    /// How to log in: auto, environment, workload-identity, ci, managed-identity, az, none
    #[arg(long, value_name = "KIND", env = "DSVMC_CREDENTIAL", default_value = "auto")]
    pub credential: String,
    /// PEM file with certificates to trust besides the system's
    #[arg(long, value_name = "FILE", env = "DSVMC_CA_BUNDLE")]
    pub ca_file: Option<PathBuf>,
    /// How often a call is sent before it counts as failed
    #[arg(long, value_name = "TIMES", env = "DSVMC_TRIES", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub tries: u32,
    /// Tell each call to Resource Manager on stderr
    #[arg(long)]
    pub trace: bool,
    /// Give up soon, for those who only look whether anybody answers
    #[arg(skip)]
    pub soon: bool,
}

/// The endpoint on this machine, or Azure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// The endpoint on this machine
    #[default]
    Local,
    /// Azure
    Azure,
}

impl Target {
    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Azure => "azure",
        }
    }
}

/// What to deploy.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "What to deploy")]
pub struct What {
    /// Use the values of this env
    #[arg(long, short = 'e', value_name = "ENV", env = "DSVMC_ENV")]
    pub env: Option<String>,
    /// Deploy this ARM template instead of a .dsvm project
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Parameter file, as `@values.json` or `values.json`. Can be repeated; the last one wins
    #[arg(long, short = 'p', value_name = "@FILE")]
    pub parameters: Vec<String>,
    /// One value. Can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// A command cannot go on: what to tell, and the exit code.
#[derive(Debug)]
pub struct Halt {
    /// Exit code.
    pub exit: Exit,
    /// What to tell; `None` when it was told already, or `found` tells it.
    pub report: Option<miette::Report>,
    /// What is wrong with a file, to be shown at its lines.
    pub found: Option<Box<(SourceMap, Vec<Diagnostic>)>>,
}

impl<E: miette::Diagnostic + Send + Sync + 'static> From<E> for Halt {
    fn from(error: E) -> Self {
        Self { exit: Exit::World, report: Some(miette::Report::new(error)), found: None }
    }
}

/// Something that the person who typed the command must change.
#[derive(Debug, thiserror::Error)]
#[error("{title}")]
pub struct Fault {
    code: Code,
    title: String,
    help: String,
}

impl miette::Diagnostic for Fault {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn std::fmt::Display>)
    }
}

impl Halt {
    /// The input is at fault.
    pub fn input(code: Code, title: impl Into<String>, help: impl Into<String>) -> Self {
        let fault = Fault { code, title: title.into(), help: help.into() };
        Self { exit: Exit::Input, report: Some(miette::Report::new(fault)), found: None }
    }

    /// A file is at fault, at places in it.
    #[must_use]
    pub fn found(sources: SourceMap, diagnostics: Vec<Diagnostic>) -> Self {
        Self { exit: Exit::Input, report: None, found: Some(Box::new((sources, diagnostics))) }
    }

    /// The world is at fault.
    pub fn world(code: Code, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::World, ..Self::input(code, title, help) }
    }

    /// The title, if the reason is this one.
    #[must_use]
    pub fn title_of(&self, code: Code) -> Option<String> {
        let report = self.report.as_ref()?;
        report.code().is_some_and(|c| c.to_string() == code.to_string()).then(|| report.to_string())
    }

    /// It was told already.
    #[must_use]
    pub fn told(exit: Exit) -> Self {
        Self { exit, report: None, found: None }
    }
}

/// Runs a command's body and tells why it halted.
pub fn finish(result: Result<Exit, Halt>, cx: &mut Context) -> Result<Exit, miette::Report> {
    match result {
        Ok(exit) => Ok(exit),
        Err(Halt { exit, found: Some(found), .. }) => {
            let (sources, diagnostics) = *found;
            let text = snippet::all(&[(&sources, diagnostics.as_slice())], cx.printer.error_palette());
            cx.printer.say(&text);
            Ok(exit)
        }
        Err(Halt { exit, report: None, .. }) => Ok(exit),
        Err(Halt { exit: Exit::World, report: Some(report), .. }) => Err(report),
        Err(Halt { exit, report: Some(report), .. }) => {
            cx.printer.say(&format!("{report:?}"));
            Ok(exit)
        }
    }
}
