//! A cluster → a batch pool.

use super::Successor;
use super::images::image;
use super::mounts::mounts;
use super::read::Node;
use super::sizes::{self, Found};
use super::write::{Document, Need, nested, quoted, script};

/// Writes the pool of a cluster.
pub fn cluster(azure_name: &str, node: &Node, clusters: &[String], document: &mut Document) {
    document.location(node.get("location").text());
    let tags = node.get("tags");
    for key in tags.keys() {
        if let Some(value) = tags.get(&key).text() {
            document.tag(&key, &value);
        }
    }
    let setup = node.get("nodeSetup");
    let mut mounted = mounts(&setup.get("mountVolumes"), document);
    let needs = document.needs_of(azure_name, clusters);
    for need in &needs {
        add_new(&mut mounted.shares, &need.shares);
        add_new(&mut mounted.containers, &need.containers);
    }
    let network = network(&node.get("subnet"), document);
    // room for what the language puts in front of a digit
    let most = if document.successor == Successor::AzureMl { 20 } else { 60 };
    let short = azure_name.get(..most).unwrap_or(azure_name);
    // Azure Machine Learning wants three characters.
    let short = if short.len() < 3 { format!("cluster-{short}") } else { short.to_owned() };
    let (name, _) = document.name(&short, &format!("cluster {}", azure_name.to_ascii_lowercase()));
    document.pools.push(name.clone());
    document.mounted_by.push((name.clone(), [mounted.shares.as_slice(), &mounted.containers].concat()));

    let batch = document.successor == Successor::AzureBatch;
    let mut lines = vec![format!("service  = {}", document.successor.word())];
    let configuration = node.get("virtualMachineConfiguration");
    let before = document.take_comments();
    let size = size(&node.get("vmSize"), document);
    let about_size = document.take_comments();
    before.iter().for_each(|comment| document.comment(comment));
    if batch {
        let needed = (size.trim_start_matches("sizes."), needs.iter().any(|need| need.image.is_some()));
        lines.push(format!("image    = {}", image(&configuration, needed, document)));
    } else if configuration.exists() {
        super::images::report(&configuration, document);
        document.warn("a cluster of Azure Machine Learning has no image: jobs run in containers");
    }
    about_size.iter().for_each(|comment| document.comment(comment));
    lines.push(format!("size     = {size}"));
    scale(&node.get("scaleSettings"), &mut lines, batch, document);
    if node.get("vmPriority").text().is_some_and(|p| p.eq_ignore_ascii_case("lowpriority")) {
        lines.push("priority = spot".to_owned());
    }
    if batch && needs.iter().any(|n| n.nodes > 1) {
        lines.push("inter_node = true".to_owned());
    }
    if !mounted.shares.is_empty() {
        lines.push(format!("shares   = [{}]", mounted.shares.join(", ")));
    }
    if !mounted.containers.is_empty() {
        lines.push(format!("containers = [{}]", mounted.containers.join(", ")));
    }
    if let Some((network, subnet)) = network {
        lines.push(format!("network  = {network}"));
        lines.push(format!("subnet   = {}", quoted(&subnet)));
    }
    docker(&needs, batch, &mut lines, document);
    let user = node.get("userAccountSettings");
    account(&user, batch, &mut lines, document);
    steps(&setup, mounted.commands, batch, &mut lines, document);
    document.block(&format!("pool {name}: batch"), &lines);
}

fn add_new(list: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
}

/// A pool for jobs whose cluster was not given.
pub fn guessed(document: &mut Document) {
    let needs = document.needs.clone();
    let nodes = needs.iter().map(|n| n.nodes).max().unwrap_or(1).max(1);
    let (name, _) = document.name("cluster", "guessed pool");
    document.comment("No cluster was given with the jobs: size and number of machines are a guess.");
    document.warn("no cluster was given with the jobs: check size and number of machines of the pool");
    let mut lines = vec![format!("service  = {}", document.successor.word())];
    let batch = document.successor == Successor::AzureBatch;
    if batch {
        lines.push("image    = images.ubuntu_hpc".to_owned());
    }
    lines.push("size     = sizes.Standard_NC4as_T4_v3".to_owned());
    lines.push(format!("machines = 0..{nodes}"));
    if batch {
        lines.push(nested("autoscale every 5 min", &[]));
        if nodes > 1 {
            lines.push("inter_node = true".to_owned());
        }
    }
    let (mut shares, mut containers) = (Vec::new(), Vec::new());
    for need in &needs {
        add_new(&mut shares, &need.shares);
        add_new(&mut containers, &need.containers);
    }
    document.mounted_by.push((name.clone(), [shares.as_slice(), &containers].concat()));
    for (field, list) in [("shares  ", shares), ("containers", containers)] {
        if !list.is_empty() {
            lines.push(format!("{field} = [{}]", list.join(", ")));
        }
    }
    docker(&needs, batch, &mut lines, document);
    document.pools.push(name.clone());
    document.block(&format!("pool {name}: batch"), &lines);
}

