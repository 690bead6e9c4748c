//! Blob containers: storage account, blob service, container; and the role that lets pools in.

use super::account::BLOB_CONTRIBUTOR;
use crate::context::{Builder, Named, plain_node, resource_id};
use crate::expr::Text;
use crate::json::{Map, json};
use crate::network::{allowed_subnets, nodes_of, reach};
use crate::support::{Scope, assignment};
use crate::{NodeId, values, versions as v};
use dsvm_diagnostics::source::Span;
use dsvm_model::read;

/// All containers that are not somebody else's.
pub(super) fn emit(builder: &mut Builder<'_, '_>) {
    let fleet = builder.fleet;
    let reach = reach(builder);
    for (index, container) in fleet.around.containers.iter().enumerate() {
        if container.existing.is_some() {
            continue;
        }
        let Some(names) = builder.names.batch.containers.get(index).cloned() else { continue };
        let span = container.block.name_span;
        let places = reach.containers.get(&index).cloned().unwrap_or_default();
        let rules = allowed_subnets(builder, &places);
        let mut body = Map::new();
        body.insert("kind".into(), json!("StorageV2"));
        body.insert("sku".into(), json!({ "name": format!("Standard_{}", container.redundancy) }));
        body.insert(
            "properties".into(),
            json!({
                "minimumTlsVersion": "TLS1_2",
                "supportsHttpsTrafficOnly": true,
                "allowBlobPublicAccess": false,
                "allowSharedKeyAccess": false,
                "allowCrossTenantReplication": false,
                "publicNetworkAccess": "Enabled",
                "networkAcls": { "bypass": "AzureServices", "defaultAction": "Deny", "virtualNetworkRules": rules },
            }),
        );
        let mut account = builder.node(v::STORAGE, &names.account, Some(container.block), body, span);
        account.needs.extend(nodes_of(builder, &places));
        let account_node = builder.add(account);
        let service = Named {
            id: resource_id(v::BLOB_SERVICE, &[names.account.name.clone(), "default".into()], None),
            name: Text::concat(&[names.account.name.clone(), "/default".into()]),
        };
        let mut body = Map::new();
        body.insert("properties".into(), json!({ "deleteRetentionPolicy": { "enabled": true, "days": 7 } }));
        let mut node = plain_node(v::BLOB_SERVICE, &service, body, span);
        node.needs.insert(account_node);
        let service_node = builder.add(node);
        let full = Named {
            id: names.container.id.clone(),
            name: Text::concat(&[names.account.name.clone(), "/default/".into(), names.container.name.clone()]),
        };
        let mut body = Map::new();
        body.insert("properties".into(), json!({ "publicAccess": "None" }));
        let mut node = plain_node(v::BLOB_CONTAINER, &full, body, span);
        node.needs.insert(service_node);
        let id = builder.add(node);
        builder.by_block.insert(container.id, id);
    }
}

/// The pool's identity may read and write a container.
pub(super) fn grant(
    builder: &mut Builder<'_, '_>,
    index: usize,
    (identity, identity_node): (&Named, Option<NodeId>),
    span: Span,
) -> Option<NodeId> {
    let container = builder.fleet.around.containers.get(index)?;
    let names = builder.names.batch.containers.get(index)?.clone();
    let resolver = builder.resolver();
    let elsewhere = container.existing.map(|e| {
        (e.resource_group.map(|g| values::text(g, &resolver)), e.subscription.map(|s| values::text(s, &resolver)))
    });
    let scope = Scope {
        id: Some(names.account.id),
        node: builder.by_block.get(&container.id).copied(),
        elsewhere,
        key: read::dashed(&container.block.name),
    };
    let node = assignment(identity, identity_node, &scope, BLOB_CONTRIBUTOR, span);
    if let Some(known) = builder.nodes.iter().position(|n| n.id == node.id) {
        return u32::try_from(known).ok().map(NodeId);
    }
    Some(builder.add(node))
}
