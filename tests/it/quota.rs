//! `dsvmc quota`: demands of trees of projects, and limits that they break.

use crate::support::{Ran, TestContext};
use serde_json::{Value, json};

fn pool(name: &str, size: &str, machines: &str, more: &str) -> String {
    format!(
        "pool {name}: interactive {{\n  image = images.ubuntu_2204\n  size = sizes.{size}\n  machines = {machines}\n  \
         admin {{ name = \"dsvmuser\", key = key }}\n  allow ssh from [203.0.113.0/24]\n  {more}\n}}\n"
    )
}

fn autoscale() -> &'static str {
    "autoscale { timezone = \"W. Europe Standard Time\"\n    when avg(cpu, 10 min) > 70% { add 1, cooldown 10 min }\n    \
     when avg(cpu, 10 min) < 25% { remove 1, cooldown 10 min } }"
}

fn project(name: &str, params: &str, pools: &[String]) -> String {
    format!(
        "import std.images\nimport std.sizes\nproject {name} {{ location = westus }}\nparam key: ssh_key\n{params}\n{}",
        pools.concat()
    )
}

/// `lab` has at most 9 machines of 4 cores and 5 spot machines of 4, `more` 20 of 4.
fn tree() -> TestContext {
    let cx = TestContext::new();
    let params = "param most: int in 1..50\nenv dev { most = 2 }\nenv prod { most = 9 }";
    let pools = [
        pool("team", "Standard_D4s_v3", "1..most initially 1", autoscale()),
        pool("cheap", "Standard_D4s_v3", "5", "priority = spot"),
    ];
    cx.write("lab/main.dsvm", &project("lab", params, &pools));
    cx.write("more/main.dsvm", &project("more", "", &[pool("crowd", "Standard_D4s_v3", "20", "")]));
    cx
}

fn run(cx: &TestContext, more: &[&str]) -> Ran {
    cx.ran(cx.command("quota lab more --format json").args(more))
}

fn line(ran: &Ran, quota: &str) -> Value {
    let data: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
    data["lines"].as_array().unwrap().iter().find(|line| line["quota"] == quota).cloned().unwrap_or(Value::Null)
}

/// Parts of a recorded answer (<https://github.com/Azure/azure-cli>, `test_vm_usage.yaml` at 00177d99, 2023-05-25, MIT).
fn recorded() -> Value {
    let usage = |limit: u32, used: u32, name: &str| json!({ "limit": limit, "unit": "Count", "currentValue": used, "name": { "value": name, "localizedValue": name } });
    json!({ "value": [
        usage(100, 9, "cores"), usage(25000, 6, "virtualMachines"), usage(2500, 0, "virtualMachineScaleSets"),
        usage(100, 0, "lowPriorityCores"), usage(100, 4, "standardDSv3Family"), usage(50000, 29, "PremiumDiskCount"),
    ] })
}

