//! What stands beside pools: identities, vaults, and resources in ARM's own words.

use super::network::Elsewhere;
use super::{diags, read};
use crate::units::{DAY, WholeDays, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Value};
use std::sync::Arc;

/// A user-assigned identity.
#[derive(Clone, Debug)]
pub struct Identity<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// Name in Azure.
    pub name: Value,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// Roles that were asked for.
    pub grants: Vec<Grant<'a>>,
}

/// A role for an identity.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// GUID of the role definition.
    pub role: Arc<str>,
    /// A block, or the word `resource_group` or `subscription`.
    pub scope: &'a Value,
    /// Where it was written.
    pub span: Span,
}

impl<'a> Identity<'a> {
    /// Reads an `identity` block with the roles that it grants.
    pub fn read(checked: &'a Checked, id: BlockId, block: &'a Block, sink: &mut Sink) -> Self {
        let mut grants = Vec::new();
        for child in block.children(BlockKind::Grant) {
            let role = match child.get("role") {
                Some(Value::Ref(role)) => {
                    let fact = &checked[*role];
                    if read::flag(fact, "privileged", false) {
                        sink.push(diags::privileged_role(&fact.name, child.span_of("role")));
                    }
                    read::text(fact, "id").map(Arc::from)
                }
                Some(Value::String(guid)) => {
                    if uuid::Uuid::parse_str(guid).is_err() {
                        sink.push(diags::role_is_no_guid(guid, child.span_of("role")));
                    }
                    Some(guid.clone())
                }
                _ => None,
            };
            if let (Some(role), Some(scope)) = (role, read::late(child, "scope")) {
                grants.push(Grant { role, scope, span: child.span });
            }
        }
        Self {
            id,
            block,
            name: read::azure_name(block, "id-"),
            existing: Elsewhere::read(block, &["name"], sink),
            grants,
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

/// The way in of a share or vault.
pub fn access(block: &Block) -> Access {
    match read::text(block, "access") {
        Some("service_endpoint") => Access::ServiceEndpoint,
        Some("public") => Access::Public,
        _ => Access::PrivateEndpoint,
    }
}

/// A key vault.
#[derive(Clone, Debug)]
pub struct Vault<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// Name in Azure, if written.
    pub name: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// How the network reaches it.
    pub access: Access,
    /// How long a deleted secret can be brought back.
    pub retention: WholeDays,
    /// Secrets that the deployment writes.
    pub secrets: Vec<&'a Block>,
}

impl<'a> Vault<'a> {
    /// Reads a `vault` block; a retention outside Azure's bounds is reported.
    pub fn read(id: BlockId, block: &'a Block, sink: &mut Sink) -> Self {
        let retention = bounds::RETENTION.read(block, "retention", sink);
        Self {
            id,
            block,
            name: read::late(block, "name"),
            existing: Elsewhere::read(block, &["name"], sink),
            access: access(block),
            retention: retention.unwrap_or_else(|| bounds::RETENTION.nearest(90 * DAY)),
            secrets: block.children(BlockKind::SecretEntry).collect(),
        }
    }
}

/// Name of a secret in its vault.
pub fn secret_name(block: &Block) -> String {
    read::text(block, "name").map_or_else(|| read::dashed(&block.name), str::to_owned)
}

/// A resource in ARM's own words.
#[derive(Clone, Debug)]
pub struct Resource<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// `Microsoft.X/y`
    pub kind: &'a str,
    /// `2025-04-01`
    pub api_version: &'a str,
    /// Name in Azure.
    pub name: Value,
}

impl<'a> Resource<'a> {
    /// Reads a `resource` block; `None` when its class is not `type@api-version`.
    pub fn read(id: BlockId, block: &'a Block) -> Option<Self> {
        let (kind, api_version) = block.class.as_deref()?.split_once('@')?;
        Some(Self { id, block, kind, api_version, name: read::azure_name(block, "") })
    }
}
