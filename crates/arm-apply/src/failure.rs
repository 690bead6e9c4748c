//! How an apply fails.

use super::StateError;
use arm_client::{AzureError, ServiceError};

/// A resource that Azure refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedResource {
    /// ARM id, when Azure named it.
    pub id: Option<String>,
    /// The error as Azure returned it.
    pub error: ServiceError,
}

/// Why an apply failed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Azure refused one or more resources.
    #[error("Azure refused {} of the deployment", if .0.len() == 1 { "a part".to_owned() } else { format!("{} parts", .0.len()) })]
    Refused(Vec<RefusedResource>),
    /// Somebody asked to stop.
    #[error("stopped on request; operations already started continue in Azure")]
    Stopped,
    /// A call to the service failed.
    #[error(transparent)]
    Azure(#[from] AzureError),
    /// The folder `.dsvmc` cannot be written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl miette::Diagnostic for ApplyError {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        use dsvm_diagnostics::Code;
        match self {
            Self::Refused(_) => Some(Box::new(Code::ResourceRefused)),
            Self::Stopped => Some(Box::new(Code::ApplyStopped)),
            Self::Azure(error) => error.code(),
            Self::State(error) => error.code(),
        }
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self {
            Self::Azure(error) => error.help(),
            _ => Some(Box::new("run `dsvmc apply` again: it continues from what exists")),
        }
    }
}
