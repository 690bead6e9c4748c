//! Role assignments: where a role holds, for whom, and in which deployment it is written.

use super::expr::Text;
use super::ids::{Home, Named, reference, resource_id, role_definition};
use super::input::Input;
use super::json::{Json, Map, json};
use super::naming::home_of;
use super::nested;
use super::node::{Node, NodeId};
use super::nodes::Nodes;
use super::versions as v;
use dsvm_diagnostics::source::Span;
use dsvm_model::ids::{IdentityId, TiSlice};
use dsvm_model::network::Elsewhere;
use dsvm_model::read;
use dsvm_sema::table::choices;
use dsvm_sema::table::words::{RegistryPermissions, ScopeWord};
use dsvm_sema::value::BlockId;

/// Built-in role "Storage File Data SMB MI Admin".
pub(crate) const SMB_MI_ADMIN: &str = "a235d3ee-5935-4cfb-8cc5-a3303ad5995e";
/// Built-in role "Key Vault Secrets User".
pub(crate) const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
/// Built-in role "Storage Blob Data Contributor".
pub(crate) const BLOB_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
/// Built-in role "Storage Blob Data Reader".
pub(crate) const BLOB_READER: &str = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

/// Built-in role "AcrPull", for registries with permissions by registry.
const ACR_PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
/// Built-in role "Container Registry Repository Reader", for registries with permissions by repository.
const REPOSITORY_READER: &str = "b93aa761-3e63-49ed-ac28-beffa264f7ac";

/// The role that pulls images from a registry, as "Azure Container Registry permissions and role assignments" has it
/// (<https://learn.microsoft.com/azure/container-registry/container-registry-rbac-built-in-roles-overview>): registries with
/// permissions by repository ignore AcrPull.
pub(crate) fn pull(permissions: RegistryPermissions) -> &'static str {
    match permissions {
        RegistryPermissions::Registry => ACR_PULL,
        RegistryPermissions::Repositories => REPOSITORY_READER,
    }
}

/// Where a role holds.
pub(crate) struct Scope {
    /// Id of the resource; `None`: the resource group.
    pub(crate) id: Option<Text>,
    /// Its node, if it is deployed here.
    pub(crate) node: Option<NodeId>,
    /// Group and subscription of a resource that exists already.
    pub(crate) home: Option<Home>,
    /// Key for the name of a nested deployment.
    pub(crate) key: String,
}

/// Properties of an assignment of a role to a principal.
fn properties(role: &str, principal: &Text) -> Json {
    json!({
        "roleDefinitionId": role_definition(role).json(),
        "principalId": principal.json(),
        "principalType": "ServicePrincipal",
    })
}

/// A role of an identity at a scope, named deterministically: in a nested deployment when the scope is in another group.
pub(crate) fn assignment(
    (identity, identity_node): (&Named, Option<NodeId>),
    scope: &Scope,
    role: &str,
    span: Span,
) -> Node {
    let scope_id = scope.id.clone().unwrap_or_else(|| Text::Expression("resourceGroup().id".into()));
    let name = Text::call("guid", &[scope_id, identity.id.clone(), role.into()]);
    let id = match &scope.id {
        Some(id) => Text::call("extensionResourceId", &[id.clone(), v::ROLE_ASSIGNMENT.name.into(), name.clone()]),
        None => resource_id(v::ROLE_ASSIGNMENT, std::slice::from_ref(&name), None),
    };
    let named = Named { id, name };
    let mut node = match scope.home.as_ref().filter(|home| home.is_elsewhere()) {
        Some(home) => elsewhere(&named, identity, (scope, home), role, span),
        None => {
            let mut body = Map::new();
            if let Some(id) = &scope.id {
                body.insert("scope".into(), id.into());
            }
            let principal = reference(&identity.id, v::IDENTITY).member("principalId");
            body.insert("properties".into(), properties(role, &principal));
            Node::new(v::ROLE_ASSIGNMENT, &named, body, span)
        }
    };
    node.needs.extend(identity_node);
    node.needs.extend(scope.node);
    node
}

