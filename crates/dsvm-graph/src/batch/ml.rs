//! Workspaces of Azure Machine Learning with what they need, compute clusters, and datastores for what is mounted.

use super::container::{self, Breadth};
use super::{Homes, Keys, PoolContext, own_storage, registry, user_assigned};
use crate::ids::{Named, account_key};
use crate::input::{Input, Site};
use crate::internal::{Broken, Built};
use crate::json::{Json, Map, json};
use crate::names::{BatchPoolNames, WorkspaceNames};
use crate::node::{Node, NodeId};
use crate::nodes::Nodes;
use crate::roles::{BLOB_CONTRIBUTOR, BLOB_READER};
use crate::{values, versions as v};
use dsvm_diagnostics::source::Span;
use dsvm_model::batch::scale::Scale;
use dsvm_model::batch::support::Workspace;
use dsvm_model::batch::{BatchPool, Service};
use dsvm_model::read;
use dsvm_model::units::bounds;
use dsvm_sema::checked::Block;
use dsvm_sema::table::choices::Storage;
use dsvm_sema::table::types::ListOf;
use std::collections::BTreeSet;

/// Builds all workspaces that are deployed here.
pub(super) fn workspaces(input: &Input<'_, '_>, nodes: &mut Nodes) -> Built<Homes> {
    let mut homes = Homes::default();
    let (fleet, names) = (input.fleet, &input.names.batch);
    for (workspace, named) in fleet.batch_support.workspaces.iter().zip(&names.workspaces) {
        let span = workspace.block.name_span;
        homes.declared.push(match workspace.existing {
            true => None,
            false => Some(one(input, named, Some(workspace), span, nodes)?),
        });
    }
    if let Some(named) = &names.own_workspace {
        let homeless = fleet.batch.iter().find(|p| p.home.is_none() && p.service == Service::AzureMl);
        let span = homeless.map_or(input.project_span, |p| p.block.name_span);
        homes.own = Some(one(input, named, None, span, nodes)?);
    }
    Ok(homes)
}

fn one(
    input: &Input<'_, '_>,
    names: &WorkspaceNames,
    workspace: Option<&Workspace<'_>>,
    span: Span,
    nodes: &mut Nodes,
) -> Built<NodeId> {
    let block = workspace.map(|w| w.block);
    let site = input.site(None);
    let key = workspace.map_or_else(|| read::dashed(input.fleet.name), |w| read::dashed(&w.block.name));
    let own = names.own.as_ref().ok_or(Broken { what: "a workspace without a storage account", span })?;
    let store_node = nodes.add(own_storage(input, &site, (&own.storage, Keys::Allowed), block, span));
    let mut needs: BTreeSet<NodeId> = BTreeSet::from([store_node]);
    let vault = match (workspace.and_then(|w| w.vault), &own.vault) {
        (Some(vault), _) => {
            needs.extend(nodes.of_block(vault));
            input.resolver().attribute(vault, "id")
        }
        (None, Some(vault)) => {
            needs.insert(nodes.add(self::vault(input, &site, vault, block, span)));
            vault.id.clone()
        }
        (None, None) => return Err(Broken { what: "a workspace without a vault", span }),
    };
    let insights = insights(input, &site, &key, block, span, nodes);
    needs.insert(insights.1);
    let public = if workspace.is_none_or(|w| w.public) { "Enabled" } else { "Disabled" };
    let mut properties = Map::new();
    if let Some(name) = workspace.and_then(|w| w.display_name) {
        properties.insert("friendlyName".into(), input.text(name).into());
    }
    properties.insert("storageAccount".into(), own.storage.id.json().into());
    properties.insert("keyVault".into(), vault.json().into());
    properties.insert("applicationInsights".into(), insights.0.id.json().into());
    properties.insert("publicNetworkAccess".into(), json!(public));
    let mut body = Map::new();
    body.insert("identity".into(), json!({ "type": "SystemAssigned" }));
    body.insert("sku".into(), json!({ "name": "Basic", "tier": "Basic" }));
    body.insert("properties".into(), Json::Object(properties));
    let mut node = input.node(&site, v::WORKSPACE, &names.workspace, block, body, span);
    node.needs = needs;
    Ok(match workspace {
        Some(workspace) => nodes.add_for(workspace.id, node),
        None => nodes.add(node),
    })
}

