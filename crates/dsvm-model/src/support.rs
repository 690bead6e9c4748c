//! What accompanies pools: identities, container registries, vaults, and resources in ARM's own words.

use super::dns::Zone;
use super::network::Elsewhere;
use super::{diags, read};
use crate::units::{WholeDays, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::choices::{RoleName, Scope};
use dsvm_sema::table::schema::View;
use dsvm_sema::table::words::{RegistryPermissions, ShareAccess, VaultAccess, VaultSku};
use dsvm_sema::table::{identity, registry, resource, vault};
use dsvm_sema::value::{BlockId, Value};
use std::sync::Arc;

/// A user-assigned identity with the roles that it is granted.
#[derive(Clone, Debug)]
pub struct Identity<'a> {
    /// Index of its block.
    pub id: BlockId,
    /// Its block: name, places and nested blocks.
    pub block: &'a Block,
    /// Name in Azure, which the deployment may know only.
    pub name: Value,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// Roles that were asked for.
    pub grants: Vec<Grant>,
}

/// A role for an identity.
#[derive(Clone, Debug)]
pub struct Grant {
    /// GUID of the role definition.
    pub role: Arc<str>,
    /// A block, or the resource group.
    pub scope: Scope,
    /// Where it was written.
    pub span: Span,
}

impl<'a> Identity<'a> {
    /// Reads an `identity` block with the roles that it grants.
    pub fn read(checked: &'a Checked, id: BlockId, view: View<'a, identity::Identity>, sink: &mut Sink) -> Self {
        let mut grants = Vec::new();
        for grant in view.grants() {
            let at = grant.fields().role().span();
            let role = match grant.role() {
                Some(RoleName::Role(role)) => {
                    let fact = checked.view(role);
                    if fact.privileged() {
                        sink.push(diags::privileged_role(&fact.block().name, at));
                    }
                    fact.id()
                }
                Some(RoleName::Guid(guid)) => {
                    if uuid::Uuid::parse_str(guid).is_err() {
                        sink.push(diags::role_is_no_guid(guid, at));
                    }
                    Some(guid)
                }
                None => None,
            };
            if let (Some(role), Some(scope)) = (role, grant.scope()) {
                grants.push(Grant { role: Arc::from(role), scope, span: grant.block().span });
            }
        }
        let fields = view.fields();
        Self {
            id,
            block: view.block(),
            name: read::name_in_azure(fields.name(), "id-"),
            existing: Elsewhere::of(fields.name(), fields.resource_group(), Some(fields.subscription()), sink),
            grants,
        }
    }
}

/// A container registry that somebody else manages.
#[derive(Clone, Debug)]
pub struct Registry<'a> {
    /// Index of its block.
    pub id: BlockId,
    /// Its block: name, places and nested blocks.
    pub block: &'a Block,
    /// Name in Azure, which the deployment may know only.
    pub name: Value,
    /// Its resource group and subscription.
    pub existing: Option<Elsewhere<'a>>,
    /// Which roles it obeys.
    pub permissions: RegistryPermissions,
}

impl<'a> Registry<'a> {
    /// Reads an `existing registry` block; one without a name is reported.
    pub fn read(id: BlockId, view: View<'a, registry::Registry>, sink: &mut Sink) -> Self {
        let fields = view.fields();
        Self {
            id,
            block: view.block(),
            name: read::name_in_azure(fields.name(), ""),
            existing: Elsewhere::of(fields.name(), fields.resource_group(), Some(fields.subscription()), sink),
            permissions: view.permissions(),
        }
    }
}

/// How a private service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Through a service endpoint of the subnets.
    ServiceEndpoint,
    /// Through a private endpoint.
    PrivateEndpoint,
    /// From everywhere, with credentials.
    Public,
}

impl From<ShareAccess> for Access {
    fn from(access: ShareAccess) -> Self {
        match access {
            ShareAccess::ServiceEndpoint => Self::ServiceEndpoint,
            ShareAccess::PrivateEndpoint => Self::PrivateEndpoint,
        }
    }
}

impl From<VaultAccess> for Access {
    fn from(access: VaultAccess) -> Self {
        match access {
            VaultAccess::ServiceEndpoint => Self::ServiceEndpoint,
            VaultAccess::PrivateEndpoint => Self::PrivateEndpoint,
            VaultAccess::Public => Self::Public,
        }
    }
}

/// A key vault with the secrets that are written into it.
#[derive(Clone, Debug)]
pub struct Vault<'a> {
    /// Index of its block.
    pub id: BlockId,
    /// Its block: name, places and nested blocks.
    pub block: &'a Block,
    /// Name in Azure, if written.
    pub name: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// How the network reaches it.
    pub access: Access,
    /// Who keeps the private DNS zone of its endpoints.
    pub dns_zone: Zone<'a>,
    /// How long a deleted secret can be brought back.
    pub retention: WholeDays,
    /// Where it keeps its keys.
    pub sku: VaultSku,
    /// Whether parameter files may refer to its secrets.
    pub for_templates: bool,
    /// Secrets that the deployment writes.
    pub secrets: Vec<View<'a, vault::SecretEntry>>,
}

impl<'a> Vault<'a> {
    /// Reads a `vault` block; a retention outside Azure's bounds is reported.
    pub fn read(checked: &'a Checked, id: BlockId, view: View<'a, vault::Vault>, sink: &mut Sink) -> Self {
        let fields = view.fields();
        let access = view.access().into();
        let service = (access, "privatelink.vaultcore.");
        Self {
            id,
            block: view.block(),
            name: read::present(fields.name()),
            existing: Elsewhere::of(fields.name(), fields.resource_group(), Some(fields.subscription()), sink),
            access,
            dns_zone: Zone::read(checked, view.dns_zone(), fields.dns_zone(), service, sink),
            retention: bounds::RETENTION.hold(view.retention(), fields.retention(), sink),
            sku: view.sku(),
            for_templates: view.for_templates(),
            secrets: view.secrets().collect(),
        }
    }
}

/// Name of a secret in its vault.
#[must_use]
pub fn secret_name(secret: View<'_, vault::SecretEntry>) -> String {
    secret.name().map_or_else(|| read::dashed(&secret.block().name), str::to_owned)
}

/// A resource in ARM's own words.
#[derive(Clone, Debug)]
pub struct Resource<'a> {
    /// Index of its block.
    pub id: BlockId,
    /// Its block: name, places and nested blocks.
    pub block: &'a Block,
    /// Resource type, such as `Microsoft.Storage/storageAccounts`.
    pub kind: &'a str,
    /// API version, such as `2025-04-01`.
    pub api_version: &'a str,
    /// Name in Azure, which the deployment may know only.
    pub name: Value,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
}

impl<'a> Resource<'a> {
    /// Reads a `resource` block; `None` when its class is not `type@api-version`.
    #[must_use]
    pub fn read(id: BlockId, view: View<'a, resource::Resource>) -> Option<Self> {
        let block = view.block();
        let (kind, api_version) = block.class.as_deref()?.split_once('@')?;
        let fields = view.fields();
        let place = || Elsewhere {
            resource_group: read::present(fields.resource_group()),
            subscription: read::present(fields.subscription()),
        };
        let existing = block.existing.then(place);
        Some(Self { id, block, kind, api_version, name: read::name_in_azure(view.fields().name(), ""), existing })
    }
}
