//! NFS trusts the network: pools and their subnets → which pools can mount NFS shares that they do not list, who is root on
//! machines that mount one, and whose files get mixed up.
//!
//! "Permissions for NFS file shares are enforced by the client OS rather than the Azure Files service":
//! <https://learn.microsoft.com/azure/storage/files/nfs-root-squash>. The storage account lets whole subnets in, so everyone
//! who is root on a machine in such a subnet can mount the share and act as any user id.

use super::batch::BatchPool;
use super::diags;
use super::ids::{NetworkId, ShareId, SubnetPlace, TiSlice};
use super::login::User;
use super::network::{Network, overlap, room};
use super::pool::Pool;
use super::share::{Protocol, Share};
use super::support::Access;
use dsvm_diagnostics::Sink;
use dsvm_diagnostics::source::Span;
use dsvm_sema::checked::Block;
use ipnet::IpNet;
use std::collections::BTreeSet;

/// A pool on a network, of either class.
struct Tenant<'a, 'f> {
    block: &'a Block,
    place: SubnetPlace,
    shares: &'f [ShareId],
    most: Option<i64>,
}

/// Reports pools in a subnet that an NFS share lets in although the pool does not list the share, and pools whose users
/// are root beside an NFS share.
pub(crate) fn check(
    project: &str,
    networks: &TiSlice<NetworkId, Network<'_>>,
    shares: &TiSlice<ShareId, Share<'_>>,
    pools: &[Pool<'_>],
    batch: &[BatchPool<'_>],
    sink: &mut Sink,
) {
    let interactive = pools.iter().map(|pool| Tenant {
        block: pool.block,
        place: (pool.network, pool.subnet),
        shares: &pool.shares,
        most: pool.machines.most(),
    });
    let nodes = batch.iter().filter_map(|pool| {
        Some(Tenant { block: pool.block, place: pool.network?, shares: &pool.shares, most: pool.most })
    });
    let tenants: Vec<Tenant<'_, '_>> = interactive.chain(nodes).collect();
    let mut told: BTreeSet<SubnetPlace> = BTreeSet::new();
    let mut warned: BTreeSet<NetworkId> = BTreeSet::new();
    for (id, share) in shares.iter_enumerated().filter(|(_, share)| share.protocol == Protocol::Nfs) {
        let mounting: Vec<&Tenant<'_, '_>> = tenants.iter().filter(|t| t.shares.contains(&id)).collect();
        for tenant in tenants.iter().filter(|t| !t.shares.contains(&id)) {
            let network = &networks[tenant.place.0];
            if let Some(other) = mounting.iter().find(|t| t.place == tenant.place) {
                if told.insert(tenant.place) {
                    let out = way_out(project, network, tenant);
                    sink.push(diags::nfs_subnet_shared(tenant.block, share.block, other.block, &out));
                }
            } else if share.access == Access::PrivateEndpoint
                && share.existing.is_none()
                && let Some(other) = mounting.iter().find(|t| t.place.0 == tenant.place.0)
                && warned.insert(tenant.place.0)
            {
                let access = share.view.fields().access().span();
                sink.push(diags::nfs_reachable(tenant.block, share.block, access, other.block));
            }
        }
    }
    owners(shares, pools, sink);
    for pool in pools {
        let nfs = pool.shares.iter().map(|id| &shares[*id]).find(|share| share.protocol == Protocol::Nfs);
        let Some(share) = nfs else { continue };
        let roots: Vec<_> = pool.users.iter().filter(|user| user.sudo).collect();
        if let Some(first) = roots.first() {
            let names: Vec<&str> = roots.iter().map(|user| user.name).collect();
            sink.push(diags::root_beside_nfs(&names, first.view.fields().sudo().span(), share.block));
        }
    }
}

/// Reports users of different pools whose files on a share they both mount are mixed up: one id for two people, or two ids
/// for one. Inside of a pool the first is an error already.
fn owners(shares: &TiSlice<ShareId, Share<'_>>, pools: &[Pool<'_>], sink: &mut Sink) {
    let mut told: BTreeSet<Span> = BTreeSet::new();
    for (id, share) in shares.iter_enumerated().filter(|(_, share)| share.protocol == Protocol::Nfs) {
        let mounting = pools.iter().filter(|pool| pool.shares.contains(&id));
        let mut seen: Vec<(&Pool<'_>, &User<'_>)> = Vec::new();
        for (pool, user) in mounting.flat_map(|pool| pool.users.iter().map(move |user| (pool, user))) {
            let at = user.view.fields().uid().span();
            let clash = seen
                .iter()
                .find(|(of, other)| of.id != pool.id && ((other.uid == user.uid) != (other.name == user.name)));
            if let Some((of, other)) = clash
                && told.insert(at)
            {
                let first = (other.name, other.uid, &*of.block.name, other.view.fields().uid().span());
                sink.push(diags::nfs_owner_clash(share.block, (user.name, user.uid, &pool.block.name, at), first));
            }
            seen.push((pool, user));
        }
    }
}

/// What to write so that a pool gets a subnet of its own in the same network, one sentence each.
fn way_out(project: &str, network: &Network<'_>, pool: &Tenant<'_, '_>) -> Vec<String> {
    let name = &pool.block.name;
    let taken = network.subnets.iter().any(|subnet| subnet.key == name.as_ref());
    let key = if taken { format!("{name}_machines") } else { name.to_string() };
    if network.existing.is_some() {
        return vec![format!(
            "ask the owner of the network for another subnet, add it as `subnet {key} {{ name = \"…\" }}`, and write `subnet = \"{key}\"` in pool `{name}`"
        )];
    }
    let range = free(network, pool.most).map_or_else(|| "…".to_owned(), |range| range.to_string());
    let wanted = format!("subnet {key} {{ address = {range} }}");
    // The default subnet of a network stays only when it is written.
    let written = network.view.is_some_and(|view| view.subnets().next().is_some());
    let first = network.subnets.first().filter(|_| !written).and_then(|subnet| Some((subnet.key, subnet.address?)));
    let lines = match first {
        Some((key, address)) => format!("subnet {key} {{ address = {address} }}, {wanted}"),
        None => wanted,
    };
    match network.block {
        Some((_, block)) => {
            vec![format!("add `{lines}` to `network {}`, and write `subnet = \"{key}\"` in pool `{name}`", block.name)]
        }
        None => vec![
            format!(
                "declare the network that the pools share, which keeps its name: `network {project} {{ {lines} }}`"
            ),
            format!(
                "write `network = {project}` in every pool that names no network, and `subnet = \"{key}\"` in pool `{name}`"
            ),
        ],
    }
}

/// A range of the network that nothing uses, with room for so many machines; a /24 where that is enough.
fn free(network: &Network<'_>, most: Option<i64>) -> Option<IpNet> {
    let IpNet::V4(space) = network.address.first()? else { return None };
    let used: Vec<IpNet> = network.subnets.iter().filter_map(|s| s.address).chain(network.endpoint_range()).collect();
    let wanted = u64::try_from(most.unwrap_or(250)).ok()?;
    [24, 22, 20, 26, 28].into_iter().filter(|length| *length > space.prefix_len()).find_map(|length| {
        let mut ranges = space.subnets(length).ok()?.map(IpNet::V4);
        ranges.find(|range| room(range) >= wanted && used.iter().all(|other| !overlap(range, other)))
    })
}
