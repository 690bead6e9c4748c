//! Plan, apply and destroy through the command line, against an endpoint that can be made to fail.

use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SECRET: &str = "Sentinel-4711-Password";

/// A project as a template: everything that a fault can hit, small.
pub fn template(tag: &str, extra: bool) -> Value {
    let id = |kind: &str, name: &str| format!("[resourceId('{kind}', '{name}')]");
    let mut resources = vec![
        json!({ "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2024-11-30", "name": "id-team", "location": "westus2", "tags": { "t": tag } }),
        json!({ "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2025-05-01", "name": "nsg-team", "location": "westus2", "tags": { "t": tag },
            "properties": { "securityRules": [{ "name": "ssh", "properties": { "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "priority": 100,
                "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": "203.0.113.0/24", "destinationAddressPrefix": "*" } }] } }),
        json!({ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2025-05-01", "name": "vnet-team", "location": "westus2",
            "dependsOn": [id("Microsoft.Network/networkSecurityGroups", "nsg-team")],
            "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": [{ "name": "machines", "properties": {
                "addressPrefix": "10.0.0.0/24", "defaultOutboundAccess": false, "networkSecurityGroup": { "id": id("Microsoft.Network/networkSecurityGroups", "nsg-team") } } }] } }),
        json!({ "type": "Microsoft.Storage/storageAccounts", "apiVersion": "2025-08-01", "name": "stteam0123456", "location": "westus2", "tags": { "t": tag },
            "sku": { "name": "Standard_LRS" }, "kind": "StorageV2", "properties": { "minimumTlsVersion": "TLS1_2" } }),
        json!({ "type": "Microsoft.Storage/storageAccounts/fileServices/shares", "apiVersion": "2025-08-01", "name": "stteam0123456/default/notebooks",
            "dependsOn": [id("Microsoft.Storage/storageAccounts", "stteam0123456")], "properties": { "shareQuota": 100 } }),
        json!({ "type": "Microsoft.KeyVault/vaults", "apiVersion": "2026-02-01", "name": "kv-team-0123456", "location": "westus2",
            "properties": { "tenantId": "[subscription().tenantId]", "sku": { "name": "standard", "family": "A" }, "enableRbacAuthorization": true } }),
        json!({ "type": "Microsoft.KeyVault/vaults/secrets", "apiVersion": "2026-02-01", "name": "kv-team-0123456/login",
            "dependsOn": [id("Microsoft.KeyVault/vaults", "kv-team-0123456")], "properties": { "value": "[parameters('password')]" } }),
    ];
    if extra {
        resources.push(json!({ "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2025-05-01", "name": "pip-extra", "location": "westus2",
            "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } }));
    }
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "parameters": { "password": { "type": "securestring" } },
        "resources": resources,
        "outputs": { "share": { "type": "string", "value": "notebooks" }, "hidden": { "type": "securestring", "value": "[parameters('password')]" },
            "principal": { "type": "string", "value": "[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id-team'), '2024-11-30').principalId]" } },
    })
}

/// A folder with a template and a running endpoint.
pub struct Place {
    pub cx: TestContext,
    endpoint: Endpoint,
}

impl Place {
    pub fn new() -> Self {
        let cx = TestContext::new();
        let state = cx.path().join(".dsvmc").join("local");
        std::fs::create_dir_all(&state).unwrap();
        let endpoint = Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap();
        let place = Self { cx, endpoint };
        place.write(&template("a", false));
        place
    }

    pub fn write(&self, template: &Value) {
        self.cx.write("team.json", &format!("{template:#}"));
    }

