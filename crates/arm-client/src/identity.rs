//! Credentials: access tokens from the official identity library, or none at all for the local endpoint.
//!
//! The library never opens a connection of its own: it speaks through the same HTTP client as everything else, so that
//! proxies and extra certificates hold for it too. None of it runs unless an Azure credential is requested.

use super::address::{is_private, origin_of};
use super::cloud::Cloud;
use super::error::AzureError;
use super::limits::{self, BodyError};
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::request::Body;
use azure_core::http::{
    AsyncRawResponse, ClientMethodOptions, ClientOptions, ExponentialRetryOptions, HttpClient, Method, Request,
    RetryOptions, Transport,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// How the client authenticates.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// No token: the local endpoint.
    None,
    /// This token, as it is.
    Static(String),
    /// The first of these that is set up: environment, workload identity, CI, managed identity, Azure CLI.
    Auto,
    /// A client secret from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.
    Environment,
    /// A federated token in a file (Kubernetes, `AZURE_FEDERATED_TOKEN_FILE`).
    WorkloadIdentity,
    /// The OpenID Connect token of a CI job.
    Ci,
    /// The identity of the machine that this runs on.
    ManagedIdentity,
    /// The account logged in with `az login`.
    AzureCli,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Credential {
    /// Its name on the command line.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Static(_) => "static",
            Self::Auto => "auto",
            Self::Environment => "environment",
            Self::WorkloadIdentity => "workload-identity",
            Self::Ci => "ci",
            Self::ManagedIdentity => "managed-identity",
            Self::AzureCli => "az",
        }
    }

    /// By its name on the command line.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::None,
            Self::Auto,
            Self::Environment,
            Self::WorkloadIdentity,
            Self::Ci,
            Self::ManagedIdentity,
            Self::AzureCli,
        ]
        .into_iter()
        .find(|c| c.name() == name)
    }
}

/// Whether one kind of credential is set up here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialStatus {
    /// Its name on the command line.
    pub name: &'static str,
    /// Whether it can be tried.
    pub ready: bool,
    /// What it is set up by, or what is missing. Names of variables only, never their values.
    pub detail: String,
}

fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|v| !v.is_empty())
}

fn from_env(names: &[&str]) -> (bool, String) {
    let missing: Vec<&str> = names.iter().copied().filter(|n| !set(n)).collect();
    if missing.is_empty() { (true, names.join(", ")) } else { (false, format!("not set: {}", missing.join(", "))) }
}

/// What is set up here, in the order in which `auto` tries it.
#[must_use]
pub fn available() -> Vec<CredentialStatus> {
    let of = |credential: &Credential, (ready, detail): (bool, String)| CredentialStatus {
        name: credential.name(),
        ready,
        detail,
    };
    let machine = if set("IDENTITY_ENDPOINT") || set("MSI_ENDPOINT") {
        (true, "IDENTITY_ENDPOINT".to_owned())
    } else {
        (false, "no identity endpoint in the environment; tried last on a virtual machine".to_owned())
    };
    let on_path = std::env::var_os("PATH")
        .is_some_and(|p| std::env::split_paths(&p).any(|d| d.join("az").is_file() || d.join("az.cmd").is_file()));
    let cli = if on_path {
        (true, "`az` is installed; its current login is used".to_owned())
    } else {
        (false, "`az` is not installed".to_owned())
    };
    vec![
        of(&Credential::Environment, from_env(&["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"])),
        of(
            &Credential::WorkloadIdentity,
            from_env(&["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"]),
        ),
        of(
            &Credential::Ci,
            from_env(&[
                "AZURE_TENANT_ID",
                "AZURE_CLIENT_ID",
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            ]),
        ),
        of(&Credential::ManagedIdentity, machine),
        of(&Credential::AzureCli, cli),
    ]
}

/// Bytes of an answer with a token.
const LONGEST_ANSWER: usize = 1 << 20;

/// Gives tokens for one audience.
pub(super) struct Tokens {
    kind: TokenSource,
    scope: String,
    last: Mutex<Option<AccessToken>>,
}

enum TokenSource {
    None,
    Static(Secret),
    From(Box<Source>),
}

/// A credential and the settings it is built from. The identity library caches a token until it expires: to get a new one
/// because the service refused the old one needs a new credential.
struct Source {
    credential: Credential,
    cloud: Cloud,
    tenant: Option<String>,
    http: Clients,
    made: Mutex<Arc<dyn TokenCredential>>,
}

/// The way to token servers: that of everything else, and one around all proxies for those on this machine.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    pub(super) normal: reqwest::Client,
    pub(super) direct: reqwest::Client,
}

impl Clients {
    fn to(&self, url: &url::Url) -> &reqwest::Client {
        // The identity endpoint of a machine is link-local; a proxy elsewhere could not reach it, and must not.
        let near = match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_link_local() || address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback() || address.segments().first() == Some(&0xfe80),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if near { &self.direct } else { &self.normal }
    }
}

