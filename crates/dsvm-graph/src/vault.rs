//! Key vaults, their private endpoints, and the secrets that the deployment writes.

use super::expr::Text;
use super::ids::Named;
use super::input::{Input, Site};
use super::internal::Built;
use super::json::{Json, Map, json};
use super::network::{NetworkNodes, NetworkPlans};
use super::node::{Node, NodeId};
use super::nodes::Nodes;
use super::private_endpoint::{self, Target};
use super::reach::Reach;
use super::{versions as v, words};
use dsvm_model::ids::{SubnetPlace, TiVec, VaultId};
use dsvm_model::read;
use dsvm_model::support::{Access, Vault, secret_name};
use dsvm_model::units::DAY;
use dsvm_sema::table::schema::View;
use dsvm_sema::table::vault::SecretEntry;
use std::collections::BTreeSet;

/// Nodes of a vault that those who use it wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct VaultNodes {
    /// The vault; `None` when it exists already.
    pub(crate) vault: Option<NodeId>,
    /// Its private endpoints and secrets.
    rest: Vec<NodeId>,
}

impl VaultNodes {
    /// All nodes that a user of the vault waits for.
    pub(crate) fn ready(&self) -> impl Iterator<Item = NodeId> {
        self.vault.into_iter().chain(self.rest.iter().copied())
    }
}

/// Builds all vaults; the result is by position in the fleet.
pub(crate) fn build(
    input: &Input<'_, '_>,
    (plans, networks): (&NetworkPlans, &NetworkNodes),
    reach: &Reach,
    nodes: &mut Nodes,
) -> Built<TiVec<VaultId, VaultNodes>> {
    let mut all = TiVec::with_capacity(input.fleet.vaults.len());
    let none = BTreeSet::new();
    for ((id, vault), named) in input.fleet.vaults.iter_enumerated().zip(&input.names.vaults) {
        let site = input.site(Some(vault.block));
        let mut built = VaultNodes::default();
        if vault.existing.is_none() {
            let places = reach.vaults.get(&id).unwrap_or(&none);
            built = one(input, (vault, named), &site, (plans, networks), places, nodes)?;
        }
        for secret in &vault.secrets {
            let mut node = site.hold(self::secret(input, named, *secret));
            // A secret of a vault that exists already waits for the secret before it.
            node.needs.extend(built.ready().next());
            built.rest.push(nodes.add(node));
        }
        all.push(built);
    }
    Ok(all)
}

fn one(
    input: &Input<'_, '_>,
    (vault, named): (&Vault<'_>, &Named),
    site: &Site,
    (plans, networks): (&NetworkPlans, &NetworkNodes),
    places: &BTreeSet<SubnetPlace>,
    nodes: &mut Nodes,
) -> Built<VaultNodes> {
    let span = vault.block.name_span;
    let public = match vault.access {
        Access::PrivateEndpoint => "Disabled",
        Access::Public | Access::ServiceEndpoint => "Enabled",
    };
    let (action, rules) = match vault.access {
        Access::Public => ("Allow", Vec::new()),
        Access::ServiceEndpoint => ("Deny", plans.rules(places, span)?),
        Access::PrivateEndpoint => ("Deny", Vec::new()),
    };
    // "Create a Batch account in the Azure portal": both are needed where machines are in the subscription of the account.
    let accounts = &input.fleet.batch_support.accounts;
    let of_machines = accounts.iter().any(|a| a.user_subscription && !a.existing && a.vault == Some(vault.id));
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
            "enabledForTemplateDeployment": vault.for_templates || of_machines,
            "publicNetworkAccess": public,
            "networkAcls": { "bypass": "AzureServices", "defaultAction": action, "virtualNetworkRules": rules },
        }),
    );
    if let (true, Some(Json::Object(properties))) = (of_machines, body.get_mut("properties")) {
        properties.insert("enabledForDeployment".into(), json!(true));
    }
    let mut node = input.node(site, v::VAULT, named, Some(vault.block), body, span);
    if vault.access == Access::ServiceEndpoint {
        node.needs.extend(networks.of_places(places));
    }
    let id = nodes.add_for(vault.id, node);
    let mut built = VaultNodes { vault: Some(id), rest: Vec::new() };
    if vault.access == Access::PrivateEndpoint {
        let key = read::dashed(&vault.block.name);
        let target =
            Target { id: &named.id, node: id, site, group: "vault", zone: zone(), keeper: vault.dns_zone, key, span };
        built.rest = private_endpoint::build_all(input, (plans, networks), &target, places, nodes)?;
    }
    Ok(built)
}

/// The private DNS zone of vaults: that of their own suffix, which differs between clouds.
fn zone() -> Text {
    let suffix = Text::Expression("environment().suffixes.keyvaultDns".into());
    let inner = Text::call("replace", &[suffix, ".vault.".into(), ".vaultcore.".into()]);
    Text::concat(&["privatelink".into(), inner])
}

fn secret(input: &Input<'_, '_>, vault: &Named, secret: View<'_, SecretEntry>) -> Node {
    let named = Named::child(v::VAULT_SECRET, std::slice::from_ref(&vault.name), secret_name(secret));
    let mut properties = Map::new();
    if let Some(value) = secret.value() {
        properties.insert("value".into(), input.text(value.value()).into());
    }
    if let Some(kind) = secret.content_type() {
        properties.insert("contentType".into(), input.text(kind.value()).into());
    }
    if let Some(date) = secret.expires() {
        let days = jiff::civil::date(1970, 1, 1).until(date).map_or(0, |span| i64::from(span.get_days()));
        properties.insert("attributes".into(), json!({ "exp": days * DAY }));
    }
    let mut body = Map::new();
    body.insert("properties".into(), Json::Object(properties));
    Node::new(v::VAULT_SECRET, &named, body, secret.block().name_span)
}
