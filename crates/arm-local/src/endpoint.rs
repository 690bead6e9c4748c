//! Starting and stopping an endpoint: state folder, certificate, sockets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsvm_files::Readers;
use serde_json::{Value, json};

use crate::client::announced;
use crate::core::{Core, Settings};
use crate::http::{Reply, Request};
use crate::{cert, clock, faults, meta, router, server, store};

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
        /// The folder or file that cannot be used.
        path: String,
        /// The reason, as the system gives it.
        reason: String,
    },
    /// No certificate or no port.
    #[error("the local endpoint cannot start: {0}")]
    Start(String),
}

impl miette::Diagnostic for StartError {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self {
            Self::State { .. } => Some(Box::new(dsvm_diagnostics::Code::StateUnusable)),
            Self::Start(_) => None,
        }
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self {
            Self::State { .. } => Some(Box::new(
                "stop the other endpoint with `dsvmc local down`; if there is none, `dsvmc local reset` starts with an empty state",
            )),
            Self::Start(_) => None,
        }
    }
}

/// A running endpoint. Dropping it stops it.
pub struct Endpoint {
    /// Address for HTTPS requests: `https://localhost:PORT`.
    pub base_url: String,
    /// Address for HTTP requests: `http://localhost:PORT`.
    pub http_url: String,
    /// The certificate that clients must trust, PEM.
    pub ca_pem: String,
    /// The same as a file, when there is a state folder.
    pub ca_pem_path: Option<PathBuf>,
    core: Arc<Core>,
    runtime: Option<tokio::runtime::Runtime>,
    announced: Option<PathBuf>,
    /// Says to other processes that what is announced is true.
    _lock: Option<std::fs::File>,
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
        // the ports of the last run, so that a client's settings stay good
        let last = options.state.as_deref().and_then(announced);
        let lock = options.state.as_deref().map(take).transpose()?;
        let file = options.state.as_ref().map(|dir| dir.join("state.db"));
        let mut store = store::Store::open(file.as_deref())
            .map_err(|reason| state_error(file.as_deref().unwrap_or(Path::new("memory")), reason))?;
        if let Some(change) = &options.clock {
            let mut clock = clock::Clock::default();
            clock.change(change, jiff::Timestamp::now()).map_err(|error| StartError::Start(error.message))?;
            store.put("", clock);
            store.commit().map_err(|error| StartError::Start(error.message))?;
        }
        let certificate = cert::Certificate::load_or_make(options.state.as_deref()).map_err(StartError::Start)?;
        let tls = certificate.server_config().map_err(StartError::Start)?;
        let mut faults = faults::Faults::default();
        faults.add(options.faults.clone());
        // the state folder is PROJECT/.dsvmc/local
        let project = options.state.as_deref().and_then(Path::parent).and_then(Path::parent).map(Path::to_path_buf);
        let settings = Settings { latency_ms: i64::from(options.latency_ms), project };
        let core = Core::new(store, faults, settings, &router::Router);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("dsvmc-local")
            .enable_all()
            .build()
            .map_err(|error| StartError::Start(error.to_string()))?;
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
            _lock: lock,
        };
        if let Some(dir) = &options.state {
            let path = dir.join("endpoint.json");
            let text = json!({
                "dsvmc": meta::NOTICE, "pid": std::process::id(), "https": endpoint.base_url, "http": endpoint.http_url,
                "httpPort": http_port, "httpsPort": https_port, "ca": dir.join("ca.pem"), "running": true,
            });
            dsvm_files::replace(&path, format!("{text:#}\n").as_bytes(), Readers::Usual)
                .map_err(|error| state_error(&path, error.to_string()))?;
            endpoint.announced = Some(path);
        }
        router::resume(&endpoint.core);
        Ok(endpoint)
    }

    /// Answers a request without a socket, as the sockets would: for tests and tools in the same process.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Reply {
        self.core.answer(request)
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
            let _ = dsvm_files::replace(path, format!("{last:#}\n").as_bytes(), Readers::Usual);
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        crate::core::lock(&self.core.store).settle();
    }
}

/// Takes the lock of a state folder, and what an earlier process left there out of the way.
fn take(dir: &Path) -> Result<std::fs::File, StartError> {
    let error = |path: &Path, reason: String| StartError::State { path: path.display().to_string(), reason };
    let lock = crate::client::lock(dir).map_err(|cause| {
        let held = cause.kind() == std::io::ErrorKind::WouldBlock;
        error(dir, if held { "another local endpoint is using this state".to_owned() } else { cause.to_string() })
    })?;
    dsvm_files::remove_unfinished(dir);
    // Not by links into other folders, and no address from before the lock.
    for name in ["state.db", "state.db-wal", "state.db-shm", "ca.pem", "key.pem", "endpoint.json"] {
        let path = dir.join(name);
        dsvm_files::expect_regular(&path).map_err(|cause| error(&path, cause.to_string()))?;
    }
    match std::fs::remove_file(dir.join("endpoint.json")) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(error(dir, cause.to_string())),
        _ => Ok(lock),
    }
}

/// Makes the state folder, readable for its owner only.
///
/// # Errors
/// The folder cannot be made, or is reached through a link.
pub fn prepare_folder(dir: &Path) -> std::io::Result<()> {
    // `.dsvmc` and the folder in it: what is above belongs to the user.
    let root = dir.parent().and_then(Path::parent).unwrap_or(dir);
    dsvm_files::folder(root, dir.strip_prefix(root).unwrap_or(Path::new("")))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    // state is not source code: keep it out of commits
    match dsvm_files::create(&dir.join(".gitignore"), b"*\n", Readers::Usual) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
