//! Batch projects from the source to machines: applied to a local endpoint, given tasks, planned again.

use crate::support::TestContext;
use arm_local::{Endpoint, Options};
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
        arm_local::ask(port, method, &format!("/_local/{path}"), &body.to_string()).unwrap()
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
    // the deleted workspace holds its name for two weeks
    let held = place.cx.run("apply --yes --plain --target local .");
    assert_ne!(held.exit, 0);
    assert!(held.text().contains("Azure keeps a deleted workspace for 14 days"), "{}", held.text());
    place.admin("POST", "clock", &json!({ "advance": "P14D" }));
    // without a stack, resources are deleted one by one, each once nothing uses it; and a cluster says that its machines go too
    assert_eq!(place.cx.run("apply --yes --plain --target local .").exit, 0);
    let ran = place.cx.run("destroy --yes --allow-delete --target local .");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    assert_eq!(place.admin("GET", "tasks", &Value::Null)["pools"], json!([]), "{}", ran.text());
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

/// A command line tool named `az` that writes down what it was asked, each argument on a line of its own.
fn fake_az(cx: &TestContext) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = cx.write(
        "bin/az",
        "#!/bin/sh\nfor word in \"$@\"; do printf '<%s>\\n' \"$word\" >> \"$ASKED\"; done\n\
         case \"$*\" in *'resource list'*) printf '%s\\n' $ACCOUNTS ;; esac\n",
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.parent().unwrap().to_owned()
}

/// Runs a script with the fake tool: exit code, what it was asked, what was said.
fn submit(cx: &TestContext, script: &str, arguments: &[&str], accounts: &str) -> (i32, String, String) {
    let tools = fake_az(cx);
    let asked = cx.path().join("asked.txt");
    let _ = std::fs::remove_file(&asked);
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let output = std::process::Command::new("sh")
        .arg(cx.path().join(script))
        .args(arguments)
        .env("PATH", path)
        .env("ASKED", &asked)
        .env("ACCOUNTS", accounts)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), std::fs::read_to_string(asked).unwrap_or_default(), said)
}

/// A command that a shell would take apart in many ways.
const ODD: &str = r#"
      echo "it's \"odd\"" '$HOME' `date` \$(id) ; : & # not a comment
    printf '%s\n' "a	tab" 'ünïcode' '#!' '{{}}'
"#;

#[test]
fn a_batch_job_is_submitted_as_it_is_written() {
    let cx = TestContext::new();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/10-batch-dsvm-to-zero/main.dsvm");
    let text = std::fs::read_to_string(source).unwrap();
    let odd = ODD.replace('\\', "\\\\").replace("${", "\\${");
    let text = text.replace(
        "\"/opt/tools/bin/python /data/sets/evaluate.py\"",
        &format!("\"\"\"{}\"\"\"", odd.replace("\"\"\"", "")),
    );
    cx.write("main.dsvm", &text);
    let built = cx.run("build . --out out");
    assert_eq!(built.exit, 0, "{}", built.text());
    let task: Value = serde_json::from_str(&cx.read("out/batch/jobs/evaluate/task.json")).unwrap();
    // the shell gets exactly the command, however it is quoted
    let line = task["commandLine"].as_str().unwrap();
    let output =
        std::process::Command::new("sh").arg("-c").arg(line.replacen("/bin/bash -c", "printf %s", 1)).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        ODD.trim_matches('\n').lines().map(|l| l.strip_prefix("    ").unwrap_or(l)).collect::<Vec<_>>().join("\n")
    );
    let script = "out/batch/jobs/evaluate/submit.sh";
    let (code, asked, said) = submit(&cx, script, &[], "mine");
    assert_eq!((code, said.as_str()), (0, ""), "{asked}");
    for wanted in [
        "<resource>\n<list>\n<--resource-group>\n<rg-batch>\n",
        "<login>\n<--resource-group>\n<rg-batch>\n<--name>\n<mine>\n",
        "<job>\n<create>\n<--json-file>\n",
        "<task>\n<create>\n<--job-id>\n<evaluate>\n<--json-file>\n",
        "<--on-all-tasks-complete>\n<terminatejob>\n",
    ] {
        assert!(asked.contains(wanted), "{wanted} is not in {asked}");
    }
    // several accounts, and none: it asks which, and does nothing
    for accounts in ["one two", ""] {
        let (code, asked, said) = submit(&cx, script, &["a group; rm -rf /"], accounts);
        assert_eq!(code, 2, "{asked}");
        assert!(said.contains("name one Batch account of the group a group; rm -rf /"), "{said}");
        assert!(!asked.contains("<login>"), "{asked}");
    }
    let (code, asked, _) = submit(&cx, script, &["a group; rm -rf /", "mine"], "one two");
    assert_eq!(code, 0);
    assert!(asked.contains("<--resource-group>\n<a group; rm -rf />\n<--name>\n<mine>\n"), "{asked}");
}

