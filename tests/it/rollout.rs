//! A changed pool reaches its machines: three of them, on the endpoint, and what each carries after each step.

use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options, SUBSCRIPTION};
use serde_json::{Value, json};

const FAILED: &str = "dsvmc: accounts\ndsvmc: mounts\ndsvmc: failed at mounts: share `data` is not there";

struct World {
    cx: TestContext,
    endpoint: Endpoint,
}

/// One machine: the tag of the setup that it last ran, how often extensions ran, how many OS disks it had, its error.
#[derive(Debug, PartialEq, Eq)]
struct Carried {
    tag: String,
    disks: u64,
    error: bool,
}

impl World {
    fn new() -> Self {
        let cx = TestContext::new();
        let state = cx.path().join(".dsvmc").join("local");
        std::fs::create_dir_all(&state).unwrap();
        let endpoint = Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap();
        let world = Self { cx, endpoint };
        world.ask("POST", "/_local/clock", &json!({ "now": "2026-11-23T08:00:00Z", "freeze": true }));
        world
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        arm_local::ask(port, method, path, &body).unwrap()
    }

    fn run(&self, arguments: &str) -> Ran {
        self.cx.run(&format!("{arguments} --target local"))
    }

    fn apply(&self, options: &str) -> Ran {
        self.run(&format!("apply --yes --template main.json --resource-group rg {options}"))
    }

    fn fine(&self, options: &str) -> Ran {
        let ran = self.apply(options);
        assert_eq!(ran.exit, 0, "{options}\n{}", ran.text());
        ran
    }

    fn stops(&self, options: &str) -> Ran {
        let ran = self.apply(options);
        assert_eq!(ran.exit, 4, "{options}\n{}", ran.text());
        ran
    }

