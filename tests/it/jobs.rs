//! What jobs see of their data: mounts in containers, the machines of a job under MPI, identities and roles of clusters.

use crate::support::TestContext;
use serde_json::Value;
use std::process::Command;

/// What `build` writes for a project whose name is `lab`.
fn built(source: &str) -> (TestContext, Value) {
    let cx = TestContext::new();
    cx.write(
        "main.dsvm",
        &format!("import std.images\nimport std.sizes\nproject lab {{ location = westeurope }}\n{source}"),
    );
    let ran = cx.run("build . --out out");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    let template = serde_json::from_str(&cx.read("out/lab/template.json")).unwrap();
    (cx, template)
}

fn of_type<'a>(template: &'a Value, name: &str) -> Vec<&'a Value> {
    template["resources"].as_array().unwrap().iter().filter(|r| r["type"] == name).collect()
}

const CONTAINERS: &str = r#"
share sets { quota = 100 GiB, mount = "/data/sets", auth = account_key }
container model { mount = "/data/model" }
pool sims: batch {
  service    = azure_batch
  image      = images.ubuntu_hpc
  size       = sizes.Standard_D4s_v5
  machines   = 0..4
  inter_node = true
  shares     = [sets]
  containers = [model]
  docker { images = ["python:3.12"] }
  autoscale every 5 min {}
}
"#;

#[test]
fn a_container_sees_what_the_machine_mounts() {
    let (cx, template) = built(&format!(
        "{CONTAINERS}job train {{ pool = sims, command = \"python train.py --out /data/model\", environment = \"python:3.12\", outputs = [model] }}\n\
         job bare {{ pool = sims, command = \"ls /data/model\" }}\n"
    ));
    let task =
        |job: &str| -> Value { serde_json::from_str(&cx.read(&format!("out/lab/jobs/{job}/task.json"))).unwrap() };
    let settings = &task("train")["containerSettings"];
    assert_eq!(settings["containerRunOptions"], "-v /data/sets:/data/sets -v /data/model:/data/model");
    assert_eq!(task("bare").get("containerSettings"), None);
    // The paths are links of the machine, made before any task runs, to where the service mounts.
    let pools = of_type(&template, "Microsoft.Batch/batchAccounts/pools");
    let start = &pools[0]["properties"]["startTask"];
    assert_eq!(start["waitForSuccess"], true);
    let line = start["commandLine"].as_str().unwrap();
    for path in ["data/sets", "data/model"] {
        assert!(line.contains(&format!("ln -sfn \"$AZ_BATCH_NODE_MOUNTS_DIR\"/{path} /{path}")), "{line}");
    }
}

#[test]
fn a_job_under_mpi_finds_its_machines() {
    let (cx, _) = built(&format!(
        "{CONTAINERS}job solve {{ pool = sims, nodes = 2, mpi = true, command = \"cat $OMPI_MCA_orte_default_hostfile; echo $PRTE_MCA_prte_default_hostfile $HYDRA_HOST_FILE $I_MPI_HYDRA_HOST_FILE\" }}\n"
    ));
    let task: Value = serde_json::from_str(&cx.read("out/lab/jobs/solve/task.json")).unwrap();
    assert_eq!(task["multiInstanceSettings"]["numberOfInstances"], 2);
    let folder = cx.path().join("a folder");
    std::fs::create_dir(&folder).unwrap();
    // The service starts the line without a shell; its quotes are those of a shell.
    let ran = Command::new("sh")
        .arg("-c")
        .arg(task["commandLine"].as_str().unwrap())
        .env("AZ_BATCH_TASK_WORKING_DIR", &folder)
        .env("AZ_BATCH_HOST_LIST", "10.0.0.4,10.0.0.5")
        .output()
        .unwrap();
    let hosts = folder.join("hosts").display().to_string();
    assert_eq!(std::fs::read_to_string(&hosts).unwrap(), "10.0.0.4\n10.0.0.5\n");
    assert!(String::from_utf8(ran.stdout).unwrap().ends_with(&format!("{hosts} {hosts} {hosts}\n")));
}

const CLUSTER: &str = r#"
container corpus { mount = "/data/corpus" }
container results { mount = "/data/results" }
pool trainers: batch {
  service    = azure_ml
  size       = sizes.Standard_NC4as_T4_v3
  machines   = 0..6
  containers = [corpus, results]
}
"#;

