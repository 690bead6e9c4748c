//! Requests and answers: tokens, correlation ids, retries within a budget.

use super::address::{host_of, is_loopback, is_private, origin_of, resolve};
use super::error::{AzureError, ServiceError};
use super::identity::{Clients, Tokens};
use super::limits::{self, BodyError, Limits};
use super::{ClientOptions, cloud::Cloud, identity::Credential};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Methods of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads a resource or a list.
    Get,
    /// Asks whether a resource exists.
    Head,
    /// Creates or replaces; idempotent.
    Put,
    /// Changes a part of a resource.
    Patch,
    /// Deletes; idempotent, what is not there counts as deleted.
    Delete,
    /// An action that must not be repeated blindly.
    Post,
    /// A POST without side effects (validate, what-if, list keys): may be repeated.
    SafePost,
}

impl Method {
    fn http(self) -> reqwest::Method {
        match self {
            Self::Get => reqwest::Method::GET,
            Self::Head => reqwest::Method::HEAD,
            Self::Put => reqwest::Method::PUT,
            Self::Patch => reqwest::Method::PATCH,
            Self::Delete => reqwest::Method::DELETE,
            Self::Post | Self::SafePost => reqwest::Method::POST,
        }
    }

    /// Whether sending it twice has the effect of sending it once.
    #[must_use]
    pub(crate) fn is_repeatable(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }
}

/// How often and how long to retry one request.
#[derive(Clone, Copy, Debug)]
pub struct RetryBudget {
    /// Times to try, the first included.
    pub attempts: u32,
    /// First wait when the service names none; doubles each time.
    pub first_wait: Duration,
    /// No single wait is longer.
    pub longest_wait: Duration,
    /// No further try begins later than this after the first.
    pub total: Duration,
    /// No answer within this time counts as a lost connection.
    pub timeout: Duration,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            attempts: 8,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(120),
            total: Duration::from_secs(600),
            timeout: Duration::from_secs(120),
        }
    }
}

/// An answer that is not an error.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status code, from 200 to 299.
    pub status: u16,
    /// `Azure-AsyncOperation`, exactly as it came.
    pub async_operation: Option<String>,
    /// `Location`, exactly as it came.
    pub location: Option<String>,
    /// The wait that `Retry-After` asks for.
    pub retry_after: Option<Duration>,
    /// The header `x-ms-correlation-request-id`, for support requests.
    pub correlation: Option<String>,
    /// The body; null when there is none.
    pub body: Value,
    /// The body as text, where the caller requested that; `body` is null then.
    pub text: String,
}

pub(super) struct Transport {
    http: reqwest::Client,
    cloud: Cloud,
    tokens: Tokens,
    retry: RetryBudget,
    limits: Limits,
    session: String,
    trace: Option<super::Trace>,
    notice: Option<super::Trace>,
}

/// What one try gave.
enum Attempt {
    Answer(Reply),
    /// The service did not carry it out and says to come back.
    Later {
        wait: Option<Duration>,
        error: ServiceError,
    },
    /// No answer: it may have been carried out.
    Lost {
        cause: String,
        connected: bool,
    },
}