fn vault(input: &Input<'_, '_>, site: &Site, named: &Named, block: Option<&Block>, span: Span) -> Node {
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
    input.node(site, v::VAULT, named, block, body, span)
}

fn insights(
    input: &Input<'_, '_>,
    site: &Site,
    key: &str,
    block: Option<&Block>,
    span: Span,
    nodes: &mut Nodes,
) -> (Named, NodeId) {
    let logs = Named::new(v::LOGS, format!("log-{key}"));
    let mut body = Map::new();
    body.insert("properties".into(), json!({ "sku": { "name": "PerGB2018" }, "retentionInDays": 30 }));
    let logs_node = nodes.add(input.node(site, v::LOGS, &logs, block, body, span));
    let insights = Named::new(v::INSIGHTS, format!("appi-{key}"));
    let mut body = Map::new();
    body.insert("kind".into(), json!("web"));
    body.insert("properties".into(), json!({ "Application_Type": "web", "WorkspaceResourceId": logs.id.json() }));
    let mut node = input.node(site, v::INSIGHTS, &insights, block, body, span);
    node.needs.insert(logs_node);
    (insights, nodes.add(node))
}

/// A compute cluster and the datastores of what it mounts.
pub(super) fn cluster(
    input: &Input<'_, '_>,
    (pool, names): (&BatchPool<'_>, &BatchPoolNames),
    context: &PoolContext<'_>,
    nodes: &mut Nodes,
) -> Built<NodeId> {
    let span = pool.block.name_span;
    let mut properties = Map::new();
    properties.insert("osType".into(), json!("Linux"));
    properties.insert("vmSize".into(), super::size(pool));
    properties.insert("vmPriority".into(), json!(if pool.spot { "LowPriority" } else { "Dedicated" }));
    if let Scale::Range { least, most, idle } = &pool.scale {
        let mut scale = Map::new();
        scale.insert("minNodeCount".into(), values::json(least, &input.resolver()));
        scale.insert("maxNodeCount".into(), values::json(most, &input.resolver()));
        let idle = idle.unwrap_or_else(|| bounds::IDLE.nearest(120));
        scale.insert("nodeIdleTimeBeforeScaleDown".into(), json!(values::iso(idle)));
        properties.insert("scaleSettings".into(), Json::Object(scale));
    }
    if let Some(place) = pool.network {
        let subnet = context.shared.plans.subnet(place, span)?;
        properties.insert("subnet".into(), json!({ "id": subnet.json() }));
    }
    properties.insert("enableNodePublicIp".into(), json!(pool.view.public_ip()));
    // Closed to the internet, machines can still be reached from inside their network.
    let ssh = if pool.open_ssh { "Enabled" } else { "Disabled" };
    properties.insert("remoteLoginPortPublicAccess".into(), json!(ssh));
    if let Some(admin) = pool.view.admin() {
        let mut account = Map::new();
        if let Some(name) = read::present(admin.fields().name()) {
            account.insert("adminUserName".into(), input.text(name).into());
        }
        if let Some(key) = read::elements(admin.fields().key().value()).first() {
            account.insert("adminUserSshPublicKey".into(), input.text(key).into());
        }
        if let Some(password) = read::present(admin.fields().password()) {
            account.insert("adminUserPassword".into(), input.text(password).into());
        }
        properties.insert("userAccountCredentials".into(), Json::Object(account));
    }
    let mut body = Map::new();
    if let Some(identity) = user_assigned(names.identity.as_ref()) {
        body.insert("identity".into(), identity);
    }
    body.insert("properties".into(), json!({ "computeType": "AmlCompute", "properties": properties }));
    let mut node = input.node(&input.site(None), v::COMPUTE, &names.pool, Some(pool.block), body, span);
    node.needs = context.first(pool).collect();
    if let Some(identity) = &names.identity {
        for index in &pool.containers {
            let role = role(input, pool, *index);
            node.needs.insert(container::grant(
                input,
                (*index, role, Breadth::Account),
                identity,
                context,
                span,
                nodes,
            )?);
        }
        node.needs.extend(registry::grants(input, pool, identity, context, nodes));
    }
    let id = nodes.add_for(pool.id, node);
    datastores(input, (pool, names), context, nodes)?;
    Ok(id)
}

/// The role of a cluster's identity on a container that its jobs mount: a datastore without credentials is reached by it
/// ("Set up authentication between Azure Machine Learning and other services"). Reading is enough where every job of the
/// project only reads; jobs that the project does not declare may write.
fn role(input: &Input<'_, '_>, pool: &BatchPool<'_>, container: usize) -> &'static str {
    let Some(id) = input.fleet.batch_support.containers.get(container).map(|c| c.id) else { return BLOB_CONTRIBUTOR };
    let jobs = input.fleet.jobs.iter();
    let jobs = jobs.filter(|job| input.fleet.batch.get(job.pool).is_some_and(|of| of.id == pool.id));
    let names = |list: Option<ListOf<'_, Storage>>| list.into_iter().flatten().any(|Storage::Block(named)| named == id);
    let (mut reads, mut writes) = (false, false);
    for job in jobs {
        reads |= names(job.view.inputs());
        writes |= names(job.view.outputs());
    }
    if reads && !writes { BLOB_READER } else { BLOB_CONTRIBUTOR }
}

fn datastores(
    input: &Input<'_, '_>,
    (pool, names): (&BatchPool<'_>, &BatchPoolNames),
    context: &PoolContext<'_>,
    nodes: &mut Nodes,
) -> Built<()> {
    let pool_span = pool.block.name_span;
    for index in &pool.shares {
        let (share, of) = input.share(*index, pool_span)?;
        let key = account_key(&of.account.id, v::STORAGE);
        let properties = json!({
            "datastoreType": "AzureFile",
            "accountName": of.account.name.json(),
            "fileShareName": of.share.name.json(),
            "credentials": {
                "credentialsType": "AccountKey",
                "secrets": { "secretsType": "AccountKey", "key": key.json() },
            },
        });
        let needs = context.home.into_iter().chain(context.shared.share(*index)).collect();
        datastore(names, (&share.block.name, share.span()), properties, needs, nodes);
    }
    for index in &pool.containers {
        let (container, of) = input.container(*index, pool_span)?;
        let properties = json!({
            "datastoreType": "AzureBlob",
            "accountName": of.account.name.json(),
            "containerName": of.container.name.json(),
            "credentials": { "credentialsType": "None" },
        });
        let needs = context.home.into_iter().chain(context.container(*index)).collect();
        datastore(names, (&container.block.name, container.block.name_span), properties, needs, nodes);
    }
    Ok(())
}

fn datastore(
    names: &BatchPoolNames,
    (name, span): (&str, Span),
    properties: Json,
    needs: BTreeSet<NodeId>,
    nodes: &mut Nodes,
) {
    // Names of datastores take letters, digits and underscores.
    let named = Named::child(v::DATASTORE, std::slice::from_ref(&names.home.name), name.replace('-', "_"));
    if nodes.with_id(&named.id).is_some() {
        return;
    }
    let mut body = Map::new();
    body.insert("properties".into(), properties);
    let mut node = Node::new(v::DATASTORE, &named, body, span);
    node.needs = needs;
    nodes.add(node);
}
