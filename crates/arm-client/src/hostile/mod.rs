//! The client against servers that do everything but what Resource Manager does: each call ends in an error that says what
//! is wrong and what to do, after few requests, few bytes and little time, and no token goes astray.
//!
//! The table of `docs/hostile-servers.md` is made of `rows.rs`.

mod rows;
mod server;

use super::*;
use rows::{ALL, Call, Row, TABLE, UNREACHABLE};
use serde_json::json;
use server::{Play, serve};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

const LIMITS: Limits = Limits {
    body: 1 << 20,
    values: 20_000,
    list: 2 << 20,
    pages: 40,
    empty_pages: 10,
    polls: 12,
    follow: Duration::from_secs(60),
};

fn client(url: &str, limits: Limits, timeout: Duration) -> Client {
    let mut options = ClientOptions::local(url, "s");
    options.credential = Credential::Static("sentinel-token".into());
    options.limits = limits;
    let ms = Duration::from_millis;
    options.retry = RetryBudget { attempts: 3, first_wait: ms(1), longest_wait: ms(20), total: ms(60_000), timeout };
    Client::new(options).unwrap()
}

fn run(call: Call, client: &Client) -> Result<(), AzureError> {
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a";
    match call {
        Call::Read => client.resource(id, "v").map(drop),
        Call::List => client.list_resources("g").map(drop),
        Call::Observe => client.observe(&[ResourceRef { id: id.into(), api_version: "v".into() }]).map(drop),
        Call::Deploy => {
            client.put_deployment("g", "d", &json!({}), &json!({})).and_then(|r| client.finish(r)).map(drop)
        }
        Call::Delete => client.delete_resource(id, "v"),
        Call::WhatIf => client.what_if("g", "d", &json!({}), &json!({})).map(drop),
    }
}

