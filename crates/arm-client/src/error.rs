//! Errors of the service and of the connection, unwrapped to the innermost cause.

use serde_json::Value;

/// Why a call to Resource Manager failed.
#[derive(Debug, thiserror::Error)]
pub enum AzureError {
    /// The service answered with an error.
    #[error("{0}")]
    Service(Box<ServiceError>),
    /// The service could not be reached within the retry budget.
    #[error("cannot reach `{host}`: {cause}")]
    Unreachable {
        /// Host and port of the request.
        host: String,
        /// The innermost cause, in words.
        cause: String,
    },
    /// A request that must not be sent twice got no answer.
    #[error("`{host}` did not answer a request that may have been carried out: {cause}")]
    Unanswered {
        /// Host and port of the request.
        host: String,
        /// The innermost cause, in words.
        cause: String,
    },
    /// No access token could be obtained.
    #[error("no access token: {0}")]
    Token(String),
    /// The client is configured wrongly.
    #[error("{0}")]
    Setup(String),
    /// The service answered something that is not in its protocol.
    #[error("{0}")]
    Protocol(String),
    /// An address that no request goes to, or none with a token: a redirect, another host, a connection in the open.
    #[error("`{host}` {text}")]
    Address {
        /// Host and port that led there.
        host: String,
        /// What it did, in words; of addresses only the origin.
        text: String,
    },
    /// An answer, a list or an operation goes on beyond all bounds.
    #[error("`{host}` does not come to an end: {text}")]
    Endless {
        /// Host and port of the request.
        host: String,
        /// Which bound was passed, in words.
        text: String,
    },
}

impl AzureError {
    /// An answer, a list or an operation that passed a bound.
    #[must_use]
    pub fn endless(host: &str, text: impl Into<String>) -> Self {
        Self::Endless { host: host.to_owned(), text: text.into() }
    }

    /// The service's own error, if it returned one.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the service says that the thing does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.service().is_some_and(|e| e.status == 404)
    }

    /// The HTTP status, if there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.service().map(|e| e.status)
    }
}

impl miette::Diagnostic for AzureError {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        use dsvm_diagnostics::Code;
        Some(Box::new(match self {
            Self::Service(_) => Code::ServiceRefused,
            Self::Protocol(_) => Code::AnswerUnusable,
            Self::Address { .. } => Code::AddressRefused,
            Self::Endless { .. } => Code::AnswerEndless,
            Self::Unreachable { .. } | Self::Unanswered { .. } => Code::EndpointUnreachable,
            Self::Token(_) => Code::NoToken,
            Self::Setup(_) => Code::ClientSetup,
        }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        let help = match self {
            Self::Unreachable { .. } => {
                "check the network, the proxy (HTTPS_PROXY) and the endpoint; `dsvmc doctor` shows what is configured"
            }
            Self::Unanswered { .. } => "run the command again: it checks what exists before it sends anything",
            Self::Token(_) => {
                "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret or federated token; `dsvmc doctor` shows what is configured"
            }
            Self::Setup(_) => "correct the setting; `dsvmc doctor` shows what is configured",
            Self::Protocol(_) => {
                "check with `dsvmc doctor` that `--cloud` names a Resource Manager, and that no proxy answers in its place"
            }
            Self::Address { .. } => {
                "give `--cloud` the https:// address of Resource Manager itself, and check that no proxy answers in its place"
            }
            Self::Endless { .. } => {
                "check with `dsvmc doctor` which server answers; what it has begun may go on: `dsvmc status` shows it"
            }
            Self::Service(error) => return Some(Box::new(error.way_out())),
        };
        Some(Box::new(help))
    }
}

/// An error of the service: its envelope, with strings that hold JSON opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// HTTP status; 0 inside details.
    pub status: u16,
    /// Azure's error code, such as `SkuNotAvailable`.
    pub code: String,
    /// Azure's message, as it came.
    pub message: String,
    /// The resource or property it is about.
    pub target: Option<String>,
    /// The errors that caused this one.
    pub details: Vec<ServiceError>,
    /// The response's `x-ms-correlation-request-id`, for support requests.
    pub correlation: Option<String>,
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let causes = self.innermost();
        let inner = causes.first().copied().unwrap_or(self);
        let code = if inner.code.is_empty() { "error" } else { inner.code.as_str() };
        write!(f, "{code}: {}", inner.message.trim())?;
        if causes.len() > 1 {
            write!(f, " (and {} more)", causes.len() - 1)?;
        }
        Ok(())
    }
}

