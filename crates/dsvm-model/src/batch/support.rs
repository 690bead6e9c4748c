//! Batch accounts, workspaces of Azure Machine Learning, and blob containers.

use super::diags;
use crate::network::Elsewhere;
use crate::read;
use dsvm_diagnostics::Sink;
use dsvm_sema::checked::Block;
use dsvm_sema::table::types::Late;
use dsvm_sema::table::words::{Allocation, Redundancy};
use dsvm_sema::table::{View, batch as rows};
use dsvm_sema::value::{BlockId, Value};

/// An account of Azure Batch, declared or existing.
#[derive(Clone, Debug)]
pub struct BatchAccount<'a> {
    /// Position of its block in the program.
    pub id: BlockId,
    /// The block that declares it.
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
    /// The vault that it keeps keys in.
    pub vault: Option<BlockId>,
}

impl<'a> BatchAccount<'a> {
    pub(crate) fn read(id: BlockId, view: View<'a, rows::BatchAccount>, sink: &mut Sink) -> Self {
        let block = view.block();
        let account = Self {
            id,
            block,
            name: view.name().map(Late::value),
            existing: block.existing,
            user_subscription: match view.allocation() {
                Allocation::UserSubscription => true,
                Allocation::BatchService => false,
            },
            shared_keys: view.shared_keys(),
            storage: view.storage(),
            public: view.public(),
            vault: view.vault().map(BlockId::from),
        };
        if account.user_subscription && account.vault.is_none() && !account.existing {
            sink.push(diags::account_needs_vault(view));
        }
        if account.user_subscription && account.vault.is_some() && !account.existing && !account.shared_keys {
            sink.push(diags::account_needs_roles(view));
        }
        if account.user_subscription && account.shared_keys {
            sink.push(diags::keys_in_user_subscription(view));
        }
        if account.existing && account.name.is_none() {
            sink.push(diags::existing_without_name(block, block.kind.keyword()));
        }
        if let Some(name) = account.name.and_then(read::as_text) {
            let fine =
                (3..=24).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            if !fine {
                sink.push(diags::account_name_refused(name, view.fields().name().span()));
            }
        }
        account
    }
}

/// A workspace of Azure Machine Learning.
#[derive(Clone, Debug)]
pub struct Workspace<'a> {
    /// Position of its block in the program.
    pub id: BlockId,
    /// The block that declares it.
    pub block: &'a Block,
    /// Its name in Azure, constant.
    pub name: String,
    /// Name as shown to people, if written.
    pub display_name: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: bool,
    /// Reachable from the internet.
    pub public: bool,
    /// The vault that it keeps secrets in.
    pub vault: Option<BlockId>,
}

impl<'a> Workspace<'a> {
    pub(crate) fn read(id: BlockId, view: View<'a, rows::Workspace>, sink: &mut Sink) -> Self {
        let (block, name) = (view.block(), view.name());
        if block.existing && name.is_none() {
            sink.push(diags::existing_without_name(block, block.kind.keyword()));
        }
        Self {
            id,
            block,
            name: name.map_or_else(|| format!("mlw-{}", read::dashed(&block.name)), str::to_owned),
            existing: block.existing,
            display_name: view.display_name().map(Late::value),
            public: view.public(),
            vault: view.vault().map(BlockId::from),
        }
    }
}

/// A blob container that machines mount or jobs use.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// Position of its block in the program.
    pub id: BlockId,
    /// The block that declares it.
    pub block: &'a Block,
    /// Its name in Azure; it may be deferred.
    pub name: Value,
    /// Name of the storage account, if written.
    pub account: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// Where machines mount it.
    pub mount: &'a str,
    /// Where the copies of the data are.
    pub redundancy: Redundancy,
    /// More options for blobfuse.
    pub options: &'a str,
}

impl<'a> Container<'a> {
    pub(crate) fn read(id: BlockId, view: View<'a, rows::Container>, sink: &mut Sink) -> Self {
        let (block, fields) = (view.block(), view.fields());
        // A mount that was refused was reported.
        let mount = view.mount().unwrap_or("");
        if !mount.is_empty() && !mount.starts_with('/') {
            sink.push(diags::mount_not_absolute(mount, fields.mount().span()));
        }
        Self {
            id,
            block,
            name: read::name_in_azure(fields.name(), ""),
            account: view.account().map(Late::value),
            existing: Elsewhere::of(fields.account(), fields.resource_group(), None, sink),
            mount,
            redundancy: view.redundancy(),
            options: view.options().unwrap_or(""),
        }
    }
}