#[test]
fn projects_add_up_with_the_largest_env_of_each() {
    let cx = tree();
    let ran = run(&cx, &[]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    // (9 + 20) machines of 4 cores; 5 spot machines of 4 cores; 34 machines in 3 scale sets
    let cores = line(&ran, "cores");
    assert_eq!(cores["demand"], 116);
    assert_eq!(cores["from"][0], json!({ "project": "lab", "env": "prod", "demand": 36, "deployed": 0 }));
    assert_eq!(line(&ran, "standardDSv3Family")["demand"], 116);
    assert_eq!(line(&ran, "lowPriorityCores")["demand"], 20);
    assert_eq!(line(&ran, "virtualMachines")["demand"], 34);
    assert_eq!(line(&ran, "virtualMachineScaleSets")["demand"], 3);
    assert!(cores["verdict"].is_null());
    // (2 + 20) machines
    let dev = run(&cx, &["--env", "dev"]);
    assert_eq!(line(&dev, "cores")["demand"], 88);
    let ran = run(&cx, &["--env", "none"]);
    assert!(ran.exit == 1 && ran.stderr.contains("no project here has an env `none`"), "{}", ran.stderr);
}

#[test]
fn recorded_limits_break_where_they_should() {
    let cx = tree();
    cx.write("compute.json", &recorded().to_string());
    let ran = run(&cx, &["--usages", "compute.json"]);
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    // 9 used + 116 of 100; 4 used + 116 of 100
    let cores = line(&ran, "cores");
    assert_eq!((&cores["verdict"], &cores["by"], &cores["ask"]), (&json!("breaks"), &json!(25), &json!(125)));
    let family = line(&ran, "standardDSv3Family");
    assert_eq!((&family["by"], &family["ask"]), (&json!(20), &json!(120)));
    assert!(
        family["how"].as_str().unwrap().contains("--resource-name \"standardDSv3Family\" --limit-object value=120")
    );
    assert_eq!(line(&ran, "lowPriorityCores")["verdict"], "fits");
    assert_eq!(line(&ran, "VirtualNetworks")["verdict"], "unknown");
    // 9 used + 88 of 100
    assert_eq!(run(&cx, &["--env", "dev", "--usages", "westus=compute.json"]).exit, 0);
    let text = cx.ran(&mut cx.command("quota lab more --usages compute.json")).stdout;
    assert!(text.contains("breaks by 25: ask for 125") && text.contains("36 of lab, env prod"), "{text}");
}

/// Names and numbers as they were recorded (<https://github.com/Azure/azure-cli>, `test_vm_usage.yaml` at 00177d99, 2023-05-25, MIT;
/// 16 of its about 150 entries): limit, used, name.
const RECORDED: &[(u32, u32, &str)] = &[
    (2500, 0, "availabilitySets"),
    (100, 9, "cores"),
    (25000, 6, "virtualMachines"),
    (2500, 0, "virtualMachineScaleSets"),
    (3000, 0, "dedicatedVCpus"),
    (2500, 0, "cloudServices"),
    (100, 0, "lowPriorityCores"),
    (100, 5, "standardDSv2Family"),
    (100, 4, "standardDSv3Family"),
    (24, 0, "standardNVFamily"),
    (0, 0, "standard NDAMSv4_A100Family"),
    (0, 0, "StandardNVADSA10v5Family"),
    (0, 0, "StandardNCADSA100v4Family"),
    (0, 0, "standardHBv4Family"),
    (50000, 29, "PremiumDiskCount"),
    (50000, 0, "StandardSSDDiskCount"),
];

#[test]
fn families_of_the_library_are_found_under_the_recorded_names() {
    let cx = TestContext::new();
    let entry = |(limit, used, name): &(u32, u32, &str)| json!({ "limit": limit, "unit": "Count", "currentValue": used, "name": { "value": name } });
    let list: Vec<Value> = RECORDED.iter().map(entry).collect();
    cx.write("compute.json", &json!({ "value": list }).to_string());
    // size, its machines, cores of one as the size pages say
    let sizes = [
        ("Standard_D4s_v3", 2, 4, "standardDSv3Family", "fits"),
        ("Standard_NC24ads_A100_v4", 1, 24, "StandardNCADSA100v4Family", "breaks"),
        ("Standard_HB176rs_v4", 1, 176, "standardHBv4Family", "breaks"),
    ];
    for (size, machines, cores, family, verdict) in sizes {
        let nodes = format!(
            "pool nodes: batch {{ service = azure_batch, account = own, size = sizes.{size}, machines = {machines}\n  image = images.ubuntu_2204 }}\n"
        );
        let account = "vault keys { }\nbatch_account own { allocation = user_subscription, vault = keys }\n";
        cx.write("lab/main.dsvm", &project("lab", account, &[nodes]));
        let ran = cx.ran(&mut cx.command("quota lab --format json --usages compute.json"));
        let data: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{size} {}{}", ran.stdout, ran.stderr));
        let mut lines = data["lines"].as_array().unwrap().iter();
        let found =
            lines.find(|line| dsvm_quota::folded(line["quota"].as_str().unwrap()) == dsvm_quota::folded(family));
        let found = found.unwrap_or_else(|| panic!("{size} {family} {data:#}"));
        assert_eq!(
            (&found["demand"], &found["verdict"]),
            (&json!(machines * cores), &json!(verdict)),
            "{size} {found}"
        );
        let used = RECORDED.iter().find(|entry| entry.2 == family).map(|entry| entry.1);
        assert_eq!(found["used"], json!(used), "{size}");
    }
}

#[test]
fn files_that_are_no_limits_are_refused() {
    let cx = tree();
    cx.write("other.json", "{\"error\": 1}");
    cx.write("broken.json", "{");
    for (file, says) in [("other.json", "no list of usages"), ("broken.json", "EOF"), ("none.json", "cannot be read")] {
        let ran = run(&cx, &["--usages", file]);
        assert!(ran.exit == 1 && ran.stderr.contains(says), "{}", ran.stderr);
    }
}

#[test]
fn what_only_the_deployment_knows_is_told() {
    let cx = TestContext::new();
    let pools = [pool("team", "Standard_D4s_v3", "most", ""), pool("known", "Standard_D4s_v3", "2", "")];
    cx.write("lab/main.dsvm", &project("lab", "param most: int in 1..50", &pools));
    let ran = cx.ran(&mut cx.command("quota lab --format json"));
    let cores = line(&ran, "cores");
    assert_eq!((&cores["demand"], &cores["unknown"]), (&json!(8), &json!(["pool `team` of lab"])));
    let text = cx.ran(&mut cx.command("quota lab")).stdout;
    assert!(text.contains("≥ 8") && text.contains("not known before the deployment: pool `team` of lab"), "{text}");
    cx.write("compute.json", &recorded().to_string());
    let ran = cx.ran(&mut cx.command("quota lab --format json --usages compute.json"));
    assert_eq!((ran.exit, line(&ran, "cores")["verdict"].clone()), (0, json!("unknown")));
}

#[test]
fn one_pool_more_lowers_nothing() {
    let cx = TestContext::new();
    let kinds = [
        pool("a", "Standard_D4s_v3", "3", ""),
        pool("b", "Standard_D8s_v5", "1..7 initially 2", autoscale()),
        pool("c", "Standard_NC4as_T4_v3", "2", "priority = spot"),
        "pool nodes: batch {\n  service = azure_ml\n  size = sizes.Standard_D4s_v5\n  machines = 0..6\n}\n".to_owned(),
    ];
    let mut before: Vec<Value> = Vec::new();
    for number in 1..=kinds.len() {
        cx.write("lab/main.dsvm", &project("lab", "", &kinds[..number]));
        let ran = cx.ran(&mut cx.command("quota lab --format json"));
        let data: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
        for old in &before {
            let new = line(&ran, old["quota"].as_str().unwrap());
            assert!(new["demand"].as_u64() >= old["demand"].as_u64(), "{old} {new}");
        }
        before = data["lines"].as_array().unwrap().clone();
    }
    let ran = cx.ran(&mut cx.command("quota lab --format json"));
    // 6 nodes of 4 cores, apart from the region's
    assert_eq!(line(&ran, "Total Cluster Dedicated Regional vCPUs")["demand"], 24);
    assert_eq!(line(&ran, "cores")["demand"], 3 * 4 + 7 * 8);
}

#[test]
fn the_local_endpoint_is_asked() {
    let cx = tree();
    let ran = run(&cx, &["--target", "local"]);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    for quota in ["cores", "lowPriorityCores", "standardDSv3Family", "VirtualNetworks", "StandardSkuLoadBalancers"] {
        assert_eq!(line(&ran, quota)["verdict"], "fits", "{quota} {}", ran.stdout);
    }
}

const BATCH: &str = r#"
import std.images
import std.sizes
project lab { location = westus }
param n: int in 1..5
vault keys { }
batch_account own { name = "acct1" }
batch_account subs { name = "acct2", allocation = user_subscription, vault = keys }
network lan { }
pool render: batch { service = azure_batch, account = own, image = images.ubuntu_2204, size = sizes.Standard_D4s_v5
  machines = 0..6, spot_machines = 0..3 }
pool cheap: batch { service = azure_batch, account = own, image = images.ubuntu_2204, size = sizes.Standard_D4s_v5
  machines = 0..5, priority = spot }
pool mine: batch { service = azure_batch, account = subs, image = images.ubuntu_2204, size = sizes.Standard_D8s_v5
  machines = 60, network = lan }
pool late: batch { service = azure_batch, account = own, image = images.ubuntu_2204, size = sizes.Standard_D4s_v5
  machines = n }
"#;

#[test]
fn batch_accounts_have_limits_of_their_own() {
    let cx = TestContext::new();
    cx.write("lab/main.dsvm", BATCH);
    let quotas = json!({ "name": "acct1", "type": "Microsoft.Batch/batchAccounts", "properties": {
        "dedicatedCoreQuota": 500, "lowPriorityCoreQuota": 31, "poolQuota": 100,
        "dedicatedCoreQuotaPerVMFamily": [{ "name": "StandardDSv5 family", "coreQuota": 20 }],
        "dedicatedCoreQuotaPerVMFamilyEnforced": true } });
    cx.write("account.json", &quotas.to_string());
    let ran = cx.ran(&mut cx.command("quota lab --format json --usages account.json"));
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    let lines: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |scope: &str, quota: &str| {
        let mut all = lines["lines"].as_array().unwrap().iter();
        all.find(|line| line["scope"] == scope && line["quota"] == quota).cloned().unwrap_or(Value::Null)
    };
    // 6 machines of 4 cores, and those of `late`; 3 + 5 spot machines of 4 cores
    let dedicated = of("batchAccount", "dedicatedCoreQuota");
    assert_eq!((&dedicated["demand"], &dedicated["verdict"]), (&json!(24), &json!("unknown")));
    let low = of("batchAccount", "lowPriorityCoreQuota");
    assert_eq!((&low["demand"], &low["by"], &low["used"]), (&json!(32), &json!(1), &Value::Null));
    assert_eq!(of("batchAccount", "standardDSv5Family")["by"], 4);
    assert_eq!(of("batchAccount", "poolQuota")["demand"], 3);
    // 60 machines of 8 cores in the subscription; 50 nodes and 10 in a network; the address of its gateway
    assert_eq!(of("region", "cores")["demand"], 480);
    assert_eq!(of("region", "virtualMachines")["demand"], 60);
    assert_eq!(of("region", "NetworkSecurityGroups")["demand"], 2);
    assert_eq!(of("region", "StandardSkuPublicIpAddresses")["demand"], 3);
}

/// A running endpoint, and a project on it whose pool can grow to `most` machines of 4 cores.
struct Running {
    cx: TestContext,
    endpoint: arm_local::Endpoint,
}

impl Running {
    fn new(most: &str) -> Self {
        let cx = TestContext::new();
        let state = cx.path().join("lab/.dsvmc/local");
        let running = Self {
            endpoint: arm_local::Endpoint::start(arm_local::Options {
                state: Some(state),
                ..arm_local::Options::default()
            })
            .unwrap(),
            cx,
        };
        running.write(most);
        running
    }

    fn write(&self, most: &str) {
        let team = pool("team", "Standard_D4s_v3", &format!("1..{most} initially 2"), autoscale());
        self.cx.write("lab/main.dsvm", &project("lab", "", &[team]));
    }

    fn limit(&self, cores: u32) {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        let body = json!({ "cores": { "westus": cores } }).to_string();
        arm_local::ask(port, "POST", "/_local/limits", &body).unwrap();
    }

    fn run(&self, arguments: &str) -> Ran {
        self.cx.ran(self.cx.command(arguments).env("DSVMC_PARAM_key", KEY))
    }

    /// What the plan says about the cores of the region.
    fn cores(&self) -> Value {
        let ran = self.run("plan lab --format json");
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
        let told = plan["quota"].as_array().cloned().unwrap_or_default();
        told.into_iter().find(|line| line["quota"] == "cores").unwrap_or(Value::Null)
    }
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkY5vbRzYfY7xJv3nH5zQ5d1m8x1yq2q6rY0y9wVb5E x";

#[test]
fn a_plan_tells_which_limits_of_its_target_it_breaks() {
    let lab = Running::new("10");
    // 40 cores at most
    lab.limit(100);
    assert_eq!(lab.cores(), Value::Null, "far below the limit");
    lab.limit(43);
    assert_eq!(lab.cores()["verdict"], "near");
    lab.limit(39);
    let told = lab.cores();
    assert_eq!((&told["verdict"], &told["by"], &told["ask"]), (&json!("breaks"), &json!(1), &json!(40)));
    let text = lab.run("plan lab").stdout;
    assert!(
        text.contains("Total Regional vCPUs in westus: 40 needed, the limit is 39, 0 used now: 1 too few"),
        "{text}"
    );
    assert!(text.contains("az quota update --resource-name \"cores\" --limit-object value=40"), "{text}");
    let text = lab.run("plan lab --format markdown").stdout;
    assert!(text.contains("**Total Regional vCPUs in westus: 40 needed"), "{text}");
}

#[test]
fn what_is_deployed_is_not_counted_twice() {
    let lab = Running::new("10");
    let ran = lab.run("apply lab --yes");
    assert!(ran.exit == 0 && !ran.stdout.contains("Quotas"), "{}{}", ran.stdout, ran.stderr);
    lab.limit(48);
    assert_eq!(lab.cores(), Value::Null, "nothing changes");
    lab.write("12");
    // 2 machines run, and are among the 12
    let told = lab.cores();
    assert_eq!((&told["verdict"], &told["used"], &told["deployed"]), (&json!("near"), &json!(8), &json!(8)));
    assert_eq!((&told["before"], &told["after"]), (&json!(40), &json!(48)));
    lab.write("13");
    assert_eq!(lab.cores()["by"], 4);
    let ran = lab.run("apply lab --yes");
    assert!(ran.exit == 0 && ran.stdout.contains("4 too few"), "it warns, and applies: {}{}", ran.stdout, ran.stderr);
    lab.write("5");
    assert_eq!(lab.cores(), Value::Null, "less than before");
}

/// The same for the demand of a tree.
#[test]
fn a_tree_takes_off_what_is_deployed_of_it() {
    let lab = Running::new("10");
    let cores = |more: &str| line(&lab.run(&format!("quota lab --format json {more}")), "cores");
    lab.limit(45);
    // 10 machines of 4 cores
    assert_eq!(
        (&cores("--target local")["verdict"], &cores("--target local")["deployed"]),
        (&json!("fits"), &json!(0))
    );
    let ran = lab.run("apply lab --yes");
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    // 2 of them run: 8 used, all of it its own
    let there = cores("--target local");
    assert_eq!((&there["used"], &there["deployed"], &there["demand"]), (&json!(8), &json!(8), &json!(40)));
    assert_eq!(there["verdict"], "fits");
    assert_eq!(cores("--target local -g rg-other")["verdict"], "breaks", "nothing of it is there");
    lab.limit(39);
    assert_eq!((&cores("--target local")["by"], &cores("--target local")["ask"]), (&json!(1), &json!(40)));
    let text = lab.run("quota lab --target local").stdout;
    assert!(text.contains("40 of lab (8 deployed)"), "{text}");
}

#[test]
fn plans_without_a_target_take_the_limits_of_a_file() {
    let lab = Running::new("24");
    lab.cx.write("compute.json", &recorded().to_string());
    lab.cx.write("live.json", "[]");
    // 9 used + 96 of 100; 4 used + 96 of 100
    for more in ["", "--live live.json"] {
        let ran = lab.run(&format!("plan lab --usages westus=compute.json --format json {more}"));
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
        let told: Vec<(&Value, &Value)> =
            plan["quota"].as_array().unwrap().iter().map(|line| (&line["quota"], &line["verdict"])).collect();
        let expected = [("cores", "breaks"), ("standardDSv3Family", "near")];
        assert_eq!(told, expected.map(|(a, b)| (json!(a), json!(b))).each_ref().map(|(a, b)| (a, b)));
        crate::plan::schema::fits(&plan);
    }
    let ran = lab.run("plan lab --usages live.json lab/main.dsvm");
    assert!(ran.exit == 1 && ran.stderr.contains("lab/main.dsvm` cannot be used"), "{}", ran.stderr);
}

#[test]
fn projects_of_a_tree_are_compared_together() {
    let lab = Running::new("13");
    let crowd = pool("crowd", "Standard_D4s_v3", "11", "");
    lab.cx.write("more/main.dsvm", &project("more", "", &[crowd]));
    lab.cx.write("compute.json", &recorded().to_string());
    // 9 used + 52 + 44 of 100
    let ran = lab.run("plan . --usages westus=compute.json --format json");
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr));
    assert_eq!((&plan["quota"][0]["quota"], &plan["quota"][0]["by"]), (&json!("cores"), &json!(5)));
    assert_eq!(plan["quota"][0]["from"].as_array().map(Vec::len), Some(2));
    assert!(plan["projects"][0]["plan"]["quota"].is_null());
}

