//! First jobs → the files that submit them, beside the template: job and task of Azure Batch, or a job of Azure Machine
//! Learning; and the command for each. Jobs are not resources, so no template holds them.

use dsvm_graph::json::{Json, Map, json};
use dsvm_graph::values::iso;
use dsvm_model::batch::job::Job;
use dsvm_model::batch::{BatchPool, Service, dedented};
use dsvm_model::{Fleet, read};
use dsvm_sema::table::choices::Storage;
use dsvm_sema::table::types::ListOf;
use std::fmt::Write as _;

/// The files of all jobs: path below the project's folder, text. `envs` are the project's.
#[must_use]
pub fn files(fleet: &Fleet<'_>, envs: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for job in &fleet.jobs {
        let Some(pool) = fleet.batch.get(job.pool) else { continue };
        let folder = format!("jobs/{}", read::dashed(&job.block.name));
        match pool.service {
            Service::AzureBatch => {
                files.push((format!("{folder}/job.json"), pretty(&batch_job(job, pool))));
                files.push((format!("{folder}/task.json"), pretty(&batch_task(fleet, job, pool))));
                files.push((format!("{folder}/submit.sh"), batch_submit(fleet, envs, job, pool)));
            }
            Service::AzureMl => {
                files.push((format!("{folder}/job.yml"), ml_job(fleet, job, pool)));
                files.push((format!("{folder}/submit.sh"), ml_submit(fleet, envs, job, pool)));
            }
        }
    }
    files
}

fn pretty(json: &Json) -> String {
    json.pretty()
}

fn id(job: &Job<'_>) -> String {
    read::dashed(&job.block.name)
}

fn batch_job(job: &Job<'_>, pool: &BatchPool<'_>) -> Json {
    json!({
        "id": id(job),
        "poolInfo": { "poolId": &pool.name },
        "constraints": { "maxWallClockTime": iso(job.time_limit), "maxTaskRetryCount": job.retries },
    })
}

/// Where programs that start a job under MPI look for the machines: Open MPI up to 4 and from 5 on, MPICH and its kin, and
/// Intel MPI. The service gives them as `10.0.0.4,10.0.0.5` to the task of a job with several machines ("Azure Batch
/// runtime environment variables").
const HOSTS: &str = "\
hosts=$AZ_BATCH_TASK_WORKING_DIR/hosts
echo \"$AZ_BATCH_HOST_LIST\" | tr , '\\n' > \"$hosts\"
export OMPI_MCA_orte_default_hostfile=$hosts PRTE_MCA_prte_default_hostfile=$hosts
export HYDRA_HOST_FILE=$hosts I_MPI_HYDRA_HOST_FILE=$hosts
";

fn batch_task(fleet: &Fleet<'_>, job: &Job<'_>, pool: &BatchPool<'_>) -> Json {
    let mut task = Map::new();
    task.insert("id".into(), json!("main"));
    let hosts = if job.mpi { HOSTS } else { "" };
    let command = format!("{hosts}{}", dedented(job.command));
    // The service runs no shell by itself.
    task.insert("commandLine".into(), json!(format!("/bin/bash -c {}", quoted(&command))));
    if job.slots > 1 {
        task.insert("requiredSlots".into(), json!(job.slots));
    }
    if let Some(image) = job.environment {
        task.insert("containerSettings".into(), container(fleet, image, pool));
    }
    if job.nodes > 1 || job.mpi {
        let ready = "/bin/bash -c 'true'";
        let settings = json!({ "numberOfInstances": job.nodes, "coordinationCommandLine": ready });
        task.insert("multiInstanceSettings".into(), settings);
    }
    task.insert(
        "constraints".into(),
        json!({ "maxWallClockTime": iso(job.time_limit), "maxTaskRetryCount": job.retries }),
    );
    Json::Object(task)
}

/// The container of a task. The service maps its own folders into it and nothing else; the links that the start task of
/// the pool makes, `/data/sets` for one, are bound as well, so that a container sees what the machine sees. Docker follows
/// them when it creates the container.
fn container(fleet: &Fleet<'_>, image: &str, pool: &BatchPool<'_>) -> Json {
    let shares = pool.shares.iter().filter_map(|share| fleet.shares.get(*share)).map(|share| share.mount);
    let containers = pool.containers.iter().filter_map(|c| fleet.batch_support.containers.get(*c)).map(|c| c.mount);
    let binds: Vec<String> =
        shares.chain(containers).map(|path| format!("-v {}", word(&format!("{path}:{path}")))).collect();
    let mut settings = Map::new();
    settings.insert("imageName".into(), json!(image));
    if !binds.is_empty() {
        settings.insert("containerRunOptions".into(), json!(binds.join(" ")));
    }
    Json::Object(settings)
}

