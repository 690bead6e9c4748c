//! A job → a `job` block: one shell command that does what the toolkit's settings asked for.

use super::Successor;
use super::cluster::rewritten;
use super::mounts::mounts;
use super::read::Node;
use super::write::{Document, Need, quoted, script};

/// What a job needs of its pool; declares the shares and containers that it mounts.
pub fn need(node: &Node, document: &mut Document) -> Need {
    let mounted = mounts(&node.get("mountVolumes"), document);
    let cluster = node.get("cluster").get("id").text();
    node.get("cluster").get("resourceGroup").carried();
    Need {
        cluster: cluster.map(|id| id.rsplit('/').next().unwrap_or("").to_owned()),
        shares: mounted.shares,
        containers: mounted.containers,
        nodes: node.get("nodeCount").number().unwrap_or(1),
        image: container_image(node),
        registry: registry(node),
    }
}

/// The server of the private registry that the job's image is in; its user name and password are not carried over.
fn registry(node: &Node) -> Option<String> {
    let registry = node.get("containerSettings").get("imageSourceRegistry");
    registry.get("credentials").carried();
    registry.get("serverUrl").text().map(|url| host(&url))
}

/// The host of a registry's address.
fn host(url: &str) -> String {
    let url = url.trim_start_matches("https://").trim_start_matches("http://");
    url.trim_end_matches('/').to_ascii_lowercase()
}

/// The container image, with its registry.
fn container_image(node: &Node) -> Option<String> {
    let registry = node.get("containerSettings").get("imageSourceRegistry");
    let image = registry.get("image").text()?;
    let server = registry.get("serverUrl").text().map(|url| format!("{}/", host(&url))).unwrap_or_default();
    // The image may name its server itself.
    let server = if image.to_ascii_lowercase().starts_with(&server) { String::new() } else { server };
    Some(format!("{server}{image}"))
}

/// Writes the `job` block of a job, with what it leaves out as comments.
pub fn job(azure_name: &str, node: &Node, document: &mut Document) {
    let mounted = mounts(&node.get("mountVolumes"), document);
    let mut commands = mounted.commands;
    for variable in node.get("environmentVariables").items() {
        if let (Some(name), Some(value)) = (variable.get("name").text(), variable.get("value").text()) {
            let value = rewritten(&value, document);
            commands.push(format!("export {name}='{}'", value.replace('\'', "'\\''")));
        }
    }
    for secret in node.get("secrets").items() {
        if let Some(name) = secret.get("name").text() {
            document.comment(&format!(
                "The job had a secret `{name}`: let it read the secret from a vault, as the pool's identity."
            ));
            document.warn(&format!("the secret `{name}` of the job is not copied"));
        }
    }
    directories(node, &mut commands, document);
    if let Some(prefix) = node.get("stdOutErrPathPrefix").text() {
        let folder = rewritten(&prefix, document);
        commands
            .push(format!("mkdir -p {folder} && exec > >(tee {folder}/stdout.txt) 2> >(tee {folder}/stderr.txt >&2)"));
    }
    if let Some(preparation) = node.get("jobPreparation").get("commandLine").text() {
        commands.push(rewritten(&preparation, document));
    }
    let (run, mpi) = toolkit(node, document);
    commands.extend(run.map(|r| rewritten(&r, document)));

    let (name, _) = document.name(azure_name, &format!("job {}", azure_name.to_ascii_lowercase()));
    let cluster = node.get("cluster").get("id").text();
    let pool = cluster
        .and_then(|id| {
            let last = id.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
            document.made_for(&format!("cluster {last}"))
        })
        .or_else(|| document.pools.first().cloned());
    let pool = pool.unwrap_or_else(|| "cluster".to_owned());
    let mpi = mpi || commands.iter().any(|command| command.contains("AZ_BATCHAI_MPI_HOST_FILE"));
    own_variables(&mut commands, document);
    let mut lines = vec![format!("pool    = {pool}"), format!("command = {}", script(&commands))];
    let nodes = node.get("nodeCount").number().unwrap_or(1);
    if nodes > 1 {
        lines.push(format!("nodes   = {nodes}"));
    }
    if mpi && nodes > 1 {
        lines.push("mpi     = true".to_owned());
    }
    if let Some(image) = container_image(node) {
        lines.push(format!("environment = {}", quoted(&image)));
        document.warn("container images of 2018 carry old CUDA versions: check that they know the new GPU");
    } else if document.successor == Successor::AzureMl {
        document.warn("a job of Azure Machine Learning needs a container: set `environment`");
    }
    let own = mounted.shares.iter().chain(&mounted.containers).cloned().collect();
    let (inputs, outputs) = data(node, own, &pool, &commands.join("\n"), document);
    for (field, list) in [("inputs ", inputs), ("outputs", outputs)] {
        if !list.is_empty() {
            lines.push(format!("{field} = [{}]", list.join(", ")));
        }
    }
    let limit = node.get("constraints").get("maxWallClockTime");
    if let Some(text) = limit.text() {
        match time_limit(&text) {
            Some(limit) => lines.push(format!("time_limit = {limit}")),
            None => document.comment(&format!("The job was limited to {text}.")),
        }
    }
    if let Some(priority) = node.get("schedulingPriority").text() {
        document.comment(&format!("The job had {priority} priority; give one when submitting it."));
    }
    document.block(&format!("job {name}"), &lines);
}

