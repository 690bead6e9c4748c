//! Batch accounts, each with a storage account that it reaches by its own identity.

use super::{Homes, principal};
use crate::context::{Builder, Named, plain_node, resource_id};
use crate::expr::Text;
use crate::json::{Json, Map, json};
use crate::{NodeId, values, versions as v};
use dsvm_diagnostics::source::Span;
use dsvm_model::batch::support::BatchAccount;
use dsvm_sema::checked::Block;

/// Storage Blob Data Contributor.
pub(super) const BLOB_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

/// All accounts that are not somebody else's.
pub(super) fn emit(builder: &mut Builder<'_, '_>) -> Homes {
    let mut homes = Homes::default();
    let fleet = builder.fleet;
    for (index, account) in fleet.around.accounts.iter().enumerate() {
        let node = match builder.names.batch.accounts.get(index).cloned() {
            Some(named) if !account.existing => {
                let id = one(builder, &named, Some(account), account.block.name_span);
                builder.by_block.insert(account.id, id);
                Some(id)
            }
            _ => None,
        };
        homes.declared.push(node);
    }
    if let Some(named) = builder.names.batch.own_account.clone() {
        let span = fleet.batch.iter().find(|p| p.home.is_none()).map_or(builder.project_span, |p| p.block.name_span);
        homes.own = Some(one(builder, &named, None, span));
    }
    homes
}

fn one(builder: &mut Builder<'_, '_>, named: &Named, account: Option<&BatchAccount<'_>>, span: Span) -> NodeId {
    let block = account.map(|a| a.block);
    let mut properties = Map::new();
    let user = account.is_some_and(|a| a.user_subscription);
    properties.insert("poolAllocationMode".into(), json!(if user { "UserSubscription" } else { "BatchService" }));
    let mut modes = vec!["AAD"];
    if account.is_some_and(|a| a.shared_keys) {
        modes.push("SharedKey");
    }
    properties.insert("allowedAuthenticationModes".into(), json!(modes));
    let public = account.is_none_or(|a| a.public);
    properties.insert("publicNetworkAccess".into(), json!(if public { "Enabled" } else { "Disabled" }));
    let mut needs = Vec::new();
    if let Some(vault) = account.and_then(|a| a.vault).filter(|_| user) {
        let resolver = builder.resolver();
        let url = resolver.attribute(vault, "uri");
        let reference = json!({ "id": resolver.attribute(vault, "id").json(), "url": url.json() });
        properties.insert("keyVaultReference".into(), reference);
        needs.extend(builder.by_block.get(&vault).copied());
    }
    let mut storage = None;
    if account.is_none_or(|a| a.storage) {
        let key = account.map_or(builder.fleet.name, |a| a.block.name.as_ref());
        let (store, node) = storage_account(builder, ("Storage", Keys::Refused), key, block, span);
        let auto = json!({ "storageAccountId": store.id.json(), "authenticationMode": "BatchAccountManagedIdentity" });
        properties.insert("autoStorage".into(), auto);
        needs.push(node);
        storage = Some((store, node));
    }
    let mut body = Map::new();
    body.insert("identity".into(), json!({ "type": "SystemAssigned" }));
    body.insert("properties".into(), Json::Object(properties));
    let mut node = builder.node(v::BATCH_ACCOUNT, named, block, body, span);
    node.needs.extend(needs);
    let id = builder.add(node);
    if let Some((store, store_node)) = storage {
        role(builder, named, id, (&store, store_node), span);
    }
    id
}

/// Whether a storage account takes its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// The default datastores of a workspace use them.
    Allowed,
    /// Identities only.
    Refused,
}

/// A storage account for a service's own data: no anonymous reading.
pub(super) fn storage_account(
    builder: &mut Builder<'_, '_>,
    (what, keys): (&str, Keys),
    key: &str,
    block: Option<&Block>,
    span: Span,
) -> (Named, NodeId) {
    let name = builder.names.made_up(what, "st", &format!("{key}-own"));
    let named = Named { id: resource_id(v::STORAGE, std::slice::from_ref(&name), None), name };
    let mut body = Map::new();
    body.insert("kind".into(), json!("StorageV2"));
    body.insert("sku".into(), json!({ "name": "Standard_ZRS" }));
    body.insert(
        "properties".into(),
        json!({
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": true,
            "allowBlobPublicAccess": false,
            "allowSharedKeyAccess": keys == Keys::Allowed,
            "allowCrossTenantReplication": false,
            // Machines of the service read packages and files from networks that are not ours.
            "publicNetworkAccess": "Enabled",
            "networkAcls": { "bypass": "AzureServices", "defaultAction": "Allow" },
        }),
    );
    let node = builder.node(v::STORAGE, &named, block, body, span);
    let id = builder.add(node);
    (named, id)
}

/// The account's own identity may read and write its storage.
fn role(
    builder: &mut Builder<'_, '_>,
    account: &Named,
    account_node: NodeId,
    (store, node): (&Named, NodeId),
    span: Span,
) {
    let name = Text::call("guid", &[store.id.clone(), account.id.clone(), BLOB_CONTRIBUTOR.into()]);
    let definition = Text::call(
        "subscriptionResourceId",
        &["Microsoft.Authorization/roleDefinitions".into(), BLOB_CONTRIBUTOR.into()],
    );
    let id = Text::call("extensionResourceId", &[store.id.clone(), v::ROLE_ASSIGNMENT.into(), name.clone()]);
    let mut body = Map::new();
    body.insert("scope".into(), Json::from(&store.id));
    body.insert(
        "properties".into(),
        json!({
            "roleDefinitionId": definition.json(),
            "principalId": principal(&account.id, v::BATCH_ACCOUNT).json(),
            "principalType": "ServicePrincipal",
        }),
    );
    let mut assignment = plain_node(v::ROLE_ASSIGNMENT, &Named { id, name }, body, span);
    assignment.needs.extend([account_node, node]);
    builder.add(assignment);
}

/// A block's identity, for services that take user-assigned ones only.
pub(super) fn user_assigned(identity: Option<&Named>) -> Option<Json> {
    let id = identity?.id.json();
    let mut map = Map::new();
    map.insert(id.into(), json!({}));
    Some(json!({ "type": "UserAssigned", "userAssignedIdentities": map }))
}

/// A number of machines as JSON.
pub(super) fn count(builder: &Builder<'_, '_>, value: &dsvm_sema::value::Value) -> Json {
    values::json(value, &builder.resolver())
}
