//! The sockets: HTTP and HTTPS on loopback, each request handed to the core on a blocking thread.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::core::{Core, lock};
use crate::faults::Verdict;
use crate::http::{Reply, Request};

/// Largest request body: ARM's own limit for templates is 4 MB, parameters come on top.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// A connection that a fault can cut.
pub struct Connection {
    inner: Inner,
    cut: Arc<AtomicBool>,
}

enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

fn cut_error() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault")
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Inner::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut() {
            return Poll::Ready(Err(cut_error()));
        }
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Inner::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_cut() {
            return Poll::Ready(Err(cut_error()));
        }
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Inner::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

/// Accepts connections; TLS handshakes run concurrently, so that a slow client delays no other.
pub struct ConnectionListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
}

impl ConnectionListener {
    fn open(listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (send, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(_) => {
                        // out of descriptors, for instance: wait for some to come free
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                        continue;
                    }
                };
                let _ = stream.set_nodelay(true);
                let (send, tls) = (send.clone(), tls.clone());
                tokio::spawn(async move {
                    let inner = match tls {
                        None => Inner::Plain(stream),
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => Inner::Tls(Box::new(stream)),
                            Err(_) => return,
                        },
                    };
                    let _ = send.send((Connection { inner, cut: Arc::default() }, peer)).await;
                });
            }
        });
        Ok(Self { address, ready })
    }
}

impl Listener for ConnectionListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// What a handler knows of its connection.
#[derive(Clone)]
struct ConnectionCut {
    cut: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, ConnectionListener>> for ConnectionCut {
    fn connect_info(stream: IncomingStream<'_, ConnectionListener>) -> Self {
        Self { cut: stream.io().cut.clone() }
    }
}

#[derive(Clone)]
struct Shared {
    core: Arc<Core>,
    scheme: &'static str,
}

/// Binds a loopback port; 0, or a port that is taken, means any free one.
///
/// # Errors
/// When no port can be bound at all.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) if port != 0 => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
        Err(error) => Err(error),
    }
}

/// Serves a listener until the runtime ends.
///
/// # Errors
/// When the listener has no address.
pub fn serve(core: Arc<Core>, listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<()> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let connections = ConnectionListener::open(listener, tls)?;
    let app =
        Router::new().fallback(handle).layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(Shared { core, scheme });
    tokio::spawn(async move {
        let _ = axum::serve(connections, app.into_make_service_with_connect_info::<ConnectionCut>()).await;
    });
    Ok(())
}

async fn handle(
    State(shared): State<Shared>,
    ConnectInfo(line): ConnectInfo<ConnectionCut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut request = Request { method: method.as_str().to_owned(), body: body.to_vec(), ..Request::default() };
    request.target(uri.path(), uri.query().unwrap_or_default());
    for (name, value) in &headers {
        if let Ok(text) = value.to_str() {
            request.headers.insert(name.as_str().to_owned(), text.to_owned());
        }
    }
    let host = request.header("host").unwrap_or("localhost").to_owned();
    request.base = format!("{}://{host}", shared.scheme);
    if let Some(refusal) = foreign(&request, &host) {
        return response(&request, refusal);
    }
    let verdict = lock(&shared.core.faults).judge(&request);
    if verdict == Verdict::Reset {
        line.cut.store(true, Ordering::Release);
        return response(&request, Reply::empty(500));
    }
    if let Verdict::Answer(reply) = verdict {
        return response(&request, reply);
    }
    let core = shared.core.clone();
    let (request, reply) = match tokio::task::spawn_blocking(move || {
        let reply = core.answer(&request);
        (request, reply)
    })
    .await
    {
        Ok(done) => done,
        Err(_) => {
            let error = crate::error::ArmError::internal("the local endpoint met a bug while it answered this request");
            (Request::default(), error.into())
        }
    };
    if verdict == Verdict::Lost {
        line.cut.store(true, Ordering::Release);
    }
    response(&request, reply)
}

/// Pages in a browser must not drive the endpoint: only loopback names, no foreign origin.
fn foreign(request: &Request, host: &str) -> Option<Reply> {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|known| known.eq_ignore_ascii_case(name))
        || name.to_lowercase().ends_with(".localhost");
    let origin = request.header("origin").is_none_or(|origin| origin == request.base);
    if local && origin {
        return None;
    }
    Some(
        crate::error::ArmError::new(403, "AuthorizationFailed", "The local endpoint answers loopback names only.")
            .into(),
    )
}

fn response(request: &Request, reply: Reply) -> Response<Body> {
    let id = uuid::Uuid::new_v4().to_string();
    let correlation = request.header("x-ms-correlation-request-id").map_or_else(|| id.clone(), str::to_owned);
    let head = request.method == "HEAD";
    let text = reply.body.map(|body| body.to_string());
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let no_body = head || status == StatusCode::NO_CONTENT;
    let body = match &text {
        Some(text) if !no_body => Body::from(text.clone()),
        _ => Body::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let out = response.headers_mut();
    let mut add = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            out.insert(name, value);
        }
    };
    if text.is_some() && !no_body {
        add("Content-Type", "application/json; charset=utf-8");
    }
    add("x-ms-request-id", &id);
    add("x-ms-correlation-request-id", &correlation);
    add("x-ms-routing-request-id", &format!("LOCAL:{id}"));
    add("x-dsvmc-local", "not Azure");
    add("Cache-Control", "no-cache");
    if let Some(client) = request.header("x-ms-client-request-id")
        && request.header("x-ms-return-client-request-id") == Some("true")
    {
        add("x-ms-client-request-id", client);
    }
    let limit = match request.method.as_str() {
        "GET" | "HEAD" => (
            "x-ms-ratelimit-remaining-subscription-reads",
            "x-ms-ratelimit-remaining-subscription-global-reads",
            "16499",
        ),
        "DELETE" => (
            "x-ms-ratelimit-remaining-subscription-deletes",
            "x-ms-ratelimit-remaining-subscription-global-deletes",
            "799",
        ),
        _ => (
            "x-ms-ratelimit-remaining-subscription-writes",
            "x-ms-ratelimit-remaining-subscription-global-writes",
            "3749",
        ),
    };
    if request.segments.first().is_some_and(|first| first.eq_ignore_ascii_case("subscriptions")) {
        add(limit.0, "799");
        add(limit.1, limit.2);
    }
    for (name, value) in &reply.headers {
        add(name, value);
    }
    response
}
