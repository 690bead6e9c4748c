//! Pools with `size = first of […]`, and spot pools with regular machines: what is emitted, what `apply` does when the endpoint
//! refuses a size, and what the next plans say, of this computer and of another one.

use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options, SUBSCRIPTION};
use serde_json::{Value, json};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc a@b";
const T4: [&str; 3] = ["Standard_NC8as_T4_v3", "Standard_NC16as_T4_v3", "Standard_NC64as_T4_v3"];

fn pool(name: &str, image: &str, sizes: &[&str], more: &str) -> String {
    let sizes: Vec<String> = sizes.iter().map(|size| format!("sizes.{size}")).collect();
    format!(
        "pool {name}: interactive {{\n  image = images.{image}\n  size = first of [{}]\n  machines = 2\n  \
         admin {{ name = \"ops\", key = \"{KEY}\" }}\n  allow ssh from [203.0.113.0/24]\n  {more}\n}}\n",
        sizes.join(", ")
    )
}

fn project(pools: &[String]) -> String {
    format!("import std.images\nimport std.sizes\nproject falls {{ location = westeurope }}\n{}", pools.concat())
}

fn gpu() -> String {
    project(&[pool("gpu", "ubuntu_hpc", &T4, "")])
}

/// The template of a project.
fn template(source: &str) -> Value {
    let cx = TestContext::new();
    cx.write("main.dsvm", source);
    let ran = cx.run("build main.dsvm -o out");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    serde_json::from_str(&cx.read("out/falls/template.json")).unwrap()
}

fn resource<'t>(template: &'t Value, kind: &str) -> &'t Value {
    let all = template["resources"].as_array().unwrap();
    all.iter().find(|one| one["type"].as_str().unwrap().ends_with(kind)).unwrap_or_else(|| panic!("no {kind}"))
}

struct Place {
    cx: TestContext,
    endpoint: Endpoint,
}

impl Place {
    fn new(source: &str) -> Self {
        let cx = TestContext::new();
        let state = cx.path().join(".dsvmc").join("local");
        std::fs::create_dir_all(&state).unwrap();
        let endpoint = Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap();
        cx.write("main.dsvm", source);
        Self { cx, endpoint }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        arm_local::ask(port, method, path, &body).unwrap()
    }

    fn lack(&self, sizes: &[&str]) {
        self.ask("POST", "/_local/limits", &json!({ "unavailable": { "westeurope": sizes } }));
    }

    fn fault(&self, fault: &str) {
        self.ask("POST", "/_local/faults", &json!([fault]));
    }

    fn run(&self, arguments: &str) -> Ran {
        self.cx.run(&format!("{arguments} main.dsvm"))
    }

    fn fine(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.exit, 0, "{arguments}\n{}", ran.text());
        ran
    }

    fn plan(&self, more: &str) -> (Value, String) {
        let ran = self.run(&format!("plan --format json {more}"));
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}\n{}", ran.text()));
        let notes = plan["warnings"].as_array().unwrap().iter().filter(|one| one["kind"] == "size-choice");
        let texts: Vec<String> = notes.map(|one| one["text"].as_str().unwrap().to_owned()).collect();
        (plan, texts.join("\n"))
    }

    fn read(&self, path: &str, version: &str) -> Value {
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-falls/providers");
        self.ask("GET", &format!("{group}/{path}?api-version={version}"), &Value::Null)
    }

    fn size(&self) -> Value {
        self.read("Microsoft.Compute/virtualMachineScaleSets/vmss-gpu", "2025-04-01")["sku"]["name"].clone()
    }
}

fn is_empty(plan: &Value) -> bool {
    plan["changes"].as_array().unwrap().iter().all(|change| change["action"] == "no-change")
}

#[test]
fn sizes_that_cannot_be_mixed_become_a_parameter_with_the_first_choice_as_default() {
    let template = template(&gpu());
    let parameter = &template["parameters"]["gpuSize"];
    assert_eq!(parameter["defaultValue"], T4[0]);
    assert_eq!(parameter["allowedValues"], json!(T4));
    let set = resource(&template, "virtualMachineScaleSets");
    assert_eq!(set["sku"]["name"], "[parameters('gpuSize')]");
    assert_eq!(set["properties"].get("skuProfile"), None);
}

