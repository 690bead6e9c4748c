//! The program against a server that is no Resource Manager: every command ends with a code and a way out, in bounded
//! memory. The many kinds of such servers are in the tests of the client.

use crate::support::TestContext;
use arm_local::SUBSCRIPTION;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

/// Plays one answer to everything but the question for the subscription.
fn serve(play: fn(&mut dyn Write)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut first = String::new();
                let _ = reader.read_line(&mut first);
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap_or_default();
                let mut stream = reader.into_inner();
                if path.starts_with(&format!("/subscriptions/{SUBSCRIPTION}?")) {
                    let body = r#"{"tenantId":"22222222-2222-4222-8222-222222222222"}"#;
                    let head =
                        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(format!("{head}{body}").as_bytes());
                } else if path.starts_with("/metadata") {
                    let _ = stream.write_all(b"HTTP/1.1 404 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                } else {
                    play(&mut stream);
                }
            });
        }
    });
    url
}

/// The most memory that a process had so far, in KiB; 0 where that cannot be known.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn every_command_ends_when_no_resource_manager_answers() {
    type Case = (&'static str, fn(&mut dyn Write), &'static str);
    let cases: [Case; 4] = [
        (
            "redirects",
            |s| {
                drop(s.write_all(b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:9/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"))
            },
            "DSVM0816",
        ),
        (
            "answers without end",
            |s| {
                let mut going = s.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok();
                while going {
                    going = s.write_all(&[b' '; 1 << 16]).is_ok();
                }
            },
            "DSVM0815",
        ),
        (
            "answers HTML",
            |s| drop(s.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\n<html>")),
            "DSVM0814",
        ),
        (
            "throttles for ever",
            |s| {
                drop(s.write_all(b"HTTP/1.1 429 X\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"))
            },
            "DSVM0804",
        ),
    ];
    let cx = TestContext::new();
    cx.write("t.json", r#"{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","contentVersion":"1.0.0.0","resources":[]}"#);
    for (name, play, code) in cases {
        let url = serve(play);
        for command in ["plan", "apply --yes", "status"] {
            let line = format!(
                "{command} --template t.json -g g --location westeurope --target azure --cloud {url} --subscription {SUBSCRIPTION} --credential none --tries 2"
            );
            let mut child = cx.command(&line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let mut most = 0;
            while child.try_wait().unwrap().is_none() {
                most = most.max(peak(child.id()));
                std::thread::sleep(Duration::from_millis(5));
            }
            let output = child.wait_with_output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{name}, {command}: {told}");
            assert!(told.contains(code) && told.contains("help:"), "{name}, {command}: {told}");
            assert!(most < 600 * 1024, "{name}, {command}: {most} KiB");
        }
    }
}