const CLUSTER: &str = r#"
import std.sizes
project lab { location = westus }
pool nodes: batch { service = azure_ml, size = sizes.Standard_D4s_v5, machines = 0..6 }
"#;

#[test]
fn clusters_are_compared_with_the_limits_of_machine_learning() {
    let cx = TestContext::new();
    cx.write("lab/main.dsvm", CLUSTER);
    let entry = |name: &str, kind: &str, used: u32, limit: i32| {
        json!({ "id": "", "amlWorkspaceLocation": "westus", "unit": "Count",
        "type": format!("Microsoft.MachineLearningServices/{kind}/usages"), "currentValue": used, "limit": limit,
        "name": { "value": name, "localizedValue": name } })
    };
    let list = json!([
        entry("TotalDedicatedCores", "dedicatedCores", 8, 24),
        entry("standardDSv5Family", "vmFamily/dedicatedCores", 0, 24),
        entry("TotalClusters", "totalCores", 1, 200)
    ]);
    cx.write("ml.json", &list.to_string());
    let ran = cx.ran(&mut cx.command("quota lab --format json --usages ml.json"));
    let total = line(&ran, "Total Cluster Dedicated Regional vCPUs");
    assert_eq!((&total["verdict"], &total["by"], &total["ask"]), (&json!("breaks"), &json!(8), &json!(32)));
    assert!(total["how"].as_str().unwrap().contains("portal: Quotas, Machine learning"), "{total}");
    assert_eq!(line(&ran, "standardDSv5Family")["verdict"], "fits");
    assert_eq!(line(&ran, "Total Clusters")["verdict"], "fits");
    let ran = cx.ran(&mut cx.command("quota lab --format json --target local"));
    for name in ["Total Cluster Dedicated Regional vCPUs", "standardDSv5Family", "Total Clusters"] {
        assert_eq!(line(&ran, name)["verdict"], "fits", "{name} {}", ran.stdout);
    }
}
