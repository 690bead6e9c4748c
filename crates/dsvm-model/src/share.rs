//! Shares: storage, how machines prove themselves to it, where it is mounted and what links to it.

use super::dns::Zone;
use super::network::Elsewhere;
use super::support::Access;
use super::{diags, read};
use crate::units::{WholeDays, WholeGib, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::schema::View;
use dsvm_sema::table::share as rows;
use dsvm_sema::table::words::{Performance, ShareAuth};
use dsvm_sema::value::{BlockId, Value};

pub use dsvm_sema::table::words::{Protocol, Redundancy, RootSquash, Tier};

/// How a machine proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// By the pool's identity.
    ManagedIdentity,
    /// With the account key, read from a vault at boot.
    KeyVault,
    /// With the account key, which a template hands to batch machines.
    AccountKey,
    /// By being on the network (NFS).
    Network,
}

/// A file share that machines mount.
#[derive(Clone, Debug)]
pub struct Share<'a> {
    /// Index of its block.
    pub id: BlockId,
    /// Its block, read field by field.
    pub view: View<'a, rows::Share>,
    /// Its block: name, places and nested blocks.
    pub block: &'a Block,
    /// Name of the share in Azure.
    pub name: Value,
    /// Name of the storage account, if written.
    pub account: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// Protocol by which machines mount it.
    pub protocol: Protocol,
    /// Whether it lies on SSD.
    pub premium: bool,
    /// Where the copies of the data are.
    pub redundancy: Redundancy,
    /// Billing tier; premium shares have none.
    pub tier: Option<Tier>,
    /// Capacity; nothing for an existing share.
    pub quota: Option<Quota<'a>>,
    /// How machines prove themselves.
    pub auth: Auth,
    /// Vault with the key, for [`Auth::KeyVault`].
    pub vault: Option<BlockId>,
    /// How the network reaches it.
    pub access: Access,
    /// Who keeps the private DNS zone of its endpoints.
    pub dns_zone: Zone<'a>,
    /// Where machines mount it.
    pub mount: &'a str,
    /// Links in home folders.
    pub links: Vec<Link<'a>>,
    /// Octal permissions of files and folders (SMB), where written.
    pub modes: Modes<'a>,
    /// Mount options added to those that dsvmc writes.
    pub options: Vec<&'a str>,
    /// How long a deleted share can be brought back.
    pub keep_deleted: WholeDays,
    /// What root on a machine may do (NFS).
    pub root_squash: RootSquash,
}

/// Permissions that an SMB mount gives to all files and to all folders, where written: octal digits.
#[derive(Clone, Copy, Debug)]
pub struct Modes<'a> {
    /// Three or four octal digits for every file.
    pub files: Option<&'a str>,
    /// Three or four octal digits for every folder.
    pub folders: Option<&'a str>,
}

impl<'a> Modes<'a> {
    /// Of files and of folders on the machines of an interactive pool: owner and group, in which all declared users are.
    #[must_use]
    pub fn of_people(self) -> (&'a str, &'a str) {
        (self.files.unwrap_or("0660"), self.folders.unwrap_or("0770"))
    }

    /// Of files and of folders on the machines of Azure Batch: tasks run under accounts that the service makes.
    #[must_use]
    pub fn of_tasks(self) -> (&'a str, &'a str) {
        (self.files.unwrap_or("0777"), self.folders.unwrap_or("0777"))
    }
}

/// Capacity of a share.
#[derive(Clone, Copy, Debug)]
pub enum Quota<'a> {
    /// Written as it is.
    Known(WholeGib),
    /// Bytes that only the deployment knows.
    Deferred(&'a Value),
}

/// A link in every home folder.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Path of the link, without `~/`.
    pub path: &'a str,
    /// Folder inside the share.
    pub target: &'a str,
}

