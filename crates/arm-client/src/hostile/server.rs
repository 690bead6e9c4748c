//! A server that plays anything, and counts what is asked of it and what it could send.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a play may use.
pub(super) struct Stage {
    pub(super) stream: TcpStream,
    /// Method and path with its query.
    pub(super) line: String,
    /// The server's own address.
    pub(super) me: String,
    /// The address of another server.
    pub(super) other: String,
    /// Requests before this one.
    pub(super) number: usize,
    pub(super) sent: Arc<AtomicUsize>,
}

impl Stage {
    pub(super) fn write(&mut self, bytes: &[u8]) -> bool {
        self.sent.fetch_add(bytes.len(), Ordering::SeqCst);
        self.stream.write_all(bytes).is_ok()
    }

    /// A whole answer; `{me}` and `{other}` in headers and body are addresses.
    pub(super) fn say(&mut self, status: u16, headers: &[(&str, &str)], body: &str) {
        let put = |text: &str, stage: &Self| text.replace("{me}", &stage.me).replace("{other}", &stage.other);
        let body = put(body, self);
        let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            text.push_str(&format!("{name}: {}\r\n", put(value, self)));
        }
        self.write(format!("{text}\r\n{body}").as_bytes());
    }

    /// The first lines, then pieces until the client has enough.
    pub(super) fn endless(&mut self, head: &str, piece: &[u8], pause: Duration) {
        let mut going = self.write(head.as_bytes());
        while going && self.sent.load(Ordering::SeqCst) < 1 << 28 {
            going = self.write(piece);
            std::thread::sleep(pause);
        }
    }

    pub(super) fn is_start(&self) -> bool {
        !self.line.starts_with("GET")
    }
}

pub(super) type Play = fn(&mut Stage);

pub(super) struct Server {
    pub(super) url: String,
    pub(super) seen: Arc<Mutex<Vec<String>>>,
    pub(super) sent: Arc<AtomicUsize>,
}

pub(super) fn serve(play: Play, other: &str) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let (log, count, me, other) = (Arc::clone(&seen), Arc::clone(&sent), url.clone(), other.to_owned());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let (log, count, me, other) = (Arc::clone(&log), Arc::clone(&count), me.clone(), other.clone());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let start = head.len();
                    if reader.read_line(&mut head).unwrap_or(0) == 0 {
                        return;
                    }
                    let line = head.get(start..).unwrap_or_default().trim().to_ascii_lowercase();
                    if let Some(n) = line.strip_prefix("content-length:") {
                        length = n.trim().parse().unwrap();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                reader.read_exact(&mut vec![0; length]).unwrap();
                let line = head.lines().next().unwrap_or_default().to_owned();
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(head);
                    log.len() - 1
                };
                play(&mut Stage { stream: reader.into_inner(), line, me, other, number, sent: count });
            });
        }
    });
    Server { url, seen, sent }
}
