//! Blob containers: storage account, blob service, container; and the role that lets pools in.

use super::PoolContext;
use crate::expr::Text;
use crate::ids::Named;
use crate::input::Input;
use crate::internal::Built;
use crate::json::{Map, json};
use crate::naming::home_of;
use crate::node::{Node, NodeId};
use crate::nodes::Nodes;
use crate::pool::Shared;
use crate::reach::Reach;
use crate::roles::{Scope, assignment};
use crate::{versions as v, words};
use dsvm_diagnostics::source::Span;
use dsvm_model::read;
use std::collections::BTreeSet;

/// Builds all containers that are deployed here; the result is by position in the fleet.
pub(super) fn build(
    input: &Input<'_, '_>,
    shared: &Shared<'_>,
    reach: &Reach,
    nodes: &mut Nodes,
) -> Built<Vec<Option<NodeId>>> {
    let mut all = Vec::new();
    let none = BTreeSet::new();
    let containers = input.fleet.batch_support.containers.iter().zip(&input.names.batch.containers);
    for (index, (container, names)) in containers.enumerate() {
        if container.existing.is_some() {
            all.push(None);
            continue;
        }
        let span = container.block.name_span;
        let site = input.site(None);
        let places = reach.containers.get(&index).unwrap_or(&none);
        let rules = shared.plans.rules(places, span)?;
        let mut body = Map::new();
        body.insert("kind".into(), json!("StorageV2"));
        body.insert("sku".into(), json!({ "name": format!("Standard_{}", words::redundancy(container.redundancy)) }));
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
        let mut account = input.node(&site, v::STORAGE, &names.account, Some(container.block), body, span);
        account.needs.extend(shared.networks.of_places(places));
        let account_node = nodes.add(account);
        let service = Named::child(v::BLOB_SERVICE, std::slice::from_ref(&names.account.name), "default");
        let mut body = Map::new();
        body.insert("properties".into(), json!({ "deleteRetentionPolicy": { "enabled": true, "days": 7 } }));
        let mut node = Node::new(v::BLOB_SERVICE, &service, body, span);
        node.needs.insert(account_node);
        let service_node = nodes.add(node);
        let full = Named {
            id: names.container.id.clone(),
            name: Text::concat(&[names.account.name.clone(), "/default/".into(), names.container.name.clone()]),
        };
        let mut body = Map::new();
        body.insert("properties".into(), json!({ "publicAccess": "None" }));
        let mut node = Node::new(v::BLOB_CONTAINER, &full, body, span);
        node.needs.insert(service_node);
        all.push(Some(nodes.add_for(container.id, node)));
    }
    Ok(all)
}

/// How far a role on the data of a container goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breadth {
    /// The container alone, for blobfuse: "At this scope, a role assignment applies to all of the blobs in the container, as
    /// well as container properties and metadata" (<https://learn.microsoft.com/azure/storage/blobs/assign-azure-role-data-access>).
    Container,
    /// The account of the container, as Azure Machine Learning asks for it: "Storage Blob Data Reader" on the storage account
    /// (<https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>).
    Account,
}

/// The role with which a pool's identity reads and writes a container, or only reads it.
pub(super) fn grant(
    input: &Input<'_, '_>,
    (index, role, breadth): (usize, &str, Breadth),
    identity: &Named,
    context: &PoolContext<'_>,
    span: Span,
    nodes: &mut Nodes,
) -> Built<NodeId> {
    let (container, names) = input.container(index, span)?;
    let scope = Scope {
        id: Some(match breadth {
            Breadth::Container => names.container.id.clone(),
            Breadth::Account => names.account.id.clone(),
        }),
        node: context.container(index),
        home: container.existing.map(|place| home_of(place, &input.resolver())),
        key: read::dashed(&container.block.name),
    };
    let node = assignment((identity, context.identity), &scope, role, span);
    Ok(nodes.with_id(&node.id).unwrap_or_else(|| nodes.add(node)))
}