impl<'a> Share<'a> {
    pub(crate) fn read(checked: &'a Checked, id: BlockId, view: View<'a, rows::Share>, sink: &mut Sink) -> Self {
        let fields = view.fields();
        let block = view.block();
        let existing = Elsewhere::of(fields.account(), fields.resource_group(), Some(fields.subscription()), sink);
        let protocol = view.protocol();
        let premium = match view.performance() {
            Some(performance) => performance == Performance::Premium,
            None => protocol == Protocol::Nfs,
        };
        let auth = match (protocol, view.auth()) {
            (Protocol::Nfs, _) => Auth::Network,
            (Protocol::Smb, Some(ShareAuth::KeyVault)) => Auth::KeyVault,
            (Protocol::Smb, Some(ShareAuth::AccountKey)) => Auth::AccountKey,
            (Protocol::Smb, Some(ShareAuth::ManagedIdentity) | None) => Auth::ManagedIdentity,
        };
        let usual = if premium { Redundancy::Zrs } else { Redundancy::Grs };
        let tier = match view.tier() {
            Some(Tier::TransactionOptimized) | None => (!premium).then_some(Tier::TransactionOptimized),
            tier @ Some(Tier::Hot | Tier::Cool) => tier,
        };
        let access = view.access().into();
        let share = Self {
            id,
            view,
            block,
            name: read::name_in_azure(fields.name(), ""),
            account: read::present(fields.account()),
            existing,
            protocol,
            premium,
            redundancy: view.redundancy().unwrap_or(usual),
            tier,
            quota: quota(view, premium, existing.is_some(), sink),
            auth,
            vault: view.vault().map(|vault| vault.id),
            access,
            dns_zone: Zone::read(checked, view.dns_zone(), fields.dns_zone(), (access, "privatelink.file."), sink),
            mount: view.mount().unwrap_or(""),
            links: links(view, sink),
            modes: Modes { files: view.file_mode(), folders: view.directory_mode() },
            options: view.options().into_iter().flatten().collect(),
            keep_deleted: bounds::KEEP_DELETED.hold(view.keep_deleted(), fields.keep_deleted(), sink),
            root_squash: view.root_squash(),
        };
        share.check(checked, sink);
        share
    }

    /// Where to point for the share as a whole.
    #[must_use]
    #[expect(clippy::misnamed_getters, reason = "the name stands for the whole share")]
    pub fn span(&self) -> Span {
        self.block.name_span
    }

    fn check(&self, checked: &Checked, sink: &mut Sink) {
        let (view, fields) = (self.view, self.view.fields());
        match self.protocol {
            Protocol::Nfs => {
                if view.performance() == Some(Performance::Standard) {
                    sink.push(diags::nfs_needs_premium(view));
                }
                if fields.auth().written() {
                    sink.push(diags::nfs_takes_no_auth(fields.auth().span()));
                }
            }
            Protocol::Smb => {
                if fields.root_squash().written() {
                    sink.push(diags::root_squash_on_smb(fields.root_squash().span()));
                }
            }
        }
        let far = match self.redundancy {
            Redundancy::Grs | Redundancy::Gzrs => true,
            Redundancy::Lrs | Redundancy::Zrs => false,
        };
        if self.premium && far {
            sink.push(diags::premium_is_not_geo_redundant(fields.redundancy().span()));
        }
        if self.auth == Auth::KeyVault && self.vault.is_none() {
            sink.push(diags::share_needs_vault(view));
        }
        self.check_mount(sink);
        self.check_options(sink);
        self.check_modes(sink);
        if let Some(vault) = self.vault {
            let vault = &checked[vault];
            if self.auth != Auth::KeyVault {
                sink.push(diags::vault_without_key(view, vault));
            }
        }
    }

    fn check_mount(&self, sink: &mut Sink) {
        let (path, span) = (self.mount, self.view.fields().mount().span());
        if path.is_empty() {
            return;
        }
        let clean = path.starts_with('/')
            && path.len() > 1
            && !path.ends_with('/')
            && path.split('/').skip(1).all(|part| {
                !part.is_empty()
                    && part != ".."
                    && part != "."
                    && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
            });
        if !clean {
            sink.push(diags::mount_is_no_path(path, span));
        } else if path == "/mnt" || path.starts_with("/mnt/") {
            sink.push(diags::mount_on_temporary_disk(path, span));
        } else if HIDING.contains(&path) || path.split('/').nth(1).is_some_and(|top| SYSTEM.contains(&top)) {
            sink.push(diags::mount_hides_folder(path, span));
        }
    }