/// A role of a resource's own identity on a storage account beside it.
pub(crate) fn of_principal(principal: &Text, owner: &Text, account: &Text, role: &str, span: Span) -> Node {
    let name = Text::call("guid", &[account.clone(), owner.clone(), role.into()]);
    let id = Text::call("extensionResourceId", &[account.clone(), v::ROLE_ASSIGNMENT.name.into(), name.clone()]);
    let mut body = Map::new();
    body.insert("scope".into(), account.into());
    body.insert("properties".into(), properties(role, principal));
    Node::new(v::ROLE_ASSIGNMENT, &Named { id, name }, body, span)
}

fn elsewhere(named: &Named, identity: &Named, (scope, home): (&Scope, &Home), role: &str, span: Span) -> Node {
    let mut resource = Map::new();
    resource.insert("type".into(), json!(v::ROLE_ASSIGNMENT.name));
    resource.insert("apiVersion".into(), json!(v::ROLE_ASSIGNMENT.version));
    resource.insert("name".into(), json!("[parameters('name')]"));
    resource.insert("scope".into(), json!("[parameters('scope')]"));
    resource.insert("properties".into(), properties(role, &Text::Expression("parameters('principalId')".into())));
    let principal = reference(&identity.id, v::IDENTITY).member("principalId");
    let scope_id = scope.id.clone().unwrap_or_else(|| "".into());
    let tail = Text::call("uniqueString", &[scope_id.clone(), identity.id.clone(), role.into()]);
    let name = Text::concat(&[format!("grant-{}-", scope.key).into(), tail]);
    let parameters = [("name", &named.name), ("scope", &scope_id), ("principalId", &principal)];
    nested::deployment(name, home, resource, &parameters, span)
}

/// The scope of a declared block.
pub(crate) fn scope_of(input: &Input<'_, '_>, nodes: &Nodes, block: BlockId) -> Option<Scope> {
    let fleet = input.fleet;
    let home = |place: Option<Elsewhere<'_>>| place.map(|place| home_of(place, &input.resolver()));
    let scope = |id, existing| Scope {
        id: Some(id),
        node: nodes.of_block(block),
        home: home(existing),
        key: read::dashed(&input.checked[block].name),
    };
    let mut shares = fleet.shares.iter().zip(&input.names.shares);
    if let Some((share, names)) = shares.find(|(share, _)| share.id == block) {
        return Some(scope(names.account.id.clone(), share.existing));
    }
    let mut vaults = fleet.vaults.iter().zip(&input.names.vaults);
    if let Some((vault, named)) = vaults.find(|(vault, _)| vault.id == block) {
        return Some(scope(named.id.clone(), vault.existing));
    }
    let network = fleet.networks.iter().find(|n| n.block.is_some_and(|(id, _)| id == block));
    let registry = fleet.registries.iter().find(|registry| registry.id == block);
    let resource = fleet.resources.iter().find(|resource| resource.id == block);
    let existing = network.and_then(|n| n.existing);
    let existing = existing.or(registry.and_then(|registry| registry.existing));
    let existing = existing.or(resource.and_then(|resource| resource.existing));
    Some(scope(input.resolver().find(block, "id")?, existing))
}

/// Nodes of the roles that `grant` blocks ask for.
pub(crate) fn grants(input: &Input<'_, '_>, identities: &TiSlice<IdentityId, Option<NodeId>>, nodes: &mut Nodes) {
    let named = input.fleet.identities.iter().zip(&input.names.identities).zip(identities);
    for ((identity, named), node) in named {
        for grant in &identity.grants {
            let scope = match grant.scope {
                choices::Scope::Block(id) => scope_of(input, nodes, id),
                choices::Scope::Word(ScopeWord::ResourceGroup) => {
                    Some(Scope { id: None, node: None, home: None, key: "group".into() })
                }
            };
            if let Some(scope) = scope {
                let built = assignment((named, *node), &scope, &grant.role, grant.span);
                if nodes.with_id(&built.id).is_none() {
                    nodes.add(built);
                }
            }
        }
    }
}
