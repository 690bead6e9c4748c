//! A client of Azure Resource Manager's protocol over HTTP, for Azure and for the local endpoint alike.
//!
//! In: [`ClientOptions`] (cloud, credential, subscription, retry budget) and one method per call. Out: JSON bodies and
//! [`Reply`] values, or an [`AzureError`] unwrapped to its innermost cause.
//!
//! Promises: a request that may not be repeated safely is never sent twice; waits follow `Retry-After` within a budget;
//! polling URLs are used exactly as they came, and only where they lead to the same Resource Manager; tokens go only to it,
//! encrypted or on this machine; answers, lists and operations are bounded; tokens and bodies reach no message and no log
//! line.
//! Does not: decide what to deploy (`plan`), in which order (`apply`), or print anything.

mod address;
mod calls;
mod cloud;
mod error;
mod identity;
mod limits;
mod machines;
mod observe;
mod pages;
mod poll;
mod retail;
mod transport;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

pub use calls::{DeployMode, VAULTS_API};
pub use cloud::Cloud;
pub use error::{AzureError, ServiceError};
pub use identity::{Credential, CredentialStatus, available};
pub use limits::Limits;
pub use machines::SCALE_SETS_API;
pub use observe::ResourceRef;
pub use poll::{OperationStatus, Pending};
pub use retail::{PRICES, PriceService};
pub use transport::{Method, Reply, RetryBudget};

use std::sync::Arc;
use std::time::Duration;

/// Called with one line for each HTTP exchange.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

/// Which endpoint to call, and with which credential.
#[derive(Clone)]
pub struct ClientOptions {
    /// The cloud; its endpoint may be the local one.
    pub cloud: Cloud,
    /// Where tokens come from; they are sent to this cloud only.
    pub credential: Credential,
    /// Id of the subscription that paths refer to.
    pub subscription: String,
    /// Tenant id, when a token must come from a certain one.
    pub tenant: Option<String>,
    /// How often and how long to retry.
    pub retry: RetryBudget,
    /// How much of the service is listened to.
    pub limits: Limits,
    /// PEM certificates to trust besides the system's.
    pub extra_roots: Vec<u8>,
    /// Called with one line for each exchange: method, path without its query, status, time, correlation id.
    pub trace: Option<Trace>,
    /// Called with one line where waiting takes so long that a person wonders why.
    pub notice: Option<Trace>,
}

impl std::fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientOptions")
            .field("cloud", &self.cloud)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

impl ClientOptions {
    /// Options for an endpoint that requires no token.
    #[must_use]
    pub fn local(base_url: &str, subscription: &str) -> Self {
        Self {
            cloud: Cloud::custom(base_url),
            credential: Credential::None,
            subscription: subscription.to_owned(),
            tenant: None,
            retry: RetryBudget::default(),
            limits: Limits::default(),
            extra_roots: Vec::new(),
            trace: None,
            notice: None,
        }
    }
}

/// A blocking client; holds its own runtime.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    transport: Arc<transport::Transport>,
    /// Id of the subscription that paths refer to.
    pub subscription: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("subscription", &self.subscription).finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a client. Nothing is sent yet.
    ///
    /// # Errors
    /// A bad base URL, unreadable certificates, or no credential of the wanted kind.
    pub fn new(options: ClientOptions) -> Result<Self, AzureError> {
        // A second installation in one process is refused and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| AzureError::Setup(format!("cannot start the network runtime: {e}")))?;
        let subscription = options.subscription.clone();
        // The HTTP client registers with the runtime that it is made in.
        let transport = {
            let _inside = runtime.enter();
            Arc::new(transport::Transport::new(options)?)
        };
        Ok(Self { runtime, transport, subscription })
    }

    /// Adds to `cloud` the metadata that a custom Resource Manager publishes; one request, without a token. Without
    /// metadata the cloud stays unchanged.
    ///
    /// # Errors
    /// The metadata asks for tokens that are for others, or for a login in the open, or does not come to an end.
    pub fn discover(cloud: Cloud, extra_roots: &[u8], trace: Option<Trace>) -> Result<Cloud, AzureError> {
        let retry = RetryBudget { attempts: 1, timeout: Duration::from_secs(20), ..RetryBudget::default() };
        let options = ClientOptions {
            cloud: cloud.clone(),
            retry,
            extra_roots: extra_roots.to_vec(),
            trace,
            ..ClientOptions::local(&cloud.endpoint, "")
        };
        let answer =
            Self::new(options).and_then(|c| c.send(Method::Get, "/metadata/endpoints?api-version=2022-09-01", None));
        match answer {
            Ok(reply) => cloud.with_metadata(&reply.body),
            Err(error @ (AzureError::Endless { .. } | AzureError::Address { .. })) => Err(error),
            Err(_) => Ok(cloud),
        }
    }

    /// Sends one request; waits for the answer, with retries where they are safe.
    ///
    /// # Errors
    /// The service refused, or could not be reached within the budget.
    pub fn send(&self, method: Method, path: &str, body: Option<&serde_json::Value>) -> Result<Reply, AzureError> {
        self.runtime.block_on(self.transport.send(method, path, body.map(ToString::to_string)))
    }

    /// Reads; the body of the answer is left as text.
    fn raw(&self, path: &str) -> Result<Reply, AzureError> {
        self.runtime.block_on(self.transport.send_raw(Method::Get, path, None))
    }

    /// The same in one attempt.
    fn raw_once(&self, path: &str) -> Result<Reply, AzureError> {
        self.runtime.block_on(self.transport.send_within(1, Method::Get, path, None))
    }

    /// Waits as long as the budget allows one wait to be.
    pub fn sleep(&self, wait: Duration) {
        let wait = wait.min(self.transport.longest_wait());
        std::thread::sleep(wait);
    }
}
