//! The published recipes of Batch AI (their facts, not their files), the forms of its documentation, and secrets.

use super::{Imported, Successor, import};
use serde_json::{Value as Json, json};

fn one(json: Json) -> Imported {
    import(&[("given.json".to_owned(), json)], "migrated", Successor::AzureBatch).unwrap()
}

/// Recipe, toolkit, machines, script or configuration, arguments, processes, container. Facts of `Azure/BatchAI` 2238607.
type Recipe = (&'static str, &'static str, i64, &'static str, &'static str, i64, &'static str);

#[rustfmt::skip]
const RECIPES: &[Recipe] = &[
    ("Batch-Scoring", "customMpiSettings", 2, "python -u $AZ_BATCHAI_INPUT_SCRIPT/batch_image_label.py", "", 0, "tensorflow/tensorflow:1.8.0-gpu"),
    ("CNTK-GPU-BrainScript-Distributed", "cntkSettings", 2, "$AZ_BATCHAI_INPUT_CONFIG/DistributedConvNet_MNIST.cntk", "rootDir=. parallelTrain=true", 0, "microsoft/cntk:2.1-gpu-python3.5-cuda8.0-cudnn6.0"),
    ("CNTK-GPU-BrainScript", "cntkSettings", 1, "$AZ_BATCHAI_INPUT_CONFIG/ConvNet_MNIST.cntk", "rootDir=. dataDir=$AZ_BATCHAI_INPUT_DATASET", 0, "microsoft/cntk:2.1-gpu-python3.5-cuda8.0-cudnn6.0"),
    ("CNTK-GPU-Python-Distributed-Infiniband", "cntkSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/cntk/TrainResNet_CIFAR10_Distributed.py", "-n resnet110 -e 5", 8, "batchaitraining/cntk:2.3"),
    ("CNTK-GPU-Python-Distributed", "cntkSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/cntk/ConvNet_CIFAR10_DataAug_Distributed.py", "-n 5", 2, "microsoft/cntk:2.5.1-gpu-python2.7-cuda9.0-cudnn7.0"),
    ("CNTK-GPU-Python", "cntkSettings", 1, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/cntk/ConvNet_MNIST.py", "$AZ_BATCHAI_OUTPUT_MODEL", 0, "microsoft/cntk:2.5.1-gpu-python2.7-cuda9.0-cudnn7.0"),
    ("Caffe-GPU", "caffeSettings", 1, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/lenet_solver.prototxt", "", 0, "bvlc/caffe:gpu"),
    ("Caffe2-GPU-Distributed", "caffe2Settings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/caffe2/resnet50_trainer.py", "--num_shards 2", 0, "caffe2ai/caffe2"),
    ("Chainer-GPU-Distributed-Infiniband", "chainerSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/chainer/train_mnist.py", "-g", 8, "batchaitraining/chainermn:IntelMPI"),
    ("Chainer-GPU-Distributed", "chainerSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/chainer/train_mnist.py", "-g", 0, "batchaitraining/chainermn:openMPI"),
    ("Horovod-Infiniband-Benchmark", "horovodSettings", 2, "$AZ_BATCHAI_JOB_TEMP/benchmarks/tf_cnn_benchmarks.py", "--model resnet101", 8, "tensorflow/tensorflow:1.8.0-gpu"),
    ("Horovod-PyTorch", "horovodSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/horovod/pytorch_mnist.py", "", 0, "batchaitraining/pytorch:0.4.0-cp36-cuda9-cudnn7"),
    ("Horovod-Tensorflow", "horovodSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/horovod/tensorflow_mnist.py", "", 0, "tensorflow/tensorflow:1.8.0-gpu"),
    ("Keras-GPU, CNTK", "cntkSettings", 1, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/keras/mnist_cnn.py", "", 0, "microsoft/cntk:2.5.1-gpu-python2.7-cuda9.0-cudnn7.0"),
    ("Keras-GPU, TensorFlow", "tensorFlowSettings", 1, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/keras/mnist_cnn.py", "", 0, "tensorflow/tensorflow:1.8.0-gpu"),
    ("PyTorch-GPU-Distributed-Gloo", "pyTorchSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/pytorch/mnist_trainer.py", "--world-size 2", 0, "pytorch/pytorch:0.4_cuda9_cudnn7"),
    ("TensorFlow-GPU-Distributed", "tensorFlowSettings", 2, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/tensorflow/mnist_replica.py", "", 0, "tensorflow/tensorflow:1.8.0-gpu"),
    ("TensorFlow-GPU", "tensorFlowSettings", 1, "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/tensorflow/convolutional.py", "", 0, "tensorflow/tensorflow:1.8.0-gpu"),
];

/// The cluster that a recipe's instructions make: two machines of NC6, or of NC24r for InfiniBand, on Ubuntu.
fn recipe_cluster(recipe: &Recipe) -> Json {
    let size = if recipe.0.contains("Infiniband") { "STANDARD_NC24R" } else { "STANDARD_NC6" };
    json!({
        "id": "/subscriptions/0/resourceGroups/batchai.recipes/providers/Microsoft.BatchAI/workspaces/recipe_workspace/clusters/nc",
        "name": "nc", "type": "Microsoft.BatchAI/workspaces/clusters", "nodeSetup": null, "subnet": null,
        "provisioningState": "succeeded", "nodeStateCounts": { "idleNodeCount": recipe.2 },
        "scaleSettings": { "autoScale": null, "manual": { "nodeDeallocationOption": "requeue", "targetNodeCount": recipe.2 } },
        "userAccountSettings": { "adminUserName": "recipeuser", "adminUserPassword": null, "adminUserSshPublicKey": "ssh-rsa AAAA" },
        "virtualMachineConfiguration": { "imageReference": {
            "offer": "UbuntuServer", "publisher": "Canonical", "sku": "16.04-LTS", "version": "latest", "virtualMachineImageId": null } },
        "vmPriority": "dedicated", "vmSize": size,
    })
}

fn recipe_job(recipe: &Recipe) -> Json {
    let (_, toolkit, nodes, program, arguments, processes, container) = *recipe;
    let mut settings = match program {
        p if toolkit == "customMpiSettings" => json!({ "commandLine": p }),
        p if p.ends_with(".py") => json!({ "pythonScriptFilePath": p }),
        p => json!({ "configFilePath": p }),
    };
    if !arguments.is_empty() {
        settings["commandLineArgs"] = arguments.into();
    }
    if processes > 0 {
        settings["processCount"] = processes.into();
    }
    let share = |name: &str| json!({ "azureFileUrl": format!("https://recipes.file.core.windows.net/{name}"), "relativeMountPath": name });
    json!({
        "$schema": "https://raw.githubusercontent.com/Azure/BatchAI/master/schemas/2018-05-01/job.json",
        "properties": {
            "nodeCount": nodes, toolkit: settings, "stdOutErrPathPrefix": "$AZ_BATCHAI_JOB_MOUNT_ROOT/logs",
            "inputDirectories": [{ "id": "CONFIG", "path": "$AZ_BATCHAI_JOB_MOUNT_ROOT/scripts/config" }],
            "outputDirectories": [{ "id": "MODEL", "pathPrefix": "$AZ_BATCHAI_JOB_MOUNT_ROOT/logs", "pathSuffix": "Models" }],
            "mountVolumes": { "azureFileShares": [share("logs"), share("scripts")] },
            "jobPreparation": { "commandLine": "apt update; apt install mpi-default-dev mpi-default-bin -y" },
            "containerSettings": { "imageSourceRegistry": { "image": container } },
        }
    })
}

#[test]
fn every_recipe_is_carried_over_without_a_lost_property() {
    for recipe in RECIPES {
        let files = [("cluster.json".to_owned(), recipe_cluster(recipe)), ("job.json".to_owned(), recipe_job(recipe))];
        let imported = import(&files, "recipe", Successor::AzureBatch).unwrap();
        let text = &imported.text;
        assert_eq!(imported.named, 0, "{}: {text}", recipe.0);
        let program = recipe.3.replace("$AZ_BATCHAI_JOB_MOUNT_ROOT", "/data");
        for wanted in [
            program.as_str(),
            recipe.4,
            recipe.6,
            "apt install mpi-default-dev",
            "recipeuser",
            "/data/logs/Models",
            "/data/scripts/config",
        ] {
            let wanted = wanted.replace("$AZ_BATCHAI_JOB_MOUNT_ROOT", "/data");
            assert!(text.contains(&wanted), "{} lacks {wanted}: {text}", recipe.0);
        }
        let size = if recipe.0.contains("Infiniband") { "NC24r" } else { "NC6" };
        assert!(text.contains(&format!("The size was Standard_{size}, which is retired")), "{}: {text}", recipe.0);
        assert!(text.contains(&format!("= {}\n", recipe.2)) && text.contains("on_removal = requeue"), "{text}");
        assert_eq!(text.contains("inter_node = true"), recipe.2 > 1, "{}", recipe.0);
        assert!(!text.contains("AZ_BATCHAI_JOB_MOUNT_ROOT"), "{text}");
    }
}

/// The documentation's configuration file that mounts everything, and its setup with variables and secrets.
fn everything() -> Json {
    json!({ "properties": {
        "location": "East US", "vmSize": "Standard_NC6", "vmPriority": "lowpriority", "tags": { "team": "research" },
        "scaleSettings": { "autoScale": { "minimumNodeCount": 0, "maximumNodeCount": 4, "initialNodeCount": 1 } },
        "virtualMachineConfiguration": { "imageReference": {
            "publisher": "microsoft-ads", "offer": "linux-data-science-vm-ubuntu", "sku": "linuxdsvmubuntu", "version": "latest" } },
        "userAccountSettings": { "adminUserName": "myuser", "adminUserPassword": "Hunter2!" },
        "subnet": { "id": "/subscriptions/0/resourceGroups/nets/providers/Microsoft.Network/virtualNetworks/corp/subnets/gpu-nodes" },
        "nodeSetup": {
            "setupTask": {
                "commandLine": "$AZ_BATCHAI_MOUNT_ROOT/afs1/setup.sh", "stdOutErrPathPrefix": "$AZ_BATCHAI_MOUNT_ROOT/afs1",
                "environmentVariables": [{ "name": "GREETING", "value": "it's" }],
                "secrets": [
                    { "name": "TOKEN", "value": "s3cr3t-value" },
                    { "name": "OTHER", "valueSecretReference": { "sourceVault": { "id": "/vaults/demo" }, "secretUrl": "https://demo.vault.azure.net/secrets/other" } },
                ],
            },
            "mountVolumes": {
                "azureFileShares": [{ "accountName": "demodata", "azureFileUrl": "https://demodata.file.core.windows.net/dataset1",
                    "credentials": { "accountKey": "a2V5a2V5a2V5" }, "directoryMode": "0777", "fileMode": "0640", "relativeMountPath": "afs1" }],
                "azureBlobFileSystems": [{ "accountName": "demodata", "containerName": "raw", "relativeMountPath": "bfs1",
                    "mountOptions": "-o allow_other", "credentials": { "accountKey": "a2V5a2V5a2V5" } }],
                "fileServers": [{ "fileServer": { "id": "/x/fileServers/demoNFS" }, "relativeMountPath": "nfs1", "mountOptions": "rw" }],
                "unmanagedFileSystems": [{ "mountCommand": "mount -t glusterfs 10.0.0.4:/gv0", "relativeMountPath": "gluster" }],
            },
            "performanceCountersSettings": { "appInsightsReference": {
                "component": { "id": "/x/components/insights" }, "instrumentationKey": "1111-key" } },
        },
    } })
}

#[test]
fn the_whole_vocabulary_of_clusters_for_azure_batch() {
    let server = json!({ "type": "Microsoft.BatchAI/workspaces/fileServers", "name": "ws/demoNFS", "properties": {
        "vmSize": "Standard_DS14", "dataDisks": { "diskSizeInGB": 1024, "diskCount": 4, "cachingType": "readonly", "storageAccountType": "Premium_LRS" },
        "sshConfiguration": { "publicIPsToAllow": ["203.0.113.7"], "userAccountSettings": { "adminUserName": "myuser" } } } });
    let files = [("server.json".to_owned(), server), ("demo-cluster.json".to_owned(), everything())];
    let imported = import(&files, "migrated", Successor::AzureBatch).unwrap();
    insta::assert_snapshot!(imported.text);
}

#[test]
fn the_whole_vocabulary_of_clusters_for_azure_ml() {
    let files = [("demo-cluster.json".to_owned(), everything())];
    let imported = import(&files, "migrated", Successor::AzureMl).unwrap();
    insta::assert_snapshot!(imported.text);
}

#[test]
fn secrets_never_reach_the_text() {
    for successor in [Successor::AzureBatch, Successor::AzureMl] {
        let imported = import(&[("c.json".to_owned(), everything())], "migrated", successor).unwrap();
        for secret in ["Hunter2!", "s3cr3t-value", "a2V5a2V5a2V5", "1111-key"] {
            assert!(!imported.text.contains(secret), "{secret}: {}", imported.text);
            assert!(!imported.warnings.iter().any(|w| w.contains(secret)));
        }
        assert!(imported.text.contains("userAccountSettings.adminUserPassword = (a secret, left out)"));
    }
}

#[test]
fn templates_with_nested_resources_are_read() {
    let template = json!({ "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#", "resources": [
        { "type": "Microsoft.BatchAI/workspaces", "name": "ws", "apiVersion": "2018-05-01", "location": "eastus", "resources": [
            { "type": "clusters", "name": "gpu", "properties": { "vmSize": "Standard_NC12", "scaleSettings": { "manual": { "targetNodeCount": 1 } } } },
            { "type": "experiments", "name": "e", "resources": [
                { "type": "jobs", "name": "train", "properties": { "cluster": { "id": "/x/clusters/gpu" }, "nodeCount": 1,
                    "customToolkitSettings": { "commandLine": "python train.py" }, "constraints": { "maxWallClockTime": "7.00:00:00" } } }] }] },
        { "type": "Microsoft.Storage/storageAccounts", "name": "other" }] });
    let text = one(template).text;
    assert!(text.contains("pool gpu: batch {"), "{text}");
    assert!(text.contains("job train {\n  pool       = gpu\n  command    = \"python train.py\""), "{text}");
    assert!(text.contains("time_limit = 7 days"), "{text}");
    assert!(!text.contains("other"), "{text}");
}

#[test]
fn what_is_not_known_is_named_with_its_value() {
    let imported = one(
        json!({ "properties": { "vmSize": "Standard_D4s_v5", "scaleSettings": { "manual": { "targetNodeCount": 0 } }, "someday": { "new": [1, "two"] } } }),
    );
    assert_eq!(imported.named, 2);
    assert!(
        imported.text.contains("// Not carried over:\n//   someday.new.0 = 1\n//   someday.new.1 = \"two\""),
        "{}",
        imported.text
    );
}

#[test]
fn what_acts_on_a_terminal_or_exceeds_every_clock_does_no_harm() {
    let job = |limit: &str| {
        one(json!({ "type": "Microsoft.BatchAI/workspaces/experiments/jobs", "name": "j", "properties": {
            "constraints": { "maxWallClockTime": limit }, "back\u{202e}wards": "\u{2067}text", "customToolkitSettings": { "commandLine": "echo \u{202e}" } } }))
        .text
    };
    for limit in
        ["1.00:00:00", "18446744073709551615.00:00:00", "0.18446744073709551615:00:00", "18446744073709551615:59:59"]
    {
        let text = job(limit);
        let mut sink = dsvm_diagnostics::Sink::default();
        let _ = dsvm_syntax::parse(dsvm_diagnostics::source::SourceId::file(0), &text, &mut sink);
        assert!(!sink.has_errors(), "{text}");
        assert!(text.contains("\\u{202e}"), "{text}");
        assert_eq!(text.contains("time_limit = 1 days"), limit == "1.00:00:00", "{text}");
    }
}

#[test]
fn other_json_is_refused() {
    let error = import(&[("a.json".to_owned(), json!({ "hello": 1 }))], "x", Successor::AzureBatch).unwrap_err();
    assert_eq!(error, "`a.json` holds no cluster, file server or job of Batch AI");
}

mod any {
    use super::super::{Successor, import};
    use dsvm_diagnostics::Sink;
    use dsvm_diagnostics::source::SourceId;
    use dsvm_syntax::format::format;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(|n| json!(n)),
            "[ -~\n\"\\\\$é]{0,20}".prop_map(Json::String),
            Just(json!("https://labdata.file.core.windows.net/a/b")),
            Just(json!("/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s")),
        ];
        let keys = proptest::sample::select(vec![
            "properties",
            "vmSize",
            "nodeCount",
            "scaleSettings",
            "autoScale",
            "manual",
            "minimumNodeCount",
            "maximumNodeCount",
            "targetNodeCount",
            "nodeSetup",
            "setupTask",
            "commandLine",
            "mountVolumes",
            "azureFileShares",
            "azureFileUrl",
            "azureBlobFileSystems",
            "accountName",
            "containerName",
            "fileServers",
            "fileServer",
            "relativeMountPath",
            "mountOptions",
            "unmanagedFileSystems",
            "mountCommand",
            "subnet",
            "id",
            "name",
            "type",
            "location",
            "tags",
            "userAccountSettings",
            "adminUserName",
            "virtualMachineConfiguration",
            "imageReference",
            "offer",
            "virtualMachineImageId",
            "customToolkitSettings",
            "horovodSettings",
            "pythonScriptFilePath",
            "containerSettings",
            "imageSourceRegistry",
            "image",
            "environmentVariables",
            "value",
            "inputDirectories",
            "path",
            "outputDirectories",
            "pathPrefix",
            "constraints",
            "maxWallClockTime",
            "cluster",
            "résumé",
        ]);
        leaf.prop_recursive(5, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                prop::collection::vec((keys.clone(), inner), 1..7).prop_map(|pairs| Json::Object(
                    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
                )),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_given_the_result_is_formatted_text_of_the_language(cluster in any_json(), job in any_json(), server in any_json()) {
            let file = json!([
                { "type": "Microsoft.BatchAI/workspaces/fileServers", "name": "nfs", "properties": server },
                { "type": "Microsoft.BatchAI/workspaces/clusters", "name": "nc6", "properties": cluster },
                { "type": "Microsoft.BatchAI/workspaces/experiments/jobs", "name": "train", "properties": job },
            ]);
            for successor in [Successor::AzureBatch, Successor::AzureMl] {
                let text = import(&[("given.json".to_owned(), file.clone())], "migrated", successor).unwrap().text;
                let mut sink = Sink::default();
                let formatted = format(SourceId::file(0), &text, &mut sink);
                prop_assert_eq!(formatted.as_deref(), Ok(text.as_str()), "{:?}", sink.finish());
            }
        }
    }
}
