//! A pool of Azure Batch.

use super::container::{self, Breadth};
use super::start::{relative, task};
use super::{PoolContext, registry, user_assigned};
use crate::expr::Text;
use crate::ids::{account_key, resource_id};
use crate::input::Input;
use crate::internal::Built;
use crate::json::{Json, Map, json};
use crate::names::BatchPoolNames;
use crate::node::{Node, NodeId};
use crate::nodes::Nodes;
use crate::profile::image_id_property;
use crate::roles::BLOB_CONTRIBUTOR;
use crate::{values, versions as v, words};
use dsvm_model::batch::BatchPool;
use dsvm_model::batch::scale::Scale;
use dsvm_model::read;
use dsvm_model::share::Protocol;
use dsvm_sema::table::View;
use dsvm_sema::table::batch::Nat;
use dsvm_sema::table::words::{BatchOsDisk, Placement};
use dsvm_sema::value::Value;
use std::collections::BTreeSet;

/// Builds the pool and the roles of its identity.
pub(super) fn build(
    input: &Input<'_, '_>,
    (pool, names): (&BatchPool<'_>, &BatchPoolNames),
    context: &PoolContext<'_>,
    nodes: &mut Nodes,
) -> Built<NodeId> {
    let span = pool.block.name_span;
    let mut needs: BTreeSet<NodeId> = context.first(pool).collect();
    if let Some(identity) = &names.identity {
        for container in &pool.containers {
            needs.insert(container::grant(
                input,
                (*container, BLOB_CONTRIBUTOR, Breadth::Container),
                identity,
                context,
                span,
                nodes,
            )?);
        }
        needs.extend(registry::grants(input, pool, identity, context, nodes));
    }
    needs.extend(pool.shares.iter().flat_map(|share| context.shared.share(*share)));
    let mut properties = Map::new();
    if let Some(name) = read::present(pool.view.fields().display_name()) {
        properties.insert("displayName".into(), input.text(name).into());
    }
    properties.insert("vmSize".into(), super::size(pool));
    properties.insert(
        "deploymentConfiguration".into(),
        json!({ "virtualMachineConfiguration": machine(input, pool, names) }),
    );
    properties.insert("scaleSettings".into(), scale(input, pool));
    properties.insert("taskSlotsPerNode".into(), json!(pool.task_slots));
    properties.insert("taskSchedulingPolicy".into(), json!({ "nodeFillType": words::fill(pool.view.fill()) }));
    let connected = if pool.view.inter_node() { "Enabled" } else { "Disabled" };
    properties.insert("interNodeCommunication".into(), json!(connected));
    let network = network(pool, context)?;
    if !network.is_empty() {
        properties.insert("networkConfiguration".into(), Json::Object(network));
    }
    let (mounts, paths) = mounts(input, pool, names)?;
    if let Some(start) = task(pool, &paths) {
        properties.insert("startTask".into(), start);
    }
    if !mounts.is_empty() {
        properties.insert("mountConfiguration".into(), Json::Array(mounts));
    }
    let applications: Vec<Json> = pool
        .view
        .applications()
        .into_iter()
        .flatten()
        .map(|a| match a.split_once(':') {
            Some((id, version)) => json!({ "id": package(names, id).json(), "version": version }),
            None => json!({ "id": package(names, a).json() }),
        })
        .collect();
    if !applications.is_empty() {
        properties.insert("applicationPackages".into(), Json::Array(applications));
    }
    let users = users(input, pool);
    if !users.is_empty() {
        properties.insert("userAccounts".into(), Json::Array(users));
    }
    if let Some(mode) = pool.view.upgrade_mode() {
        properties.insert("upgradePolicy".into(), json!({ "mode": words::batch_upgrade_mode(mode) }));
    }
    let mut body = Map::new();
    let tags = input.tags(Some(pool.block));
    if !tags.is_empty() {
        body.insert("tags".into(), Json::Object(tags));
    }
    if let Some(identity) = user_assigned(names.identity.as_ref()) {
        body.insert("identity".into(), identity);
    }
    body.insert("properties".into(), Json::Object(properties));
    let mut node = Node::new(v::BATCH_POOL, &names.pool, body, span);
    node.needs = needs;
    Ok(nodes.add_for(pool.id, node))
}

fn package(names: &BatchPoolNames, id: &str) -> Text {
    resource_id(v::BATCH_APPLICATION, &[names.home.name.clone(), Text::literal(id)], None)
}

/// Image, node agent, containers, disks.
fn machine(input: &Input<'_, '_>, pool: &BatchPool<'_>, names: &BatchPoolNames) -> Json {
    let mut machine = Map::new();
    if let Some(image) = pool.image {
        let reference = match (image.id(), image.marketplace()) {
            (Some(id), _) => {
                let id = input.text(id);
                let mut map = Map::new();
                map.insert(image_id_property(&id).into(), id.into());
                Json::Object(map)
            }
            (None, Some((publisher, offer, sku))) => {
                let version = image.version().map(|version| input.text(version).json());
                json!({ "publisher": publisher, "offer": offer, "sku": sku, "version": version })
            }
            (None, None) => json!({}),
        };
        machine.insert("imageReference".into(), reference);
        machine.insert("nodeAgentSkuId".into(), json!(image.0.node_agent()));
    }
    if let Some(docker) = pool.view.docker() {
        let mut configuration = Map::new();
        configuration.insert("type".into(), json!("DockerCompatible"));
        let images: Vec<&str> = docker.images().into_iter().flatten().collect();
        if !images.is_empty() {
            configuration.insert("containerImageNames".into(), json!(images));
        }
        if let (Some(registry), Some(identity)) = (docker.registry(), &names.identity) {
            let server = registry::server(input, &registry);
            let access =
                json!([{ "registryServer": server.json(), "identityReference": { "resourceId": identity.id.json() } }]);
            configuration.insert("containerRegistries".into(), access);
        }
        machine.insert("containerConfiguration".into(), Json::Object(configuration));
    }
    match pool.view.placement() {
        Placement::Zonal => {
            machine.insert("nodePlacementConfiguration".into(), json!({ "policy": "Zonal" }));
        }
        Placement::Regional => {}
    }
    match pool.view.os_disk() {
        BatchOsDisk::Ephemeral => {
            machine.insert("osDisk".into(), json!({ "ephemeralOSDiskSettings": { "placement": "CacheDisk" } }));
        }
        BatchOsDisk::Managed => {}
    }
    Json::Object(machine)
}

fn scale(input: &Input<'_, '_>, pool: &BatchPool<'_>) -> Json {
    match &pool.scale {
        Scale::Fixed { dedicated, spot, timeout, on_removal } => json!({ "fixedScale": {
            "targetDedicatedNodes": values::json(dedicated, &input.resolver()),
            "targetLowPriorityNodes": values::json(spot, &input.resolver()),
            "resizeTimeout": values::iso(*timeout),
            "nodeDeallocationOption": words::on_removal(*on_removal),
        } }),
        Scale::Formula { text, holes, every, .. } => json!({ "autoScale": {
            "formula": filled(input, text, holes).json(),
            "evaluationInterval": values::iso(*every),
        } }),
        Scale::Range { .. } => json!({}),
    }
}

/// The formula's text with parameters in its holes.
fn filled(input: &Input<'_, '_>, text: &str, holes: &[(String, Value)]) -> Text {
    let mut parts = vec![Text::literal(text)];
    for (hole, value) in holes {
        let value = Text::Expression(format!("string({})", input.text(value).inner()));
        let mut next = Vec::new();
        for part in parts {
            match part {
                Text::Literal(text) => {
                    for (index, piece) in text.split(hole.as_str()).enumerate() {
                        if index > 0 {
                            next.push(value.clone());
                        }
                        next.push(Text::literal(piece));
                    }
                }
                other => next.push(other),
            }
        }
        parts = next;
    }
    Text::concat(&parts)
}

fn network(pool: &BatchPool<'_>, context: &PoolContext<'_>) -> Built<Map> {
    let mut map = Map::new();
    let span = pool.block.name_span;
    let subnet = pool.network.map(|place| context.shared.plans.subnet(place, span)).transpose()?;
    if let Some(subnet) = subnet {
        map.insert("subnetId".into(), subnet.into());
    }
    // Priorities are unique in a pool: those that allow go up from the lowest, those that deny the rest down from the highest.
    let (mut allow, mut deny) = (150..4000_i64, (4000..=4096_i64).rev());
    let nat: Vec<Json> = pool.view.nats().map(|nat| nat_pool(nat, &mut allow, &mut deny)).collect();
    if !nat.is_empty() {
        map.insert("endpointConfiguration".into(), json!({ "inboundNatPools": nat }));
    }
    let public = pool.view.public_ip();
    if subnet.is_some() || !public {
        let provision = if public { "BatchManaged" } else { "NoPublicIPAddresses" };
        map.insert("publicIPAddressConfiguration".into(), json!({ "provision": provision }));
    }
    if pool.view.accelerated_networking() == Some(true) {
        map.insert("enableAcceleratedNetworking".into(), json!(true));
    }
    Ok(map)
}

fn nat_pool(nat: View<'_, Nat>, allow: &mut impl Iterator<Item = i64>, deny: &mut impl Iterator<Item = i64>) -> Json {
    let range = read::Machines::of(nat.fields().frontend());
    let (from, to) = range.map_or((0, 0), |r| (r.least().unwrap_or(0), r.most().unwrap_or(0)));
    let sources = nat.from().unwrap_or_default().values();
    let mut rules: Vec<Json> = sources
        .iter()
        .zip(allow)
        .map(|(source, priority)| {
            json!({ "priority": priority, "access": "Allow", "sourceAddressPrefix": values::plain(source) })
        })
        .collect();
    rules.push(json!({ "priority": deny.next(), "access": "Deny", "sourceAddressPrefix": "*" }));
    json!({
        "name": read::dashed(&nat.block().name),
        "protocol": words::nat_protocol(nat.protocol()),
        "backendPort": nat.port(),
        "frontendPortRangeStart": from,
        "frontendPortRangeEnd": to,
        "networkSecurityGroupRules": rules,
    })
}

/// Mounts, and the absolute paths that lead to them.
fn mounts<'a>(input: &Input<'a, '_>, pool: &BatchPool<'a>, names: &BatchPoolNames) -> Built<(Vec<Json>, Vec<&'a str>)> {
    let span = pool.block.name_span;
    let (mut mounts, mut paths) = (Vec::new(), Vec::new());
    for index in &pool.shares {
        let (share, of) = input.share(*index, span)?;
        let path = relative(share.mount);
        paths.push(share.mount);
        // Last, so that no other option undoes them: a share brings neither setuid programs nor devices. Containers need no
        // such options: libfuse mounts with both ("mo->flags = MS_NOSUID | MS_NODEV" in
        // <https://github.com/libfuse/libfuse/blob/master/lib/mount.c>).
        let options = share.options.iter().copied().chain(["nosuid", "nodev"]);
        let more: String = options.map(|o| format!(",{o}")).collect();
        mounts.push(match share.protocol {
            Protocol::Nfs => {
                let source = Text::concat(&[
                    of.host.clone(),
                    ":/".into(),
                    of.account.name.clone(),
                    "/".into(),
                    of.share.name.clone(),
                ]);
                // Options as "Encryption in transit for NFS Azure file shares" gives them (2025-05-07). The service passes
                // them to `mount`: in its examples for other file systems they begin with `-o`.
                json!({ "nfsMountConfiguration": {
                    "source": source.json(),
                    "relativeMountPath": path,
                    "mountOptions": format!("-o vers=4,minorversion=1,sec=sys,nconnect=4{more}"),
                } })
            }
            Protocol::Smb => {
                let url = Text::concat(&["https://".into(), of.host.clone(), "/".into(), of.share.name.clone()]);
                let key = account_key(&of.account.id, v::STORAGE);
                let (files, folders) = share.modes.of_tasks();
                // As in "Mount a virtual file system on a Batch pool" (2021-11-11), with the newer dialect of SMB, which
                // encrypts better; the security mode there, `ntlmssp`, is the kernel's default.
                let options = format!("-o vers=3.1.1,file_mode={files},dir_mode={folders}{more}");
                json!({ "azureFileShareConfiguration": {
                    "accountName": of.account.name.json(),
                    "azureFileUrl": url.json(),
                    "accountKey": key.json(),
                    "relativeMountPath": path,
                    "mountOptions": options,
                } })
            }
        });
    }
    for index in &pool.containers {
        let (container, of) = input.container(*index, span)?;
        paths.push(container.mount);
        let mut configuration = Map::new();
        configuration.insert("accountName".into(), of.account.name.json().into());
        configuration.insert("containerName".into(), of.container.name.json().into());
        configuration.insert("relativeMountPath".into(), json!(relative(container.mount)));
        if let Some(identity) = &names.identity {
            configuration.insert("identityReference".into(), json!({ "resourceId": identity.id.json() }));
        }
        let options = format!("-o allow_other {}", container.options);
        configuration.insert("blobfuseOptions".into(), json!(options.trim()));
        mounts.push(json!({ "azureBlobFileSystemConfiguration": configuration }));
    }
    Ok((mounts, paths))
}

fn users(input: &Input<'_, '_>, pool: &BatchPool<'_>) -> Vec<Json> {
    pool.view
        .task_users()
        .map(|user| {
            let mut account = Map::new();
            account.insert("name".into(), json!(user.name().unwrap_or(&user.block().name)));
            if let Some(password) = read::present(user.fields().password()) {
                account.insert("password".into(), input.text(password).into());
            }
            let level = if user.elevated() { "Admin" } else { "NonAdmin" };
            account.insert("elevationLevel".into(), json!(level));
            if let (Some(uid), Some(gid)) = (user.uid(), user.gid()) {
                account.insert("linuxUserConfiguration".into(), json!({ "uid": uid, "gid": gid }));
            }
            Json::Object(account)
        })
        .collect()
}
