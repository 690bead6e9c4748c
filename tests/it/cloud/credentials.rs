//! Every way to log in, against servers that hand out tokens; none of them leaves a trace of its secrets.

use super::gate::{CORRELATION, Gate, Verdict, proxy};
use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options, SUBSCRIPTION, TENANT};

const SECRET: &str = "Sentinel-of-the-client";

struct Place {
    cx: TestContext,
    _endpoint: Endpoint,
    gate: Gate,
}

impl Place {
    fn new(tls: bool) -> Self {
        let cx = TestContext::new();
        let endpoint = Endpoint::start(Options::default()).unwrap();
        let gate = Gate::new(endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap(), tls);
        cx.write("ca.pem", &gate.ca);
        Self { cx, _endpoint: endpoint, gate }
    }

    fn run(&self, arguments: &str, variables: &[(&str, &str)]) -> Ran {
        let cloud = &self.gate.url;
        let command = format!(
            "{arguments} --target azure --cloud {cloud} --subscription {SUBSCRIPTION} --ca-file ca.pem --trace"
        );
        let mut command = self.cx.command(&command);
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran =
            Ran { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        // Whatever happens: no secret and no token is told.
        for secret in [SECRET, "token-", "assertion-of-the-job"] {
            assert!(!ran.text().contains(secret), "{}", ran.text());
        }
        ran
    }

    /// The doctor reaches Resource Manager with the `number`th token.
    fn reaches(&self, ran: &Ran, kind: &str, number: usize) {
        assert_eq!(ran.exit, 0, "{}", ran.text());
        assert!(ran.stdout.contains(&format!("{kind} is used")), "{}", ran.text());
        assert!(ran.stdout.contains("reached; the subscription is called"), "{}", ran.text());
        let last = self.gate.seen().into_iter().rfind(|a| a.path().starts_with("/subscriptions/")).unwrap();
        assert_eq!(last.header("authorization"), format!("Bearer token-{number}"));
    }

    fn token_request(&self) -> super::gate::Asked {
        self.gate.seen().into_iter().find(|a| a.path().ends_with("/token") || a.path() == "/identity").unwrap()
    }
}

const CLIENT: [(&str, &str); 2] = [("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", "client-7")];

#[test]
fn a_secret_in_the_environment_logs_in() {
    let place = Place::new(true);
    let variables = [&CLIENT[..], &[("AZURE_CLIENT_SECRET", SECRET)]].concat();
    place.reaches(&place.run("doctor", &variables), "environment", 1);
    let asked = place.token_request();
    assert_eq!(asked.target, format!("/{TENANT}/oauth2/v2.0/token"));
    // The audience is the one that the cloud tells of itself.
    for part in
        ["client_id=client-7", &format!("client_secret={SECRET}"), "scope=https%3A%2F%2Faudience.example%2F.default"]
    {
        assert!(asked.body.contains(part), "{}", asked.body);
    }
    let doctor = place.run("doctor", &variables);
    assert!(doctor.stdout.contains("storage storage.example, vaults vault.example"), "{}", doctor.text());
}

#[test]
fn a_federated_token_in_a_file_logs_in() {
    let place = Place::new(true);
    let file = place.cx.write("federated", SECRET);
    let file = file.to_str().unwrap();
    let variables = [&CLIENT[..], &[("AZURE_FEDERATED_TOKEN_FILE", file)]].concat();
    place.reaches(&place.run("doctor", &variables), "workload-identity", 1);
    let asked = place.token_request();
    assert!(asked.body.contains(&format!("client_assertion={SECRET}")), "{}", asked.body);
    assert!(asked.body.contains("client_id=client-7"), "{}", asked.body);
}

#[test]
fn the_token_of_a_ci_job_logs_in() {
    let place = Place::new(true);
    let url = format!("{}/oidc?api-version=2.0", place.gate.url);
    let job = [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SECRET)];
    place.reaches(&place.run("doctor", &[&CLIENT[..], &job].concat()), "ci", 1);
    let asked = place.gate.seen().into_iter().find(|a| a.path() == "/oidc").unwrap();
    assert_eq!(asked.target, "/oidc?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange");
    assert_eq!(asked.header("authorization"), format!("Bearer {SECRET}"));
    assert!(place.token_request().body.contains("client_assertion=assertion-of-the-job"));
}

#[test]
fn the_identity_of_the_machine_logs_in() {
    let place = Place::new(false);
    let url = format!("{}/identity", place.gate.url);
    // A proxy that leads nowhere: what answers on this machine is asked directly.
    let variables =
        [("IDENTITY_ENDPOINT", url.as_str()), ("IDENTITY_HEADER", SECRET), ("HTTP_PROXY", "http://127.0.0.1:9")];
    place.reaches(&place.run("doctor", &variables), "managed-identity", 1);
    let asked = place.token_request();
    assert_eq!(asked.header("x-identity-header"), SECRET);
    assert!(asked.target.contains("resource=https%3A%2F%2Faudience.example"), "{}", asked.target);
}

