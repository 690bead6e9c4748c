//! Which pool uses what, from which subnet.

use dsvm_model::Fleet;
use dsvm_model::ids::{ShareId, SubnetPlace, VaultId};
use dsvm_model::share::Auth;
use std::collections::{BTreeMap, BTreeSet};

/// The subnets from which a share, vault or container is reached, by its position in the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    pub(crate) shares: BTreeMap<ShareId, BTreeSet<SubnetPlace>>,
    pub(crate) vaults: BTreeMap<VaultId, BTreeSet<SubnetPlace>>,
    pub(crate) containers: BTreeMap<usize, BTreeSet<SubnetPlace>>,
}

/// What the pools of the fleet use.
pub(crate) fn reach(fleet: &Fleet<'_>) -> Reach {
    let mut reach = Reach::default();
    let vault_index = |id| fleet.vaults.position(|vault| vault.id == id);
    for pool in &fleet.pools {
        let place = (pool.network, pool.subnet);
        if let Some(vault) = pool.vault {
            reach.vaults.entry(vault).or_default().insert(place);
        }
        for share in &pool.shares {
            reach.shares.entry(*share).or_default().insert(place);
            let Some(share) = fleet.shares.get(*share).filter(|s| s.auth == Auth::KeyVault) else { continue };
            if let Some(vault) = share.vault.and_then(vault_index) {
                reach.vaults.entry(vault).or_default().insert(place);
            }
        }
    }
    for pool in &fleet.batch {
        let Some(place) = pool.network else { continue };
        for share in &pool.shares {
            reach.shares.entry(*share).or_default().insert(place);
        }
        for container in &pool.containers {
            reach.containers.entry(*container).or_default().insert(place);
        }
    }
    reach
}