/// The roles that the template grants, each on the storage account of one container, by the first letters of its name.
fn roles(template: &Value) -> Vec<(String, &'static str)> {
    let mut roles: Vec<(String, &str)> = of_type(template, "Microsoft.Authorization/roleAssignments")
        .into_iter()
        .map(|role| {
            let definition = role["properties"]["roleDefinitionId"].as_str().unwrap();
            let word = match definition {
                d if d.contains("ba92f5b4-2d11-453d-a403-e96b0029c9fe") => "writes",
                d if d.contains("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1") => "reads",
                other => panic!("{other}"),
            };
            assert!(role["properties"]["principalId"].as_str().unwrap().contains("id-trainers"), "{role}");
            (role["scope"].as_str().unwrap().to_owned(), word)
        })
        .collect();
    roles.sort();
    roles
}

#[test]
fn a_cluster_has_the_identity_and_the_roles_that_its_data_needs() {
    let job = |rest: &str| {
        format!(
            "{CLUSTER}job fit {{ pool = trainers, command = \"python fit.py\", environment = \"python:3.12\"{rest} }}\n"
        )
    };
    // Without a job that says more, whatever a job does is possible.
    let (_, template) = built(CLUSTER);
    let clusters = of_type(&template, "Microsoft.MachineLearningServices/workspaces/computes");
    assert_eq!(clusters[0]["identity"]["type"], "UserAssigned");
    assert!(clusters[0]["identity"]["userAssignedIdentities"].to_string().contains("id-trainers"));
    let words = |template: &Value| roles(template).into_iter().map(|(_, word)| word).collect::<Vec<_>>();
    assert_eq!(words(&template), ["writes", "writes"]);
    // The cluster waits for its roles: a job may start as soon as it is there.
    let waits = clusters[0]["dependsOn"].to_string();
    assert_eq!(waits.matches("Microsoft.Authorization/roleAssignments").count(), 2, "{waits}");

    let (cx, template) = built(&job(", inputs = [corpus], outputs = [results]"));
    let mut found = words(&template);
    found.sort_unstable();
    assert_eq!(found, ["reads", "writes"]);
    let file = cx.read("out/lab/jobs/fit/job.yml");
    assert!(file.contains("inputs:\n  corpus:\n    type: uri_folder\n    path: azureml://datastores/corpus/paths/\n    mode: ro_mount\n"), "{file}");
    assert!(file.contains("outputs:\n  results:\n    type: uri_folder\n    path: azureml://datastores/results/paths/\n    mode: rw_mount\n"), "{file}");

    // What is read and written is mounted once, for writing.
    let (cx, _) = built(&job(", inputs = [corpus], outputs = [corpus]"));
    let file = cx.read("out/lab/jobs/fit/job.yml");
    assert!(!file.contains("inputs"), "{file}");
    assert!(file.contains("mkdir -p /data && ln -sfn ${{outputs.corpus}} /data/corpus\n"), "{file}");
}

#[test]
fn a_job_of_a_cluster_that_names_what_it_does_not_mount_is_told() {
    let cx = TestContext::new();
    let source = |lists: &str| {
        format!(
            "import std.sizes\nproject lab {{ location = westeurope }}\n{CLUSTER}\
             job fit {{ pool = trainers, command = \"python fit.py --data /data/corpus/2026\", environment = \"python:3.12\"{lists} }}\n"
        )
    };
    cx.write("main.dsvm", &source(""));
    let ran = cx.run("check .");
    assert_eq!(ran.exit, 0, "{}", ran.text());
    assert!(ran.text().contains("the command names `/data/corpus`, where the job mounts nothing"), "{}", ran.text());
    assert!(!ran.text().contains("`/data/results`"), "{}", ran.text());
    cx.write("main.dsvm", &source(", inputs = [corpus]"));
    let ran = cx.run("check .");
    assert!(!ran.text().contains("mounts nothing"), "{}", ran.text());
}

/// Parts of the text that an import writes.
type Parts = &'static [&'static str];