impl Tokens {
    pub(super) fn new(
        credential: &Credential,
        cloud: &Cloud,
        tenant: Option<&str>,
        http: Clients,
    ) -> Result<Self, AzureError> {
        check_authority(credential, cloud)?;
        let kind = match credential {
            Credential::None => TokenSource::None,
            Credential::Static(token) => TokenSource::Static(Secret::new(token.clone())),
            other => {
                let made = Mutex::new(make(other, cloud, tenant, &http)?);
                let tenant = tenant.map(str::to_owned);
                TokenSource::From(Box::new(Source {
                    credential: other.clone(),
                    cloud: cloud.clone(),
                    tenant,
                    http,
                    made,
                }))
            }
        };
        Ok(Self { kind, scope: cloud.scope(), last: Mutex::new(None) })
    }

    /// A token that holds for at least two minutes more, and is not the one that was refused. Of many calls that were
    /// refused with one token, the first asks for a new one and all use it.
    pub(super) async fn get(&self, refused: Option<&str>) -> Result<Option<String>, AzureError> {
        let source = match &self.kind {
            TokenSource::None => return Ok(None),
            TokenSource::Static(token) => return Ok(Some(token.secret().to_owned())),
            TokenSource::From(source) => source,
        };
        let mut last = self.last.lock().await;
        let soon = azure_core::time::OffsetDateTime::now_utc() + azure_core::time::Duration::minutes(2);
        let good = |t: &&AccessToken| Some(t.token.secret()) != refused && t.expires_on > soon;
        if let Some(token) = last.as_ref().filter(good) {
            return Ok(Some(token.token.secret().to_owned()));
        }
        let mut made = source.made.lock().await;
        if refused.is_some() {
            *made = make(&source.credential, &source.cloud, source.tenant.as_deref(), &source.http)?;
        }
        let token = made.get_token(&[self.scope.as_str()], None).await.map_err(|e| failure(&e))?;
        let text = token.token.secret().to_owned();
        *last = Some(token);
        Ok(Some(text))
    }
}

/// Whether a secret or an assertion of this credential may go to the authority of the cloud.
fn check_authority(credential: &Credential, cloud: &Cloud) -> Result<(), AzureError> {
    if !matches!(chosen(credential), Credential::Environment | Credential::WorkloadIdentity | Credential::Ci) {
        return Ok(());
    }
    let to = origin_of(&cloud.authority);
    if !is_private(&cloud.authority) {
        return Err(AzureError::Address {
            host: to,
            text: "gets no secret: the connection is not encrypted".to_owned(),
        });
    }
    if cloud.authority_is_told {
        let text = format!("names `{to}` to log in at; if that is right, set AZURE_AUTHORITY_HOST to it");
        return Err(AzureError::Address { host: origin_of(&cloud.endpoint), text });
    }
    Ok(())
}

/// The credential that `auto` stands for here.
fn chosen(credential: &Credential) -> Credential {
    if *credential != Credential::Auto {
        return credential.clone();
    }
    let ready = available().into_iter().find(|c| c.ready).and_then(|c| Credential::named(c.name));
    ready.unwrap_or(Credential::ManagedIdentity)
}

/// The causes in words, each once: the outermost says which credential, the innermost says why.
fn failure(error: &azure_core::Error) -> AzureError {
    let mut causes = vec![first_line(&error.to_string())];
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let line = first_line(&cause.to_string());
        if !causes.iter().any(|t| t.contains(&line)) {
            causes.push(line);
        }
        next = cause.source();
    }
    AzureError::Token(causes.join(": "))
}

fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|l| !l.is_empty())
        .unwrap_or("the identity library gave no reason")
        .chars()
        .take(400)
        .collect()
}