impl ServiceError {
    /// What to do, from the status; with the id that support needs.
    fn way_out(&self) -> String {
        let step = match self.status {
            401 => "log in again (`az login`), or check the credential with `dsvmc doctor`",
            403 => "ask for the right that the message names; `dsvmc doctor` shows who is logged in",
            429 => "wait a few minutes: the service limits how many calls it takes",
            408 | 500..=599 => "run the command again later: the service has a problem of its own",
            _ => "correct what the message names, then run the command again",
        };
        match &self.correlation {
            Some(id) => format!("{step}; Azure support can find this call by its correlation ID {id}"),
            None => step.to_owned(),
        }
    }

    /// Reads an error body; `status` and `correlation` come from the answer around it.
    #[must_use]
    pub fn read(status: u16, body: &str, correlation: Option<String>) -> Self {
        let parsed = serde_json::from_str::<Value>(body).ok();
        let mut error = parsed.as_ref().map(Self::of).unwrap_or_default();
        if error.code.is_empty() && error.message.is_empty() {
            error.message = match body.trim() {
                "" => format!("the service answered {status} without a reason"),
                text => text.chars().take(300).collect(),
            };
            error.code = format!("Http{status}");
        }
        Self { status, correlation, ..error }
    }

    /// Reads an error object that is part of an answer (`properties.error`, `statusMessage.error`).
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut left = MOST_CAUSES;
        from_value(value, 0, &mut left)
    }

    /// The causes that have no cause of their own, in order, each once.
    #[must_use]
    pub fn innermost(&self) -> Vec<&ServiceError> {
        let mut out: Vec<&ServiceError> = Vec::new();
        self.collect(&mut out);
        out
    }

    /// One error for each innermost cause, each with only that cause in it: outer codes say what inner words do not.
    #[must_use]
    pub fn chains(&self) -> Vec<ServiceError> {
        let mut all: Vec<ServiceError> = Vec::new();
        if self.details.is_empty() {
            all.push(self.clone());
        }
        for inner in self.details.iter().flat_map(ServiceError::chains) {
            let same = |known: &ServiceError| known.details.iter().any(|d| d.innermost() == inner.innermost());
            if !all.iter().any(same) {
                all.push(ServiceError { details: vec![inner], ..self.clone() });
            }
        }
        all
    }

    /// Whether any message, at any depth, contains this text.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        self.message.contains(text) || self.details.iter().any(|d| d.mentions(text))
    }

    fn collect<'a>(&'a self, out: &mut Vec<&'a ServiceError>) {
        if self.details.is_empty() {
            if !out.iter().any(|e| e.code == self.code && e.message == self.message && e.target == self.target) {
                out.push(self);
            }
            return;
        }
        for detail in &self.details {
            detail.collect(out);
        }
    }

    /// Every code from the outermost to the innermost.
    #[must_use]
    pub fn codes(&self) -> Vec<&str> {
        let mut codes = vec![self.code.as_str()];
        for detail in &self.details {
            codes.extend(detail.codes());
        }
        codes
    }

    /// Whether this code occurs anywhere.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.codes().iter().any(|c| c.eq_ignore_ascii_case(code))
    }
}

