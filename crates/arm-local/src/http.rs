//! Requests and answers between the HTTP server and the synchronous core: plain data, no axum types.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::ArmError;

/// A request as the core sees it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The verb in upper case (`GET`).
    pub method: String,
    /// Path segments, percent-decoded, empty ones dropped (`//` and a trailing `/` do not matter).
    pub segments: Vec<String>,
    /// Query parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as sent.
    pub body: Vec<u8>,
    /// `https://localhost:8443`: what the client called us, so that links lead back to us.
    pub base: String,
}

impl Request {
    /// Splits a path and query as they are in the request line.
    pub fn target(&mut self, path: &str, query: &str) {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        self.segments = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        self.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    }

    /// A query parameter, its name compared without case.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A header by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The api-version, or a recent one when the client gave none.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.query("api-version").unwrap_or("2025-04-01")
    }

    /// The path with a leading slash, decoded.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    /// The body as strict JSON; an empty body is `{}`.
    ///
    /// # Errors
    /// `InvalidRequestContent` when the text is not JSON.
    pub fn json(&self) -> Result<Value, ArmError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            ArmError::bad(
                "InvalidRequestContent",
                format!("The request content was invalid and could not be deserialized: '{error}'."),
            )
        })
    }
}

/// An answer of the core.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// HTTP status of the answer.
    pub status: u16,
    /// Headers beyond the ones every answer carries.
    pub headers: Vec<(String, String)>,
    /// JSON body, if any.
    pub body: Option<Value>,
}

impl Reply {
    /// 200 with a body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self::with(200, body)
    }

    /// Any status with a body.
    #[must_use]
    pub fn with(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    /// Any status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// The same answer with one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl From<ArmError> for Reply {
    fn from(error: ArmError) -> Self {
        let reply = Self::with(error.status, error.envelope()).header("x-ms-failure-cause", "gateway");
        match error.retry_after {
            Some(seconds) => reply.header("Retry-After", seconds.to_string()),
            None => reply,
        }
    }
}

/// 404 for a path that the endpoint does not serve, in words.
#[must_use]
pub fn not_served(request: &Request) -> ArmError {
    ArmError::missing(
        "NotServedLocally",
        format!("The local endpoint of dsvmc does not serve {} {}. It is not Azure.", request.method, request.path()),
    )
}

/// Answers a list: `$top` and `$skiptoken` page it, `nextLink` leads on.
#[must_use]
pub fn page(request: &Request, values: Vec<Value>) -> Reply {
    let top = request.query("$top").and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0).unwrap_or(1000);
    let skip = request.query("$skiptoken").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let total = values.len();
    let mut body = Map::new();
    body.insert("value".into(), values.into_iter().skip(skip).take(top).collect());
    let next = skip.saturating_add(top);
    if next < total {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in request.query.iter().filter(|(key, _)| !key.eq_ignore_ascii_case("$skiptoken")) {
            query.append_pair(key, value);
        }
        query.append_pair("$skiptoken", &next.to_string());
        body.insert("nextLink".into(), json!(format!("{}{}?{}", request.base, request.path(), query.finish())));
    }
    Reply::ok(Value::Object(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_and_trailing_slashes_do_not_matter() {
        let mut request = Request::default();
        request.target(
            "/subscriptions/x//resourcegroups/my%20group/",
            "api-version=2024-11-01&%24filter=a%20eq%20%27b%27",
        );
        assert_eq!(request.segments, ["subscriptions", "x", "resourcegroups", "my group"]);
        assert_eq!(request.query("$FILTER"), Some("a eq 'b'"));
        assert_eq!(request.api_version(), "2024-11-01");
    }
}
