//! Workspaces of Azure Machine Learning with what they need, compute clusters, and datastores for what is mounted.

use super::account::{Keys, count, storage_account, user_assigned};
use super::{BatchPoolNames, Homes, child};
use crate::context::{Builder, Named, plain_node, resource_id};
use crate::expr::Text;
use crate::json::{Json, Map, json};
use crate::{NodeId, values, versions as v};
use dsvm_diagnostics::source::Span;
use dsvm_model::batch::scale::Scale;
use dsvm_model::batch::support::Workspace;
use dsvm_model::batch::{BatchPool, Service};
use dsvm_model::read;
use dsvm_model::units::bounds;
use dsvm_sema::table::BlockKind;
use std::collections::BTreeSet;

/// All workspaces that are not somebody else's.
pub(super) fn workspaces(builder: &mut Builder<'_, '_>) -> Homes {
    let mut homes = Homes::default();
    let fleet = builder.fleet;
    for (index, workspace) in fleet.around.workspaces.iter().enumerate() {
        let node = match builder.names.batch.workspaces.get(index).cloned() {
            Some(named) if !workspace.existing => {
                let id = one(builder, &named, Some(workspace), workspace.block.name_span);
                builder.by_block.insert(workspace.id, id);
                Some(id)
            }
            _ => None,
        };
        homes.declared.push(node);
    }
    if let Some(named) = builder.names.batch.own_workspace.clone() {
        let homeless = fleet.batch.iter().find(|p| p.home.is_none() && p.service == Service::AzureMl);
        let span = homeless.map_or(builder.project_span, |p| p.block.name_span);
        homes.own = Some(one(builder, &named, None, span));
    }
    homes
}

fn one(builder: &mut Builder<'_, '_>, named: &Named, workspace: Option<&Workspace<'_>>, span: Span) -> NodeId {
    let block = workspace.map(|w| w.block);
    let key = workspace.map_or_else(|| read::dashed(builder.fleet.name), |w| read::dashed(&w.block.name));
    let (store, store_node) =
        storage_account(builder, ("Storage", Keys::Allowed), &format!("{key}-workspace"), block, span);
    let mut needs: BTreeSet<NodeId> = BTreeSet::from([store_node]);
    let vault = match workspace.and_then(|w| w.vault) {
        Some(vault) => {
            needs.extend(builder.by_block.get(&vault).copied());
            builder.resolver().attribute(vault, "id")
        }
        None => {
            let (vault, node) = vault(builder, &key, block, span);
            needs.insert(node);
            vault.id
        }
    };
    let insights = insights(builder, &key, block, span);
    needs.insert(insights.1);
    let public = if workspace.is_none_or(|w| w.public) { "Enabled" } else { "Disabled" };
    let mut properties = Map::new();
    if let Some(name) = block.and_then(|b| read::late(b, "display_name")) {
        properties.insert("friendlyName".into(), values::text(name, &builder.resolver()).into());
    }
    properties.insert("storageAccount".into(), store.id.json().into());
    properties.insert("keyVault".into(), vault.json().into());
    properties.insert("applicationInsights".into(), insights.0.id.json().into());
    properties.insert("publicNetworkAccess".into(), json!(public));
    let mut body = Map::new();
    body.insert("identity".into(), json!({ "type": "SystemAssigned" }));
    body.insert("sku".into(), json!({ "name": "Basic", "tier": "Basic" }));
    body.insert("properties".into(), Json::Object(properties));
    let mut node = builder.node(v::WORKSPACE, named, block, body, span);
    node.needs = needs;
    builder.add(node)
}

fn vault(
    builder: &mut Builder<'_, '_>,
    key: &str,
    block: Option<&dsvm_sema::checked::Block>,
    span: Span,
) -> (Named, NodeId) {
    let name = builder.names.made_up("Vault", "kv-", &format!("{key}-workspace"));
    let named = Named { id: resource_id(v::VAULT, std::slice::from_ref(&name), None), name };
    let mut body = Map::new();
    body.insert(
        "properties".into(),
        json!({
            "tenantId": "[subscription().tenantId]",
            "sku": { "family": "A", "name": "standard" },
            "enableRbacAuthorization": true,
            "enableSoftDelete": true,
            "softDeleteRetentionInDays": 90,
            "enablePurgeProtection": true,
            "publicNetworkAccess": "Enabled",
            "networkAcls": { "bypass": "AzureServices", "defaultAction": "Allow" },
        }),
    );
    let node = builder.node(v::VAULT, &named, block, body, span);
    let id = builder.add(node);
    (named, id)
}

fn insights(
    builder: &mut Builder<'_, '_>,
    key: &str,
    block: Option<&dsvm_sema::checked::Block>,
    span: Span,
) -> (Named, NodeId) {
    let logs = Named::here(v::LOGS, format!("log-{key}"));
    let mut body = Map::new();
    body.insert("properties".into(), json!({ "sku": { "name": "PerGB2018" }, "retentionInDays": 30 }));
    let node = builder.node(v::LOGS, &logs, block, body, span);
    let logs_node = builder.add(node);
    let insights = Named::here(v::INSIGHTS, format!("appi-{key}"));
    let mut body = Map::new();
    body.insert("kind".into(), json!("web"));
    body.insert("properties".into(), json!({ "Application_Type": "web", "WorkspaceResourceId": logs.id.json() }));
    let mut node = builder.node(v::INSIGHTS, &insights, block, body, span);
    node.needs.insert(logs_node);
    let id = builder.add(node);
    (insights, id)
}