/// Definitions of Batch AI as people kept them: the files of one import each, its name, and what the text says for both
/// services, for Azure Batch alone, and for Azure Machine Learning alone.
const IMPORTS: [(&str, &str, Parts, Parts, Parts); 5] = [
    (
        "modes",
        r#"{"name":"c","type":"Microsoft.BatchAI/workspaces/clusters","vmSize":"STANDARD_NC6","scaleSettings":{"manual":{"targetNodeCount":1}},
        "nodeSetup":{"mountVolumes":{"azureFileShares":[{"accountName":"labdata","azureFileUrl":"https://labdata.file.core.windows.net/in","relativeMountPath":"in","directoryMode":"0755","fileMode":"0640"}]}},
        "userAccountSettings":{"adminUserName":"u"}}"#,
        &["// Folders had the mode 0755;", "file_mode = \"0640\"", "existing share the_in {", "pool cluster_c: batch"],
        &[],
        &[],
    ),
    (
        "template",
        r#"{"$schema":"https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#","contentVersion":"1.0.0.0",
        "parameters":{"size":{"type":"string","defaultValue":"STANDARD_NC6"},"count":{"type":"int"},"secret":{"type":"securestring","defaultValue":"hunter2"}},
        "variables":{"n":"trainers"},
        "resources":[{"type":"Microsoft.BatchAI/workspaces/clusters","apiVersion":"2018-05-01","name":"[concat('ws/',variables('n'))]","location":"[resourceGroup().location]",
          "properties":{"vmSize":"[parameters('size')]","scaleSettings":{"manual":{"targetNodeCount":"[parameters('count')]"}},
          "userAccountSettings":{"adminUserName":"u","adminUserPassword":"[parameters('secret')]"}}}]}"#,
        &[
            "pool trainers: batch",
            "sizes.Standard_NC4as_T4_v3",
            "the parameter `count` of the template has no value: 0",
        ],
        &[],
        &[],
    ),
    (
        "ownimage",
        r#"[{"name":"gpus","type":"Microsoft.BatchAI/workspaces/clusters","vmSize":"STANDARD_NC24r","vmPriority":"lowpriority",
        "scaleSettings":{"autoScale":{"minimumNodeCount":0,"maximumNodeCount":10,"initialNodeCount":2}},
        "subnet":{"id":"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/nets/providers/Microsoft.Network/virtualNetworks/net/subnets/jobs"},
        "userAccountSettings":{"adminUserName":"u"},
        "virtualMachineConfiguration":{"imageReference":{"offer":"UbuntuServer","publisher":"Canonical","sku":"16.04-LTS","version":"latest",
          "virtualMachineImageId":"/subscriptions/0/resourceGroups/r/providers/Microsoft.Compute/images/custom"}}},
        {"name":"fit","type":"Microsoft.BatchAI/workspaces/experiments/jobs","properties":{"nodeCount":2,"stdOutErrPathPrefix":"/tmp",
          "customToolkitSettings":{"commandLine":"mpirun --hostfile $AZ_BATCHAI_MPI_HOST_FILE ./fit"},
          "containerSettings":{"imageSourceRegistry":{"image":"ubuntu:22.04"}}}}]"#,
        &[],
        &[
            "drivers    = [nvidia]",
            "containers = true",
            "must bring the nvidia driver",
            "mpi         = true",
            "AZ_BATCHAI_MPI_HOST_FILE=$AZ_BATCH_TASK_WORKING_DIR/hosts",
        ],
        &[],
    ),
    (
        "registry",
        r#"[{"name":"cluster","type":"Microsoft.BatchAI/workspaces/clusters","location":"eastus","vmSize":"STANDARD_NC6",
        "scaleSettings":{"autoScale":{"minimumNodeCount":0,"maximumNodeCount":4}},
        "nodeSetup":{"setupTask":{"commandLine":"pip install -r $AZ_BATCHAI_MOUNT_ROOT/afs/req.txt","runElevated":true,"stdOutErrPathPrefix":"$AZ_BATCHAI_MOUNT_ROOT/afs"},
        "mountVolumes":{"azureFileShares":[{"accountName":"labdata","azureFileUrl":"https://labdata.file.core.windows.net/jobs","relativeMountPath":"afs"}],
        "azureBlobFileSystems":[{"accountName":"labdata","containerName":"corpus","relativeMountPath":"bfs"}]}},
        "userAccountSettings":{"adminUserName":"u"}},
        {"name":"train","type":"Microsoft.BatchAI/workspaces/experiments/jobs","properties":{"nodeCount":1,
        "customToolkitSettings":{"commandLine":"python $AZ_BATCHAI_INPUT_SCRIPT/train.py --data $AZ_BATCHAI_INPUT_IN --out $AZ_BATCHAI_OUTPUT_MODEL"},
        "stdOutErrPathPrefix":"$AZ_BATCHAI_JOB_MOUNT_ROOT/afs/logs",
        "inputDirectories":[{"id":"IN","path":"$AZ_BATCHAI_JOB_MOUNT_ROOT/bfs/data"},{"id":"SCRIPT","path":"$AZ_BATCHAI_JOB_MOUNT_ROOT/afs"}],
        "outputDirectories":[{"id":"MODEL","pathPrefix":"$AZ_BATCHAI_JOB_MOUNT_ROOT/afs","pathSuffix":"Models"}],
        "containerSettings":{"imageSourceRegistry":{"image":"torch:1","serverUrl":"https://lab.azurecr.io/","credentials":{"username":"u","password":"regpw"}}}}}]"#,
        &["inputs      = [corpus]", "outputs     = [jobs]", "\"lab.azurecr.io/torch:1\"", "give it the role AcrPull"],
        &["registry = \"lab.azurecr.io\""],
        &["// Their output went to /data/afs."],
    ),
    (
        "unknownsize",
        r#"{"name":"old","type":"Microsoft.BatchAI/workspaces/clusters","vmSize":"Standard_Forgotten","scaleSettings":{"manual":{"targetNodeCount":1}},"userAccountSettings":{"adminUserName":"u"}}"#,
        &["sizes.Standard_D4s_v5"],
        &[],
        &[],
    ),
];

