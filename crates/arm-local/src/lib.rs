//! A local endpoint that answers as Azure Resource Manager does, over real HTTP and HTTPS on loopback. It is not Azure.
//! The only module that knows axum and SQLite.
//!
//! `server` turns sockets into [`http::Request`]s, `core` routes them under one lock and one transaction, `store` keeps
//! the state, `write` puts a resource through its type's rules in `types`, `deploy` runs templates, `stacks` deployment
//! stacks, `autoscale` evaluates autoscale settings against the endpoint's own clock, `nodes` lets Batch pools and
//! clusters grow and shrink with their tasks.

pub mod admin;
pub mod autoscale;
pub mod cert;
pub mod clock;
pub mod core;
pub mod deploy;
pub mod embedded;
pub mod error;
pub mod faults;
pub mod filter;
pub mod groups;
pub mod http;
pub mod id;
pub mod lro;
pub mod meta;
pub mod names;
pub mod nodes;
pub mod resources;
pub mod server;
pub mod stacks;
pub mod store;
pub mod types;
pub mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use self::core::{Core, Settings};

pub use self::core::{SUBSCRIPTION, TENANT};

/// How an endpoint is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folder of state, certificate and `endpoint.json` (`.dsvmc/local`); `None` keeps everything in memory.
    pub state: Option<PathBuf>,
    /// HTTP port; 0 or a taken port means any free one.
    pub http_port: u16,
    /// HTTPS port; as `http_port`.
    pub https_port: u16,
    /// Clock to start with, as the body of `POST /_local/clock` (`{"now": …, "freeze": true}`).
    pub clock: Option<Value>,
    /// Faults in force from the start.
    pub faults: Vec<faults::Fault>,
    /// How long a long-running operation takes, in milliseconds.
    pub latency_ms: u32,
}

/// A failure to start, for people.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state folder cannot be used.
    #[error("the local endpoint cannot use {path}: {reason}")]
    State {
        /// The folder.
        path: String,
        /// Why.
        reason: String,
    },
    /// No certificate or no port.
    #[error("the local endpoint cannot start: {0}")]
    Start(String),
}

impl miette::Diagnostic for StartError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self {
            Self::State { .. } => {
                Some(Box::new("stop the other endpoint with `dsvmc local down`, or remove the folder to start afresh"))
            }
            Self::Start(_) => None,
        }
    }
}

/// A running endpoint. Dropping it stops it.
pub struct Endpoint {
    /// `https://localhost:PORT`.
    pub base_url: String,
    /// `http://localhost:PORT`.
    pub http_url: String,
    /// The certificate that clients must trust, PEM.
    pub ca_pem: String,
    /// The same as a file, when there is a state folder.
    pub ca_pem_path: Option<PathBuf>,
    core: Arc<Core>,
    runtime: Option<tokio::runtime::Runtime>,
    announced: Option<PathBuf>,
}

