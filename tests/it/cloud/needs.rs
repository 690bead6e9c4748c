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

/// Who may not read limits plans all the same, and is told.
#[test]
fn limits_that_cannot_be_read_are_a_remark() {
    let place = Place::new();
    place.cx.write("main.dsvm", &format!("{BEGIN}{TEAM}  image = images.ubuntu_2204\n}}\n"));
    for status in [403, 500] {
        place.gate.rule(move |asked: &Asked| match asked.path().ends_with("/usages") {
            true => Verdict::Answer(status, r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#),
            false => Verdict::Pass,
        });
        let before = place.gate.seen().len();
        let (exit, text) = plan(&place);
        assert_eq!(exit, 0, "{text}");
        let told = "not compared with the quotas of Microsoft.Compute in westus2, Microsoft.Network in westus2: they cannot be \
                    read (AuthorizationFailed)";
        assert!(text.replace('\n', " ").contains(told), "{text}");
        let seen = place.gate.seen();
        let asked = seen.iter().skip(before).filter(|asked| asked.path().ends_with("/usages")).count();
        assert_eq!(asked, 2, "each once");
    }
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

/// What every project below begins with.
const BEGIN: &str = "project corp { location = westus2 }\nimport std.images\nimport std.sizes\n";
const TEAM: &str = r#"pool team: interactive {
  size = sizes.Standard_D4s_v5
  machines = 2
  admin { name = "ops", key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b" }
  allow ssh from [203.0.113.0/24]
"#;

/// Writes a resource of somebody else, or with an empty path its resource group, without asking the project.
fn put(place: &Place, group: &str, path: &str, body: &str) {
    let port = place.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
    let path = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}{path}");
    arm_local::ask(port, "PUT", &path, body).unwrap();
}

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
    let put = |path: &str, body: &str| put(&place, "rg-net", path, body);
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

#[test]
fn an_existing_registry_and_its_group_are_read_before_anything_is_deployed() {
    let place = Place::new();
    let source = r#"existing registry lab { name = "labimages", resource_group = "rg-platform" }
pool jobs: batch {
  service = azure_batch
  image = images.ubuntu_hpc
  size = sizes.Standard_D4s_v5
  machines = 0..4
  docker { images = ["labimages.azurecr.io/train:1"], registry = lab }
  autoscale every 5 min {}
}
"#;
    place.cx.write("main.dsvm", &format!("{BEGIN}{source}"));
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("DSVM0708") && text.contains("main.dsvm:10"), "{text}");
    assert!(text.contains("the resource group `rg-platform` of an existing resource does not exist"), "{text}");
    put(&place, "rg-platform", "?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("the existing container registry `labimages` does not exist"), "{text}");
    let registry = |mode: &str| {
        let path = "/providers/Microsoft.ContainerRegistry/registries/labimages?api-version=2025-11-01";
        let body = format!(
            r#"{{"location":"westus2","sku":{{"name":"Standard"}},"properties":{{"loginServer":"labimages.azurecr.io","roleAssignmentMode":"{mode}"}}}}"#
        );
        put(&place, "rg-platform", path, &body);
    };
    registry("AbacRepositoryPermissions");
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("`labimages` ignores the role that pulls from it"), "{text}");
    assert!(text.contains("write `permissions = repositories`"), "{text}");
    registry("LegacyRegistryPermissions");
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
    assert!(!text.contains("rg-platform`"), "no group is created: {text}");
}

#[test]
fn an_existing_storage_account_is_told_when_it_does_not_let_machines_mount_by_identity() {
    let place = Place::new();
    let source = format!(
        "{BEGIN}existing share work {{ account = \"stcorp\", name = \"work\", resource_group = \"rg-data\", mount = \"/data/work\" }}\n\
         {TEAM}  image = images.ubuntu_2204\n  shares = [work]\n}}\n"
    );
    place.cx.write("main.dsvm", &source);
    put(&place, "rg-data", "?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("the existing storage account `stcorp` does not exist"), "{text}");
    let account = |properties: &str| {
        let path = "/providers/Microsoft.Storage/storageAccounts/stcorp?api-version=2025-06-01";
        let body = format!(
            r#"{{"location":"westus2","kind":"StorageV2","sku":{{"name":"Standard_ZRS"}},"properties":{{{properties}}}}}"#
        );
        put(&place, "rg-data", path, &body);
    };
    account("");
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("DSVM0708"), "{text}");
    assert!(text.contains("`stcorp` does not let machines mount by identity"), "{text}");
    assert!(text.contains("--enable-smb-oauth true"), "{text}");
    account(
        r#""azureFilesIdentityBasedAuthentication":{"directoryServiceOptions":"None","smbOAuthSettings":{"isSmbOAuthEnabled":true}}"#,
    );
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
}

/// The image is known to boot with Trusted Launch; what the service says of its newest version counts.
#[test]
fn an_image_that_does_not_declare_trusted_launch_is_told() {
    let place = Place::new();
    let source = format!("{BEGIN}{TEAM}  image = images.ubuntu_2204_plain\n  security = trusted_launch\n}}\n");
    place.cx.write("main.dsvm", &source);
    let answers = |features: &'static str| {
        place.gate.rule(move |asked: &Asked| match asked.path().contains("/artifacttypes/vmimage/") {
            true if asked.path().ends_with("/versions") => Verdict::Answer(200, r#"[{"name":"22.04.202611010"}]"#),
            true => Verdict::Answer(200, features),
            false => Verdict::Pass,
        });
    };
    for features in [
        r#"{"properties":{"features":[]}}"#,
        r#"{"properties":{"features":[{"name":"SecurityType","value":"ConfidentialVmSupported"}]}}"#,
    ] {
        answers(features);
        let (exit, text) = plan(&place);
        assert_ne!(exit, 0);
        assert!(text.contains("DSVM0708") && text.contains("does not declare Trusted Launch"), "{text}");
    }
    answers(
        r#"{"properties":{"features":[{"name":"SecurityType","value":"TrustedLaunchAndConfidentialVmSupported"}]}}"#,
    );
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
    // What the service does not answer is left to the deployment.
    place.gate.rule(|asked: &Asked| match asked.path().contains("/artifacttypes/vmimage/") {
        true => Verdict::Answer(403, r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#),
        false => Verdict::Pass,
    });
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
}

/// A share behind a private endpoint in somebody else's network.
fn private_share(dns_zone: &str) -> String {
    format!(
        "{BEGIN}existing network hub {{ name = \"vnet-hub\", resource_group = \"rg-net\", subnet apps {{ name = \"apps\" }} }}\n\
         share work {{ quota = 1 TiB, mount = \"/data/work\", access = private_endpoint{dns_zone} }}\n\
         {TEAM}  image = images.ubuntu_2204\n  network = hub\n  shares = [work]\n}}\n"
    )
}

/// The zone of file shares in the cloud of the test.
const ZONE: &str = "/providers/Microsoft.Network/privateDnsZones/privatelink.file.storage.example";
const HUB: &str = "/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/vnet-hub";

#[test]
fn private_dns_zones_that_exist_are_told_before_anything_is_deployed() {
    let place = Place::new();
    put(&place, "rg-net", "?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    put(&place, "rg-dns", "?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    put(&place, "rg-corp", "?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    put(
        &place,
        "rg-net",
        "/providers/Microsoft.Network/virtualNetworks/vnet-hub?api-version=2025-05-01",
        r#"{"location":"westus2","properties":{"addressSpace":{"addressPrefixes":["10.1.0.0/16"]},
            "subnets":[{"name":"apps","properties":{"addressPrefix":"10.1.1.0/24"}}]}}"#,
    );
    let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dns{ZONE}");
    // A zone that is named has to be there.
    place.cx.write("main.dsvm", &private_share(&format!(", dns_zone = \"{id}\"")));
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("private DNS zone `privatelink.file.storage.example` does not exist"), "{text}");
    put(&place, "rg-dns", &format!("{ZONE}?api-version=2024-06-01"), r#"{"location":"global"}"#);
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
    // A network has one zone of a name.
    place.cx.write("main.dsvm", &private_share(""));
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
    assert!(!text.contains("takes it over"), "{text}");
    let link = format!(
        r#"{{"location":"global","properties":{{"registrationEnabled":false,"virtualNetwork":{{"id":"/subscriptions/{SUBSCRIPTION}{HUB}"}}}}}}"#
    );
    put(&place, "rg-dns", &format!("{ZONE}/virtualNetworkLinks/hub?api-version=2024-06-01"), &link);
    let (exit, text) = plan(&place);
    assert_ne!(exit, 0);
    assert!(text.contains("is linked to the private DNS zone") && text.contains("of the group `rg-dns`"), "{text}");
    assert!(text.contains(&format!("dns_zone = \"{id}\"")), "{text}");
    // With the zone left to Azure Policy there is nothing to tell.
    place.cx.write("main.dsvm", &private_share(", dns_zone = policy"));
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
}

#[test]
fn a_private_dns_zone_of_the_group_that_would_be_taken_over_is_told() {
    let place = Place::new();
    let source = format!(
        "{BEGIN}share work {{ quota = 1 TiB, mount = \"/data/work\", access = private_endpoint }}\n\
         {TEAM}  image = images.ubuntu_2204\n  shares = [work]\n}}\n"
    );
    place.cx.write("main.dsvm", &source);
    put(&place, "rg-corp", "?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    put(&place, "rg-corp", &format!("{ZONE}?api-version=2024-06-01"), r#"{"location":"global"}"#);
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("exists already: the project takes it over"), "{text}");
}

#[test]
fn application_packages_that_are_not_uploaded_are_told() {
    let place = Place::new();
    let source = |applications: &str| {
        format!(
            "{BEGIN}existing batch_account main {{ name = \"bacorp\" }}\n\
             pool jobs: batch {{\n  service = azure_batch\n  account = main\n  image = images.ubuntu_hpc\n  size = sizes.Standard_D4s_v5\n  \
             machines = 0..4\n  applications = [{applications}]\n  autoscale every 5 min {{}}\n}}\n"
        )
    };
    put(&place, "rg-corp", "?api-version=2024-11-01", r#"{"location":"westus2"}"#);
    let account = "/providers/Microsoft.Batch/batchAccounts/bacorp";
    let answers = |application: &'static str| {
        place.gate.rule(move |asked: &Asked| {
            let path = asked.path();
            match path.rsplit_once(account).map(|(_, rest)| rest) {
                Some("") => Verdict::Answer(200, r#"{"id":"x","properties":{}}"#),
                Some("/applications/solver") if !application.is_empty() => Verdict::Answer(200, application),
                Some("/applications/solver/versions/2") => {
                    Verdict::Answer(200, r#"{"id":"y","properties":{"state":"Active"}}"#)
                }
                Some(rest) if rest.starts_with("/applications/") => {
                    Verdict::Answer(404, r#"{"error":{"code":"ResourceNotFound","message":"no"}}"#)
                }
                _ => Verdict::Pass,
            }
        });
    };
    for (applications, application, told) in [
        ("\"solver\"", "", "has no application package `solver`"),
        ("\"solver\"", r#"{"properties":{}}"#, "has no default version of the application package `solver`"),
        ("\"solver:1\"", r#"{"properties":{"defaultVersion":"2"}}"#, "has no version `1` of the application package"),
    ] {
        place.cx.write("main.dsvm", &source(applications));
        answers(application);
        let (exit, text) = plan(&place);
        assert_ne!(exit, 0);
        assert!(text.contains("DSVM0708") && text.contains(told), "{text}");
    }
    for (applications, application) in
        [("\"solver\"", r#"{"properties":{"defaultVersion":"2"}}"#), ("\"solver:2\"", r#"{"properties":{}}"#)]
    {
        place.cx.write("main.dsvm", &source(applications));
        answers(application);
        let (exit, text) = plan(&place);
        assert_eq!(exit, 0, "{text}");
    }
}

#[test]
fn preview_features_in_use_are_named() {
    let place = Place::new();
    let source = format!(
        "{BEGIN}share work {{ quota = 1 TiB, mount = \"/data/work\" }}\n\
         resource cache: \"Microsoft.Example/caches@2026-01-01-preview\" {{ properties = {{ a = 1 }} }}\n\
         {TEAM}  image = images.ubuntu_2204\n  shares = [work]\n}}\n"
    );
    place.cx.write("main.dsvm", &source);
    let (exit, text) = plan(&place);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("in preview: mounting SMB shares with managed identities"), "{text}");
    assert!(text.contains("`Microsoft.Example/caches` is used in the preview version 2026-01-01-preview"), "{text}");
}