impl Transport {
    pub(super) fn new(options: ClientOptions) -> Result<Self, AzureError> {
        let build = |direct: bool| -> Result<reqwest::Client, AzureError> {
            let mut builder = reqwest::Client::builder()
                .user_agent(concat!("dsvmc/", env!("CARGO_PKG_VERSION")))
                .timeout(options.retry.timeout)
                .connect_timeout(options.retry.timeout.min(Duration::from_secs(20)))
                .pool_max_idle_per_host(32)
                .redirect(reqwest::redirect::Policy::none());
            if direct {
                builder = builder.no_proxy();
            }
            let mut roots = Vec::new();
            if !options.extra_roots.is_empty() {
                roots = reqwest::Certificate::from_pem_bundle(&options.extra_roots)
                    .map_err(|e| AzureError::Setup(format!("the certificates to trust cannot be read: {e}")))?;
            }
            // A container without the system's certificates reaches the local endpoint all the same.
            let plain = options.credential == Credential::None && options.cloud.endpoint.starts_with("http://");
            builder = if plain { builder.tls_certs_only(roots) } else { builder.tls_certs_merge(roots) };
            builder.build().map_err(|e| AzureError::Setup(format!("cannot create an HTTP client: {}", innermost(&e))))
        };
        let endpoint = &options.cloud.endpoint;
        if options.credential != Credential::None && !is_private(endpoint) {
            let text = "gets no token: the connection is not encrypted, anyone on the way could use it".to_owned();
            return Err(AzureError::Address { host: origin_of(endpoint), text });
        }
        let direct = build(true)?;
        let http = if is_loopback(&options.cloud.endpoint) { direct.clone() } else { build(false)? };
        let clients = Clients { normal: http.clone(), direct };
        let tokens = Tokens::new(&options.credential, &options.cloud, options.tenant.as_deref(), clients)?;
        let session = uuid::Uuid::new_v4().to_string();
        let (retry, limits, trace, notice) = (options.retry, options.limits, options.trace, options.notice);
        Ok(Self { http, cloud: options.cloud, tokens, retry, limits, session, trace, notice })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Host and port of the endpoint.
    pub(super) fn host(&self) -> String {
        host_of(&self.cloud.endpoint)
    }

    /// Tells a person something.
    pub(super) fn notice(&self, text: &str) {
        if let Some(notice) = &self.notice {
            notice(text);
        }
    }

    pub(super) fn longest_wait(&self) -> Duration {
        self.retry.longest_wait
    }

    /// Sends a request; the body of the answer is read.
    pub(super) async fn send(&self, method: Method, path: &str, body: Option<String>) -> Result<Reply, AzureError> {
        let mut reply = self.send_raw(method, path, body).await?;
        let text = std::mem::take(&mut reply.text);
        if !text.trim().is_empty() {
            reply.body = self.json(&text)?;
        }
        Ok(reply)
    }

    /// The JSON of an answer.
    pub(super) fn json(&self, text: &str) -> Result<Value, AzureError> {
        if limits::too_many_values(text, self.limits.values) {
            let text = format!("an answer has more than {} values", self.limits.values);
            return Err(AzureError::endless(&self.host(), text));
        }
        serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| AzureError::Protocol(format!("`{}` answered text that is not JSON: {e}", self.host())))
    }

    /// Sends a request; the body of the answer is left as text.
    pub(super) async fn send_raw(&self, method: Method, path: &str, body: Option<String>) -> Result<Reply, AzureError> {
        self.send_within(self.retry.attempts, method, path, body).await
    }

