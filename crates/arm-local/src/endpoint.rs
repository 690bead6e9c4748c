//! Starting and stopping an endpoint: state folder, certificate, sockets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self {
            Self::State { .. } => Some(Box::new(
                "stop the other endpoint with `dsvmc local down`, or remove the folder to start with an empty state",
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
    // state is not source code: keep it out of commits
    let ignore = dir.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(ignore, "*\n")?;
    }
    Ok(())
}