#[test]
fn every_import_checks_and_builds_for_both_services() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0e99PD7L6H1hsDWtXjCnotLXI7NDNJb9dhjsPl+UGc u@example.org";
    for (name, definitions, both, batch, ml) in IMPORTS {
        for (service, own) in [("azure_batch", batch), ("azure_ml", ml)] {
            let cx = TestContext::new();
            cx.write("given.json", definitions);
            let ran = cx.run(&format!("import --service {service} --project lab given.json"));
            assert_eq!(ran.exit, 0, "{name} {service}: {}", ran.text());
            let text = &ran.stdout;
            for wanted in both.iter().chain(own) {
                assert!(text.contains(wanted), "{name} {service} lacks `{wanted}`: {text}");
            }
            for unwanted in ["hunter2", "regpw", "parameters(", "runElevated"] {
                assert!(!text.contains(unwanted), "{name} {service} has `{unwanted}`: {text}");
            }
            cx.write("main.dsvm", text);
            let checked = cx.run("check .");
            assert_eq!(checked.exit, 0, "{name} {service}: {}{text}", checked.text());
            assert!(!checked.text().contains("mounts nothing"), "{name} {service}: {}{text}", checked.text());
            let env = if text.contains("param admin_key") {
                format!("{text}\nenv one {{ admin_key = \"{key}\" }}\n")
            } else {
                text.clone()
            };
            cx.write("main.dsvm", &env);
            let built = cx.run("build . --out out");
            assert_eq!(built.exit, 0, "{name} {service}: {}{text}", built.text());
        }
    }
}

/// Port 22 of a machine leads to the machine, not into the container on it.
#[test]
fn mpi_between_containers_of_azure_batch_is_told() {
    let told = |job: &str| {
        let compiled = crate::pool::compile(&format!(
            "project p {{ location = westeurope }}\nimport std.images\nimport std.sizes\n\
             pool sims: batch {{ service = azure_batch, image = images.ubuntu_hpc, size = sizes.Standard_D4s_v5, machines = 0..4\n  \
             inter_node = true\n  docker {{ images = [\"lab/solver:1\"] }}\n  autoscale every 5 min {{}} }}\n\
             job solve {{ pool = sims, command = \"mpirun solve\", nodes = 2, {job} }}\n"
        ));
        compiled.diagnostics.iter().any(|d| d.title.starts_with("MPI does not reach the containers"))
    };
    assert!(told("mpi = true, environment = \"lab/solver:1\""));
    assert!(!told("mpi = true"));
    assert!(!told("environment = \"lab/solver:1\""));
}
