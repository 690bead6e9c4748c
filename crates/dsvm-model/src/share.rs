//! Shares: storage, how machines prove themselves to it, where it is mounted and what links to it.

use super::network::Elsewhere;
use super::support::{Access, access};
use super::{diags, read};
use crate::units::{DAY, WholeDays, WholeGib, bounds};
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::{Block, Checked};
use dsvm_sema::table::BlockKind;
use dsvm_sema::value::{BlockId, Value};

/// Protocol of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMB 3.1.1
    Smb,
    /// NFS 4.1
    Nfs,
}

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

/// A share.
#[derive(Clone, Debug)]
pub struct Share<'a> {
    /// Its block.
    pub id: BlockId,
    /// Its block.
    pub block: &'a Block,
    /// Name of the share in Azure.
    pub name: Value,
    /// Name of the storage account, if written.
    pub account: Option<&'a Value>,
    /// Managed by somebody else.
    pub existing: Option<Elsewhere<'a>>,
    /// SMB or NFS.
    pub protocol: Protocol,
    /// SSD.
    pub premium: bool,
    /// `LRS`, `ZRS`, `GRS`, `GZRS`
    pub redundancy: &'static str,
    /// Capacity.
    pub quota: Option<Quota<'a>>,
    /// How machines prove themselves.
    pub auth: Auth,
    /// Vault with the key, for [`Auth::KeyVault`].
    pub vault: Option<BlockId>,
    /// How the network reaches it.
    pub access: Access,
    /// Where machines mount it.
    pub mount: &'a str,
    /// Links in home folders.
    pub links: Vec<Link<'a>>,
    /// Octal permissions of files and folders (SMB).
    pub modes: (&'a str, &'a str),
    /// More mount options.
    pub options: Vec<&'a str>,
    /// How long a deleted share can be brought back.
    pub keep_deleted: WholeDays,
    /// `NoRootSquash`, `RootSquash`, `AllSquash`
    pub root_squash: &'static str,
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
    /// Path after `~/`.
    pub path: &'a str,
    /// Folder inside the share.
    pub target: &'a str,
}