/// Containers that the jobs of a pool run in.
fn docker(needs: &[Need], batch: bool, lines: &mut Vec<String>, document: &mut Document) {
    let mut images: Vec<String> = needs.iter().filter_map(|n| n.image.as_deref()).map(quoted).collect();
    images.sort();
    images.dedup();
    let mut servers: Vec<&str> = needs.iter().filter_map(|n| n.registry.as_deref()).collect();
    servers.sort_unstable();
    servers.dedup();
    // An identity of the machines can read a registry of Azure, and no other.
    let (registries, others): (Vec<&str>, Vec<&str>) = servers.into_iter().partition(|s| s.ends_with(".azurecr.io"));
    for other in others {
        document.warn(&format!("the user name and password of the registry {other} are not copied: move the image to a registry that the identity of the pool can read"));
    }
    for registry in &registries {
        document.warn(&format!("images of {registry} are read by the pool's identity: give it the role AcrPull there"));
    }
    for registry in registries.iter().skip(1) {
        document.comment(&format!("Jobs also used the registry {registry}."));
    }
    if batch && !images.is_empty() {
        let mut inside = vec![format!("images   = [{}]", images.join(", "))];
        inside.extend(registries.first().map(|registry| format!("registry = {}", quoted(registry))));
        lines.push(nested("docker", &inside));
    }
}

fn size(node: &Node, document: &mut Document) -> String {
    let written = node.text().unwrap_or_else(|| "Standard_NC6".to_owned());
    match sizes::find(&written) {
        Found::Current(name) => format!("sizes.{name}"),
        Found::Retired(name, successor) => {
            document.comment(&format!("The size was {name}, which is retired; {successor} takes its place."));
            document.warn(&format!(
                "the size {name} is retired and replaced by {successor}: compare GPUs, memory and price"
            ));
            format!("sizes.{successor}")
        }
        Found::Unknown => {
            document.comment(&format!("The size was {written}, which is not known any more."));
            document.warn(&format!("the size {written} is not known: choose one in its place"));
            "sizes.Standard_D4s_v5".to_owned()
        }
    }
}

fn scale(settings: &Node, lines: &mut Vec<String>, batch: bool, document: &mut Document) {
    let (manual, automatic) = (settings.get("manual"), settings.get("autoScale"));
    if automatic.exists() {
        let least = automatic.get("minimumNodeCount").number().unwrap_or(0);
        let most = automatic.get("maximumNodeCount").number().unwrap_or(least);
        let initially = automatic.get("initialNodeCount").number();
        let start = initially.filter(|i| *i != least && batch);
        let start_text = start.map(|i| format!(" initially {i}")).unwrap_or_default();
        lines.push(format!("machines = {least}..{most}{start_text}"));
        if batch {
            lines.push(nested("autoscale every 5 min", &[]));
        }
        if let Some(given) = initially.filter(|_| !batch) {
            document.comment(&format!("Machines to begin with: {given}."));
        }
        return;
    }
    let count = manual.get("targetNodeCount").number().unwrap_or(0);
    lines.push(format!("machines = {count}"));
    let option = manual.get("nodeDeallocationOption").text();
    let word = match option.as_deref() {
        Some("terminate") => "terminate",
        Some("waitforjobcompletion") => "task_completion",
        // The default of Batch AI; ours is task_completion.
        _ => "requeue",
    };
    if batch {
        lines.push(format!("on_removal = {word}"));
    } else if option.is_some() {
        document.comment(&format!("Running jobs were to be dealt with by `{word}` when the cluster shrank."));
    }
    if count > 0 {
        document.warn("machines of a fixed number cost money while no job runs: a range from 0 follows the jobs");
    }
}

