//! Batch accounts, workspaces of Azure Machine Learning, and blob containers.

use super::diags;
use crate::network::Elsewhere;
use crate::read;
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::value::{BlockId, Value};

/// A Batch account.
#[derive(Clone, Debug)]
pub struct BatchAccount<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// Its name, if written.
    pub name: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: bool,
    /// Machines are in our own subscription.
    pub user_subscription: bool,
    /// Programs may use the account's keys.
    pub shared_keys: bool,
    /// It has a storage account.
    pub storage: bool,
    /// Reachable from the internet.
    pub public: bool,
    /// Its vault.
    pub vault: Option<BlockId>,
}

impl<'a> BatchAccount<'a> {
    pub(crate) fn read(id: BlockId, block: &'a Block, sink: &mut Sink) -> Self {
        let account = Self {
            id,
            block,
            name: read::late(block, "name"),
            existing: block.existing,
            user_subscription: read::text(block, "allocation") == Some("user_subscription"),
            shared_keys: read::flag(block, "shared_keys", false),
            storage: read::flag(block, "storage", true),
            public: read::flag(block, "public", true),
            vault: read::reference(block, "vault"),
        };
        if account.user_subscription && account.vault.is_none() && !account.existing {
            sink.push(diags::account_needs_vault(block));
        }
        if account.user_subscription && account.shared_keys {
            sink.push(diags::keys_in_user_subscription(block));
        }
        if account.existing && account.name.is_none() {
            sink.push(diags::existing_without_name(block, "batch_account"));
        }
        if let Some(name) = account.name.and_then(read::as_text) {
            let fine =
                (3..=24).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            if !fine {
                sink.push(diags::account_name_refused(name, block.span_of("name")));
            }
        }
        account
    }
}

/// A workspace.
#[derive(Clone, Debug)]
pub struct Workspace<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// Name in Azure.
    pub name: String,
    /// Managed by somebody else.
    pub existing: bool,
    /// Reachable from the internet.
    pub public: bool,
    /// Its vault.
    pub vault: Option<BlockId>,
}

impl<'a> Workspace<'a> {
    pub(crate) fn read(id: BlockId, block: &'a Block, sink: &mut Sink) -> Self {
        let name = read::text(block, "name");
        if block.existing && name.is_none() {
            sink.push(diags::existing_without_name(block, "workspace"));
        }
        Self {
            id,
            block,
            name: name.map_or_else(|| format!("mlw-{}", read::dashed(&block.name)), str::to_owned),
            existing: block.existing,
            public: read::flag(block, "public", true),
            vault: read::reference(block, "vault"),
        }
    }
}

/// A blob container.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// Name in Azure.
    pub name: Value,
    /// Name of the storage account, if written.
    pub account: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// Where machines mount it.
    pub mount: &'a str,
    /// `LRS`, `ZRS`, `GRS`, `GZRS`
    pub redundancy: &'static str,
    /// More options for blobfuse.
    pub options: &'a str,
}

impl<'a> Container<'a> {
    pub(crate) fn read(id: BlockId, block: &'a Block, sink: &mut Sink) -> Self {
        let mount = read::text(block, "mount").unwrap_or("");
        if !mount.is_empty() && !mount.starts_with('/') {
            sink.push(diags::mount_not_absolute(mount, block.span_of("mount")));
        }
        Self {
            id,
            block,
            name: read::late(block, "name").cloned().unwrap_or_else(|| Value::String(read::dashed(&block.name).into())),
            account: read::late(block, "account"),
            existing: Elsewhere::read(block, &["account"], sink),
            mount,
            redundancy: match read::text(block, "redundancy") {
                Some("lrs") => "LRS",
                Some("grs") => "GRS",
                Some("gzrs") => "GZRS",
                _ => "ZRS",
            },
            options: read::text(block, "options").unwrap_or(""),
        }
    }
}