#[test]
fn sizes_of_one_kind_become_an_instance_mix_by_rank() {
    let team = |more: &str| project(&[pool("team", "ubuntu_2204", &["Standard_D8s_v5", "Standard_E8s_v5"], more)]);
    let mixed = template(&team(""));
    let set = resource(&mixed, "virtualMachineScaleSets");
    assert_eq!(set["sku"], json!({ "name": "Mix", "capacity": 2 }));
    let sizes = json!([{ "name": "Standard_D8s_v5", "rank": 0 }, { "name": "Standard_E8s_v5", "rank": 1 }]);
    assert_eq!(set["properties"]["skuProfile"], json!({ "vmSizes": sizes, "allocationStrategy": "Prioritized" }));
    assert_eq!(mixed.get("parameters"), None);
    // What Azure does not mix is tried in order.
    for (source, why) in [
        (team("orchestration = uniform"), "uniform"),
        (
            project(&[pool("team", "ubuntu_2204", &["Standard_D8ds_v5", "Standard_E8ds_v5"], "os_disk = ephemeral")]),
            "ephemeral disk",
        ),
        (project(&[pool("team", "ubuntu_2204", &["Standard_D8s_v5", "Standard_D8ds_v5"], "")]), "local disks differ"),
    ] {
        let template = template(&source);
        let set = resource(&template, "virtualMachineScaleSets");
        assert_eq!(set["sku"]["name"], "[parameters('teamSize')]", "{why}");
    }
}

#[test]
fn a_spot_pool_keeps_regular_machines() {
    let spot = "priority = spot\n  spot { base = 1, regular_above = 50%, restore = 1 h }";
    let source =
        project(&[pool("team", "ubuntu_2204", &["Standard_D8s_v5"], spot)]).replace("machines = 2", "machines = 6");
    let template = template(&source);
    let set = resource(&template, "virtualMachineScaleSets");
    let policy = json!({ "baseRegularPriorityCount": 1, "regularPriorityPercentageAboveBase": 50 });
    assert_eq!(set["properties"]["priorityMixPolicy"], policy);
    assert_eq!(set["properties"]["virtualMachineProfile"]["priority"], "Spot");
    let place = Place::new(&source);
    place.fine("apply --yes");
    let machines = place.read("Microsoft.Compute/virtualMachines", "2025-04-01");
    let regular = |vm: &&Value| vm["properties"]["priority"] == "Regular";
    let all = machines["value"].as_array().unwrap();
    // 1, and half of the other 5, of which the odd one is a spot machine.
    assert_eq!((all.len(), all.iter().filter(regular).count()), (6, 3));
    assert!(is_empty(&place.plan("").0));
    let ran = place.fine("quota --format json");
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    let demand = |name: &str| {
        data["lines"].as_array().unwrap().iter().find(|line| line["quota"] == name).map(|line| line["demand"].clone())
    };
    assert_eq!(demand("cores"), Some(json!(24)));
    assert_eq!(demand("lowPriorityCores"), Some(json!(24)));
}

#[test]
fn apply_moves_on_when_a_size_is_refused_and_everybody_is_told() {
    let place = Place::new(&gpu());
    place.lack(&[T4[0]]);
    let (_, note) = place.plan("");
    assert!(
        note.contains("if Azure refuses it, `apply` tries Standard_NC16as_T4_v3, then Standard_NC64as_T4_v3"),
        "{note}"
    );
    let ran = place.fine("apply --yes");
    assert!(ran.text().contains("Trying Standard_NC16as_T4_v3 for pool `gpu`"), "{}", ran.text());
    assert_eq!(place.size(), T4[1]);
    let (plan, note) = place.plan("");
    assert!(is_empty(&plan), "{plan:#}");
    assert!(note.starts_with("size Standard_NC16as_T4_v3 (second choice since 20"), "{note}");
    assert!(note.contains("Standard_NC8as_T4_v3 was refused: SkuNotAvailable"), "{note}");
    assert!(note.contains("--first-choice"), "{note}");
    // Another computer knows nothing but what Azure tells.
    std::fs::remove_dir_all(place.cx.path().join(".dsvmc").join("falls")).ok();
    assert_eq!(place.plan("").1, note);
    // The record outlives the next change.
    place.cx.write("main.dsvm", &gpu().replace("machines = 2", "machines = 3"));
    place.fine("apply --yes");
    assert_eq!((place.size(), place.plan("").1), (json!(T4[1]), note));
}