    /// Options become a field of fstab(5), and an argument of `mount` on the machines of Azure Batch.
    fn check_options(&self, sink: &mut Sink) {
        let broken = |option: &&str| option.is_empty() || option.chars().any(|c| c.is_whitespace() || c.is_control());
        if let Some(option) = self.options.iter().copied().find(|option| broken(option)) {
            sink.push(diags::mount_option_refused(option, self.view.fields().options().span()));
        }
    }

    fn check_modes(&self, sink: &mut Sink) {
        let fields = self.view.fields();
        for (field, mode) in [(fields.file_mode(), self.modes.files), (fields.directory_mode(), self.modes.folders)] {
            let Some(mode) = mode else { continue };
            let octal = (3..=4).contains(&mode.len()) && mode.chars().all(|c| ('0'..='7').contains(&c));
            let span = field.span();
            if !octal {
                sink.push(diags::mode_is_not_octal(mode, span));
            } else if !mode.ends_with('0') {
                sink.push(diags::mode_opens_to_all(mode, span));
            }
        }
    }
}

/// The capacity of a share; one that Azure does not offer is reported, and so is a new share without any.
fn quota<'a>(view: View<'a, rows::Share>, premium: bool, existing: bool, sink: &mut Sink) -> Option<Quota<'a>> {
    let Some(written) = view.quota() else {
        if !existing && view.fields().quota().value().is_none() {
            sink.push(diags::share_without_quota(view.block()));
        }
        return None;
    };
    let Some(bytes) = written.known() else { return Some(Quota::Deferred(written.value())) };
    let bounds = if premium { bounds::PREMIUM_QUOTA } else { bounds::STANDARD_QUOTA };
    Some(Quota::Known(bounds.take(bytes).unwrap_or_else(|_| {
        sink.push(diags::quota_outside(view, bytes, bounds.ends(), premium));
        bounds.nearest(bytes)
    })))
}

/// Folders that a mount would hide.
const HIDING: &[&str] = &["/home", "/opt", "/srv", "/var", "/anaconda"];
/// Top folders under which nothing is mounted.
const SYSTEM: &[&str] =
    &["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr", "tmp"];

/// The first `{…}` of a path that is not a known placeholder.
fn placeholder(path: &str) -> Option<&str> {
    let mut rest = path;
    while let Some(open) = rest.find(['{', '}']) {
        let from = rest.get(open..)?;
        let end = from.find('}').map_or(from.len(), |end| end + 1);
        let word = from.get(..end)?;
        if word != "{user}" {
            return Some(word);
        }
        rest = from.get(end..)?;
    }
    None
}

fn links<'a>(share: View<'a, rows::Share>, sink: &mut Sink) -> Vec<Link<'a>> {
    let mut links = Vec::new();
    for link in share.links() {
        let (Some(path), Some(target)) = (link.path(), link.target()) else { continue };
        let (at_path, at_target) = (link.fields().path().span(), link.fields().target().span());
        let inside = |p: &str| {
            !p.is_empty()
                && p.split('/').all(|part| !matches!(part, "" | "." | ".."))
                && p.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '{' | '}'))
        };
        let Some(below) = path.strip_prefix("~/").filter(|p| inside(p)) else {
            sink.push(diags::link_outside_home(path, at_path));
            continue;
        };
        if !inside(target) {
            sink.push(diags::link_target_outside(target, at_target));
            continue;
        }
        let unknown =
            [(path, at_path), (target, at_target)].into_iter().find_map(|(text, at)| Some((placeholder(text)?, at)));
        if let Some((word, at)) = unknown {
            sink.push(diags::unknown_placeholder(word, at));
            continue;
        }
        links.push(Link { path: below, target });
    }
    links
}
