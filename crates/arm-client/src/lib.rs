//! Speaks Azure Resource Manager's protocol over HTTP: the same client for Azure and for the local endpoint.
//!
//! Promises: a request that may not be repeated safely is never sent twice; waits follow `Retry-After` within a budget;
//! polling URLs are used exactly as they came; tokens and bodies reach no message and no log line.
//! Does not: decide what to deploy (`plan`), in which order (`apply`), or print anything.

mod calls;
mod cloud;
mod error;
mod identity;
mod observe;
mod pages;
mod poll;
mod transport;
#[cfg(test)]
mod tests;

pub use calls::{DEPLOYMENTS_API, DeployMode, RESOURCES_API, STACKS_API};
pub use cloud::Cloud;
pub use error::{AzureError, ServiceError};
pub use identity::{Credential, CredentialStatus, available};
pub use observe::ResourceRef;
pub use poll::{OperationStatus, Pending};
pub use transport::{Method, Reply, RetryBudget};

use std::sync::Arc;
use std::time::Duration;

/// Told of each exchange.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

/// Where and as whom to speak.
#[derive(Clone)]
pub struct ClientOptions {
    /// The cloud; its endpoint may be the local one.
    pub cloud: Cloud,
    /// How to prove who one is.
    pub credential: Credential,
    /// Subscription id.
    pub subscription: String,
    /// Tenant id, when a token must come from a certain one.
    pub tenant: Option<String>,
    /// How often and how long to retry.
    pub retry: RetryBudget,
    /// PEM certificates to trust besides the system's.
    pub extra_roots: Vec<u8>,
    /// Called with one line for each exchange: method, path without its query, status, time, correlation id.
    pub trace: Option<Trace>,
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
    /// Speaks to an endpoint that wants no token.
    #[must_use]
    pub fn local(base_url: &str, subscription: &str) -> Self {
        Self {
            cloud: Cloud::custom(base_url),
            credential: Credential::None,
            subscription: subscription.to_owned(),
            tenant: None,
            retry: RetryBudget::default(),
            extra_roots: Vec::new(),
            trace: None,
        }
    }
}

/// A blocking client; holds its own runtime.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    transport: Arc<transport::Transport>,
    /// Subscription id.
    pub subscription: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("subscription", &self.subscription).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client. Nothing is sent yet.
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

    /// What a custom Resource Manager tells of itself, in its own words added to `cloud`; asked once, without a token. One
    /// that tells nothing is taken as it is.
    #[must_use]
    pub fn discover(cloud: Cloud, extra_roots: &[u8], trace: Option<Trace>) -> Cloud {
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
            Err(_) => cloud,
        }
    }

    /// Sends one request; waits for the answer, with retries where they are safe.
    ///
    /// # Errors
    /// The service refused, or could not be reached within the budget.
    pub fn send(&self, method: Method, path: &str, body: Option<&serde_json::Value>) -> Result<Reply, AzureError> {
        self.runtime.block_on(self.transport.send(method, path, body.map(ToString::to_string)))
    }

    /// As [`Client::send`], with a body that is text already.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub fn send_text(&self, method: Method, path: &str, body: String) -> Result<Reply, AzureError> {
        self.runtime.block_on(self.transport.send(method, path, Some(body)))
    }

    /// Reads; the body of the answer is left as text.
    fn text(&self, path: &str) -> Result<String, AzureError> {
        Ok(self.runtime.block_on(self.transport.send_raw(Method::Get, path, None))?.text)
    }

    /// Waits as long as the budget allows one wait to be.
    pub fn sleep(&self, wait: Duration) {
        let wait = wait.min(self.transport.longest_wait());
        std::thread::sleep(wait);
    }
}
