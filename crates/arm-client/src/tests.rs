//! The client against a server that plays scripted exchanges, some of them as recorded from the service.

use super::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Instant;

/// One answer: status, headers, body; status 0 drops the connection without an answer.
type Answer = (u16, Vec<(String, String)>, String);

/// Request line, body, headers.
type Seen = (String, String, Vec<String>);

struct Replay {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Plays `answers` in order; `{me}` in headers and bodies is the server's own address.
fn replay(answers: Vec<Answer>) -> Replay {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, me) = (Arc::clone(&seen), url.clone());
    std::thread::spawn(move || {
        for (status, headers, body) in answers {
            let Ok((stream, _)) = listener.accept() else { return };
            let mut reader = BufReader::new(stream);
            let mut first = String::new();
            if reader.read_line(&mut first).unwrap_or(0) == 0 {
                continue;
            }
            let (mut length, mut lines) = (0, Vec::new());
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                lines.push(line.trim().to_owned());
            }
            let mut sent = vec![0; length];
            reader.read_exact(&mut sent).unwrap();
            log.lock().unwrap().push((first.trim().to_owned(), String::from_utf8_lossy(&sent).into_owned(), lines));
            if status == 0 {
                continue;
            }
            let mut text = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n",
                body.replace("{me}", &me).len()
            );
            for (name, value) in &headers {
                text.push_str(&format!("{name}: {}\r\n", value.replace("{me}", &me)));
            }
            text.push_str(&format!("\r\n{}", body.replace("{me}", &me)));
            let _ = reader.get_mut().write_all(text.as_bytes());
        }
    });
    Replay { url, seen }
}

impl Replay {
    fn client(&self) -> Client {
        self.client_with(Credential::Static("sentinel-token".into()), None)
    }

    fn client_with(&self, credential: Credential, trace: Option<Trace>) -> Client {
        let mut options = ClientOptions::local(&self.url, "s");
        options.credential = credential;
        options.trace = trace;
        options.retry =
            RetryBudget { attempts: 4, first_wait: ms(1), longest_wait: ms(1200), total: ms(3000), timeout: ms(3000) };
        Client::new(options).unwrap()
    }

    fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(first, ..)| first.replace(" HTTP/1.1", "")).collect()
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn ok(body: Value) -> Answer {
    (200, vec![], body.to_string())
}

fn with(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    (status, headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(), body.to_owned())
}

