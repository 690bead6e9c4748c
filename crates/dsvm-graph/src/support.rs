//! Identities, role assignments and vaults.

use super::context::{Builder, Named, plain_node, reference, resource_id};
use super::expr::Text;
use super::network::{Target, allowed_subnets, nodes_of, private_endpoint, reach};
use super::versions as v;
use super::{Node, NodeId, values, words};
use crate::json::{Json, Map, json};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_model::network::Elsewhere;
use dsvm_model::read;
use dsvm_model::support::{Access, secret_name};
use dsvm_model::units::DAY;
use dsvm_sema::table::choices;
use dsvm_sema::table::words::ScopeWord;
use dsvm_sema::value::BlockId;
use std::collections::BTreeSet;

/// Storage File Data SMB MI Admin.
pub(crate) const SMB_MI_ADMIN: &str = "a235d3ee-5935-4cfb-8cc5-a3303ad5995e";
/// Key Vault Secrets User.
pub(crate) const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";

/// Declared identities.
pub(crate) fn identities(builder: &mut Builder<'_, '_>) {
    for (index, identity) in builder.fleet.identities.iter().enumerate() {
        if identity.existing.is_some() {
            continue;
        }
        let Some(named) = builder.names.identities.get(index).cloned() else { continue };
        builder.place = builder.place_of(Some(identity.block));
        let node = builder.node(v::IDENTITY, &named, Some(identity.block), Map::new(), identity.block.name_span);
        let id = builder.add(node);
        builder.by_block.insert(identity.id, id);
        builder.identity_nodes.insert(index, id);
    }
    builder.place = builder.place_of(None);
}

/// Vaults and the secrets that the deployment writes.
pub(crate) fn vaults(builder: &mut Builder<'_, '_>) {
    let reach = reach(builder);
    for (index, vault) in builder.fleet.vaults.iter().enumerate() {
        let Some(named) = builder.names.vaults.get(index).cloned() else { continue };
        let span = vault.block.name_span;
        builder.place = builder.place_of(Some(vault.block));
        let mut ready = Vec::new();
        if vault.existing.is_none() {
            let places = reach.vaults.get(&index).cloned().unwrap_or_default();
            let public = if vault.access == Access::PrivateEndpoint { "Disabled" } else { "Enabled" };
            let (action, rules) = match vault.access {
                Access::Public => ("Allow", Vec::new()),
                Access::ServiceEndpoint => ("Deny", allowed_subnets(builder, &places)),
                Access::PrivateEndpoint => ("Deny", Vec::new()),
            };
            let mut body = Map::new();
            body.insert(
                "properties".into(),
                json!({
                    "tenantId": "[subscription().tenantId]",
                    "sku": { "family": "A", "name": words::vault_sku(vault.sku) },
                    "enableRbacAuthorization": true,
                    "enableSoftDelete": true,
                    "softDeleteRetentionInDays": vault.retention.get(),
                    "enablePurgeProtection": true,
                    "enabledForTemplateDeployment": vault.for_templates,
                    "publicNetworkAccess": public,
                    "networkAcls": { "bypass": "AzureServices", "defaultAction": action, "virtualNetworkRules": rules },
                }),
            );
            let mut node = builder.node(v::VAULT, &named, Some(vault.block), body, span);
            if vault.access == Access::ServiceEndpoint {
                node.needs.extend(nodes_of(builder, &places));
            }
            let vault_node = builder.add(node);
            builder.by_block.insert(vault.id, vault_node);
            ready.push(vault_node);
            if vault.access == Access::PrivateEndpoint {
                let networks: BTreeSet<usize> = places.iter().map(|(network, _)| *network).collect();
                for network in networks {
                    let target = Target {
                        id: &named.id,
                        node: vault_node,
                        group: "vault",
                        zone: vault_zone(),
                        key: read::dashed(&vault.block.name),
                        span,
                    };
                    ready.extend(private_endpoint(builder, network, &target));
                }
            }
        }
        for secret in &vault.secrets {
            let name = Text::literal(secret_name(*secret));
            let full = Named {
                id: resource_id(v::VAULT_SECRET, &[named.name.clone(), name.clone()], None),
                name: Text::concat(&[named.name.clone(), "/".into(), name]),
            };
            let resolver = builder.resolver();
            let mut properties = Map::new();
            if let Some(value) = secret.value() {
                properties.insert("value".into(), values::text(value.value(), &resolver).into());
            }
            if let Some(kind) = secret.content_type() {
                properties.insert("contentType".into(), values::text(kind.value(), &resolver).into());
            }
            if let Some(date) = secret.expires() {
                let days = jiff::civil::date(1970, 1, 1).until(date).map_or(0, |span| i64::from(span.get_days()));
                properties.insert("attributes".into(), json!({ "exp": days * DAY }));
            }
            let mut body = Map::new();
            body.insert("properties".into(), Json::Object(properties));
            let mut node = plain_node(v::VAULT_SECRET, &full, body, secret.block().name_span);
            node.needs.extend(ready.first().copied());
            let id = builder.add(node);
            ready.push(id);
        }
        builder.vault_nodes.insert(index, ready);
    }
    builder.place = builder.place_of(None);
}

