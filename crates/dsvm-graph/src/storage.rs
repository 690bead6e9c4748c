//! Storage accounts, their file services and shares.

use super::context::{Builder, Named, Resolver, plain_node, resource_id};
use super::expr::Text;
use super::network::{Target, allowed_subnets, nodes_of, private_endpoint, reach};
use super::versions as v;
use super::{NodeId, values, words};
use crate::json::{Json, Map, json};
use dsvm_model::read;
use dsvm_model::share::{Auth, Protocol, Quota, Share};
use dsvm_model::support::Access;
use dsvm_model::units::GIB;

/// All shares that are not somebody else's.
pub(crate) fn emit(builder: &mut Builder<'_, '_>) {
    let fleet = builder.fleet;
    let reach = reach(builder);
    for (index, share) in fleet.shares.iter().enumerate() {
        if share.existing.is_some() {
            continue;
        }
        let places = reach.shares.get(&index).cloned().unwrap_or_default();
        // Azure Batch mounts NFS with the system's own client, which does not encrypt.
        let mounted_by_batch = fleet.batch.iter().any(|pool| pool.shares.contains(&index));
        let Some(names) = builder.names.shares.get(index).cloned() else { continue };
        builder.place = builder.place_of(Some(share.block));
        let subnets = allowed_subnets(builder, &places);
        let mut account = account(builder, share, &names.account, subnets);
        if share.access == Access::ServiceEndpoint {
            account.needs.extend(nodes_of(builder, &places));
        }
        let account_node = builder.add(account);
        let service = file_service(&names.account.name);
        let mut node = plain_node(v::FILE_SERVICE, &service, service_body(share, mounted_by_batch), share.span());
        node.needs.insert(account_node);
        let service_node = builder.add(node);
        let full = Named {
            id: names.share.id.clone(),
            name: Text::concat(&[names.account.name.clone(), "/default/".into(), names.share.name.clone()]),
        };
        let mut node = plain_node(v::FILE_SHARE, &full, share_body(builder, share), share.span());
        node.needs.insert(service_node);
        let share_node = builder.add(node);
        builder.by_block.insert(share.id, share_node);
        let mut ready = vec![share_node];
        ready.extend(key_secret(builder, share, &names.account, account_node));
        if share.access == Access::PrivateEndpoint {
            let networks: std::collections::BTreeSet<usize> = places.iter().map(|(network, _)| *network).collect();
            for network in networks {
                let target = Target {
                    id: &names.account.id,
                    node: account_node,
                    group: "file",
                    zone: Text::concat(&[
                        "privatelink.file.".into(),
                        Text::Expression("environment().suffixes.storage".into()),
                    ]),
                    key: read::dashed(&share.block.name),
                    span: share.span(),
                };
                ready.extend(private_endpoint(builder, network, &target));
            }
        }
        builder.share_nodes.insert(index, ready);
    }
    builder.place = builder.place_of(None);
}

fn account(builder: &Builder<'_, '_>, share: &Share<'_>, named: &Named, subnets: Vec<Json>) -> super::Node {
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
    let rules = if share.access == Access::ServiceEndpoint { subnets } else { Vec::new() };
    let acls = json!({ "bypass": "AzureServices", "defaultAction": "Deny", "virtualNetworkRules": rules });
    properties.insert("networkAcls".into(), acls);
    let mut body = Map::new();
    body.insert("kind".into(), json!(kind));
    body.insert("sku".into(), json!({ "name": format!("{tier}_{}", words::redundancy(share.redundancy)) }));
    body.insert("properties".into(), Json::Object(properties));
    builder.node(v::STORAGE, named, Some(share.block), body, share.span())
}

fn file_service(account: &Text) -> Named {
    Named {
        id: resource_id(v::FILE_SERVICE, &[account.clone(), "default".into()], None),
        name: Text::concat(&[account.clone(), "/default".into()]),
    }
}

fn service_body(share: &Share<'_>, mounted_by_batch: bool) -> Map {
    let mut properties = Map::new();
    properties
        .insert("shareDeleteRetentionPolicy".into(), json!({ "enabled": true, "days": share.keep_deleted.get() }));
    let protocol = match share.protocol {
        // Azure Batch mounts without TLS. Said out loud, it holds although the account takes only secure transfers;
        // left out, that setting would refuse the mount ("Storage mounts in Azure Container Apps", 2026-08-21).
        Protocol::Nfs => json!({ "nfs": { "encryptionInTransit": { "required": !mounted_by_batch } } }),
        Protocol::Smb => json!({ "smb": { "versions": "SMB3.1.1", "channelEncryption": "AES-128-GCM;AES-256-GCM" } }),
    };
    properties.insert("protocolSettings".into(), protocol);
    let mut body = Map::new();
    body.insert("properties".into(), Json::Object(properties));
    body
}

fn share_body(builder: &Builder<'_, '_>, share: &Share<'_>) -> Map {
    let mut properties = Map::new();
    let quota = match share.quota {
        Some(Quota::Deferred(value)) => {
            let bytes = values::text(value, &builder.resolver());
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

/// Puts the account key into the vault, where Azure keeps it secret.
fn key_secret(
    builder: &mut Builder<'_, '_>,
    share: &Share<'_>,
    account: &Named,
    account_node: NodeId,
) -> Option<NodeId> {
    if share.auth != Auth::KeyVault {
        return None;
    }
    let index = builder.fleet.vaults.iter().position(|vault| Some(vault.id) == share.vault)?;
    let vault = builder.fleet.vaults.get(index)?;
    if vault.existing.is_some_and(|e| e.resource_group.is_some() || e.subscription.is_some()) {
        // A vault of another group is filled by its owner.
        return None;
    }
    let vault_name = builder.names.vaults.get(index)?.name.clone();
    let secret = secret_name(share, &builder.resolver());
    let named = Named {
        id: resource_id(v::VAULT_SECRET, &[vault_name.clone(), secret.clone()], None),
        name: Text::concat(&[vault_name, "/".into(), secret]),
    };
    let keys = Text::call("listKeys", &[account.id.clone(), Text::literal(v::version(v::STORAGE))]);
    let value = Text::Expression(format!("{}.keys[0].value", keys.inner()));
    let mut body = Map::new();
    body.insert("properties".into(), json!({ "value": value.json(), "contentType": "storage account key" }));
    let mut node = plain_node(v::VAULT_SECRET, &named, body, share.span());
    node.needs.insert(account_node);
    node.needs.extend(builder.vault_nodes.get(&index).and_then(|nodes| nodes.first()).copied());
    Some(builder.add(node))
}