    /// The same with another number of attempts.
    pub(super) async fn send_within(
        &self,
        attempts: u32,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Reply, AzureError> {
        let url = resolve(&self.cloud.endpoint, path)?;
        let host = host_of(&url);
        let begun = Instant::now();
        let mut next = self.retry.first_wait;
        let mut refused: Option<String> = None;
        for attempt in 1.. {
            let token = self.tokens.get(refused.as_deref()).await?;
            let outcome = self.once(method, &url, body.clone(), token.as_deref()).await?;
            let may_wait = |wait: Duration| attempt < attempts && begun.elapsed() + wait <= self.retry.total;
            let (wait, why) = match outcome {
                Attempt::Answer(reply) => return Ok(reply),
                // The token ran out between two calls: one more try with a new one.
                Attempt::Later { error, .. } if error.status == 401 => {
                    if refused.is_some() || token.is_none() || attempt >= attempts {
                        return Err(AzureError::Service(Box::new(error)));
                    }
                    refused = token;
                    continue;
                }
                Attempt::Later { wait, error } => {
                    let may = method.is_repeatable() || matches!(error.status, 429 | 503);
                    // `Retry-After: 0` is no reason to ask at once and again.
                    let wait = wait.unwrap_or(next).max(self.retry.first_wait).min(self.retry.longest_wait);
                    if !may || !may_wait(wait) {
                        return Err(AzureError::Service(Box::new(error)));
                    }
                    (wait, format!("answered {}", error.status))
                }
                Attempt::Lost { cause, connected } => {
                    if connected && !method.is_repeatable() {
                        return Err(AzureError::Unanswered { host, cause });
                    }
                    let wait = next.min(self.retry.longest_wait);
                    if !may_wait(wait) {
                        return Err(AzureError::Unreachable { host, cause });
                    }
                    (wait, format!("gave no answer ({cause})"))
                }
            };
            if wait >= TOLD || begun.elapsed() >= TOLD {
                let seconds = wait.as_secs_f64().ceil();
                self.notice(&format!(
                    "`{host}` {why}; trying again in {seconds} s (try {} of {attempts})",
                    attempt + 1
                ));
            }
            tokio::time::sleep(wait).await;
            next = (next * 2).min(self.retry.longest_wait);
        }
        Err(AzureError::Unreachable { host, cause: "the retry budget allows no attempt".to_owned() })
    }

    async fn once(
        &self,
        method: Method,
        url: &str,
        body: Option<String>,
        token: Option<&str>,
    ) -> Result<Attempt, AzureError> {
        let started = Instant::now();
        let request_id = uuid::Uuid::new_v4().to_string();
        let mut request = self
            .http
            .request(method.http(), url)
            .header("accept", "application/json")
            .header("x-ms-client-request-id", &request_id)
            .header("x-ms-correlation-request-id", &self.session);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        } else if matches!(method, Method::Post | Method::SafePost | Method::Put) {
            request = request.header("content-length", "0");
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                self.log(method, url, "lost", started, None);
                return Ok(Attempt::Lost { cause: innermost(&error), connected: !error.is_connect() });
            }
        };
        let status = answer.status().as_u16();
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let mut reply = Reply {
            status,
            async_operation: header("azure-asyncoperation"),
            location: header("location"),
            retry_after: header("retry-after").and_then(|v| retry_after(&v)),
            correlation: header("x-ms-correlation-request-id")
                .or_else(|| header("x-ms-request-id"))
                .filter(|id| is_id(id)),
            body: Value::Null,
            text: String::new(),
        };
        self.log(method, url, &status.to_string(), started, reply.correlation.as_deref());
        let host = host_of(url);
        // What is asked for is never elsewhere: a redirect would make an answer of anyone count as the service's.
        if !(200..300).contains(&status) && status < 400 {
            let to =
                reply.location.as_deref().map(|to| format!(" and leads to `{}`", origin_of(to))).unwrap_or_default();
            let text = format!("answered {status}{to}: Resource Manager never sends a call elsewhere");
            return Err(AzureError::Address { host, text });
        }
        // Errors are short.
        let most = if status < 400 { self.limits.body } else { self.limits.body.min(1 << 20) };
        let bytes = match limits::body(answer, most).await {
            Ok(bytes) => bytes,
            Err(BodyError::Lost(error)) => return Ok(Attempt::Lost { cause: innermost(&error), connected: true }),
            Err(BodyError::TooLarge) => {
                let text = format!("an answer has more than {}", limits::size(most));
                return Err(AzureError::endless(&host, text));
            }
        };
        let text = String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        if status < 400 {
            reply.text = text;
            return Ok(Attempt::Answer(reply));
        }
        let error = ServiceError::read(status, &text, reply.correlation.clone());
        if matches!(status, 401 | 408 | 429 | 500 | 502 | 503 | 504) {
            return Ok(Attempt::Later { wait: reply.retry_after, error });
        }
        Err(AzureError::Service(Box::new(error)))
    }

    fn log(&self, method: Method, url: &str, status: &str, started: Instant, correlation: Option<&str>) {
        if let Some(trace) = &self.trace {
            // The query of a polling URL is a signature: it stays out.
            let path = url.split('?').next().unwrap_or(url);
            let id = correlation.unwrap_or("-");
            trace(&format!("{:?} {path} {status} {} ms {id}", method, started.elapsed().as_millis()));
        }
    }
}

/// Seconds, or a date.
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let left = then.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

/// Waiting that is at least so long is told.
const TOLD: Duration = Duration::from_secs(3);

/// Ids of calls are short words of letters, digits and dashes.
fn is_id(text: &str) -> bool {
    text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
