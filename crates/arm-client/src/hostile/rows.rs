//! What hostile servers do, one row each.

use super::server::{Play, Stage};
use std::io::Read;
use std::time::Duration;

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Call {
    Read,
    List,
    Observe,
    Deploy,
    Delete,
    WhatIf,
}

pub(super) const READS: &[Call] = &[Call::Read, Call::List, Call::Observe];
pub(super) const ALL: &[Call] = &[Call::Read, Call::List, Call::Observe, Call::Deploy, Call::Delete, Call::WhatIf];
pub(super) const LISTS: &[Call] = &[Call::List];
pub(super) const STARTS: &[Call] = &[Call::Deploy, Call::Delete, Call::WhatIf];

/// What the server does, the calls that meet it, the code of their error, and the most requests that one of them sends.
pub(super) type Row = (&'static str, Play, &'static [Call], &'static str, usize);

pub(super) const UNREACHABLE: &str = "DSVM0801";
pub(super) const REFUSED: &str = "DSVM0804";
pub(super) const UNUSABLE: &str = "DSVM0814";
pub(super) const ENDLESS: &str = "DSVM0815";
pub(super) const ELSEWHERE: &str = "DSVM0816";

pub(super) const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

pub(super) fn page(stage: &mut Stage, next: &str) {
    let items = r#"{"id":"/a","name":"a"}"#;
    stage.say(200, &[], &format!(r#"{{"value":[{items}],"nextLink":{next}}}"#));
}

pub(super) fn poll(stage: &mut Stage, header: (&str, &str), then: fn(&mut Stage)) {
    if stage.is_start() { stage.say(202, &[header, ("Retry-After", "0")], "") } else { then(stage) }
}

/// Answers that are none: status lines, headers, connections.
pub(super) const CONNECTIONS: &[Row] = &[
    ("closes the connection", |_| {}, READS, UNREACHABLE, 3),
    (
        "never answers",
        |s| {
            let _ = s.stream.read(&mut [0]);
        },
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "sends one byte of a body each 50 ms",
        |s| s.endless("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" ", Duration::from_millis(50)),
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "sends one byte of the headers each 50 ms",
        |s| s.endless("HTTP/1.1 200 OK\r\nx: ", b"a", Duration::from_millis(50)),
        READS,
        UNREACHABLE,
        3,
    ),
    ("speaks no HTTP", |s| s.endless("", b"\x16\x03\x01\x02", Duration::from_millis(1)), READS, UNREACHABLE, 3),
    (
        "speaks no HTTP, in one line",
        |s| {
            s.write(b"SSH-2.0-OpenSSH_9.6\r\n");
        },
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "sends headers without end",
        |s| s.endless("HTTP/1.1 200 OK\r\n", b"x-a: b\r\n", Duration::ZERO),
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "sends one header without end",
        |s| s.endless("HTTP/1.1 200 OK\r\nx-a: ", &[b'a'; 4096], Duration::ZERO),
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "says `100 Continue` for ever",
        |s| s.endless("", b"HTTP/1.1 100 Continue\r\n\r\n", Duration::from_millis(1)),
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "cuts the body short",
        |s| {
            s.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":");
        },
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "sends a chunk of a size that is none",
        |s| {
            s.write(format!("{CHUNKED}zz\r\n").as_bytes());
        },
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "sends a chunk of 2^64 bytes",
        |s| {
            s.write(format!("{CHUNKED}ffffffffffffffff\r\n{{").as_bytes());
        },
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "gives a negative length",
        |s| {
            s.write(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}");
        },
        READS,
        UNREACHABLE,
        3,
    ),
    (
        "changes the protocol (101)",
        |s| {
            s.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n");
        },
        READS,
        ELSEWHERE,
        3,
    ),
];

/// Redirects, and statuses that are no success.
pub(super) const STATUSES: &[Row] = &[
    ("redirects with 301", |s| s.say(301, &[("location", "{other}/stolen")], "{}"), ALL, ELSEWHERE, 1),
    (
        "redirects with 302 and a good body",
        |s| {
            s.say(
                302,
                &[("location", "{other}/stolen")],
                r#"{"value":[],"properties":{"provisioningState":"Succeeded"}}"#,
            )
        },
        ALL,
        ELSEWHERE,
        1,
    ),
    ("redirects with 303", |s| s.say(303, &[("location", "{other}/stolen")], ""), ALL, ELSEWHERE, 1),
    ("redirects with 307", |s| s.say(307, &[("location", "{other}/stolen")], ""), ALL, ELSEWHERE, 1),
    ("redirects with 308 to itself", |s| s.say(308, &[("location", "{me}/again")], ""), ALL, ELSEWHERE, 1),
    ("answers 304", |s| s.say(304, &[], ""), ALL, ELSEWHERE, 1),
    ("answers 300 without an address", |s| s.say(300, &[], "{}"), ALL, ELSEWHERE, 1),
    (
        "throttles for ever, `Retry-After: 0`",
        |s| s.say(429, &[("retry-after", "0")], r#"{"error":{"code":"TooMany","message":"storm"}}"#),
        ALL,
        REFUSED,
        3,
    ),
    ("is busy for ever", |s| s.say(503, &[("retry-after", "0")], ""), ALL, REFUSED, 3),
    ("asks to wait for 300,000 years", |s| s.say(429, &[("retry-after", "9999999999999")], ""), READS, REFUSED, 3),
    (
        "asks to wait until the year 9999",
        |s| s.say(429, &[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")], ""),
        READS,
        REFUSED,
        3,
    ),
    ("asks to wait for no time at all", |s| s.say(429, &[("retry-after", "-1")], ""), READS, REFUSED, 3),
    (
        "refuses every token",
        |s| s.say(401, &[("www-authenticate", r#"Bearer authorization_uri="{other}/login""#)], ""),
        ALL,
        REFUSED,
        2,
    ),
    (
        "fails with 20,000 causes",
        |s| {
            let cause = r#"{"code":"A","message":"b","details":[]},"#.repeat(20_000);
            s.say(
                400,
                &[],
                &format!(r#"{{"error":{{"code":"C","message":"m","details":[{}]}}}}"#, cause.trim_end_matches(',')),
            );
        },
        READS,
        REFUSED,
        1,
    ),
    (
        "fails with a message of a megabyte",
        |s| {
            let text = "x".repeat(1_000_000);
            s.say(400, &[], &format!(r#"{{"error":{{"code":"C","message":"{text}"}}}}"#));
        },
        READS,
        REFUSED,
        1,
    ),
    (
        "fails with a body without end",
        |s| s.endless("HTTP/1.1 400 Bad\r\n\r\n", &[b' '; 65536], Duration::ZERO),
        READS,
        ENDLESS,
        1,
    ),
    (
        "fails, with causes nested 10,000 deep",
        |s| {
            let open = r#"{"error":"#.repeat(10_000);
            s.say(409, &[], &open);
        },
        READS,
        REFUSED,
        1,
    ),
    ("answers 999", |s| s.say(999, &[], ""), READS, REFUSED, 1),
];

/// Answers whose status is good and whose body is not.
pub(super) const BODIES: &[Row] = &[
    ("answers HTML", |s| s.say(200, &[("content-type", "text/html")], "<html>Sign in</html>"), READS, UNUSABLE, 1),
    ("answers half a text", |s| s.say(200, &[], r#"{"value": ["#), READS, UNUSABLE, 1),
    ("answers brackets nested 500,000 deep", |s| s.say(200, &[], &"[".repeat(500_000)), READS, ENDLESS, 1),
    (
        "answers brackets nested 10,000 deep",
        |s| s.say(200, &[], &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        READS,
        UNUSABLE,
        1,
    ),
    ("answers nothing", |s| s.say(200, &[], ""), READS, UNUSABLE, 1),
    ("answers `null`", |s| s.say(200, &[], "null"), READS, UNUSABLE, 1),
    ("answers a list where none is", |s| s.say(200, &[], "[1]"), READS, UNUSABLE, 1),
    (
        "answers bytes that are no text",
        |s| {
            s.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n\xff\xfe\x00\x80");
        },
        READS,
        UNUSABLE,
        1,
    ),
    (
        "answers blanks without end",
        |s| s.endless("HTTP/1.1 200 OK\r\n\r\n", &[b' '; 65536], Duration::ZERO),
        READS,
        ENDLESS,
        1,
    ),
    (
        "answers one string without end, in chunks",
        |s| {
            let piece = format!("{:x}\r\n{}\r\n", 65536, "A".repeat(65536));
            s.endless(&format!("{CHUNKED}6\r\n{{\"a\":\"\r\n"), piece.as_bytes(), Duration::ZERO);
        },
        READS,
        ENDLESS,
        1,
    ),
    (
        "promises 10^15 bytes",
        |s| s.endless("HTTP/1.1 200 OK\r\ncontent-length: 1000000000000000\r\n\r\n", &[b' '; 4096], Duration::ZERO),
        READS,
        ENDLESS,
        1,
    ),
    (
        "answers a million small values",
        |s| s.say(200, &[], &format!(r#"{{"a":[{}1]}}"#, "1,".repeat(500_000))),
        &[Call::Read, Call::Observe],
        ENDLESS,
        1,
    ),
    (
        "answers what it says is packed",
        |s| s.say(200, &[("content-encoding", "gzip")], "\u{1f}\u{8b}\u{8}"),
        READS,
        UNUSABLE,
        1,
    ),
];

/// Lists without an end, or that lead away.
pub(super) const PAGES: &[Row] = &[
    (
        "leads from a page to itself",
        |s| {
            let next = format!("\"{}{}\"", s.me, s.line.split(' ').nth(1).unwrap());
            page(s, &next);
        },
        LISTS,
        ENDLESS,
        2,
    ),
    (
        "leads from a page to another and back",
        |s| {
            let next = if s.line.contains("/b") { "/a" } else { "/b" };
            let next = format!("\"{}{next}\"", s.me);
            page(s, &next);
        },
        LISTS,
        ENDLESS,
        4,
    ),
    (
        "has always one page more",
        |s| {
            let next = format!("\"{}/p{}\"", s.me, s.number);
            page(s, &next);
        },
        LISTS,
        ENDLESS,
        41,
    ),
    (
        "has always one page more, with nothing in it",
        |s| {
            let next = format!(r#"{{"value":[],"nextLink":"{}/p{}"}}"#, s.me, s.number);
            s.say(200, &[], &next);
        },
        LISTS,
        ENDLESS,
        12,
    ),
    (
        "has pages of half a megabyte each",
        |s| {
            let body = format!(r#"{{"value":["{}"],"nextLink":"{}/p{}"}}"#, "x".repeat(500_000), s.me, s.number);
            s.say(200, &[], &body);
        },
        LISTS,
        ENDLESS,
        6,
    ),
    (
        "leads to another server",
        |s| {
            let next = format!("\"{}/next\"", s.other);
            page(s, &next);
        },
        LISTS,
        ELSEWHERE,
        1,
    ),
    ("leads to another scheme", |s| page(s, r#""file:///etc/passwd""#), LISTS, ELSEWHERE, 1),
    (
        "leads to a server by a user's name",
        |s| {
            let next = format!("\"http://{}@evil.example/\"", s.me.trim_start_matches("http://"));
            page(s, &next);
        },
        LISTS,
        ELSEWHERE,
        1,
    ),
    ("leads to the name of another server", |s| page(s, r#""@evil.example/x""#), LISTS, ELSEWHERE, 1),
    (
        "leads to an address of a megabyte",
        |s| {
            let next = format!("\"{}/{}\"", s.me, "x".repeat(900_000));
            page(s, &next);
        },
        LISTS,
        ELSEWHERE,
        1,
    ),
    ("leads to a number", |s| page(s, "17"), LISTS, UNUSABLE, 1),
    ("lists an object", |s| s.say(200, &[], r#"{"value":{}}"#), LISTS, UNUSABLE, 1),
    ("lists nothing at all", |s| s.say(200, &[], r#"{"properties":{}}"#), LISTS, UNUSABLE, 1),
];

/// Operations without an end, or that lead away.
pub(super) const OPERATIONS: &[Row] = &[
    ("accepts without an address", |s| s.say(202, &[], "{}"), &[Call::Delete, Call::WhatIf], UNUSABLE, 1),
    (
        "lets another server be asked",
        |s| {
            s.say(
                201,
                &[("azure-asyncoperation", "{other}/poll"), ("retry-after", "0")],
                r#"{"properties":{"provisioningState":"creating"}}"#,
            )
        },
        STARTS,
        ELSEWHERE,
        1,
    ),
    (
        "lets another server be asked by `Location`",
        |s| s.say(202, &[("location", "{other}/poll"), ("retry-after", "0")], ""),
        STARTS,
        ELSEWHERE,
        1,
    ),
    (
        "lets a file be asked",
        |s| s.say(202, &[("location", "file:///etc/passwd"), ("retry-after", "0")], ""),
        STARTS,
        ELSEWHERE,
        1,
    ),
    (
        "lets another scheme be asked",
        |s| {
            let to = s.me.replacen("http:", "https:", 1);
            s.say(202, &[("location", &to), ("retry-after", "0")], "");
        },
        STARTS,
        ELSEWHERE,
        1,
    ),
    (
        "is at work for ever (202)",
        |s| s.say(202, &[("location", "{me}/poll"), ("retry-after", "0")], ""),
        STARTS,
        ENDLESS,
        13,
    ),
    (
        "is at work for ever (200)",
        |s| {
            poll(s, ("azure-asyncoperation", "{me}/poll"), |s| {
                s.say(200, &[("retry-after", "0")], r#"{"status":"Running"}"#)
            })
        },
        STARTS,
        ENDLESS,
        13,
    ),
    (
        "is at work for ever, at a new address each time",
        |s| {
            let to = format!("{{me}}/poll{}", s.number);
            s.say(202, &[("location", &to), ("retry-after", "0")], "");
        },
        STARTS,
        ENDLESS,
        13,
    ),
    (
        "never says in which state it is",
        |s| poll(s, ("azure-asyncoperation", "{me}/poll"), |s| s.say(200, &[("retry-after", "0")], "{}")),
        STARTS,
        UNUSABLE,
        12,
    ),
    (
        "has a state that is an object",
        |s| poll(s, ("azure-asyncoperation", "{me}/poll"), |s| s.say(200, &[("retry-after", "0")], r#"{"status":{}}"#)),
        STARTS,
        UNUSABLE,
        12,
    ),
    (
        "moves the address to another server on the way",
        |s| {
            let to = if s.number == 0 { "{me}/poll" } else { "{other}/poll" };
            s.say(202, &[("location", to), ("retry-after", "0")], "");
        },
        STARTS,
        ELSEWHERE,
        2,
    ),
    (
        "redirects the question",
        |s| poll(s, ("location", "{me}/poll"), |s| s.say(302, &[("location", "{other}/x")], "")),
        STARTS,
        ELSEWHERE,
        2,
    ),
    (
        "answers the question with HTML",
        |s| poll(s, ("azure-asyncoperation", "{me}/poll"), |s| s.say(200, &[], "<html>")),
        STARTS,
        UNUSABLE,
        2,
    ),
    (
        "answers the question without end",
        |s| {
            poll(s, ("azure-asyncoperation", "{me}/poll"), |s| {
                s.endless("HTTP/1.1 200 OK\r\n\r\n", &[b' '; 65536], Duration::ZERO)
            })
        },
        STARTS,
        ENDLESS,
        2,
    ),
    (
        "fails without a reason",
        |s| poll(s, ("azure-asyncoperation", "{me}/poll"), |s| s.say(200, &[], r#"{"status":"Failed"}"#)),
        STARTS,
        REFUSED,
        2,
    ),
];

pub(super) const TABLE: [(&str, &[Row]); 5] = [
    ("Connections", CONNECTIONS),
    ("Statuses", STATUSES),
    ("Bodies", BODIES),
    ("Lists", PAGES),
    ("Operations", OPERATIONS),
];