/// The private DNS zone of vaults: that of their own suffix, which each cloud has another of.
fn vault_zone() -> Text {
    let suffix = Text::Expression("environment().suffixes.keyvaultDns".into());
    let inner = Text::call("replace", &[suffix, ".vault.".into(), ".vaultcore.".into()]);
    Text::concat(&["privatelink".into(), inner])
}

/// Where a role holds.
pub(crate) struct Scope {
    /// Id of the resource; `None`: the resource group.
    pub(crate) id: Option<Text>,
    /// Its node, if it is deployed here.
    pub(crate) node: Option<NodeId>,
    /// Group and subscription when it is elsewhere.
    pub(crate) elsewhere: Option<(Option<Text>, Option<Text>)>,
    /// A word for names.
    pub(crate) key: String,
}

/// A role assignment, deterministic by name: in a nested deployment when the scope is in another resource group.
pub(crate) fn assignment(
    identity: &Named,
    identity_node: Option<NodeId>,
    scope: &Scope,
    role: &str,
    span: Span,
) -> Node {
    let scope_id = scope.id.clone().unwrap_or_else(|| Text::Expression("resourceGroup().id".into()));
    let name = Text::call("guid", &[scope_id.clone(), identity.id.clone(), role.into()]);
    let definition =
        Text::call("subscriptionResourceId", &["Microsoft.Authorization/roleDefinitions".into(), role.into()]);
    let principal = reference(&identity.id, v::IDENTITY).member("principalId");
    let id = match &scope.id {
        Some(id) => Text::call("extensionResourceId", &[id.clone(), v::ROLE_ASSIGNMENT.into(), name.clone()]),
        None => resource_id(v::ROLE_ASSIGNMENT, std::slice::from_ref(&name), None),
    };
    let mut body = Map::new();
    if let Some(id) = &scope.id {
        body.insert("scope".into(), id.into());
    }
    let properties = json!({
        "roleDefinitionId": definition.json(),
        "principalId": principal.json(),
        "principalType": "ServicePrincipal",
    });
    body.insert("properties".into(), properties);
    let mut node = match &scope.elsewhere {
        Some((group, subscription)) if group.is_some() || subscription.is_some() => {
            nested(&Named { id, name }, body, identity, scope, (group, subscription), role, span)
        }
        _ => plain_node(v::ROLE_ASSIGNMENT, &Named { id, name }, body, span),
    };
    node.needs.extend(identity_node);
    node.needs.extend(scope.node);
    node
}