impl Endpoint {
    /// Starts an endpoint; it listens when this returns.
    ///
    /// # Errors
    /// [`StartError`]: the state is in use or unreadable, no port, no certificate.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let state_error = |path: &Path, reason: String| StartError::State { path: path.display().to_string(), reason };
        if let Some(dir) = &options.state {
            prepare_folder(dir).map_err(|error| state_error(dir, error.to_string()))?;
        }
        let file = options.state.as_ref().map(|dir| dir.join("state.db"));
        let mut store = store::Store::open(file.as_deref())
            .map_err(|reason| state_error(file.as_deref().unwrap_or(Path::new("memory")), reason))?;
        if let Some(change) = &options.clock {
            let mut clock = clock::Clock::default();
            clock.change(change, jiff::Timestamp::now()).map_err(|error| StartError::Start(error.message))?;
            store.put_doc("setting|clock", clock.to_value());
            store.commit().map_err(|error| StartError::Start(error.message))?;
        }
        let certificate = cert::Certificate::load_or_make(options.state.as_deref()).map_err(StartError::Start)?;
        let tls = certificate.server_config().map_err(StartError::Start)?;
        let mut faults = faults::Faults::default();
        faults.add(options.faults.clone());
        // state stands in PROJECT/.dsvmc/local
        let project = options.state.as_deref().and_then(Path::parent).and_then(Path::parent).map(Path::to_path_buf);
        let settings = Settings { latency_ms: i64::from(options.latency_ms), project };
        let core = Core::new(store, faults, settings);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("dsvmc-local")
            .enable_all()
            .build()
            .map_err(|error| StartError::Start(error.to_string()))?;
        // the ports of the last run, so that a client's settings stay good
        let last = options.state.as_deref().and_then(announced);
        let port = |given: u16, name: &str| {
            let before = last.as_ref().and_then(|last| last.get(name)).and_then(Value::as_u64);
            if given != 0 { given } else { before.and_then(|port| u16::try_from(port).ok()).unwrap_or(0) }
        };
        let (http_port, https_port) = (port(options.http_port, "httpPort"), port(options.https_port, "httpsPort"));
        let started = runtime.block_on(async {
            let http = server::bind(http_port).await?;
            let https = server::bind(https_port).await?;
            let ports = (http.local_addr()?.port(), https.local_addr()?.port());
            server::serve(core.clone(), http, None)?;
            server::serve(core.clone(), https, Some(tokio_rustls::TlsAcceptor::from(tls)))?;
            std::io::Result::Ok(ports)
        });
        let (http_port, https_port) = started.map_err(|error| StartError::Start(error.to_string()))?;
        let mut endpoint = Self {
            base_url: format!("https://localhost:{https_port}"),
            http_url: format!("http://localhost:{http_port}"),
            ca_pem: certificate.ca_pem,
            ca_pem_path: options.state.as_ref().map(|dir| dir.join("ca.pem")),
            core,
            runtime: Some(runtime),
            announced: None,
        };
        if let Some(dir) = &options.state {
            let path = dir.join("endpoint.json");
            let text = json!({
                "dsvmc": meta::NOTICE, "pid": std::process::id(), "https": endpoint.base_url, "http": endpoint.http_url,
                "httpPort": http_port, "httpsPort": https_port, "ca": dir.join("ca.pem"), "running": true,
            });
            std::fs::write(&path, format!("{text:#}\n")).map_err(|error| state_error(&path, error.to_string()))?;
            endpoint.announced = Some(path);
        }
        deploy::resume(&endpoint.core);
        Ok(endpoint)
    }

    /// The core, for requests without a socket (tests, tools).
    #[must_use]
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Blocks until `POST /_local/shutdown` or an interrupt.
    pub fn wait(&self) {
        if let Some(runtime) = &self.runtime {
            runtime.block_on(async {
                tokio::select! {
                    () = self.core.stop.notified() => {
                        // the answer to the shutdown request is still on its way
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                    _ = tokio::signal::ctrl_c() => {}
                }
            });
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(path) = &self.announced
            && let Some(mut last) = path.parent().and_then(announced)
        {
            if let Some(map) = last.as_object_mut() {
                map.insert("running".into(), json!(false));
            }
            let _ = std::fs::write(path, format!("{last:#}\n"));
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn prepare_folder(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    // state is nobody's source: keep it out of commits, here and in `.dsvmc`
    let ignore = dir.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(ignore, "*\n")?;
    }
    Ok(())
}

/// What the last endpoint of a state folder wrote about itself.
#[must_use]
pub fn announced(dir: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(dir.join("endpoint.json")).ok()?).ok()
}

/// The endpoint that runs on a state folder now, asked over its HTTP port: its `endpoint.json` and its status.
#[must_use]
pub fn running(dir: &Path) -> Option<(Value, Value)> {
    let last = announced(dir)?;
    let port = u16::try_from(last.get("httpPort")?.as_u64()?).ok()?;
    let status = ask(port, "GET", "/_local/status", "").ok()?;
    // another process may have the port by now
    (status.get("pid") == last.get("pid")).then_some((last, status))
}

/// One small request to an endpoint's HTTP port; the answer's JSON body (or null).
///
/// # Errors
/// The connection fails, or the answer is not 2xx.
pub fn ask(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<Value> {
    use std::io::{Error, Read, Write};
    let timeout = std::time::Duration::from_secs(5);
    let mut stream = std::net::TcpStream::connect_timeout(&(std::net::Ipv4Addr::LOCALHOST, port).into(), timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(Error::other(format!("the endpoint answered {status}: {body}")));
    }
    Ok(serde_json::from_str(body).unwrap_or(Value::Null))
}