/// A compute cluster and the datastores of what it mounts.
pub(super) fn cluster(
    builder: &mut Builder<'_, '_>,
    pool: &BatchPool<'_>,
    names: &BatchPoolNames,
    identity: Option<NodeId>,
    home: Option<NodeId>,
) {
    let span = pool.block.name_span;
    let mut properties = Map::new();
    properties.insert("osType".into(), json!("Linux"));
    properties.insert("vmSize".into(), json!(pool.size.name()));
    properties.insert("vmPriority".into(), json!(if pool.spot { "LowPriority" } else { "Dedicated" }));
    if let Scale::Range { least, most, idle } = &pool.scale {
        let mut scale = Map::new();
        scale.insert("minNodeCount".into(), count(builder, least));
        scale.insert("maxNodeCount".into(), count(builder, most));
        scale.insert(
            "nodeIdleTimeBeforeScaleDown".into(),
            json!(values::iso(idle.unwrap_or_else(|| bounds::IDLE.nearest(120)))),
        );
        properties.insert("scaleSettings".into(), Json::Object(scale));
    }
    let subnet = pool.network.and_then(|(n, s)| builder.network_plans.get(n)?.subnets.get(s)).cloned();
    if let Some(subnet) = &subnet {
        properties.insert("subnet".into(), json!({ "id": subnet.json() }));
    }
    properties.insert("enableNodePublicIp".into(), json!(read::flag(pool.block, "public_ip", true)));
    let ssh = if read::flag(pool.block, "ssh", false) { "Enabled" } else { "Disabled" };
    properties.insert("remoteLoginPortPublicAccess".into(), json!(ssh));
    if let Some(admin) = read::child(pool.block, BlockKind::Admin) {
        let resolver = builder.resolver();
        let mut account = Map::new();
        if let Some(name) = read::late(admin, "name") {
            account.insert("adminUserName".into(), values::text(name, &resolver).into());
        }
        if let Some(key) = read::items(admin, "key").first() {
            account.insert("adminUserSshPublicKey".into(), values::text(key, &resolver).into());
        }
        if let Some(password) = read::late(admin, "password") {
            account.insert("adminUserPassword".into(), values::text(password, &resolver).into());
        }
        properties.insert("userAccountCredentials".into(), Json::Object(account));
    }
    let mut body = Map::new();
    if let Some(identity) = user_assigned(names.identity.as_ref()) {
        body.insert("identity".into(), identity);
    }
    body.insert("properties".into(), json!({ "computeType": "AmlCompute", "properties": properties }));
    let mut node = builder.node(v::COMPUTE, &names.pool, Some(pool.block), body, span);
    node.needs = identity.into_iter().chain(home).collect();
    if let Some((network, _)) = pool.network {
        node.needs.extend(builder.network_nodes.get(&network).into_iter().flatten().copied());
    }
    let id = builder.add(node);
    builder.by_block.insert(pool.id, id);
    datastores(builder, pool, names, home);
}

fn datastores(builder: &mut Builder<'_, '_>, pool: &BatchPool<'_>, names: &BatchPoolNames, home: Option<NodeId>) {
    let fleet = builder.fleet;
    for index in &pool.shares {
        let (Some(share), Some(of)) = (fleet.shares.get(*index), builder.names.shares.get(*index).cloned()) else {
            continue;
        };
        let keys = Text::call("listKeys", &[of.account.id.clone(), Text::literal(v::version(v::STORAGE))]);
        let properties = json!({
            "datastoreType": "AzureFile",
            "accountName": of.account.name.json(),
            "fileShareName": of.share.name.json(),
            "credentials": {
                "credentialsType": "AccountKey",
                "secrets": { "secretsType": "AccountKey", "key": format!("[{}.keys[0].value]", keys.inner()) },
            },
        });
        let ready: Vec<NodeId> = builder.share_nodes.get(index).cloned().unwrap_or_default();
        datastore(
            builder,
            names,
            (&share.block.name, share.span()),
            properties,
            home.into_iter().chain(ready).collect(),
        );
    }
    for index in &pool.containers {
        let Some(container) = fleet.around.containers.get(*index) else { continue };
        let Some(of) = builder.names.batch.containers.get(*index).cloned() else { continue };
        let properties = json!({
            "datastoreType": "AzureBlob",
            "accountName": of.account.name.json(),
            "containerName": of.container.name.json(),
            "credentials": { "credentialsType": "None" },
        });
        let ready = builder.by_block.get(&container.id).copied();
        let needs = home.into_iter().chain(ready).collect();
        datastore(builder, names, (&container.block.name, container.block.name_span), properties, needs);
    }
}

fn datastore(
    builder: &mut Builder<'_, '_>,
    names: &BatchPoolNames,
    (name, span): (&str, Span),
    properties: Json,
    needs: BTreeSet<NodeId>,
) {
    // Names of datastores take letters, digits and underscores.
    let named = child(v::DATASTORE, &names.home, Text::literal(name.replace('-', "_")));
    if builder.nodes.iter().any(|n| n.id == named.id) {
        return;
    }
    let mut body = Map::new();
    body.insert("properties".into(), properties);
    let mut node = plain_node(v::DATASTORE, &named, body, span);
    node.needs = needs;
    builder.add(node);
}
