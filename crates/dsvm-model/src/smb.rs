//! SMB mounts know no people: shares with a folder for each user → a warning where several people use the pool.

use super::diags;
use super::ids::{ShareId, TiSlice};
use super::pool::Pool;
use super::share::{Protocol, Share};
use dsvm_diagnostics::Sink;
use dsvm_sema::table::words::JupyterhubAuth;
use std::collections::BTreeSet;

/// Reports the first link of each SMB share that looks like a private folder, on a pool that more than one person uses.
/// The owner, group and modes of all files are those of the mount (`uid`, `gid`, `file_mode`, `dir_mode` in mount.cifs(8)), and
/// every account of the pool is in the group.
pub(crate) fn check(shares: &TiSlice<ShareId, Share<'_>>, pools: &[Pool<'_>], sink: &mut Sink) {
    let mut told: BTreeSet<ShareId> = BTreeSet::new();
    for pool in pools {
        // With the administrator, one declared user makes two people; other ways in let anybody in.
        let undeclared = match pool.view.jupyterhub_auth() {
            JupyterhubAuth::PamPassword => false,
            JupyterhubAuth::Domain | JupyterhubAuth::Oauth => true,
        };
        if pool.users.is_empty() && !pool.entra_login && !undeclared {
            continue;
        }
        for id in &pool.shares {
            let share = &shares[*id];
            if share.protocol != Protocol::Smb {
                continue;
            }
            let private = share.view.links().find(|link| link.target().is_some_and(|target| target.contains("{user}")));
            if let Some(link) = private
                && told.insert(*id)
            {
                sink.push(diags::smb_without_privacy(share.block, link.fields().target().span(), pool.block));
            }
        }
    }
}
