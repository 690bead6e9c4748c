//! What a deployment needs and does not make: features of the subscription, existing subnets, existing groups. Told before
//! anything is sent.

use super::faults::Place;
use super::gate::{Asked, Verdict};
use arm_local::SUBSCRIPTION;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A machine whose disks are to be encrypted on the host.
const ENCRYPTED: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "password": { "type": "secureString" } },
  "resources": [{
    "type": "Microsoft.Compute/virtualMachines", "apiVersion": "2025-04-01", "name": "vm", "location": "westus2",
    "properties": { "securityProfile": { "encryptionAtHost": true }, "hardwareProfile": { "vmSize": "Standard_D4s_v5" } }
  }]
}"#;

const FEATURE: &str = "/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost";

/// A subscription without the feature, until somebody registers it.
fn without_feature(place: &Place) {
    let registered = Arc::new(AtomicBool::new(false));
    place.gate.rule(move |asked: &Asked| {
        let path = asked.path();
        match (asked.method.as_str(), path.ends_with(FEATURE), path.ends_with("/register")) {
            ("GET", true, _) if registered.load(Ordering::SeqCst) => {
                Verdict::Answer(200, r#"{"properties":{"state":"Registered"}}"#)
            }
            ("GET", true, _) => Verdict::Answer(200, r#"{"properties":{"state":"NotRegistered"}}"#),
            ("POST", _, true) => {
                registered.store(true, Ordering::SeqCst);
                Verdict::Answer(200, "{}")
            }
            _ => Verdict::Pass,
        }
    });
}

/// Paths of the requests that change something, in order.
fn writes(place: &Place) -> Vec<String> {
    let change = |asked: &Asked| (asked.method != "GET").then(|| format!("{} {}", asked.method, asked.path()));
    place.gate.seen().iter().filter(|asked| !asked.path().contains("/identity")).filter_map(change).collect()
}

#[test]
fn a_missing_feature_is_told_and_registered_with_consent_only() {
    let place = Place::new();
    place.cx.write("team.json", ENCRYPTED);
    without_feature(&place);
    let plan = place.run("plan");
    assert!(plan.text().contains("has not registered `Microsoft.Compute/EncryptionAtHost`"), "{}", plan.text());
    let refused = place.run("apply --yes");
    assert_ne!(refused.exit, 0);
    assert!(
        refused.text().contains("DSVM0709") && refused.text().contains("--register-features"),
        "{}",
        refused.text()
    );
    assert_eq!(writes(&place), Vec::<String>::new(), "nothing is sent without consent");
    let _ = place.run("apply --yes --register-features");
    let sent = writes(&place);
    assert!(sent[0].ends_with(&format!("{FEATURE}/register")), "{sent:?}");
    assert!(sent[1].ends_with("/providers/Microsoft.Compute/register"), "{sent:?}");
    assert!(sent.len() > 2, "and then it is deployed: {sent:?}");
}

const SOURCE: &str = r#"project corp { location = westus2 }
import std.images
import std.sizes
existing network hub { name = "vnet-hub", resource_group = "rg-net"
  subnet apps { name = "apps" } }
share work { quota = 1 TiB, mount = "/data/work" }
pool team: interactive {
  image = images.ubuntu_2204
  size = sizes.Standard_D4s_v5
  machines = 2
  network = hub
  shares = [work]
  admin { name = "ops", key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b" }
  allow ssh from [203.0.113.0/24]
}
"#;

/// Plans the source; its text.
fn plan(place: &Place) -> (i32, String) {
    let mut command = place.cx.command(&format!(
        "plan main.dsvm --target azure --cloud {} --subscription {SUBSCRIPTION} -g rg-corp --tries 2",
        place.gate.url
    ));
    command.env("IDENTITY_ENDPOINT", format!("{}/identity", place.gate.url)).env("IDENTITY_HEADER", "x");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn an_existing_subnet_is_read_before_anything_is_deployed() {
    let place = Place::new();
    place.cx.write("main.dsvm", SOURCE);
    let port = place.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
    let put = |path: &str, body: &str| {
        let path = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-net{path}");
        arm_local::ask(port, "PUT", &path, body).unwrap()
    };
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("subnet `apps` of the existing network `vnet-hub` does not exist"), "{text}");
    put("?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    let network = |endpoints: &str| {
        put(
            "/providers/Microsoft.Network/virtualNetworks/vnet-hub?api-version=2025-05-01",
            &format!(
                r#"{{"location":"westus2","properties":{{"addressSpace":{{"addressPrefixes":["10.1.0.0/16"]}},
                "subnets":[{{"name":"apps","properties":{{"addressPrefix":"10.1.1.0/24","serviceEndpoints":[{endpoints}]}}}}]}}}}"#
            ),
        )
    };
    network("");
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("has no service endpoint for storage") && text.contains("main.dsvm:6"), "{text}");
    network(r#"{"service":"Microsoft.Storage"}"#);
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
}
