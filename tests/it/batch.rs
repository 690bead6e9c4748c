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

/// Definitions of Batch AI in the forms that its documentation has: as written by hand, and as its command line showed them.
fn definitions() -> Value {
    let share = |name: &str| {
        json!({ "accountName": "labdata", "azureFileUrl": format!("https://labdata.file.core.windows.net/{name}"), "relativeMountPath": name,
            "directoryMode": "0777", "fileMode": "0777", "credentials": { "accountKey": null } })
    };
    json!([
        { "type": "Microsoft.BatchAI/workspaces/fileServers", "name": "ws/nfs", "location": "eastus", "properties": { "vmSize": "Standard_DS3",
            "dataDisks": { "diskSizeInGB": 10, "diskCount": 2, "storageAccountType": "Standard_LRS" },
            "sshConfiguration": { "userAccountSettings": { "adminUserName": "ann" } } } },
        { "type": "Microsoft.BatchAI/workspaces/clusters", "id": "/x/clusters/a-cluster-with-a-very-long-name", "name": "a-cluster-with-a-very-long-name",
            "allocationState": "steady", "currentNodeCount": 0, "vmSize": "STANDARD_NC6", "vmPriority": "lowpriority",
            "scaleSettings": { "additionalProperties": {}, "autoScale": { "minimumNodeCount": 0, "maximumNodeCount": 2, "initialNodeCount": 0 } },
            "virtualMachineConfiguration": { "imageReference": { "offer": "UbuntuServer", "publisher": "Canonical", "sku": "16.04-LTS", "version": "latest" } },
            "userAccountSettings": { "adminUserName": "ann", "adminUserSshPublicKey": "ssh-rsa AAAA" },
            "subnet": { "id": "/subscriptions/0/resourceGroups/nets/providers/Microsoft.Network/virtualNetworks/corp/subnets/gpu" },
            "nodeSetup": { "setupTask": { "commandLine": "$AZ_BATCHAI_MOUNT_ROOT/scripts/setup.sh", "stdOutErrPathPrefix": "$AZ_BATCHAI_MOUNT_ROOT/logs",
                    "stdOutErrPathSuffix": "0/1/2" },
                "mountVolumes": { "azureFileShares": [share("scripts"), share("logs")],
                    "fileServers": [{ "fileServer": { "id": "/x/fileServers/nfs" }, "relativeMountPath": "nfs", "mountOptions": "rw" }] } } },
        { "type": "Microsoft.BatchAI/workspaces/experiments/jobs", "name": "train", "cluster": { "id": "/x/clusters/a-cluster-with-a-very-long-name", "resourceGroup": "lab" },
            "nodeCount": 2, "constraints": { "maxWallClockTime": "7 days, 0:00:00" }, "executionState": "running", "toolType": "horovod",
            "executionInfo": { "startTime": "2018-06-18T07:40:28.744000+00:00" }, "stdOutErrPathPrefix": "$AZ_BATCHAI_JOB_MOUNT_ROOT/logs",
            "horovodSettings": { "pythonScriptFilePath": "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/it's \"odd\" ${HOME} \\n.py", "processCount": 2 },
            "containerSettings": { "imageSourceRegistry": { "image": "tensorflow/tensorflow:1.8.0-gpu" } },
            "mountVolumes": { "azureFileShares": [share("scripts"), share("logs")] } },
    ])
}

#[test]
fn what_is_imported_is_formatted_and_can_be_built() {
    for service in ["azure_batch", "azure_ml"] {
        let cx = TestContext::new();
        cx.write("given.json", &definitions().to_string());
        let ran = cx.run(&format!("import --service {service} given.json"));
        assert_eq!(ran.exit, 0, "{}", ran.text());
        cx.write("main.dsvm", &ran.stdout);
        assert_eq!(cx.run("fmt --check main.dsvm").exit, 0, "{}", ran.stdout);
        let checked = cx.run("check .");
        assert_eq!(checked.exit, 0, "{}{}", checked.text(), ran.stdout);
        assert!(!ran.stdout.contains("Not carried over:\n//   execution"), "{}", ran.stdout);
        assert!(ran.stdout.contains("time_limit  = 7 days"), "{}", ran.stdout);
    }
}
