//! A project over several resource groups and regions: planned, applied, narrowed and taken away as one.

use crate::support::{Ran, TestContext};
use arm_local::{Endpoint, Options, SUBSCRIPTION};
use serde_json::{Value, json};
use std::path::Path;

const EXAMPLE: &str = "06-several-groups-and-regions/main.dsvm";

struct Place {
    cx: TestContext,
    endpoint: Endpoint,
}

impl Place {
    fn new() -> Self {
        let cx = TestContext::new();
        let state = cx.path().join(".dsvmc").join("local");
        std::fs::create_dir_all(&state).unwrap();
        let endpoint = Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(EXAMPLE);
        cx.write("main.dsvm", &std::fs::read_to_string(source).unwrap());
        Self { cx, endpoint }
    }

    fn run(&self, arguments: &str) -> Ran {
        self.cx.run(&format!("{arguments} --env prod main.dsvm"))
    }

    fn arm(&self, method: &str, path: &str, body: &str) -> Value {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        arm_local::ask(port, method, path, body).unwrap()
    }

    fn far(&self) -> String {
        format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-north/providers/Microsoft.Compute/virtualMachineScaleSets/vmss-far?api-version=2025-04-01"
        )
    }
}

#[test]
fn one_stack_makes_everything_in_five_groups_and_two_regions() {
    let place = Place::new();
    let plan = place.run("plan");
    let groups = "Created first: resource groups rg-platform (westeurope), rg-network-prod (westeurope)";
    assert!(plan.stdout.contains(groups), "{}", plan.text());
    let json: Value = serde_json::from_str(&place.run("plan --format json").stdout).unwrap();
    assert_eq!(json["groups"][4], json!({ "name": "rg-north", "location": "northeurope" }));
    // Every line leads to the source, in nested templates too.
    let capacity = json["changes"].as_array().unwrap().iter().find(|c| c["name"] == "vmss-far").unwrap();
    assert_eq!(capacity["source"]["line"], 50);
    let applied = place.run("apply --yes");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let again = place.run("plan --detailed-exitcode");
    assert_eq!(again.exit, 0, "{}", again.text());
    assert!(!again.stdout.contains("Created first"), "{}", again.text());
    let set = place.arm("GET", &place.far(), "");
    assert_eq!(set["location"], "northeurope");
    let stack = place.arm("GET", &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-platform/providers/Microsoft.Resources/deploymentStacks?api-version=2025-07-01"), "");
    let [stack] = stack["value"].as_array().unwrap().as_slice() else { panic!("one stack: {stack}") };
    let managed = stack["properties"]["resources"].as_array().unwrap();
    for group in ["rg-platform", "rg-network-prod", "rg-security", "rg-data", "rg-north"] {
        let inside = format!("/resourceGroups/{group}/providers/");
        assert!(managed.iter().any(|r| r["id"].as_str().unwrap().contains(&inside)), "{group}: {managed:?}");
    }
    let gone = place.run("destroy --yes --allow-delete --resources");
    assert_eq!(gone.exit, 0, "{}", gone.text());
    assert!(gone.text().contains("virtualMachineScaleSets vmss-far in rg-north"), "{}", gone.text());
    let left = place.arm("GET", &format!("/subscriptions/{SUBSCRIPTION}/resources?api-version=2024-11-01"), "");
    assert_eq!(left["value"], json!([]));
}

#[test]
fn a_busy_pool_in_another_group_keeps_its_machines() {
    let place = Place::new();
    assert_eq!(place.run("apply --yes").exit, 0);
    place.arm("PATCH", &place.far(), r#"{"sku":{"name":"Standard_D4s_v5","tier":"Standard","capacity":4}}"#);
    let text = place
        .cx
        .read("main.dsvm")
        .replace("serve = [ssh]", "")
        .replace("  network        = north\n", "  network        = north\n  tags           = { team = \"north\" }\n");
    place.cx.write("main.dsvm", &text);
    let applied = place.run("apply --yes");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let set = place.arm("GET", &place.far(), "");
    assert_eq!((&set["sku"]["capacity"], &set["tags"]["team"]), (&json!(4), &json!("north")));
}

#[test]
fn a_narrow_apply_reaches_into_another_group() {
    let place = Place::new();
    let applied = place.run("apply --yes --only pip-far");
    assert_eq!(applied.exit, 0, "{}", applied.text());
    let left = place.arm("GET", &format!("/subscriptions/{SUBSCRIPTION}/resources?api-version=2024-11-01"), "");
    let names: Vec<&str> = left["value"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["pip-far"]);
}
