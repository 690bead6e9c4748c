//! What needs a socket: start-up, TLS, faults that cut connections, the command line, two endpoints at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use arm_local::faults::Fault;
use arm_local::{Endpoint, Options};

use super::ask;
use serde_json::Value;

use crate::support::TestContext;

fn port(url: &str) -> u16 {
    url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port")
}

fn raw(port: u16, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn it_says_that_it_is_not_azure() {
    let endpoint = Endpoint::start(Options::default()).expect("start");
    let said = ask(port(&endpoint.http_url), "GET", "/", "").expect("answer");
    assert!(said["dsvmc"].as_str().expect("words").contains("not Azure"));
    assert!(endpoint.ca_pem.contains("BEGIN CERTIFICATE"));
}

#[test]
fn answers_carry_arm_headers_and_foreign_pages_are_refused() {
    let endpoint = Endpoint::start(Options::default()).expect("start");
    let port = port(&endpoint.http_url);
    let get = |extra: &str| {
        raw(port, &format!("GET /subscriptions?api-version=2022-12-01 HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{extra}\r\n"))
            .expect("answer")
    };
    let text = get("x-ms-correlation-request-id: abc\r\n");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    for header in [
        "x-ms-request-id:",
        "x-ms-correlation-request-id: abc",
        "x-dsvmc-local: not Azure",
        "x-ms-ratelimit-remaining-subscription-reads:",
    ] {
        assert!(text.contains(header), "{header} in {text}");
    }
    assert!(get("Origin: https://example.com\r\n").starts_with("HTTP/1.1 403"));
    let text =
        raw(port, "GET /subscriptions HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").expect("answer");
    assert!(text.starts_with("HTTP/1.1 403"), "{text}");
}

#[test]
fn a_reset_does_nothing_and_a_lost_answer_is_a_write() {
    let faults =
        vec![Fault::parse("reset,method=PUT").expect("fault"), Fault::parse("lost,method=PUT,after=1").expect("fault")];
    let endpoint = Endpoint::start(Options { faults, ..Options::default() }).expect("start");
    let port = port(&endpoint.http_url);
    let put = |name: &str| {
        let body = r#"{"location":"westeurope"}"#;
        raw(
            port,
            &format!(
                "PUT /subscriptions/s/resourceGroups/{name}?api-version=2025-04-01 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        )
    };
    let got = put("one").unwrap_or_default();
    assert!(!got.contains("HTTP/1.1"), "the connection is cut: {got}");
    let got = put("two").unwrap_or_default();
    assert!(!got.contains("HTTP/1.1"), "the answer is lost: {got}");
    assert!(ask(port, "GET", "/subscriptions/s/resourceGroups/one", "").is_err());
    assert!(ask(port, "GET", "/subscriptions/s/resourceGroups/two", "").is_ok());
}

#[test]
fn the_command_line_starts_and_stops_projects_side_by_side() {
    let (one, two) = (TestContext::new(), TestContext::new());
    let json = |context: &TestContext, arguments: &str| -> Value {
        let ran = context.run(arguments);
        assert_eq!(ran.exit, 0, "{}", ran.text());
        serde_json::from_str(&ran.stdout).expect("JSON")
    };
    let first = json(&one, "local up --json");
    let second = json(&two, "local up --json");
    assert_eq!((&first["running"], &first["notAzure"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_ne!(first["https"], second["https"]);
    let http = port(first["http"].as_str().expect("url"));
    ask(http, "PUT", "/subscriptions/s/resourceGroups/kept", r#"{"location":"westeurope"}"#).expect("put");
    let again = json(&one, "local up --json");
    assert_eq!((&again["pid"], &again["resources"]), (&first["pid"], &serde_json::json!(1)));
    assert_eq!(one.run("local down").exit, 0);
    assert_eq!(one.run("local status").exit, 3);
    let after = json(&one, "local up --json");
    assert_eq!(after["resources"], 1, "the state stays");
    assert_eq!(after["https"], first["https"], "the ports stay");
    assert_eq!(one.run("local reset").exit, 0);
    assert_eq!(json(&one, "local status --json")["resources"], 0);
    assert_eq!(one.run("local down").exit, 0);
    assert_eq!(two.run("local down").exit, 0);
    let ran = one.run("local up --fault explode");
    assert_eq!(ran.exit, 3, "{}", ran.text());
    assert!(ran.stderr.contains("there is no fault `explode`"), "{}", ran.stderr);
}
