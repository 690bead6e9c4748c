//! Storage accounts, their file services and shares.

use super::expr::Text;
use super::ids::{Named, account_key};
use super::input::{Input, Site};
use super::internal::Built;
use super::json::{Json, Map, json};
use super::names::{Resolver, ShareNames};
use super::network::{NetworkNodes, NetworkPlans};
use super::node::{Node, NodeId};
use super::nodes::Nodes;
use super::private_endpoint::{self, Target};
use super::reach::Reach;
use super::vault::VaultNodes;
use super::{causes, values, versions as v, words};
use dsvm_model::ids::{ShareId, SubnetPlace, TiSlice, TiVec, VaultId};
use dsvm_model::read;
use dsvm_model::share::{Auth, Protocol, Quota, Share};
use dsvm_model::support::Access;
use dsvm_model::units::GIB;
use std::collections::BTreeSet;

/// Builds all shares that are deployed here. Returns the nodes that those who mount a share wait for, by position in the
/// fleet: none for shares that exist already.
pub(crate) fn build(
    input: &Input<'_, '_>,
    (plans, networks): (&NetworkPlans, &NetworkNodes),
    reach: &Reach,
    vaults: &TiSlice<VaultId, VaultNodes>,
    nodes: &mut Nodes,
) -> Built<TiVec<ShareId, Vec<NodeId>>> {
    let mut all = TiVec::with_capacity(input.fleet.shares.len());
    let none = BTreeSet::new();
    for ((id, share), names) in input.fleet.shares.iter_enumerated().zip(&input.names.shares) {
        if share.existing.is_some() {
            all.push(Vec::new());
            continue;
        }
        // Azure Batch mounts NFS with the system's own client, which does not encrypt.
        let mounted_by_batch = input.fleet.batch.iter().any(|pool| pool.shares.contains(&id));
        let places = reach.shares.get(&id).unwrap_or(&none);
        all.push(one(input, (share, names), mounted_by_batch, (plans, networks, places), vaults, nodes)?);
    }
    Ok(all)
}