/// What a job reads and what it writes: everything that it mounts itself, and what its pool mounts as far as the command
/// names it. Batch AI did not tell them apart; where outputs and logs go is written, the rest is read.
fn data(node: &Node, own: Vec<String>, pool: &str, command: &str, document: &Document) -> (Vec<String>, Vec<String>) {
    let outputs = node.get("outputDirectories").items().into_iter().map(|output| output.get("pathPrefix"));
    let written: Vec<String> = outputs
        .chain([node.get("stdOutErrPathPrefix")])
        .filter_map(|path| path.text())
        .map(|path| rewritten(&path, document))
        .collect();
    let place = |name: &String| document.mounted_at.iter().find(|(n, _)| n == name).map(|(_, path)| path.as_str());
    let inside =
        |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    let mounted = document.mounted_by.iter().find(|(name, _)| name == pool).map(|(_, names)| names);
    let mut all = own;
    for name in mounted.into_iter().flatten() {
        let named = place(name).is_some_and(|path| command.contains(path));
        if named && !all.contains(name) {
            all.push(name.clone());
        }
    }
    all.into_iter().partition(|name| !place(name).is_some_and(|at| written.iter().any(|path| inside(path, at))))
}

/// Variables that only Batch AI set: what has a successor gets it, the others are reported.
fn own_variables(commands: &mut Vec<String>, document: &mut Document) {
    let text = commands.join("\n");
    if document.successor == Successor::AzureBatch {
        let known = [
            ("AZ_BATCHAI_JOB_TEMP", "$AZ_BATCH_TASK_WORKING_DIR"),
            ("AZ_BATCHAI_SHARED_JOB_TEMP", "$AZ_BATCH_TASK_SHARED_DIR"),
            // The file that a job under MPI gets.
            ("AZ_BATCHAI_MPI_HOST_FILE", "$AZ_BATCH_TASK_WORKING_DIR/hosts"),
        ];
        for (old, new) in known.into_iter().rev() {
            if text.contains(&format!("${old}")) {
                commands.insert(0, format!("export {old}={new}"));
            }
        }
    }
    let text = commands.join("\n");
    let mut unknown: Vec<&str> = text
        .split('$')
        .skip(1)
        .map(|rest| rest.trim_start_matches('{'))
        .map(|rest| rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or(""))
        .filter(|name| name.starts_with("AZ_BATCHAI_") && !text.contains(&format!("export {name}=")))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    for name in unknown {
        document.warn(&format!("the job reads `{name}`, which only Batch AI set"));
    }
}

/// `AZ_BATCHAI_INPUT_x` and `AZ_BATCHAI_OUTPUT_x`, which commands read.
fn directories(node: &Node, commands: &mut Vec<String>, document: &Document) {
    for input in node.get("inputDirectories").items() {
        if let (Some(id), Some(path)) = (input.get("id").text(), input.get("path").text()) {
            commands.push(format!("export AZ_BATCHAI_INPUT_{id}={}", rewritten(&path, document)));
        }
    }
    for output in node.get("outputDirectories").items() {
        if let (Some(id), Some(prefix)) = (output.get("id").text(), output.get("pathPrefix").text()) {
            let suffix = output.get("pathSuffix").text().map(|s| format!("/{s}")).unwrap_or_default();
            let folder = format!("{}{suffix}", rewritten(&prefix, document));
            commands.push(format!("export AZ_BATCHAI_OUTPUT_{id}={folder} && mkdir -p {folder}"));
        }
    }
}