/// The network of a subnet's id, and the subnet.
fn network(subnet: &Node, document: &mut Document) -> Option<(String, String)> {
    let id = subnet.get("id").text()?;
    subnet.get("resourceGroup").carried();
    let part = |after: &str| {
        let mut parts = id.split('/').skip_while(|p| !p.eq_ignore_ascii_case(after));
        parts.nth(1).map(str::to_owned)
    };
    let (Some(network), Some(subnet)) = (part("virtualNetworks"), part("subnets")) else {
        document.comment(&format!("The subnet was {id}."));
        document.warn("the subnet's id could not be read: add the network by hand");
        return None;
    };
    let (name, new) = document.name(&network, &format!("network {}", id.to_ascii_lowercase()));
    let subnet_name = super::write::identifier(&subnet);
    if new {
        let mut lines = vec![format!("name           = {}", quoted(&network))];
        lines.extend(part("resourceGroups").map(|g| format!("resource_group = {}", quoted(&g))));
        lines.push(nested(&format!("subnet {subnet_name}"), &[format!("name = {}", quoted(&subnet))]));
        let comments = document.take_comments();
        document.block(&format!("existing network {name}"), &lines);
        comments.iter().for_each(|c| document.comment(c));
    }
    Some((name, subnet_name))
}

fn account(user: &Node, batch: bool, lines: &mut Vec<String>, document: &mut Document) {
    if !user.exists() {
        return;
    }
    let name = user.get("adminUserName").text();
    let key = user.get("adminUserSshPublicKey").text();
    if batch {
        document.comment(&format!(
            "People logged in as {}. Azure Batch has no log-in of its own: `az batch node user create` makes one for a machine.",
            name.as_deref().unwrap_or("an administrator")
        ));
        return;
    }
    document.param("Public key of the administrator.", "param admin_key: ssh_key");
    if let Some(key) = key {
        document.comment(&format!("The administrator's key was: {}", key.trim()));
    }
    let name = quoted(&name.unwrap_or_else(|| "batchuser".to_owned()));
    lines.push("ssh      = true".to_owned());
    document.comment("The machines took log-ins at their public addresses; `allow ssh from network` closes the port to the internet.");
    lines.push("allow ssh from any".to_owned());
    lines.push(nested("admin", &[format!("name = {name}"), "key  = admin_key".to_owned()]));
}

fn steps(setup: &Node, mut commands: Vec<String>, batch: bool, lines: &mut Vec<String>, document: &mut Document) {
    let task = setup.get("setupTask");
    // only the service set it
    task.get("stdOutErrPathSuffix").carried();
    match task.get("runElevated").truth() {
        // Setups run as administrator.
        Some(true) => {}
        Some(false) if batch => document.comment("The setup ran as an ordinary user; now it runs as administrator."),
        _ => {}
    }
    if !batch {
        for command in &commands {
            document.comment(&format!("Machines ran at their start: {command}"));
        }
        if let Some(command) = task.get("commandLine").text() {
            document.comment(&format!("Machines ran at their start: {}", rewritten(&command, document)));
        }
        if let Some(prefix) = task.get("stdOutErrPathPrefix").text() {
            document.comment(&format!("Their output went to {}.", rewritten(&prefix, document)));
        }
        if task.exists() || !commands.is_empty() {
            document.warn("a cluster of Azure Machine Learning has no setup: put it into the environment of the jobs");
        }
        return;
    }
    for variable in task.get("environmentVariables").items() {
        if let (Some(name), Some(value)) = (variable.get("name").text(), variable.get("value").text()) {
            commands.push(format!("export {name}='{}'", value.replace('\'', "'\\''")));
        }
    }
    for secret in task.get("secrets").items() {
        if let Some(name) = secret.get("name").text() {
            document.comment(&format!(
                "The setup had a secret `{name}`: let the script read it from a vault, as the pool's identity."
            ));
            document.warn(&format!("the secret `{name}` of the setup is not copied"));
        }
    }
    if let Some(command) = task.get("commandLine").text() {
        commands.push(rewritten(&command, document));
    }
    if let Some(prefix) = task.get("stdOutErrPathPrefix").text() {
        let prefix = rewritten(&prefix, document);
        document.comment(&format!(
            "The setup's output went to {prefix}; now it is in the folder `startup` of each machine."
        ));
    }
    if !commands.is_empty() {
        lines.push(nested("setup", &[nested("step prepare", &[format!("run = {}", script(&commands))])]));
    }
}

/// Paths of Batch AI's mount roots as they are now.
pub fn rewritten(text: &str, document: &Document) -> String {
    let mut out = text.to_owned();
    for root in ["AZ_BATCHAI_JOB_MOUNT_ROOT", "AZ_BATCHAI_MOUNT_ROOT"] {
        for (relative, path) in &document.mounts {
            for form in [format!("${root}/{relative}"), format!("${{{root}}}/{relative}")] {
                out = out.replace(&form, path);
            }
        }
        for form in [format!("${root}"), format!("${{{root}}}")] {
            out = out.replace(&form, "/data");
        }
    }
    out
}