fn batch_submit(fleet: &Fleet<'_>, envs: &[&str], job: &Job<'_>, pool: &BatchPool<'_>) -> String {
    let named =
        pool.home.and_then(|h| fleet.batch_support.accounts.get(h)).and_then(|a| a.name).and_then(read::as_text);
    let account = match named {
        Some(name) => word(name),
        // The name is made at deployment; the pool tells which account it is.
        None => "$(az resource list --resource-group \"$group\" --resource-type Microsoft.Batch/batchAccounts --query '[].name' --output tsv)".to_owned(),
    };
    let id = word(&id(job));
    format!(
        "#!/bin/sh\n# Submits the job once: sh submit.sh [RESOURCE_GROUP] [BATCH_ACCOUNT]\nset -eu\n{group}\
         here=$(dirname \"$0\")\naccount=${{2:-{account}}}\n\
         if [ \"$(printf '%s\\n' \"$account\" | wc -w)\" -ne 1 ]; then\n  \
         echo \"name one Batch account of the group $group: sh submit.sh $group BATCH_ACCOUNT\" >&2\n  exit 2\nfi\n\
         az batch account login --resource-group \"$group\" --name \"$account\"\n\
         az batch job create --json-file \"$here/job.json\"\n\
         az batch task create --job-id {id} --json-file \"$here/task.json\"\n\
         # The job ends when its task has ended.\n\
         az batch job set --job-id {id} --on-all-tasks-complete terminatejob\n",
        group = group(fleet, envs),
    )
}

/// The line that finds the resource group: as `apply` names it, where there is one name.
fn group(fleet: &Fleet<'_>, envs: &[&str]) -> String {
    match envs {
        [] => format!("group=${{1:-rg-{}}}\n", fleet.name),
        [env] => format!("group=${{1:-rg-{}-{env}}}\n", fleet.name),
        _ => "group=${1:?name the resource group: sh submit.sh RESOURCE_GROUP}\n".to_owned(),
    }
}

fn ml_job(fleet: &Fleet<'_>, job: &Job<'_>, pool: &BatchPool<'_>) -> String {
    let mut text = String::from("$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json\n");
    let (mut inputs, outputs) = (mounts(fleet, job.view.inputs()), mounts(fleet, job.view.outputs()));
    // What is mounted for writing can be read as well.
    inputs.retain(|input| !outputs.contains(input));
    // Writing to a string cannot fail. The 2 says how far the command is indented, however its first line begins.
    let _ = writeln!(text, "name: {}\ncommand: |2", plain(&id(job)));
    for (kind, list) in [("inputs", &inputs), ("outputs", &outputs)] {
        for (name, path) in list {
            let parent = path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
            let _ = writeln!(text, "  mkdir -p {} && ln -sfn ${{{{{kind}.{name}}}}} {}", word(parent), word(path));
        }
    }
    for line in dedented(job.command).lines() {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(image) = job.environment {
        let _ = writeln!(text, "environment:\n  image: {}", plain(image));
    }
    let _ = writeln!(text, "compute: azureml:{}\nresources:\n  instance_count: {}", pool.name, job.nodes);
    if job.mpi {
        text.push_str("distribution:\n  type: mpi\n  process_count_per_instance: 1\n");
    }
    for (kind, list, mode) in [("inputs", &inputs, "ro_mount"), ("outputs", &outputs, "rw_mount")] {
        if list.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{kind}:");
        for (name, _) in list {
            let _ = writeln!(
                text,
                "  {name}:\n    type: uri_folder\n    path: azureml://datastores/{name}/paths/\n    mode: {mode}"
            );
        }
    }
    let _ = writeln!(text, "limits:\n  timeout: {}", job.time_limit.get());
    text
}

/// Datastores that a job reads or writes, and where pools mount them.
fn mounts(fleet: &Fleet<'_>, storage: Option<ListOf<'_, Storage>>) -> Vec<(String, String)> {
    storage
        .into_iter()
        .flatten()
        .filter_map(|Storage::Block(id)| {
            let share = fleet.shares.iter().find(|s| s.id == id).map(|s| (&s.block.name, s.mount));
            let container =
                fleet.batch_support.containers.iter().find(|c| c.id == id).map(|c| (&c.block.name, c.mount));
            share.or(container).map(|(name, path)| (name.replace('-', "_"), path.to_owned()))
        })
        .collect()
}

fn ml_submit(fleet: &Fleet<'_>, envs: &[&str], job: &Job<'_>, pool: &BatchPool<'_>) -> String {
    let workspace = pool
        .home
        .and_then(|h| fleet.batch_support.workspaces.get(h))
        .map_or_else(|| format!("mlw-{}", read::dashed(fleet.name)), |w| w.name.clone());
    format!(
        "#!/bin/sh\n# Submits the job {}: sh submit.sh [RESOURCE_GROUP]\nset -eu\n{}\
         az ml job create --file \"$(dirname \"$0\")/job.yml\" --resource-group \"$group\" --workspace-name {}\n",
        id(job),
        group(fleet, envs),
        word(&workspace),
    )
}

/// A scalar of YAML, in quotes where it could be read as something else.
fn plain(text: &str) -> String {
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "./:@_-".contains(c))
        && !text.ends_with(':')
        && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&text.to_ascii_lowercase().as_str());
    if safe { text.to_owned() } else { json!(text).compact() }
}

/// A word of the shell, in quotes where it needs them.
fn word(text: &str) -> String {
    let safe = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "./:@_-".contains(c));
    if safe { text.to_owned() } else { quoted(text) }
}

/// A word of the shell in quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