const DEPTH: u8 = 12;
/// More causes than this in one error are not read: the first ones are enough to act on.
const MOST_CAUSES: usize = 500;
/// Characters of a message; longer ones are cut.
const LONGEST_MESSAGE: usize = 8_000;
/// Characters of a code or a target.
const LONGEST_NAME: usize = 1_000;

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn from_value(value: &Value, depth: u8, left: &mut usize) -> ServiceError {
    if depth > DEPTH || *left == 0 {
        return ServiceError::default();
    }
    *left -= 1;
    // `{"status":"Failed","error":{…}}` and `{"error":{…}}` are only wrapping; OData spells it `odata.error`.
    for key in ["error", "odata.error"] {
        if let Some(inner) = value.get(key).filter(|v| v.is_object()) {
            return from_value(inner, depth + 1, left);
        }
    }
    let text = |key: &str| match value.get(key) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Object(map)) => map.get("value").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let mut error = ServiceError {
        code: text("code"),
        message: text("message"),
        target: value.get("target").and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned),
        ..ServiceError::default()
    };
    let details = value.get("details").and_then(Value::as_array);
    error.details = details
        .map(|d| d.iter().map_while(|v| (*left > 0).then(|| from_value(v, depth + 1, left))).collect())
        .unwrap_or_default();
    error.details.retain(|d| !(d.code.is_empty() && d.message.is_empty() && d.details.is_empty()));
    // A message that is JSON itself holds the real cause.
    let trimmed = error.message.trim();
    if trimmed.starts_with('{')
        && let Ok(inner) = serde_json::from_str::<Value>(trimmed)
    {
        let cause = from_value(&inner, depth + 1, left);
        if !cause.message.is_empty() || !cause.details.is_empty() {
            error.message = cause.message.clone();
            error.details.push(cause);
        }
    }
    // The name of the policy is beside the message, not in it.
    let extra = value.get("additionalInfo").and_then(Value::as_array).into_iter().flatten();
    for info in extra.filter(|i| i.get("type").and_then(Value::as_str) == Some("PolicyViolation")) {
        let text = |key: &str| info.pointer(&format!("/info/{key}")).and_then(Value::as_str);
        let policy = text("policyDefinitionDisplayName").or_else(|| text("policyDefinitionName"));
        let assignment = text("policyAssignmentDisplayName").or_else(|| text("policyAssignmentName"));
        if let Some(policy) = policy {
            let assigned = assignment.map(|a| format!(", assigned as `{a}`")).unwrap_or_default();
            error.message = format!("{} (policy `{policy}`{assigned})", error.message.trim());
        }
    }
    error.message = cut(error.message, LONGEST_MESSAGE);
    error.code = cut(error.code, LONGEST_NAME);
    error.target = error.target.map(|target| cut(target, LONGEST_NAME));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_string_inside_a_message_is_opened() {
        let body = r#"{"status":"Failed","error":{"code":"DeploymentFailed","message":"At least one resource deployment operation failed.","details":[{"code":"Conflict","message":"{\r\n  \"status\": \"Failed\",\r\n  \"error\": {\r\n    \"code\": \"ResourceDeploymentFailure\",\r\n    \"message\": \"terminal\",\r\n    \"details\": [ { \"code\": \"SkuNotAvailable\", \"message\": \"not in westus2\", \"target\": \"size\" } ]\r\n  }\r\n}"}]}}"#;
        let error = ServiceError::read(409, body, Some("c-1".into()));
        let inner = error.innermost();
        assert_eq!(inner.len(), 1);
        assert_eq!((inner[0].code.as_str(), inner[0].target.as_deref()), ("SkuNotAvailable", Some("size")));
        assert!(error.has_code("deploymentfailed"));
        assert_eq!(error.to_string(), "SkuNotAvailable: not in westus2");
    }

    #[test]
    fn what_is_not_an_envelope_still_says_something() {
        assert_eq!(ServiceError::read(502, "", None).message, "the service answered 502 without a reason");
        assert_eq!(ServiceError::read(502, "<html>bad gateway</html>", None).code, "Http502");
    }

    #[test]
    fn depth_is_bounded() {
        let mut body = serde_json::json!({ "code": "x", "message": "y" });
        for _ in 0..100 {
            body = serde_json::json!({ "error": body });
        }
        assert!(ServiceError::of(&body).innermost().len() <= 1);
    }
}
