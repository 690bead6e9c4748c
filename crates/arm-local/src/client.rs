//! Talking to an endpoint of another process: what it wrote about itself, and small requests.

use std::fs::{File, TryLockError};
use std::path::Path;

use serde_json::Value;

/// What the last endpoint of a state folder wrote about itself.
#[must_use]
pub fn announced(dir: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(dir.join("endpoint.json")).ok()?).ok()
}

/// The file that a running endpoint holds a lock on.
const LOCK: &str = "endpoint.lock";

/// Takes the lock of a state folder for an endpoint, which keeps it as long as it runs.
///
/// # Errors
/// Another endpoint holds it (`WouldBlock`), or the file cannot be used.
pub(crate) fn lock(dir: &Path) -> std::io::Result<File> {
    let path = dir.join(LOCK);
    dsvm_files::expect_regular(&path)?;
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
    // Whoever looks whether an endpoint runs holds the lock for a moment.
    for _ in 0..50 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(4)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::WouldBlock.into())
}

/// Whether a process holds the lock of a state folder.
fn is_locked(dir: &Path) -> bool {
    let path = dir.join(LOCK);
    let file = dsvm_files::expect_regular(&path).and_then(|()| File::open(&path));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The endpoint that runs on a state folder now, asked over its HTTP port: its `endpoint.json` and its status.
///
/// The folder may have come with somebody else's repository, and `endpoint.json` may name any port: it counts only while
/// an endpoint holds the lock of the folder, because that endpoint wrote the file anew when it took the lock.
#[must_use]
pub fn running(dir: &Path) -> Option<(Value, Value)> {
    if !is_locked(dir) {
        return None;
    }
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
