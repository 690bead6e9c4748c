//! The local endpoint: over sockets where sockets matter, straight into the core elsewhere.

mod answers;
mod autoscale;
mod basics;
mod crash;
mod deploy;
mod guards;
mod health;
mod hostile;
mod identities;
mod killed;
mod links;
mod load;
mod machines;
mod nodes;
mod providers;
mod query;
mod recorded;
mod refused;
mod server;
mod shape;
mod soft_delete;
mod stacks;
mod types;

use arm_local::http::{Reply, Request};
use arm_local::{Endpoint, Options, SUBSCRIPTION};
use serde_json::Value;

/// An endpoint in memory, asked without a socket.
pub struct Local {
    pub endpoint: Endpoint,
}

impl Local {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        Self { endpoint: Endpoint::start(options).expect("the endpoint starts") }
    }

    /// One with a resource group `rg` in westeurope.
    pub fn group() -> Self {
        let local = Self::new();
        assert_eq!(local.put("/subscriptions/{sub}/resourceGroups/rg", r#"{"location":"westeurope"}"#).status, 201);
        local
    }

    pub fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
        let path = versioned(&full(path));
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let mut request = Request { method: method.into(), body: body.as_bytes().to_vec(), ..Request::default() };
        request.base = self.endpoint.base_url.clone();
        request.target(path, query);
        request.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.endpoint.answer(&request)
    }

    pub fn put(&self, path: &str, body: &str) -> Reply {
        self.send("PUT", path, body, &[])
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "", &[])
    }

    pub fn post(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, body, &[])
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, "", &[])
    }
}

/// A path of the Resource Manager with an api-version, if it has none.
fn versioned(path: &str) -> String {
    let arm = path.to_lowercase().starts_with("/subscriptions") || path.to_lowercase().starts_with("/providers");
    if !arm || path.contains("api-version=") {
        return path.to_owned();
    }
    format!("{path}{}api-version=2025-04-01", if path.contains('?') { "&" } else { "?" })
}

/// Asks an endpoint over its HTTP port.
pub fn ask(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<Value> {
    arm_local::ask(port, method, &versioned(path), body)
}

/// `{rg}` and `{sub}` written out.
pub fn full(path: &str) -> String {
    path.replace("{rg}", "/subscriptions/{sub}/resourceGroups/rg/providers").replace("{sub}", SUBSCRIPTION)
}

/// The body of an answer.
pub fn body(reply: &Reply) -> &Value {
    reply.body.as_ref().expect("a body")
}

/// Status and error code.
pub fn code(reply: &Reply) -> (u16, &str) {
    (
        reply.status,
        reply.body.as_ref().and_then(|body| body.pointer("/error/code")).and_then(Value::as_str).unwrap_or(""),
    )
}

/// A header of an answer.
pub fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
