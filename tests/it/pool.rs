//! Interactive pools from source to template.

use dsvm_diagnostics::source::SourceMap;
use dsvm_diagnostics::{Diagnostic, Severity};
use dsvm_emit::Artifacts;
use dsvmc::driver::{self, EntryKind, LoadError, Options, Stop, World};
use std::path::{Path, PathBuf};

/// What a program gives.
pub struct Compiled {
    pub sources: SourceMap,
    pub diagnostics: Vec<Diagnostic>,
    pub artifacts: Option<Artifacts>,
}

impl Compiled {
    /// Errors and warnings, one to a line: slug, underlined text, title.
    pub fn findings(&self) -> String {
        let line = |d: &Diagnostic| {
            let at = d.primary().map_or("", |span| self.sources.text(span));
            format!("{} `{}`: {}\n", d.code.slug(), at.lines().next().unwrap_or(""), d.title)
        };
        self.diagnostics
            .iter()
            .filter(|d| d.severity != Severity::Info && d.code.slug() != "unused")
            .map(line)
            .collect()
    }
}

/// One file in memory, imports from a folder.
struct Folder<'a> {
    text: &'a str,
    folder: &'a Path,
}

impl World for Folder<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        if path == Path::new("main.dsvm") {
            return Ok(self.text.as_bytes().to_vec());
        }
        let unreadable = |cause| LoadError::unreadable(path, cause);
        std::fs::read(self.folder.join(path)).map_err(unreadable)
    }
    fn kind(&self, _: &Path) -> Result<EntryKind, LoadError> {
        Ok(EntryKind::File)
    }
    fn list(&self, _: &Path) -> Result<Vec<(PathBuf, EntryKind)>, LoadError> {
        Ok(Vec::new())
    }
    fn today(&self) -> jiff::civil::Date {
        jiff::civil::date(2026, 11, 23)
    }
}

/// Compiles a program; imports are read from a folder.
pub fn compile_in(text: &str, folder: &Path) -> Compiled {
    let options = Options { stop: Stop::AfterEmission };
    let done = driver::compile(&Folder { text, folder }, Path::new("main.dsvm"), options).unwrap();
    Compiled { sources: done.sources, diagnostics: done.diagnostics, artifacts: done.artifacts }
}

pub fn compile(text: &str) -> Compiled {
    compile_in(text, Path::new("."))
}

fn examples() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

#[test]
fn every_example_compiles_without_a_finding() {
    for example in examples() {
        let text = std::fs::read_to_string(example.join("main.dsvm")).unwrap();
        let compiled = compile_in(&text, &example);
        assert_eq!(compiled.findings(), "", "{}", example.display());
        let artifacts = compiled.artifacts.unwrap();
        if let Ok(out) = std::env::var("DSVMC_TEST_OUT") {
            for deployment in &artifacts.deployments {
                let name = format!("{}-{}.json", example.file_name().unwrap().to_string_lossy(), deployment.name);
                let path = Path::new(&out).join(name);
                std::fs::write(path, deployment.template.pretty()).unwrap();
            }
        }
    }
}

const WIDE: &str = r#"
import std.images
import std.sizes
import std.roles

project wide { location = westeurope, tags = { team = "x" } }

param admin_key: ssh_key
param offices: [cidr] = [203.0.113.0/24]
secret param owner_password: string

network lab {
  address  = 10.1.0.0/16
  dns      = [10.1.0.4, 10.1.0.5]
  outbound = load_balancer
  subnet a { address = 10.1.0.0/24 }
  subnet b { address = 10.1.1.0/24 }
}

vault keys {
  access = service_endpoint
  secret owner { value = owner_password, expires = 2027-12-31 }
}

share nfs {
  protocol = nfs
  quota    = 200 GiB
  mount    = "/data/nfs"
  access   = private_endpoint
}

share smb {
  quota = 2 TiB
  mount = "/data/smb"
  auth  = key_vault
  vault = keys
}

existing share old {
  account        = "stold"
  name           = "old"
  resource_group = "rg-old"
  mount          = "/data/old"
}

pool uni: interactive {
  image       = images.ubuntu_2204
  size        = sizes.Standard_NC24ads_A100_v4
  machines    = 0..8
  network     = lab
  subnet      = "b"
  shares      = [nfs, smb, old]
  vault       = keys
  serve       = [ssh, jupyterhub, 8787]
  entra_login = true
  admin { name = "dsvmuser", key = admin_key, password_secret = "owner" }
  user ada { uid = 2001, groups = ["video"], password_secret = "ada" }
  allow ssh from offices
  allow jupyterhub from [203.0.113.0/24]
  allow 8787 from network
  autoscale {
    schedule xmas { from = 2026-12-24, until = 2027-01-02, machines = 0..1 }
    schedule day { on mon..fri from 08:00 to 18:00, machines = 1..8 }
  }
}
"#;

/// The template of a program without findings.
fn template(text: &str) -> serde_json::Value {
    let compiled = compile(text);
    assert_eq!(compiled.findings(), "");
    let artifacts = compiled.artifacts.unwrap();
    assert_eq!(artifacts.deployments.len(), 1);
    artifacts.deployments.into_iter().next().unwrap().template.into_value()
}

