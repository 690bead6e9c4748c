//! Mounted file systems and file servers → shares and containers.

use super::Successor;
use super::read::Node;
use super::write::{Document, quoted};

/// What a cluster or a job mounts.
#[derive(Default)]
pub struct Mounts {
    /// Shares, by their new names.
    pub shares: Vec<String>,
    /// Blob containers, by their new names.
    pub containers: Vec<String>,
    /// Commands that mount what the successor has no word for.
    pub commands: Vec<String>,
}

/// Where the block `name`, mounted at a relative path, is now. What is mounted twice keeps its first place.
fn place(name: &str, relative: &str, document: &mut Document) -> String {
    let relative = relative.trim_matches('/');
    let known = document.mounted_at.iter().find(|(n, _)| n == name).map(|(_, path)| path.clone());
    let path = known.unwrap_or_else(|| format!("/data/{relative}"));
    if !document.mounts.iter().any(|(from, _)| from == relative) {
        document.mounts.push((relative.to_owned(), path.clone()));
    }
    if !document.mounted_at.iter().any(|(n, _)| n == name) {
        document.mounted_at.push((name.to_owned(), path.clone()));
    }
    path
}

/// The name of a storage account; a parameter where the definition has a placeholder.
fn account(written: &str, document: &mut Document) -> String {
    let usable =
        (3..=24).contains(&written.len()) && written.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if usable {
        return quoted(written);
    }
    document.param(
        &format!("Name of the storage account that the definition calls {written}."),
        "param storage_account: string",
    );
    "storage_account".to_owned()
}

/// Carries over everything under `mountVolumes`.
pub fn mounts(volumes: &Node, document: &mut Document) -> Mounts {
    let mut all = Mounts::default();
    for share in volumes.get("azureFileShares").items() {
        all.shares.extend(file_share(&share, document));
    }
    for container in volumes.get("azureBlobFileSystems").items() {
        all.containers.extend(blob_container(&container, document));
    }
    for server in volumes.get("fileServers").items() {
        all.shares.extend(mounted_server(&server, document));
    }
    for other in volumes.get("unmanagedFileSystems").items() {
        if let (Some(command), Some(relative)) =
            (other.get("mountCommand").text(), other.get("relativeMountPath").text())
        {
            let path = place(&relative, &relative, document);
            all.commands.push(format!("mkdir -p {path} && {command} {path}"));
        }
    }
    all
}

fn file_share(share: &Node, document: &mut Document) -> Option<String> {
    let url = share.get("azureFileUrl").text()?;
    let relative = share.get("relativeMountPath").text().unwrap_or_else(|| "afs".to_owned());
    let host = url.trim_start_matches("https://");
    let (host, path) = host.split_once('/').unwrap_or((host, ""));
    let account = share.get("accountName").text().unwrap_or_else(|| host.split('.').next().unwrap_or("").to_owned());
    let key = format!("share {account}/{path}");
    let (name, new) = document.name(path, &key);
    let mount = place(&name, &relative, document);
    credentials(&share.get("credentials"), document);
    let modes = ["fileMode", "directoryMode"].map(|m| share.get(m).text());
    if !new {
        return Some(name);
    }
    let account = self::account(&account, document);
    let mut lines = vec![
        format!("account = {account}"),
        format!("name    = {}", quoted(path.trim_end_matches('/'))),
        format!("mount   = {}", quoted(&mount)),
        "auth    = account_key".to_owned(),
    ];
    for ((mode, field), what) in modes.into_iter().zip(["file_mode", "directory_mode"]).zip(["Files", "Folders"]) {
        let Some(mode) = mode else { continue };
        if closed_to_others(&mode) {
            lines.push(format!("{field} = {}", quoted(&mode)));
        } else {
            // Modes that let every account in are not for pools of people; here only tasks run.
            document.comment(&match document.successor {
                Successor::AzureBatch => format!("{what} had the mode {mode}; now every task may read and write them."),
                Successor::AzureMl => format!("{what} had the mode {mode}; now the service mounts for each job."),
            });
        }
    }
    document.block(&format!("existing share {name}"), &lines);
    Some(name)
}

/// Whether a mode is one of three or four octal digits that leaves other accounts out.
fn closed_to_others(mode: &str) -> bool {
    (3..=4).contains(&mode.len()) && mode.bytes().all(|b| (b'0'..=b'7').contains(&b)) && mode.ends_with('0')
}