#[cfg(unix)]
#[test]
fn whoever_is_logged_in_with_az_is_used() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(false);
    let script = "#!/bin/sh\necho \"$@\" >> \"$HOME/az.log\"\necho '{\"accessToken\":\"token-9\",\"expires_on\":4102444800,\"tokenType\":\"Bearer\"}'\n";
    let az = place.cx.write("bin/az", script);
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", az.parent().unwrap().display(), std::env::var("PATH").unwrap());
    place.reaches(&place.run("doctor", &[("PATH", path.as_str())]), "az", 9);
    assert_eq!(
        place.cx.read("az.log").trim(),
        "account get-access-token -o json --scope https://audience.example/.default"
    );
    // Nobody is logged in: what `az` says is told.
    place.cx.write("bin/az", "#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n");
    let ran = place.run("doctor", &[("PATH", path.as_str())]);
    assert_eq!(ran.exit, 3, "{}", ran.text());
    assert!(ran.stdout.contains("Please run 'az login'"), "{}", ran.text());
}

#[test]
fn what_auto_takes_first_is_the_environment() {
    let place = Place::new(true);
    let file = place.cx.write("federated", SECRET);
    let all = [&CLIENT[..], &[("AZURE_CLIENT_SECRET", SECRET), ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap())]];
    place.reaches(&place.run("doctor", &all.concat()), "environment", 1);
    place.reaches(&place.run("doctor --credential workload-identity", &all.concat()), "workload-identity", 2);
}

#[test]
fn a_wrong_secret_says_so_without_showing_it() {
    // A token server that refuses: another authority than the cloud's own, which only tests of the gate would accept.
    let place = Place::new(true);
    let variables = [&CLIENT[..], &[("AZURE_CLIENT_SECRET", SECRET), ("AZURE_AUTHORITY_HOST", "https://localhost:9")]];
    let ran = place.run("doctor", &variables.concat());
    assert_eq!(ran.exit, 3, "{}", ran.text());
    assert!(ran.stdout.contains("no access token"), "{}", ran.text());
    assert!(ran.stdout.contains("authority") && ran.stdout.contains("https://localhost:9"), "{}", ran.text());
}

#[test]
fn calls_go_through_the_proxy_unless_the_host_is_spared() {
    let place = Place::new(true);
    place.gate.rule(|_| Verdict::Answer(200, r#"{"displayName":"behind the proxy"}"#));
    let (address, asked) = proxy(place.gate.port);
    // Not a loopback name, so that the proxy counts.
    let run = |variables: &[(&str, &str)]| {
        let command = format!(
            "doctor --target azure --cloud https://arm.dsvmc.invalid --subscription {SUBSCRIPTION} --ca-file ca.pem"
        );
        let mut command = place.cx.command(&command);
        let output = command.env("DSVMC_ACCESS_TOKEN", SECRET).envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = run(&[("HTTPS_PROXY", &address)]);
    assert!(told.contains("reached; the subscription is called"), "{told}");
    let through = asked.lock().unwrap().clone();
    assert!(
        !through.is_empty() && through.iter().all(|a| a.starts_with("CONNECT arm.dsvmc.invalid:443 ")),
        "{through:?}"
    );
    assert!(!through.concat().contains(SECRET));
    asked.lock().unwrap().clear();
    run(&[("HTTPS_PROXY", &address), ("NO_PROXY", "dsvmc.invalid")]);
    assert_eq!(asked.lock().unwrap().len(), 0);
    let told = run(&[("HTTPS_PROXY", &address), ("NO_PROXY", "x")]);
    assert!(told.contains("HTTPS_PROXY is set") && !told.contains(&address), "{told}");
}

#[test]
fn every_error_of_the_service_has_its_correlation_id() {
    let place = Place::new(false);
    let url = format!("{}/identity", place.gate.url);
    let variables = [("IDENTITY_ENDPOINT", url.as_str()), ("IDENTITY_HEADER", "x")];
    place.cx.write("t.json", r#"{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","contentVersion":"1.0.0.0","resources":[]}"#);
    for status in [400, 401, 403, 404, 409] {
        place.gate.rule(move |_| Verdict::Answer(status, r#"{"error":{"code":"Refused","message":"no"}}"#));
        let ran = place.run("plan --template t.json -g g --location westeurope", &variables);
        // That nothing is there is no error of a plan.
        if status != 404 {
            assert_eq!(ran.exit, 3, "{}", ran.text());
            assert!(ran.stderr.contains("Refused: no") && ran.stderr.contains(CORRELATION), "{status} {}", ran.text());
        }
    }
}