#[test]
fn a_deployment_is_followed_along_the_address_as_it_came() {
    // As recorded: 201 with an address to poll, whose query is signed and must not be touched.
    let address = "{me}/subscriptions/s/resourcegroups/g/providers/Microsoft.Resources/deployments/d/operationStatuses/0858601278524949?api-version=2020-06-01&t=638&c=MIIH%2Babc%3D%3D&s=a_b-c%2F&h=x";
    let server = replay(vec![
        with(
            201,
            &[("Azure-AsyncOperation", address), ("Retry-After", "0"), ("x-ms-correlation-request-id", "c1")],
            r#"{"id":"/d","properties":{"provisioningState":"Accepted"}}"#,
        ),
        with(200, &[("Retry-After", "0")], r#"{"status":"Running"}"#),
        with(200, &[], r#"{"status":"Succeeded"}"#),
    ]);
    let client = server.client();
    let reply = client.put_deployment("g", "d", &json!({ "resources": [] }), &json!({})).unwrap();
    assert_eq!(reply.correlation.as_deref(), Some("c1"));
    client.finish(reply).unwrap();
    let requests = server.requests();
    assert_eq!(
        requests[0],
        "PUT /subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/deployments/d?api-version=2025-04-01"
    );
    assert!(
        requests[1].ends_with("?api-version=2020-06-01&t=638&c=MIIH%2Babc%3D%3D&s=a_b-c%2F&h=x"),
        "{}",
        requests[1]
    );
    assert_eq!(requests[1], requests[2]);
}

#[test]
fn a_failed_operation_gives_its_innermost_cause() {
    let server = replay(vec![
        with(201, &[("Azure-AsyncOperation", "{me}/op"), ("Retry-After", "0")], "{}"),
        with(
            200,
            &[],
            r#"{"status":"Failed","error":{"code":"DeploymentFailed","message":"m","details":[{"code":"Conflict","message":"{\"error\":{\"code\":\"StorageAccountAlreadyTaken\",\"message\":\"taken\"}}"}]}}"#,
        ),
    ]);
    let client = server.client();
    let reply = client.put_deployment("g", "d", &json!({}), &json!({})).unwrap();
    let error = client.finish(reply).unwrap_err();
    assert_eq!(error.to_string(), "StorageAccountAlreadyTaken: taken");
}

#[test]
fn what_if_takes_a_fresh_address_each_time() {
    let server = replay(vec![
        with(202, &[("Location", "{me}/r/1"), ("Retry-After", "0")], ""),
        with(202, &[("Location", "{me}/r/2"), ("Retry-After", "0")], ""),
        ok(json!({ "status": "Succeeded", "properties": { "changes": [{ "changeType": "Create" }] } })),
    ]);
    let answer = server.client().what_if("g", "d", &json!({}), &json!({})).unwrap();
    assert_eq!(answer["properties"]["changes"][0]["changeType"], "Create");
    assert_eq!(server.requests()[1..], ["GET /r/1", "GET /r/2"]);
}

#[test]
fn a_failed_what_if_is_an_error_although_its_answer_is_200() {
    let server = replay(vec![
        with(202, &[("Location", "{me}/r/1"), ("Retry-After", "0")], ""),
        ok(json!({ "status": "Failed", "error": { "code": "InvalidTemplate", "message": "no value for location" } })),
    ]);
    let error = server.client().what_if("g", "d", &json!({}), &json!({})).unwrap_err();
    assert!(error.service().unwrap().has_code("InvalidTemplate"));
}

#[test]
fn throttling_is_waited_out_as_long_as_the_service_says() {
    let server = replay(vec![
        with(429, &[("Retry-After", "1")], r#"{"error":{"code":"TooManyRequests","message":"wait"}}"#),
        ok(json!({ "id": "/x" })),
    ]);
    let started = Instant::now();
    assert!(server.client().resource("/x", "v").unwrap().is_some());
    assert!(started.elapsed() >= ms(1000));
}

#[test]
fn the_budget_ends() {
    let busy = || with(503, &[("Retry-After", "0")], r#"{"error":{"code":"ServerBusy","message":"later"}}"#);
    let server = replay((0..10).map(|_| busy()).collect());
    let error = server.client().resource("/x", "v").unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(server.requests().len(), 4);
    let unreachable = Client::new(ClientOptions {
        retry: RetryBudget { attempts: 2, first_wait: ms(1), ..RetryBudget::default() },
        ..ClientOptions::local("http://127.0.0.1:1", "s")
    })
    .unwrap();
    assert!(matches!(unreachable.resource("/x", "v"), Err(AzureError::Unreachable { .. })));
}

#[test]
fn a_lost_answer_is_asked_for_again_only_where_that_is_safe() {
    let server = replay(vec![with(0, &[], ""), with(0, &[], ""), ok(json!({ "id": "/x" }))]);
    assert!(server.client().resource("/x", "v").unwrap().is_some());
    assert_eq!(server.requests().len(), 3);
    let server = replay(vec![with(0, &[], ""), ok(json!({}))]);
    let error = server.client().send(Method::Post, "/do", None).unwrap_err();
    assert!(matches!(error, AzureError::Unanswered { .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
    // A server error on an action may mean that it was carried out.
    let server = replay(vec![with(500, &[], ""), ok(json!({}))]);
    assert!(server.client().send(Method::Post, "/do", None).is_err());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_expired_token_is_renewed_once() {
    let expired = || with(401, &[], r#"{"error":{"code":"ExpiredAuthenticationToken","message":"expired"}}"#);
    let server = replay(vec![expired(), ok(json!({ "id": "/x" }))]);
    assert!(server.client().resource("/x", "v").unwrap().is_some());
    let server = replay(vec![expired(), expired(), ok(json!({}))]);
    assert_eq!(server.client().resource("/x", "v").unwrap_err().status(), Some(401));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn tokens_reach_neither_messages_nor_logs_nor_other_hosts() {
    let other = replay(vec![ok(json!({ "value": [] }))]);
    let server = replay(vec![
        ok(json!({ "value": [{ "id": "/a" }], "nextLink": format!("{}/more?$skiptoken=q", other.url) })),
        with(
            403,
            &[("x-ms-correlation-request-id", "corr")],
            r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#,
        ),
    ]);
    let lines = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&lines);
    let trace: Trace = Arc::new(move |line: &str| log.lock().unwrap().push_str(line));
    let client = server.client_with(Credential::Static("sentinel-token".into()), Some(trace));
    let elsewhere = client.pages("/list?x=sentinel-query").unwrap_err();
    assert!(matches!(elsewhere, AzureError::Address { .. }), "{elsewhere}");
    let error = client.resource("/x", "v").unwrap_err();
    let told = format!(
        "{elsewhere} {error} {error:?} {:?} {}",
        miette::Diagnostic::help(&error).map(|h| h.to_string()),
        lines.lock().unwrap()
    );
    assert!(told.contains("corr") && !told.contains("sentinel"), "{told}");
    let authorized = |r: &Replay| {
        r.seen
            .lock()
            .unwrap()
            .iter()
            .all(|(_, _, h)| h.iter().any(|l| l.to_ascii_lowercase().starts_with("authorization:")))
    };
    assert!(authorized(&server));
    assert!(other.seen.lock().unwrap().is_empty());
}

#[test]
fn many_resources_of_one_kind_are_read_with_one_list() {
    let id = |n: usize| {
        format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/v{n}")
    };
    let list: Vec<Value> = (0..6).map(|n| json!({ "id": id(n).to_uppercase() })).collect();
    let server = replay(vec![ok(json!({ "value": list }))]);
    let wanted: Vec<ResourceRef> =
        (0..8).map(|n| ResourceRef { id: id(n), api_version: "2025-04-01".into() }).collect();
    let found = server.client().observe(&wanted).unwrap();
    assert_eq!(found.len(), 6);
    assert_eq!(
        server.requests(),
        [
            "GET /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets?api-version=2025-04-01"
        ]
    );
}

#[test]
fn names_cannot_leave_their_place_in_a_path() {
    let server = replay(vec![with(404, &[], r#"{"error":{"code":"NotFound","message":"no"}}"#)]);
    assert!(server.client().resource_group("a/../b?x#y").unwrap().is_none());
    assert!(server.requests()[0].contains("/resourceGroups/a%2F..%2Fb%3Fx%23y?"));
}

/// Styles of long-running operations as recorded from the service, each to its end.
#[test]
fn every_style_of_operation_is_followed_to_its_end() {
    type Case = (&'static str, Vec<Answer>, Result<&'static str, &'static str>, usize);
    let cases: Vec<Case> = vec![
        // Storage account: nothing in the first answer, the resource in the last.
        (
            "202 with Location",
            vec![
                with(202, &[("Location", "{me}/async?monitor=true"), ("Retry-After", "0")], ""),
                with(202, &[("Location", "{me}/async?monitor=true"), ("Retry-After", "0")], ""),
                ok(json!({ "id": "/account", "properties": { "provisioningState": "Succeeded" } })),
            ],
            Ok("/account"),
            3,
        ),
        // Scale set: made at once, ready later.
        (
            "201 with Azure-AsyncOperation",
            vec![
                with(201, &[("Azure-AsyncOperation", "{me}/op"), ("Retry-After", "0")], r#"{"id":"/set"}"#),
                with(200, &[("Retry-After", "0")], r#"{"status":"InProgress"}"#),
                ok(json!({ "status": "Succeeded", "id": "/op" })),
            ],
            Ok("/op"),
            3,
        ),
        // Stack: states in lower case; the operation counts where both addresses are given.
        (
            "lower case, both headers",
            vec![
                with(201, &[("Azure-AsyncOperation", "{me}/op"), ("Location", "{me}/wrong"), ("Retry-After", "0")], ""),
                with(200, &[("Retry-After", "0")], r#"{"status":"deploying"}"#),
                ok(json!({ "status": "succeeded", "id": "/stack" })),
            ],
            Ok("/stack"),
            3,
        ),
        // Autoscale setting, share, pool of Batch: over at once.
        (
            "200 with body",
            vec![ok(json!({ "id": "/pool", "properties": { "provisioningState": "Succeeded" } }))],
            Ok("/pool"),
            1,
        ),
        // Deletion of a group.
        (
            "202 and then 200 without a body",
            vec![with(202, &[("Location", "{me}/gone"), ("Retry-After", "0")], ""), with(200, &[], "")],
            Ok(""),
            2,
        ),
        (
            "202 and then 204",
            vec![with(202, &[("Location", "{me}/gone"), ("Retry-After", "0")], ""), with(204, &[], "")],
            Ok(""),
            2,
        ),
        // What-if: the answer is 200, the operation failed.
        (
            "200 that says Failed",
            vec![
                with(202, &[("Location", "{me}/job"), ("Retry-After", "0")], ""),
                ok(
                    json!({ "status": "Failed", "error": { "code": "InvalidTemplate", "message": "Deployment template validation failed" } }),
                ),
            ],
            Err("InvalidTemplate"),
            2,
        ),
        (
            "canceled without a reason",
            vec![
                with(202, &[("Azure-AsyncOperation", "{me}/op"), ("Retry-After", "0")], ""),
                ok(json!({ "status": "Canceled" })),
            ],
            Err("Canceled"),
            2,
        ),
        // Throttled in the middle of polling.
        (
            "429 while polling",
            vec![
                with(202, &[("Azure-AsyncOperation", "{me}/op"), ("Retry-After", "0")], ""),
                with(
                    429,
                    &[("Retry-After", "0")],
                    r#"{"error":{"code":"SubscriptionRequestsThrottled","message":"slow down"}}"#,
                ),
                with(503, &[], ""),
                ok(json!({ "status": "Succeeded", "id": "/op" })),
            ],
            Ok("/op"),
            4,
        ),
        // Refused: not tried again.
        (
            "409",
            vec![with(409, &[], r#"{"error":{"code":"OperationInvalidForCurrentState","message":"resizing"}}"#)],
            Err("OperationInvalidForCurrentState"),
            1,
        ),
    ];
    for (name, answers, wanted, requests) in cases {
        let server = replay(answers);
        let client = server.client();
        let end = client.send(Method::Put, "/x?api-version=v", Some(&json!({}))).and_then(|reply| client.finish(reply));
        match (end, wanted) {
            (Ok(body), Ok(id)) => assert_eq!(body.get("id").and_then(Value::as_str).unwrap_or_default(), id, "{name}"),
            (Err(error), Err(code)) => assert!(error.service().unwrap().has_code(code), "{name}: {error}"),
            (end, wanted) => panic!("{name}: {end:?} instead of {wanted:?}"),
        }
        assert_eq!(server.requests().len(), requests, "{name}");
        assert!(!server.requests().iter().any(|r| r.contains("/wrong")), "{name}");
    }
}

#[test]
fn a_pause_may_be_given_as_a_date() {
    let soon = jiff::Timestamp::now() + Duration::from_secs(1);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon).unwrap();
    let server = replay(vec![with(429, &[("Retry-After", &date)], ""), ok(json!({ "id": "/x" }))]);
    assert!(server.client().resource("/x", "v").unwrap().is_some());
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_cannot_be_cancelled_any_more_is_no_error() {
    // As recorded.
    let body = r#"{"error":{"code":"DeploymentCannotBeCancelled","message":"The deployment 'x' cannot be cancelled because it has provisioning state 'Succeeded' or it has already expired."}}"#;
    let server = replay(vec![with(409, &[], body), with(204, &[], "")]);
    let client = server.client();
    client.cancel("g", "d").unwrap();
    client.cancel("g", "d").unwrap();
    assert_eq!(server.requests().len(), 2);
}