impl<'a> Share<'a> {
    pub(crate) fn read(checked: &'a Checked, id: BlockId, block: &'a Block, sink: &mut Sink) -> Self {
        let existing = Elsewhere::read(block, &["account"], sink);
        let protocol = if read::text(block, "protocol") == Some("nfs") { Protocol::Nfs } else { Protocol::Smb };
        let premium = match read::text(block, "performance") {
            Some(word) => word == "premium",
            None => protocol == Protocol::Nfs,
        };
        let auth = match (protocol, read::text(block, "auth")) {
            (Protocol::Nfs, _) => Auth::Network,
            (Protocol::Smb, Some("key_vault")) => Auth::KeyVault,
            (Protocol::Smb, Some("account_key")) => Auth::AccountKey,
            (Protocol::Smb, _) => Auth::ManagedIdentity,
        };
        let vault = read::reference(block, "vault");
        let redundancy = match read::text(block, "redundancy") {
            Some("lrs") => "LRS",
            Some("zrs") => "ZRS",
            Some("gzrs") => "GZRS",
            Some("grs") => "GRS",
            _ if premium => "ZRS",
            _ => "GRS",
        };
        let share = Self {
            id,
            block,
            name: read::late(block, "name").cloned().unwrap_or_else(|| Value::String(read::dashed(&block.name).into())),
            account: read::late(block, "account"),
            existing,
            protocol,
            premium,
            redundancy,
            quota: quota(block, premium, existing.is_some(), sink),
            auth,
            vault,
            access: access(block),
            mount: read::text(block, "mount").unwrap_or(""),
            links: links(block, sink),
            modes: (
                read::text(block, "file_mode").unwrap_or("0660"),
                read::text(block, "directory_mode").unwrap_or("0770"),
            ),
            options: read::texts(block, "options"),
            keep_deleted: bounds::KEEP_DELETED
                .read(block, "keep_deleted", sink)
                .unwrap_or_else(|| bounds::KEEP_DELETED.nearest(7 * DAY)),
            root_squash: match read::text(block, "root_squash") {
                Some("root") => "RootSquash",
                Some("all") => "AllSquash",
                _ => "NoRootSquash",
            },
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
        let block = self.block;
        if self.protocol == Protocol::Nfs {
            if read::text(block, "performance") == Some("standard") {
                sink.push(diags::nfs_needs_premium(block));
            }
            if read::written(block, "auth") {
                sink.push(diags::nfs_takes_no_auth(block));
            }
        } else if read::written(block, "root_squash") {
            sink.push(diags::root_squash_on_smb(block));
        }
        if self.premium && matches!(self.redundancy, "GRS" | "GZRS") {
            sink.push(diags::premium_is_not_geo_redundant(block));
        }
        if self.auth == Auth::KeyVault && self.vault.is_none() {
            sink.push(diags::share_needs_vault(block));
        }
        self.check_mount(sink);
        self.check_modes(sink);
        if let Some(vault) = self.vault {
            let vault = &checked[vault];
            if self.auth != Auth::KeyVault {
                sink.push(diags::vault_without_key(block, vault));
            }
        }
    }

    fn check_mount(&self, sink: &mut Sink) {
        let (path, span) = (self.mount, self.block.span_of("mount"));
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

    fn check_modes(&self, sink: &mut Sink) {
        for (field, mode) in [("file_mode", self.modes.0), ("directory_mode", self.modes.1)] {
            let octal = (3..=4).contains(&mode.len()) && mode.chars().all(|c| ('0'..='7').contains(&c));
            let span = self.block.span_of(field);
            if !octal {
                sink.push(diags::mode_is_not_octal(mode, span));
            } else if !mode.ends_with('0') {
                sink.push(diags::mode_opens_to_all(mode, span));
            }
        }
    }
}

/// The capacity of a share; one that Azure does not offer is reported, and so is a new share without any.
fn quota<'a>(block: &'a Block, premium: bool, existing: bool, sink: &mut Sink) -> Option<Quota<'a>> {
    let Some(written) = read::late(block, "quota") else {
        if !existing && block.get("quota").is_none() {
            sink.push(diags::share_without_quota(block));
        }
        return None;
    };
    let Some(bytes) = read::as_int(written) else { return Some(Quota::Deferred(written)) };
    let bounds = if premium { bounds::PREMIUM_QUOTA } else { bounds::STANDARD_QUOTA };
    Some(Quota::Known(bounds.take(bytes).unwrap_or_else(|_| {
        sink.push(diags::quota_outside(block, bytes, bounds.ends(), premium));
        bounds.nearest(bytes)
    })))
}

/// Folders that a mount would hide.
const HIDING: &[&str] = &["/home", "/opt", "/srv", "/var", "/anaconda"];
/// Top folders under which nothing is mounted.
const SYSTEM: &[&str] =
    &["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr", "tmp"];

/// The first `{…}` of a path that stands for nothing.
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

fn links<'a>(block: &'a Block, sink: &mut Sink) -> Vec<Link<'a>> {
    let mut links = Vec::new();
    for child in block.children(BlockKind::Link) {
        let (Some(path), Some(target)) = (read::text(child, "path"), read::text(child, "target")) else { continue };
        let inside = |p: &str| {
            !p.is_empty()
                && p.split('/').all(|part| !matches!(part, "" | "." | ".."))
                && p.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '{' | '}'))
        };
        let Some(below) = path.strip_prefix("~/").filter(|p| inside(p)) else {
            sink.push(diags::link_outside_home(path, child.span_of("path")));
            continue;
        };
        if !inside(target) {
            sink.push(diags::link_target_outside(target, child.span_of("target")));
            continue;
        }
        if let Some((field, word)) =
            [("path", path), ("target", target)].into_iter().find_map(|(field, text)| Some((field, placeholder(text)?)))
        {
            sink.push(diags::unknown_placeholder(word, child.span_of(field)));
            continue;
        }
        links.push(Link { path: below, target });
    }
    links
}