#[test]
fn one_goes_back_when_asked_to_and_stays_when_that_is_refused() {
    let place = Place::new(&gpu());
    place.lack(&[T4[0]]);
    place.fine("apply --yes");
    // Still not there: the second choice stays.
    let (plan, _) = place.plan("--first-choice");
    assert!(!is_empty(&plan));
    place.fine("apply --yes --first-choice");
    assert_eq!(place.size(), T4[1]);
    assert!(is_empty(&place.plan("").0));
    place.lack(&[]);
    assert!(is_empty(&place.plan("").0), "no plan goes back by itself");
    place.fine("apply --yes --first-choice");
    assert_eq!(place.size(), T4[0]);
    let (plan, note) = place.plan("");
    assert!(is_empty(&plan) && note.is_empty(), "{note}");
}

#[test]
fn a_saved_plan_may_move_on_too() {
    let place = Place::new(&gpu());
    place.fine("plan -o team.plan");
    place.lack(&[T4[0], T4[1]]);
    let ran = place.cx.run("apply team.plan");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    assert_eq!(place.size(), T4[2]);
    let (_, note) = place.plan("");
    assert!(note.contains("third choice"), "{note}");
    assert!(note.contains("Standard_NC16as_T4_v3 was refused"), "{note}");
}

#[test]
fn capacity_and_quota_are_reasons_to_move_on_and_other_refusals_are_not() {
    const SETS: &str = "type=Microsoft.Compute/virtualMachineScaleSets";
    for (fault, size) in [
        (format!("AllocationFailed,{SETS}"), Some(T4[1])),
        (format!("fail,{SETS},code=ZonalAllocationFailed"), Some(T4[1])),
        (format!("fail,{SETS},code=OverconstrainedAllocationRequest"), Some(T4[1])),
        (format!("QuotaExceeded,{SETS}"), Some(T4[1])),
        (format!("QuotaExceeded,{SETS},times=2"), Some(T4[2])),
        (format!("conflict,{SETS}"), None),
        (format!("fail,{SETS},code=OperationNotAllowed,message=no"), None),
        (format!("SkuNotAvailable,{SETS},times=always"), None),
    ] {
        let place = Place::new(&gpu());
        place.fault(&fault);
        let ran = place.run("apply --yes");
        match size {
            Some(size) => {
                assert_eq!(ran.exit, 0, "{fault}\n{}", ran.text());
                assert_eq!(place.size(), size, "{fault}");
            }
            None => assert_eq!(ran.exit, 4, "{fault}\n{}", ran.text()),
        }
    }
}

#[test]
fn machines_that_run_are_not_resized_without_being_asked() {
    let place = Place::new(&gpu());
    place.fine("apply --yes");
    place.lack(&[T4[0]]);
    place.cx.write("main.dsvm", &gpu().replace("machines = 2", "machines = 3"));
    let ran = place.run("apply --yes");
    assert_eq!(ran.exit, 4, "{}", ran.text());
    assert_eq!(place.size(), T4[0]);
    // Whoever wants the other size says so, and sees what it does.
    let set = format!("--set gpuSize={}", T4[1]);
    let (plan, note) = place.plan(&set);
    assert!(!is_empty(&plan));
    assert!(note.contains("its parameter was given"), "{note}");
    place.fine(&format!("apply --yes {set}"));
    assert_eq!(place.size(), T4[1]);
    assert!(is_empty(&place.plan("").0), "the size stays");
    let ran = place.run("plan --set gpuSize=Standard_D8s_v5");
    assert_eq!(ran.exit, 1, "{}", ran.text());
}

