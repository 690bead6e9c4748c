//! A gate in front of the local endpoint: hands out tokens, looks at every request, lets it pass or not.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// How many requests to Resource Manager came before.
    pub number: usize,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v)
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// What happens to a request.
pub enum Verdict {
    Pass,
    /// This status and body instead.
    Answer(u16, &'static str),
    /// The connection is closed, nothing was done.
    Drop,
    /// It is done, and its answer is lost.
    Lose,
}

type Rule = Box<dyn Fn(&Asked) -> Verdict + Send + Sync>;

struct Inside {
    upstream: u16,
    url: String,
    rule: Mutex<Rule>,
    seen: Mutex<Vec<Asked>>,
    tokens: AtomicUsize,
    calls: AtomicUsize,
}

pub struct Gate {
    pub url: String,
    pub port: u16,
    /// PEM of its certificate, for a gate of HTTPS.
    pub ca: String,
    inside: Arc<Inside>,
}

pub const CORRELATION: &str = "11111111-2222-3333-4444-555555555555";

impl Gate {
    /// `upstream`: port of the endpoint behind it.
    pub fn new(upstream: u16, tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (ca, config) = tls.then(certificates).unzip();
        let url = format!("{}://localhost:{port}", if tls { "https" } else { "http" });
        let inside = Arc::new(Inside {
            upstream,
            url: url.clone(),
            rule: Mutex::new(Box::new(|_| Verdict::Pass)),
            seen: Mutex::default(),
            tokens: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&inside);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (inside, config) = (Arc::clone(&shared), config.clone());
                std::thread::spawn(move || match config {
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        answer(rustls::StreamOwned::new(connection, stream), &inside)
                    }
                    None => answer(stream, &inside),
                });
            }
        });
        Self { url, port, ca: ca.unwrap_or_default(), inside }
    }

    pub fn rule(&self, rule: impl Fn(&Asked) -> Verdict + Send + Sync + 'static) {
        self.inside.calls.store(0, Ordering::SeqCst);
        *self.inside.rule.lock().unwrap() = Box::new(rule);
    }

    pub fn seen(&self) -> Vec<Asked> {
        self.inside.seen.lock().unwrap().clone()
    }

    /// Requests to Resource Manager since the rule was set.
    pub fn calls(&self) -> usize {
        self.inside.calls.load(Ordering::SeqCst)
    }

    pub fn tokens(&self) -> usize {
        self.inside.tokens.load(Ordering::SeqCst)
    }
}

/// An authority, and a server with a certificate of it.
fn certificates() -> (String, Arc<rustls::ServerConfig>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned(), "arm.dsvmc.invalid".to_owned()]).unwrap();
    let own = own.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![own.der().clone()], key).unwrap();
    (authority.pem(), Arc::new(config))
}

fn read(stream: &mut impl Read) -> Option<(Asked, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut asked = Asked { method, target, ..Asked::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        asked.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = asked.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Some((asked, body))
}

fn say(stream: &mut impl Write, status: u16, body: &str) {
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\nx-ms-correlation-request-id: {CORRELATION}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.flush();
}

fn answer(mut stream: impl Read + Write, inside: &Inside) {
    let Some((mut asked, body)) = read(&mut stream) else { return };
    let path = asked.path().to_owned();
    inside.seen.lock().unwrap().push(asked.clone());
    if path.ends_with("/oauth2/v2.0/token") || path == "/identity" {
        let number = inside.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let expires = jiff::Timestamp::now().as_second() + 86_400;
        let token = serde_json::json!({ "access_token": format!("token-{number}"), "token_type": "Bearer", "resource": "r",
            "expires_in": if path == "/identity" { serde_json::json!("86400") } else { serde_json::json!(86_400) }, "expires_on": expires.to_string() });
        return say(&mut stream, 200, &token.to_string());
    }
    if path == "/oidc" {
        return say(&mut stream, 200, r#"{"value":"assertion-of-the-job"}"#);
    }
    if path == "/metadata/endpoints" {
        // By a name that is not of this machine, it tells only addresses of that name.
        let host = asked.header("host").to_owned();
        let near = host.starts_with("localhost");
        let url = if near { inside.url.clone() } else { format!("https://{host}") };
        let audience = if near { "https://audience.example/" } else { url.as_str() };
        let told = serde_json::json!({ "resourceManager": url, "authentication": { "loginEndpoint": url, "audiences": [audience] },
            "suffixes": { "storage": "storage.example", "keyVaultDns": ".vault.example" } });
        return say(&mut stream, 200, &told.to_string());
    }
    // One number each, also where several ask at once.
    asked.number = inside.calls.fetch_add(1, Ordering::SeqCst);
    let verdict = (inside.rule.lock().unwrap())(&asked);
    match verdict {
        Verdict::Drop => {}
        Verdict::Answer(status, text) => say(&mut stream, status, text),
        Verdict::Pass | Verdict::Lose => {
            let reply = forward(&asked, &body, inside.upstream);
            if matches!(verdict, Verdict::Pass) {
                let _ = stream.write_all(&reply);
                let _ = stream.flush();
            }
        }
    }
}

fn forward(asked: &Asked, body: &[u8], port: u16) -> Vec<u8> {
    let mut upstream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", asked.method, asked.target);
    for (name, value) in asked.headers.iter().filter(|(k, _)| !k.eq_ignore_ascii_case("connection")) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    upstream.write_all(head.as_bytes()).unwrap();
    upstream.write_all(body).unwrap();
    let mut reply = Vec::new();
    let _ = upstream.read_to_end(&mut reply);
    reply
}

/// A proxy of the kind that HTTPS_PROXY names: `CONNECT host:port`, tunnelled to `to` whatever the host. Gives its address
/// and what was asked of it.
pub fn proxy(to: u16) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        while let Ok((mut near, _)) = listener.accept() {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && near.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                log.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                if !head.starts_with(b"CONNECT") {
                    return;
                }
                let mut far = TcpStream::connect(("127.0.0.1", to)).unwrap();
                let _ = near.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                let (mut from, mut into) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut into));
                let _ = std::io::copy(&mut far, &mut near);
            });
        }
    });
    (address, asked)
}