fn blob_container(container: &Node, document: &mut Document) -> Option<String> {
    let account = container.get("accountName").text()?;
    let azure_name = container.get("containerName").text()?;
    let relative = container.get("relativeMountPath").text().unwrap_or_else(|| "bfs".to_owned());
    let key = format!("container {account}/{azure_name}");
    let (name, new) = document.name(&azure_name, &key);
    let mount = place(&name, &relative, document);
    if container.get("credentials").get("accountKey").exists()
        || container.get("credentials").get("accountKeySecretReference").exists()
    {
        document.warn("blob containers are mounted by the pool's identity: give it the role Storage Blob Data Contributor where a container exists already");
        container.get("credentials").carried();
    }
    let options = container.get("mountOptions").text();
    if !new {
        return Some(name);
    }
    let account = self::account(&account, document);
    let mut lines = vec![
        format!("account = {account}"),
        format!("name    = {}", quoted(&azure_name)),
        format!("mount   = {}", quoted(&mount)),
    ];
    lines.extend(options.map(|o| format!("options = {}", quoted(&o))));
    document.block(&format!("existing container {name}"), &lines);
    Some(name)
}

/// Keys are not carried over: the template reads the account's own when it is deployed.
fn credentials(credentials: &Node, document: &mut Document) {
    if credentials.exists() {
        document.warn(
            "keys of storage accounts are not copied: the template reads them from the account when it is deployed",
        );
        credentials.carried();
    }
}

/// A mount of a file server: by the last part of its id.
fn mounted_server(server: &Node, document: &mut Document) -> Option<String> {
    let id = server.get("fileServer").get("id").text()?;
    let relative = server.get("relativeMountPath").text().unwrap_or_else(|| "nfs".to_owned());
    let azure_name = id.rsplit('/').next().unwrap_or("nfs").trim_matches(['<', '>']).to_owned();
    let source = server.get("sourceDirectory").text();
    let options = server.get("mountOptions").text();
    let (name, new) = document.name(&azure_name, &format!("server {}", azure_name.to_ascii_lowercase()));
    let mount = place(&name, &relative, document);
    if let Some(source) = source {
        document
            .warn(&format!("the file server exported the folder `{source}`; an Azure Files share is mounted whole"));
    }
    if new {
        document.comment(&format!("Takes the place of the file server {azure_name}; copy its files from /mnt/data."));
        let mut lines = vec![way(document), "quota    = 1 TiB".to_owned(), format!("mount    = {}", quoted(&mount))];
        let options = options.filter(|o| o != "rw");
        if document.successor == Successor::AzureMl {
            options.iter().for_each(|o| document.comment(&format!("It was mounted with {o}.")));
        } else {
            lines.extend(options.map(|o| {
                let each: Vec<String> = o.split(',').map(|part| quoted(part.trim())).collect();
                format!("options  = [{}]", each.join(", "))
            }));
        }
        document.block(&format!("share {name}"), &lines);
    }
    Some(name)
}

/// How the share that takes the place of a file server is mounted: Azure Machine Learning has no datastore for NFS.
fn way(document: &Document) -> String {
    match document.successor {
        Successor::AzureBatch => "protocol = nfs".to_owned(),
        Successor::AzureMl => "auth     = account_key".to_owned(),
    }
}

/// A file server: one machine with striped disks becomes an NFS share.
pub fn file_server(azure_name: &str, node: &Node, document: &mut Document) {
    document.location(node.get("location").text());
    let (name, _) = document.name(azure_name, &format!("server {}", azure_name.to_ascii_lowercase()));
    let disks = node.get("dataDisks");
    let size = disks.get("diskSizeInGB").number().unwrap_or(1024);
    let count = disks.get("diskCount").number().unwrap_or(1);
    let kind = disks.get("storageAccountType").text();
    let machine = node.get("vmSize").text().unwrap_or_else(|| "a machine".to_owned());
    document.comment(&format!(
        "Takes the place of the file server {azure_name}: {machine} with {count} disks of {size} GiB{}. Copy its files from /mnt/data.",
        kind.map(|k| format!(" ({k})")).unwrap_or_default()
    ));
    document.warn(match document.successor {
        Successor::AzureBatch => "a file server was one machine without a copy of its disks; an NFS share of Azure Files replaces it and needs the network of the pool",
        Successor::AzureMl => "a file server was one machine without a copy of its disks; a share of Azure Files replaces it, as a datastore of the workspace",
    });
    document.mounted_at.push((name.clone(), format!("/data/{azure_name}")));
    let way = way(document);
    // Premium file shares begin at 100 GiB.
    document.block(
        &format!("share {name}"),
        &[
            way,
            format!("quota    = {} GiB", (size.saturating_mul(count)).clamp(100, 102_400)),
            format!("mount    = {}", quoted(&format!("/data/{azure_name}"))),
        ],
    );
}