fn make(
    credential: &Credential,
    cloud: &Cloud,
    tenant: Option<&str>,
    http: &Clients,
) -> Result<Arc<dyn TokenCredential>, AzureError> {
    let failed = |e: azure_core::Error| failure(&e);
    let read = |name: &str| std::env::var(name).map_err(|_| AzureError::Token(format!("{name} is not set")));
    let client_options = || ClientOptions {
        transport: Some(Transport::new(Arc::new(Http(http.clone())))),
        cloud: Some(Arc::new(configuration(cloud))),
        // An unresponsive token server is reported soon; the calls themselves have a budget of their own.
        retry: RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: 3,
            ..ExponentialRetryOptions::default()
        }),
        ..ClientOptions::default()
    };
    let tenant_or_env = || tenant.map_or_else(|| read("AZURE_TENANT_ID"), |t| Ok(t.to_owned()));
    Ok(match credential {
        Credential::Auto => {
            return make(&chosen(credential), cloud, tenant, http);
        }
        Credential::Environment => {
            let options = ClientSecretCredentialOptions { client_options: client_options() };
            ClientSecretCredential::new(
                &tenant_or_env()?,
                read("AZURE_CLIENT_ID")?,
                Secret::new(read("AZURE_CLIENT_SECRET")?),
                Some(options),
            )
            .map_err(failed)?
        }
        Credential::WorkloadIdentity => {
            let credential_options = ClientAssertionCredentialOptions { client_options: client_options() };
            let options = WorkloadIdentityCredentialOptions {
                credential_options,
                tenant_id: tenant.map(str::to_owned),
                ..WorkloadIdentityCredentialOptions::default()
            };
            WorkloadIdentityCredential::new(Some(options)).map_err(failed)?
        }
        Credential::Ci => {
            let assertion = CiToken {
                http: http.normal.clone(),
                url: read("ACTIONS_ID_TOKEN_REQUEST_URL")?,
                token: Secret::new(read("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?),
            };
            let options = ClientAssertionCredentialOptions { client_options: client_options() };
            ClientAssertionCredential::new(tenant_or_env()?, read("AZURE_CLIENT_ID")?, assertion, Some(options))
                .map_err(failed)?
        }
        Credential::ManagedIdentity => {
            let user = std::env::var("AZURE_CLIENT_ID").ok().filter(|v| !v.is_empty()).map(UserAssignedId::ClientId);
            let options = ManagedIdentityCredentialOptions { user_assigned_id: user, client_options: client_options() };
            ManagedIdentityCredential::new(Some(options)).map_err(failed)?
        }
        Credential::AzureCli => {
            let options = AzureCliCredentialOptions {
                tenant_id: tenant.map(str::to_owned),
                ..AzureCliCredentialOptions::default()
            };
            AzureCliCredential::new(Some(options)).map_err(failed)?
        }
        Credential::None | Credential::Static(_) => {
            return Err(AzureError::Setup("this credential has no source".to_owned()));
        }
    })
}

fn configuration(cloud: &Cloud) -> azure_core::cloud::CloudConfiguration {
    let mut custom = azure_core::cloud::CustomConfiguration::default();
    custom.authority_host.clone_from(&cloud.authority);
    custom.into()
}

/// The OpenID Connect token that a CI job can request.
struct CiToken {
    http: reqwest::Client,
    url: String,
    token: Secret,
}

impl std::fmt::Debug for CiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CiToken")
    }
}

#[async_trait::async_trait]
impl ClientAssertion for CiToken {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let fail = |text: &'static str| azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, text);
        let sign = if self.url.contains('?') { '&' } else { '?' };
        if !is_private(&self.url) {
            return Err(fail("the CI system's identity endpoint is neither encrypted nor on this machine"));
        }
        let url = format!("{}{sign}audience=api%3A%2F%2FAzureADTokenExchange", self.url);
        let answer = self.http.get(url).bearer_auth(self.token.secret()).send().await;
        let answer = answer.ok().filter(|answer| answer.status().is_success());
        let answer = answer.ok_or_else(|| fail("the CI system gave no identity token"))?;
        let unread = || fail("the CI system's identity token cannot be read");
        let bytes = limits::body(answer, LONGEST_ANSWER).await.map_err(|_| unread())?;
        let body: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| unread())?;
        body.get("value")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| fail("the CI system's answer holds no identity token"))
    }
}

/// The identity library's requests, sent with our client.
#[derive(Debug)]
struct Http(Clients);

#[async_trait::async_trait]
impl HttpClient for Http {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        use azure_core::error::ErrorKind;
        let method = match request.method() {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
            Method::Head => reqwest::Method::HEAD,
            Method::Patch => reqwest::Method::PATCH,
            _ => reqwest::Method::GET,
        };
        let mut ours = self.0.to(request.url()).request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            ours = ours.header(name.as_str(), value.as_str());
        }
        if let Body::Bytes(bytes) = request.body() {
            ours = ours.body(bytes.clone());
        }
        let answer = ours.send().await.map_err(|e| {
            let kind = if e.is_connect() { ErrorKind::Connection } else { ErrorKind::Io };
            azure_core::Error::with_error(kind, e.without_url(), "the request for a token was not answered")
        })?;
        let status = answer.status().as_u16();
        let mut headers = Headers::new();
        for (name, value) in answer.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
            }
        }
        let bytes = limits::body(answer, LONGEST_ANSWER).await.map_err(|e| match e {
            BodyError::Lost(e) => {
                azure_core::Error::with_error(ErrorKind::Io, e.without_url(), "the answer was cut short")
            }
            BodyError::TooLarge => azure_core::Error::with_message(ErrorKind::Io, "the answer is too long for a token"),
        })?;
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, bytes))
    }
}