/// The command of the toolkit, and whether it runs under MPI.
fn toolkit(node: &Node, document: &mut Document) -> (Option<String>, bool) {
    let custom = node.get("customToolkitSettings");
    if custom.exists() {
        return (custom.get("commandLine").text(), false);
    }
    let mpi = node.get("customMpiSettings");
    if mpi.exists() {
        let count = mpi.get("processCount").number();
        return (mpi.get("commandLine").text().map(|c| mpirun(&c, count)), true);
    }
    for (name, under_mpi) in [
        ("horovodSettings", true),
        ("chainerSettings", true),
        ("cntkSettings", true),
        ("pyTorchSettings", false),
        ("caffeSettings", false),
        ("caffe2Settings", false),
        ("tensorFlowSettings", false),
    ] {
        let settings = node.get(name);
        if settings.exists() {
            return (script_of(name, &settings, under_mpi, document), under_mpi);
        }
    }
    (None, false)
}

fn mpirun(command: &str, count: Option<i64>) -> String {
    let count = count.map(|n| format!(" -n {n}")).unwrap_or_default();
    format!("mpirun{count} {command}")
}

fn script_of(name: &str, settings: &Node, under_mpi: bool, document: &mut Document) -> Option<String> {
    if let Some(language) = settings.get("languageType").text() {
        document.comment(&format!("The script was in {language}."));
    }
    let program = match (settings.get("pythonScriptFilePath").text(), settings.get("configFilePath").text()) {
        (Some(script), _) => {
            let python = settings.get("pythonInterpreterPath").text().unwrap_or_else(|| "python".to_owned());
            format!("{python} {script}")
        }
        (None, Some(config)) if name == "cntkSettings" => format!("cntk configFile={config}"),
        (None, Some(config)) => format!("caffe train --solver={config}"),
        (None, None) => return None,
    };
    let arguments = settings
        .get("commandLineArgs")
        .text()
        .or_else(|| settings.get("masterCommandLineArgs").text())
        .map(|a| format!(" {a}"))
        .unwrap_or_default();
    for (field, role) in [("workerCommandLineArgs", "worker"), ("parameterServerCommandLineArgs", "parameter server")] {
        if let Some(text) = settings.get(field).text() {
            document.comment(&format!("As {role} it ran with: {text}"));
            document
                .warn("tasks of different roles (workers, parameter servers) have to be distinguished in the command");
        }
    }
    for (field, role) in [("workerCount", "workers"), ("parameterServerCount", "parameter servers")] {
        if let Some(count) = settings.get(field).number() {
            document.comment(&format!("It had {count} {role}."));
        }
    }
    if let Some(backend) = settings.get("communicationBackend").text() {
        document.comment(&format!("Its processes talked through {backend}."));
    }
    let count = settings.get("processCount").number();
    let command = format!("{program}{arguments}");
    if under_mpi {
        return Some(mpirun(&command, count));
    }
    if let Some(count) = count {
        document.comment(&format!("It had {count} processes."));
    }
    Some(command)
}

/// `7.00:00:00` (days, hours, minutes, seconds), `7 days, 0:00:00`, or an ISO duration of whole units.
fn time_limit(text: &str) -> Option<String> {
    let dotted = text.replacen(" days, ", ".", 1).replacen(" day, ", ".", 1);
    let text = dotted.as_str();
    if let Some(iso) = text.strip_prefix("PT") {
        let (number, unit) = iso.split_at_checked(iso.len().checked_sub(1)?)?;
        let number: u32 = number.parse().ok()?;
        return Some(format!(
            "{number} {}",
            match unit {
                "H" => "h",
                "M" => "min",
                "S" => "s",
                _ => return None,
            }
        ));
    }
    if let Some(days) = text.strip_prefix('P').and_then(|t| t.strip_suffix('D')) {
        return days.parse::<u32>().ok().map(|d| format!("{d} days"));
    }
    let (days, clock) = text.split_once('.').unwrap_or(("0", text));
    let mut parts = clock.split(':').map(|p| p.parse::<u64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let days = days.parse::<u64>().ok()?;
    let hours = days.checked_mul(24)?.checked_add(hours)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    let total = minutes.checked_mul(60)?.checked_add(seconds)?;
    Some(match total {
        t if t % 86_400 == 0 => format!("{} days", t / 86_400),
        t if t % 3600 == 0 => format!("{} h", t / 3600),
        t if t % 60 == 0 => format!("{} min", t / 60),
        t => format!("{t} s"),
    })
}