fn nested(
    named: &Named,
    mut body: Map,
    identity: &Named,
    scope: &Scope,
    (group, subscription): (&Option<Text>, &Option<Text>),
    role: &str,
    span: Span,
) -> Node {
    // The inner template is evaluated inside: names and the principal come in as parameters.
    if let Some(Json::Object(properties)) = body.get_mut("properties") {
        properties.insert("principalId".into(), json!("[parameters('principalId')]"));
        let definition =
            Text::call("subscriptionResourceId", &["Microsoft.Authorization/roleDefinitions".into(), role.into()]);
        properties.insert("roleDefinitionId".into(), json!(definition.json()));
    }
    body.insert("scope".into(), json!("[parameters('scope')]"));
    let mut resource = Map::new();
    resource.insert("type".into(), json!(v::ROLE_ASSIGNMENT));
    resource.insert("apiVersion".into(), json!(v::version(v::ROLE_ASSIGNMENT)));
    resource.insert("name".into(), json!("[parameters('name')]"));
    resource.extend(body);
    let principal = reference(&identity.id, v::IDENTITY).member("principalId");
    let scope_id = scope.id.clone().unwrap_or_else(|| "".into());
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": { "name": { "type": "string" }, "scope": { "type": "string" }, "principalId": { "type": "string" } },
        "resources": [resource],
    });
    let mut outer = Map::new();
    if let Some(subscription) = subscription {
        outer.insert("subscriptionId".into(), subscription.into());
    }
    if let Some(group) = group {
        outer.insert("resourceGroup".into(), group.into());
    }
    outer.insert(
        "properties".into(),
        json!({
            "mode": "Incremental",
            "expressionEvaluationOptions": { "scope": "Inner" },
            "parameters": {
                "name": { "value": named.name.json() },
                "scope": { "value": scope_id.json() },
                "principalId": { "value": principal.json() },
            },
            "template": template,
        }),
    );
    let tail = Text::call("uniqueString", &[scope_id, identity.id.clone(), role.into()]);
    let name = Text::concat(&[format!("grant-{}-", scope.key).into(), tail]);
    // A nested deployment lives in the group that it deploys to, and so does its id.
    let elsewhere = Some((group.clone(), subscription.clone()));
    let deployment = Named { id: resource_id(v::DEPLOYMENT, std::slice::from_ref(&name), elsewhere), name };
    plain_node(v::DEPLOYMENT, &deployment, outer, span)
}

/// The scope of a declared block.
pub(crate) fn scope_of(builder: &Builder<'_, '_>, id: BlockId) -> Option<Scope> {
    let fleet = builder.fleet;
    let place = |existing: Option<Elsewhere<'_>>| {
        existing.map(|e| {
            let resolver = builder.resolver();
            (e.resource_group.map(|g| values::text(g, &resolver)), e.subscription.map(|s| values::text(s, &resolver)))
        })
    };
    let key = read::dashed(&builder.checked[id].name);
    let node = builder.by_block.get(&id).copied();
    if let Some(index) = fleet.shares.iter().position(|s| s.id == id) {
        let account = builder.names.shares.get(index)?.account.id.clone();
        return Some(Scope { id: Some(account), node, elsewhere: place(fleet.shares.get(index)?.existing), key });
    }
    if let Some(index) = fleet.vaults.iter().position(|v| v.id == id) {
        let vault = builder.names.vaults.get(index)?.id.clone();
        return Some(Scope { id: Some(vault), node, elsewhere: place(fleet.vaults.get(index)?.existing), key });
    }
    let text = builder.resolver().find(id, "id")?;
    let existing = fleet.networks.iter().find(|n| n.block.is_some_and(|(b, _)| b == id)).and_then(|n| n.existing);
    Some(Scope { id: Some(text), node, elsewhere: place(existing), key })
}

/// Roles that were asked for.
pub(crate) fn grants(builder: &mut Builder<'_, '_>, _sink: &mut Sink) {
    for (index, identity) in builder.fleet.identities.iter().enumerate() {
        let Some(named) = builder.names.identities.get(index).cloned() else { continue };
        let node = builder.identity_nodes.get(&index).copied();
        for grant in &identity.grants {
            let scope = match grant.scope {
                choices::Scope::Block(id) => scope_of(builder, id),
                choices::Scope::Word(ScopeWord::ResourceGroup) => {
                    Some(Scope { id: None, node: None, elsewhere: None, key: "group".into() })
                }
            };
            if let Some(scope) = scope {
                let made = assignment(&named, node, &scope, &grant.role, grant.span);
                if !builder.nodes.iter().any(|n| n.id == made.id) {
                    builder.add(made);
                }
            }
        }
    }
}