fn one(
    input: &Input<'_, '_>,
    (share, names): (&Share<'_>, &ShareNames),
    mounted_by_batch: bool,
    (plans, networks, places): (&NetworkPlans, &NetworkNodes, &BTreeSet<SubnetPlace>),
    vaults: &TiSlice<VaultId, VaultNodes>,
    nodes: &mut Nodes,
) -> Built<Vec<NodeId>> {
    let span = share.span();
    let site = input.site(Some(share.block));
    let rules = match share.access {
        Access::ServiceEndpoint => plans.rules(places, span)?,
        Access::PrivateEndpoint | Access::Public => Vec::new(),
    };
    let mut account = account(input, &site, share, &names.account, rules);
    account.causes = causes::of_account(share);
    if share.access == Access::ServiceEndpoint {
        account.needs.extend(networks.of_places(places));
    }
    let account_node = nodes.add(account);
    let service = Named::child(v::FILE_SERVICE, std::slice::from_ref(&names.account.name), "default");
    let mut node = Node::new(v::FILE_SERVICE, &service, service_body(share, mounted_by_batch), span);
    node.needs.insert(account_node);
    let service_node = nodes.add(site.hold(node));
    let full = Named {
        id: names.share.id.clone(),
        name: Text::concat(&[names.account.name.clone(), "/default/".into(), names.share.name.clone()]),
    };
    let mut node = Node::new(v::FILE_SHARE, &full, share_body(input, share), span);
    node.needs.insert(service_node);
    let mut ready = vec![nodes.add_for(share.id, site.hold(node))];
    if let Some(mut secret) = key_secret(input, share, &names.account, vaults) {
        secret.needs.insert(account_node);
        ready.push(nodes.add(site.hold(secret)));
    }
    if share.access == Access::PrivateEndpoint {
        let suffix = Text::Expression("environment().suffixes.storage".into());
        let target = Target {
            id: &names.account.id,
            node: account_node,
            site: &site,
            group: "file",
            zone: Text::concat(&["privatelink.file.".into(), suffix]),
            keeper: share.dns_zone,
            key: read::dashed(&share.block.name),
            span,
        };
        ready.extend(private_endpoint::build_all(input, (plans, networks), &target, places, nodes)?);
    }
    Ok(ready)
}

fn account(input: &Input<'_, '_>, site: &Site, share: &Share<'_>, named: &Named, rules: Vec<Json>) -> Node {
    let (kind, tier) = if share.premium { ("FileStorage", "Premium") } else { ("StorageV2", "Standard") };
    let by_key = matches!(share.auth, Auth::KeyVault | Auth::AccountKey);
    let mut properties = Map::new();
    properties.insert("minimumTlsVersion".into(), json!("TLS1_2"));
    properties.insert("supportsHttpsTrafficOnly".into(), json!(true));
    properties.insert("allowBlobPublicAccess".into(), json!(false));
    properties.insert("allowSharedKeyAccess".into(), json!(by_key));
    properties.insert("allowCrossTenantReplication".into(), json!(false));
    if share.auth == Auth::ManagedIdentity {
        let oauth = json!({ "directoryServiceOptions": "None", "smbOAuthSettings": { "isSmbOAuthEnabled": true } });
        properties.insert("azureFilesIdentityBasedAuthentication".into(), oauth);
    }
    let public = if share.access == Access::PrivateEndpoint { "Disabled" } else { "Enabled" };
    properties.insert("publicNetworkAccess".into(), json!(public));
    let acls = json!({ "bypass": "AzureServices", "defaultAction": "Deny", "virtualNetworkRules": rules });
    properties.insert("networkAcls".into(), acls);
    let mut body = Map::new();
    body.insert("kind".into(), json!(kind));
    body.insert("sku".into(), json!({ "name": format!("{tier}_{}", words::redundancy(share.redundancy)) }));
    body.insert("properties".into(), Json::Object(properties));
    input.node(site, v::STORAGE, named, Some(share.block), body, share.span())
}

fn service_body(share: &Share<'_>, mounted_by_batch: bool) -> Map {
    let mut properties = Map::new();
    properties
        .insert("shareDeleteRetentionPolicy".into(), json!({ "enabled": true, "days": share.keep_deleted.get() }));
    let protocol = match share.protocol {
        // Azure Batch mounts without TLS. Written out, it holds although the account takes only secure transfers;
        // left out, that setting would refuse the mount ("Storage mounts in Azure Container Apps", 2026-08-21).
        Protocol::Nfs => json!({ "nfs": { "encryptionInTransit": { "required": !mounted_by_batch } } }),
        Protocol::Smb => json!({ "smb": { "versions": "SMB3.1.1", "channelEncryption": "AES-128-GCM;AES-256-GCM" } }),
    };
    properties.insert("protocolSettings".into(), protocol);
    let mut body = Map::new();
    body.insert("properties".into(), Json::Object(properties));
    body
}

fn share_body(input: &Input<'_, '_>, share: &Share<'_>) -> Map {
    let mut properties = Map::new();
    let quota = match share.quota {
        Some(Quota::Deferred(value)) => {
            let bytes = input.text(value);
            Json::from(Text::Expression(format!("div({}, {GIB})", bytes.inner())))
        }
        Some(Quota::Known(size)) => json!(size.get()),
        None => Json::Null,
    };
    properties.insert("shareQuota".into(), quota);
    match share.protocol {
        Protocol::Nfs => {
            properties.insert("enabledProtocols".into(), json!("NFS"));
            properties.insert("rootSquash".into(), json!(words::root_squash(share.root_squash)));
        }
        Protocol::Smb => {
            properties.insert("enabledProtocols".into(), json!("SMB"));
            if let Some(tier) = share.tier {
                properties.insert("accessTier".into(), json!(words::access_tier(tier)));
            }
        }
    }
    let mut body = Map::new();
    body.insert("properties".into(), Json::Object(properties));
    body
}

/// Name of the vault secret with the account key.
pub(crate) fn secret_name(share: &Share<'_>, resolver: &Resolver<'_, '_>) -> Text {
    match share.view.key_secret() {
        Some(secret) => values::text(secret.value(), resolver),
        None => Text::literal(format!("{}-key", read::dashed(&share.block.name))),
    }
}

/// The vault secret with the account key, which Azure never shows.
fn key_secret(
    input: &Input<'_, '_>,
    share: &Share<'_>,
    account: &Named,
    vaults: &TiSlice<VaultId, VaultNodes>,
) -> Option<Node> {
    if share.auth != Auth::KeyVault {
        return None;
    }
    let id = input.vault_position(share.vault?)?;
    let (vault, named) = input.fleet.vaults.get(id).zip(input.names.vaults.get(id))?;
    if vault.existing.is_some_and(|e| e.resource_group.is_some() || e.subscription.is_some()) {
        // A vault of another group is filled by its owner.
        return None;
    }
    let secret = secret_name(share, &input.resolver());
    let named = Named::child(v::VAULT_SECRET, std::slice::from_ref(&named.name), secret);
    let mut body = Map::new();
    let value = account_key(&account.id, v::STORAGE);
    body.insert("properties".into(), json!({ "value": value.json(), "contentType": "storage account key" }));
    let mut node = Node::new(v::VAULT_SECRET, &named, body, share.span());
    node.needs.extend(vaults.get(id).and_then(|nodes| nodes.ready().next()));
    Some(node)
}
