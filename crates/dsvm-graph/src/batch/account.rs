//! Batch accounts, each with a storage account that it reaches by its own identity.

use super::{Homes, Keys, own_storage};
use crate::ids::principal;
use crate::input::Input;
use crate::internal::Built;
use crate::json::{Json, Map, json};
use crate::names::AccountNames;
use crate::node::NodeId;
use crate::nodes::Nodes;
use crate::roles::{BLOB_CONTRIBUTOR, of_principal};
use crate::versions as v;
use dsvm_diagnostics::source::Span;
use dsvm_model::batch::support::BatchAccount;

/// Builds all accounts that are deployed here.
pub(super) fn build(input: &Input<'_, '_>, nodes: &mut Nodes) -> Built<Homes> {
    let mut homes = Homes::default();
    let (fleet, names) = (input.fleet, &input.names.batch);
    for (account, named) in fleet.batch_support.accounts.iter().zip(&names.accounts) {
        homes.declared.push(match account.existing {
            true => None,
            false => Some(one(input, named, Some(account), account.block.name_span, nodes)),
        });
    }
    if let Some(named) = &names.own_account {
        let homeless = fleet.batch.iter().find(|p| p.home.is_none());
        let span = homeless.map_or(input.project_span, |p| p.block.name_span);
        homes.own = Some(one(input, named, None, span, nodes));
    }
    Ok(homes)
}

fn one(
    input: &Input<'_, '_>,
    names: &AccountNames,
    account: Option<&BatchAccount<'_>>,
    span: Span,
    nodes: &mut Nodes,
) -> NodeId {
    let block = account.map(|a| a.block);
    let site = input.site(None);
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
        let resolver = input.resolver();
        let url = resolver.attribute(vault, "uri");
        let reference = json!({ "id": resolver.attribute(vault, "id").json(), "url": url.json() });
        properties.insert("keyVaultReference".into(), reference);
        needs.extend(nodes.of_block(vault));
    }
    let storage = names.storage.as_ref().map(|store| {
        let node = nodes.add(own_storage(input, &site, (store, Keys::Refused), block, span));
        let auto = json!({ "storageAccountId": store.id.json(), "authenticationMode": "BatchAccountManagedIdentity" });
        properties.insert("autoStorage".into(), auto);
        needs.push(node);
        (store, node)
    });
    let mut body = Map::new();
    body.insert("identity".into(), json!({ "type": "SystemAssigned" }));
    body.insert("properties".into(), Json::Object(properties));
    let mut node = input.node(&site, v::BATCH_ACCOUNT, &names.account, block, body, span);
    node.needs.extend(needs);
    let id = match account {
        Some(account) => nodes.add_for(account.id, node),
        None => nodes.add(node),
    };
    if let Some((store, store_node)) = storage {
        // The account's own identity may read and write its storage.
        let owner = &names.account.id;
        let own = principal(owner, v::BATCH_ACCOUNT);
        let mut role = of_principal(&own, owner, &store.id, BLOB_CONTRIBUTOR, span);
        role.needs.extend([id, store_node]);
        nodes.add(role);
    }
    id
}