    fn set(&self) -> String {
        format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/lab"
        )
    }

    fn say(&self, what: Value) {
        let mut body = json!({ "set": self.set() });
        body.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        self.ask("POST", "/_local/machines", &body);
    }

    fn carried(&self) -> Vec<Carried> {
        let all = self.ask("GET", "/_local/machines", &Value::Null);
        let list = all["machines"][self.set()].as_array().unwrap_or_else(|| panic!("{all:#}")).clone();
        let one = |machine: &Value| {
            let setup = &machine["extensions"]["setup"];
            Carried {
                tag: setup["forceUpdateTag"].as_str().unwrap_or_default().to_owned(),
                disks: machine["osDisks"].as_u64().unwrap(),
                error: setup["error"].is_string(),
            }
        };
        list.iter().map(one).collect()
    }

    fn tags(&self) -> Vec<String> {
        self.carried().into_iter().map(|one| one.tag).collect()
    }

    /// Writes the template with a setup of this version.
    fn write(&self, version: &str, mode: &str, orchestration: &str) {
        let extensions = json!([
            { "name": "health", "properties": { "publisher": "Microsoft.ManagedServices", "type": "ApplicationHealthLinux",
                "typeHandlerVersion": "2.0", "autoUpgradeMinorVersion": true,
                "settings": { "protocol": "http", "port": 790, "requestPath": "/health" } } },
            { "name": "setup", "properties": { "publisher": "Microsoft.Azure.Extensions", "type": "CustomScript",
                "typeHandlerVersion": "2.1", "autoUpgradeMinorVersion": true, "forceUpdateTag": version,
                "protectedSettings": { "script": version } } }
        ]);
        let mut properties = json!({
            "orchestrationMode": orchestration, "platformFaultDomainCount": 1,
            "upgradePolicy": { "mode": mode, "rollingUpgradePolicy": { "maxBatchInstancePercent": 20, "maxUnhealthyInstancePercent": 20,
                "maxUnhealthyUpgradedInstancePercent": 20, "pauseTimeBetweenBatches": "PT5M", "prioritizeUnhealthyInstances": true } },
            "virtualMachineProfile": {
                "osProfile": { "computerNamePrefix": "lab", "adminUsername": "ops", "linuxConfiguration": { "disablePasswordAuthentication": true,
                    "ssh": { "publicKeys": [{ "path": "/home/ops/.ssh/authorized_keys",
                        "keyData": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b" }] } } },
                "storageProfile": { "osDisk": { "createOption": "FromImage", "managedDisk": { "storageAccountType": "Premium_LRS" } },
                    "imageReference": { "publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2", "version": "latest" } },
                "networkProfile": { "networkInterfaceConfigurations": [{ "name": "nic", "properties": { "primary": true, "ipConfigurations": [
                    { "name": "ip", "properties": { "primary": true, "subnet": { "id":
                        "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'machines')]" } } }] } }] },
                "extensionProfile": { "extensions": extensions } } });
        if orchestration == "Flexible" {
            properties["virtualMachineProfile"]["networkProfile"]["networkApiVersion"] = json!("2022-11-01");
        }
        let template = json!({
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
            "resources": [
                { "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-05-01", "name": "net", "location": "westeurope",
                    "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
                        "subnets": [{ "name": "machines", "properties": { "addressPrefix": "10.0.0.0/24" } }] } },
                { "type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "2024-11-01", "name": "lab", "location": "westeurope",
                    "sku": { "name": "Standard_D2s_v5", "tier": "Standard", "capacity": 3 }, "properties": properties,
                    "dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks', 'net')]"] }
            ]
        });
        self.cx.write("main.json", &format!("{template:#}"));
    }

    fn status(&self) -> String {
        let ran = self.run("status --template main.json --resource-group rg");
        assert_eq!(ran.exit, 0, "{}", ran.text());
        ran.stdout
    }
}

fn has(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is missing in\n{text}");
}

/// A pool under a rolling upgrade policy, from its first deployment over a broken setup to a reimaged machine.
#[test]
fn a_rolling_pool_gets_each_change_and_stops_at_a_broken_one() {
    let world = World::new();
    world.write("v1", "Rolling", "Uniform");
    let first = world.fine("");
    assert!(!first.stdout.contains("latest model"), "{}", first.text());

    // A change reaches all machines in batches, in place.
    world.say(json!({ "extension": "setup", "says": "[stdout]\ndsvmc: accounts\ndsvmc: ready 00000000000000v2\n" }));
    world.write("v2", "Rolling", "Uniform");
    let ran = world.fine("");
    has(&ran.stdout, "`lab`: 3 machines carry the latest model.");
    has(&ran.stderr, "2 of 3 machines upgraded");
    assert_eq!(world.tags(), ["v2", "v2", "v2"]);
    assert!(world.carried().iter().all(|one| one.disks == 1 && !one.error));
    let status = world.status();
    has(&status, "pool `lab`: 3 machines\n    `0`: running, healthy, latest model, version 00000000000000v2\n");

    // A broken setup stops at the first machine. The others keep what they have.
    world.say(json!({ "extension": "setup", "fails": FAILED }));
    world.write("v3", "Rolling", "Uniform");
    let ran = world.stops("");
    has(&ran.stderr, "Machine `0` of `lab`: its setup failed at mounts.");
    has(&ran.stderr, "share `data` is not there");
    assert_eq!(world.tags(), ["v3", "v2", "v2"]);
    has(&world.status(), "`0`: running, healthy, latest model, its setup failed at mounts");

    // Repaired: the machine that failed is taken first, although more than 20 % are unhealthy.
    world.say(json!({ "extension": "setup", "fails": null }));
    world.write("v4", "Rolling", "Uniform");
    let ran = world.fine("");
    has(&ran.stderr, "are upgraded first");
    assert_eq!(world.tags(), ["v4", "v4", "v4"]);
    assert!(world.carried().iter().all(|one| one.disks == 1 && !one.error));

    // It stops at a later machine, which then recovers: the same sources continue.
    world.say(json!({ "machines": ["1"], "health": "Unhealthy", "when": "upgraded" }));
    world.write("v5", "Rolling", "Uniform");
    let ran = world.stops("");
    has(&ran.stderr, "error[DSVM0813]: the rollout of `lab` stopped: machine `1`: it reports that it is unhealthy");
    has(&ran.stderr, "MaxUnhealthyUpgradedInstancePercentExceeded");
    has(&ran.stderr, "2 of 3 machines carry the latest model");
    assert_eq!(world.tags(), ["v5", "v5", "v4"]);
    let plan = world.run("plan --template main.json --resource-group rg");
    has(&plan.stdout, "1 of 3 machines does not carry the latest model: `apply` continues the rollout");
    world.say(json!({ "machines": ["1"], "health": "Healthy", "when": "upgraded" }));
    world.say(json!({ "machines": ["1"], "health": "Healthy" }));
    let ran = world.fine("");
    has(&ran.stdout, "`lab`: 3 machines carry the latest model.");
    assert_eq!(world.tags(), ["v5", "v5", "v5"]);

    // The last machine fails: no upgrade runs its setup again, a reimage does.
    world.say(json!({ "machines": ["2"], "extension": "setup", "fails": FAILED }));
    world.write("v6", "Rolling", "Uniform");
    let ran = world.stops("");
    has(&ran.stderr, "last output of machine `2`:");
    world.say(json!({ "machines": ["2"], "extension": "setup", "fails": null }));
    let ran = world.stops("");
    has(&ran.stderr, "machine `2` has the latest model, and its setup failed at mounts");
    has(&ran.stderr, "--reimage-failed");
    world.fine("--reimage-failed");
    let disks: Vec<(u64, bool)> = world.carried().iter().map(|one| (one.disks, one.error)).collect();
    assert_eq!(disks, [(1, false), (1, false), (2, false)]);
    assert_eq!(world.tags(), ["v6", "v6", "v6"]);
}

/// Upgraded by hand: nothing until somebody asks, then one after the other. In both orchestration modes.
#[test]
fn a_manual_pool_is_upgraded_when_asked_for() {
    for orchestration in ["Uniform", "Flexible"] {
        let world = World::new();
        world.write("v1", "Manual", orchestration);
        world.fine("");
        world.write("v2", "Manual", orchestration);
        let ran = world.fine("");
        has(&ran.stdout, "3 of 3 machines do not carry the latest model; `dsvmc apply --rollout` upgrades them");
        assert_eq!(world.tags(), ["v1", "v1", "v1"]);
        has(&world.status(), "pool `lab`: 3 machines, 3 without the latest model");
        let ran = world.fine("--rollout");
        has(&ran.stderr, "Upgrading 3 machines of `lab`, one at a time");
        has(&ran.stderr, "(3 of 3)");
        assert_eq!(world.tags(), ["v2", "v2", "v2"]);
        let shown: Value = serde_json::from_str(&world.fine("--rollout --format json").stdout).unwrap();
        assert_eq!(shown["rollout"]["stopped"], Value::Null, "{shown:#}");
    }
}

#[test]
fn a_rollout_that_is_not_wanted_is_left_and_told() {
    let world = World::new();
    world.write("v1", "Rolling", "Uniform");
    world.fine("");
    world.write("v2", "Rolling", "Uniform");
    let ran = world.fine("--no-rollout");
    has(&ran.stdout, "2 of 3 machines of `lab` do not carry the latest model, and the rollout is not followed");
    assert_eq!(world.tags(), ["v2", "v1", "v1"]);
    let ran = world.fine("");
    has(&ran.stdout, "Nothing to do");
    has(&ran.stdout, "`lab`: 3 machines carry the latest model.");
    assert_eq!(world.tags(), ["v2", "v2", "v2"]);
}