    pub fn run(&self, arguments: &str) -> Ran {
        let mut command = self.cx.command(arguments);
        // A template has its state elsewhere, unless it is told where.
        command.env("DSVMC_PARAM_password", SECRET).env("DSVMC_STATE_DIR", self.cx.path());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub fn apply(&self) -> Ran {
        self.run("apply --yes --template team.json")
    }

    fn admin(&self, method: &str, body: &str) {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        arm_local::ask(port, method, "/_local/faults", body).unwrap();
    }

    pub fn url(&self) -> &str {
        &self.endpoint.http_url
    }

    pub fn arm(&self, method: &str, path: &str, body: &str) -> Value {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        arm_local::ask(port, method, path, body).unwrap()
    }

    /// Names of all resources that exist.
    pub fn left(&self) -> Vec<String> {
        let path = format!("/subscriptions/{}/resources?api-version=2024-11-01", arm_local::SUBSCRIPTION);
        let listed = self.arm("GET", &path, "");
        listed["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
    }

    /// What exists, without what differs from run to run.
    pub fn state(&self) -> BTreeMap<String, Value> {
        let shown = self.run("show --json --template team.json");
        assert_eq!(shown.exit, 0, "{}", shown.text());
        let json: Value = serde_json::from_str(&shown.stdout).unwrap();
        let list = json["resources"].as_array().unwrap().clone();
        let mut all = BTreeMap::new();
        for resource in list {
            let id = resource["id"].as_str().unwrap().to_lowercase();
            let keep = json!([
                resource["tags"],
                resource["sku"]["name"],
                resource["properties"]["provisioningState"],
                resource["properties"]["securityRules"][0]["name"]
            ]);
            assert!(all.insert(id, keep).is_none(), "a resource is there twice");
        }
        all
    }

    fn is_as_wanted(&self) -> bool {
        self.run("plan --detailed-exitcode --template team.json").exit == 0
    }
}

#[test]
fn a_plan_after_an_apply_is_empty_and_the_second_apply_does_nothing() {
    let place = Place::new();
    let plan = place.run("plan --detailed-exitcode --template team.json");
    assert_eq!(plan.exit, 2, "{}", plan.text());
    let first = place.apply();
    assert_eq!(first.exit, 0, "{}", first.text());
    assert!(first.stdout.contains("7 created") && first.stdout.contains("notebooks"), "{}", first.text());
    let second = place.apply();
    assert_eq!(second.exit, 0, "{}", second.text());
    assert!(second.stdout.contains("Nothing to do: all 7 resources"), "{}", second.text());
    assert!(place.is_as_wanted());
    // Without the record of this machine too.
    std::fs::remove_file(place.cx.path().join(".dsvmc/team/baseline.json")).unwrap();
    assert!(place.is_as_wanted());
}

#[test]
fn applying_a_then_b_is_as_applying_b() {
    let there = Place::new();
    there.write(&template("b", false));
    assert_eq!(there.apply().exit, 0);
    let way = Place::new();
    way.write(&template("a", true));
    assert_eq!(way.apply().exit, 0);
    way.write(&template("b", false));
    let refused = way.apply();
    assert_eq!(refused.exit, 1, "{}", refused.text());
    assert!(refused.stderr.contains("DSVM0808"), "{}", refused.text());
    let applied = way.run("apply --yes --allow-delete --template team.json");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    assert!(applied.stdout.contains("1 deleted"), "{}", applied.text());
    assert_eq!(there.state(), way.state());
}

/// Each property by itself: changed, it is seen; applied, it is gone from the plan.
#[test]
fn every_single_change_is_planned_and_applied() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    let changes = [
        ("/resources/0/tags/t", json!("other")),
        ("/resources/1/properties/securityRules/0/properties/sourceAddressPrefix", json!("198.51.100.0/24")),
        ("/resources/1/properties/securityRules/0/properties/priority", json!(200)),
        ("/resources/2/properties/addressSpace/addressPrefixes", json!(["10.0.0.0/16", "10.1.0.0/16"])),
        ("/resources/3/sku/name", json!("Standard_GRS")),
        ("/resources/4/properties/shareQuota", json!(200)),
        ("/resources/5/properties/enableRbacAuthorization", json!(false)),
        ("/resources/6/properties/value", json!("another")),
    ];
    let mut wanted = template("a", false);
    for (pointer, value) in changes {
        *wanted.pointer_mut(pointer).unwrap() = value;
        place.write(&wanted);
        let plan = place.run("plan --detailed-exitcode --template team.json");
        assert_eq!(plan.exit, 2, "{pointer}\n{}", plan.text());
        let applied = place.apply();
        assert_eq!(applied.exit, 0, "{pointer}\n{}", applied.text());
        assert!(place.is_as_wanted(), "{pointer}");
    }
}

/// Every fault at every step: whatever the first apply says, the second one ends in the wanted state.
#[test]
fn whatever_fails_the_next_apply_finishes_the_work() {
    let mut cases = Vec::new();
    for kind in ["throttle,retry-after=0", "error", "unavailable,retry-after=0", "reset", "lost"] {
        for after in 0..7 {
            cases.push(format!("{kind},after={after},times=2"));
            cases.push(format!("{kind},after={after},times=always,method=PUT"));
        }
    }
    let names =
        ["id-team", "nsg-team", "vnet-team", "stteam0123456", "stteam0123456/default/notebooks", "kv-team-0123456"];
    for kind in ["fail", "SkuNotAvailable", "AllocationFailed", "QuotaExceeded", "conflict"] {
        cases.extend(names.iter().map(|name| format!("{kind},name={name}")));
    }
    cases.extend(["slow,seconds=1,name=vnet-team", "slow,seconds=1,name=stteam0123456"].map(str::to_owned));
    let expected = {
        let place = Place::new();
        assert_eq!(place.apply().exit, 0);
        place.state()
    };
    // Permanent transport faults cost a whole retry budget each: a few of them are enough here.
    cases.retain(|c| !c.contains("always") || c.starts_with("reset,after=1"));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) else { return };
                    let place = Place::new();
                    place.admin("POST", &json!([case]).to_string());
                    let first = place.apply();
                    place.admin("DELETE", "");
                    let second = place.apply();
                    let fine = [0, 3, 4].contains(&first.exit)
                        && second.exit == 0
                        && place.is_as_wanted()
                        && place.state() == expected;
                    if !fine {
                        failures.lock().unwrap().push(format!(
                            "{case}\nfirst {}\nsecond {}",
                            first.text(),
                            second.text()
                        ));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}

#[test]
fn an_apply_that_is_killed_is_finished_by_the_next_one() {
    let place = Place::new();
    place.admin("POST", r#"["stuck,name=vnet-team"]"#);
    let mut child = place
        .cx
        .command("apply --yes --template team.json")
        .env("DSVMC_PARAM_password", SECRET)
        .env("DSVMC_STATE_DIR", place.cx.path())
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = place.cx.path().join(".dsvmc/team/journal.json");
    for _ in 0..6000 {
        if std::fs::read_to_string(&journal).is_ok_and(|t| t.contains("begun")) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    place.admin("DELETE", "");
    let second = place.apply();
    assert_eq!(second.exit, 0, "{}", second.text());
    assert!(second.stderr.contains("did not finish"), "{}", second.text());
    assert!(place.is_as_wanted());
    assert!(!journal.exists());
}

#[test]
fn saved_plans_are_applied_exactly_or_refused() {
    let place = Place::new();
    assert_eq!(place.run("plan -o team.plan --template team.json").exit, 0);
    let saved = place.cx.read("team.plan");
    assert!(!saved.contains(SECRET));
    place.cx.write("broken.plan", &saved.replace("\"create\": 7", "\"create\": 8"));
    let refused = |ran: Ran, why: &str| {
        assert_eq!(ran.exit, 1, "{}", ran.text());
        assert!(ran.stderr.contains("DSVM0701") && ran.stderr.contains(why), "{}", ran.text());
    };
    refused(place.run("apply broken.plan"), "was changed after it was saved");
    refused(place.run("apply team.plan -g elsewhere"), "was made for");
    refused(place.run("apply team.plan --set password=other"), "parameter values changed");
    place.write(&template("b", false));
    refused(place.run("apply team.plan"), "the sources changed");
    place.write(&template("a", false));
    let applied = place.run("apply team.plan");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    refused(place.run("apply team.plan"), "applied already");
}

#[test]
fn destroy_deletes_what_was_made_and_nothing_else() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    let asked = place.run("destroy --yes --template team.json");
    assert_eq!(asked.exit, 1, "{}", asked.text());
    let done = place.run("destroy --yes --allow-delete --template team.json");
    assert_eq!(done.exit, 0, "{}", done.text());
    assert_eq!(place.state(), BTreeMap::new());
    let group = place.run("plan --template team.json");
    assert!(group.stdout.contains("7 to create"), "{}", group.text());
}

#[test]
fn what_is_protected_is_not_deleted() {
    let place = Place::new();
    let mut marked = template("a", true);
    marked["resources"][7]["metadata"] = json!({ "dsvmc": { "preventDestroy": true } });
    place.write(&marked);
    assert_eq!(place.apply().exit, 0);
    place.write(&template("a", false));
    let refused = place.run("apply --yes --allow-delete --template team.json");
    assert_eq!(refused.exit, 1, "{}", refused.text());
    assert!(refused.stderr.contains("DSVM0809") && refused.stderr.contains("pip-extra"), "{}", refused.text());
}

#[test]
fn two_applies_at_once_are_one_and_a_message() {
    let place = Place::new();
    let state = arm_apply::StateDir::new(place.cx.path(), "team", "");
    let lock = state.lock(false).unwrap();
    let refused = place.apply();
    assert_eq!(refused.exit, 3, "{}", refused.text());
    assert!(refused.stderr.contains("DSVM0807"), "{}", refused.text());
    drop(lock);
    assert_eq!(place.apply().exit, 0);
}

/// A secret goes through every command, format and failure; no output, file or log holds it.
#[test]
fn the_sentinel_is_found_nowhere() {
    let place = Place::new();
    place.admin("POST", r#"["fail,name=nsg-team,message=no"]"#);
    let mut texts = vec![place.run("apply --yes --trace --template team.json").text()];
    place.admin("DELETE", "");
    for command in [
        "plan --full --show-suppressed --trace",
        "plan --format json",
        "plan --format markdown",
        "plan -o team.plan",
        "plan --what-if",
        "apply --yes --trace",
        "apply --yes --force --format json",
        "plan --full --show-suppressed",
        "show --json",
        "show",
        "status",
        "status --format json",
        "outputs",
        "outputs --format json",
        "apply --yes --set password=Sentinel-4711-Password2",
        "plan --set count=Sentinel-4711-Password",
    ] {
        texts.push(place.run(&format!("{command} --template team.json")).text());
    }
    texts.push(place.run("apply team.plan").text());
    texts.push(place.run("doctor").text());
    texts.push(place.run("destroy --yes --allow-delete --template team.json").text());
    for text in &texts {
        // Whoever writes a secret behind the name of a parameter that is none sees the name, not the value.
        assert!(!text.contains("Sentinel"), "{text}");
    }
    let mut files = 0;
    let mut folders = vec![place.cx.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // The endpoint stands for Azure: it keeps what it was given.
            if path.is_dir() && !path.ends_with("local") {
                folders.push(path);
            } else if path.is_file() {
                files += 1;
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains("Sentinel"), "{}", path.display());
            }
        }
    }
    assert!(files >= 4, "{files}");
}

/// Two processes at once: the second is refused, or waits.
#[test]
fn two_processes_at_once_are_one_and_a_message() {
    let place = Place::new();
    place.admin("POST", r#"["stuck,name=vnet-team"]"#);
    let spawn = |arguments: &str| {
        let mut command = place.cx.command(arguments);
        command
            .env("DSVMC_PARAM_password", SECRET)
            .env("DSVMC_STATE_DIR", place.cx.path())
            .stderr(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let first = spawn("apply --yes --template team.json");
    let journal = place.cx.path().join(".dsvmc/team/journal.json");
    for _ in 0..12_000 {
        if journal.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let refused = spawn("apply --yes --template team.json");
    let waits = spawn("apply --yes --wait --template team.json");
    let pid = first.id();
    let refused = refused.wait_with_output().unwrap();
    place.admin("DELETE", "");
    assert_eq!(refused.status.code(), Some(3));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("DSVM0807") && told.contains(&format!("process {pid}")), "{told}");
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
    let waited = waits.wait_with_output().unwrap();
    assert_eq!(waited.status.code(), Some(0), "{}", String::from_utf8_lossy(&waited.stderr));
    assert!(place.is_as_wanted());
}

#[test]
fn detached_resources_stay_and_are_forgotten() {
    let place = Place::new();
    place.write(&template("a", true));
    assert_eq!(place.apply().exit, 0);
    place.write(&template("a", false));
    let plan = place.run("plan --detach --template team.json");
    assert!(plan.stdout.contains("1 to detach") && plan.stdout.contains("pip-extra"), "{}", plan.text());
    // Nothing is lost: no consent is asked for beyond the plain one.
    let applied = place.run("apply --yes --detach --template team.json");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    assert!(applied.stdout.contains("1 detached"), "{}", applied.text());
    assert!(place.is_as_wanted());
    let gone = place.run("destroy --yes --allow-delete --template team.json");
    assert_eq!(gone.exit, 0, "{}", gone.text());
    assert_eq!(place.left(), ["pip-extra"]);
}

#[test]
fn what_hangs_is_left_on_request_and_finished_later() {
    let place = Place::new();
    place.admin("POST", r#"["stuck,name=vnet-team"]"#);
    let mut child = place.cx.command("apply --yes --template team.json");
    child
        .env("DSVMC_PARAM_password", SECRET)
        .env("DSVMC_STATE_DIR", place.cx.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let child = child.spawn().unwrap();
    for _ in 0..12_000 {
        if place.left().iter().any(|n| n == "stteam0123456") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let signal = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let stopped = child.wait_with_output().unwrap();
    let told = String::from_utf8(stopped.stderr).unwrap();
    assert_eq!(stopped.status.code(), Some(4), "{told}");
    assert!(told.contains("stopped on request"), "{told}");
    let status = place.run("status --template team.json");
    assert!(status.stdout.contains("did not finish") && status.stdout.contains("deploying"), "{}", status.text());
    place.admin("DELETE", "");
    let second = place.apply();
    assert_eq!(second.exit, 0, "{}", second.text());
    assert!(place.is_as_wanted());
}

#[test]
fn a_folder_with_several_projects_is_not_applied_by_accident() {
    let cx = TestContext::new();
    let project = |name: &str| format!("project {name} {{ location = westeurope }}\n");
    cx.write("one/main.dsvm", &project("one"));
    cx.write("two/main.dsvm", &project("two"));
    for command in ["apply --yes", "destroy --yes", "status", "outputs", "show"] {
        let ran = cx.run(&format!("{command} ."));
        assert_eq!(ran.exit, 3, "{command} {}", ran.text());
        assert!(
            ran.stderr.contains("DSVM0903") && ran.stderr.contains("one") && ran.stderr.contains("two"),
            "{}",
            ran.text()
        );
    }
    // Each by itself keeps its own record.
    for name in ["one", "two"] {
        let ran = cx.run(&format!("apply --yes {name}"));
        assert_eq!(ran.exit, 0, "{}", ran.text());
    }
}

#[test]
fn a_project_whose_sources_are_gone_can_still_be_destroyed() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    std::fs::rename(place.cx.path().join("team.json"), place.cx.path().join("crew.json")).unwrap();
    // Renamed, it is another project with a group of its own; the old one stands where it was.
    let plan = place.run("plan --template crew.json");
    assert!(plan.stdout.contains("7 to create"), "{}", plan.text());
    let none = place.run("destroy --yes --project nobody");
    assert_eq!(none.exit, 0, "{}", none.text());
    assert!(none.stderr.contains("Nothing of `nobody` is deployed to `rg-nobody`"), "{}", none.text());
    let refused = place.run("destroy --yes --project team");
    assert_eq!(refused.exit, 1, "{}", refused.text());
    let gone = place.run("destroy --yes --allow-delete --project team");
    assert_eq!(gone.exit, 0, "{}", gone.text());
    assert_eq!(place.left(), Vec::<String>::new());
}

#[test]
fn what_is_protected_holds_on_another_machine_and_against_destroy() {
    let place = Place::new();
    let mut marked = template("a", true);
    marked["resources"][7]["metadata"] = json!({ "dsvmc": { "preventDestroy": true } });
    place.write(&marked);
    assert_eq!(place.apply().exit, 0);
    // Another machine has no record of its own.
    std::fs::remove_dir_all(place.cx.path().join(".dsvmc/team")).unwrap();
    let held = |ran: Ran| {
        assert_eq!(ran.exit, 1, "{}", ran.text());
        assert!(ran.stderr.contains("DSVM0809") && ran.stderr.contains("pip-extra"), "{}", ran.text());
    };
    held(place.run("destroy --yes --allow-delete --template team.json"));
    held(place.run("destroy --yes --allow-delete --project team"));
    place.write(&template("a", false));
    held(place.run("apply --yes --allow-delete --template team.json"));
    // Taken away in one change, deleted in the next.
    place.write(&template("a", true));
    assert_eq!(place.apply().exit, 0);
    let gone = place.run("destroy --yes --allow-delete --template team.json");
    assert_eq!(gone.exit, 0, "{}", gone.text());
}

#[test]
fn locks_are_honoured_and_named() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    let lock = format!(
        "/subscriptions/{}/resourceGroups/rg-team/providers/Microsoft.KeyVault/vaults/kv-team-0123456/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01",
        arm_local::SUBSCRIPTION
    );
    place.arm("PUT", &lock, r#"{"properties":{"level":"CanNotDelete"}}"#);
    let held = place.run("destroy --yes --allow-delete --template team.json");
    assert_eq!(held.exit, 4, "{}", held.text());
    assert!(held.stderr.contains("kv-team-0123456") && held.stderr.contains("lock"), "{}", held.text());
    assert!(place.left().iter().any(|n| n == "kv-team-0123456"), "{:?}", place.left());
    place.arm("DELETE", &lock, "");
    let gone = place.run("destroy --yes --allow-delete --template team.json");
    assert_eq!(gone.exit, 0, "{}", gone.text());
    assert_eq!(place.left(), Vec::<String>::new());
}

/// A stack that the project had when it was larger.
#[test]
fn stacks_that_hold_nothing_of_the_sources_are_forgotten() {
    let place = Place::new();
    assert_eq!(place.apply().exit, 0);
    let stacks = format!(
        "/subscriptions/{}/resourceGroups/rg-team/providers/Microsoft.Resources/deploymentStacks",
        arm_local::SUBSCRIPTION
    );
    let extra = &template("a", true)["resources"][7];
    let body = json!({ "tags": { "dsvmc-project": "team", "dsvmc-env": "" }, "properties": { "actionOnUnmanage": { "resources": "detach" },
        "denySettings": { "mode": "none" }, "template": { "$schema": template("a", false)["$schema"], "contentVersion": "1.0.0.0", "resources": [extra] } } });
    place.arm("PUT", &format!("{stacks}/dsvmc-team-2?api-version=2025-07-01"), &body.to_string());
    let status = place.run("status --template team.json");
    assert!(
        status.stdout.contains("stack `dsvmc-team-2`") && status.stdout.contains("has no resources of the sources"),
        "{}",
        status.text()
    );
    let plan = place.run("plan --template team.json");
    assert!(plan.stdout.contains("pip-extra") && plan.stdout.contains("1 to delete"), "{}", plan.text());
    let applied = place.run("apply --yes --allow-delete --template team.json");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    assert!(!place.left().iter().any(|n| n == "pip-extra"), "{:?}", place.left());
    let left = place.arm("GET", &format!("{stacks}?api-version=2025-07-01"), "");
    assert_eq!(left["value"].as_array().unwrap().len(), 1);
    assert!(place.is_as_wanted());
}

/// What Azure refuses stands on the line that declares it, with what to do.
#[test]
fn a_refusal_is_on_its_line_with_advice() {
    let place = Place::new();
    let text = place.cx.read("team.json");
    let line = |name: &str| {
        let at = text.lines().position(|l| l.contains(&format!("\"name\": \"{name}\""))).unwrap();
        // The resource begins at the brace before its name.
        text.lines().take(at).enumerate().filter(|(_, l)| l.trim() == "{").map(|(n, _)| n + 1).last().unwrap()
    };
    for (fault, name, code, advice) in [
        ("SkuNotAvailable", "vnet-team", "SkuNotAvailable", "choose another size"),
        ("QuotaExceeded", "nsg-team", "OperationNotAllowed", "quota"),
        ("AllocationFailed", "id-team", "AllocationFailed", "no capacity"),
        (
            "fail,code=StorageAccountAlreadyTaken,message=taken",
            "stteam0123456",
            "StorageAccountAlreadyTaken",
            "choose another name",
        ),
        ("fail,code=RequestDisallowedByPolicy,message=no", "kv-team-0123456", "RequestDisallowedByPolicy", "policy"),
        ("fail,code=ScopeLocked,message=locked", "nsg-team", "ScopeLocked", "az lock list"),
    ] {
        place.admin("POST", &json!([format!("{fault},name={name}")]).to_string());
        let ran = place.run("apply --yes --force --template team.json");
        place.admin("DELETE", "");
        assert_eq!(ran.exit, 4, "{}", ran.text());
        let at = format!("team.json:{}:", line(name));
        for part in [at.as_str(), code, advice, &format!("`{name}`")] {
            assert!(ran.stderr.contains(part), "{part} is missing: {}", ran.text());
        }
    }
}