#[test]
fn an_instance_mix_takes_the_first_size_that_there_is() {
    let sizes = ["Standard_D8s_v5", "Standard_E8s_v5"];
    let place = Place::new(&project(&[pool("team", "ubuntu_2204", &sizes, "")]));
    place.lack(&[sizes[0]]);
    place.fine("apply --yes");
    let machines = place.read("Microsoft.Compute/virtualMachines", "2025-04-01");
    let size = |vm: &Value| vm["properties"]["hardwareProfile"]["vmSize"].as_str().unwrap().to_owned();
    let all: Vec<String> = machines["value"].as_array().unwrap().iter().map(size).collect();
    assert_eq!(all, [sizes[1], sizes[1]]);
    let (plan, note) = place.plan("");
    assert!(is_empty(&plan) && note.is_empty(), "{plan:#}");
    place.cx.write(
        "main.dsvm",
        &project(&[pool("team", "ubuntu_2204", &sizes, "")]).replace("machines = 2", "machines = 3"),
    );
    place.fine("apply --yes");
    assert!(is_empty(&place.plan("").0));
}

fn batch(service: &str) -> String {
    format!(
        "import std.images\nimport std.sizes\nproject falls {{ location = westeurope }}\n\
         pool night: batch {{\n  service = {service}\n  {}size = first of [sizes.{}, sizes.{}]\n  machines = 0..2\n}}\n",
        if service == "azure_batch" { "image = images.ubuntu_hpc\n  " } else { "" },
        T4[0],
        T4[1]
    )
}

#[test]
fn pools_that_run_jobs_move_on_when_the_service_refuses_their_size() {
    for (service, kind, size) in [
        ("azure_batch", "Microsoft.Batch/batchAccounts/pools", "/properties/vmSize"),
        ("azure_ml", "Microsoft.MachineLearningServices/workspaces/computes", "/properties/properties/vmSize"),
    ] {
        let place = Place::new(&batch(service));
        place.fault(&format!("SkuNotAvailable,type={kind}"));
        place.fine("apply --yes");
        let (plan, note) = place.plan("");
        assert!(is_empty(&plan), "{service}: {plan:#}");
        assert!(note.starts_with("size Standard_NC16as_T4_v3 (second choice since"), "{service}: {note}");
        let shown: Value = serde_json::from_str(&place.fine("show --json").stdout).unwrap();
        let all = shown["resources"].as_array().unwrap();
        let pool = all.iter().find(|one| one["type"].as_str().unwrap().eq_ignore_ascii_case(kind)).unwrap();
        let found = pool.pointer(size).and_then(Value::as_str).unwrap();
        assert!(found.eq_ignore_ascii_case(T4[1]), "{service}: {found}");
    }
}

#[test]
fn quota_and_cost_count_each_alternative() {
    let cx = TestContext::new();
    cx.write("main.dsvm", &project(&[pool("team", "ubuntu_2204", &["Standard_D4s_v5", "Standard_E8s_v5"], "")]));
    let data: Value = serde_json::from_str(&cx.run("quota main.dsvm --format json").stdout).unwrap();
    let demand = |name: &str| {
        data["lines"].as_array().unwrap().iter().find(|line| line["quota"] == name).map(|line| line["demand"].clone())
    };
    // The family of each, and of the region the largest.
    assert_eq!(demand("standardDSv5Family"), Some(json!(8)));
    assert_eq!(demand("standardESv5Family"), Some(json!(16)));
    assert_eq!(demand("cores"), Some(json!(16)));
    let one = |size: &str| {
        cx.write("one.dsvm", &project(&[pool("team", "ubuntu_2204", &[size], "")]));
        machines(&cx.run("cost one.dsvm --format json").stdout)
    };
    let (first, second) = (one("Standard_D4s_v5"), one("Standard_E8s_v5"));
    let both = machines(&cx.run("cost main.dsvm --format json").stdout);
    assert_eq!(both, [first[0].clone(), first[1].clone(), second[2].clone()]);
}

/// Floor, expected and ceiling of the machines of the only pool.
fn machines(text: &str) -> [Value; 3] {
    fn find(value: &Value) -> Option<&Value> {
        match value {
            Value::Object(map) if map.get("what").is_some_and(|what| what == "machines") => Some(value),
            Value::Object(map) => map.values().find_map(find),
            Value::Array(list) => list.iter().find_map(find),
            _ => None,
        }
    }
    let data: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let item = find(&data).unwrap_or_else(|| panic!("no machines in {data:#}"));
    ["floor", "expected", "ceiling"].map(|case| {
        let amount = item["cases"][case]["amount"].clone();
        assert!(amount.is_string(), "{item:#}");
        amount
    })
}