/// What is wrong with how a row ended; `None` when all is right.
fn fault((name, play, calls, code, most): &Row) -> Vec<String> {
    let mut faults = Vec::new();
    for call in *calls {
        let other = serve(|s| s.say(200, &[], r#"{"status":"Succeeded","value":[]}"#), "");
        // Tests of other processes may ask a port that was theirs before: only this path and this token are ours.
        let path = format!("/elsewhere-{}", std::process::id());
        let server = serve(*play, &format!("{}{path}", other.url));
        let begun = Instant::now();
        let unreachable = *code == UNREACHABLE;
        let timeout = if unreachable { Duration::from_millis(1_500) } else { Duration::from_secs(60) };
        let end = run(*call, &client(&server.url, LIMITS, timeout));
        let (time, requests) = (begun.elapsed(), server.seen.lock().unwrap().len());
        let mut wrong = |text: String| faults.push(format!("{name}, {call:?}: {text}"));
        match &end {
            Ok(()) => wrong("no error".into()),
            Err(error) => {
                use miette::Diagnostic;
                let found = error.code().map(|c| c.to_string()).unwrap_or_default();
                let help = error.help().map(|h| h.to_string()).unwrap_or_default();
                let text = error.to_string();
                if found != *code {
                    wrong(format!("{found} instead of {code}: {text}"));
                }
                if help.is_empty() || text.chars().count() > 10_000 || text.contains("sentinel") {
                    wrong(format!("no way out, or too much said: {} characters, help {help}", text.len()));
                }
            }
        }
        // On a busy machine the time can be over before the server has read anything.
        if requests > *most || (requests == 0 && !unreachable) {
            wrong(format!("{requests} requests, at most {most} expected"));
        }
        let sent = server.sent.load(Ordering::SeqCst);
        if sent > (LIMITS.body + LIMITS.list + (8 << 20)) * 3 {
            wrong(format!("{sent} bytes taken"));
        }
        if time > Duration::from_secs(180) {
            wrong(format!("{time:?}"));
        }
        let ours = |head: &String| head.contains(&path) || head.contains("sentinel");
        if other.seen.lock().unwrap().iter().any(ours) {
            wrong("another server was asked".into());
        }
    }
    faults
}

#[test]
fn every_hostile_server_ends_in_a_clear_error_within_bounds() {
    // Side by side: most of the time is waiting. A machine that is busy answers late, so only the rows that are about time
    // have a short one.
    let faults: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> = TABLE.iter().flat_map(|(_, rows)| *rows).map(|row| scope.spawn(move || fault(row))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_page_of_the_documentation_has_these_rows() {
    let mut text = String::new();
    let (mut rows, mut calls) = (0, 0);
    for (title, group) in TABLE {
        text.push_str(&format!(
            "\n### {title}\n\n| the server … | calls | ends with | requests at most |\n|---|---|---|---|\n"
        ));
        for (name, _, asked, code, most) in group {
            text.push_str(&format!("| {name} | {} | {code} | {most} |\n", asked.len()));
            rows += 1;
            calls += asked.len();
        }
    }
    let text = format!("{rows} servers, {calls} calls.\n{text}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hostile-servers.md");
    let page = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    let (head, rest) = page.split_once("<!-- rows:begin -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- rows:end -->").unwrap();
    let wanted = format!("{head}<!-- rows:begin -->\n{text}<!-- rows:end -->{tail}");
    if std::env::var_os("DSVMC_BLESS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert!(page == wanted || std::env::var_os("DSVMC_BLESS").is_some(), "run the test with DSVMC_BLESS=1");
}

#[test]
fn a_server_that_behaves_passes_all_calls() {
    let play: Play = |s| {
        if s.line.contains("/poll") {
            return s.say(200, &[], r#"{"status":"Succeeded"}"#);
        }
        if s.is_start() {
            return s.say(202, &[("azure-asyncoperation", "{me}/poll?s=1"), ("retry-after", "0")], "{}");
        }
        if s.line.contains("/resources?") {
            return s.say(200, &[], r#"{"value":[{"id":"/a"}]}"#);
        }
        s.say(200, &[], r#"{"id":"/a","properties":{}}"#);
    };
    for call in ALL {
        let server = serve(play, "");
        run(*call, &client(&server.url, LIMITS, Duration::from_secs(30))).unwrap();
    }
}

#[test]
fn the_bounds_are_above_all_that_resource_manager_does() {
    // A page of 1,000 machines with instance views, ten kilobytes each.
    let limits = Limits::default();
    assert!(limits.body >= 1_000 * 10_000 && limits.values >= 1_000 * 300);
    assert!(limits.pages >= 1_000 && limits.follow >= Duration::from_hours(12));
    // One question each second, as often as it is ever asked, for half a day.
    assert!(limits.polls >= 43_200);
}

#[test]
fn an_operation_is_asked_about_in_growing_intervals() {
    let server = serve(|s| s.say(202, &[("location", "{me}/poll"), ("retry-after", "0")], ""), "");
    let begun = Instant::now();
    let client = client(&server.url, Limits { polls: 5, ..LIMITS }, Duration::from_secs(30));
    assert!(client.delete_resource("/x", "v").is_err());
    // The budget of this client cuts each pause to 20 ms; without a floor there would be none.
    assert!(begun.elapsed() >= Duration::from_millis(100));
}

#[test]
fn waiting_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let server = serve(
        |s| if s.number == 0 { s.say(429, &[("retry-after", "3")], "") } else { s.say(200, &[], r#"{"id":"/x"}"#) },
        "",
    );
    let mut options = ClientOptions::local(&server.url, "s");
    options.notice = Some(Arc::new(move |line: &str| log.lock().unwrap().push(line.to_owned())));
    let client = Client::new(options).unwrap();
    assert!(client.resource("/x", "v").unwrap().is_some());
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("answered 429; trying again in 3 s (try 2 of 8)"), "{told:?}");
}

#[test]
fn tokens_are_sent_encrypted_or_not_at_all() {
    for (endpoint, good) in [
        ("https://arm.example", true),
        ("http://127.0.0.1:9", true),
        ("http://[::1]:9", true),
        ("http://arm.example", false),
        ("http://127.0.0.1.evil.example", false),
        ("http://10.1.2.3", false),
    ] {
        let mut options = ClientOptions::local(endpoint, "s");
        assert!(Client::new(options.clone()).is_ok(), "{endpoint}");
        options.credential = Credential::Static("sentinel-token".into());
        assert_eq!(Client::new(options).is_ok(), good, "{endpoint}");
    }
}

#[test]
fn metadata_cannot_ask_for_tokens_of_others() {
    let told = |login: &str, audience: &str| {
        let metadata = json!({ "authentication": { "loginEndpoint": login, "audiences": [audience] } });
        Cloud::custom("https://arm.contoso.example").with_metadata(&metadata)
    };
    let good = told("https://login.microsoftonline.com/", "https://arm.contoso.example/").unwrap();
    assert!(!good.authority_is_told);
    for audience in ["https://management.azure.com/", "https://graph.microsoft.com", "https://vault.azure.net", "urn:x"]
    {
        let error = told("https://login.microsoftonline.com/", audience).unwrap_err();
        assert!(matches!(error, AzureError::Address { .. }), "{error}");
    }
    for login in ["http://login.contoso.example/", "http://127.0.0.1:9/", "https://localhost/", "file:///x"] {
        assert!(told(login, "").is_err(), "{login}");
    }
    // A secret goes to a login server only when its user named it.
    let cloud = told("https://login.evil.example/", "").unwrap();
    let with = |cloud: Cloud| {
        let options = ClientOptions { credential: Credential::Environment, cloud, ..ClientOptions::local("x", "s") };
        Client::new(options).unwrap_err().to_string()
    };
    assert!(with(cloud.clone()).contains("set AZURE_AUTHORITY_HOST"), "{}", with(cloud.clone()));
    assert!(!with(cloud.with_authority("https://login.evil.example")).contains("AZURE_AUTHORITY_HOST"));
    // Metadata without end is not waited for.
    let flood = serve(|s| s.endless("HTTP/1.1 200 OK\r\n\r\n", &[b' '; 1 << 20], Duration::ZERO), "");
    let error = Client::discover(Cloud::custom(&flood.url), &[], None).unwrap_err();
    assert!(matches!(error, AzureError::Endless { .. }), "{error}");
    assert!(flood.sent.load(Ordering::SeqCst) < 64 << 20);
}