fn of_type<'a>(template: &'a serde_json::Value, kind: &str) -> Vec<&'a serde_json::Value> {
    template["resources"].as_array().unwrap().iter().filter(|r| r["type"] == kind).collect()
}

#[test]
fn no_secret_is_in_a_template_but_where_azure_keeps_it() {
    let template = template(WIDE);
    let mut places = Vec::new();
    for resource in template["resources"].as_array().unwrap() {
        let text = resource.to_string();
        if text.contains("owner_password") || text.contains("listKeys") {
            places.push(resource["type"].as_str().unwrap());
        }
    }
    assert_eq!(places, ["Microsoft.KeyVault/vaults/secrets", "Microsoft.KeyVault/vaults/secrets"]);
    assert!(!template["outputs"].to_string().contains("owner_password"));
    assert!(!template["variables"].to_string().contains("owner_password"));
    assert_eq!(template["parameters"]["owner_password"]["type"], "securestring");
}

#[test]
fn what_a_scale_set_needs_is_deployed_before_it() {
    let template = template(WIDE);
    let [set] = of_type(&template, "Microsoft.Compute/virtualMachineScaleSets")[..] else { panic!("one set") };
    let needs = set["dependsOn"].to_string();
    for kind in
        ["virtualNetworks'", "loadBalancers'", "networkSecurityGroups'", "fileServices/shares'", "roleAssignments'"]
    {
        assert!(needs.contains(kind), "{kind} not in {needs}");
    }
    let position =
        |kind: &str| template["resources"].as_array().unwrap().iter().position(|r| r["type"] == kind).unwrap();
    assert!(position("Microsoft.Network/virtualNetworks") < position("Microsoft.Compute/virtualMachineScaleSets"));
}

#[test]
fn capacity_under_autoscale_is_a_parameter_and_marked() {
    let template = template(WIDE);
    let [set] = of_type(&template, "Microsoft.Compute/virtualMachineScaleSets")[..] else { panic!("one set") };
    assert_eq!(set["sku"]["capacity"], "[parameters('uniMachines')]");
    assert_eq!(template["parameters"]["uniMachines"]["defaultValue"], 0);
}

#[test]
fn entra_log_in_makes_the_set_uniform_with_an_identity_of_its_own() {
    let template = template(WIDE);
    let [set] = of_type(&template, "Microsoft.Compute/virtualMachineScaleSets")[..] else { panic!("one set") };
    assert_eq!(set["properties"]["orchestrationMode"], "Uniform");
    assert_eq!(set["identity"]["type"], "SystemAssigned, UserAssigned");
}

#[test]
fn storage_refuses_keys_unless_they_are_asked_for_and_everybody_else() {
    let template = template(WIDE);
    for account in of_type(&template, "Microsoft.Storage/storageAccounts") {
        let properties = &account["properties"];
        assert_eq!(properties["networkAcls"]["defaultAction"], "Deny");
        let by_key = account["name"].as_str().unwrap().contains("smb");
        assert_eq!(properties["allowSharedKeyAccess"], by_key);
    }
}

#[test]
fn capacities_of_profiles_are_texts_and_each_window_returns() {
    let template = template(WIDE);
    let [setting] = of_type(&template, "Microsoft.Insights/autoscaleSettings")[..] else { panic!("one setting") };
    assert_eq!(setting["properties"]["enabled"], true);
    let profiles = setting["properties"]["profiles"].as_array().unwrap();
    let names: Vec<&str> = profiles.iter().map(|p| p["name"].as_str().unwrap()).collect();
    let default = "Auto created default scale condition";
    let twin = r#"{"name":"Auto created default scale condition","for":"day"}"#;
    assert_eq!(names, [default, "xmas", "day", twin]);
    assert_eq!(profiles[2]["capacity"], serde_json::json!({ "minimum": "1", "maximum": "8", "default": "1" }));
    assert_eq!(profiles[3]["recurrence"]["schedule"]["hours"], serde_json::json!([18]));
}

/// In a body of ARM's own words, a role is its definition, an image what Azure takes, and a thing of another group is there.
#[test]
fn facts_and_existing_things_in_a_resource_are_what_azure_takes() {
    let compiled = compile(
        r#"project p { location = westeurope }
import std.images
import std.roles
existing resource store: "Microsoft.Storage/storageAccounts@2025-06-01" {
  name = "stcorp"
  resource_group = "rg-data"
}
image own {
  id = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/i"
  os = linux
  generation = 2
}
resource record: "Microsoft.Resources/tags@2025-04-01" {
  name = "default"
  properties = {
    tags = { role = roles.key_vault_secrets_user, image = own, store = store }
  }
}
"#,
    );
    let template = compiled.artifacts.unwrap().deployments.remove(0).template.pretty();
    assert!(
        template.contains("subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-"),
        "{template}"
    );
    assert!(template.contains("/galleries/g/images/i"), "{template}");
    assert!(template.contains("resourceId('rg-data', 'Microsoft.Storage/storageAccounts', 'stcorp')"), "{template}");
}
