//! Batch projects from the source to machines: applied to a local endpoint, given tasks, planned again.

use crate::support::TestContext;
use dsvmc::local::{self, Endpoint, Options};
use serde_json::{Value, json};

/// A folder with a project and a running endpoint.
struct Place {
    cx: TestContext,
    endpoint: Endpoint,
}

impl Place {
    fn of(example: &str) -> Self {
        let cx = TestContext::new();
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("main.dsvm");
        cx.write("main.dsvm", &std::fs::read_to_string(source).unwrap());
        let state = cx.path().join(".dsvmc").join("local");
        std::fs::create_dir_all(&state).unwrap();
        let endpoint = Endpoint::start(Options { state: Some(state), ..Options::default() }).unwrap();
        Self { cx, endpoint }
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let port = self.endpoint.http_url.rsplit(':').next().unwrap().parse().unwrap();
        local::ask(port, method, &format!("/_local/{path}"), &body.to_string()).unwrap()
    }

    /// Applies, gives the first pool tasks of an hour each, waits twenty minutes; dedicated and spot machines then.
    fn works(&self, count: u32) -> (i64, i64) {
        let ran = self.cx.run("apply --yes --target local .");
        assert_eq!(ran.exit, 0, "{}", ran.text());
        let pool = self.admin("GET", "tasks", &Value::Null)["pools"][0]["pool"].clone();
        self.admin("POST", "tasks", &json!({ "pool": pool, "count": count, "each": "PT1H" }));
        self.machines("PT20M")
    }

    fn machines(&self, later: &str) -> (i64, i64) {
        self.admin("POST", "clock", &json!({ "advance": later }));
        let nodes = self.admin("GET", "tasks", &Value::Null)["pools"][0]["nodes"].clone();
        (nodes["dedicated"].as_i64().unwrap(), nodes["spot"].as_i64().unwrap())
    }

    /// A plan of what was applied says nothing, whatever the machines do meanwhile.
    fn quiet(&self) {
        let ran = self.cx.run("plan --target local .");
        assert!(ran.stdout.contains("Nothing to do"), "{}", ran.text());
    }
}

#[test]
fn a_batch_pool_wakes_for_its_tasks_and_its_plan_stays_quiet() {
    let place = Place::of("10-batch-dsvm-to-zero");
    // four tasks on a machine
    assert_eq!(place.works(20), (5, 0));
    place.quiet();
    assert_eq!(place.machines("PT2H"), (0, 0));
    place.quiet();
    // never more than the source says
    assert_eq!(place.works(500), (8, 0));
}

#[test]
fn a_cluster_wakes_for_its_jobs_and_its_plan_stays_quiet() {
    let place = Place::of("12-azure-ml-cluster");
    assert_eq!(place.works(20), (0, 6));
    place.quiet();
    assert_eq!(place.machines("P1D"), (0, 0));
    place.quiet();
    let ran = place.cx.run("destroy --yes --allow-delete --target local .");
    assert_eq!(ran.exit, 0, "{}", ran.text());
}