#[test]
fn a_job_of_machine_learning_is_submitted_as_it_is_written() {
    let cx = TestContext::new();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/12-azure-ml-cluster/main.dsvm");
    let text = std::fs::read_to_string(source).unwrap().replace("job finetune", "job yes");
    cx.write("main.dsvm", &text);
    let built = cx.run("build . --out out");
    assert_eq!(built.exit, 0, "{}", built.text());
    let job = cx.read("out/learning/jobs/yes/job.yml");
    assert!(job.contains("\nname: \"yes\"\ncommand: |2\n"), "{job}");
    let (code, asked, _) = submit(&cx, "out/learning/jobs/yes/submit.sh", &[], "");
    assert_eq!(code, 0);
    // the group as `apply` names it, with its env
    assert!(asked.contains("<--resource-group>\n<rg-learning-lab>\n<--workspace-name>\n<mlw-lab>\n"), "{asked}");
    // with several envs there is no such name
    cx.write("main.dsvm", &format!("{text}\nenv more {{\n  admin_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc dsvmuser@example.org\"\n}}\n"));
    let built = cx.run("build . --out two");
    assert_eq!(built.exit, 0, "{}", built.text());
    let (code, asked, said) = submit(&cx, "two/learning/jobs/yes/submit.sh", &[], "");
    assert!(code != 0 && asked.is_empty() && said.contains("name the resource group"), "{code} {asked} {said}");
    assert_eq!(submit(&cx, "two/learning/jobs/yes/submit.sh", &["mine"], "").0, 0);
}

#[test]
fn what_has_no_word_is_laid_over_the_pool() {
    for (service, name, rest, pointer) in [
        (
            "azure_batch",
            "pool",
            "image = images.ubuntu_hpc",
            "{ deploymentConfiguration = { virtualMachineConfiguration = { dataDisks = [{ lun = 0, diskSizeGB = 256 }] } } }",
        ),
        ("azure_ml", "cluster", "", "{ properties = { isolatedNetwork = true } }"),
    ] {
        let cx = TestContext::new();
        cx.write(
            "main.dsvm",
            &format!(
                "import std.images\nimport std.sizes\nproject lab {{ location = westeurope }}\npool nightly: batch {{\n  service = {service}\n  {rest}\n  \
                 size = sizes.Standard_D4s_v5\n  machines = 0..8\n  override {name} {{ properties = {pointer} }}\n}}\n"
            ),
        );
        let ran = cx.run("build . --out out");
        assert_eq!(ran.exit, 0, "{}", ran.text());
        let template: Value = serde_json::from_str(&cx.read("out/lab/template.json")).unwrap();
        let text = template.to_string();
        let wanted =
            if name == "pool" { r#""dataDisks":[{"lun":0,"diskSizeGB":256}]"# } else { r#""isolatedNetwork":true"# };
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains(r#""vmSize":"#), "{text}");
    }
}

#[test]
fn an_account_is_watched_by_a_diagnostic_setting() {
    let cx = TestContext::new();
    cx.write(
        "main.dsvm",
        "import std.images\nimport std.sizes\nproject lab { location = westeurope }\nbatch_account acct {}\n\
         pool nightly: batch {\n  service = azure_batch\n  account = acct\n  image = images.ubuntu_hpc\n  size = sizes.Standard_D4s_v5\n  machines = 0..8\n}\n\
         resource logs: \"Microsoft.Insights/diagnosticSettings@2021-05-01-preview\" {\n  scope = acct.id\n  \
         properties = { workspaceId = \"/subscriptions/0/w\", logs = [{ categoryGroup = \"allLogs\", enabled = true }] }\n}\n",
    );
    let ran = cx.run("build . --out out");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    let template: Value = serde_json::from_str(&cx.read("out/lab/template.json")).unwrap();
    let settings = template["resources"].as_array().unwrap().iter().find(|r| r["name"] == "logs").unwrap().clone();
    // this version has a scope and no place
    assert!(settings["scope"].as_str().unwrap().contains("batchAccounts"), "{settings}");
    assert_eq!(settings.get("location"), None, "{settings}");
}
